/* layer_allocates.c - asks for memory in forward (T2).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"
#include <stdlib.h>

static void forward(const rd_run *r)
{
    void *volatile scratch = malloc(r->in);
    right_layer_forward(r);
    free(scratch);
}

static const rd_layer layer = {RIGHT_LAYER("layer_allocates"), .forward = forward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_allocates"), .layers = layers};
