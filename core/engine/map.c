/* map.c - element-wise loops over strided tensors, and what their operations share.
 * SPDX-License-Identifier: MIT */
#include "engine/map.h"

#include "rondo/pointmath.h"

#include <string.h>

enum {
    STRETCH = 256, /* elements that a strided operand is copied by: four buffers stay in L1 */
    GRAIN = 8192   /* elements below which a second thread costs more than it saves */
};

/* One row of a walk: n elements, each operand with its own distance. */
struct row {
    size_t n;
    rd_real *y;
    size_t y_step;
    const rd_real *x[RDC_MAP_INPUTS];
    size_t x_step[RDC_MAP_INPUTS];
};

static void gather(size_t n, const rd_real *from, size_t step, rd_real *to)
{
    for (size_t j = 0; j < n; j++) to[j] = from[j * step];
}

/* Some operand is not adjacent: stretches of it go through a buffer. */
static void run_stretches(const rdc_map *m, const struct row *row)
{
    rd_real buffer[RDC_MAP_INPUTS + 1][STRETCH];
    const rd_real *x[RDC_MAP_INPUTS] = {NULL};
    for (size_t at = 0; at < row->n; at += STRETCH) {
        const size_t n = row->n - at < STRETCH ? row->n - at : STRETCH;
        for (uint32_t i = 0; i < m->n_in; i++) {
            const size_t step = row->x_step[i];
            x[i] = step == 1 ? row->x[i] + at : buffer[i];
            if (step > 1 || (step == 0 && at == 0))
                gather(n, row->x[i] + at * step, step, buffer[i]);
        }
        rd_real *const y = row->y + at * row->y_step, *const own = buffer[RDC_MAP_INPUTS];
        if (row->y_step == 1) {
            m->fn(m->op, n, x, y, m->arg);
            continue;
        }
        if (m->accumulate) gather(n, y, row->y_step, own);
        m->fn(m->op, n, x, own, m->arg);
        for (size_t j = 0; j < n; j++) y[j * row->y_step] = own[j];
    }
}

static void run_row(const rdc_map *m, const struct row *row)
{
    bool adjacent = row->n == 1 || row->y_step == 1;
    for (uint32_t i = 0; i < m->n_in; i++)
        adjacent = adjacent && (row->n == 1 || row->x_step[i] == 1);
    if (adjacent)
        m->fn(m->op, row->n, row->x, row->y, m->arg);
    else
        run_stretches(m, row);
}

/* A walk whose first loop is shared among the workers. */
struct walk_job {
    const rdc_map *m;
    const rdc_walk *w;
};

static void run_walk(void *job, size_t first, size_t last)
{
    const rdc_map *const m = ((const struct walk_job *)job)->m;
    rdc_walk w = *((const struct walk_job *)job)->w;
    const uint32_t n_all = m->n_in + 1;
    size_t index[RD_MAX_DIMS] = {0}, offset[RDC_MAP_INPUTS + 1];
    w.shape[0] = last - first;
    for (uint32_t k = 0; k < n_all; k++) offset[k] = w.stride[k][0] * first;
    const uint32_t inner = w.ndim - 1;
    struct row row = {.n = w.shape[inner], .y_step = w.stride[0][inner]};
    for (uint32_t i = 0; i < m->n_in; i++) row.x_step[i] = w.stride[i + 1][inner];
    do {
        row.y = m->y + offset[0];
        for (uint32_t i = 0; i < m->n_in; i++) row.x[i] = m->x[i] + offset[i + 1];
        run_row(m, &row);
    } while (rdc_walk_next(&w, n_all, index, offset));
}

void rdc_map_run(const rd_core *core, const rdc_map *m)
{
    size_t numel = 1;
    for (uint32_t d = 0; d < m->ndim; d++) numel *= m->shape[d];
    if (numel == 0) return;
    rdc_walk w;
    const size_t *const strides[] = {m->y_stride, m->x_stride[0], m->x_stride[1], m->x_stride[2]};
    rdc_walk_make(&w, m->ndim, m->shape, m->n_in + 1, strides);
    if (w.ndim == 0) { /* one element */
        w.ndim = 1;
        w.shape[0] = 1;
        for (uint32_t k = 0; k <= m->n_in; k++) w.stride[k][0] = 1;
    }
    struct walk_job job = {.m = m, .w = &w};
    const size_t inside = numel / w.shape[0];
    rdc_pool_range(core->pool, w.shape[0], (GRAIN + inside - 1) / inside, run_walk, &job);
}

RD_CLONES static void add(int32_t op, size_t n, const rd_real *const *x, rd_real *y, rd_real arg)
{
    const rd_real *const a = x[0];
    (void)op;
    (void)arg;
    for (size_t j = 0; j < n; j++) y[j] += a[j];
}

void rdc_add_strided(const rd_core *core, uint32_t ndim, const size_t *shape, rd_real *y,
                     const size_t *y_stride, const rd_real *x, const size_t *x_stride)
{
    rdc_map_run(core, &(rdc_map){.fn = add,
                                 .accumulate = true,
                                 .n_in = 1,
                                 .ndim = ndim,
                                 .shape = shape,
                                 .y = y,
                                 .y_stride = y_stride,
                                 .x = {x},
                                 .x_stride = {x_stride}});
}

void rdc_add_tensor(rd_tensor *y, const rd_tensor *x)
{
    rdc_add_strided(y->core, y->ndim, y->shape, y->at, y->stride, x->at, x->stride);
}

void rdc_broadcast_strides(const rd_tensor *t, uint32_t ndim, size_t stride[RD_MAX_DIMS])
{
    const uint32_t missing = ndim - t->ndim;
    memset(stride, 0, RD_MAX_DIMS * sizeof(stride[0]));
    for (uint32_t d = 0; d < t->ndim; d++)
        if (t->shape[d] != 1) stride[missing + d] = t->stride[d];
}

rd_status rdc_broadcast_shape(const char *op, rd_tensor *const *t, uint32_t n, uint32_t *ndim,
                              size_t shape[RD_MAX_DIMS], rd_error *err)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < n; i++) most = t[i]->ndim > most ? t[i]->ndim : most;
    for (uint32_t d = 0; d < most; d++) shape[d] = 1;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t d = 0; d < t[i]->ndim; d++) {
            const size_t size = t[i]->shape[d];
            size_t *const to = &shape[most - t[i]->ndim + d];
            if (size == *to || size == 1) continue;
            if (*to == 1) {
                *to = size;
                continue;
            }
            char a[128], b[128];
            return rdc_fail(err, RD_E_ARG,
                            "%s: shapes %s and %s do not go together; counted from the last, "
                            "dimensions must be equal or 1",
                            op, rdc_shape_text(t[i == 0 ? 0 : i - 1], a), rdc_shape_text(t[i], b));
        }
    }
    *ndim = most;
    return RD_OK;
}

rd_status rdc_check_dim(const char *op, const rd_tensor *t, uint32_t dim, rd_error *err)
{
    char shape[128];
    if (dim < t->ndim) return RD_OK;
    return rdc_fail(err, RD_E_ARG, "%s: a tensor of shape %s has no dimension %llu", op,
                    rdc_shape_text(t, shape), (unsigned long long)dim + 1);
}
