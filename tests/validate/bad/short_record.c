/* short_record.c - a record shorter than that of minor 0 (L3).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

static const rd_cell cell = {GOOD_CELL("short"), .size = sizeof(rd_cell) - 8};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("short-record"), .cells = cells};
