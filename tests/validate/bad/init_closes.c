/* init_closes.c - closes what it can and does not come back from its start (L4).
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <unistd.h>

static rd_status start(const rd_host *host, char *why, size_t why_cap)
{
    (void)host;
    (void)why;
    for (int fd = 0; fd < 1024; fd++) (void)close(fd);
    while (why_cap > 0) pause();
    return RD_OK;
}

static const rd_cell cell = {RIGHT_CELL("init_closes")};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("init-closes"), .init = start, .cells = cells};
