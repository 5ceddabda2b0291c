/* layer_one_more.c - goes one element beyond a row, with what it finds there (T3).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static void backward(const rd_run *r)
{
    right_layer_backward(r);
    for (uint32_t t = 0; t < r->steps; t++) rd_row(r->dx, t)[r->in] *= 2;
}

static const rd_layer layer = {RIGHT_LAYER("layer_one_more"), .backward = backward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_one_more"), .layers = layers};
