/* exports_more.c - exports a function besides the entry symbol (L1, a warning).
 * SPDX-License-Identifier: MIT */
#include "right.h"

RD_EXPORT void helper_of_exports_more(void);
RD_EXPORT void helper_of_exports_more(void)
{
}

static const rd_cell cell = {RIGHT_CELL("exports_more")};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("exports_more"), .cells = cells};
