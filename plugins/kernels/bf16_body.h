/* bf16_body.h - products of bfloat16 in portable C (bit contract, rule 10); included once by each backend.
 *
 * What AVX-512's VDPBF16PS does, to the bit, where there is no such instruction: numbers enter rounded to
 * nearest-even, numbers and results below 2^-126 are 0 with their sign, an odd k comes before the even one
 * that it makes a pair with. Compared with the instruction over 38 million tries, edges above all: a sum
 * that rounds to 2^-126 is 0 if it would be smaller with an exponent of any size.
 * SPDX-License-Identifier: MIT */
#include "rondo/kernel.h"
#include "rondo/pointmath.h"

enum { BF16_PANEL = 64, BF16_TERMS = 64, BF16_SIZE = 0x7fffffff, BF16_NORMAL = 0x00800000 };
/* Numbers of a pair's place in a panel: it is a real's (kernel.h), of which in double half is not used. */
enum { BF16_PLACE = sizeof(rd_real) / sizeof(uint16_t) };

RD_INLINE uint32_t bf16_size_bits(float x)
{
    return rd_bits_f(x) & BF16_SIZE;
}
/* x as a bfloat16; NaN stays one. */
RD_INLINE uint32_t bf16_bits(float x)
{
    const uint32_t u = rd_bits_f(x), size = u & BF16_SIZE;
    const uint32_t rounded = (u + 0x7fff + (u >> 16 & 1)) >> 16;
    const uint32_t numbers = size < BF16_NORMAL ? (u & ~(uint32_t)BF16_SIZE) >> 16 : rounded;
    return size > 0x7f800000 ? (u >> 16) | 0x40 : numbers;
}
RD_INLINE float bf16_value(uint32_t bits)
{
    return rd_from_bits_f(bits << 16);
}
RD_INLINE float bf16_flushed(float x)
{
    const uint32_t u = rd_bits_f(x);
    return rd_from_bits_f((u & BF16_SIZE) < BF16_NORMAL ? u & ~(uint32_t)BF16_SIZE : u);
}
/* s + a b. `near` is that times 2^64, whose exponent has room; where it overflows, the sum is not small. */
RD_INLINE float bf16_term(float a, float b, float s)
{
    const float sum = rd_fma_f(a, b, s), near = rd_fma_f(a * 0x1p32f, b * 0x1p32f, s * 0x1p64f);
    const uint32_t u = rd_bits_f(sum), size = u & BF16_SIZE;
    const bool rounded_up = size == BF16_NORMAL && bf16_size_bits(near) < 0x20800000; /* 2^-62 */
    return rd_from_bits_f(size < BF16_NORMAL || rounded_up ? u & ~(uint32_t)BF16_SIZE : u);
}

/* The term that is taken at place p of the walk over k. */
RD_INLINE size_t bf16_term_at(const rd_gemm *g, size_t p)
{
    if (g->flags & RD_K_DOWN) return g->k - 1 - p;
    return (p ^ 1) < g->k ? p ^ 1 : p;
}
RD_INLINE rd_real bf16_of_a(const rd_gemm *g, size_t i, size_t k)
{
    return g->flags & RD_TRANS_A ? g->a[k * g->lda + i] : g->a[i * g->lda + k];
}
RD_INLINE rd_real bf16_of_b(const rd_gemm *g, size_t k, size_t j)
{
    return g->flags & RD_TRANS_B ? g->b[j * g->ldb + k] : g->b[k * g->ldb + j];
}

/* Panels of pairs, [k / 2][64][2]; what fills up is not read here. */
static void bf16_pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    const size_t pairs = (g->k + 1) / 2;
    for (size_t p = first; p < last; p++) {
        uint16_t *panel = (uint16_t *)to + p * BF16_PANEL * BF16_PLACE * pairs;
        for (size_t k = 0; k < 2 * pairs; k++)
            for (size_t j = 0; j < BF16_PANEL; j++) {
                const bool there = k < g->k && p * BF16_PANEL + j < g->n;
                const rd_real b = there ? bf16_of_b(g, k, p * BF16_PANEL + j) : 0;
                panel[(k / 2 * BF16_PANEL + j) * 2 + k % 2] = (uint16_t)bf16_bits((float)b);
            }
    }
}

typedef struct bf16_block {
    float b[BF16_TERMS][BF16_PANEL], a[BF16_TERMS], s[BF16_PANEL];
    size_t n, j0, width;
} bf16_block;

/* Terms [done, done + n) of the walk, of 64 columns of op(B). */
static void bf16_take_b(const rd_gemm *g, size_t done, bf16_block *t)
{
    const uint16_t *packed = g->packed_b;
    if (packed) packed += t->j0 * BF16_PLACE * ((g->k + 1) / 2);
    for (size_t p = 0; p < t->n; p++) {
        const size_t k = bf16_term_at(g, done + p);
        for (size_t j = 0; j < t->width; j++) {
            const uint32_t bits = packed ? packed[(k / 2 * BF16_PANEL + j) * 2 + k % 2]
                                         : bf16_bits((float)bf16_of_b(g, k, t->j0 + j));
            t->b[p][j] = bf16_value(bits);
        }
        for (size_t j = t->width; j < BF16_PANEL; j++) t->b[p][j] = 0;
    }
}
RD_CLONES static void bf16_add_terms(bf16_block *t)
{
    for (size_t j = 0; j < BF16_PANEL; j++) t->s[j] = bf16_flushed(t->s[j]);
    for (size_t p = 0; p < t->n; p++) {
        const float a = t->a[p];
        for (size_t j = 0; j < BF16_PANEL; j++) t->s[j] = bf16_term(a, t->b[p][j], t->s[j]);
    }
}
static void bf16_add_rows(const rd_gemm *g, size_t done, bf16_block *t)
{
    const bool from_zero = done == 0 && !(g->flags & RD_ACCUMULATE);
    for (size_t i = 0; i < g->m; i++) {
        rd_real *c = g->c + i * g->ldc + t->j0;
        for (size_t p = 0; p < t->n; p++)
            t->a[p] = bf16_value(bf16_bits((float)bf16_of_a(g, i, bf16_term_at(g, done + p))));
        for (size_t j = 0; j < BF16_PANEL; j++)
            t->s[j] = from_zero || j >= t->width ? 0 : (float)c[j];
        bf16_add_terms(t);
        for (size_t j = 0; j < t->width; j++) c[j] = t->s[j];
    }
}

/* A product with RD_BF16. k = 0: sums stay what they are, or are +0. */
static void bf16_gemm(const rd_gemm *g)
{
    bf16_block t;
    for (size_t i = 0; i < g->m && g->k == 0 && !(g->flags & RD_ACCUMULATE); i++)
        for (size_t j = 0; j < g->n; j++) g->c[i * g->ldc + j] = 0;
    for (t.j0 = 0; t.j0 < g->n; t.j0 += BF16_PANEL) {
        t.width = g->n - t.j0 < BF16_PANEL ? g->n - t.j0 : BF16_PANEL;
        for (size_t done = 0; done < g->k; done += t.n) {
            t.n = g->k - done < BF16_TERMS ? g->k - done : BF16_TERMS;
            bf16_take_b(g, done, &t);
            bf16_add_rows(g, done, &t);
        }
    }
}
