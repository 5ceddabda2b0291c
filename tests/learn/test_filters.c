/* test_filters.c - what changes logits and takes classes away, against plain references.
 * SPDX-License-Identifier: MIT */
#include "learn/sampling.h"
#include "support/tensors.h"
#include <math.h>
#include <string.h>

enum { N = 37, ROUNDS = 60 };

/* Weights of round `i`: exponentials of random numbers, some of them equal. */
static void weights_of(uint32_t i, rd_real *p)
{
    const rd_stream s = {.seed = 3, .purpose = RD_FOR_USER, .time = i};
    for (uint32_t j = 0; j < N; j++) {
        const double u = floor(rd_uniform_at(&s, 0, j) * 200) / 200;
        p[j] = (rd_real)exp(-8 * u);
    }
}

/* Reference: takes the class with the largest key (the first of equal ones) again and again, until `most` are
 * kept or their share of the sum reaches `share`. */
static void keep_plainly(const double *key, size_t most, double share, rd_real *p)
{
    bool kept[N] = {0};
    double all = 0, sum = 0;
    for (int j = 0; j < N; j++) all += (double)p[j];
    for (size_t n = 0; n < most && (n == 0 || sum < share * all); n++) {
        int best = -1;
        for (int j = 0; j < N; j++)
            if (!kept[j] && (best < 0 || key[j] > key[best])) best = j;
        if (best < 0) break;
        kept[best] = true;
        sum += (double)p[best];
    }
    for (int j = 0; j < N; j++)
        if (!kept[j]) p[j] = 0;
}

static void filter_plainly(const rd_sampling *how, rd_real *p)
{
    double key[N], all = 0, entropy = 0, largest = 0;
    for (int j = 0; j < N; j++) key[j] = (double)p[j];
    if (how->top_k > 0) keep_plainly(key, how->top_k, HUGE_VAL, p);
    for (int j = 0; j < N; j++) all += (double)p[j];
    for (int j = 0; j < N; j++)
        if (p[j] > 0) entropy -= (double)p[j] / all * log((double)p[j] / all);
    for (int j = 0; j < N; j++)
        key[j] = p[j] > 0 ? -fabs(-log((double)p[j] / all) - entropy) : -HUGE_VAL;
    if (how->typical_p > 0 && how->typical_p < 1) keep_plainly(key, N, how->typical_p, p);
    for (int j = 0; j < N; j++) key[j] = (double)p[j];
    if (how->top_p < 1) keep_plainly(key, N, how->top_p, p);
    for (int j = 0; j < N; j++) largest = fmax(largest, (double)p[j]);
    for (int j = 0; j < N; j++)
        if ((double)p[j] < how->min_p * largest) p[j] = 0;
}

static void expect_as_plainly(const rd_sampling *how)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        rd_real found[N], want[N], key[N];
        uint32_t heap[N];
        weights_of(i, found);
        memcpy(want, found, sizeof want);
        rdc_filter(how, found, N, heap, key);
        filter_plainly(how, want);
        for (int j = 0; j < N; j++)
            if ((double)found[j] != (double)want[j])
                fail_msg("round %u, class %d: %g, expected %g", i, j + 1, (double)found[j],
                         (double)want[j]);
    }
}

static void test_filter_top_k_as_plainly(void **state)
{
    (void)state;
    expect_as_plainly(&(rd_sampling){.top_k = 1, .top_p = 1});
    expect_as_plainly(&(rd_sampling){.top_k = 9, .top_p = 1});
    expect_as_plainly(&(rd_sampling){.top_k = N, .top_p = 1});
}

static void test_filter_typical_as_plainly(void **state)
{
    (void)state;
    expect_as_plainly(&(rd_sampling){.typical_p = 0.1, .top_p = 1});
    expect_as_plainly(&(rd_sampling){.typical_p = 0.6, .top_p = 1});
    expect_as_plainly(&(rd_sampling){.typical_p = 0.95, .top_p = 1});
}

