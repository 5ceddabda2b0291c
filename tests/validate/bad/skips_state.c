/* skips_state.c - leaves an element of a state as it was before (C3).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void forward(const rd_step *s)
{
    rd_real kept[8];
    for (uint32_t r = 0; r < s->rows; r++) kept[r % 8] = rd_row(s->next[S_H], r)[0];
    right_forward(s);
    for (uint32_t r = 0; r < s->rows && s->phase == 1; r++)
        rd_row(s->next[S_H], r)[0] = kept[r % 8];
}

static const rd_cell cell = {RIGHT_CELL("skips_state"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("skips_state"), .cells = cells};
