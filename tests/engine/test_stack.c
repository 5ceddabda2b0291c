/* test_stack.c - layers run as one operation give what they give one after the other, by any threads.
 *
 * The reference is rd_rnn_run of each layer on one thread, a whole sequence at once. Compared byte by byte:
 * the output, last states, and the gradients of all parameters, of the input and of the first states (bit
 * contract, rules 3 to 6).
 * SPDX-License-Identifier: MIT */
#include "support/rnn_forms.h"

#include <string.h>

enum { T = 150, IN = 19, H = 24, MAX_LAYERS = 3, MAX_WIDE = 2 * MAX_LAYERS };

typedef struct stack_form {
    const char *cell;
    uint32_t layers, threads;
    size_t rows, chunk; /* chunk 0: all steps in one call */
    bool one_by_one;    /* a call for each layer */
    bool both;          /* two directions of one layer instead of a stack */
    bool reset;         /* with a border between sequences */
    bool noise;         /* recurrent dropout and zoneout */
    bool ids;           /* one-hot input */
    bool frozen;        /* the lowest layer wants no gradient */
    bool infer;         /* without gradients */
} stack_form;

struct net {
    rd_core *core;
    stack_form form;
    uint32_t n, n_states; /* layers, states of all of them */
    rd_rnn *rnn[MAX_LAYERS];
    rd_tensor *x, *state[MAX_WIDE], *now[MAX_WIDE], *y[MAX_LAYERS];
};

static void open_net(struct net *n, const stack_form *f)
{
    rd_error err;
    *n = (struct net){.core = rnn_core(f->threads, NULL), .form = *f};
    n->n = f->both ? 2 : f->layers;
    for (uint32_t k = 0; k < n->n; k++) {
        const rnn_layer layer = {.cell = f->cell,
                                 .bias = 1 + k % 2,
                                 .in = k == 0 || f->both ? IN : H,
                                 .hidden = H,
                                 .recurrent_dropout = f->noise ? 0.3 : 0,
                                 .zoneout = f->noise ? 0.2 : 0,
                                 .training = f->noise};
        n->rnn[k] = rnn_make(n->core, &layer);
        for (size_t i = 0; k == 0 && f->frozen && i < rd_rnn_parameter_count(n->rnn[k]); i++)
            OK(rd_set_requires_grad(rd_rnn_parameter(n->rnn[k], i), false, &err));
        for (size_t i = 0; i < rd_rnn_state_count(n->rnn[k]); i++, n->n_states++) {
            const uint32_t width = rd_rnn_state_width(n->rnn[k], i);
            n->state[n->n_states] =
                test_leaf(n->core, 2, (size_t[]){f->rows, width}, RD_DENSE, 20 + n->n_states);
            OK(rd_set_requires_grad(n->state[n->n_states], !f->frozen, &err));
            n->now[n->n_states] = rd_tensor_retain(n->state[n->n_states]);
        }
    }
    const rnn_form ids = {.rows = f->rows, .steps = T, .in = IN, .one_hot = true};
    n->x = f->ids ? rnn_ids(n->core, &ids)
                  : test_leaf(n->core, 3, (size_t[]){f->rows, T, IN}, RD_SEQUENCE, 3);
    if (!f->ids) OK(rd_set_requires_grad(n->x, !f->frozen, &err));
}

static void close_net(struct net *n)
{
    for (uint32_t k = 0; k < n->n_states; k++) {
        rd_tensor_release(n->state[k]);
        rd_tensor_release(n->now[k]);
    }
    for (uint32_t k = 0; k < n->n; k++) {
        rd_rnn_release(n->rnn[k]);
        rd_tensor_release(n->y[k]);
    }
    rd_tensor_release(n->x);
    assert_int_equal(test_close_core((void **)&n->core), 0);
}

/* A border before the fourth step of the last row. */
static rd_tensor *border(struct net *n, size_t steps)
{
    rd_error err;
    rd_tensor *t = NULL;
    rd_real values[3 * T] = {0};
    values[(n->form.rows - 1) * steps + 3] = 1;
    OK(rd_tensor_new(n->core, 2, (size_t[]){n->form.rows, steps}, RD_DENSE, &t, &err));
    OK(rd_tensor_write(t, values, &err));
    return t;
}

