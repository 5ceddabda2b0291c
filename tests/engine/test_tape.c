/* test_tape.c - recording, playing backward, and what a user may not do.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

static rd_tensor *apply1(rd_unary op, rd_tensor *x)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_apply1(op, x, &y, &err));
    return y;
}

static rd_tensor *apply2(rd_binary op, rd_tensor *a, rd_tensor *b)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_apply2(op, a, b, &y, &err));
    return y;
}

static rd_tensor *leaf_of(rd_core *core, double value)
{
    rd_error err;
    rd_tensor *const t = test_tensor(core, SHAPE(1), &value);
    OK(rd_set_requires_grad(t, true, &err));
    return t;
}

static void test_tape_square_gives_twice_x(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 3), *const y = apply2(RD_MUL, x, x);
    assert_null(rd_grad(x));
    OK(rd_backward(y, NULL, false, &err));
    test_expect(rd_grad(x), SHAPE(1), VALUES(6));
    RELEASE(y, x);
}

static void test_tape_gradients_add_up_until_zeroed(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 3), *const a = apply1(RD_NEG, x),
                     *const b = apply1(RD_NEG, x);
    OK(rd_backward(a, NULL, false, &err));
    OK(rd_backward(b, NULL, false, &err));
    RELEASE(b, a);
    test_expect(rd_grad(x), SHAPE(1), VALUES(-2));
    rd_zero_grad(x);
    test_expect(rd_grad(x), SHAPE(1), VALUES(0));
    rd_tensor_release(x);
}

static void test_tape_shared_result_gets_both_contributions(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 2), *const h = apply2(RD_MUL, x, x);
    rd_tensor *const a = apply2(RD_MUL, h, h), *const b = apply2(RD_ADD, a, h);
    OK(rd_backward(b, NULL, false, &err));
    test_expect(rd_grad(x), SHAPE(1), VALUES(4 * 8 + 2 * 2)); /* d(x^4 + x^2) = 4 x^3 + 2 x */
    RELEASE(b, a, h, x);
}

static void test_tape_results_may_go_before_backward(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 2), *const h = apply2(RD_MUL, x, x);
    rd_tensor *const y = apply2(RD_MUL, h, h);
    rd_tensor_release(h);
    OK(rd_backward(y, NULL, false, &err));
    test_expect(rd_grad(x), SHAPE(1), VALUES(32));
    RELEASE(y, x);
}

static void test_tape_unused_graph_leaves_nothing_behind(void **state)
{
    rd_core *const core = *state;
    const size_t before = rd_core_memory(core).live_bytes;
    rd_tensor *const x = leaf_of(core, 2), *const h = apply1(RD_TANH, x),
                     *const y = apply1(RD_EXP, h);
    RELEASE(x, h, y);
    assert_int_equal(rd_core_memory(core).live_bytes, before);
}

/* A chain as deep as this overflows the stack of anything that releases or visits by recursion. */
static rd_tensor *chain(rd_tensor *x, size_t length)
{
    rd_tensor *y = rd_tensor_retain(x);
    for (size_t i = 0; i < length; i++) {
        rd_tensor *const next = apply1(RD_NEG, y);
        rd_tensor_release(y);
        y = next;
    }
    return y;
}

static void test_tape_long_chain_is_released(void **state)
{
    rd_tensor *const x = leaf_of(*state, 2), *const y = chain(x, 200000);
    RELEASE(y, x);
}

static void test_tape_long_chain_is_played_backward(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 2), *const y = chain(x, 200000);
    OK(rd_backward(y, NULL, false, &err));
    test_expect(rd_grad(x), SHAPE(1), VALUES(1));
    RELEASE(y, x);
}

static void test_tape_long_chain_of_saved_results_is_released(void **state)
{
    rd_tensor *const x = leaf_of(*state, 1);
    rd_tensor *y = rd_tensor_retain(x);
    for (size_t i = 0; i < 200000; i++) {
        rd_tensor *const next = apply2(RD_MUL, y, x); /* saves y, which owns its node */
        rd_tensor_release(y);
        y = next;
    }
    RELEASE(y, x);
}

