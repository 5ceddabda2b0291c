/* registry.c - what plugins brought, by name, and the reasons of refusals.
 *
 * Order decides: what is linked in, then plugin_path, then lib_dir, each folder sorted by name. The first
 * to bring a cell keeps its name; only a file loaded by the user's own call wins over those found.
 * SPDX-License-Identifier: MIT */
#include "plugin/registry_impl.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef RD_REAL_DOUBLE
#define REAL_FOLDER "f64"
#else
#define REAL_FOLDER "f32"
#endif

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

/* A new entry for path; NULL: no memory. */
static rdc_plugin_file *add_file(rdc_registry *r, const char *path)
{
    rdc_plugin_file *file = calloc(1, sizeof *file);
    rdc_plugin_file **grown = realloc(r->files, (r->n_files + 1) * sizeof *grown);

    if (grown) r->files = grown;
    if (file) file->path = strdup(path);
    if (!file || !grown || !file->path) {
        free_file(file);
        return NULL;
    }
    r->files[r->n_files++] = file;
    return file;
}

static rd_status set_refusal(rdc_plugin_file *file, const char *reason, rd_error *err)
{
    file->plugin = NULL;
    file->refusal = strdup(reason);
    return file->refusal ? RD_OK : rdc_no_memory(err, strlen(reason));
}

/* ---- names -------------------------------------------------------------------------------------- */

static const char *brought_cell(const rdc_registry *r, const rd_cell *cell)
{
    for (size_t i = 0; i < r->n_files; i++) {
        const rd_plugin *p = r->files[i]->plugin;
        for (size_t k = 0; p && p->cells && p->cells[k]; k++)
            if (p->cells[k] == cell) return r->files[i]->path;
    }
    return "?";
}

static const char *brought_layer(const rdc_registry *r, const rd_layer *layer)
{
    for (size_t i = 0; i < r->n_files; i++) {
        const rd_plugin *p = r->files[i]->plugin;
        for (size_t k = 0; p && p->layers && p->layers[k]; k++)
            if (p->layers[k] == layer) return r->files[i]->path;
    }
    return "?";
}

/* Cells and layers share the names. What is of its own kind a file that wins takes over. */
static bool name_free(const rdc_registry *r, const char *name, bool cell, bool wins,
                      char reason[RDC_REASON_BYTES])
{
    const size_t c = rdc_cell_index(r, name), l = rdc_layer_index(r, name);
    const char *from = NULL, *kind = "cell";

    if (c < r->n_cells && !(cell && wins)) from = brought_cell(r, r->cells[c]);
    if (l < r->n_layers && !(!cell && wins)) {
        from = brought_layer(r, r->layers[l]);
        kind = "layer";
    }
    if (!from) return true;
    (void)snprintf(reason, RDC_REASON_BYTES, "L3: %s '%s' is there already, from %s", kind, name,
                   from);
    return false;
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
    char why[256] = "";

    if (!p->init || p->init(&r->host, why, sizeof why) == RD_OK) return true;
    why[sizeof why - 1] = '\0';
    (void)snprintf(reason, RDC_REASON_BYTES, "L3: it does not start: %s",
                   why[0] ? why : "no reason given");
    return false;
}

static rd_status enter_backends(rdc_registry *r, const rd_plugin *p, rd_error *err)
{
    for (size_t k = 0; p->kernels && p->kernels[k]; k++) {
        bool taken = false;
        for (size_t i = 0; i < r->n_backends; i++)
            if (strcmp(r->backends[i].kernels->name, p->kernels[k]->name) == 0) taken = true;
        if (taken) continue; /* as scalar.so is, beside the one linked in */
        if (!add_backend(r, p->kernels[k])) return rdc_no_memory(err, sizeof(rdc_backend));
        if (r->open && !rdc_why_not(&r->backends[r->n_backends - 1],
                                    "it came after the core was opened; put it on the plugin path"))
            return rdc_no_memory(err, RDC_REASON_BYTES);
    }
    return RD_OK;
}

