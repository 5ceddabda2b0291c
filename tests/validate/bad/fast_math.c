/* fast_math.c - linked with -ffast-math, which turns gradual underflow off where it is loaded (L4).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

static const rd_cell cell = {GOOD_CELL("fast_math")};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("fast-math"), .cells = cells};
