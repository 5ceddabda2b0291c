/* seq_bench.h - the functions of a plugin's layer called by hand for one sequence, on buffers that notice
 * what is done to them.
 *
 * As in cell_bench.h each span is an array of its own, with rows farther apart than they are wide and a
 * row before and behind; what lies between and around is a NaN with a payload, and so is what a function
 * has to write or may not rely on. Spans of steps have a row for each, others one. Parameters are those of
 * a layer that the engine made. What is found is a sentence.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHECK_SEQ_BENCH_H
#define RD_CHECK_SEQ_BENCH_H
#include "engine/layer.h"
#include "made.h"

enum seq_kind {
    SEQ_X,
    SEQ_Y,
    SEQ_SAVE,
    SEQ_PREV,
    SEQ_NEXT,
    SEQ_PARAM,
    SEQ_KEPT,
    SEQ_SCRATCH,
    SEQ_DY,
    SEQ_DX,
    SEQ_DNEXT,
    SEQ_DPREV,
    SEQ_KINDS
};

typedef struct seq_bench {
    made m;
    const rd_layer *kind;
    const rdc_layer_decl *decl;
    rd_core *core;
    uint32_t steps;
    double scale, dscale; /* of x, and of the gradients that come in */
    bool zeroed;          /* what is undefined is 0, not NaN */
    bool backward;        /* the call that is made, or was made last */
    int error;            /* errno after it; 0 before */
    uint64_t environment; /* bits of the floating-point environment that it changed */
    /* Called right before and right after each call; may be NULL. */
    void (*around)(void *user, const struct seq_bench *b, bool before);
    void *user;
    bench_span span[SEQ_KINDS][RDC_LAYER_PARAMS];
    uint32_t count[SEQ_KINDS];
} seq_bench;

/* false: `why` says why the layer cannot be made, or that memory is short. */
bool seq_open(seq_bench *b, const cell_case *c, uint32_t steps, char *why, size_t cap);
void seq_close(seq_bench *b);
/* Called after each call: false ends the run. */
typedef bool (*seq_after)(const seq_bench *b, void *user);
/* forward, and backward, if the layer has one. */
bool seq_run(seq_bench *b, seq_after after, void *user);

/* "backward of 8 steps" */
#define SEQ_CALL "%s of %u steps"
#define SEQ_CALLED(b) (b)->backward ? "backward" : "forward", (b)->steps
/* Is all around the rows of every span as it was? Names the first that is not. */
bool seq_guards(const seq_bench *b, char *why, size_t cap);
/* Is a span as it was before the last call? If not: the first element, row times width. */
bool seq_kept(const seq_bench *b, enum seq_kind kind, uint32_t id, size_t *place);
/* The same bits in all elements of a span; names the first that differs. */
bool seq_same(const seq_bench *a, const seq_bench *b, enum seq_kind kind, uint32_t id, char *why,
              size_t cap);
/* "state 'h'", and " (t=2, element 3)" of an element. */
void seq_name(const seq_bench *b, enum seq_kind kind, uint32_t id, char name[64]);
void seq_place(const seq_bench *b, enum seq_kind kind, uint32_t id, size_t place, char text[64]);
/* Is a save what a gradient is made of? */
bool seq_is_da(const seq_bench *b, uint32_t save);
#endif
