/* test_rnn_errors.c - what a recurrent layer says about wrong sizes, inputs and declarations.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include "engine/layout.h"

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

static void refuses(const rd_rnn_config *config, const char *text)
{
    rd_error err;
    rd_rnn *rnn = NULL;
    test_fails(rd_rnn_new(core, config, &rnn, &err), &err, text);
    assert_null(rnn);
}

static void test_sizes_out_of_bounds(void **state)
{
    (void)state;
    refuses(&(rd_rnn_config){.cell = "lstm", .input_size = 3, .label = "LSTM 'a'"},
            "LSTM 'a': option 'hidden_size' must be 1..65536, got 0");
    refuses(&(rd_rnn_config){.cell = "lstm", .hidden_size = 3},
            "lstm: option 'input_size' must be 1..16777216, got 0");
    refuses(&(rd_rnn_config){.cell = "lstm", .hidden_size = 3, .input_size = 1, .bias = 3},
            "lstm: a line has 0, 1 or 2 bias vectors, got 3");
}

static void test_options_are_checked(void **state)
{
    (void)state;
    const rd_setting setting = {.name = "forgetbias", .kind = RD_REAL, .value.r = 1};
    refuses(&(rd_rnn_config){.cell = "lstm",
                             .hidden_size = 3,
                             .input_size = 1,
                             .settings = &setting,
                             .n_settings = 1,
                             .label = "LSTM"},
            "LSTM: option 'forgetbias' is unknown (did you mean 'forget_bias'?)");
}

static void test_unknown_cell_names_the_nearest(void **state)
{
    rd_error err;
    rd_rnn *rnn = NULL;
    (void)state;
    const rd_rnn_config config = {.cell = "lstn", .hidden_size = 3, .input_size = 1};
    assert_int_equal(rd_rnn_new(core, &config, &rnn, &err), RD_E_ARG);
    assert_non_null(strstr(err.text, "lstm"));
}

static const rnn_layer layer = {.cell = "lstm", .in = 64, .hidden = 128};

static void test_input_of_another_width(void **state)
{
    rd_error err;
    rd_tensor *y = NULL;
    (void)state;
    rd_rnn *rnn = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 1, RD_SEQUENCE, SHAPE(32, 100, 128));
    test_fails(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err), &err,
               "LSTM 'layer 2': expected input (batch, time, 64), got (32, 100, 128)");
    rd_tensor_release(x);
    rd_rnn_release(rnn);
}

static void test_input_without_steps(void **state)
{
    rd_error err;
    rd_tensor *y = NULL;
    (void)state;
    rd_rnn *rnn = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 1, RD_DENSE, SHAPE(32, 0, 64));
    test_fails(
        rd_rnn_forward(rnn, x, NULL, &y, NULL, &err), &err,
        "LSTM 'layer 2': the input must have at least one row and one step, got (32, 0, 64)");
    rd_tensor_release(x);
    rd_rnn_release(rnn);
}

static void test_state_of_another_batch(void **state)
{
    rd_error err;
    rd_tensor *y = NULL;
    (void)state;
    rd_rnn *rnn = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 1, RD_DENSE, SHAPE(3, 1, 64));
    rd_tensor *states[2] = {rnn_tensor(core, 1, RD_DENSE, SHAPE(3, 128)),
                            rnn_tensor(core, 1, RD_DENSE, SHAPE(4, 128))};
    test_fails(rd_rnn_forward(rnn, x, states, &y, NULL, &err), &err,
               "LSTM 'layer 2': expected state 'c' (3, 128), got (4, 128)");
    rd_tensor_release(x);
    rd_tensor_release(states[0]);
    rd_tensor_release(states[1]);
    rd_rnn_release(rnn);
}

static void test_cell_without_backward_runs_but_does_not_train(void **state)
{
    rd_error err;
    rd_tensor *y = NULL;
    (void)state;
    const rnn_layer forward_only = {.cell = "test_forward", .in = 2, .hidden = 3};
    rd_rnn *rnn = rnn_make(core, &forward_only);
    rd_tensor *x = rnn_tensor(core, 1, RD_DENSE, SHAPE(3, 1, 2));
    test_fails(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err), &err,
               "LSTM 'layer 2': the cell 'test_forward' has no backward function and cannot be "
               "trained; run it inside no_grad");
    rd_set_grad_mode(core, false);
    OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
    rd_set_grad_mode(core, true);
    rd_tensor_release(y);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
}

static void test_weights_written_before_backward(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *loss = NULL;
    (void)state;
    const rnn_layer small = {.cell = "lstm", .in = 2, .hidden = 3};
    rd_rnn *rnn = rnn_make(core, &small);
    rd_tensor *x = rnn_tensor(core, 1, RD_SEQUENCE, SHAPE(3, 2, 2));
    OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
    OK(rd_sum(y, RD_ALL, false, &loss, &err));
    rd_set_grad_mode(core, false);
    OK(rd_fill(rd_rnn_parameter(rnn, 3), 0, &err));
    rd_set_grad_mode(core, true);
    test_fails(
        rd_backward(loss, NULL, false, &err), &err,
        "rnn: a tensor that its gradient needs was written in place after it ran; write to a "
        "copy, or call backward before the write");
    rd_tensor_release(y);
    rd_tensor_release(loss);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
}

/* ---- rule C1: declarations that are wrong in one way each ------------------------------------------ */

