/* tape.h - the record of operations, a graph played backward.
 *
 * A tensor owns its producer node; a node owns its inputs' producers (or leaves) and what it saved;
 * nothing owns the graph. Numbers ascend as nodes are recorded; backward visits by descending number.
 * Releasing a long chain is iterative.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TAPE_H
#define RD_TAPE_H
#include "base/tensor.h"

#define RDC_MAX_SAVED 8

typedef struct rdc_op {
    const char *name; /* in messages: "tanh" */
    /* Adds to node->din[i] for every i where it is not NULL, from node->dout[k] (NULL: no gradient
     * arrived for result k). Gradients are packed, in the storage order of their tensor; din of a leaf
     * may hold earlier contributions, all others start at +0. A sum over rows for a parameter runs from
     * the last row in storage order to the first (bit contract, rule 6). */
    rd_status (*backward)(rdc_node *node, rd_error *err);
    /* Does a gradient that has arrived reach this input? NULL: every input. An input that none reaches has
     * no din, and a leaf keeps having no gradient. */
    bool (*reaches)(const rdc_node *node, uint32_t input);
    /* Frees node->state; NULL where there is none. */
    void (*dispose)(rdc_node *node);
    rd_work_kind work; /* what backward counts as in a profile */
} rdc_op;

/* Where an input came from: a producer's result, a leaf, or neither (no gradient wanted). */
typedef struct rdc_edge {
    rdc_node *node;
    rd_tensor *leaf;
    uint32_t output;
    bool one_term; /* set by operations that add at most one term to each element of din: they may
                      continue on other contributions, the bits of rule 5 stay */
    uint32_t ndim; /* shape and order of the input, whether a gradient is wanted or not */
    size_t shape[RD_MAX_DIMS];
    rd_order order;
} rdc_edge;

struct rdc_node {
    const rdc_op *op;
    rd_core *core;
    uint64_t number;
    uint32_t refs, n_in, n_out;
    bool consumed;         /* played backward: its results are constants now */
    bool marked;           /* on the worklist of a running backward */
    bool hosted;           /* a custom operation, or something that was made from one's result */
    bool lost;             /* a value could not be saved for want of memory; backward reports it */
    struct rdc_node *next; /* in the worklist of backward, or among the dying */
    rdc_edge *in;          /* [n_in] */
    rd_tensor **din;       /* [n_in] during its backward call; NULL: not wanted */
    rd_tensor **dout;      /* [n_out] gradients that have arrived */
    rd_tensor *saved[RDC_MAX_SAVED];
    uint64_t saved_version[RDC_MAX_SAVED];
    /* the operation's own */
    double number_arg[2];
    size_t size_arg[6];
    rd_stream stream;
    void *state;
    bool retained; /* while its backward runs: the graph stays, to be played again */
};

/* Is a node to be recorded for these inputs? (NULL inputs are skipped.) */
bool rdc_wants_node(rd_tensor *const *in, uint32_t n_in);
/* Makes a node from the inputs to the results and hooks it to them. Call only if rdc_wants_node. */
rd_status rdc_record(const rdc_op *op, rd_tensor *const *in, uint32_t n_in, rd_tensor *const *out,
                     uint32_t n_out, rdc_node **node, rd_error *err);
/* Keeps t for backward, which checks that it was not written in between. A result of the node itself is
 * kept without its node, so that nothing owns itself. */
void rdc_save(rdc_node *node, uint32_t slot, rd_tensor *t);
void rdc_node_release(rdc_node *node); /* NULL is fine */
#endif
