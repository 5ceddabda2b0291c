/* layer_leaves_da.c - does not write what the gradient of v is made of in the first step (T3).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static void forward(const rd_run *r)
{
    right_layer_forward(r);
    for (uint32_t j = 0; j < r->in; j++) rd_row(r->save[R_DV], 0)[j] = 1;
}

static void backward(const rd_run *r)
{
    right_layer_backward(r);
    for (uint32_t j = 0; j < r->in; j++) rd_row(r->save[R_DV], 0)[j] = 1;
}

static const rd_layer layer = {RIGHT_LAYER("layer_leaves_da"), .forward = forward,
                               .backward = backward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_leaves_da"), .layers = layers};
