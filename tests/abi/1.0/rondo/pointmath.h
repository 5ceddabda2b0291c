/* pointmath.h - the functions of the bit contract (rule 2), inline, for float and double.
 *
 * Each is one fixed sequence of IEEE operations and written fused multiply-adds, without a branch, so that
 * a plain loop over them is widened by the compiler and gives the same bits on every processor, at every
 * optimisation level, in scalar and SIMD form. Put RD_CLONES before a function with such loops: the
 * compiler then makes one copy per instruction set and the loader picks. Compile with
 * -O3 -fno-math-errno -fno-trapping-math -ffp-contract=off.
 *
 * Suffix _f is float, _d double, none rd_real. Errors stay under 2.5 units in the last place (double:
 * 1e-15); infinities give limits, NaN gives NaN. Every polynomial is a plain Taylor series: on the reduced
 * ranges here a fitted one would save at most one term.
 *
 * Over 400 lines, longer than a header should be: the functions must be inline to be widened.
 * SPDX-License-Identifier: MIT */
#ifndef RD_POINTMATH_H
#define RD_POINTMATH_H
#include "abi.h"
#include <float.h>

#ifdef __FAST_MATH__
#error "the bit contract needs IEEE arithmetic: compile without -ffast-math"
#endif
/* Nothing may be fused but what says so. Both hold to the end of the file that includes this. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

/* Clones are named by feature: names of processors would miss those of other makers. The dispatch needs
 * IFUNC, which only glibc has, and which runs too early for the sanitizers. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define RD_NO_CLONES_HERE
#endif
#endif
#if defined(RD_NO_CLONES) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    !defined(__x86_64__) || !defined(__GLIBC__)
#define RD_NO_CLONES_HERE
#endif
#ifdef RD_NO_CLONES_HERE
#define RD_CLONES
#else
#define RD_CLONES __attribute__((target_clones("avx512f", "arch=x86-64-v3", "default")))
#endif
#define RD_INLINE static inline __attribute__((always_inline))

/* ---- bits ------------------------------------------------------------------------------------- */

RD_INLINE uint32_t rd_bits_f(float x)
{
    const union {
        float x;
        uint32_t u;
    } v = {.x = x};
    return v.u;
}
RD_INLINE uint64_t rd_bits_d(double x)
{
    const union {
        double x;
        uint64_t u;
    } v = {.x = x};
    return v.u;
}
RD_INLINE float rd_from_bits_f(uint32_t u)
{
    const union {
        uint32_t u;
        float x;
    } v = {.u = u};
    return v.x;
}
RD_INLINE double rd_from_bits_d(uint64_t u)
{
    const union {
        uint64_t u;
        double x;
    } v = {.u = u};
    return v.x;
}
/* 2^k for the k of a normal number, which may be negative modulo 2^32 or 2^64. */
RD_INLINE float rd_pow2_f(uint32_t k)
{
    return rd_from_bits_f((k + 127u) << 23);
}
RD_INLINE double rd_pow2_d(uint64_t k)
{
    return rd_from_bits_d((k + 1023u) << 52);
}
RD_INLINE float rd_abs_f(float x)
{
    return rd_from_bits_f(rd_bits_f(x) & 0x7fffffffu);
}
RD_INLINE double rd_abs_d(double x)
{
    return rd_from_bits_d(rd_bits_d(x) & 0x7fffffffffffffffu);
}
/* |x| with the sign of s. */
RD_INLINE float rd_sign_f(float x, float s)
{
    return rd_from_bits_f((rd_bits_f(x) & 0x7fffffffu) | (rd_bits_f(s) & 0x80000000u));
}
RD_INLINE double rd_sign_d(double x, double s)
{
    return rd_from_bits_d((rd_bits_d(x) & 0x7fffffffffffffffu) |
                          (rd_bits_d(s) & 0x8000000000000000u));
}
/* a b + c, rounded once: the instruction where there is one, else libm's exact emulation. */
RD_INLINE float rd_fma_f(float a, float b, float c)
{
    return __builtin_fmaf(a, b, c);
}
RD_INLINE double rd_fma_d(double a, double b, double c)
{
    return __builtin_fma(a, b, c);
}
RD_INLINE float rd_sqrt_f(float x)
{
    return __builtin_sqrtf(x);
}
RD_INLINE double rd_sqrt_d(double x)
{
    return __builtin_sqrt(x);
}

