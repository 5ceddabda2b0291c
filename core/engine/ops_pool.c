/* ops_pool.c - a sequence to one vector: its last step, the mean or the maximum of its steps.
 *
 * Steps that a mask leaves out are absent: a row has the bits that its other steps have alone, and a row
 * without any gives 0. Sums run with time ascending (bit contract, rule 7); each step gets at most one term
 * of the gradient. The maximum is the first in time; NaN counts as larger than any number, so that it is
 * seen.
 * SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "engine/rows.h"
#include "engine/tape.h"
#include "engine/valid.h"
#include "rondo/pointmath.h"

#include <string.h>

/* x (B, T, width) with the distances between its rows and steps; y and dy are (B, width). */
struct pool {
    size_t steps, width, row, step;
    const rd_real *counts; /* (B, T) of 0 and 1, or NULL: all */
    const rd_real *x, *dy;
    rd_real *y, *dx;
    rd_real *n;  /* MEAN: [B] steps that count */
    rd_real *at; /* LAST: [B], MAX: [B][width]: the step taken, from 1, or 0 */
};

static bool absent(const struct pool *p, size_t r, size_t t)
{
    return p->counts && p->counts[r * p->steps + t] == 0;
}

/* ---- forward: rows [first, last), y and n or at are zeros ------------------------------------------ */

static void last_rows(void *job, size_t first, size_t last)
{
    const struct pool *p = job;
    for (size_t r = first; r < last; r++) {
        size_t t = p->steps;
        while (t > 0 && absent(p, r, t - 1)) t--;
        p->at[r] = (rd_real)t;
        if (t > 0)
            memcpy(p->y + r * p->width, p->x + r * p->row + (t - 1) * p->step,
                   p->width * sizeof(rd_real));
    }
}

/* Time outside: in sequence order a step's rows lie side by side. */
RD_CLONES static void mean_rows(void *job, size_t first, size_t last)
{
    const struct pool *p = job;
    for (size_t t = 0; t < p->steps; t++)
        for (size_t r = first; r < last; r++) {
            const rd_real *x = p->x + r * p->row + t * p->step;
            rd_real *restrict y = p->y + r * p->width; /* a block of its own */
            if (absent(p, r, t)) continue;
            p->n[r] += 1;
            for (size_t j = 0; j < p->width; j++) y[j] += x[j];
        }
    for (size_t r = first; r < last; r++)
        for (size_t j = 0; j < p->width && p->n[r] > 0; j++) p->y[r * p->width + j] /= p->n[r];
}

RD_CLONES static void max_rows(void *job, size_t first, size_t last)
{
    const struct pool *p = job;
    for (size_t t = 0; t < p->steps; t++)
        for (size_t r = first; r < last; r++) {
            const rd_real *x = p->x + r * p->row + t * p->step, now = (rd_real)(t + 1);
            rd_real *restrict y = p->y + r * p->width; /* blocks of their own */
            rd_real *restrict at = p->at + r * p->width;
            if (absent(p, r, t)) continue;
            for (size_t j = 0; j < p->width; j++) {
                const bool takes = at[j] == 0 || x[j] > y[j] || (x[j] != x[j] && y[j] == y[j]);
                y[j] = takes ? x[j] : y[j];
                at[j] = takes ? now : at[j];
            }
        }
}

/* ---- backward ----------------------------------------------------------------------------------------- */

RD_CLONES static void last_back(void *job, size_t first, size_t last)
{
    const struct pool *p = job;
    for (size_t r = first; r < last; r++) {
        if (p->at[r] == 0) continue;
        rd_real *restrict dx = p->dx + r * p->row + ((size_t)p->at[r] - 1) * p->step;
        const rd_real *dy = p->dy + r * p->width; /* another block */
        for (size_t j = 0; j < p->width; j++) dx[j] += dy[j];
    }
}

RD_CLONES static void mean_back(void *job, size_t first, size_t last)
{
    const struct pool *p = job;
    for (size_t t = 0; t < p->steps; t++)
        for (size_t r = first; r < last; r++) {
            rd_real *restrict dx = p->dx + r * p->row + t * p->step;
            const rd_real *dy = p->dy + r * p->width, n = p->n[r]; /* other blocks */
            if (absent(p, r, t)) continue;
            for (size_t j = 0; j < p->width; j++) dx[j] += dy[j] / n;
        }
}

static void max_back(void *job, size_t first, size_t last)
{
    const struct pool *p = job;
    for (size_t i = first * p->width; i < last * p->width; i++) {
        const size_t r = i / p->width, j = i % p->width;
        if (p->at[i] > 0) p->dx[r * p->row + ((size_t)p->at[i] - 1) * p->step + j] += p->dy[i];
    }
}

static const struct kind {
    rdc_range_fn forward, backward;
} kinds[] = {
    [RD_POOL_LAST] = {last_rows, last_back},
    [RD_POOL_MEAN] = {mean_rows, mean_back},
    [RD_POOL_MAX] = {max_rows, max_back},
};

enum { SAVED_COUNTS, SAVED_PLACES };

/* Rows of work for one thread. */
static size_t grain_of(const struct pool *p)
{
    return rdc_rows_grain(p->width <= SIZE_MAX / 2 / (p->steps + 1) ? (p->steps + 1) * p->width
                                                                    : SIZE_MAX);
}

