/* made.c - see made.h. SPDX-License-Identifier: MIT */
#include "made.h"

static rd_status new_rnn(const cell_case *c, uint32_t seed, made *out, rd_error *err)
{
    const rd_rnn_config config = {.cell = c->cell->name,
                                  .input_size = c->in,
                                  .hidden_size = c->hidden,
                                  .bias = c->bias,
                                  .settings = c->settings,
                                  .n_settings = c->n_settings,
                                  .seed = seed,
                                  .layer = 3};
    RD_TRY(rd_rnn_new(c->core, &config, &out->rnn, err));
    out->states = rd_rnn_state_count(out->rnn);
    out->parameters = rd_rnn_parameter_count(out->rnn);
    return RD_OK;
}

static rd_status new_layer(const cell_case *c, uint32_t seed, made *out, rd_error *err)
{
    const rd_plugin_layer_config config = {.name = c->cell->name,
                                           .input_size = c->in,
                                           .settings = c->settings,
                                           .n_settings = c->n_settings,
                                           .seed = seed,
                                           .layer = 3};
    RD_TRY(rd_plugin_layer_new(c->core, &config, &out->layer, err));
    while (rd_plugin_layer_state(out->layer, out->states, NULL)) out->states++;
    while (rd_plugin_layer_parameter(out->layer, out->parameters, NULL)) out->parameters++;
    return RD_OK;
}

rd_status made_new(const cell_case *c, uint32_t seed, made *out, rd_error *err)
{
    *out = (made){0};
    return c->layer ? new_layer(c, seed, out, err) : new_rnn(c, seed, out, err);
}

void made_release(const made *m)
{
    rd_rnn_release(m->rnn);
    rd_plugin_layer_release(m->layer);
}

rd_status made_run(const made *m, const rd_rnn_input *in, rd_tensor **y, rd_tensor **last,
                   rd_error *err)
{
    return m->layer ? rd_plugin_layer_run(m->layer, in, y, last, err)
                    : rd_rnn_run(m->rnn, in, y, last, err);
}

const char *made_state(const made *m, size_t index, uint32_t *width)
{
    if (m->layer) return rd_plugin_layer_state(m->layer, index, width);
    if (width) *width = rd_rnn_state_width(m->rnn, index);
    return rd_rnn_state_name(m->rnn, index);
}

bool made_state_stops(const made *m, size_t index)
{
    return m->rnn && rd_rnn_state_stops(m->rnn, index);
}

rd_tensor *made_parameter(const made *m, size_t index, const char **name)
{
    if (m->layer) return rd_plugin_layer_parameter(m->layer, index, name);
    if (name) *name = rd_rnn_parameter_name(m->rnn, index);
    return rd_rnn_parameter(m->rnn, index);
}

bool made_has_backward(const cell_case *c)
{
    return c->layer ? c->layer->backward != NULL : c->cell->backward != NULL;
}
