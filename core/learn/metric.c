/* metric.c - what classifiers got right: hits among the k most likely, and counts by class.
 *
 * Of equal logits the first counts as more likely, as in arg-max; a target of 0 is not counted.
 * SPDX-License-Identifier: MIT */
#include "engine/rows.h"
#include "rondo/pointmath.h"

/* How many classes are more likely than class `own`; all of them where a NaN is in the row. */
RD_CLONES static size_t rank_of(const rd_real *x, size_t n, size_t own)
{
    const rd_real v = x[own];
    size_t above = 0, unordered = 0;
    for (size_t j = 0; j < n; j++) {
        above += x[j] > v || (x[j] == v && j < own);
        unordered += !(x[j] == x[j]);
    }
    return unordered ? n : above;
}

/* The rows of logits with the ids of their targets in the same order; both are released by the caller. */
static rd_status pair(rd_tensor *logits, rd_tensor *target, rdc_rows *x, rd_tensor **ids,
                      rd_error *err)
{
    char text[2][128];
    bool fits = logits->ndim == target->ndim + 1;
    for (uint32_t d = 0; fits && d < target->ndim; d++) fits = logits->shape[d] == target->shape[d];
    if (!fits || logits->shape[target->ndim] == 0)
        return rdc_fail(err, RD_E_ARG,
                        "metric: expected logits (..., classes) and ids (...), got %s and %s",
                        rdc_shape_text(logits, text[0]), rdc_shape_text(target, text[1]));
    RD_TRY(rdc_check_ids(target, logits->shape[target->ndim], "metric", err));
    RD_TRY(rdc_rows_of(logits, "metric", x, err));
    const rd_order order = x->x->ndim <= 2 ? RD_DENSE : rdc_order(x->x);
    return rd_contiguous(target, order, ids, err);
}

rd_status rd_count_hits(rd_tensor *logits, rd_tensor *target, size_t k, rd_loss_total *total,
                        rd_error *err)
{
    rdc_rows x = {0};
    rd_tensor *ids = NULL;
    size_t hits = 0, counted = 0;
    const rd_status status = pair(logits, target, &x, &ids, err);
    for (size_t r = 0; status == RD_OK && r < x.n; r++) {
        const size_t id = (size_t)ids->at[r];
        if (!id) continue;
        counted++;
        hits += rank_of(x.x->at + r * x.row, x.width, id - 1) < k;
    }
    rd_tensor_release(ids);
    rd_tensor_release(x.x);
    if (status == RD_OK) *total = (rd_loss_total){(double)hits, (double)counted};
    return status;
}

rd_status rd_count_classes(rd_tensor *logits, rd_tensor *target, rd_class_count *counts,
                           rd_error *err)
{
    rdc_rows x = {0};
    rd_tensor *ids = NULL;
    const rd_status status = pair(logits, target, &x, &ids, err);
    for (size_t r = 0; status == RD_OK && r < x.n; r++) {
        const size_t id = (size_t)ids->at[r];
        const rd_real *row = x.x->at + r * x.row;
        size_t best = 0;
        if (!id) continue;
        for (size_t j = 1; j < x.width; j++) best = row[j] > row[best] ? j : best;
        counts[id - 1].wanted++;
        counts[best].guessed++;
        counts[best].right += best == id - 1;
    }
    rd_tensor_release(ids);
    rd_tensor_release(x.x);
    return status;
}
