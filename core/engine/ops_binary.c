/* ops_binary.c - functions of two numbers, and where, element by element with broadcasting.
 *
 * The result lies in the storage order of the first operand of its shape. The gradient of a broadcast
 * operand is made in full and then reduced in the contract's order (rule 6).
 * SPDX-License-Identifier: MIT */
#include "engine/map.h"
#include "engine/reduce.h"
#include "engine/tape.h"
#include "rondo/pointmath.h"

RD_CLONES static void binary_forward(int32_t op, size_t n, const rd_real *const *x, rd_real *y,
                                     rd_real arg)
{
    const rd_real *const a = x[0], *const b = x[1];
    rd_real *const restrict r = y;
    (void)arg;
    switch ((rd_binary)op) {
    case RD_ADD:
        for (size_t j = 0; j < n; j++) r[j] = a[j] + b[j];
        break;
    case RD_SUB:
        for (size_t j = 0; j < n; j++) r[j] = a[j] - b[j];
        break;
    case RD_MUL:
        for (size_t j = 0; j < n; j++) r[j] = a[j] * b[j];
        break;
    case RD_DIV:
        for (size_t j = 0; j < n; j++) r[j] = a[j] / b[j];
        break;
    case RD_EQ:
        for (size_t j = 0; j < n; j++) r[j] = a[j] == b[j];
        break;
    case RD_NE:
        for (size_t j = 0; j < n; j++) r[j] = a[j] != b[j];
        break;
    case RD_LT:
        for (size_t j = 0; j < n; j++) r[j] = a[j] < b[j];
        break;
    case RD_LE:
        for (size_t j = 0; j < n; j++) r[j] = a[j] <= b[j];
        break;
    case RD_GT:
        for (size_t j = 0; j < n; j++) r[j] = a[j] > b[j];
        break;
    case RD_GE:
        for (size_t j = 0; j < n; j++) r[j] = a[j] >= b[j];
        break;
    }
}

/* The gradients of binary operations and of where: what is added to dx for one dy. */
enum part { DY, MINUS_DY, DY_TIMES, DY_OVER, DIVISOR, WHERE_TRUE, WHERE_FALSE };

RD_CLONES static void part_backward(int32_t op, size_t n, const rd_real *const *x, rd_real *y,
                                    rd_real arg)
{
    const rd_real *const dy = x[0], *const u = x[1], *const v = x[2];
    rd_real *const restrict dx = y;
    (void)arg;
    switch ((enum part)op) {
    case DY:
        for (size_t j = 0; j < n; j++) dx[j] += dy[j];
        break;
    case MINUS_DY:
        for (size_t j = 0; j < n; j++) dx[j] -= dy[j];
        break;
    case DY_TIMES:
        for (size_t j = 0; j < n; j++) dx[j] += dy[j] * u[j];
        break;
    case DY_OVER:
        for (size_t j = 0; j < n; j++) dx[j] += dy[j] / u[j];
        break;
    case DIVISOR: /* d(v/u)/du = -(v/u)/u */
        for (size_t j = 0; j < n; j++) dx[j] -= dy[j] * ((v[j] / u[j]) / u[j]);
        break;
    case WHERE_TRUE:
        for (size_t j = 0; j < n; j++) dx[j] += u[j] != 0 ? dy[j] : 0;
        break;
    case WHERE_FALSE:
        for (size_t j = 0; j < n; j++) dx[j] += u[j] != 0 ? 0 : dy[j];
        break;
    }
}

RD_CLONES static void where_forward(int32_t op, size_t n, const rd_real *const *x, rd_real *y,
                                    rd_real arg)
{
    const rd_real *const c = x[0], *const a = x[1], *const b = x[2];
    rd_real *const restrict r = y;
    (void)op;
    (void)arg;
    for (size_t j = 0; j < n; j++) r[j] = c[j] != 0 ? a[j] : b[j];
}

