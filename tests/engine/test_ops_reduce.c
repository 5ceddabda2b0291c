/* test_ops_reduce.c - sums, means, maxima: values, the order of summation, gradients.
 *
 * Orders are told apart by numbers that round differently: in rd_real, 1 + tiny is 1 but 1 + 2 tiny is not.
 * SPDX-License-Identifier: MIT */
#include "engine/reduce.h"
#include "support/tensors.h"

#include <math.h>

#define TINY (sizeof(rd_real) == sizeof(float) ? 0x1p-24 : 0x1p-53)

typedef rd_status (*reduce_fn)(rd_tensor *, uint32_t, bool, rd_tensor **, rd_error *);

static rd_tensor *reduce(reduce_fn fn, rd_tensor *x, uint32_t dim, bool keep_dim)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(fn(x, dim, keep_dim, &y, &err));
    return y;
}

static void test_sum_along_each_dimension(void **state)
{
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    rd_tensor *const rows = reduce(rd_sum, x, 1, false), *const columns =
                                                             reduce(rd_sum, x, 0, true);
    rd_tensor *const all = reduce(rd_sum, x, RD_ALL, false);
    test_expect(rows, SHAPE(2), VALUES(6, 15));
    test_expect(columns, SHAPE(1, 3), VALUES(5, 7, 9));
    test_expect(all, 0, NULL, VALUES(21));
    RELEASE(x, rows, columns, all);
}

static void test_mean_along_each_dimension(void **state)
{
    rd_tensor *const x = test_sequence(*state, SHAPE(2, 2, 2), VALUES(1, 2, 3, 4, 5, 6, 7, 8));
    rd_tensor *const features = reduce(rd_mean, x, 2, false), *const time =
                                                                  reduce(rd_mean, x, 1, false);
    rd_tensor *const batch = reduce(rd_mean, x, 0, false), *const all =
                                                               reduce(rd_mean, x, RD_ALL, false);
    test_expect(features, SHAPE(2, 2), VALUES(1.5, 3.5, 5.5, 7.5));
    test_expect(time, SHAPE(2, 2), VALUES(2, 3, 6, 7));
    test_expect(batch, SHAPE(2, 2), VALUES(3, 4, 5, 6));
    test_expect(all, 0, NULL, VALUES(4.5));
    RELEASE(x, features, time, batch, all);
}

static void test_sum_over_features_stays_in_sequence_order(void **state)
{
    rd_tensor *const x = test_sequence(*state, SHAPE(2, 3, 1), VALUES(1, 2, 3, 4, 5, 6));
    rd_tensor *const y = reduce(rd_sum, x, 2, false);
    assert_int_equal(rd_tensor_strides(y)[0], 1);
    test_expect(y, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    RELEASE(x, y);
}

static void test_sum_of_nothing_is_zero(void **state)
{
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 0), VALUES(0));
    rd_tensor *const rows = reduce(rd_sum, x, 1, false), *const all =
                                                             reduce(rd_sum, x, RD_ALL, false);
    test_expect(rows, SHAPE(2), VALUES(0, 0));
    test_expect(all, 0, NULL, VALUES(0));
    RELEASE(x, rows, all);
}

/* Rule 7: elements 0 and 16 share a lane, and so do 1 and 17; in order, 1 + tiny + tiny would be 1. */
static void test_row_sum_runs_in_sixteen_lanes(void **state)
{
    double values[18] = {1};
    values[1] = values[17] = TINY;
    rd_tensor *const x = test_tensor(*state, SHAPE(18), values), *const y =
                                                                     reduce(rd_sum, x, 0, false);
    test_expect(y, 0, NULL, VALUES(1 + 2 * TINY));
    RELEASE(x, y);
}

static void test_row_sum_of_a_strided_row_has_the_same_order(void **state)
{
    rd_error err;
    double values[36] = {1, 5};
    values[2] = values[34] = TINY;
    rd_tensor *const x = test_tensor(*state, SHAPE(18, 2), values);
    rd_tensor *row = NULL;
    OK(rd_select(x, 1, 0, &row, &err));
    rd_tensor *const y = reduce(rd_sum, row, 0, false);
    test_expect(y, 0, NULL, VALUES(1 + 2 * TINY));
    RELEASE(x, row, y);
}

/* Rule 7: rows ascending. */
static void test_column_sum_ascends(void **state)
{
    rd_tensor *const down = test_tensor(*state, SHAPE(3, 1), VALUES(1, TINY, TINY));
    rd_tensor *const up = test_tensor(*state, SHAPE(3, 1), VALUES(TINY, TINY, 1));
    rd_tensor *const a = reduce(rd_sum, down, 0, false), *const b = reduce(rd_sum, up, 0, false);
    test_expect(a, SHAPE(1), VALUES(1));
    test_expect(b, SHAPE(1), VALUES(1 + 2 * TINY));
    RELEASE(down, up, a, b);
}

