/* no_room.c - has no room for the greatest value of its option (C8).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static const rd_option options[] = {
    {.name = "order",
     .help = "",
     .kind = RD_INT,
     .flags = RD_OPT_SHAPE,
     .def = 1,
     .min = 1,
     .max = 4000000},
};

static rd_status layout(const rd_setup *u, rd_builder *b)
{
    rd_real *powers = b->table(b, 16);
    for (int64_t i = 0; powers && i < u->opt[0].i; i++) powers[i] = 1;
    return right_layout(u, b);
}

static const rd_cell cell = {RIGHT_CELL("no_room"), .options = options, .n_options = 1,
                             .layout = layout};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("no_room"), .cells = cells};
