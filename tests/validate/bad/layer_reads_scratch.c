/* layer_reads_scratch.c - reads what another call has left in scratch memory (T3).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static void forward(const rd_run *r)
{
    const rd_real *left = r->scratch;
    right_layer_forward(r);
    rd_row(r->y, 0)[0] += left[0] > 0 ? 1 : 0;
    rd_row(r->y, 0)[1 % r->in] += left[0] == 0 ? 1 : 0;
}

static const rd_layer layer = {RIGHT_LAYER("layer_reads_scratch"), .forward = forward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_reads_scratch"), .layers = layers};
