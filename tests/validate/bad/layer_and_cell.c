/* layer_and_cell.c - a cell of a name that a layer has (right_layer.c).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

static const rd_cell cell = {GOOD_CELL("right_layer")};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_and_cell"), .cells = cells};
