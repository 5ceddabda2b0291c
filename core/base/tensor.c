/* tensor.c - strided tensors: making, describing, copying, walking.
 * SPDX-License-Identifier: MIT */
#include "base/tensor.h"
#include "engine/tape.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

rd_tensor *rd_tensor_retain(rd_tensor *t)
{
    t->refs++;
    return t;
}

void rd_tensor_release(rd_tensor *t)
{
    if (!t) return;
    assert(t->refs > 0);
    if (--t->refs > 0) return;
    rd_core *core = t->core;
    rd_tensor_release(t->grad);
    rd_tensor_release(t->grad_place);
    rd_tensor_release(t->ids);
    rdc_block_release(core->arena, t->block);
    rdc_node_release(t->node);
    rdc_record_free(core->arena, t);
    rd_core_release(core);
}

rd_status rdc_tensor_over(rd_core *core, rdc_block *block, rd_real *at, uint32_t ndim,
                          const size_t *shape, const size_t *stride, rd_tensor **out, rd_error *err)
{
    rd_tensor *t = rdc_record_new(core->arena, sizeof *t);
    if (!t) return rdc_no_memory(err, sizeof *t);
    t->refs = 1;
    t->ndim = ndim;
    t->core = core;
    t->block = block;
    t->at = at;
    for (uint32_t d = 0; d < ndim; d++) {
        t->shape[d] = shape[d];
        t->stride[d] = stride[d];
    }
    rdc_block_retain(block);
    rdc_core_retain(core);
    *out = t;
    return RD_OK;
}

/* Strides of a packed tensor in the order; false on overflow. */
static bool packed_strides(uint32_t ndim, const size_t *shape, rd_order order, size_t *stride,
                           size_t *numel)
{
    size_t n = 1;
    for (uint32_t d = ndim; d-- > 0;) {
        stride[d] = n;
        if (!rdc_mul_size(n, shape[d], &n)) return false;
    }
    if (order == RD_SEQUENCE && ndim >= 2) { /* (B, T, ...) lies [T][B][...] */
        stride[0] = stride[1];
        stride[1] = stride[0] * shape[0];
    }
    *numel = n;
    return true;
}

rd_status rd_tensor_new(rd_core *core, uint32_t ndim, const size_t *shape, rd_order order,
                        rd_tensor **out, rd_error *err)
{
    size_t stride[RD_MAX_DIMS], numel, bytes;
    if (ndim > RD_MAX_DIMS)
        return rdc_fail(err, RD_E_ARG, "a tensor has at most %d dimensions, got %u", RD_MAX_DIMS,
                        ndim);
    if (!packed_strides(ndim, shape, order, stride, &numel) ||
        !rdc_mul_size(numel, sizeof(rd_real), &bytes) || bytes > PTRDIFF_MAX)
        return rdc_fail(err, RD_E_ARG, "a tensor of this shape is larger than memory can be");
    rdc_block *block = rdc_block_new(core->arena, bytes);
    if (!block) return rdc_no_memory(err, bytes);
    const rd_status status = rdc_tensor_over(core, block, block->at, ndim, shape, stride, out, err);
    rdc_block_release(core->arena, block);
    return status;
}

rd_core *rd_tensor_core(const rd_tensor *t)
{
    return t->core;
}

uint32_t rd_tensor_ndim(const rd_tensor *t)
{
    return t->ndim;
}

const size_t *rd_tensor_shape(const rd_tensor *t)
{
    return t->shape;
}

const size_t *rd_tensor_strides(const rd_tensor *t)
{
    return t->stride;
}

size_t rd_tensor_numel(const rd_tensor *t)
{
    size_t n = 1;
    for (uint32_t d = 0; d < t->ndim; d++) n *= t->shape[d];
    return n;
}

const rd_real *rd_tensor_at(const rd_tensor *t)
{
    return t->at;
}

size_t rd_tensor_bytes(const rd_tensor *t)
{
    return t->block->bytes;
}

rd_order rdc_order(const rd_tensor *t)
{
    if (t->ndim < 2 || t->shape[0] <= 1 || t->shape[1] <= 1) return RD_DENSE;
    return t->stride[0] < t->stride[1] ? RD_SEQUENCE : RD_DENSE;
}

