/* test_pointmath.c - the functions of pointmath.h: how near the true values, and the same bits everywhere.
 *
 * Also compiled alone with other compilers, flags and processors by the tests of the bit contract:
 * with RD_TEST_ALONE it needs no test library and prints the table below.
 * SPDX-License-Identifier: MIT */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#ifndef RD_TEST_ALONE
#include <cmocka.h>
#endif
#include "rondo/pointmath.h"

enum { N = 1 << 16 };
enum { F_EXP, F_EXPM1, F_LOG, F_LOG1P, F_SIGMOID, F_TANH, F_SOFTPLUS, F_SQRT, F_COUNT };
static const char *const names[] = {"exp",     "expm1", "log",      "log1p",
                                    "sigmoid", "tanh",  "softplus", "sqrt"};

/* One loop per function so that each is widened by itself. */
#define EACH(suffix, type, function) \
    for (size_t i = 0; i < n; i++) y[i] = function##suffix(x[i]); \
    break
#define APPLY(suffix, type) \
    RD_CLONES static void apply##suffix(int f, type *restrict y, const type *restrict x, size_t n) \
    { \
        switch (f) { \
        case F_EXP: \
            EACH(suffix, type, rd_exp); \
        case F_EXPM1: \
            EACH(suffix, type, rd_expm1); \
        case F_LOG: \
            EACH(suffix, type, rd_log); \
        case F_LOG1P: \
            EACH(suffix, type, rd_log1p); \
        case F_SIGMOID: \
            EACH(suffix, type, rd_sigmoid); \
        case F_TANH: \
            EACH(suffix, type, rd_tanh); \
        case F_SOFTPLUS: \
            EACH(suffix, type, rd_softplus); \
        case F_SQRT: \
            EACH(suffix, type, rd_sqrt); \
        } \
    }
APPLY(_f, float)
APPLY(_d, double)

/* FNV-1a over the bits; every NaN counts as one. */
static uint64_t mix(uint64_t h, uint64_t bits)
{
    for (int i = 0; i < 8; i++, bits >>= 8) h = (h ^ (bits & 255)) * 0x100000001b3u;
    return h;
}
static const uint64_t seed = 0xcbf29ce484222325u;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 11;
}
/* Half the inputs are any bit pattern, half lie in [-20, 20). */
static uint64_t hash_f(int f)
{
    static float x[N], y[N];
    uint64_t state = 1, h = seed;

    for (int i = 0; i < N; i++) {
        const uint64_t u = next_random(&state);
        x[i] = i % 2 ? rd_from_bits_f((uint32_t)(u >> 8))
                     : (float)(u >> 29) * (40.0f / (1 << 24)) - 20;
    }
    apply_f(f, y, x, N);
    for (int i = 0; i < N; i++) h = mix(h, y[i] != y[i] ? 1 : rd_bits_f(y[i]));
    return h;
}
static uint64_t hash_d(int f)
{
    static double x[N], y[N];
    uint64_t state = 1, h = seed;

    for (int i = 0; i < N; i++) {
        const uint64_t u = next_random(&state);
        x[i] = i % 2 ? rd_from_bits_d(u << 11 | (u & 2047)) : (double)u * (40.0 * 0x1p-53) - 20;
    }
    apply_d(f, y, x, N);
    for (int i = 0; i < N; i++) h = mix(h, y[i] != y[i] ? 1 : rd_bits_d(y[i]));
    return h;
}
RD_CLONES static void apply_sincos(double *restrict s, double *restrict c, const double *restrict x,
                                   size_t n)
{
    for (size_t i = 0; i < n; i++) rd_sincos_d(x[i], &s[i], &c[i]);
}
static uint64_t hash_sincos(void)
{
    static double x[N], s[N], c[N];
    uint64_t state = 1, h = seed;

    for (int i = 0; i < N; i++)
        x[i] =
            (double)next_random(&state) * (i % 2 ? 2000 * 0x1p-53 : 0x1p-50) - (i % 2 ? 1000 : 0);
    apply_sincos(s, c, x, N);
    for (int i = 0; i < N; i++) h = mix(mix(h, rd_bits_d(s[i])), rd_bits_d(c[i]));
    return h;
}
/* Row sums of every length up to 100 from one buffer. */
RD_CLONES static void row_sums(const rd_real *x, const rd_real *y, rd_real out[3][101])
{
    for (size_t n = 0; n <= 100; n++) {
        out[0][n] = rd_sum16(x, n);
        out[1][n] = rd_dot16(x, y, n);
        out[2][n] = rd_max16(x, n);
    }
}
static void fill_rows(rd_real x[101], rd_real y[101])
{
    uint64_t state = 7;

    for (int i = 0; i <= 100; i++) {
        x[i] = (rd_real)((double)(next_random(&state) >> 29) * 0x1p-23 - 1);
        y[i] = (rd_real)((double)(next_random(&state) >> 29) * 0x1p-23 - 1);
    }
}

