/* sets_dtemp.c - sets a gradient that is to be added to (C3): that of a temp.
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void backward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows && s->phase == 1; r++) rd_row(s->dtemp[T_Q], r)[0] = 0;
    right_backward(s);
}

static const rd_cell cell = {RIGHT_CELL("sets_dtemp"), .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("sets_dtemp"), .cells = cells};
