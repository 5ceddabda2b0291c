/* test_loss_more.c - class weights, smoothing, element weights, cosine: gradients, masks, refusals.
 *
 * Values against PyTorch are in tests/oracle.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"
#include <math.h>

struct call {
    rd_tensor *in[2]; /* y and target */
    rd_entropy entropy;
    rd_pointwise pointwise;
    rd_row_loss rows;
};

static rd_status entropy_of(void *user, rd_tensor **out, rd_error *err)
{
    const struct call *c = user;
    return rd_cross_entropy_with(c->in[0], c->in[1], &c->entropy, out, NULL, err);
}

static rd_status pointwise_of(void *user, rd_tensor **out, rd_error *err)
{
    const struct call *c = user;
    return rd_pointwise_loss(c->in[0], c->in[1], &c->pointwise, out, NULL, err);
}

static rd_status cosine_of(void *user, rd_tensor **out, rd_error *err)
{
    const struct call *c = user;
    return rd_cosine_loss(c->in[0], c->in[1], &c->rows, out, NULL, err);
}

static void test_smoothed_and_weighted_entropy_gradients(void **state)
{
    struct call c = {.in = {test_leaf(*state, SHAPE(2, 3, 5), RD_SEQUENCE, 1),
                            test_tensor(*state, SHAPE(2, 3), VALUES(1, 5, 0, 4, 2, 1))}};
    c.entropy.class_weights = test_tensor(*state, SHAPE(5), VALUES(1, 0.5, 2, 3, 0));
    c.entropy.label_smoothing = 0.3;
    test_gradients(entropy_of, &c, c.in, 1);
    rd_tensor_release(c.entropy.class_weights);
    rd_tensor_release(c.in[1]);
    rd_tensor_release(c.in[0]);
}

