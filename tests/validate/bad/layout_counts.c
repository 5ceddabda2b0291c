/* layout_counts.c - declares something else at each call (C1).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static uint32_t calls;

static rd_status layout(const rd_setup *u, rd_builder *b)
{
    calls++;
    right_layout(u, b);
    b->save(b, RD_NEW(rd_save_decl, .id = 0, .width = calls));
    return RD_OK;
}

static const rd_cell cell = {RIGHT_CELL("layout_counts"), .layout = layout};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layout_counts"), .cells = cells};
