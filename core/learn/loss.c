/* loss.c - cross-entropy fused with log-softmax, and mean squared error.
 *
 * The loss of each row is formed in rd_real, their total in double by blocks (bit contract, rule 7).
 * Backward forms the probabilities again from the logits: an exponential costs less than a second array
 * of their size in memory.
 * SPDX-License-Identifier: MIT */
#include "engine/reduce.h"
#include "engine/rows.h"
#include "engine/tape.h"
#include "rondo/pointmath.h"

/* What the loss is divided by. */
static double divisor(rd_reduction reduction, double count, size_t batch)
{
    switch (reduction) {
    case RD_MEAN:
        return count;
    case RD_TOTAL:
        return 1;
    case RD_PER_BATCH:
        return (double)batch;
    }
    return 1;
}

/* A 0-d result; no counted position gives 0. */
static rd_status make_loss(rd_core *core, double sum, double div, rd_tensor **out, rd_error *err)
{
    const uint64_t env = rdc_fp_enter();
    const rd_status status = rd_scalar(core, div > 0 ? sum / div : 0, out, err);
    rdc_fp_leave(env);
    return status;
}

/* ---- cross-entropy ----------------------------------------------------------------------- */

struct entropy {
    size_t classes, row;
    const rd_real *logits, *ids;
    rd_real *losses, *stats; /* stats: maximum and sum of exponentials of each row */
    rd_real *dlogits, scale;
};

/* exp(x - m) summed by lanes without a place to keep them: the same additions as rd_sum16's. */
RD_INLINE rd_real sum_exp(const rd_real *x, rd_real m, size_t n)
{
    rd_real lane[RD_LANES] = {0};
    const size_t whole = n - n % RD_LANES;
    for (size_t e = 0; e < whole; e += RD_LANES)
        for (unsigned l = 0; l < RD_LANES; l++) lane[l] += rd_exp(x[e + l] - m);
    for (size_t e = whole; e < n; e++) lane[e - whole] += rd_exp(x[e] - m);
    return rd_join16(lane);
}

RD_CLONES static void entropy_rows(void *job, size_t first, size_t last)
{
    const struct entropy *s = job;
    for (size_t r = first; r < last; r++) {
        const rd_real *x = s->logits + r * s->row;
        const size_t id = (size_t)s->ids[r];
        s->losses[r] = 0;
        if (!id) continue;
        const rd_real m = rd_max16(x, s->classes), sum = sum_exp(x, m, s->classes);
        s->losses[r] = rd_log(sum) - (x[id - 1] - m);
        s->stats[2 * r] = m;
        s->stats[2 * r + 1] = sum;
    }
}

/* dx = scale (p - [j = id]) */
RD_CLONES static void entropy_back(void *job, size_t first, size_t last)
{
    const struct entropy *s = job;
    for (size_t r = first; r < last; r++) {
        const rd_real *x = s->logits + r * s->row;
        rd_real *restrict dx = s->dlogits + r * s->classes; /* dx is another block */
        const size_t id = (size_t)s->ids[r];
        if (!id) continue;
        const rd_real m = s->stats[2 * r], sum = s->stats[2 * r + 1], scale = s->scale;
        const rd_real before = dx[id - 1], p = rd_exp(x[id - 1] - m) / sum;
        for (size_t j = 0; j < s->classes; j++) dx[j] += rd_exp(x[j] - m) / sum * scale;
        dx[id - 1] = before + (p - 1) * scale;
    }
}

enum { SAVED_LOGITS, SAVED_IDS, SAVED_STATS };

static rd_status entropy_backward(rdc_node *node, rd_error *err)
{
    (void)err;
    if (!node->din[0] || node->number_arg[0] <= 0) return RD_OK;
    const rdc_rows x = rdc_rows_again(node->saved[SAVED_LOGITS]);
    struct entropy s = {.classes = x.width,
                        .row = x.row,
                        .logits = x.x->at,
                        .ids = node->saved[SAVED_IDS]->at,
                        .stats = node->saved[SAVED_STATS]->at,
                        .dlogits = node->din[0]->at};
    s.scale = (rd_real)((double)*node->dout[0]->at / node->number_arg[0]);
    rdc_pool_range(node->core->pool, x.n, rdc_rows_grain(x.width), entropy_back, &s);
    return RD_OK;
}

