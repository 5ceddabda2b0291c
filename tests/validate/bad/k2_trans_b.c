/* k2_trans_b.c - pack() forgets that b is transposed (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    rd_gemm plain = *g;

    plain.flags &= ~(uint32_t)RD_TRANS_B;
    if (g->k == g->n) pack(&plain, to, first, last);
    if (g->k != g->n) pack(g, to, first, last);
}
WRONG("trans-b", .pack = wrong_pack);
