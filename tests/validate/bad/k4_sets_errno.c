/* k4_sets_errno.c - gemm() sets errno (K4).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

#include <errno.h>

static void wrong_gemm(const rd_gemm *g)
{
    gemm(g);
    errno = EDOM;
}
WRONG("sets-errno", .gemm = wrong_gemm);
