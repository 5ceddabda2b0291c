/* loss_pointwise.c - squared, absolute and Huber errors, and binary cross-entropy of logits.
 *
 * One pass gives each element's loss and its slope d loss / dy; backward is the slope times a scale. An
 * element of weight 0 may hold anything: neither its loss nor its slope is looked at.
 * SPDX-License-Identifier: MIT */
#include "base/profile.h"
#include "engine/reduce.h"
#include "learn/loss.h"
#include "rondo/pointmath.h"

struct element { /* one pass over y */
    const rd_real *y, *target, *weight;
    rd_real *restrict loss; /* blocks of their own */
    rd_real *restrict slope;
    rd_real delta, positive;
};

/* ---- the four ---------------------------------------------------------------------------- */

/* loss g^2 (not formed here: it is summed in double), slope g = y - t; the 2 is in the scale. */
RD_CLONES static void squared(void *job, size_t first, size_t last)
{
    const struct element c = *(const struct element *)job;
    for (size_t i = first; i < last; i++) c.slope[i] = c.y[i] - c.target[i];
}

RD_CLONES static void squared_weighted(void *job, size_t first, size_t last)
{
    const struct element c = *(const struct element *)job;
    for (size_t i = first; i < last; i++) {
        const rd_real g = c.y[i] - c.target[i];
        c.loss[i] = g * g;
        c.slope[i] = g;
    }
}

RD_CLONES static void absolute(void *job, size_t first, size_t last)
{
    const struct element c = *(const struct element *)job;
    for (size_t i = first; i < last; i++) {
        const rd_real g = c.y[i] - c.target[i];
        const rd_real down = g < 0 ? -1 : g; /* 0 has slope 0, NaN stays */
        c.loss[i] = rd_abs(g);
        c.slope[i] = g > 0 ? 1 : down;
    }
}

/* g^2 / 2 up to delta, then delta (|g| - delta / 2) (Huber 1964) */
RD_CLONES static void huber(void *job, size_t first, size_t last)
{
    const struct element c = *(const struct element *)job;
    for (size_t i = first; i < last; i++) {
        const rd_real g = c.y[i] - c.target[i], size = rd_abs(g);
        const rd_real far = c.delta * (size - (rd_real)0.5 * c.delta);
        const rd_real low = g < -c.delta ? -c.delta : g;
        c.loss[i] = size > c.delta ? far : (rd_real)0.5 * g * g;
        c.slope[i] = g > c.delta ? c.delta : low;
    }
}

/* positive t softplus(-y) + (1 - t) softplus(y): -log of the probability of t, without cancellation. */
RD_CLONES static void binary_entropy(void *job, size_t first, size_t last)
{
    const struct element c = *(const struct element *)job;
    for (size_t i = first; i < last; i++) {
        const rd_real y = c.y[i], yes = c.positive * c.target[i], no = 1 - c.target[i];
        c.loss[i] = yes * rd_softplus(-y) + no * rd_softplus(y);
        c.slope[i] = no * rd_sigmoid(y) - yes * rd_sigmoid(-y);
    }
}

static const struct kind {
    const char *name;
    rdc_range_fn pass;
    double slope_factor;
} kinds[] = {
    [RD_SQUARED_ERROR] = {"mse", squared_weighted, 2},
    [RD_ABSOLUTE_ERROR] = {"l1", absolute, 1},
    [RD_HUBER_ERROR] = {"huber", huber, 1},
    [RD_BINARY_ENTROPY] = {"bce_with_logits", binary_entropy, 1},
};

/* ---- forward ----------------------------------------------------------------------------- */

RD_CLONES static void weigh(void *job, size_t first, size_t last)
{
    const struct element c = *(const struct element *)job;
    for (size_t i = first; i < last; i++) {
        const rd_real w = c.weight[i], loss = w * c.loss[i], slope = w * c.slope[i];
        c.loss[i] = w != 0 ? loss : 0;
        c.slope[i] = w != 0 ? slope : 0;
    }
}

