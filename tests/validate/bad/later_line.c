/* later_line.c - writes to the gradient of a later phase's line, which is complete (C3).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void backward(const rd_step *s)
{
    right_backward(s);
    for (uint32_t r = 0; r < s->rows && s->phase == 0; r++) rd_row(s->line[L_N], r)[0] += 1;
}

static const rd_cell cell = {RIGHT_CELL("later_line"), .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("later_line"), .cells = cells};
