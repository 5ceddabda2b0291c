/* hangs.c - does not come back.
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void spin(void)
{
    static volatile unsigned turns;
    turns++;
}

static void forward(const rd_step *s)
{
    right_forward(s);
    while (s->t == 3) spin();
}

static const rd_cell cell = {RIGHT_CELL("hangs"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("hangs"), .cells = cells};
