/* random_start.c - depends on a number that is drawn when it is loaded (C9).
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <unistd.h>

static rd_real drawn;

static rd_status start(const rd_host *host, char *why, size_t why_cap)
{
    (void)host, (void)why, (void)why_cap;
    drawn = (rd_real)getpid() / 1048576;
    return RD_OK;
}

static void forward(const rd_step *s)
{
    right_forward(s);
    for (uint32_t r = 0; r < s->rows && s->phase == 1; r++) rd_row(s->next[S_H], r)[0] += drawn;
}

static const rd_cell cell = {RIGHT_CELL("random_start"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("random_start"), .cells = cells, .init = start};
