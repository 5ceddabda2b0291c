/* two_cells.c - two cells of one name (L3).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

static const rd_cell a = {GOOD_CELL("same")}, b = {GOOD_CELL("same")};
static const rd_cell *const cells[] = {&a, &b, NULL};
RD_PLUGIN = {GOOD_PLUGIN("two-cells"), .cells = cells};
