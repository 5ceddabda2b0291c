/* wrong_derivative.c - takes 1 + tanh^2 for the derivative of tanh in one unit (C6).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void backward(const rd_step *s)
{
    right_backward(s);
    for (uint32_t r = 0; r < s->rows && s->phase == 0; r++)
        rd_row(s->line[L_A], r)[0] *= 1 + (rd_real)0.001;
}

static const rd_cell cell = {RIGHT_CELL("wrong_derivative"), .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("wrong_derivative"), .cells = cells};
