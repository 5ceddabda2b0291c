/* right_layer.c - a layer that keeps every rule.
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static const rd_layer layer = {RIGHT_LAYER("right_layer")};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("right_layer"), .layers = layers};
