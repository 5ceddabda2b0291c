/* gemm.c - products for AVX2 with FMA: tiles of 6 rows by 2 registers of 32 bytes.
 * SPDX-License-Identifier: MIT */
#if !defined(__AVX2__) || !defined(__FMA__)
#error "compile this file, and no other of the plugin, with -mavx2 -mfma"
#endif
#include "simd.h"
#include "rondo/pointmath.h"
#include <immintrin.h>

typedef __m256i vmask;
/* The first n lanes: all bits of a lane set where its number is below n. */
#ifdef RD_REAL_DOUBLE
typedef __m256d vec;
enum { VL = 4, NV_1 = 8, NV_3 = 4, NV_6 = 2, PAIRS = 0, GROUP = 16 / sizeof(rd_real) };
#define V_ZERO() _mm256_setzero_pd()
#define V_LOAD(p) _mm256_loadu_pd(p)
#define V_STORE(p, x) _mm256_storeu_pd(p, x)
#define V_SET(x) _mm256_set1_pd(x)
#define V_FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#define V_MASK(n) \
    _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)(n)), _mm256_setr_epi64x(0, 1, 2, 3))
#define V_LOAD_MASK(p, m) _mm256_maskload_pd(p, m)
#define V_STORE_MASK(p, m, x) _mm256_maskstore_pd(p, m, x)
#define V_LANE(i, x, p) \
    ((i) == 0 ? _mm256_castpd128_pd256(_mm_loadu_pd(p)) \
              : _mm256_blend_pd(x, _mm256_broadcast_pd((const __m128d *)(p)), 0xc))
#define V_ZIP_LOW(a, b) _mm256_unpacklo_pd(a, b)
#define V_ZIP_HIGH(a, b) _mm256_unpackhi_pd(a, b)
#else
typedef __m256 vec;
enum { VL = 8, NV_1 = 8, NV_3 = 4, NV_6 = 2, PAIRS = 0, GROUP = 16 / sizeof(rd_real) };
#define V_ZERO() _mm256_setzero_ps()
#define V_LOAD(p) _mm256_loadu_ps(p)
#define V_STORE(p, x) _mm256_storeu_ps(p, x)
#define V_SET(x) _mm256_set1_ps(x)
#define V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define V_MASK(n) \
    _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define V_LOAD_MASK(p, m) _mm256_maskload_ps(p, m)
#define V_STORE_MASK(p, m, x) _mm256_maskstore_ps(p, m, x)
#define V_LANE(i, x, p) \
    ((i) == 0 ? _mm256_castps128_ps256(_mm_loadu_ps(p)) \
              : _mm256_blend_ps(x, _mm256_broadcast_ps((const __m128 *)(p)), 0xf0))
#define V_ZIP_LOW(a, b) _mm256_unpacklo_ps(a, b)
#define V_ZIP_HIGH(a, b) _mm256_unpackhi_ps(a, b)
#endif

#include "simd_body.h"
