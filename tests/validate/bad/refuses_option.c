/* refuses_option.c - refuses a value that its option allows (C8).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static const rd_option options[] = {
    {.name = "order",
     .help = "",
     .kind = RD_INT,
     .flags = RD_OPT_SHAPE,
     .def = 1,
     .min = 1,
     .max = 4},
};

static rd_status layout(const rd_setup *u, rd_builder *b)
{
    if (u->opt[0].i > 3) return b->fail(b, RD_E_ARG, "option 'order' must be at most 3");
    return right_layout(u, b);
}

static const rd_cell cell = {RIGHT_CELL("refuses_option"), .options = options, .n_options = 1,
                             .layout = layout};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("refuses_option"), .cells = cells};
