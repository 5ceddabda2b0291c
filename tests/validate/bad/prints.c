/* prints.c - prints in backward (C2).
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <stdio.h>

static void backward(const rd_step *s)
{
    right_backward(s);
    if (s->phase == 0) (void)printf("backward at %d\n", (int)s->t);
}

static const rd_cell cell = {RIGHT_CELL("prints"), .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("prints"), .cells = cells};
