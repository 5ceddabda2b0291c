/* test_optim.c - optimizers: first steps by hand, state, options, threads.
 *
 * Trajectories against PyTorch are in tests/oracle.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"
#include <math.h>

#define NEAR (sizeof(rd_real) == sizeof(double) ? 1e-14 : 1e-6)
#define REAL(key, value) ((rd_setting){(key), RD_REAL, {.r = (value)}, NULL})
#define FLAG(key) ((rd_setting){(key), RD_BOOL, {.i = 1}, NULL})

/* Leaves the gradient `slope` on every element of p. */
static void give_slope(rd_tensor *p, double slope)
{
    rd_error err;
    rd_tensor *s = NULL, *y = NULL, *sum = NULL;
    rd_zero_grad(p);
    OK(rd_scalar(rd_tensor_core(p), slope, &s, &err));
    OK(rd_apply2(RD_MUL, p, s, &y, &err));
    OK(rd_sum(y, RD_ALL, false, &sum, &err));
    OK(rd_backward(sum, NULL, false, &err));
    rd_tensor_release(sum);
    rd_tensor_release(y);
    rd_tensor_release(s);
}

static rd_optimizer *optimizer(const char *kind, const rd_setting *settings, size_t n, rd_tensor *p)
{
    rd_error err;
    rd_optimizer *o = NULL;
    OK(rd_optimizer_new(kind, settings, n, &p, 1, &o, &err));
    return o;
}

/* A parameter of 1 after one step with gradient 2. */
static void first_step(rd_core *core, const char *kind, const rd_setting *settings, size_t n,
                       double want)
{
    rd_error err;
    rd_tensor *const p = test_tensor(core, SHAPE(1), VALUES(1));
    OK(rd_set_requires_grad(p, true, &err));
    rd_optimizer *const o = optimizer(kind, settings, n, p);
    give_slope(p, 2);
    OK(rd_optimizer_step(o, &err));
    test_expect_near(p, &want, NEAR);
    assert_int_equal(rd_optimizer_updates(o), 1);
    rd_optimizer_free(o);
    rd_tensor_release(p);
}

static void test_sgd_first_step(void **state)
{
    const rd_setting s[] = {REAL("lr", 0.1)};
    first_step(*state, "sgd", s, 1, 1 - 0.1 * 2);
}

static void test_sgd_nesterov_first_step(void **state)
{
    const rd_setting s[] = {REAL("lr", 0.1), REAL("momentum", 0.5), FLAG("nesterov")};
    first_step(*state, "sgd", s, 3, 1 - 0.1 * (2 + 0.5 * 2));
}

static void test_rmsprop_first_step(void **state)
{
    const rd_setting s[] = {REAL("lr", 0.1), REAL("alpha", 0.75), REAL("eps", 0)};
    first_step(*state, "rmsprop", s, 3, 1 - 0.1 * 2 / sqrt(0.25 * 4));
}

static void test_adam_first_step_is_lr(void **state)
{
    const rd_setting s[] = {REAL("lr", 0.1), REAL("eps", 0)};
    first_step(*state, "adam", s, 2, 1 - 0.1);
}

static void test_adamw_decay_is_not_part_of_the_gradient(void **state)
{
    const rd_setting s[] = {REAL("lr", 0.1), REAL("eps", 0), REAL("weight_decay", 0.5)};
    first_step(*state, "adamw", s, 3, 1 - 0.1 * 0.5 - 0.1);
}

/* c = 0.1 * 2 has a sign: 1 - 0.1 * 0.5 - 0.1 */
static void test_lion_first_step_is_the_sign(void **state)
{
    const rd_setting s[] = {REAL("lr", 0.1), REAL("weight_decay", 0.5)};
    first_step(*state, "lion", s, 2, 1 - 0.1 * 0.5 - 0.1);
}

static void test_lion_stands_still_without_a_gradient(void **state)
{
    rd_error err;
    rd_tensor *const p = test_tensor(*state, SHAPE(1), VALUES(3));
    OK(rd_set_requires_grad(p, true, &err));
    rd_optimizer *const o = optimizer("lion", NULL, 0, p);
    give_slope(p, 0);
    OK(rd_optimizer_step(o, &err));
    test_expect(p, SHAPE(1), VALUES(3));
    rd_optimizer_free(o);
    rd_tensor_release(p);
}

/* m = 0.1 after +1; then c = 0.9 * 0.1 ... - 0.1 * 0.5 > 0: the sign stays that of the mean. */
static void test_lion_follows_its_mean(void **state)
{
    rd_error err;
    const rd_setting s[] = {REAL("lr", 0.25), REAL("beta2", 0.9)};
    rd_tensor *const p = test_tensor(*state, SHAPE(1), VALUES(1));
    OK(rd_set_requires_grad(p, true, &err));
    rd_optimizer *const o = optimizer("lion", s, 2, p);
    give_slope(p, 1);
    OK(rd_optimizer_step(o, &err));
    give_slope(p, -0.5);
    OK(rd_optimizer_step(o, &err));
    test_expect(p, SHAPE(1), VALUES(0.5));
    rd_optimizer_free(o);
    rd_tensor_release(p);
}

