/* layer_id_gap.c - declares save 1 where save 2 is next (T1).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static rd_status setup(const rd_setup *u, rd_layer_builder *b)
{
    right_setup(u, b);
    b->save(b, RD_NEW(rd_save_decl, .id = 1, .width = u->in));
    return RD_OK;
}

static const rd_layer layer = {RIGHT_LAYER("layer_id_gap"), .setup = setup};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_id_gap"), .layers = layers};
