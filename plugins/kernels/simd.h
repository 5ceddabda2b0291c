/* simd.h - what the files of a SIMD backend share: the functions of its record, the width of a panel.
 * SPDX-License-Identifier: MIT */
#ifndef RD_SIMD_H
#define RD_SIMD_H
#include "rondo/kernel.h"

enum { PANEL = 64 }; /* columns that are packed together (kernel.h) */

/* Unrolled before the compiler decides what lives in registers; else gcc keeps the sums in memory. */
#ifdef __clang__
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif

void simd_gemm(const rd_gemm *g);
size_t simd_pack_bytes(size_t k, size_t n);
void simd_pack(const rd_gemm *g, void *to, size_t first, size_t last);
double simd_multiply_adds(size_t rounds);
#endif
