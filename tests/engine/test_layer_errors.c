/* test_layer_errors.c - what a plugin's layer says about wrong declarations (rule T1), sizes and inputs.
 * SPDX-License-Identifier: MIT */
#include "support/layers.h"

#include "engine/layer.h"

#include <stdio.h>
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

/* ---- declarations ------------------------------------------------------------------------------------ */

enum wrong {
    TWO_OUTPUTS,
    NO_OUTPUT,
    NO_SIZE,
    BAD_NAME,
    SPARSE_ID,
    NO_WIDTH,
    FLAGGED,
    CARRIED,
    MANY_STATES,
    NO_DA,
    NARROW_DA,
    NO_V,
    NARROW_V,
    WIDE,
    PARAM_FLAGS,
    TWINS,
    TWIN_STATES,
    SAVE_RESERVED,
    PARAM_RESERVED,
    STRANGE_INIT,
    SHORT_TABLE,
    NO_TABLE,
    MANY_TABLES,
    OWN_WORDS,
    SILENT,
    CHANGING
};
static enum wrong wrong;
static uint32_t calls; /* of a setup that has a memory */

static void state(rd_layer_builder *b, const char *name, uint32_t id, uint32_t width)
{
    b->state(b, RD_NEW(rd_state_decl, .id = id, .name = name, .width = width,
                       .flags = wrong == FLAGGED ? RD_STATE_STOP : 0));
}

/* A parameter of two rows, with a save before it. */
static void param(rd_layer_builder *b, uint32_t cols, uint32_t v)
{
    if (wrong != NO_DA)
        b->save(b, RD_NEW(rd_save_decl, .id = 0, .width = wrong == NARROW_DA ? 3 : 2));
    b->param(b, RD_NEW(rd_param_decl, .id = 0, .name = "m", .rows = 2, .cols = cols, .v = v,
                       .flags = wrong == PARAM_FLAGS));
}

static void many_states(rd_layer_builder *b)
{
    for (uint32_t i = 0; i <= RDC_LAYER_STATES; i++) {
        const char name[] = {'h', (char)('a' + i), '\0'};
        state(b, name, i, 1);
    }
}

/* A save, and a constant of two numbers. */
static void first_values(rd_layer_builder *b)
{
    b->save(b, RD_NEW(rd_save_decl, .width = 2, .reserved = wrong == SAVE_RESERVED));
    rd_init init = {.kind = wrong == STRANGE_INIT ? 99 : RD_INIT_DEFAULT};
    if (wrong == SHORT_TABLE) init = (rd_init){.kind = RD_INIT_TABLE, .table = b->table(b, 1)};
    b->param(b, RD_NEW(rd_param_decl, .name = "m", .rows = 2, .flags = RD_FROZEN, .init = init,
                       .reserved = wrong == PARAM_RESERVED));
}

static rd_status setup(const rd_setup *u, rd_layer_builder *b)
{
    (void)u;
    switch (wrong) {
    case TWO_OUTPUTS:
        b->output(b, 3);
        b->output(b, 3);
        break;
    case NO_OUTPUT:
        b->output(b, 0);
        break;
    case NO_SIZE:
        b->state(b, &(rd_state_decl){.name = "h", .width = 1});
        break;
    case BAD_NAME:
    case SPARSE_ID:
    case NO_WIDTH:
    case FLAGGED:
    case CARRIED:
        state(b, wrong == BAD_NAME ? "H" : "h", wrong == SPARSE_ID, wrong != NO_WIDTH);
        break;
    case MANY_STATES:
        many_states(b);
        break;
    case TWIN_STATES:
        state(b, "h", 0, 1);
        state(b, "h", 1, 1);
        break;
    case SAVE_RESERVED:
    case PARAM_RESERVED:
    case STRANGE_INIT:
    case SHORT_TABLE:
        first_values(b);
        break;
    case NO_DA:
    case NARROW_DA:
    case PARAM_FLAGS:
    case TWINS:
        param(b, 0, 0);
        if (wrong == TWINS) b->param(b, RD_NEW(rd_param_decl, .id = 1, .name = "m", .rows = 2));
        break;
    case NO_V:
    case NARROW_V:
    case WIDE:
        param(b, wrong == WIDE ? 1048577 : 5, wrong == NO_V ? 1 : RD_FROM_INPUT);
        break;
    case NO_TABLE:
        b->table(b, 0);
        break;
    case MANY_TABLES:
        for (int i = 0; i <= RDC_LAYER_TABLES; i++) b->table(b, 1);
        break;
    case OWN_WORDS:
        return (b->fail)(b, RD_E_ARG, "the input must have an even number of features");
    case SILENT:
        return RD_E_ARG;
    case CHANGING:
        b->output(b, ++calls);
        break;
    }
    return RD_OK;
}

static void nothing(const rd_run *r)
{
    (void)r;
}

