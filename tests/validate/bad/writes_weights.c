/* writes_weights.c - writes over the vector that it is to learn (C3).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void forward(const rd_step *s)
{
    right_forward(s);
    ((rd_real *)(uintptr_t)s->vec[V_V])[0] = 5;
}

static const rd_cell cell = {RIGHT_CELL("writes_weights"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("writes_weights"), .cells = cells};
