/* good.c - a cell that breaks no rule.
 * SPDX-License-Identifier: MIT */
#include "bad.h"

static const rd_cell good = {GOOD_CELL("good")};
static const rd_cell *const cells[] = {&good, NULL};
RD_PLUGIN = {GOOD_PLUGIN("good"), .cells = cells};
