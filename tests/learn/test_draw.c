/* test_draw.c - numbers drawn from distributions: moments, keys, refusals.
 *
 * Moments are those of the distributions' formulas; tolerances are five standard errors of DRAWS numbers.
 * SPDX-License-Identifier: MIT */
#include "rondo_forecast.h"
#include "support/tensors.h"
#include <math.h>

enum { DRAWS = 20000 };
static const rd_stream stream = {.seed = 7, .purpose = RD_FOR_PATHS, .time = 3};

/* DRAWS numbers of one distribution, on as many paths, as a tensor. */
static rd_tensor *draws(rd_core *core, rd_likelihood_kind kind, size_t width, const double *row)
{
    static rd_path_key keys[DRAWS];
    rd_error err;
    rd_tensor *out = NULL, *all = NULL, *const one = test_tensor(core, SHAPE(1, width), row);
    OK(rd_tensor_new(core, 2, (size_t[]){DRAWS, width}, RD_DENSE, &all, &err));
    OK(rd_copy(all, one, &err));
    for (uint32_t i = 0; i < DRAWS; i++) keys[i] = (rd_path_key){.row = 5, .path = i};
    OK(rd_draw_likelihood(all, kind, &stream, keys, &out, &err));
    RELEASE(all, one);
    return out;
}

struct moments {
    double mean, variance;
};

static struct moments moments_of(rd_tensor *t)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        double x = 0;
        rd_error err;
        OK(rd_tensor_get(t, &i, &x, &err));
        sum += x;
        squares += x * x;
    }
    const double mean = sum / DRAWS;
    return (struct moments){mean, squares / DRAWS - mean * mean};
}

static void expect_moments(rd_core *core, rd_likelihood_kind kind, size_t width, const double *row,
                           struct moments want)
{
    rd_tensor *const t = draws(core, kind, width, row);
    const struct moments got = moments_of(t);
    const double error = 5 * sqrt(want.variance / DRAWS);
    if (fabs(got.mean - want.mean) > error) fail_msg("mean %g instead of %g", got.mean, want.mean);
    /* the fourth moments of those here stay below 20 variances squared */
    if (fabs(got.variance / want.variance - 1) > 5 * sqrt(20.0 / DRAWS))
        fail_msg("variance %g instead of %g", got.variance, want.variance);
    rd_tensor_release(t);
}

static void test_gaussian_moments(void **state)
{
    expect_moments(*state, RD_GAUSSIAN, 2, VALUES(3, 2), (struct moments){3, 4});
}

static void test_student_t_moments(void **state)
{
    /* s^2 v / (v - 2) */
    expect_moments(*state, RD_STUDENT_T, 3, VALUES(3, 2, 9), (struct moments){3, 4 * 9 / 7.0});
}

static void test_negative_binomial_moments(void **state)
{
    /* m + a m^2; means of small and of large Poisson numbers, shapes below and above 1 */
    expect_moments(*state, RD_NEGATIVE_BINOMIAL, 2, VALUES(2, 0.5), (struct moments){2, 4});
    expect_moments(*state, RD_NEGATIVE_BINOMIAL, 2, VALUES(4, 1.5), (struct moments){4, 28});
    expect_moments(*state, RD_NEGATIVE_BINOMIAL, 2, VALUES(300, 0.01), (struct moments){300, 1200});
}

/* P(0) = (1 + a m)^(-1/a) */
static void test_negative_binomial_zeros(void **state)
{
    rd_tensor *const t = draws(*state, RD_NEGATIVE_BINOMIAL, 2, VALUES(2, 0.5));
    size_t zeros = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        double x = 0;
        rd_error err;
        OK(rd_tensor_get(t, &i, &x, &err));
        zeros += x < 0.5;
        assert_true(x == floor(x));
    }
    assert_true(fabs((double)zeros / DRAWS - 0.25) < 5 * sqrt(0.25 * 0.75 / DRAWS));
    rd_tensor_release(t);
}

/* A number is named by its key, not by where its row lies. */
static void test_draws_do_not_depend_on_the_batch(void **state)
{
    rd_error err;
    rd_tensor *both = NULL, *second = NULL, *row = NULL, *alone = NULL;
    rd_tensor *const y = test_tensor(*state, SHAPE(2, 2, 2), VALUES(0, 1, 5, 2, -3, 1, 9, 0.5));
    const rd_path_key keys[] = {{1, 0}, {8, 4}};
    OK(rd_draw_likelihood(y, RD_GAUSSIAN, &stream, keys, &both, &err));
    OK(rd_slice(y, 0, 1, 1, &second, &err));
    OK(rd_draw_likelihood(second, RD_GAUSSIAN, &stream, keys + 1, &alone, &err));
    OK(rd_slice(both, 0, 1, 1, &row, &err));
    test_same(row, alone);
    RELEASE(both, second, row, alone, y);
}

static void test_no_distribution_gives_nan(void **state)
{
    rd_error err;
    rd_tensor *out = NULL;
    rd_tensor *const y = test_tensor(*state, SHAPE(3, 2), VALUES(NAN, 1, 0, 0, INFINITY, 1));
    const rd_path_key keys[3] = {{0, 0}};
    OK(rd_draw_likelihood(y, RD_GAUSSIAN, &stream, keys, &out, &err));
    for (size_t i = 0; i < 3; i++) {
        double x = 0;
        OK(rd_tensor_get(out, &i, &x, &err));
        assert_true(isnan(x));
    }
    RELEASE(out, y);
}

static void test_what_cannot_be_drawn_is_named(void **state)
{
    rd_error err;
    rd_tensor *out = NULL, *const y = test_tensor(*state, SHAPE(1, 2), VALUES(0, 1));
    const rd_path_key key = {0, 0};
    test_fails(rd_draw_likelihood(y, RD_QUANTILES, &stream, &key, &out, &err), &err,
               "draw: quantiles are no distribution to draw from");
    test_fails(rd_draw_likelihood(y, RD_STUDENT_T, &stream, &key, &out, &err), &err,
               "draw: expected (rows, 3) or (rows, targets, 3), got (1, 2)");
    rd_tensor_release(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gaussian_moments),
        cmocka_unit_test(test_student_t_moments),
        cmocka_unit_test(test_negative_binomial_moments),
        cmocka_unit_test(test_negative_binomial_zeros),
        cmocka_unit_test(test_draws_do_not_depend_on_the_batch),
        cmocka_unit_test(test_no_distribution_gives_nan),
        cmocka_unit_test(test_what_cannot_be_drawn_is_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
