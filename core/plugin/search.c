/* search.c - where plugins are looked for, and in which order: the folders of plugin_path, the user's
 * own folder, the one beside the program; in each by name. Nothing else is a place: not the current
 * folder, and no file that a checkpoint or a data set could name.
 * SPDX-License-Identifier: MIT */
#include "plugin/registry_impl.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef RD_REAL_DOUBLE
#define REAL_FOLDER "f64"
#else
#define REAL_FOLDER "f32"
#endif

static rd_status load_folder(rdc_registry *r, const char *folder, rdc_found found, rd_error *err)
{
    char **paths, reason[RDC_REASON_BYTES];
    rdc_plugin_file *file;
    size_t n;
    rd_status status = RD_OK;
    bool good =
        folder[0] == '/' ||
        rdc_refuse(reason, "L0: a folder of plugins is given by a path that begins with '/'");

    good = good && rdc_plugin_folder(folder, found != RDC_OF_USER, &paths, &n, reason);
    if (!good) {
        file = rdc_add_file(r, folder, found);
        return file ? rdc_set_refusal(file, reason, err) : rdc_no_memory(err, sizeof *file);
    }
    for (size_t i = 0; i < n; i++) {
        if (status == RD_OK) status = rdc_load(r, paths[i], found, &file, err);
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
        if (n > 0) RD_TRY(load_folder(r, folder, RDC_ON_PATH, err));
        at += n + (at[n] == ':');
    }
    return RD_OK;
}

/* The folder <parent>/plugins-N<rest>; option: what gave the parent. */
static rd_status load_below(rdc_registry *r, const char *option, const char *parent,
                            rdc_found found, rd_error *err)
{
    char folder[PATH_MAX];
    const char *rest = found == RDC_INSTALLED ? "/" REAL_FOLDER : "";
    const int n = snprintf(folder, sizeof folder, "%s/plugins-%d%s", parent, RD_ABI_MAJOR, rest);

    if (n < 0 || n >= (int)sizeof folder)
        return rdc_fail(err, RD_E_ARG, "%s is longer than %d bytes", option, PATH_MAX - 20);
    return load_folder(r, folder, found, err);
}

rd_status rdc_search(rdc_registry *r, const rd_core_options *options, rd_error *err)
{
    if (options->plugin_path) RD_TRY(load_path(r, options->plugin_path, err));
    if (options->user_dir) RD_TRY(load_below(r, "user_dir", options->user_dir, RDC_OF_USER, err));
    if (options->lib_dir) RD_TRY(load_below(r, "lib_dir", options->lib_dir, RDC_INSTALLED, err));
    return RD_OK;
}
