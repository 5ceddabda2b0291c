/* no_backward.c - cannot be trained: rules of gradients do not apply.
 * SPDX-License-Identifier: MIT */
#include "right.h"

static const rd_cell cell = {RIGHT_CELL("no_backward"), .backward = NULL};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("no_backward"), .cells = cells};
