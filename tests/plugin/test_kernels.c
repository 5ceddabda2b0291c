/* test_kernels.c - every backend this processor can run against rule 3, as it is written, to the bit.
 *
 * With RD_TEST_ALONE it needs neither a test library nor the core: it tests the plugin RD_TEST_PLUGIN, which
 * is linked in.
 * Over 400 lines: rules 3 and 10 by one machinery, in one file that is built for other processors too.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef RD_TEST_ALONE
#include "support/alone.h"
#else
#include <cmocka.h>
#endif
#include "rondo.h"
#include "rondo/pointmath.h"

enum { GUARD = 8 }; /* elements before and after a matrix */

#ifdef RD_TEST_ALONE
extern const rd_plugin RD_TEST_PLUGIN;

static int open_core(void **state)
{
    (void)state;
    printf("%s\n", RD_TEST_PLUGIN.kernels[0]->name);
    return 0;
}
static int close_core(void **state)
{
    (void)state;
    return 0;
}
/* Backend i; NULL after the last. */
static const rd_kernels *backend_at(size_t i)
{
    return RD_TEST_PLUGIN.kernels[i];
}
static bool runs_here(const rd_kernels *kernels)
{
    (void)kernels;
    return true;
}
#else
static rd_core *core;

static int open_core(void **state)
{
    const rd_core_options options = {
        .threads = 1, .lib_dir = RD_TEST_LIB_DIR, .trust_plugins = true};
    rd_error err;

    (void)state;
    return rd_core_open(&options, &core, &err);
}
static int close_core(void **state)
{
    (void)state;
    rd_core_release(core);
    return 0;
}
/* Backend i; NULL after the last. */
static const rd_kernels *backend_at(size_t i)
{
    return i < rd_kernels_count(core) ? rd_kernels_at(core, i).kernels : NULL;
}
static bool runs_here(const rd_kernels *kernels)
{
    return (kernels->needs & ~rd_core_cpu(core)->features) == 0;
}
#endif

/* Rule 3. RD_CLONES only for speed: the fma is the same in every clone. */
RD_CLONES static void by_rule_3(const rd_gemm *g, rd_real *c)
{
    for (size_t i = 0; i < g->m; i++)
        for (size_t j = 0; j < g->n; j++) {
            rd_real s = g->flags & RD_ACCUMULATE ? c[i * g->ldc + j] : 0;
            for (size_t q = 0; q < g->k; q++) {
                const size_t k = g->flags & RD_K_DOWN ? g->k - 1 - q : q;
                const rd_real a =
                    g->flags & RD_TRANS_A ? g->a[k * g->lda + i] : g->a[i * g->lda + k];
                const rd_real b =
                    g->flags & RD_TRANS_B ? g->b[j * g->ldb + k] : g->b[k * g->ldb + j];
                s = rd_fma(a, b, s);
            }
            c[i * g->ldc + j] = s;
        }
}

/* Mixed signs and magnitudes, some zeros and denormals: any other order of the sum shows. */
static void fill(rd_real *x, size_t n, uint32_t seed)
{
    uint32_t u = seed * 2654435761u + 1;

    for (size_t i = 0; i < n; i++) {
        u = u * 1664525u + 1013904223u;
        const rd_real v = (rd_real)((double)(u >> 8) * 0x1p-23 - 1);
        x[i] = u % 61 == 0 ? 0 : u % 59 == 0 ? v * (rd_real)1e-38 : u % 53 == 0 ? v * 1000 : v;
    }
}

typedef struct shape {
    size_t m, n, k, pad; /* pad: by how much the strides exceed the widths */
} shape;

static size_t rows_of(size_t rows, size_t cols, bool trans)
{
    return trans ? cols : rows;
}
/* Memory of a matrix with stride `row`, begun `off` elements into a line so that it is unaligned. */
typedef struct matrix {
    rd_real *memory, *at;
    size_t row, n;
} matrix;
static matrix matrix_new(size_t rows, size_t cols, bool trans, size_t pad, uint32_t seed)
{
    matrix x;

    x.row = (trans ? rows : cols) + pad;
    x.n = rows_of(rows, cols, trans) * x.row + 2 * GUARD;
    x.memory = malloc(x.n * sizeof(rd_real));
    assert_non_null(x.memory);
    fill(x.memory, x.n, seed);
    x.at = x.memory + GUARD + pad % 3;
    return x;
}

