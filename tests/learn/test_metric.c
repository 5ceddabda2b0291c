/* test_metric.c - hits among the k most likely, and counts by class.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"
#include <math.h>

static void expect_hits(rd_tensor *x, rd_tensor *ids, size_t k, double hits)
{
    rd_error err;
    rd_loss_total total;
    OK(rd_count_hits(x, ids, k, &total, &err));
    assert_true(total.sum == hits);
    assert_true(total.count == 3);
}

/* Targets at rank 0, 1 and 2 (of equal ones the first wins); the fourth row is masked. */
static void test_hits_among_the_k_most_likely(void **state)
{
    rd_tensor *const x =
        test_tensor(*state, SHAPE(4, 3), VALUES(5, 1, 2, /**/ 3, 3, 1, /**/ 1, 2, 3, /**/ 9, 9, 9));
    rd_tensor *const ids = test_tensor(*state, SHAPE(4), VALUES(1, 2, 1, 0));
    expect_hits(x, ids, 1, 1);
    expect_hits(x, ids, 2, 2);
    expect_hits(x, ids, 3, 3);
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

static void test_a_row_with_nan_is_no_hit(void **state)
{
    rd_error err;
    rd_loss_total total;
    rd_tensor *const x = test_tensor(*state, SHAPE(1, 2), VALUES(1, NAN));
    rd_tensor *const ids = test_tensor(*state, SHAPE(1), VALUES(1));
    OK(rd_count_hits(x, ids, 1, &total, &err));
    assert_true(total.sum == 0 && total.count == 1);
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

static void test_counts_by_class_are_added(void **state)
{
    rd_error err;
    rd_class_count counts[2] = {{0}};
    rd_tensor *const x = test_tensor(*state, SHAPE(1, 3, 2), VALUES(1, 0, 1, 0, 0, 1));
    rd_tensor *const ids = test_tensor(*state, SHAPE(1, 3), VALUES(1, 2, 0));
    OK(rd_count_classes(x, ids, counts, &err));
    OK(rd_count_classes(x, ids, counts, &err));
    assert_int_equal(counts[0].right, 2);
    assert_int_equal(counts[0].guessed, 4);
    assert_int_equal(counts[0].wanted, 2);
    assert_int_equal(counts[1].right, 0);
    assert_int_equal(counts[1].wanted, 2);
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

static void test_metric_wrong_shapes_are_named(void **state)
{
    rd_error err;
    rd_loss_total total;
    rd_tensor *const x = test_leaf(*state, SHAPE(2, 3), RD_DENSE, 1);
    rd_tensor *const ids = test_tensor(*state, SHAPE(3), VALUES(1, 2, 3));
    rd_tensor *const four = test_tensor(*state, SHAPE(2), VALUES(4, 1));
    test_fails(rd_count_hits(x, ids, 1, &total, &err), &err,
               "metric: expected logits (..., classes) and ids (...), got (2, 3) and (3)");
    test_fails(rd_count_hits(x, four, 1, &total, &err), &err,
               "metric: ids must be integers 0..3, got 4 at (1)");
    rd_tensor_release(four);
    rd_tensor_release(ids);
    rd_tensor_release(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hits_among_the_k_most_likely),
        cmocka_unit_test(test_a_row_with_nan_is_no_hit),
        cmocka_unit_test(test_counts_by_class_are_added),
        cmocka_unit_test(test_metric_wrong_shapes_are_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
