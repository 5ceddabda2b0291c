/* too_many.c - more cells than the check has room for, which is said and not passed over.
 * SPDX-License-Identifier: MIT */
#include "bad.h"

#define NAME "a-cell-of-a-name-as-long-as-names-are-allowed-to-be-numbered-"
#define CELL(n) (&(const rd_cell){GOOD_CELL(NAME #n)})
#define TEN(n) \
    CELL(n##0), CELL(n##1), CELL(n##2), CELL(n##3), CELL(n##4), CELL(n##5), CELL(n##6), \
        CELL(n##7), CELL(n##8), CELL(n##9)
static const rd_cell *const cells[] = {TEN(1), TEN(2), TEN(3), TEN(4),
                                       TEN(5), TEN(6), TEN(7), NULL};
RD_PLUGIN = {GOOD_PLUGIN("too-many"), .cells = cells};
