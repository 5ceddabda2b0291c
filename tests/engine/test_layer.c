/* test_layer.c - layers of plugins: against tensor operations, derivatives, and the same bits in every form.
 * SPDX-License-Identifier: MIT */
#include "support/layers.h"

#include <string.h>

enum { ROWS = 5, STEPS = 8, IN = 3 };
static const char *const causal[] = {"template.layer", "test_sums"};
static const char *const all[] = {"template.layer", "test_sums", "test_mirror"};

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

static void same_numbers(const layer_result *a, const layer_result *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->number, b->number, a->n * sizeof(rd_real));
}

/* ---- values ------------------------------------------------------------------------------------------ */

/* The template by tensor operations: x behind three steps of zeros, windows side by side, linear, tanh. */
static rd_tensor *by_operations(rd_tensor *x, rd_tensor *w, rd_tensor *b)
{
    enum { TAPS = 4 };
    rd_error err;
    rd_tensor *zeros = rnn_tensor(core, 1, RD_SEQUENCE, SHAPE(ROWS, TAPS - 1, IN));
    rd_tensor *longer = NULL, *tap[TAPS] = {NULL}, *window = NULL, *a = NULL, *y = NULL;
    OK(rd_fill(zeros, 0, &err));
    OK(rd_concat((rd_tensor *[]){zeros, x}, 2, 1, &longer, &err));
    for (size_t k = 0; k < TAPS; k++) OK(rd_slice(longer, 1, k, STEPS, &tap[k], &err));
    OK(rd_concat(tap, TAPS, 2, &window, &err));
    OK(rd_linear(window, w, b, &a, &err));
    OK(rd_apply1(RD_TANH, a, &y, &err));
    RELEASE(zeros, longer, window, a);
    test_release(TAPS, tap);
    return y;
}

static void read_and_clear(rd_tensor *leaf, rd_real *to)
{
    rd_tensor_read(rd_grad(leaf), to);
    rd_zero_grad(leaf);
}

static void test_the_template_is_the_tensor_operations(void **state)
{
    enum { LEAVES = 3, MOST = ROWS * STEPS * 7 };
    rd_error err;
    (void)state;
    rd_plugin_layer *layer = layer_make(core, "template.layer", IN);
    rd_tensor *x = test_leaf(core, SHAPE(ROWS, STEPS, IN), RD_SEQUENCE, 5);
    rd_tensor *leaf[LEAVES] = {x, rd_plugin_layer_parameter(layer, 0, NULL),
                               rd_plugin_layer_parameter(layer, 1, NULL)};
    rd_tensor *y[2] = {NULL}, *loss = NULL;
    static rd_real value[2][MOST], gradient[2][LEAVES][MOST];
    OK(rd_plugin_layer_run(layer, &(rd_rnn_input){.x = x}, &y[0], NULL, &err));
    y[1] = by_operations(x, leaf[1], leaf[2]);
    for (int i = 0; i < 2; i++) {
        rd_tensor_read(y[i], value[i]);
        OK(test_weighted_sum(y[i], &loss, &err));
        OK(rd_backward(loss, NULL, false, &err));
        for (int k = 0; k < LEAVES; k++) read_and_clear(leaf[k], gradient[i][k]);
        rd_tensor_release(loss);
    }
    /* the same products in the same order; gradients of x are added up in another */
    assert_memory_equal(value[0], value[1], sizeof value[0]);
    assert_memory_equal(gradient[0][1], gradient[1][1], sizeof gradient[0][1]);
    assert_memory_equal(gradient[0][2], gradient[1][2], sizeof gradient[0][2]);
    for (size_t i = 0; i < ROWS * STEPS * IN; i++)
        assert_true((double)(gradient[0][0][i] - gradient[1][0][i]) < 1e-5 &&
                    (double)(gradient[1][0][i] - gradient[0][0][i]) < 1e-5);
    rd_tensor_release(x);
    rd_plugin_layer_release(layer);
}

