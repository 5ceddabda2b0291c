/* test_rnn_values.c - a recurrent layer against numbers worked out by hand.
 *
 * The cell is the linear one, h = W x + U h' + b, with W = (1 2; 3 4), U = (2 1; 0 1), b = (1, -1),
 * x = (1, 1), (2, 0), h(0) = (1, 2), so every number is a small integer:
 *
 *     h(1) = (3, 7) + (4, 2) + (1, -1) = (8, 8)     h(2) = (2, 6) + (24, 8) + (1, -1) = (27, 13)
 *
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include <math.h>
#include <stdlib.h>

enum { A_X, A_H, A_B };

static rd_rnn *linear_layer(rd_core *core, uint32_t bias)
{
    const rnn_layer layer = {.cell = "vanilla",
                             .option = "activation",
                             .choice = "identity",
                             .bias = bias,
                             .in = 2,
                             .hidden = 2};
    rd_rnn *rnn = rnn_make(core, &layer);
    rnn_set(rd_rnn_parameter(rnn, A_X), (const rd_real[]){1, 2, 3, 4});
    rnn_set(rd_rnn_parameter(rnn, A_H), (const rd_real[]){2, 1, 0, 1});
    return rnn;
}

static rd_tensor *wanting(rd_tensor *t)
{
    rd_error err;
    OK(rd_set_requires_grad(t, true, &err));
    return t;
}

static void test_linear_cell_by_hand(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    rd_tensor *y = NULL, *final = NULL;
    (void)state;
    rd_rnn *rnn = linear_layer(core, 1);
    rnn_set(rd_rnn_parameter(rnn, A_B), (const rd_real[]){1, -1});
    rd_tensor *x = wanting(test_sequence(core, SHAPE(1, 2, 2), VALUES(1, 1, 2, 0)));
    rd_tensor *h0 = wanting(test_tensor(core, SHAPE(1, 2), VALUES(1, 2)));

    assert_null(rd_grad(rd_rnn_parameter(rnn, A_X)));
    OK(rd_rnn_forward(rnn, x, &h0, &y, &final, &err));
    test_expect(y, SHAPE(1, 2, 2), VALUES(8, 8, 27, 13));
    test_expect(final, SHAPE(1, 2), VALUES(27, 13));

    /* L = h(2) . (1, 1): dh(2) = (1, 1); dh(1) = U^T dh(2) = (2, 2); dh(0) = U^T dh(1) = (4, 4) */
    rd_tensor *seed = test_tensor(core, SHAPE(1, 2), VALUES(1, 1));
    OK(rd_backward(final, seed, false, &err));
    test_expect(rd_grad(h0), SHAPE(1, 2), VALUES(4, 4));
    test_expect(rd_grad(x), SHAPE(1, 2, 2), VALUES(8, 12, 4, 6));
    test_expect(rd_grad(rd_rnn_parameter(rnn, A_X)), SHAPE(2, 2), VALUES(4, 2, 4, 2));
    test_expect(rd_grad(rd_rnn_parameter(rnn, A_H)), SHAPE(2, 2), VALUES(10, 12, 10, 12));
    test_expect(rd_grad(rd_rnn_parameter(rnn, A_B)), SHAPE(2), VALUES(3, 3));
    rd_tensor_release(seed);
    rd_tensor_release(y);
    rd_tensor_release(final);
    rd_tensor_release(x);
    rd_tensor_release(h0);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* Rule 4: of two bias vectors the rounded sum is what a line starts at. In the order x + b_x + b_h the
 * small number would be lost twice. */
