/* test_oracle_layers.c - recurrent layers against PyTorch: outputs, last states and every gradient.
 *
 * PyTorch stacks the gates of a layer in one matrix (weight_ih_l0: i f g o, r z n); here each line has its
 * own. Two bias vectors; stacked layers are run one after another, the two directions of a layer side by
 * side: what PyTorch calls layer k and its reverse are units 2k and 2k + 1.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include "oracle/golden.h"

#include <stdio.h>
#include <string.h>

enum { MAX_UNITS = 4, MAX_GATES = 4, KINDS = 4 };

static const char *const torch_name[KINDS] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
struct map { /* of one cell: our parameter for each of PyTorch's and each gate */
    const char *prefix, *cell, *option, *choice;
    uint32_t gates;
    const char *name[KINDS][MAX_GATES];
};
static const struct map maps[] = {
    {"rnn_tanh", "vanilla", "activation", "tanh", 1, {{"a_x"}, {"a_h"}, {"a_bx"}, {"a_bh"}}},
    {"rnn_relu", "vanilla", "activation", "relu", 1, {{"a_x"}, {"a_h"}, {"a_bx"}, {"a_bh"}}},
    {"lstm",
     "lstm",
     NULL,
     NULL,
     4,
     {{"i_x", "f_x", "g_x", "o_x"},
      {"i_h", "f_h", "g_h", "o_h"},
      {"i_bx", "f_bx", "g_bx", "o_bx"},
      {"i_bh", "f_bh", "g_bh", "o_bh"}}},
    {"gru",
     "gru",
     "reset",
     "after",
     3,
     {{"r_x", "z_x", "n_x_x"},
      {"r_h", "z_h", "n_h_h"},
      {"r_bx", "z_bx", "n_x_bx"},
      {"r_bh", "z_bh", "n_h_bh"}}},
    {"gru_rb",
     "gru",
     "reset",
     "before",
     3,
     {{"r_x", "z_x", "n_x"},
      {"r_h", "z_h", "n_q"},
      {"r_bx", "z_bx", "n_bx"},
      {"r_bh", "z_bh", "n_bh"}}},
};
static const char *const variants[] = {"1",      "1_init", "1_nobias", "1_mask",   "2",
                                       "2_drop", "bi",     "bi_mask",  "2bi_mask", "2bi_len0",
                                       "odd",    "sat",    "tiny"};

struct run {
    const golden_file *f;
    const struct map *map;
    char group[64];
    uint32_t units, directions, states, bias;
    rd_core *core;
    rd_rnn *rnn[MAX_UNITS];
    rd_tensor *x, *first[MAX_UNITS][2], *final[MAX_UNITS][2], *loss;
    rd_tensor *lengths; /* or NULL */
};

static rd_tensor *parameter(const rd_rnn *rnn, const char *name)
{
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
        if (strcmp(rd_rnn_parameter_name(rnn, i), name) == 0) return rd_rnn_parameter(rnn, i);
    fail_msg("no parameter '%s'", name);
    return NULL;
}

/* Rows of gate `g` of a stacked array. */
static golden_array gate_of(const golden_array *all, uint32_t gates, uint32_t g)
{
    golden_array part = *all;
    part.shape[0] = all->shape[0] / gates;
    part.count = all->count / gates;
    part.values = all->values + g * part.count;
    return part;
}

/* "PREFIX_l0_reverse" */
static void name_of(const struct run *r, uint32_t unit, const char *kind, char name[32])
{
    snprintf(name, 32, "%s_l%u%s", kind, unit / r->directions,
             unit % r->directions ? "_reverse" : "");
}

/* Writes one of PyTorch's parameters into ours, or compares its gradient with ours. */
static void visit(const struct run *r, uint32_t unit, int kind, bool compare)
{
    rd_error err;
    char path[160], name[32];
    name_of(r, unit, torch_name[kind], name);
    snprintf(path, sizeof path, "%s/%s/%s", r->group, compare ? "grad" : "param", name);
    golden_array all = golden_read(r->f, path);
    for (uint32_t g = 0; g < r->map->gates; g++) {
        golden_array part = gate_of(&all, r->map->gates, g);
        rd_tensor *p = parameter(r->rnn[unit], r->map->name[kind][g]);
        if (compare) {
            golden_check_values(path, &part, rd_grad(p), RD_DENSE);
            continue;
        }
        rd_tensor *from = golden_tensor_of(r->core, &part, RD_DENSE);
        rd_set_grad_mode(r->core, false);
        OK(rd_copy(p, from, &err));
        rd_set_grad_mode(r->core, true);
        rd_tensor_release(from);
    }
    golden_array_free(&all);
}