bool rdc_is_packed(const rd_tensor *t)
{
    size_t stride[RD_MAX_DIMS], numel;
    if (!packed_strides(t->ndim, t->shape, rdc_order(t), stride, &numel)) return false;
    for (uint32_t d = 0; d < t->ndim; d++)
        if (t->shape[d] > 1 && t->stride[d] != stride[d]) return false;
    return true;
}

bool rdc_same_shape(const rd_tensor *a, const rd_tensor *b)
{
    if (a->ndim != b->ndim) return false;
    for (uint32_t d = 0; d < a->ndim; d++)
        if (a->shape[d] != b->shape[d]) return false;
    return true;
}

bool rdc_same_layout(const rd_tensor *a, const rd_tensor *b)
{
    if (!rdc_same_shape(a, b)) return false;
    for (uint32_t d = 0; d < a->ndim; d++)
        if (a->shape[d] > 1 && a->stride[d] != b->stride[d]) return false;
    return true;
}

bool rdc_as_rows(const rd_tensor *t, size_t *n_rows, size_t *width, size_t *row)
{
    if (t->ndim == 0) return false;
    const uint32_t last = t->ndim - 1;
    if (t->shape[last] > 1 && t->stride[last] != 1) return false;
    rdc_walk w;
    const size_t *const strides[] = {t->stride};
    rdc_walk_make(&w, last, t->shape, 1, strides);
    if (w.ndim > 1) return false;
    *n_rows = w.ndim ? w.shape[0] : 1;
    *width = t->shape[last];
    *row = w.ndim && w.shape[0] > 1 ? w.stride[0][0] : t->shape[last];
    return *row >= *width || *n_rows <= 1; /* a broadcast row is not a row of its own */
}

rd_status rdc_tensor_like(const rd_tensor *t, bool zero, rd_tensor **out, rd_error *err)
{
    RD_TRY(rd_tensor_new(t->core, t->ndim, t->shape, rdc_order(t), out, err));
    if (zero) memset((*out)->at, 0, rd_tensor_numel(*out) * sizeof(rd_real));
    return RD_OK;
}

rd_status rdc_tensor_packed(rd_tensor *t, rd_tensor **out, rd_error *err)
{
    if (rdc_is_packed(t)) {
        *out = rd_tensor_retain(t);
        return RD_OK;
    }
    rd_tensor *copy = NULL;
    RD_TRY(rdc_tensor_like(t, false, &copy, err));
    rdc_copy_values(t, copy);
    *out = copy;
    return RD_OK;
}

const char *rdc_shape_text(const rd_tensor *t, char buf[128])
{
    size_t used = (size_t)snprintf(buf, 128, "(");
    for (uint32_t d = 0; d < t->ndim && used < 128; d++)
        used += (size_t)snprintf(buf + used, 128 - used, d ? ", %zu" : "%zu", t->shape[d]);
    if (used < 128) snprintf(buf + used, 128 - used, ")");
    return buf;
}

/* Sorts dimensions by the stride of operand 0, largest first; drops those of size 1. */
static uint32_t sort_dims(uint32_t ndim, const size_t *shape, const size_t *stride, uint32_t *dim)
{
    uint32_t n = 0;
    for (uint32_t d = 0; d < ndim; d++) {
        if (shape[d] == 1) continue;
        uint32_t i = n++;
        for (; i > 0 && stride[dim[i - 1]] < stride[d]; i--) dim[i] = dim[i - 1];
        dim[i] = d;
    }
    return n;
}

void rdc_walk_make(rdc_walk *w, uint32_t ndim, const size_t *shape, uint32_t n,
                   const size_t *const *strides)
{
    uint32_t dim[RD_MAX_DIMS];
    const uint32_t kept = sort_dims(ndim, shape, strides[0], dim);
    w->ndim = 0;
    for (uint32_t i = 0; i < kept; i++) {
        const uint32_t d = dim[i], last = w->ndim - 1;
        bool merges = w->ndim > 0;
        for (uint32_t k = 0; k < n && merges; k++)
            merges = w->stride[k][last] == strides[k][d] * shape[d];
        const uint32_t to = merges ? last : w->ndim++;
        w->shape[to] = merges ? w->shape[to] * shape[d] : shape[d];
        for (uint32_t k = 0; k < n; k++) w->stride[k][to] = strides[k][d];
    }
}

