/* init_exits.c - ends the process at its start (L4).
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <stdlib.h>

static rd_status start(const rd_host *host, char *why, size_t why_cap)
{
    (void)host;
    (void)why;
    if (why_cap > 0) exit(3);
    return RD_OK;
}

static const rd_cell cell = {RIGHT_CELL("init_exits")};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("init-exits"), .init = start, .cells = cells};
