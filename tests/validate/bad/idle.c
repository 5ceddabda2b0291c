/* idle.c - a backend without products, and one that scores what another does.
 * SPDX-License-Identifier: MIT */
#include "bad.h"

/* As the scalar one does. */
static int one(const rd_cpu *cpu)
{
    (void)cpu;
    return 1;
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
static const rd_kernels idle = {
    .size = sizeof(rd_kernels), .name = "idle", .help = "for tests", .score = one};
static const rd_kernels tied = {.size = sizeof(rd_kernels),
                                .name = "tied",
                                .help = "for tests",
                                .score = one,
                                .gemm = gemm,
                                .pack = pack,
                                .pack_bytes = pack_bytes};
static const rd_kernels *const kernels[] = {&idle, &tied, NULL};
RD_PLUGIN = {GOOD_PLUGIN("idle"), .kernels = kernels};
