/* rnn.c - a recurrent layer: made from a cell's declaration.
 *
 * Ownership: see rnn.h. One block holds all parameters, so that one version says whether anything packed
 * from them is stale, and one saved tensor lets backward notice that any of them was written.
 * SPDX-License-Identifier: MIT */
#include "engine/noise.h"
#include "plugin/registry.h"
#include "rondo_trace.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HIDDEN = 65536, MAX_IN = 1 << 24 };

/* ---- making one ---------------------------------------------------------------------------------- */

static rd_status check_config(const rd_rnn_config *c, const char *what, rd_error *err)
{
    if (c->hidden_size < 1 || c->hidden_size > MAX_HIDDEN)
        return rdc_fail(err, RD_E_ARG, "%s: option 'hidden_size' must be 1..%d, got %u", what,
                        MAX_HIDDEN, c->hidden_size);
    if (c->input_size < 1 || c->input_size > MAX_IN)
        return rdc_fail(err, RD_E_ARG, "%s: option 'input_size' must be 1..%d, got %u", what,
                        MAX_IN, c->input_size);
    if (c->bias > 2)
        return rdc_fail(err, RD_E_ARG, "%s: a line has 0, 1 or 2 bias vectors, got %u", what,
                        c->bias);
    return RD_OK;
}

static rd_status resolve(rd_rnn *rnn, const rd_rnn_config *c, rd_error *err)
{
    const rd_cell *cell = rnn->cell;
    rnn->options = calloc(cell->n_options + 1u, sizeof *rnn->options);
    if (!rnn->options) return rdc_no_memory(err, cell->n_options * sizeof *rnn->options);
    RD_TRY(rd_options_resolve(rnn->label, cell->options, cell->n_options, cell->option_size,
                              c->settings, c->n_settings, rnn->options, err));
    const rd_setup setup = {.size = sizeof(rd_setup),
                            .in = c->input_size,
                            .hidden = c->hidden_size,
                            .opt = rnn->options,
                            .host = rdc_registry_host(rnn->core)};
    return rdc_layout_new(rnn->label, cell, &setup, c->bias, &rnn->layout, err);
}

static rd_status view_of(rd_rnn *rnn, rdc_block *block, const rdc_parameter *p, rd_tensor **out,
                         rd_error *err)
{
    const size_t stride[2] = {p->ndim == 2 ? p->shape[1] : 1, 1};
    return rdc_tensor_over(rnn->core, block, (rd_real *)block->at + p->at, p->ndim, p->shape,
                           stride, out, err);
}

static rd_status make_parameters(rd_rnn *rnn, const rd_rnn_config *c, rd_error *err)
{
    const rdc_layout *l = rnn->layout;
    rdc_arena *arena = rnn->core->arena;
    const size_t bytes = l->weights * sizeof(rd_real);
    rnn->weights = rdc_block_new(arena, bytes);
    rnn->gradients = rdc_block_new(arena, bytes);
    rnn->parameter = calloc(l->n_parameters + 1u, sizeof(rd_tensor *));
    rnn->forward_pack = calloc(l->n_runs + 1u, sizeof(rdc_packed));
    rnn->backward_pack = calloc(l->n_runs + 1u, sizeof(rdc_packed));
    if (!rnn->weights || !rnn->gradients || !rnn->parameter || !rnn->forward_pack ||
        !rnn->backward_pack)
        return rdc_no_memory(err, 2 * bytes);
    memset(rnn->weights->at, 0, bytes);
    memset(rnn->gradients->at, 0, bytes);
    for (uint32_t i = 0; i < l->n_parameters; i++) {
        const rdc_parameter *p = &l->parameter[i];
        const rd_stream stream = {
            .seed = c->seed, .purpose = RD_FOR_INIT, .layer = c->layer, .update = i};
        RD_TRY(view_of(rnn, rnn->weights, p, &rnn->parameter[i], err));
        RD_TRY(rd_fill_init(rnn->parameter[i], &p->init, &stream, err));
        const bool frozen = p->role != RDC_VECTOR && l->line[p->line].flags & RD_FROZEN;
        RD_TRY(rd_set_requires_grad(rnn->parameter[i], !frozen, err));
        /* neighbours where the parameters are, so that one product writes them all */
        RD_TRY(view_of(rnn, rnn->gradients, p, &rnn->parameter[i]->grad_place, err));
    }
    return RD_OK;
}

