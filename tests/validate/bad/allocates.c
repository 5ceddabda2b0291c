/* allocates.c - asks for memory in forward (C2).
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <stdlib.h>

static void forward(const rd_step *s)
{
    void *volatile scratch = malloc(s->hidden);
    right_forward(s);
    free(scratch);
}

static const rd_cell cell = {RIGHT_CELL("allocates"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("allocates"), .cells = cells};
