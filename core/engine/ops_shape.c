/* ops_shape.c - views and rearrangements: slice, select, transpose, reshape, contiguous, detach, concat,
 * gather.
 *
 * A view is described by how it turns the strides of its source into its own. The same description,
 * applied to the source's gradient, says where the view's gradient is added.
 * SPDX-License-Identifier: MIT */
#include "engine/map.h"
#include "engine/tape.h"

#include <string.h>

enum view_kind { SAME, SLICE, SELECT, TRANSPOSE };
struct view {
    enum view_kind kind;
    size_t a, b, length; /* SLICE: dim, start, length; SELECT: dim, index; TRANSPOSE: two dims */
};

/* Where a view lies in memory. */
struct place {
    uint32_t ndim;
    size_t shape[RD_MAX_DIMS], stride[RD_MAX_DIMS], offset;
};

static void place_of(const struct view *v, const rd_tensor *x, struct place *p)
{
    *p = (struct place){.ndim = x->ndim};
    memcpy(p->shape, x->shape, sizeof(p->shape));
    memcpy(p->stride, x->stride, sizeof(p->stride));
    switch (v->kind) {
    case SAME:
        break;
    case SLICE:
        p->shape[v->a] = v->length;
        p->offset = v->b * x->stride[v->a];
        break;
    case SELECT:
        p->ndim--;
        for (size_t d = v->a; d < p->ndim; d++) {
            p->shape[d] = x->shape[d + 1];
            p->stride[d] = x->stride[d + 1];
        }
        p->offset = v->b * x->stride[v->a];
        break;
    case TRANSPOSE:
        p->shape[v->a] = x->shape[v->b];
        p->shape[v->b] = x->shape[v->a];
        p->stride[v->a] = x->stride[v->b];
        p->stride[v->b] = x->stride[v->a];
        break;
    }
}

static rd_status tensor_at(rd_tensor *x, const struct place *p, rd_tensor **out, rd_error *err)
{
    RD_TRY(rdc_tensor_over(x->core, x->block, x->at + p->offset, p->ndim, p->shape, p->stride, out,
                           err));
    (*out)->is_view = true;
    return RD_OK;
}

/* A view that leaves the classes of a one-hot tensor whole keeps its ids. */
static rd_status carry_ids(const struct view *v, rd_tensor *x, rd_tensor *y, rd_error *err)
{
    rd_tensor *const ids = rdc_one_hot_ids(x);
    if (!ids) return RD_OK;
    if (v->kind != SAME && v->a == ids->ndim) return RD_OK;
    if (v->kind == TRANSPOSE && v->b == ids->ndim) return RD_OK;
    struct place place;
    rd_tensor *view = NULL;
    place_of(v, ids, &place);
    RD_TRY(tensor_at(ids, &place, &view, err));
    const rd_status status = rdc_tensor_packed(view, &y->ids, err);
    y->ids_version = y->block->version;
    rd_tensor_release(view);
    return status;
}

/* size_arg: the view. */
static rd_status view_backward(rdc_node *node, rd_error *err)
{
    const rd_tensor *const dy = node->dout[0];
    rd_tensor *const dx = node->din[0];
    const struct view v = {(enum view_kind)node->size_arg[0], node->size_arg[1], node->size_arg[2],
                           node->size_arg[3]};
    struct place place;
    (void)err;
    place_of(&v, dx, &place);
    rdc_add_strided(node->core, dy->ndim, dy->shape, dx->at + place.offset, place.stride, dy->at,
                    dy->stride);
    return RD_OK;
}

static const rdc_op view_op[] = {{"contiguous", view_backward, NULL},
                                 {"slice", view_backward, NULL},
                                 {"select", view_backward, NULL},
                                 {"transpose", view_backward, NULL}};

static rd_status record_view(const struct view *v, rd_tensor *x, rd_tensor *y, rd_error *err)
{
    rdc_node *node = NULL;
    if (!rdc_wants_node(&x, 1)) return RD_OK;
    RD_TRY(rdc_record(&view_op[v->kind], &x, 1, &y, 1, &node, err));
    node->size_arg[0] = (size_t)v->kind;
    node->size_arg[1] = v->a;
    node->size_arg[2] = v->b;
    node->size_arg[3] = v->length;
    node->in[0].one_term = true;
    return RD_OK;
}

static rd_status make_view(const struct view *v, rd_tensor *x, rd_tensor **out, rd_error *err)
{
    struct place place;
    rd_tensor *y = NULL;
    place_of(v, x, &place);
    RD_TRY(tensor_at(x, &place, &y, err));
    rd_status status = carry_ids(v, x, y, err);
    if (status == RD_OK) status = record_view(v, x, y, err);
    if (status == RD_OK)
        *out = y;
    else
        rd_tensor_release(y);
    return status;
}