/* Rule 10. */
static float as_bf16(float x)
{
    uint32_t u = rd_bits_f(x);
    if ((u & 0x7f800000u) == 0) return rd_from_bits_f(u & 0x80000000u);
    u += 0x7fff + (u >> 16 & 1);
    return rd_from_bits_f(u & 0xffff0000u);
}
static float flushed(float x)
{
    return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x;
}
/* s + a b rounded once to 24 bits, as if exponents had no end, and 0 below 2^-126. Where the sum may be small
 * it is formed 2^64 times as large. */
static float rule_10_term(float a, float b, float s)
{
    const float sum = rd_fma_f(a, b, s);
    const float larger = rd_fma_f(a * 0x1p32f, b * 0x1p32f, s * 0x1p64f);
    const bool small = fabsf(sum) <= 0x1p-126f && fabsf(larger) < 0x1p-62f;
    return small ? copysignf(0, sum) : sum;
}
static void by_rule_10(const rd_gemm *g, rd_real *c)
{
    for (size_t i = 0; i < g->m; i++)
        for (size_t j = 0; j < g->n; j++) {
            rd_real *at = &c[i * g->ldc + j];
            float s = g->flags & RD_ACCUMULATE ? (float)*at : 0;
            if (g->k > 0) s = flushed(s);
            for (size_t q = 0; q < g->k; q++) {
                /* pairs ascend, the odd one first; or every k descends */
                const size_t odd_first = q % 2 == 0 && q + 1 < g->k ? q + 1 : q % 2 ? q - 1 : q;
                const size_t k = g->flags & RD_K_DOWN ? g->k - 1 - q : odd_first;
                const rd_real a =
                    g->flags & RD_TRANS_A ? g->a[k * g->lda + i] : g->a[i * g->lda + k];
                const rd_real b =
                    g->flags & RD_TRANS_B ? g->b[j * g->ldb + k] : g->b[k * g->ldb + j];
                s = rule_10_term(as_bf16((float)a), as_bf16((float)b), s);
            }
            if (g->k > 0 || !(g->flags & RD_ACCUMULATE)) *at = s;
        }
}

static const char *flags_text(uint32_t flags, bool packed)
{
    static char text[80];

    (void)snprintf(text, sizeof text, "%s%s%s%s%s%s", flags & RD_BF16 ? "bf16 " : "",
                   flags & RD_TRANS_A ? "trans_a " : "", flags & RD_TRANS_B ? "trans_b " : "",
                   flags & RD_ACCUMULATE ? "accumulate " : "", flags & RD_K_DOWN ? "k_down " : "",
                   packed ? "packed" : "");
    return text;
}