/* What gcc 12 at -O0 gives; every other build must agree. */
static const struct golden {
    const char *name;
    uint64_t f, d;
} golden[F_COUNT] = {
    {"exp", 0x96731a89f220b6b8u, 0xe10a957c52a5720fu},
    {"expm1", 0xed19fc65da29e6c9u, 0x60f7e79637226771u},
    {"log", 0x2363c1a5826f27dcu, 0xcb18643934625a6au},
    {"log1p", 0x452dedef46c26b8bu, 0x561fff71e786053du},
    {"sigmoid", 0x6e790680a1a03430u, 0x71e43dc1afb80f75u},
    {"tanh", 0x26dd5aeaa5074af3u, 0x8f99b66f682ba63eu},
    {"softplus", 0xb30a9f2eea5627cdu, 0x2baceb2288e0bd6au},
    {"sqrt", 0x2c54ea63ddfae7b9u, 0xfd0bc28d4afa2fafu},
};
static const uint64_t golden_sincos = 0x56a3af910bee1efdu;

#ifdef RD_TEST_ALONE
int main(void)
{
    int bad = 0;

    for (int f = 0; f < F_COUNT; f++) {
        const uint64_t a = hash_f(f), b = hash_d(f);
        bad += a != golden[f].f || b != golden[f].d;
        printf("    {\"%s\", 0x%016llxu, 0x%016llxu},\n", names[f], (unsigned long long)a,
               (unsigned long long)b);
    }
    bad += hash_sincos() != golden_sincos;
    printf("sincos 0x%016llxu\n%s\n", (unsigned long long)hash_sincos(),
           bad ? "DIFFERENT" : "same");
    return bad != 0;
}
#else
static void test_every_build_gives_these_bits(void **state)
{
    (void)state;
    for (int f = 0; f < F_COUNT; f++) {
        if (hash_f(f) != golden[f].f || hash_d(f) != golden[f].d)
            fail_msg("%s: 0x%016llx and 0x%016llx", names[f], (unsigned long long)hash_f(f),
                     (unsigned long long)hash_d(f));
    }
    assert_int_equal(hash_sincos(), golden_sincos);
}

