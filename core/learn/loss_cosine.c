/* loss_cosine.c - 1 - cosine similarity of rows.
 *
 * cos = y.t / (max(|y|, eps) max(|t|, eps)); the three sums of a row are of 16 lanes (bit contract, rule 7).
 * SPDX-License-Identifier: MIT */
#include "base/profile.h"
#include "engine/reduce.h"
#include "engine/rows.h"
#include "learn/loss.h"
#include "rondo/pointmath.h"

#define SMALLEST ((rd_real)1e-8) /* PyTorch's eps */

struct cosine {
    size_t width;
    const rd_real *y, *target, *weight;
    rd_real *loss;  /* [rows], weighted */
    rd_real *stats; /* [rows][3]: the cosine and both lengths */
    rd_real *d, scale;
    int own; /* backward: where the length of what `y` is lies in stats, 1 or 2 */
};

RD_CLONES static void cosine_rows(void *job, size_t first, size_t last)
{
    const struct cosine *s = job;
    for (size_t r = first; r < last; r++) {
        const rd_real *y = s->y + r * s->width, *t = s->target + r * s->width;
        const rd_real w = s->weight ? s->weight[r] : 1;
        rd_real *stats = s->stats + 3 * r;
        s->loss[r] = 0;
        if (w == 0) continue;
        stats[1] = rd_sqrt(rd_dot16(y, y, s->width));
        stats[2] = rd_sqrt(rd_dot16(t, t, s->width));
        for (int i = 1; i <= 2; i++) stats[i] = stats[i] < SMALLEST ? SMALLEST : stats[i];
        stats[0] = rd_dot16(y, t, s->width) / stats[1] / stats[2];
        s->loss[r] = w * (1 - stats[0]);
    }
}

/* d cos / dy = t / (|y| |t|) - cos y / |y|^2; the second term is not there where |y| is below eps.
 * Called once for each of the two, which change places. */
RD_CLONES static void cosine_back(void *job, size_t first, size_t last)
{
    const struct cosine *s = job;
    for (size_t r = first; r < last; r++) {
        const rd_real *y = s->y + r * s->width, *t = s->target + r * s->width;
        const rd_real w = s->weight ? s->weight[r] : 1, *stats = s->stats + 3 * r;
        const rd_real length = stats[s->own];
        rd_real *restrict d = s->d + r * s->width; /* another block */
        if (w == 0) continue;
        const rd_real across = w * s->scale / (stats[1] * stats[2]);
        const rd_real along = length > SMALLEST ? w * s->scale * stats[0] / (length * length) : 0;
        for (size_t j = 0; j < s->width; j++) d[j] += along * y[j] - across * t[j];
    }
}

enum { IN_Y, IN_TARGET, N_IN };
enum { SAVED_Y, SAVED_TARGET, SAVED_STATS, SAVED_WEIGHT };

static rd_status cosine_backward(rdc_node *node, rd_error *err)
{
    (void)err;
    const rd_tensor *y = node->saved[SAVED_Y], *t = node->saved[SAVED_TARGET];
    const rd_tensor *weight = node->saved[SAVED_WEIGHT];
    const size_t width = y->shape[y->ndim - 1], n = width ? rd_tensor_numel(y) / width : 0;
    if (node->number_arg[0] <= 0) return RD_OK;
    struct cosine s = {.width = width,
                       .weight = weight ? weight->at : NULL,
                       .stats = node->saved[SAVED_STATS]->at,
                       .scale = (rd_real)((double)*node->dout[0]->at / node->number_arg[0])};
    for (uint32_t i = IN_Y; i < N_IN; i++) {
        s.y = i == IN_Y ? y->at : t->at;
        s.target = i == IN_Y ? t->at : y->at;
        s.own = i == IN_Y ? 1 : 2;
        if (!node->din[i]) continue;
        s.d = node->din[i]->at;
        rdc_pool_range(node->core->pool, n, rdc_rows_grain(width), cosine_back, &s);
    }
    return RD_OK;
}

static const rdc_op cosine_op = {
    .name = "cosine_loss", .backward = cosine_backward, .work = RD_WORK_LOSS};

struct cosine_call {
    rd_tensor *in[N_IN], *stats, *weight;
    size_t n, width;
};

