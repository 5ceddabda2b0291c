/* cell_gradients.c - rule C6: backward is the derivative of forward.
 *
 * Five-point differences as of rd_check_gradients, but where they disagree with backward they are taken
 * again, closer: an error of the differences themselves (a large fifth derivative, the corner of a relu)
 * goes away, a wrong gradient does not.
 * SPDX-License-Identifier: MIT */
#include "base/tensor.h"
#include "cell_layer.h"
#include "cell_steps.h"
#include "check.h"
#include "rondo/pointmath.h"
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 2, STEPS = 3 };
static const double TOLERANCE = 1e-8; /* of max(1, the largest derivative of the tensor) */

struct problem {
    made m;
    bool
        stops; /* a state is without gradient: outputs alone are weighed, as other states may depend on it */
    rd_tensor *x, *first[LAYER_STATES];
    rd_tensor **leaf;
    size_t n_leaves;
};

struct worst { /* of all leaves */
    double error, analytic, numeric;
    size_t leaf, element;
};

/* The scalar: weighted outputs and last states. */
static rd_status weigh(const struct problem *p, rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL, *last[LAYER_STATES] = {NULL}, *sum = NULL;
    const rd_rnn_input in = {.x = p->x, .states = p->stops ? NULL : p->first};

    RD_TRY(made_run(&p->m, &in, &y, p->stops ? NULL : last, err));
    RD_TRY(layer_weigh(y, &sum, err));
    rd_tensor_release(y);
    for (size_t k = 0; !p->stops && k < p->m.states; k++) {
        RD_TRY(layer_weigh(last[k], &sum, err));
        rd_tensor_release(last[k]);
    }
    *out = sum;
    return RD_OK;
}

/* f'(x) = (f(x - 2h) - 8 f(x - h) + 8 f(x + h) - f(x + 2h)) / 12h + O(h^4) (Abramowitz & Stegun, 25.2) */
static rd_status differentiate(const struct problem *p, rd_tensor *leaf, rd_real *x, double h,
                               double *slope, rd_error *err)
{
    static const double place[] = {-2, -1, 1, 2}, weight[] = {1, -8, 8, -1};
    const rd_real before = *x;
    double sum = 0;

    for (int i = 0; i < 4; i++) {
        rd_tensor *y = NULL;
        *x = (rd_real)((double)before + place[i] * h);
        leaf->block->version++;
        RD_TRY(weigh(p, &y, err));
        sum += weight[i] * (double)y->at[0];
        rd_tensor_release(y);
    }
    *x = before;
    leaf->block->version++;
    *slope = sum / (12 * h);
    return RD_OK;
}

/* The place in memory of element e in logical order. */
static rd_real *element(const rd_tensor *t, size_t e)
{
    size_t offset = 0;
    for (uint32_t d = t->ndim; d-- > 0;) {
        offset += e % t->shape[d] * t->stride[d];
        e /= t->shape[d];
    }
    return t->at + offset;
}

static double step_of(double x, int finer)
{
    double h = 0x1p-10;
    for (int i = 0; i < finer; i++) h *= 0x1p-3;
    while (h < rd_abs_d(x) * 0x1p-10 && finer == 0) h *= 2;
    return h;
}

static rd_status check_leaf(const struct problem *p, size_t which, struct worst *w, rd_error *err)
{
    enum { FINER = 3 };
    rd_tensor *leaf = p->leaf[which];
    const rd_tensor *grad = rd_grad(leaf);
    const size_t n = rd_tensor_numel(leaf);
    double *numeric = malloc((n + 1) * sizeof *numeric), scale = 1;
    rd_status status = numeric ? RD_OK : rdc_no_memory(err, n * sizeof *numeric);

    for (size_t e = 0; e < n && status == RD_OK; e++) {
        rd_real *x = element(leaf, e);
        status = differentiate(p, leaf, x, step_of((double)*x, 0), &numeric[e], err);
        if (status == RD_OK && rd_abs_d(numeric[e]) > scale) scale = rd_abs_d(numeric[e]);
    }
    for (size_t e = 0; e < n && status == RD_OK; e++) {
        const double analytic = grad ? (double)*element(grad, e) : 0;
        rd_real *x = element(leaf, e);
        double slope = numeric[e], error = rd_abs_d(analytic - slope) / scale;
        for (int finer = 1; finer <= FINER && !(error <= TOLERANCE) && status == RD_OK; finer++) {
            status = differentiate(p, leaf, x, step_of((double)*x, finer), &slope, err);
            error = rd_abs_d(analytic - slope) / scale;
        }
        if (error <= w->error) continue; /* NaN goes on, as infinitely bad */
        *w = (struct worst){error == error ? error : 1e300, analytic, slope, which, e};
    }
    free(numeric);
    return status;
}

