/* gemm.c - products for AVX-512: tiles of 6 rows by 4 registers of 64 bytes.
 * SPDX-License-Identifier: MIT */
#ifndef __AVX512F__
#error "compile this file, and no other of the plugin, with -mavx512f"
#endif
#include "simd.h"
#include "rondo/pointmath.h"
#include <immintrin.h>

#ifdef RD_REAL_DOUBLE
typedef __m512d vec;
typedef __mmask8 vmask;
enum { VL = 8, NV_1 = 8, NV_3 = 4, NV_6 = 4, PAIRS = 1, GROUP = 64 / sizeof(rd_real) };
#define V_ZERO() _mm512_setzero_pd()
#define V_LOAD(p) _mm512_loadu_pd(p)
#define V_STORE(p, x) _mm512_storeu_pd(p, x)
#define V_SET(x) _mm512_set1_pd(x)
#define V_FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define V_LOAD_MASK(p, m) _mm512_maskz_loadu_pd(m, p)
#define V_STORE_MASK(p, m, x) _mm512_mask_storeu_pd(p, m, x)
#define V_LANE(i, x, p) \
    ((i) == 0 ? _mm512_castpd128_pd512(_mm_loadu_pd(p)) \
              : _mm512_castps_pd(_mm512_mask_broadcast_f32x4( \
                    _mm512_castpd_ps(x), 0xfu << (4 * (i)), _mm_loadu_ps((const float *)(p)))))
#define V_ZIP_LOW(a, b) _mm512_unpacklo_pd(a, b)
#define V_ZIP_HIGH(a, b) _mm512_unpackhi_pd(a, b)
#else
typedef __m512 vec;
typedef __mmask16 vmask;
enum { VL = 16, NV_1 = 4, NV_3 = 4, NV_6 = 4, PAIRS = 1, GROUP = 64 / sizeof(rd_real) };
#define V_ZERO() _mm512_setzero_ps()
#define V_LOAD(p) _mm512_loadu_ps(p)
#define V_STORE(p, x) _mm512_storeu_ps(p, x)
#define V_SET(x) _mm512_set1_ps(x)
#define V_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define V_LOAD_MASK(p, m) _mm512_maskz_loadu_ps(m, p)
#define V_STORE_MASK(p, m, x) _mm512_mask_storeu_ps(p, m, x)
#define V_LANE(i, x, p) \
    ((i) == 0 ? _mm512_castps128_ps512(_mm_loadu_ps(p)) \
              : _mm512_mask_broadcast_f32x4(x, (vmask)(0xfu << (4 * (i))), _mm_loadu_ps(p)))
#define V_ZIP_LOW(a, b) _mm512_unpacklo_ps(a, b)
#define V_ZIP_HIGH(a, b) _mm512_unpackhi_ps(a, b)
#endif
/* The first n lanes. */
#define V_MASK(n) ((vmask)((n) >= VL ? (1u << VL) - 1 : (1u << (n)) - 1))

#include "simd_body.h"
