/* ops_gather.c - picking elements along a dimension by id.
 *
 * An id k reads position k - 1; id 0 is "absent", gives 0 and gets no gradient. Several ids may name one
 * element: its gradient is summed from the last row to the first (rule 6 of the bit contract).
 * SPDX-License-Identifier: MIT */
#include "engine/map.h"
#include "engine/tape.h"

#include <string.h>

/* Walks the result, the ids and x (or dx), whose distance along dim is the ids' affair. */
static void gather_walk(const rd_tensor *y, const rd_tensor *ids, const rd_tensor *x, uint32_t dim,
                        rdc_walk *w)
{
    size_t x_stride[RD_MAX_DIMS];
    memcpy(x_stride, x->stride, sizeof(x_stride));
    x_stride[dim] = 0;
    const size_t *const strides[] = {y->stride, ids->stride, x_stride};
    rdc_walk_make(w, y->ndim, y->shape, 3, strides);
    if (w->ndim == 0) { /* one element */
        w->ndim = 1;
        w->shape[0] = 1;
        for (int k = 0; k < 3; k++) w->stride[k][0] = 0;
    }
}

/* saved[0]: ids; size_arg[0]: dim. Every element of dy, the last in storage order first. */
static rd_status gather_backward(rdc_node *node, rd_error *err)
{
    const rd_tensor *const dy = node->dout[0], *const ids = node->saved[0];
    rd_tensor *const dx = node->din[0];
    const uint32_t dim = (uint32_t)node->size_arg[0];
    rdc_walk w;
    size_t index[RD_MAX_DIMS], offset[3] = {0};
    (void)err;
    if (rd_tensor_numel(dy) == 0) return RD_OK;
    gather_walk(dy, ids, dx, dim, &w);
    for (uint32_t d = 0; d < w.ndim; d++) {
        index[d] = w.shape[d] - 1;
        for (int k = 0; k < 3; k++) offset[k] += index[d] * w.stride[k][d];
    }
    for (;;) {
        const size_t id = (size_t)ids->at[offset[1]];
        if (id > 0) dx->at[offset[2] + (id - 1) * dx->stride[dim]] += dy->at[offset[0]];
        uint32_t d = w.ndim;
        while (d-- > 0) {
            for (int k = 0; k < 3; k++) offset[k] -= w.stride[k][d];
            if (index[d]-- > 0) break;
            index[d] = w.shape[d] - 1;
            for (int k = 0; k < 3; k++) offset[k] += w.stride[k][d] * w.shape[d];
        }
        if (d == UINT32_MAX) return RD_OK;
    }
}

static const rdc_op gather_op = {"gather", gather_backward, NULL};

static rd_status check_gather(const rd_tensor *x, uint32_t dim, const rd_tensor *ids, rd_error *err)
{
    char a[128], b[128];
    RD_TRY(rdc_check_dim("gather", x, dim, err));
    bool fits = x->ndim == ids->ndim;
    for (uint32_t d = 0; d < x->ndim && fits; d++) fits = d == dim || x->shape[d] == ids->shape[d];
    if (fits && x->shape[dim] > (size_t)1 << 24) /* an id that is no number would pick another */
        return rdc_fail(err, RD_E_ARG, "gather: at most 16777216 places can be told apart, got %zu",
                        x->shape[dim]);
    if (fits) return RD_OK;
    return rdc_fail(err, RD_E_ARG,
                    "gather: shapes must be equal but in dimension %u, got %s and ids %s", dim + 1,
                    rdc_shape_text(x, a), rdc_shape_text(ids, b));
}

static rd_status fill_gathered(const rd_tensor *x, uint32_t dim, const rd_tensor *ids, rd_tensor *y,
                               rd_error *err)
{
    rdc_walk w;
    size_t index[RD_MAX_DIMS] = {0}, offset[3] = {0};
    if (rd_tensor_numel(y) == 0) return RD_OK;
    gather_walk(y, ids, x, dim, &w);
    const uint32_t in = w.ndim - 1;
    do {
        for (size_t j = 0; j < w.shape[in]; j++) {
            const rd_real id = ids->at[offset[1] + j * w.stride[1][in]];
            if (!(id >= 0 && id <= (rd_real)x->shape[dim]) || id != (rd_real)(size_t)id)
                return rdc_fail(err, RD_E_ARG, "gather: ids must be whole numbers 0..%zu, got %g",
                                x->shape[dim], (double)id);
            const size_t from = offset[2] + j * w.stride[2][in];
            y->at[offset[0] + j * w.stride[0][in]] =
                id > 0 ? x->at[from + ((size_t)id - 1) * x->stride[dim]] : 0;
        }
    } while (rdc_walk_next(&w, 3, index, offset));
    return RD_OK;
}

rd_status rd_gather(rd_tensor *x, uint32_t dim, rd_tensor *ids, rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL;
    RD_TRY(check_gather(x, dim, ids, err));
    RD_TRY(rdc_tensor_like(ids, false, &y, err));
    rd_status status = fill_gathered(x, dim, ids, y, err);
    if (status == RD_OK && rdc_wants_node(&x, 1)) {
        rdc_node *node = NULL;
        status = rdc_record(&gather_op, &x, 1, &y, 1, &node, err);
        if (status == RD_OK) {
            node->size_arg[0] = dim;
            rdc_save(node, 0, ids);
        }
    }
    if (status == RD_OK)
        *out = y;
    else
        rd_tensor_release(y);
    return status;
}
