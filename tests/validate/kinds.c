/* kinds.c - the kinds of things that a plugin brings, and where their rules are (check.h).
 * SPDX-License-Identifier: MIT */
#include "check.h"

static const char *cell_name(const rd_plugin *p, size_t i)
{
    return p->cells && p->cells[i] ? p->cells[i]->name : NULL;
}

static const char *kernel_name(const rd_plugin *p, size_t i)
{
    return p->kernels && p->kernels[i] ? p->kernels[i]->name : NULL;
}

static const char *layer_name(const rd_plugin *p, size_t i)
{
    return p->layers && p->layers[i] ? p->layers[i]->name : NULL;
}

const check_kind check_kinds[] = {
    {"file", check_file_rules, NULL},
    {"cell", check_cell_rules, cell_name},
    {"kernel", check_kernel_rules, kernel_name},
    {"layer", check_layer_rules, layer_name},
    {0},
};
