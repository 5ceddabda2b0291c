/* layer_past_save.c - writes behind a save (T3).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static void forward(const rd_run *r)
{
    right_layer_forward(r);
    rd_row(r->save[R_DV], r->steps - 1)[r->in] = 0;
}

static const rd_layer layer = {RIGHT_LAYER("layer_past_save"), .forward = forward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_past_save"), .layers = layers};
