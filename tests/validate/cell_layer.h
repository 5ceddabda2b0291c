/* cell_layer.h - a layer of the cell that is checked, or the layer that is, run by the engine, and what it
 * gives as numbers.
 *
 * Numbers that go in depend on what they are for and their place alone; they are the same in each layer
 * of a case.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHECK_CELL_LAYER_H
#define RD_CHECK_CELL_LAYER_H
#include "made.h"

enum { LAYER_STATES = RDC_MAX_STATES };

/* A layer whose biases and vectors are no round numbers either; another seed gives other numbers. The
 * caller releases it. */
rd_status layer_new(const cell_case *c, uint32_t seed, made *out, rd_error *err);
/* Uniform in [-1, 1), in sequence order; a leaf that wants a gradient. */
rd_status layer_numbers(rd_core *core, uint32_t seed, uint32_t ndim, const size_t *shape,
                        rd_tensor **out, rd_error *err);
/* One first state of each kind for so many rows. */
rd_status layer_states(rd_core *core, const made *m, size_t rows, rd_tensor *first[LAYER_STATES],
                       rd_error *err);
/* sum(t * weights) with weights that tell elements apart, added to *sum (NULL: it is the first). */
rd_status layer_weigh(rd_tensor *t, rd_tensor **sum, rd_error *err);

/* Tensors by name, as copies in logical order. */
typedef struct layer_thing {
    char name[80];
    uint32_t ndim;
    size_t shape[3], n;
    bool
        of_units; /* (unit, element of its source) or (unit); else (row, t, element) or (row, element) */
    rd_real *values; /* NULL: there is no such tensor, the gradient of what has none */
} layer_thing;
typedef struct layer_things {
    layer_thing *at;
    size_t n;
} layer_things;
rd_status layer_keep(layer_things *to, const char *name, const rd_tensor *t, rd_error *err);
void layer_things_free(layer_things *t);
/* The same bits? Else "output (row 0, t=3, element 1) is 0.5 and 0.25". */
bool layer_things_same(const layer_things *a, const layer_things *b, char *why, size_t cap);

typedef struct layer_form {
    size_t rows, steps;
    size_t chunk;     /* steps to a call; 0: all */
    uint32_t threads; /* 0: one */
    bool recorded;    /* with gradients */
} layer_form;
/* Runs a new layer and keeps the output, last states and, where recorded, the gradients of all that has
 * one. */
rd_status layer_run(const cell_case *c, const layer_form *f, layer_things *out, rd_error *err);
#endif
