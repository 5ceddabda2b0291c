/* average.c - averages of parameters over updates: exponential (EMA), or of all iterates (averaged SGD).
 *
 * Invariant: average[i] is packed and lies like parameter i. An average owns a reference to its parameters.
 * SPDX-License-Identifier: MIT */
#include "base/tensor.h"
#include "rondo/pointmath.h"
#include <stdlib.h>

struct rd_average {
    size_t n;
    rd_tensor **parameters; /* [n] */
    rd_tensor **average;    /* [n] */
};

struct pass {
    rd_real *restrict a; /* another block than p */
    rd_real *restrict p;
    rd_real weight;
};

rd_status rd_average_new(rd_tensor *const *parameters, size_t n, rd_average **out, rd_error *err)
{
    rd_average *a = calloc(1, sizeof *a);
    if (!a) return rdc_no_memory(err, sizeof *a);
    rd_status status = RD_OK;
    a->parameters = calloc(n ? n : 1, sizeof *a->parameters);
    a->average = calloc(n ? n : 1, sizeof *a->average);
    if (!a->parameters || !a->average)
        status = rdc_no_memory(err, 2 * n * sizeof *a->average);
    else
        a->n = n;
    for (size_t i = 0; i < a->n && status == RD_OK; i++) {
        if (!rd_is_leaf(parameters[i]) || !rdc_is_packed(parameters[i]))
            status =
                rdc_fail(err, RD_E_ARG,
                         "average: parameter %zu is a view or the result of an operation; only "
                         "tensors made directly can be averaged",
                         i + 1);
        if (status == RD_OK) status = rdc_tensor_like(parameters[i], true, &a->average[i], err);
        if (status == RD_OK) a->parameters[i] = rd_tensor_retain(parameters[i]);
    }
    if (status == RD_OK)
        *out = a;
    else
        rd_average_free(a);
    return status;
}

void rd_average_free(rd_average *a)
{
    if (!a) return;
    for (size_t i = 0; i < a->n; i++) {
        rd_tensor_release(a->average[i]);
        rd_tensor_release(a->parameters[i]);
    }
    free(a->average);
    free(a->parameters);
    free(a);
}

/* a = a + weight (p - a); a weight of 1 takes p as it is, whatever was there. */
RD_CLONES static void move(void *job, size_t first, size_t last)
{
    const struct pass c = *(const struct pass *)job;
    for (size_t i = first; i < last; i++) {
        const rd_real moved = c.a[i] + c.weight * (c.p[i] - c.a[i]);
        c.a[i] = c.weight >= 1 ? c.p[i] : moved;
    }
}

static void exchange(void *job, size_t first, size_t last)
{
    const struct pass c = *(const struct pass *)job;
    for (size_t i = first; i < last; i++) {
        const rd_real p = c.p[i];
        c.p[i] = c.a[i];
        c.a[i] = p;
    }
}

static void over_all(rd_average *a, double weight, rdc_range_fn fn)
{
    for (size_t i = 0; i < a->n; i++) {
        rd_tensor *p = a->parameters[i];
        struct pass c = {.a = a->average[i]->at, .p = p->at, .weight = (rd_real)weight};
        a->average[i]->block->version++;
        if (fn == exchange) p->block->version++;
        rdc_pool_range(p->core->pool, rd_tensor_numel(p), 8192, fn, &c);
    }
}

void rd_average_update(rd_average *a, double weight)
{
    over_all(a, weight, move);
}

void rd_average_exchange(rd_average *a)
{
    over_all(a, 0, exchange);
}

rd_tensor *rd_average_of(const rd_average *a, size_t parameter)
{
    return a->average[parameter];
}
