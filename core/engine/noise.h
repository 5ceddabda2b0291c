/* noise.h - regularisers of any cell, between the cell and its sources, states and matrices.
 *
 *     variational dropout   learned matrices are fed m * s instead of a source s, with one m for all steps
 *     weight drop           matrices of states and temps have zeros for an update; what they are fed is
 *                           scaled, so that their gradients go on from step to step as without it
 *     zoneout               the cell writes `own`, and the state becomes what it was or that
 *
 * The cell sees none of it, nor do constant matrices (RD_FROZEN). Masks are keyed by the user's row (bit
 * contract, rule 8) and lie by stored row. Without an option a layer has no plan and a pass no noise.
 * SPDX-License-Identifier: MIT */
#ifndef RD_NOISE_H
#define RD_NOISE_H
#include "engine/rnn.h"

enum { RDC_MAX_SOURCES = 1 + RDC_MAX_STATES + RDC_MAX_TEMPS };

struct rdc_noise_plan { /* of a layer: shares that are dropped or held, 0: none */
    double input, recurrent, weights;
    double hold[RDC_MAX_STATES];
    bool holds; /* any of them */
    uint32_t seed, layer;
};

struct rdc_noise { /* of a pass */
    bool training; /* else only zoneout is there, and blends */
    uint32_t update, time;
    rdc_sequence mask[RDC_MAX_SOURCES]; /* one slot: 0 or a scale; no block: not masked */
    rdc_sequence fed[RDC_MAX_SOURCES];  /* masked copies; no block: the source as it is */
    rdc_sequence own[RDC_MAX_STATES];   /* what the cell made; no block: the state itself */
    rdc_block *id_scale;                /* of one-hot input: rd_real [total], or NULL */
    rdc_block *thinned;       /* the weights with zeros, where matrices are thinned; or NULL */
    uint64_t thinned_version; /* for what is packed of them */
};

/* What a layer's options ask for, checked; rnn->noise stays NULL where it is nothing. */
rd_status rdc_noise_plan_new(rd_rnn *rnn, const rd_rnn_config *config, rd_error *err);
/* Masks, thinned weights and buffers of a pass; keep: every step stays. p->noise stays NULL where nothing
 * is to be done. What it has made is the pass's, also where it fails. */
rd_status rdc_noise_open(rdc_pass *p, const rd_rnn_input *in, bool keep, rd_error *err);
void rdc_noise_free(rdc_pass *p);

/* Is this run fed a masked copy, which its gradient comes back through? */
static inline bool rdc_is_masked(const rdc_pass *p, const rdc_run *run)
{
    return p->noise && !run->frozen && p->noise->mask[run->source].block;
}
static inline bool rdc_is_thinned(const rdc_pass *p, const rdc_run *run)
{
    return p->noise && p->noise->thinned && !run->frozen && run->source != RDC_SOURCE_X;
}
/* The matrix of a run as products use it, and the version of what is packed of it. */
static inline const rd_real *rdc_run_weights(const rdc_pass *p, const rdc_run *run)
{
    const rdc_block *from = rdc_is_thinned(p, run) ? p->noise->thinned : p->rnn->weights;
    return (const rd_real *)from->at + run->at;
}
static inline uint64_t rdc_run_version(const rdc_pass *p, const rdc_run *run)
{
    return rdc_is_thinned(p, run) ? p->noise->thinned_version : p->rnn->weights->version;
}

typedef struct rdc_rows { /* rows [first, last) of step t, as stored */
    size_t t, first, last;
} rdc_rows;
/* What follows runs on workers, each with rows of its own. Feed, collect and hold do nothing for what is not
 * masked or held. [hot] */
void rdc_noise_feed(const rdc_pass *p, uint32_t source, const rdc_rows *r);
/* to += mask * dfed: the gradient of a source out of that of its copy. */
void rdc_noise_collect(const rdc_pass *p, uint32_t source, const rdc_rows *r, const rd_real *dfed,
                       rd_real *to);
/* state(t + 1) out of what the cell made and state(t). */
void rdc_noise_hold(const rdc_pass *p, uint32_t state, const rdc_rows *r);
/* The gradient of the state after a step, shared out to what the cell made and to the state before. */
typedef struct rdc_split {
    const rd_real *d;
    rd_real *own, *before;
} rdc_split;
void rdc_noise_split(const rdc_pass *p, uint32_t state, const rdc_rows *r, const rdc_split *at);

/* dx += mask * dfed for all steps. */
void rdc_noise_collect_x(const rdc_pass *p, const rd_real *dfed, rd_real *dx);

/* The gradients of thinned matrices: a copy from before, and zeroed weights put back to it. */
rd_status rdc_noise_keep_gradients(const rdc_weight_job *j, rdc_block **kept, rd_error *err);
void rdc_noise_restore_gradients(const rdc_weight_job *j, const rdc_block *kept);
#endif