/* Blocks of 4,096: the 1 and the 2^-53s of lane 0 lie in different blocks, where they are added first. */
static void test_whole_sum_runs_in_blocks(void **state)
{
    rd_core *const core = *state;
    double *const values = test_calloc(4096 + 64, sizeof(double));
    values[0] = 1;
    values[4096] = values[4096 + 16] = 0x1p-53;
    rd_tensor *const x = test_tensor(core, SHAPE(4096 + 64), values);
    assert_true(rdc_sum_all(x) == 1 + 0x1p-52);
    assert_true(rdc_sum_flat(rd_tensor_at(x), 4096 + 64) == 1 + 0x1p-52);
    test_free(values);
    RELEASE(x);
}

static void test_whole_sum_of_a_view_follows_its_storage(void **state)
{
    rd_error err;
    rd_core *const core = *state;
    rd_tensor *const x = test_leaf(core, SHAPE(3, 40, 50), RD_SEQUENCE, 1);
    rd_tensor *view = NULL, *copy = NULL;
    OK(rd_slice(x, 2, 1, 48, &view, &err));
    OK(rd_contiguous(view, RD_SEQUENCE, &copy, &err));
    assert_true(rdc_sum_all(view) == rdc_sum_all(copy));
    assert_true(rdc_square_sum_all(view) == rdc_square_sum_all(copy));
    RELEASE(x, view, copy);
}

static void test_norm_is_euclidean(void **state)
{
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 1), VALUES(3, -4));
    assert_true(rd_norm(x) == 5);
    assert_true(rdc_square_sum_flat(rd_tensor_at(x), 2) == 25);
    RELEASE(x);
}

static void test_all_finite_finds_nan_and_infinity(void **state)
{
    rd_error err;
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 2), VALUES(3, NAN, 1, 2));
    rd_tensor *const y = test_tensor(*state, SHAPE(3), VALUES(3, -INFINITY, 1));
    rd_tensor *clean = NULL, *foul = NULL;
    OK(rd_select(x, 1, 0, &clean, &err));
    OK(rd_select(x, 1, 1, &foul, &err));
    assert_false(rd_all_finite(x));
    assert_false(rd_all_finite(y));
    assert_true(rd_all_finite(clean));
    assert_false(rd_all_finite(foul));
    RELEASE(x, y, clean, foul);
}

static void test_max_and_argmax_take_the_first(void **state)
{
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 3), VALUES(1, 7, 7, 9, 5, 6));
    rd_tensor *const max = reduce(rd_max, x, 1, false), *const at = reduce(rd_argmax, x, 1, true);
    rd_tensor *const down = reduce(rd_argmax, x, 0, false), *const all =
                                                                reduce(rd_max, x, RD_ALL, false);
    rd_tensor *const where = reduce(rd_argmax, x, RD_ALL, false);
    test_expect(max, SHAPE(2), VALUES(7, 9));
    test_expect(at, SHAPE(2, 1), VALUES(2, 1));
    test_expect(down, SHAPE(3), VALUES(2, 1, 1));
    test_expect(all, 0, NULL, VALUES(9));
    test_expect(where, 0, NULL, VALUES(4));
    RELEASE(x, max, at, down, all, where);
}

static void test_argmax_of_all_counts_in_logical_order(void **state)
{
    rd_tensor *const x = test_sequence(*state, SHAPE(2, 3), VALUES(1, 2, 8, 8, 5, 6));
    rd_tensor *const where = reduce(rd_argmax, x, RD_ALL, false);
    test_expect(where, 0, NULL, VALUES(3));
    RELEASE(x, where);
}

static void test_max_shows_nan(void **state)
{
    rd_tensor *const x = test_tensor(*state, SHAPE(3), VALUES(1, NAN, 7));
    rd_tensor *const max = reduce(rd_max, x, 0, false), *const at = reduce(rd_argmax, x, 0, false);
    test_expect(max, 0, NULL, VALUES(NAN));
    test_expect(at, 0, NULL, VALUES(2));
    RELEASE(x, max, at);
}

