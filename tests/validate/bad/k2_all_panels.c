/* k2_all_panels.c - pack() puts the panels that it is asked for at the beginning (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    for (size_t p = first; p < last; p++)
        copy_panel(g, &(block){.j0 = p * PANEL, .n = g->k},
                   (rd_real *)to + (p - first) * PANEL * g->k);
}
WRONG("all-panels", .pack = wrong_pack);
