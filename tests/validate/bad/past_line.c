/* past_line.c - writes past the end of a line in the last row (C3).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void backward(const rd_step *s)
{
    right_backward(s);
    if (s->phase == 1) rd_row(s->line[L_N], s->rows - 1)[s->line[L_N].width] = 0;
}

static const rd_cell cell = {RIGHT_CELL("past_line"), .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("past_line"), .cells = cells};
