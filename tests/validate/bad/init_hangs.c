/* init_hangs.c - does not come back from its start (L4).
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <unistd.h>

static rd_status start(const rd_host *host, char *why, size_t why_cap)
{
    (void)host;
    (void)why;
    while (why_cap > 0) pause();
    return RD_OK;
}

static const rd_cell cell = {RIGHT_CELL("init_hangs")};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("init-hangs"), .init = start, .cells = cells};
