/* test_ops_matmul.c - products of the last two dimensions in every layout.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

static rd_tensor *matmul(rd_tensor *a, rd_tensor *b)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_matmul(a, b, &y, &err));
    return y;
}

static rd_tensor *transposed(rd_tensor *x, uint32_t a, uint32_t b)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_transpose(x, a, b, &y, &err));
    return y;
}

static void test_matmul_by_hand(void **state)
{
    rd_tensor *const a = test_tensor(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    rd_tensor *const b = test_tensor(*state, SHAPE(3, 2), VALUES(1, 0, 0, 1, 1, 1));
    rd_tensor *const y = matmul(a, b);
    test_expect(y, SHAPE(2, 2), VALUES(4, 5, 10, 11));
    rd_tensor_release(y);
    rd_tensor_release(b);
    rd_tensor_release(a);
}

static void test_matmul_takes_transposed_views_on_both_sides(void **state)
{
    rd_tensor *const a = test_tensor(*state, SHAPE(3, 2), VALUES(1, 4, 2, 5, 3, 6));
    rd_tensor *const b = test_tensor(*state, SHAPE(2, 3), VALUES(1, 0, 1, 0, 1, 1));
    rd_tensor *const at = transposed(a, 0, 1), *const bt = transposed(b, 0, 1);
    rd_tensor *const y = matmul(at, bt);
    test_expect(y, SHAPE(2, 2), VALUES(4, 5, 10, 11));
    rd_tensor_release(y);
    rd_tensor_release(bt);
    rd_tensor_release(at);
    rd_tensor_release(b);
    rd_tensor_release(a);
}

static void test_matmul_batch_multiplies_each_pair(void **state)
{
    rd_tensor *const a = test_tensor(*state, SHAPE(2, 1, 2), VALUES(1, 2, 3, 4));
    rd_tensor *const b = test_tensor(*state, SHAPE(2, 2, 1), VALUES(1, 1, 10, 1));
    rd_tensor *const y = matmul(a, b);
    test_expect(y, SHAPE(2, 1, 1), VALUES(3, 34));
    rd_tensor_release(y);
    rd_tensor_release(b);
    rd_tensor_release(a);
}

static void test_matmul_sequence_order_gives_the_bits_of_dense(void **state)
{
    rd_error err;
    rd_tensor *const a = test_leaf(*state, SHAPE(3, 4, 5), RD_DENSE, 1);
    rd_tensor *const b = test_leaf(*state, SHAPE(3, 5, 2), RD_DENSE, 2);
    rd_tensor *s = NULL;
    OK(rd_contiguous(a, RD_SEQUENCE, &s, &err));
    rd_tensor *const y = matmul(a, b), *const z = matmul(s, b);
    test_same(y, z);
    rd_tensor_release(z);
    rd_tensor_release(y);
    rd_tensor_release(s);
    rd_tensor_release(b);
    rd_tensor_release(a);
}

struct model {
    rd_tensor *a, *b;
    bool turn; /* the last two dimensions of b */
};

static rd_status weighted_matmul(void *user, rd_tensor **out, rd_error *err)
{
    const struct model *m = user;
    const uint32_t n = rd_tensor_ndim(m->b);
    rd_tensor *y = NULL, *b = NULL;
    rd_status status = RD_OK;
    if (m->turn)
        status = rd_transpose(m->b, n - 2, n - 1, &b, err);
    else
        b = rd_tensor_retain(m->b);
    if (status == RD_OK) status = rd_matmul(m->a, b, &y, err);
    if (status == RD_OK) status = test_weighted_sum(y, out, err);
    rd_tensor_release(b);
    return status;
}

static void check(rd_tensor *a, rd_tensor *b, bool turn)
{
    struct model m = {a, b, turn};
    rd_tensor *const leaves[] = {a, b};
    test_gradients(weighted_matmul, &m, leaves, 2);
    rd_tensor_release(b);
    rd_tensor_release(a);
}

static void test_matmul_gradients(void **state)
{
    check(test_leaf(*state, SHAPE(2, 3), RD_DENSE, 1), test_leaf(*state, SHAPE(3, 4), RD_DENSE, 2),
          false);
}

static void test_matmul_gradients_of_a_transposed_side(void **state)
{
    check(test_leaf(*state, SHAPE(2, 3), RD_DENSE, 1), test_leaf(*state, SHAPE(4, 3), RD_DENSE, 2),
          true);
}