/* u = 0: s halves, three quarters ... by f alone, from its first value 1/2; c = c' / 2 + s[1]. */
static void test_first_values_and_constants(void **state)
{
    rd_error err;
    (void)state;
    rd_plugin_layer *layer = layer_make(core, "test_sums", IN);
    rd_tensor *x = rnn_tensor(core, 1, RD_DENSE, SHAPE(1, 2, IN)), *y = NULL, *final[2];
    rnn_set(rd_plugin_layer_parameter(layer, 1, NULL), (rd_real[]){0, 0, 0});
    OK(rd_plugin_layer_run(layer, &(rd_rnn_input){.x = x}, &y, final, &err));
    test_expect(y, SHAPE(1, 2, 4), VALUES(0.125, 0.25, 0.375, 0.25, 0.03125, 0.125, 0.28125, 0.25));
    test_expect(final[0], SHAPE(1, 3), VALUES(0.03125, 0.125, 0.28125));
    test_expect(final[1], SHAPE(1, 1), VALUES(0.25));
    RELEASE(x, y, final[0], final[1]);
    rd_plugin_layer_release(layer);
}

/* ---- derivatives ------------------------------------------------------------------------------------- */

struct derivative {
    rd_plugin_layer *layer;
    rd_tensor *leaf[8];
    size_t n;
    rd_rnn_input in;
    rd_tensor *state[LAYER_MAX_STATES];
};

static rd_status outputs_and_states(void *user, rd_tensor **out, rd_error *unused)
{
    struct derivative *d = user;
    rd_error err;
    (void)unused;
    rd_tensor *y = NULL, *final[LAYER_MAX_STATES] = {NULL}, *sum[1 + LAYER_MAX_STATES] = {NULL};
    const size_t states = layer_states(d->layer);
    OK(rd_plugin_layer_run(d->layer, &d->in, &y, final, &err));
    OK(test_weighted_sum(y, &sum[0], &err));
    for (size_t k = 0; k < states; k++) {
        rd_tensor *one = NULL;
        OK(test_weighted_sum(final[k], &one, &err));
        OK(rd_apply2(RD_ADD, sum[k], one, &sum[k + 1], &err));
        RELEASE(one, sum[k]);
    }
    *out = sum[states];
    return RD_OK;
}

static void test_gradients_of_all_inputs(void **state)
{
    const double lengths[ROWS] = {8, 3, 0, 5, 8};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct derivative d = {.layer = layer_make(core, all[i], IN)};
        d.leaf[d.n++] = test_leaf(core, SHAPE(ROWS, STEPS, IN), RD_SEQUENCE, 5);
        d.in = (rd_rnn_input){.x = d.leaf[0], .mask = test_tensor(core, SHAPE(ROWS), lengths)};
        for (size_t k = 0; k < layer_states(d.layer); k++) {
            const size_t width = layer_state_width(d.layer, k);
            d.state[k] = d.leaf[d.n++] =
                test_leaf(core, SHAPE(ROWS, width), RD_DENSE, 6 + (uint32_t)k);
            d.in.states = d.state;
        }
        const size_t own = d.n;
        for (size_t k = 0; k < layer_parameters(d.layer); k++) {
            rd_tensor *p = rd_plugin_layer_parameter(d.layer, k, NULL);
            if (rd_requires_grad(p)) d.leaf[d.n++] = p;
        }
        test_gradients(outputs_and_states, &d, d.leaf, d.n);
        test_release(own, d.leaf);
        rd_tensor_release(d.in.mask);
        rd_plugin_layer_release(d.layer);
    }
}

/* ---- the same bits ----------------------------------------------------------------------------------- */

static layer_result whole, other;

static void test_chunks_and_steps_have_the_bits_of_a_sequence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof causal / sizeof causal[0]; i++) {
        layer_form form = {.rows = ROWS, .steps = STEPS, .given = true};
        layer_run(core, causal[i], IN, &form, &whole);
        for (form.chunk = 1; form.chunk < STEPS; form.chunk += form.chunk == 1 ? 1 : 3) {
            layer_run(core, causal[i], IN, &form, &other);
            same_numbers(&whole, &other);
        }
    }
}