static const rd_state_decl state_h = {.size = sizeof state_h, .name = "h", .width = 2};
static const rd_line_decl line_a = {
    .size = sizeof line_a, .name = "a", .width = 2, .flags = RD_FROM_X, .states = 1};

static rd_status without_state(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->line(b, RD_NEW(rd_line_decl, .name = "a", .width = 2, .flags = RD_FROM_X));
    return RD_OK;
}

static rd_status with_a_gap(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, &state_h);
    b->line(b, RD_NEW(rd_line_decl, .id = 1, .name = "a", .width = 2));
    b->line(b, RD_NEW(rd_line_decl, .id = 0, .name = "", .width = 2)); /* later errors are silent */
    return RD_OK;
}

static rd_status with_a_bad_name(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, RD_NEW(rd_state_decl, .name = "H", .width = 2));
    return RD_OK;
}

static rd_status with_no_width(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, RD_NEW(rd_state_decl, .name = "h"));
    return RD_OK;
}

static rd_status with_narrow_parts(const rd_setup *u, rd_builder *b)
{
    b->state(b, RD_NEW(rd_state_decl, .name = "h", .width = u->hidden));
    b->state(b, RD_NEW(rd_state_decl, .id = 1, .name = "part", .width = 1, .flags = RD_STATE_PART));
    return RD_OK;
}

static rd_status with_an_unknown_state(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, &state_h);
    b->line(b, RD_NEW(rd_line_decl, .name = "a", .width = 2, .states = RD_BIT(1)));
    return RD_OK;
}

static rd_status with_a_late_temp(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, &state_h);
    b->temp(b, RD_NEW(rd_temp_decl, .name = "q", .width = 2, .phase = 1));
    b->line(b, RD_NEW(rd_line_decl, .name = "a", .width = 2, .phase = 1, .temps = RD_BIT(0)));
    return RD_OK;
}

static rd_status with_a_name_twice(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, &state_h);
    b->line(b, &line_a);
    b->line(b, RD_NEW(rd_line_decl, .id = 1, .name = "a", .width = 2));
    return RD_OK;
}

static rd_status with_one_parameter_name_twice(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, RD_NEW(rd_state_decl, .name = "b", .width = 2));
    b->line(b, RD_NEW(rd_line_decl, .name = "a", .width = 2, .flags = RD_BIAS_X, .states = 1));
    return RD_OK;
}

static rd_status that_fails(const rd_setup *u, rd_builder *b)
{
    (void)u;
    return (b->fail)(b, RD_E_ARG, "hidden_size must be even");
}

static uint32_t calls; /* makes a layout that is no pure function */
static rd_status that_changes(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, RD_NEW(rd_state_decl, .name = "h", .width = 1 + calls++));
    return RD_OK;
}

static rd_status that_changes_a_temp(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, &state_h);
    b->line(b, &line_a);
    b->temp(b, RD_NEW(rd_temp_decl, .name = "q", .width = 1 + calls++));
    return RD_OK;
}

static rd_status without_a_size(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, &(rd_state_decl){.name = "h", .width = 2});
    return RD_OK;
}

static rd_status with_an_unknown_flag(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, RD_NEW(rd_state_decl, .name = "h", .width = 2, .flags = 1u << 30));
    return RD_OK;
}

static rd_status with_an_unknown_first_value(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, &state_h);
    b->line(b, RD_NEW(rd_line_decl, .name = "a", .width = 2, .init_rec = {.kind = 99}));
    return RD_OK;
}

static rd_status with_a_reserved_field(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, &state_h);
    b->save(b, RD_NEW(rd_save_decl, .width = 2, .reserved = 1));
    return RD_OK;
}

static rd_status with_a_short_table(const rd_setup *u, rd_builder *b)
{
    (void)u;
    const rd_real *table = b->table(b, 3);
    b->state(b, &state_h);
    b->line(b, RD_NEW(rd_line_decl, .name = "a", .width = 2, .states = RD_BIT(0),
                      .init_rec = {.kind = RD_INIT_TABLE, .table = table}));
    return RD_OK;
}

