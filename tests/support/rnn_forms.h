/* rnn_forms.h - a recurrent layer run in every form it can be run in: chunks, threads, backends, orders.
 *
 * The reference is a whole sequence on one thread with the scalar kernels. Compared, byte by byte: outputs,
 * last states, and after two backward passes without clearing the gradients of all parameters, of the
 * input and of the first states (bit contract, rules 3 to 6).
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_RNN_FORMS_H
#define RD_TEST_RNN_FORMS_H
#include "support/rnns.h"

enum { RNN_MAX_THINGS = 128, RNN_MAX_STEPS = 16, RNN_MAX_STATES = 12 };

typedef struct rnn_form {
    size_t rows, steps;
    size_t chunk; /* steps to a call of the layer; 0: all */
    uint32_t in;
    bool one_hot;
    bool dense; /* x lies in dense order */
    bool training;
    uint32_t threads;
    const char *kernels;
} rnn_form;
typedef struct rnn_seen {
    uint32_t n;
    char name[RNN_MAX_THINGS][32];
    uint64_t hash[RNN_MAX_THINGS];
} rnn_seen;

/* Adds the hash of a tensor's values. */
void rnn_see(rnn_seen *s, const char *name, const rd_tensor *t);
/* Ids 0 (absent) to `in`. */
rd_tensor *rnn_ids(rd_core *core, const rnn_form *f);
/* Steps [from, from + n) of the input. */
rd_tensor *rnn_piece(rd_tensor *x, const rnn_form *f, size_t from, size_t n);
/* The forms of one shape against the reference. */
void rnn_compare_forms(const rnn_layer *layer, size_t rows, size_t steps, bool one_hot);
#endif
