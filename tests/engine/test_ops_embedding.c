/* test_ops_embedding.c - rows by id, one-hot rows, and what an id may be.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

static rd_tensor *embedding(rd_tensor *ids, rd_tensor *w)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_embedding(ids, w, &y, &err));
    return y;
}

static void test_embedding_reads_rows_and_zeros_for_id_0(void **state)
{
    rd_tensor *const w = test_tensor(*state, SHAPE(2, 2), VALUES(1, 2, 3, 4));
    rd_tensor *const ids = test_sequence(*state, SHAPE(2, 3), VALUES(1, 2, 0, 2, 2, 1));
    rd_tensor *const y = embedding(ids, w);
    test_expect(y, SHAPE(2, 3, 2), VALUES(1, 2, 3, 4, 0, 0, 3, 4, 3, 4, 1, 2));
    assert_true(rd_tensor_strides(y)[1] > rd_tensor_strides(y)[0]); /* in the order of the ids */
    rd_tensor_release(y);
    rd_tensor_release(ids);
    rd_tensor_release(w);
}

static void test_embedding_gradient_counts_each_use_but_id_0(void **state)
{
    rd_error err;
    rd_tensor *const w = test_leaf(*state, SHAPE(3, 2), RD_DENSE, 1);
    rd_tensor *const ids = test_tensor(*state, SHAPE(4), VALUES(1, 0, 3, 1));
    rd_tensor *const y = embedding(ids, w), *sum = NULL;
    OK(rd_sum(y, RD_ALL, false, &sum, &err));
    OK(rd_backward(sum, NULL, false, &err));
    test_expect(rd_grad(w), SHAPE(3, 2), VALUES(2, 2, 0, 0, 1, 1));
    rd_tensor_release(sum);
    rd_tensor_release(y);
    rd_tensor_release(ids);
    rd_tensor_release(w);
}

struct model {
    rd_tensor *ids, *w;
};

static rd_status weighted_embedding(void *user, rd_tensor **out, rd_error *err)
{
    const struct model *m = user;
    rd_tensor *y = NULL;
    const rd_status status = rd_embedding(m->ids, m->w, &y, err);
    return status == RD_OK ? test_weighted_sum(y, out, err) : status;
}

static void test_embedding_gradients(void **state)
{
    struct model m = {test_sequence(*state, SHAPE(2, 3), VALUES(1, 2, 0, 4, 2, 1)),
                      test_leaf(*state, SHAPE(4, 3), RD_DENSE, 1)};
    test_gradients(weighted_embedding, &m, &m.w, 1);
    rd_tensor_release(m.w);
    rd_tensor_release(m.ids);
}

/* Bit contract, rule 6: a table row sums its uses from the last row to the first. */
static void test_embedding_gradient_adds_the_last_row_first(void **state)
{
    rd_error err;
    const double tiny = sizeof(rd_real) == sizeof(double) ? 0x1p-53 : 0x1p-24;
    rd_tensor *const w = test_leaf(*state, SHAPE(1, 1), RD_DENSE, 1);
    rd_tensor *const ids = test_tensor(*state, SHAPE(3), VALUES(1, 1, 1));
    rd_tensor *const seed = test_tensor(*state, SHAPE(3, 1), VALUES(1, tiny, tiny));
    rd_tensor *const y = embedding(ids, w);
    OK(rd_backward(y, seed, false, &err));
    test_expect(rd_grad(w), SHAPE(1, 1), VALUES(1 + 2 * tiny)); /* the other order leaves 1 */
    rd_tensor_release(y);
    rd_tensor_release(seed);
    rd_tensor_release(ids);
    rd_tensor_release(w);
}

static void test_embedding_bad_ids_are_named(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const w = test_tensor(*state, SHAPE(2, 1), VALUES(1, 2));
    rd_tensor *const high = test_sequence(*state, SHAPE(2, 3), VALUES(1, 2, 0, 2, 3, 7));
    rd_tensor *const half = test_tensor(*state, SHAPE(2), VALUES(1, 0.5));
    rd_tensor *const low = test_tensor(*state, SHAPE(1), VALUES(-1));
    test_fails(rd_embedding(high, w, &y, &err), &err,
               "embedding: ids must be integers 0..2, got 3 at (2, 2)");
    test_fails(rd_embedding(half, w, &y, &err), &err,
               "embedding: ids must be integers 0..2, got 0.5 at (2)");
    test_fails(rd_embedding(low, w, &y, &err), &err,
               "embedding: ids must be integers 0..2, got -1 at (1)");
    test_fails(rd_embedding(low, low, &y, &err), &err,
               "embedding: the weight must be (ids, features), got (1)");
    rd_tensor_release(low);
    rd_tensor_release(half);
    rd_tensor_release(high);
    rd_tensor_release(w);
}

static void test_one_hot_by_hand(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const ids = test_tensor(*state, SHAPE(3), VALUES(2, 0, 1));
    OK(rd_one_hot(ids, 2, &y, &err));
    test_expect(y, SHAPE(3, 2), VALUES(0, 1, 0, 0, 1, 0));
    rd_tensor_release(y);
    rd_tensor_release(ids);
}

static void test_one_hot_keeps_its_ids_when_the_batch_is_overwritten(void **state)
{
    rd_error err;
    rd_tensor *x = NULL, *y = NULL, *const ids = test_tensor(*state, SHAPE(1), VALUES(2));
    rd_tensor *const w = test_tensor(*state, SHAPE(1, 2), VALUES(3, 4));
    OK(rd_one_hot(ids, 2, &x, &err));
    OK(rd_fill(ids, 1, &err));
    OK(rd_linear(x, w, NULL, &y, &err));
    test_expect(y, SHAPE(1, 1), VALUES(4));
    rd_tensor_release(y);
    rd_tensor_release(x);
    rd_tensor_release(w);
    rd_tensor_release(ids);
}

static void test_one_hot_wrong_arguments_are_named(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *const ids = test_tensor(*state, SHAPE(1), VALUES(2));
    test_fails(rd_one_hot(ids, 0, &y, &err), &err,
               "one_hot: the number of classes must be at least 1");
    test_fails(rd_one_hot(ids, 1, &y, &err), &err,
               "one_hot: ids must be integers 0..1, got 2 at (1)");
    test_fails(rd_one_hot(ids, 20000000, &y, &err), &err,
               "one_hot: at most 16777216 classes can be told apart, got 20000000");
    rd_tensor_release(ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embedding_reads_rows_and_zeros_for_id_0),
        cmocka_unit_test(test_embedding_gradient_counts_each_use_but_id_0),
        cmocka_unit_test(test_embedding_gradients),
        cmocka_unit_test(test_embedding_gradient_adds_the_last_row_first),
        cmocka_unit_test(test_embedding_bad_ids_are_named),
        cmocka_unit_test(test_one_hot_by_hand),
        cmocka_unit_test(test_one_hot_keeps_its_ids_when_the_batch_is_overwritten),
        cmocka_unit_test(test_one_hot_wrong_arguments_are_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
