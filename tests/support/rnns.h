/* rnns.h - recurrent layers for tests, and three cells that are linked in with them.
 *
 * "test_odd" is a cell with all that the cells of the tree do not
 * use: three phases, two temps of different width, a line fed by two temps, two vectors (one of them used
 * in two phases), a save, x read directly, a second state of another width. "test_stop" has a state
 * without gradient. "test_forward" has no backward.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_RNNS_H
#define RD_TEST_RNNS_H
#include "support/tensors.h"

rd_core *rnn_core(uint32_t threads, const char *kernels); /* NULL: kernels are not there */
/* Numbers in [-1, 1) that depend on the seed and the index alone. */
rd_real rnn_number(uint32_t seed, size_t index);
rd_tensor *rnn_tensor(rd_core *core, uint32_t seed, rd_order order, uint32_t ndim,
                      const size_t *shape);
void rnn_set(rd_tensor *t, const rd_real *values); /* in no_grad */

typedef struct rnn_layer {
    const char *cell;
    const char *option, *choice; /* one option set to a choice, or NULL */
    uint32_t bias, in, hidden;
    const rd_setting *settings; /* instead of the option above, or NULL */
    size_t n_settings;
    /* regularisers; those of recurrent matrices are off in a cell that has none */
    double input_dropout, recurrent_dropout, weight_drop, zoneout;
    bool training;
    const char *precision; /* of products; NULL: float32 */
} rnn_layer;
rd_rnn *rnn_make(rd_core *core, const rnn_layer *layer);
bool rnn_has_recurrent_matrix(const rd_rnn *rnn);
enum { RNN_UPDATE = 5 }; /* key of the masks of layers in training */
#endif
