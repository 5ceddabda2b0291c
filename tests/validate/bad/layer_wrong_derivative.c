/* layer_wrong_derivative.c - forgets a factor (T6).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static void backward(const rd_run *r)
{
    right_layer_backward(r);
    for (uint32_t t = 0; t < r->steps; t++) rd_row(r->dx, t)[0] *= 2;
}

static const rd_layer layer = {RIGHT_LAYER("layer_wrong_derivative"), .backward = backward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_wrong_derivative"), .layers = layers};
