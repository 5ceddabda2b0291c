/* test_memory_faults_layers.c - whichever allocation gets nothing: layers with all they can be given.
 * SPDX-License-Identifier: MIT */
#include "faults/every_step.h"
#include "support/layers.h"

enum { ROWS = 2, STEPS = 5, IN = 4, HIDDEN = 6, MOST_STATES = 4 };

static int open_layers(void **state)
{
    (void)state;
    opened = rnn_core(1, NULL);
    return 0;
}

static rd_status new_rnn(rd_core *core, const rnn_layer *layer, rd_rnn **out, rd_error *err)
{
    const rd_zoneout zoneout = {.share = layer->zoneout};
    const rd_rnn_config config = {.cell = layer->cell,
                                  .input_size = layer->in,
                                  .hidden_size = HIDDEN,
                                  .bias = 1,
                                  .seed = 1,
                                  .layer = 1,
                                  .label = "layer",
                                  .input_dropout = layer->input_dropout,
                                  .recurrent_dropout = layer->recurrent_dropout,
                                  .weight_drop = layer->weight_drop,
                                  .zoneout = &zoneout,
                                  .n_zoneout = layer->zoneout > 0};
    return rd_rnn_new(core, &config, out, err);
}

/* The sum of an output and of last states, played backward. */
static rd_status play_all(work *t, rd_tensor *const *final, size_t n, bool twice, rd_error *err)
{
    rd_status status = rd_sum(t->y, RD_ALL, false, &t->loss, err);
    for (size_t k = 0; k < n; k++) {
        rd_tensor *sum = NULL, *both = NULL;
        DO(rd_sum(final[k], RD_ALL, false, &sum, err));
        DO(rd_apply2(RD_ADD, t->loss, sum, &both, err));
        rd_tensor_release(sum);
        if (status != RD_OK) break;
        rd_tensor_release(t->loss);
        t->loss = both;
    }
    DO(rd_backward(t->loss, NULL, twice, err));
    if (twice) DO(rd_backward(t->loss, NULL, false, err));
    return status;
}

static rd_status borders(rd_core *core, rd_tensor **out, rd_error *err)
{
    rd_real values[ROWS * STEPS] = {0};
    rd_status status = rd_tensor_new(core, 2, (size_t[]){ROWS, STEPS}, RD_DENSE, out, err);
    values[3] = values[STEPS] = 1;
    DO(rd_tensor_write(*out, values, err));
    return status;
}

/* Ids whose masks are drawn, rows of unequal length that begin anew, learned first states. */
static rd_status ids_with_regularisers(rd_core *core, work *t, rd_error *err)
{
    const rnn_layer layer = {.cell = "lstm",
                             .in = IN,
                             .input_dropout = 0.3,
                             .recurrent_dropout = 0.3,
                             .weight_drop = 0.3,
                             .zoneout = 0.2};
    rd_rnn *rnn = NULL;
    rd_status status = new_rnn(core, &layer, &rnn, err);
    DO(new_ids(core, IN, SHAPE(ROWS, STEPS), &t->ids, err));
    DO(rd_one_hot(t->ids, IN, &t->x, err));
    DO(new_ids(core, STEPS, SHAPE(ROWS), &t->mask, err));
    DO(borders(core, &t->u, err));
    DO(new_leaf(core, RD_DENSE, SHAPE(HIDDEN), &t->b, err));
    DO(new_leaf(core, RD_DENSE, SHAPE(HIDDEN), &t->w, err));
    const rd_rnn_input in = {.x = t->x,
                             .first = (rd_tensor *[]){t->b, t->w},
                             .mask = t->mask,
                             .resets = t->u,
                             .training = true,
                             .update = 1};
    DO(rd_rnn_run(rnn, &in, &t->y, t->many, err));
    DO(play_all(t, t->many, 2, true, err));
    rd_rnn_release(rnn);
    return status;
}

/* All that a cell can declare, from given states, backwards, x in no order. */
static rd_status a_cell_of_phases(rd_core *core, work *t, rd_error *err)
{
    rd_rnn *rnn = NULL;
    rd_status status = new_rnn(core, &(rnn_layer){.cell = "test_odd", .in = IN}, &rnn, err);
    DO(new_leaf(core, RD_DENSE, SHAPE(STEPS, IN, ROWS), &t->u, err));
    DO(rd_transpose(t->u, 0, 2, &t->z, err));
    DO(rd_transpose(t->z, 1, 2, &t->x, err));
    for (size_t k = 0; status == RD_OK && k < rd_rnn_state_count(rnn); k++)
        DO(new_leaf(core, RD_DENSE, SHAPE(ROWS, rd_rnn_state_width(rnn, k)), &t->many[4 + k], err));
    const rd_rnn_input in = {.x = t->x, .states = t->many + 4, .reverse = true};
    DO(rd_rnn_run(rnn, &in, &t->y, t->many, err));
    DO(play_all(t, t->many, 2, false, err));
    rd_rnn_release(rnn);
    return status;
}