static long double truth(int f, long double x)
{
    switch (f) {
    case F_EXP:
        return expl(x);
    case F_EXPM1:
        return expm1l(x);
    case F_LOG:
        return logl(x);
    case F_LOG1P:
        return log1pl(x);
    case F_SIGMOID:
        return 1 / (1 + expl(-x));
    case F_TANH:
        return tanhl(x);
    case F_SOFTPLUS:
        return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
    default:
        return sqrtl(x);
    }
}
/* Inputs whose results are normal numbers: both signs, magnitudes from 2^-40 up to `most`. */
static double input(int f, int i, uint64_t *state)
{
    const double most[] = {87, 87, 1e30, 1e30, 80, 30, 80, 1e30};
    const double u = (double)next_random(state) * 0x1p-53;
    const double x = i % 2 ? exp2(u * (log2(most[f]) + 40) - 40) : u * most[f];
    const bool negative = i % 4 > 1;

    if (f == F_LOG || f == F_SQRT) return x;
    return !negative ? x : f == F_LOG1P ? -u * 0.999 : -x;
}
/* Largest error of function f in units of the last place of the true value. */
static double worst_f(int f)
{
    static float x[N], y[N];
    uint64_t state = 3;
    double worst = 0;

    for (int i = 0; i < N; i++) x[i] = (float)input(f, i, &state);
    apply_f(f, y, x, N);
    for (int i = 0; i < N; i++) {
        const long double want = truth(f, x[i]);
        const double ulp = exp2(floor(log2((double)fabsl(want))) - 23);
        worst = fmax(worst, want == 0 ? 0 : (double)fabsl((long double)y[i] - want) / ulp);
    }
    return worst;
}
static double worst_d(int f)
{
    static double x[N], y[N];
    uint64_t state = 3;
    double worst = 0;

    for (int i = 0; i < N; i++) x[i] = input(f, i, &state);
    apply_d(f, y, x, N);
    for (int i = 0; i < N; i++) {
        const long double want = truth(f, x[i]);
        worst = fmax(worst, want == 0 ? 0 : (double)fabsl((y[i] - want) / want));
    }
    return worst;
}
static void test_float_errors_stay_under_two_and_a_half_ulp(void **state)
{
    (void)state;
    for (int f = 0; f < F_COUNT; f++) {
        const double worst = worst_f(f);
        if (!(worst < 2.5)) fail_msg("%s is off by %.2f ulp", names[f], worst);
    }
}
static void test_double_errors_stay_under_1e_15(void **state)
{
    (void)state;
    for (int f = 0; f < F_COUNT; f++) {
        const double worst = worst_d(f);
        if (!(worst < 1e-15)) fail_msg("%s is off by %.3g", names[f], worst);
    }
}
static void test_sine_and_cosine_are_near_the_true_values(void **state)
{
    uint64_t random = 5;

    (void)state;
    for (int i = 0; i < N; i++) {
        const double x = (double)next_random(&random) * (200 * 0x1p-53) - 100;
        double s, c;
        rd_sincos_d(x, &s, &c);
        assert_true(fabsl(s - sinl(x)) < 2.5e-16L && fabsl(c - cosl(x)) < 2.5e-16L);
    }
    assert_true(rd_cos_d(0) == 1);
}
static void test_infinities_give_limits(void **state)
{
    const float inf = INFINITY;

    (void)state;
    assert_true(rd_exp_f(-inf) == 0 && rd_exp_f(inf) == inf);
    assert_true(rd_exp_f(88.72283f) < inf && rd_exp_f(88.72284f) == inf);
    assert_true(rd_exp_f(-103.97208f) == 0x1p-149f && rd_exp_f(-103.97209f) == 0);
    assert_true(rd_expm1_f(-inf) == -1 && rd_expm1_f(inf) == inf);
    assert_true(rd_log_f(0) == -inf && rd_log_f(inf) == inf && rd_log_f(-1) != rd_log_f(-1));
    assert_true(rd_log_f(1) == 0 && rd_log1p_f(0) == 0);
    assert_true(rd_log1p_f(-1) == -inf && rd_log1p_f(inf) == inf);
    assert_true(rd_sigmoid_f(-inf) == 0 && rd_sigmoid_f(inf) == 1 && rd_sigmoid_f(0) == 0.5f);
    assert_true(rd_tanh_f(-inf) == -1 && rd_tanh_f(inf) == 1 && rd_tanh_f(0) == 0);
    assert_true(rd_softplus_f(-inf) == 0 && rd_softplus_f(inf) == inf);
}
static void test_infinities_give_limits_in_double(void **state)
{
    const double inf = (double)INFINITY;

    (void)state;
    assert_true(rd_exp_d(-inf) == 0 && rd_exp_d(inf) == inf);
    assert_true(rd_exp_d(709.78) < inf && rd_exp_d(709.79) == inf);
    assert_true(rd_exp_d(-745.13) == 0x1p-1074 && rd_exp_d(-745.14) == 0);
    assert_true(rd_expm1_d(-inf) == -1 && rd_expm1_d(inf) == inf);
    assert_true(rd_log_d(0) == -inf && rd_log_d(inf) == inf && rd_log_d(-1) != rd_log_d(-1));
    assert_true(rd_log1p_d(-1) == -inf && rd_log1p_d(inf) == inf);
    assert_true(rd_sigmoid_d(-inf) == 0 && rd_sigmoid_d(inf) == 1 && rd_sigmoid_d(0) == 0.5);
    assert_true(rd_tanh_d(-inf) == -1 && rd_tanh_d(inf) == 1 && rd_tanh_d(0) == 0);
    assert_true(rd_softplus_d(-inf) == 0 && rd_softplus_d(inf) == inf);
}
static void test_nan_passes_through(void **state)
{
    const float x[] = {NAN};
    const double xd[] = {(double)NAN};
    float y[1];
    double yd[1];

    (void)state;
    for (int f = 0; f < F_COUNT; f++) {
        apply_f(f, y, x, 1);
        apply_d(f, yd, xd, 1);
        if (!isnan(y[0]) || !isnan(yd[0])) fail_msg("%s loses NaN", names[f]);
    }
}
static void test_tiny_inputs_keep_their_precision(void **state)
{
    (void)state;
    assert_true(rd_tanh_f(1e-40f) == 1e-40f && rd_tanh_f(-1e-30f) == -1e-30f);
    assert_true(rd_expm1_f(1e-40f) == 1e-40f && rd_log1p_f(1e-40f) == 1e-40f);
    assert_true(rd_tanh_d(1e-310) == 1e-310 && rd_expm1_d(-1e-200) == -1e-200);
    assert_true(fabs(rd_log_d(1e-310) - log(1e-310)) < 1e-12);
}

