/* cell.h - all that the author of a recurrent cell includes.
 *
 * A step of a cell is a chain of phases. In phase p
 *   1. the core forms the lines of p:  a = bias + M_x x(t) + sum M_k s_k(t-1) + sum M_j q_j(t)
 *      where s_k are states and q_j are temps made by phases < p;
 *   2. the plugin's forward() turns lines into temps or, in the last phase, into states (a state that later
 *      phases need not change may be written earlier).
 * The core owns every matrix: products with x run once for many time steps, weight gradients are one
 * product over all steps, and nothing of it is ever written by the plugin's author.
 *
 * Tags: [setup] runs on one thread and may fail; [hot] runs on several threads at once on disjoint
 * rows: no static data, no malloc, no I/O, no errno, and it cannot fail.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CELL_H
#define RD_CELL_H
#include "abi.h"

#define RD_BIT(i) (1u << (i))

enum {
    RD_INIT_DEFAULT, /* matrices: Glorot uniform; biases: zero; vectors: zero */
    RD_INIT_ZERO,
    RD_INIT_CONST,     /* a */
    RD_INIT_UNIFORM,   /* a .. b */
    RD_INIT_NORMAL,    /* mean a, standard deviation b */
    RD_INIT_GLOROT,    /* uniform in +-sqrt(6 / (fan_in + fan_out)), Glorot & Bengio 2010, eq. 16 */
    RD_INIT_ORTHO,     /* orthonormal rows or columns, Saxe et al. 2014 */
    RD_INIT_IDENTITY,  /* a on the diagonal, Le et al. 2015 */
    RD_INIT_HE,        /* normal of variance 2 / fan_in, He et al. 2015, eq. 10 */
    RD_INIT_TRUNCATED, /* normal of mean a and deviation b, drawn again beyond two deviations */
    RD_INIT_CHRONO, /* b log u, u uniform in 1 .. a - 1: Tallec & Ollivier 2018, eq. 16. All of a layer
                        * draw the same u, so that b = -1 at the input gate mirrors the forget gate's */
    RD_INIT_TABLE, /* numbers made by layout() */
};
typedef struct rd_init { /* frozen: other records hold it */
    int32_t kind;
    int32_t reserved;
    double a, b;
    const rd_real *table; /* row-major, from builder->table(); NULL but for TABLE */
} rd_init;

enum {
    RD_STATE_STOP = 1u, /* no gradient flows through this state */
    RD_STATE_WHOLE =
        2u, /* says nothing apart from others, as a number and its scale: zoneout leaves it alone */
    RD_STATE_PART =
        4u /* a stretch of state 0, which its parts are in order of id: held where that is */
};
typedef struct rd_state_decl { /* id 0 is the cell's output */
    uint32_t size, id;
    const char *name;
    uint32_t width, flags;
    double first; /* value before the first step */
} rd_state_decl;
typedef struct rd_temp_decl {
    uint32_t size, id;
    const char *name;
    uint32_t width, phase; /* the phase whose forward() writes it */
} rd_temp_decl;
/* The core's option bias is "none", "one" or "two". none: no line has one. one: each line with BIAS_X
 * gets one vector. two: every line with BIAS_X gets b_x and every line with BIAS_REC b_h.
 * GRU reset-after declares r z with both, n_x with BIAS_X, n_h with BIAS_REC. */
enum {
    RD_FROM_X = 1u,
    RD_BIAS_X = 2u,
    RD_BIAS_REC = 4u,
    RD_FROZEN = 8u /* the line's parameters are constants: no gradient, but part of a checkpoint */
};
typedef struct rd_line_decl {
    uint32_t size, id;
    const char *name;
    uint32_t width, phase;
    uint32_t flags;         /* above */
    uint32_t states, temps; /* RD_BIT masks of what feeds it besides x */
    uint32_t reserved;
    rd_init init_x, init_rec, init_bias;
} rd_line_decl;
typedef struct rd_vec_decl { /* a parameter per unit: peepholes, gains */
    uint32_t size, id;
    const char *name;
    uint32_t width, reserved;
    rd_init init;
} rd_vec_decl;
typedef struct rd_save_decl { /* values per row that forward leaves for backward */
    uint32_t size, id, width, reserved;
} rd_save_decl;
RD_RECORD(rd_state_decl, first);
RD_RECORD(rd_temp_decl, phase);
RD_RECORD(rd_line_decl, init_bias);
RD_RECORD(rd_vec_decl, init);
RD_RECORD(rd_save_decl, reserved);

