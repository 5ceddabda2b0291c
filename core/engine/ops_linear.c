/* ops_linear.c - x W^T + b over rows; a one-hot x is a gather.
 * SPDX-License-Identifier: MIT */
#include "base/profile.h"
#include "engine/product.h"
#include "engine/rows.h"
#include "engine/tape.h"
#include "rondo/pointmath.h"
#include <string.h>

enum { IN_X, IN_WEIGHT, IN_BIAS, N_IN };
enum { SAVED_X, SAVED_WEIGHT, SAVED_IDS };

/* What the loops over rows or columns share among workers. Only what a loop needs is set. */
struct linear {
    size_t rows, in, out;
    const rd_real *bias, *weight, *ids, *dy;
    const rd_real *table; /* (in, out): bias + W of every id */
    rd_real *y, *turned;  /* turned: (in, out), the weight gradient the other way round */
    rd_real *dweight, *dbias;
};

/* ---- rows that start at the bias --------------------------------------------------------- */

static void start_rows(void *job, size_t first, size_t last)
{
    const struct linear *l = job;
    for (size_t r = first; r < last; r++)
        memcpy(l->y + r * l->out, l->bias, l->out * sizeof(rd_real));
}

/* G = G + dA, rows from the last to the first (bit contract, rule 6). */
RD_CLONES static void add_bias_gradient(void *job, size_t first, size_t last)
{
    const struct linear *l = job;
    rd_real *restrict db = l->dbias; /* dy is another block */
    for (size_t r = l->rows; r-- > 0;) {
        const rd_real *dy = l->dy + r * l->out;
        for (size_t j = first; j < last; j++) db[j] += dy[j];
    }
}

/* ---- one-hot: s = b + W[:, id] (rule 3: ids into a matrix are a gather) ------------------ */

static rd_real start_of(const struct linear *l, size_t j)
{
    return l->bias ? l->bias[j] : 0;
}

static void gather_rows(void *job, size_t first, size_t last)
{
    const struct linear *l = job;
    for (size_t r = first; r < last; r++) {
        rd_real *y = l->y + r * l->out;
        const size_t id = (size_t)l->ids[r];
        for (size_t j = 0; j < l->out; j++)
            y[j] = id ? start_of(l, j) + l->weight[j * l->in + id - 1] : start_of(l, j);
    }
}

static void copy_rows(void *job, size_t first, size_t last)
{
    const struct linear *l = job;
    for (size_t r = first; r < last; r++) {
        const size_t id = (size_t)l->ids[r]; /* table row 0 is the start alone */
        memcpy(l->y + r * l->out, l->table + id * l->out, l->out * sizeof(rd_real));
    }
}

/* One row per id pays once there are as many rows as ids: reading W by columns is slow. */
static rd_status gather(rd_core *core, struct linear *l, size_t weight_row, rd_error *err)
{
    const size_t grain = rdc_rows_grain(l->out);
    size_t n;
    if (l->rows < l->in) {
        struct linear direct = *l;
        direct.in = weight_row;
        rdc_pool_range(core->pool, l->rows, grain, gather_rows, &direct);
        return RD_OK;
    }
    if (!rdc_mul_size(l->in + 1, l->out * sizeof(rd_real), &n)) return rdc_no_memory(err, SIZE_MAX);
    rdc_block *block = rdc_block_new(core->arena, n);
    if (!block) return rdc_no_memory(err, n);
    const uint64_t env = rdc_fp_enter();
    rd_real *table = block->at;
    for (size_t j = 0; j < l->out; j++) table[j] = start_of(l, j);
    for (size_t j = 0; j < l->out; j++)
        for (size_t id = 1; id <= l->in; id++)
            table[id * l->out + j] = start_of(l, j) + l->weight[j * weight_row + id - 1];
    rdc_fp_leave(env);
    l->table = table;
    rdc_pool_range(core->pool, l->rows, grain, copy_rows, l);
    rdc_block_release(core->arena, block);
    return RD_OK;
}

