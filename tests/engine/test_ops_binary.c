/* test_ops_binary.c - functions of two numbers and where: values, broadcasting, layouts, gradients.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

#include <math.h>

static rd_tensor *apply2(rd_binary op, rd_tensor *a, rd_tensor *b)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_apply2(op, a, b, &y, &err));
    return y;
}

static void test_binary_values(void **state)
{
    rd_core *const core = *state;
    rd_tensor *const a = test_tensor(core, SHAPE(2), VALUES(6, -1));
    rd_tensor *const b = test_tensor(core, SHAPE(2), VALUES(3, 4));
    rd_tensor *const sum = apply2(RD_ADD, a, b), *const difference = apply2(RD_SUB, a, b);
    rd_tensor *const product = apply2(RD_MUL, a, b), *const quotient = apply2(RD_DIV, a, b);
    test_expect(sum, SHAPE(2), VALUES(9, 3));
    test_expect(difference, SHAPE(2), VALUES(3, -5));
    test_expect(product, SHAPE(2), VALUES(18, -4));
    test_expect(quotient, SHAPE(2), VALUES(2, -0.25));
    RELEASE(quotient, product, difference, sum, b, a);
}

static void expect_compared(rd_core *core, rd_binary op, const double *out)
{
    rd_tensor *const a = test_leaf(core, SHAPE(4), RD_DENSE, 1);
    rd_tensor *const b = test_tensor(core, SHAPE(4), VALUES(1, 2, 3, NAN));
    rd_tensor *const c = test_tensor(core, SHAPE(4), VALUES(2, 2, 2, 2));
    rd_tensor *const y = apply2(op, b, c), *const z = apply2(op, a, c);
    test_expect(y, SHAPE(4), out);
    assert_false(rd_requires_grad(z)); /* comparisons are constants */
    RELEASE(z, y, c, b, a);
}

static void test_comparisons_give_one_or_zero(void **state)
{
    expect_compared(*state, RD_EQ, VALUES(0, 1, 0, 0));
    expect_compared(*state, RD_NE, VALUES(1, 0, 1, 1));
    expect_compared(*state, RD_LT, VALUES(1, 0, 0, 0));
    expect_compared(*state, RD_LE, VALUES(1, 1, 0, 0));
    expect_compared(*state, RD_GT, VALUES(0, 0, 1, 0));
    expect_compared(*state, RD_GE, VALUES(0, 1, 1, 0));
}

static void test_broadcast_row_and_column(void **state)
{
    rd_core *const core = *state;
    rd_tensor *const column = test_tensor(core, SHAPE(2, 1), VALUES(10, 20));
    rd_tensor *const row = test_tensor(core, SHAPE(3), VALUES(1, 2, 3));
    rd_tensor *const y = apply2(RD_ADD, column, row);
    test_expect(y, SHAPE(2, 3), VALUES(11, 12, 13, 21, 22, 23));
    RELEASE(y, row, column);
}

static void test_broadcast_mismatch_names_both_shapes(void **state)
{
    rd_error err;
    rd_core *const core = *state;
    rd_tensor *const a = test_tensor(core, SHAPE(1, 2), VALUES(10, 20));
    rd_tensor *const b = test_tensor(core, SHAPE(3), VALUES(1, 2, 3));
    rd_tensor *y = NULL;
    test_fails(
        rd_apply2(RD_MUL, a, b, &y, &err), &err,
        "mul: shapes (1, 2) and (3) do not go together; counted from the last, dimensions must "
        "be equal or 1");
    assert_null(y);
    RELEASE(b, a);
}

static void test_result_takes_the_order_of_the_first_full_operand(void **state)
{
    rd_core *const core = *state;
    rd_tensor *const bias = test_tensor(core, SHAPE(1), VALUES(1));
    rd_tensor *const x = test_sequence(core, SHAPE(2, 3, 1), VALUES(1, 2, 3, 4, 5, 6));
    rd_tensor *const dense = test_tensor(core, SHAPE(2, 3, 1), VALUES(1, 2, 3, 4, 5, 6));
    rd_tensor *const a = apply2(RD_ADD, bias, x), *const b = apply2(RD_ADD, dense, x);
    assert_int_equal(rd_tensor_strides(a)[0], 1); /* [T][B][F] */
    assert_int_equal(rd_tensor_strides(b)[0], 3);
    test_expect(a, SHAPE(2, 3, 1), VALUES(2, 3, 4, 5, 6, 7));
    test_expect(b, SHAPE(2, 3, 1), VALUES(2, 4, 6, 8, 10, 12));
    RELEASE(b, a, dense, x, bias);
}