rd_status rd_slice(rd_tensor *x, uint32_t dim, size_t start, size_t length, rd_tensor **out,
                   rd_error *err)
{
    RD_TRY(rdc_check_dim("slice", x, dim, err));
    const size_t size = x->shape[dim];
    if (start > size || length > size - start)
        return rdc_fail(
            err, RD_E_ARG,
            "slice: dimension %u has %zu positions; %zu of them from position %zu on are "
            "not there",
            dim + 1, size, length, start + 1);
    return make_view(&(struct view){SLICE, dim, start, length}, x, out, err);
}

rd_status rd_select(rd_tensor *x, uint32_t dim, size_t index, rd_tensor **out, rd_error *err)
{
    RD_TRY(rdc_check_dim("select", x, dim, err));
    if (index >= x->shape[dim])
        return rdc_fail(err, RD_E_ARG, "select: position in dimension %u must be 1..%zu, got %zu",
                        dim + 1, x->shape[dim], index + 1);
    return make_view(&(struct view){SELECT, dim, index, 0}, x, out, err);
}

rd_status rd_transpose(rd_tensor *x, uint32_t a, uint32_t b, rd_tensor **out, rd_error *err)
{
    RD_TRY(rdc_check_dim("transpose", x, a, err));
    RD_TRY(rdc_check_dim("transpose", x, b, err));
    return make_view(&(struct view){TRANSPOSE, a, b, 0}, x, out, err);
}

rd_status rd_detach(rd_tensor *x, rd_tensor **out, rd_error *err)
{
    const struct view same = {.kind = SAME};
    struct place place;
    rd_tensor *y = NULL;
    place_of(&same, x, &place);
    RD_TRY(tensor_at(x, &place, &y, err));
    const rd_status status = carry_ids(&same, x, y, err);
    if (status == RD_OK)
        *out = y;
    else
        rd_tensor_release(y);
    return status;
}

rd_status rd_contiguous(rd_tensor *x, rd_order order, rd_tensor **out, rd_error *err)
{
    const bool one_order = x->ndim < 2 || x->shape[0] <= 1 || x->shape[1] <= 1;
    const struct view same = {.kind = SAME};
    rd_tensor *y = NULL;
    if (rdc_is_packed(x) && (one_order || rdc_order(x) == order)) {
        *out = rd_tensor_retain(x);
        return RD_OK;
    }
    RD_TRY(rd_tensor_new(x->core, x->ndim, x->shape, order, &y, err));
    rdc_copy_values(x, y);
    rd_status status = record_view(&same, x, y, err);
    rd_tensor *const ids = rdc_one_hot_ids(x);
    if (ids && status == RD_OK) {
        status = rd_contiguous(ids, order, &y->ids, err);
        y->ids_version = y->block->version;
    }
    if (status == RD_OK)
        *out = y;
    else
        rd_tensor_release(y);
    return status;
}

/* ---- reshape -------------------------------------------------------------------------------------- */

/* Strides under which x's memory reads as `shape` in logical order; false where there are none. Runs of old
 * and new dimensions with equal products are matched; a run must lie evenly in memory. */
static bool reshaped_strides(const rd_tensor *x, uint32_t ndim, const size_t *shape, size_t *stride)
{
    uint32_t from = 0, to = 0;
    if (rd_tensor_numel(x) == 0) return false;
    while (to < ndim || from < x->ndim) {
        size_t have = 1, want = 1;
        const uint32_t first = to;
        uint32_t last = from; /* the last old dimension of the run that is not of size 1 */
        size_t step = 0;      /* its stride */
        bool any = false;
        do {
            if (have <= want && from < x->ndim) {
                if (x->shape[from] != 1) {
                    if (any && x->stride[last] != x->shape[from] * x->stride[from]) return false;
                    step = x->stride[from];
                    last = from;
                    any = true;
                }
                have *= x->shape[from++];
            } else {
                want *= shape[to++];
            }
        } while (have != want);
        for (uint32_t d = to; d-- > first;) {
            stride[d] = step;
            step *= shape[d];
        }
    }
    return true;
}

/* Adds dy, read in logical order, to dx. */
static rd_status reshape_backward(rdc_node *node, rd_error *err)
{
    const rd_tensor *const dy = node->dout[0];
    rd_tensor *const dx = node->din[0];
    const size_t numel = rd_tensor_numel(dx);
    rdc_block *copy = NULL;
    size_t dense[RD_MAX_DIMS], n = 1;
    for (uint32_t d = dx->ndim; d-- > 0;) {
        dense[d] = n;
        n *= dx->shape[d];
    }
    if (rdc_order(dy) == RD_SEQUENCE) {
        copy = rdc_block_new(node->core->arena, numel * sizeof(rd_real));
        if (!copy) return rdc_no_memory(err, numel * sizeof(rd_real));
        rd_tensor_read(dy, copy->at);
    }
    rdc_add_strided(node->core, dx->ndim, dx->shape, dx->at, dx->stride, copy ? copy->at : dy->at,
                    dense);
    rdc_block_release(node->core->arena, copy);
    return RD_OK;
}

static const rdc_op reshape_op = {"reshape", reshape_backward, NULL};

