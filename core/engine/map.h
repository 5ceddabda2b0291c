/* map.h - element-wise loops over strided tensors, and what their operations share.
 *
 * An operation gives one function over adjacent elements; the driver merges dimensions, hands over flat
 * memory where it can, and copies strided or broadcast stretches through a small buffer where it cannot.
 * SPDX-License-Identifier: MIT */
#ifndef RD_MAP_H
#define RD_MAP_H
#include "base/tensor.h"

#define RDC_MAP_INPUTS 3

/* n adjacent elements: y[i] = f(x[0][i], ...), or y[i] += f(...) where the map accumulates. [hot] */
typedef void (*rdc_map_fn)(int32_t op, size_t n, const rd_real *const *x, rd_real *y, rd_real arg);
typedef struct rdc_map {
    rdc_map_fn fn;
    int32_t op;      /* handed to fn */
    bool accumulate; /* fn reads y */
    rd_real arg;     /* handed to fn */
    uint32_t n_in, ndim;
    const size_t *shape;
    rd_real *y;
    const size_t *y_stride;
    const rd_real *x[RDC_MAP_INPUTS];
    const size_t *x_stride[RDC_MAP_INPUTS]; /* 0 where broadcast */
} rdc_map;
/* Runs the map, shared among the workers where it is large. */
void rdc_map_run(const rd_core *core, const rdc_map *m);
/* y += x over `shape`, whatever the strides. */
void rdc_add_strided(const rd_core *core, uint32_t ndim, const size_t *shape, rd_real *y,
                     const size_t *y_stride, const rd_real *x, const size_t *x_stride);
/* y += x: equal shapes. */
void rdc_add_tensor(rd_tensor *y, const rd_tensor *x);

/* Strides of t over a shape that it broadcasts to (numpy's rules: aligned at the last dimension). */
void rdc_broadcast_strides(const rd_tensor *t, uint32_t ndim, size_t stride[RD_MAX_DIMS]);
/* The shape that n tensors broadcast to; `op` begins the message. */
rd_status rdc_broadcast_shape(const char *op, rd_tensor *const *t, uint32_t n, uint32_t *ndim,
                              size_t shape[RD_MAX_DIMS], rd_error *err);
/* Is dim a dimension of t? `op` begins the message. */
rd_status rdc_check_dim(const char *op, const rd_tensor *t, uint32_t dim, rd_error *err);
#endif