static void test_filter_top_p_as_plainly(void **state)
{
    (void)state;
    expect_as_plainly(&(rd_sampling){.top_p = 0.05});
    expect_as_plainly(&(rd_sampling){.top_p = 0.7});
    expect_as_plainly(&(rd_sampling){.top_p = 0.99});
}

static void test_filter_min_p_as_plainly(void **state)
{
    (void)state;
    expect_as_plainly(&(rd_sampling){.top_p = 1, .min_p = 0.013});
    expect_as_plainly(&(rd_sampling){.top_p = 1, .min_p = 1});
}

static void test_filters_come_in_the_documented_order(void **state)
{
    (void)state;
    expect_as_plainly(&(rd_sampling){.top_k = 20, .typical_p = 0.8, .top_p = 0.7, .min_p = 0.31});
    expect_as_plainly(&(rd_sampling){.top_k = 5, .typical_p = 0.5, .top_p = 0.9, .min_p = 0.5});
}

/* Of 1/2, 1/4, 3/20, 1/10 the entropy is 1.2080 and the surprises lie 0.515, 0.178, 0.689 and 1.095 from it:
 * by hand. The likeliest class is not the most typical one. */
static void test_filter_typical_by_hand(void **state)
{
    (void)state;
    rd_real p[4] = {0.5, 0.25, 0.15, 0.1}, key[4];
    uint32_t heap[4];
    rdc_filter(&(rd_sampling){.typical_p = 0.2, .top_p = 1}, p, 4, heap, key);
    assert_true(p[0] == 0 && p[1] == (rd_real)0.25 && p[2] == 0 && p[3] == 0);
}

/* Values in logical order, infinite ones too. */
static void expect_values(const rd_tensor *t, size_t n, const double *want)
{
    rd_real found[8];
    assert_int_equal(rd_tensor_numel(t), n);
    rd_tensor_read(t, found);
    for (size_t i = 0; i < n; i++)
        if ((double)found[i] != want[i])
            fail_msg("element %zu: %g, expected %g", i, (double)found[i], want[i]);
}

/* 4 / 2, -3 * 2, 0, 5; then +1 for id 2 and never id 3: by hand. */
static void test_adjust_penalty_then_bias(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const x = test_tensor(*state, SHAPE(1, 4), VALUES(4, -3, 0, 5));
    const rd_sampling how = {.top_p = 1,
                             .penalty = 2,
                             .seen = (const int32_t[]){1, 2},
                             .n_seen = 2,
                             .bias = (const rd_bias[]){{2, 1}, {3, -INFINITY}},
                             .n_bias = 2};
    OK(rd_adjust(x, &how, &y, &err));
    expect_values(y, 4, VALUES(2, -5, -INFINITY, 5));
    rd_tensor_release(y);
    rd_tensor_release(x);
}

static void test_adjust_leaves_what_is_allowed(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const x = test_tensor(*state, SHAPE(2, 3), VALUES(4, -3, 0, 5, 6, 7));
    const rd_sampling how = {.top_p = 1, .allowed = (const int32_t[]){3, 2, 3}, .n_allowed = 3};
    OK(rd_adjust(x, &how, &y, &err));
    expect_values(y, 6, VALUES(-INFINITY, -3, 0, -INFINITY, 6, 7));
    rd_tensor_release(y);
    rd_tensor_release(x);
}

