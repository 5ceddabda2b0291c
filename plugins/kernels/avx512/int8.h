/* int8.h - sums of 8-bit integers with VPDPBUSD, which entry.c names for processors that have it.
 * SPDX-License-Identifier: MIT */
#ifndef RD_AVX512_INT8_H
#define RD_AVX512_INT8_H
#include "simd.h"

void avx512_int8_sums(size_t quads, const uint8_t *a, const int8_t *q, int32_t *acc);
#endif
