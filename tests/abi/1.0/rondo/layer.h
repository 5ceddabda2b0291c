/* layer.h - all that the author of a layer includes: a plugin that computes a whole sequence by itself.
 *
 * What a cell cannot say (cell.h) is said here: windows over time, attention, steps that depend on later
 * ones. One call of forward() is one sequence: x [steps][in] becomes y [steps][out]. The core makes the
 * calls: a row of a batch is a sequence of its own length, of steps that lie behind each other whatever
 * the padding, masks and resets of the user, and sequences share nothing, so that threads take some each.
 *
 * Gradients of parameters are the core's, as with cells: backward() leaves dL/da of each step in a save,
 * and the parameter's declaration says what a was made from. They are summed over all steps of all
 * sequences in the order of the bit contract, rule 6, and so have the same bits in one sequence, in chunks
 * of it and step by step, on any number of threads.
 *
 * Tags: [setup] runs on one thread and may fail; [hot] runs on several threads at once, each on a sequence
 * of its own: no static data, no malloc, no I/O, no errno, and it cannot fail.
 * SPDX-License-Identifier: MIT */
#ifndef RD_LAYER_H
#define RD_LAYER_H
#include "kernel.h"

enum { RD_FROM_INPUT = 0x7fffffff }; /* the save that x is */

/* A parameter, and what its gradient G is the sum of:
 *     a matrix, a = M v + ...:  G = fma(v, dL/da, G)      a vector:  G = G + dL/da
 * `da` and `v` are ids of saves declared before it. */
typedef struct rd_param_decl {
    uint32_t size, id;
    const char *name;
    uint32_t rows, cols; /* cols 0: a vector of `rows` numbers */
    uint32_t da;         /* `rows` wide; backward writes it in every step */
    uint32_t v;          /* `cols` wide, or RD_FROM_INPUT; not read of a vector */
    uint32_t flags;      /* RD_FROZEN: a constant, da and v are not read */
    uint32_t reserved;
    rd_init init;
} rd_param_decl;
RD_RECORD(rd_param_decl, init);

/* Ids of each kind are dense from 0. The first error sticks and later calls do nothing, so setup() need not
 * test each of them. Records and names are copied. */
typedef struct rd_layer_builder {
    uint32_t size, reserved;
    /* The width of y; without it y is as wide as x. */
    void (*output)(struct rd_layer_builder *, uint32_t width);
    /* Carried from one call to the next; flags are 0. Not with RD_LAYER_NOT_CAUSAL. */
    void (*state)(struct rd_layer_builder *, const rd_state_decl *);
    void (*save)(struct rd_layer_builder *, const rd_save_decl *); /* numbers in each step */
    void (*param)(struct rd_layer_builder *, const rd_param_decl *);
    rd_status (*fail)(struct rd_layer_builder *, rd_status code, const char *text);
    /* n numbers for RD_INIT_TABLE, to be filled by setup(); they belong to the core. NULL once an error
     * has stuck or memory is short. */
    rd_real *(*table)(struct rd_layer_builder *, size_t n);
} rd_layer_builder;
RD_RECORD(rd_layer_builder, table);

typedef struct rd_need { /* memory of a sequence besides its saves; 64-byte aligned */
    uint32_t size, reserved;
    size_t kept_bytes;    /* from forward to its backward */
    size_t scratch_bytes; /* within one call; undefined when it begins */
} rd_need;
RD_RECORD(rd_need, scratch_bytes);

/* One call: one sequence. Spans have a row for each step: rd_row(r->y, t). A state is a vector.
 * forward(): reads x, prev, param; writes all of y and next; leaves in `save` and `kept` whatever backward()
 * wants to find there. x, prev and next lie apart.
 * backward(): finds x, y, save, kept, prev and next as forward left them, dy and dnext complete, dx and dprev
 * at zero; leaves dL/dx and dL/dprev there and WRITES every `da` of a parameter, in every step. It may write
 * any save and `kept`. From the last step to the first, with dnext before anything else, a sequence has the
 * bits of its chunks. */
typedef struct rd_run {
    uint32_t size, steps; /* at least 1 */
    uint32_t in, out;
    const rd_value *opt;
    rd_cspan x;
    rd_span y;
    const rd_span *save;
    const rd_real *const *param; /* matrices row-major */
    const rd_real *const *prev;
    rd_real *const *next;
    void *kept, *scratch;
    /* Products in the order of the bit contract (kernel.h); without packed_b, RD_BF16 and RD_INT8. */
    void (*gemm)(const rd_gemm *);
    rd_cspan dy; /* at is NULL in forward, as all below */
    rd_span dx;
    const rd_real *const *dnext;
    rd_real *const *dprev;
} rd_run;
RD_RECORD(rd_run, dprev);

/* Steps depend on later ones: it needs the whole sequence at once, cannot stream and cannot be cut by
 * truncated backpropagation. */
enum { RD_LAYER_NOT_CAUSAL = 1u };

typedef struct rd_layer {
    uint32_t size;
    uint32_t revision;       /* from 1; bump when parameters change meaning: checkpoints carry it */
    const char *name, *help; /* cells and layers share the names */
    const rd_option *options;
    uint32_t n_options, option_size;
    uint32_t flags, reserved;
    /* [setup] a pure function of its input; `hidden` is 0: widths are options of the layer */
    rd_status (*setup)(const rd_setup *, rd_layer_builder *);
    /* [setup] for sequences of at most so many steps; may be NULL: nothing is needed. On failure writes one
     * sentence into why. */
    rd_status (*plan)(const rd_setup *, uint32_t steps, rd_need *, char *why, size_t why_cap);
    void (*forward)(const rd_run *);  /* [hot] */
    void (*backward)(const rd_run *); /* [hot] NULL: cannot be trained */
} rd_layer;
RD_RECORD(rd_layer, backward);
#endif
