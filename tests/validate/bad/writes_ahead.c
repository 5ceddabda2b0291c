/* writes_ahead.c - writes to a line of a later phase (C3).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void forward(const rd_step *s)
{
    right_forward(s);
    for (uint32_t r = 0; r < s->rows && s->phase == 0; r++) rd_row(s->line[L_N], r)[0] = 1;
}

static const rd_cell cell = {RIGHT_CELL("writes_ahead"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("writes_ahead"), .cells = cells};