static void test_any_order_of_x(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        layer_form form = {.rows = ROWS, .steps = STEPS};
        layer_run(core, all[i], IN, &form, &whole);
        form.dense = true;
        layer_run(core, all[i], IN, &form, &other);
        same_numbers(&whole, &other);
    }
}

static void test_a_mask_in_which_all_steps_count(void **state)
{
    double ones[ROWS * STEPS];
    (void)state;
    for (size_t k = 0; k < ROWS * STEPS; k++) ones[k] = 1;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        layer_form form = {.rows = ROWS, .steps = STEPS, .given = true};
        layer_run(core, all[i], IN, &form, &whole);
        form.mask = ones;
        layer_run(core, all[i], IN, &form, &other);
        same_numbers(&whole, &other);
    }
}

/* Of rows with holes, padding and none that counts: chunks of them, too. */
static void test_masked_chunks(void **state)
{
    const double mask[ROWS * STEPS] = {1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0,
                                       0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0};
    (void)state;
    for (size_t i = 0; i < sizeof causal / sizeof causal[0]; i++) {
        layer_form form = {.rows = ROWS, .steps = STEPS, .given = true, .mask = mask};
        layer_run(core, causal[i], IN, &form, &whole);
        form.chunk = 3;
        layer_run(core, causal[i], IN, &form, &other);
        /* what parameters get is summed in the order of steps that count, which chunks do not have alike */
        assert_memory_equal(whole.number, other.number, whole.dparameters * sizeof(rd_real));
    }
}

/* One row, cut by resets, is the rows that lie between them. */
static void test_resets_part_a_sequence(void **state)
{
    enum { AT = 5 };
    double resets[STEPS] = {0};
    (void)state;
    resets[AT] = 1;
    for (size_t i = 0; i < sizeof causal / sizeof causal[0]; i++) {
        layer_form form = {.rows = 1, .steps = STEPS, .resets = resets};
        layer_run(core, causal[i], IN, &form, &whole);
        form.chunk = AT;
        layer_run(core, causal[i], IN, &form, &other);
        assert_memory_equal(whole.number, other.number, whole.dparameters * sizeof(rd_real));
    }
}

static void test_threads_and_kernels(void **state)
{
    static const uint32_t threads[] = {2, 3, 5};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const layer_form form = {.rows = 13, .steps = 9};
        layer_run(core, all[i], 37, &form, &whole);
        for (size_t k = 0; k < 3; k++) {
            rd_core *wide = rnn_core(threads[k], k == 0 ? "scalar" : NULL);
            layer_run(wide, all[i], 37, &form, &other);
            same_numbers(&whole, &other);
            rd_core_release(wide);
        }
    }
}

/* A graph that is kept gives the same gradients again: they are twice as large. */
static void test_a_graph_that_is_played_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        layer_form form = {.rows = ROWS, .steps = STEPS, .given = true};
        layer_run(core, all[i], IN, &form, &whole);
        form.twice = true;
        layer_run(core, all[i], IN, &form, &other);
        for (size_t k = whole.dx; k < whole.dparameters; k++) whole.number[k] *= 2;
        assert_memory_equal(whole.number, other.number, whole.dparameters * sizeof(rd_real));
        for (size_t k = whole.dparameters; k < whole.n; k++)
            assert_true((double)(other.number[k] - 2 * whole.number[k]) < 1e-4 &&
                        (double)(2 * whole.number[k] - other.number[k]) < 1e-4);
    }
}

