/* builtin.c - the plugins that are part of the program: the scalar backend, and what a program adds.
 *
 * A program without a dynamic loader defines rdc_linked_plugins, NULL-terminated, over plugins compiled
 * with RD_PLUGIN_LINKED=name.
 * SPDX-License-Identifier: MIT */
#include "plugin/loader.h"

extern const rd_plugin rdc_scalar_plugin;
extern const rd_plugin *const rdc_linked_plugins[] __attribute__((weak));

const rd_plugin *rdc_builtin_plugin(size_t i)
{
    if (i == 0) return &rdc_scalar_plugin;
    return rdc_linked_plugins ? rdc_linked_plugins[i - 1] : NULL;
}
