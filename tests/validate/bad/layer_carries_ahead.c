/* layer_carries_ahead.c - says that nothing is carried, and has a state (T1).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static const rd_layer layer = {RIGHT_LAYER("layer_carries_ahead"), .flags = RD_LAYER_NOT_CAUSAL};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_carries_ahead"), .layers = layers};
