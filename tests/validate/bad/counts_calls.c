/* counts_calls.c - counts its calls, to no end (C2).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static volatile unsigned calls;

static void forward(const rd_step *s)
{
    right_forward(s);
    calls++;
}

static const rd_cell cell = {RIGHT_CELL("counts_calls"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("counts_calls"), .cells = cells};
