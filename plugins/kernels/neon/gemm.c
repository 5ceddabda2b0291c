/* gemm.c - products for NEON: tiles of 6 rows by 4 registers of 16 bytes, 24 sums of 32 registers.
 *
 * NEON has no masks: a partial register is read and written number by number, behind a branch that goes the
 * same way for a whole tile.
 * SPDX-License-Identifier: MIT */
#ifndef __aarch64__
#error "this file is for 64-bit ARM processors"
#endif
/* Scheduling before registers are given out loads six numbers of A ahead of their use: 34 registers. */
#ifndef __clang__
#pragma GCC optimize("no-schedule-insns")
#endif
#include "simd.h"
#include "rondo/pointmath.h"
#include <arm_neon.h>

typedef size_t vmask; /* how many of the first lanes are there */
/* 1 row: 8 sums for two pipes of 4 cycles; more rows have more. */
enum { VL = 16 / sizeof(rd_real), NV_1 = 8, NV_3 = 4, NV_6 = 4, PAIRS = 0, GROUP = VL };
#define V_MASK(n) (n)
#define V_LOAD_MASK(p, n) load_first(p, n)
#define V_STORE_MASK(p, n, x) store_first(p, n, x)
#ifdef RD_REAL_DOUBLE
typedef float64x2_t vec;
#define V_ZERO() vdupq_n_f64(0)
#define V_LOAD(p) vld1q_f64(p)
#define V_STORE(p, x) vst1q_f64(p, x)
#define V_SET(x) vdupq_n_f64(x)
#define V_FMA(a, b, c) vfmaq_f64(c, a, b)

RD_INLINE vec load_first(const rd_real *p, size_t n)
{
    if (n >= 2) return vld1q_f64(p);
    return n == 1 ? vld1q_lane_f64(p, V_ZERO(), 0) : V_ZERO();
}
RD_INLINE void store_first(rd_real *p, size_t n, vec x)
{
    if (n >= 2)
        vst1q_f64(p, x);
    else if (n == 1)
        vst1q_lane_f64(p, x, 0);
}
#define V_LANE(i, x, p) vld1q_f64(p)
#define V_ZIP_LOW(a, b) vzip1q_f64(a, b)
#define V_ZIP_HIGH(a, b) vzip2q_f64(a, b)
#else
typedef float32x4_t vec;
#define V_ZERO() vdupq_n_f32(0)
#define V_LOAD(p) vld1q_f32(p)
#define V_STORE(p, x) vst1q_f32(p, x)
#define V_SET(x) vdupq_n_f32(x)
#define V_FMA(a, b, c) vfmaq_f32(c, a, b)

RD_INLINE vec load_first(const rd_real *p, size_t n)
{
    if (n >= 4) return vld1q_f32(p);
    if (n == 1) return vld1q_lane_f32(p, V_ZERO(), 0);
    if (n == 0) return V_ZERO();
    const vec two = vcombine_f32(vld1_f32(p), vdup_n_f32(0));
    return n == 2 ? two : vld1q_lane_f32(p + 2, two, 2);
}
RD_INLINE void store_first(rd_real *p, size_t n, vec x)
{
    if (n >= 4) {
        vst1q_f32(p, x);
        return;
    }
    if (n >= 2) vst1_f32(p, vget_low_f32(x));
    if (n == 1) vst1q_lane_f32(p, x, 0);
    if (n == 3) vst1q_lane_f32(p + 2, x, 2);
}
#define V_LANE(i, x, p) vld1q_f32(p)
#define V_ZIP_LOW(a, b) vzip1q_f32(a, b)
#define V_ZIP_HIGH(a, b) vzip2q_f32(a, b)
#endif

#include "simd_body.h"