/* The two ways of saying it have other operations and so other bits, but the same sum. */
static void test_ones_as_class_weights_change_nothing(void **state)
{
    rd_error err;
    rd_loss_total plain, ones;
    rd_tensor *y[2] = {NULL, NULL}, *const x = test_leaf(*state, SHAPE(4, 5), RD_DENSE, 1);
    rd_tensor *const ids = test_tensor(*state, SHAPE(4), VALUES(1, 5, 0, 2));
    rd_entropy how = {.class_weights = test_tensor(*state, SHAPE(5), VALUES(1, 1, 1, 1, 1))};
    OK(rd_cross_entropy(x, ids, RD_MEAN, &y[0], &plain, &err));
    OK(rd_cross_entropy_with(x, ids, &how, &y[1], &ones, &err));
    test_same(y[0], y[1]);
    assert_true(plain.sum == ones.sum && plain.count == ones.count);
    rd_tensor_release(how.class_weights);
    rd_tensor_release(y[1]);
    rd_tensor_release(y[0]);
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

static void test_entropy_wrong_options_are_named(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const x = test_leaf(*state, SHAPE(2, 3), RD_DENSE, 1);
    rd_tensor *const ids = test_tensor(*state, SHAPE(2), VALUES(1, 2));
    rd_tensor *const two = test_tensor(*state, SHAPE(2), VALUES(1, 1));
    rd_tensor *const minus = test_tensor(*state, SHAPE(3), VALUES(1, -1, 1));
    test_fails(rd_cross_entropy_with(x, ids, &(rd_entropy){.label_smoothing = 1}, &y, NULL, &err),
               &err, "cross_entropy: label_smoothing must be at least 0 and below 1, got 1");
    test_fails(rd_cross_entropy_with(x, ids, &(rd_entropy){.class_weights = two}, &y, NULL, &err),
               &err,
               "cross_entropy: class_weights must be one number for each of 3 classes, got (2)");
    test_fails(rd_cross_entropy_with(x, ids, &(rd_entropy){.class_weights = minus}, &y, NULL, &err),
               &err, "cross_entropy: class_weights must be at least 0, got -1 for class 2");
    rd_tensor_release(minus);
    rd_tensor_release(two);
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

static void test_pointwise_gradients(void **state)
{
    for (int kind = RD_SQUARED_ERROR; kind <= RD_BINARY_ENTROPY; kind++) {
        const bool binary = kind == RD_BINARY_ENTROPY;
        struct call c = {.in = {test_leaf(*state, SHAPE(2, 3, 4), RD_SEQUENCE, 2),
                                test_leaf(*state, SHAPE(2, 3, 4), RD_DENSE, 1)},
                         .pointwise = {.kind = (rd_pointwise_kind)kind,
                                       .reduction = RD_PER_BATCH,
                                       .delta = 0.7,
                                       .pos_weight = 3}};
        rd_error err;
        OK(rd_set_requires_grad(c.in[1], !binary, &err));
        c.pointwise.weight = test_tensor(*state, SHAPE(2, 3, 1), VALUES(1, 0, 2, 0.5, 1, 0));
        test_gradients(pointwise_of, &c, c.in, binary ? 1 : 2);
        rd_tensor_release(c.pointwise.weight);
        rd_tensor_release(c.in[1]);
        rd_tensor_release(c.in[0]);
    }
}

static void test_an_element_of_weight_zero_may_hold_anything(void **state)
{
    rd_error err;
    for (int kind = RD_SQUARED_ERROR; kind <= RD_BINARY_ENTROPY; kind++) {
        rd_loss_total total;
        rd_tensor *loss = NULL, *const y = test_tensor(*state, SHAPE(2), VALUES(NAN, 0.5));
        rd_tensor *const target = test_tensor(*state, SHAPE(2), VALUES(INFINITY, 0));
        rd_pointwise how = {.kind = (rd_pointwise_kind)kind, .delta = 1, .pos_weight = 1};
        how.weight = test_tensor(*state, SHAPE(2), VALUES(0, 2));
        OK(rd_set_requires_grad(y, true, &err));
        OK(rd_pointwise_loss(y, target, &how, &loss, &total, &err));
        OK(rd_backward(loss, NULL, false, &err));
        assert_true(rd_all_finite(loss) && rd_all_finite(rd_grad(y)));
        assert_true(total.count == 2);
        rd_tensor_release(how.weight);
        rd_tensor_release(loss);
        rd_tensor_release(target);
        rd_tensor_release(y);
    }
}

static void test_binary_entropy_of_large_logits(void **state)
{
    rd_error err;
    rd_tensor *loss = NULL, *const y = test_tensor(*state, SHAPE(2), VALUES(-1000, 1000));
    rd_tensor *const target = test_tensor(*state, SHAPE(2), VALUES(0, 0));
    const rd_pointwise how = {.kind = RD_BINARY_ENTROPY, .pos_weight = 1};
    OK(rd_pointwise_loss(y, target, &how, &loss, NULL, &err));
    test_expect_near(loss, VALUES(500), 0);
    rd_tensor_release(loss);
    rd_tensor_release(target);
    rd_tensor_release(y);
}

static void test_pointwise_wrong_arguments_are_named(void **state)
{
    rd_error err;
    rd_tensor *out = NULL, *const y = test_leaf(*state, SHAPE(2, 3), RD_DENSE, 1);
    rd_tensor *const five = test_leaf(*state, SHAPE(5), RD_DENSE, 1);
    rd_pointwise how = {.kind = RD_HUBER_ERROR};
    test_fails(rd_pointwise_loss(y, five, &how, &out, NULL, &err), &err,
               "huber: expected two tensors of one shape, got (2, 3) and (5)");
    test_fails(rd_pointwise_loss(y, y, &how, &out, NULL, &err), &err,
               "huber: delta must be greater than 0, got 0");
    how = (rd_pointwise){.kind = RD_ABSOLUTE_ERROR, .weight = five};
    test_fails(rd_pointwise_loss(y, y, &how, &out, NULL, &err), &err,
               "l1: the weight must broadcast to (2, 3), got (5)");
    how = (rd_pointwise){.kind = RD_BINARY_ENTROPY, .pos_weight = 1};
    test_fails(rd_pointwise_loss(y, y, &how, &out, NULL, &err), &err,
               "bce_with_logits: the target must not want a gradient; detach it");
    how.pos_weight = -1;
    test_fails(rd_pointwise_loss(y, y, &how, &out, NULL, &err), &err,
               "bce_with_logits: pos_weight must be at least 0, got -1");
    rd_tensor_release(five);
    rd_tensor_release(y);
}

static void test_cosine_gradients(void **state)
{
    struct call c = {.in = {test_leaf(*state, SHAPE(2, 3, 20), RD_SEQUENCE, 1),
                            test_leaf(*state, SHAPE(2, 3, 20), RD_DENSE, 2)}};
    test_gradients(cosine_of, &c, c.in, 2);
    c.rows.weight = test_tensor(*state, SHAPE(2, 3), VALUES(1, 0, 2, 0.5, 1, 0));
    test_gradients(cosine_of, &c, c.in, 2);
    rd_tensor_release(c.rows.weight);
    rd_tensor_release(c.in[1]);
    rd_tensor_release(c.in[0]);
}

static void test_cosine_of_nothing_is_one(void **state)
{
    rd_error err;
    rd_tensor *loss = NULL, *const y = test_tensor(*state, SHAPE(1, 2), VALUES(0, 0));
    rd_tensor *const target = test_tensor(*state, SHAPE(1, 2), VALUES(3, 4));
    OK(rd_set_requires_grad(y, true, &err));
    OK(rd_cosine_loss(y, target, &(rd_row_loss){.reduction = RD_MEAN}, &loss, NULL, &err));
    OK(rd_backward(loss, NULL, false, &err));
    test_expect_near(loss, VALUES(1), 0);
    assert_true(rd_all_finite(rd_grad(y)));
    rd_tensor_release(loss);
    rd_tensor_release(target);
    rd_tensor_release(y);
}

static void test_cosine_wrong_shapes_are_named(void **state)
{
    rd_error err;
    rd_tensor *out = NULL, *const y = test_leaf(*state, SHAPE(2, 3), RD_DENSE, 1);
    rd_tensor *const five = test_leaf(*state, SHAPE(5), RD_DENSE, 1);
    test_fails(
        rd_cosine_loss(y, five, &(rd_row_loss){0}, &out, NULL, &err), &err,
        "cosine_loss: expected two tensors (..., features) of one shape, got (2, 3) and (5)");
    test_fails(rd_cosine_loss(y, y, &(rd_row_loss){.weight = five}, &out, NULL, &err), &err,
               "cosine_loss: the weight must broadcast to (2), got (5)");
    rd_tensor_release(five);
    rd_tensor_release(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smoothed_and_weighted_entropy_gradients),
        cmocka_unit_test(test_ones_as_class_weights_change_nothing),
        cmocka_unit_test(test_entropy_wrong_options_are_named),
        cmocka_unit_test(test_pointwise_gradients),
        cmocka_unit_test(test_an_element_of_weight_zero_may_hold_anything),
        cmocka_unit_test(test_binary_entropy_of_large_logits),
        cmocka_unit_test(test_pointwise_wrong_arguments_are_named),
        cmocka_unit_test(test_cosine_gradients),
        cmocka_unit_test(test_cosine_of_nothing_is_one),
        cmocka_unit_test(test_cosine_wrong_shapes_are_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
