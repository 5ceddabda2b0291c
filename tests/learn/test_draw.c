/* test_draw.c - numbers drawn from distributions: moments, keys, refusals.
 *
 * Moments are those of the distributions' formulas; tolerances are five standard errors of DRAWS numbers.
 * SPDX-License-Identifier: MIT */
#include "rondo_forecast.h"
#include "support/tensors.h"
#include <math.h>

enum { DRAWS = 20000 };
static const rd_stream stream = {.seed = 7, .purpose = RD_FOR_PATHS, .time = 3};

static rd_status draw(rd_tensor *y, rd_likelihood_kind kind, const rd_path_key *keys, size_t n_keys,
                      rd_tensor **out, rd_error *err)
{
    const rd_draws how = {.kind = kind, .stream = stream, .keys = keys, .n_keys = n_keys};
    return rd_draw_likelihood(y, &how, out, err);
}

/* DRAWS numbers of one distribution, on as many paths, as a tensor. */
static rd_tensor *draws(rd_core *core, rd_likelihood_kind kind, size_t width, const double *row)
{
    static rd_path_key keys[DRAWS];
    rd_error err;
    rd_tensor *out = NULL, *const one = test_tensor(core, SHAPE(1, width), row);
    for (uint32_t i = 0; i < DRAWS; i++) keys[i] = (rd_path_key){.row = 5, .path = i};
    OK(draw(one, kind, keys, DRAWS, &out, &err));
    rd_tensor_release(one);
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
    OK(draw(y, RD_GAUSSIAN, keys, 2, &both, &err));
    OK(rd_slice(y, 0, 1, 1, &second, &err));
    OK(draw(second, RD_GAUSSIAN, keys + 1, 1, &alone, &err));
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
    OK(draw(y, RD_GAUSSIAN, keys, 3, &out, &err));
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
    rd_tensor *const two = test_tensor(*state, SHAPE(2, 2), VALUES(0, 1, 0, 1));
    test_fails(draw(y, RD_QUANTILES, &key, 1, &out, &err), &err,
               "draw: quantiles are no distribution to draw from");
    test_fails(draw(y, RD_STUDENT_T, &key, 1, &out, &err), &err,
               "draw: expected (rows, 3) or (rows, targets, 3), got (1, 2)");
    test_fails(draw(two, RD_GAUSSIAN, &key, 1, &out, &err), &err,
               "draw: 1 keys do not go evenly with 2 rows");
    test_fails(rd_path_quantiles(two, 3, VALUES(0.5), 1, &out, &err), &err,
               "path_quantiles: expected (windows times 3, targets), got (2, 2)");
    RELEASE(y, two);
}

/* R: quantile(c(4, 1, 3, 2), c(0, .1, .5, 1)) is 1, 1.3, 2.5, 4 */
static void test_quantiles_lie_between_neighbours(void **state)
{
    rd_error err;
    rd_tensor *out = NULL, *const x = test_tensor(*state, SHAPE(8, 1),
                                                  VALUES(4, 1, 3, 2, 10, 30, NAN, 40));
    OK(rd_path_quantiles(x, 4, VALUES(0, 0.1, 0.5, 1), 4, &out, &err));
    double found[8];
    for (size_t i = 0; i < 8; i++)
        OK(rd_tensor_get(out, (size_t[]){i / 4, 0, i % 4}, &found[i], &err));
    assert_true(found[0] == 1 && fabs(found[1] - 1.3) < 1e-6 && found[2] == 2.5 && found[3] == 4);
    assert_true(isnan(found[4]) && isnan(found[7]));
    RELEASE(out, x);
}

static void test_quantiles_are_of_each_place(void **state)
{
    rd_error err;
    rd_tensor *out = NULL, *const x =
                               test_tensor(*state, SHAPE(4, 2), VALUES(1, 9, 3, 5, 20, 40, 10, 80));
    OK(rd_path_quantiles(x, 2, VALUES(0.5), 1, &out, &err));
    test_expect(out, SHAPE(2, 2, 1), VALUES(2, 7, 15, 60));
    RELEASE(out, x);
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
        cmocka_unit_test(test_quantiles_lie_between_neighbours),
        cmocka_unit_test(test_quantiles_are_of_each_place),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