/* ---- exponential ------------------------------------------------------------------------------ */

/* x = k ln 2 + r, |r| <= 0.35. Adding 1.5 * 2^23 rounds to the nearest integer, whose low bits then are
 * those of the sum; k wraps for negatives. The products of the two fma are exact or nearly so. */
RD_INLINE float rd_reduce_f(float x, uint32_t *k)
{
    const float t = x * 0x1.715476p+0f + 0x1.8p+23f;
    const float n = t - 0x1.8p+23f;

    *k = rd_bits_f(t) - 0x4b400000u;
    return rd_fma_f(-n, -0x1.05c61p-29f, rd_fma_f(-n, 0x1.62e43p-1f, x));
}
RD_INLINE double rd_reduce_d(double x, uint64_t *k)
{
    const double t = x * 0x1.71547652b82fep+0 + 0x1.8p+52;
    const double n = t - 0x1.8p+52;

    *k = rd_bits_d(t) - 0x4338000000000000u;
    return rd_fma_d(-n, 0x1.abc9e3b39803fp-56, rd_fma_d(-n, 0x1.62e42fefa39efp-1, x));
}
/* exp(r) - 1 for |r| <= 0.35: r + r^2 (1/2! + r/3! + ...), to r^7 (5e-9) and r^13 (4e-18). */
RD_INLINE float rd_expm1_near_f(float r)
{
    float q = 1 / 5040.0f;

    q = rd_fma_f(q, r, 1 / 720.0f);
    q = rd_fma_f(q, r, 1 / 120.0f);
    q = rd_fma_f(q, r, 1 / 24.0f);
    q = rd_fma_f(q, r, 1 / 6.0f);
    q = rd_fma_f(q, r, 0.5f);
    return rd_fma_f(r * r, q, r);
}
RD_INLINE double rd_expm1_near_d(double r)
{
    double q = 1 / 6227020800.0;

    q = rd_fma_d(q, r, 1 / 479001600.0);
    q = rd_fma_d(q, r, 1 / 39916800.0);
    q = rd_fma_d(q, r, 1 / 3628800.0);
    q = rd_fma_d(q, r, 1 / 362880.0);
    q = rd_fma_d(q, r, 1 / 40320.0);
    q = rd_fma_d(q, r, 1 / 5040.0);
    q = rd_fma_d(q, r, 1 / 720.0);
    q = rd_fma_d(q, r, 1 / 120.0);
    q = rd_fma_d(q, r, 1 / 24.0);
    q = rd_fma_d(q, r, 1 / 6.0);
    q = rd_fma_d(q, r, 0.5);
    return rd_fma_d(r * r, q, r);
}
/* The comparisons are ordered so that NaN passes. Scaling by 2^k in two halves overflows to infinity and
 * underflows gradually with one rounding. */
RD_INLINE float rd_exp_f(float x)
{
    const float low = x < -104 ? -104 : x, y = low > 89 ? 89 : low;
    uint32_t k;
    const float p = 1 + rd_expm1_near_f(rd_reduce_f(y, &k));
    const uint32_t half = ((k + 256u) >> 1) - 128u;

    return p * rd_pow2_f(half) * rd_pow2_f(k - half);
}
RD_INLINE double rd_exp_d(double x)
{
    const double low = x < -746 ? -746 : x, y = low > 710 ? 710 : low;
    uint64_t k;
    const double p = 1 + rd_expm1_near_d(rd_reduce_d(y, &k));
    const uint64_t half = ((k + 2048u) >> 1) - 1024u;

    return p * rd_pow2_d(half) * rd_pow2_d(k - half);
}
/* exp(x) - 1 = m 2^k + (2^k - 1), halved until the end so that 2^128 does not appear. Relative precision
 * holds down to the smallest x. */
