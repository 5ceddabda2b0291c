/* layer_no_setup.c - lacks its setup function (L3).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static const rd_layer layer = {RIGHT_LAYER("layer_no_setup"), .setup = NULL};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_no_setup"), .layers = layers};