static void test_tape_consumed_graph_is_refused(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 2), *const h = apply2(RD_MUL, x, x);
    rd_tensor *const y = apply1(RD_NEG, h), *const z = apply1(RD_EXP, h);
    OK(rd_backward(y, NULL, false, &err));
    test_fails(rd_backward(z, NULL, false, &err), &err,
               "backward: the graph from 'mul' down was already played backward and given up; pass "
               "retain_graph to the first backward, or compute it again");
    test_expect(rd_grad(x), SHAPE(1), VALUES(-4)); /* the failure touched nothing */
    RELEASE(z, y, h, x);
}

static void test_tape_results_are_constants_after_backward(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 2), *const h = apply2(RD_MUL, x, x);
    assert_true(rd_requires_grad(h));
    assert_false(rd_is_leaf(h));
    OK(rd_backward(h, NULL, false, &err));
    assert_false(rd_requires_grad(h));
    assert_true(rd_is_leaf(h));
    rd_tensor *const y = apply2(RD_MUL, h, x); /* carried state, without detach */
    rd_zero_grad(x);
    OK(rd_backward(y, NULL, false, &err));
    test_expect(rd_grad(x), SHAPE(1), VALUES(4));
    OK(rd_fill(h, 7, &err));
    RELEASE(y, h, x);
}

static void test_tape_retained_graph_plays_twice(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 2), *const h = apply2(RD_MUL, x, x);
    rd_tensor *const y = apply1(RD_SQRT, h);
    OK(rd_backward(y, NULL, true, &err));
    OK(rd_backward(y, NULL, false, &err));
    test_expect(rd_grad(x), SHAPE(1), VALUES(2));
    RELEASE(y, h, x);
}

static void test_tape_seed_weighs_the_outputs(void **state)
{
    rd_error err;
    rd_core *const core = *state;
    rd_tensor *const x = test_tensor(core, SHAPE(2), VALUES(3, 4));
    rd_tensor *const seed = test_tensor(core, SHAPE(2), VALUES(10, 100));
    OK(rd_set_requires_grad(x, true, &err));
    rd_tensor *const y = apply2(RD_MUL, x, x);
    test_fails(rd_backward(y, NULL, false, &err), &err,
               "backward: a tensor of shape (2) needs a seed; only one element goes without");
    OK(rd_backward(y, seed, false, &err));
    test_expect(rd_grad(x), SHAPE(2), VALUES(60, 800));
    RELEASE(y, seed, x);
}

static void test_tape_seed_of_another_shape_is_refused(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 2), *const y = apply1(RD_NEG, x);
    rd_tensor *const seed = test_tensor(*state, SHAPE(2), VALUES(1, 1));
    test_fails(rd_backward(y, seed, false, &err), &err,
               "backward: the seed must have the tensor's shape (1), got (2)");
    RELEASE(seed, y, x);
}

static void test_tape_constant_has_no_backward(void **state)
{
    rd_error err;
    rd_tensor *const x = test_tensor(*state, SHAPE(1), VALUES(2)), *const y = apply1(RD_NEG, x);
    test_fails(rd_backward(y, NULL, false, &err), &err,
               "backward: this tensor depends on nothing that wants a gradient");
    RELEASE(y, x);
}

static void test_tape_leaf_takes_the_seed_itself(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 2);
    OK(rd_backward(x, NULL, false, &err));
    test_expect(rd_grad(x), SHAPE(1), VALUES(1));
    rd_tensor_release(x);
}

static void test_tape_write_after_use_is_named(void **state)
{
    rd_error err;
    rd_core *const core = *state;
    rd_tensor *const x = leaf_of(core, 2), *const y = apply1(RD_LOG, x);
    rd_set_grad_mode(core, false);
    OK(rd_fill(x, 5, &err));
    rd_set_grad_mode(core, true);
    test_fails(
        rd_backward(y, NULL, false, &err), &err,
        "log: a tensor that its gradient needs was written in place after it ran; write to a "
        "copy, or call backward before the write");
    RELEASE(y, x);
}

