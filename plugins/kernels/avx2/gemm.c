/* gemm.c - products for AVX2 with FMA: tiles of 6 rows by 2 registers of 32 bytes.
 * SPDX-License-Identifier: MIT */
#if !defined(__AVX2__) || !defined(__FMA__)
#error "compile this file, and no other of the plugin, with -mavx2 -mfma"
#endif
#include "transpose_x86.h"

typedef __m256i vmask;
/* The first n lanes: all bits of a lane set where its number is below n. */
#ifdef RD_REAL_DOUBLE
typedef __m256d vec;
enum { VL = 4, NV_1 = 8, NV_3 = 4, NV_6 = 2 };
#define V_ZERO() _mm256_setzero_pd()
#define V_LOAD(p) _mm256_loadu_pd(p)
#define V_STORE(p, x) _mm256_storeu_pd(p, x)
#define V_SET(x) _mm256_set1_pd(x)
#define V_FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#define V_MASK(n) \
    _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)(n)), _mm256_setr_epi64x(0, 1, 2, 3))
#define V_LOAD_MASK(p, m) _mm256_maskload_pd(p, m)
#define V_STORE_MASK(p, m, x) _mm256_maskstore_pd(p, m, x)
#else
typedef __m256 vec;
enum { VL = 8, NV_1 = 8, NV_3 = 4, NV_6 = 2 };
#define V_ZERO() _mm256_setzero_ps()
#define V_LOAD(p) _mm256_loadu_ps(p)
#define V_STORE(p, x) _mm256_storeu_ps(p, x)
#define V_SET(x) _mm256_set1_ps(x)
#define V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define V_MASK(n) \
    _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define V_LOAD_MASK(p, m) _mm256_maskload_ps(p, m)
#define V_STORE_MASK(p, m, x) _mm256_maskstore_ps(p, m, x)
#endif

#include "simd_body.h"
