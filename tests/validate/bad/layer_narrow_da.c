/* layer_narrow_da.c - has a save for dL/da that is not as wide as the parameter has rows (T1).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static rd_status setup(const rd_setup *u, rd_layer_builder *b)
{
    right_setup(u, b);
    b->param(b, RD_NEW(rd_param_decl, .id = 2, .name = "u", .rows = u->in + 1, .da = R_A));
    return RD_OK;
}

static const rd_layer layer = {RIGHT_LAYER("layer_narrow_da"), .setup = setup};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_narrow_da"), .layers = layers};