/* Everything of c is compared: sums, gaps between rows and guards. */
static void compare(const rd_kernels *kernels, rd_gemm g, const matrix *c, bool packed)
{
    const size_t bytes = c->n * sizeof(rd_real);
    rd_real *want = malloc(bytes), *got = malloc(bytes);
    void *panels = NULL;

    assert_true(want && got);
    memcpy(want, c->memory, bytes);
    memcpy(got, c->memory, bytes);
    if (!(g.flags & RD_ACCUMULATE))
        for (size_t i = 0; i < g.m; i++)
            for (size_t j = 0; j < g.n; j++)
                got[c->at - c->memory + (ptrdiff_t)(i * g.ldc + j)] = (rd_real)NAN;
    if (g.flags & RD_BF16)
        by_rule_10(&g, want + (c->at - c->memory));
    else
        by_rule_3(&g, want + (c->at - c->memory));
    if (packed) {
        const size_t k = g.flags & RD_BF16 ? (g.k + 1) / 2 : g.k;
        const size_t size = (kernels->pack_bytes(k, g.n) + 127) / 64 * 64, np = (g.n + 63) / 64;
        panels = aligned_alloc(64, size);
        assert_non_null(panels);
        memset(panels, 0xff, size); /* NaN where pack() forgets to write */
        kernels->pack(&g, panels, np / 2, np);
        kernels->pack(&g, panels, 0, np / 2);
        g.packed_b = panels;
    }
    g.c = got + (c->at - c->memory);
    kernels->gemm(&g);
    if (memcmp(want, got, bytes) != 0)
        fail_msg("%s: %zu x %zu x %zu, lda %zu ldb %zu ldc %zu %s", kernels->name, g.m, g.n, g.k,
                 g.lda, g.ldb, g.ldc, flags_text(g.flags, packed));
    free(panels);
    free(want);
    free(got);
}
static void try_shape(const rd_kernels *kernels, shape s, uint32_t flags)
{
    const matrix a = matrix_new(s.m, s.k, flags & RD_TRANS_A, s.pad, 1);
    const matrix b = matrix_new(s.k, s.n, flags & RD_TRANS_B, s.pad * 2, 2);
    const matrix c = matrix_new(s.m, s.n, false, s.pad, 3);
    const rd_gemm g = {.size = sizeof(rd_gemm),
                       .flags = flags,
                       .m = s.m,
                       .n = s.n,
                       .k = s.k,
                       .a = a.at,
                       .b = b.at,
                       .c = c.at,
                       .lda = a.row,
                       .ldb = b.row,
                       .ldc = c.row};

    compare(kernels, g, &c, false);
    compare(kernels, g, &c, true);
    free(a.memory);
    free(b.memory);
    free(c.memory);
}
/* Calls fn for every backend that this processor can run and that promises rule 3. */
static void each_backend(void (*fn)(const rd_kernels *))
{
    const rd_kernels *k;

    for (size_t i = 0; (k = backend_at(i)); i++)
        if (runs_here(k) && !(k->flags & RD_KERNELS_INEXACT)) fn(k);
}

/* The same for backends with products of bfloat16. */
static void each_bf16_backend(void (*fn)(const rd_kernels *))
{
    const rd_kernels *k;

    for (size_t i = 0; (k = backend_at(i)); i++)
        if (runs_here(k) && k->flags & RD_KERNELS_BF16) fn(k);
}

