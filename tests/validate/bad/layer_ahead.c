/* layer_ahead.c - keeps every rule, but needs the whole sequence at once: y_t = v x_(T-1-t).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static rd_status setup(const rd_setup *u, rd_layer_builder *b)
{
    const rd_init half = {.kind = RD_INIT_CONST, .a = 0.5};
    b->save(b, RD_NEW(rd_save_decl, .id = 0, .width = u->in));
    b->param(b, RD_NEW(rd_param_decl, .id = 0, .name = "v", .rows = u->in, .init = half));
    return RD_OK;
}

static void forward(const rd_run *r)
{
    for (uint32_t t = 0; t < r->steps; t++)
        for (uint32_t j = 0; j < r->in; j++)
            rd_row(r->y, t)[j] = r->param[0][j] * rd_crow(r->x, r->steps - 1 - t)[j];
}

static void backward(const rd_run *r)
{
    for (uint32_t t = 0; t < r->steps; t++)
        for (uint32_t j = 0; j < r->in; j++) {
            const uint32_t from = r->steps - 1 - t;
            rd_row(r->save[0], t)[j] = rd_crow(r->dy, t)[j] * rd_crow(r->x, from)[j];
            rd_row(r->dx, from)[j] += rd_crow(r->dy, t)[j] * r->param[0][j];
        }
}

static const rd_layer layer = {
    RIGHT_LAYER("layer_ahead"), .flags = RD_LAYER_NOT_CAUSAL, .setup = setup, .plan = NULL,
    .forward = forward,         .backward = backward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_ahead"), .layers = layers};
