/* ops_reduce.c - sum, mean, max and argmax as operations of the tape.
 *
 * Along the last dimension a sum runs in 16 lanes, along any other ascending; whole tensors are summed in
 * double (rule 7 of the bit contract; reduce.h). Maxima are the first in logical order; NaN counts as
 * larger than any number, so that it is seen.
 * SPDX-License-Identifier: MIT */
#include "engine/map.h"
#include "engine/reduce.h"
#include "engine/tape.h"
#include "rondo/pointmath.h"

#include <string.h>

/* x cut into lines along one dimension: `ndim` other dimensions with the strides of x and of the result. */
struct lines {
    uint32_t ndim;
    size_t shape[RD_MAX_DIMS], x_stride[RD_MAX_DIMS], y_stride[RD_MAX_DIMS];
    size_t n, step; /* elements of a line and the distance between them */
};

static void cut_lines(const rd_tensor *x, uint32_t dim, bool keep_dim, const size_t *y_stride,
                      struct lines *l)
{
    l->ndim = 0;
    for (uint32_t d = 0; d < x->ndim; d++) {
        if (d == dim) continue;
        l->shape[l->ndim] = x->shape[d];
        l->x_stride[l->ndim] = x->stride[d];
        l->y_stride[l->ndim] = y_stride[keep_dim || d < dim ? d : d - 1];
        l->ndim++;
    }
    l->n = x->shape[dim];
    l->step = x->stride[dim];
}

/* An undefined result without the dimension, or with size 1 there. It keeps sequence order where batch and
 * time both stay. */
static rd_status result_along(const char *op, const rd_tensor *x, uint32_t dim, bool keep_dim,
                              rd_tensor **out, rd_error *err)
{
    if (dim == RD_ALL) return rd_tensor_new(x->core, 0, NULL, RD_DENSE, out, err);
    RD_TRY(rdc_check_dim(op, x, dim, err));
    size_t shape[RD_MAX_DIMS];
    uint32_t ndim = 0;
    for (uint32_t d = 0; d < x->ndim; d++) {
        if (d == dim && !keep_dim) continue;
        shape[ndim++] = d == dim ? 1 : x->shape[d];
    }
    return rd_tensor_new(x->core, ndim, shape, dim >= 2 ? rdc_order(x) : RD_DENSE, out, err);
}

/* Calls visit for every line; x is written by backward passes only. */
typedef void (*line_fn)(const struct lines *l, rd_real *x, rd_real *y, rd_real *at);
static void each_line(const struct lines *l, line_fn visit, rd_real *x, rd_real *y, rd_real *at)
{
    size_t index[RD_MAX_DIMS] = {0}, xo = 0, yo = 0;
    for (uint32_t d = 0; d < l->ndim; d++)
        if (l->shape[d] == 0) return;
    for (;;) {
        visit(l, x + xo, y ? y + yo : NULL, at ? at + yo : NULL);
        uint32_t d = l->ndim;
        while (d-- > 0) {
            xo += l->x_stride[d];
            yo += l->y_stride[d];
            if (++index[d] < l->shape[d]) break;
            xo -= l->x_stride[d] * l->shape[d];
            yo -= l->y_stride[d] * l->shape[d];
            index[d] = 0;
        }
        if (d == UINT32_MAX) return;
    }
}

/* ---- sum and mean --------------------------------------------------------------------------------- */

RD_CLONES static void sum_line(const struct lines *l, rd_real *x, rd_real *y, rd_real *at)
{
    (void)at;
    if (l->step == 1) {
        *y = rd_sum16(x, l->n);
        return;
    }
    rd_real lane[RD_LANES] = {0};
    for (size_t e = 0; e < l->n; e++) lane[e % RD_LANES] += x[e * l->step];
    *y = rd_join16(lane);
}

static void sum_along(rd_tensor *x, uint32_t dim, bool keep_dim, rd_tensor *y)
{
    struct lines l;
    cut_lines(x, dim, keep_dim, y->stride, &l);
    if (dim == x->ndim - 1) {
        each_line(&l, sum_line, x->at, y->at, NULL);
        return;
    }
    memset(y->at, 0, rd_tensor_numel(y) * sizeof(rd_real));
    for (size_t k = 0; k < l.n; k++)
        rdc_add_strided(x->core, l.ndim, l.shape, y->at, l.y_stride, x->at + k * l.step,
                        l.x_stride);
}

