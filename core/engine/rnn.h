/* rnn.h - a recurrent layer and one run of it over a sequence: what forward leaves for backward.
 *
 * Ownership: a layer owns its parameters (views into one block of weights) and what is packed from them;
 * a pass owns the buffers of one run. A pass that is recorded belongs to its node and retains its layer.
 *
 * Buffers are time-major, [slot][row][width]. With gradients, slot t is step t and states have one more,
 * the values before the first step; without, a few slots are used again and again, but for state 0,
 * whose slots 1..T are the output itself.
 * SPDX-License-Identifier: MIT */
#ifndef RD_RNN_H
#define RD_RNN_H
#include "base/tensor.h"
#include "engine/layout.h"
#include "engine/product.h"
#include "engine/tape.h"

struct rd_rnn {
    uint32_t refs;
    rd_core *core;
    const rd_cell *cell;
    rd_value *options;
    char *label; /* begins messages */
    rdc_layout *layout;
    rdc_block *weights, *gradients; /* alike; every parameter is a view, and so is its gradient */
    rd_tensor **parameter;
    rdc_packed *forward_pack, *backward_pack; /* per run: for products with M^T and with M */
    rdc_packed
        table; /* [in + 1][line_row]: first values of the lines for every id of one-hot input */
    rd_observer observer;
    bool observed;
};

typedef struct rdc_sequence { /* [slots][rows][width] */
    rdc_block *block;
    rd_real *at;
    size_t slots, step; /* step: elements from one slot to the next */
    uint32_t width;
} rdc_sequence;
static inline rd_real *rdc_slot(const rdc_sequence *s, size_t t)
{
    return s->at + t % s->slots * s->step;
}

typedef struct rdc_pass {
    rd_rnn *rnn;
    size_t steps, rows;
    rdc_sequence line; /* all lines, line_row wide */
    rdc_sequence state[RDC_MAX_STATES], temp[RDC_MAX_TEMPS], save[RDC_MAX_SAVES];
    rd_tensor *x;   /* as [T][B][I]; NULL where ids are and the cell does not read x */
    rdc_block *ids; /* int32_t [T][B] of one-hot input, or NULL */
} rdc_pass;

/* Rows of one worker: the stretch of row blocks that it gets. Rule 6b cuts the rows into
 * min(rows, 16) blocks, whatever the number of threads. */
enum { RDC_ROW_BLOCKS = 16 };
static inline size_t rdc_row_blocks(size_t rows)
{
    return rows < RDC_ROW_BLOCKS ? rows : RDC_ROW_BLOCKS;
}
static inline size_t rdc_block_border(size_t rows, size_t block)
{
    return block * rows / rdc_row_blocks(rows);
}

/* Is the loop over a pass too little work to wake the workers for? */
bool rdc_pass_is_small(const rdc_pass *pass);

/* Runs forward over the sequence. state[].slot 0 holds the first values. [hot] inside */
rd_status rdc_unroll_forward(rdc_pass *pass, rd_error *err);
/* The recorded node: inputs x, states, parameters; results y and, with final, the last states. */
extern const rdc_op rdc_rnn_op;
/* Adds the gradients of all parameters from dL/da, which backward left in the lines. dvec: pieces
 * [T][blocks][phases][vec_row], or NULL. */
typedef struct rdc_weight_job {
    const rdc_pass *pass;
    rd_tensor *const *gradient; /* per parameter; NULL where not wanted */
    const rd_real *dvec;
} rdc_weight_job;
rd_status rdc_weight_gradients(const rdc_weight_job *job, rd_error *err);
rd_status rdc_sequence_new(rd_core *core, rdc_sequence *s, size_t slots, size_t rows,
                           uint32_t width, rd_error *err);
void rdc_pass_free(rdc_pass *pass); /* NULL is fine */
#endif