static rd_status cosine_total(const struct cosine_call *c, rd_loss_total *total, rd_error *err)
{
    rd_core *core = c->stats->core;
    const size_t bytes = c->n * sizeof(rd_real); /* less than y takes: no overflow */
    rdc_block *losses = rdc_block_new(core->arena, bytes);
    if (!losses) return rdc_no_memory(err, bytes);
    struct cosine s = {.width = c->width,
                       .y = c->in[IN_Y]->at,
                       .target = c->in[IN_TARGET]->at,
                       .weight = c->weight ? c->weight->at : NULL,
                       .loss = losses->at,
                       .stats = c->stats->at};
    rdc_pool_range(core->pool, c->n, rdc_rows_grain(c->width), cosine_rows, &s);
    total->sum = rdc_sum_flat(s.loss, c->n);
    total->count = c->weight ? rdc_sum_flat(s.weight, c->n) : (double)c->n;
    rdc_block_release(core->arena, losses);
    return RD_OK;
}

static rd_status cosine_of(const struct cosine_call *c, rd_reduction reduction, rd_tensor **loss,
                           rd_loss_total *total, rd_error *err)
{
    rd_tensor *result = NULL;
    rdc_node *node = NULL;
    RD_TRY(cosine_total(c, total, err));
    const double div = rdc_loss_divisor(reduction, total->count, c->in[IN_Y]);
    RD_TRY(rdc_loss_scalar(c->stats->core, total->sum, div, &result, err));
    rd_status status = RD_OK;
    if (rdc_wants_node(c->in, N_IN)) {
        status = rdc_record(&cosine_op, c->in, N_IN, &result, 1, &node, err);
        if (status != RD_OK) goto done;
        node->number_arg[0] = div;
        rdc_save(node, SAVED_Y, c->in[IN_Y]);
        rdc_save(node, SAVED_TARGET, c->in[IN_TARGET]);
        rdc_save(node, SAVED_STATS, c->stats);
        if (c->weight) rdc_save(node, SAVED_WEIGHT, c->weight);
    }
    *loss = rd_tensor_retain(result);
done:
    rd_tensor_release(result);
    return status;
}

/* One weight a row, in the storage order of the rows. */
static rd_status row_weights(rd_tensor *weight, const rd_tensor *y, rd_tensor **out, rd_error *err)
{
    rd_tensor *rows = NULL;
    if (!weight) return RD_OK;
    RD_TRY(rd_tensor_new(y->core, y->ndim - 1, y->shape, rdc_order(y), &rows, err));
    const rd_status status = rdc_loss_weights(weight, rows, "cosine_loss", out, err);
    rd_tensor_release(rows);
    return status;
}

rd_status rd_cosine_loss(rd_tensor *y, rd_tensor *target, const rd_row_loss *how, rd_tensor **loss,
                         rd_loss_total *total, rd_error *err)
{
    RDC_TIMED(y->core, RD_WORK_LOSS);
    struct cosine_call c = {0};
    rd_loss_total found = {0};
    char text[2][128];
    if (!rdc_same_shape(y, target) || y->ndim == 0)
        return rdc_fail(err, RD_E_ARG,
                        "cosine_loss: expected two tensors (..., features) of one shape, got %s "
                        "and %s",
                        rdc_shape_text(y, text[0]), rdc_shape_text(target, text[1]));
    c.width = y->shape[y->ndim - 1];
    c.n = c.width ? rd_tensor_numel(y) / c.width : 0;
    const size_t shape[] = {c.n, 3};
    rd_status status = rdc_loss_operand(y, y, &c.in[IN_Y], err);
    if (status == RD_OK) status = rdc_loss_operand(target, c.in[IN_Y], &c.in[IN_TARGET], err);
    if (status == RD_OK) status = rd_tensor_new(y->core, 2, shape, RD_DENSE, &c.stats, err);
    if (status == RD_OK) status = row_weights(how->weight, c.in[IN_Y], &c.weight, err);
    if (status == RD_OK) status = cosine_of(&c, how->reduction, loss, &found, err);
    rd_tensor_release(c.weight);
    rd_tensor_release(c.stats);
    rd_tensor_release(c.in[IN_TARGET]);
    rd_tensor_release(c.in[IN_Y]);
    if (status == RD_OK && total) *total = found;
    return status;
}
