/* test_custom.c - operations of the embedder: gradients, who frees the context, refusals.
 * SPDX-License-Identifier: MIT */
#include "rondo_custom.h"
#include "support/tensors.h"
#include <stdio.h>

/* y = x^2, whose gradient is 2 x dy; counts what the tape does with it. */
struct square {
    rd_tensor *x;
    int played, released;
    rd_status fails;
    bool wrong_shape, plays_again, silent;
};

static rd_status square_backward(void *context, rd_tensor *const *dout, rd_tensor **din,
                                 rd_error *err)
{
    struct square *s = context;
    rd_tensor *d = NULL;
    s->played++;
    if (s->fails != RD_OK) {
        err->code = s->fails;
        (void)snprintf(err->text, sizeof err->text, "no gradient today");
        return s->fails;
    }
    if (s->plays_again) return rd_backward(s->x, NULL, false, err);
    if (s->silent) return RD_OK;
    rd_tensor *const factor = s->wrong_shape ? dout[0] : s->x;
    const rd_status status = rd_apply2(RD_MUL, factor, dout[0], &d, err);
    if (status == RD_OK && s->wrong_shape) {
        const rd_status summed = rd_sum(d, RD_ALL, false, &din[0], err);
        rd_tensor_release(d);
        return summed;
    }
    if (status != RD_OK) return status;
    const rd_status doubled = rd_apply2(RD_ADD, d, d, &din[0], err);
    rd_tensor_release(d);
    return doubled;
}

static void square_release(void *context)
{
    struct square *s = context;
    s->released++;
}

static rd_tensor *square(struct square *s, rd_tensor *x)
{
    rd_error err;
    rd_tensor *value = NULL, *y = NULL;
    const bool before = rd_set_grad_mode(rd_tensor_core(x), false);
    OK(rd_apply2(RD_MUL, x, x, &value, &err));
    (void)rd_set_grad_mode(rd_tensor_core(x), before);
    s->x = x;
    const rd_custom f = {.name = "square",
                         .context = s,
                         .backward = square_backward,
                         .release = square_release,
                         .in = &x,
                         .n_in = 1,
                         .result = &value,
                         .n_out = 1,
                         .saved = &x,
                         .n_saved = 1};
    OK(rd_custom_apply(&f, &y, &err));
    rd_tensor_release(value);
    return y;
}

static rd_tensor *leaf(rd_core *core)
{
    rd_error err;
    rd_tensor *const x = test_tensor(core, SHAPE(2), (const double[]){3, -1});
    OK(rd_set_requires_grad(x, true, &err));
    return x;
}

static rd_tensor *sum_of(rd_tensor *y)
{
    rd_error err;
    rd_tensor *sum = NULL;
    OK(rd_sum(y, RD_ALL, false, &sum, &err));
    return sum;
}

static void test_custom_gradient_is_the_functions(void **state)
{
    rd_error err;
    struct square s = {0};
    rd_tensor *const x = leaf(*state), *const y = square(&s, x), *const sum = sum_of(y);
    test_expect(y, SHAPE(2), VALUES(9, 1));
    OK(rd_backward(sum, NULL, false, &err));
    test_expect(rd_grad(x), SHAPE(2), VALUES(6, -2));
    assert_int_equal(s.released, 1);
    RELEASE(sum, y, x);
}

static void test_custom_is_played_again_where_the_graph_stays(void **state)
{
    rd_error err;
    struct square s = {0};
    rd_tensor *const x = leaf(*state), *const y = square(&s, x), *const sum = sum_of(y);
    OK(rd_backward(sum, NULL, true, &err));
    OK(rd_backward(sum, NULL, true, &err));
    test_expect(rd_grad(x), SHAPE(2), VALUES(12, -4));
    assert_int_equal(s.released, 0);
    RELEASE(sum, y);
    assert_int_equal(s.released, 1);
    rd_tensor_release(x);
}

static void test_custom_is_released_at_once_where_no_gradient_is_wanted(void **state)
{
    struct square s = {0};
    rd_tensor *const x = test_tensor(*state, SHAPE(2), (const double[]){3, -1});
    rd_tensor *const y = square(&s, x);
    assert_int_equal(s.released, 1);
    assert_false(rd_requires_grad(y));
    assert_null(rd_maker_of(y));
    RELEASE(y, x);
}

static void test_custom_may_leave_an_input_without_gradient(void **state)
{
    rd_error err;
    struct square s = {.silent = true};
    rd_tensor *const x = leaf(*state), *const y = square(&s, x), *const sum = sum_of(y);
    OK(rd_backward(sum, NULL, false, &err));
    test_expect(rd_grad(x), SHAPE(2), VALUES(0, 0));
    RELEASE(sum, y, x);
}

static void test_custom_error_ends_backward(void **state)
{
    rd_error err;
    struct square s = {.fails = RD_E_ARG};
    rd_tensor *const x = leaf(*state), *const y = square(&s, x), *const sum = sum_of(y);
    test_fails(rd_backward(sum, NULL, false, &err), &err, "no gradient today");
    RELEASE(sum, y, x);
    assert_int_equal(s.released, 1);
}

