/* layout_remembers.c - declares what the sizes of an earlier call were (C1).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static uint32_t largest;

static rd_status layout(const rd_setup *u, rd_builder *b)
{
    if (u->hidden > largest) largest = u->hidden;
    right_layout(u, b);
    b->save(b, RD_NEW(rd_save_decl, .id = 0, .width = largest));
    return RD_OK;
}

static const rd_cell cell = {RIGHT_CELL("layout_remembers"), .layout = layout};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layout_remembers"), .cells = cells};
