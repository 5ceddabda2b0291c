/* cell_bench.h - a cell's step functions called by hand, on buffers that notice what is done to them.
 *
 * Each span is an array of its own, with rows farther apart than they are wide and a row before and
 * behind; what lies between and around is a NaN with a payload (or a number: BENCH_NUMBER), and so is
 * what a function has to write before it did. Lines are formed as the engine forms them (bit contract,
 * rule 4) with matrices made up from their place. Nothing here knows a test framework: what is found is
 * a sentence.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHECK_CELL_BENCH_H
#define RD_CHECK_CELL_BENCH_H
#include "engine/noise.h"
#include "rondo.h"

typedef struct cell_case { /* what is checked */
    const rd_cell *cell;   /* of a layer: nothing but its name and options */
    const rd_layer *layer; /* NULL: it is a cell */
    const rd_setting *settings;
    size_t n_settings;
    uint32_t in, hidden, bias;
    rd_core *core; /* which has the cell; NULL: steps alone are checked */
} cell_case;

enum cell_kind { /* in the order of rd_step */
                 CELL_LINE,
                 CELL_NEXT,
                 CELL_TEMP,
                 CELL_SAVE,
                 CELL_PREV,
                 CELL_X,
                 CELL_VEC,
                 CELL_DNEXT,
                 CELL_DPREV,
                 CELL_DTEMP,
                 CELL_DX,
                 CELL_DVEC,
                 CELL_ADDED, /* what later phases added to dtemp, before it is given its value */
                 CELL_KINDS
};

typedef struct bench_span {
    rd_real *block, *at; /* at: row 0 */
    rd_real *kept;       /* the block as it was before the last call */
    uint32_t rows, width;
    size_t row, n; /* n: of the block */
} bench_span;

typedef struct cell_bench {
    const rd_cell *cell;
    rdc_layout *layout;
    rd_value *options;
    uint32_t rows;
    uint32_t split;      /* rows of the first of two calls; 0: one call */
    double scale;        /* of x */
    double base, dscale; /* what gradients that are added to hold; the size of those that come in */
    struct {             /* the call that is made, or was made last */
        bool backward;
        uint32_t phase;
        int64_t t;
        int error;            /* errno after it; 0 before */
        uint64_t environment; /* bits of the floating-point environment that it changed */
    } call;
    /* Called right before and right after each call of the cell; may be NULL. */
    void (*around)(void *user, const struct cell_bench *b, bool before);
    void *user;
    rd_real *matrix[RDC_MAX_LINES][RDC_MAX_SOURCES]; /* [width][source width], or NULL */
    bench_span span[CELL_KINDS][RDC_MAX_LINES];
    uint32_t count[CELL_KINDS];
} cell_bench;

/* false: `why` says what the cell's declaration is refused for, or that memory is short. */
bool bench_open(cell_bench *b, const cell_case *c, uint32_t rows, char *why, size_t cap);
void bench_close(cell_bench *b);
/* First values everywhere; x and what is kept from step to step are those of step 0. */
void bench_start(cell_bench *b);
/* Called after each phase: false ends the step. */
typedef bool (*bench_after)(const cell_bench *b, uint32_t phase, void *user);
/* x of step `at`; the cell is told that it is step t. Previous states are those of the last step. */
bool bench_forward(cell_bench *b, uint32_t at, int64_t t, bench_after after, void *user);
/* What gradients hold before backward: base, and what comes in. bench_backward begins with it. */
void bench_gradients(cell_bench *b);
bool bench_backward(cell_bench *b, int64_t t, bench_after after, void *user);

/* BENCH_STEPS steps forward from first values, then the last one backward, if the cell has a backward. */
enum { BENCH_STEPS = 8 };
bool bench_run(cell_bench *b, bench_after after, void *user);

rd_real bench_unwritten(void);
bool bench_is_unwritten(rd_real value);
/* A NaN goes through arithmetic as it is, so that `a[j] = tanh(a[j])` behind a row leaves it there: with a
 * number around the rows it shows. */
#define BENCH_NUMBER ((rd_real)-0.375)
/* What lies around the rows of a span; and has the last call written element i of it, which does? */
void bench_surround(const bench_span *s, rd_real value);
bool bench_is_outside(const bench_span *s, size_t i);
/* In [-1, 1), by what it is for and its place. */
double bench_number(uint32_t what, size_t place);
/* "backward of phase 1", and its step. */
#define BENCH_CALL "%s of phase %u"
#define BENCH_CALLED(b) (b)->call.backward ? "backward" : "forward", (b)->call.phase
#define BENCH_T(b) (int)(b)->call.t
/* Is all around the rows of every span as it was? Names the first that is not. */
bool bench_guards(const cell_bench *b, char *why, size_t cap);
/* Is a span as it was before the last call of the cell? *place: the first element that is not, row times
 * the span's width. */
bool bench_kept(const cell_bench *b, enum cell_kind kind, uint32_t id, size_t *place);
/* The same bits in kinds first .. last; names the first element that differs. */
bool bench_same(const cell_bench *a, const cell_bench *b, enum cell_kind first, enum cell_kind last,
                char *why, size_t cap);
/* "state 'h'" */
void bench_name(const cell_bench *b, enum cell_kind kind, uint32_t id, char name[64]);
#endif
