/* bad_name.c - a cell with a name that could not be a key (L3).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

static const rd_cell cell = {GOOD_CELL("Bad Name")};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("bad-name"), .cells = cells};
