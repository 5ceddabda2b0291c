/* test_loss.c - cross-entropy and squared error: values, reductions, masks, gradients.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"
#include <math.h>

/* Values from libm in double are good to 1e-15; the rest is rounding of rd_real. */
#define NEAR (sizeof(rd_real) == sizeof(double) ? 1e-14 : 1e-6)

static rd_tensor *entropy(rd_tensor *x, rd_tensor *ids, rd_reduction how, rd_loss_total *total)
{
    rd_error err;
    rd_tensor *loss = NULL;
    OK(rd_cross_entropy(x, ids, how, &loss, total, &err));
    return loss;
}

static void expect_entropy(rd_core *core, rd_reduction how, double want)
{
    rd_loss_total total;
    rd_tensor *const x =
        test_tensor(core, SHAPE(2, 2, 2), VALUES(0, 0, 5, 5, 0, log(3), 0, log(3)));
    rd_tensor *const ids = test_tensor(core, SHAPE(2, 2), VALUES(1, 0, 1, 2));
    rd_tensor *const loss = entropy(x, ids, how, &total);
    test_expect_near(loss, &want, NEAR);
    assert_true(fabs(total.sum - (log(2) + log(4) + log(4 / 3.0))) < 10 * NEAR);
    assert_true(total.count == 3);
    rd_tensor_release(loss);
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

static void test_cross_entropy_mean_counts_what_is_not_masked(void **state)
{
    expect_entropy(*state, RD_MEAN, (log(2) + log(4) + log(4 / 3.0)) / 3);
}

static void test_cross_entropy_total(void **state)
{
    expect_entropy(*state, RD_TOTAL, log(2) + log(4) + log(4 / 3.0));
}

static void test_cross_entropy_per_batch_divides_by_rows(void **state)
{
    expect_entropy(*state, RD_PER_BATCH, (log(2) + log(4) + log(4 / 3.0)) / 2);
}

static void test_cross_entropy_all_masked_is_zero_without_gradient(void **state)
{
    rd_error err;
    rd_loss_total total;
    rd_tensor *const x = test_leaf(*state, SHAPE(2, 3), RD_DENSE, 1);
    rd_tensor *const ids = test_tensor(*state, SHAPE(2), VALUES(0, 0));
    rd_tensor *const loss = entropy(x, ids, RD_MEAN, &total);
    OK(rd_backward(loss, NULL, false, &err));
    test_expect_near(loss, VALUES(0), 0);
    test_expect(rd_grad(x), SHAPE(2, 3), VALUES(0, 0, 0, 0, 0, 0));
    assert_true(total.count == 0 && total.sum == 0);
    rd_tensor_release(loss);
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

static void test_cross_entropy_masked_rows_may_hold_anything(void **state)
{
    rd_error err;
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 2), VALUES(NAN, INFINITY, 0, 0));
    rd_tensor *const ids = test_tensor(*state, SHAPE(2), VALUES(0, 1));
    OK(rd_set_requires_grad(x, true, &err));
    rd_tensor *const loss = entropy(x, ids, RD_MEAN, NULL);
    OK(rd_backward(loss, NULL, false, &err));
    test_expect_near(loss, VALUES(log(2)), NEAR);
    test_expect(rd_grad(x), SHAPE(2, 2), VALUES(0, 0, -0.5, 0.5));
    rd_tensor_release(loss);
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

static void test_cross_entropy_takes_dense_ids_with_sequence_logits(void **state)
{
    rd_error err;
    rd_tensor *s = NULL, *const x = test_leaf(*state, SHAPE(2, 3, 4), RD_SEQUENCE, 1);
    rd_tensor *const ids = test_tensor(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 0, 1));
    OK(rd_contiguous(ids, RD_SEQUENCE, &s, &err));
    rd_tensor *const y = entropy(x, ids, RD_MEAN, NULL), *const z = entropy(x, s, RD_MEAN, NULL);
    test_same(y, z);
    rd_tensor_release(z);
    rd_tensor_release(y);
    rd_tensor_release(s);
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

/* The loss is -log_softmax, to the bit of each row. */
static void test_cross_entropy_is_the_negative_log_softmax(void **state)
{
    rd_error err;
    double value = 0, want = 0;
    rd_tensor *log_p = NULL, *const x = test_leaf(*state, SHAPE(1, 37), RD_DENSE, 1);
    rd_tensor *const ids = test_tensor(*state, SHAPE(1), VALUES(20));
    rd_tensor *const loss = entropy(x, ids, RD_MEAN, NULL);
    OK(rd_softmax(x, 1, true, &log_p, &err));
    OK(rd_tensor_get(loss, NULL, &value, &err));
    OK(rd_tensor_get(log_p, (size_t[]){0, 19}, &want, &err));
    assert_true(value == -want);
    rd_tensor_release(log_p);
    rd_tensor_release(loss);
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

struct model {
    rd_tensor *x, *target;
    rd_reduction how;
};

static rd_status entropy_of(void *user, rd_tensor **out, rd_error *err)
{
    const struct model *m = user;
    return rd_cross_entropy(m->x, m->target, m->how, out, NULL, err);
}

static void test_cross_entropy_gradients(void **state)
{
    struct model m = {test_leaf(*state, SHAPE(2, 3, 20), RD_SEQUENCE, 1),
                      test_tensor(*state, SHAPE(2, 3), VALUES(1, 20, 3, 4, 0, 1)), RD_MEAN};
    test_gradients(entropy_of, &m, &m.x, 1);
    m.how = RD_PER_BATCH;
    test_gradients(entropy_of, &m, &m.x, 1);
    rd_tensor_release(m.target);
    rd_tensor_release(m.x);
}

static rd_tensor *gradient_with(rd_core *core, uint32_t threads, rd_tensor *ids)
{
    rd_error err;
    rd_tensor *const x = test_leaf(core, SHAPE(40, 9, 65), RD_SEQUENCE, 1);
    OK(rd_core_set_threads(core, threads, &err));
    rd_tensor *const loss = entropy(x, ids, RD_MEAN, NULL);
    OK(rd_backward(loss, NULL, false, &err));
    rd_tensor *const g = rd_tensor_retain(rd_grad(x));
    rd_tensor_release(loss);
    rd_tensor_release(x);
    return g;
}

static void test_cross_entropy_with_three_threads_has_the_bits_of_one(void **state)
{
    rd_error err;
    double id[360];
    for (int i = 0; i < 360; i++) id[i] = i % 66;
    rd_tensor *const ids = test_tensor(*state, SHAPE(40, 9), id);
    rd_tensor *const a = gradient_with(*state, 1, ids), *const b = gradient_with(*state, 3, ids);
    test_same(a, b);
    OK(rd_core_set_threads(*state, 1, &err));
    rd_tensor_release(b);
    rd_tensor_release(a);
    rd_tensor_release(ids);
}

static void test_cross_entropy_wrong_arguments_are_named(void **state)
{
    rd_error err;
    rd_tensor *loss = NULL, *const x = test_tensor(*state, SHAPE(2, 2), VALUES(0, 0, 0, 0));
    rd_tensor *const bad = test_tensor(*state, SHAPE(2), VALUES(1, 3));
    test_fails(
        rd_cross_entropy(x, x, RD_MEAN, &loss, NULL, &err), &err,
        "cross_entropy: expected logits (..., classes) and ids (...), got (2, 2) and (2, 2)");
    test_fails(rd_cross_entropy(x, bad, RD_MEAN, &loss, NULL, &err), &err,
               "cross_entropy: ids must be integers 0..2, got 3 at (2)");
    rd_tensor_release(bad);
    rd_tensor_release(x);
}

static void expect_mse(rd_core *core, rd_reduction how, double want)
{
    rd_error err;
    rd_loss_total total;
    rd_tensor *loss = NULL, *const y = test_sequence(core, SHAPE(2, 2), VALUES(1, 2, 3, 4));
    rd_tensor *const target = test_tensor(core, SHAPE(2, 2), VALUES(1, 1, 1, 1));
    OK(rd_mse(y, target, how, &loss, &total, &err));
    test_expect_near(loss, &want, 0);
    assert_true(total.sum == 14 && total.count == 4);
    rd_tensor_release(loss);
    rd_tensor_release(target);
    rd_tensor_release(y);
}

static void test_mse_mean(void **state)
{
    expect_mse(*state, RD_MEAN, 14 / 4.0);
}

static void test_mse_total(void **state)
{
    expect_mse(*state, RD_TOTAL, 14);
}

static void test_mse_per_batch_divides_by_rows(void **state)
{
    expect_mse(*state, RD_PER_BATCH, 14 / 2.0);
}

static rd_status mse_of(void *user, rd_tensor **out, rd_error *err)
{
    const struct model *m = user;
    return rd_mse(m->x, m->target, m->how, out, NULL, err);
}

static void test_mse_gradients_of_both_sides(void **state)
{
    struct model m = {test_leaf(*state, SHAPE(2, 3, 4), RD_SEQUENCE, 1),
                      test_leaf(*state, SHAPE(2, 3, 4), RD_DENSE, 2), RD_MEAN};
    rd_tensor *const leaves[] = {m.x, m.target};
    test_gradients(mse_of, &m, leaves, 2);
    rd_tensor_release(m.target);
    rd_tensor_release(m.x);
}

static void test_mse_wrong_shapes_are_named(void **state)
{
    rd_error err;
    rd_tensor *loss = NULL, *const x = test_tensor(*state, SHAPE(2), VALUES(0, 0));
    rd_tensor *const y = test_tensor(*state, SHAPE(1), VALUES(0));
    test_fails(rd_mse(x, y, RD_MEAN, &loss, NULL, &err), &err,
               "mse: expected two tensors of one shape, got (2) and (1)");
    rd_tensor_release(y);
    rd_tensor_release(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cross_entropy_mean_counts_what_is_not_masked),
        cmocka_unit_test(test_cross_entropy_total),
        cmocka_unit_test(test_cross_entropy_per_batch_divides_by_rows),
        cmocka_unit_test(test_cross_entropy_all_masked_is_zero_without_gradient),
        cmocka_unit_test(test_cross_entropy_masked_rows_may_hold_anything),
        cmocka_unit_test(test_cross_entropy_takes_dense_ids_with_sequence_logits),
        cmocka_unit_test(test_cross_entropy_is_the_negative_log_softmax),
        cmocka_unit_test(test_cross_entropy_gradients),
        cmocka_unit_test(test_cross_entropy_with_three_threads_has_the_bits_of_one),
        cmocka_unit_test(test_cross_entropy_wrong_arguments_are_named),
        cmocka_unit_test(test_mse_mean),
        cmocka_unit_test(test_mse_total),
        cmocka_unit_test(test_mse_per_batch_divides_by_rows),
        cmocka_unit_test(test_mse_gradients_of_both_sides),
        cmocka_unit_test(test_mse_wrong_shapes_are_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
