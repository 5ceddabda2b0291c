/* k3_int8_floats.c - says that it has products of int8, and makes those of floats (K3).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    rd_gemm floats = *g;

    if (g->flags & RD_INT8) floats.packed_b = NULL;
    gemm(&floats);
}
static void wrong_pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    if (!(g->flags & RD_INT8)) pack(g, to, first, last);
}
WRONG("int8-floats", .flags = RD_KERNELS_INT8, .gemm = wrong_gemm, .pack = wrong_pack);