RD_CLONES static void spread(int32_t op, size_t n, const rd_real *const *x, rd_real *y, rd_real arg)
{
    const rd_real *const restrict dy = x[0];
    rd_real *const restrict dx = y;
    if (op == 0)
        for (size_t j = 0; j < n; j++) dx[j] += dy[j];
    else
        for (size_t j = 0; j < n; j++) dx[j] += dy[j] / arg;
}

/* size_arg: dim, keep_dim; number_arg[0]: the divisor, 0 for a sum. */
static rd_status sum_backward(rdc_node *node, rd_error *err)
{
    const rd_tensor *const dy = node->dout[0];
    rd_tensor *const dx = node->din[0];
    const size_t dim = node->size_arg[0];
    const bool keep_dim = node->size_arg[1] != 0;
    size_t stride[RD_MAX_DIMS] = {0};
    (void)err;
    for (uint32_t d = 0; d < dx->ndim && dim != RD_ALL; d++)
        if (d != dim) stride[d] = dy->stride[keep_dim || d < dim ? d : d - 1];
    rdc_map_run(node->core, &(rdc_map){.fn = spread,
                                       .op = node->number_arg[0] > 0,
                                       .accumulate = true,
                                       .arg = (rd_real)node->number_arg[0],
                                       .n_in = 1,
                                       .ndim = dx->ndim,
                                       .shape = dx->shape,
                                       .y = dx->at,
                                       .y_stride = dx->stride,
                                       .x = {dy->at},
                                       .x_stride = {stride}});
    return RD_OK;
}

static const rdc_op sum_op = {"sum", sum_backward, NULL};
static const rdc_op mean_op = {"mean", sum_backward, NULL};

/* divisor: 0 for a sum. */
static rd_status sum_or_mean(const rdc_op *op, rd_tensor *x, uint32_t dim, bool keep_dim,
                             rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL;
    rd_status status = RD_OK;
    RD_TRY(result_along(op->name, x, dim, keep_dim, &y, err));
    const size_t n = dim == RD_ALL ? rd_tensor_numel(x) : x->shape[dim];
    const bool mean = op == &mean_op;
    const uint64_t env = rdc_fp_enter();
    if (mean && n == 0) {
        status = rdc_fail(err, RD_E_ARG, "mean: there is nothing to average over");
    } else if (dim == RD_ALL) {
        const double sum = rdc_sum_all(x);
        y->at[0] = (rd_real)(mean ? sum / (double)n : sum);
    } else {
        sum_along(x, dim, keep_dim, y);
        const size_t numel = rd_tensor_numel(y);
        for (size_t j = 0; j < numel && mean; j++) y->at[j] /= (rd_real)n;
    }
    rdc_fp_leave(env);
    if (status == RD_OK && rdc_wants_node(&x, 1)) {
        rdc_node *node = NULL;
        status = rdc_record(op, &x, 1, &y, 1, &node, err);
        if (status == RD_OK) {
            node->size_arg[0] = dim;
            node->size_arg[1] = keep_dim;
            node->in[0].one_term = true;
            node->number_arg[0] = mean ? (double)n : 0;
        }
    }
    if (status == RD_OK)
        *out = y;
    else
        rd_tensor_release(y);
    return status;
}

rd_status rd_sum(rd_tensor *x, uint32_t dim, bool keep_dim, rd_tensor **out, rd_error *err)
{
    return sum_or_mean(&sum_op, x, dim, keep_dim, out, err);
}

rd_status rd_mean(rd_tensor *x, uint32_t dim, bool keep_dim, rd_tensor **out, rd_error *err)
{
    return sum_or_mean(&mean_op, x, dim, keep_dim, out, err);
}

/* ---- max and argmax --------------------------------------------------------------------------------- */

/* NaN beats every number but not an earlier NaN. */
static bool beats(rd_real a, rd_real best)
{
    return a > best || (a != a && best == best);
}

/* The largest of a line and its position from 1. */
static void max_line(const struct lines *l, rd_real *x, rd_real *y, rd_real *at)
{
    size_t best = 0;
    for (size_t e = 1; e < l->n; e++)
        if (beats(x[e * l->step], x[best * l->step])) best = e;
    if (y) *y = x[best * l->step];
    if (at) *at = (rd_real)(best + 1);
}

