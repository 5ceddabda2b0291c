/* test_ops_elementwise.c - functions of one number: values and gradients.
 *
 * Expected numbers are the mathematical constants to 17 digits; functions are within two units in the last
 * place (pointmath.h).
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

#include <float.h>
#include <math.h>

#define NEAR (sizeof(rd_real) == sizeof(float) ? 4 * (double)FLT_EPSILON : 4 * DBL_EPSILON)

static void expect1(rd_core *core, rd_unary op, const double *in, const double *out)
{
    rd_error err;
    rd_tensor *const x = test_tensor(core, SHAPE(3), in);
    rd_tensor *y = NULL;
    OK(rd_apply1(op, x, &y, &err));
    test_expect_near(y, out, NEAR);
    RELEASE(y, x);
}

static void test_neg_values(void **state)
{
    expect1(*state, RD_NEG, VALUES(1, 0, -2.5), VALUES(-1, 0, 2.5));
}
static void test_abs_values(void **state)
{
    expect1(*state, RD_ABS, VALUES(1, 0, -2.5), VALUES(1, 0, 2.5));
}
static void test_sqrt_values(void **state)
{
    expect1(*state, RD_SQRT, VALUES(4, 0, 2), VALUES(2, 0, 1.4142135623730951));
}
static void test_exp_values(void **state)
{
    expect1(*state, RD_EXP, VALUES(0, 1, -1), VALUES(1, 2.7182818284590452, 0.36787944117144233));
}
static void test_log_values(void **state)
{
    expect1(*state, RD_LOG, VALUES(1, 10, 0), VALUES(0, 2.302585092994046, -INFINITY));
}
static void test_tanh_values(void **state)
{
    expect1(*state, RD_TANH, VALUES(0, 1, -0.5),
            VALUES(0, 0.76159415595576489, -0.46211715726000976));
}
static void test_sigmoid_values(void **state)
{
    expect1(*state, RD_SIGMOID, VALUES(0, 1, -1),
            VALUES(0.5, 0.73105857863000488, 0.26894142136999512));
}
static void test_relu_values(void **state)
{
    expect1(*state, RD_RELU, VALUES(2, -3, NAN), VALUES(2, 0, NAN));
}
static void test_softplus_values(void **state)
{
    expect1(*state, RD_SOFTPLUS, VALUES(0, 1, -40),
            VALUES(0.69314718055994531, 1.3132616875182228, 4.248354255291589e-18));
}

/* ---- gradients -------------------------------------------------------------------------------------- */

struct unary_case {
    rd_unary op;
    rd_tensor *x;
};

static rd_status unary_sum(void *user, rd_tensor **out, rd_error *err)
{
    const struct unary_case *const c = user;
    rd_tensor *y = NULL;
    const rd_status status = rd_apply1(c->op, c->x, &y, err);
    return status == RD_OK ? test_weighted_sum(y, out, err) : status;
}

/* x in sequence order, from `low` to low + 2: away from what has no derivative. */
static void unary_gradient(rd_core *core, rd_unary op, double low)
{
    rd_error err;
    rd_tensor *x = NULL;
    OK(rd_tensor_new(core, SHAPE(2, 3, 5), RD_SEQUENCE, &x, &err));
    OK(rd_fill_uniform(x, low, low + 2, &(rd_stream){.purpose = RD_FOR_USER}, &err));
    OK(rd_set_requires_grad(x, true, &err));
    struct unary_case c = {op, x};
    test_gradients(unary_sum, &c, &x, 1);
    rd_tensor_release(x);
}

static void test_neg_gradient(void **state)
{
    unary_gradient(*state, RD_NEG, -1);
}
static void test_abs_gradient(void **state)
{
    unary_gradient(*state, RD_ABS, -2.5);
}
static void test_sqrt_gradient(void **state)
{
    unary_gradient(*state, RD_SQRT, 1);
}
static void test_exp_gradient(void **state)
{
    unary_gradient(*state, RD_EXP, -1);
}
static void test_log_gradient(void **state)
{
    unary_gradient(*state, RD_LOG, 1);
}
static void test_tanh_gradient(void **state)
{
    unary_gradient(*state, RD_TANH, -1);
}
static void test_sigmoid_gradient(void **state)
{
    unary_gradient(*state, RD_SIGMOID, -1);
}
static void test_relu_gradient(void **state)
{
    unary_gradient(*state, RD_RELU, 0.1);
}
static void test_softplus_gradient(void **state)
{
    unary_gradient(*state, RD_SOFTPLUS, -1);
}

static void test_relu_and_abs_have_no_gradient_at_zero(void **state)
{
    rd_error err;
    rd_tensor *const x = test_tensor(*state, SHAPE(3), VALUES(0, -1, 2));
    rd_tensor *a = NULL, *r = NULL, *y = NULL;
    OK(rd_set_requires_grad(x, true, &err));
    OK(rd_apply1(RD_ABS, x, &a, &err));
    OK(rd_apply1(RD_RELU, x, &r, &err));
    OK(rd_apply2(RD_ADD, a, r, &y, &err));
    rd_tensor *const ones = test_tensor(*state, SHAPE(3), VALUES(1, 1, 1));
    OK(rd_backward(y, ones, false, &err));
    test_expect(rd_grad(x), SHAPE(3), VALUES(0, -1, 2));
    RELEASE(ones, y, r, a, x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_neg_values),
        cmocka_unit_test(test_abs_values),
        cmocka_unit_test(test_sqrt_values),
        cmocka_unit_test(test_exp_values),
        cmocka_unit_test(test_log_values),
        cmocka_unit_test(test_tanh_values),
        cmocka_unit_test(test_sigmoid_values),
        cmocka_unit_test(test_relu_values),
        cmocka_unit_test(test_softplus_values),
        cmocka_unit_test(test_relu_and_abs_have_no_gradient_at_zero),
        cmocka_unit_test(test_neg_gradient),
        cmocka_unit_test(test_abs_gradient),
        cmocka_unit_test(test_sqrt_gradient),
        cmocka_unit_test(test_exp_gradient),
        cmocka_unit_test(test_log_gradient),
        cmocka_unit_test(test_tanh_gradient),
        cmocka_unit_test(test_sigmoid_gradient),
        cmocka_unit_test(test_relu_gradient),
        cmocka_unit_test(test_softplus_gradient),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