RD_INLINE float rd_expm1_f(float x)
{
    const float low = x < -18 ? -18 : x, y = low > 89 ? 89 : low;
    uint32_t k;
    const float m = rd_expm1_near_f(rd_reduce_f(y, &k));
    const float s = rd_pow2_f(k - 1u), h = rd_fma_f(m, s, s - 0.5f);

    return h + h;
}
RD_INLINE double rd_expm1_d(double x)
{
    const double low = x < -38 ? -38 : x, y = low > 710 ? 710 : low;
    uint64_t k;
    const double m = rd_expm1_near_d(rd_reduce_d(y, &k));
    const double s = rd_pow2_d(k - 1u), h = rd_fma_d(m, s, s - 0.5);

    return h + h;
}

/* ---- gates ------------------------------------------------------------------------------------ */

RD_INLINE float rd_sigmoid_f(float x)
{
    return 1 / (1 + rd_exp_f(-x));
}
RD_INLINE double rd_sigmoid_d(double x)
{
    return 1 / (1 + rd_exp_d(-x));
}
/* tanh |x| = m / (m + 2), m = exp(2|x|) - 1; 1 to the last bit from 2|x| = 20 (40 in double) on. */
RD_INLINE float rd_tanh_f(float x)
{
    const float a = rd_abs_f(x), y = a > 10 ? 10 : a;
    uint32_t k;
    const float m0 = rd_expm1_near_f(rd_reduce_f(y + y, &k));
    const float s = rd_pow2_f(k), m = rd_fma_f(m0, s, s - 1);

    return rd_sign_f(m / (m + 2), x);
}
RD_INLINE double rd_tanh_d(double x)
{
    const double a = rd_abs_d(x), y = a > 20 ? 20 : a;
    uint64_t k;
    const double m0 = rd_expm1_near_d(rd_reduce_d(y + y, &k));
    const double s = rd_pow2_d(k), m = rd_fma_d(m0, s, s - 1);

    return rd_sign_d(m / (m + 2), x);
}

/* ---- logarithm -------------------------------------------------------------------------------- */

/* x = 2^e m, sqrt(1/2) <= m < sqrt(2); log m = log((1 + s) / (1 - s)) with s = (m - 1) / (m + 1), that is
 * f - (h - s (h + R)), f = m - 1, h = f^2 / 2, R = 2 (s^2/3 + s^4/5 + ...): the arrangement of fdlibm's
 * e_log.c, in which the exact f carries the result. e becomes a float through the bits of 2^23 + e. */
