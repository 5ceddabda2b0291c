/* registry.c - what plugins brought, by name, and the reasons of refusals.
 *
 * The first to bring a cell keeps its name (search.c has the order); only a file loaded by the user's own
 * call wins over those found.
 * SPDX-License-Identifier: MIT */
#include "plugin/registry_impl.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const void *no_services(const char *id)
{
    (void)id;
    return NULL;
}

/* ---- growing lists ------------------------------------------------------------------------------ */

static bool add_cell(rdc_registry *r, const rd_cell *cell)
{
    const rd_cell **grown = realloc(r->cells, (r->n_cells + 1) * sizeof *grown);

    if (!grown) return false;
    r->cells = grown;
    r->cells[r->n_cells++] = cell;
    return true;
}

static bool add_layer(rdc_registry *r, const rd_layer *layer)
{
    const rd_layer **grown = realloc(r->layers, (r->n_layers + 1) * sizeof *grown);

    if (!grown) return false;
    r->layers = grown;
    r->layers[r->n_layers++] = layer;
    return true;
}

static bool add_backend(rdc_registry *r, const rd_kernels *kernels)
{
    rdc_backend *grown = realloc(r->backends, (r->n_backends + 1) * sizeof *grown);

    if (!grown) return false;
    r->backends = grown;
    r->backends[r->n_backends++] = (rdc_backend){.kernels = kernels};
    return true;
}

static void free_file(rdc_plugin_file *f)
{
    if (!f) return;
    free(f->path);
    free(f->refusal);
    free(f);
}

rdc_plugin_file *rdc_add_file(rdc_registry *r, const char *path, rdc_found found)
{
    rdc_plugin_file *file = calloc(1, sizeof *file);
    rdc_plugin_file **grown = realloc(r->files, (r->n_files + 1) * sizeof *grown);

    if (grown) r->files = grown;
    if (file) file->path = strdup(path);
    if (!file || !grown || !file->path) {
        free_file(file);
        return NULL;
    }
    file->found = found;
    r->files[r->n_files++] = file;
    return file;
}

rd_status rdc_set_refusal(rdc_plugin_file *file, const char *reason, rd_error *err)
{
    file->plugin = NULL;
    file->refusal = strdup(reason);
    return file->refusal ? RD_OK : rdc_no_memory(err, strlen(reason));
}

/* ---- names -------------------------------------------------------------------------------------- */

static bool brings(const rd_plugin *p, const void *record)
{
    for (size_t k = 0; p && p->cells && p->cells[k]; k++)
        if (p->cells[k] == record) return true;
    for (size_t k = 0; p && p->layers && p->layers[k]; k++)
        if (p->layers[k] == record) return true;
    for (size_t k = 0; p && p->kernels && p->kernels[k]; k++)
        if (p->kernels[k] == record) return true;
    return false;
}

/* The file of a cell, layer or backend that is in force. */
static const rdc_plugin_file *who_brought(const rdc_registry *r, const void *record)
{
    size_t i = 0;

    while (!brings(r->files[i]->plugin, record)) i++;
    return r->files[i];
}

/* Cells and layers share the names. What is of its own kind a file that wins takes over. */
static bool name_free(const rdc_registry *r, const char *name, bool cell, bool wins,
                      char reason[RDC_REASON_BYTES])
{
    const size_t c = rdc_cell_index(r, name), l = rdc_layer_index(r, name);
    const void *there = NULL;

    if (c < r->n_cells && !(cell && wins)) there = r->cells[c];
    if (l < r->n_layers && !(!cell && wins)) there = r->layers[l];
    if (!there) return true;
    return rdc_refuse(reason, "L3: %s '%s' is there already, from %s; take one of the two away%s",
                      c < r->n_cells ? "cell" : "layer", name, who_brought(r, there)->path,
                      wins ? "" : ", or load this one by name (--plugin FILE)");
}

static bool names_free(const rdc_registry *r, const rd_plugin *p, bool wins,
                       char reason[RDC_REASON_BYTES])
{
    for (size_t k = 0; p->cells && p->cells[k]; k++)
        if (!name_free(r, p->cells[k]->name, true, wins, reason)) return false;
    for (size_t k = 0; p->layers && p->layers[k]; k++)
        if (!name_free(r, p->layers[k]->name, false, wins, reason)) return false;
    return true;
}

