/* test_sample.c - drawing ids: greedy, temperature, top-k, top-p, the stream.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"
#include <math.h>

enum { DRAWS = 20000, CLASSES = 5 };
/* log of 0.4, 0.1, 0.3, 0.15, 0.05 */
static const double share[CLASSES] = {0.4, 0.1, 0.3, 0.15, 0.05};

static rd_tensor *logits_of(rd_core *core)
{
    double x[CLASSES];
    for (int j = 0; j < CLASSES; j++) x[j] = log(share[j]) + 3;
    return test_tensor(core, SHAPE(1, CLASSES), x);
}

static size_t draw(rd_tensor *x, const rd_sampling *how, const rd_stream *stream)
{
    rd_error err;
    double id = 0;
    rd_tensor *ids = NULL;
    OK(rd_sample(x, how, stream, &ids, &err));
    OK(rd_tensor_get(ids, (size_t[]){0}, &id, &err));
    rd_tensor_release(ids);
    return (size_t)id;
}

/* Frequencies of DRAWS draws lie within four standard deviations of `want`. */
static void expect_shares(rd_core *core, const rd_sampling *how, const double *want)
{
    size_t seen[CLASSES + 1] = {0};
    rd_tensor *const x = logits_of(core);
    for (uint32_t i = 0; i < DRAWS; i++) {
        const rd_stream s = {.seed = 11, .purpose = RD_FOR_SAMPLE, .time = i};
        seen[draw(x, how, &s)]++;
    }
    assert_int_equal(seen[0], 0);
    for (int j = 0; j < CLASSES; j++) {
        const double p = want[j], found = (double)seen[j + 1] / DRAWS;
        if (fabs(found - p) > 4 * sqrt(p * (1 - p) / DRAWS))
            fail_msg("id %d: share %g, expected %g", j + 1, found, p);
    }
    rd_tensor_release(x);
}

static void test_sample_follows_the_probabilities(void **state)
{
    expect_shares(*state, &(rd_sampling){.temperature = 1, .top_p = 1}, share);
}

static void test_sample_temperature_sharpens(void **state)
{
    double want[CLASSES], sum = 0;
    for (int j = 0; j < CLASSES; j++) sum += share[j] * share[j];
    for (int j = 0; j < CLASSES; j++) want[j] = share[j] * share[j] / sum;
    expect_shares(*state, &(rd_sampling){.temperature = 0.5, .top_p = 1}, want);
}

static void test_sample_temperatures_near_0_are_greedy(void **state)
{
    const rd_stream s = {.seed = 11, .purpose = RD_FOR_SAMPLE};
    rd_tensor *const x = logits_of(*state);
    assert_int_equal(draw(x, &(rd_sampling){.temperature = 1e-39, .top_p = 1}, &s), 1);
    assert_int_equal(draw(x, &(rd_sampling){.temperature = 1e-320, .top_p = 1}, &s), 1);
    rd_tensor_release(x);
}

static void test_sample_top_k_keeps_the_k_most_likely(void **state)
{
    const double want[CLASSES] = {0.4 / 0.7, 0, 0.3 / 0.7, 0, 0};
    expect_shares(*state, &(rd_sampling){.temperature = 1, .top_k = 2, .top_p = 1}, want);
}

static void test_sample_top_p_keeps_the_smallest_set_that_reaches_p(void **state)
{
    const double want[CLASSES] = {0.4 / 0.85, 0, 0.3 / 0.85, 0.15 / 0.85, 0};
    expect_shares(*state, &(rd_sampling){.temperature = 1, .top_p = 0.75}, want);
}

static void test_sample_top_p_counts_what_top_k_left(void **state)
{
    const double want[CLASSES] = {1, 0, 0, 0, 0}; /* 0.4 / 0.7 reaches 0.5 */
    expect_shares(*state, &(rd_sampling){.temperature = 1, .top_k = 2, .top_p = 0.5}, want);
}

static void test_sample_filters_that_keep_all_change_nothing(void **state)
{
    rd_tensor *const x = logits_of(*state);
    const rd_sampling off = {.temperature = 1, .top_p = 1},
                      all = {.temperature = 1, .top_k = CLASSES, .top_p = 1};
    for (uint32_t i = 0; i < 500; i++) {
        const rd_stream s = {.seed = 5, .purpose = RD_FOR_SAMPLE, .time = i};
        assert_int_equal(draw(x, &off, &s), draw(x, &all, &s));
    }
    rd_tensor_release(x);
}

