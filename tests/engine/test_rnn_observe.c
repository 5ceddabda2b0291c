/* test_rnn_observe.c - what an observer is shown, and what a run costs in memory.
 * SPDX-License-Identifier: MIT */
#include "rondo_trace.h"
#include "support/rnns.h"

#include <math.h>
#include <string.h>

enum { ROWS = 3, STEPS = 4, IN = 2, HIDDEN = 3 };

/* The explicit sum of the contributions of each step to dL/dU: dL/da(t)^T h(t-1). */
struct watch {
    double sum[HIDDEN * HIDDEN];
    int next; /* the step that is due */
    double gate_sum;
};

static void watch_forward(void *user, const rd_observed *seen)
{
    struct watch *w = user;
    assert_int_equal(seen->t, w->next++);
    assert_int_equal(seen->rows, ROWS);
    assert_int_equal(seen->state[0].width, HIDDEN);
    w->gate_sum += (double)seen->line[1].at[0]; /* a sigmoid's value, which forward left */
}

static void watch_backward(void *user, const rd_observed *seen)
{
    struct watch *w = user;
    assert_int_equal(seen->t, --w->next);
    assert_int_equal(seen->x.width, IN);
    for (uint32_t r = 0; r < ROWS; r++)
        for (uint32_t i = 0; i < HIDDEN; i++)
            for (uint32_t j = 0; j < HIDDEN; j++)
                w->sum[i * HIDDEN + j] +=
                    (double)rd_row(seen->line[1], r)[i] * (double)rd_crow(seen->previous[0], r)[j];
    if (seen->t == STEPS - 1) /* L = sum(y): nothing follows the last step */
        for (uint32_t j = 0; j < HIDDEN; j++) assert_true(rd_crow(seen->dstate[0], 1)[j] == 1);
}

static void test_contributions_of_the_steps_add_up_to_the_gradient(void **state)
{
    rd_core *core = rnn_core(2, NULL);
    rd_error err;
    struct watch w = {{0}};
    rd_tensor *y = NULL, *loss = NULL;
    rd_real gradient[HIDDEN * HIDDEN];
    (void)state;
    const rnn_layer layer = {.cell = "gru", .bias = 2, .in = IN, .hidden = HIDDEN};
    rd_rnn *rnn = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 1, RD_SEQUENCE, SHAPE(ROWS, STEPS, IN));
    rd_rnn_observe(rnn, &(rd_observer){watch_forward, watch_backward, &w});
    OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
    assert_int_equal(w.next, STEPS);
    assert_true(w.gate_sum > 0 && w.gate_sum < STEPS);
    OK(rd_sum(y, RD_ALL, false, &loss, &err));
    OK(rd_backward(loss, NULL, false, &err));
    assert_int_equal(w.next, 0);
    assert_string_equal(rd_rnn_parameter_name(rnn, 3), "r_h");
    rd_tensor_read(rd_grad(rd_rnn_parameter(rnn, 3)), gradient);
    for (int i = 0; i < HIDDEN * HIDDEN; i++)
        assert_true(fabs((double)gradient[i] - w.sum[i]) <= 1e-6);
    rd_tensor_release(y);
    rd_tensor_release(loss);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_an_observer_sees_every_step_without_gradients_too(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    struct watch w = {{0}};
    rd_tensor *y = NULL;
    (void)state;
    const rnn_layer layer = {.cell = "gru", .in = IN, .hidden = HIDDEN};
    rd_rnn *rnn = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 1, RD_SEQUENCE, SHAPE(ROWS, STEPS, IN));
    rd_set_grad_mode(core, false);
    rd_rnn_observe(rnn, &(rd_observer){watch_forward, NULL, &w});
    OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
    assert_int_equal(w.next, STEPS);
    rd_tensor_release(y);
    rd_rnn_observe(rnn, NULL);
    OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
    assert_int_equal(w.next, STEPS);
    rd_tensor_release(y);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_lines_and_temps_have_the_names_of_the_declaration(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    uint32_t width = 0;
    (void)state;
    const rnn_layer layer = {.cell = "gru", .in = IN, .hidden = HIDDEN};
    rd_rnn *rnn = rnn_make(core, &layer);
    assert_string_equal(rd_rnn_line(rnn, 1, &width), "r");
    assert_int_equal(width, HIDDEN);
    assert_null(rd_rnn_line(rnn, 4, NULL));
    assert_null(rd_rnn_temp(rnn, 0, NULL));
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* Peak bytes of a run without gradients, less its input and output. */
static size_t inference_bytes(size_t rows, size_t steps)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    rd_tensor *y = NULL;
    const rnn_layer layer = {.cell = "lstm", .in = 8, .hidden = 16};
    rd_rnn *rnn = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 1, RD_SEQUENCE, SHAPE(rows, steps, 8));
    rd_set_grad_mode(core, false);
    OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
    const size_t bytes = rd_core_memory(core).peak_bytes - rd_tensor_bytes(x) - rd_tensor_bytes(y);
    rd_tensor_release(y);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
    return bytes;
}

static void test_inference_keeps_nothing_of_the_steps(void **state)
{
    (void)state;
    /* a block may be a quarter larger than what was asked for: less than what 512 steps would keep */
    const size_t kept = 512 * 64 * sizeof(rd_real);
    assert_true(inference_bytes(40, 512) < inference_bytes(40, 1) + 40 * kept / 2);
    assert_true(inference_bytes(1, 512) < inference_bytes(1, 256) + kept / 2);
}

static void test_a_step_seen_before_asks_nothing_of_the_system(void **state)
{
    rd_core *core = rnn_core(2, NULL);
    rd_error err;
    uint64_t calls = 0;
    (void)state;
    const rnn_layer layer = {.cell = "test_odd", .bias = 2, .in = 5, .hidden = 7};
    rd_rnn *rnn = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 1, RD_SEQUENCE, SHAPE(20, 6, 5));
    for (int step = 0; step < 5; step++) {
        rd_tensor *y = NULL, *final[2] = {NULL, NULL}, *loss = NULL;
        OK(rd_rnn_forward(rnn, x, NULL, &y, final, &err));
        OK(rd_sum(y, RD_ALL, false, &loss, &err));
        OK(rd_backward(loss, NULL, false, &err));
        rd_tensor_release(y);
        rd_tensor_release(final[0]);
        rd_tensor_release(final[1]);
        rd_tensor_release(loss);
        if (step == 1) calls = rd_core_memory(core).system_allocations;
    }
    assert_int_equal(rd_core_memory(core).system_allocations, calls);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contributions_of_the_steps_add_up_to_the_gradient),
        cmocka_unit_test(test_an_observer_sees_every_step_without_gradients_too),
        cmocka_unit_test(test_lines_and_temps_have_the_names_of_the_declaration),
        cmocka_unit_test(test_inference_keeps_nothing_of_the_steps),
        cmocka_unit_test(test_a_step_seen_before_asks_nothing_of_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
