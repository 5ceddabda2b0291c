/* torch.c - see torch.h.
 * SPDX-License-Identifier: MIT */
#include "oracle/torch.h"
#include <stdio.h>
#include <string.h>

static const char *const torch_name[TORCH_KINDS] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
const torch_map torch_maps[TORCH_CELLS] = {
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

static rd_tensor *parameter(const rd_rnn *rnn, const char *name)
{
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
        if (strcmp(rd_rnn_parameter_name(rnn, i), name) == 0) return rd_rnn_parameter(rnn, i);
    fail_msg("no parameter '%s'", name);
    return NULL;
}

golden_array torch_entry(const golden_array *all, size_t index)
{
    golden_array part = {.ndim = all->ndim - 1, .count = all->count / all->shape[0]};
    memcpy(part.shape, all->shape + 1, part.ndim * sizeof part.shape[0]);
    part.values = all->values + index * part.count;
    return part;
}

void torch_write(rd_tensor *p, const golden_array *values)
{
    rd_error err;
    rd_core *core = rd_tensor_core(p);
    rd_tensor *from = golden_tensor_of(core, values, RD_DENSE);
    rd_set_grad_mode(core, false);
    OK(rd_copy(p, from, &err));
    rd_set_grad_mode(core, true);
    rd_tensor_release(from);
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

/* GROUP/FOLDERweight_ih_l0_reverse */
static golden_array read_of(const torch_stack *s, const char *folder, uint32_t unit, int kind)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s%s_l%u%s", s->group, folder, torch_name[kind],
             unit / s->directions, unit % s->directions ? "_reverse" : "");
    return golden_read(s->f, path);
}

static void open_unit(torch_stack *s, uint32_t unit)
{
    golden_array w = read_of(s, s->parameters, unit, 0);
    const rnn_layer layer = {.cell = s->map->cell,
                             .option = s->map->option,
                             .choice = s->map->choice,
                             .bias = s->bias,
                             .in = (uint32_t)w.shape[1],
                             .hidden = (uint32_t)w.shape[0] / s->map->gates};
    golden_array_free(&w);
    s->rnn[unit] = rnn_make(s->core, &layer);
    s->states = (uint32_t)rd_rnn_state_count(s->rnn[unit]);
    for (int kind = 0; kind < (s->bias ? TORCH_KINDS : 2); kind++) {
        golden_array all = read_of(s, s->parameters, unit, kind);
        for (uint32_t g = 0; g < s->map->gates; g++) {
            const golden_array part = gate_of(&all, s->map->gates, g);
            torch_write(parameter(s->rnn[unit], s->map->name[kind][g]), &part);
        }
        golden_array_free(&all);
    }
}

void torch_open(torch_stack *s)
{
    char path[160];
    s->directions = (uint32_t)golden_number(s->f, s->group, "D", 1);
    s->units = s->directions * (uint32_t)golden_number(s->f, s->group, "L", 1);
    s->bias = golden_number(s->f, s->group, "bias", 1) != 0 ? 2 : 0;
    for (uint32_t k = 0; k < s->units; k++) open_unit(s, k);
    snprintf(path, sizeof path, "%s/lengths", s->group);
    if (golden_has(s->f, path)) s->lengths = golden_tensor(s->core, s->f, path, RD_DENSE);
}

void torch_close(torch_stack *s)
{
    for (uint32_t k = 0; k < s->units; k++) {
        for (uint32_t i = 0; i < s->states; i++) {
            if (s->first[k][i]) rd_tensor_release(s->first[k][i]);
            if (s->final[k][i]) rd_tensor_release(s->final[k][i]);
        }
        rd_rnn_release(s->rnn[k]);
    }
    if (s->lengths) rd_tensor_release(s->lengths);
}

rd_tensor *torch_layer(torch_stack *s, uint32_t unit, rd_tensor *in)
{
    rd_error err;
    rd_tensor *y[2] = {NULL, NULL}, *both = NULL;
    for (uint32_t d = 0; d < s->directions; d++) {
        const rd_rnn_input input = {
            .x = in, .states = s->first[unit + d], .mask = s->lengths, .reverse = d == 1};
        OK(rd_rnn_run(s->rnn[unit + d], &input, &y[d], s->final[unit + d], &err));
    }
    if (s->directions == 1) return y[0];
    OK(rd_concat(y, 2, 2, &both, &err));
    RELEASE(y[0], y[1]);
    return both;
}

void torch_check(const torch_stack *s, const char *folder, int index, bool gradients)
{
    for (uint32_t unit = 0; unit < s->units; unit++)
        for (int kind = 0; kind < (s->bias ? TORCH_KINDS : 2); kind++) {
            golden_array all = read_of(s, folder, unit, kind);
            const golden_array own = index < 0 ? all : torch_entry(&all, (size_t)index);
            for (uint32_t g = 0; g < s->map->gates; g++) {
                const char *name = s->map->name[kind][g];
                const rd_tensor *p = parameter(s->rnn[unit], name);
                const golden_array part = gate_of(&own, s->map->gates, g);
                golden_check_values(name, &part, gradients ? rd_grad(p) : p, RD_DENSE);
            }
            golden_array_free(&all);
        }
}
