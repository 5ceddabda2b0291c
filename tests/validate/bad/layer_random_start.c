/* layer_random_start.c - depends on a number that is drawn when it is loaded (T9).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"
#include <unistd.h>

static rd_real drawn;

static rd_status start(const rd_host *host, char *why, size_t why_cap)
{
    (void)host, (void)why, (void)why_cap;
    drawn = (rd_real)getpid() / 1048576;
    return RD_OK;
}

static void forward(const rd_run *r)
{
    right_layer_forward(r);
    for (uint32_t t = 0; t < r->steps; t++) rd_row(r->y, t)[0] += drawn;
}

static const rd_layer layer = {RIGHT_LAYER("layer_random_start"), .forward = forward};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_random_start"), .layers = layers, .init = start};
