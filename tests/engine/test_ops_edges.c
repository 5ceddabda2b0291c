/* test_ops_edges.c - operations at their edges: empty tensors, turned operands, what is not there.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

#include <math.h>
#include <stdio.h>

#define NEAR (sizeof(rd_real) == sizeof(double) ? 1e-13 : 3e-6)

static rd_tensor *turned(rd_tensor *x)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_transpose(x, 0, 1, &y, &err));
    return y;
}

/* ---- gradients with values ---- */

static void test_a_difference_takes_its_second_gradient_with_the_other_sign(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *a = test_leaf_of(*state, SHAPE(2), VALUES(1, 2));
    rd_tensor *b = test_leaf_of(*state, SHAPE(2), VALUES(5, 7));
    OK(rd_apply2(RD_SUB, a, b, &y, &err));
    test_play(y, test_tensor(*state, SHAPE(2), VALUES(3, 4)));
    test_expect(rd_grad(a), SHAPE(2), VALUES(3, 4));
    test_expect(rd_grad(b), SHAPE(2), VALUES(-3, -4));
    RELEASE(a, b);
}

static void test_a_mean_along_a_dimension_spreads_its_gradient(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *x = test_leaf_of(*state, SHAPE(2, 2, 2), VALUES(1, 2, 3, 4, 5, 6, 7, 8));
    OK(rd_mean(x, 1, false, &y, &err));
    test_expect(y, SHAPE(2, 2), VALUES(2, 3, 6, 7));
    test_play(y, test_tensor(*state, SHAPE(2, 2), VALUES(2, 4, 6, 8)));
    test_expect(rd_grad(x), SHAPE(2, 2, 2), VALUES(1, 2, 1, 2, 3, 4, 3, 4));
    RELEASE(x);
}

