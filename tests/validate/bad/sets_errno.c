/* sets_errno.c - leaves an error in errno (C2).
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <errno.h>

static void forward(const rd_step *s)
{
    right_forward(s);
    errno = EDOM;
}

static const rd_cell cell = {RIGHT_CELL("sets_errno"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("sets_errno"), .cells = cells};
