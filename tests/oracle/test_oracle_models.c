/* test_oracle_models.c - whole models against PyTorch: five training steps each.
 *
 * Embedding or series, a recurrent stack, a dense layer on every step or on the last output, a loss,
 * clipping by norm, an optimizer; with carried state, or with lengths and both directions.
 * SPDX-License-Identifier: MIT */
#include "oracle/torch.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 5, MAX_PARAMETERS = 128, MAX_SETTINGS = 4, DENSE_WEIGHT = 0, DENSE_BIAS, EMBEDDING };

static const char *const own_name[] = {"dense.weight", "dense.bias", "embedding.weight"};

struct model {
    torch_stack stack;
    bool carries;
    rd_tensor *own[3]; /* as named above; no embedding where the input is a series */
    rd_tensor *parameter[MAX_PARAMETERS];
    size_t n_parameters;
    rd_optimizer *optimizer;
    golden_array x, target, losses, norms;
};

static golden_array read_in(const torch_stack *s, const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", s->group, name);
    return golden_read(s->f, path);
}

static void make_optimizer(struct model *m)
{
    static const char *const known[MAX_SETTINGS] = {"lr", "momentum", "alpha", "eps"};
    static const char *const kinds[][2] = {
        {"Adam", "adam"}, {"SGD", "sgd"}, {"RMSprop", "rmsprop"}};
    const torch_stack *s = &m->stack;
    rd_error err;
    rd_setting settings[MAX_SETTINGS];
    size_t n = 0;
    char name[64];
    for (size_t i = 0; i < MAX_SETTINGS; i++) {
        snprintf(name, sizeof name, "opt_%s", known[i]);
        const double value = golden_number(s->f, s->group, name, -1);
        if (value >= 0) settings[n++] = (rd_setting){known[i], RD_REAL, {.r = value}, NULL};
    }
    golden_text(s->f, s->group, "optimizer", name);
    for (size_t i = 0; i < 3; i++)
        if (strcmp(name, kinds[i][0]) == 0)
            OK(rd_optimizer_new(kinds[i][1], settings, n, m->parameter, m->n_parameters,
                                &m->optimizer, &err));
    assert_non_null(m->optimizer);
}

static void open_model(struct model *m)
{
    rd_error err;
    torch_stack *s = &m->stack;
    char cell[64], path[160];
    golden_text(s->f, s->group, "cell", cell);
    for (size_t i = 0; i < TORCH_CELLS; i++)
        if (strcmp(torch_maps[i].prefix, cell) == 0) s->map = &torch_maps[i];
    assert_non_null(s->map);
    torch_open(s);
    m->carries = golden_number(s->f, s->group, "carry_state", 0) != 0;
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/param_0/%s", s->group, own_name[i]);
        if (!golden_has(s->f, path)) continue;
        m->own[i] = golden_tensor(s->core, s->f, path, RD_DENSE);
        OK(rd_set_requires_grad(m->own[i], true, &err));
        m->parameter[m->n_parameters++] = m->own[i];
    }
    for (uint32_t k = 0; k < s->units; k++)
        for (size_t i = 0; i < rd_rnn_parameter_count(s->rnn[k]); i++)
            m->parameter[m->n_parameters++] = rd_rnn_parameter(s->rnn[k], i);
    make_optimizer(m);
    m->x = read_in(s, "x");
    m->target = read_in(s, "target");
    m->losses = read_in(s, "loss");
    m->norms = read_in(s, "grad_norm");
}

static void close_model(struct model *m)
{
    torch_stack *s = &m->stack;
    rd_optimizer_free(m->optimizer);
    torch_close(s);
    for (size_t i = 0; i < 3; i++)
        if (m->own[i]) rd_tensor_release(m->own[i]);
    golden_array_free(&m->x);
    golden_array_free(&m->target);
    golden_array_free(&m->losses);
    golden_array_free(&m->norms);
    assert_int_equal(test_close_core((void **)&s->core), 0);
}

/* PyTorch's classes of one step, from 0, as ids; 0 where a step of (T, B) does not count. */
static rd_tensor *ids_of(const struct model *m, const golden_array *all, size_t step, bool masked)
{
    const torch_stack *s = &m->stack;
    golden_array a = torch_entry(all, step);
    rd_real lengths[16] = {0};
    if (s->lengths) rd_tensor_read(s->lengths, lengths);
    double ids[256];
    assert_true(a.count <= 256 && a.shape[1] <= 16);
    for (size_t i = 0; i < a.count; i++) {
        const bool absent =
            masked && s->lengths && (rd_real)(i / a.shape[1]) >= lengths[i % a.shape[1]];
        ids[i] = absent ? 0 : a.values[i] + 1;
    }
    a.values = ids;
    return golden_tensor_of(s->core, &a, RD_SEQUENCE);
}

static rd_tensor *input_of(const struct model *m, size_t step)
{
    rd_error err;
    rd_tensor *x = NULL;
    if (!m->own[EMBEDDING]) {
        const golden_array a = torch_entry(&m->x, step);
        return golden_tensor_of(m->stack.core, &a, RD_SEQUENCE);
    }
    rd_tensor *ids = ids_of(m, &m->x, step, false);
    OK(rd_embedding(ids, m->own[EMBEDDING], &x, &err));
    rd_tensor_release(ids);
    return x;
}

/* The last outputs of the directions of the last layer, side by side. */
static rd_tensor *last_output(torch_stack *s)
{
    rd_error err;
    rd_tensor *last[2], *both = NULL;
    const uint32_t unit = s->units - s->directions;
    if (s->directions == 1) return rd_tensor_retain(s->final[unit][0]);
    for (uint32_t d = 0; d < 2; d++) last[d] = s->final[unit + d][0];
    OK(rd_concat(last, 2, 1, &both, &err));
    return both;
}