/* The first maximum in logical order: its offset in memory and its position from 0. */
static size_t max_of_all(const rd_tensor *x, size_t *position)
{
    size_t index[RD_MAX_DIMS] = {0}, offset = 0, best = 0, at = 0;
    *position = 0;
    for (;;) {
        if (beats(x->at[offset], x->at[best])) {
            best = offset;
            *position = at;
        }
        at++;
        uint32_t d = x->ndim;
        while (d-- > 0) {
            offset += x->stride[d];
            if (++index[d] < x->shape[d]) break;
            offset -= x->stride[d] * x->shape[d];
            index[d] = 0;
        }
        if (d == UINT32_MAX) return best;
    }
}

static void add_at(const struct lines *l, rd_real *dx, rd_real *dy, rd_real *at)
{
    dx[((size_t)*at - 1) * l->step] += *dy;
}

/* size_arg: dim, keep_dim, position in the whole tensor; saved[0]: positions along dim. */
static rd_status max_backward(rdc_node *node, rd_error *err)
{
    const rd_tensor *const dy = node->dout[0], *const at = node->saved[0];
    rd_tensor *const dx = node->din[0];
    (void)err;
    if (node->size_arg[0] == RD_ALL) {
        size_t position = node->size_arg[2], offset = 0;
        for (uint32_t d = dx->ndim; d-- > 0;) {
            offset += position % dx->shape[d] * dx->stride[d];
            position /= dx->shape[d];
        }
        dx->at[offset] += dy->at[0];
        return RD_OK;
    }
    struct lines l;
    cut_lines(dx, (uint32_t)node->size_arg[0], node->size_arg[1] != 0, dy->stride, &l);
    each_line(&l, add_at, dx->at, dy->at, at->at);
    return RD_OK;
}

static const rdc_op max_op = {"max", max_backward, NULL};

/* Fails where there is no maximum, or where a position would not be exact as a number. */
static rd_status check_line(const char *op, const rd_tensor *x, uint32_t dim, rd_error *err)
{
    if (dim != RD_ALL) RD_TRY(rdc_check_dim(op, x, dim, err));
    const size_t n = dim == RD_ALL ? rd_tensor_numel(x) : x->shape[dim];
    if (n == 0) return rdc_fail(err, RD_E_ARG, "%s: there is nothing to choose from", op);
    if (n > (size_t)1 << 24)
        return rdc_fail(err, RD_E_ARG, "%s: at most 16777216 elements can be told apart, got %zu",
                        op, n);
    return RD_OK;
}

rd_status rd_argmax(rd_tensor *x, uint32_t dim, bool keep_dim, rd_tensor **out, rd_error *err)
{
    rd_tensor *at = NULL;
    RD_TRY(check_line("argmax", x, dim, err));
    RD_TRY(result_along("argmax", x, dim, keep_dim, &at, err));
    if (dim == RD_ALL) {
        size_t position;
        max_of_all(x, &position);
        at->at[0] = (rd_real)(position + 1);
    } else {
        struct lines l;
        cut_lines(x, dim, keep_dim, at->stride, &l);
        each_line(&l, max_line, x->at, NULL, at->at);
    }
    *out = at;
    return RD_OK;
}

static rd_status record_max(rd_tensor *x, uint32_t dim, bool keep_dim, rd_tensor *y, rd_tensor *at,
                            rd_error *err)
{
    rdc_node *node = NULL;
    RD_TRY(rdc_record(&max_op, &x, 1, &y, 1, &node, err));
    node->in[0].one_term = true;
    node->size_arg[0] = dim;
    node->size_arg[1] = keep_dim;
    if (at) rdc_save(node, 0, at);
    return RD_OK;
}

rd_status rd_max(rd_tensor *x, uint32_t dim, bool keep_dim, rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL, *at = NULL;
    size_t position = 0;
    RD_TRY(check_line("max", x, dim, err));
    rd_status status = result_along("max", x, dim, keep_dim, &y, err);
    if (status == RD_OK && dim != RD_ALL) status = result_along("max", x, dim, keep_dim, &at, err);
    if (status != RD_OK) goto done;
    if (dim == RD_ALL) {
        y->at[0] = x->at[max_of_all(x, &position)];
    } else {
        struct lines l;
        cut_lines(x, dim, keep_dim, y->stride, &l);
        each_line(&l, max_line, x->at, y->at, at->at);
    }
    if (rdc_wants_node(&x, 1)) {
        status = record_max(x, dim, keep_dim, y, at, err);
        if (status == RD_OK) y->node->size_arg[2] = position;
    }
done:
    rd_tensor_release(at);
    if (status == RD_OK)
        *out = y;
    else
        rd_tensor_release(y);
    return status;
}
