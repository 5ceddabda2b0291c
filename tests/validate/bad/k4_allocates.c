/* k4_allocates.c - gemm() asks the system for memory (K4).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

#include <stdlib.h>

static void wrong_gemm(const rd_gemm *g)
{
    rd_real *volatile copy = malloc(1000 * sizeof *copy);

    gemm(g);
    free(copy);
}
WRONG("allocates", .gemm = wrong_gemm);
