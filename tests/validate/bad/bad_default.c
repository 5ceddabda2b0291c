/* bad_default.c - an option whose default is out of its own range (L3).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

static const rd_option options[] = {
    {.name = "bias", .help = "", .kind = RD_REAL, .def = 5, .min = 0, .max = 1},
};
static const rd_cell cell = {GOOD_CELL("bad_default"), .options = options, .n_options = 1,
                             .option_size = sizeof(rd_option)};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("bad-default"), .cells = cells};