/* Adds one part of the gradient to the node's input i; u and v (or NULL) broadcast to dy's shape. */
static rd_status add_part(rdc_node *node, uint32_t i, enum part part, const rd_tensor *const uv[2],
                          rd_error *err)
{
    const rd_tensor *const dy = node->dout[0];
    rd_tensor *const dx = node->din[i];
    if (!dx) return RD_OK;
    const bool full = rdc_same_shape(dx, dy);
    if (!full && (part == DY || part == MINUS_DY)) {
        rdc_reduce_to(dy, part == DY ? 1 : -1, dx);
        return RD_OK;
    }
    rd_tensor *to = dx;
    if (!full) RD_TRY(rdc_tensor_like(dy, true, &to, err));
    const rd_tensor *const u = uv[0] ? uv[0] : dy, *const v = uv[1] ? uv[1] : dy;
    size_t u_stride[RD_MAX_DIMS], v_stride[RD_MAX_DIMS];
    rdc_broadcast_strides(u, dy->ndim, u_stride);
    rdc_broadcast_strides(v, dy->ndim, v_stride);
    rdc_map_run(node->core, &(rdc_map){.fn = part_backward,
                                       .op = (int32_t)part,
                                       .accumulate = true,
                                       .n_in = 3,
                                       .ndim = dy->ndim,
                                       .shape = dy->shape,
                                       .y = to->at,
                                       .y_stride = to->stride,
                                       .x = {dy->at, u->at, v->at},
                                       .x_stride = {dy->stride, u_stride, v_stride}});
    if (!full) {
        rdc_reduce_to(to, 1, dx);
        rd_tensor_release(to);
    }
    return RD_OK;
}

/* saved[0]: a, saved[1]: b; each NULL where no gradient needs it. */
static rd_status binary_node_backward(rdc_node *node, rd_error *err)
{
    const rd_tensor *const a = node->saved[0], *const b = node->saved[1];
    switch ((rd_binary)node->size_arg[0]) {
    case RD_ADD:
        RD_TRY(add_part(node, 0, DY, (const rd_tensor *[2]){NULL, NULL}, err));
        return add_part(node, 1, DY, (const rd_tensor *[2]){NULL, NULL}, err);
    case RD_SUB:
        RD_TRY(add_part(node, 0, DY, (const rd_tensor *[2]){NULL, NULL}, err));
        return add_part(node, 1, MINUS_DY, (const rd_tensor *[2]){NULL, NULL}, err);
    case RD_MUL:
        RD_TRY(add_part(node, 0, DY_TIMES, (const rd_tensor *[2]){b, NULL}, err));
        return add_part(node, 1, DY_TIMES, (const rd_tensor *[2]){a, NULL}, err);
    case RD_DIV:
        RD_TRY(add_part(node, 0, DY_OVER, (const rd_tensor *[2]){b, NULL}, err));
        return add_part(node, 1, DIVISOR, (const rd_tensor *[2]){b, a}, err);
    case RD_EQ:
    case RD_NE:
    case RD_LT:
    case RD_LE:
    case RD_GT:
    case RD_GE:
        break; /* constants: no node is recorded */
    }
    return RD_OK;
}

static const rdc_op binary_op[] = {{"add", binary_node_backward, NULL},
                                   {"sub", binary_node_backward, NULL},
                                   {"mul", binary_node_backward, NULL},
                                   {"div", binary_node_backward, NULL},
                                   {"eq", NULL, NULL},
                                   {"ne", NULL, NULL},
                                   {"lt", NULL, NULL},
                                   {"le", NULL, NULL},
                                   {"gt", NULL, NULL},
                                   {"ge", NULL, NULL}};

/* A fresh tensor of the shape that the operands broadcast to, in the storage order of the first of that
 * size, and the operands' strides over it. */