static bool start(const rdc_registry *r, const rd_plugin *p, char reason[RDC_REASON_BYTES])
{
    char why[RDC_WHY_BYTES] = "";

    if (!p->init || p->init(&r->host, why, sizeof why) == RD_OK) return true;
    why[sizeof why - 1] = '\0';
    (void)snprintf(reason, RDC_REASON_BYTES, "L3: it does not start: %s",
                   why[0] ? why : "no reason given");
    return false;
}

static bool backends_free(const rdc_registry *r, const rd_plugin *p, char reason[RDC_REASON_BYTES])
{
    for (size_t k = 0; p->kernels && p->kernels[k]; k++)
        for (size_t i = 0; i < r->n_backends; i++) {
            const rd_kernels *there = r->backends[i].kernels;
            if (strcmp(there->name, p->kernels[k]->name) != 0) continue;
            const rdc_plugin_file *from = who_brought(r, there);
            if (from->found == RDC_BUILT_IN)
                continue; /* as scalar.so is, beside the one linked in */
            return rdc_refuse(
                reason, "L3: backend '%s' is there already, from %s; take one of the two away",
                there->name, from->path);
        }
    return true;
}

static rd_status enter_backends(rdc_registry *r, const rd_plugin *p, rd_error *err)
{
    for (size_t k = 0; p->kernels && p->kernels[k]; k++) {
        bool taken = false;
        for (size_t i = 0; i < r->n_backends; i++)
            if (strcmp(r->backends[i].kernels->name, p->kernels[k]->name) == 0) taken = true;
        if (taken) continue; /* of the name of one that is built in */
        if (!add_backend(r, p->kernels[k])) return rdc_no_memory(err, sizeof(rdc_backend));
        if (r->open && !rdc_why_not(&r->backends[r->n_backends - 1],
                                    "it came after the core was opened; put it on the plugin path"))
            return rdc_no_memory(err, RDC_REASON_BYTES);
    }
    return RD_OK;
}

/* The cells and layers of a plugin are those of their names from now on. */
static rd_status enter_names(rdc_registry *r, const rd_plugin *p, rd_error *err)
{
    for (size_t k = 0; p->cells && p->cells[k]; k++) {
        const size_t i = rdc_cell_index(r, p->cells[k]->name);
        if (i < r->n_cells)
            r->cells[i] = p->cells[k];
        else if (!add_cell(r, p->cells[k]))
            return rdc_no_memory(err, sizeof(rd_cell *));
    }
    for (size_t k = 0; p->layers && p->layers[k]; k++) {
        const size_t i = rdc_layer_index(r, p->layers[k]->name);
        if (i < r->n_layers)
            r->layers[i] = p->layers[k];
        else if (!add_layer(r, p->layers[k]))
            return rdc_no_memory(err, sizeof(rd_layer *));
    }
    return RD_OK;
}

/* Checks the plugin of `file` and enters what it brings, or notes the reason. */
static rd_status enter(rdc_registry *r, rdc_plugin_file *file, rd_error *err)
{
    const rd_plugin *p = file->plugin;
    const bool named = file->found == RDC_BY_NAME; /* its backends are too late anyway */
    char reason[RDC_REASON_BYTES];

    if (!rdc_plugin_check(p, reason) || !names_free(r, p, named, reason) ||
        !(named || backends_free(r, p, reason)) || !start(r, p, reason))
        return rdc_set_refusal(file, reason, err);
    RD_TRY(enter_names(r, p, err));
    return enter_backends(r, p, err);
}

/* ---- files -------------------------------------------------------------------------------------- */

static rdc_plugin_file *same_file(const rdc_registry *r, const rdc_plugin_file *file)
{
    for (size_t i = 0; i < r->n_files; i++) {
        rdc_plugin_file *f = r->files[i];
        if (f != file && f->plugin && f->inode && f->inode == file->inode &&
            f->device == file->device)
            return f;
    }
    return NULL;
}