static rd_status layers_as_one(rd_core *core, work *t, rd_error *err)
{
    rd_rnn *rnn[2] = {NULL, NULL};
    rd_tensor *y[2] = {NULL, NULL};
    rd_status status = new_rnn(core, &(rnn_layer){.cell = "gru", .in = IN}, &rnn[0], err);
    DO(new_rnn(core, &(rnn_layer){.cell = "gru", .in = HIDDEN}, &rnn[1], err));
    DO(new_leaf(core, RD_SEQUENCE, SHAPE(ROWS, STEPS, IN), &t->x, err));
    const rd_rnn_input in[2] = {{.x = t->x}, {.x = NULL}};
    rd_tensor *final[2] = {NULL, NULL};
    DO(rd_rnn_run_all(rnn, in, 2, y, final, err));
    if (status == RD_OK) {
        t->y = y[1];
        memcpy(t->many, final, sizeof(final));
    }
    DO(play_all(t, t->many, 2, true, err));
    rd_rnn_release(rnn[0]);
    rd_rnn_release(rnn[1]);
    return status;
}

static rd_status of_a_plugin(rd_core *core, const char *name, work *t, rd_error *err)
{
    rd_plugin_layer *layer = NULL;
    const rd_plugin_layer_config config = {
        .name = name, .label = "layer", .input_size = IN, .seed = 1, .layer = 1};
    rd_status status = rd_plugin_layer_new(core, &config, &layer, err);
    size_t n = status == RD_OK ? layer_states(layer) : 0;
    DO(new_leaf(core, RD_SEQUENCE, SHAPE(ROWS, STEPS, IN), &t->x, err));
    DO(new_ids(core, STEPS, SHAPE(ROWS), &t->mask, err));
    DO(borders(core, &t->u, err));
    for (size_t k = 0; status == RD_OK && k < n; k++)
        DO(new_leaf(core, RD_DENSE, SHAPE(ROWS, layer_state_width(layer, k)), &t->many[4 + k],
                    err));
    const rd_rnn_input in = {
        .x = t->x, .states = n ? t->many + 4 : NULL, .mask = t->mask, .resets = t->u};
    DO(rd_plugin_layer_run(layer, &in, &t->y, t->many, err));
    DO(play_all(t, t->many, n, true, err));
    rd_plugin_layer_release(layer);
    return status;
}

static rd_status a_layer_with_states(rd_core *core, work *t, rd_error *err)
{
    return of_a_plugin(core, "test_sums", t, err);
}

static rd_status a_layer_without_states(rd_core *core, work *t, rd_error *err)
{
    return of_a_plugin(core, "test_mirror", t, err);
}

/* An LSTM whose backward gets nothing from call `call` on; then another loss of it has all it needs. */
static bool play_again(long call, rd_status *again, rd_error *err)
{
    work t = {0};
    rd_rnn *rnn = NULL;
    test_ok(new_rnn(opened, &(rnn_layer){.cell = "lstm", .in = IN}, &rnn, err), err);
    test_ok(new_leaf(opened, RD_SEQUENCE, SHAPE(ROWS, STEPS, IN), &t.x, err), err);
    test_ok(rd_rnn_run(rnn, &(rd_rnn_input){.x = t.x}, &t.y, NULL, err), err);
    test_ok(rd_sum(t.y, RD_ALL, false, &t.loss, err), err);
    test_ok(rd_sum(t.y, RD_ALL, false, &t.z, err), err);
    rd_core_trim(opened);
    memory_faults_begin((memory_fault){call, true});
    const rd_status status = rd_backward(t.loss, NULL, false, err);
    (void)memory_faults_end();
    *again = status == RD_OK ? RD_OK : rd_backward(t.z, NULL, false, err);
    rd_rnn_release(rnn);
    test_release(sizeof(t) / sizeof(rd_tensor *), (rd_tensor *const *)&t);
    return status != RD_OK;
}

/* What a layer kept may be used up when memory fails: then the next says so, and is no wrong gradient. */
static void test_what_a_backward_that_failed_has_used_up_is_not_played_again(void **state)
{
    rd_error err;
    rd_status again;
    size_t refused = 0, played = 0;
    (void)state;
    for (long call = 1; play_again(call, &again, &err); call++) {
        if (again == RD_OK) played++;
        if (again == RD_OK) continue;
        refused++;
        assert_non_null(strstr(err.text, ": there was no memory to keep its result for backward"));
    }
    assert_true(refused > 0 && played > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_backward_that_failed_has_used_up_is_not_played_again),
        STEP(ids_with_regularisers),
        STEP(a_cell_of_phases),
        STEP(layers_as_one),
        STEP(a_layer_with_states),
        STEP(a_layer_without_states),
    };
    return cmocka_run_group_tests(tests, open_layers, close_numbers);
}