static void test_where_chooses_and_broadcasts(void **state)
{
    rd_error err;
    rd_core *const core = *state;
    rd_tensor *const c = test_tensor(core, SHAPE(2, 1), VALUES(1, 0));
    rd_tensor *const a = test_tensor(core, SHAPE(2), VALUES(1, 2));
    rd_tensor *b = NULL, *y = NULL;
    OK(rd_scalar(core, -7, &b, &err));
    OK(rd_where(c, a, b, &y, &err));
    test_expect(y, SHAPE(2, 2), VALUES(1, 2, -7, -7));
    RELEASE(y, b, a, c);
}

/* Strided operands longer than the driver's buffer give what adjacent ones give. */
static void test_strided_operands_give_the_same_bits(void **state)
{
    rd_error err;
    rd_core *const core = *state;
    rd_tensor *const x = test_leaf(core, SHAPE(2, 700), RD_DENSE, 3);
    rd_tensor *t = NULL, *flat = NULL, *from_view = NULL, *from_copy = NULL, *same = NULL,
              *all = NULL;
    OK(rd_transpose(x, 0, 1, &t, &err));
    OK(rd_contiguous(t, RD_DENSE, &flat, &err));
    OK(rd_slice(t, 1, 0, 1, &from_view, &err));
    OK(rd_slice(flat, 1, 0, 1, &from_copy, &err));
    rd_tensor *const a = apply2(RD_MUL, from_view, t), *const b = apply2(RD_MUL, from_copy, flat);
    same = apply2(RD_EQ, a, b);
    OK(rd_sum(same, RD_ALL, false, &all, &err));
    test_expect(all, 0, NULL, VALUES(1400));
    RELEASE(t, flat, from_view, from_copy, a, b, same, all, x);
}

static void test_empty_tensors_are_fine(void **state)
{
    rd_core *const core = *state;
    rd_tensor *const x = test_leaf(core, SHAPE(2, 0), RD_DENSE, 3), *const y = apply2(RD_ADD, x, x);
    test_expect(y, SHAPE(2, 0), VALUES(0));
    RELEASE(y, x);
}

/* ---- threads ---------------------------------------------------------------------------------------- */

static void test_threads_do_not_show(void **state)
{
    rd_error err;
    rd_core *const core = *state;
    rd_tensor *const x = test_leaf(core, SHAPE(300, 1, 401), RD_DENSE, 3);
    rd_tensor *const row = test_leaf(core, SHAPE(1, 401), RD_DENSE, 4);
    rd_tensor *const one = apply2(RD_DIV, x, row);
    OK(rd_core_set_threads(core, 3, &err));
    rd_tensor *const three = apply2(RD_DIV, x, row), *const same = apply2(RD_EQ, one, three);
    OK(rd_core_set_threads(core, 1, &err));
    assert_true(rd_norm(same) * rd_norm(same) > 300 * 401 - 0.5);
    RELEASE(same, three, one, row, x);
}

/* ---- gradients -------------------------------------------------------------------------------------- */

struct binary_case {
    rd_binary op;
    rd_tensor *leaf[2];
};

/* The divisor is kept away from 0: b is used as b + 3. */
static rd_status binary_sum(void *user, rd_tensor **out, rd_error *err)
{
    const struct binary_case *const c = user;
    rd_tensor *three = NULL, *b = NULL, *y = NULL;
    rd_status status = rd_scalar(rd_tensor_core(c->leaf[0]), 3, &three, err);
    if (status == RD_OK) status = rd_apply2(RD_ADD, c->leaf[1], three, &b, err);
    if (status == RD_OK) status = rd_apply2(c->op, c->leaf[0], b, &y, err);
    RELEASE(b, three);
    return status == RD_OK ? test_weighted_sum(y, out, err) : status;
}

static void binary_gradient(rd_core *core, rd_binary op, rd_tensor *a, rd_tensor *b)
{
    struct binary_case c = {op, {a, b}};
    (void)core;
    test_gradients(binary_sum, &c, c.leaf, 2);
    RELEASE(a, b);
}

/* Both operands are broadcast: rows against a column, in sequence order. */
static void column_and_rows(rd_core *core, rd_binary op)
{
    binary_gradient(core, op, test_leaf(core, SHAPE(4, 3, 1), RD_SEQUENCE, 1),
                    test_leaf(core, SHAPE(3, 5), RD_DENSE, 2));
}

