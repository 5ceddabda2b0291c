/* test_tensor.c - shapes, strides, storage orders, walks, elements, in-place writes.
 * SPDX-License-Identifier: MIT */
#include "base/tensor.h"
#include "support/tensors.h"

#include <string.h>

static void test_tensor_dense_strides(void **state)
{
    rd_error err;
    rd_tensor *t = NULL;
    OK(rd_tensor_new(*state, SHAPE(2, 3, 4), RD_DENSE, &t, &err));
    const size_t want[] = {12, 4, 1};
    assert_memory_equal(rd_tensor_strides(t), want, sizeof(want));
    assert_int_equal(rd_tensor_numel(t), 24);
    assert_int_equal(rd_tensor_bytes(t), 24 * sizeof(rd_real));
    assert_int_equal(rdc_order(t), RD_DENSE);
    assert_true(rdc_is_packed(t));
    RELEASE(t);
}

static void test_tensor_sequence_lies_time_major(void **state)
{
    rd_error err;
    rd_tensor *t = NULL;
    OK(rd_tensor_new(*state, SHAPE(2, 3, 4), RD_SEQUENCE, &t, &err));
    const size_t want[] = {4, 8, 1};
    assert_memory_equal(rd_tensor_strides(t), want, sizeof(want));
    assert_int_equal(rdc_order(t), RD_SEQUENCE);
    assert_true(rdc_is_packed(t));
    RELEASE(t);
}

static void test_tensor_refuses_impossible_shapes(void **state)
{
    rd_error err;
    rd_tensor *t = NULL;
    const size_t nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    test_fails(rd_tensor_new(*state, 9, nine, RD_DENSE, &t, &err), &err,
               "a tensor has at most 8 dimensions, got 9");
    test_fails(rd_tensor_new(*state, SHAPE(SIZE_MAX, 3), RD_DENSE, &t, &err), &err,
               "a tensor of this shape is larger than memory can be");
    test_fails(rd_tensor_new(*state, SHAPE(SIZE_MAX / 2), RD_DENSE, &t, &err), &err,
               "a tensor of this shape is larger than memory can be");
    test_fails(rd_tensor_new(*state, SHAPE(SIZE_MAX / 2 / sizeof(rd_real) + 1), RD_DENSE, &t, &err),
               &err, "a tensor of this shape is larger than memory can be");
    assert_null(t);
}

