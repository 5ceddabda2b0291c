/* test_rnn_edges.c - recurrent layers at their edges: masks without gradients, named states, borders, names.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include "rondo_trace.h"

#include <string.h>

enum { ROWS = 2, STEPS = 4, IN = 3, HIDDEN = 5 };
static rd_core *core;

static int open_cells(void **state)
{
    (void)state;
    core = rnn_core(1, NULL);
    return core ? 0 : -1;
}

static int close_cells(void **state)
{
    (void)state;
    return test_close_core((void **)&core);
}

static rd_rnn *lstm(const rd_zoneout *zoneout, double dropout)
{
    rd_error err;
    rd_rnn *rnn = NULL;
    const rd_rnn_config config = {.cell = "lstm",
                                  .input_size = IN,
                                  .hidden_size = HIDDEN,
                                  .bias = 1,
                                  .seed = 1,
                                  .layer = 1,
                                  .label = "LSTM",
                                  .input_dropout = dropout,
                                  .recurrent_dropout = dropout,
                                  .weight_drop = dropout,
                                  .zoneout = zoneout,
                                  .n_zoneout = zoneout != NULL};
    OK(rd_rnn_new(core, &config, &rnn, &err));
    return rnn;
}

static rd_tensor *run(rd_rnn *rnn, const rd_rnn_input *in, rd_tensor **final)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(rd_rnn_run(rnn, in, &y, final, &err));
    return y;
}

/* ---- regularisers ---- */

/* Dropout at use (Gal & Ghahramani 2016) has the masks of training. */
static void test_masks_without_gradients_are_those_of_training(void **state)
{
    (void)state;
    rd_rnn *rnn = lstm(&(rd_zoneout){.share = 0.3}, 0.3);
    const rd_rnn_input in = {.x = rnn_tensor(core, 3, RD_SEQUENCE, SHAPE(ROWS, STEPS, IN)),
                             .training = true,
                             .update = RNN_UPDATE};
    rd_tensor *with = run(rnn, &in, NULL);
    const bool before = rd_set_grad_mode(core, false);
    rd_tensor *without = run(rnn, &in, NULL);
    rd_set_grad_mode(core, before);
    assert_true(rd_requires_grad(with) && !rd_requires_grad(without));
    test_same(with, without);
    RELEASE(in.x, with, without);
    rd_rnn_release(rnn);
}

/* A share next to 1 holds every unit of the state that it names, and no other. */
static void test_zoneout_of_a_named_state_holds_that_one(void **state)
{
    (void)state;
    rd_rnn *rnn = lstm(&(rd_zoneout){.state = "c", .share = 0.9999999}, 0);
    const rd_rnn_input in = {.x = rnn_tensor(core, 3, RD_SEQUENCE, SHAPE(ROWS, STEPS, IN)),
                             .training = true,
                             .update = RNN_UPDATE};
    rd_tensor *final[2] = {NULL, NULL}, *y = run(rnn, &in, final);
    assert_true(rd_norm(final[1]) == 0 && rd_norm(y) > 0); /* h is made before c is held */
    RELEASE(in.x, y, final[0], final[1]);
    rd_rnn_release(rnn);
}

static void zoneout_fails(const char *state, double share, const char *sentence)
{
    rd_error err;
    rd_rnn *rnn = NULL;
    const rd_zoneout zoneout = {.state = state, .share = share};
    const rd_rnn_config config = {.cell = "lstm",
                                  .input_size = IN,
                                  .hidden_size = HIDDEN,
                                  .label = "LSTM",
                                  .zoneout = &zoneout,
                                  .n_zoneout = 1};
    test_fails(rd_rnn_new(core, &config, &rnn, &err), &err, sentence);
    assert_null(rnn);
}

static void test_zoneout_of_what_is_no_state_is_named(void **state)
{
    (void)state;
    zoneout_fails("k", 0.5, "LSTM: option 'zoneout' names no state 'k'; there are: h, c");
}

/* ---- sizes ---- */

static void size_fails(uint32_t in, uint32_t hidden, const char *sentence)
{
    rd_error err;
    rd_rnn *rnn = NULL;
    const rd_rnn_config config = {
        .cell = "lstm", .input_size = in, .hidden_size = hidden, .label = "LSTM"};
    test_fails(rd_rnn_new(core, &config, &rnn, &err), &err, sentence);
    assert_null(rnn);
}

static void test_sizes_out_of_range_are_named(void **state)
{
    (void)state;
    size_fails(IN, 65537, "LSTM: option 'hidden_size' must be 1..65536, got 65537");
    size_fails((1 << 24) + 1, HIDDEN,
               "LSTM: option 'input_size' must be 1..16777216, got 16777217");
}

static void test_a_cell_that_is_not_there_is_a_status_without_a_sentence_too(void **state)
{
    (void)state;
    rd_rnn *rnn = NULL;
    const rd_rnn_config config = {
        .cell = "no such cell", .input_size = IN, .hidden_size = HIDDEN, .label = "LSTM"};
    assert_int_not_equal(rd_rnn_new(core, &config, &rnn, NULL), RD_OK);
    assert_null(rnn);
}

/* ---- steps that count ---- */

