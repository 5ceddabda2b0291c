/* kernel.h - all that the author of a kernel backend includes.
 * SPDX-License-Identifier: MIT */
#ifndef RD_KERNEL_H
#define RD_KERNEL_H
#include "cell.h"

enum {
    RD_CPU_SSE2 = 1u,
    RD_CPU_AVX2 = 2u,
    RD_CPU_FMA = 4u,
    RD_CPU_AVX512F = 8u,
    RD_CPU_AVX512VL = 16u,
    RD_CPU_AVX512BW = 32u,
    RD_CPU_AVX512DQ = 64u,
    RD_CPU_NEON = 128u,
    RD_CPU_AVX512BF16 = 256u,
    RD_CPU_AVX512VNNI = 512u
};
typedef struct rd_cpu { /* measured once by the core, OS support for the registers included */
    uint32_t size, threads;
    uint64_t features;
    uint32_t l1_bytes, l2_bytes, l3_bytes, reserved;
} rd_cpu;

/* C = [C +] op(A) op(B), all row-major, in the order of arithmetic of the bit contract, rule 3:
 * for each (i, j) one chain s = C[i,j] or +0; s = fma(a_ik, b_kj, s) for k ascending (K_DOWN:
 * descending). Without ACCUMULATE C is not read. op(A) is m x k: A[i*lda + k], or A[k*lda + i] with
 * TRANS_A; op(B) is k x n: B[k*ldb + j], or B[j*ldb + k] with TRANS_B. Any m, n, k, 0 included.
 * BF16: numbers of A and B enter as bfloat16, sums are float32, by rule 10. INT8, always with packed_b,
 * without TRANS_A and K_DOWN, k up to RD_INT8_TERMS: as 8-bit integers with a scale for each row of op(A)
 * and column of op(B), by rule 10 too. */
enum {
    RD_TRANS_A = 1u,
    RD_TRANS_B = 2u,
    RD_ACCUMULATE = 4u,
    RD_K_DOWN = 8u,
    RD_BF16 = 16u, /* given only to backends with RD_KERNELS_BF16 */
    RD_INT8 = 32u  /* the same with RD_KERNELS_INT8 */
};
enum { RD_INT8_TERMS = 32768 };
typedef struct rd_gemm {
    uint32_t size, flags;
    size_t m, n, k;
    const rd_real *a, *b;
    rd_real *c;
    size_t lda, ldb, ldc;
    const void
        *packed_b; /* not NULL: made by this backend's pack() from the same b, k, n and flags */
} rd_gemm;

/* Products do not follow rule 3 (a vendor library): used only where the user names the backend. ACCUMULATE
 * then means that C is added once, K_DOWN nothing. */
enum { RD_KERNELS_INEXACT = 1u, RD_KERNELS_BF16 = 2u, RD_KERNELS_INT8 = 4u };
typedef struct rd_kernels {
    uint32_t size, flags;
    const char *name, *help;
    uint64_t needs; /* data, not code: the core refuses before it calls anything */
    /* [setup] 0: not here; else higher wins. Not called where the user's list or INEXACT leaves it out. */
    int (*score)(const rd_cpu *);
    /* These three go together, called after score() gave more than 0. [hot]: on worker threads, no
     * allocation but the stack (256 KiB). */
    void (*gemm)(const rd_gemm *);
    size_t (*pack_bytes)(size_t k, size_t n);
    /* Fills `to` (64-byte aligned, pack_bytes long) with columns [64*first, 64*last) of op(B), so that
     * threads can share the work. Panel p, columns 64*p to 64*p + 63, begins p * pack_bytes(k, 64) from
     * `to`, so that a product can be cut at panels too. With RD_BF16 read (k + 1) / 2 for k in both: two
     * bfloat16 take the place of one float; with RD_INT8 (k + 3) / 4 + 2: four, and two for each column. */
    void (*pack)(const rd_gemm *, void *to, size_t first, size_t last);
    /* Nothing but fused multiply-adds, in chains enough to hide their latency: what products are measured
     * against. Returns the operations done, two for each. NULL: there is no such loop. [hot] */
    double (*multiply_adds)(size_t rounds);
} rd_kernels;
RD_RECORD(rd_cpu, reserved);
RD_RECORD(rd_gemm, packed_b);
RD_RECORD(rd_kernels, multiply_adds);
#endif