static rd_status broadcast_result(const char *op, rd_tensor *const *in, uint32_t n, rd_tensor **out,
                                  size_t stride[][RD_MAX_DIMS], rd_error *err)
{
    uint32_t ndim = 0;
    size_t shape[RD_MAX_DIMS];
    rd_order order = RD_DENSE;
    RD_TRY(rdc_broadcast_shape(op, in, n, &ndim, shape, err));
    for (uint32_t i = n; i-- > 0;) {
        bool full = in[i]->ndim == ndim;
        for (uint32_t d = 0; d < ndim && full; d++) full = in[i]->shape[d] == shape[d];
        if (full) order = rdc_order(in[i]);
        rdc_broadcast_strides(in[i], ndim, stride[i]);
    }
    return rd_tensor_new(in[0]->core, ndim, shape, order, out, err);
}

/* Operands that are not broadcast get one term per element. */
static void mark_full(rdc_node *node, const rd_tensor *y)
{
    for (uint32_t i = 0; i < node->n_in; i++) {
        rdc_edge *const edge = &node->in[i];
        edge->one_term = edge->ndim == y->ndim;
        for (uint32_t d = 0; d < y->ndim && edge->one_term; d++)
            edge->one_term = edge->shape[d] == y->shape[d];
    }
}

/* Runs fn over broadcast operands into a fresh result. */
static rd_status broadcast_map(const char *name, rdc_map_fn fn, int32_t op, rd_tensor *const *in,
                               uint32_t n, rd_tensor **out, rd_error *err)
{
    size_t stride[RDC_MAP_INPUTS][RD_MAX_DIMS];
    rd_tensor *y = NULL;
    RD_TRY(broadcast_result(name, in, n, &y, stride, err));
    rdc_map map = {.fn = fn,
                   .op = op,
                   .n_in = n,
                   .ndim = y->ndim,
                   .shape = y->shape,
                   .y = y->at,
                   .y_stride = y->stride};
    for (uint32_t i = 0; i < n; i++) {
        map.x[i] = in[i]->at;
        map.x_stride[i] = stride[i];
    }
    rdc_map_run(y->core, &map);
    *out = y;
    return RD_OK;
}

rd_status rd_apply2(rd_binary op, rd_tensor *a, rd_tensor *b, rd_tensor **out, rd_error *err)
{
    rd_tensor *const in[] = {a, b};
    rd_tensor *y = NULL;
    RD_TRY(broadcast_map(binary_op[op].name, binary_forward, (int32_t)op, in, 2, &y, err));
    if (op <= RD_DIV && rdc_wants_node(in, 2)) {
        rdc_node *node = NULL;
        const rd_status status = rdc_record(&binary_op[op], in, 2, &y, 1, &node, err);
        if (status != RD_OK) {
            rd_tensor_release(y);
            return status;
        }
        node->size_arg[0] = (size_t)op;
        mark_full(node, y);
        const bool product = op == RD_MUL || op == RD_DIV;
        if (product && rd_requires_grad(b)) rdc_save(node, 0, a);
        if (op == RD_DIV || (product && rd_requires_grad(a))) rdc_save(node, 1, b);
    }
    *out = y;
    return RD_OK;
}

static rd_status where_backward(rdc_node *node, rd_error *err)
{
    const rd_tensor *const condition[2] = {node->saved[0], NULL};
    RD_TRY(add_part(node, 0, WHERE_TRUE, condition, err));
    return add_part(node, 1, WHERE_FALSE, condition, err);
}

static const rdc_op where_op = {"where", where_backward, NULL};

rd_status rd_where(rd_tensor *cond, rd_tensor *a, rd_tensor *b, rd_tensor **out, rd_error *err)
{
    rd_tensor *const in[] = {cond, a, b};
    rd_tensor *y = NULL;
    RD_TRY(broadcast_map(where_op.name, where_forward, 0, in, 3, &y, err));
    if (rdc_wants_node(in + 1, 2)) { /* the condition gets no gradient */
        rdc_node *node = NULL;
        const rd_status status = rdc_record(&where_op, in + 1, 2, &y, 1, &node, err);
        if (status != RD_OK) {
            rd_tensor_release(y);
            return status;
        }
        mark_full(node, y);
        rdc_save(node, 0, cond);
    }
    *out = y;
    return RD_OK;
}