/* Steps [from, from + steps): n->y and n->now are what they give. */
static void run_piece(struct net *n, size_t from, size_t steps)
{
    rd_error err;
    const rnn_form form = {.rows = n->form.rows, .steps = T, .in = IN, .one_hot = n->form.ids};
    rd_tensor *x = rnn_piece(n->x, &form, from, steps), *final[MAX_WIDE] = {NULL};
    rd_tensor *resets = n->form.reset ? border(n, steps) : NULL;
    rd_rnn_input in[MAX_LAYERS];
    for (uint32_t k = 0, at = 0; k < n->n; k++) {
        in[k] = (rd_rnn_input){.x = k == 0 || n->form.both ? x : NULL,
                               .states = n->now + at,
                               .resets = resets,
                               .reverse = n->form.both && k == 1,
                               .training = n->form.noise,
                               .update = RNN_UPDATE,
                               .time = (uint32_t)from};
        at += (uint32_t)rd_rnn_state_count(n->rnn[k]);
        rd_tensor_release(n->y[k]);
        n->y[k] = NULL;
    }
    if (n->form.one_by_one) {
        for (uint32_t k = 0, at = 0; k < n->n; k++) {
            if (!in[k].x) in[k].x = n->y[k - 1];
            OK(rd_rnn_run(n->rnn[k], &in[k], &n->y[k], final + at, &err));
            at += (uint32_t)rd_rnn_state_count(n->rnn[k]);
        }
    } else {
        OK(rd_rnn_run_all(n->rnn, in, n->n, n->y, final, &err));
    }
    for (uint32_t k = 0; k < n->n_states; k++) {
        rd_tensor_release(n->now[k]);
        n->now[k] = final[k];
    }
    rd_tensor_release(x);
    rd_tensor_release(resets);
}

static void add_loss(rd_tensor **sum, rd_tensor *t)
{
    rd_error err;
    rd_tensor *term = NULL, *both = NULL;
    OK(test_weighted_sum(rd_tensor_retain(t), &term, &err));
    if (*sum) {
        OK(rd_apply2(RD_ADD, *sum, term, &both, &err));
        rd_tensor_release(*sum);
        rd_tensor_release(term);
        term = both;
    }
    *sum = term;
}

/* The outputs of the whole run in `y`, (T, B, H) each, and the loss of all of them and of the last states. */
static rd_tensor *run_net(struct net *n, rnn_seen *seen)
{
    rd_tensor *loss = NULL;
    const size_t chunk = n->form.chunk ? n->form.chunk : T;
    rd_real outputs[2][3 * T * H];
    for (size_t from = 0; from < T; from += chunk) {
        const size_t steps = chunk < T - from ? chunk : T - from, row = n->form.rows * H;
        run_piece(n, from, steps);
        for (uint32_t k = n->form.both ? 0 : n->n - 1, i = 0; k < n->n; k++, i++) {
            memcpy(outputs[i] + from * row, rd_tensor_at(n->y[k]), steps * row * sizeof(rd_real));
            if (from + steps == T) add_loss(&loss, n->y[k]);
        }
    }
    for (uint32_t k = 0; k < n->n_states; k++) add_loss(&loss, n->now[k]);
    for (uint32_t i = 0; i < (n->form.both ? 2 : 1); i++) {
        rd_error err;
        rd_tensor *t = NULL;
        OK(rd_tensor_new(n->core, 1, (size_t[]){n->form.rows * T * H}, RD_DENSE, &t, &err));
        OK(rd_tensor_write(t, outputs[i], &err));
        rnn_see(seen, "y", t);
        rd_tensor_release(t);
    }
    for (uint32_t k = 0; k < n->n_states; k++) rnn_see(seen, "final", n->now[k]);
    return loss;
}

static void see_gradient(rnn_seen *seen, const char *name, rd_tensor *t)
{
    if (rd_grad(t)) rnn_see(seen, name, rd_grad(t));
}

