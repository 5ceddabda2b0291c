/* test_rnn_bits.c - a recurrent layer gives the same bits in every form it can be run in.
 *
 * rnn_forms.h says what is compared. test_cells.c runs the same for every cell and option of the tree.
 * SPDX-License-Identifier: MIT */
#include "support/rnn_forms.h"

#include <string.h>

static const rnn_layer layers[] = {
    {"vanilla", "activation", "tanh", 1, 19, 67},
    {"lstm", NULL, NULL, 2, 19, 67},
    {"gru", "reset", "after", 2, 19, 67},
    {"gru", "reset", "before", 1, 19, 67},
    {"test_odd", NULL, NULL, 2, 5, 7},
};
enum { N_LAYERS = sizeof layers / sizeof layers[0] };

/* Few rows: the product with x is hoisted in a sequence and fused step by step. */
static void test_few_rows(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_LAYERS; i++) rnn_compare_forms(&layers[i], 3, 7, false);
}

static void test_one_row(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_LAYERS; i++) rnn_compare_forms(&layers[i], 1, 6, false);
}

/* Many rows: fused; 37 do not divide into 16 blocks. */
static void test_many_rows(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_LAYERS; i++) rnn_compare_forms(&layers[i], 37, 4, false);
}

static void test_one_hot_input(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_LAYERS; i++) rnn_compare_forms(&layers[i], 5, 8, true);
}

/* Rule 10: rows of steps that are no pairs, and where they are many. */
static void test_products_of_bf16(void **state)
{
    static const rnn_layer bf16[] = {
        {"lstm", NULL, NULL, 2, 19, 67, .precision = "bf16"},
        {"gru", "reset", "after", 2, 19, 67, .precision = "bf16"},
    };
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        rnn_compare_forms(&bf16[i], 1, 7, false);
        rnn_compare_forms(&bf16[i], 3, 5, false);
        rnn_compare_forms(&bf16[i], 37, 3, false);
        rnn_compare_forms(&bf16[i], 5, 4, true);
    }
}

