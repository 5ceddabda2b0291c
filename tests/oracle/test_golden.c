/* test_golden.c - cells, optimizers and losses against the committed vectors in golden.tsv.
 *
 * scripts/make_golden.py writes them with PyTorch; this test needs nothing but the file, so it runs
 * everywhere. The larger set of vectors is read by the other tests of this folder where it is there.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include "oracle/golden.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_GATES = 4, MAX_STATES = 2, MAX_SETTINGS = 8 };

/* ---- the file ---------------------------------------------------------------------------------------- */

/* "2x3" or "-" */
static void parse_shape(const char *text, golden_array *a)
{
    a->count = 1;
    for (const char *at = text; *at && *at != '-';) {
        char *end = NULL;
        a->shape[a->ndim] = strtoul(at, &end, 10);
        a->count *= a->shape[a->ndim++];
        at = *end == 'x' ? end + 1 : end;
    }
}

static golden_array parse_line(char *fields)
{
    golden_array a = {0};
    char *values = strchr(fields, '\t');
    assert_non_null(values);
    *values++ = 0;
    parse_shape(fields, &a);
    a.values = calloc(a.count, sizeof *a.values);
    assert_non_null(a.values);
    for (size_t i = 0; i < a.count; i++) a.values[i] = strtod(values, &values);
    return a;
}

/* The array `name` of `group`; false if there is none. */
static bool find(const char *group, const char *name, golden_array *a)
{
    char key[128], line[8192];
    FILE *f = fopen(RD_TEST_SOURCE_DIR "/tests/oracle/golden.tsv", "r");
    bool found = false;
    assert_non_null(f);
    const size_t n = (size_t)snprintf(key, sizeof key, "%s\t%s\t", group, name);
    while (!found && fgets(line, sizeof line, f)) {
        found = strncmp(line, key, n) == 0;
        if (found) *a = parse_line(line + n);
    }
    fclose(f);
    return found;
}

static golden_array need(const char *group, const char *name)
{
    golden_array a = {0};
    if (!find(group, name, &a)) fail_msg("golden.tsv: there is no '%s' of '%s'", name, group);
    return a;
}

static rd_tensor *tensor(rd_core *core, const char *group, const char *name, rd_order order)
{
    golden_array a = need(group, name);
    rd_tensor *t = golden_tensor_of(core, &a, order);
    golden_array_free(&a);
    return t;
}

static rd_tensor *input(rd_core *core, const char *group, const char *name, rd_order order)
{
    rd_error err;
    rd_tensor *t = tensor(core, group, name, order);
    OK(rd_set_requires_grad(t, true, &err));
    return t;
}

static void expect(const char *group, const char *name, const rd_tensor *t, rd_order order)
{
    char what[160];
    golden_array want = need(group, name);
    snprintf(what, sizeof what, "%s %s", group, name);
    golden_check_values(what, &want, t, order);
    golden_array_free(&want);
}

/* ---- cells ------------------------------------------------------------------------------- */

