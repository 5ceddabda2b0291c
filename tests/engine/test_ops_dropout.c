/* test_ops_dropout.c - masks that depend on what a number is for, and on nothing else.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

static const rd_stream stream = {.seed = 3, .purpose = RD_FOR_DROPOUT, .layer = 1, .update = 5};

static rd_tensor *dropout(rd_tensor *x, double p, const rd_stream *s)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_dropout(x, p, s, &y, &err));
    return y;
}

static rd_tensor *ones(rd_core *core, uint32_t ndim, const size_t *shape, rd_order order)
{
    rd_error err;
    rd_tensor *t = NULL;
    OK(rd_tensor_new(core, ndim, shape, order, &t, &err));
    OK(rd_fill(t, 1, &err));
    return t;
}

static void test_dropout_follows_the_stream_element_by_element(void **state)
{
    rd_tensor *const x = ones(*state, SHAPE(2, 3, 6), RD_SEQUENCE);
    rd_tensor *const y = dropout(x, 0.5, &stream);
    double want[36];
    for (uint32_t b = 0; b < 2; b++)
        for (uint32_t t = 0; t < 3; t++)
            for (uint32_t e = 0; e < 6; e++) {
                rd_stream at = stream;
                at.time += t;
                want[(b * 3 + t) * 6 + e] = rd_uniform_at(&at, b, e) < 0.5 ? 0 : 2;
            }
    test_expect(y, SHAPE(2, 3, 6), want);
    rd_tensor_release(y);
    rd_tensor_release(x);
}

static void test_dropout_dense_and_sequence_have_one_mask(void **state)
{
    rd_tensor *const d = ones(*state, SHAPE(3, 4, 5), RD_DENSE);
    rd_tensor *const s = ones(*state, SHAPE(3, 4, 5), RD_SEQUENCE);
    rd_tensor *const y = dropout(d, 0.3, &stream), *const z = dropout(s, 0.3, &stream);
    test_same(y, z);
    rd_tensor_release(z);
    rd_tensor_release(y);
    rd_tensor_release(s);
    rd_tensor_release(d);
}

static void test_dropout_step_has_the_mask_of_its_place_in_the_sequence(void **state)
{
    rd_error err;
    rd_tensor *const x = ones(*state, SHAPE(3, 4, 5), RD_SEQUENCE), *want = NULL;
    rd_tensor *const one = ones(*state, SHAPE(3, 5), RD_DENSE);
    rd_stream later = stream;
    later.time = 2;
    rd_tensor *const y = dropout(x, 0.3, &stream), *const step = dropout(one, 0.3, &later);
    OK(rd_select(y, 1, 2, &want, &err));
    test_same(want, step);
    rd_tensor_release(want);
    rd_tensor_release(step);
    rd_tensor_release(y);
    rd_tensor_release(one);
    rd_tensor_release(x);
}

static rd_tensor *variational(rd_tensor *x, double p, const rd_stream *s)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_variational_dropout(x, p, s, &y, &err));
    return y;
}

static void test_variational_dropout_has_one_mask_for_all_steps(void **state)
{
    rd_tensor *const x = ones(*state, SHAPE(2, 3, 6), RD_SEQUENCE);
    rd_stream later = stream;
    later.time = 7;
    rd_tensor *const y = variational(x, 0.5, &later);
    double want[36];
    for (uint32_t b = 0; b < 2; b++)
        for (uint32_t t = 0; t < 3; t++)
            for (uint32_t e = 0; e < 6; e++)
                want[(b * 3 + t) * 6 + e] = rd_uniform_at(&stream, b, e) < 0.5 ? 0 : 2;
    test_expect(y, SHAPE(2, 3, 6), want);
    rd_tensor_release(y);
    rd_tensor_release(x);
}

static void test_variational_dropout_dense_and_sequence_have_one_mask(void **state)
{
    rd_tensor *const d = ones(*state, SHAPE(3, 4, 5), RD_DENSE);
    rd_tensor *const s = ones(*state, SHAPE(3, 4, 5), RD_SEQUENCE);
    rd_tensor *const y = variational(d, 0.3, &stream), *const z = variational(s, 0.3, &stream);
    test_same(y, z);
    rd_tensor_release(z);
    rd_tensor_release(y);
    rd_tensor_release(s);
    rd_tensor_release(d);
}

static void test_dropout_drops_its_share(void **state)
{
    rd_error err;
    double sum = 0;
    rd_tensor *total = NULL, *const x = ones(*state, SHAPE(100, 1000), RD_DENSE);
    rd_tensor *const y = dropout(x, 0.25, &stream);
    OK(rd_sum(y, RD_ALL, false, &total, &err));
    OK(rd_tensor_get(total, NULL, &sum, &err));
    /* 100,000 draws: the sum has standard deviation 183; this stream lies within two of them */
    assert_true(sum > 100000 - 366 && sum < 100000 + 366);
    rd_tensor_release(total);
    rd_tensor_release(y);
    rd_tensor_release(x);
}

