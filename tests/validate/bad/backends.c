/* backends.c - backends that the core finds, each with its own reason not to be used by itself.
 * SPDX-License-Identifier: MIT */
#include "bad.h"

/* Never called: the core must have dropped them by their data. */
static int best(const rd_cpu *cpu)
{
    (void)cpu;
    return 1000000;
}
static int none(const rd_cpu *cpu)
{
    (void)cpu;
    return 0;
}
static void gemm(const rd_gemm *g)
{
    (void)g;
}
static size_t pack_bytes(size_t k, size_t n)
{
    return k * n;
}
static void pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    (void)g, (void)to, (void)first, (void)last;
}
#define BACKEND(called) \
    .size = sizeof(rd_kernels), .name = called, .help = "for tests", .gemm = gemm, .pack = pack, \
    .pack_bytes = pack_bytes
static const rd_kernels future = {BACKEND("future"), .score = best, .needs = (uint64_t)1 << 40};
/* No processor has both. */
static const rd_kernels chimera = {BACKEND("chimera"), .score = best,
                                   .needs = RD_CPU_SSE2 | RD_CPU_NEON};
static const rd_kernels vendor = {BACKEND("vendor"), .score = best, .flags = RD_KERNELS_INEXACT};
static const rd_kernels shy = {BACKEND("shy"), .score = none};
static const rd_kernels *const kernels[] = {&future, &chimera, &vendor, &shy, NULL};
RD_PLUGIN = {GOOD_PLUGIN("backends"), .kernels = kernels};