/* Columns [first, last) of the weight gradient's rows, straight into their place. */
static void scatter_direct(void *job, size_t first, size_t last)
{
    const struct linear *l = job;
    for (size_t r = l->rows; r-- > 0;) {
        const size_t id = (size_t)l->ids[r];
        if (!id) continue;
        for (size_t j = first; j < last; j++)
            l->dweight[j * l->in + id - 1] += l->dy[r * l->out + j];
    }
}

/* The same through a transposed copy, whose rows are adjacent. */
static void scatter_turned(void *job, size_t first, size_t last)
{
    const struct linear *l = job;
    for (size_t j = first; j < last; j++)
        for (size_t i = 0; i < l->in; i++) l->turned[i * l->out + j] = l->dweight[j * l->in + i];
    for (size_t r = l->rows; r-- > 0;) {
        const size_t id = (size_t)l->ids[r];
        if (!id) continue;
        rd_real *restrict g = l->turned + (id - 1) * l->out; /* dy is another block */
        for (size_t j = first; j < last; j++) g[j] += l->dy[r * l->out + j];
    }
    for (size_t j = first; j < last; j++)
        for (size_t i = 0; i < l->in; i++) l->dweight[j * l->in + i] = l->turned[i * l->out + j];
}

static rd_status scatter(rd_core *core, struct linear *l, rd_error *err)
{
    if (l->rows < l->in) {
        rdc_pool_range(core->pool, l->out, 16, scatter_direct, l);
        return RD_OK;
    }
    const size_t n = l->in * l->out * sizeof(rd_real); /* that of the weight: no overflow */
    rdc_block *block = rdc_block_new(core->arena, n);
    if (!block) return rdc_no_memory(err, n);
    l->turned = block->at;
    rdc_pool_range(core->pool, l->out, 16, scatter_turned, l);
    rdc_block_release(core->arena, block);
    return RD_OK;
}

/* ---- backward ---------------------------------------------------------------------------- */

/* dW = dy^T x, one chain per element, rows from the last to the first (rule 6). */
static rd_status weight_gradient(const rdc_node *node, struct linear *l, rd_error *err)
{
    if (node->saved[SAVED_IDS]) {
        l->ids = node->saved[SAVED_IDS]->at;
        return scatter(node->core, l, err);
    }
    const rdc_rows x = rdc_rows_again(node->saved[SAVED_X]);
    return rdc_product_shared(node->core,
                              &(rd_gemm){.size = sizeof(rd_gemm),
                                         .flags = RD_TRANS_A | RD_ACCUMULATE | RD_K_DOWN |
                                                  rdc_precision(node->core),
                                         .m = l->out,
                                         .n = l->in,
                                         .k = l->rows,
                                         .a = l->dy,
                                         .lda = l->out,
                                         .b = x.x->at,
                                         .ldb = x.row,
                                         .c = l->dweight,
                                         .ldc = l->in},
                              err);
}

static rd_status linear_backward(rdc_node *node, rd_error *err)
{
    rd_tensor *dx = node->din[IN_X], *dw = node->din[IN_WEIGHT], *db = node->din[IN_BIAS];
    struct linear l = {.rows = node->size_arg[0],
                       .in = node->size_arg[1],
                       .out = node->size_arg[2],
                       .dy = node->dout[0]->at};
    if (dx) {
        const rdc_rows w = rdc_rows_again(node->saved[SAVED_WEIGHT]);
        RD_TRY(rdc_product_shared(node->core,
                                  &(rd_gemm){.size = sizeof(rd_gemm),
                                             .flags = RD_ACCUMULATE | rdc_precision(node->core),
                                             .m = l.rows,
                                             .n = l.in,
                                             .k = l.out,
                                             .a = l.dy,
                                             .lda = l.out,
                                             .b = w.x->at,
                                             .ldb = w.row,
                                             .c = dx->at,
                                             .ldc = l.in},
                                  err));
    }
    if (dw) {
        l.dweight = dw->at;
        RD_TRY(weight_gradient(node, &l, err));
    }
    if (db) {
        l.dbias = db->at;
        rdc_pool_range(node->core->pool, l.out, 16, add_bias_gradient, &l);
    }
    return RD_OK;
}

static const rdc_op linear_op = {
    .name = "linear", .backward = linear_backward, .work = RD_WORK_LINEAR};

/* ---- forward ----------------------------------------------------------------------------- */

