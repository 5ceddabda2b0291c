/* before_row.c - writes before the beginning of a temp (C3).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void forward(const rd_step *s)
{
    right_forward(s);
    if (s->phase == 0) rd_row(s->temp[T_Q], 0)[-1] = 0;
}

static const rd_cell cell = {RIGHT_CELL("before_row"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("before_row"), .cells = cells};
