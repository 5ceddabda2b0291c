/* test_likelihood.c - losses of quantiles and distributions: values of R and by hand, gradients, masks,
 * refusals.
 * SPDX-License-Identifier: MIT */
#include "rondo_forecast.h"
#include "support/tensors.h"
#include <math.h>

/* Logarithms are formed in double; the rest is rounding of rd_real and of the numbers given. */
#define NEAR (sizeof(rd_real) == sizeof(double) ? 1e-13 : 3e-6)

static const double deciles[] = {0.1, 0.5, 0.9};

struct call {
    rd_tensor *y, *target;
    rd_likelihood how;
};

static rd_status loss_of(void *user, rd_tensor **out, rd_error *err)
{
    const struct call *c = user;
    return rd_likelihood_loss(c->y, c->target, &c->how, out, NULL, err);
}

/* The loss of one row (n numbers) for a target. */
static void expect_row(rd_core *core, rd_likelihood_kind kind, size_t n, const double *row,
                       double target, double want)
{
    rd_error err;
    rd_tensor *loss = NULL, *const y = test_tensor(core, SHAPE(1, n), row);
    rd_tensor *const t = test_tensor(core, SHAPE(1), &target);
    const rd_likelihood how = {.kind = kind, .quantiles = deciles, .n_quantiles = n};
    OK(rd_likelihood_loss(y, t, &how, &loss, NULL, &err));
    test_expect_near(loss, &want, NEAR);
    RELEASE(loss, y, t);
}

static void test_gaussian_is_r_s(void **state)
{
    expect_row(*state, RD_GAUSSIAN, 2, VALUES(0.5, 0.8), 1.25, 1.135248106890463);
}

static void test_student_t_is_r_s(void **state)
{
    expect_row(*state, RD_STUDENT_T, 3, VALUES(0.5, 0.8, 3.5), 1.25, 1.2704110626640586);
}

static void test_student_t_of_many_degrees_is_gaussian(void **state)
{
    expect_row(*state, RD_STUDENT_T, 3, VALUES(0.5, 0.8, 1e15), 1.25, 1.135248106890463);
}

static void test_negative_binomial_is_r_s(void **state)
{
    expect_row(*state, RD_NEGATIVE_BINOMIAL, 2, VALUES(3.5, 0.4), 7, 3.0821581592546243);
    expect_row(*state, RD_NEGATIVE_BINOMIAL, 2, VALUES(3.5, 0.4), 0, 2.1886718433847498);
    expect_row(*state, RD_NEGATIVE_BINOMIAL, 2, VALUES(120, 0.001), 150, 6.5679906444897833);
}

static void test_negative_binomial_of_no_dispersion_is_poisson(void **state)
{
    /* -log of 3.5^7 exp(-3.5) / 7! */
    expect_row(*state, RD_NEGATIVE_BINOMIAL, 2, VALUES(3.5, 1e-14), 7,
               3.5 - 7 * log(3.5) + log(5040));
}

static void test_quantiles_by_hand(void **state)
{
    /* 0.1 (2 - 1) + 0.5 (2 - 2) + 0.1 (5 - 2), over three */
    expect_row(*state, RD_QUANTILES, 3, VALUES(1, 2, 5), 2, (0.1 + 0.3) / 3);
}

/* Leaves (2, 3, 2, width) that are moved to where all parameters are allowed. */
static struct call gradient_call(rd_core *core, rd_likelihood_kind kind, size_t width)
{
    rd_error err;
    rd_tensor *raw = NULL, *three = NULL;
    struct call c = {
        .how = {
            .kind = kind, .reduction = RD_PER_BATCH, .quantiles = deciles, .n_quantiles = width}};
    rd_tensor *const moved = test_leaf(core, SHAPE(2, 3, 2, width), RD_SEQUENCE, 3);
    const bool counts = kind == RD_NEGATIVE_BINOMIAL;
    c.target = counts
                   ? test_tensor(core, SHAPE(2, 3, 2), VALUES(0, 1, 5, 2, 0, 9, 3, 1, 0, 4, 2, 30))
                   : test_leaf(core, SHAPE(2, 3, 2), RD_DENSE, 4);
    OK(rd_set_requires_grad(c.target, false, &err));
    OK(rd_scalar(core, kind == RD_QUANTILES ? 0 : 1.25, &three, &err));
    OK(rd_apply2(RD_ADD, moved, three, &raw, &err));
    c.y = test_leaf(core, SHAPE(2, 3, 2, width), RD_SEQUENCE, 3);
    OK(rd_set_requires_grad(c.y, false, &err));
    OK(rd_copy(c.y, raw, &err));
    OK(rd_set_requires_grad(c.y, true, &err));
    c.how.weight = test_tensor(core, SHAPE(2, 3, 1), VALUES(1, 0, 2, 0.5, 1, 0));
    RELEASE(raw, three, moved);
    return c;
}