static rd_tensor *loss_of(struct model *m, size_t step)
{
    rd_error err;
    torch_stack *s = &m->stack;
    rd_tensor *y = input_of(m, step), *out = NULL, *loss = NULL, *target;
    for (uint32_t unit = 0; unit < s->units; unit += s->directions) {
        rd_tensor *next = torch_layer(s, unit, y);
        rd_tensor_release(y);
        y = next;
    }
    if (m->own[EMBEDDING]) {
        target = ids_of(m, &m->target, step, true);
        OK(rd_linear(y, m->own[DENSE_WEIGHT], m->own[DENSE_BIAS], &out, &err));
        OK(rd_cross_entropy(out, target, RD_MEAN, &loss, NULL, &err));
    } else {
        const golden_array a = torch_entry(&m->target, step);
        rd_tensor *last = last_output(s);
        target = golden_tensor_of(s->core, &a, RD_DENSE);
        OK(rd_linear(last, m->own[DENSE_WEIGHT], m->own[DENSE_BIAS], &out, &err));
        OK(rd_mse(out, target, RD_MEAN, &loss, NULL, &err));
        rd_tensor_release(last);
    }
    RELEASE(y, out, target);
    return loss;
}

static void check_states(const torch_stack *s, size_t step)
{
    char name[32];
    for (uint32_t i = 0; i < s->states; i++) {
        snprintf(name, sizeof name, "state_%zu/%c", step, i == 0 ? 'h' : 'c');
        golden_array all = read_in(s, name);
        for (uint32_t k = 0; k < s->units; k++) {
            const golden_array own = torch_entry(&all, k);
            golden_check_values(name, &own, s->final[k][i], RD_DENSE);
        }
        golden_array_free(&all);
    }
}

/* The model's parameters, or their gradients, as in torch_check. */
static void check_parameters(const struct model *m, const char *folder, int index, bool gradients)
{
    char name[96];
    for (size_t i = 0; i < 3; i++) {
        if (!m->own[i]) continue;
        snprintf(name, sizeof name, "%s%s", folder, own_name[i]);
        golden_array all = read_in(&m->stack, name);
        const golden_array own = index < 0 ? all : torch_entry(&all, (size_t)index);
        golden_check_values(name, &own, gradients ? rd_grad(m->own[i]) : m->own[i], RD_DENSE);
        golden_array_free(&all);
    }
    snprintf(name, sizeof name, "%srnn.", folder);
    torch_check(&m->stack, name, index, gradients);
}

/* Carries the states on without their graph, or drops them. */
static void move_states(struct model *m)
{
    rd_error err;
    torch_stack *s = &m->stack;
    for (uint32_t k = 0; k < s->units; k++)
        for (uint32_t i = 0; i < s->states; i++) {
            if (s->first[k][i]) rd_tensor_release(s->first[k][i]);
            s->first[k][i] = NULL;
            if (m->carries) OK(rd_detach(s->final[k][i], &s->first[k][i], &err));
            rd_tensor_release(s->final[k][i]);
            s->final[k][i] = NULL;
        }
}

static void near(double got, double want)
{
    assert_true(fabs(got - want) <= GOLDEN_TOLERANCE * fmax(1, fabs(want)));
}

static void train_step(struct model *m, size_t step)
{
    rd_error err;
    const torch_stack *s = &m->stack;
    rd_real value;
    double norm;
    size_t bad;
    rd_tensor *loss = loss_of(m, step);
    for (size_t i = 0; i < m->n_parameters; i++) rd_zero_grad(m->parameter[i]);
    OK(rd_backward(loss, NULL, false, &err));
    rd_tensor_read(loss, &value);
    rd_tensor_release(loss);
    near((double)value, m->losses.values[step]);
    if (step == 0) check_parameters(m, "grad_1_unclipped/", -1, true);
    if (step == 0 || step == STEPS - 1) check_states(s, step + 1);
    OK(rd_clip_grad_norm(m->parameter, m->n_parameters,
                         golden_number(s->f, s->group, "clip_norm", 0), &norm, &bad, &err));
    near(norm, m->norms.values[step]);
    OK(rd_optimizer_step(m->optimizer, &err));
    if (step == 0) check_parameters(m, "param_after/", 0, false);
    if (step == STEPS - 1) check_parameters(m, "param_after/", 1, false);
    move_states(m);
}

static void check_model(const char *name)
{
    golden_file *f = golden_open("models");
    struct model m = {.stack = {.f = f, .parameters = "param_0/rnn.", .core = rnn_core(1, NULL)}};
    snprintf(m.stack.group, sizeof m.stack.group, "%s", name);
    open_model(&m);
    for (size_t step = 0; step < STEPS; step++) train_step(&m, step);
    close_model(&m);
    golden_close(f);
}

static void test_characters(void **state)
{
    (void)state;
    check_model("chars_lstm2_adam");
    check_model("chars_gru_sgd");
    check_model("chars_gru_rb_adam");
}

static void test_characters_of_unequal_length_both_ways(void **state)
{
    (void)state;
    check_model("chars_bilstm_mask_adam");
}

static void test_series(void **state)
{
    (void)state;
    check_model("series_rnn_sgd");
}

static void test_series_of_unequal_length_both_ways(void **state)
{
    (void)state;
    check_model("series_bigru_rmsprop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_characters_of_unequal_length_both_ways),
        cmocka_unit_test(test_series),
        cmocka_unit_test(test_series_of_unequal_length_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