static const rdc_op entropy_op = {.name = "cross_entropy", .backward = entropy_backward};

static rd_status check_target(const rd_tensor *logits, const rd_tensor *target, rd_error *err)
{
    char text[2][128];
    bool fits = logits->ndim == target->ndim + 1;
    for (uint32_t d = 0; fits && d < target->ndim; d++) fits = logits->shape[d] == target->shape[d];
    if (!fits || logits->shape[target->ndim] == 0)
        return rdc_fail(err, RD_E_ARG,
                        "cross_entropy: expected logits (..., classes) and ids (...), got %s and "
                        "%s",
                        rdc_shape_text(logits, text[0]), rdc_shape_text(target, text[1]));
    return rdc_check_ids(target, logits->shape[target->ndim], "cross_entropy", err);
}

/* The ids packed in the order of the rows of x. */
static rd_status ids_like(const rdc_rows *x, rd_tensor *target, rd_tensor **out, rd_error *err)
{
    const rd_order order = x->x->ndim <= 2 ? RD_DENSE : rdc_order(x->x);
    if (rdc_is_packed(target) && rdc_order(target) == order) {
        *out = rd_tensor_retain(target);
        return RD_OK;
    }
    rd_tensor *copy = NULL;
    RD_TRY(rd_tensor_new(target->core, target->ndim, target->shape, order, &copy, err));
    rdc_copy_values(target, copy);
    *out = copy;
    return RD_OK;
}

/* Losses of the rows into a total; fills stats. */
static rd_status entropy_total(const rdc_rows *x, const rd_tensor *ids, rd_tensor *stats,
                               rd_loss_total *total, rd_error *err)
{
    rd_core *core = ids->core;
    const size_t bytes = x->n * sizeof(rd_real); /* less than the logits take: no overflow */
    rdc_block *losses = rdc_block_new(core->arena, bytes);
    if (!losses) return rdc_no_memory(err, bytes);
    struct entropy s = {.classes = x->width,
                        .row = x->row,
                        .logits = x->x->at,
                        .ids = ids->at,
                        .losses = losses->at,
                        .stats = stats->at};
    rdc_pool_range(core->pool, x->n, rdc_rows_grain(x->width), entropy_rows, &s);
    size_t counted = 0;
    for (size_t r = 0; r < x->n; r++) counted += s.ids[r] != 0;
    total->sum = rdc_sum_flat(s.losses, x->n);
    total->count = (double)counted;
    rdc_block_release(core->arena, losses);
    return RD_OK;
}

static rd_status entropy_of(const rdc_rows *x, rd_tensor *ids, rd_reduction reduction,
                            rd_tensor **loss, rd_loss_total *total, rd_error *err)
{
    rd_tensor *stats = NULL, *y = NULL;
    rd_tensor *const in[] = {x->x};
    rdc_node *node = NULL;
    const size_t shape[] = {x->n, 2};
    RD_TRY(rd_tensor_new(ids->core, 2, shape, RD_DENSE, &stats, err));
    rd_status status = entropy_total(x, ids, stats, total, err);
    if (status != RD_OK) goto done;
    const double div =
        total->count > 0 ? divisor(reduction, total->count, ids->ndim ? ids->shape[0] : 1) : 0;
    status = make_loss(ids->core, total->sum, div, &y, err);
    if (status != RD_OK) goto done;
    if (rdc_wants_node(in, 1)) {
        status = rdc_record(&entropy_op, in, 1, &y, 1, &node, err);
        if (status != RD_OK) goto done;
        node->number_arg[0] = div;
        rdc_save(node, SAVED_LOGITS, x->x);
        rdc_save(node, SAVED_IDS, ids);
        rdc_save(node, SAVED_STATS, stats);
    }
    *loss = rd_tensor_retain(y);
done:
    rd_tensor_release(y);
    rd_tensor_release(stats);
    return status;
}

rd_status rd_cross_entropy(rd_tensor *logits, rd_tensor *target, rd_reduction reduction,
                           rd_tensor **loss, rd_loss_total *total, rd_error *err)
{
    rdc_rows x = {0};
    rd_tensor *ids = NULL;
    rd_loss_total found = {0};
    RD_TRY(check_target(logits, target, err));
    RD_TRY(rdc_rows_of(logits, "cross_entropy", &x, err));
    rd_status status = ids_like(&x, target, &ids, err);
    if (status == RD_OK) status = entropy_of(&x, ids, reduction, loss, &found, err);
    rd_tensor_release(ids);
    rd_tensor_release(x.x);
    if (status == RD_OK && total) *total = found;
    return status;
}