static void test_adagrad_first_sum_is_an_option(void **state)
{
    const rd_setting s[] = {REAL("lr", 0.1), REAL("initial_accumulator_value", 12), REAL("eps", 0)};
    first_step(*state, "adagrad", s, 3, 1 - 0.1 * 2 / sqrt(12 + 4));
}

static void test_group_has_its_own_rate_and_decay(void **state)
{
    rd_error err;
    const rd_setting s[] = {REAL("lr", 0.1), REAL("weight_decay", 0.5)};
    rd_tensor *const p = test_tensor(*state, SHAPE(1), VALUES(1));
    OK(rd_set_requires_grad(p, true, &err));
    rd_optimizer *const o = optimizer("sgd", s, 2, p);
    OK(rd_optimizer_set_group(o, 0, 2, 0.25, &err));
    give_slope(p, 1);
    OK(rd_optimizer_step(o, &err));
    test_expect_near(p, VALUES(1 - 0.2 * (1 + 0.25)), NEAR);
    rd_optimizer_free(o);
    rd_tensor_release(p);
}

static void test_group_wrong_numbers_are_named(void **state)
{
    rd_error err;
    rd_tensor *const p = test_leaf(*state, SHAPE(1), RD_DENSE, 1);
    rd_optimizer *const o = optimizer("sgd", NULL, 0, p);
    test_fails(rd_optimizer_set_group(o, 0, -1, 0, &err), &err,
               "sgd: a group's 'lr_factor' must be 0..1000000, got -1");
    test_fails(rd_optimizer_set_group(o, 0, 1, NAN, &err), &err,
               "sgd: a group's 'weight_decay' must be 0..1000000, got nan");
    rd_optimizer_free(o);
    rd_tensor_release(p);
}

/* Its gradient from before stays, but neither moves it nor counts in the norm. */
static void test_frozen_parameter_is_left_alone(void **state)
{
    rd_error err;
    double norm = 0;
    size_t bad = 0;
    rd_tensor *p = test_tensor(*state, SHAPE(1), VALUES(3));
    OK(rd_set_requires_grad(p, true, &err));
    rd_optimizer *const o = optimizer("adamw", NULL, 0, p);
    give_slope(p, 2);
    OK(rd_set_requires_grad(p, false, &err));
    OK(rd_clip_grad_norm(&p, 1, 1, &norm, &bad, &err));
    OK(rd_optimizer_step(o, &err));
    test_expect(p, SHAPE(1), VALUES(3));
    test_expect(rd_grad(p), SHAPE(1), VALUES(2));
    assert_true(norm == 0);
    rd_optimizer_free(o);
    rd_tensor_release(p);
}

/* Of 64 constant gradients k / 997 about one in three ends with a mean square that rounding has left below
 * the square of the mean, in float and in double. */
static void test_rmsprop_centered_survives_a_constant_gradient(void **state)
{
    enum { N = 64, STEPS = 100 };
    rd_error err;
    double slope[N];
    for (int k = 0; k < N; k++) slope[k] = (k + 1) / 997.0;
    const rd_setting s[] = {REAL("alpha", 0.5), FLAG("centered")};
    rd_tensor *const p = test_leaf(*state, SHAPE(N), RD_DENSE, 1), *y = NULL, *sum = NULL;
    rd_tensor *const slopes = test_tensor(*state, SHAPE(N), slope);
    rd_optimizer *const o = optimizer("rmsprop", s, 2, p);
    for (int i = 0; i < STEPS; i++) {
        rd_zero_grad(p);
        OK(rd_apply2(RD_MUL, p, slopes, &y, &err));
        OK(rd_sum(y, RD_ALL, false, &sum, &err));
        OK(rd_backward(sum, NULL, false, &err));
        RELEASE(sum, y);
        OK(rd_optimizer_step(o, &err));
    }
    assert_true(rd_all_finite(p));
    rd_optimizer_free(o);
    RELEASE(slopes, p);
}

static void test_optimizer_leaves_parameters_without_gradient_alone(void **state)
{
    rd_error err;
    rd_tensor *const p = test_tensor(*state, SHAPE(1), VALUES(3));
    OK(rd_set_requires_grad(p, true, &err));
    rd_optimizer *const o = optimizer("adamw", NULL, 0, p);
    OK(rd_optimizer_step(o, &err));
    test_expect(p, SHAPE(1), VALUES(3));
    rd_optimizer_free(o);
    rd_tensor_release(p);
}

