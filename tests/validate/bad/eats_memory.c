/* eats_memory.c - asks for memory until there is none (a crash in every rule that calls it).
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <stdlib.h>

static void forward(const rd_step *s)
{
    static void *volatile last; /* else the compiler leaves it all out */
    right_forward(s);
    while (s->t == 2) {
        last = malloc((size_t)1 << 28);
        if (!last) abort();
    }
}

static const rd_cell cell = {RIGHT_CELL("eats_memory"), .forward = forward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("eats_memory"), .cells = cells};
