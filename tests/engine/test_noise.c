/* test_noise.c - variational dropout, zoneout and weight drop of every cell: derivatives, bits, errors.
 *
 * Values are compared with references on the tape in tests/lua/regularisers_spec.lua.
 * SPDX-License-Identifier: MIT */
#include "engine/rnn.h"
#include "support/rnn_forms.h"
#include "support/rnn_grid.h"

#include <string.h>

/* Every regulariser alone, and all together: input and recurrent dropout, weight drop, zoneout. */
static void visit_each(rnn_layer layer, rnn_visit_fn visit)
{
    static const double shares[][4] = {
        {0.4}, {0, 0.3}, {0, 0, 0.5}, {0, 0, 0, 0.25}, {0.4, 0.3, 0.5, 0.25}};
    layer.training = true;
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        layer.input_dropout = shares[i][0];
        layer.recurrent_dropout = shares[i][1];
        layer.weight_drop = shares[i][2];
        layer.zoneout = shares[i][3];
        rnn_visit_all(layer, visit);
    }
}

static void test_derivatives_of_every_cell(void **state)
{
    (void)state;
    const rnn_layer layer = {.bias = 1, .in = 3, .hidden = 8};
    rnn_layer evaluated = layer;
    evaluated.zoneout = 0.25;
    visit_each(layer, rnn_check_derivatives);
    rnn_visit_all(evaluated, rnn_check_derivatives);
}

static void check_forms(const rnn_layer *layer)
{
    rnn_say(layer);
    rnn_compare_forms(layer, 3, 5, false);
}

static void check_default_forms(const rnn_layer *layer)
{
    if (layer->settings) return;
    rnn_compare_forms(layer, 37, 3, false);
    rnn_compare_forms(layer, 1, 4, true);
    rnn_compare_forms(layer, 5, 4, true);
}

static const rnn_layer all_on = {.bias = 2,
                                 .in = 5,
                                 .hidden = 20,
                                 .input_dropout = 0.4,
                                 .recurrent_dropout = 0.3,
                                 .weight_drop = 0.5,
                                 .zoneout = 0.25,
                                 .training = true};

static void test_forms_of_every_cell(void **state)
{
    (void)state;
    rnn_visit_all(all_on, check_forms);
}

static void test_forms_of_every_regulariser(void **state)
{
    (void)state;
    visit_each((rnn_layer){.bias = 1, .in = 19, .hidden = 19}, check_default_forms);
}

static void test_forms_of_evaluation(void **state)
{
    (void)state;
    rnn_layer layer = all_on;
    layer.training = false;
    rnn_visit_all(layer, check_default_forms);
}

/* Work that threads share. */
static void test_forms_of_a_wide_layer(void **state)
{
    (void)state;
    rnn_layer layer = all_on;
    layer.cell = "lstm";
    layer.hidden = 96;
    rnn_compare_forms(&layer, 37, 4, false);
    layer.in = 300; /* more ids than a table is made for */
    rnn_compare_forms(&layer, 37, 4, true);
}

/* ---- one-hot input ------------------------------------------------------------------------------- */

struct seen {
    rd_tensor *y, *final;
};

static struct seen run(rd_rnn *rnn, const rd_rnn_input *in)
{
    rd_error err;
    struct seen s = {NULL, NULL};
    rd_tensor *final[RNN_MAX_STATES] = {NULL};
    OK(rd_rnn_run(rnn, in, &s.y, final, &err));
    s.final = final[0];
    for (size_t k = 1; k < rd_rnn_state_count(rnn); k++) rd_tensor_release(final[k]);
    return s;
}

static void backward(rd_tensor *y)
{
    rd_error err;
    rd_tensor *loss = NULL;
    OK(test_weighted_sum(rd_tensor_retain(y), &loss, &err));
    OK(rd_backward(loss, NULL, false, &err));
    rd_tensor_release(loss);
}

