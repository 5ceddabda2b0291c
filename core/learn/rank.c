/* rank.c - the largest of a row in order: a heap, so that work goes with what is taken.
 * SPDX-License-Identifier: MIT */
#include "learn/rank.h"
#include "engine/rows.h"
#include <assert.h>

static bool before(const rd_real *key, uint32_t a, uint32_t b)
{
    return key[a] > key[b] || (a < b && key[a] == key[b]);
}

static void sift(const rdc_rank *r, size_t i)
{
    const uint32_t moved = r->heap[i];
    for (size_t child = 2 * i + 1; child < r->left; child = 2 * i + 1) {
        if (child + 1 < r->left && before(r->key, r->heap[child + 1], r->heap[child])) child++;
        if (!before(r->key, r->heap[child], moved)) break;
        r->heap[i] = r->heap[child];
        i = child;
    }
    r->heap[i] = moved;
}

rdc_rank rdc_rank_begin(const rd_real *key, uint32_t *heap, size_t n)
{
    const rdc_rank r = {.key = key, .heap = heap, .left = n};
    for (size_t i = 0; i < n; i++) heap[i] = (uint32_t)i;
    for (size_t i = n / 2; i-- > 0;) sift(&r, i);
    return r;
}

uint32_t rdc_rank_next(rdc_rank *r)
{
    assert(r->left > 0);
    const uint32_t top = r->heap[0];
    r->heap[0] = r->heap[--r->left];
    r->heap[r->left] = top;
    if (r->left > 0) sift(r, 0);
    return top;
}

static rd_status check(const rd_tensor *x, size_t k, rd_error *err)
{
    char text[128];
    if (x->ndim != 2 || x->shape[1] == 0)
        return rdc_fail(err, RD_E_ARG, "top: expected scores (batch, classes), got %s",
                        rdc_shape_text(x, text));
    if (k == 0 || k > x->shape[1])
        return rdc_fail(err, RD_E_ARG, "top: k must be 1..%zu, the number of classes, got %zu",
                        x->shape[1], k);
    return RD_OK;
}

/* Fills ids and values, k to a row; a NaN has no place in an order. */
static rd_status fill(const rdc_rows *x, size_t k, uint32_t *heap, rd_real *const out[2],
                      rd_error *err)
{
    for (size_t i = 0; i < x->n; i++) {
        const rd_real *const key = x->x->at + i * x->row;
        for (size_t j = 0; j < x->width; j++)
            if (key[j] != key[j])
                return rdc_fail(err, RD_E_ARG, "top: class %zu of row %zu is not a number", j + 1,
                                i + 1);
        rdc_rank r = rdc_rank_begin(key, heap, x->width);
        for (size_t j = 0; j < k; j++) {
            const uint32_t place = rdc_rank_next(&r);
            out[0][i * k + j] = (rd_real)(place + 1);
            out[1][i * k + j] = key[place];
        }
    }
    return RD_OK;
}

rd_status rd_top(rd_tensor *scores, size_t k, rd_tensor **ids, rd_tensor **values, rd_error *err)
{
    rdc_rows x = {0};
    rd_tensor *found = NULL, *best = NULL;
    rdc_block *heap = NULL;
    RD_TRY(check(scores, k, err));
    rd_core *core = scores->core;
    RD_TRY(rdc_rows_of(scores, "top", &x, err));
    const size_t shape[] = {x.n, k};
    rd_status status = rd_tensor_new(core, 2, shape, RD_DENSE, &found, err);
    if (status == RD_OK) status = rd_tensor_new(core, 2, shape, RD_DENSE, &best, err);
    if (status != RD_OK) goto done;
    heap = rdc_block_new(core->arena, x.width * sizeof(uint32_t));
    if (!heap) {
        status = rdc_no_memory(err, x.width * sizeof(uint32_t));
        goto done;
    }
    status = fill(&x, k, heap->at, (rd_real *const[]){found->at, best->at}, err);
    if (status == RD_OK) {
        *ids = rd_tensor_retain(found);
        *values = rd_tensor_retain(best);
    }
done:
    rdc_block_release(core->arena, heap);
    rd_tensor_release(best);
    rd_tensor_release(found);
    rd_tensor_release(x.x);
    return status;
}
