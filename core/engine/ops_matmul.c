/* ops_matmul.c - matrix products of the last two dimensions, many at a time.
 * SPDX-License-Identifier: MIT */
#include "engine/product.h"
#include "engine/tape.h"
#include <string.h>

enum { IN_A, IN_B, N_IN };

/* How a list of matrices lies: rows and columns with their strides, then one stride per leading
 * dimension (0: the same matrix each time). */
typedef struct stack {
    rd_real *at;
    size_t rows, cols, row_stride, col_stride;
    size_t stride[RD_MAX_DIMS];
} stack;
/* C_i [+]= A_i B_i for every index i over the leading dimensions. */
typedef struct batch {
    rd_core *core;
    uint32_t ndim;
    size_t shape[RD_MAX_DIMS], count;
    uint32_t flags;
    bool down; /* the indices themselves from the last to the first: they add up in C */
    stack a, b, c;
} batch;

/* ---- one product ------------------------------------------------------------------------- */

static bool row_major(const stack *m)
{
    return (m->cols <= 1 || m->col_stride == 1) && (m->rows <= 1 || m->row_stride >= m->cols);
}

static bool column_major(const stack *m)
{
    return (m->rows <= 1 || m->row_stride == 1) && (m->cols <= 1 || m->col_stride >= m->rows);
}

static stack turned(stack m)
{
    const stack t = m;
    m.rows = t.cols;
    m.cols = t.rows;
    m.row_stride = t.col_stride;
    m.col_stride = t.row_stride;
    return m;
}

static size_t leading(const stack *m)
{
    const size_t row = row_major(m) ? m->row_stride : m->col_stride;
    const size_t least = row_major(m) ? m->cols : m->rows;
    return row > least ? row : least; /* a single row may carry any stride */
}

/* A result that lies by columns is the product of the turned factors: the same chains. */
static rd_gemm product_of(const batch *p)
{
    const bool turn = !row_major(&p->c);
    const stack c = turn ? turned(p->c) : p->c;
    const stack a = turn ? turned(p->b) : p->a, b = turn ? turned(p->a) : p->b;
    rd_gemm g = {.size = sizeof g, .flags = p->flags, .m = c.rows, .n = c.cols, .k = a.cols};
    if (!row_major(&a)) g.flags |= RD_TRANS_A;
    if (!row_major(&b)) g.flags |= RD_TRANS_B;
    g.a = a.at;
    g.lda = leading(&a);
    g.b = b.at;
    g.ldb = leading(&b);
    g.c = c.at;
    g.ldc = leading(&c);
    return g;
}

static void run_batch(void *job, size_t first, size_t last)
{
    const batch *p = job;
    for (size_t n = first; n < last; n++) {
        rd_gemm g = product_of(p);
        size_t rest = p->down ? first + last - 1 - n : n, a = 0, b = 0, c = 0;
        for (uint32_t d = p->ndim; d-- > 0;) {
            const size_t i = rest % p->shape[d];
            rest /= p->shape[d];
            a += i * p->a.stride[d];
            b += i * p->b.stride[d];
            c += i * p->c.stride[d];
        }
        const bool turn = !row_major(&p->c);
        g.a += turn ? b : a;
        g.b += turn ? a : b;
        g.c += c;
        rdc_product(p->core, &g);
    }
}

static rd_status run(batch *p, rd_error *err)
{
    if (p->count == 1) {
        const rd_gemm g = product_of(p);
        return rdc_product_shared(p->core, &g, err);
    }
    /* products that add up in one matrix stay on one thread, in their order */
    rdc_pool_range(p->core->pool, p->count, p->down ? p->count : 1, run_batch, p);
    return RD_OK;
}

/* ---- shapes ------------------------------------------------------------------------------ */

/* The matrices of t over `ndim` leading dimensions, which t has or lacks. */
static stack stack_of(const rd_tensor *t, uint32_t ndim)
{
    const uint32_t own = t->ndim - 2;
    stack m = {.at = t->at,
               .rows = t->shape[own],
               .cols = t->shape[own + 1],
               .row_stride = t->stride[own],
               .col_stride = t->stride[own + 1]};
    for (uint32_t d = 0; d < ndim; d++) m.stride[d] = own ? t->stride[d] : 0;
    return m;
}

static batch batch_over(const rd_tensor *full)
{
    batch p = {.core = full->core, .ndim = full->ndim - 2, .count = 1};
    for (uint32_t d = 0; d < p.ndim; d++) {
        p.shape[d] = full->shape[d];
        p.count *= full->shape[d];
    }
    return p;
}

/* One matrix of all rows, where leading dimensions meet a single right-hand matrix. */
static bool as_one(const rd_tensor *t, stack *m)
{
    size_t n, width, row;
    if (!rdc_as_rows(t, &n, &width, &row) || (t->ndim > 3 && !rdc_is_packed(t))) return false;
    *m = (stack){.at = t->at, .rows = n, .cols = width, .row_stride = row, .col_stride = 1};
    return true;
}

/* Leading dimensions of `a` and `c` folded into rows; false where they do not lie so. */
static bool fold(batch *p, const rd_tensor *a, const rd_tensor *b, const rd_tensor *c)
{
    if (a->ndim <= 2 || b->ndim != 2) return false;
    if (!as_one(a, &p->a) || !as_one(c, &p->c)) return false;
    p->b = stack_of(b, 0);
    p->ndim = 0;
    p->count = 1;
    return true;
}

/* ---- backward ---------------------------------------------------------------------------- */

/* dA = dC B^T. A parameter's gradient sums from the last to the first (bit contract, rule 6); that of a
 * result is a product like any other. */
