/* bad_choice.c - a choice whose default is not among its choices (L3).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

static const char *const choices[] = {"a", "b", NULL};
static const rd_option options[] = {
    {.name = "kind", .help = "", .kind = RD_CHOICE, .def = 2, .choices = choices},
};
static const rd_cell cell = {GOOD_CELL("bad_choice"), .options = options, .n_options = 1,
                             .option_size = sizeof(rd_option)};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("bad-choice"), .cells = cells};
