/* overflows.c - has an exponential without a bound (C7).
 * SPDX-License-Identifier: MIT */
#include "right.h"

/* q = e^a in place of tanh */
static void forward(const rd_step *s)
{
    if (s->phase == 1) {
        right_forward(s);
        return;
    }
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t j = 0; j < s->hidden; j++) {
            rd_real *a = rd_row(s->line[L_A], r);
            a[j] = rd_row(s->temp[T_Q], r)[j] = rd_exp(a[j]);
        }
}

static void backward(const rd_step *s)
{
    if (s->phase == 1) {
        right_backward(s);
        return;
    }
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t j = 0; j < s->hidden; j++)
            rd_row(s->line[L_A], r)[j] *= rd_row(s->dtemp[T_Q], r)[j];
}

static const rd_cell cell = {RIGHT_CELL("overflows"), .forward = forward, .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("overflows"), .cells = cells};
