/* loss.c - cross-entropy fused with log-softmax; what all losses share.
 *
 * The loss of each row is formed in rd_real, their total in double by blocks (bit contract, rule 7).
 * Backward forms the probabilities again from the logits: an exponential costs less than a second array
 * of their size in memory.
 * SPDX-License-Identifier: MIT */
#include "learn/loss.h"
#include "base/profile.h"
#include "engine/reduce.h"
#include "engine/rows.h"
#include "rondo/pointmath.h"

double rdc_loss_divisor(rd_reduction reduction, double count, const rd_tensor *rows)
{
    if (!(count > 0)) return 0;
    switch (reduction) {
    case RD_MEAN:
        return count;
    case RD_TOTAL:
        return 1;
    case RD_PER_BATCH:
        return rows->ndim ? (double)rows->shape[0] : 1;
    }
    return 1;
}

rd_status rdc_loss_scalar(rd_core *core, double sum, double div, rd_tensor **out, rd_error *err)
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
    /* With class weights or smoothing: the target of row r is keep on its class and `spread` on each,
     * times the weight of the class. */
    const rd_real *weights; /* [classes] or NULL */
    rd_real keep, spread, weight_sum;
    rd_real *counts; /* [rows]: the weight of each row's class */
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

/* Sum over the classes of weight times -log p, by lanes. */
RD_INLINE rd_real smooth_loss(const struct entropy *s, const rd_real *x, rd_real m, rd_real log_sum)
{
    rd_real lane[RD_LANES] = {0};
    const size_t n = s->classes, whole = n - n % RD_LANES;
    for (size_t e = 0; e < whole; e += RD_LANES)
        for (unsigned l = 0; l < RD_LANES; l++)
            lane[l] += s->weights[e + l] * (log_sum - (x[e + l] - m));
    for (size_t e = whole; e < n; e++) lane[e - whole] += s->weights[e] * (log_sum - (x[e] - m));
    return rd_join16(lane);
}

/* loss = keep w_y (-log p_y) + spread sum_j w_j (-log p_j) (Szegedy et al. 2016, section 7; PyTorch's) */
RD_CLONES static void weighted_rows(void *job, size_t first, size_t last)
{
    const struct entropy *s = job;
    for (size_t r = first; r < last; r++) {
        const rd_real *x = s->logits + r * s->row;
        const size_t id = (size_t)s->ids[r];
        s->losses[r] = s->counts[r] = 0;
        if (!id) continue;
        const rd_real m = rd_max16(x, s->classes), sum = sum_exp(x, m, s->classes);
        const rd_real log_sum = rd_log(sum), w = s->weights[id - 1];
        rd_real loss = s->keep * w * (log_sum - (x[id - 1] - m));
        if (s->spread > 0) loss = loss + s->spread * smooth_loss(s, x, m, log_sum);
        s->losses[r] = loss;
        s->counts[r] = w;
        s->stats[2 * r] = m;
        s->stats[2 * r + 1] = sum;
    }
}

/* dx_j = scale (p_j (keep w_y + spread sum w) - spread w_j - [j = y] keep w_y) */
RD_CLONES static void weighted_back(void *job, size_t first, size_t last)
{
    const struct entropy *s = job;
    for (size_t r = first; r < last; r++) {
        const rd_real *x = s->logits + r * s->row;
        rd_real *restrict dx = s->dlogits + r * s->classes; /* dx is another block */
        const size_t id = (size_t)s->ids[r];
        if (!id) continue;
        const rd_real m = s->stats[2 * r], sum = s->stats[2 * r + 1], scale = s->scale;
        const rd_real own = s->keep * s->weights[id - 1], all = own + s->spread * s->weight_sum;
        const rd_real before = dx[id - 1], p = rd_exp(x[id - 1] - m) / sum;
        for (size_t j = 0; j < s->classes; j++)
            dx[j] += (rd_exp(x[j] - m) / sum * all - s->spread * s->weights[j]) * scale;
        dx[id - 1] = before + (p * all - s->spread * s->weights[id - 1] - own) * scale;
    }
}

static void spread_target(struct entropy *s, const rd_tensor *weights, double smoothing)
{
    const uint64_t env = rdc_fp_enter();
    s->weights = weights->at;
    s->keep = (rd_real)(1 - smoothing);
    s->spread = (rd_real)(smoothing / (double)s->classes);
    s->weight_sum = rd_sum16(s->weights, s->classes);
    rdc_fp_leave(env);
}

enum { SAVED_LOGITS, SAVED_IDS, SAVED_STATS, SAVED_WEIGHTS };

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
    const uint64_t env = rdc_fp_enter();
    s.scale = (rd_real)((double)*node->dout[0]->at / node->number_arg[0]);
    const rd_tensor *weights = node->saved[SAVED_WEIGHTS];
    rdc_fp_leave(env);
    if (weights) spread_target(&s, weights, node->number_arg[1]);
    rdc_pool_range(node->core->pool, x.n, rdc_rows_grain(x.width),
                   weights ? weighted_back : entropy_back, &s);
    return RD_OK;
}

static const rdc_op entropy_op = {
    .name = "cross_entropy", .backward = entropy_backward, .work = RD_WORK_LOSS};

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