bool rdc_walk_next(const rdc_walk *w, uint32_t n, size_t *index, size_t *offsets)
{
    for (uint32_t d = w->ndim > 0 ? w->ndim - 1 : 0; d-- > 0;) {
        for (uint32_t k = 0; k < n; k++) offsets[k] += w->stride[k][d];
        if (++index[d] < w->shape[d]) return true;
        for (uint32_t k = 0; k < n; k++) offsets[k] -= w->stride[k][d] * w->shape[d];
        index[d] = 0;
    }
    return false;
}

/* Copies values between two layouts of one shape. */
static void copy_strided(uint32_t ndim, const size_t *shape, const rd_real *from,
                         const size_t *from_stride, rd_real *to, const size_t *to_stride)
{
    for (uint32_t d = 0; d < ndim; d++)
        if (shape[d] == 0) return;
    rdc_walk w;
    const size_t *const strides[] = {to_stride, from_stride};
    rdc_walk_make(&w, ndim, shape, 2, strides);
    const size_t n = w.ndim ? w.shape[w.ndim - 1] : 1;
    const size_t ts = w.ndim ? w.stride[0][w.ndim - 1] : 1,
                 fs = w.ndim ? w.stride[1][w.ndim - 1] : 1;
    size_t index[RD_MAX_DIMS] = {0}, offset[2] = {0};
    do {
        rd_real *t = to + offset[0];
        const rd_real *f = from + offset[1];
        if (ts == 1 && fs == 1)
            memmove(t, f, n * sizeof(rd_real));
        else
            for (size_t j = 0; j < n; j++) t[j * ts] = f[j * fs];
    } while (rdc_walk_next(&w, 2, index, offset));
}

void rdc_copy_values(const rd_tensor *from, rd_tensor *to)
{
    assert(rdc_same_shape(from, to));
    copy_strided(to->ndim, to->shape, from->at, from->stride, to->at, to->stride);
}

rd_status rdc_begin_write(rd_tensor *t, rd_error *err)
{
    if (!rd_is_leaf(t))
        return rdc_fail(err, RD_E_ARG,
                        "a result that is part of a graph cannot be written in place; "
                        "use detach() or clone() first");
    if (t->wants_grad && t->core->grad_mode)
        return rdc_fail(
            err, RD_E_ARG,
            "a tensor that requires a gradient can be written in place only inside no_grad");
    t->block->version++;
    return RD_OK;
}

void rd_tensor_read(const rd_tensor *t, rd_real *values)
{
    size_t stride[RD_MAX_DIMS], numel;
    if (packed_strides(t->ndim, t->shape, RD_DENSE, stride, &numel))
        copy_strided(t->ndim, t->shape, t->at, t->stride, values, stride);
}

rd_status rd_tensor_write(rd_tensor *t, const rd_real *values, rd_error *err)
{
    size_t stride[RD_MAX_DIMS], numel;
    RD_TRY(rdc_begin_write(t, err));
    if (packed_strides(t->ndim, t->shape, RD_DENSE, stride, &numel))
        copy_strided(t->ndim, t->shape, values, stride, t->at, t->stride);
    return RD_OK;
}

static rd_status element_offset(const rd_tensor *t, const size_t *index, size_t *offset,
                                rd_error *err)
{
    *offset = 0;
    for (uint32_t d = 0; d < t->ndim; d++) {
        if (index[d] >= t->shape[d])
            return rdc_fail(err, RD_E_ARG, "position %zu of dimension %u must be 1..%zu",
                            index[d] + 1, d + 1, t->shape[d]);
        *offset += index[d] * t->stride[d];
    }
    return RD_OK;
}

rd_status rd_tensor_get(const rd_tensor *t, const size_t *index, double *value, rd_error *err)
{
    size_t offset;
    RD_TRY(element_offset(t, index, &offset, err));
    *value = (double)t->at[offset];
    return RD_OK;
}

rd_status rd_tensor_set(rd_tensor *t, const size_t *index, double value, rd_error *err)
{
    size_t offset;
    RD_TRY(element_offset(t, index, &offset, err));
    RD_TRY(rdc_begin_write(t, err));
    t->at[offset] = (rd_real)value;
    return RD_OK;
}
