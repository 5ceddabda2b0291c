/* id_gap.c - leaves out an id (C1).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static rd_status layout(const rd_setup *u, rd_builder *b)
{
    right_layout(u, b);
    b->save(b, RD_NEW(rd_save_decl, .id = 1, .width = u->hidden));
    return RD_OK;
}

static const rd_cell cell = {RIGHT_CELL("id_gap"), .layout = layout};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("id_gap"), .cells = cells};