/* Losses of the rows into a total; fills stats. weights: packed, or NULL. */
static rd_status entropy_total(struct entropy *s, const rdc_rows *x, const rd_tensor *weights,
                               rd_loss_total *total, rd_error *err)
{
    rd_core *core = x->x->core;
    const size_t bytes = x->n * sizeof(rd_real); /* less than the logits take: no overflow */
    rdc_block *losses = rdc_block_new(core->arena, bytes);
    rdc_block *counts = weights ? rdc_block_new(core->arena, bytes) : NULL;
    const bool whole = losses && (counts || !weights);
    if (whole) {
        s->losses = losses->at;
        s->counts = counts ? counts->at : NULL;
        rdc_pool_range(core->pool, x->n, rdc_rows_grain(x->width),
                       weights ? weighted_rows : entropy_rows, s);
        size_t counted = 0;
        for (size_t r = 0; r < x->n; r++) counted += s->ids[r] != 0;
        total->sum = rdc_sum_flat(s->losses, x->n);
        total->count = weights ? rdc_sum_flat(s->counts, x->n) : (double)counted;
    }
    if (counts) rdc_block_release(core->arena, counts);
    if (losses) rdc_block_release(core->arena, losses);
    return whole ? RD_OK : rdc_no_memory(err, bytes);
}

/* The weights of the classes packed, ones where there is only smoothing, or NULL. */
static rd_status weights_of(const rdc_rows *x, const rd_entropy *how, rd_tensor **out,
                            rd_error *err)
{
    rd_tensor *ones = NULL;
    char text[128];
    if (!(how->label_smoothing >= 0 && how->label_smoothing < 1))
        return rdc_fail(err, RD_E_ARG,
                        "cross_entropy: label_smoothing must be at least 0 and below 1, got %.9g",
                        how->label_smoothing);
    rd_tensor *given = how->class_weights;
    if (given) {
        if (given->ndim != 1 || given->shape[0] != x->width)
            return rdc_fail(err, RD_E_ARG,
                            "cross_entropy: class_weights must be one number for each of %zu "
                            "classes, got %s",
                            x->width, rdc_shape_text(given, text));
        for (size_t j = 0; j < x->width; j++)
            if (!(given->at[j * given->stride[0]] >= 0))
                return rdc_fail(err, RD_E_ARG,
                                "cross_entropy: class_weights must be at least 0, got %.9g for "
                                "class %zu",
                                (double)given->at[j * given->stride[0]], j + 1);
        return rdc_tensor_packed(given, out, err);
    }
    if (how->label_smoothing <= 0) return RD_OK;
    RD_TRY(rd_tensor_new(x->x->core, 1, &x->width, RD_DENSE, &ones, err));
    *out = ones;
    return rd_fill(ones, 1, err);
}

struct entropy_call {
    const rd_entropy *how;
    rd_tensor *ids, *weights, *stats;
    rd_loss_total total;
};

static rd_status entropy_of(const rdc_rows *x, struct entropy_call *c, rd_tensor **loss,
                            rd_error *err)
{
    rd_tensor *y = NULL;
    rd_tensor *const in[] = {x->x};
    rdc_node *node = NULL;
    struct entropy s = {.classes = x->width,
                        .row = x->row,
                        .logits = x->x->at,
                        .ids = c->ids->at,
                        .stats = c->stats->at};
    if (c->weights) spread_target(&s, c->weights, c->how->label_smoothing);
    RD_TRY(entropy_total(&s, x, c->weights, &c->total, err));
    const double div = rdc_loss_divisor(c->how->reduction, c->total.count, c->ids);
    rd_status status = rdc_loss_scalar(c->ids->core, c->total.sum, div, &y, err);
    if (status == RD_OK && rdc_wants_node(in, 1)) {
        status = rdc_record(&entropy_op, in, 1, &y, 1, &node, err);
        if (status != RD_OK) goto done;
        node->number_arg[0] = div;
        node->number_arg[1] = c->how->label_smoothing;
        rdc_save(node, SAVED_LOGITS, x->x);
        rdc_save(node, SAVED_IDS, c->ids);
        rdc_save(node, SAVED_STATS, c->stats);
        if (c->weights) rdc_save(node, SAVED_WEIGHTS, c->weights);
    }
    if (status == RD_OK) *loss = rd_tensor_retain(y);
done:
    rd_tensor_release(y);
    return status;
}

rd_status rd_cross_entropy_with(rd_tensor *logits, rd_tensor *target, const rd_entropy *how,
                                rd_tensor **loss, rd_loss_total *total, rd_error *err)
{
    RDC_TIMED(logits->core, RD_WORK_LOSS);
    rdc_rows x = {0};
    struct entropy_call c = {.how = how};
    RD_TRY(check_target(logits, target, err));
    RD_TRY(rdc_rows_of(logits, "cross_entropy", &x, err));
    const size_t shape[] = {x.n, 2};
    rd_status status = ids_like(&x, target, &c.ids, err);
    if (status == RD_OK) status = weights_of(&x, how, &c.weights, err);
    if (status == RD_OK) status = rd_tensor_new(logits->core, 2, shape, RD_DENSE, &c.stats, err);
    if (status == RD_OK) status = entropy_of(&x, &c, loss, err);
    rd_tensor_release(c.stats);
    rd_tensor_release(c.weights);
    rd_tensor_release(c.ids);
    rd_tensor_release(x.x);
    if (status == RD_OK && total) *total = c.total;
    return status;
}

rd_status rd_cross_entropy(rd_tensor *logits, rd_tensor *target, rd_reduction reduction,
                           rd_tensor **loss, rd_loss_total *total, rd_error *err)
{
    return rd_cross_entropy_with(logits, target, &(rd_entropy){.reduction = reduction}, loss, total,
                                 err);
}