/* ---- what the leaves are called ------------------------------------------------------------------ */

/* "parameter 'f_x' (unit 2, input 1)" */
static void say_leaf(const struct problem *p, const struct worst *w, char text[160])
{
    const rd_tensor *t = p->leaf[w->leaf];
    const size_t e = w->element, last = t->shape[t->ndim - 1];

    for (size_t i = 0; i < p->m.parameters; i++) {
        const char *name;
        if (made_parameter(&p->m, i, &name) != t) continue;
        if (t->ndim == 2)
            (void)snprintf(text, 160, "parameter '%s' (unit %zu, from element %zu)", name, e / last,
                           e % last);
        else
            (void)snprintf(text, 160, "parameter '%s' (unit %zu)", name, e);
        return;
    }
    if (t == p->x) {
        (void)snprintf(text, 160, "x (row %zu, t=%zu, element %zu)", e / last / STEPS,
                       e / last % STEPS, e % last);
        return;
    }
    size_t k = 0;
    while (p->first[k] != t) k++;
    (void)snprintf(text, 160, "the state '%s' before the first step (row %zu, element %zu)",
                   made_state(&p->m, k, NULL), e / last, e % last);
}

/* ---- the rule ------------------------------------------------------------------------------------ */

static rd_status open_problem(const cell_case *c, struct problem *p, rd_error *err)
{
    RD_TRY(layer_new(c, 7, &p->m, err));
    const size_t n = p->m.parameters, n_states = p->m.states;
    for (size_t k = 0; k < n_states; k++) p->stops = p->stops || made_state_stops(&p->m, k);
    p->leaf = calloc(n + 1 + n_states, sizeof *p->leaf);
    if (!p->leaf) return rdc_no_memory(err, (n + 1 + n_states) * sizeof *p->leaf);
    RD_TRY(layer_numbers(c->core, 50, 3, (size_t[]){ROWS, STEPS, c->in}, &p->x, err));
    RD_TRY(layer_states(c->core, &p->m, ROWS, p->first, err));
    for (size_t i = 0; i < n; i++)
        if (rd_requires_grad(made_parameter(&p->m, i, NULL)))
            p->leaf[p->n_leaves++] = made_parameter(&p->m, i, NULL);
    p->leaf[p->n_leaves++] = p->x;
    for (size_t k = 0; k < n_states && !p->stops; k++) p->leaf[p->n_leaves++] = p->first[k];
    return RD_OK;
}

static rd_status find_worst(const struct problem *p, struct worst *w, rd_error *err)
{
    rd_tensor *y = NULL;
    rd_core *core = rd_tensor_core(p->x);

    check_call_is("backward");
    RD_TRY(weigh(p, &y, err));
    RD_TRY(rd_backward(y, NULL, false, err));
    rd_tensor_release(y);
    const bool before = rd_set_grad_mode(core, false);
    rd_status status = RD_OK;
    for (size_t i = 0; i < p->n_leaves && status == RD_OK; i++) status = check_leaf(p, i, w, err);
    (void)rd_set_grad_mode(core, before);
    return status;
}

bool cell_backward_is_derivative(const cell_case *c, char *why, size_t cap)
{
    struct problem p = {0};
    struct worst w = {.error = 0};
    rd_error err;
    char leaf[160];

    rd_status status = open_problem(c, &p, &err);
    if (status == RD_OK) status = find_worst(&p, &w, &err);
    if (status != RD_OK) {
        (void)snprintf(why, cap, "it cannot be run: %s", err.text);
    } else if (w.error > TOLERANCE) {
        say_leaf(&p, &w, leaf);
        (void)snprintf(why, cap, "the gradient of %s is %.10g by backward, %.10g by differences",
                       leaf, w.analytic, w.numeric);
    }
    rd_tensor_release(p.x);
    for (size_t k = 0; k < p.m.states; k++) rd_tensor_release(p.first[k]);
    made_release(&p.m);
    free(p.leaf);
    return status == RD_OK && w.error <= TOLERANCE;
}
