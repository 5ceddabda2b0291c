/* crashes.c - reads in forward what backward alone is given (a crash in every rule that calls it).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void forward(const rd_step *s)
{
    right_forward(s);
    for (uint32_t r = 0; r < s->rows && s->phase == 1 && s->t == 2; r++)
        rd_row(s->next[S_H], r)[0] += rd_crow(s->dnext[S_H], r)[0];
}

static const rd_cell cell = {RIGHT_CELL("crashes"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("crashes"), .cells = cells};
