/* leaves_line.c - leaves in a line what forward left there (C3).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void backward(const rd_step *s)
{
    rd_real kept[8];
    for (uint32_t r = 0; r < s->rows; r++) kept[r % 8] = rd_row(s->line[L_A], r)[0];
    right_backward(s);
    for (uint32_t r = 0; r < s->rows && s->phase == 0; r++)
        rd_row(s->line[L_A], r)[0] = kept[r % 8];
}

static const rd_cell cell = {RIGHT_CELL("leaves_line"), .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("leaves_line"), .cells = cells};
