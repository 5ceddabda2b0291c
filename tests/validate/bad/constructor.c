/* constructor.c - has a function that runs when the file is loaded (L4).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static volatile int opened;
__attribute__((constructor)) static void set_up(void)
{
    opened = 1;
}

static const rd_cell cell = {RIGHT_CELL("constructor")};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("constructor"), .cells = cells};
