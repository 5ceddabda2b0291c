/* made.h - what the engine makes of the thing that is checked: a recurrent layer of a cell, or a layer.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHECK_MADE_H
#define RD_CHECK_MADE_H
#include "cell_bench.h"

typedef struct made { /* of a cell or of a layer, the other is NULL */
    rd_rnn *rnn;
    rd_plugin_layer *layer;
    size_t states, parameters; /* how many */
} made;
rd_status made_new(const cell_case *c, uint32_t seed, made *out, rd_error *err);
void made_release(const made *m); /* nothing made is fine */
/* Of `in` a layer reads x, states and mask. */
rd_status made_run(const made *m, const rd_rnn_input *in, rd_tensor **y, rd_tensor **last,
                   rd_error *err);
const char *made_state(const made *m, size_t index, uint32_t *width); /* width may be NULL */
bool made_state_stops(const made *m, size_t index);
rd_tensor *made_parameter(const made *m, size_t index, const char **name); /* name may be NULL */
/* Can it be trained? */
bool made_has_backward(const cell_case *c);
#endif
