/* kernel_rules.c - see kernel_rules.h. Rules K2 and K3 of plugins/README.md.
 * SPDX-License-Identifier: MIT */
#include "kernel_rules.h"

#include "kernel_bench.h"

#include <stdio.h>
#include <string.h>

enum { SIZES = 71, MOST = 120000, LARGE = 2200000 };

/* 0 .. 67 and 255, 256, 257. */
static size_t size_at(size_t i)
{
    return i < 68 ? i : i + 187;
}

/* Product j of row i. The number of sizes is prime, so that columns i, j, i + j + 30, i + 2j, i + 3j of the
 * table of 71^2 products are an orthogonal array: any two of them have every pair once. The first three are
 * m, n and k: every pair of sizes is there, and with it every pair of remainders by the edges of a tile up to
 * 68. The others turn flags, packing, strides and addresses, so that each of these meets every size too. By
 * the 30, k is m or n where the third size is 41, not 0. */
static kernel_product product_at(size_t i, size_t j)
{
    static const size_t pads[] = {0, 1, 2, 5};
    const size_t x = (i + 2 * j) % SIZES, y = (i + 3 * j) % SIZES;
    return (kernel_product){.m = size_at(i),
                            .n = size_at(j),
                            .k = size_at((i + j + 30) % SIZES),
                            .flags = (uint32_t)(x % 16),
                            .packed = y % 2,
                            .at_end = y / 2 % 2,
                            .pad = pads[y / 4 % 4]};
}

static bool open_bench(kernel_bench *b, const kernel_case *c, size_t most, char *why, size_t cap)
{
    if (!kernel_bench_open(b, c->kernels, most, why, cap)) return false;
    b->about = c->about;
    return true;
}

/* What a sweep over products is about. */
typedef struct sweep {
    enum kernel_look look;
    enum kernel_numbers numbers;
    uint32_t flags; /* RD_BF16 */
    uint32_t thin;  /* beside the case's */
    size_t most;    /* the largest size; 0: all */
} sweep;

static bool each_size(const kernel_case *c, const sweep *s, char *why, size_t cap)
{
    const size_t step = (size_t)c->thin * (s->thin ? s->thin : 1);
    kernel_bench b;
    bool ok = true;

    if (!open_bench(&b, c, MOST, why, cap)) return false;
    b.look = s->look;
    kernel_bench_fill(&b, s->numbers, 0);
    for (size_t at = 0; at < SIZES * SIZES && ok; at += step) {
        kernel_product p = product_at(at / SIZES, at % SIZES);
        if (s->most && (p.m > s->most || p.n > s->most || p.k > s->most)) continue;
        p.flags |= s->flags;
        ok = kernel_bench_product(&b, &p);
    }
    kernel_bench_close(&b);
    return ok;
}

/* More rows, columns and terms than a block or a cache takes; the last is one row by 8 MiB. */
static bool each_large(const kernel_case *c, enum kernel_look look, uint32_t flags, char *why,
                       size_t cap)
{
    static const size_t shapes[][4] = {{50, 64, 256, 64},  {13, 128, 511, 0}, {97, 65, 515, 1},
                                       {1, 130, 700, 3},   {149, 17, 300, 2}, {73, 200, 8, 0},
                                       {48, 130, 1025, 1}, {1, 1090, 1930, 1}};
    const size_t n = sizeof shapes / sizeof shapes[0];
    kernel_bench b;
    bool ok = true;

    if (!open_bench(&b, c, c->thin > 1 ? 200000 : LARGE, why, cap)) return false;
    b.look = look;
    for (uint32_t i = 0; i < n && ok; i++)
        for (uint32_t q = 0; q < 8 && ok; q++) {
            const kernel_product p = {.m = shapes[i][0],
                                      .n = shapes[i][1],
                                      .k = shapes[i][2],
                                      .pad = shapes[i][3],
                                      .flags = (i * 5 + 2 * q + q / 4) % 16 | flags,
                                      .packed = q % 2,
                                      .at_end = q / 2 % 2};
            if (c->thin > 1 && (q > 0 || (flags && i > 1))) continue;
            if (p.n > 1000 && (flags || c->thin > 1)) continue; /* portable bfloat16 is slow */
            ok = kernel_bench_product(&b, &p);
        }
    kernel_bench_close(&b);
    return ok;
}

/* ---- K2 ------------------------------------------------------------------------------------------ */

bool kernel_right_sizes(const kernel_case *c, char *why, size_t cap)
{
    return each_size(c, &(sweep){.look = KERNEL_RIGHT}, why, cap);
}
bool kernel_right_large(const kernel_case *c, char *why, size_t cap)
{
    return each_large(c, KERNEL_RIGHT, 0, why, cap);
}
bool kernel_right_bf16(const kernel_case *c, char *why, size_t cap)
{
    return each_size(c, &(sweep){.look = KERNEL_RIGHT, .flags = RD_BF16, .thin = 13}, why, cap);
}

static bool each_int8(const kernel_case *c, enum kernel_look look, char *why, size_t cap)
{
    static const size_t m_of[] = {1, 3, 2, 5}, long_k[] = {0, 700, 1001, 2050};
    kernel_bench b;
    bool ok = true;

    if (!open_bench(&b, c, MOST, why, cap)) return false;
    b.look = look;
    for (size_t i = 0; i < SIZES && ok; i += c->thin) {
        kernel_product p = product_at(i, 11 * i % SIZES);
        p.m = m_of[i % 4];
        if (i % 8 > 4 && p.n < 40) p.k = long_k[i % 4];
        p.flags = RD_INT8 | (i & 1 ? RD_TRANS_B : 0u) | (i & 2 ? RD_ACCUMULATE : 0u);
        p.packed = true;
        ok = kernel_bench_product(&b, &p);
    }
    kernel_bench_close(&b);
    return ok;
}
bool kernel_right_int8(const kernel_case *c, char *why, size_t cap)
{
    return each_int8(c, KERNEL_RIGHT, why, cap);
}

