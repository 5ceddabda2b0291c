/* test_rnn_inputs.c - inputs of a recurrent layer that lie in memory as views do, come twice, or change
 * between two calls.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

static const rnn_layer layer = {.cell = "lstm", .bias = 2, .in = 5, .hidden = 4};

/* dL/dx of a weighted sum over all outputs and last states. */
static void play(rd_rnn *rnn, rd_tensor *x, rd_tensor *const *states)
{
    rd_error err;
    rd_tensor *y = NULL, *final[2] = {NULL, NULL}, *part[3], *sum = NULL, *loss = NULL;
    OK(rd_rnn_forward(rnn, x, states, &y, final, &err));
    OK(test_weighted_sum(y, &part[0], &err));
    OK(test_weighted_sum(final[0], &part[1], &err));
    OK(test_weighted_sum(final[1], &part[2], &err));
    OK(rd_apply2(RD_ADD, part[0], part[1], &sum, &err));
    OK(rd_apply2(RD_ADD, sum, part[2], &loss, &err));
    OK(rd_backward(loss, NULL, false, &err));
    RELEASE(part[0], part[1], part[2], sum, loss);
}

/* A leaf (width, rows) whose transposed view is a state with the numbers of `like`. */
static rd_tensor *turned_leaf(const rd_tensor *like, rd_tensor **state)
{
    rd_error err;
    rd_tensor *plain = NULL, *turned = NULL, *leaf = NULL;
    OK(rd_detach((rd_tensor *)like, &plain, &err));
    OK(rd_transpose(plain, 0, 1, &turned, &err));
    OK(rd_contiguous(turned, RD_DENSE, &leaf, &err));
    OK(rd_set_requires_grad(leaf, true, &err));
    OK(rd_transpose(leaf, 0, 1, state, &err));
    RELEASE(plain, turned);
    return leaf;
}

static void test_gradient_of_a_transposed_first_state(void **state)
{
    rd_error err;
    rd_rnn *rnn = rnn_make(*state, &layer);
    rd_tensor *x = test_leaf(*state, SHAPE(3, 2, 5), RD_SEQUENCE, 1);
    rd_tensor *first[2] = {test_leaf(*state, SHAPE(3, 4), RD_DENSE, 2),
                           test_leaf(*state, SHAPE(3, 4), RD_DENSE, 3)};
    rd_tensor *view[2] = {NULL, NULL}, *leaf[2], *back[2];
    for (int k = 0; k < 2; k++) leaf[k] = turned_leaf(first[k], &view[k]);
    play(rnn, x, first);
    play(rnn, x, view);
    for (int k = 0; k < 2; k++) {
        OK(rd_transpose(rd_grad(leaf[k]), 0, 1, &back[k], &err));
        test_same(back[k], rd_grad(first[k]));
    }
    RELEASE(x, first[0], first[1], view[0], view[1], leaf[0], leaf[1], back[0], back[1]);
    rd_rnn_release(rnn);
}

static void test_gradient_of_a_leaf_state_that_lies_by_columns(void **state)
{
    rd_rnn *rnn = rnn_make(*state, &layer);
    rd_tensor *x = test_leaf(*state, SHAPE(3, 2, 5), RD_SEQUENCE, 1);
    rd_tensor *by_rows[2] = {test_leaf(*state, SHAPE(3, 4), RD_DENSE, 2),
                             test_leaf(*state, SHAPE(3, 4), RD_DENSE, 3)};
    rd_tensor *by_columns[2] = {test_leaf(*state, SHAPE(3, 4), RD_SEQUENCE, 2),
                                test_leaf(*state, SHAPE(3, 4), RD_SEQUENCE, 3)};
    play(rnn, x, by_rows);
    play(rnn, x, by_columns);
    test_same(rd_grad(by_columns[0]), rd_grad(by_rows[0]));
    test_same(rd_grad(by_columns[1]), rd_grad(by_rows[1]));
    RELEASE(x, by_rows[0], by_rows[1], by_columns[0], by_columns[1]);
    rd_rnn_release(rnn);
}

static void test_one_tensor_as_both_states(void **state)
{
    rd_error err;
    rd_rnn *rnn = rnn_make(*state, &layer);
    rd_tensor *x = test_leaf(*state, SHAPE(3, 2, 5), RD_SEQUENCE, 1), *sum = NULL;
    rd_tensor *apart[2] = {test_leaf(*state, SHAPE(3, 4), RD_DENSE, 2),
                           test_leaf(*state, SHAPE(3, 4), RD_DENSE, 2)};
    rd_tensor *same = test_leaf(*state, SHAPE(3, 4), RD_DENSE, 2);
    play(rnn, x, apart);
    play(rnn, x, (rd_tensor *const[]){same, same});
    OK(rd_apply2(RD_ADD, rd_grad(apart[0]), rd_grad(apart[1]), &sum, &err));
    test_same(rd_grad(same), sum);
    RELEASE(x, apart[0], apart[1], same, sum);
    rd_rnn_release(rnn);
}

