/* k2_one_piece.c - a packed matrix has a head, so that it cannot be cut at panels (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

enum { HEAD = 16 }; /* numbers */

static size_t wrong_pack_bytes(size_t k, size_t n)
{
    return pack_bytes(k, n) + HEAD * sizeof(rd_real);
}
static void wrong_pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    pack(g, (rd_real *)to + HEAD, first, last);
}
static void wrong_gemm(const rd_gemm *g)
{
    rd_gemm behind = *g;

    if (g->packed_b) behind.packed_b = (const rd_real *)g->packed_b + HEAD;
    gemm(&behind);
}
WRONG("one-piece", .gemm = wrong_gemm, .pack = wrong_pack, .pack_bytes = wrong_pack_bytes);
