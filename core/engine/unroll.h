/* unroll.h - one worker's view of a pass: the spans that a cell's step functions are shown; the loop back.
 * SPDX-License-Identifier: MIT */
#ifndef RD_UNROLL_H
#define RD_UNROLL_H
#include "base/profile.h"
#include "engine/noise.h"

typedef struct rdc_view { /* rows [first, last) of one step */
    const rdc_pass *pass;
    size_t first, last;
    rd_span line[RDC_MAX_LINES], next[RDC_MAX_STATES], temp[RDC_MAX_TEMPS], save[RDC_MAX_SAVES];
    rd_cspan prev[RDC_MAX_STATES], made[RDC_MAX_TEMPS]; /* made: temp, to be read only */
    const rd_real *vec[RDC_MAX_VECS];
    rd_step step; /* points into the arrays above */
} rdc_view;

/* Binds a view to its pass and rows; then _at moves it to a step. */
void rdc_view_open(rdc_view *v, const rdc_pass *pass, size_t first, size_t last);
void rdc_view_at(rdc_view *v, size_t t);
/* Values of a source at step t from row `row` on; rows are the source's width apart. */
const rd_real *rdc_source_at(const rdc_pass *pass, uint32_t source, size_t t, size_t row);
/* The same of what a run is fed: the source, or its masked copy. */
static inline const rd_real *rdc_fed_at(const rdc_pass *p, const rdc_run *run, size_t t, size_t row)
{
    if (!rdc_is_masked(p, run)) return rdc_source_at(p, run->source, t, row);
    const rdc_sequence *fed = &p->noise->fed[run->source];
    return rdc_slot(fed, t) + row * fed->width;
}
/* The core for timings of the rows from `first` on: NULL where another worker's are timed. */
static inline rd_core *rdc_timed_core(const rdc_pass *pass, size_t first)
{
    return first == 0 ? pass->rnn->core : NULL;
}
/* A product of a step, on this thread: each worker has rows or a lane of its own. The single row of a batch
 * of one is run by the caller alone (rdc_pass_is_small), which then has the workers help with the columns. */
static inline void rdc_step_product(const rdc_pass *pass, const rdc_rows *rows, const rd_gemm *g,
                                    rd_work_kind kind)
{
    rd_core *const seen = rdc_timed_core(pass, rows->first);
    RDC_TIMED(seen, kind);
    if (pass->rows > 1 || pass->beside) {
        rdc_count_product(seen, rdc_active(pass, rows->t), g->n, g->k);
        rdc_product(pass->rnn->core, g);
    } else /* asks for no memory, since one row is not worth packing for */
        (void)rdc_product_shared(pass->rnn->core, g, NULL);
}
/* A cell run over stretches of steps of a pass. */
typedef struct rdc_forward {
    rdc_pass *pass;
    size_t ids_to_come;   /* of one-hot input: few are not worth a large table */
    size_t from, to;      /* steps of this stretch */
    bool hoist;           /* the products with x are made ahead */
    size_t ahead;         /* of so many steps where the run keeps nothing */
    rdc_block *start;     /* rd_real [line_row]: what every sum starts at; the caller releases it */
    const rd_real *table; /* of one-hot input, or NULL: columns of W_x are picked */
    const rd_real *id_scale; /* of every row of one-hot input, or NULL: 1 */
} rdc_forward;
/* Buffers, and what is made from the weights: once more where those have changed. */
rd_status rdc_forward_ready(rdc_forward *f, rd_error *err);
/* All rows through steps [from, to), within the contract's floating-point environment. [hot] */
void rdc_forward_run(rdc_forward *f);
/* One pass being played backward. */
typedef struct rdc_backward {
    const rdc_pass *pass; /* NULL: it is not played, since no gradient arrives or none is wanted */
    rdc_sequence dstate[RDC_MAX_STATES], dtemp[RDC_MAX_TEMPS];
    rdc_sequence dfed[RDC_MAX_SOURCES];    /* of masked copies of states and temps */
    rdc_sequence down[RDC_MAX_STATES];     /* where zoneout is on: of what the cell made */
    const rd_real *dfinal[RDC_MAX_STATES]; /* [B][width] as the user has it, or NULL */
    const rd_real *dy;                     /* [T][B][width of state 0], the user's, or NULL */
    rd_real *dx;                           /* the rows of all steps, or NULL: not wanted */
    rdc_block *dx_block;                   /* where dx lies, if it is not the node's */
    rd_real *dvec;                         /* pieces [T][blocks][phases][vec_row], or NULL */
    rdc_block *dvec_block;
} rdc_backward;
/* Blocks [first, last) of rows (rule 6b) through steps [from, to), the last first. [hot] */
typedef struct rdc_back_part {
    size_t first_block, last_block;
    size_t from, to;
} rdc_back_part;
void rdc_unroll_backward(const rdc_backward *b, const rdc_back_part *part);
/* dx += dA M_x of some steps, last phase first (rule 5), on this thread where other passes run beside. */
rd_status rdc_input_products(const rdc_pass *p, size_t from, size_t to, rd_real *dx, rd_error *err);
void rdc_show_backward(const rdc_backward *b); /* to the layer's observer, all steps */
/* Shows an observer one step, all rows; dstate and the x are for backward only. */
rd_observed rdc_observed(rdc_view *v, size_t t);
#endif
