/* exits.c - ends the process as if all were well.
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <stdlib.h>

static void forward(const rd_step *s)
{
    right_forward(s);
    if (s->phase == 1) exit(0);
}

static const rd_cell cell = {RIGHT_CELL("exits"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("exits"), .cells = cells};
