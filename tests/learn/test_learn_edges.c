/* test_learn_edges.c - sampling, ranking, optimizers, averages, clipping, schedules: numbers at their limits.
 * SPDX-License-Identifier: MIT */
#include "rondo_check.h"
#include "support/tensors.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NONE ((double)NAN)

/* ---- sampling ---- */

static const rd_sampling plain = {.temperature = 1, .top_p = 1};

static void sampling_fails(rd_core *core, const rd_sampling *how, const char *sentence)
{
    rd_error err;
    const rd_stream stream = {.purpose = RD_FOR_SAMPLE};
    rd_tensor *ids = NULL, *logits = test_tensor(core, SHAPE(1, 2), VALUES(0, 1));
    test_fails(rd_sample(logits, how, &stream, &ids, &err), &err, sentence);
    test_fails(rd_adjust(logits, how, &ids, &err), &err, sentence);
    assert_null(ids);
    RELEASE(logits);
}

static void test_sampling_numbers_out_of_range_are_named(void **state)
{
    rd_sampling how = plain;
    how.temperature = 1e7;
    sampling_fails(*state, &how, "sample: temperature must be 0 (greedy) or more, got 10000000");
    how = plain;
    how.penalty = 101;
    sampling_fails(*state, &how, "sample: repetition penalty must be 0.01..100, got 101");
    how.penalty = 0.001;
    sampling_fails(*state, &how, "sample: repetition penalty must be 0.01..100, got 0.001");
    how = plain;
    how.bias = (rd_bias[]){{.id = 3}};
    how.n_bias = 1;
    sampling_fails(*state, &how, "sample: bias: ids are 1..2, got 3");
    how.bias = (rd_bias[]){{.id = 0}};
    sampling_fails(*state, &how, "sample: bias: ids are 1..2, got 0");
    how.bias = (rd_bias[]){{.id = 1, .value = (double)INFINITY}};
    sampling_fails(*state, &how, "sample: a bias must be a number or -infinity, got inf");
}

static void shape_fails(rd_core *core, uint32_t ndim, const size_t *shape, const char *text)
{
    rd_error err;
    char sentence[128];
    const rd_stream stream = {.purpose = RD_FOR_SAMPLE};
    rd_tensor *ids = NULL, *values = NULL, *logits = NULL;
    OK(rd_tensor_new(core, ndim, shape, RD_DENSE, &logits, &err));
    snprintf(sentence, sizeof(sentence), "sample: expected logits (batch, classes), got %s", text);
    test_fails(rd_sample(logits, &plain, &stream, &ids, &err), &err, sentence);
    test_fails(rd_adjust(logits, &plain, &ids, &err), &err, sentence);
    snprintf(sentence, sizeof(sentence), "top: expected scores (batch, classes), got %s", text);
    test_fails(rd_top(logits, 1, &ids, &values, &err), &err, sentence);
    RELEASE(logits);
}

static void test_logits_are_rows_of_classes(void **state)
{
    shape_fails(*state, SHAPE(2), "(2)");
    shape_fails(*state, SHAPE(2, 0), "(2, 0)");
}

static void test_no_more_are_ranked_than_there_are(void **state)
{
    rd_error err;
    rd_tensor *ids = NULL, *values = NULL, *x = test_tensor(*state, SHAPE(1, 2), VALUES(0, 1));
    test_fails(rd_top(x, 0, &ids, &values, &err), &err,
               "top: k must be 1..2, the number of classes, got 0");
    test_fails(rd_top(x, 3, &ids, &values, &err), &err,
               "top: k must be 1..2, the number of classes, got 3");
    RELEASE(x);
}

/* Penalty 1, no bias and all allowed: the logits as they are. */
static void test_nothing_to_adjust_leaves_logits_alone(void **state)
{
    rd_error err;
    const int32_t seen[] = {1};
    rd_tensor *y = NULL, *x = test_tensor(*state, SHAPE(1, 2), VALUES(0.5, -1));
    rd_sampling how = plain;
    how.penalty = 1;
    how.seen = seen;
    how.n_seen = 1;
    OK(rd_adjust(x, &how, &y, &err));
    test_same(x, y);
    RELEASE(y);
    how.penalty = 2;
    how.n_seen = 0;
    OK(rd_adjust(x, &how, &y, &err));
    test_same(x, y);
    RELEASE(y, x);
}

/* ---- optimizers ---- */