/* size_arg: how, width. */
static rd_status pool_backward(rdc_node *node, rd_error *err)
{
    rd_tensor *const dx = node->din[0], *const counts = node->saved[SAVED_COUNTS];
    rd_real *const places = node->saved[SAVED_PLACES]->at;
    (void)err;
    if (!dx) return RD_OK;
    struct pool p = {.steps = dx->shape[1],
                     .width = node->size_arg[1],
                     .row = dx->stride[0],
                     .step = dx->stride[1],
                     .counts = counts ? counts->at : NULL,
                     .dy = node->dout[0]->at,
                     .dx = dx->at,
                     .n = places,
                     .at = places};
    rdc_pool_range(node->core->pool, dx->shape[0], grain_of(&p), kinds[node->size_arg[0]].backward,
                   &p);
    return RD_OK;
}

static const rdc_op pool_op = {.name = "pool", .backward = pool_backward};

/* ---- the call ----------------------------------------------------------------------------------------- */

rd_status rd_valid_steps(rd_tensor *x, rd_tensor *mask, const char *what, rd_tensor **out,
                         rd_error *err)
{
    char text[128];
    if (x->ndim < 2)
        return rdc_fail(err, RD_E_ARG, "%s: expected a sequence (batch, time, ...), got %s", what,
                        rdc_shape_text(x, text));
    rd_tensor *counts = NULL;
    rdc_valid *valid = NULL; /* NULL: every step counts */
    const rdc_reading how = {.x = x, .mask = mask, .what = what};
    RD_TRY(rdc_valid_new(&how, &valid, err));
    const rd_status status = rd_tensor_new(x->core, 2, x->shape, RD_DENSE, &counts, err);
    if (status == RD_OK) {
        const size_t batch = x->shape[0], time = x->shape[1];
        for (size_t i = 0; i < batch * time; i++) counts->at[i] = valid == NULL;
        for (size_t t = 0; valid && t < valid->steps; t++)
            for (size_t i = 0; i < valid->active[t]; i++) {
                const size_t place = rdc_valid_place(valid, t, i); /* in (time, batch) */
                counts->at[place % batch * time + place / batch] = 1;
            }
        *out = counts;
    }
    rdc_valid_free(x->core, valid);
    return status;
}

static rd_status zeros(rd_core *core, uint32_t ndim, const size_t *shape, rd_tensor **out,
                       rd_error *err)
{
    RD_TRY(rd_tensor_new(core, ndim, shape, RD_DENSE, out, err));
    memset((*out)->at, 0, rd_tensor_numel(*out) * sizeof(rd_real));
    return RD_OK;
}

/* x is packed. */
static rd_status pool_packed(rd_tensor *x, rd_tensor *counts, rd_pool how, rd_tensor **out,
                             rd_error *err)
{
    rd_tensor *y = NULL, *places = NULL;
    rdc_node *node = NULL;
    size_t shape[RD_MAX_DIMS] = {x->shape[0], 1};
    struct pool p = {.steps = x->shape[1],
                     .width = 1,
                     .row = x->stride[0],
                     .step = x->stride[1],
                     .counts = counts ? counts->at : NULL,
                     .x = x->at};
    for (uint32_t d = 2; d < x->ndim; d++) {
        shape[d - 1] = x->shape[d];
        p.width *= x->shape[d];
    }
    rd_status status = zeros(x->core, x->ndim - 1, shape, &y, err);
    shape[1] = how == RD_POOL_MAX ? p.width : 1;
    if (status == RD_OK) status = zeros(x->core, 2, shape, &places, err);
    if (status != RD_OK) goto done;
    p.y = y->at;
    p.n = p.at = places->at;
    rdc_pool_range(x->core->pool, x->shape[0], grain_of(&p), kinds[how].forward, &p);
    if (rdc_wants_node(&x, 1)) {
        status = rdc_record(&pool_op, &x, 1, &y, 1, &node, err);
        if (status != RD_OK) goto done;
        node->size_arg[0] = how;
        node->size_arg[1] = p.width;
        node->in[0].one_term = true;
        if (counts) rdc_save(node, SAVED_COUNTS, counts);
        rdc_save(node, SAVED_PLACES, places);
    }
    *out = rd_tensor_retain(y);
done:
    rd_tensor_release(places);
    rd_tensor_release(y);
    return status;
}

rd_status rd_pool_time(rd_tensor *x, rd_tensor *mask, rd_pool how, rd_tensor **out, rd_error *err)
{
    rd_tensor *packed = NULL, *counts = NULL;
    char text[128];
    if (x->ndim < 2)
        return rdc_fail(err, RD_E_ARG, "pool: expected a sequence (batch, time, ...), got %s",
                        rdc_shape_text(x, text));
    if (x->shape[1] > (size_t)1 << 24)
        return rdc_fail(err, RD_E_ARG, "pool: at most 16777216 steps can be told apart, got %zu",
                        x->shape[1]);
    if (mask) RD_TRY(rd_valid_steps(x, mask, "pool", &counts, err));
    rd_status status = RD_OK;
    if (rdc_is_packed(x))
        packed = rd_tensor_retain(x);
    else
        status = rd_contiguous(x, rdc_order(x), &packed, err);
    if (status == RD_OK) status = pool_packed(packed, counts, how, out, err);
    rd_tensor_release(packed);
    rd_tensor_release(counts);
    return status;
}