static rd_status with_an_empty_table(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->table(b, 0);
    return RD_OK;
}

static rd_status with_nine_tables(const rd_setup *u, rd_builder *b)
{
    (void)u;
    for (int k = 0; k < 9; k++) b->table(b, 1);
    return RD_OK;
}

static rd_status that_changes_a_table(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, &state_h);
    b->table(b, 1)[0] = (rd_real)calls++;
    return RD_OK;
}

static void declares(rd_status (*layout)(const rd_setup *, rd_builder *), const char *text)
{
    rd_error err;
    rdc_layout *made = NULL;
    const rd_cell cell = {.size = sizeof cell, .name = "mine", .layout = layout};
    const rd_setup setup = {.size = sizeof setup, .in = 3, .hidden = 2};
    test_fails(rdc_layout_new("mine", &cell, &setup, 1, &made, &err), &err, text);
    assert_null(made);
}

static void test_rule_c1(void **state)
{
    (void)state;
    declares(without_state,
             "mine: rule C1: the cell 'mine' declares no state; state 0 is its output");
    declares(with_a_gap, "mine: rule C1: line 'a' does not have the next id of its kind: ids count "
                         "from 0, in order");
    declares(with_a_bad_name,
             "mine: rule C1: state 'H' has no name of the form [a-z][a-z0-9_]*, at "
             "most 31 characters");
    declares(with_no_width, "mine: rule C1: state 'h' has a width outside 1..1048576");
    declares(with_an_unknown_state, "mine: rule C1: line 'a' names a state that is not declared");
    declares(with_a_late_temp, "mine: rule C1: line 'a' names a temp that no earlier phase makes");
    declares(with_a_name_twice, "mine: rule C1: line 'a' is declared twice");
    declares(with_one_parameter_name_twice, "mine: rule C1: two parameters are called 'a_b'");
    declares(that_fails, "mine: hidden_size must be even");
    declares(that_changes,
             "mine: rule C1: layout() declared something else when it was called again");
    declares(that_changes_a_temp,
             "mine: rule C1: layout() declared something else when it was called again");
    declares(that_changes_a_table,
             "mine: rule C1: layout() declared something else when it was called again");
    declares(with_a_short_table, "mine: rule C1: the first values of 'a_h' are no table of 4 "
                                 "numbers made by builder->table()");
    declares(with_an_empty_table, "mine: rule C1: table '(no name)' is empty");
    declares(with_narrow_parts, "mine: rule C1: state 'h' is not as wide as its parts together");
    declares(with_nine_tables, "mine: rule C1: table '(no name)' is one more than a cell may have");
    declares(without_a_size, "mine: rule C1: a state's record has 0 bytes, expected at least 32; "
                             "RD_NEW fills its size in");
#define STRANGE \
    " has flags or initial values that this Rondo does not know, or a field `reserved` that is not 0"
    declares(with_an_unknown_flag, "mine: rule C1: state 'h'" STRANGE);
    declares(with_an_unknown_first_value, "mine: rule C1: line 'a'" STRANGE);
    declares(with_a_reserved_field, "mine: rule C1: save 'save'" STRANGE);
}

/* As a newer minor of the plugin border would have it: fields at the end, which are not read. */
static rd_status with_longer_records(const rd_setup *u, rd_builder *b)
{
    struct {
        rd_state_decl known;
        uint64_t later;
    } state = {state_h, 1};
    (void)u;
    state.known.size = sizeof state;
    b->state(b, &state.known);
    return RD_OK;
}
static void test_records_of_a_newer_minor(void **state)
{
    const rd_cell cell = {.size = sizeof cell, .name = "mine", .layout = with_longer_records};
    const rd_setup setup = {.size = sizeof setup, .in = 3, .hidden = 2};
    rdc_layout *made = NULL;
    (void)state;
    assert_int_equal(RD_OK, rdc_layout_new("mine", &cell, &setup, 1, &made, NULL));
    assert_string_equal("h", made->state[0].name);
    rdc_layout_free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_out_of_bounds),
        cmocka_unit_test(test_options_are_checked),
        cmocka_unit_test(test_unknown_cell_names_the_nearest),
        cmocka_unit_test(test_input_of_another_width),
        cmocka_unit_test(test_input_without_steps),
        cmocka_unit_test(test_state_of_another_batch),
        cmocka_unit_test(test_cell_without_backward_runs_but_does_not_train),
        cmocka_unit_test(test_weights_written_before_backward),
        cmocka_unit_test(test_rule_c1),
        cmocka_unit_test(test_records_of_a_newer_minor),
    };
    return cmocka_run_group_tests(tests, open_core, close_core);
}
