/* test_ops_linear.c - x W^T + b: values, layouts, gathers, the order of its sums.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

static rd_tensor *linear(rd_tensor *x, rd_tensor *w, rd_tensor *b)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_linear(x, w, b, &y, &err));
    return y;
}

static rd_tensor *one_hot(rd_core *core, size_t n_ids, const double *ids, size_t classes)
{
    rd_error err;
    rd_tensor *y = NULL, *const t = test_tensor(core, 1, &n_ids, ids);
    OK(rd_one_hot(t, classes, &y, &err));
    rd_tensor_release(t);
    return y;
}

/* A copy without ids: products with it are matrix products. */
static rd_tensor *plain_copy(rd_tensor *t)
{
    rd_error err;
    rd_tensor *copy = NULL;
    OK(rd_tensor_new(rd_tensor_core(t), rd_tensor_ndim(t), rd_tensor_shape(t), RD_DENSE, &copy,
                     &err));
    OK(rd_copy(copy, t, &err));
    return copy;
}

static void play(rd_tensor *y)
{
    rd_error err;
    rd_tensor *sum = NULL;
    OK(test_weighted_sum(rd_tensor_retain(y), &sum, &err));
    OK(rd_backward(sum, NULL, false, &err));
    rd_tensor_release(sum);
}

static void test_linear_by_hand(void **state)
{
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 2), VALUES(1, 2, 3, 4));
    rd_tensor *const w = test_tensor(*state, SHAPE(3, 2), VALUES(1, 0, 0, 1, 1, -1));
    rd_tensor *const b = test_tensor(*state, SHAPE(3), VALUES(10, 20, 30));
    rd_tensor *const y = linear(x, w, b), *const z = linear(x, w, NULL);
    test_expect(y, SHAPE(2, 3), VALUES(11, 22, 29, 13, 24, 29));
    test_expect(z, SHAPE(2, 3), VALUES(1, 2, -1, 3, 4, -1));
    rd_tensor_release(z);
    rd_tensor_release(y);
    rd_tensor_release(b);
    rd_tensor_release(w);
    rd_tensor_release(x);
}

static void test_linear_single_vector(void **state)
{
    rd_tensor *const x = test_tensor(*state, SHAPE(2), VALUES(1, 2));
    rd_tensor *const w = test_tensor(*state, SHAPE(1, 2), VALUES(3, 4));
    rd_tensor *const y = linear(x, w, NULL);
    test_expect(y, SHAPE(1), VALUES(11));
    rd_tensor_release(y);
    rd_tensor_release(w);
    rd_tensor_release(x);
}

