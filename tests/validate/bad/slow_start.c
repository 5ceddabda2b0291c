/* slow_start.c - keeps those waiting who load it (L5, a warning).
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <unistd.h>

static rd_status start(const rd_host *host, char *why, size_t why_cap)
{
    (void)host, (void)why, (void)why_cap;
    (void)usleep(80000);
    return RD_OK;
}

static const rd_cell cell = {RIGHT_CELL("slow_start")};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("slow_start"), .cells = cells, .init = start};
