/* layers.h - layers of plugins for tests, linked in with the cells of rnns.h.
 *
 * "template.layer" is the source that `rondo new-layer` writes. "test_sums" has all that it does not use:
 * two states, one with a first value, memory kept from forward to backward, a matrix that is fed by x, a
 * vector with terms of its own, a constant. "test_mirror" is not causal: it turns a sequence round.
 * "test_copy" has no backward, and a plan that refuses more than 6 steps and wants too much for 3 and 5.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_LAYERS_H
#define RD_TEST_LAYERS_H
#include "support/rnns.h"

extern const rd_plugin test_layers_plugin, test_template_layer;

rd_plugin_layer *layer_make(rd_core *core, const char *name, uint32_t in);
size_t layer_states(const rd_plugin_layer *layer); /* how many */
size_t layer_parameters(const rd_plugin_layer *layer);
uint32_t layer_state_width(const rd_plugin_layer *layer, size_t index);

enum { LAYER_MAX_NUMBERS = 1 << 14, LAYER_MAX_STATES = 2 };
typedef struct layer_form { /* how a batch is run */
    size_t rows, steps;
    size_t chunk;                /* steps to a call; 0: all */
    const double *mask, *resets; /* [rows][steps], or NULL */
    bool given;                  /* first states are given */
    bool dense;                  /* x lies in dense order */
    bool twice;                  /* played backward twice, and gradients added */
} layer_form;
typedef struct layer_result { /* outputs, last states and all gradients, one behind the other */
    size_t n;
    rd_real number[LAYER_MAX_NUMBERS];
    size_t y, dx, dstates, dparameters; /* where they begin */
} layer_result;
/* A layer made anew, forward, and backward from a sum of outputs and last states with fixed weights. */
void layer_run(rd_core *core, const char *name, uint32_t in, const layer_form *form,
               layer_result *out);
#endif
