/* no_direct_term.c - forgets what flows straight into the previous state (C6).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void backward(const rd_step *s)
{
    right_backward(s);
    for (uint32_t r = 0; r < s->rows && s->phase == 1; r++)
        for (uint32_t j = 0; j < s->hidden; j++)
            rd_row(s->dprev[S_H], r)[j] -= rd_crow(s->dnext[S_H], r)[j] * s->vec[V_V][j];
}

static const rd_cell cell = {RIGHT_CELL("no_direct_term"), .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("no_direct_term"), .cells = cells};
