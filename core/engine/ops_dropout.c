/* ops_dropout.c - zeroes at random by counters, so that backward draws the same mask again.
 * SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "base/rng.h"
#include "engine/tape.h"
#include "rondo/pointmath.h"

struct dropout {
    rd_stream stream;
    double p;
    rd_real scale;
    size_t batch, steps, width; /* as (batch, steps, width) */
    bool time_major;
    bool same; /* one mask for all steps */
    const rd_real *from;
    rd_real *to;
    bool add; /* backward adds, forward writes */
};

RD_INLINE void drop_run(const uint32_t *u, size_t n, uint32_t limit, rd_real scale, bool add,
                        const rd_real *restrict from, rd_real *restrict to)
{
    for (size_t e = 0; e < n; e++) {
        const rd_real y = u[e] >> 8 < limit ? 0 : from[e] * scale;
        to[e] = add ? to[e] + y : y;
    }
}

RD_CLONES static void drop_some(const uint32_t *u, size_t n, const struct dropout *d,
                                const rd_real *from, rd_real *to)
{
    const uint32_t limit = rdc_limit(d->p);
    if (d->add)
        drop_run(u, n, limit, d->scale, true, from, to);
    else
        drop_run(u, n, limit, d->scale, false, from, to);
}

/* The number of element e of row b at step t is in quad e / 4. */
static void drop_row(const struct dropout *d, size_t b, size_t t, const rd_real *from, rd_real *to)
{
    enum { RUN = 4 * RDC_QUADS };
    for (size_t e = 0; e < d->width; e += RUN) {
        uint32_t u[RUN];
        rdc_philox_run(&d->stream, (uint32_t)b, (uint32_t)t, (uint32_t)(e / 4), u);
        drop_some(u, d->width - e < RUN ? d->width - e : RUN, d, from + e, to + e);
    }
}

static void drop_rows(void *job, size_t first, size_t last)
{
    const struct dropout *d = job;
    for (size_t r = first; r < last; r++) {
        const size_t b = d->time_major ? r % d->batch : r / d->steps;
        const size_t t = d->time_major ? r / d->batch : r % d->steps;
        drop_row(d, b, d->same ? 0 : t, d->from + r * d->width, d->to + r * d->width);
    }
}

static void run(rd_core *core, struct dropout *d)
{
    const size_t grain = d->width >= 1024 ? 1 : 1024 / (d->width ? d->width : 1);
    rdc_pool_range(core->pool, d->batch * d->steps, grain, drop_rows, d);
}

static rd_status dropout_backward(rdc_node *node, rd_error *err)
{
    (void)err;
    if (!node->din[0]) return RD_OK;
    struct dropout d = {.stream = node->stream,
                        .p = node->number_arg[0],
                        .scale = (rd_real)(1 / (1 - node->number_arg[0])),
                        .batch = node->size_arg[0],
                        .steps = node->size_arg[1],
                        .width = node->size_arg[2],
                        .time_major = node->size_arg[3] != 0,
                        .same = node->size_arg[4] != 0,
                        .from = node->dout[0]->at,
                        .to = node->din[0]->at,
                        .add = true};
    run(node->core, &d);
    return RD_OK;
}

static const rdc_op dropout_op = {.name = "dropout", .backward = dropout_backward};

/* x (B, ...) or (B, T, ...) packed, as batch, steps and width. */
static void take_shape(struct dropout *how, const rd_tensor *x)
{
    struct dropout d = *how;
    d.batch = x->ndim >= 2 ? x->shape[0] : 1;
    d.steps = x->ndim >= 3 ? x->shape[1] : 1;
    d.width = 1;
    for (uint32_t i = x->ndim >= 3 ? 2 : x->ndim == 2; i < x->ndim; i++) d.width *= x->shape[i];
    d.time_major = x->ndim >= 3 && rdc_order(x) == RD_SEQUENCE;
    *how = d;
}

static rd_status drop(rd_tensor *x, struct dropout d, rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL, *const in[] = {x};
    rdc_node *node = NULL;
    take_shape(&d, x);
    RD_TRY(rdc_tensor_like(x, false, &y, err));
    d.from = x->at;
    d.to = y->at;
    run(x->core, &d);
    if (rdc_wants_node(in, 1)) {
        const rd_status status = rdc_record(&dropout_op, in, 1, &y, 1, &node, err);
        if (status != RD_OK) {
            rd_tensor_release(y);
            return status;
        }
        node->stream = d.stream;
        node->number_arg[0] = d.p;
        node->size_arg[0] = d.batch;
        node->size_arg[1] = d.steps;
        node->size_arg[2] = d.width;
        node->size_arg[3] = d.time_major;
        node->size_arg[4] = d.same;
    }
    *out = y;
    return RD_OK;
}

static rd_status dropout(rd_tensor *x, struct dropout how, rd_tensor **out, rd_error *err)
{
    if (!(how.p >= 0 && how.p < 1))
        return rdc_fail(err, RD_E_ARG, "dropout: p must be at least 0 and less than 1, got %.9g",
                        how.p);
    how.scale = (rd_real)(1 / (1 - how.p));
    if (how.p == 0) {
        *out = rd_tensor_retain(x);
        return RD_OK;
    }
    rd_tensor *packed = NULL;
    const bool by_rows = x->ndim <= 2; /* a turned matrix is laid out by rows first */
    if (rdc_is_packed(x) && !(by_rows && rdc_order(x) == RD_SEQUENCE))
        packed = rd_tensor_retain(x);
    else
        RD_TRY(rd_contiguous(x, by_rows ? RD_DENSE : rdc_order(x), &packed, err));
    const rd_status status = drop(packed, how, out, err);
    rd_tensor_release(packed);
    return status;
}

rd_status rd_dropout(rd_tensor *x, double p, const rd_stream *stream, rd_tensor **out,
                     rd_error *err)
{
    return dropout(x, (struct dropout){.stream = *stream, .p = p}, out, err);
}

rd_status rd_variational_dropout(rd_tensor *x, double p, const rd_stream *stream, rd_tensor **out,
                                 rd_error *err)
{
    struct dropout how = {.stream = *stream, .p = p, .same = true};
    how.stream.time = 0; /* a chunk has the mask of those before it */
    return dropout(x, how, out, err);
}