/* Without gradients saves are used again from row to row. */
static void test_no_grad_gives_the_same_outputs(void **state)
{
    rd_error err;
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        rd_plugin_layer *layer = layer_make(core, all[i], IN);
        rd_tensor *x = rnn_tensor(core, 9, RD_SEQUENCE, SHAPE(ROWS, STEPS, IN)), *y[2] = {NULL};
        for (int k = 0; k < 2; k++) {
            rd_set_grad_mode(core, k == 0);
            OK(rd_plugin_layer_run(layer, &(rd_rnn_input){.x = x}, &y[k], NULL, &err));
        }
        rd_set_grad_mode(core, true);
        test_same(y[0], y[1]);
        RELEASE(x, y[0], y[1]);
        rd_plugin_layer_release(layer);
    }
}

/* Nothing counts: outputs are 0, and states and their gradients go through. */
static void test_a_batch_without_steps(void **state)
{
    const double nothing[ROWS * STEPS] = {0};
    const layer_form form = {.rows = ROWS, .steps = STEPS, .given = true, .mask = nothing};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        layer_run(core, all[i], IN, &form, &whole);
        rd_plugin_layer *layer = layer_make(core, all[i], IN);
        const size_t y = ROWS * STEPS * rd_plugin_layer_output_size(layer);
        size_t at = y, in = 0;
        for (size_t k = 0; k < y; k++) assert_true(whole.number[k] == 0);
        for (size_t k = 0; k < layer_states(layer); k++) {
            const size_t n = (size_t)ROWS * layer_state_width(layer, k);
            rd_tensor *given = test_leaf(core, SHAPE(n), RD_DENSE, 20 + (uint32_t)k);
            assert_memory_equal(whole.number + at, rd_tensor_at(given), n * sizeof(rd_real));
            rd_tensor_release(given);
            at += n;
            in += n;
        }
        assert_int_equal(whole.dparameters - whole.dstates, in);
        for (size_t k = whole.dx; k < whole.dstates; k++) assert_true(whole.number[k] == 0);
        for (size_t k = whole.dstates; k < whole.dparameters; k++)
            assert_true(whole.number[k] != 0);
        for (size_t k = whole.dparameters; k < whole.n; k++) assert_true(whole.number[k] == 0);
        rd_plugin_layer_release(layer);
    }
}

/* Only the last states are asked about: nothing has arrived at y. */
static void test_gradients_of_last_states_alone(void **state)
{
    rd_error err;
    (void)state;
    rd_plugin_layer *layer = layer_make(core, "test_sums", IN);
    rd_tensor *x = rnn_tensor(core, 9, RD_SEQUENCE, SHAPE(ROWS, STEPS, IN));
    rd_tensor *y = NULL, *final[2] = {NULL}, *loss = NULL;
    OK(rd_plugin_layer_run(layer, &(rd_rnn_input){.x = x}, &y, final, &err));
    OK(rd_sum(final[0], RD_ALL, false, &loss, &err));
    OK(rd_backward(loss, NULL, false, &err));
    assert_non_null(rd_grad(rd_plugin_layer_parameter(layer, 0, NULL)));
    assert_null(rd_grad(rd_plugin_layer_parameter(layer, 2, NULL))); /* a constant */
    RELEASE(x, y, final[0], final[1], loss);
    rd_plugin_layer_release(layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_template_is_the_tensor_operations),
        cmocka_unit_test(test_first_values_and_constants),
        cmocka_unit_test(test_gradients_of_all_inputs),
        cmocka_unit_test(test_chunks_and_steps_have_the_bits_of_a_sequence),
        cmocka_unit_test(test_any_order_of_x),
        cmocka_unit_test(test_a_mask_in_which_all_steps_count),
        cmocka_unit_test(test_masked_chunks),
        cmocka_unit_test(test_resets_part_a_sequence),
        cmocka_unit_test(test_threads_and_kernels),
        cmocka_unit_test(test_a_graph_that_is_played_twice),
        cmocka_unit_test(test_no_grad_gives_the_same_outputs),
        cmocka_unit_test(test_a_batch_without_steps),
        cmocka_unit_test(test_gradients_of_last_states_alone),
    };
    return cmocka_run_group_tests(tests, open_core, close_core);
}