static void declares(enum wrong what, const char *text)
{
    rd_error err;
    rdc_layer_decl *decl = NULL;
    const rd_layer kind = {.size = sizeof kind,
                           .name = "l",
                           .help = "",
                           .flags = what == CARRIED ? RD_LAYER_NOT_CAUSAL : 0,
                           .setup = setup,
                           .forward = nothing};
    const rd_setup sizes = {.size = sizeof sizes, .in = 4};
    wrong = what;
    test_fails(rdc_layer_declare("l", &kind, &sizes, &decl, &err), &err, text);
    assert_null(decl);
}

static void test_outputs(void **unused)
{
    (void)unused;
    declares(TWO_OUTPUTS, "l: rule T1: output 'y' is declared twice");
    declares(NO_OUTPUT, "l: rule T1: output 'y' has a width outside 1..1048576");
}

static void test_states(void **unused)
{
    char text[128];
    (void)unused;
    snprintf(text, sizeof text,
             "l: rule T1: a state's record has 0 bytes, expected at least %zu; RD_NEW fills its "
             "size in",
             sizeof(rd_state_decl));
    declares(NO_SIZE, text);
    declares(BAD_NAME, "l: rule T1: state 'H' has no name of the form [a-z][a-z0-9_]*, at most 31 "
                       "characters");
    declares(SPARSE_ID, "l: rule T1: state 'h' does not have the next id of its kind: ids count "
                        "from 0, in order");
    declares(NO_WIDTH, "l: rule T1: state 'h' has a width outside 1..1048576");
    declares(FLAGGED, "l: rule T1: state 'h' has flags, which are for cells");
    declares(TWIN_STATES, "l: rule T1: state 'h' is declared twice");
    declares(MANY_STATES, "l: rule T1: state 'hq' is one more than a layer may have");
    declares(CARRIED, "l: rule T1: state 'h' is carried on, but RD_LAYER_NOT_CAUSAL says that "
                      "nothing is");
}

static void test_parameters(void **unused)
{
    (void)unused;
    declares(NO_DA, "l: rule T1: parameter 'm' names as da a save that is not declared before it");
    declares(NARROW_DA,
             "l: rule T1: parameter 'm' does not have as many rows as its save da is wide");
    declares(NO_V, "l: rule T1: parameter 'm' names as v a save that is not declared before it");
    declares(NARROW_V,
             "l: rule T1: parameter 'm' does not have as many columns as its source v is wide");
    declares(WIDE, "l: rule T1: parameter 'm' has more than 1048576 columns");
    declares(PARAM_FLAGS, "l: rule T1: parameter 'm' has flags besides RD_FROZEN");
    declares(TWINS, "l: rule T1: parameter 'm' is declared twice");
}

#define STRANGE \
    " has flags or initial values that this Rondo does not know, or a field `reserved` that is not 0"
static void test_what_is_for_later(void **unused)
{
    (void)unused;
    declares(SAVE_RESERVED, "l: rule T1: save 'save'" STRANGE);
    declares(PARAM_RESERVED, "l: rule T1: parameter 'm'" STRANGE);
    declares(STRANGE_INIT, "l: rule T1: parameter 'm'" STRANGE);
}

static void test_tables(void **unused)
{
    (void)unused;
    declares(SHORT_TABLE, "l: rule T1: parameter 'm' starts with no table of as many numbers made "
                          "by builder->table()");
    declares(NO_TABLE, "l: rule T1: table '(no name)' is empty");
    declares(MANY_TABLES, "l: rule T1: table '(no name)' is one more than a layer may have");
}

static void test_setups_that_fail(void **unused)
{
    (void)unused;
    declares(OWN_WORDS, "l: the input must have an even number of features");
    declares(SILENT, "l: its setup failed without a reason");
    declares(CHANGING, "l: rule T1: setup() declared something else when it was called again");
}

/* ---- layers ------------------------------------------------------------------------------------------- */

static void refuses(const rd_plugin_layer_config *config, const char *text)
{
    rd_error err;
    rd_plugin_layer *layer = NULL;
    test_fails(rd_plugin_layer_new(core, config, &layer, &err), &err, text);
    assert_null(layer);
}

static void test_names_and_options(void **state)
{
    (void)state;
    const rd_setting typo = {.name = "tabs", .kind = RD_INT, .value.i = 3};
    refuses(&(rd_plugin_layer_config){.name = "test_sum", .input_size = 2},
            "layer 'test_sum' is unknown (did you mean 'test_sums'?)");
    refuses(&(rd_plugin_layer_config){.name = "test_odd", .input_size = 2},
            "'test_odd' is a cell, not a layer; rondo.RNN takes it");
    refuses(&(rd_plugin_layer_config){.name = "template.layer",
                                      .input_size = 2,
                                      .settings = &typo,
                                      .n_settings = 1,
                                      .label = "Layer 'a'"},
            "Layer 'a': option 'tabs' is unknown (did you mean 'taps'?)");
    refuses(&(rd_plugin_layer_config){.name = "test_sums"},
            "test_sums: option 'input_size' must be 1..16777216, got 0");
}

