/* layer_sets_errno.c - leaves an error behind (T2).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"
#include <errno.h>

static void forward(const rd_run *r)
{
    right_layer_forward(r);
    errno = EDOM;
}

static const rd_layer layer = {RIGHT_LAYER("layer_sets_errno"), .forward = forward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_sets_errno"), .layers = layers};
