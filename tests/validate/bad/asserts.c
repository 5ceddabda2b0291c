/* asserts.c - meets an assertion of its own.
 * SPDX-License-Identifier: MIT */
#undef NDEBUG
#include "right.h"
#include <assert.h>

static void forward(const rd_step *s)
{
    right_forward(s);
    assert(s->t < 2);
}

static const rd_cell cell = {RIGHT_CELL("asserts"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("asserts"), .cells = cells};
