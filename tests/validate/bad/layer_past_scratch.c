/* layer_past_scratch.c - asks for less scratch memory than backward uses (T3).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static rd_status plan(const rd_setup *u, uint32_t steps, rd_need *need, char *why, size_t why_cap)
{
    right_plan(u, steps, need, why, why_cap);
    if (u->in > 1) need->scratch_bytes -= sizeof(rd_real);
    return RD_OK;
}

static const rd_layer layer = {RIGHT_LAYER("layer_past_scratch"), .plan = plan};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_past_scratch"), .layers = layers};