static void test_no_states_are_zeros_for_cells_that_begin_there(void **state)
{
    rd_rnn *rnn = rnn_make(*state, &layer);
    rd_tensor *a = test_leaf(*state, SHAPE(3, 2, 5), RD_SEQUENCE, 1);
    rd_tensor *b = test_leaf(*state, SHAPE(3, 2, 5), RD_SEQUENCE, 1);
    rd_tensor *zero = test_tensor(*state, SHAPE(3, 4), VALUES(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    play(rnn, a, NULL);
    play(rnn, b, (rd_tensor *const[]){zero, zero});
    test_same(rd_grad(b), rd_grad(a));
    RELEASE(a, b, zero);
    rd_rnn_release(rnn);
}

/* The table of one-hot input and the packed weights follow a write through any view of a parameter. */
static void test_a_write_through_a_view_of_a_weight_is_seen(void **state)
{
    rd_error err;
    rd_rnn *rnn = rnn_make(*state, &layer), *fresh = rnn_make(*state, &layer);
    rd_tensor *ids = test_tensor(*state, SHAPE(1, 2), VALUES(1, 3)), *hot = NULL;
    rd_tensor *before = NULL, *after = NULL, *want = NULL, *row = NULL;
    OK(rd_one_hot(ids, 5, &hot, &err));
    OK(rd_rnn_forward(rnn, hot, NULL, &before, NULL, &err)); /* makes table and packed weights */
    for (int k = 0; k < 2; k++) {
        rd_set_grad_mode(*state, false);
        OK(rd_select(rd_rnn_parameter(k == 0 ? rnn : fresh, 0), 0, 1, &row, &err)); /* of i_x */
        rd_set_grad_mode(*state, true);
        OK(rd_fill(row, 0.5, &err));
        rd_tensor_release(row);
    }
    OK(rd_rnn_forward(rnn, hot, NULL, &after, NULL, &err));
    OK(rd_rnn_forward(fresh, hot, NULL, &want, NULL, &err));
    test_same(after, want);
    RELEASE(ids, hot, before, after, want);
    rd_rnn_release(rnn);
    rd_rnn_release(fresh);
}

static void test_one_hot_input_that_wants_a_gradient(void **state)
{
    rd_error err;
    rd_rnn *rnn = rnn_make(*state, &layer);
    rd_tensor *ids = test_tensor(*state, SHAPE(1, 2), VALUES(1, 3)), *hot = NULL;
    rd_tensor *plain = test_sequence(*state, SHAPE(1, 2, 5), VALUES(1, 0, 0, 0, 0, 0, 0, 1, 0, 0));
    OK(rd_one_hot(ids, 5, &hot, &err));
    OK(rd_set_requires_grad(hot, true, &err));
    OK(rd_set_requires_grad(plain, true, &err));
    play(rnn, hot, NULL);
    play(rnn, plain, NULL);
    test_same(rd_grad(hot), rd_grad(plain));
    RELEASE(ids, hot, plain);
    rd_rnn_release(rnn);
}

static void test_threads_may_change_before_backward(void **state)
{
    rd_core *core[2] = {rnn_core(1, NULL), rnn_core(1, NULL)};
    rd_tensor *x[2];
    rd_rnn *rnn[2];
    rd_error err;
    (void)state;
    const rnn_layer wide = {.cell = "lstm", .bias = 2, .in = 32, .hidden = 64};
    for (int k = 0; k < 2; k++) {
        rd_tensor *y = NULL, *loss = NULL;
        rnn[k] = rnn_make(core[k], &wide);
        x[k] = test_leaf(core[k], SHAPE(20, 6, 32), RD_SEQUENCE, 1);
        OK(rd_rnn_forward(rnn[k], x[k], NULL, &y, NULL, &err));
        OK(test_weighted_sum(y, &loss, &err));
        if (k == 1) OK(rd_core_set_threads(core[1], 3, &err));
        OK(rd_backward(loss, NULL, false, &err));
        rd_tensor_release(loss);
    }
    test_same(rd_grad(x[1]), rd_grad(x[0]));
    test_same(rd_grad(rd_rnn_parameter(rnn[1], 0)), rd_grad(rd_rnn_parameter(rnn[0], 0)));
    for (int k = 0; k < 2; k++) {
        rd_tensor_release(x[k]);
        rd_rnn_release(rnn[k]);
        assert_int_equal(test_close_core((void **)&core[k]), 0);
    }
}

static int open_core(void **state)
{
    *state = rnn_core(1, NULL);
    return *state ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient_of_a_transposed_first_state),
        cmocka_unit_test(test_gradient_of_a_leaf_state_that_lies_by_columns),
        cmocka_unit_test(test_one_tensor_as_both_states),
        cmocka_unit_test(test_no_states_are_zeros_for_cells_that_begin_there),
        cmocka_unit_test(test_a_write_through_a_view_of_a_weight_is_seen),
        cmocka_unit_test(test_one_hot_input_that_wants_a_gradient),
        cmocka_unit_test(test_threads_may_change_before_backward),
    };
    return cmocka_run_group_tests(tests, open_core, test_close_core);
}
