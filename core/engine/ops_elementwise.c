/* ops_elementwise.c - functions of one number, element by element.
 *
 * Each is one loop forward and one backward over adjacent elements; map.c brings every layout to that.
 * SPDX-License-Identifier: MIT */
#include "engine/map.h"
#include "engine/tape.h"
#include "rondo/pointmath.h"

RD_CLONES static void unary_forward(int32_t op, size_t n, const rd_real *const *x, rd_real *y,
                                    rd_real arg)
{
    const rd_real *const restrict a = x[0]; /* a fresh result never overlaps its input */
    rd_real *const restrict r = y;
    (void)arg;
    switch ((rd_unary)op) {
    case RD_NEG:
        for (size_t j = 0; j < n; j++) r[j] = -a[j];
        break;
    case RD_ABS:
        for (size_t j = 0; j < n; j++) r[j] = rd_abs(a[j]);
        break;
    case RD_SQRT:
        for (size_t j = 0; j < n; j++) r[j] = rd_sqrt(a[j]);
        break;
    case RD_EXP:
        for (size_t j = 0; j < n; j++) r[j] = rd_exp(a[j]);
        break;
    case RD_LOG:
        for (size_t j = 0; j < n; j++) r[j] = rd_log(a[j]);
        break;
    case RD_TANH:
        for (size_t j = 0; j < n; j++) r[j] = rd_tanh(a[j]);
        break;
    case RD_SIGMOID:
        for (size_t j = 0; j < n; j++) r[j] = rd_sigmoid(a[j]);
        break;
    case RD_RELU: /* NaN passes */
        for (size_t j = 0; j < n; j++) r[j] = a[j] <= 0 ? 0 : a[j];
        break;
    case RD_SOFTPLUS:
        for (size_t j = 0; j < n; j++) r[j] = rd_softplus(a[j]);
        break;
    }
}

/* x[0]: what was saved (v: the result for sqrt, exp, tanh, sigmoid and relu, else the input), x[1]: dy. */
RD_CLONES static void unary_backward(int32_t op, size_t n, const rd_real *const *x, rd_real *y,
                                     rd_real arg)
{
    const rd_real *const restrict v = x[0], *const restrict dy = x[1];
    rd_real *const restrict dx = y;
    (void)arg;
    switch ((rd_unary)op) {
    case RD_NEG:
        for (size_t j = 0; j < n; j++) dx[j] -= dy[j];
        break;
    case RD_ABS:
        for (size_t j = 0; j < n; j++) dx[j] += v[j] > 0 ? dy[j] : v[j] < 0 ? -dy[j] : 0;
        break;
    case RD_SQRT:
        for (size_t j = 0; j < n; j++) dx[j] += dy[j] / (2 * v[j]);
        break;
    case RD_EXP:
        for (size_t j = 0; j < n; j++) dx[j] += dy[j] * v[j];
        break;
    case RD_LOG:
        for (size_t j = 0; j < n; j++) dx[j] += dy[j] / v[j];
        break;
    case RD_TANH:
        for (size_t j = 0; j < n; j++) dx[j] += dy[j] * (1 - v[j] * v[j]);
        break;
    case RD_SIGMOID:
        for (size_t j = 0; j < n; j++) dx[j] += dy[j] * (v[j] * (1 - v[j]));
        break;
    case RD_RELU:
        for (size_t j = 0; j < n; j++) dx[j] += v[j] > 0 ? dy[j] : 0;
        break;
    case RD_SOFTPLUS:
        for (size_t j = 0; j < n; j++) dx[j] += dy[j] * rd_sigmoid(v[j]);
        break;
    }
}

static bool saves_result(rd_unary op)
{
    return op == RD_SQRT || op == RD_EXP || op == RD_TANH || op == RD_SIGMOID || op == RD_RELU;
}

static rd_status unary_node_backward(rdc_node *node, rd_error *err)
{
    const rd_tensor *const dy = node->dout[0];
    rd_tensor *const dx = node->din[0];
    const rd_tensor *const saved = node->saved[0] ? node->saved[0] : dy; /* neg saves nothing */
    (void)err;
    rdc_map_run(node->core, &(rdc_map){.fn = unary_backward,
                                       .op = (int32_t)node->size_arg[0],
                                       .accumulate = true,
                                       .n_in = 2,
                                       .ndim = dx->ndim,
                                       .shape = dx->shape,
                                       .y = dx->at,
                                       .y_stride = dx->stride,
                                       .x = {saved->at, dy->at},
                                       .x_stride = {saved->stride, dy->stride}});
    return RD_OK;
}

static const rdc_op unary_op[] = {
    {"neg", unary_node_backward, NULL},     {"abs", unary_node_backward, NULL},
    {"sqrt", unary_node_backward, NULL},    {"exp", unary_node_backward, NULL},
    {"log", unary_node_backward, NULL},     {"tanh", unary_node_backward, NULL},
    {"sigmoid", unary_node_backward, NULL}, {"relu", unary_node_backward, NULL},
    {"softplus", unary_node_backward, NULL}};

rd_status rd_apply1(rd_unary op, rd_tensor *x, rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL;
    RD_TRY(rdc_tensor_like(x, false, &y, err));
    rdc_map_run(x->core, &(rdc_map){.fn = unary_forward,
                                    .op = (int32_t)op,
                                    .n_in = 1,
                                    .ndim = x->ndim,
                                    .shape = x->shape,
                                    .y = y->at,
                                    .y_stride = y->stride,
                                    .x = {x->at},
                                    .x_stride = {x->stride}});
    if (rdc_wants_node(&x, 1)) {
        rdc_node *node = NULL;
        const rd_status status = rdc_record(&unary_op[op], &x, 1, &y, 1, &node, err);
        if (status != RD_OK) {
            rd_tensor_release(y);
            return status;
        }
        node->size_arg[0] = (size_t)op;
        node->in[0].one_term = true;
        if (op != RD_NEG) rdc_save(node, 0, saves_result(op) ? y : x);
    }
    *out = y;
    return RD_OK;
}

rd_status rd_scalar(rd_core *core, double value, rd_tensor **out, rd_error *err)
{
    RD_TRY(rd_tensor_new(core, 0, NULL, RD_DENSE, out, err));
    (*out)->at[0] = (rd_real)value;
    return RD_OK;
}
