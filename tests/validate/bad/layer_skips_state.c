/* layer_skips_state.c - leaves an element of its state as it was before (T3).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static void forward(const rd_run *r)
{
    const rd_real before = r->next[R_H][0];
    right_layer_forward(r);
    r->next[R_H][0] = before;
}

static const rd_layer layer = {RIGHT_LAYER("layer_skips_state"), .forward = forward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_skips_state"), .layers = layers};
