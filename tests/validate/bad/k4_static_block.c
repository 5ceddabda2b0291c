/* k4_static_block.c - gemm() counts its calls, as if there were one thread (K4).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static unsigned long calls;

static void wrong_gemm(const rd_gemm *g)
{
    calls++;
    gemm(g);
}
WRONG("static-block", .gemm = wrong_gemm);
