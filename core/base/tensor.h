/* tensor.h - strided tensors and how operations reach their memory.
 *
 * Invariant: for every valid index, at + sum index[d] * stride[d] lies inside block. A tensor owns one
 * reference to its block, its producing node, its gradient, its one-hot ids and the core.
 * Two storage orders: dense and sequence, (B, T, ...) lying as [T][B][...]; which one is derived from
 * the strides, never stored.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TENSOR_H
#define RD_TENSOR_H
#include "core.h"

typedef struct rdc_node rdc_node;

struct rd_tensor {
    uint32_t refs, ndim;
    rd_core *core;
    rdc_block *block;
    rd_real *at;
    size_t shape[RD_MAX_DIMS];
    size_t stride[RD_MAX_DIMS]; /* in elements */
    rdc_node *node;             /* producer on the tape, or NULL: a constant or a leaf */
    uint32_t output;            /* which of the node's results this is */
    bool wants_grad;            /* a leaf that collects a gradient */
    bool is_view;               /* shares its block with the tensor it was made from */
    rd_tensor *grad;            /* of a leaf */
    rd_tensor *grad_place;      /* of a leaf without gradient yet: zeros to take for it, or NULL */
    rd_tensor *ids;       /* of a one-hot tensor: what it was made from, packed in its order */
    uint64_t ids_version; /* of the block when the ids were right; see rdc_one_hot_ids */
};

/* The ids of a one-hot tensor, row for row in storage order, or NULL: also once its values were written. */
static inline rd_tensor *rdc_one_hot_ids(const rd_tensor *t)
{
    return t->ids && t->ids_version == t->block->version ? t->ids : NULL;
}

/* Order of storage that results of an operation on t take. */
rd_order rdc_order(const rd_tensor *t);
/* Elements are adjacent in the storage order: numel of them from `at`, no holes, each once. */
bool rdc_is_packed(const rd_tensor *t);
/* Same shape and same strides where it matters (dimensions of size 1 do not). */
bool rdc_same_layout(const rd_tensor *a, const rd_tensor *b);
bool rdc_same_shape(const rd_tensor *a, const rd_tensor *b);
/* The last dimension is adjacent and all others collapse to one stride: rows [n_rows][width] in storage
 * order, `*row` elements apart. */
bool rdc_as_rows(const rd_tensor *t, size_t *n_rows, size_t *width, size_t *row);
/* A packed tensor like t in shape and storage order; zeroed or not. */
rd_status rdc_tensor_like(const rd_tensor *t, bool zero, rd_tensor **out, rd_error *err);
/* t itself (retained) if packed, else a packed copy in its storage order. No graph is recorded. */
rd_status rdc_tensor_packed(rd_tensor *t, rd_tensor **out, rd_error *err);
/* A tensor over [at, ...) of an existing block; retains it. */
rd_status rdc_tensor_over(rd_core *core, rdc_block *block, rd_real *at, uint32_t ndim,
                          const size_t *shape, const size_t *stride, rd_tensor **out,
                          rd_error *err);
/* "(32, 100, 64)" for messages; returns buf. */
const char *rdc_shape_text(const rd_tensor *t, char buf[128]);
/* Copies element by element in logical order; shapes are equal. */
void rdc_copy_values(const rd_tensor *from, rd_tensor *to);
/* Fails where an in-place write is not allowed, else bumps the version. */
rd_status rdc_begin_write(rd_tensor *t, rd_error *err);

/* Walks up to 4 tensors of one shape as the fewest nested loops: dimensions of equal order are merged, the
 * innermost is as long as it can be. Broadcast operands have stride 0. */
typedef struct rdc_walk {
    uint32_t ndim;
    size_t shape[RD_MAX_DIMS];
    size_t stride[4][RD_MAX_DIMS];
} rdc_walk;
/* strides[i]: strides of operand i over the common shape, ordered by operand 0's memory. */
void rdc_walk_make(rdc_walk *w, uint32_t ndim, const size_t *shape, uint32_t n,
                   const size_t *const *strides);
/* Next row of the walk: call with index all 0 at first; adds to offsets; false at the end. The innermost
 * loop (dimension ndim - 1) is the caller's. */
bool rdc_walk_next(const rdc_walk *w, uint32_t n, size_t *index, size_t *offsets);
#endif