/* Slow builds (sanitizers, no optimisation) take every fifth. */
#ifdef RDC_GUARD
enum { STRIDE = 5 };
#else
enum { STRIDE = 1 };
#endif
static void small_sizes(const rd_kernels *kernels)
{
    /* 0..67 in each direction, each with four of the sixteen flags in turn. */
    for (uint32_t i = 0; i <= 67; i += STRIDE)
        for (uint32_t q = 0; q < 4; q++) {
            const uint32_t flags = (i + 4 * q) % 16;
            const shape s = {i, (i * 29 + flags * 7) % 68, (i * 13 + flags * 11) % 68, i % 4};
            try_shape(kernels, s, flags);
            try_shape(kernels, (shape){s.k, s.m, s.n, s.pad + 1}, flags);
        }
}
static void test_sizes_up_to_67_equal_rule_3(void **state)
{
    (void)state;
    each_backend(small_sizes);
}
static void large_sizes(const rd_kernels *kernels)
{
    static const shape shapes[] = {{255, 9, 257, 1}, {7, 256, 255, 0}, {257, 65, 3, 2},
                                   {1, 255, 257, 3}, {2, 257, 256, 0}, {50, 64, 256, 64},
                                   {13, 128, 511, 0}};
    for (uint32_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (uint32_t q = 0; q < 4; q++) try_shape(kernels, shapes[i], (i * 5 + 4 * q) % 16);
}
static void test_sizes_around_256_equal_rule_3(void **state)
{
    (void)state;
    each_backend(large_sizes);
}
static void few_rows(const rd_kernels *kernels)
{
    for (size_t m = 1; m <= 13; m++)
        for (uint32_t flags = 0; flags < 16; flags += STRIDE)
            try_shape(kernels, (shape){m, 70, 40, 1}, flags);
}
static void test_every_number_of_rows_in_a_tile(void **state)
{
    (void)state;
    each_backend(few_rows);
}
/* More than a cache holds, which is read in another way. */
static void one_row_by_a_large_matrix(const rd_kernels *kernels)
{
    const shape s = {1, 1090, 1930, 1};
    try_shape(kernels, s, RD_TRANS_B | RD_ACCUMULATE);
    try_shape(kernels, s, RD_TRANS_B);
    try_shape(kernels, s, RD_TRANS_B | RD_TRANS_A);
}
static void test_one_row_by_a_large_matrix_equals_rule_3(void **state)
{
    (void)state;
    each_backend(one_row_by_a_large_matrix);
}
static void no_terms(const rd_kernels *kernels)
{
    rd_real c[4] = {1, 2, 3, 4};
    rd_gemm g = {.size = sizeof(rd_gemm), .flags = RD_ACCUMULATE, .m = 2, .n = 2, .c = c, .ldc = 2};

    kernels->gemm(&g);
    assert_true(c[0] == 1 && c[3] == 4);
    g.flags = 0;
    kernels->gemm(&g);
    assert_true(c[0] == 0 && c[1] == 0 && c[2] == 0 && c[3] == 0);
}
static void test_no_terms_give_zero_or_what_was_there(void **state)
{
    (void)state;
    each_backend(no_terms);
}
/* 1 + 2^-24 is 1 in float: 1, then many small ones, differs from the small ones first. */
static void down_from_the_last(const rd_kernels *kernels)
{
    enum { K = 300 };
    rd_real a[K], b[K], up, down;
    rd_gemm g = {
        .size = sizeof(rd_gemm), .m = 1, .n = 1, .k = K, .a = a, .b = b, .lda = K, .ldb = 1};

    for (int k = 0; k < K; k++)
        a[k] = 1, b[k] = k == 0 ? 1 : sizeof(rd_real) == 4 ? (rd_real)0x1p-24 : (rd_real)0x1p-53;
    g.flags = 0, g.c = &up, g.ldc = 1;
    kernels->gemm(&g);
    g.flags = RD_K_DOWN, g.c = &down;
    kernels->gemm(&g);
    assert_true(up == 1 && down > 1);
}
static void test_k_down_walks_from_the_last_term(void **state)
{
    (void)state;
    each_backend(down_from_the_last);
}

/* Operations in a round, by what comes back for one more. */
static void rounds_add_up(const rd_kernels *kernels)
{
    if (!kernels->multiply_adds) return;
    const double one = kernels->multiply_adds(1);

    assert_true(one >= 2);
    assert_true(kernels->multiply_adds(10) == 10 * one);
}
static void test_multiply_adds_count_their_operations(void **state)
{
    (void)state;
    each_backend(rounds_add_up);
}

/* ---- bfloat16: rule 10 --------------------------------------------------------------------- */

static void bf16_sizes(const rd_kernels *kernels)
{
    static const shape large[] = {{64, 65, 515, 1}, {97, 64, 131, 0}, {1, 130, 300, 3},
                                  {25, 17, 700, 0}, {73, 48, 257, 2}, {49, 200, 8, 0}};
    for (uint32_t i = 0; i <= 67; i += 3 * STRIDE)
        for (uint32_t q = 0; q < 4; q++) {
            const uint32_t flags = (i + 4 * q) % 16;
            const shape s = {i, (i * 29 + flags * 7) % 68, (i * 13 + flags * 11) % 68, i % 4};
            try_shape(kernels, s, flags | RD_BF16);
            try_shape(kernels, (shape){s.k, s.m, s.n, s.pad + 1}, flags | RD_BF16);
        }
    for (uint32_t i = 0; i < sizeof large / sizeof large[0]; i += STRIDE)
        for (uint32_t q = 0; q < 4; q++)
            try_shape(kernels, large[i], (i * 5 + 4 * q) % 16 | RD_BF16);
}
static void test_products_of_bf16_equal_rule_10(void **state)
{
    (void)state;
    each_bf16_backend(bf16_sizes);
}

/* Exponents near the smallest: sums of two or three terms that are small, round up to 2^-126 or vanish. */
static void fill_small(rd_real *x, size_t n, uint32_t seed, uint32_t exponent)
{
    uint32_t u = seed * 2654435761u + 1;
    for (size_t i = 0; i < n; i++) {
        u = u * 1664525u + 1013904223u;
        const uint32_t low = u >> 5 & 1 ? 0 : u >> 8 & 0x7f0000;
        x[i] = rd_from_bits_f((u & 0x80000000u) | (exponent + (u >> 24) % 5) << 23 | low);
    }
}
static void bf16_edges(const rd_kernels *kernels)
{
    enum { M = 96, N = 64, K = 3 };
    static const uint32_t exponents[][2] = {{62, 62}, {50, 50}, {1, 127}, {0, 120}, {64, 37}};
    for (uint32_t e = 0; e < sizeof exponents / sizeof exponents[0]; e++) {
        const matrix a = matrix_new(M, K, false, 0, 1), b = matrix_new(K, N, false, 0, 2);
        const matrix c = matrix_new(M, N, false, 0, 3);
        rd_gemm g = {.size = sizeof g, .flags = RD_BF16 | RD_ACCUMULATE, .m = M, .n = N, .k = K};
        fill_small(a.at, M * K, 4 * e, exponents[e][0]);
        fill_small(b.at, K * N, 4 * e + 1, exponents[e][1]);
        fill_small(c.at, M * N, 4 * e + 2, e == 3 ? 0 : 1); /* e = 3: denormals */
        g.a = a.at, g.b = b.at, g.c = c.at;
        g.lda = a.row, g.ldb = b.row, g.ldc = c.row;
        compare(kernels, g, &c, false);
        compare(kernels, g, &c, true);
        free(a.memory);
        free(b.memory);
        free(c.memory);
    }
}
static void test_small_sums_of_bf16_are_zero_as_rule_10_has_it(void **state)
{
    (void)state;
    each_bf16_backend(bf16_edges);
}

/* A gradient of rows added in two parts has the bits of one, wherever it is cut, also where it is -0. */
static void bf16_parts(const rd_kernels *kernels)
{
    enum { M = 5, N = 20, K = 7 };
    rd_real a[K * M], b[K * N], whole[M * N], parts[M * N];
    fill(a, K * M, 5);
    fill(b, K * N, 6);
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
        kernels->gemm(&g);
        g.c = parts, g.k = K - cut, g.a = a + cut * M, g.b = b + cut * N;
        kernels->gemm(&g);
        g.k = cut, g.a = a, g.b = b;
        kernels->gemm(&g);
        assert_true(memcmp(whole, parts, sizeof whole) == 0);
    }
}
static void test_rows_of_bf16_can_be_added_in_parts(void **state)
{
    (void)state;
    each_bf16_backend(bf16_parts);
}