static void test_add_gradient(void **state)
{
    column_and_rows(*state, RD_ADD);
}
static void test_sub_gradient(void **state)
{
    column_and_rows(*state, RD_SUB);
}
static void test_mul_gradient(void **state)
{
    column_and_rows(*state, RD_MUL);
}
static void test_div_gradient(void **state)
{
    column_and_rows(*state, RD_DIV);
}
static void test_div_gradient_of_full_operands(void **state)
{
    binary_gradient(*state, RD_DIV, test_leaf(*state, SHAPE(4, 3), RD_DENSE, 1),
                    test_leaf(*state, SHAPE(4, 3), RD_SEQUENCE, 2));
}
static void test_mul_gradient_of_a_scalar(void **state)
{
    binary_gradient(*state, RD_MUL, test_leaf(*state, SHAPE(4, 3, 20), RD_SEQUENCE, 1),
                    test_leaf(*state, 0, NULL, RD_DENSE, 2));
}
static void test_div_gradient_of_ids_in_sequence_order(void **state)
{
    binary_gradient(*state, RD_DIV, test_leaf(*state, SHAPE(4, 3), RD_SEQUENCE, 1),
                    test_leaf(*state, SHAPE(4, 1), RD_DENSE, 2));
}

static rd_status where_sum(void *user, rd_tensor **out, rd_error *err)
{
    rd_tensor *const *const in = user;
    rd_tensor *y = NULL;
    const rd_status status = rd_where(in[2], in[0], in[1], &y, err);
    return status == RD_OK ? test_weighted_sum(y, out, err) : status;
}

static void test_where_gradient(void **state)
{
    rd_tensor *in[] = {test_leaf(*state, SHAPE(4, 3), RD_DENSE, 1),
                       test_leaf(*state, SHAPE(3), RD_DENSE, 2),
                       test_tensor(*state, SHAPE(4, 1), VALUES(1, 0, 0, 1))};
    test_gradients(where_sum, in, in, 2);
    RELEASE(in[0], in[1], in[2]);
}

/* Rules 5 and 6: one operation over a sequence and one per step, last step first, give a parameter's
 * gradient the same bits. */
static void test_broadcast_gradient_is_the_same_step_by_step(void **state)
{
    rd_error err;
    rd_core *const core = *state;
    rd_tensor *const x = test_leaf(core, SHAPE(3, 4, 19), RD_SEQUENCE, 1);
    rd_tensor *const whole = test_leaf(core, SHAPE(19), RD_DENSE, 2);
    rd_tensor *const steps = test_leaf(core, SHAPE(19), RD_DENSE, 2);
    rd_tensor *y = apply2(RD_MUL, x, whole), *loss = NULL, *seed = NULL, *step = NULL, *part = NULL;
    OK(rd_detach(x, &seed, &err));
    OK(rd_backward(y, seed, false, &err));
    for (size_t t = 4; t-- > 0;) {
        OK(rd_select(seed, 1, t, &step, &err));
        part = apply2(RD_MUL, step, steps);
        OK(rd_backward(part, step, false, &err));
        rd_tensor_release(part);
        rd_tensor_release(step);
    }
    rd_tensor *const same = apply2(RD_EQ, rd_grad(whole), rd_grad(steps));
    OK(rd_sum(same, RD_ALL, false, &loss, &err));
    test_expect(loss, 0, NULL, VALUES(19));
    RELEASE(loss, same, seed, y, steps, whole, x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binary_values),
        cmocka_unit_test(test_comparisons_give_one_or_zero),
        cmocka_unit_test(test_broadcast_row_and_column),
        cmocka_unit_test(test_broadcast_mismatch_names_both_shapes),
        cmocka_unit_test(test_result_takes_the_order_of_the_first_full_operand),
        cmocka_unit_test(test_where_chooses_and_broadcasts),
        cmocka_unit_test(test_strided_operands_give_the_same_bits),
        cmocka_unit_test(test_empty_tensors_are_fine),
        cmocka_unit_test(test_threads_do_not_show),
        cmocka_unit_test(test_broadcast_gradient_is_the_same_step_by_step),
        cmocka_unit_test(test_add_gradient),
        cmocka_unit_test(test_sub_gradient),
        cmocka_unit_test(test_mul_gradient),
        cmocka_unit_test(test_div_gradient),
        cmocka_unit_test(test_div_gradient_of_full_operands),
        cmocka_unit_test(test_mul_gradient_of_a_scalar),
        cmocka_unit_test(test_div_gradient_of_ids_in_sequence_order),
        cmocka_unit_test(test_where_gradient),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
