/* twin.c - brings a cell that good.c brings as well.
 * SPDX-License-Identifier: MIT */
#include "bad.h"

static const rd_cell twin = {GOOD_CELL("good")}, other = {GOOD_CELL("other")};
static const rd_cell *const cells[] = {&twin, &other, NULL};
RD_PLUGIN = {GOOD_PLUGIN("twin"), .cells = cells};