static void test_a_gather_gives_gradients_back_where_it_took_them(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *x = test_leaf_of(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    rd_tensor *ids = test_tensor(*state, SHAPE(2, 2), VALUES(3, 3, 0, 1));
    OK(rd_gather(x, 1, ids, &y, &err));
    test_expect(y, SHAPE(2, 2), VALUES(3, 3, 0, 4));
    test_play(y, test_tensor(*state, SHAPE(2, 2), VALUES(1, 10, 100, 1000)));
    test_expect(rd_grad(x), SHAPE(2, 3), VALUES(0, 0, 11, 1000, 0, 0));
    RELEASE(x, ids);
}

/* The copy is dense, its gradient lies in sequence order. */
static void test_a_reshape_by_copy_gives_gradients_back_in_any_order(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *z = NULL,
              *flat = test_leaf_of(*state, SHAPE(3, 2, 2),
                                   VALUES(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    rd_tensor *x = turned(flat), *seed = NULL;
    OK(rd_reshape(x, SHAPE(3, 2, 2), &y, &err));
    test_expect(y, SHAPE(3, 2, 2), VALUES(0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11));
    seed = test_sequence(*state, SHAPE(3, 2, 2), VALUES(0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11));
    OK(rd_contiguous(y, RD_SEQUENCE, &z, &err));
    test_play(z, seed);
    test_expect(rd_grad(flat), SHAPE(3, 2, 2), VALUES(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    RELEASE(flat, x, y);
}

static void test_layer_norm_without_gain_and_bias(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *x = test_leaf_of(*state, SHAPE(1, 2), VALUES(1, 3));
    OK(rd_layer_norm(x, NULL, NULL, 0, &y, &err)); /* mean 2, deviation 1 */
    test_expect_near(y, VALUES(-1, 1), NEAR);
    test_play(y, test_tensor(*state, SHAPE(1, 2), VALUES(1, 5)));
    test_expect_near(rd_grad(x), VALUES(0, 0), NEAR); /* of two numbers only the sign is left */
    RELEASE(x);
}

static void test_a_wide_layer_norm_without_gain_is_the_formula(void **state)
{
    enum { N = 37 };
    rd_error err;
    rd_real x[N];
    double expected[N], mean = 0, square = 0;
    rd_tensor *y = NULL, *t = test_leaf(*state, SHAPE(1, N), RD_DENSE, 9);
    rd_tensor_read(t, x);
    for (int j = 0; j < N; j++) mean += (double)x[j] / N;
    for (int j = 0; j < N; j++) square += ((double)x[j] - mean) * ((double)x[j] - mean) / N;
    for (int j = 0; j < N; j++) expected[j] = ((double)x[j] - mean) / sqrt(square + 1e-5);
    OK(rd_layer_norm(t, NULL, NULL, 1e-5, &y, &err));
    test_expect_near(y, expected, NEAR);
    rd_tensor *sum = NULL;
    OK(rd_sum(y, RD_ALL, false, &sum, &err));
    OK(rd_backward(sum, NULL, false, &err)); /* the sum is 0 whatever x is */
    assert_true(rd_norm(rd_grad(t)) < 1e-4);
    RELEASE(y, sum, t);
}

/* ---- nothing in it ---- */

static void test_rows_of_empty_tensors(void **state)
{
    rd_error err;
    rd_tensor *rows = test_leaf_of(*state, SHAPE(0, 3), NULL),
              *flat = test_leaf_of(*state, SHAPE(2, 0), NULL);
    rd_tensor *w = test_leaf_of(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6)), *y = NULL,
              *z = NULL;
    OK(rd_softmax(rows, 1, false, &y, &err));
    assert_int_equal(rd_tensor_numel(y), 0);
    RELEASE(y);
    OK(rd_softmax(flat, 1, true, &y, &err));
    assert_int_equal(rd_tensor_numel(y), 0);
    RELEASE(y);
    OK(rd_linear(rows, w, NULL, &y, &err));
    test_expect(y, SHAPE(0, 2), NULL);
    OK(rd_sum(y, RD_ALL, false, &z, &err));
    OK(rd_backward(z, NULL, false, &err));
    test_expect(rd_grad(w), SHAPE(2, 3), VALUES(0, 0, 0, 0, 0, 0));
    assert_true(rd_norm(rows) == 0 && rd_all_finite(rows));
    RELEASE(rows, flat, w, y, z);
}

static void test_a_gather_and_a_sum_of_nothing(void **state)
{
    rd_error err;
    rd_tensor *x = test_leaf_of(*state, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6)), *y = NULL,
              *z = NULL;
    rd_tensor *none = test_tensor(*state, SHAPE(2, 0), NULL),
              *empty = test_leaf_of(*state, SHAPE(2, 0, 2), NULL);
    OK(rd_gather(x, 1, none, &y, &err));
    test_expect(y, SHAPE(2, 0), NULL);
    test_play(y, test_tensor(*state, SHAPE(2, 0), NULL));
    OK(rd_sum(empty, 1, false, &z, &err));
    test_expect(z, SHAPE(2, 2), VALUES(0, 0, 0, 0));
    test_play(z, test_tensor(*state, SHAPE(2, 2), VALUES(1, 1, 1, 1)));
    RELEASE(x, none, empty);
}

/* ---- what is not there ---- */

static void test_dimensions_that_are_not_there_are_named(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *x = test_tensor(*state, SHAPE(2), VALUES(1, 2));
    const char *rest = ": a tensor of shape (2) has no dimension 2";
    char sentence[64];
    snprintf(sentence, sizeof(sentence), "gather%s", rest);
    test_fails(rd_gather(x, 1, x, &y, &err), &err, sentence);
    snprintf(sentence, sizeof(sentence), "slice%s", rest);
    test_fails(rd_slice(x, 1, 0, 1, &y, &err), &err, sentence);
    snprintf(sentence, sizeof(sentence), "select%s", rest);
    test_fails(rd_select(x, 1, 0, &y, &err), &err, sentence);
    snprintf(sentence, sizeof(sentence), "transpose%s", rest);
    test_fails(rd_transpose(x, 1, 0, &y, &err), &err, sentence);
    test_fails(rd_transpose(x, 0, 1, &y, &err), &err, sentence);
    snprintf(sentence, sizeof(sentence), "concat%s", rest);
    test_fails(rd_concat(&x, 1, 1, &y, &err), &err, sentence);
    snprintf(sentence, sizeof(sentence), "argmax%s", rest);
    test_fails(rd_argmax(x, 1, false, &y, &err), &err, sentence);
    RELEASE(x);
}

static void test_positions_that_are_not_there_are_named(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *x = test_tensor(*state, SHAPE(2), VALUES(1, 2));
    test_fails(rd_slice(x, 0, 3, 0, &y, &err), &err,
               "slice: dimension 1 has 2 positions; 0 of them from position 4 on are not there");
    test_fails(
        rd_slice(x, 0, 1, SIZE_MAX, &y, &err), &err,
        "slice: dimension 1 has 2 positions; 18446744073709551615 of them from position 2 on "
        "are not there");
    test_fails(rd_concat(&x, 0, 0, &y, &err), &err, "concat: at least one tensor is needed");
    RELEASE(x);
}

static void test_ids_that_do_not_fit_a_gather_are_named(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *x = test_tensor(*state, SHAPE(2, 1), VALUES(1, 2));
    rd_tensor *flat = test_tensor(*state, SHAPE(2), VALUES(1, 1));
    rd_tensor *more = test_tensor(*state, SHAPE(3, 1), VALUES(1, 1, 1));
    rd_tensor *below = test_tensor(*state, SHAPE(2, 1), VALUES(1, -1));
    test_fails(rd_gather(x, 1, flat, &y, &err), &err,
               "gather: shapes must be equal but in dimension 2, got (2, 1) and ids (2)");
    test_fails(rd_gather(x, 1, more, &y, &err), &err,
               "gather: shapes must be equal but in dimension 2, got (2, 1) and ids (3, 1)");
    test_fails(rd_gather(x, 1, below, &y, &err), &err,
               "gather: ids must be whole numbers 0..1, got -1");
    RELEASE(x, flat, more, below);
}

/* Ids that lie in no order are looked at as they stand. */
static void test_a_bad_id_of_a_turned_tensor_is_named_with_its_place(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *flat = test_tensor(*state, SHAPE(2, 3, 1), VALUES(1, 2, 1, 2, 9, 1));
    rd_tensor *part = NULL, *w = test_tensor(*state, SHAPE(2, 1), VALUES(1, 2));
    OK(rd_slice(flat, 1, 0, 2, &part, &err));
    test_fails(rd_embedding(part, w, &y, &err), &err,
               "embedding: ids must be integers 0..2, got 9 at (2, 2, 1)");
    OK(rd_tensor_set(flat, (size_t[]){1, 1, 0}, 0, &err));
    OK(rd_embedding(part, w, &y, &err));
    test_expect(y, SHAPE(2, 2, 1, 1), VALUES(1, 2, 2, 0));
    RELEASE(y, flat, part, w);
}

/* ---- what is too much ---- */

static void test_more_than_memory_can_be_is_refused(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *one = test_tensor(*state, SHAPE(1), VALUES(1));
    rd_tensor *both[2] = {NULL, NULL};
    test_fails(rd_reshape(one, SHAPE(SIZE_MAX, 2, 3), &y, &err), &err,
               "reshape: the new shape has more elements than memory can address");
    OK(rd_tensor_new(*state, SHAPE(SIZE_MAX, 0), RD_DENSE, &both[0], &err));
    both[1] = both[0];
    test_fails(rd_concat(both, 2, 0, &y, &err), &err,
               "concat: the result is larger than memory can be");
    RELEASE(one, both[0]);
}

static void test_places_that_a_number_cannot_tell_apart_are_refused(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *x = NULL, *one = NULL;
    OK(rd_scalar(*state, 1, &one, &err));
    OK(rd_tensor_new(*state, SHAPE(((size_t)1 << 24) + 1, 1), RD_DENSE, &x, &err));
    test_fails(rd_argmax(x, RD_ALL, false, &y, &err), &err,
               "argmax: at most 16777216 elements can be told apart, got 16777217");
    test_fails(rd_embedding(one, x, &y, &err), &err,
               "embedding: at most 16777216 classes can be told apart, got 16777217");
    RELEASE(x, one);
}

static void test_ids_of_as_many_dimensions_as_there_can_be_are_refused(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *ids = test_tensor(*state, SHAPE(1, 1, 1, 1, 1, 1, 1, 1), VALUES(1));
    rd_tensor *w = test_tensor(*state, SHAPE(1, 2), VALUES(1, 2));
    test_fails(rd_embedding(ids, w, &y, &err), &err,
               "embedding: ids may have at most 7 dimensions");
    test_fails(rd_one_hot(ids, 2, &y, &err), &err, "one_hot: ids may have at most 7 dimensions");
    RELEASE(ids, w);
}

static void test_numbers_out_of_range_are_named(void **state)
{
    rd_error err;
    const rd_stream stream = {.purpose = RD_FOR_DROPOUT};
    rd_tensor *y = NULL, *x = test_tensor(*state, SHAPE(1, 2), VALUES(1, 2));
    test_fails(rd_layer_norm(x, NULL, NULL, 2, &y, &err), &err,
               "layer_norm: eps must be 0..1, got 2");
    test_fails(rd_layer_norm(x, x, NULL, 0.1, &y, &err), &err,
               "layer_norm: expected a gain (2), got (1, 2)");
    test_fails(rd_dropout(x, -0.5, &stream, &y, &err), &err,
               "dropout: p must be at least 0 and less than 1, got -0.5");
    test_fails(rd_linear(x, x, x, &y, &err), &err,
               "linear: expected a bias (1) for a weight (1, 2), got (1, 2)");
    RELEASE(x);
}

static void test_a_linear_layer_reads_rows(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *one = NULL, *w = test_tensor(*state, SHAPE(1, 2), VALUES(1, 2));
    OK(rd_scalar(*state, 1, &one, &err));
    test_fails(rd_linear(one, w, NULL, &y, &err), &err,
               "linear: expected input (..., 2) for a weight (1, 2), got ()");
    RELEASE(one, w);
}

/* ---- dropout ---- */

/* What is left is doubled; the same stream leaves the same in whatever order a tensor lies. */
static void test_dropout_of_a_turned_tensor_is_that_of_its_copy(void **state)
{
    enum { ROWS = 3, WIDTH = 1500 };
    rd_error err;
    const rd_stream stream = {.seed = 3, .purpose = RD_FOR_DROPOUT};
    rd_tensor *flat = test_leaf(*state, SHAPE(WIDTH, ROWS), RD_DENSE, 1), *x = turned(flat);
    rd_tensor *copy = NULL, *of_x = NULL, *of_copy = NULL;
    OK(rd_contiguous(x, RD_DENSE, &copy, &err));
    OK(rd_dropout(x, 0.5, &stream, &of_x, &err));
    OK(rd_dropout(copy, 0.5, &stream, &of_copy, &err));
    test_same(of_x, of_copy);
    RELEASE(flat, x, copy, of_x, of_copy);
}

static void test_dropout_of_a_vector_and_of_nothing(void **state)
{
    rd_error err;
    const rd_stream stream = {.seed = 3, .purpose = RD_FOR_DROPOUT};
    rd_tensor *y = NULL, *x = test_leaf_of(*state, SHAPE(4), VALUES(1, 1, 1, 1));
    rd_tensor *none = test_tensor(*state, SHAPE(2, 0), NULL);
    double expected[4];
    for (uint64_t e = 0; e < 4; e++) expected[e] = rd_uniform_at(&stream, 0, e) < 0.5 ? 0 : 2;
    OK(rd_dropout(x, 0.5, &stream, &y, &err));
    test_expect(y, SHAPE(4), expected);
    test_play(y, test_tensor(*state, SHAPE(4), VALUES(1, 1, 1, 1)));
    test_expect(rd_grad(x), SHAPE(4), expected);
    OK(rd_dropout(none, 0.5, &stream, &y, &err));
    test_expect(y, SHAPE(2, 0), NULL);
    RELEASE(x, y, none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_difference_takes_its_second_gradient_with_the_other_sign),
        cmocka_unit_test(test_a_mean_along_a_dimension_spreads_its_gradient),
        cmocka_unit_test(test_a_gather_gives_gradients_back_where_it_took_them),
        cmocka_unit_test(test_a_reshape_by_copy_gives_gradients_back_in_any_order),
        cmocka_unit_test(test_layer_norm_without_gain_and_bias),
        cmocka_unit_test(test_a_wide_layer_norm_without_gain_is_the_formula),
        cmocka_unit_test(test_rows_of_empty_tensors),
        cmocka_unit_test(test_a_gather_and_a_sum_of_nothing),
        cmocka_unit_test(test_dimensions_that_are_not_there_are_named),
        cmocka_unit_test(test_positions_that_are_not_there_are_named),
        cmocka_unit_test(test_ids_that_do_not_fit_a_gather_are_named),
        cmocka_unit_test(test_a_bad_id_of_a_turned_tensor_is_named_with_its_place),
        cmocka_unit_test(test_more_than_memory_can_be_is_refused),
        cmocka_unit_test(test_places_that_a_number_cannot_tell_apart_are_refused),
        cmocka_unit_test(test_ids_of_as_many_dimensions_as_there_can_be_are_refused),
        cmocka_unit_test(test_numbers_out_of_range_are_named),
        cmocka_unit_test(test_a_linear_layer_reads_rows),
        cmocka_unit_test(test_dropout_of_a_turned_tensor_is_that_of_its_copy),
        cmocka_unit_test(test_dropout_of_a_vector_and_of_nothing),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
