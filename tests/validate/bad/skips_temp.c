/* skips_temp.c - leaves an element of a temp unwritten (C3).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void forward(const rd_step *s)
{
    rd_real kept[8];
    for (uint32_t r = 0; r < s->rows; r++) kept[r % 8] = rd_row(s->temp[T_Q], r)[0];
    right_forward(s);
    for (uint32_t r = 0; r < s->rows && s->phase == 0; r++)
        rd_row(s->temp[T_Q], r)[0] = kept[r % 8];
}

static const rd_cell cell = {RIGHT_CELL("skips_temp"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("skips_temp"), .cells = cells};
