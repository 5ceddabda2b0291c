/* k4_rounds_up.c - gemm() leaves another rounding behind it (K4).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

#include <fenv.h>

static void wrong_gemm(const rd_gemm *g)
{
    gemm(g);
    (void)fesetround(FE_UPWARD);
}
WRONG("rounds-up", .gemm = wrong_gemm);
