/* rows.c - tensors as rows along their last dimension, and ids that are checked.
 * SPDX-License-Identifier: MIT */
#include "engine/rows.h"
#include "rondo/pointmath.h"
#include <stdio.h>

rd_status rdc_rows_of(rd_tensor *x, const char *what, rdc_rows *out, rd_error *err)
{
    if (x->ndim == 0)
        return rdc_fail(err, RD_E_ARG,
                        "%s: expected a tensor with at least one dimension, got a "
                        "single number",
                        what);
    /* from four dimensions on, rows that lie evenly may still lie in an order of their own */
    if (rdc_as_rows(x, &out->n, &out->width, &out->row) && (x->ndim <= 3 || rdc_is_packed(x))) {
        out->x = rd_tensor_retain(x);
        return RD_OK;
    }
    rd_tensor *copy = NULL;
    RD_TRY(rd_contiguous(x, x->ndim <= 2 ? RD_DENSE : rdc_order(x), &copy, err));
    *out = rdc_rows_again(copy);
    return RD_OK;
}

rdc_rows rdc_rows_again(rd_tensor *x)
{
    rdc_rows rows = {.x = x};
    if (!rdc_as_rows(x, &rows.n, &rows.width, &rows.row)) { /* empty ones need no stride */
        rows.width = rows.row = x->shape[x->ndim - 1];
        rows.n = rows.width ? rd_tensor_numel(x) / rows.width : 0;
    }
    return rows;
}

rd_status rdc_rows_result(const rdc_rows *like, size_t width, rd_tensor **out, rd_error *err)
{
    const rd_tensor *x = like->x;
    size_t shape[RD_MAX_DIMS];
    for (uint32_t d = 0; d < x->ndim; d++) shape[d] = x->shape[d];
    shape[x->ndim - 1] = width;
    return rd_tensor_new(x->core, x->ndim, shape, x->ndim <= 2 ? RD_DENSE : rdc_order(x), out, err);
}

size_t rdc_rows_grain(size_t width)
{
    const size_t elements = 4096; /* some microseconds, the price of waking a thread */
    return width >= elements ? 1 : elements / (width ? width : 1);
}

RD_CLONES static bool all_ids(const rd_real *x, size_t n, rd_real highest)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        const bool inside = x[i] >= 0 && x[i] <= highest;
        const rd_real safe = inside ? x[i] : (rd_real)0.5;
        bad |= (rd_real)(int32_t)safe != safe;
    }
    return bad == 0;
}

/* The first bad id in logical order; the caller knows that there is one. */
static rd_status name_bad_id(const rd_tensor *ids, size_t n, const char *what, rd_error *err)
{
    const size_t count = rd_tensor_numel(ids);
    for (size_t i = 0; i < count; i++) {
        size_t rest = i, offset = 0, used = 0, index[RD_MAX_DIMS];
        for (uint32_t d = ids->ndim; d-- > 0;) {
            index[d] = rest % ids->shape[d];
            rest /= ids->shape[d];
            offset += index[d] * ids->stride[d];
        }
        const rd_real *at = ids->at + offset;
        if (all_ids(at, 1, (rd_real)n)) continue;
        char place[RD_MAX_DIMS * 22 + 1] = "";
        for (uint32_t d = 0; d < ids->ndim; d++)
            used += (size_t)snprintf(place + used, sizeof place - used, d ? ", %zu" : "%zu",
                                     index[d] + 1);
        return rdc_fail(err, RD_E_ARG, "%s: ids must be integers 0..%zu, got %.9g at (%s)", what, n,
                        (double)*at, place);
    }
    return RD_OK;
}

rd_status rdc_check_ids(const rd_tensor *ids, size_t n, const char *what, rd_error *err)
{
    bool good;
    if (n > (size_t)1 << 24)
        return rdc_fail(err, RD_E_ARG, "%s: at most %d classes can be told apart, got %zu", what,
                        1 << 24, n);
    if (rdc_is_packed(ids)) {
        good = all_ids(ids->at, rd_tensor_numel(ids), (rd_real)n);
    } else {
        rd_tensor *copy = NULL;
        RD_TRY(rdc_tensor_packed((rd_tensor *)ids, &copy, err));
        good = all_ids(copy->at, rd_tensor_numel(copy), (rd_real)n);
        rd_tensor_release(copy);
    }
    return good ? RD_OK : name_bad_id(ids, n, what, err);
}
