/* right.c - keeps every rule.
 * SPDX-License-Identifier: MIT */
#include "right.h"

static const rd_cell cell = {RIGHT_CELL("right")};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("right"), .cells = cells};