rd_status rd_rnn_new(rd_core *core, const rd_rnn_config *config, rd_rnn **out, rd_error *err)
{
    const rd_cell *cell = rd_cell_find(core, config->cell, err);
    if (!cell) return err ? err->code : RD_E_ARG;
    const char *what = config->label ? config->label : config->cell;
    RD_TRY(check_config(config, what, err));
    rd_rnn *rnn = calloc(1, sizeof *rnn);
    if (!rnn) return rdc_no_memory(err, sizeof *rnn);
    rnn->refs = 1;
    rnn->core = core;
    rnn->cell = cell;
    rdc_core_retain(core);
    rd_status status = RD_OK;
    rnn->label = strdup(what);
    if (!rnn->label) status = rdc_no_memory(err, strlen(what));
    if (status == RD_OK) status = resolve(rnn, config, err);
    if (status == RD_OK) status = rdc_noise_plan_new(rnn, config, err);
    if (status == RD_OK) status = make_parameters(rnn, config, err);
    if (status != RD_OK) {
        rd_rnn_release(rnn);
        return status;
    }
    *out = rnn;
    return RD_OK;
}

rd_rnn *rd_rnn_retain(rd_rnn *rnn)
{
    rnn->refs++;
    return rnn;
}

void rd_rnn_release(rd_rnn *rnn)
{
    if (!rnn) return;
    assert(rnn->refs > 0);
    if (--rnn->refs > 0) return;
    rd_core *core = rnn->core;
    const rdc_layout *l = rnn->layout;
    for (uint32_t i = 0; rnn->parameter && i < l->n_parameters; i++)
        rd_tensor_release(rnn->parameter[i]);
    for (uint32_t r = 0; l && r < l->n_runs; r++) {
        if (rnn->forward_pack) rdc_block_release(core->arena, rnn->forward_pack[r].block);
        if (rnn->backward_pack) rdc_block_release(core->arena, rnn->backward_pack[r].block);
    }
    rdc_block_release(core->arena, rnn->table.block);
    rdc_block_release(core->arena, rnn->thinned.block);
    rdc_block_release(core->arena, rnn->weights);
    rdc_block_release(core->arena, rnn->gradients);
    rdc_layout_free(rnn->layout);
    free(rnn->parameter);
    free(rnn->forward_pack);
    free(rnn->backward_pack);
    free(rnn->options);
    free(rnn->noise);
    free(rnn->label);
    free(rnn);
    rd_core_release(core);
}

/* ---- describing it ------------------------------------------------------------------------------- */

const rd_cell *rd_rnn_cell(const rd_rnn *rnn)
{
    return rnn->cell;
}

const rd_value *rd_rnn_options(const rd_rnn *rnn)
{
    return rnn->options;
}

size_t rd_rnn_state_count(const rd_rnn *rnn)
{
    return rnn->layout->n_states;
}

const char *rd_rnn_state_name(const rd_rnn *rnn, size_t index)
{
    return rnn->layout->state_name[index];
}

uint32_t rd_rnn_state_width(const rd_rnn *rnn, size_t index)
{
    return rnn->layout->state[index].width;
}

double rd_rnn_state_first(const rd_rnn *rnn, size_t index)
{
    return rnn->layout->state[index].first;
}

bool rd_rnn_state_stops(const rd_rnn *rnn, size_t index)
{
    return (rnn->layout->state[index].flags & RD_STATE_STOP) != 0;
}

uint32_t rd_rnn_output_size(const rd_rnn *rnn)
{
    return rnn->layout->state[0].width;
}

size_t rd_rnn_parameter_count(const rd_rnn *rnn)
{
    return rnn->layout->n_parameters;
}

const char *rd_rnn_parameter_name(const rd_rnn *rnn, size_t index)
{
    return rnn->layout->parameter[index].name;
}

rd_tensor *rd_rnn_parameter(const rd_rnn *rnn, size_t index)
{
    return rnn->parameter[index];
}

void rd_rnn_observe(rd_rnn *rnn, const rd_observer *observer)
{
    rnn->observed = observer != NULL;
    if (observer) rnn->observer = *observer;
}

const char *rd_rnn_line(const rd_rnn *rnn, size_t id, uint32_t *width)
{
    const rdc_layout *l = rnn->layout;
    if (id >= l->n_lines) return NULL;
    if (width) *width = l->line[id].width;
    return l->line_name[id];
}

const char *rd_rnn_temp(const rd_rnn *rnn, size_t id, uint32_t *width)
{
    const rdc_layout *l = rnn->layout;
    if (id >= l->n_temps) return NULL;
    if (width) *width = l->temp[id].width;
    return l->temp_name[id];
}
