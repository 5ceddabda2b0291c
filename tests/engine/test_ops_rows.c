/* test_ops_rows.c - softmax, log-softmax and layer norm.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"
#include <math.h>

/* Values from libm in double are good to 1e-15; the rest is rounding of rd_real. */
#define NEAR (sizeof(rd_real) == sizeof(double) ? 1e-14 : 1e-6)

static rd_tensor *softmax(rd_tensor *x, uint32_t dim, bool log)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_softmax(x, dim, log, &y, &err));
    return y;
}

static void test_softmax_by_formula(void **state)
{
    const double s = exp(1) + exp(2) + exp(3);
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 3), VALUES(1, 2, 3, 1e4, -1e4, 1e4));
    rd_tensor *const y = softmax(x, 1, false);
    test_expect_near(y, VALUES(exp(1) / s, exp(2) / s, exp(3) / s, 0.5, 0, 0.5), NEAR);
    rd_tensor_release(y);
    rd_tensor_release(x);
}

static void test_log_softmax_by_formula(void **state)
{
    const double s = log(exp(1) + exp(2) + exp(3));
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 3), VALUES(1, 2, 3, 1e4, -1e4, 0));
    rd_tensor *const y = softmax(x, 1, true);
    test_expect_near(y, VALUES(1 - s, 2 - s, 3 - s, 0, -2e4, -1e4), NEAR);
    rd_tensor_release(y);
    rd_tensor_release(x);
}

static void test_softmax_of_nan_is_nan(void **state)
{
    rd_tensor *const x = test_tensor(*state, SHAPE(1, 2), VALUES(1, NAN));
    rd_tensor *const y = softmax(x, 1, false);
    test_expect_near(y, VALUES(NAN, NAN), 0);
    rd_tensor_release(y);
    rd_tensor_release(x);
}

static void test_softmax_along_a_middle_dimension_is_that_of_the_transposed(void **state)
{
    rd_error err;
    rd_tensor *t = NULL, *back = NULL, *const x = test_leaf(*state, SHAPE(2, 3, 4), RD_DENSE, 1);
    OK(rd_transpose(x, 1, 2, &t, &err));
    rd_tensor *const y = softmax(x, 1, false), *const z = softmax(t, 2, false);
    OK(rd_transpose(z, 1, 2, &back, &err));
    test_same(y, back);
    rd_tensor_release(back);
    rd_tensor_release(z);
    rd_tensor_release(y);
    rd_tensor_release(t);
    rd_tensor_release(x);
}

static void test_softmax_takes_a_slice_over_time_of_a_sequence(void **state)
{
    rd_error err;
    rd_tensor *s = NULL, *c = NULL, *const x = test_leaf(*state, SHAPE(2, 5, 3), RD_SEQUENCE, 1);
    OK(rd_slice(x, 1, 1, 3, &s, &err));
    OK(rd_contiguous(s, RD_DENSE, &c, &err));
    rd_tensor *const y = softmax(s, 2, true), *const z = softmax(c, 2, true);
    test_same(y, z);
    rd_tensor_release(z);
    rd_tensor_release(y);
    rd_tensor_release(c);
    rd_tensor_release(s);
    rd_tensor_release(x);
}

struct model {
    rd_tensor *x, *gain, *bias;
    uint32_t dim;
    bool log;
};

static rd_status weighted_softmax(void *user, rd_tensor **out, rd_error *err)
{
    const struct model *m = user;
    rd_tensor *y = NULL;
    const rd_status status = rd_softmax(m->x, m->dim, m->log, &y, err);
    return status == RD_OK ? test_weighted_sum(y, out, err) : status;
}

static void check_softmax(rd_core *core, rd_order order, uint32_t dim, bool log)
{
    struct model m = {.x = test_leaf(core, SHAPE(2, 3, 20), order, 1), .dim = dim, .log = log};
    test_gradients(weighted_softmax, &m, &m.x, 1);
    rd_tensor_release(m.x);
}

/* Of four dimensions two may be exchanged: the rows still lie evenly, but not in the result's order. */
static void test_softmax_of_rows_in_an_order_of_their_own(void **state)
{
    rd_error err;
    rd_tensor *const x = test_leaf(*state, SHAPE(2, 3, 4, 5), RD_DENSE, 1);
    rd_tensor *turned = NULL, *back = NULL;
    OK(rd_transpose(x, 1, 2, &turned, &err));
    rd_tensor *const want = softmax(x, 3, false), *const got = softmax(turned, 3, false);
    OK(rd_transpose(got, 1, 2, &back, &err));
    test_same(back, want);
    RELEASE(x, turned, want, got, back);
}

static void test_softmax_gradients(void **state)
{
    check_softmax(*state, RD_SEQUENCE, 2, false);
    check_softmax(*state, RD_DENSE, 1, false);
    check_softmax(*state, RD_DENSE, 0, false);
}

static void test_log_softmax_gradients(void **state)
{
    check_softmax(*state, RD_SEQUENCE, 2, true);
    check_softmax(*state, RD_DENSE, 0, true);
}

static void test_softmax_wrong_dimension_is_named(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const x = test_tensor(*state, SHAPE(1, 2), VALUES(1, 2));
    test_fails(rd_softmax(x, 2, false, &y, &err), &err,
               "softmax: dimension 3 is not one of (1, 2)");
    test_fails(rd_softmax(x, 7, true, &y, &err), &err,
               "log_softmax: dimension 8 is not one of (1, 2)");
    rd_tensor_release(x);
}