rd_status rd_reshape(rd_tensor *x, uint32_t ndim, const size_t *shape, rd_tensor **out,
                     rd_error *err)
{
    char have[128];
    struct place place = {.ndim = ndim};
    rd_tensor *y = NULL;
    size_t numel = 1;
    if (ndim > RD_MAX_DIMS)
        return rdc_fail(err, RD_E_ARG, "reshape: a tensor has at most %d dimensions, got %u",
                        RD_MAX_DIMS, ndim);
    bool fits = true;
    for (uint32_t d = 0; d < ndim; d++) fits = fits && rdc_mul_size(numel, shape[d], &numel);
    if (!fits)
        return rdc_fail(err, RD_E_ARG,
                        "reshape: the new shape has more elements than memory can address");
    if (numel != rd_tensor_numel(x))
        return rdc_fail(err, RD_E_ARG, "reshape: shape %s has %zu elements, the new one has %zu",
                        rdc_shape_text(x, have), rd_tensor_numel(x), numel);
    for (uint32_t d = 0; d < ndim; d++) place.shape[d] = shape[d];
    if (reshaped_strides(x, ndim, shape, place.stride)) {
        RD_TRY(tensor_at(x, &place, &y, err));
    } else {
        RD_TRY(rd_tensor_new(x->core, ndim, shape, RD_DENSE, &y, err));
        rd_tensor_read(x, y->at);
    }
    if (rdc_wants_node(&x, 1)) {
        rdc_node *node = NULL;
        const rd_status status = rdc_record(&reshape_op, &x, 1, &y, 1, &node, err);
        if (status != RD_OK) {
            rd_tensor_release(y);
            return status;
        }
        node->in[0].one_term = true;
    }
    *out = y;
    return RD_OK;
}

/* ---- concat --------------------------------------------------------------------------------------- */

/* size_arg[0]: dim. */
static rd_status concat_backward(rdc_node *node, rd_error *err)
{
    const rd_tensor *const dy = node->dout[0];
    const size_t dim = node->size_arg[0];
    size_t start = 0;
    (void)err;
    for (uint32_t i = 0; i < node->n_in; i++) {
        rd_tensor *const dx = node->din[i];
        if (dx)
            rdc_add_strided(node->core, dx->ndim, dx->shape, dx->at, dx->stride,
                            dy->at + start * dy->stride[dim], dy->stride);
        start += node->in[i].shape[dim];
    }
    return RD_OK;
}

static const rdc_op concat_op = {"concat", concat_backward, NULL};

/* The shape of the result; fails where shapes differ but in dim. */
static rd_status concat_shape(rd_tensor *const *x, size_t n, uint32_t dim, size_t *shape,
                              rd_error *err)
{
    char first[128], other[128];
    if (n == 0 || n > UINT32_MAX)
        return rdc_fail(err, RD_E_ARG, "concat: at least one tensor is needed");
    RD_TRY(rdc_check_dim("concat", x[0], dim, err));
    memcpy(shape, x[0]->shape, sizeof(x[0]->shape));
    for (size_t i = 1; i < n; i++) {
        bool fits = x[i]->ndim == x[0]->ndim;
        for (uint32_t d = 0; d < x[0]->ndim && fits; d++)
            fits = d == dim || x[i]->shape[d] == x[0]->shape[d];
        if (!fits)
            return rdc_fail(err, RD_E_ARG,
                            "concat: shapes must be equal but in dimension %u, got %s and %s",
                            dim + 1, rdc_shape_text(x[0], first), rdc_shape_text(x[i], other));
        if (!rdc_add_size(shape[dim], x[i]->shape[dim], &shape[dim]))
            return rdc_fail(err, RD_E_ARG, "concat: the result is larger than memory can be");
    }
    return RD_OK;
}

rd_status rd_concat(rd_tensor *const *x, size_t n, uint32_t dim, rd_tensor **out, rd_error *err)
{
    size_t shape[RD_MAX_DIMS], start = 0;
    rd_tensor *y = NULL;
    RD_TRY(concat_shape(x, n, dim, shape, err));
    RD_TRY(rd_tensor_new(x[0]->core, x[0]->ndim, shape, rdc_order(x[0]), &y, err));
    for (size_t i = 0; i < n; i++) {
        rd_tensor part = *y; /* a window on y: never leaves this loop */
        memcpy(part.shape, x[i]->shape, sizeof(part.shape));
        part.at = y->at + start * y->stride[dim];
        rdc_copy_values(x[i], &part);
        start += x[i]->shape[dim];
    }
    if (rdc_wants_node(x, (uint32_t)n)) {
        rdc_node *node = NULL;
        const rd_status status = rdc_record(&concat_op, x, (uint32_t)n, &y, 1, &node, err);
        if (status != RD_OK) {
            rd_tensor_release(y);
            return status;
        }
        node->size_arg[0] = dim;
        for (size_t i = 0; i < n; i++) node->in[i].one_term = true;
    }
    *out = y;
    return RD_OK;
}