RD_INLINE float rd_log_f(float x)
{
    const bool tiny = x < FLT_MIN;
    const uint32_t u = rd_bits_f(tiny ? x * 0x1p+23f : x) + (0x3f800000u - 0x3f3504f3u);
    const float e =
        rd_from_bits_f((u >> 23) + 0x4b000000u) - (tiny ? 0x1p+23f + 127 + 23 : 0x1p+23f + 127);
    const float f = rd_from_bits_f((u & 0x007fffffu) + 0x3f3504f3u) - 1;
    const float s = f / (2 + f), z = s * s, h = 0.5f * f * f;
    float q = 2 / 9.0f, r;

    q = rd_fma_f(q, z, 2 / 7.0f);
    q = rd_fma_f(q, z, 2 / 5.0f);
    q = rd_fma_f(q, z, 2 / 3.0f) * z;
    r = e * 0x1.62e4p-1f - ((h - rd_fma_f(s, h + q, e * 0x1.7f7d1cp-20f)) - f);
    r = x > FLT_MAX ? x : r;
    r = x > 0 ? r : __builtin_nanf("");
    return x == 0 ? -__builtin_inff() : r;
}
RD_INLINE double rd_log_d(double x)
{
    const uint64_t root = 0x3fe6a09e667f3bcdu;
    const bool tiny = x < DBL_MIN;
    const uint64_t u = rd_bits_d(tiny ? x * 0x1p+52 : x) + (0x3ff0000000000000u - root);
    const double e = rd_from_bits_d((u >> 52) + 0x4330000000000000u) -
                     (tiny ? 0x1p+52 + 1023 + 52 : 0x1p+52 + 1023);
    const double f = rd_from_bits_d((u & 0x000fffffffffffffu) + root) - 1;
    const double s = f / (2 + f), z = s * s, h = 0.5 * f * f;
    double q = 2 / 21.0, r;

    q = rd_fma_d(q, z, 2 / 19.0);
    q = rd_fma_d(q, z, 2 / 17.0);
    q = rd_fma_d(q, z, 2 / 15.0);
    q = rd_fma_d(q, z, 2 / 13.0);
    q = rd_fma_d(q, z, 2 / 11.0);
    q = rd_fma_d(q, z, 2 / 9.0);
    q = rd_fma_d(q, z, 2 / 7.0);
    q = rd_fma_d(q, z, 2 / 5.0);
    q = rd_fma_d(q, z, 2 / 3.0) * z;
    r = e * 0x1.62e42feep-1 - ((h - rd_fma_d(s, h + q, e * 0x1.a39ef35793c76p-33)) - f);
    r = x > DBL_MAX ? x : r;
    r = x > 0 ? r : __builtin_nan("");
    return x == 0 ? -__builtin_inf() : r;
}
/* log(1 + x) = log u + c / u, u = 1 + x rounded and c what rounding took away (Knuth's exact sum). */
RD_INLINE float rd_log1p_f(float x)
{
    const float u = 1 + x, b = u - 1, c = (1 - (u - b)) + (x - b), l = rd_log_f(u);
    const float d = u > 0 ? u : 1; /* no 0 / 0 */
    const float r = l + c / d;

    return ((x > -1) & (x <= FLT_MAX)) ? r : l;
}
RD_INLINE double rd_log1p_d(double x)
{
    const double u = 1 + x, b = u - 1, c = (1 - (u - b)) + (x - b), l = rd_log_d(u);
    const double d = u > 0 ? u : 1; /* no 0 / 0 */
    const double r = l + c / d;

    return ((x > -1) & (x <= DBL_MAX)) ? r : l;
}
/* log(1 + exp x) */
RD_INLINE float rd_softplus_f(float x)
{
    return (x > 0 ? x : 0) + rd_log1p_f(rd_exp_f(-rd_abs_f(x)));
}
RD_INLINE double rd_softplus_d(double x)
{
    return (x > 0 ? x : 0) + rd_log1p_d(rd_exp_d(-rd_abs_d(x)));
}

/* ---- circle: for random normals and cosine schedules, always double ----------------------------- */

/* Absolute error under 2e-16 for |x| up to 1e6. x = k pi/2 + r; Taylor series to r^17 and r^16. */
RD_INLINE void rd_sincos_d(double x, double *sine, double *cosine)
{
    const double t = x * 0x1.45f306dc9c883p-1 + 0x1.8p+52;
    const double n = t - 0x1.8p+52;
    const uint64_t k = rd_bits_d(t);
    const double r0 = rd_fma_d(-n, 0x1.921fb54442d18p+0, x);
    const double r = rd_fma_d(-n, 0x1.1a62633145c07p-54, r0), z = r * r;
    double s = 1 / 355687428096000.0, c = 1 / 20922789888000.0;

    s = rd_fma_d(s, z, -1 / 1307674368000.0);
    s = rd_fma_d(s, z, 1 / 6227020800.0);
    s = rd_fma_d(s, z, -1 / 39916800.0);
    s = rd_fma_d(s, z, 1 / 362880.0);
    s = rd_fma_d(s, z, -1 / 5040.0);
    s = rd_fma_d(s, z, 1 / 120.0);
    s = rd_fma_d(s, z, -1 / 6.0);
    s = rd_fma_d(s * z, r, r);
    c = rd_fma_d(c, z, -1 / 87178291200.0);
    c = rd_fma_d(c, z, 1 / 479001600.0);
    c = rd_fma_d(c, z, -1 / 3628800.0);
    c = rd_fma_d(c, z, 1 / 40320.0);
    c = rd_fma_d(c, z, -1 / 720.0);
    c = rd_fma_d(c, z, 1 / 24.0);
    c = rd_fma_d(c, z, -0.5);
    c = rd_fma_d(c, z, 1);
    /* A quarter turn: (s, c) -> (c, -s) -> (-s, -c) -> (-c, s). */
    *sine = rd_from_bits_d(rd_bits_d(k & 1 ? c : s) ^ ((k & 2) << 62));
    *cosine = rd_from_bits_d(rd_bits_d(k & 1 ? s : c) ^ (((k + 1) & 2) << 62));
}
RD_INLINE double rd_cos_d(double x)
{
    double s, c;

    rd_sincos_d(x, &s, &c);
    return c;
}