static void test_a_layer_is_no_cell(void **state)
{
    rd_error err;
    (void)state;
    assert_null(rd_cell_find(core, "test_sums", &err));
    assert_string_equal("'test_sums' is a layer, not a cell; rondo.Layer takes it", err.text);
}

static void fails_on(const char *name, const rd_rnn_input *in, const char *text)
{
    rd_error err;
    rd_tensor *y = NULL;
    rd_plugin_layer *layer = layer_make(core, name, 3);
    test_fails(rd_plugin_layer_run(layer, in, &y, NULL, &err), &err, text);
    rd_plugin_layer_release(layer);
}

static void test_inputs_of_other_sizes(void **state)
{
    (void)state;
    rd_tensor *x = rnn_tensor(core, 1, RD_DENSE, SHAPE(2, 4, 3)),
              *wide = rnn_tensor(core, 1, RD_DENSE, SHAPE(2, 4, 5)),
              *none = rnn_tensor(core, 1, RD_DENSE, SHAPE(2, 0, 3)),
              *s = rnn_tensor(core, 1, RD_DENSE, SHAPE(3, 3));
    fails_on("test_sums", &(rd_rnn_input){.x = wide},
             "Layer 'layer 2': expected input (batch, time, 3), got (2, 4, 5)");
    fails_on("test_sums", &(rd_rnn_input){.x = none},
             "Layer 'layer 2': the input must have at least one row and one step, got (2, 0, 3)");
    fails_on("test_sums", &(rd_rnn_input){.x = x, .states = (rd_tensor *[]){s, NULL}},
             "Layer 'layer 2': expected state 's' (2, 3), got (3, 3)");
    fails_on("test_sums", &(rd_rnn_input){.x = x, .mask = s},
             "Layer 'layer 2': expected a mask (2, 4) or lengths (2), got (3, 3)");
    RELEASE(x, wide, none, s);
}

static void plan_fails(size_t steps, const char *text)
{
    rd_tensor *x = rnn_tensor(core, 1, RD_DENSE, SHAPE(2, steps, 3));
    rd_set_grad_mode(core, false);
    fails_on("test_copy", &(rd_rnn_input){.x = x}, text);
    rd_set_grad_mode(core, true);
    rd_tensor_release(x);
}

static void test_plans_that_refuse(void **unused)
{
    (void)unused;
    plan_fails(7, "Layer 'layer 2': takes at most 6 steps, got 7");
    plan_fails(8, "Layer 'layer 2': its plan() failed without a reason");
}

static void test_plans_that_ask_for_more_than_there_is(void **unused)
{
    rd_error err;
    (void)unused;
    plan_fails(5, "Layer 'layer 2': this batch is larger than memory can be");
    (void)rdc_no_memory(&err, SIZE_MAX / 4 + 1);
    plan_fails(3, err.text);
}

static void test_a_layer_without_backward_runs_but_does_not_train(void **state)
{
    rd_error err;
    rd_tensor *y = NULL;
    (void)state;
    rd_tensor *x = test_leaf(core, SHAPE(2, 6, 3), RD_DENSE, 1);
    fails_on("test_copy", &(rd_rnn_input){.x = x},
             "Layer 'layer 2': the layer 'test_copy' has no backward function and cannot be "
             "trained; run it inside no_grad");
    rd_plugin_layer *layer = layer_make(core, "test_copy", 3);
    rd_set_grad_mode(core, false);
    OK(rd_plugin_layer_run(layer, &(rd_rnn_input){.x = x}, &y, NULL, &err));
    rd_set_grad_mode(core, true);
    test_same(x, y);
    RELEASE(x, y);
    rd_plugin_layer_release(layer);
}

static void test_an_input_that_was_written(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *loss = NULL;
    (void)state;
    rd_plugin_layer *layer = layer_make(core, "template.layer", 3);
    rd_tensor *x = rnn_tensor(core, 1, RD_SEQUENCE, SHAPE(2, 4, 3));
    OK(rd_plugin_layer_run(layer, &(rd_rnn_input){.x = x}, &y, NULL, &err));
    OK(rd_sum(y, RD_ALL, false, &loss, &err));
    rnn_set(x, rd_tensor_at(y)); /* more numbers than x has: only the first are read */
    test_fails(rd_backward(loss, NULL, false, &err), &err,
               "layer: a tensor that its gradient needs was written in place after it ran; write "
               "to a copy, or call backward before the write");
    RELEASE(x, y, loss);
    rd_plugin_layer_release(layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_what_is_for_later),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_setups_that_fail),
        cmocka_unit_test(test_names_and_options),
        cmocka_unit_test(test_a_layer_is_no_cell),
        cmocka_unit_test(test_inputs_of_other_sizes),
        cmocka_unit_test(test_plans_that_refuse),
        cmocka_unit_test(test_plans_that_ask_for_more_than_there_is),
        cmocka_unit_test(test_a_layer_without_backward_runs_but_does_not_train),
        cmocka_unit_test(test_an_input_that_was_written),
    };
    return cmocka_run_group_tests(tests, open_core, close_core);
}