static void test_dropout_gradient_is_the_mask(void **state)
{
    rd_error err;
    rd_tensor *const x = test_leaf(*state, SHAPE(3, 4, 5), RD_SEQUENCE, 1), *sum = NULL;
    rd_tensor *const one = ones(*state, SHAPE(3, 4, 5), RD_SEQUENCE);
    rd_tensor *const y = dropout(x, 0.3, &stream), *const mask = dropout(one, 0.3, &stream);
    OK(rd_sum(y, RD_ALL, false, &sum, &err));
    OK(rd_backward(sum, NULL, false, &err));
    test_same(rd_grad(x), mask);
    rd_tensor_release(sum);
    rd_tensor_release(mask);
    rd_tensor_release(y);
    rd_tensor_release(one);
    rd_tensor_release(x);
}

static void test_dropout_with_three_threads_has_the_bits_of_one(void **state)
{
    rd_error err;
    rd_tensor *const x = test_leaf(*state, SHAPE(30, 9, 50), RD_SEQUENCE, 1);
    rd_tensor *const y = dropout(x, 0.4, &stream);
    OK(rd_core_set_threads(*state, 3, &err));
    rd_tensor *const z = dropout(x, 0.4, &stream);
    OK(rd_core_set_threads(*state, 1, &err));
    test_same(y, z);
    rd_tensor_release(z);
    rd_tensor_release(y);
    rd_tensor_release(x);
}

static void test_dropout_of_nothing_is_the_tensor_itself(void **state)
{
    rd_tensor *const x = ones(*state, SHAPE(2, 2), RD_DENSE), *const y = dropout(x, 0, &stream);
    assert_ptr_equal(x, y);
    rd_tensor_release(y);
    rd_tensor_release(x);
}

static void test_dropout_wrong_share_is_named(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const x = ones(*state, SHAPE(2, 2), RD_DENSE);
    test_fails(rd_dropout(x, 1, &stream, &y, &err), &err,
               "dropout: p must be at least 0 and less than 1, got 1");
    rd_tensor_release(x);
}

static rd_status weighted_dropout(void *user, rd_tensor **out, rd_error *err)
{
    const rd_stream other = {.seed = 8, .purpose = RD_FOR_DROPOUT, .time = 3};
    rd_tensor *y = NULL;
    const rd_status status = rd_dropout(user, 0.4, &other, &y, err);
    return status == RD_OK ? test_weighted_sum(y, out, err) : status;
}

static rd_status weighted_variational(void *user, rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL;
    const rd_status status = rd_variational_dropout(user, 0.4, &stream, &y, err);
    return status == RD_OK ? test_weighted_sum(y, out, err) : status;
}

static void check_gradient(rd_tensor *x)
{
    test_gradients(weighted_dropout, x, &x, 1);
    test_gradients(weighted_variational, x, &x, 1);
    rd_tensor_release(x);
}

static void test_dropout_gradients(void **state)
{
    check_gradient(test_leaf(*state, SHAPE(5), RD_DENSE, 1));
    check_gradient(test_leaf(*state, SHAPE(3, 5), RD_SEQUENCE, 1)); /* lies by columns */
    check_gradient(test_leaf(*state, SHAPE(3, 4, 5), RD_DENSE, 1));
    check_gradient(test_leaf(*state, SHAPE(3, 4, 5), RD_SEQUENCE, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dropout_follows_the_stream_element_by_element),
        cmocka_unit_test(test_dropout_dense_and_sequence_have_one_mask),
        cmocka_unit_test(test_dropout_step_has_the_mask_of_its_place_in_the_sequence),
        cmocka_unit_test(test_variational_dropout_has_one_mask_for_all_steps),
        cmocka_unit_test(test_variational_dropout_dense_and_sequence_have_one_mask),
        cmocka_unit_test(test_dropout_drops_its_share),
        cmocka_unit_test(test_dropout_gradient_is_the_mask),
        cmocka_unit_test(test_dropout_with_three_threads_has_the_bits_of_one),
        cmocka_unit_test(test_dropout_of_nothing_is_the_tensor_itself),
        cmocka_unit_test(test_dropout_wrong_share_is_named),
        cmocka_unit_test(test_dropout_gradients),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