static void test_tape_write_through_a_detached_view_is_seen(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 2), *const y = apply1(RD_TANH, x);
    rd_tensor *view = NULL;
    OK(rd_detach(y, &view, &err));
    OK(rd_fill(view, 5, &err));
    assert_int_not_equal(rd_backward(y, NULL, false, &err), RD_OK);
    RELEASE(view, y, x);
}

static void test_tape_write_to_what_is_not_needed_is_fine(void **state)
{
    rd_error err;
    rd_core *const core = *state;
    rd_tensor *const x = leaf_of(core, 2), *const y = apply2(RD_ADD, x, x);
    rd_set_grad_mode(core, false);
    OK(rd_fill(x, 5, &err));
    rd_set_grad_mode(core, true);
    OK(rd_backward(y, NULL, false, &err));
    test_expect(rd_grad(x), SHAPE(1), VALUES(2));
    RELEASE(y, x);
}

static void test_tape_writes_to_graph_and_leaf_are_refused(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 2), *const y = apply1(RD_NEG, x);
    test_fails(
        rd_fill(y, 0, &err), &err,
        "a result that is part of a graph cannot be written in place; use detach() or clone() "
        "first");
    test_fails(rd_fill(x, 0, &err), &err,
               "a tensor that requires a gradient can be written in place only inside no_grad");
    RELEASE(y, x);
}

static void test_tape_no_grad_records_nothing(void **state)
{
    rd_core *const core = *state;
    rd_tensor *const x = leaf_of(core, 2);
    assert_true(rd_set_grad_mode(core, false));
    assert_false(rd_grad_mode(core));
    rd_tensor *const y = apply1(RD_NEG, x);
    assert_false(rd_set_grad_mode(core, true));
    assert_false(rd_requires_grad(y));
    RELEASE(y, x);
}

static void test_tape_requires_grad_is_for_leaves(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 2), *const y = apply1(RD_NEG, x);
    test_fails(rd_set_requires_grad(y, true, &err), &err,
               "requires_grad: this tensor is the result of 'neg'; detach it first");
    OK(rd_backward(y, NULL, false, &err));
    OK(rd_set_requires_grad(y, true, &err)); /* a constant by now */
    OK(rd_set_requires_grad(x, false, &err));
    assert_false(rd_requires_grad(x));
    RELEASE(y, x);
}

static void test_tape_detach_cuts_the_graph(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf_of(*state, 3), *const h = apply2(RD_MUL, x, x);
    rd_tensor *d = NULL;
    OK(rd_detach(h, &d, &err));
    assert_ptr_equal(rd_tensor_at(d), rd_tensor_at(h));
    rd_tensor *const y = apply2(RD_MUL, d, x);
    OK(rd_backward(y, NULL, false, &err));
    test_expect(rd_grad(x), SHAPE(1), VALUES(9));
    RELEASE(y, d, h, x);
}

static void training_step(rd_tensor *x)
{
    rd_error err;
    rd_tensor *const h = apply1(RD_TANH, x), *const y = apply2(RD_MUL, h, x);
    rd_tensor *loss = NULL;
    OK(rd_sum(y, RD_ALL, false, &loss, &err));
    OK(rd_backward(loss, NULL, false, &err));
    RELEASE(loss, y, h);
}

static void test_tape_steady_state_asks_nothing_of_the_system(void **state)
{
    rd_core *const core = *state;
    rd_tensor *const x = test_leaf(core, SHAPE(3, 5), RD_DENSE, 1);
    training_step(x);
    training_step(x);
    const uint64_t before = rd_core_memory(core).system_allocations;
    training_step(x);
    assert_int_equal(rd_core_memory(core).system_allocations, before);
    rd_tensor_release(x);
}

/* Rule 6: a leaf's gradient is continued, so a sum in pieces is one sum. (1 + 2^-24 is lost in float, and
 * 1 + 2^-53 in double, but not twice that.) */
