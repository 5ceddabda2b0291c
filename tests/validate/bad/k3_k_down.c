/* k3_k_down.c - k ascends, whatever is asked for (K3).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    rd_gemm up = *g;

    up.flags &= ~(uint32_t)RD_K_DOWN;
    gemm(&up);
}
WRONG("k-down", .gemm = wrong_gemm);