/* ---- integers of 8 bits: rule 10 ------------------------------------------------------------ */

/* The scale of k numbers `next` apart. */
static float scale_of(const rd_real *x, size_t k, size_t next, float *inverse)
{
    float most = 0;
    for (size_t i = 0; i < k; i++) most = fmaxf(most, fabsf((float)x[i * next]));
    *inverse = most < 0x1p-100f ? 0 : 127 / most;
    return most < 0x1p-100f ? 0 : most / 127;
}
static void by_rule_10_int8(const rd_gemm *g, rd_real *c)
{
    const bool trans = g->flags & RD_TRANS_B;
    const size_t next_k = trans ? 1 : g->ldb, next_j = trans ? g->ldb : 1;
    for (size_t i = 0; i < g->m; i++)
        for (size_t j = 0; j < g->n; j++) {
            const rd_real *a = g->a + i * g->lda, *b = g->b + j * next_j;
            float to_a, to_b;
            const float sa = scale_of(a, g->k, 1, &to_a), sb = scale_of(b, g->k, next_k, &to_b);
            int64_t sum = 0;
            for (size_t k = 0; k < g->k; k++)
                sum += (int64_t)rintf((float)a[k] * to_a) *
                       (int64_t)rintf((float)b[k * next_k] * to_b);
            const float add = (float)sum * sa * sb;
            rd_real *at = &c[i * g->ldc + j];
            *at = g->flags & RD_ACCUMULATE ? *at + add : add;
        }
}
static void int8_shape(const rd_kernels *kernels, shape s, uint32_t flags)
{
    const matrix a = matrix_new(s.m, s.k, false, s.pad, 1);
    const matrix b = matrix_new(s.k, s.n, flags & RD_TRANS_B, s.pad, 2);
    matrix c = matrix_new(s.m, s.n, false, s.pad, 3);
    rd_real *want = malloc(c.n * sizeof(rd_real));
    void *panels = aligned_alloc(64, (kernels->pack_bytes((s.k + 3) / 4 + 2, s.n) + 127) / 64 * 64);
    rd_gemm g = {.size = sizeof g, .flags = flags | RD_INT8, .m = s.m, .n = s.n, .k = s.k};
    assert_true(want && panels);
    if (s.m > 2) memset(a.at + a.row, 0, s.k * sizeof(rd_real)); /* a row of zeros */
    g.a = a.at, g.b = b.at, g.c = want + (c.at - c.memory);
    g.lda = a.row, g.ldb = b.row, g.ldc = c.row;
    memcpy(want, c.memory, c.n * sizeof(rd_real));
    by_rule_10_int8(&g, g.c);
    kernels->pack(&g, panels, 0, (s.n + 63) / 64);
    g.packed_b = panels;
    g.c = c.at;
    kernels->gemm(&g);
    if (memcmp(want, c.memory, c.n * sizeof(rd_real)) != 0)
        fail_msg("%s: int8 %zu x %zu x %zu %s", kernels->name, s.m, s.n, s.k,
                 flags_text(flags, true));
    free(a.memory);
    free(b.memory);
    free(c.memory);
    free(want);
    free(panels);
}
static void int8_sizes(const rd_kernels *kernels)
{
    static const shape shapes[] = {{1, 1, 1, 0},    {1, 64, 4, 1},   {3, 65, 130, 0},
                                   {1, 200, 67, 2}, {5, 63, 257, 1}, {2, 128, 1000, 3}};
    for (uint32_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (uint32_t flags = 0; flags < 4; flags++)
            int8_shape(kernels, shapes[i],
                       (flags & 1 ? RD_TRANS_B : 0u) | (flags & 2 ? RD_ACCUMULATE : 0u));
}
static void test_products_of_int8_equal_rule_10(void **state)
{
    const rd_kernels *k;

    (void)state;
    for (size_t i = 0; (k = backend_at(i)); i++)
        if (runs_here(k) && k->flags & RD_KERNELS_INT8) int8_sizes(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_of_int8_equal_rule_10),
        cmocka_unit_test(test_products_of_bf16_equal_rule_10),
        cmocka_unit_test(test_small_sums_of_bf16_are_zero_as_rule_10_has_it),
        cmocka_unit_test(test_rows_of_bf16_can_be_added_in_parts),
        cmocka_unit_test(test_sizes_up_to_67_equal_rule_3),
        cmocka_unit_test(test_sizes_around_256_equal_rule_3),
        cmocka_unit_test(test_every_number_of_rows_in_a_tile),
        cmocka_unit_test(test_one_row_by_a_large_matrix_equals_rule_3),
        cmocka_unit_test(test_no_terms_give_zero_or_what_was_there),
        cmocka_unit_test(test_k_down_walks_from_the_last_term),
        cmocka_unit_test(test_multiply_adds_count_their_operations),
    };
    return cmocka_run_group_tests(tests, open_core, close_core);
}
