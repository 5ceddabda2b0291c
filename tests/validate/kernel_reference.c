/* kernel_reference.c - see kernel_reference.h.
 *
 * RD_CLONES is only for speed: the fma is the same in every clone.
 * SPDX-License-Identifier: MIT */
#include "kernel_reference.h"

#include "rondo/pointmath.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static rd_real of_a(const rd_gemm *g, size_t i, size_t k)
{
    return g->flags & RD_TRANS_A ? g->a[k * g->lda + i] : g->a[i * g->lda + k];
}
static rd_real of_b(const rd_gemm *g, size_t k, size_t j)
{
    return g->flags & RD_TRANS_B ? g->b[j * g->ldb + k] : g->b[k * g->ldb + j];
}

/* ---- rule 3 -------------------------------------------------------------------------------------- */

/* One more term of n sums. */
RD_CLONES static void add_term(size_t n, rd_real a, const rd_real *restrict b, rd_real *restrict s)
{
    for (size_t j = 0; j < n; j++) s[j] = rd_fma(a, b[j], s[j]);
}

static void by_rule_3(const rd_gemm *g, const rd_real *op_b, rd_real *c)
{
    for (size_t i = 0; i < g->m; i++) {
        rd_real *s = c + i * g->ldc;
        for (size_t j = 0; j < g->n && !(g->flags & RD_ACCUMULATE); j++) s[j] = 0;
        for (size_t q = 0; q < g->k; q++) {
            const size_t k = g->flags & RD_K_DOWN ? g->k - 1 - q : q;
            add_term(g->n, of_a(g, i, k), op_b + k * g->n, s);
        }
    }
}

/* ---- rule 10 ------------------------------------------------------------------------------------- */

RD_INLINE float as_bf16(float x)
{
    uint32_t u = rd_bits_f(x);
    if ((u & 0x7f800000u) == 0) return rd_from_bits_f(u & 0x80000000u);
    u += 0x7fff + (u >> 16 & 1);
    return rd_from_bits_f(u & 0xffff0000u);
}
RD_INLINE float flushed(float x)
{
    return rd_abs_f(x) < 0x1p-126f ? rd_sign_f(0, x) : x;
}
/* s + a b rounded once to 24 bits, as if exponents had no end, and 0 below 2^-126. Where the sum may be small
 * it is formed 2^64 times as large. */
RD_INLINE float rule_10_term(float a, float b, float s)
{
    const float sum = rd_fma_f(a, b, s);
    const float larger = rd_fma_f(a * 0x1p32f, b * 0x1p32f, s * 0x1p64f);
    const bool small = (rd_abs_f(sum) <= 0x1p-126f) & (rd_abs_f(larger) < 0x1p-62f);
    return small ? rd_sign_f(0, sum) : sum;
}
RD_CLONES static void add_bf16_term(size_t n, float a, const rd_real *restrict b,
                                    rd_real *restrict s)
{
    for (size_t j = 0; j < n; j++) s[j] = rule_10_term(a, (float)b[j], (float)s[j]);
}

/* Pairs of k ascend, the odd one first; or every k descends. */
static size_t bf16_place(const rd_gemm *g, size_t q)
{
    if (g->flags & RD_K_DOWN) return g->k - 1 - q;
    return (q ^ 1) < g->k ? q ^ 1 : q;
}

static void by_rule_10(const rd_gemm *g, rd_real *op_b, rd_real *c)
{
    for (size_t i = 0; i < g->k * g->n; i++) op_b[i] = as_bf16((float)op_b[i]);
    for (size_t i = 0; i < g->m; i++) {
        rd_real *s = c + i * g->ldc;
        for (size_t j = 0; j < g->n && !(g->flags & RD_ACCUMULATE); j++) s[j] = 0;
        for (size_t j = 0; j < g->n && g->k > 0; j++) s[j] = flushed((float)s[j]);
        for (size_t q = 0; q < g->k; q++) {
            const size_t k = bf16_place(g, q);
            add_bf16_term(g->n, as_bf16((float)of_a(g, i, k)), op_b + k * g->n, s);
        }
    }
}

/* The scale of k numbers `next` apart. */
static float scale_of(const rd_real *x, size_t k, size_t next, float *inverse)
{
    float most = 0;
    for (size_t i = 0; i < k; i++) most = fmaxf(most, fabsf((float)x[i * next]));
    *inverse = most < 0x1p-100f ? 0 : 127 / most;
    return most < 0x1p-100f ? 0 : most / 127;
}

static void by_rule_10_int8(const rd_gemm *g, const rd_real *op_b, rd_real *c)
{
    for (size_t j = 0; j < g->n; j++) {
        float to_a, to_b;
        const float sb = scale_of(op_b + j, g->k, g->n, &to_b);
        for (size_t i = 0; i < g->m; i++) {
            const rd_real *a = g->a + i * g->lda;
            const float sa = scale_of(a, g->k, 1, &to_a);
            int64_t sum = 0;
            for (size_t k = 0; k < g->k; k++)
                sum += (int64_t)rintf((float)a[k] * to_a) *
                       (int64_t)rintf((float)op_b[k * g->n + j] * to_b);
            const float add = (float)sum * sa * sb;
            rd_real *at = &c[i * g->ldc + j];
            *at = g->flags & RD_ACCUMULATE ? *at + add : add;
        }
    }
}