/* Our parameter for each of PyTorch's arrays and each gate that is stacked in it. */
struct cell {
    const char *group;
    rnn_layer layer;
    uint32_t gates;
    const char *name[4][MAX_GATES];
};
static const char *const torch_name[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
static const char *const state_name[MAX_STATES] = {"h", "c"};

static rd_tensor *parameter(const rd_rnn *rnn, const char *name)
{
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
        if (strcmp(rd_rnn_parameter_name(rnn, i), name) == 0) return rd_rnn_parameter(rnn, i);
    fail_msg("no parameter '%s'", name);
    return NULL;
}

/* Sets the parameters, or compares their gradients. */
static void visit(const struct cell *c, const rd_rnn *rnn, bool compare)
{
    char name[64];
    for (size_t kind = 0; kind < 4; kind++) {
        snprintf(name, sizeof name, "%s%s", compare ? "grad." : "", torch_name[kind]);
        golden_array all = need(c->group, name);
        for (uint32_t g = 0; g < c->gates; g++) {
            golden_array part = all;
            part.shape[0] /= c->gates;
            part.count /= c->gates;
            part.values += g * part.count;
            rd_tensor *p = parameter(rnn, c->name[kind][g]);
            if (compare) {
                golden_check_values(name, &part, rd_grad(p), RD_DENSE);
                continue;
            }
            rd_tensor *from = golden_tensor_of(rd_tensor_core(p), &part, RD_DENSE);
            rd_real values[64];
            assert_true(part.count <= 64);
            rd_tensor_read(from, values);
            rnn_set(p, values);
            rd_tensor_release(from);
        }
        golden_array_free(&all);
    }
}

/* Adds sum(t d) to *loss. */
static void weigh(rd_tensor **loss, rd_tensor *t, const char *group, const char *d, rd_order order)
{
    rd_error err;
    rd_tensor *product = NULL, *sum = NULL, *both = NULL;
    rd_tensor *const weights = tensor(rd_tensor_core(t), group, d, order);
    OK(rd_apply2(RD_MUL, t, weights, &product, &err));
    OK(rd_sum(product, RD_ALL, false, &sum, &err));
    OK(rd_apply2(RD_ADD, *loss, sum, &both, &err));
    rd_tensor_release(sum);
    rd_tensor_release(product);
    rd_tensor_release(weights);
    rd_tensor_release(*loss);
    *loss = both;
}

static void check_cell(const struct cell *c)
{
    rd_error err;
    char name[64];
    rd_core *core = rnn_core(1, NULL);
    rd_tensor *first[MAX_STATES] = {0}, *final[MAX_STATES] = {0}, *y = NULL, *loss = NULL;
    rd_rnn *rnn = rnn_make(core, &c->layer);
    const size_t n = rd_rnn_state_count(rnn);
    visit(c, rnn, false);
    rd_tensor *const x = input(core, c->group, "x", RD_SEQUENCE);
    for (size_t s = 0; s < n; s++) {
        snprintf(name, sizeof name, "%s_0", state_name[s]);
        first[s] = input(core, c->group, name, RD_DENSE);
    }
    OK(rd_rnn_forward(rnn, x, first, &y, final, &err));
    OK(rd_scalar(core, 0, &loss, &err));
    expect(c->group, "y", y, RD_SEQUENCE);
    weigh(&loss, y, c->group, "dy", RD_SEQUENCE);
    for (size_t s = 0; s < n; s++) {
        snprintf(name, sizeof name, "d%s_n", state_name[s]);
        expect(c->group, name + 1, final[s], RD_DENSE);
        weigh(&loss, final[s], c->group, name, RD_DENSE);
    }
    OK(rd_backward(loss, NULL, false, &err));
    expect(c->group, "grad.x", rd_grad(x), RD_SEQUENCE);
    for (size_t s = 0; s < n; s++) {
        snprintf(name, sizeof name, "grad.%s_0", state_name[s]);
        expect(c->group, name, rd_grad(first[s]), RD_DENSE);
        rd_tensor_release(final[s]);
        rd_tensor_release(first[s]);
    }
    visit(c, rnn, true);
    rd_tensor_release(loss);
    rd_tensor_release(y);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

#define VANILLA(kind) \
    { \
        "rnn_" kind, \
            {.cell = "vanilla", \
             .option = "activation", \
             .choice = kind, \
             .bias = 2, \
             .in = 3, \
             .hidden = 3}, \
            1, \
        { \
            {"a_x"}, {"a_h"}, {"a_bx"}, \
            { \
                "a_bh" \
            } \
        } \
    }

static void test_golden_rnn_tanh(void **state)
{
    (void)state;
    check_cell(&(struct cell)VANILLA("tanh"));
}

static void test_golden_rnn_relu(void **state)
{
    (void)state;
    check_cell(&(struct cell)VANILLA("relu"));
}

static void test_golden_lstm(void **state)
{
    (void)state;
    check_cell(&(struct cell){"lstm",
                              {.cell = "lstm", .bias = 2, .in = 3, .hidden = 3},
                              4,
                              {{"i_x", "f_x", "g_x", "o_x"},
                               {"i_h", "f_h", "g_h", "o_h"},
                               {"i_bx", "f_bx", "g_bx", "o_bx"},
                               {"i_bh", "f_bh", "g_bh", "o_bh"}}});
}

static void test_golden_gru(void **state)
{
    (void)state;
    check_cell(&(struct cell){
        "gru",
        {.cell = "gru", .option = "reset", .choice = "after", .bias = 2, .in = 3, .hidden = 3},
        3,
        {{"r_x", "z_x", "n_x_x"},
         {"r_h", "z_h", "n_h_h"},
         {"r_bx", "z_bx", "n_x_bx"},
         {"r_bh", "z_bh", "n_h_bh"}}});
}

static void test_golden_gru_reset_before(void **state)
{
    (void)state;
    check_cell(&(struct cell){
        "gru_reset_before",
        {.cell = "gru", .option = "reset", .choice = "before", .bias = 2, .in = 3, .hidden = 3},
        3,
        {{"r_x", "z_x", "n_x"},
         {"r_h", "z_h", "n_q"},
         {"r_bx", "z_bx", "n_bx"},
         {"r_bh", "z_bh", "n_bh"}}});
}

/* ---- optimizers -------------------------------------------------------------------------- */

/* Every option of the kind that the case names. */
static size_t settings_of(const char *kind, const char *group, rd_setting *settings)
{
    uint32_t n_options = 0;
    size_t n = 0;
    const rd_option *options = rd_optimizer_options(kind, &n_options);
    for (uint32_t i = 0; i < n_options; i++) {
        char name[64];
        golden_array a = {0};
        snprintf(name, sizeof name, "option.%s", options[i].name);
        if (!find(group, name, &a)) continue;
        rd_setting *s = &settings[n++];
        *s = (rd_setting){.name = options[i].name, .kind = options[i].kind};
        if (s->kind == RD_BOOL)
            s->value.i = a.values[0] != 0;
        else
            s->value.r = a.values[0];
        golden_array_free(&a);
    }
    return n;
}

/* Step `index` of a trajectory (steps, ...). */
static golden_array step_of(const golden_array *all, size_t index)
{
    golden_array part = {.ndim = all->ndim - 1, .count = all->count / all->shape[0]};
    memcpy(part.shape, all->shape + 1, part.ndim * sizeof *part.shape);
    part.values = all->values + index * part.count;
    return part;
}

static void check_optimizer(const char *kind, const char *group)
{
    rd_error err;
    rd_setting settings[MAX_SETTINGS];
    rd_core *core = rnn_core(1, NULL);
    rd_optimizer *o = NULL;
    rd_tensor *p = input(core, "optimizers", "start", RD_DENSE);
    golden_array grads = need("optimizers", "grads"), path = need(group, "param");
    const size_t n = settings_of(kind, group, settings);
    OK(rd_optimizer_new(kind, settings, n, &p, 1, &o, &err));
    for (size_t i = 0; i < grads.shape[0]; i++) {
        const golden_array g = step_of(&grads, i), want = step_of(&path, i);
        rd_tensor *const seed = golden_tensor_of(core, &g, RD_DENSE);
        rd_zero_grad(p);
        OK(rd_backward(p, seed, false, &err));
        OK(rd_optimizer_step(o, &err));
        golden_check_values(group, &want, p, RD_DENSE);
        rd_tensor_release(seed);
    }
    golden_array_free(&path);
    golden_array_free(&grads);
    rd_optimizer_free(o);
    rd_tensor_release(p);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_golden_sgd(void **state)
{
    (void)state;
    check_optimizer("sgd", "optimizer.sgd");
    check_optimizer("sgd", "optimizer.sgd_momentum");
    check_optimizer("sgd", "optimizer.sgd_nesterov");
}

static void test_golden_rmsprop(void **state)
{
    (void)state;
    check_optimizer("rmsprop", "optimizer.rmsprop");
    check_optimizer("rmsprop", "optimizer.rmsprop_momentum");
    check_optimizer("rmsprop", "optimizer.rmsprop_centered");
}

static void test_golden_adam(void **state)
{
    (void)state;
    check_optimizer("adam", "optimizer.adam");
}

static void test_golden_adamw(void **state)
{
    (void)state;
    check_optimizer("adamw", "optimizer.adamw");
}

/* ---- losses ------------------------------------------------------------------------------ */

typedef rd_status (*loss_fn)(rd_tensor *, rd_tensor *, rd_reduction, rd_tensor **, rd_loss_total *,
                             rd_error *);

static void check_loss(loss_fn fn, rd_reduction how, const char *group)
{
    rd_error err;
    rd_core *core = rnn_core(1, NULL);
    rd_tensor *const x = input(core, group, "x", RD_DENSE), *loss = NULL;
    rd_tensor *const target = tensor(core, group, "target", RD_DENSE);
    OK(fn(x, target, how, &loss, NULL, &err));
    OK(rd_backward(loss, NULL, false, &err));
    expect(group, "loss", loss, RD_DENSE);
    expect(group, "grad", rd_grad(x), RD_DENSE);
    rd_tensor_release(target);
    rd_tensor_release(loss);
    rd_tensor_release(x);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_golden_losses(void **state)
{
    (void)state;
    check_loss(rd_cross_entropy, RD_MEAN, "loss.cross_entropy_mean");
    check_loss(rd_cross_entropy, RD_TOTAL, "loss.cross_entropy_sum");
    check_loss(rd_cross_entropy, RD_MEAN, "loss.cross_entropy_masked");
    check_loss(rd_mse, RD_MEAN, "loss.mse_mean");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_rnn_tanh),
        cmocka_unit_test(test_golden_rnn_relu),
        cmocka_unit_test(test_golden_lstm),
        cmocka_unit_test(test_golden_gru),
        cmocka_unit_test(test_golden_gru_reset_before),
        cmocka_unit_test(test_golden_sgd),
        cmocka_unit_test(test_golden_rmsprop),
        cmocka_unit_test(test_golden_adam),
        cmocka_unit_test(test_golden_adamw),
        cmocka_unit_test(test_golden_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