/* Entry `unit` of an array (units, rows, width). */
static golden_array unit_of(const golden_array *all, uint32_t unit)
{
    golden_array part = *all;
    part.ndim = 2;
    part.shape[0] = all->shape[1];
    part.shape[1] = all->shape[2];
    part.count = all->shape[1] * all->shape[2];
    part.values = all->values + unit * part.count;
    return part;
}

/* loss += sum(t * weights) */
static void weigh(struct run *r, rd_tensor *t, rd_tensor *weights)
{
    rd_error err;
    rd_tensor *product = NULL, *sum = NULL, *both = NULL;
    OK(rd_apply2(RD_MUL, t, weights, &product, &err));
    OK(rd_sum(product, RD_ALL, false, &sum, &err));
    rd_tensor_release(product);
    rd_tensor_release(weights);
    if (!r->loss) {
        r->loss = sum;
        return;
    }
    OK(rd_apply2(RD_ADD, r->loss, sum, &both, &err));
    rd_tensor_release(sum);
    rd_tensor_release(r->loss);
    r->loss = both;
}

static void open_units(struct run *r)
{
    rd_error err;
    char path[160], name[32];
    for (uint32_t k = 0; k < r->units; k++) {
        name_of(r, k, "weight_ih", name);
        snprintf(path, sizeof path, "%s/param/%s", r->group, name);
        golden_array w = golden_read(r->f, path);
        const rnn_layer layer = {.cell = r->map->cell,
                                 .option = r->map->option,
                                 .choice = r->map->choice,
                                 .bias = r->bias,
                                 .in = (uint32_t)w.shape[1],
                                 .hidden = (uint32_t)w.shape[0] / r->map->gates};
        golden_array_free(&w);
        r->rnn[k] = rnn_make(r->core, &layer);
        r->states = (uint32_t)rd_rnn_state_count(r->rnn[k]);
        for (int kind = 0; kind < (r->bias ? KINDS : 2); kind++) visit(r, k, kind, false);
        for (uint32_t s = 0; s < r->states; s++) {
            snprintf(path, sizeof path, "%s/%c_0", r->group, s == 0 ? 'h' : 'c');
            golden_array all = golden_read(r->f, path), own = unit_of(&all, k);
            r->first[k][s] = golden_tensor_of(r->core, &own, RD_DENSE);
            OK(rd_set_requires_grad(r->first[k][s], true, &err));
            golden_array_free(&all);
        }
    }
}

/* Both directions of the layer that begins with `unit`, side by side. */
static rd_tensor *run_layer(struct run *r, uint32_t unit, rd_tensor *in)
{
    rd_error err;
    rd_tensor *y[2] = {NULL, NULL}, *both = NULL;
    for (uint32_t d = 0; d < r->directions; d++) {
        const rd_rnn_input input = {
            .x = in, .states = r->first[unit + d], .mask = r->lengths, .reverse = d == 1};
        OK(rd_rnn_run(r->rnn[unit + d], &input, &y[d], r->final[unit + d], &err));
    }
    if (r->directions == 1) return y[0];
    OK(rd_concat(y, 2, 2, &both, &err));
    RELEASE(y[0], y[1]);
    return both;
}

/* The output of a layer times the stored mask of dropout, where there is one. */
static rd_tensor *drop(const struct run *r, uint32_t layer, rd_tensor *y)
{
    rd_error err;
    char path[160];
    rd_tensor *dropped = NULL;
    snprintf(path, sizeof path, "%s/dropout_scale", r->group);
    if (!golden_has(r->f, path) || (layer + 1) * r->directions == r->units) return y;
    golden_array all = golden_read(r->f, path), own = all;
    own.ndim = 3;
    memcpy(own.shape, all.shape + 1, 3 * sizeof own.shape[0]);
    own.count = all.count / all.shape[0];
    own.values = all.values + layer * own.count;
    rd_tensor *scale = golden_tensor_of(r->core, &own, RD_SEQUENCE);
    golden_array_free(&all);
    OK(rd_apply2(RD_MUL, y, scale, &dropped, &err));
    RELEASE(y, scale);
    return dropped;
}