static void test_optimizer_state_survives_a_change_of_rate(void **state)
{
    rd_error err;
    const rd_setting s[] = {REAL("lr", 0.1), REAL("momentum", 0.5)};
    rd_tensor *const p = test_tensor(*state, SHAPE(1), VALUES(0));
    OK(rd_set_requires_grad(p, true, &err));
    rd_optimizer *const o = optimizer("sgd", s, 2, p);
    give_slope(p, 1);
    OK(rd_optimizer_step(o, &err));
    OK(rd_optimizer_set_lr(o, 1, &err));
    give_slope(p, 1);
    OK(rd_optimizer_step(o, &err));
    test_expect_near(p, VALUES(-0.1 - 1.5), NEAR);
    assert_true(rd_optimizer_lr(o) == 1);
    rd_optimizer_free(o);
    rd_tensor_release(p);
}

/* Slots and scalars copied into a new optimizer go on with the same bits. */
static void test_optimizer_goes_on_from_its_saved_state(void **state)
{
    rd_error err;
    rd_tensor *p[2] = {test_leaf(*state, SHAPE(5), RD_DENSE, 1),
                       test_leaf(*state, SHAPE(5), RD_DENSE, 1)};
    rd_optimizer *a = optimizer("adam", NULL, 0, p[0]), *b = optimizer("adam", NULL, 0, p[1]);
    for (int i = 0; i < 6; i++) {
        for (int k = 0; k < 2; k++) give_slope(p[k], 1.0 / (1 + i));
        OK(rd_optimizer_step(a, &err));
        OK(rd_optimizer_step(b, &err));
        if (i != 2) continue;
        rd_optimizer *const resumed = optimizer("adam", NULL, 0, p[1]);
        for (size_t s = 0; s < rd_optimizer_slot_count(b); s++)
            OK(rd_copy(rd_optimizer_slot(resumed, 0, s), rd_optimizer_slot(b, 0, s), &err));
        for (size_t s = 0; s < rd_optimizer_scalar_count(b); s++)
            OK(rd_optimizer_set_scalar(resumed, s, rd_optimizer_scalar(b, s), &err));
        rd_optimizer_free(b);
        b = resumed;
    }
    test_same(p[0], p[1]);
    assert_int_equal(rd_optimizer_updates(b), 6);
    rd_optimizer_free(b);
    rd_optimizer_free(a);
    rd_tensor_release(p[1]);
    rd_tensor_release(p[0]);
}

static rd_tensor *trained(rd_core *core, uint32_t threads, const char *kind)
{
    rd_error err;
    rd_tensor *const p = test_leaf(core, SHAPE(50000), RD_DENSE, 1);
    OK(rd_core_set_threads(core, threads, &err));
    rd_optimizer *const o = optimizer(kind, NULL, 0, p);
    for (int i = 0; i < 3; i++) {
        give_slope(p, 0.1 + i);
        OK(rd_optimizer_step(o, &err));
    }
    rd_optimizer_free(o);
    return p;
}

static void test_optimizer_with_three_threads_has_the_bits_of_one(void **state)
{
    rd_error err;
    for (size_t k = 0; k < rd_optimizer_kind_count(); k++) {
        rd_tensor *const a = trained(*state, 1, rd_optimizer_kind_name(k));
        rd_tensor *const b = trained(*state, 3, rd_optimizer_kind_name(k));
        test_same(a, b);
        rd_tensor_release(b);
        rd_tensor_release(a);
    }
    OK(rd_core_set_threads(*state, 1, &err));
}

static void test_optimizer_names_its_state(void **state)
{
    const rd_setting s[] = {REAL("momentum", 0.5), FLAG("centered")};
    rd_tensor *const p = test_leaf(*state, SHAPE(1), RD_DENSE, 1);
    rd_optimizer *const o = optimizer("rmsprop", s, 2, p), *const a = optimizer("adam", NULL, 0, p);
    assert_int_equal(rd_optimizer_slot_count(o), 3);
    assert_string_equal(rd_optimizer_slot_name(o, 0), "square");
    assert_string_equal(rd_optimizer_slot_name(o, 1), "mean");
    assert_string_equal(rd_optimizer_slot_name(o, 2), "momentum");
    assert_int_equal(rd_optimizer_scalar_count(a), 3);
    assert_string_equal(rd_optimizer_scalar_name(a, 0), "updates");
    assert_string_equal(rd_optimizer_scalar_name(a, 1), "beta1_power");
    assert_string_equal(rd_optimizer_scalar_name(a, 2), "beta2_power");
    rd_optimizer_free(a);
    rd_optimizer_free(o);
    rd_tensor_release(p);
}

static void test_optimizer_options_are_listed_with_their_defaults(void **state)
{
    (void)state;
    uint32_t n = 0;
    const rd_option *options = rd_optimizer_options("adamw", &n);
    assert_int_equal(n, 6);
    assert_string_equal(options[4].name, "weight_decay");
    assert_true(options[4].def == 0.01);
    assert_null(rd_optimizer_options("adamax", &n));
}

