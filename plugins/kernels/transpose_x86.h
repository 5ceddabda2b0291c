/* transpose_x86.h - the transposition that AVX2 and AVX-512 share: a square of 256-bit registers.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TRANSPOSE_X86_H
#define RD_TRANSPOSE_X86_H
#include "simd.h"
#include "rondo/pointmath.h"
#include <immintrin.h>

enum { SQUARE = 32 / sizeof(rd_real) };
#ifdef RD_REAL_DOUBLE
/* to[4][64] = the 4 x 4 numbers at from, ld apart, transposed. */
static void transpose_square(const rd_real *from, size_t ld, rd_real *to)
{
    __m256d r[4], h[4];

    UNROLLED
    for (size_t i = 0; i < 4; i++) r[i] = _mm256_loadu_pd(from + i * ld);
    UNROLLED
    for (size_t i = 0; i < 4; i += 2) {
        h[i] = _mm256_unpacklo_pd(r[i], r[i + 1]);
        h[i + 1] = _mm256_unpackhi_pd(r[i], r[i + 1]);
    }
    UNROLLED
    for (size_t i = 0; i < 2; i++) {
        _mm256_storeu_pd(to + i * PANEL, _mm256_permute2f128_pd(h[i], h[i + 2], 0x20));
        _mm256_storeu_pd(to + (i + 2) * PANEL, _mm256_permute2f128_pd(h[i], h[i + 2], 0x31));
    }
}
#else
/* to[8][64] = the 8 x 8 numbers at from, ld apart, transposed: pairs, quadruples, halves. */
static void transpose_square(const rd_real *from, size_t ld, rd_real *to)
{
    __m256 r[8], h[8], q[8];

    UNROLLED
    for (size_t i = 0; i < 8; i++) r[i] = _mm256_loadu_ps(from + i * ld);
    UNROLLED
    for (size_t i = 0; i < 8; i += 2) {
        h[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        h[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    UNROLLED
    for (size_t i = 0; i < 8; i += 4) {
        q[i] = _mm256_shuffle_ps(h[i], h[i + 2], 0x44);
        q[i + 1] = _mm256_shuffle_ps(h[i], h[i + 2], 0xEE);
        q[i + 2] = _mm256_shuffle_ps(h[i + 1], h[i + 3], 0x44);
        q[i + 3] = _mm256_shuffle_ps(h[i + 1], h[i + 3], 0xEE);
    }
    UNROLLED
    for (size_t i = 0; i < 4; i++) {
        _mm256_storeu_ps(to + i * PANEL, _mm256_permute2f128_ps(q[i], q[i + 4], 0x20));
        _mm256_storeu_ps(to + (i + 4) * PANEL, _mm256_permute2f128_ps(q[i], q[i + 4], 0x31));
    }
}
#endif
#endif