/* Ids of each kind are dense from 0. The first error sticks and later calls do nothing, so layout()
 * need not test each of them. Records and names are copied. */
typedef struct rd_builder {
    uint32_t size, reserved;
    void (*state)(struct rd_builder *, const rd_state_decl *);
    void (*temp)(struct rd_builder *, const rd_temp_decl *);
    void (*line)(struct rd_builder *, const rd_line_decl *);
    void (*vec)(struct rd_builder *, const rd_vec_decl *);
    void (*save)(struct rd_builder *, const rd_save_decl *);
    rd_status (*fail)(struct rd_builder *, rd_status code, const char *text);
    /* n numbers for RD_INIT_TABLE, to be filled by layout(); they belong to the layer. NULL once an error
     * has stuck or memory is short. */
    rd_real *(*table)(struct rd_builder *, size_t n);
} rd_builder;
typedef struct rd_setup {
    uint32_t size, in, hidden, reserved;
    const rd_value *opt; /* one per option, checked and defaulted by the core */
    const rd_host *host;
} rd_setup;

typedef struct rd_span { /* frozen; row: distance between rows in elements */
    rd_real *at;
    size_t row;
    uint32_t width, reserved;
} rd_span;
typedef struct rd_cspan { /* frozen */
    const rd_real *at;
    size_t row;
    uint32_t width, reserved;
} rd_cspan;

/* One call: some rows of one step, one phase. Spans are indexed by id, whatever the phase.
 * forward(): reads line, temp of earlier phases, prev, x, vec; writes temp or next, and may leave in
 * `line` and `save` whatever backward() wants to find there.
 * backward(): finds line, temp, save, prev, next as forward left them and dnext, dtemp complete;
 * OVERWRITES the phase's lines with dL/da, ADDS to dprev, dtemp of earlier phases, dx and dvec. A later
 * phase may write or park values in lines of earlier phases.
 * dvec is private to the call and starts at zero; the core adds the pieces in a fixed order. */
typedef struct rd_step {
    uint32_t size, phase, rows;
    uint32_t in, hidden; /* the spans' own widths hold where they differ */
    uint32_t reserved;
    int64_t t; /* step within the sequence given to this call of the layer, from 0 */
    const rd_value *opt;
    const rd_span *line, *next, *temp, *save;
    const rd_cspan *prev;
    rd_cspan x; /* only with RD_CELL_READS_X */
    const rd_real *const *vec;
    const rd_cspan *dnext; /* NULL in forward, as all below */
    const rd_span *dprev, *dtemp;
    rd_span dx; /* only with RD_CELL_READS_X; at is NULL where nobody wants it */
    rd_real *const *dvec;
} rd_step;
typedef void (*rd_point_fn)(const rd_step *);

enum { RD_CELL_READS_X = 1u }; /* uses x and dx directly; the core then keeps x for backward */

typedef struct rd_cell {
    uint32_t size;
    uint32_t revision; /* from 1; bump when parameters change meaning: checkpoints carry it */
    const char *name, *help;
    const rd_option *options;
    uint32_t n_options, option_size;
    uint32_t flags, reserved;
    rd_status (*layout)(const rd_setup *, rd_builder *); /* [setup] a pure function of its input */
    rd_point_fn forward, backward; /* [hot] backward NULL: cannot be trained */
} rd_cell;
RD_RECORD(rd_init, table);
RD_RECORD(rd_span, reserved);
RD_RECORD(rd_cspan, reserved);
RD_RECORD(rd_builder, table);
RD_RECORD(rd_setup, host);
RD_RECORD(rd_step, dvec);
RD_RECORD(rd_cell, backward);

static inline rd_real *rd_row(rd_span s, uint32_t r)
{
    return s.at + (size_t)r * s.row;
}
static inline const rd_real *rd_crow(rd_cspan s, uint32_t r)
{
    return s.at + (size_t)r * s.row;
}
#endif