static rd_optimizer *optimizer(rd_tensor *x)
{
    rd_error err;
    rd_optimizer *o = NULL;
    const rd_setting lr = {.name = "lr", .kind = RD_REAL, .value.r = 0.1};
    OK(rd_optimizer_new("adam", &lr, 1, &x, 1, &o, &err));
    return o;
}

static void test_optimizer_numbers_out_of_range_are_named(void **state)
{
    rd_error err;
    rd_tensor *x = test_leaf(*state, SHAPE(2), RD_DENSE, 1);
    rd_optimizer *o = optimizer(x);
    test_fails(rd_optimizer_set_group(o, 0, 1e7, 0, &err), &err,
               "adam: a group's 'lr_factor' must be 0..1000000, got 10000000");
    assert_int_equal(rd_optimizer_set_group(o, 0, 1, 1e30, &err), RD_E_ARG);
    assert_non_null(strstr(err.text, "adam: a group's 'weight_decay' must be 0.."));
    assert_int_equal(rd_optimizer_set_lr(o, 1e30, &err), RD_E_ARG);
    assert_non_null(strstr(err.text, "adam: option 'lr' must be 0.."));
    assert_true(rd_optimizer_lr(o) == 0.1);
    test_fails(rd_optimizer_set_scalar(o, 0, -1, &err), &err,
               "adam: the saved number 'updates' must be a whole number of updates, got -1");
    test_fails(rd_optimizer_set_scalar(o, 0, 0.5, &err), &err,
               "adam: the saved number 'updates' must be a whole number of updates, got 0.5");
    test_fails(rd_optimizer_set_scalar(o, 0, NONE, &err), &err,
               "adam: the saved number 'updates' must be a whole number of updates, got nan");
    assert_int_equal(rd_optimizer_set_scalar(o, 1, 1.5, &err), RD_E_ARG);
    assert_non_null(strstr(err.text, "must be 0..1, got 1.5"));
    rd_optimizer_free(o);
    RELEASE(x);
}

/* ---- averages and clipping ---- */

static void test_an_average_of_nothing_is_nothing(void **state)
{
    (void)state;
    rd_error err;
    rd_average *a = NULL;
    OK(rd_average_new(NULL, 0, &a, &err));
    rd_average_update(a, 0.5);
    rd_average_exchange(a);
    rd_average_free(a);
    rd_average_free(NULL);
}

