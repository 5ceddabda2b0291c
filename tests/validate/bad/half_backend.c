/* half_backend.c - a backend that can multiply but not pack (L3).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

static int score(const rd_cpu *cpu)
{
    return cpu->threads > 0;
}
static void gemm(const rd_gemm *g)
{
    (void)g;
}
static const rd_kernels half = {
    .size = sizeof(rd_kernels), .name = "half", .help = "for tests", .score = score, .gemm = gemm};
static const rd_kernels *const kernels[] = {&half, NULL};
RD_PLUGIN = {GOOD_PLUGIN("half-backend"), .kernels = kernels};