/* The last states of a row of steps 2, 3, 4, read from the last. */
static void final_of(rd_rnn *rnn, bool with_border, rd_tensor **final)
{
    const rd_rnn_input in = {.x = rnn_tensor(core, 3, RD_SEQUENCE, SHAPE(1, STEPS, IN)),
                             .mask = test_tensor(core, SHAPE(1, STEPS), VALUES(0, 1, 1, 1)),
                             .resets = test_tensor(core, SHAPE(1, STEPS),
                                                   VALUES(0, with_border ? 1 : 0, 0, 0)),
                             .reverse = true};
    RELEASE(run(rnn, &in, final), in.x, in.mask, in.resets);
}

/* In reverse a state is put back before the step that is read next; here none is. */
static void test_a_border_that_no_step_meets_leaves_the_last_state(void **state)
{
    (void)state;
    rd_rnn *rnn = lstm(NULL, 0);
    rd_tensor *with[2] = {NULL, NULL}, *without[2] = {NULL, NULL};
    final_of(rnn, true, with);
    final_of(rnn, false, without);
    test_same(with[0], without[0]);
    test_same(with[1], without[1]);
    RELEASE(with[0], with[1], without[0], without[1]);
    rd_rnn_release(rnn);
}

static void reading_fails(const rd_rnn_input *in, const char *sentence)
{
    rd_error err;
    rd_tensor *y = NULL;
    rd_rnn *rnn = lstm(NULL, 0);
    test_fails(rd_rnn_run(rnn, in, &y, NULL, &err), &err, sentence);
    assert_null(y);
    RELEASE(in->x, in->mask, in->resets);
    rd_rnn_release(rnn);
}

static void test_masks_and_resets_of_other_shapes_are_named(void **state)
{
    rd_error err;
    rd_tensor *one = NULL;
    (void)state;
    OK(rd_scalar(core, 1, &one, &err));
    reading_fails(&(rd_rnn_input){.x = rnn_tensor(core, 3, RD_SEQUENCE, SHAPE(1, STEPS, IN)),
                                  .mask = one},
                  "LSTM: expected a mask (1, 4) or lengths (1), got ()");
    reading_fails(&(rd_rnn_input){.x = rnn_tensor(core, 3, RD_SEQUENCE, SHAPE(1, STEPS, IN)),
                                  .mask = test_tensor(core, SHAPE(1, 1, 1), VALUES(1))},
                  "LSTM: expected a mask (1, 4) or lengths (1), got (1, 1, 1)");
    reading_fails(&(rd_rnn_input){.x = rnn_tensor(core, 3, RD_SEQUENCE, SHAPE(1, STEPS, IN)),
                                  .mask = test_tensor(core, SHAPE(1), VALUES(-1))},
                  "LSTM: lengths must be integers 0..4, got -1 in row 1");
    reading_fails(&(rd_rnn_input){.x = rnn_tensor(core, 3, RD_SEQUENCE, SHAPE(1, STEPS, IN)),
                                  .resets = test_tensor(core, SHAPE(2, STEPS),
                                                        VALUES(0, 0, 0, 0, 0, 0, 0, 0))},
                  "LSTM: expected resets (1, 4), got (2, 4)");
}

static void test_an_input_without_rows_or_steps_is_refused(void **state)
{
    (void)state;
    reading_fails(&(rd_rnn_input){.x = rnn_tensor(core, 3, RD_SEQUENCE, SHAPE(0, STEPS, IN))},
                  "LSTM: the input must have at least one row and one step, got (0, 4, 3)");
    reading_fails(&(rd_rnn_input){.x = rnn_tensor(core, 3, RD_SEQUENCE, SHAPE(1, 0, IN))},
                  "LSTM: the input must have at least one row and one step, got (1, 0, 3)");
    reading_fails(&(rd_rnn_input){.x = rnn_tensor(core, 3, RD_DENSE, SHAPE(1, IN))},
                  "LSTM: expected input (batch, time, 3), got (1, 3)");
}

/* ---- names ---- */

static void test_lines_and_temps_have_names_by_number(void **state)
{
    rd_rnn *rnn = rnn_make(core, &(rnn_layer){.cell = "test_odd", .in = IN, .hidden = HIDDEN});
    uint32_t width = 0;
    (void)state;
    assert_string_equal(rd_rnn_temp(rnn, 1, &width), "p");
    assert_int_equal(width, HIDDEN + 1);
    assert_string_equal(rd_rnn_temp(rnn, 0, NULL), "q");
    assert_null(rd_rnn_temp(rnn, 2, NULL));
    assert_string_equal(rd_rnn_line(rnn, 0, &width), "a");
    assert_int_equal(width, HIDDEN);
    assert_string_equal(rd_rnn_line(rnn, 1, NULL), "b");
    assert_null(rd_rnn_line(rnn, 4, NULL));
    assert_string_equal(rd_rnn_cell(rnn)->name, "test_odd");
    rd_rnn_release(rnn);
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_masks_without_gradients_are_those_of_training),
        TEST(test_zoneout_of_a_named_state_holds_that_one),
        TEST(test_zoneout_of_what_is_no_state_is_named),
        TEST(test_sizes_out_of_range_are_named),
        TEST(test_a_cell_that_is_not_there_is_a_status_without_a_sentence_too),
        TEST(test_a_border_that_no_step_meets_leaves_the_last_state),
        TEST(test_masks_and_resets_of_other_shapes_are_named),
        TEST(test_an_input_without_rows_or_steps_is_refused),
        TEST(test_lines_and_temps_have_names_by_number),
    };
    return cmocka_run_group_tests(tests, open_cells, close_cells);
}
