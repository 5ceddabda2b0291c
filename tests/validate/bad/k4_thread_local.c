/* k4_thread_local.c - a block for each thread, which nobody frees (K4).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static _Thread_local volatile rd_real kept[PANEL];

static void wrong_pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    pack(g, to, first, last);
    kept[first % PANEL] = g->k > 0 && g->n > 0 ? g->b[0] : 0;
}
WRONG("thread-local", .pack = wrong_pack);