rd_status rdc_load(rdc_registry *r, const char *path, rdc_found found, rdc_plugin_file **out,
                   rd_error *err)
{
    char real[PATH_MAX], reason[RDC_REASON_BYTES];
    const bool there = realpath(path, real) != NULL;
    const char *why = strerror(errno);
    rdc_plugin_file *file = rdc_add_file(r, there ? real : path, found), *before;

    if (!file) return rdc_no_memory(err, sizeof *file);
    *out = file;
    if (!there) {
        rdc_refuse(reason, "L0: it cannot be reached: %s; look at the path", why);
        return rdc_set_refusal(file, reason, err);
    }
    if (!rdc_plugin_open(real, r->trust, &r->host, file, reason))
        return rdc_set_refusal(file, reason, err);
    before = same_file(r, file);
    if (!before) return enter(r, file, err);
    *out = before;
    free_file(r->files[--r->n_files]);
    return found == RDC_BY_NAME ? enter_names(r, before->plugin, err) : RD_OK;
}

static rd_status load_builtin(rdc_registry *r, rd_error *err)
{
    const rd_plugin *p;

    for (size_t i = 0; (p = rdc_builtin_plugin(i)); i++) {
        rdc_plugin_file *file = rdc_add_file(r, "(built in)", RDC_BUILT_IN);
        if (!file) return rdc_no_memory(err, sizeof *file);
        file->plugin = p;
        RD_TRY(enter(r, file, err));
    }
    return RD_OK;
}

rd_status rdc_registry_open(rd_core *core, const rd_core_options *options, rd_error *err)
{
    rdc_registry *r = calloc(1, sizeof *r);

    if (!r) return rdc_no_memory(err, sizeof *r);
    r->host = (rd_host){.size = sizeof(rd_host),
                        .abi_major = RD_ABI_MAJOR,
                        .abi_minor = RD_ABI_MINOR,
                        .query = no_services};
    r->trust = options->trust_plugins;
    core->registry = r; /* closed by the core, whatever follows */
    RD_TRY(load_builtin(r, err));
    RD_TRY(rdc_search(r, options, err));
    return rdc_compose(core, options->kernels, err);
}

const rd_host *rdc_registry_host(const rd_core *core)
{
    return &core->registry->host;
}

void rdc_registry_close(rdc_registry *r)
{
    if (!r) return;
    for (size_t i = 0; i < r->n_files; i++) free_file(r->files[i]);
    for (size_t i = 0; i < r->n_backends; i++) free(r->backends[i].why_not);
    free(r->files);
    free(r->cells);
    free(r->layers);
    free(r->backends);
    free(r);
}

/* ---- rondo.h ------------------------------------------------------------------------------------ */

static rd_plugin_report report(const rdc_plugin_file *f)
{
    static const char *const found[] = {"built in", "by name", "on the path", "of the user",
                                        "installed"}; /* rdc_found */
    const rd_plugin *p = f->plugin;

    return (rd_plugin_report){.path = f->path,
                              .found = found[f->found],
                              .name = p ? p->name : NULL,
                              .version = p ? p->version : NULL,
                              .license = p ? p->license : NULL,
                              .origin = p ? p->origin : NULL,
                              .plugin = p,
                              .refusal = f->refusal};
}

size_t rd_plugin_count(const rd_core *core)
{
    return core->registry->n_files;
}

rd_plugin_report rd_plugin_at(const rd_core *core, size_t index)
{
    return report(core->registry->files[index]);
}

rd_status rd_plugin_load(rd_core *core, const char *path, rd_plugin_report *out, rd_error *err)
{
    rdc_plugin_file *file;

    if (!strchr(path, '/'))
        return rdc_fail(err, RD_E_ARG, "a plugin is loaded by a path with a slash: './%.200s'",
                        path);
    RD_TRY(rdc_load(core->registry, path, RDC_BY_NAME, &file, err));
    if (file->refusal)
        return rdc_fail(err, RD_E_ABI, "plugin %s was refused, %s", file->path, file->refusal);
    *out = report(file);
    return RD_OK;
}

rd_plugin_report rd_cell_plugin(const rd_core *core, const rd_cell *cell)
{
    return report(who_brought(core->registry, cell));
}

rd_plugin_report rd_layer_plugin(const rd_core *core, const rd_layer *layer)
{
    return report(who_brought(core->registry, layer));
}

size_t rd_kernels_count(const rd_core *core)
{
    return core->registry->n_backends;
}

rd_kernels_report rd_kernels_at(const rd_core *core, size_t index)
{
    const rdc_backend *b = &core->registry->backends[index];

    return (rd_kernels_report){.kernels = b->kernels, .why_not = b->why_not, .score = b->score};
}
