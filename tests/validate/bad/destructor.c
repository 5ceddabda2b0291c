/* destructor.c - ends the program that has loaded it badly, behind its last line (L4).
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <stdlib.h>

__attribute__((destructor)) static void tear_down(void)
{
    abort();
}

static const rd_cell cell = {RIGHT_CELL("destructor")};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("destructor"), .cells = cells};
