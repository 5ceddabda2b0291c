/* test_ops_pool.c - sequences to one vector: values by hand, absent steps, gradients.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

#include <math.h>

#define TINY (sizeof(rd_real) == sizeof(float) ? 0x1p-24 : 0x1p-53)

static rd_tensor *pool(rd_tensor *x, rd_tensor *mask, rd_pool how)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_pool_time(x, mask, how, &y, &err));
    return y;
}

/* Three steps of two rows with two features. */
static rd_tensor *example(rd_core *core, bool dense)
{
    const double values[] = {1, 9, 5, 2, 3, 7, -4, -1, -2, -3, -6, -5};
    return (dense ? test_tensor : test_sequence)(core, SHAPE(2, 3, 2), values);
}

static void test_pool_over_all_steps_in_either_order(void **state)
{
    for (int dense = 0; dense < 2; dense++) {
        rd_tensor *const x = example(*state, dense);
        rd_tensor *const last = pool(x, NULL, RD_POOL_LAST), *const mean =
                                                                 pool(x, NULL, RD_POOL_MEAN);
        rd_tensor *const max = pool(x, NULL, RD_POOL_MAX);
        test_expect(last, SHAPE(2, 2), VALUES(3, 7, -6, -5));
        test_expect(mean, SHAPE(2, 2), VALUES(3, 6, -4, -3));
        test_expect(max, SHAPE(2, 2), VALUES(5, 9, -2, -1));
        RELEASE(x, last, mean, max);
    }
}

static void test_pool_leaves_out_masked_steps(void **state)
{
    rd_tensor *const x = example(*state, false);
    rd_tensor *const mask = test_tensor(*state, SHAPE(2, 3), VALUES(1, 4, 0, 0, 1, 1));
    rd_tensor *const last = pool(x, mask, RD_POOL_LAST), *const mean = pool(x, mask, RD_POOL_MEAN);
    rd_tensor *const max = pool(x, mask, RD_POOL_MAX);
    test_expect(last, SHAPE(2, 2), VALUES(5, 2, -6, -5));
    test_expect(mean, SHAPE(2, 2), VALUES(3, 5.5, -4, -4));
    test_expect(max, SHAPE(2, 2), VALUES(5, 9, -2, -3));
    RELEASE(x, mask, last, mean, max);
}

static void test_pool_of_length_0_is_0(void **state)
{
    rd_tensor *const x = example(*state, false);
    rd_tensor *const lengths = test_tensor(*state, SHAPE(2), VALUES(0, 1));
    for (int how = RD_POOL_LAST; how <= RD_POOL_MAX; how++) {
        rd_tensor *const y = pool(x, lengths, (rd_pool)how);
        test_expect(y, SHAPE(2, 2), VALUES(0, 0, -4, -1));
        RELEASE(y);
    }
    RELEASE(x, lengths);
}

static void test_pool_of_other_ranks(void **state)
{
    rd_tensor *const flat = test_tensor(*state, SHAPE(2, 2), VALUES(1, 3, 5, 9));
    rd_tensor *const deep = test_sequence(*state, SHAPE(1, 2, 1, 2), VALUES(1, 2, 3, 6));
    rd_tensor *const none = test_tensor(*state, SHAPE(1, 0, 2), VALUES(0));
    rd_tensor *const a = pool(flat, NULL, RD_POOL_MEAN), *const b = pool(deep, NULL, RD_POOL_MEAN);
    rd_tensor *const c = pool(none, NULL, RD_POOL_MAX);
    test_expect(a, SHAPE(2), VALUES(2, 7));
    test_expect(b, SHAPE(1, 1, 2), VALUES(2, 4));
    test_expect(c, SHAPE(1, 2), VALUES(0, 0));
    RELEASE(flat, deep, none, a, b, c);
}

/* Rule 7: 1 + tiny + tiny is 1 in this order, tiny + tiny + 1 is not. */
static void test_pool_adds_steps_ascending(void **state)
{
    rd_tensor *const x =
        test_tensor(*state, SHAPE(2, 4), VALUES(1, TINY, TINY, -1, TINY, TINY, 1, -1));
    rd_tensor *const y = pool(x, NULL, RD_POOL_MEAN);
    test_expect(y, SHAPE(2), VALUES(0, TINY / 2));
    RELEASE(x, y);
}

static void test_pool_shows_nan_and_hides_what_is_absent(void **state)
{
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 3), VALUES(1, NAN, 2, 1, NAN, 2));
    rd_tensor *const mask = test_tensor(*state, SHAPE(2, 3), VALUES(1, 1, 1, 1, 0, 1));
    rd_tensor *const max = pool(x, mask, RD_POOL_MAX), *const mean = pool(x, mask, RD_POOL_MEAN);
    test_expect(max, SHAPE(2), VALUES(NAN, 2));
    test_expect(mean, SHAPE(2), VALUES(NAN, 1.5));
    RELEASE(x, mask, max, mean);
}

static void test_pool_of_a_view(void **state)
{
    rd_error err;
    rd_tensor *view = NULL, *const x = example(*state, false);
    OK(rd_slice(x, 2, 1, 1, &view, &err));
    rd_tensor *const y = pool(view, NULL, RD_POOL_MEAN);
    test_expect(y, SHAPE(2, 1), VALUES(6, -3));
    RELEASE(x, view, y);
}