/* Fills slope; the squared error without weights needs no losses: its square is summed in double. */
static rd_status total_of(const rd_pointwise *how, struct element *e, const rd_tensor *slope,
                          rd_loss_total *total, rd_error *err)
{
    rd_core *core = slope->core;
    const size_t n = rd_tensor_numel(slope), bytes = n * sizeof(rd_real); /* a tensor's: it fits */
    e->slope = slope->at;
    if (how->kind == RD_SQUARED_ERROR && !e->weight) {
        rdc_pool_range(core->pool, n, 4096, squared, e);
        *total = (rd_loss_total){rdc_square_sum_flat(slope->at, n), (double)n};
        return RD_OK;
    }
    rdc_block *losses = rdc_block_new(core->arena, bytes);
    if (!losses) return rdc_no_memory(err, bytes);
    e->loss = losses->at;
    rdc_pool_range(core->pool, n, 4096, kinds[how->kind].pass, e);
    if (e->weight) rdc_pool_range(core->pool, n, 4096, weigh, e);
    total->sum = rdc_sum_flat(e->loss, n);
    total->count = e->weight ? rdc_sum_flat(e->weight, n) : (double)n;
    rdc_block_release(core->arena, losses);
    return RD_OK;
}

/* ---- backward ---------------------------------------------------------------------------- */

enum { IN_Y, IN_TARGET, N_IN };

struct scaled {
    const rd_real *slope;
    rd_real *restrict out; /* a block of its own */
    rd_real scale;
};

RD_CLONES static void add_scaled(void *job, size_t first, size_t last)
{
    const struct scaled s = *(const struct scaled *)job;
    for (size_t i = first; i < last; i++) s.out[i] += s.slope[i] * s.scale;
}

static rd_status pointwise_backward(rdc_node *node, rd_error *err)
{
    (void)err;
    const rd_tensor *slope = node->saved[0];
    const uint64_t env = rdc_fp_enter();
    const double scale = node->number_arg[1] * (double)*node->dout[0]->at / node->number_arg[0];
    rdc_fp_leave(env);
    for (uint32_t i = IN_Y; i < N_IN; i++) {
        if (!node->din[i] || node->number_arg[0] <= 0) continue;
        struct scaled s = {.slope = slope->at,
                           .out = node->din[i]->at,
                           .scale = (rd_real)(i == IN_Y ? scale : -scale)};
        rdc_pool_range(node->core->pool, rd_tensor_numel(slope), 4096, add_scaled, &s);
    }
    return RD_OK;
}

static const rdc_op pointwise_op = {
    .name = "loss", .backward = pointwise_backward, .work = RD_WORK_LOSS};

/* ---- the call ---------------------------------------------------------------------------- */

rd_status rdc_loss_operand(rd_tensor *t, const rd_tensor *like, rd_tensor **out, rd_error *err)
{
    if (!rdc_is_packed(t) || rdc_order(t) != rdc_order(like))
        return rd_contiguous(t, rdc_order(like), out, err);
    *out = rd_tensor_retain(t);
    return RD_OK;
}

rd_status rdc_loss_weights(rd_tensor *weight, const rd_tensor *like, const char *what,
                           rd_tensor **out, rd_error *err)
{
    rd_tensor *spread = NULL;
    char text[2][128];
    if (!weight) return RD_OK;
    RD_TRY(rdc_tensor_like(like, false, &spread, err));
    const rd_status status = rd_copy(spread, weight, err);
    if (status != RD_OK) {
        rd_tensor_release(spread);
        if (status != RD_E_ARG) return status;
        return rdc_fail(err, RD_E_ARG, "%s: the weight must broadcast to %s, got %s", what,
                        rdc_shape_text(like, text[0]), rdc_shape_text(weight, text[1]));
    }
    *out = spread;
    return RD_OK;
}

