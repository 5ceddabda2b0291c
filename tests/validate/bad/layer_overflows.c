/* layer_overflows.c - has an exponential without bound (T7).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static void forward(const rd_run *r)
{
    right_layer_forward(r);
    rd_row(r->y, 0)[0] += rd_exp(rd_abs(rd_crow(r->x, 0)[0])) * 0;
}

static const rd_layer layer = {RIGHT_LAYER("layer_overflows"), .forward = forward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_overflows"), .layers = layers};