static void test_valid_steps_are_those_of_lengths_and_masks(void **state)
{
    rd_error err;
    rd_tensor *const x = example(*state, false), *a = NULL, *b = NULL;
    rd_tensor *const lengths = test_tensor(*state, SHAPE(2), VALUES(2, 0));
    rd_tensor *const ids = test_tensor(*state, SHAPE(2, 3), VALUES(0, 7, 0, 1, 2, 0));
    OK(rd_valid_steps(x, lengths, "here", &a, &err));
    OK(rd_valid_steps(x, ids, "here", &b, &err));
    test_expect(a, SHAPE(2, 3), VALUES(1, 1, 0, 0, 0, 0));
    test_expect(b, SHAPE(2, 3), VALUES(0, 1, 0, 1, 1, 0));
    RELEASE(x, lengths, ids, a, b);
}

static void test_pool_says_what_is_wrong(void **state)
{
    rd_error err;
    rd_tensor *const x = example(*state, false), *const row =
                                                     test_tensor(*state, SHAPE(1), VALUES(1));
    rd_tensor *const mask = test_tensor(*state, SHAPE(3), VALUES(1, 1, 1));
    rd_tensor *const length = test_tensor(*state, SHAPE(1), VALUES(2));
    rd_tensor *long_one = NULL, *y = NULL;
    OK(rd_tensor_new(*state, 3, (size_t[]){1, (1 << 24) + 1, 0}, RD_DENSE, &long_one, &err));
    test_fails(rd_pool_time(row, NULL, RD_POOL_MAX, &y, &err), &err,
               "pool: expected a sequence (batch, time, ...), got (1)");
    test_fails(rd_valid_steps(row, mask, "here", &y, &err), &err,
               "here: expected a sequence (batch, time, ...), got (1)");
    test_fails(rd_pool_time(x, mask, RD_POOL_MAX, &y, &err), &err,
               "pool: expected a mask (2, 3) or lengths (2), got (3)");
    test_fails(rd_pool_time(long_one, NULL, RD_POOL_MAX, &y, &err), &err,
               "pool: at most 16777216 steps can be told apart, got 16777217");
    test_fails(rd_valid_steps(long_one, length, "here", &y, &err), &err,
               "here: lengths can tell at most 16777216 steps apart, got 16777217; give a mask");
    RELEASE(x, row, mask, length, long_one);
}

/* ---- gradients -------------------------------------------------------------------------------------- */

static void pooled_gradient(rd_core *core, rd_pool how, const double *want)
{
    rd_error err;
    rd_tensor *const x = example(core, false);
    rd_tensor *const mask = test_tensor(core, SHAPE(2, 3), VALUES(1, 0, 1, 0, 0, 0));
    rd_tensor *const seed = test_tensor(core, SHAPE(2, 2), VALUES(10, 100, 1000, 1000));
    OK(rd_set_requires_grad(x, true, &err));
    rd_tensor *const y = pool(x, mask, how);
    OK(rd_backward(y, seed, false, &err));
    test_expect(rd_grad(x), SHAPE(2, 3, 2), want);
    RELEASE(x, mask, seed, y);
}

static void test_last_gradient_goes_to_the_last_that_counts(void **state)
{
    pooled_gradient(*state, RD_POOL_LAST, VALUES(0, 0, 0, 0, 10, 100, 0, 0, 0, 0, 0, 0));
}

static void test_mean_gradient_is_shared_by_what_counts(void **state)
{
    pooled_gradient(*state, RD_POOL_MEAN, VALUES(5, 50, 0, 0, 5, 50, 0, 0, 0, 0, 0, 0));
}

static void test_max_gradient_goes_to_the_largest(void **state)
{
    pooled_gradient(*state, RD_POOL_MAX, VALUES(0, 100, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0));
}

struct pool_case {
    rd_tensor *x, *mask;
    rd_pool how;
};

static rd_status pooled_sum(void *user, rd_tensor **out, rd_error *err)
{
    const struct pool_case *const c = user;
    rd_tensor *y = NULL;
    const rd_status status = rd_pool_time(c->x, c->mask, c->how, &y, err);
    return status == RD_OK ? test_weighted_sum(y, out, err) : status;
}

static void test_pool_gradients_by_differences(void **state)
{
    rd_tensor *const x = test_leaf(*state, SHAPE(3, 4, 5), RD_SEQUENCE, 1);
    rd_tensor *const lengths = test_tensor(*state, SHAPE(3), VALUES(4, 0, 2));
    for (int how = RD_POOL_LAST; how <= RD_POOL_MAX; how++) {
        struct pool_case c = {x, lengths, (rd_pool)how};
        test_gradients(pooled_sum, &c, &c.x, 1);
    }
    RELEASE(x, lengths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool_over_all_steps_in_either_order),
        cmocka_unit_test(test_pool_leaves_out_masked_steps),
        cmocka_unit_test(test_pool_of_length_0_is_0),
        cmocka_unit_test(test_pool_of_other_ranks),
        cmocka_unit_test(test_pool_adds_steps_ascending),
        cmocka_unit_test(test_pool_shows_nan_and_hides_what_is_absent),
        cmocka_unit_test(test_pool_of_a_view),
        cmocka_unit_test(test_valid_steps_are_those_of_lengths_and_masks),
        cmocka_unit_test(test_pool_says_what_is_wrong),
        cmocka_unit_test(test_last_gradient_goes_to_the_last_that_counts),
        cmocka_unit_test(test_mean_gradient_is_shared_by_what_counts),
        cmocka_unit_test(test_max_gradient_goes_to_the_largest),
        cmocka_unit_test(test_pool_gradients_by_differences),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