static void test_optimizer_wrong_arguments_are_named(void **state)
{
    rd_error err;
    rd_optimizer *o = NULL;
    rd_tensor *y = NULL, *t = NULL, *const p = test_leaf(*state, SHAPE(2, 3), RD_DENSE, 1);
    rd_tensor *const same[] = {p, p};
    const rd_setting nesterov[] = {FLAG("nesterov")}, no_eps[] = {REAL("eps", 0)};
    OK(rd_apply1(RD_NEG, p, &y, &err));
    test_fails(rd_optimizer_new("adma", NULL, 0, &p, 1, &o, &err), &err,
               "there is no optimizer 'adma'; did you mean 'adam'?");
    test_fails(rd_optimizer_new("gradient_descent", NULL, 0, &p, 1, &o, &err), &err,
               "there is no optimizer 'gradient_descent'; there are sgd, rmsprop, adam, adamw, "
               "nadam, adagrad, adadelta and lion");
    test_fails(rd_optimizer_new("sgd", NULL, 0, NULL, 0, &o, &err), &err,
               "sgd: there are no parameters to optimize");
    test_fails(rd_optimizer_new("sgd", NULL, 0, same, 2, &o, &err), &err,
               "sgd: parameter 2 is the same tensor as number 1");
    test_fails(rd_optimizer_new("adadelta", no_eps, 1, &p, 1, &o, &err), &err,
               "adadelta: option 'eps' must be greater than 0");
    test_fails(rd_optimizer_new("sgd", nesterov, 1, &p, 1, &o, &err), &err,
               "sgd: option 'nesterov' needs a 'momentum' greater than 0");
    test_fails(rd_optimizer_new("sgd", NULL, 0, &y, 1, &o, &err), &err,
               "sgd: parameter 1 is the result of an operation; only tensors made directly can be "
               "optimized");
    rd_set_grad_mode(*state, false);
    OK(rd_slice(p, 1, 0, 2, &t, &err));
    rd_set_grad_mode(*state, true);
    test_fails(rd_optimizer_new("sgd", NULL, 0, &t, 1, &o, &err), &err,
               "sgd: parameter 1 is a view with gaps; optimize the tensor it was taken from");
    rd_tensor_release(t);
    rd_tensor_release(y);
    rd_tensor_release(p);
}

static void test_optimizer_wrong_state_is_named(void **state)
{
    rd_error err;
    rd_tensor *const p = test_leaf(*state, SHAPE(1), RD_DENSE, 1);
    rd_optimizer *const o = optimizer("adam", NULL, 0, p);
    test_fails(rd_optimizer_set_lr(o, NAN, &err), &err,
               "adam: option 'lr' must be 0..1000000, got nan");
    test_fails(rd_optimizer_set_scalar(o, 0, 0.5, &err), &err,
               "adam: the saved number 'updates' must be a whole number of updates, got 0.5");
    test_fails(rd_optimizer_set_scalar(o, 1, 2, &err), &err,
               "adam: the saved number 'beta1_power' must be 0..1, got 2");
    rd_optimizer_free(o);
    rd_tensor_release(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgd_first_step),
        cmocka_unit_test(test_sgd_nesterov_first_step),
        cmocka_unit_test(test_rmsprop_first_step),
        cmocka_unit_test(test_adam_first_step_is_lr),
        cmocka_unit_test(test_adamw_decay_is_not_part_of_the_gradient),
        cmocka_unit_test(test_lion_first_step_is_the_sign),
        cmocka_unit_test(test_lion_stands_still_without_a_gradient),
        cmocka_unit_test(test_lion_follows_its_mean),
        cmocka_unit_test(test_adagrad_first_sum_is_an_option),
        cmocka_unit_test(test_group_has_its_own_rate_and_decay),
        cmocka_unit_test(test_group_wrong_numbers_are_named),
        cmocka_unit_test(test_frozen_parameter_is_left_alone),
        cmocka_unit_test(test_rmsprop_centered_survives_a_constant_gradient),
        cmocka_unit_test(test_optimizer_leaves_parameters_without_gradient_alone),
        cmocka_unit_test(test_optimizer_state_survives_a_change_of_rate),
        cmocka_unit_test(test_optimizer_goes_on_from_its_saved_state),
        cmocka_unit_test(test_optimizer_with_three_threads_has_the_bits_of_one),
        cmocka_unit_test(test_optimizer_names_its_state),
        cmocka_unit_test(test_optimizer_options_are_listed_with_their_defaults),
        cmocka_unit_test(test_optimizer_wrong_arguments_are_named),
        cmocka_unit_test(test_optimizer_wrong_state_is_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