static rnn_seen seen_of(const stack_form *f)
{
    rd_error err;
    rnn_seen seen = {0};
    struct net n;
    open_net(&n, f);
    rd_set_grad_mode(n.core, !f->infer);
    rd_tensor *loss = run_net(&n, &seen);
    if (!f->infer) OK(rd_backward(loss, NULL, false, &err));
    see_gradient(&seen, "x", n.x);
    for (uint32_t k = 0; k < n.n_states; k++) see_gradient(&seen, "state", n.state[k]);
    for (uint32_t k = 0; k < n.n; k++)
        for (size_t i = 0; i < rd_rnn_parameter_count(n.rnn[k]); i++)
            see_gradient(&seen, rd_rnn_parameter_name(n.rnn[k], i), rd_rnn_parameter(n.rnn[k], i));
    rd_tensor_release(loss);
    close_net(&n);
    return seen;
}

static void expect_same(const rnn_seen *want, const stack_form *f)
{
    const rnn_seen got = seen_of(f);
    assert_int_equal(got.n, want->n);
    for (uint32_t i = 0; i < got.n; i++)
        if (got.hash[i] != want->hash[i])
            fail_msg("%s, %u layers, %u threads, %zu rows, chunks of %zu: '%s' differs", f->cell,
                     f->layers, f->threads, f->rows, f->chunk, want->name[i]);
}

/* A form by 1, 2, 3 and 5 threads against its layers one after the other. Chunks reach back to their own
 * first step in loss alone, so that they have a reference of their own. */
static void compare(stack_form f)
{
    f.one_by_one = true;
    f.threads = 1;
    const rnn_seen want = seen_of(&f);
    f.one_by_one = false;
    for (f.threads = 1; f.threads <= 5; f.threads += f.threads < 3 ? 1 : 2) expect_same(&want, &f);
}

static void test_one_row(void **state)
{
    (void)state;
    compare((stack_form){.cell = "lstm", .layers = 1, .rows = 1});
    compare((stack_form){.cell = "lstm", .layers = 2, .rows = 1});
    compare((stack_form){.cell = "gru", .layers = 3, .rows = 1});
}

static void test_few_rows(void **state)
{
    (void)state;
    compare((stack_form){.cell = "gru", .layers = 2, .rows = 2});
    compare((stack_form){.cell = "lstm", .layers = 3, .rows = 3});
}

static void test_a_cell_that_uses_everything(void **state)
{
    (void)state;
    compare((stack_form){.cell = "test_odd", .layers = 3, .rows = 2});
}

static void test_one_hot_input(void **state)
{
    (void)state;
    compare((stack_form){.cell = "lstm", .layers = 2, .rows = 2, .ids = true});
}

static void test_two_directions(void **state)
{
    (void)state;
    compare((stack_form){.cell = "lstm", .rows = 1, .both = true});
    compare((stack_form){.cell = "gru", .rows = 3, .both = true, .reset = true});
}

static void test_resets_go_layer_by_layer(void **state)
{
    (void)state;
    compare((stack_form){.cell = "lstm", .layers = 2, .rows = 2, .reset = true});
}

static void test_regularisers_of_a_layer(void **state)
{
    (void)state;
    compare((stack_form){.cell = "lstm", .layers = 2, .rows = 2, .noise = true});
}

static void test_a_frozen_layer_below(void **state)
{
    (void)state;
    compare((stack_form){.cell = "lstm", .layers = 3, .rows = 1, .frozen = true});
}

static void test_without_gradients(void **state)
{
    (void)state;
    compare((stack_form){.cell = "gru", .layers = 3, .rows = 1, .infer = true});
    compare((stack_form){.cell = "gru", .layers = 3, .rows = 3, .infer = true});
}

/* Rules 4 to 6: a whole sequence, chunks and steps add up to the same. */
static void test_chunks_and_steps_equal_the_sequence(void **state)
{
    stack_form f = {.cell = "gru", .layers = 2, .rows = 1, .threads = 2};
    (void)state;
    f.chunk = 1;
    const rnn_seen steps = seen_of(&f);
    f.chunk = 75;
    compare(f);
    f.chunk = 0;
    const rnn_seen whole = seen_of(&f);
    assert_int_equal(steps.hash[0], whole.hash[0]);
    assert_int_equal(steps.hash[1], whole.hash[1]);
    assert_int_equal(steps.hash[2], whole.hash[2]);
}