/* Rule 7, as it is written. */
static rd_real lanes_by_hand(const rd_real *x, const rd_real *y, size_t n)
{
    rd_real s[16] = {0};

    for (size_t e = 0; e < n; e++) s[e % 16] = y ? rd_fma(x[e], y[e], s[e % 16]) : s[e % 16] + x[e];
    for (int l = 0; l < 8; l++) s[l] += s[l + 8];
    for (int l = 0; l < 4; l++) s[l] += s[l + 4];
    return (s[0] + s[2]) + (s[1] + s[3]);
}
static void test_row_sums_follow_rule_7(void **state)
{
    rd_real x[101], y[101], out[3][101];

    (void)state;
    fill_rows(x, y);
    row_sums(x, y, out);
    for (size_t n = 0; n <= 100; n++) {
        assert_true(out[0][n] == lanes_by_hand(x, NULL, n));
        assert_true(out[1][n] == lanes_by_hand(x, y, n));
    }
}
static void test_row_maximum(void **state)
{
    rd_real x[101], y[101], out[3][101], want = -(rd_real)INFINITY;

    (void)state;
    fill_rows(x, y);
    row_sums(x, y, out);
    assert_true(out[2][0] == want);
    for (size_t n = 1; n <= 100; n++) {
        want = x[n - 1] > want ? x[n - 1] : want;
        assert_true(out[2][n] == want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_build_gives_these_bits),
        cmocka_unit_test(test_float_errors_stay_under_two_and_a_half_ulp),
        cmocka_unit_test(test_double_errors_stay_under_1e_15),
        cmocka_unit_test(test_sine_and_cosine_are_near_the_true_values),
        cmocka_unit_test(test_infinities_give_limits),
        cmocka_unit_test(test_infinities_give_limits_in_double),
        cmocka_unit_test(test_nan_passes_through),
        cmocka_unit_test(test_tiny_inputs_keep_their_precision),
        cmocka_unit_test(test_row_sums_follow_rule_7),
        cmocka_unit_test(test_row_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
