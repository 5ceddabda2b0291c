/* test_cell_options.c - what single cells make of their options: names, first values, refusals; precision.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include <string.h>

static rd_core *core;

static int open_core(void **state)
{
    (void)state;
    core = rnn_core(1, NULL);
    return core ? 0 : 1;
}

static int close_core(void **state)
{
    (void)state;
    return test_close_core((void **)&core);
}

static rd_status make(const char *cell, uint32_t hidden, rd_setting setting, rd_rnn **out,
                      rd_error *err)
{
    const rd_rnn_config config = {.cell = cell,
                                  .label = cell,
                                  .input_size = 2,
                                  .hidden_size = hidden,
                                  .bias = 1,
                                  .settings = &setting,
                                  .n_settings = 1};
    return rd_rnn_new(core, &config, out, err);
}

static rd_tensor *parameter(const rd_rnn *rnn, const char *name)
{
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
        if (strcmp(rd_rnn_parameter_name(rnn, i), name) == 0) return rd_rnn_parameter(rnn, i);
    fail_msg("there is no parameter %s", name);
    return NULL;
}

static void test_heads_divide_the_units(void **state)
{
    rd_error err;
    rd_rnn *rnn = NULL;
    const rd_setting heads = {.name = "heads", .kind = RD_INT, .value.i = 3};
    (void)state;
    test_fails(make("slstm", 8, heads, &rnn, &err), &err,
               "slstm: option 'heads' must divide hidden_size");
    assert_null(rnn);
    OK(make("slstm", 9, heads, &rnn, &err));
    rd_rnn_release(rnn);
}

/* 5 - 12 u^p: u is 0 of the first unit, and of the only one. */
static void test_a_single_unit_begins_with_the_longest_memory(void **state)
{
    rd_error err;
    rd_rnn *rnn = NULL;
    const rd_setting law = {.name = "power_law", .kind = RD_REAL, .value.r = 1};
    (void)state;
    OK(make("slstm", 1, law, &rnn, &err));
    test_expect(parameter(rnn, "f_b"), SHAPE(1), VALUES(5));
    rd_rnn_release(rnn);
    OK(make("slstm", 3, law, &rnn, &err));
    test_expect(parameter(rnn, "f_b"), SHAPE(3), VALUES(5, -1, -7));
    rd_rnn_release(rnn);
}

static void test_the_tenth_highway_layer_has_a_name_of_its_own(void **state)
{
    rd_error err;
    rd_rnn *rnn = NULL;
    const rd_setting depth = {.name = "depth", .kind = RD_INT, .value.i = 10};
    (void)state;
    OK(make("rhn", 2, depth, &rnn, &err));
    test_expect(parameter(rnn, "t1_b"), SHAPE(2), VALUES(-2, -2));
    test_expect(parameter(rnn, "t10_b"), SHAPE(2), VALUES(-2, -2));
    assert_int_equal(rd_tensor_shape(parameter(rnn, "n10_s9"))[1], 2);
    rd_rnn_release(rnn);
}

static void test_a_layer_knows_its_cell_and_options(void **state)
{
    rd_error err;
    rd_rnn *rnn = NULL;
    const rd_setting depth = {.name = "depth", .kind = RD_INT, .value.i = 3};
    (void)state;
    OK(make("rhn", 2, depth, &rnn, &err));
    assert_string_equal(rd_rnn_cell(rnn)->name, "rhn");
    assert_int_equal(rd_rnn_options(rnn)[0].i, 3);
    rd_rnn_release(rnn);
}

/* A share so near to one that every unit is held. */
static void test_zoneout_of_a_state_holds_it_alone(void **state)
{
    rd_error err;
    rd_rnn *rnn = NULL;
    const rd_zoneout c = {.state = "c", .share = 1 - 0x1p-40};
    const rd_rnn_config config = {.cell = "lstm",
                                  .label = "LSTM",
                                  .input_size = 2,
                                  .hidden_size = 3,
                                  .bias = 1,
                                  .zoneout = &c,
                                  .n_zoneout = 1};
    rd_tensor *y = NULL, *final[2] = {NULL, NULL};
    (void)state;
    OK(rd_rnn_new(core, &config, &rnn, &err));
    rd_tensor *const x = rnn_tensor(core, 1, RD_SEQUENCE, SHAPE(1, 1, 2));
    rd_tensor *const h = test_tensor(core, SHAPE(1, 3), VALUES(0, 0, 0));
    rd_tensor *const before = test_tensor(core, SHAPE(1, 3), VALUES(1, 2, 3));
    rd_tensor *const states[2] = {h, before};
    OK(rd_rnn_run(rnn, &(rd_rnn_input){.x = x, .states = states, .training = true}, &y, final,
                  &err));
    test_expect(final[1], SHAPE(1, 3), VALUES(1, 2, 3));
    assert_true(rd_tensor_at(final[0])[0] != 0);
    RELEASE(x, h, before, y, final[0], final[1]);
    rd_rnn_release(rnn);
}

static void test_int8_has_no_gradients(void **state)
{
    rd_error err;
    rd_rnn *rnn = NULL;
    rd_tensor *y = NULL;
    const rd_rnn_config config = {
        .cell = "gru", .label = "GRU", .input_size = 2, .hidden_size = 3, .bias = 1};
    (void)state;
    OK(rd_rnn_new(core, &config, &rnn, &err));
    rd_tensor *const x = rnn_tensor(core, 1, RD_SEQUENCE, SHAPE(1, 1, 2));
    OK(rd_core_set_precision(core, "int8", &err));
    const rd_status status = rd_rnn_forward(rnn, x, NULL, &y, NULL, &err);
    test_fails(status, &err,
               "GRU: precision 'int8' has no gradients; use another to train, or no_grad");
    OK(rd_core_set_precision(core, "float32", &err));
    RELEASE(x);
    rd_rnn_release(rnn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads_divide_the_units),
        cmocka_unit_test(test_a_single_unit_begins_with_the_longest_memory),
        cmocka_unit_test(test_the_tenth_highway_layer_has_a_name_of_its_own),
        cmocka_unit_test(test_a_layer_knows_its_cell_and_options),
        cmocka_unit_test(test_zoneout_of_a_state_holds_it_alone),
        cmocka_unit_test(test_int8_has_no_gradients),
    };
    return cmocka_run_group_tests(tests, open_core, close_core);
}
