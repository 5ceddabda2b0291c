/* find.c - cells and layers by name, and what is said where there is none of it.
 * SPDX-License-Identifier: MIT */
#include "plugin/registry_impl.h"
#include <stdio.h>
#include <string.h>

size_t rdc_cell_index(const rdc_registry *r, const char *name)
{
    size_t i = 0;

    while (i < r->n_cells && strcmp(r->cells[i]->name, name) != 0) i++;
    return i;
}

size_t rdc_layer_index(const rdc_registry *r, const char *name)
{
    size_t i = 0;

    while (i < r->n_layers && strcmp(r->layers[i]->name, name) != 0) i++;
    return i;
}

/* Names of one kind, in the order they came. */
struct names {
    const char *kind; /* "cell" */
    const rdc_registry *r;
    size_t n;
    const char *(*at)(const rdc_registry *r, size_t i);
};

static const char *cell_name(const rdc_registry *r, size_t i)
{
    return r->cells[i]->name;
}

static const char *layer_name(const rdc_registry *r, size_t i)
{
    return r->layers[i]->name;
}

static const char *nearest(const struct names *all, const char *name)
{
    const char *near = NULL;

    for (size_t i = 0; i < all->n; i++) {
        const char *const pair[] = {near, all->at(all->r, i)};
        near = near ? rd_nearest(name, pair, 2) : rd_nearest(name, pair + 1, 1);
    }
    return near;
}

/* "cell 'lstn' is unknown (did you mean 'lstm'?); refused: /x/y.so (L2: ...)" */
static void unknown(const struct names *all, const char *name, rd_error *err)
{
    const rdc_registry *r = all->r;
    const char *near = nearest(all, name);
    char text[sizeof err->text];

    (void)snprintf(text, sizeof text, "%s '%.60s' is unknown", all->kind, name);
#define ADD(...) (void)snprintf(text + strlen(text), sizeof text - strlen(text), __VA_ARGS__)
    if (near) {
        ADD(" (did you mean '%s'?)", near);
    } else if (all->n == 0) {
        ADD("; no plugin brought a %s", all->kind);
    } else {
        for (size_t i = 0; i < all->n; i++)
            ADD("%s%s", i > 0 ? ", " : "; there is ", all->at(r, i));
    }
    bool first = true;
    for (size_t i = 0; i < r->n_files; i++) {
        if (!r->files[i]->refusal) continue;
        ADD("%s%s (%s)", first ? "; refused: " : ", ", r->files[i]->path, r->files[i]->refusal);
        first = false;
    }
#undef ADD
    (void)rdc_fail(err, RD_E_ARG, "%s", text);
}

size_t rd_cell_count(const rd_core *core)
{
    return core->registry->n_cells;
}

const rd_cell *rd_cell_at(const rd_core *core, size_t index)
{
    return core->registry->cells[index];
}

const rd_cell *rd_cell_find(const rd_core *core, const char *name, rd_error *err)
{
    const rdc_registry *r = core->registry;
    const size_t i = rdc_cell_index(r, name);

    if (i < r->n_cells) return r->cells[i];
    if (rdc_layer_index(r, name) < r->n_layers)
        (void)rdc_fail(err, RD_E_ARG, "'%.60s' is a layer, not a cell; rondo.Layer takes it", name);
    else if (err)
        unknown(&(struct names){"cell", r, r->n_cells, cell_name}, name, err);
    return NULL;
}

size_t rd_layer_count(const rd_core *core)
{
    return core->registry->n_layers;
}

const rd_layer *rd_layer_at(const rd_core *core, size_t index)
{
    return core->registry->layers[index];
}

const rd_layer *rd_layer_find(const rd_core *core, const char *name, rd_error *err)
{
    const rdc_registry *r = core->registry;
    const size_t i = rdc_layer_index(r, name);

    if (i < r->n_layers) return r->layers[i];
    if (rdc_cell_index(r, name) < r->n_cells)
        (void)rdc_fail(err, RD_E_ARG, "'%.60s' is a cell, not a layer; rondo.RNN takes it", name);
    else if (err)
        unknown(&(struct names){"layer", r, r->n_layers, layer_name}, name, err);
    return NULL;
}
