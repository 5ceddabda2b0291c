/* layout.h - what a cell declared: checked, numbered, and given places in memory.
 *
 * The lines of a step lie side by side in one row of the line buffer: phase by phase, ids ascending in a
 * phase. The matrices that one source (x, a state, a temp) multiplies in one phase are stacked in id
 * order into one block of weights, so that a run of lines that are neighbours in the line buffer is one
 * product:
 *
 *     line row    | r | z | n_x | n_h |        block of x:  | W_r | W_z | W_n_x |   one run
 *
 * A cell whose author gives the ids in a good order has one run per source; any other order costs a
 * product more, and has the same bits, since a product sums over lines in id order (rule 5).
 * SPDX-License-Identifier: MIT */
#ifndef RD_LAYOUT_H
#define RD_LAYOUT_H
#include "core.h"

enum {
    RDC_MAX_STATES = 16,
    RDC_MAX_TEMPS = 16,
    RDC_MAX_LINES = 32,
    RDC_MAX_VECS = 32,
    RDC_MAX_SAVES = 16,
    RDC_MAX_TABLES = 8,
    RDC_MAX_WIDTH = 1 << 20, /* of a declared thing */
    RDC_MAX_NAME = 32        /* of a declared thing, its NUL included */
};

/* Sources are numbered: x, then the states, then the temps. */
enum { RDC_SOURCE_X = 0, RDC_SOURCE_STATE = 1 };

typedef enum rdc_role { RDC_MATRIX, RDC_BIAS, RDC_BIAS_X, RDC_BIAS_H, RDC_VECTOR } rdc_role;
typedef struct rdc_parameter {
    char name[2 * RDC_MAX_NAME];
    rdc_role role;
    uint32_t line, source; /* of a matrix; a vector's id is in `line` */
    uint32_t ndim;
    size_t shape[2];
    size_t at; /* in the block of weights, in elements */
    rd_init init;
} rdc_parameter;

typedef struct rdc_run { /* lines that one source feeds and that are neighbours in the line row */
    uint32_t phase, source;
    uint32_t first_line, n_lines; /* ids ascend by position: line_at[] of the layout */
    uint32_t column, width;       /* in the line row */
    uint32_t source_width;
    bool frozen; /* its matrix is a constant (RD_FROZEN) */
    size_t at;   /* of its stacked matrix [width][source_width] in the block of weights */
} rdc_run;

typedef struct rdc_table { /* numbers for RD_INIT_TABLE */
    rd_real *at;
    size_t n;
} rdc_table;

typedef struct rdc_layout {
    rd_state_decl state[RDC_MAX_STATES];
    rd_temp_decl temp[RDC_MAX_TEMPS];
    rd_line_decl line[RDC_MAX_LINES];
    rd_vec_decl vec[RDC_MAX_VECS];
    rd_save_decl save[RDC_MAX_SAVES];
    char state_name[RDC_MAX_STATES][RDC_MAX_NAME], temp_name[RDC_MAX_TEMPS][RDC_MAX_NAME];
    char line_name[RDC_MAX_LINES][RDC_MAX_NAME], vec_name[RDC_MAX_VECS][RDC_MAX_NAME];
    uint32_t n_states, n_temps, n_lines, n_vecs, n_saves, n_phases;
    uint32_t in, hidden, bias;
    uint32_t line_at[RDC_MAX_LINES];            /* ids in the order of the line row */
    uint32_t column[RDC_MAX_LINES];             /* by id: first element in the line row */
    uint32_t line_row;                          /* width of all lines together */
    uint32_t vec_column[RDC_MAX_VECS], vec_row; /* the same for vectors, side by side */
    uint32_t n_runs, n_parameters;
    rdc_run *run; /* phase by phase, sources ascending, columns ascending */
    rdc_parameter *parameter;
    size_t weights; /* elements of the block of weights */
    rdc_table table[RDC_MAX_TABLES];
    uint32_t n_tables;
} rdc_layout;

/* Runs the cell's layout() and checks rule C1. `what` begins messages. [setup] */
rd_status rdc_layout_new(const char *what, const rd_cell *cell, const rd_setup *setup,
                         uint32_t bias, rdc_layout **out, rd_error *err);
/* Second half of the above: columns, runs and parameters of a checked declaration. */
rd_status rdc_layout_place(rdc_layout *l, const char *what, rd_error *err);
/* Do two hold the same declaration: names, widths, flags, initial values? */
bool rdc_layout_same(const rdc_layout *a, const rdc_layout *b);
void rdc_layout_free(rdc_layout *l); /* NULL is fine */
/* [a-z][a-z0-9_]*, shorter than RDC_MAX_NAME: the name of a declared thing. */
bool rdc_good_part_name(const char *name);
bool rdc_same_init(const rd_init *a, const rd_init *b);
/* Not 0: of a kind that is unknown here, or with a field that is for later. */
uint32_t rdc_strange_init(const rd_init *i);
#define RDC_STRANGE \
    "has flags or initial values that this Rondo does not know, or a field `reserved` that is not 0"
uint32_t rdc_source_count(const rdc_layout *l);
uint32_t rdc_source_width(const rdc_layout *l, uint32_t source);
const char *rdc_source_name(const rdc_layout *l, uint32_t source);
bool rdc_feeds(const rdc_layout *l, uint32_t source, uint32_t line);
#endif
