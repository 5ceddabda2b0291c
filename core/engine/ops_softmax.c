/* ops_softmax.c - softmax and log-softmax along any dimension.
 *
 * A row by the bit contract's rule 7: m = max; e = exp(x - m); s by 16 lanes; p = e / s; the logarithm
 * is (x - m) - log s.
 * SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "engine/rows.h"
#include "engine/tape.h"
#include "rondo/pointmath.h"

struct softmax {
    size_t width, row;
    const rd_real *x, *y, *dy;
    rd_real *out; /* y in forward, dx in backward */
};

RD_CLONES static void softmax_rows(void *job, size_t first, size_t last)
{
    const struct softmax *s = job;
    const size_t n = s->width;
    for (size_t r = first; r < last; r++) {
        const rd_real *restrict x = s->x + r * s->row; /* y is another block */
        rd_real *restrict y = s->out + r * n;
        const rd_real m = rd_max16(x, n);
        for (size_t j = 0; j < n; j++) y[j] = rd_exp(x[j] - m);
        const rd_real sum = rd_sum16(y, n);
        for (size_t j = 0; j < n; j++) y[j] /= sum;
    }
}

RD_CLONES static void log_softmax_rows(void *job, size_t first, size_t last)
{
    const struct softmax *s = job;
    const size_t n = s->width;
    for (size_t r = first; r < last; r++) {
        const rd_real *restrict x = s->x + r * s->row; /* y is another block */
        rd_real *restrict y = s->out + r * n;
        const rd_real m = rd_max16(x, n);
        for (size_t j = 0; j < n; j++) y[j] = rd_exp(x[j] - m);
        const rd_real log_sum = rd_log(rd_sum16(y, n));
        for (size_t j = 0; j < n; j++) y[j] = (x[j] - m) - log_sum;
    }
}

/* dx = p (dy - sum dy p) */
RD_CLONES static void softmax_back(void *job, size_t first, size_t last)
{
    const struct softmax *s = job;
    const size_t n = s->width;
    for (size_t r = first; r < last; r++) {
        const rd_real *p = s->y + r * n, *dy = s->dy + r * n;
        rd_real *restrict dx = s->out + r * n; /* dx is another block */
        const rd_real mean = rd_dot16(dy, p, n);
        for (size_t j = 0; j < n; j++) dx[j] += p[j] * (dy[j] - mean);
    }
}

/* dx = dy - exp(y) sum dy */
RD_CLONES static void log_softmax_back(void *job, size_t first, size_t last)
{
    const struct softmax *s = job;
    const size_t n = s->width;
    for (size_t r = first; r < last; r++) {
        const rd_real *y = s->y + r * n, *dy = s->dy + r * n;
        rd_real *restrict dx = s->out + r * n; /* dx is another block */
        const rd_real sum = rd_sum16(dy, n);
        for (size_t j = 0; j < n; j++) dx[j] += dy[j] - rd_exp(y[j]) * sum;
    }
}

static rd_status back(rdc_node *node, rdc_range_fn fn)
{
    if (!node->din[0]) return RD_OK;
    const rdc_rows y = rdc_rows_again(node->saved[0]);
    struct softmax s = {
        .width = y.width, .y = y.x->at, .dy = node->dout[0]->at, .out = node->din[0]->at};
    rdc_pool_range(node->core->pool, y.n, rdc_rows_grain(y.width), fn, &s);
    return RD_OK;
}

static rd_status softmax_backward(rdc_node *node, rd_error *err)
{
    (void)err;
    return back(node, softmax_back);
}

static rd_status log_softmax_backward(rdc_node *node, rd_error *err)
{
    (void)err;
    return back(node, log_softmax_back);
}

static const rdc_op softmax_op = {.name = "softmax", .backward = softmax_backward};
static const rdc_op log_softmax_op = {.name = "log_softmax", .backward = log_softmax_backward};

static rd_status along_rows(rd_tensor *x, bool log, rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL;
    rdc_node *node = NULL;
    rdc_rows rows;
    RD_TRY(rdc_rows_of(x, log ? "log_softmax" : "softmax", &rows, err));
    rd_status status = rdc_rows_result(&rows, rows.width, &y, err);
    if (status != RD_OK) goto done;
    struct softmax s = {.width = rows.width, .row = rows.row, .x = rows.x->at, .out = y->at};
    rdc_pool_range(x->core->pool, rows.n, rdc_rows_grain(rows.width),
                   log ? log_softmax_rows : softmax_rows, &s);
    if (rdc_wants_node(&rows.x, 1)) {
        status = rdc_record(log ? &log_softmax_op : &softmax_op, &rows.x, 1, &y, 1, &node, err);
        if (status != RD_OK) goto done;
        rdc_save(node, 0, y);
    }
    *out = rd_tensor_retain(y);
done:
    rd_tensor_release(y);
    rd_tensor_release(rows.x);
    return status;
}

/* Other dimensions are moved to the end and back by views. */
rd_status rd_softmax(rd_tensor *x, uint32_t dim, bool log, rd_tensor **out, rd_error *err)
{
    rd_tensor *moved = NULL, *y = NULL;
    const char *name = log ? "log_softmax" : "softmax";
    char text[128];
    if (dim >= x->ndim)
        return rdc_fail(err, RD_E_ARG, "%s: dimension %u is not one of %s", name, dim + 1,
                        rdc_shape_text(x, text));
    if (dim == x->ndim - 1) return along_rows(x, log, out, err);
    RD_TRY(rd_transpose(x, dim, x->ndim - 1, &moved, err));
    rd_status status = along_rows(moved, log, &y, err);
    if (status == RD_OK) status = rd_transpose(y, dim, x->ndim - 1, out, err);
    rd_tensor_release(y);
    rd_tensor_release(moved);
    return status;
}
