/* test_ops_shape.c - views and rearrangements: values, shared memory, ids, gradients.
 * SPDX-License-Identifier: MIT */
#include "core.h"
#include "base/tensor.h"
#include "support/tensors.h"

/* 1 .. 24 in shape (2, 3, 4). */
static rd_tensor *counted(rd_core *core, rd_order order)
{
    double values[24];
    for (int i = 0; i < 24; i++) values[i] = i + 1;
    return order == RD_DENSE ? test_tensor(core, SHAPE(2, 3, 4), values)
                             : test_sequence(core, SHAPE(2, 3, 4), values);
}

static bool shares_memory(const rd_tensor *a, const rd_tensor *b)
{
    return a->block == b->block;
}

static void test_slice_is_a_view(void **state)
{
    rd_error err;
    rd_tensor *const x = counted(*state, RD_SEQUENCE);
    rd_tensor *y = NULL;
    OK(rd_slice(x, 1, 1, 2, &y, &err));
    test_expect(y, SHAPE(2, 2, 4),
                VALUES(5, 6, 7, 8, 9, 10, 11, 12, 17, 18, 19, 20, 21, 22, 23, 24));
    assert_true(shares_memory(x, y));
    RELEASE(x, y);
}

static void test_select_along_time_is_one_adjacent_step(void **state)
{
    rd_error err;
    rd_tensor *const x = counted(*state, RD_SEQUENCE);
    rd_tensor *y = NULL;
    OK(rd_select(x, 1, 2, &y, &err));
    test_expect(y, SHAPE(2, 4), VALUES(9, 10, 11, 12, 21, 22, 23, 24));
    assert_true(shares_memory(x, y) && rdc_is_packed(y));
    RELEASE(x, y);
}

static void test_transpose_is_a_view(void **state)
{
    rd_error err;
    rd_tensor *const x = counted(*state, RD_SEQUENCE);
    rd_tensor *y = NULL;
    OK(rd_transpose(x, 0, 1, &y, &err));
    test_expect(y, SHAPE(3, 2, 4),
                VALUES(1, 2, 3, 4, 13, 14, 15, 16, 5, 6, 7, 8, 17, 18, 19, 20, 9, 10, 11, 12, 21,
                       22, 23, 24));
    assert_true(shares_memory(x, y) && rdc_order(y) == RD_DENSE && rdc_is_packed(y));
    RELEASE(x, y);
}

static void test_reshape_views_where_strides_allow(void **state)
{
    rd_error err;
    rd_tensor *const x = counted(*state, RD_SEQUENCE);
    rd_tensor *y = NULL;
    OK(rd_reshape(x, SHAPE(2, 1, 3, 2, 2, 1), &y, &err));
    test_expect_near(y,
                     VALUES(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                            21, 22, 23, 24),
                     0);
    assert_true(shares_memory(x, y));
    RELEASE(x, y);
}

static void test_reshape_copies_where_it_must(void **state)
{
    rd_error err;
    rd_tensor *const x = counted(*state, RD_SEQUENCE);
    rd_tensor *y = NULL;
    OK(rd_reshape(x, SHAPE(6, 4), &y, &err));
    test_expect(y, SHAPE(6, 4),
                VALUES(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                       22, 23, 24));
    assert_false(shares_memory(x, y));
    RELEASE(x, y);
}

static void test_reshape_of_one_element_and_of_none(void **state)
{
    rd_error err;
    rd_tensor *const one = test_tensor(*state, SHAPE(1, 1), VALUES(5));
    rd_tensor *const none = test_tensor(*state, SHAPE(0, 3), VALUES(5));
    rd_tensor *a = NULL, *b = NULL, *c = NULL;
    OK(rd_reshape(one, 0, NULL, &a, &err));
    OK(rd_reshape(a, SHAPE(1, 1, 1), &b, &err));
    OK(rd_reshape(none, SHAPE(7, 0), &c, &err));
    test_expect(a, 0, NULL, VALUES(5));
    test_expect(b, SHAPE(1, 1, 1), VALUES(5));
    test_expect(c, SHAPE(7, 0), VALUES(0));
    RELEASE(one, none, a, b, c);
}