static void test_tape_leaf_gradient_is_continued_in_order(void **state)
{
    rd_error err;
    const double tiny = sizeof(rd_real) == sizeof(float) ? 0x1p-24 : 0x1p-53;
    rd_tensor *const x = leaf_of(*state, 1);
    rd_tensor *const big = test_tensor(*state, SHAPE(3, 1), VALUES(1, tiny, tiny));
    rd_tensor *const y = apply2(RD_MUL, x, big);
    rd_tensor *const ones = test_tensor(*state, SHAPE(3, 1), VALUES(1, 1, 1));
    OK(rd_backward(y, ones, false, &err));
    test_expect(rd_grad(x), SHAPE(1), VALUES(1 + 2 * tiny)); /* the last row first */
    RELEASE(ones, y, big, x);
}

/* Plays sum_k w_k (h W) for one product or two of h = -x; x gets the gradient. */
static void play_products(rd_tensor *x, rd_tensor *const *w, size_t n)
{
    rd_error err;
    rd_tensor *const h = apply1(RD_NEG, x);
    rd_tensor *y = NULL, *loss = NULL;
    for (size_t i = 0; i < n; i++) {
        rd_tensor *part = NULL;
        OK(rd_matmul(h, w[i], &y, &err));
        OK(test_weighted_sum(y, &part, &err));
        rd_tensor *const sum = loss ? apply2(RD_ADD, loss, part) : rd_tensor_retain(part);
        RELEASE(part, loss);
        loss = sum;
    }
    OK(rd_backward(loss, NULL, false, &err));
    RELEASE(loss, h);
}

/* Rule 5: the contribution of each consumer is complete before it is added, the later node's first. */
static void test_tape_contributions_are_complete_before_they_are_added(void **state)
{
    rd_tensor *x[3], *w[2];
    for (uint32_t i = 0; i < 3; i++) x[i] = test_leaf(*state, SHAPE(4, 7), RD_DENSE, 1);
    for (uint32_t i = 0; i < 2; i++) w[i] = test_leaf(*state, SHAPE(7, 9), RD_DENSE, 2 + i);
    play_products(x[0], w, 2);
    play_products(x[1], w, 1);
    play_products(x[2], w + 1, 1);
    rd_tensor *const sum = apply2(RD_ADD, rd_grad(x[2]), rd_grad(x[1]));
    test_same(rd_grad(x[0]), sum);
    test_release(3, x);
    test_release(2, w);
    rd_tensor_release(sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tape_square_gives_twice_x),
        cmocka_unit_test(test_tape_gradients_add_up_until_zeroed),
        cmocka_unit_test(test_tape_shared_result_gets_both_contributions),
        cmocka_unit_test(test_tape_results_may_go_before_backward),
        cmocka_unit_test(test_tape_unused_graph_leaves_nothing_behind),
        cmocka_unit_test(test_tape_long_chain_is_released),
        cmocka_unit_test(test_tape_long_chain_is_played_backward),
        cmocka_unit_test(test_tape_long_chain_of_saved_results_is_released),
        cmocka_unit_test(test_tape_consumed_graph_is_refused),
        cmocka_unit_test(test_tape_results_are_constants_after_backward),
        cmocka_unit_test(test_tape_retained_graph_plays_twice),
        cmocka_unit_test(test_tape_seed_weighs_the_outputs),
        cmocka_unit_test(test_tape_seed_of_another_shape_is_refused),
        cmocka_unit_test(test_tape_constant_has_no_backward),
        cmocka_unit_test(test_tape_leaf_takes_the_seed_itself),
        cmocka_unit_test(test_tape_write_after_use_is_named),
        cmocka_unit_test(test_tape_write_through_a_detached_view_is_seen),
        cmocka_unit_test(test_tape_write_to_what_is_not_needed_is_fine),
        cmocka_unit_test(test_tape_writes_to_graph_and_leaf_are_refused),
        cmocka_unit_test(test_tape_no_grad_records_nothing),
        cmocka_unit_test(test_tape_requires_grad_is_for_leaves),
        cmocka_unit_test(test_tape_detach_cuts_the_graph),
        cmocka_unit_test(test_tape_steady_state_asks_nothing_of_the_system),
        cmocka_unit_test(test_tape_leaf_gradient_is_continued_in_order),
        cmocka_unit_test(test_tape_contributions_are_complete_before_they_are_added),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