static void forward(struct run *r)
{
    rd_error err;
    char path[160];
    snprintf(path, sizeof path, "%s/x", r->group);
    r->x = golden_tensor(r->core, r->f, path, RD_SEQUENCE);
    OK(rd_set_requires_grad(r->x, true, &err));
    snprintf(path, sizeof path, "%s/lengths", r->group);
    if (golden_has(r->f, path)) r->lengths = golden_tensor(r->core, r->f, path, RD_DENSE);
    rd_tensor *in = rd_tensor_retain(r->x);
    for (uint32_t unit = 0; unit < r->units; unit += r->directions) {
        rd_tensor *y = run_layer(r, unit, in);
        rd_tensor_release(in);
        in = drop(r, unit / r->directions, y);
    }
    snprintf(path, sizeof path, "%s/y", r->group);
    golden_check(r->f, path, in, RD_SEQUENCE);
    snprintf(path, sizeof path, "%s/dy", r->group);
    weigh(r, in, golden_tensor(r->core, r->f, path, RD_SEQUENCE));
    rd_tensor_release(in);
}

static void check_states(struct run *r, bool gradients)
{
    char path[160], weights[160];
    for (uint32_t s = 0; s < r->states; s++) {
        const char name = s == 0 ? 'h' : 'c';
        snprintf(path, sizeof path, gradients ? "%s/grad/%c_0" : "%s/%c_n", r->group, name);
        snprintf(weights, sizeof weights, "%s/d%c_n", r->group, name);
        golden_array want = golden_read(r->f, path), d = golden_read(r->f, weights);
        for (uint32_t k = 0; k < r->units; k++) {
            golden_array own = unit_of(&want, k), own_d = unit_of(&d, k);
            const rd_tensor *t = gradients ? rd_grad(r->first[k][s]) : r->final[k][s];
            golden_check_values(path, &own, t, RD_DENSE);
            if (!gradients) weigh(r, r->final[k][s], golden_tensor_of(r->core, &own_d, RD_DENSE));
        }
        golden_array_free(&want);
        golden_array_free(&d);
    }
}

static void check_case(golden_file *f, const struct map *map, const char *variant)
{
    rd_error err;
    char path[160];
    struct run r = {.f = f, .map = map, .core = rnn_core(1, NULL)};
    snprintf(r.group, sizeof r.group, "%s_%s", map->prefix, variant);
    r.directions = (uint32_t)golden_number(f, r.group, "D", 1);
    r.units = r.directions * (uint32_t)golden_number(f, r.group, "L", 1);
    r.bias = golden_number(f, r.group, "bias", 1) != 0 ? 2 : 0;
    open_units(&r);
    forward(&r);
    check_states(&r, false);
    OK(rd_backward(r.loss, NULL, false, &err));
    snprintf(path, sizeof path, "%s/grad/x", r.group);
    golden_check(f, path, rd_grad(r.x), RD_SEQUENCE);
    check_states(&r, true);
    for (uint32_t k = 0; k < r.units; k++) {
        for (int kind = 0; kind < (r.bias ? KINDS : 2); kind++) visit(&r, k, kind, true);
        for (uint32_t s = 0; s < r.states; s++) {
            rd_tensor_release(r.first[k][s]);
            rd_tensor_release(r.final[k][s]);
        }
        rd_rnn_release(r.rnn[k]);
    }
    RELEASE(r.x, r.loss);
    if (r.lengths) rd_tensor_release(r.lengths);
    assert_int_equal(test_close_core((void **)&r.core), 0);
}

static void check_cell(const struct map *map)
{
    golden_file *f = golden_open("layers");
    uint32_t n = 0;
    for (size_t v = 0; v < sizeof variants / sizeof variants[0]; v++) {
        char group[64];
        snprintf(group, sizeof group, "%s_%s", map->prefix, variants[v]);
        if (!golden_has(f, group)) continue; /* relu does not saturate */
        check_case(f, map, variants[v]);
        n++;
    }
    golden_close(f);
    assert_in_range(n, 12, 13);
}

static void test_rnn_tanh(void **state)
{
    (void)state;
    check_cell(&maps[0]);
}

static void test_rnn_relu(void **state)
{
    (void)state;
    check_cell(&maps[1]);
}

static void test_lstm(void **state)
{
    (void)state;
    check_cell(&maps[2]);
}

static void test_gru(void **state)
{
    (void)state;
    check_cell(&maps[3]);
}

static void test_gru_reset_before(void **state)
{
    (void)state;
    check_cell(&maps[4]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rnn_tanh),
        cmocka_unit_test(test_rnn_relu),
        cmocka_unit_test(test_lstm),
        cmocka_unit_test(test_gru),
        cmocka_unit_test(test_gru_reset_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