/* Checks the plugin of `file` and enters what it brings, or notes the reason. */
static rd_status enter(rdc_registry *r, rdc_plugin_file *file, bool wins, rd_error *err)
{
    const rd_plugin *p = file->plugin;
    char reason[RDC_REASON_BYTES];

    if (!rdc_plugin_check(p, reason) || !names_free(r, p, wins, reason) || !start(r, p, reason))
        return set_refusal(file, reason, err);
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

/* Loads one file; *out is its entry, or that of the same file met before. */
static rd_status load(rdc_registry *r, const char *path, bool wins, rdc_plugin_file **out,
                      rd_error *err)
{
    char real[PATH_MAX], reason[RDC_REASON_BYTES];
    const bool there = realpath(path, real) != NULL;
    const char *why = strerror(errno);
    rdc_plugin_file *file = add_file(r, there ? real : path), *before;

    if (!file) return rdc_no_memory(err, sizeof *file);
    *out = file;
    if (!there) {
        (void)snprintf(reason, sizeof reason, "L0: it cannot be reached: %s", why);
        return set_refusal(file, reason, err);
    }
    if (!rdc_plugin_open(real, r->trust, file, reason)) return set_refusal(file, reason, err);
    before = same_file(r, file);
    if (before) {
        *out = before;
        free_file(r->files[--r->n_files]);
        return RD_OK;
    }
    return enter(r, file, wins, err);
}

static rd_status load_folder(rdc_registry *r, const char *folder, rd_error *err)
{
    char **paths, reason[RDC_REASON_BYTES];
    rdc_plugin_file *file;
    size_t n;
    rd_status status = RD_OK;

    if (folder[0] != '/')
        (void)snprintf(reason, sizeof reason, "L0: a folder of the plugin path begins with '/'");
    if (folder[0] != '/' || !rdc_plugin_folder(folder, &paths, &n, reason)) {
        file = add_file(r, folder);
        return file ? set_refusal(file, reason, err) : rdc_no_memory(err, sizeof *file);
    }
    for (size_t i = 0; i < n; i++) {
        if (status == RD_OK) status = load(r, paths[i], false, &file, err);
        free(paths[i]);
    }
    free(paths);
    return status;
}

static rd_status load_path(rdc_registry *r, const char *list, rd_error *err)
{
    for (const char *at = list; *at;) {
        char folder[PATH_MAX];
        const size_t n = strcspn(at, ":");
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(n < PATH_MAX ? n : PATH_MAX - 1), at);
        if (n > 0) RD_TRY(load_folder(r, folder, err));
        at += n + (at[n] == ':');
    }
    return RD_OK;
}

static rd_status load_builtin(rdc_registry *r, rd_error *err)
{
    const rd_plugin *p;

    for (size_t i = 0; (p = rdc_builtin_plugin(i)); i++) {
        rdc_plugin_file *file = add_file(r, "(built in)");
        if (!file) return rdc_no_memory(err, sizeof *file);
        file->plugin = p;
        RD_TRY(enter(r, file, false, err));
    }
    return RD_OK;
}

static rd_status load_lib_dir(rdc_registry *r, const char *lib_dir, rd_error *err)
{
    char folder[PATH_MAX];
    const int n =
        snprintf(folder, sizeof folder, "%s/plugins-%d/" REAL_FOLDER, lib_dir, RD_ABI_MAJOR);

    if (n < 0 || n >= (int)sizeof folder)
        return rdc_fail(err, RD_E_ARG, "lib_dir is longer than %d bytes", PATH_MAX - 20);
    return load_folder(r, folder, err);
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
    if (options->plugin_path) RD_TRY(load_path(r, options->plugin_path, err));
    if (options->lib_dir) RD_TRY(load_lib_dir(r, options->lib_dir, err));
    return rdc_compose(core, options->kernels, err);
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
    const rd_plugin *p = f->plugin;

    return (rd_plugin_report){.path = f->path,
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
    RD_TRY(load(core->registry, path, true, &file, err));
    if (file->refusal)
        return rdc_fail(err, RD_E_ABI, "plugin %s was refused, %s", file->path, file->refusal);
    *out = report(file);
    return RD_OK;
}

size_t rd_kernels_count(const rd_core *core)
{
    return core->registry->n_backends;
}

rd_kernels_report rd_kernels_at(const rd_core *core, size_t index)
{
    const rdc_backend *b = &core->registry->backends[index];

    return (rd_kernels_report){.kernels = b->kernels, .why_not = b->why_not};
}
