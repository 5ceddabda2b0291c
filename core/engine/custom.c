/* custom.c - operations whose results and gradients the embedder computes.
 *
 * The node owns the context from the moment it is recorded and gives it back once, when it is played and
 * given up or when nothing can play it any more. Its op carries the user's name, and dies with the state;
 * what is left of a node that was played is called by a general one.
 * SPDX-License-Identifier: MIT */
#include "rondo_custom.h"

#include "engine/map.h"
#include "engine/tape.h"
#include <stdlib.h>
#include <string.h>

struct shape {
    uint32_t ndim;
    size_t size[RD_MAX_DIMS];
    rd_order order;
};

struct custom {
    rdc_op op; /* the name in it is behind the shapes */
    void *context;
    rd_status (*backward)(void *, rd_tensor *const *, rd_tensor **, rd_error *);
    void (*release)(void *context);
    struct shape result[]; /* [n_out], then the name */
};

static rd_status custom_backward(rdc_node *node, rd_error *err);
static void custom_dispose(rdc_node *node);

static const rdc_op given_up = {.name = "custom function", .backward = custom_backward};

static void custom_dispose(rdc_node *node)
{
    struct custom *c = node->state;
    node->op = &given_up;
    c->release(c->context);
    free(c);
}

/* Zeros for results that no gradient has arrived for, so that the function need not ask. */
static rd_status complete(rdc_node *node, rd_error *err)
{
    const struct custom *c = node->state;
    for (uint32_t k = 0; k < node->n_out; k++) {
        if (node->dout[k]) continue;
        const struct shape *s = &c->result[k];
        rd_tensor *zeros = NULL;
        RD_TRY(rd_tensor_new(node->core, s->ndim, s->size, s->order, &zeros, err));
        node->dout[k] = zeros;
        RD_TRY(rd_fill(zeros, 0, err));
    }
    return RD_OK;
}

static rd_status add_gradient(rdc_node *node, uint32_t i, const rd_tensor *d, rd_error *err)
{
    rd_tensor *din = node->din[i];
    const rdc_edge *in = &node->in[i];
    char got[128];
    const bool fits =
        d->ndim == in->ndim && memcmp(d->shape, in->shape, d->ndim * sizeof *d->shape) == 0;
    if (!fits)
        return rdc_fail(err, RD_E_ARG,
                        "%s: the gradient of tensor %u must have its shape, got one of %s",
                        node->op->name, i + 1, rdc_shape_text(d, got));
    if (din) rdc_add_strided(node->core, d->ndim, d->shape, din->at, din->stride, d->at, d->stride);
    return RD_OK;
}

static rd_status custom_backward(rdc_node *node, rd_error *err)
{
    const struct custom *c = node->state;
    rd_core *const core = node->core;
    RD_TRY(complete(node, err));
    rd_tensor **d = calloc(node->n_in + 1u, sizeof *d);
    if (!d) return rdc_no_memory(err, node->n_in * sizeof *d);
    core->calling = node->op->name;
    rd_status status = c->backward(c->context, node->dout, d, err);
    core->calling = NULL;
    for (uint32_t i = 0; i < node->n_in; i++) {
        if (d[i] && status == RD_OK) status = add_gradient(node, i, d[i], err);
        rd_tensor_release(d[i]);
    }
    free(d);
    return status;
}

static rd_status new_state(const rd_custom *f, rd_tensor *const *out, struct custom **made,
                           rd_error *err)
{
    const size_t name = strlen(f->name) + 1, shapes = f->n_out * sizeof(struct shape);
    struct custom *c = calloc(1, sizeof *c + shapes + name);
    if (!c) return rdc_no_memory(err, sizeof *c + shapes + name);
    char *text = (char *)(c->result + f->n_out);
    memcpy(text, f->name, name);
    c->op = (rdc_op){.name = text, .backward = custom_backward, .dispose = custom_dispose};
    c->context = f->context;
    c->backward = f->backward;
    c->release = f->release;
    for (size_t k = 0; k < f->n_out; k++) {
        c->result[k].ndim = out[k]->ndim;
        memcpy(c->result[k].size, out[k]->shape, sizeof out[k]->shape);
        c->result[k].order = rdc_order(out[k]);
    }
    *made = c;
    return RD_OK;
}