static void expect_gradients(rd_core *core, rd_likelihood_kind kind, size_t width)
{
    struct call c = gradient_call(core, kind, width);
    test_gradients(loss_of, &c, &c.y, 1);
    RELEASE(c.how.weight, c.target, c.y);
}

static void test_quantile_gradients(void **state)
{
    expect_gradients(*state, RD_QUANTILES, 3);
}

static void test_gaussian_gradients(void **state)
{
    expect_gradients(*state, RD_GAUSSIAN, 2);
}

static void test_student_t_gradients(void **state)
{
    expect_gradients(*state, RD_STUDENT_T, 3);
}

static void test_negative_binomial_gradients(void **state)
{
    expect_gradients(*state, RD_NEGATIVE_BINOMIAL, 2);
}

/* d/da of -log p at a = 0 is (k - m) / ... : differences of 1/a cancel there, so the limit is asked:
 * E[(k - m)^2 - k] / 2 enters with its sign, -((k - m)^2 - k) / 2 (Taylor of the log-density in a). */
static void test_negative_binomial_slope_of_small_dispersion(void **state)
{
    rd_error err;
    rd_tensor *loss = NULL, *const y = test_tensor(*state, SHAPE(1, 2), VALUES(3.5, 0x1p-20));
    rd_tensor *const t = test_tensor(*state, SHAPE(1), VALUES(7));
    OK(rd_set_requires_grad(y, true, &err));
    OK(rd_likelihood_loss(y, t, &(rd_likelihood){.kind = RD_NEGATIVE_BINOMIAL}, &loss, NULL, &err));
    OK(rd_backward(loss, NULL, false, &err));
    test_expect_near(rd_grad(y), VALUES(-1, -(3.5 * 3.5 - 7) / 2), 1e-4);
    RELEASE(loss, y, t);
}

/* The bits of a batch that lies in the order of time are those of one that does not. */
static void test_order_of_storage_does_not_matter(void **state)
{
    rd_error err;
    rd_tensor *loss[2] = {NULL, NULL},
              *dense = NULL, *const y = test_leaf(*state, SHAPE(3, 4, 3), RD_SEQUENCE, 5);
    rd_tensor *const t = test_leaf(*state, SHAPE(3, 4), RD_SEQUENCE, 6);
    const rd_likelihood how = {.kind = RD_QUANTILES, .quantiles = deciles, .n_quantiles = 3};
    OK(rd_set_requires_grad(t, false, &err));
    OK(rd_contiguous(y, RD_DENSE, &dense, &err));
    OK(rd_likelihood_loss(y, t, &how, &loss[0], NULL, &err));
    OK(rd_likelihood_loss(dense, t, &how, &loss[1], NULL, &err));
    double sum = 0;
    OK(rd_tensor_get(loss[1], NULL, &sum, &err));
    test_expect_near(loss[0], &sum, NEAR);
    RELEASE(loss[0], loss[1], dense, y, t);
}

static void test_a_row_of_weight_zero_may_hold_anything(void **state)
{
    rd_error err;
    rd_loss_total total;
    rd_tensor *loss = NULL, *const y = test_tensor(*state, SHAPE(2, 2), VALUES(NAN, -1, 0.5, 2));
    rd_tensor *const t = test_tensor(*state, SHAPE(2), VALUES(INFINITY, 1));
    rd_likelihood how = {.kind = RD_GAUSSIAN};
    how.weight = test_tensor(*state, SHAPE(2), VALUES(0, 2));
    OK(rd_set_requires_grad(y, true, &err));
    OK(rd_likelihood_loss(y, t, &how, &loss, &total, &err));
    OK(rd_backward(loss, NULL, false, &err));
    assert_true(rd_all_finite(loss) && rd_all_finite(rd_grad(y)) && total.count == 2);
    RELEASE(how.weight, loss, y, t);
}

