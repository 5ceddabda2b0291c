/* test_openblas.c - the INEXACT backend: what the scalar one computes, to rounding, where it is named.
 * SPDX-License-Identifier: MIT */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "rondo.h"

enum { MOST = 80 * 150 };
static rd_core *core;

static rd_status open_core(const char *kernels)
{
    const rd_core_options options = {
        .threads = 2, .kernels = kernels, .lib_dir = RD_TEST_LIB_DIR, .trust_plugins = true};
    rd_error err;

    return rd_core_open(&options, &core, &err);
}
static int close_core(void **state)
{
    (void)state;
    rd_core_release(core);
    core = NULL;
    return 0;
}
/* NULL: not built here, as libopenblas-dev was not there. */
static const rd_kernels *backend(const char *name, const char **why_not)
{
    for (size_t i = 0; i < rd_kernels_count(core); i++)
        if (strcmp(rd_kernels_at(core, i).kernels->name, name) == 0) {
            *why_not = rd_kernels_at(core, i).why_not;
            return rd_kernels_at(core, i).kernels;
        }
    return NULL;
}
static bool library_is_loaded(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char line[512];
    bool found = false;

    assert_non_null(f);
    while (fgets(line, sizeof line, f)) found = found || strstr(line, "libopenblas");
    fclose(f);
    return found;
}

/* First, while nothing of this program has named it. */
static void test_it_is_not_used_and_not_even_opened_where_it_is_not_named(void **state)
{
    const char *why_not = NULL;

    (void)state;
    assert_int_equal(open_core(NULL), RD_OK);
    if (!backend("openblas", &why_not)) skip();
    assert_string_not_equal(rd_core_kernels(core), "openblas");
    assert_string_equal(why_not,
                        "its products are not the bit contract's; name it in kernels to use it");
    assert_false(library_is_loaded());
}
static void test_it_is_used_where_it_is_named(void **state)
{
    (void)state;
    if (open_core("openblas,scalar") != RD_OK) skip();
    assert_string_equal(rd_core_kernels(core), "openblas");
    assert_true(library_is_loaded());
}

static void fill(rd_real *x, uint32_t seed)
{
    uint32_t u = seed;

    for (size_t i = 0; i < MOST; i++) {
        u = u * 1664525u + 1013904223u;
        x[i] = (rd_real)((double)(u >> 8) * 0x1p-23 - 1);
    }
}
static void absolute(rd_real *x)
{
    for (size_t i = 0; i < MOST; i++) x[i] = (rd_real)fabs((double)x[i]);
}
/* Any order of k + 1 terms of size at most 1 errs by k epsilon of the sum of their absolute values; the gaps
 * between rows and what is beyond C stay as they were. */
static void compare(const rd_kernels *exact, const rd_kernels *kernels, rd_gemm g, bool packed)
{
    static rd_real a[MOST], b[MOST], want[MOST], got[MOST], size[MOST];
    static rd_real panels[2 * MOST] __attribute__((aligned(64)));

    fill(a, 1), fill(b, 2), fill(want, 3), fill(got, 3), fill(size, 3);
    g.a = a, g.b = b;
    if (packed) {
        assert_true(kernels->pack_bytes(g.k, g.n) <= sizeof panels);
        kernels->pack(&g, panels, 1, (g.n + 63) / 64);
        kernels->pack(&g, panels, 0, 1);
        g.packed_b = panels;
    }
    g.c = got;
    kernels->gemm(&g);
    g.packed_b = NULL, g.c = want;
    exact->gemm(&g);
    absolute(a), absolute(b), absolute(size);
    g.c = size;
    exact->gemm(&g);
    for (size_t i = 0; i < MOST; i++) {
        const bool inside = i / g.ldc < g.m && i % g.ldc < g.n;
        const double epsilon = sizeof(rd_real) == 4 ? (double)FLT_EPSILON : DBL_EPSILON;
        const double allowed = inside ? (double)(g.k + 1) * epsilon * (double)size[i] : 0;
        if (!(fabs((double)got[i] - (double)want[i]) <= allowed))
            fail_msg("%zu x %zu x %zu flags %u packed %d: number %zu is %g, not %g", g.m, g.n, g.k,
                     g.flags, packed, i, (double)got[i], (double)want[i]);
    }
}
static void test_its_products_are_the_scalar_ones_to_rounding(void **state)
{
    static const size_t shapes[][3] = {{1, 1, 1},    {1, 130, 70}, {2, 64, 33},
                                       {7, 65, 80},  {70, 3, 129}, {64, 128, 64},
                                       {50, 100, 7}, {5, 6, 0},    {0, 6, 5}};
    const char *why_not = NULL;

    (void)state;
    if (open_core("openblas") != RD_OK) skip();
    const rd_kernels *kernels = backend("openblas", &why_not);
    const rd_kernels *exact = backend("scalar", &why_not);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (uint32_t flags = 0; flags < 16; flags++) {
            const size_t m = shapes[i][0], n = shapes[i][1], k = shapes[i][2];
            const rd_gemm g = {.size = sizeof g,
                               .flags = flags,
                               .m = m,
                               .n = n,
                               .k = k,
                               .lda = (flags & RD_TRANS_A ? m : k) + 1,
                               .ldb = (flags & RD_TRANS_B ? k : n) + 2,
                               .ldc = n + 3};
            compare(exact, kernels, g, false);
            compare(exact, kernels, g, true);
        }
}

#define EACH(test) cmocka_unit_test_teardown(test, close_core)
int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_it_is_not_used_and_not_even_opened_where_it_is_not_named),
        EACH(test_it_is_used_where_it_is_named),
        EACH(test_its_products_are_the_scalar_ones_to_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
