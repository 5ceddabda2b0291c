/* test_clip.c - clipping by global norm and by value.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"
#include <math.h>

#define NEAR (sizeof(rd_real) == sizeof(double) ? 1e-14 : 1e-6)

/* A parameter of two elements whose gradient is (a, b). */
static rd_tensor *with_gradient(rd_core *core, double a, double b)
{
    rd_error err;
    rd_tensor *const p = test_tensor(core, SHAPE(2), VALUES(0, 0));
    rd_tensor *const g = test_tensor(core, SHAPE(2), VALUES(a, b));
    OK(rd_set_requires_grad(p, true, &err));
    rd_tensor *y = NULL;
    OK(rd_apply1(RD_NEG, p, &y, &err));
    OK(rd_backward(y, g, false, &err));
    rd_tensor_release(y);
    rd_tensor_release(g);
    return p;
}

static void test_clip_norm_scales_all_gradients_by_one_factor(void **state)
{
    rd_error err;
    double norm = 0;
    size_t bad = 9;
    rd_tensor *const p[] = {with_gradient(*state, -3, 0), with_gradient(*state, 0, -4)};
    OK(rd_clip_grad_norm(p, 2, 1, &norm, &bad, &err));
    const double f = 1 / (5 + 1e-6);
    assert_true(norm == 5);
    assert_int_equal(bad, 2);
    test_expect_near(rd_grad(p[0]), VALUES(3 * f, 0), NEAR);
    test_expect_near(rd_grad(p[1]), VALUES(0, 4 * f), NEAR);
    rd_tensor_release(p[1]);
    rd_tensor_release(p[0]);
}

static void test_clip_norm_leaves_small_gradients_alone(void **state)
{
    rd_error err;
    double norm = 0;
    size_t bad = 0;
    rd_tensor *const p = with_gradient(*state, -0.3, -0.4);
    OK(rd_clip_grad_norm(&p, 1, 1, &norm, &bad, &err));
    test_expect_near(rd_grad(p), VALUES(0.3, 0.4), 0);
    rd_tensor_release(p);
}

static void test_clip_norm_zero_only_measures(void **state)
{
    rd_error err;
    double norm = 0;
    size_t bad = 0;
    rd_tensor *const p = with_gradient(*state, -3, -4);
    OK(rd_clip_grad_norm(&p, 1, 0, &norm, &bad, &err));
    assert_true(norm == 5);
    test_expect(rd_grad(p), SHAPE(2), VALUES(3, 4));
    rd_tensor_release(p);
}

static void test_clip_norm_names_the_first_that_is_not_finite(void **state)
{
    rd_error err;
    double norm = 0;
    size_t bad = 0;
    rd_tensor *const p[] = {with_gradient(*state, 300, 1), with_gradient(*state, NAN, 1),
                            with_gradient(*state, INFINITY, 1)};
    OK(rd_clip_grad_norm(p, 3, 1, &norm, &bad, &err));
    assert_int_equal(bad, 1);
    assert_true(isnan(norm));
    test_expect(rd_grad(p[0]), SHAPE(2), VALUES(-300, -1)); /* nothing is scaled */
    for (int i = 0; i < 3; i++) rd_tensor_release(p[i]);
}

/* 5,000 elements: more than a block of the sums. */
static void test_clip_by_other_norms(void **state)
{
    enum { N = 5000 };
    rd_error err;
    double norm = 0;
    size_t bad = 0;
    rd_tensor *minus[2] = {NULL, NULL};
    rd_tensor *const p[] = {test_leaf(*state, SHAPE(N), RD_DENSE, 1), with_gradient(*state, 3, -9)};
    OK(rd_apply1(RD_NEG, p[0], &minus[0], &err));
    OK(rd_sum(minus[0], RD_ALL, false, &minus[1], &err));
    OK(rd_backward(minus[1], NULL, false, &err));
    OK(rd_clip_grad_norm_by(p, 2, &(rd_clip){RD_NORM_1, 0}, &norm, &bad, &err));
    assert_true(norm == N + 12);
    OK(rd_clip_grad_norm_by(p, 2, &(rd_clip){RD_NORM_MAX, 3}, &norm, &bad, &err));
    assert_true(norm == 9);
    test_expect_near(rd_grad(p[1]), VALUES(-1, 3), 1e-6);
    for (int i = 0; i < 2; i++) {
        rd_tensor_release(minus[i]);
        rd_tensor_release(p[i]);
    }
}

static void test_clip_by_other_norms_names_what_is_not_finite(void **state)
{
    rd_error err;
    for (int kind = RD_NORM_1; kind <= RD_NORM_MAX; kind++) {
        double norm = 0;
        size_t bad = 0;
        rd_tensor *const p = with_gradient(*state, 1, NAN);
        const rd_clip how = {(rd_norm_kind)kind, 1};
        OK(rd_clip_grad_norm_by(&p, 1, &how, &norm, &bad, &err));
        assert_int_equal(bad, 0);
        assert_false(isfinite(norm));
        rd_tensor_release(p);
    }
}

static void test_clip_skips_parameters_without_gradient(void **state)
{
    rd_error err;
    double norm = 1;
    size_t bad = 0;
    rd_tensor *const p = test_leaf(*state, SHAPE(2), RD_DENSE, 1);
    OK(rd_clip_grad_norm(&p, 1, 1, &norm, &bad, &err));
    OK(rd_clip_grad_value(&p, 1, 1, &err));
    assert_true(norm == 0);
    assert_int_equal(bad, 1);
    rd_tensor_release(p);
}

static void test_clip_value_bounds_each_element(void **state)
{
    rd_error err;
    rd_tensor *const p[] = {with_gradient(*state, 3, -0.25), with_gradient(*state, -4, NAN)};
    OK(rd_clip_grad_value(p, 2, 0.5, &err));
    test_expect(rd_grad(p[0]), SHAPE(2), VALUES(-0.5, 0.25));
    test_expect_near(rd_grad(p[1]), VALUES(0.5, NAN), 0);
    rd_tensor_release(p[1]);
    rd_tensor_release(p[0]);
}

static void test_clip_wrong_limits_are_named(void **state)
{
    (void)state;
    rd_error err;
    double norm = 0;
    size_t bad = 0;
    test_fails(rd_clip_grad_norm(NULL, 0, -1, &norm, &bad, &err), &err,
               "clip_grad_norm: max_norm must be at least 0, got -1");
    test_fails(rd_clip_grad_value(NULL, 0, 0, &err), &err,
               "clip_grad_value: the limit must be greater than 0, got 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clip_norm_scales_all_gradients_by_one_factor),
        cmocka_unit_test(test_clip_norm_leaves_small_gradients_alone),
        cmocka_unit_test(test_clip_norm_zero_only_measures),
        cmocka_unit_test(test_clip_norm_names_the_first_that_is_not_finite),
        cmocka_unit_test(test_clip_by_other_norms),
        cmocka_unit_test(test_clip_by_other_norms_names_what_is_not_finite),
        cmocka_unit_test(test_clip_skips_parameters_without_gradient),
        cmocka_unit_test(test_clip_value_bounds_each_element),
        cmocka_unit_test(test_clip_wrong_limits_are_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
