/* layer_setup_remembers.c - declares what the sizes of an earlier call were (T1).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static uint32_t largest;

static rd_status setup(const rd_setup *u, rd_layer_builder *b)
{
    if (u->in > largest) largest = u->in;
    right_setup(u, b);
    b->save(b, RD_NEW(rd_save_decl, .id = 2, .width = largest));
    return RD_OK;
}

static const rd_layer layer = {RIGHT_LAYER("layer_setup_remembers"), .setup = setup};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_setup_remembers"), .layers = layers};