static rd_status check_shapes(const rd_tensor *x, const rd_tensor *weight, const rd_tensor *bias,
                              rd_error *err)
{
    char text[2][128];
    if (weight->ndim != 2)
        return rdc_fail(err, RD_E_ARG, "linear: the weight must be (out, in), got %s",
                        rdc_shape_text(weight, text[0]));
    if (x->ndim == 0 || x->shape[x->ndim - 1] != weight->shape[1])
        return rdc_fail(err, RD_E_ARG, "linear: expected input (..., %zu) for a weight %s, got %s",
                        weight->shape[1], rdc_shape_text(weight, text[0]),
                        rdc_shape_text(x, text[1]));
    if (bias && (bias->ndim != 1 || bias->shape[0] != weight->shape[0]))
        return rdc_fail(err, RD_E_ARG, "linear: expected a bias (%zu) for a weight %s, got %s",
                        weight->shape[0], rdc_shape_text(weight, text[0]),
                        rdc_shape_text(bias, text[1]));
    return RD_OK;
}

static rd_status linear_forward(const rdc_rows *x, const rdc_rows *w, const rdc_rows *b,
                                rd_tensor *y, rd_error *err)
{
    rd_core *core = y->core;
    const rd_tensor *ids = rdc_one_hot_ids(x->x);
    struct linear l = {.rows = x->n, .in = x->width, .out = w->n, .y = y->at};
    l.bias = b->x ? b->x->at : NULL;
    l.weight = w->x->at;
    if (ids) {
        l.ids = ids->at;
        return gather(core, &l, w->row, err);
    }
    if (b->x) rdc_pool_range(core->pool, l.rows, rdc_rows_grain(l.out), start_rows, &l);
    return rdc_product_shared(core,
                              &(rd_gemm){.size = sizeof(rd_gemm),
                                         .flags = RD_TRANS_B | (b->x ? RD_ACCUMULATE : 0u) |
                                                  rdc_precision(core),
                                         .m = l.rows,
                                         .n = l.out,
                                         .k = l.in,
                                         .a = x->x->at,
                                         .lda = x->row,
                                         .b = w->x->at,
                                         .ldb = w->row,
                                         .c = y->at,
                                         .ldc = l.out},
                              err);
}

static rd_status record(const rdc_rows *x, const rdc_rows *w, const rdc_rows *b, rd_tensor *y,
                        rd_error *err)
{
    rd_tensor *const in[N_IN] = {x->x, w->x, b->x};
    rdc_node *node = NULL;
    if (!rdc_wants_node(in, N_IN)) return RD_OK;
    RD_TRY(rdc_record(&linear_op, in, N_IN, &y, 1, &node, err));
    node->size_arg[0] = x->n;
    node->size_arg[1] = x->width;
    node->size_arg[2] = w->n;
    rdc_save(node, SAVED_WEIGHT, w->x);
    rd_tensor *ids = rdc_one_hot_ids(x->x);
    if (ids)
        rdc_save(node, SAVED_IDS, ids);
    else
        rdc_save(node, SAVED_X, x->x);
    return RD_OK;
}

rd_status rd_linear(rd_tensor *x, rd_tensor *weight, rd_tensor *bias, rd_tensor **out,
                    rd_error *err)
{
    RDC_TIMED(x->core, RD_WORK_LINEAR);
    rdc_rows xr = {0}, wr = {0}, br = {0};
    rd_tensor *y = NULL;
    RD_TRY(check_shapes(x, weight, bias, err));
    rd_status status = rdc_rows_of(x, "linear", &xr, err);
    if (status == RD_OK) status = rdc_rows_of(weight, "linear", &wr, err);
    if (status == RD_OK && bias) status = rdc_rows_of(bias, "linear", &br, err);
    if (status == RD_OK) status = rdc_rows_result(&xr, wr.n, &y, err);
    if (status == RD_OK) status = linear_forward(&xr, &wr, &br, y, err);
    if (status == RD_OK) status = record(&xr, &wr, &br, y, err);
    rd_tensor_release(br.x);
    rd_tensor_release(wr.x);
    rd_tensor_release(xr.x);
    if (status == RD_OK)
        *out = y;
    else
        rd_tensor_release(y);
    return status;
}
