/* writes_previous.c - writes to the previous state (C3).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void forward(const rd_step *s)
{
    right_forward(s);
    for (uint32_t r = 0; r < s->rows && s->phase == 1; r++)
        ((rd_real *)(uintptr_t)rd_crow(s->prev[S_H], r))[0] += 1;
}

static const rd_cell cell = {RIGHT_CELL("writes_previous"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("writes_previous"), .cells = cells};