/* The last states of the lower layer alone: the upper one has no gradient, as if it had a node of its own. */
static void test_a_layer_that_no_gradient_reaches_has_none(void **state)
{
    rd_error err;
    struct net n;
    rd_tensor *loss = NULL;
    (void)state;
    open_net(&n, &(stack_form){.cell = "gru", .layers = 2, .rows = 1, .threads = 2});
    run_piece(&n, 0, T);
    add_loss(&loss, n.now[0]);
    OK(rd_backward(loss, NULL, false, &err));
    assert_non_null(rd_grad(rd_rnn_parameter(n.rnn[0], 0)));
    assert_null(rd_grad(rd_rnn_parameter(n.rnn[1], 0)));
    assert_null(rd_grad(n.state[1]));
    rd_tensor_release(loss);
    close_net(&n);
}

static void test_a_stack_can_be_played_twice(void **state)
{
    rd_error err;
    struct net n;
    rnn_seen seen[2] = {{0}};
    (void)state;
    open_net(&n, &(stack_form){.cell = "lstm", .layers = 2, .rows = 1, .threads = 2});
    rnn_seen unused = {0};
    rd_tensor *loss = run_net(&n, &unused);
    for (int k = 0; k < 2; k++) {
        for (uint32_t i = 0; i < n.n; i++)
            for (size_t j = 0; j < rd_rnn_parameter_count(n.rnn[i]); j++)
                rd_zero_grad(rd_rnn_parameter(n.rnn[i], j));
        OK(rd_backward(loss, NULL, k == 0, &err));
        for (uint32_t i = 0; i < n.n; i++)
            for (size_t j = 0; j < rd_rnn_parameter_count(n.rnn[i]); j++)
                see_gradient(&seen[k], "parameter", rd_rnn_parameter(n.rnn[i], j));
    }
    assert_memory_equal(seen[0].hash, seen[1].hash, seen[0].n * sizeof(uint64_t));
    rd_tensor_release(loss);
    close_net(&n);
}

static void test_the_third_step_asks_the_system_for_nothing(void **state)
{
    rd_error err;
    struct net n;
    uint64_t before = 0;
    (void)state;
    open_net(&n, &(stack_form){.cell = "lstm", .layers = 3, .rows = 1, .threads = 2});
    for (int i = 0; i < 5; i++) {
        rd_tensor *loss = NULL;
        if (i == 2) before = rd_core_memory(n.core).system_allocations;
        run_piece(&n, 0, T);
        add_loss(&loss, n.y[2]);
        OK(rd_backward(loss, NULL, false, &err));
        rd_tensor_release(loss);
    }
    assert_int_equal(rd_core_memory(n.core).system_allocations, before);
    close_net(&n);
}

static void test_a_wrong_state_of_an_upper_layer_is_named(void **state)
{
    rd_error err;
    struct net n;
    (void)state;
    open_net(&n, &(stack_form){.cell = "gru", .layers = 2, .rows = 1, .threads = 1});
    rd_tensor *y[2] = {NULL}, *bad[1] = {n.x};
    const rd_rnn_input in[2] = {{.x = n.x}, {.states = bad}};
    test_fails(rd_rnn_run_all(n.rnn, in, 2, y, NULL, &err), &err,
               "LSTM 'layer 2': expected state 'h' (1, 24), got (1, 150, 19)");
    close_net(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_row),
        cmocka_unit_test(test_few_rows),
        cmocka_unit_test(test_a_cell_that_uses_everything),
        cmocka_unit_test(test_one_hot_input),
        cmocka_unit_test(test_two_directions),
        cmocka_unit_test(test_resets_go_layer_by_layer),
        cmocka_unit_test(test_regularisers_of_a_layer),
        cmocka_unit_test(test_a_frozen_layer_below),
        cmocka_unit_test(test_without_gradients),
        cmocka_unit_test(test_chunks_and_steps_equal_the_sequence),
        cmocka_unit_test(test_a_layer_that_no_gradient_reaches_has_none),
        cmocka_unit_test(test_a_stack_can_be_played_twice),
        cmocka_unit_test(test_the_third_step_asks_the_system_for_nothing),
        cmocka_unit_test(test_a_wrong_state_of_an_upper_layer_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