static void test_two_biases_are_added_before_anything_else(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    rd_tensor *y = NULL;
    (void)state;
    const double big = 0x1p60, small = 1;
    rd_rnn *rnn = linear_layer(core, 2);
    rnn_set(rd_rnn_parameter(rnn, A_B), (const rd_real[]){(rd_real)-big, 0});
    rnn_set(rd_rnn_parameter(rnn, A_B + 1), (const rd_real[]){(rd_real)big, 0});
    rd_tensor *x = test_sequence(core, SHAPE(1, 1, 2), VALUES(small, 0));
    OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
    test_expect(y, SHAPE(1, 1, 2), VALUES(1, 3));
    rd_tensor_release(y);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_a_state_without_gradient_passes_none(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    rd_tensor *y = NULL;
    (void)state;
    const rnn_layer layer = {.cell = "test_stop", .in = 1, .hidden = 1};
    rd_rnn *rnn = rnn_make(core, &layer); /* a = w x + u h + v s, h' = s' = a */
    rnn_set(rd_rnn_parameter(rnn, 0), (const rd_real[]){1});
    rnn_set(rd_rnn_parameter(rnn, 1), (const rd_real[]){2});
    rnn_set(rd_rnn_parameter(rnn, 2), (const rd_real[]){3});
    rd_tensor *x = wanting(test_sequence(core, SHAPE(1, 2, 1), VALUES(1, 1)));
    rd_tensor *s0[2] = {test_tensor(core, SHAPE(1, 1), VALUES(1)),
                        wanting(test_tensor(core, SHAPE(1, 1), VALUES(1)))};
    /* a(1) = 1 + 2 + 3 = 6, a(2) = 1 + 12 + 18 = 31; d a(2) / d a(1) = 2 by h alone */
    OK(rd_rnn_forward(rnn, x, s0, &y, NULL, &err));
    test_expect(y, SHAPE(1, 2, 1), VALUES(6, 31));
    rd_tensor *seed = test_sequence(core, SHAPE(1, 2, 1), VALUES(0, 1));
    OK(rd_backward(y, seed, false, &err));
    test_expect(rd_grad(x), SHAPE(1, 2, 1), VALUES(2, 1));
    test_expect(rd_grad(rd_rnn_parameter(rnn, 2)), SHAPE(1, 1), VALUES(2 * 1 + 6));
    assert_null(rd_grad(s0[1]));
    rd_tensor_release(seed);
    rd_tensor_release(y);
    rd_tensor_release(x);
    rd_tensor_release(s0[0]);
    rd_tensor_release(s0[1]);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_parameters_have_the_documented_names_and_shapes(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    (void)state;
    static const char *const want[] = {"n_h_h", "n_h_bh", "r_x",  "r_h",  "r_bx",  "r_bh",
                                       "z_x",   "z_h",    "z_bx", "z_bh", "n_x_x", "n_x_bx"};
    const rnn_layer layer = {.cell = "gru", .bias = 2, .in = 3, .hidden = 2};
    rd_rnn *rnn = rnn_make(core, &layer);
    assert_int_equal(rd_rnn_parameter_count(rnn), sizeof want / sizeof want[0]);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_string_equal(rd_rnn_parameter_name(rnn, i), want[i]);
    assert_int_equal(rd_tensor_shape(rd_rnn_parameter(rnn, 2))[0], 2);
    assert_int_equal(rd_tensor_shape(rd_rnn_parameter(rnn, 2))[1], 3);
    assert_string_equal(rd_rnn_state_name(rnn, 0), "h");
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_the_forget_bias_starts_one_of_two_vectors(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    rd_rnn *rnn = NULL;
    (void)state;
    const rd_setting setting = {.name = "forget_bias", .kind = RD_REAL, .value.r = 1.5};
    const rd_rnn_config config = {.cell = "lstm",
                                  .input_size = 1,
                                  .hidden_size = 1,
                                  .bias = 2,
                                  .settings = &setting,
                                  .n_settings = 1};
    OK(rd_rnn_new(core, &config, &rnn, &err));
    assert_string_equal(rd_rnn_parameter_name(rnn, 6), "f_bx");
    test_expect(rd_rnn_parameter(rnn, 6), SHAPE(1), VALUES(1.5));
    test_expect(rd_rnn_parameter(rnn, 7), SHAPE(1), VALUES(0));
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* Input that was one-hot is read as it lies once something was written into it. */
static void test_a_one_hot_input_that_was_written_to_is_not_a_gather(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    rd_tensor *x = NULL, *y = NULL, *ids = test_sequence(core, SHAPE(1, 2), VALUES(1, 2));
    (void)state;
    rd_rnn *rnn = linear_layer(core, 0);
    OK(rd_one_hot(ids, 2, &x, &err));
    OK(rd_fill(x, 1, &err));
    OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
    /* h(1) = W (1, 1) = (3, 7); h(2) = (3, 7) + U (3, 7) */
    test_expect(y, SHAPE(1, 2, 2), VALUES(3, 7, 16, 14));
    rd_tensor_release(y);
    rd_tensor_release(x);
    rd_tensor_release(ids);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear_cell_by_hand),
        cmocka_unit_test(test_two_biases_are_added_before_anything_else),
        cmocka_unit_test(test_a_state_without_gradient_passes_none),
        cmocka_unit_test(test_parameters_have_the_documented_names_and_shapes),
        cmocka_unit_test(test_the_forget_bias_starts_one_of_two_vectors),
        cmocka_unit_test(test_a_one_hot_input_that_was_written_to_is_not_a_gather),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
