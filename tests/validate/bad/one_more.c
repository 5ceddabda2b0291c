/* one_more.c - goes one element beyond a row, with what it finds there (C3).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void forward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows && s->phase == 0; r++) {
        rd_real *a = rd_row(s->line[L_A], r), *q = rd_row(s->temp[T_Q], r);
        for (uint32_t j = 0; j <= s->hidden; j++) a[j] = rd_tanh(a[j]);
        for (uint32_t j = 0; j < s->hidden; j++) q[j] = a[j];
    }
    if (s->phase == 1) right_forward(s);
}

static const rd_cell cell = {RIGHT_CELL("one_more"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("one_more"), .cells = cells};