/* ---- rd_real ------------------------------------------------------------------------------------ */

#ifdef RD_REAL_DOUBLE
#define RD_OF_REAL(name) name##_d
#else
#define RD_OF_REAL(name) name##_f
#endif
RD_INLINE rd_real rd_fma(rd_real a, rd_real b, rd_real c)
{
    return RD_OF_REAL(rd_fma)(a, b, c);
}
RD_INLINE rd_real rd_abs(rd_real x)
{
    return RD_OF_REAL(rd_abs)(x);
}
RD_INLINE rd_real rd_sqrt(rd_real x)
{
    return RD_OF_REAL(rd_sqrt)(x);
}
RD_INLINE rd_real rd_exp(rd_real x)
{
    return RD_OF_REAL(rd_exp)(x);
}
RD_INLINE rd_real rd_expm1(rd_real x)
{
    return RD_OF_REAL(rd_expm1)(x);
}
RD_INLINE rd_real rd_sigmoid(rd_real x)
{
    return RD_OF_REAL(rd_sigmoid)(x);
}
RD_INLINE rd_real rd_tanh(rd_real x)
{
    return RD_OF_REAL(rd_tanh)(x);
}
RD_INLINE rd_real rd_log(rd_real x)
{
    return RD_OF_REAL(rd_log)(x);
}
RD_INLINE rd_real rd_log1p(rd_real x)
{
    return RD_OF_REAL(rd_log1p)(x);
}
RD_INLINE rd_real rd_softplus(rd_real x)
{
    return RD_OF_REAL(rd_softplus)(x);
}

/* ---- along a row: rule 7 ------------------------------------------------------------------------ */

/* Element e belongs to lane e mod 16; lanes are joined l and l+8, +4, +2, +1. */
#define RD_LANES 16
RD_INLINE rd_real rd_join16(rd_real lane[RD_LANES])
{
    for (unsigned half = RD_LANES / 2; half > 0; half /= 2)
        for (unsigned l = 0; l < half; l++) lane[l] += lane[l + half];
    return lane[0];
}
RD_INLINE rd_real rd_sum16(const rd_real *x, size_t n)
{
    rd_real lane[RD_LANES] = {0};
    const size_t whole = n - n % RD_LANES;

    for (size_t e = 0; e < whole; e += RD_LANES)
        for (unsigned l = 0; l < RD_LANES; l++) lane[l] += x[e + l];
    for (size_t e = whole; e < n; e++) lane[e - whole] += x[e];
    return rd_join16(lane);
}
/* Products enter their lane by fma. */
RD_INLINE rd_real rd_dot16(const rd_real *a, const rd_real *b, size_t n)
{
    rd_real lane[RD_LANES] = {0};
    const size_t whole = n - n % RD_LANES;

    for (size_t e = 0; e < whole; e += RD_LANES)
        for (unsigned l = 0; l < RD_LANES; l++) lane[l] = rd_fma(a[e + l], b[e + l], lane[l]);
    for (size_t e = whole; e < n; e++) lane[e - whole] = rd_fma(a[e], b[e], lane[e - whole]);
    return rd_join16(lane);
}
/* The largest number; NaN is passed over. -infinity for an empty row. */
RD_INLINE rd_real rd_max16(const rd_real *x, size_t n)
{
    rd_real lane[RD_LANES];
    const size_t whole = n - n % RD_LANES;

    for (unsigned l = 0; l < RD_LANES; l++) lane[l] = (rd_real)-__builtin_inf();
    for (size_t e = 0; e < whole; e += RD_LANES)
        for (unsigned l = 0; l < RD_LANES; l++) lane[l] = x[e + l] > lane[l] ? x[e + l] : lane[l];
    for (size_t e = whole; e < n; e++)
        lane[e - whole] = x[e] > lane[e - whole] ? x[e] : lane[e - whole];
    for (unsigned half = RD_LANES / 2; half > 0; half /= 2)
        for (unsigned l = 0; l < half; l++)
            lane[l] = lane[l + half] > lane[l] ? lane[l + half] : lane[l];
    return lane[0];
}
#endif
