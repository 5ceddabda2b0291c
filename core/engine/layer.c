/* layer.c - a layer of a plugin: made from its declaration.
 *
 * Ownership: see layer.h. One block holds all parameters, so that one saved tensor lets backward notice
 * that any of them was written.
 * SPDX-License-Identifier: MIT */
#include "engine/layer.h"
#include "plugin/registry.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_IN = 1 << 24 };

static rd_status resolve(rd_plugin_layer *l, const rd_plugin_layer_config *c, rd_error *err)
{
    const rd_layer *kind = l->kind;
    l->options = calloc(kind->n_options + 1u, sizeof *l->options);
    if (!l->options) return rdc_no_memory(err, kind->n_options * sizeof *l->options);
    RD_TRY(rd_options_resolve(l->label, kind->options, kind->n_options, kind->option_size,
                              c->settings, c->n_settings, l->options, err));
    l->setup = (rd_setup){.size = sizeof(rd_setup),
                          .in = c->input_size,
                          .opt = l->options,
                          .host = rdc_registry_host(l->core)};
    return rdc_layer_declare(l->label, kind, &l->setup, &l->decl, err);
}

static rd_status view_of(rd_plugin_layer *l, uint32_t i, rdc_block *block, rd_tensor **out,
                         rd_error *err)
{
    const rd_param_decl *p = &l->decl->param[i];
    const size_t shape[2] = {p->rows, p->cols}, stride[2] = {p->cols ? p->cols : 1, 1};
    return rdc_tensor_over(l->core, block, (rd_real *)block->at + l->decl->param_at[i],
                           p->cols ? 2 : 1, shape, stride, out, err);
}

static rd_status make_parameters(rd_plugin_layer *l, const rd_plugin_layer_config *c, rd_error *err)
{
    const rdc_layer_decl *d = l->decl;
    rdc_arena *arena = l->core->arena;
    size_t bytes;
    if (!rdc_mul_size(d->weights, sizeof(rd_real), &bytes)) return rdc_no_memory(err, SIZE_MAX);
    l->weights = rdc_block_new(arena, bytes);
    l->gradients = rdc_block_new(arena, bytes);
    l->parameter = calloc(d->n_params + 1u, sizeof(rd_tensor *));
    if (!l->weights || !l->gradients || !l->parameter) return rdc_no_memory(err, 2 * bytes);
    memset(l->weights->at, 0, bytes);
    memset(l->gradients->at, 0, bytes);
    for (uint32_t i = 0; i < d->n_params; i++) {
        const rd_stream stream = {
            .seed = c->seed, .purpose = RD_FOR_INIT, .layer = c->layer, .update = i};
        RD_TRY(view_of(l, i, l->weights, &l->parameter[i], err));
        RD_TRY(rd_fill_init(l->parameter[i], &d->param[i].init, &stream, err));
        RD_TRY(rd_set_requires_grad(l->parameter[i], !(d->param[i].flags & RD_FROZEN), err));
        RD_TRY(view_of(l, i, l->gradients, &l->parameter[i]->grad_place, err));
    }
    return RD_OK;
}

rd_status rd_plugin_layer_new(rd_core *core, const rd_plugin_layer_config *config,
                              rd_plugin_layer **out, rd_error *err)
{
    const rd_layer *kind = rd_layer_find(core, config->name, err);
    if (!kind) return err ? err->code : RD_E_ARG;
    const char *what = config->label ? config->label : config->name;
    if (config->input_size < 1 || config->input_size > MAX_IN)
        return rdc_fail(err, RD_E_ARG, "%s: option 'input_size' must be 1..%d, got %u", what,
                        MAX_IN, config->input_size);
    rd_plugin_layer *l = calloc(1, sizeof *l);
    if (!l) return rdc_no_memory(err, sizeof *l);
    l->refs = 1;
    l->core = core;
    l->kind = kind;
    rdc_core_retain(core);
    rd_status status = RD_OK;
    l->label = strdup(what);
    if (!l->label) status = rdc_no_memory(err, strlen(what));
    if (status == RD_OK) status = resolve(l, config, err);
    if (status == RD_OK) status = make_parameters(l, config, err);
    if (status != RD_OK) {
        rd_plugin_layer_release(l);
        return status;
    }
    *out = l;
    return RD_OK;
}

void rd_plugin_layer_release(rd_plugin_layer *l)
{
    if (!l) return;
    assert(l->refs > 0);
    if (--l->refs > 0) return;
    rd_core *core = l->core;
    for (uint32_t i = 0; l->parameter && i < l->decl->n_params; i++)
        rd_tensor_release(l->parameter[i]);
    rdc_block_release(core->arena, l->weights);
    rdc_block_release(core->arena, l->gradients);
    rdc_layer_decl_free(l->decl);
    free(l->parameter);
    free(l->options);
    free(l->label);
    free(l);
    rd_core_release(core);
}

uint32_t rd_plugin_layer_output_size(const rd_plugin_layer *layer)
{
    return layer->decl->out;
}

const char *rd_plugin_layer_state(const rd_plugin_layer *layer, size_t index, uint32_t *width)
{
    const rdc_layer_decl *d = layer->decl;
    if (index >= d->n_states) return NULL;
    if (width) *width = d->state[index].width;
    return d->state_name[index];
}

rd_tensor *rd_plugin_layer_parameter(const rd_plugin_layer *layer, size_t i, const char **name)
{
    const rdc_layer_decl *d = layer->decl;
    if (i >= d->n_params) return NULL;
    if (name) *name = d->param_name[i];
    return layer->parameter[i];
}
