/* layer_counts_calls.c - counts its calls, to no end (T2).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static volatile unsigned calls;

static void backward(const rd_run *r)
{
    right_layer_backward(r);
    calls++;
}

static const rd_layer layer = {RIGHT_LAYER("layer_counts_calls"), .backward = backward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_counts_calls"), .layers = layers};
