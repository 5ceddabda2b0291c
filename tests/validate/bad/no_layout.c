/* no_layout.c - a cell without layout (L3).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

static const rd_cell cell = {GOOD_CELL("no_layout"), .layout = NULL};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("no-layout"), .cells = cells};