static void test_contiguous_changes_the_storage_order(void **state)
{
    rd_error err;
    rd_tensor *const x = counted(*state, RD_DENSE);
    rd_tensor *y = NULL, *same = NULL;
    OK(rd_contiguous(x, RD_SEQUENCE, &y, &err));
    OK(rd_contiguous(y, RD_SEQUENCE, &same, &err));
    assert_ptr_equal(same, y);
    assert_int_equal(rdc_order(y), RD_SEQUENCE);
    assert_true(rd_tensor_at(y)[4] == 13); /* step 0 of row 1 follows step 0 of row 0 */
    RELEASE(x, y, same);
}

static void test_concat_joins_along_a_dimension(void **state)
{
    rd_error err;
    rd_tensor *const a = test_tensor(*state, SHAPE(2, 1), VALUES(1, 2));
    rd_tensor *const b = test_tensor(*state, SHAPE(2, 2), VALUES(3, 4, 5, 6));
    rd_tensor *y = NULL;
    OK(rd_concat((rd_tensor *[]){a, b, a}, 3, 1, &y, &err));
    test_expect(y, SHAPE(2, 4), VALUES(1, 3, 4, 1, 2, 5, 6, 2));
    RELEASE(a, b, y);
}

static void test_gather_picks_by_id_and_zero_is_absent(void **state)
{
    rd_error err;
    rd_tensor *const x = test_tensor(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    rd_tensor *const ids = test_sequence(*state, SHAPE(2, 2), VALUES(3, 0, 1, 1));
    rd_tensor *y = NULL;
    OK(rd_gather(x, 1, ids, &y, &err));
    test_expect(y, SHAPE(2, 2), VALUES(3, 0, 4, 4));
    assert_int_equal(rdc_order(y), RD_SEQUENCE);
    RELEASE(x, ids, y);
}

static void test_views_of_one_hot_keep_their_ids(void **state)
{
    rd_error err;
    rd_tensor *const ids = test_sequence(*state, SHAPE(2, 3), VALUES(1, 2, 0, 4, 1, 3));
    rd_tensor *x = NULL, *step = NULL, *row = NULL, *cut = NULL, *dense = NULL;
    OK(rd_one_hot(ids, 4, &x, &err));
    OK(rd_contiguous(x, RD_DENSE, &dense, &err));
    OK(rd_select(x, 1, 1, &step, &err));
    OK(rd_slice(x, 0, 1, 1, &row, &err));
    OK(rd_slice(x, 2, 0, 2, &cut, &err));
    test_expect(rdc_one_hot_ids(step), SHAPE(2), VALUES(2, 1));
    test_expect(rdc_one_hot_ids(row), SHAPE(1, 3), VALUES(4, 1, 3));
    assert_true(rdc_is_packed(rdc_one_hot_ids(row)));
    assert_null(rdc_one_hot_ids(cut));
    assert_int_equal(rdc_order(rdc_one_hot_ids(dense)), RD_DENSE);
    test_same(rdc_one_hot_ids(dense), ids);
    RELEASE(ids, x, step, row, cut, dense);
}

/* ---- refusals --------------------------------------------------------------------------------------- */

static void test_views_refuse_what_is_not_there(void **state)
{
    rd_error err;
    rd_tensor *const x = counted(*state, RD_DENSE);
    rd_tensor *y = NULL;
    test_fails(rd_slice(x, 1, 2, 2, &y, &err), &err,
               "slice: dimension 2 has 3 positions; 2 of them from position 3 on are not there");
    test_fails(rd_select(x, 0, 2, &y, &err), &err,
               "select: position in dimension 1 must be 1..2, got 3");
    test_fails(rd_transpose(x, 0, 3, &y, &err), &err,
               "transpose: a tensor of shape (2, 3, 4) has no dimension 4");
    test_fails(rd_reshape(x, SHAPE(5, 5), &y, &err), &err,
               "reshape: shape (2, 3, 4) has 24 elements, the new one has 25");
    test_fails(rd_reshape(x, 9, (size_t[9]){0}, &y, &err), &err,
               "reshape: a tensor has at most 8 dimensions, got 9");
    RELEASE(x);
}

static void test_concat_refuses_shapes_that_differ(void **state)
{
    rd_error err;
    rd_tensor *const a = test_tensor(*state, SHAPE(2, 1), VALUES(1, 2));
    rd_tensor *const b = test_tensor(*state, SHAPE(1, 2), VALUES(1, 2));
    rd_tensor *y = NULL;
    test_fails(rd_concat((rd_tensor *[]){a, b}, 2, 1, &y, &err), &err,
               "concat: shapes must be equal but in dimension 2, got (2, 1) and (1, 2)");
    test_fails(rd_concat(NULL, 0, 1, &y, &err), &err, "concat: at least one tensor is needed");
    RELEASE(a, b);
}

static void test_gather_refuses_foreign_ids(void **state)
{
    rd_error err;
    rd_tensor *const x = test_tensor(*state, SHAPE(1, 3), VALUES(1, 2, 3));
    rd_tensor *const high = test_tensor(*state, SHAPE(1, 1), VALUES(4));
    rd_tensor *const half = test_tensor(*state, SHAPE(1, 1), VALUES(1.5));
    rd_tensor *const flat = test_tensor(*state, SHAPE(1), VALUES(1));
    rd_tensor *y = NULL, *none = NULL, *no_ids = NULL;
    OK(rd_tensor_new(*state, 2, (size_t[]){0, (1 << 24) + 1}, RD_DENSE, &none, &err));
    OK(rd_tensor_new(*state, 2, (size_t[]){0, 1}, RD_DENSE, &no_ids, &err));
    test_fails(rd_gather(none, 1, no_ids, &y, &err), &err,
               "gather: at most 16777216 places can be told apart, got 16777217");
    test_fails(rd_gather(x, 1, high, &y, &err), &err,
               "gather: ids must be whole numbers 0..3, got 4");
    test_fails(rd_gather(x, 1, half, &y, &err), &err,
               "gather: ids must be whole numbers 0..3, got 1.5");
    test_fails(rd_gather(x, 1, flat, &y, &err), &err,
               "gather: shapes must be equal but in dimension 2, got (1, 3) and ids (1)");
    RELEASE(x, high, half, flat, none, no_ids);
}

/* ---- gradients -------------------------------------------------------------------------------------- */

/* What is done to x, with a tanh before it, so that the gradient lands in an inner tensor too. */
typedef rd_status (*shape_fn)(rd_tensor *x, rd_tensor **out, rd_error *err);
struct shape_case {
    shape_fn fn;
    rd_tensor *x;
};

static rd_status shaped_sum(void *user, rd_tensor **out, rd_error *err)
{
    const struct shape_case *const c = user;
    rd_tensor *h = NULL, *a = NULL, *b = NULL, *y = NULL;
    rd_status status = rd_apply1(RD_TANH, c->x, &h, err);
    if (status == RD_OK) status = c->fn(h, &a, err);
    if (status == RD_OK) status = c->fn(c->x, &b, err);
    if (status == RD_OK) status = rd_apply2(RD_MUL, a, b, &y, err);
    RELEASE(h, a, b);
    return status == RD_OK ? test_weighted_sum(y, out, err) : status;
}

static void shape_gradient(rd_core *core, shape_fn fn)
{
    struct shape_case c = {fn, test_leaf(core, SHAPE(3, 4, 6), RD_SEQUENCE, 1)};
    test_gradients(shaped_sum, &c, &c.x, 1);
    RELEASE(c.x);
}

static rd_status slice(rd_tensor *x, rd_tensor **out, rd_error *err)
{
    return rd_slice(x, 2, 1, 3, out, err);
}
static rd_status pick(rd_tensor *x, rd_tensor **out, rd_error *err)
{
    return rd_select(x, 1, 2, out, err);
}
static rd_status turn(rd_tensor *x, rd_tensor **out, rd_error *err)
{
    return rd_transpose(x, 1, 2, out, err);
}
static rd_status view(rd_tensor *x, rd_tensor **out, rd_error *err)
{
    return rd_reshape(x, SHAPE(3, 4, 2, 3), out, err);
}
static rd_status flatten(rd_tensor *x, rd_tensor **out, rd_error *err)
{
    return rd_reshape(x, SHAPE(12, 6), out, err);
}
static rd_status pack(rd_tensor *x, rd_tensor **out, rd_error *err)
{
    return rd_contiguous(x, RD_DENSE, out, err);
}
/* The same memory in the other order has its gradient in sequence order. */
static rd_status flatten_dense(rd_tensor *x, rd_tensor **out, rd_error *err)
{
    rd_tensor *dense = NULL, *flat = NULL;
    rd_status status = rd_contiguous(x, RD_DENSE, &dense, err);
    if (status == RD_OK) status = rd_transpose(dense, 0, 1, &flat, err);
    rd_tensor_release(dense);
    if (status == RD_OK) status = rd_reshape(flat, SHAPE(4, 3, 2, 3), out, err);
    rd_tensor_release(flat);
    return status;
}
static rd_status join(rd_tensor *x, rd_tensor **out, rd_error *err)
{
    rd_tensor *part = NULL;
    rd_status status = rd_slice(x, 1, 1, 2, &part, err);
    if (status == RD_OK) status = rd_concat((rd_tensor *[]){x, part, x}, 3, 1, out, err);
    rd_tensor_release(part);
    return status;
}
static rd_status gather(rd_tensor *x, rd_tensor **out, rd_error *err)
{
    rd_tensor *ids = NULL;
    rd_status status = rd_tensor_new(rd_tensor_core(x), SHAPE(3, 5, 6), RD_SEQUENCE, &ids, err);
    if (status == RD_OK) status = rd_fill(ids, 2, err);
    if (status == RD_OK) status = rd_tensor_set(ids, (size_t[]){1, 2, 3}, 0, err);
    if (status == RD_OK) status = rd_tensor_set(ids, (size_t[]){2, 4, 5}, 4, err);
    if (status == RD_OK) status = rd_gather(x, 1, ids, out, err);
    rd_tensor_release(ids);
    return status;
}

static void test_slice_gradient(void **state)
{
    shape_gradient(*state, slice);
}
static void test_select_gradient(void **state)
{
    shape_gradient(*state, pick);
}
static void test_transpose_gradient(void **state)
{
    shape_gradient(*state, turn);
}
static void test_reshape_gradient_of_a_view(void **state)
{
    shape_gradient(*state, view);
}
static void test_reshape_gradient_of_a_copy(void **state)
{
    shape_gradient(*state, flatten);
}
static void test_reshape_gradient_of_a_sequence(void **state)
{
    shape_gradient(*state, flatten_dense);
}
static void test_contiguous_gradient(void **state)
{
    shape_gradient(*state, pack);
}
static void test_concat_gradient(void **state)
{
    shape_gradient(*state, join);
}
static void test_gather_gradient(void **state)
{
    shape_gradient(*state, gather);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slice_is_a_view),
        cmocka_unit_test(test_select_along_time_is_one_adjacent_step),
        cmocka_unit_test(test_transpose_is_a_view),
        cmocka_unit_test(test_reshape_views_where_strides_allow),
        cmocka_unit_test(test_reshape_copies_where_it_must),
        cmocka_unit_test(test_reshape_of_one_element_and_of_none),
        cmocka_unit_test(test_contiguous_changes_the_storage_order),
        cmocka_unit_test(test_concat_joins_along_a_dimension),
        cmocka_unit_test(test_gather_picks_by_id_and_zero_is_absent),
        cmocka_unit_test(test_views_of_one_hot_keep_their_ids),
        cmocka_unit_test(test_views_refuse_what_is_not_there),
        cmocka_unit_test(test_concat_refuses_shapes_that_differ),
        cmocka_unit_test(test_gather_refuses_foreign_ids),
        cmocka_unit_test(test_slice_gradient),
        cmocka_unit_test(test_select_gradient),
        cmocka_unit_test(test_transpose_gradient),
        cmocka_unit_test(test_reshape_gradient_of_a_view),
        cmocka_unit_test(test_reshape_gradient_of_a_copy),
        cmocka_unit_test(test_reshape_gradient_of_a_sequence),
        cmocka_unit_test(test_contiguous_gradient),
        cmocka_unit_test(test_concat_gradient),
        cmocka_unit_test(test_gather_gradient),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