static void test_layer_norm_by_hand(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const x = test_tensor(*state, SHAPE(1, 2), VALUES(1, 3));
    rd_tensor *const gain = test_tensor(*state, SHAPE(2), VALUES(2, 4));
    rd_tensor *const bias = test_tensor(*state, SHAPE(2), VALUES(10, 20));
    OK(rd_layer_norm(x, gain, bias, 0, &y, &err)); /* mean 2, variance 1 */
    test_expect(y, SHAPE(1, 2), VALUES(8, 24));
    rd_tensor_release(y);
    rd_tensor_release(bias);
    rd_tensor_release(gain);
    rd_tensor_release(x);
}

static rd_status weighted_norm(void *user, rd_tensor **out, rd_error *err)
{
    const struct model *m = user;
    rd_tensor *y = NULL;
    const rd_status status = rd_layer_norm(m->x, m->gain, m->bias, 1e-5, &y, err);
    return status == RD_OK ? test_weighted_sum(y, out, err) : status;
}

static void test_layer_norm_gradients(void **state)
{
    struct model m = {.x = test_leaf(*state, SHAPE(2, 3, 20), RD_SEQUENCE, 1),
                      .gain = test_leaf(*state, SHAPE(20), RD_DENSE, 2),
                      .bias = test_leaf(*state, SHAPE(20), RD_DENSE, 3)};
    rd_tensor *const leaves[] = {m.x, m.gain, m.bias};
    test_gradients(weighted_norm, &m, leaves, 3);
    rd_tensor_release(m.bias);
    rd_tensor_release(m.gain);
    rd_tensor_release(m.x);
}

static void test_layer_norm_gradients_without_gain_and_bias(void **state)
{
    struct model m = {.x = test_leaf(*state, SHAPE(3, 5), RD_DENSE, 1)};
    test_gradients(weighted_norm, &m, &m.x, 1);
    rd_tensor_release(m.x);
}

static void test_layer_norm_wrong_arguments_are_named(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const x = test_tensor(*state, SHAPE(1, 2), VALUES(1, 2));
    rd_tensor *one = NULL;
    OK(rd_scalar(*state, 1, &one, &err));
    test_fails(rd_layer_norm(x, x, NULL, 0, &y, &err), &err,
               "layer_norm: expected a gain (2), got (1, 2)");
    test_fails(rd_layer_norm(x, NULL, x, 0, &y, &err), &err,
               "layer_norm: expected a bias (2), got (1, 2)");
    test_fails(rd_layer_norm(x, NULL, NULL, -1, &y, &err), &err,
               "layer_norm: eps must be 0..1, got -1");
    test_fails(rd_layer_norm(one, NULL, NULL, 0, &y, &err), &err,
               "layer_norm: expected a tensor with at least one dimension, got a single number");
    rd_tensor_release(one);
    rd_tensor_release(x);
}

/* Forward and backward of all row operations on `threads` workers. */
static void row_results(rd_core *core, uint32_t threads, rd_tensor *results[4])
{
    rd_error err;
    OK(rd_core_set_threads(core, threads, &err));
    rd_tensor *const x = test_leaf(core, SHAPE(40, 9, 37), RD_SEQUENCE, 1);
    rd_tensor *const gain = test_leaf(core, SHAPE(37), RD_DENSE, 2);
    rd_tensor *const p = softmax(x, 2, false), *sum = NULL;
    OK(rd_layer_norm(p, gain, gain, 1e-5, &results[0], &err));
    results[1] = softmax(results[0], 2, true);
    OK(test_weighted_sum(rd_tensor_retain(results[1]), &sum, &err));
    OK(rd_backward(sum, NULL, false, &err));
    results[2] = rd_tensor_retain(rd_grad(x));
    results[3] = rd_tensor_retain(rd_grad(gain));
    rd_tensor_release(sum);
    rd_tensor_release(p);
    rd_tensor_release(gain);
    rd_tensor_release(x);
}

static void test_row_operations_with_three_threads_have_the_bits_of_one(void **state)
{
    rd_error err;
    rd_tensor *one[4], *three[4];
    row_results(*state, 1, one);
    row_results(*state, 3, three);
    for (int i = 0; i < 4; i++) {
        test_same(one[i], three[i]);
        rd_tensor_release(three[i]);
        rd_tensor_release(one[i]);
    }
    OK(rd_core_set_threads(*state, 1, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax_by_formula),
        cmocka_unit_test(test_log_softmax_by_formula),
        cmocka_unit_test(test_softmax_of_nan_is_nan),
        cmocka_unit_test(test_softmax_along_a_middle_dimension_is_that_of_the_transposed),
        cmocka_unit_test(test_softmax_takes_a_slice_over_time_of_a_sequence),
        cmocka_unit_test(test_softmax_of_rows_in_an_order_of_their_own),
        cmocka_unit_test(test_softmax_gradients),
        cmocka_unit_test(test_log_softmax_gradients),
        cmocka_unit_test(test_softmax_wrong_dimension_is_named),
        cmocka_unit_test(test_layer_norm_by_hand),
        cmocka_unit_test(test_layer_norm_gradients),
        cmocka_unit_test(test_layer_norm_gradients_without_gain_and_bias),
        cmocka_unit_test(test_layer_norm_wrong_arguments_are_named),
        cmocka_unit_test(test_row_operations_with_three_threads_have_the_bits_of_one),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
