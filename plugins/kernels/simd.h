/* simd.h - what entry.c and gemm.c of a SIMD backend share: the functions of its record.
 * SPDX-License-Identifier: MIT */
#ifndef RD_SIMD_H
#define RD_SIMD_H
#include "rondo/kernel.h"

void simd_gemm(const rd_gemm *g);
size_t simd_pack_bytes(size_t k, size_t n);
void simd_pack(const rd_gemm *g, void *to, size_t first, size_t last);
#endif
