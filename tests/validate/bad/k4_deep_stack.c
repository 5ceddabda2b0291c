/* k4_deep_stack.c - gemm() takes 300 KiB of the stack (K4).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    volatile char deep[300 << 10];

    for (size_t i = 0; i < sizeof deep; i += 64) deep[i] = 1;
    gemm(g);
}
WRONG("deep-stack", .gemm = wrong_gemm);