static void test_sample_draws_only_what_is_allowed(void **state)
{
    rd_error err;
    rd_tensor *ids = NULL, *const x = test_tensor(*state, SHAPE(1, 3), VALUES(9, 0, 8));
    const rd_stream s = {.seed = 2, .purpose = RD_FOR_SAMPLE};
    OK(rd_sample(x, &(rd_sampling){.top_p = 1, .allowed = (const int32_t[]){2}, .n_allowed = 1}, &s,
                 &ids, &err));
    expect_values(ids, 1, VALUES(2));
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

static void test_sampling_wrong_options_are_named(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const x = test_tensor(*state, SHAPE(1, 2), VALUES(1, 2));
    rd_tensor *const v = test_tensor(*state, SHAPE(2), VALUES(1, 2));
    const int32_t three = 3;
    test_fails(rd_adjust(v, &(rd_sampling){.top_p = 1}, &y, &err), &err,
               "sample: expected logits (batch, classes), got (2)");
    test_fails(rd_adjust(x, &(rd_sampling){.top_p = 1, .typical_p = 1.5}, &y, &err), &err,
               "sample: typical_p must be at least 0 and at most 1, got 1.5");
    test_fails(rd_adjust(x, &(rd_sampling){.top_p = 1, .min_p = -1}, &y, &err), &err,
               "sample: min_p must be at least 0 and at most 1, got -1");
    test_fails(rd_adjust(x, &(rd_sampling){.top_p = 1, .penalty = -2}, &y, &err), &err,
               "sample: repetition penalty must be 0.01..100, got -2");
    test_fails(rd_adjust(x, &(rd_sampling){.top_p = 1, .seen = &three, .n_seen = 1}, &y, &err),
               &err, "sample: seen: ids are 1..2, got 3");
    test_fails(rd_adjust(x, &(rd_sampling){.top_p = 1, .allowed = &three, .n_allowed = 1}, &y,
                         &err),
               &err, "sample: allowed: ids are 1..2, got 3");
    test_fails(rd_adjust(x,
                         &(rd_sampling){.top_p = 1, .bias = &(rd_bias){1, INFINITY}, .n_bias = 1},
                         &y, &err),
               &err, "sample: a bias must be a number or -infinity, got inf");
    rd_tensor_release(v);
    rd_tensor_release(x);
}

static void test_top_comes_in_order(void **state)
{
    rd_error err;
    rd_tensor *ids = NULL, *values = NULL;
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 3), VALUES(1, 5, 1, -2, -INFINITY, -1));
    OK(rd_top(x, 3, &ids, &values, &err));
    expect_values(ids, 6, VALUES(2, 1, 3, 3, 1, 2));
    expect_values(values, 6, VALUES(5, 1, 1, -1, -2, -INFINITY));
    rd_tensor_release(values);
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

static void test_top_wrong_arguments_are_named(void **state)
{
    rd_error err;
    rd_tensor *ids = NULL, *values = NULL;
    rd_tensor *const x = test_tensor(*state, SHAPE(1, 2), VALUES(1, NAN));
    rd_tensor *const v = test_tensor(*state, SHAPE(2), VALUES(1, 2));
    test_fails(rd_top(v, 1, &ids, &values, &err), &err,
               "top: expected scores (batch, classes), got (2)");
    test_fails(rd_top(x, 3, &ids, &values, &err), &err,
               "top: k must be 1..2, the number of classes, got 3");
    test_fails(rd_top(x, 1, &ids, &values, &err), &err, "top: class 2 of row 1 is not a number");
    rd_tensor_release(v);
    rd_tensor_release(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter_top_k_as_plainly),
        cmocka_unit_test(test_filter_typical_as_plainly),
        cmocka_unit_test(test_filter_top_p_as_plainly),
        cmocka_unit_test(test_filter_min_p_as_plainly),
        cmocka_unit_test(test_filters_come_in_the_documented_order),
        cmocka_unit_test(test_filter_typical_by_hand),
        cmocka_unit_test(test_adjust_penalty_then_bias),
        cmocka_unit_test(test_adjust_leaves_what_is_allowed),
        cmocka_unit_test(test_sample_draws_only_what_is_allowed),
        cmocka_unit_test(test_sampling_wrong_options_are_named),
        cmocka_unit_test(test_top_comes_in_order),
        cmocka_unit_test(test_top_wrong_arguments_are_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
