/* rnn.h - a recurrent layer and one run of it over a sequence: what forward leaves for backward.
 *
 * Ownership: a layer owns its parameters (views into one block of weights) and what is packed from them;
 * a pass owns the buffers of one run. A pass that is recorded belongs to its node and retains its layer.
 *
 * Buffers are time-major, [slot][row][width]. With gradients, slot t is step t and states have one more,
 * the values before the first step; without, a few slots are used again and again, but for state 0,
 * whose slots 1..T are the output itself. Where not every step of every row counts (valid.h), rows lie as
 * stored there, what has a slot for each step is packed, and the output is a copy.
 * SPDX-License-Identifier: MIT */
#ifndef RD_RNN_H
#define RD_RNN_H
#include "base/tensor.h"
#include "engine/layout.h"
#include "engine/product.h"
#include "engine/tape.h"
#include "engine/valid.h"

/* The weights with the zeros of an update (noise.h), kept for its other chunks. */
#define RDC_THINNED ((uint64_t)1 << 63) /* in versions of what is packed: never those of a block */
typedef struct rdc_thinned {
    rdc_block *block;    /* NULL: not made yet */
    uint64_t of_version; /* of the weights */
    uint32_t update;
    uint64_t count; /* how many there have been */
} rdc_thinned;

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
    bool table_is_scaled;         /* columns alone, which masks scale */
    struct rdc_noise_plan *noise; /* NULL: no regularisers */
    rdc_thinned thinned;
    rd_observer observer;
    bool observed;
};

typedef struct rdc_sequence { /* [slots][rows][width] */
    rdc_block *block;
    rd_real *at;
    size_t slots, step; /* step: elements from one slot to the next */
    uint32_t width;
    const size_t *first; /* packed: rows before each slot; else NULL */
} rdc_sequence;
static inline rd_real *rdc_slot(const rdc_sequence *s, size_t t)
{
    if (s->first) return s->at + s->first[t] * s->width;
    return s->at + t % s->slots * s->step;
}

typedef struct rdc_pass {
    rd_rnn *rnn;
    size_t batch; /* the user's rows */
    size_t steps, rows;
    size_t total;               /* rows of all steps together */
    rdc_valid *valid;           /* NULL: every row takes part in every step */
    bool given[RDC_MAX_STATES]; /* else all rows begin with first values */
    rdc_sequence line;          /* all lines, line_row wide */
    rdc_sequence state[RDC_MAX_STATES], temp[RDC_MAX_TEMPS], save[RDC_MAX_SAVES];
    rd_tensor *x;            /* as [T][B][I]; NULL where ids are and the cell does not read x */
    rdc_sequence kept;       /* the rows of x that count, packed; unused without `valid` */
    rdc_block *ids;          /* int32_t [total] of one-hot input, or NULL */
    struct rdc_noise *noise; /* masks, and what is masked; NULL: none */
    bool beside;             /* other passes run at the same time: products are the thread's own */
} rdc_pass;

/* The passes of one operation: of a layer; of layers on top of each other; of two directions. */
enum { RDC_MAX_STACK = 6 }; /* a node saves the weights of each, x and y */
typedef struct rdc_stack {
    uint32_t n;
    rdc_pass *pass[RDC_MAX_STACK];
    bool chained[RDC_MAX_STACK]; /* x is what the pass before it gives */
    bool final;                  /* last states are among the results */
    uint32_t first_in[RDC_MAX_STACK], first_out[RDC_MAX_STACK]; /* of the node */
} rdc_stack;
/* Does a pass give an output that others see? */
static inline bool rdc_gives_output(const rdc_stack *s, uint32_t k)
{
    return k + 1 == s->n || !s->chained[k + 1];
}

/* The user's row of stored row i. */
static inline uint32_t rdc_user_row(const rdc_pass *p, size_t i)
{
    return p->valid ? p->valid->row[i] : (uint32_t)i;
}
/* Where the user has step t of stored row i, which takes part in it. */
typedef struct rdc_place {
    uint32_t row, time;
} rdc_place;
static inline rdc_place rdc_place_of(const rdc_pass *p, size_t t, size_t i)
{
    const size_t time = p->valid ? p->valid->at[p->valid->first[t] + i] : t;
    return (rdc_place){rdc_user_row(p, i), (uint32_t)time};
}

/* How many rows take part in a step, and how many did in those before it. */
static inline size_t rdc_active(const rdc_pass *p, size_t t)
{
    return p->valid ? p->valid->active[t] : p->rows;
}
static inline size_t rdc_rows_before(const rdc_pass *p, size_t t)
{
    return p->valid ? p->valid->first[t] : t * p->rows;
}
/* Does a row begin with first values of state k, and is its last state that of the user's row? */
static inline bool rdc_row_anew(const rdc_pass *p, uint32_t k, size_t row)
{
    return !p->given[k] || (p->valid && p->valid->kind[row] & RDC_ANEW);
}
static inline bool rdc_row_ends(const rdc_pass *p, size_t row)
{
    return !p->valid || p->valid->kind[row] & RDC_ENDS;
}
/* The end of rows [first, last) in a step; at most `first` where none takes part. */
static inline size_t rdc_rows_end(const rdc_pass *p, size_t t, size_t last)
{
    const size_t n = rdc_active(p, t);
    return n < last ? n : last;
}

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

/* The first row block of a worker: shares are alike in steps. */
size_t rdc_worker_block(const rdc_pass *pass, uint32_t worker, uint32_t workers);

/* Is the loop over a pass too little work to wake the workers for? */
bool rdc_pass_is_small(const rdc_pass *pass);
/* Are the passes to be run at once, chunk by chunk? (Else one after the other.) Steps of a chunk. */
bool rdc_runs_in_lanes(const rdc_stack *s);
size_t rdc_lane_steps(const rdc_stack *s);

/* Buffers, first values and masks of a pass whose sizes are set. keep: every step stays, for backward or an
 * observer. What it has made is the pass's, also where it fails. */
rd_status rdc_pass_open(rdc_pass *p, const rd_rnn_input *in, bool keep, rd_error *err);
/* Runs forward over the sequence. state[].slot 0 holds the first values. [hot] inside */
rd_status rdc_unroll_forward(rdc_stack *s, rd_error *err);
/* The recorded node. Inputs of a pass: x (NULL where chained), states, parameters, first values; the last
 * pass is the first, as if each had a node. Results of a pass: y, if it gives one, and, with final, the last
 * states. */
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
/* One slot a step, with places for the rows that take part. */
rd_status rdc_sequence_per_step(const rdc_pass *p, rdc_sequence *s, uint32_t width, rd_error *err);
void rdc_pass_free(rdc_pass *pass);                  /* NULL is fine */
void rdc_stack_free(rdc_arena *arena, rdc_stack *s); /* NULL is fine */
/* Runs 1 to RDC_MAX_STACK layers as one operation: arguments as in rd_rnn_run_all, in[0].x is there. */
rd_status rdc_rnn_run_together(rd_rnn *const *rnn, const rd_rnn_input *in, uint32_t n,
                               rd_tensor **y, rd_tensor **final, rd_error *err);
#endif
