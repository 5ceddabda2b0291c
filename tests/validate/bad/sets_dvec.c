/* sets_dvec.c - sets a gradient that is to be added to (C3): that of a vector, row by row.
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void backward(const rd_step *s)
{
    if (s->phase == 1) s->dvec[V_V][0] = 0;
    right_backward(s);
}

static const rd_cell cell = {RIGHT_CELL("sets_dvec"), .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("sets_dvec"), .cells = cells};