static void check_ids(uint32_t in, size_t rows)
{
    rd_error err;
    rd_core *core = rnn_core(1, NULL);
    rnn_layer layer = all_on;
    layer.cell = "gru";
    layer.in = in;
    rd_rnn *a = rnn_make(core, &layer), *b = rnn_make(core, &layer);
    const rnn_form f = {.rows = rows, .steps = 5, .in = in};
    rd_tensor *ids = rnn_ids(core, &f), *hot = NULL, *dense = NULL;
    OK(rd_one_hot(ids, in, &hot, &err));
    OK(rd_tensor_new(core, SHAPE(rows, 5, in), RD_SEQUENCE, &dense, &err));
    OK(rd_copy(dense, hot, &err));
    const struct seen p = run(a, &(rd_rnn_input){.x = hot, .training = true, .update = 2});
    const struct seen q = run(b, &(rd_rnn_input){.x = dense, .training = true, .update = 2});
    test_same(p.y, q.y);
    backward(p.y);
    backward(q.y);
    for (size_t i = 0; i < rd_rnn_parameter_count(a); i++)
        test_same(rd_grad(rd_rnn_parameter(a, i)), rd_grad(rd_rnn_parameter(b, i)));
    RELEASE(ids, hot, dense, p.y, p.final, q.y, q.final);
    rd_rnn_release(a);
    rd_rnn_release(b);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_one_hot_input_has_the_bits_of_dense_input(void **state)
{
    (void)state;
    check_ids(7, 6);    /* looked up in a table */
    check_ids(9000, 2); /* columns are picked */
}

/* ---- lengths ------------------------------------------------------------------------------------- */

enum { ROWS = 4, STEPS = 6 };

/* Rows lie by length, so that sums over rows have one order with and without padding. */
static void test_padding_has_the_bits_of_steps_that_nobody_looks_at(void **state)
{
    (void)state;
    static const rd_real lengths[ROWS] = {6, 4, 4, 1};
    rd_error err;
    rd_core *core = rnn_core(1, NULL);
    rnn_layer layer = all_on;
    layer.cell = "lstm";
    rd_rnn *a = rnn_make(core, &layer), *b = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, SHAPE(ROWS, STEPS, layer.in));
    rd_tensor *n = NULL, *valid = NULL, *seen = NULL;
    rd_real counts[ROWS * STEPS];
    for (size_t i = 0; i < ROWS * STEPS; i++) counts[i] = (rd_real)(i % STEPS) < lengths[i / STEPS];
    OK(rd_tensor_new(core, SHAPE(ROWS), RD_DENSE, &n, &err));
    OK(rd_tensor_new(core, SHAPE(ROWS, STEPS, 1), RD_SEQUENCE, &valid, &err));
    rnn_set(n, lengths);
    rnn_set(valid, counts);
    const struct seen p = run(a, &(rd_rnn_input){.x = x, .mask = n, .training = true});
    const struct seen q = run(b, &(rd_rnn_input){.x = x, .training = true});
    OK(rd_apply2(RD_MUL, q.y, valid, &seen, &err));
    for (size_t r = 0; r < ROWS; r++)
        for (size_t t = 0; t < STEPS; t++) {
            double got, want;
            OK(rd_tensor_get(p.y, (size_t[]){r, t, 3}, &got, &err));
            OK(rd_tensor_get(seen, (size_t[]){r, t, 3}, &want, &err));
            assert_true(got == want);
        }
    backward(p.y);
    backward(seen);
    for (size_t i = 0; i < rd_rnn_parameter_count(a); i++)
        test_same(rd_grad(rd_rnn_parameter(a, i)), rd_grad(rd_rnn_parameter(b, i)));
    RELEASE(x, n, valid, seen, p.y, p.final, q.y, q.final);
    rd_rnn_release(a);
    rd_rnn_release(b);
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* A row with holes is its steps run one by one, each at its place in time. */
static void check_holes(bool reverse)
{
    static const rd_real mask_values[STEPS] = {0, 1, 0, 1, 1, 0};
    static const uint32_t ahead[] = {1, 3, 4}, back[] = {4, 3, 1};
    rd_error err;
    rd_core *core = rnn_core(1, NULL);
    rnn_layer layer = all_on;
    layer.cell = "vanilla";
    rd_rnn *rnn = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, SHAPE(1, STEPS, layer.in));
    rd_tensor *mask = NULL, *h = NULL;
    OK(rd_tensor_new(core, SHAPE(1, STEPS), RD_DENSE, &mask, &err));
    rnn_set(mask, mask_values);
    const struct seen whole = run(
        rnn,
        &(rd_rnn_input){
            .x = x, .mask = mask, .reverse = reverse, .training = true, .update = 9, .time = 100});
    for (size_t i = 0; i < 3; i++) {
        const uint32_t t = reverse ? back[i] : ahead[i];
        rd_tensor *step = NULL;
        OK(rd_slice(x, 1, t, 1, &step, &err));
        const struct seen s = run(rnn, &(rd_rnn_input){.x = step,
                                                       .states = h ? &h : NULL,
                                                       .training = true,
                                                       .update = 9,
                                                       .time = 100 + t});
        RELEASE(step, s.y, h);
        h = s.final;
    }
    test_same(whole.final, h);
    RELEASE(x, mask, h, whole.y, whole.final);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_steps_have_the_masks_of_their_place(void **state)
{
    (void)state;
    check_holes(false);
    check_holes(true);
}

/* Behind a reset time goes on, and the masks of the row stay. */
static void test_resets_leave_masks_as_they_are(void **state)
{
    (void)state;
    static const rd_real resets_values[STEPS] = {0, 0, 1, 0, 0, 0};
    rd_error err;
    rd_core *core = rnn_core(1, NULL);
    rnn_layer layer = all_on;
    layer.cell = "lstm";
    rd_rnn *rnn = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, SHAPE(1, STEPS, layer.in));
    rd_tensor *resets = NULL, *begin = NULL, *rest = NULL, *joined = NULL;
    OK(rd_tensor_new(core, SHAPE(1, STEPS), RD_DENSE, &resets, &err));
    rnn_set(resets, resets_values);
    OK(rd_slice(x, 1, 0, 2, &begin, &err));
    OK(rd_slice(x, 1, 2, 4, &rest, &err));
    const struct seen whole = run(rnn, &(rd_rnn_input){.x = x, .resets = resets, .training = true});
    const struct seen a = run(rnn, &(rd_rnn_input){.x = begin, .training = true});
    const struct seen b = run(rnn, &(rd_rnn_input){.x = rest, .training = true, .time = 2});
    OK(rd_concat((rd_tensor *[]){a.y, b.y}, 2, 1, &joined, &err));
    test_same(whole.y, joined);
    test_same(whole.final, b.final);
    RELEASE(x, resets, begin, rest, joined, whole.y, whole.final, a.y, a.final, b.y, b.final);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* ---- keys ---------------------------------------------------------------------------------------- */

static void test_a_later_update_leaves_an_earlier_pass_its_masks(void **state)
{
    (void)state;
    rd_core *core = rnn_core(1, NULL);
    rnn_layer layer = all_on;
    layer.cell = "lstm";
    rd_rnn *a = rnn_make(core, &layer), *b = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, SHAPE(3, 4, layer.in));
    const rd_rnn_input first = {.x = x, .training = true, .update = 1};
    const rd_rnn_input second = {.x = x, .training = true, .update = 2};
    const struct seen p = run(a, &first), q = run(a, &second), alone = run(b, &first);
    test_same(p.y, alone.y);
    assert_memory_not_equal(rd_tensor_at(p.y), rd_tensor_at(q.y), sizeof(rd_real) * 60);
    backward(p.y);
    backward(alone.y);
    for (size_t i = 0; i < rd_rnn_parameter_count(a); i++)
        test_same(rd_grad(rd_rnn_parameter(a, i)), rd_grad(rd_rnn_parameter(b, i)));
    RELEASE(x, p.y, p.final, q.y, q.final, alone.y, alone.final);
    rd_rnn_release(a);
    rd_rnn_release(b);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_a_dropped_weight_has_no_gradient(void **state)
{
    (void)state;
    enum { H = 20 };
    rd_core *core = rnn_core(1, NULL);
    const rnn_layer layer = {
        .cell = "vanilla", .in = 5, .hidden = H, .weight_drop = 0.5, .training = true};
    rd_rnn *rnn = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, SHAPE(3, 4, layer.in));
    const struct seen s = run(rnn, &(rd_rnn_input){.x = x, .training = true, .update = 3});
    backward(s.y);
    assert_string_equal(rd_rnn_parameter_name(rnn, 1), "a_h");
    const rd_stream stream = {
        .seed = 7, .purpose = RD_FOR_WEIGHTS, .layer = 3, .update = 3, .time = 1};
    size_t dropped = 0, wrong = 0;
    for (uint32_t i = 0; i < H; i++)
        for (uint32_t j = 0; j < H; j++) {
            const bool zero = rd_uniform_at(&stream, i, j) < 0.5;
            dropped += zero;
            wrong += zero != (rd_tensor_at(rd_grad(rd_rnn_parameter(rnn, 1)))[i * H + j] == 0);
        }
    assert_int_equal(wrong, 0);
    assert_true(dropped > H * H / 2 - 30 && dropped < H * H / 2 + 30); /* three deviations */
    RELEASE(x, s.y, s.final);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void see_state(void *user, const rd_observed *step)
{
    rd_real *values = user;
    values[step->t] = step->state[0].at[0];
}

static void test_an_observer_sees_states_that_are_held(void **state)
{
    (void)state;
    rd_core *core = rnn_core(1, NULL);
    const rnn_layer layer = {.cell = "gru", .in = 5, .hidden = 4, .zoneout = 0.5, .training = true};
    rd_rnn *rnn = rnn_make(core, &layer);
    rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, SHAPE(1, 4, layer.in));
    rd_real values[4] = {0};
    rd_rnn_observe(rnn, &(rd_observer){.forward = see_state, .user = values});
    const struct seen s = run(rnn, &(rd_rnn_input){.x = x, .training = true});
    for (size_t t = 0; t < 4; t++) assert_true(values[t] == rd_tensor_at(s.y)[t * 4]);
    RELEASE(x, s.y, s.final);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* ---- what is refused ----------------------------------------------------------------------------- */

static void refuse(rd_rnn_config config, const char *text)
{
    rd_error err;
    rd_core *core = rnn_core(1, NULL);
    rd_rnn *rnn = NULL;
    config.input_size = 4;
    config.hidden_size = 4;
    test_fails(rd_rnn_new(core, &config, &rnn, &err), &err, text);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_shares_outside_of_their_range_are_refused(void **state)
{
    (void)state;
    const rd_zoneout negative = {"h", -0.5};
    refuse((rd_rnn_config){.cell = "lstm", .input_dropout = 1},
           "lstm: option 'input_dropout' must be at least 0 and less than 1, got 1");
    refuse((rd_rnn_config){.cell = "lstm", .recurrent_dropout = 1.5},
           "lstm: option 'recurrent_dropout' must be at least 0 and less than 1, got 1.5");
    refuse((rd_rnn_config){.cell = "lstm", .weight_drop = -1},
           "lstm: option 'weight_drop' must be at least 0 and less than 1, got -1");
    refuse((rd_rnn_config){.cell = "lstm", .zoneout = &negative, .n_zoneout = 1},
           "lstm: option 'zoneout' must be at least 0 and less than 1, got -0.5");
}

static void test_what_a_cell_does_not_have_is_refused(void **state)
{
    (void)state;
    const rd_zoneout missing = {"q", 0.5}, scale = {"c", 0.5};
    refuse((rd_rnn_config){.cell = "indrnn", .weight_drop = 0.5},
           "indrnn: option 'weight_drop' has nothing to drop: no state of the cell indrnn meets a "
           "matrix");
    refuse((rd_rnn_config){.cell = "lstm", .zoneout = &missing, .n_zoneout = 1},
           "lstm: option 'zoneout' names no state 'q'; there are: h, c");
    refuse((rd_rnn_config){.cell = "slstm", .zoneout = &scale, .n_zoneout = 1},
           "slstm: option 'zoneout': the state 'c' means nothing apart from others and cannot be "
           "held; these can: h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derivatives_of_every_cell),
        cmocka_unit_test(test_forms_of_every_cell),
        cmocka_unit_test(test_forms_of_every_regulariser),
        cmocka_unit_test(test_forms_of_evaluation),
        cmocka_unit_test(test_forms_of_a_wide_layer),
        cmocka_unit_test(test_one_hot_input_has_the_bits_of_dense_input),
        cmocka_unit_test(test_padding_has_the_bits_of_steps_that_nobody_looks_at),
        cmocka_unit_test(test_steps_have_the_masks_of_their_place),
        cmocka_unit_test(test_resets_leave_masks_as_they_are),
        cmocka_unit_test(test_a_later_update_leaves_an_earlier_pass_its_masks),
        cmocka_unit_test(test_a_dropped_weight_has_no_gradient),
        cmocka_unit_test(test_an_observer_sees_states_that_are_held),
        cmocka_unit_test(test_shares_outside_of_their_range_are_refused),
        cmocka_unit_test(test_what_a_cell_does_not_have_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
