/* registry_impl.h - what registry.c, search.c, find.c and compose.c share.
 *
 * Invariant: files, and what they point to, live until the registry closes, in the order they were met;
 * `cells`, `layers` and `backends` hold only what is in force. A refusal is a file without a plugin.
 * SPDX-License-Identifier: MIT */
#ifndef RD_REGISTRY_IMPL_H
#define RD_REGISTRY_IMPL_H
#include "plugin/loader.h"
#include "plugin/registry.h"

typedef struct rdc_backend {
    const rd_kernels *kernels;
    char *why_not; /* owned; NULL: in use */
    int score;
    uint32_t rank; /* place in the user's list, from 0 */
} rdc_backend;

struct rdc_registry {
    rd_host host;
    bool trust, open; /* open: the path has been read; backends are fixed from then on */
    rdc_plugin_file **files;
    size_t n_files;
    const rd_cell **cells;
    size_t n_cells;
    const rd_layer **layers;
    size_t n_layers;
    rdc_backend *backends; /* best first once composed */
    size_t n_backends;
};

/* Where a name is, or n_cells, n_layers. */
size_t rdc_cell_index(const rdc_registry *r, const char *name);
size_t rdc_layer_index(const rdc_registry *r, const char *name);
/* A new entry; NULL: no memory. */
rdc_plugin_file *rdc_add_file(rdc_registry *r, const char *path, rdc_found found);
rd_status rdc_set_refusal(rdc_plugin_file *file, const char *reason, rd_error *err);
/* Loads one file; *out is its entry, or that of the same file met before. */
rd_status rdc_load(rdc_registry *r, const char *path, rdc_found found, rdc_plugin_file **out,
                   rd_error *err);
/* Loads what lies in the folders of the options. */
rd_status rdc_search(rdc_registry *r, const rd_core_options *options, rd_error *err);
/* Sorts the backends, notes why the others are not used, and fills core->ops. */
rd_status rdc_compose(rd_core *core, const char *limit, rd_error *err);
/* Sets why_not; false when out of memory. */
__attribute__((format(printf, 2, 3))) bool rdc_why_not(rdc_backend *b, const char *format, ...);
#endif
