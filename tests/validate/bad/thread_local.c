/* thread_local.c - keeps a number for each thread (C2).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static _Thread_local volatile unsigned calls;

static void forward(const rd_step *s)
{
    right_forward(s);
    calls++;
}

static const rd_cell cell = {RIGHT_CELL("thread_local"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("thread_local"), .cells = cells};