static void test_nan_is_a_loss_that_is_not_finite(void **state)
{
    rd_error err;
    rd_tensor *loss = NULL, *const y = test_tensor(*state, SHAPE(1, 3), VALUES(1, NAN, 3));
    rd_tensor *const t = test_tensor(*state, SHAPE(1), VALUES(1));
    const rd_likelihood how = {.kind = RD_QUANTILES, .quantiles = deciles, .n_quantiles = 3};
    OK(rd_likelihood_loss(y, t, &how, &loss, NULL, &err));
    assert_false(rd_all_finite(loss));
    RELEASE(loss, y, t);
}

static void refused(rd_core *core, const rd_likelihood *how, const double *row, double target,
                    const char *text)
{
    rd_error err;
    const size_t width = rd_likelihood_width(how);
    rd_tensor *loss = NULL, *const y = test_tensor(core, SHAPE(1, width), row);
    rd_tensor *const t = test_tensor(core, SHAPE(1), &target);
    test_fails(rd_likelihood_loss(y, t, how, &loss, NULL, &err), &err, text);
    RELEASE(y, t);
}

static void test_impossible_numbers_are_named(void **state)
{
    refused(*state, &(rd_likelihood){.kind = RD_GAUSSIAN}, VALUES(1, 0), 1,
            "gaussian_loss: the scale must be greater than 0, got 0");
    refused(*state, &(rd_likelihood){.kind = RD_STUDENT_T}, VALUES(1, 1, -2), 1,
            "student_t_loss: the degrees of freedom must be greater than 0, got -2");
    refused(*state, &(rd_likelihood){.kind = RD_NEGATIVE_BINOMIAL}, VALUES(-1, 1), 1,
            "negative_binomial_loss: the mean must be greater than 0, got -1");
    refused(*state, &(rd_likelihood){.kind = RD_NEGATIVE_BINOMIAL}, VALUES(1, 1), -0.5,
            "negative_binomial_loss: targets are counts, at least 0 and without a scaler, got "
            "-0.5");
    refused(*state, &(rd_likelihood){.quantiles = VALUES(0.5, 1), .n_quantiles = 2}, VALUES(1, 2),
            1, "quantile_loss: quantiles lie between 0 and 1, got 1");
}

static void test_wrong_shapes_are_named(void **state)
{
    rd_error err;
    rd_tensor *loss = NULL, *const y = test_leaf(*state, SHAPE(2, 3), RD_DENSE, 1);
    rd_tensor *const two = test_tensor(*state, SHAPE(2), VALUES(1, 1));
    rd_tensor *const three = test_tensor(*state, SHAPE(3), VALUES(1, 1, 1));
    const rd_likelihood how = {.kind = RD_STUDENT_T}, wide = {.kind = RD_GAUSSIAN};
    rd_likelihood heavy = how;
    heavy.weight = three;
    test_fails(rd_likelihood_loss(y, two, &wide, &loss, NULL, &err), &err,
               "gaussian_loss: expected an output (..., 2) and a target (...), got (2, 3) and (2)");
    test_fails(
        rd_likelihood_loss(y, three, &how, &loss, NULL, &err), &err,
        "student_t_loss: expected an output (..., 3) and a target (...), got (2, 3) and (3)");
    OK(rd_set_requires_grad(two, true, &err));
    test_fails(rd_likelihood_loss(y, two, &how, &loss, NULL, &err), &err,
               "student_t_loss: the target must not want a gradient; detach it");
    OK(rd_set_requires_grad(two, false, &err));
    test_fails(rd_likelihood_loss(y, two, &heavy, &loss, NULL, &err), &err,
               "student_t_loss: the weight must broadcast to (2), got (3)");
    RELEASE(y, two, three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gaussian_is_r_s),
        cmocka_unit_test(test_student_t_is_r_s),
        cmocka_unit_test(test_student_t_of_many_degrees_is_gaussian),
        cmocka_unit_test(test_negative_binomial_is_r_s),
        cmocka_unit_test(test_negative_binomial_of_no_dispersion_is_poisson),
        cmocka_unit_test(test_quantiles_by_hand),
        cmocka_unit_test(test_quantile_gradients),
        cmocka_unit_test(test_gaussian_gradients),
        cmocka_unit_test(test_student_t_gradients),
        cmocka_unit_test(test_negative_binomial_gradients),
        cmocka_unit_test(test_negative_binomial_slope_of_small_dispersion),
        cmocka_unit_test(test_order_of_storage_does_not_matter),
        cmocka_unit_test(test_a_row_of_weight_zero_may_hold_anything),
        cmocka_unit_test(test_nan_is_a_loss_that_is_not_finite),
        cmocka_unit_test(test_impossible_numbers_are_named),
        cmocka_unit_test(test_wrong_shapes_are_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
