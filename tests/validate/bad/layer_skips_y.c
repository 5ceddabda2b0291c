/* layer_skips_y.c - leaves an element of y as it was before (T3).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static void forward(const rd_run *r)
{
    const rd_real before = rd_row(r->y, r->steps - 1)[0];
    right_layer_forward(r);
    rd_row(r->y, r->steps - 1)[0] = before;
}

static const rd_layer layer = {RIGHT_LAYER("layer_skips_y"), .forward = forward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_skips_y"), .layers = layers};