static void test_max_gradient_goes_to_the_first(void **state)
{
    rd_error err;
    rd_tensor *const x = test_sequence(*state, SHAPE(2, 3), VALUES(7, 7, 1, 5, 6, 6));
    OK(rd_set_requires_grad(x, true, &err));
    rd_tensor *const max = reduce(rd_max, x, 1, false), *const all =
                                                            reduce(rd_max, max, RD_ALL, false);
    rd_tensor *const seed = test_tensor(*state, SHAPE(2), VALUES(10, 100));
    OK(rd_backward(all, NULL, true, &err));
    OK(rd_backward(max, seed, false, &err));
    test_expect(rd_grad(x), SHAPE(2, 3), VALUES(11, 0, 0, 0, 100, 0));
    RELEASE(x, max, all, seed);
}

static void test_reductions_refuse_what_is_not_there(void **state)
{
    rd_error err;
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 0), VALUES(0));
    rd_tensor *y = NULL;
    test_fails(rd_sum(x, 2, false, &y, &err), &err,
               "sum: a tensor of shape (2, 0) has no dimension 3");
    test_fails(rd_mean(x, 1, false, &y, &err), &err, "mean: there is nothing to average over");
    test_fails(rd_max(x, 1, false, &y, &err), &err, "max: there is nothing to choose from");
    test_fails(rd_argmax(x, RD_ALL, false, &y, &err), &err,
               "argmax: there is nothing to choose from");
    RELEASE(x);
}

/* ---- gradients -------------------------------------------------------------------------------------- */

struct reduce_case {
    reduce_fn fn;
    uint32_t dim;
    bool keep_dim;
    rd_tensor *x;
};

static rd_status reduced_sum(void *user, rd_tensor **out, rd_error *err)
{
    const struct reduce_case *const c = user;
    rd_tensor *y = NULL;
    const rd_status status = c->fn(c->x, c->dim, c->keep_dim, &y, err);
    return status == RD_OK ? test_weighted_sum(y, out, err) : status;
}

static void reduce_gradient(rd_core *core, reduce_fn fn, uint32_t dim, bool keep_dim)
{
    rd_tensor *const x = test_leaf(core, SHAPE(3, 4, 5), RD_SEQUENCE, 1);
    struct reduce_case c = {fn, dim, keep_dim, x};
    test_gradients(reduced_sum, &c, &c.x, 1);
    RELEASE(x);
}

static void test_sum_gradient_over_time(void **state)
{
    reduce_gradient(*state, rd_sum, 1, false);
}
static void test_sum_gradient_over_features(void **state)
{
    reduce_gradient(*state, rd_sum, 2, true);
}
static void test_sum_gradient_over_all(void **state)
{
    reduce_gradient(*state, rd_sum, RD_ALL, false);
}
static void test_mean_gradient_over_batch(void **state)
{
    reduce_gradient(*state, rd_mean, 0, true);
}
static void test_mean_gradient_over_all(void **state)
{
    reduce_gradient(*state, rd_mean, RD_ALL, false);
}
static void test_max_gradient_over_time(void **state)
{
    reduce_gradient(*state, rd_max, 1, false);
}
static void test_max_gradient_over_features(void **state)
{
    reduce_gradient(*state, rd_max, 2, true);
}
static void test_max_gradient_over_all(void **state)
{
    reduce_gradient(*state, rd_max, RD_ALL, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum_along_each_dimension),
        cmocka_unit_test(test_mean_along_each_dimension),
        cmocka_unit_test(test_sum_over_features_stays_in_sequence_order),
        cmocka_unit_test(test_sum_of_nothing_is_zero),
        cmocka_unit_test(test_row_sum_runs_in_sixteen_lanes),
        cmocka_unit_test(test_row_sum_of_a_strided_row_has_the_same_order),
        cmocka_unit_test(test_column_sum_ascends),
        cmocka_unit_test(test_whole_sum_runs_in_blocks),
        cmocka_unit_test(test_whole_sum_of_a_view_follows_its_storage),
        cmocka_unit_test(test_norm_is_euclidean),
        cmocka_unit_test(test_all_finite_finds_nan_and_infinity),
        cmocka_unit_test(test_max_and_argmax_take_the_first),
        cmocka_unit_test(test_argmax_of_all_counts_in_logical_order),
        cmocka_unit_test(test_max_shows_nan),
        cmocka_unit_test(test_max_gradient_goes_to_the_first),
        cmocka_unit_test(test_reductions_refuse_what_is_not_there),
        cmocka_unit_test(test_sum_gradient_over_time),
        cmocka_unit_test(test_sum_gradient_over_features),
        cmocka_unit_test(test_sum_gradient_over_all),
        cmocka_unit_test(test_mean_gradient_over_batch),
        cmocka_unit_test(test_mean_gradient_over_all),
        cmocka_unit_test(test_max_gradient_over_time),
        cmocka_unit_test(test_max_gradient_over_features),
        cmocka_unit_test(test_max_gradient_over_all),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
