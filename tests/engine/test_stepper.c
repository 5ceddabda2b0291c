/* test_stepper.c - a layer taken step by step without tensors has the bits of a sequence: every cell, with
 * ids and with numbers, one row and several, after a row was put elsewhere.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include "engine/stepper.h"

#include <string.h>

enum { IN = 5, HIDDEN = 8, STEPS = 7, MOST_ROWS = 3 };
static rd_core *core;

static int open_core(void **state)
{
    (void)state;
    core = rnn_core(2, NULL);
    if (core) rd_set_grad_mode(core, false);
    return core ? 0 : 1;
}

static int close_core(void **state)
{
    (void)state;
    return test_close_core((void **)&core);
}

static rd_rnn *layer_of(const char *cell, double zoneout)
{
    const rnn_layer layer = {
        .cell = cell, .bias = 2, .in = IN, .hidden = HIDDEN, .zoneout = zoneout};
    return rnn_make(core, &layer);
}

static rd_tensor *ids_of(size_t rows)
{
    rd_error err;
    rd_real values[MOST_ROWS * STEPS];
    rd_tensor *ids = NULL;
    for (size_t i = 0; i < rows * STEPS; i++) values[i] = (rd_real)(1 + (i * i + 3 * i) % IN);
    OK(rd_tensor_new(core, 2, (size_t[]){rows, STEPS}, RD_SEQUENCE, &ids, &err));
    OK(rd_tensor_write(ids, values, &err));
    return ids;
}

static void expect_row(const rd_tensor *y, size_t row, size_t t, const rd_real *step,
                       const char *cell)
{
    const size_t width = y->shape[2];
    for (size_t j = 0; j < width; j++) {
        const rd_real want = y->at[row * y->stride[0] + t * y->stride[1] + j];
        if (memcmp(&want, &step[row * width + j], sizeof want) != 0)
            fail_msg("%s: step %zu, row %zu, unit %zu: %.9g, in a sequence %.9g", cell, t, row, j,
                     (double)step[row * width + j], (double)want);
    }
}

static void compare(const char *cell, double zoneout, size_t rows, bool one_hot)
{
    rd_error err;
    rd_rnn *rnn = layer_of(cell, zoneout);
    rd_tensor *ids = ids_of(rows), *x = NULL, *y = NULL;
    rdc_stepper s = {0};
    if (one_hot)
        OK(rd_one_hot(ids, IN, &x, &err));
    else
        x = rnn_tensor(core, 3, RD_SEQUENCE, SHAPE(rows, STEPS, IN));
    OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
    OK(rdc_stepper_open(&s, rnn, rows, one_hot, NULL, &err));
    OK(rdc_stepper_ready(&s, &err));
    const uint64_t env = rdc_fp_enter();
    for (size_t t = 0; t < STEPS; t++) {
        int32_t id[MOST_ROWS];
        for (size_t r = 0; r < rows; r++) id[r] = (int32_t)ids->at[t * rows + r];
        const rd_real *step = rdc_stepper_step(&s, id, x->at + t * rows * IN);
        for (size_t r = 0; r < rows; r++) expect_row(y, r, t, step, cell);
    }
    rdc_fp_leave(env);
    rdc_stepper_close(&s);
    rd_rnn_release(rnn);
    RELEASE(ids, x, y);
}

static void test_stepper_has_the_bits_of_a_sequence_by_every_cell(void **state)
{
    (void)state;
    for (size_t i = 0; i < rd_cell_count(core); i++)
        for (size_t rows = 1; rows <= MOST_ROWS; rows += MOST_ROWS - 1) {
            compare(rd_cell_at(core, i)->name, 0, rows, true);
            compare(rd_cell_at(core, i)->name, 0, rows, false);
        }
}

static void test_stepper_blends_states_that_training_holds(void **state)
{
    (void)state;
    compare("gru", 0.25, 2, true);
    compare("lstm", 0.25, 1, false);
}

static void test_stepper_begins_with_given_first_values_and_puts_rows_back(void **state)
{
    (void)state;
    rd_error err;
    rd_rnn *rnn = layer_of("gru", 0);
    rd_tensor *first = rnn_tensor(core, 9, RD_DENSE, SHAPE(HIDDEN)), *y = NULL;
    rd_tensor *x = rnn_tensor(core, 3, RD_SEQUENCE, SHAPE(2, 2, IN));
    rdc_stepper s = {0};
    OK(rd_rnn_run(rnn, &(rd_rnn_input){.x = x, .first = &first}, &y, NULL, &err));
    OK(rdc_stepper_open(&s, rnn, 2, false, &first, &err));
    OK(rdc_stepper_ready(&s, &err));
    const uint64_t env = rdc_fp_enter();
    (void)rdc_stepper_step(&s, NULL, x->at);
    rdc_stepper_put(&s, 1, NULL, 0);
    const rd_real *step = rdc_stepper_step(&s, NULL, x->at);
    expect_row(y, 1, 0, step, "gru");
    rdc_fp_leave(env);
    rdc_stepper_close(&s);
    rd_rnn_release(rnn);
    RELEASE(first, x, y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stepper_has_the_bits_of_a_sequence_by_every_cell),
        cmocka_unit_test(test_stepper_blends_states_that_training_holds),
        cmocka_unit_test(test_stepper_begins_with_given_first_values_and_puts_rows_back),
    };
    return cmocka_run_group_tests(tests, open_core, close_core);
}