static void test_custom_refuses_a_gradient_of_another_shape(void **state)
{
    rd_error err;
    struct square s = {.wrong_shape = true};
    rd_tensor *const x = leaf(*state), *const y = square(&s, x), *const sum = sum_of(y);
    test_fails(rd_backward(sum, NULL, false, &err), &err,
               "square: the gradient of tensor 1 must have its shape, got one of ()");
    RELEASE(sum, y, x);
}

static void test_custom_refuses_backward_inside_backward(void **state)
{
    rd_error err;
    struct square s = {.plays_again = true};
    rd_tensor *const x = leaf(*state), *const y = square(&s, x), *const sum = sum_of(y);
    test_fails(rd_backward(sum, NULL, false, &err), &err,
               "backward: the backward of function 'square' is running, and gradients of gradients "
               "are not computed");
    RELEASE(sum, y, x);
}

static void test_custom_notices_that_what_it_keeps_was_written(void **state)
{
    rd_error err;
    struct square s = {0};
    rd_tensor *const x = leaf(*state), *const y = square(&s, x), *const sum = sum_of(y);
    const bool before = rd_set_grad_mode(*state, false);
    OK(rd_fill(x, 5, &err));
    (void)rd_set_grad_mode(*state, before);
    test_fails(
        rd_backward(sum, NULL, false, &err), &err,
        "square: a tensor that its gradient needs was written in place after it ran; write to a "
        "copy, or call backward before the write");
    RELEASE(sum, y, x);
}

static void test_custom_keeps_its_context_where_it_fails(void **state)
{
    rd_error err;
    struct square s = {0};
    rd_tensor *const x = leaf(*state), *y = NULL;
    rd_tensor *const many[] = {x, x, x, x, x, x, x, x, x};
    rd_custom f = {.name = "square",
                   .context = &s,
                   .backward = square_backward,
                   .release = square_release,
                   .in = &x,
                   .n_in = 1,
                   .result = &x,
                   .n_out = 1,
                   .saved = many,
                   .n_saved = 9};
    test_fails(rd_custom_apply(&f, &y, &err), &err,
               "square: at most 8 tensors can be kept for backward, got 9");
    f.n_saved = 0;
    f.n_out = 0;
    test_fails(rd_custom_apply(&f, &y, &err), &err, "square: at least one result is needed");
    assert_int_equal(s.released, 0);
    rd_tensor_release(x);
}

static void test_custom_makers_lead_to_it(void **state)
{
    rd_error err;
    struct square s = {0};
    rd_tensor *const x = leaf(*state), *const y = square(&s, x), *const sum = sum_of(y);
    const rd_maker *const maker = rd_maker_of(sum);
    assert_non_null(maker);
    assert_int_equal(rd_maker_input_count(maker), 1);
    assert_ptr_equal(rd_maker_input(maker, 0), rd_maker_of(y));
    assert_null(rd_maker_input(rd_maker_of(y), 0));
    assert_true(rd_maker_number(maker) > rd_maker_number(rd_maker_of(y)));
    OK(rd_backward(sum, NULL, false, &err));
    assert_null(rd_maker_of(sum));
    RELEASE(sum, y, x);
}

static void test_join_gives_up_the_graph_of_all_with_that_of_one(void **state)
{
    rd_error err;
    rd_tensor *const x = leaf(*state), *pair[2] = {NULL}, *out[2] = {NULL};
    OK(rd_apply2(RD_MUL, x, x, &pair[0], &err));
    OK(rd_apply1(RD_NEG, x, &pair[1], &err));
    OK(rd_join(pair, 2, out, &err));
    rd_tensor *const sum = sum_of(out[0]);
    OK(rd_backward(sum, NULL, false, &err));
    test_expect(rd_grad(x), SHAPE(2), VALUES(6, -2));
    assert_false(rd_requires_grad(out[1]));
    assert_false(rd_requires_grad(pair[1]));
    test_fails(rd_join(pair, 0, out, &err), &err, "join: no tensor is given");
    RELEASE(sum, out[0], out[1], pair[0], pair[1], x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_custom_gradient_is_the_functions),
        cmocka_unit_test(test_custom_is_played_again_where_the_graph_stays),
        cmocka_unit_test(test_custom_is_released_at_once_where_no_gradient_is_wanted),
        cmocka_unit_test(test_custom_may_leave_an_input_without_gradient),
        cmocka_unit_test(test_custom_error_ends_backward),
        cmocka_unit_test(test_custom_refuses_a_gradient_of_another_shape),
        cmocka_unit_test(test_custom_refuses_backward_inside_backward),
        cmocka_unit_test(test_custom_notices_that_what_it_keeps_was_written),
        cmocka_unit_test(test_custom_keeps_its_context_where_it_fails),
        cmocka_unit_test(test_custom_makers_lead_to_it),
        cmocka_unit_test(test_join_gives_up_the_graph_of_all_with_that_of_one),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