static void test_linear_takes_a_transposed_weight(void **state)
{
    rd_error err;
    rd_tensor *const x = test_tensor(*state, SHAPE(1, 2), VALUES(1, 2));
    rd_tensor *const w = test_tensor(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    rd_tensor *t = NULL;
    OK(rd_transpose(w, 0, 1, &t, &err));
    rd_tensor *const y = linear(x, t, NULL);
    test_expect(y, SHAPE(1, 3), VALUES(9, 12, 15));
    rd_tensor_release(y);
    rd_tensor_release(t);
    rd_tensor_release(w);
    rd_tensor_release(x);
}

static void test_linear_storage_orders_agree_in_values(void **state)
{
    rd_error err;
    rd_tensor *const x = test_leaf(*state, SHAPE(3, 4, 5), RD_DENSE, 1);
    rd_tensor *const w = test_leaf(*state, SHAPE(2, 5), RD_DENSE, 2);
    rd_tensor *s = NULL;
    OK(rd_contiguous(x, RD_SEQUENCE, &s, &err));
    rd_tensor *const y = linear(x, w, NULL), *const z = linear(s, w, NULL);
    test_same(y, z);
    assert_true(rd_tensor_strides(z)[1] > rd_tensor_strides(z)[0]);
    rd_tensor_release(z);
    rd_tensor_release(y);
    rd_tensor_release(s);
    rd_tensor_release(w);
    rd_tensor_release(x);
}

struct model {
    rd_tensor *x, *w, *b;
};

static rd_status weighted_linear(void *user, rd_tensor **out, rd_error *err)
{
    const struct model *m = user;
    rd_tensor *y = NULL;
    const rd_status status = rd_linear(m->x, m->w, m->b, &y, err);
    return status == RD_OK ? test_weighted_sum(y, out, err) : status;
}

static void check_linear(rd_core *core, rd_order order)
{
    struct model m = {test_leaf(core, SHAPE(2, 3, 4), order, 1),
                      test_leaf(core, SHAPE(5, 4), RD_DENSE, 2),
                      test_leaf(core, SHAPE(5), RD_DENSE, 3)};
    rd_tensor *const leaves[] = {m.x, m.w, m.b};
    test_gradients(weighted_linear, &m, leaves, 3);
    rd_tensor_release(m.b);
    rd_tensor_release(m.w);
    rd_tensor_release(m.x);
}

static void test_linear_gradients_dense(void **state)
{
    check_linear(*state, RD_DENSE);
}

static void test_linear_gradients_sequence(void **state)
{
    check_linear(*state, RD_SEQUENCE);
}

static void test_linear_gradients_of_a_gather(void **state)
{
    struct model m = {one_hot(*state, 3, VALUES(2, 0, 4), 4),
                      test_leaf(*state, SHAPE(5, 4), RD_DENSE, 2),
                      test_leaf(*state, SHAPE(5), RD_DENSE, 3)};
    rd_tensor *const leaves[] = {m.w, m.b};
    test_gradients(weighted_linear, &m, leaves, 2);
    rd_tensor_release(m.b);
    rd_tensor_release(m.w);
    rd_tensor_release(m.x);
}

/* A gather gives the bits of the product with the matrix it stands for, forward and backward. */
static void same_as_product(rd_core *core, size_t n_ids, const double *ids, size_t classes)
{
    const size_t shape[] = {17, classes};
    rd_tensor *const hot = one_hot(core, n_ids, ids, classes), *const plain = plain_copy(hot);
    rd_tensor *w[2], *b[2], *y[2];
    for (int i = 0; i < 2; i++) {
        w[i] = test_leaf(core, 2, shape, RD_DENSE, 5);
        b[i] = test_leaf(core, 1, shape, RD_DENSE, 6);
        y[i] = linear(i ? plain : hot, w[i], b[i]);
        play(y[i]);
    }
    test_same(y[0], y[1]);
    test_same(rd_grad(w[0]), rd_grad(w[1]));
    test_same(rd_grad(b[0]), rd_grad(b[1]));
    for (int i = 0; i < 2; i++) {
        rd_tensor_release(y[i]);
        rd_tensor_release(b[i]);
        rd_tensor_release(w[i]);
    }
    rd_tensor_release(plain);
    rd_tensor_release(hot);
}

static void test_linear_gather_has_the_bits_of_a_product(void **state)
{
    same_as_product(*state, 7, VALUES(1, 3, 0, 2, 3, 3, 1), 3);
}

static void test_linear_gather_of_few_ids_has_the_bits_of_a_product(void **state)
{
    same_as_product(*state, 3, VALUES(9, 0, 9), 10);
}

static void test_linear_gather_with_three_threads_has_the_bits_of_one(void **state)
{
    rd_error err;
    OK(rd_core_set_threads(*state, 3, &err));
    double ids[300];
    for (int i = 0; i < 300; i++) ids[i] = i % 8;
    same_as_product(*state, 300, ids, 7);
    OK(rd_core_set_threads(*state, 1, &err));
}

/* Bit contract, rule 6: chunks of rows played last chunk first continue the sums of one pass. */
static void test_linear_chunks_from_the_last_give_the_bits_of_one_pass(void **state)
{
    rd_error err;
    rd_tensor *w[2], *b[2], *const x = test_leaf(*state, SHAPE(50, 6), RD_DENSE, 1);
    rd_tensor *part[2] = {NULL, NULL};
    OK(rd_slice(x, 0, 20, 30, &part[0], &err));
    OK(rd_slice(x, 0, 0, 20, &part[1], &err));
    for (int i = 0; i < 2; i++) {
        w[i] = test_leaf(*state, SHAPE(4, 6), RD_DENSE, 2);
        b[i] = test_leaf(*state, SHAPE(4), RD_DENSE, 3);
    }
    rd_tensor *const whole = linear(x, w[0], b[0]);
    rd_tensor *sum = NULL;
    OK(rd_sum(whole, RD_ALL, false, &sum, &err));
    OK(rd_backward(sum, NULL, false, &err));
    rd_tensor_release(sum);
    for (int i = 0; i < 2; i++) {
        rd_tensor *const y = linear(part[i], w[1], b[1]);
        OK(rd_sum(y, RD_ALL, false, &sum, &err));
        OK(rd_backward(sum, NULL, false, &err));
        rd_tensor_release(sum);
        rd_tensor_release(y);
    }
    test_same(rd_grad(w[0]), rd_grad(w[1]));
    test_same(rd_grad(b[0]), rd_grad(b[1]));
    rd_tensor_release(whole);
    for (int i = 0; i < 2; i++) {
        rd_tensor_release(part[i]);
        rd_tensor_release(b[i]);
        rd_tensor_release(w[i]);
    }
    rd_tensor_release(x);
}

static void test_linear_forgets_ids_once_values_are_written(void **state)
{
    rd_error err;
    rd_tensor *const x = one_hot(*state, 1, VALUES(1), 2);
    rd_tensor *const w = test_tensor(*state, SHAPE(1, 2), VALUES(3, 4));
    OK(rd_fill(x, 1, &err));
    rd_tensor *const y = linear(x, w, NULL);
    test_expect(y, SHAPE(1, 1), VALUES(7));
    rd_tensor_release(y);
    rd_tensor_release(w);
    rd_tensor_release(x);
}

static void test_linear_wrong_shapes_are_named(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const x = test_tensor(*state, SHAPE(1, 2), VALUES(1, 2));
    rd_tensor *const w = test_tensor(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    rd_tensor *const v = test_tensor(*state, SHAPE(3), VALUES(1, 2, 3));
    test_fails(rd_linear(x, w, NULL, &y, &err), &err,
               "linear: expected input (..., 3) for a weight (2, 3), got (1, 2)");
    test_fails(rd_linear(x, v, NULL, &y, &err), &err,
               "linear: the weight must be (out, in), got (3)");
    test_fails(rd_linear(v, w, v, &y, &err), &err,
               "linear: expected a bias (2) for a weight (2, 3), got (3)");
    rd_tensor_release(v);
    rd_tensor_release(w);
    rd_tensor_release(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear_by_hand),
        cmocka_unit_test(test_linear_single_vector),
        cmocka_unit_test(test_linear_takes_a_transposed_weight),
        cmocka_unit_test(test_linear_storage_orders_agree_in_values),
        cmocka_unit_test(test_linear_gradients_dense),
        cmocka_unit_test(test_linear_gradients_sequence),
        cmocka_unit_test(test_linear_gradients_of_a_gather),
        cmocka_unit_test(test_linear_gather_has_the_bits_of_a_product),
        cmocka_unit_test(test_linear_gather_of_few_ids_has_the_bits_of_a_product),
        cmocka_unit_test(test_linear_gather_with_three_threads_has_the_bits_of_one),
        cmocka_unit_test(test_linear_chunks_from_the_last_give_the_bits_of_one_pass),
        cmocka_unit_test(test_linear_forgets_ids_once_values_are_written),
        cmocka_unit_test(test_linear_wrong_shapes_are_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
