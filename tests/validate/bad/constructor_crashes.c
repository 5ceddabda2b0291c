/* constructor_crashes.c - does not survive being loaded (L4).
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <stdlib.h>

__attribute__((constructor)) static void set_up(void)
{
    abort();
}

static const rd_cell cell = {RIGHT_CELL("constructor_crashes")};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("constructor_crashes"), .cells = cells};
