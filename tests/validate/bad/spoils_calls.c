/* spoils_calls.c - writes into files and pipes of the process it runs in, and closes them (C2, all others).
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <unistd.h>

static void forward(const rd_step *s)
{
    right_forward(s);
    for (int fd = 3; fd < 64; fd++) {
        if (write(fd, "pass", 4) < 0) continue;
        close(fd);
    }
}

static const rd_cell cell = {RIGHT_CELL("spoils_calls"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("spoils_calls"), .cells = cells};