static void test_an_average_of_a_view_is_refused(void **state)
{
    rd_error err;
    rd_average *a = NULL;
    rd_tensor *view = NULL, *x = test_tensor(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    OK(rd_slice(x, 1, 0, 2, &view, &err));
    test_fails(rd_average_new(&view, 1, &a, &err), &err,
               "average: parameter 1 is a view or the result of an operation; only tensors made "
               "directly can be averaged");
    assert_null(a);
    RELEASE(view, x);
}

/* x with the gradient 2 x. */
static void square(rd_tensor *x)
{
    rd_error err;
    rd_tensor *y = NULL, *sum = NULL;
    OK(rd_apply2(RD_MUL, x, x, &y, &err));
    OK(rd_sum(y, RD_ALL, false, &sum, &err));
    OK(rd_backward(sum, NULL, false, &err));
    RELEASE(y, sum);
}

static void test_a_parameter_that_was_frozen_has_no_part_in_a_norm(void **state)
{
    rd_error err;
    double norm;
    size_t bad;
    rd_tensor *both[2] = {test_tensor(*state, SHAPE(1), VALUES(2)),
                          test_tensor(*state, SHAPE(1), VALUES(100))};
    OK(rd_set_requires_grad(both[0], true, &err));
    OK(rd_set_requires_grad(both[1], true, &err));
    square(both[0]);
    square(both[1]);
    OK(rd_set_requires_grad(both[1], false, &err));
    OK(rd_clip_grad_norm(both, 2, 1, &norm, &bad, &err));
    assert_true(norm == 4 && bad == 2);
    test_release(2, both);
}

/* Squares that overflow in double only are no infinite gradients; in float nothing overflows. */
static void test_a_norm_that_overflows_names_no_gradient(void **state)
{
    rd_error err;
    double norm;
    size_t bad;
    if (sizeof(rd_real) == sizeof(float)) skip();
    rd_tensor *x = test_tensor(*state, SHAPE(1), VALUES(1e200));
    OK(rd_set_requires_grad(x, true, &err));
    square(x);
    OK(rd_clip_grad_norm(&x, 1, 1, &norm, &bad, &err));
    assert_true(isinf(norm) && bad == 1);
    RELEASE(x);
}

static void test_the_first_of_several_that_are_not_finite_is_named(void **state)
{
    rd_error err;
    double norm;
    size_t bad;
    rd_tensor *both[2] = {test_tensor(*state, SHAPE(1), VALUES((double)INFINITY)),
                          test_tensor(*state, SHAPE(1), VALUES(NONE))};
    OK(rd_set_requires_grad(both[0], true, &err));
    OK(rd_set_requires_grad(both[1], true, &err));
    square(both[0]);
    square(both[1]);
    OK(rd_clip_grad_norm(both, 2, 1, &norm, &bad, &err));
    assert_int_equal(bad, 0);
    test_release(2, both);
}

/* ---- schedules and checks ---- */

static void test_a_step_of_0_updates_is_one(void **state)
{
    (void)state;
    const rd_schedule s = {.kind = RD_STEP, .base_lr = 1, .gamma = 0.5};
    assert_true(rd_schedule_lr(&s, 3) == 0.125);
}

struct cube {
    rd_tensor *x;
    bool fails, wild;
};

/* sum(x^3), or NaN. */
static rd_status cube(void *user, rd_tensor **out, rd_error *err)
{
    const struct cube *c = user;
    rd_tensor *square = NULL, *product = NULL, *log = NULL;
    if (c->fails) return rd_reshape(c->x, SHAPE(7), out, err);
    rd_status status = rd_apply2(RD_MUL, c->x, c->x, &square, err);
    if (status == RD_OK) status = rd_apply2(RD_MUL, square, c->x, &product, err);
    if (status == RD_OK && c->wild) status = rd_apply1(RD_LOG, product, &log, err);
    if (status == RD_OK) status = rd_sum(log ? log : product, RD_ALL, false, out, err);
    RELEASE(square, product, log);
    return status;
}

static void test_the_step_of_a_gradient_check_is_the_callers(void **state)
{
    rd_error err;
    rd_gradient_report report;
    struct cube c = {.x = test_tensor(*state, SHAPE(1), VALUES(1000))};
    OK(rd_set_requires_grad(c.x, true, &err));
    const rd_gradient_check check = {
        .f = cube, .user = &c, .parameters = &c.x, .n = 1, .step = 0x1p-6, .least = 1e9};
    OK(rd_check_gradients(&check, &report, &err));
    assert_true(report.worst < 0.01); /* of 1e9, the derivative being 3e6 */
    RELEASE(c.x);
}

static void test_a_gradient_that_is_no_number_is_wrong_without_bound(void **state)
{
    rd_error err;
    rd_gradient_report report;
    struct cube c = {.x = test_tensor(*state, SHAPE(1), VALUES(-1)), .wild = true};
    OK(rd_set_requires_grad(c.x, true, &err));
    const rd_gradient_check check = {.f = cube, .user = &c, .parameters = &c.x, .n = 1};
    OK(rd_check_gradients(&check, &report, &err));
    assert_true(isinf(report.worst));
    RELEASE(c.x);
}

static void test_a_function_that_fails_ends_its_check(void **state)
{
    rd_error err;
    rd_gradient_report report;
    struct cube c = {.x = test_leaf(*state, SHAPE(2), RD_DENSE, 1), .fails = true};
    const rd_gradient_check check = {.f = cube, .user = &c, .parameters = &c.x, .n = 1};
    assert_int_equal(rd_check_gradients(&check, &report, &err), RD_E_ARG);
    assert_true(rd_grad_mode(*state));
    RELEASE(c.x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sampling_numbers_out_of_range_are_named),
        cmocka_unit_test(test_logits_are_rows_of_classes),
        cmocka_unit_test(test_no_more_are_ranked_than_there_are),
        cmocka_unit_test(test_nothing_to_adjust_leaves_logits_alone),
        cmocka_unit_test(test_optimizer_numbers_out_of_range_are_named),
        cmocka_unit_test(test_an_average_of_nothing_is_nothing),
        cmocka_unit_test(test_an_average_of_a_view_is_refused),
        cmocka_unit_test(test_a_parameter_that_was_frozen_has_no_part_in_a_norm),
        cmocka_unit_test(test_a_norm_that_overflows_names_no_gradient),
        cmocka_unit_test(test_the_first_of_several_that_are_not_finite_is_named),
        cmocka_unit_test(test_a_step_of_0_updates_is_one),
        cmocka_unit_test(test_the_step_of_a_gradient_check_is_the_callers),
        cmocka_unit_test(test_a_gradient_that_is_no_number_is_wrong_without_bound),
        cmocka_unit_test(test_a_function_that_fails_ends_its_check),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