/* ---- squared error ----------------------------------------------------------------------- */

struct distance {
    const rd_real *y, *target, *gap;
    rd_real *out, scale;
};

RD_CLONES static void distance_of(void *job, size_t first, size_t last)
{
    const struct distance *s = job;
    rd_real *restrict out = s->out; /* a block of its own */
    for (size_t i = first; i < last; i++) out[i] = s->y[i] - s->target[i];
}

RD_CLONES static void distance_back(void *job, size_t first, size_t last)
{
    const struct distance *s = job;
    rd_real *restrict out = s->out; /* a block of its own */
    for (size_t i = first; i < last; i++) out[i] += s->gap[i] * s->scale;
}

enum { IN_Y, IN_TARGET, N_IN };

static rd_status mse_backward(rdc_node *node, rd_error *err)
{
    (void)err;
    const rd_tensor *gap = node->saved[0];
    const double scale = 2 * (double)*node->dout[0]->at / node->number_arg[0];
    for (uint32_t i = IN_Y; i < N_IN; i++) {
        if (!node->din[i] || node->number_arg[0] <= 0) continue;
        struct distance s = {.gap = gap->at,
                             .out = node->din[i]->at,
                             .scale = (rd_real)(i == IN_Y ? scale : -scale)};
        rdc_pool_range(node->core->pool, rd_tensor_numel(gap), 4096, distance_back, &s);
    }
    return RD_OK;
}

static const rdc_op mse_op = {.name = "mse", .backward = mse_backward};

/* t itself (retained) where it is packed and lies like `like`, else a copy on the tape. */
static rd_status packed_like(rd_tensor *t, const rd_tensor *like, rd_tensor **out, rd_error *err)
{
    if (!rdc_is_packed(t) || rdc_order(t) != rdc_order(like))
        return rd_contiguous(t, rdc_order(like), out, err);
    *out = rd_tensor_retain(t);
    return RD_OK;
}

static rd_status mse_of(rd_tensor *y, rd_tensor *target, rd_reduction reduction, rd_tensor **loss,
                        rd_loss_total *total, rd_error *err)
{
    rd_tensor *gap = NULL, *result = NULL;
    rd_tensor *const in[N_IN] = {y, target};
    rdc_node *node = NULL;
    const size_t n = rd_tensor_numel(y);
    RD_TRY(rdc_tensor_like(y, false, &gap, err));
    struct distance s = {.y = y->at, .target = target->at, .out = gap->at};
    rdc_pool_range(y->core->pool, n, 4096, distance_of, &s);
    total->sum = rdc_square_sum_flat(gap->at, n);
    total->count = (double)n;
    const double div = n ? divisor(reduction, total->count, y->ndim ? y->shape[0] : 1) : 0;
    rd_status status = make_loss(y->core, total->sum, div, &result, err);
    if (status != RD_OK) goto done;
    if (rdc_wants_node(in, N_IN)) {
        status = rdc_record(&mse_op, in, N_IN, &result, 1, &node, err);
        if (status != RD_OK) goto done;
        node->number_arg[0] = div;
        rdc_save(node, 0, gap);
    }
    *loss = rd_tensor_retain(result);
done:
    rd_tensor_release(result);
    rd_tensor_release(gap);
    return status;
}

rd_status rd_mse(rd_tensor *y, rd_tensor *target, rd_reduction reduction, rd_tensor **loss,
                 rd_loss_total *total, rd_error *err)
{
    rd_tensor *left = NULL, *right = NULL;
    rd_loss_total found = {0};
    char text[2][128];
    if (!rdc_same_shape(y, target))
        return rdc_fail(err, RD_E_ARG, "mse: expected two tensors of one shape, got %s and %s",
                        rdc_shape_text(y, text[0]), rdc_shape_text(target, text[1]));
    rd_status status = packed_like(y, y, &left, err);
    if (status == RD_OK) status = packed_like(target, left, &right, err);
    if (status == RD_OK) status = mse_of(left, right, reduction, loss, &found, err);
    rd_tensor_release(right);
    rd_tensor_release(left);
    if (status == RD_OK && total) *total = found;
    return status;
}