bool kernel_right_cut(const kernel_case *c, char *why, size_t cap)
{
    static const uint32_t precisions[][2] = {
        {0, 0}, {RD_BF16, RD_KERNELS_BF16}, {RD_INT8, RD_KERNELS_INT8}};
    kernel_bench b;
    bool ok = true;

    if (!open_bench(&b, c, MOST, why, cap)) return false;
    for (int i = 0; i < 3 && ok; i++)
        for (size_t n = 65; n <= 257 && ok; n += 64) {
            const kernel_product p = {
                .m = 3, .n = n, .k = 7 + n % 5, .flags = precisions[i][0], .packed = true};
            if (precisions[i][1] && !(c->kernels->flags & precisions[i][1])) continue;
            ok = kernel_bench_cut(&b, &p);
        }
    kernel_bench_close(&b);
    return ok;
}

/* Operations in a round, by what comes back for more of them. */
bool kernel_right_counts(const kernel_case *c, char *why, size_t cap)
{
    if (!c->kernels->multiply_adds) return true;
    const double one = c->kernels->multiply_adds(1), ten = c->kernels->multiply_adds(10);

    if (one >= 2 && ten == 10 * one) return true;
    snprintf(
        why, cap,
        "multiply_adds(1) returns %g operations and multiply_adds(10) %g, not ten times as many",
        one, ten);
    return false;
}

/* ---- K3 ------------------------------------------------------------------------------------------ */

bool kernel_bits_sizes(const kernel_case *c, char *why, size_t cap)
{
    return each_size(c, &(sweep){.look = KERNEL_BITS}, why, cap);
}
bool kernel_bits_large(const kernel_case *c, char *why, size_t cap)
{
    return each_large(c, KERNEL_BITS, 0, why, cap);
}
bool kernel_bits_tiny(const kernel_case *c, char *why, size_t cap)
{
    const sweep s = {.look = KERNEL_BITS, .numbers = KERNEL_TINY, .thin = 17, .most = 67};
    return each_size(c, &s, why, cap);
}
bool kernel_bits_endless(const kernel_case *c, char *why, size_t cap)
{
    const sweep s = {.look = KERNEL_BITS, .numbers = KERNEL_ENDLESS, .thin = 17, .most = 67};
    return each_size(c, &s, why, cap);
}
bool kernel_bits_bf16(const kernel_case *c, char *why, size_t cap)
{
    const sweep s = {.look = KERNEL_BITS, .flags = RD_BF16, .thin = 13};
    return each_size(c, &s, why, cap) && each_large(c, KERNEL_BITS, RD_BF16, why, cap);
}
bool kernel_bits_small_bf16(const kernel_case *c, char *why, size_t cap)
{
    kernel_bench b;
    bool ok = true;

    if (!open_bench(&b, c, MOST, why, cap)) return false;
    b.look = KERNEL_BITS;
    for (uint32_t edge = 0; edge < KERNEL_EDGES_COUNT && ok; edge++) {
        kernel_product p = {.m = 96, .n = 64, .k = 3, .flags = RD_BF16 | RD_ACCUMULATE};
        kernel_bench_fill(&b, KERNEL_EDGES, edge);
        ok = kernel_bench_product(&b, &p);
        p.packed = true;
        ok = ok && kernel_bench_product(&b, &p);
    }
    kernel_bench_close(&b);
    return ok;
}

/* A gradient of rows added in two parts has the bits of one, wherever it is cut, also where it is -0. */
bool kernel_bits_bf16_parts(const kernel_case *c, char *why, size_t cap)
{
    enum { M = 5, N = 20, K = 7 };
    rd_real a[K * M], b[K * N], whole[M * N], parts[M * N];

    for (size_t i = 0; i < K * M; i++) a[i] = (rd_real)((int)(i * 29 % 37) - 18) / 7;
    for (size_t i = 0; i < K * N; i++) b[i] = (rd_real)((int)(i * 31 % 41) - 20) / 9;
    for (size_t cut = 0; cut <= K; cut++) {
        rd_gemm g = {.size = sizeof g,
                     .flags = RD_BF16 | RD_TRANS_A | RD_K_DOWN | RD_ACCUMULATE,
                     .m = M,
                     .n = N,
                     .k = K,
                     .a = a,
                     .b = b,
                     .c = whole,
                     .lda = M,
                     .ldb = N,
                     .ldc = N};
        for (size_t i = 0; i < M * N; i++) whole[i] = parts[i] = i % 3 ? (rd_real)-0.0 : 1;
        for (size_t k = 0; k < K; k++) a[k * M] = k == cut ? (rd_real)-1e-38 : 0;
        c->kernels->gemm(&g);
        g.c = parts, g.k = K - cut, g.a = a + cut * M, g.b = b + cut * N;
        c->kernels->gemm(&g);
        g.k = cut, g.a = a, g.b = b;
        c->kernels->gemm(&g);
        if (memcmp(whole, parts, sizeof whole) == 0) continue;
        snprintf(
            why, cap,
            "bf16 product 5 x 20 x 7 with trans_a, accumulate, k_down has other bits in two calls, of "
            "terms 6..%zu and of those below, than in one",
            cut);
        return false;
    }
    return true;
}
bool kernel_bits_int8(const kernel_case *c, char *why, size_t cap)
{
    return each_int8(c, KERNEL_BITS, why, cap);
}