/* Rule 3: a gather is what the product with a row of zeros and one 1 would give. */
static void test_one_hot_equals_the_same_numbers_as_a_matrix(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    (void)state;
    const rnn_form f = {.rows = 4, .steps = 6, .in = 19, .one_hot = true};
    for (uint32_t i = 0; i + 1 < N_LAYERS; i++) {
        rnn_seen seen[2] = {{0}};
        rd_tensor *ids = rnn_ids(core, &f), *hot = rnn_piece(ids, &f, 0, 6), *same = NULL;
        OK(rd_contiguous(hot, RD_DENSE, &same, &err)); /* written to, it has no ids any more */
        OK(rd_tensor_set(same, (size_t[]){0, 0, 0}, (double)rd_tensor_at(same)[0], &err));
        for (int k = 0; k < 2; k++) {
            rd_tensor *y = NULL, *loss = NULL;
            rd_rnn *rnn = rnn_make(core, &layers[i]);
            OK(rd_rnn_forward(rnn, k == 0 ? hot : same, NULL, &y, NULL, &err));
            rnn_see(&seen[k], "y", y);
            OK(test_weighted_sum(y, &loss, &err));
            OK(rd_backward(loss, NULL, false, &err));
            for (size_t j = 0; j < rd_rnn_parameter_count(rnn); j++)
                rnn_see(&seen[k], rd_rnn_parameter_name(rnn, j), rd_grad(rd_rnn_parameter(rnn, j)));
            rd_tensor_release(loss);
            rd_rnn_release(rnn);
        }
        assert_memory_equal(seen[0].hash, seen[1].hash, seen[0].n * sizeof(uint64_t));
        rd_tensor_release(ids);
        rd_tensor_release(hot);
        rd_tensor_release(same);
    }
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_batch_of_one_equals_a_row_of_a_batch(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    (void)state;
    for (uint32_t i = 0; i < N_LAYERS; i++) {
        rd_rnn *rnn = rnn_make(core, &layers[i]);
        rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, 3, (size_t[]){50, 5, layers[i].in});
        rd_tensor *y = NULL, *row = NULL, *of_batch = NULL, *alone = NULL;
        OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
        OK(rd_slice(x, 0, 31, 1, &row, &err));
        OK(rd_slice(y, 0, 31, 1, &of_batch, &err));
        OK(rd_rnn_forward(rnn, row, NULL, &alone, NULL, &err));
        rnn_seen a = {0}, b = {0};
        rnn_see(&a, "row", of_batch);
        rnn_see(&b, "row", alone);
        assert_int_equal(a.hash[0], b.hash[0]);
        rd_tensor_release(x);
        rd_tensor_release(y);
        rd_tensor_release(row);
        rd_tensor_release(of_batch);
        rd_tensor_release(alone);
        rd_rnn_release(rnn);
    }
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_without_gradients_the_outputs_are_the_same(void **state)
{
    rd_core *core = rnn_core(2, NULL);
    rd_error err;
    (void)state;
    for (uint32_t i = 0; i < N_LAYERS; i++) {
        rd_rnn *rnn = rnn_make(core, &layers[i]);
        rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, 3, (size_t[]){3, 200, layers[i].in});
        rd_tensor *y[2] = {NULL}, *final[2][2] = {{NULL}};
        rnn_seen seen[2] = {{0}};
        for (int k = 0; k < 2; k++) {
            rd_set_grad_mode(core, k == 0);
            OK(rd_rnn_forward(rnn, x, NULL, &y[k], final[k], &err));
            rnn_see(&seen[k], "y", y[k]);
            for (size_t j = 0; j < rd_rnn_state_count(rnn); j++) {
                rnn_see(&seen[k], "final", final[k][j]);
                rd_tensor_release(final[k][j]);
            }
            rd_tensor_release(y[k]);
        }
        rd_set_grad_mode(core, true);
        assert_memory_equal(seen[0].hash, seen[1].hash, seen[0].n * sizeof(uint64_t));
        rd_tensor_release(x);
        rd_rnn_release(rnn);
    }
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* A line in the middle of a run: its neighbours no longer share one product. */
static void test_a_frozen_parameter_leaves_the_others_alone(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    (void)state;
    rnn_seen seen[2] = {{0}};
    for (int k = 0; k < 2; k++) {
        rd_rnn *rnn = rnn_make(core, &layers[1]);
        rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, SHAPE(3, 4, 19)), *y = NULL, *loss = NULL;
        assert_string_equal(rd_rnn_parameter_name(rnn, 4), "f_x");
        OK(rd_set_requires_grad(rd_rnn_parameter(rnn, 4), k == 0, &err));
        OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
        OK(test_weighted_sum(y, &loss, &err));
        OK(rd_backward(loss, NULL, false, &err));
        assert_true((rd_grad(rd_rnn_parameter(rnn, 4)) != NULL) == (k == 0));
        for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
            if (i != 4) rnn_see(&seen[k], "other", rd_grad(rd_rnn_parameter(rnn, i)));
        rd_tensor_release(loss);
        rd_tensor_release(x);
        rd_rnn_release(rnn);
    }
    assert_memory_equal(seen[0].hash, seen[1].hash, seen[0].n * sizeof(uint64_t));
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_a_graph_can_be_played_twice(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    (void)state;
    rd_rnn *rnn = rnn_make(core, &layers[1]);
    rd_tensor *x = test_leaf(core, 3, (size_t[]){3, 4, 19}, RD_SEQUENCE, 5), *y = NULL,
              *loss = NULL;
    rnn_seen seen[2] = {{0}};
    OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
    OK(test_weighted_sum(y, &loss, &err));
    for (int k = 0; k < 2; k++) {
        rd_zero_grad(x);
        for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
            rd_zero_grad(rd_rnn_parameter(rnn, i));
        OK(rd_backward(loss, NULL, k == 0, &err));
        rnn_see(&seen[k], "x", rd_grad(x));
        for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
            rnn_see(&seen[k], rd_rnn_parameter_name(rnn, i), rd_grad(rd_rnn_parameter(rnn, i)));
    }
    assert_memory_equal(seen[0].hash, seen[1].hash, seen[0].n * sizeof(uint64_t));
    rd_tensor_release(loss);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_rows),
        cmocka_unit_test(test_one_row),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_one_hot_input),
        cmocka_unit_test(test_products_of_bf16),
        cmocka_unit_test(test_one_hot_equals_the_same_numbers_as_a_matrix),
        cmocka_unit_test(test_batch_of_one_equals_a_row_of_a_batch),
        cmocka_unit_test(test_without_gradients_the_outputs_are_the_same),
        cmocka_unit_test(test_a_frozen_parameter_leaves_the_others_alone),
        cmocka_unit_test(test_a_graph_can_be_played_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