static void test_sample_greedy_takes_the_first_largest(void **state)
{
    rd_tensor *const x = test_tensor(*state, SHAPE(1, 4), VALUES(1, 7, 7, 2));
    const rd_stream s = {.seed = 5, .purpose = RD_FOR_SAMPLE};
    assert_int_equal(draw(x, &(rd_sampling){.temperature = 0, .top_p = 1}, &s), 2);
    assert_int_equal(draw(x, &(rd_sampling){.temperature = 1, .top_k = 1, .top_p = 1}, &s), 2);
    rd_tensor_release(x);
}

static void test_sample_never_draws_what_is_minus_infinity(void **state)
{
    rd_tensor *const x = test_tensor(*state, SHAPE(1, 3), VALUES(-INFINITY, 0, -INFINITY));
    for (uint32_t i = 0; i < 100; i++) {
        const rd_stream s = {.seed = 5, .purpose = RD_FOR_SAMPLE, .time = i};
        assert_int_equal(draw(x, &(rd_sampling){.temperature = 1, .top_p = 1}, &s), 2);
    }
    rd_tensor_release(x);
}

/* Row b draws number b of the stream's time, whatever lies beside it. */
static void test_sample_rows_have_streams_of_their_own(void **state)
{
    rd_error err;
    rd_tensor *ids = NULL, *x = NULL;
    const rd_stream s = {.seed = 8, .purpose = RD_FOR_SAMPLE, .time = 3};
    const rd_sampling how = {.temperature = 1, .top_p = 1};
    OK(rd_tensor_new(*state, 2, (size_t[]){4, 1000}, RD_DENSE, &x, &err));
    OK(rd_fill(x, 0, &err));
    OK(rd_sample(x, &how, &s, &ids, &err));
    for (uint32_t b = 0; b < 4; b++) {
        double id = 0;
        OK(rd_tensor_get(ids, (size_t[]){b}, &id, &err));
        assert_true(id == floor(1000 * rd_uniform_at(&s, b, 0)) + 1);
    }
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

static void test_sample_wrong_arguments_are_named(void **state)
{
    rd_error err;
    rd_tensor *ids = NULL, *const v = test_tensor(*state, SHAPE(2), VALUES(1, 2));
    rd_tensor *const x = test_tensor(*state, SHAPE(1, 2), VALUES(1, NAN));
    rd_tensor *const y = test_tensor(*state, SHAPE(1, 2), VALUES(INFINITY, 0));
    rd_tensor *const z = test_tensor(*state, SHAPE(1, 2), VALUES(-INFINITY, -INFINITY));
    const rd_stream s = {.seed = 8, .purpose = RD_FOR_SAMPLE};
    const rd_sampling how = {.temperature = 1, .top_p = 1};
    test_fails(rd_sample(v, &how, &s, &ids, &err), &err,
               "sample: expected logits (batch, classes), got (2)");
    test_fails(rd_sample(x, &(rd_sampling){.temperature = -1, .top_p = 1}, &s, &ids, &err), &err,
               "sample: temperature must be 0 (greedy) or more, got -1");
    test_fails(rd_sample(x, &(rd_sampling){.temperature = 1}, &s, &ids, &err), &err,
               "sample: top_p must be greater than 0 and at most 1, got 0");
    test_fails(rd_sample(x, &how, &s, &ids, &err), &err,
               "sample: the logit of id 2 in row 1 is not a number; the model has diverged");
    test_fails(rd_sample(y, &how, &s, &ids, &err), &err,
               "sample: the logit of id 1 in row 1 is infinite; the model has diverged");
    test_fails(rd_sample(z, &how, &s, &ids, &err), &err,
               "sample: row 1 allows no id: every logit is -infinity");
    rd_tensor_release(z);
    rd_tensor_release(y);
    rd_tensor_release(x);
    rd_tensor_release(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_follows_the_probabilities),
        cmocka_unit_test(test_sample_temperature_sharpens),
        cmocka_unit_test(test_sample_temperatures_near_0_are_greedy),
        cmocka_unit_test(test_sample_top_k_keeps_the_k_most_likely),
        cmocka_unit_test(test_sample_top_p_keeps_the_smallest_set_that_reaches_p),
        cmocka_unit_test(test_sample_top_p_counts_what_top_k_left),
        cmocka_unit_test(test_sample_filters_that_keep_all_change_nothing),
        cmocka_unit_test(test_sample_greedy_takes_the_first_largest),
        cmocka_unit_test(test_sample_never_draws_what_is_minus_infinity),
        cmocka_unit_test(test_sample_rows_have_streams_of_their_own),
        cmocka_unit_test(test_sample_wrong_arguments_are_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