static rd_status record(const rd_custom *f, rd_tensor *const *out, rd_error *err)
{
    struct custom *c = NULL;
    rdc_node *node = NULL;
    RD_TRY(new_state(f, out, &c, err));
    const rd_status status =
        rdc_record(&c->op, f->in, (uint32_t)f->n_in, out, (uint32_t)f->n_out, &node, err);
    if (status != RD_OK) {
        free(c);
        return status;
    }
    node->state = c;
    node->hosted = true;
    for (size_t s = 0; s < f->n_saved; s++) rdc_save(node, (uint32_t)s, f->saved[s]);
    return RD_OK;
}

static rd_status release_all(size_t n, rd_tensor **t, rd_status status)
{
    for (size_t k = 0; k < n; k++) {
        rd_tensor_release(t[k]);
        t[k] = NULL;
    }
    return status;
}

/* Views of n tensors, without a graph; none is left where it fails. */
static rd_status detach_all(rd_tensor *const *x, size_t n, rd_tensor **out, rd_error *err)
{
    for (size_t k = 0; k < n; k++) {
        const rd_status status = rd_detach(x[k], &out[k], err);
        if (status != RD_OK) return release_all(k, out, status);
    }
    return RD_OK;
}

rd_status rd_custom_apply(const rd_custom *f, rd_tensor **out, rd_error *err)
{
    if (f->n_saved > RDC_MAX_SAVED)
        return rdc_fail(err, RD_E_ARG, "%s: at most %d tensors can be kept for backward, got %zu",
                        f->name, RDC_MAX_SAVED, f->n_saved);
    if (f->n_out == 0 || f->n_in > UINT32_MAX || f->n_out > UINT32_MAX)
        return rdc_fail(err, RD_E_ARG, "%s: at least one result is needed", f->name);
    RD_TRY(detach_all(f->result, f->n_out, out, err));
    const bool wanted = rdc_wants_node(f->in, (uint32_t)f->n_in);
    const rd_status status = wanted ? record(f, out, err) : RD_OK;
    if (status != RD_OK) return release_all(f->n_out, out, status);
    if (!wanted) f->release(f->context);
    return RD_OK;
}

/* ---- several results as one ----------------------------------------------------------------------- */

static bool join_reaches(const rdc_node *node, uint32_t input)
{
    return node->dout[input] != NULL;
}

static rd_status join_backward(rdc_node *node, rd_error *err)
{
    (void)err;
    for (uint32_t i = 0; i < node->n_in; i++)
        if (node->din[i]) rdc_add_tensor(node->din[i], node->dout[i]);
    return RD_OK;
}

rd_status rd_join(rd_tensor *const *x, size_t n, rd_tensor **out, rd_error *err)
{
    static const rdc_op join = {"join", join_backward, .reaches = join_reaches};
    rdc_node *node = NULL;
    if (n == 0 || n > UINT32_MAX) return rdc_fail(err, RD_E_ARG, "join: no tensor is given");
    RD_TRY(detach_all(x, n, out, err));
    if (!rdc_wants_node(x, (uint32_t)n)) return RD_OK;
    const rd_status status = rdc_record(&join, x, (uint32_t)n, out, (uint32_t)n, &node, err);
    if (status != RD_OK) return release_all(n, out, status);
    for (size_t i = 0; i < n; i++) node->in[i].one_term = true;
    return RD_OK;
}

/* ---- what a tensor was made from ------------------------------------------------------------------ */

const rd_maker *rd_maker_of(const rd_tensor *t)
{
    return t->node && !t->node->consumed && t->node->hosted ? t->node : NULL;
}

uint64_t rd_maker_number(const rd_maker *maker)
{
    return maker->number;
}

size_t rd_maker_input_count(const rd_maker *maker)
{
    return maker->n_in;
}

const rd_maker *rd_maker_input(const rd_maker *maker, size_t i)
{
    const rdc_node *from = maker->in[i].node;
    return from && !from->consumed && from->hosted ? from : NULL;
}
