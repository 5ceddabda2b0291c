/* bf16.h - products with VDPBF16PS, which entry.c names for processors that have it.
 * SPDX-License-Identifier: MIT */
#ifndef RD_AVX512_BF16_H
#define RD_AVX512_BF16_H
#include "simd.h"

/* With RD_BF16 and k > 0; the rest is the backend's for float. */
void avx512_bf16_gemm(const rd_gemm *g);
void avx512_bf16_pack(const rd_gemm *g, void *to, size_t first, size_t last);
#endif