static rd_status gradient_a(const rdc_node *node, rd_tensor *da, rd_error *err)
{
    const rd_tensor *dc = node->dout[0], *b = node->saved[IN_B];
    batch p = batch_over(dc);
    p.flags = RD_ACCUMULATE;
    p.down = da->ndim < dc->ndim;
    if (node->in[IN_A].leaf || p.down) p.flags |= RD_K_DOWN;
    stack c, g;
    if (!p.down && da->ndim > 2 && b->ndim == 2 && as_one(da, &c) && as_one(dc, &g)) {
        p.ndim = 0;
        p.count = 1;
        p.c = c;
        p.a = g;
        p.b = turned(stack_of(b, 0));
        return run(&p, err);
    }
    p.c = stack_of(da, p.ndim);
    p.a = stack_of(dc, p.ndim);
    p.b = turned(stack_of(b, p.ndim));
    return run(&p, err);
}

/* dB = A^T dC, rows from the last to the first. */
static rd_status gradient_b(const rdc_node *node, rd_tensor *db, rd_error *err)
{
    const rd_tensor *dc = node->dout[0], *a = node->saved[IN_A];
    batch p = batch_over(dc);
    stack x, g;
    p.flags = RD_ACCUMULATE | RD_K_DOWN;
    p.down = db->ndim < dc->ndim;
    if (p.down && as_one(a, &x) && as_one(dc, &g)) {
        p.ndim = 0;
        p.count = 1;
        p.down = false;
        p.c = stack_of(db, 0);
        p.a = turned(x);
        p.b = g;
        return run(&p, err);
    }
    p.c = stack_of(db, p.ndim);
    p.a = turned(stack_of(a, p.ndim));
    p.b = stack_of(dc, p.ndim);
    return run(&p, err);
}

static rd_status matmul_backward(rdc_node *node, rd_error *err)
{
    if (node->din[IN_A]) RD_TRY(gradient_a(node, node->din[IN_A], err));
    if (node->din[IN_B]) RD_TRY(gradient_b(node, node->din[IN_B], err));
    return RD_OK;
}

static const rdc_op matmul_op = {.name = "matmul", .backward = matmul_backward};

/* ---- forward ----------------------------------------------------------------------------- */

static rd_status check_shapes(const rd_tensor *a, const rd_tensor *b, rd_error *err)
{
    char text[2][128];
    bool fits = a->ndim >= 2 && b->ndim >= 2 && a->shape[a->ndim - 1] == b->shape[b->ndim - 2] &&
                (a->ndim == b->ndim || a->ndim == 2 || b->ndim == 2);
    for (uint32_t d = 0; fits && a->ndim == b->ndim && d + 2 < a->ndim; d++)
        fits = a->shape[d] == b->shape[d];
    if (fits) return RD_OK;
    return rdc_fail(err, RD_E_ARG,
                    "matmul: expected (..., m, k) and (..., k, n) with equal leading dimensions or "
                    "none on one side, got %s and %s",
                    rdc_shape_text(a, text[0]), rdc_shape_text(b, text[1]));
}

/* t itself (retained) where its matrices lie by rows or by columns, else a copy on the tape. */
static rd_status usable(rd_tensor *t, rd_tensor **out, rd_error *err)
{
    const stack m = stack_of(t, 0);
    if (!row_major(&m) && !column_major(&m)) return rd_contiguous(t, RD_DENSE, out, err);
    *out = rd_tensor_retain(t);
    return RD_OK;
}

static rd_status make_result(const rd_tensor *a, const rd_tensor *b, rd_tensor **out, rd_error *err)
{
    const rd_tensor *full = a->ndim >= b->ndim ? a : b;
    size_t shape[RD_MAX_DIMS];
    for (uint32_t d = 0; d < full->ndim; d++) shape[d] = full->shape[d];
    shape[full->ndim - 2] = a->shape[a->ndim - 2];
    shape[full->ndim - 1] = b->shape[b->ndim - 1];
    const rd_order order = full->ndim == 2 ? RD_DENSE : rdc_order(full);
    return rd_tensor_new(a->core, full->ndim, shape, order, out, err);
}

static rd_status matmul_forward(rd_tensor *a, rd_tensor *b, rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL;
    RD_TRY(make_result(a, b, &y, err));
    batch p = batch_over(y);
    if (!fold(&p, a, b, y)) {
        p.a = stack_of(a, p.ndim);
        p.b = stack_of(b, p.ndim);
        p.c = stack_of(y, p.ndim);
    }
    rd_status status = run(&p, err);
    rd_tensor *const in[N_IN] = {a, b};
    rdc_node *node = NULL;
    if (status == RD_OK && rdc_wants_node(in, N_IN)) {
        status = rdc_record(&matmul_op, in, N_IN, &y, 1, &node, err);
        if (status == RD_OK) {
            rdc_save(node, IN_A, a);
            rdc_save(node, IN_B, b);
        }
    }
    if (status == RD_OK)
        *out = y;
    else
        rd_tensor_release(y);
    return status;
}

rd_status rd_matmul(rd_tensor *a, rd_tensor *b, rd_tensor **out, rd_error *err)
{
    rd_tensor *left = NULL, *right = NULL;
    RD_TRY(check_shapes(a, b, err));
    rd_status status = usable(a, &left, err);
    if (status == RD_OK) status = usable(b, &right, err);
    if (status == RD_OK) status = matmul_forward(left, right, out, err);
    rd_tensor_release(right);
    rd_tensor_release(left);
    return status;
}
