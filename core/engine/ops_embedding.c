/* ops_embedding.c - rows of a table by id, and one-hot rows that remember their ids.
 * SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "base/profile.h"
#include "engine/rows.h"
#include "engine/tape.h"
#include "rondo/pointmath.h"
#include <string.h>

struct embedding {
    size_t rows, width, row; /* row: between rows of the table */
    const rd_real *ids, *table, *dy;
    rd_real *y, *dtable;
};

static void read_rows(void *job, size_t first, size_t last)
{
    const struct embedding *e = job;
    for (size_t r = first; r < last; r++) {
        const size_t id = (size_t)e->ids[r];
        rd_real *y = e->y + r * e->width;
        if (id)
            memcpy(y, e->table + (id - 1) * e->row, e->width * sizeof(rd_real));
        else
            memset(y, 0, e->width * sizeof(rd_real));
    }
}

/* Columns [first, last), rows from the last to the first (bit contract, rule 6). */
RD_CLONES static void add_rows(void *job, size_t first, size_t last)
{
    const struct embedding *e = job;
    for (size_t r = e->rows; r-- > 0;) {
        const size_t id = (size_t)e->ids[r];
        if (!id) continue;
        rd_real *restrict g = e->dtable + (id - 1) * e->width; /* dy is another block */
        const rd_real *dy = e->dy + r * e->width;
        for (size_t j = first; j < last; j++) g[j] += dy[j];
    }
}

static rd_status embedding_backward(rdc_node *node, rd_error *err)
{
    (void)err;
    if (!node->din[0]) return RD_OK;
    struct embedding e = {.rows = node->size_arg[0],
                          .width = node->size_arg[1],
                          .ids = node->saved[0]->at,
                          .dy = node->dout[0]->at,
                          .dtable = node->din[0]->at};
    rdc_pool_range(node->core->pool, e.width, 16, add_rows, &e);
    return RD_OK;
}

static const rdc_op embedding_op = {
    .name = "embedding", .backward = embedding_backward, .work = RD_WORK_IDS};

/* A packed result of shape (ids..., width) whose rows lie as the ids do. */
static rd_status rows_by_ids(const rd_tensor *ids, size_t width, const char *what, rd_tensor **out,
                             rd_error *err)
{
    size_t shape[RD_MAX_DIMS];
    if (ids->ndim == RD_MAX_DIMS)
        return rdc_fail(err, RD_E_ARG, "%s: ids may have at most %d dimensions", what,
                        RD_MAX_DIMS - 1);
    for (uint32_t d = 0; d < ids->ndim; d++) shape[d] = ids->shape[d];
    shape[ids->ndim] = width;
    return rd_tensor_new(ids->core, ids->ndim + 1, shape, rdc_order(ids), out, err);
}

static rd_status look_up(rd_tensor *ids, const rdc_rows *table, rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL, *packed = NULL, *const in[] = {table->x};
    rdc_node *node = NULL;
    RD_TRY(rows_by_ids(ids, table->width, "embedding", &y, err));
    rd_status status = rdc_tensor_packed(ids, &packed, err);
    if (status != RD_OK) goto done;
    struct embedding e = {.rows = rd_tensor_numel(ids),
                          .width = table->width,
                          .row = table->row,
                          .ids = packed->at,
                          .table = table->x->at,
                          .y = y->at};
    rdc_pool_range(y->core->pool, e.rows, rdc_rows_grain(e.width), read_rows, &e);
    if (rdc_wants_node(in, 1)) {
        status = rdc_record(&embedding_op, in, 1, &y, 1, &node, err);
        if (status != RD_OK) goto done;
        node->size_arg[0] = e.rows;
        node->size_arg[1] = e.width;
        rdc_save(node, 0, packed);
    }
    *out = rd_tensor_retain(y);
done:
    rd_tensor_release(packed);
    rd_tensor_release(y);
    return status;
}

rd_status rd_embedding(rd_tensor *ids, rd_tensor *weight, rd_tensor **out, rd_error *err)
{
    RDC_TIMED(ids->core, RD_WORK_IDS);
    rdc_rows table;
    char text[128];
    if (weight->ndim != 2)
        return rdc_fail(err, RD_E_ARG, "embedding: the weight must be (ids, features), got %s",
                        rdc_shape_text(weight, text));
    RD_TRY(rdc_check_ids(ids, weight->shape[0], "embedding", err));
    RD_TRY(rdc_rows_of(weight, "embedding", &table, err));
    const rd_status status = look_up(ids, &table, out, err);
    rd_tensor_release(table.x);
    return status;
}

rd_status rd_one_hot(rd_tensor *ids, size_t n, rd_tensor **out, rd_error *err)
{
    RDC_TIMED(ids->core, RD_WORK_IDS);
    rd_tensor *y = NULL, *kept = NULL;
    if (n == 0) return rdc_fail(err, RD_E_ARG, "one_hot: the number of classes must be at least 1");
    RD_TRY(rdc_check_ids(ids, n, "one_hot", err));
    RD_TRY(rows_by_ids(ids, n, "one_hot", &y, err));
    /* a copy: the caller may write the next batch into ids while y is in use */
    const rd_status status = rdc_tensor_like(ids, false, &kept, err);
    if (status != RD_OK) {
        rd_tensor_release(y);
        return status;
    }
    rdc_copy_values(ids, kept);
    memset(y->at, 0, rd_tensor_numel(y) * sizeof(rd_real));
    const size_t rows = rd_tensor_numel(kept);
    for (size_t r = 0; r < rows; r++) {
        const size_t id = (size_t)kept->at[r];
        if (id) y->at[r * n + id - 1] = 1;
    }
    y->ids = kept;
    y->ids_version = y->block->version;
    *out = y;
    return RD_OK;
}