static void test_tensor_read_and_write_are_logical(void **state)
{
    rd_error err;
    rd_tensor *const t = test_sequence(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    double value = 0;
    assert_true(rd_tensor_at(t)[1] == 4);
    OK(rd_tensor_get(t, (size_t[]){1, 2}, &value, &err));
    assert_true(value == 6);
    OK(rd_tensor_set(t, (size_t[]){0, 1}, -2, &err));
    test_expect(t, SHAPE(2, 3), VALUES(1, -2, 3, 4, 5, 6));
    RELEASE(t);
}

static void test_tensor_position_outside_is_named(void **state)
{
    rd_error err;
    rd_tensor *const t = test_tensor(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    double value = 0;
    test_fails(rd_tensor_get(t, (size_t[]){1, 3}, &value, &err), &err,
               "position 4 of dimension 2 must be 1..3");
    test_fails(rd_tensor_set(t, (size_t[]){2, 0}, 1, &err), &err,
               "position 3 of dimension 1 must be 1..2");
    RELEASE(t);
}

static void test_tensor_rows_of_both_orders(void **state)
{
    rd_error err;
    size_t rows = 0, width = 0, row = 0;
    rd_tensor *const t = test_leaf(*state, SHAPE(2, 3, 4), RD_SEQUENCE, 1);
    rd_tensor *part = NULL, *turned = NULL;
    assert_true(rdc_as_rows(t, &rows, &width, &row));
    assert_true(rows == 6 && width == 4 && row == 4);
    OK(rd_slice(t, 2, 1, 2, &part, &err));
    assert_true(rdc_as_rows(part, &rows, &width, &row));
    assert_true(rows == 6 && width == 2 && row == 4);
    OK(rd_transpose(t, 1, 2, &turned, &err));
    assert_false(rdc_as_rows(turned, &rows, &width, &row));
    RELEASE(t, part, turned);
}

/* A part of each step leaves gaps between steps, a scalar has no rows, and those of a broadcast are one. */
static void test_tensor_without_rows(void **state)
{
    rd_error err;
    size_t rows, width, row;
    rd_tensor *const t = test_leaf(*state, SHAPE(2, 3, 4), RD_DENSE, 1);
    rd_tensor *part = NULL, *scalar = NULL, *spread = NULL;
    OK(rd_slice(t, 1, 0, 2, &part, &err));
    assert_false(rdc_as_rows(part, &rows, &width, &row));
    OK(rd_scalar(*state, 1, &scalar, &err));
    assert_false(rdc_as_rows(scalar, &rows, &width, &row));
    OK(rdc_tensor_over(*state, t->block, t->at, SHAPE(5, 4), (size_t[]){0, 1}, &spread, &err));
    assert_false(rdc_as_rows(spread, &rows, &width, &row));
    RELEASE(t, part, scalar, spread);
}

static void test_tensor_layouts_are_compared_where_it_matters(void **state)
{
    rd_error err;
    rd_tensor *const dense = test_leaf(*state, SHAPE(2, 3), RD_DENSE, 1);
    rd_tensor *const sequence = test_leaf(*state, SHAPE(2, 3), RD_SEQUENCE, 1);
    rd_tensor *const other = test_leaf(*state, SHAPE(3, 2), RD_DENSE, 1);
    rd_tensor *const row = test_leaf(*state, SHAPE(1, 3), RD_DENSE, 1), *first = NULL;
    OK(rd_slice(sequence, 0, 0, 1, &first, &err));
    assert_true(rdc_same_layout(dense, dense));
    assert_false(rdc_same_layout(dense, sequence));
    assert_false(rdc_same_layout(dense, other));
    assert_false(rdc_same_layout(row, first)); /* its steps are two apart */
    RELEASE(dense, sequence, other, row, first);
}

static void test_tensor_packed_keeps_what_is_packed(void **state)
{
    rd_error err;
    rd_tensor *const t = test_leaf(*state, SHAPE(2, 3), RD_DENSE, 1);
    rd_tensor *same = NULL, *part = NULL, *copy = NULL;
    OK(rdc_tensor_packed(t, &same, &err));
    assert_ptr_equal(same, t);
    OK(rd_slice(t, 1, 0, 2, &part, &err));
    OK(rdc_tensor_packed(part, &copy, &err));
    assert_true(rdc_is_packed(copy) && copy->block != t->block);
    test_same(copy, part);
    RELEASE(t, same, part, copy);
}

static void test_tensor_shape_text(void **state)
{
    char text[128];
    rd_tensor *const t = test_leaf(*state, SHAPE(2, 30), RD_DENSE, 1);
    assert_string_equal(rdc_shape_text(t, text), "(2, 30)");
    RELEASE(t);
}

static void test_tensor_shape_text_is_cut_to_its_room(void **state)
{
    char text[128];
    rd_error err;
    rd_tensor *t = NULL;
    const size_t shape[RD_MAX_DIMS] = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX,
                                       SIZE_MAX, SIZE_MAX, SIZE_MAX, 0};
    OK(rd_tensor_new(*state, RD_MAX_DIMS, shape, RD_DENSE, &t, &err));
    assert_int_equal(strlen(rdc_shape_text(t, text)), 127);
    assert_memory_equal(text, "(18446744073709551615, 18446744073709551615, ", 45);
    RELEASE(t);
}

/* ---- walks ------------------------------------------------------------------------------------------ */

static void test_walk_of_equal_layouts_is_one_loop(void **state)
{
    rdc_walk w;
    const size_t shape[] = {2, 3, 4}, stride[] = {4, 8, 1};
    const size_t *const strides[] = {stride, stride};
    (void)state;
    rdc_walk_make(&w, 3, shape, 2, strides);
    assert_int_equal(w.ndim, 1);
    assert_int_equal(w.shape[0], 24);
    assert_int_equal(w.stride[1][0], 1);
}

static void test_walk_follows_the_first_operand(void **state)
{
    rdc_walk w;
    const size_t shape[] = {2, 3, 4}, sequence[] = {4, 8, 1}, dense[] = {12, 4, 1};
    const size_t *const strides[] = {sequence, dense};
    size_t index[RD_MAX_DIMS] = {0}, offset[2] = {0};
    (void)state;
    rdc_walk_make(&w, 3, shape, 2, strides);
    assert_int_equal(w.ndim, 3);
    assert_true(rdc_walk_next(&w, 2, index, offset)); /* row 1 of step 0 */
    assert_true(offset[0] == 4 && offset[1] == 12);
    assert_true(rdc_walk_next(&w, 2, index, offset)); /* row 0 of step 1 */
    assert_true(offset[0] == 8 && offset[1] == 4);
}

static void test_walk_merges_broadcast_dimensions(void **state)
{
    rdc_walk w;
    const size_t shape[] = {2, 3, 4}, dense[] = {12, 4, 1}, row[] = {0, 0, 1};
    const size_t *const strides[] = {dense, row};
    (void)state;
    rdc_walk_make(&w, 3, shape, 2, strides);
    assert_int_equal(w.ndim, 2);
    assert_true(w.shape[0] == 6 && w.shape[1] == 4);
    assert_true(w.stride[1][0] == 0 && w.stride[1][1] == 1);
}

static void test_walk_visits_every_row_once(void **state)
{
    rdc_walk w;
    const size_t shape[] = {3, 1, 5, 2}, stride[] = {100, 7, 10, 3};
    const size_t *const strides[] = {stride};
    size_t index[RD_MAX_DIMS] = {0}, offset = 0, rows = 1;
    (void)state;
    rdc_walk_make(&w, 4, shape, 1, strides);
    while (rdc_walk_next(&w, 1, index, &offset)) rows++;
    assert_int_equal(rows, 15);
    assert_int_equal(offset, 0);
}

/* ---- writes ----------------------------------------------------------------------------------------- */

static void test_fill_reaches_a_strided_view_only(void **state)
{
    rd_error err;
    rd_tensor *const t = test_tensor(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    rd_tensor *column = NULL;
    OK(rd_select(t, 1, 1, &column, &err));
    OK(rd_fill(column, 9, &err));
    test_expect(t, SHAPE(2, 3), VALUES(1, 9, 3, 4, 9, 6));
    RELEASE(t, column);
}

static void test_fill_reaches_every_row_of_a_view(void **state)
{
    rd_error err;
    rd_tensor *const t = test_tensor(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    rd_tensor *part = NULL, *nothing = NULL;
    OK(rd_slice(t, 1, 1, 2, &part, &err));
    OK(rd_fill(part, 9, &err));
    test_expect(t, SHAPE(2, 3), VALUES(1, 9, 9, 4, 9, 9));
    OK(rd_slice(t, 1, 1, 0, &nothing, &err));
    OK(rd_fill(nothing, 7, &err));
    test_expect(t, SHAPE(2, 3), VALUES(1, 9, 9, 4, 9, 9));
    RELEASE(t, part, nothing);
}

static void test_results_of_a_graph_are_not_written(void **state)
{
    static const char why[] = "a result that is part of a graph cannot be written in place; "
                              "use detach() or clone() first";
    rd_error err;
    const rd_real values[] = {1, 2};
    rd_tensor *const t = test_leaf(*state, SHAPE(2), RD_DENSE, 1);
    rd_tensor *y = NULL;
    OK(rd_apply1(RD_NEG, t, &y, &err));
    test_fails(rd_fill(y, 1, &err), &err, why);
    test_fails(rd_tensor_write(y, values, &err), &err, why);
    test_fails(rd_tensor_set(y, (size_t[]){0}, 1, &err), &err, why);
    test_fails(rd_copy(y, t, &err), &err, why);
    RELEASE(t, y);
}

static void test_leaves_that_want_a_gradient_are_written_in_no_grad_alone(void **state)
{
    rd_error err;
    rd_tensor *const t = test_leaf(*state, SHAPE(2), RD_DENSE, 1);
    test_fails(rd_fill(t, 1, &err), &err,
               "a tensor that requires a gradient can be written in place only inside no_grad");
    rd_set_grad_mode(*state, false);
    OK(rd_fill(t, 1, &err));
    rd_set_grad_mode(*state, true);
    test_expect(t, SHAPE(2), VALUES(1, 1));
    RELEASE(t);
}

static void test_copy_broadcasts_and_changes_order(void **state)
{
    rd_error err;
    rd_tensor *const t = test_sequence(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    rd_tensor *const row = test_tensor(*state, SHAPE(3), VALUES(7, 8, 9));
    rd_tensor *const all = test_tensor(*state, SHAPE(2, 3), VALUES(6, 5, 4, 3, 2, 1));
    OK(rd_copy(t, row, &err));
    test_expect(t, SHAPE(2, 3), VALUES(7, 8, 9, 7, 8, 9));
    OK(rd_copy(t, all, &err));
    test_same(t, all);
    test_fails(rd_copy(row, t, &err), &err, "copy: shape (2, 3) does not broadcast to (3)");
    RELEASE(t, row, all);
}

static void test_copy_between_overlapping_views(void **state)
{
    rd_error err;
    rd_tensor *const t = test_tensor(*state, SHAPE(2, 2), VALUES(1, 2, 3, 4));
    rd_tensor *turned = NULL;
    OK(rd_transpose(t, 0, 1, &turned, &err));
    OK(rd_copy(t, turned, &err));
    test_expect(t, SHAPE(2, 2), VALUES(1, 3, 2, 4));
    RELEASE(t, turned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensor_dense_strides),
        cmocka_unit_test(test_tensor_sequence_lies_time_major),
        cmocka_unit_test(test_tensor_refuses_impossible_shapes),
        cmocka_unit_test(test_tensor_read_and_write_are_logical),
        cmocka_unit_test(test_tensor_position_outside_is_named),
        cmocka_unit_test(test_tensor_rows_of_both_orders),
        cmocka_unit_test(test_tensor_without_rows),
        cmocka_unit_test(test_tensor_layouts_are_compared_where_it_matters),
        cmocka_unit_test(test_tensor_packed_keeps_what_is_packed),
        cmocka_unit_test(test_tensor_shape_text),
        cmocka_unit_test(test_tensor_shape_text_is_cut_to_its_room),
        cmocka_unit_test(test_walk_of_equal_layouts_is_one_loop),
        cmocka_unit_test(test_walk_follows_the_first_operand),
        cmocka_unit_test(test_walk_merges_broadcast_dimensions),
        cmocka_unit_test(test_walk_visits_every_row_once),
        cmocka_unit_test(test_fill_reaches_a_strided_view_only),
        cmocka_unit_test(test_fill_reaches_every_row_of_a_view),
        cmocka_unit_test(test_results_of_a_graph_are_not_written),
        cmocka_unit_test(test_leaves_that_want_a_gradient_are_written_in_no_grad_alone),
        cmocka_unit_test(test_copy_broadcasts_and_changes_order),
        cmocka_unit_test(test_copy_between_overlapping_views),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