bool kernel_reference(const rd_gemm *g, rd_real *c)
{
    rd_real *op_b = malloc((g->k * g->n + 1) * sizeof *op_b);
    if (!op_b) return false;
    for (size_t k = 0; k < g->k; k++)
        for (size_t j = 0; j < g->n; j++) op_b[k * g->n + j] = of_b(g, k, j);
    if (g->flags & RD_BF16)
        by_rule_10(g, op_b, c);
    else if (g->flags & RD_INT8)
        by_rule_10_int8(g, op_b, c);
    else
        by_rule_3(g, op_b, c);
    free(op_b);
    return true;
}

/* ---- how far, and why ----------------------------------------------------------------------------- */

/* Two roundings of each term and each sum; a bfloat16 is off by 2^-9 of itself, an int8 by half of a 127th of
 * the largest. What is below 2^20 times the smallest normal number is nothing. */
double kernel_slack(const rd_gemm *g, size_t i, size_t j, rd_real c)
{
    const bool wide = sizeof(rd_real) == sizeof(double) && !(g->flags & (RD_BF16 | RD_INT8));
    const double terms = 2 * (double)g->k + 2, epsilon = wide ? DBL_EPSILON : (double)FLT_EPSILON;
    double size = 0, most_a = 0, most_b = 0;

    for (size_t k = 0; k < g->k; k++) {
        const double a = fabs((double)of_a(g, i, k)), b = fabs((double)of_b(g, k, j));
        size += a * b;
        most_a = fmax(most_a, a);
        most_b = fmax(most_b, b);
    }
    double slack = terms * epsilon * (fabs((double)c) + size);
    if (g->flags & RD_BF16) slack += 0x1p-7 * size;
    if (g->flags & RD_INT8) slack += (double)g->k * most_a * most_b / 100;
    return slack + terms * 0x1p20 * (wide ? DBL_MIN : (double)FLT_MIN);
}

enum mistake {
    NONE,
    OTHER_WAY,
    TWO_ROUNDINGS,
    C_LAST,
    NO_DENORMALS,
    NO_ZEROS,
    FLOATS,
    TWO_SUMS,
    MISTAKES
};

static rd_real no_denormal(rd_real x)
{
    return fabs((double)x) < (sizeof x == sizeof(double) ? DBL_MIN : (double)FLT_MIN) ? 0 : x;
}
/* One sum, from s on. */
static rd_real with_mistake(const rd_gemm *g, const size_t at[2], rd_real c, enum mistake mistake)
{
    const bool asked = g->flags & RD_K_DOWN, down = asked != (mistake == OTHER_WAY);
    rd_real s[2] = {mistake == C_LAST ? 0 : c, 0};

    for (size_t q = 0; q < g->k; q++) {
        const size_t k = down ? g->k - 1 - q : q;
        const rd_real a = of_a(g, at[0], k), b = of_b(g, k, at[1]);
        rd_real *to = &s[mistake == TWO_SUMS && k % 2];
        if (mistake == NO_ZEROS && a == 0) continue;
        if (mistake == TWO_ROUNDINGS) {
            const volatile rd_real product = a * b; /* volatile: never fused */
            *to += product;
        } else if (mistake == NO_DENORMALS)
            *to = no_denormal(rd_fma(no_denormal(a), no_denormal(b), *to));
        else
            *to = rd_fma(a, b, *to);
    }
    if (mistake == C_LAST) return s[0] + c;
    return mistake == TWO_SUMS ? s[0] + s[1] : s[0];
}
static bool explains(const rd_gemm *g, const rd_real *c, enum mistake mistake)
{
    for (size_t i = 0; i < g->m; i++)
        for (size_t j = 0; j < g->n; j++) {
            const rd_real got = g->c[i * g->ldc + j];
            const rd_real start = g->flags & RD_ACCUMULATE ? c[i * g->ldc + j] : 0;
            const rd_real value = with_mistake(g, (size_t[]){i, j}, start, mistake);
            if (memcmp(&value, &got, sizeof value) != 0 && !(isnan(value) && isnan(got)))
                return false;
        }
    return true;
}

const char *kernel_mistake(const rd_gemm *g, const rd_real *c)
{
    static const char *const text[MISTAKES] = {
        [NONE] = "",
        [OTHER_WAY] = "; that is the sum with k in the other direction",
        [TWO_ROUNDINGS] = "; that is the sum by multiplications and additions instead of fused "
                          "multiply-adds",
        [C_LAST] = "; that is the sum with c added at its end instead of its beginning",
        [NO_DENORMALS] = "; that is the sum with denormal numbers taken as 0",
        [NO_ZEROS] = "; that is the sum without the terms in which a is 0",
        [FLOATS] = "; that is the sum of the numbers as they are, not rounded to bfloat16",
        [TWO_SUMS] = "; that is the sum of the even terms and that of the odd ones"};

    if (g->flags & RD_INT8) return "";
    if (g->flags & RD_BF16) return explains(g, c, FLOATS) ? text[FLOATS] : "";
    for (enum mistake mistake = NONE; mistake < MISTAKES; mistake++)
        if (explains(g, c, mistake)) return text[mistake];
    return "";
}