static void test_matmul_gradients_of_batches(void **state)
{
    check(test_leaf(*state, SHAPE(2, 3, 4), RD_SEQUENCE, 1),
          test_leaf(*state, SHAPE(2, 5, 4), RD_SEQUENCE, 2), true);
}

static void test_matmul_gradients_of_a_shared_right_side(void **state)
{
    check(test_leaf(*state, SHAPE(2, 3, 4), RD_SEQUENCE, 1),
          test_leaf(*state, SHAPE(4, 5), RD_DENSE, 2), false);
}

static void test_matmul_gradients_of_a_shared_left_side(void **state)
{
    check(test_leaf(*state, SHAPE(3, 4), RD_DENSE, 1),
          test_leaf(*state, SHAPE(2, 4, 5), RD_DENSE, 2), false);
}

/* The gradients of a product of rows with a parameter are those of `linear`, to the bit. */
static void test_matmul_agrees_with_linear_to_the_bit(void **state)
{
    rd_error err;
    rd_tensor *x[2], *w[2], *y[2], *sum = NULL;
    for (int i = 0; i < 2; i++) {
        x[i] = test_leaf(*state, SHAPE(4, 30, 6), RD_SEQUENCE, 1);
        w[i] = test_leaf(*state, SHAPE(5, 6), RD_DENSE, 2);
        if (i == 0) {
            OK(rd_linear(x[i], w[i], NULL, &y[i], &err));
        } else {
            rd_tensor *const t = transposed(w[i], 0, 1);
            y[i] = matmul(x[i], t);
            rd_tensor_release(t);
        }
        OK(test_weighted_sum(rd_tensor_retain(y[i]), &sum, &err));
        OK(rd_backward(sum, NULL, false, &err));
        rd_tensor_release(sum);
    }
    test_same(y[0], y[1]);
    test_same(rd_grad(w[0]), rd_grad(w[1]));
    for (int i = 0; i < 2; i++) {
        rd_tensor_release(y[i]);
        rd_tensor_release(w[i]);
        rd_tensor_release(x[i]);
    }
}

static rd_tensor *products_with(rd_core *core, uint32_t threads, rd_tensor **gradient)
{
    rd_error err;
    rd_tensor *const a = test_leaf(core, SHAPE(7, 4, 5), RD_DENSE, 1);
    rd_tensor *const b = test_leaf(core, SHAPE(7, 5, 3), RD_DENSE, 2);
    OK(rd_core_set_threads(core, threads, &err));
    rd_tensor *const y = matmul(a, b), *sum = NULL;
    OK(test_weighted_sum(rd_tensor_retain(y), &sum, &err));
    OK(rd_backward(sum, NULL, false, &err));
    *gradient = rd_tensor_retain(rd_grad(b));
    rd_tensor_release(sum);
    rd_tensor_release(b);
    rd_tensor_release(a);
    return y;
}

static void test_matmul_batch_with_three_threads_has_the_bits_of_one(void **state)
{
    rd_error err;
    rd_tensor *g = NULL, *h = NULL;
    rd_tensor *const y = products_with(*state, 1, &g), *const z = products_with(*state, 3, &h);
    OK(rd_core_set_threads(*state, 1, &err));
    test_same(y, z);
    test_same(g, h);
    rd_tensor_release(h);
    rd_tensor_release(g);
    rd_tensor_release(z);
    rd_tensor_release(y);
}

static void test_matmul_wrong_shapes_are_named(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const a = test_tensor(*state, SHAPE(1, 2), VALUES(1, 2));
    test_fails(rd_matmul(a, a, &y, &err), &err,
               "matmul: expected (..., m, k) and (..., k, n) with equal leading dimensions or none "
               "on one side, got (1, 2) and (1, 2)");
    rd_tensor_release(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matmul_by_hand),
        cmocka_unit_test(test_matmul_takes_transposed_views_on_both_sides),
        cmocka_unit_test(test_matmul_batch_multiplies_each_pair),
        cmocka_unit_test(test_matmul_sequence_order_gives_the_bits_of_dense),
        cmocka_unit_test(test_matmul_gradients),
        cmocka_unit_test(test_matmul_gradients_of_a_transposed_side),
        cmocka_unit_test(test_matmul_gradients_of_batches),
        cmocka_unit_test(test_matmul_gradients_of_a_shared_right_side),
        cmocka_unit_test(test_matmul_gradients_of_a_shared_left_side),
        cmocka_unit_test(test_matmul_agrees_with_linear_to_the_bit),
        cmocka_unit_test(test_matmul_batch_with_three_threads_has_the_bits_of_one),
        cmocka_unit_test(test_matmul_wrong_shapes_are_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