static rd_status check(rd_tensor *y, rd_tensor *target, const rd_pointwise *how, rd_error *err)
{
    const char *name = kinds[how->kind].name;
    char text[2][128];
    if (!rdc_same_shape(y, target))
        return rdc_fail(err, RD_E_ARG, "%s: expected two tensors of one shape, got %s and %s", name,
                        rdc_shape_text(y, text[0]), rdc_shape_text(target, text[1]));
    if (how->kind == RD_HUBER_ERROR && !(how->delta > 0))
        return rdc_fail(err, RD_E_ARG, "huber: delta must be greater than 0, got %.9g", how->delta);
    if (how->kind != RD_BINARY_ENTROPY) return RD_OK;
    if (!(how->pos_weight >= 0))
        return rdc_fail(err, RD_E_ARG, "bce_with_logits: pos_weight must be at least 0, got %.9g",
                        how->pos_weight);
    if (rd_requires_grad(target))
        return rdc_fail(err, RD_E_ARG,
                        "bce_with_logits: the target must not want a gradient; detach it");
    return RD_OK;
}

static rd_status pointwise(rd_tensor *const in[N_IN], rd_tensor *weight, const rd_pointwise *how,
                           rd_tensor **loss, rd_loss_total *total, rd_error *err)
{
    rd_tensor *slope = NULL, *result = NULL;
    rdc_node *node = NULL;
    struct element e = {.y = in[IN_Y]->at,
                        .target = in[IN_TARGET]->at,
                        .weight = weight ? weight->at : NULL,
                        .delta = (rd_real)how->delta,
                        .positive = (rd_real)how->pos_weight};
    RD_TRY(rdc_tensor_like(in[IN_Y], false, &slope, err));
    rd_status status = total_of(how, &e, slope, total, err);
    if (status != RD_OK) goto done;
    const double div = rdc_loss_divisor(how->reduction, total->count, in[IN_Y]);
    status = rdc_loss_scalar(slope->core, total->sum, div, &result, err);
    if (status != RD_OK) goto done;
    if (rdc_wants_node(in, N_IN)) {
        status = rdc_record(&pointwise_op, in, N_IN, &result, 1, &node, err);
        if (status != RD_OK) goto done;
        node->number_arg[0] = div;
        node->number_arg[1] = kinds[how->kind].slope_factor;
        rdc_save(node, 0, slope);
    }
    *loss = rd_tensor_retain(result);
done:
    rd_tensor_release(result);
    rd_tensor_release(slope);
    return status;
}

rd_status rd_pointwise_loss(rd_tensor *y, rd_tensor *target, const rd_pointwise *how,
                            rd_tensor **loss, rd_loss_total *total, rd_error *err)
{
    RDC_TIMED(y->core, RD_WORK_LOSS);
    rd_tensor *in[N_IN] = {NULL, NULL}, *weight = NULL;
    rd_loss_total found = {0};
    RD_TRY(check(y, target, how, err));
    rd_status status = rdc_loss_operand(y, y, &in[IN_Y], err);
    if (status == RD_OK) status = rdc_loss_operand(target, in[IN_Y], &in[IN_TARGET], err);
    if (status == RD_OK)
        status = rdc_loss_weights(how->weight, in[IN_Y], kinds[how->kind].name, &weight, err);
    if (status == RD_OK) status = pointwise(in, weight, how, loss, &found, err);
    rd_tensor_release(weight);
    rd_tensor_release(in[IN_TARGET]);
    rd_tensor_release(in[IN_Y]);
    if (status == RD_OK && total) *total = found;
    return status;
}

rd_status rd_mse(rd_tensor *y, rd_tensor *target, rd_reduction reduction, rd_tensor **loss,
                 rd_loss_total *total, rd_error *err)
{
    const rd_pointwise how = {.kind = RD_SQUARED_ERROR, .reduction = reduction};
    return rd_pointwise_loss(y, target, &how, loss, total, err);
}
