/* temp_too_late.c - feeds a line with a temp of its own phase (C1).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static rd_status layout(const rd_setup *u, rd_builder *b)
{
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = u->hidden));
    b->temp(b, RD_NEW(rd_temp_decl, .id = T_Q, .name = "q", .width = u->hidden));
    b->line(b, RD_NEW(rd_line_decl, .id = L_A, .name = "a", .width = u->hidden, .flags = RD_FROM_X,
                      .temps = RD_BIT(T_Q)));
    return RD_OK;
}

static const rd_cell cell = {RIGHT_CELL("temp_too_late"), .layout = layout};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("temp_too_late"), .cells = cells};
