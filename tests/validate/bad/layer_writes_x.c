/* layer_writes_x.c - writes to x (T3).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static void forward(const rd_run *r)
{
    right_layer_forward(r);
    ((rd_real *)(uintptr_t)r->x.at)[0] = 0;
}

static const rd_layer layer = {RIGHT_LAYER("layer_writes_x"), .forward = forward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_writes_x"), .layers = layers};
