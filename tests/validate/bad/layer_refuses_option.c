/* layer_refuses_option.c - refuses a value that its option allows (T8).
 * SPDX-License-Identifier: MIT */
#include "right_layer.h"

static const rd_option options[] = {
    {.name = "order",
     .help = "",
     .kind = RD_INT,
     .flags = RD_OPT_SHAPE,
     .def = 1,
     .min = 1,
     .max = 4},
};

static rd_status setup(const rd_setup *u, rd_layer_builder *b)
{
    if (u->opt[0].i > 3) return b->fail(b, RD_E_ARG, "option 'order' must be at most 3");
    return right_setup(u, b);
}

static const rd_layer layer = {RIGHT_LAYER("layer_refuses_option"), .options = options,
                               .n_options = 1, .setup = setup};
static const rd_layer *const layers[] = {&layer, NULL};
RD_PLUGIN = {GOOD_PLUGIN("layer_refuses_option"), .layers = layers};
