/* cell_layer.c - see cell_layer.h. SPDX-License-Identifier: MIT */
#include "cell_layer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { X_SEED = 50, STATE_SEED = 60, BIAS_SEED = 100, WEIGHT_SEED = 77, MAX_CHUNKS = 32 };

/* ---- what goes in -------------------------------------------------------------------------------- */

static rd_status fill(rd_tensor *t, uint32_t seed, double low, rd_error *err)
{
    const rd_stream stream = {.seed = seed, .purpose = RD_FOR_USER};
    const bool before = rd_set_grad_mode(rd_tensor_core(t), false);
    const rd_status status = rd_fill_uniform(t, low, low < 0 ? -low : 3 * low, &stream, err);

    (void)rd_set_grad_mode(rd_tensor_core(t), before);
    return status;
}

rd_status layer_new(const cell_case *c, uint32_t seed, made *out, rd_error *err)
{
    RD_TRY(made_new(c, seed, out, err));
    for (size_t i = 0; i < out->parameters; i++) {
        rd_tensor *p = made_parameter(out, i, NULL);
        if (rd_tensor_ndim(p) != 1 || !rd_requires_grad(p)) continue;
        RD_TRY(fill(p, seed * BIAS_SEED + (uint32_t)i, -1, err));
    }
    return RD_OK;
}

rd_status layer_numbers(rd_core *core, uint32_t seed, uint32_t ndim, const size_t *shape,
                        rd_tensor **out, rd_error *err)
{
    rd_tensor *t = NULL;

    RD_TRY(rd_tensor_new(core, ndim, shape, ndim > 2 ? RD_SEQUENCE : RD_DENSE, &t, err));
    RD_TRY(fill(t, seed, -1, err));
    RD_TRY(rd_set_requires_grad(t, true, err));
    *out = t;
    return RD_OK;
}

rd_status layer_states(rd_core *core, const made *m, size_t rows, rd_tensor *first[LAYER_STATES],
                       rd_error *err)
{
    for (uint32_t k = 0; k < m->states; k++) {
        uint32_t width;
        (void)made_state(m, k, &width);
        const size_t shape[2] = {rows, width};
        RD_TRY(layer_numbers(core, STATE_SEED + k, 2, shape, &first[k], err));
    }
    return RD_OK;
}

rd_status layer_weigh(rd_tensor *t, rd_tensor **sum, rd_error *err)
{
    rd_tensor *weights = NULL, *product = NULL, *part = NULL, *both = NULL;

    RD_TRY(rd_tensor_new(rd_tensor_core(t), rd_tensor_ndim(t), rd_tensor_shape(t), RD_DENSE,
                         &weights, err));
    RD_TRY(fill(weights, WEIGHT_SEED, 0.5, err));
    RD_TRY(rd_apply2(RD_MUL, t, weights, &product, err));
    RD_TRY(rd_sum(product, RD_ALL, false, &part, err));
    rd_tensor_release(product);
    rd_tensor_release(weights);
    if (!*sum) {
        *sum = part;
        return RD_OK;
    }
    RD_TRY(rd_apply2(RD_ADD, *sum, part, &both, err));
    rd_tensor_release(part);
    rd_tensor_release(*sum);
    *sum = both;
    return RD_OK;
}

/* ---- what comes out ------------------------------------------------------------------------------ */

rd_status layer_keep(layer_things *to, const char *name, const rd_tensor *t, rd_error *err)
{
    layer_thing *grown = realloc(to->at, (to->n + 1) * sizeof *grown);
    if (!grown) return rdc_no_memory(err, (to->n + 1) * sizeof *grown);
    to->at = grown;
    layer_thing *one = &to->at[to->n];
    *one = (layer_thing){.ndim = t ? rd_tensor_ndim(t) : 0};
    (void)snprintf(one->name, sizeof one->name, "%s", name);
    if (t) {
        one->n = rd_tensor_numel(t);
        memcpy(one->shape, rd_tensor_shape(t), one->ndim * sizeof *one->shape);
        one->values = malloc((one->n + 1) * sizeof *one->values);
        if (!one->values) return rdc_no_memory(err, one->n * sizeof *one->values);
        rd_tensor_read(t, one->values);
    }
    to->n++;
    return RD_OK;
}

void layer_things_free(layer_things *t)
{
    for (size_t i = 0; i < t->n; i++) free(t->at[i].values);
    free(t->at);
    *t = (layer_things){0};
}

/* "(row 0, t=3, element 1)" of element e. */
static void place_of(const layer_thing *t, size_t e, char text[80])
{
    if (t->ndim == 3)
        (void)snprintf(text, 80, "(row %zu, t=%zu, element %zu)", e / t->shape[2] / t->shape[1],
                       e / t->shape[2] % t->shape[1], e % t->shape[2]);
    else if (t->ndim == 2)
        (void)snprintf(text, 80,
                       t->of_units ? "(unit %zu, from element %zu)" : "(row %zu, element %zu)",
                       e / t->shape[1], e % t->shape[1]);
    else
        (void)snprintf(text, 80, "(unit %zu)", e);
}

bool layer_things_same(const layer_things *a, const layer_things *b, char *why, size_t cap)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        const layer_thing *s = &a->at[i], *o = &b->at[i];
        if (s->n != o->n) {
            (void)snprintf(why, cap, "%s has %zu and %zu elements", s->name, s->n, o->n);
            return false;
        }
        for (size_t e = 0; e < s->n; e++) {
            char place[80];
            if (memcmp(&s->values[e], &o->values[e], sizeof *s->values) == 0) continue;
            place_of(s, e, place);
            (void)snprintf(why, cap, "%s %s is %.9g and %.9g", s->name, place, (double)s->values[e],
                           (double)o->values[e]);
            return false;
        }
    }
    return true;
}

/* ---- a run --------------------------------------------------------------------------------------- */

struct run {
    made m;
    const layer_form *f;
    rd_tensor *x, *y, *first[LAYER_STATES], *last[LAYER_STATES];
};

/* Fills y and the last states, chunk by chunk. */
static rd_status run_chunks(struct run *r, rd_error *err)
{
    const size_t steps = r->f->steps, chunk = r->f->chunk ? r->f->chunk : steps;
    rd_tensor *part[MAX_CHUNKS] = {NULL}, *state[LAYER_STATES] = {NULL};
    size_t n = 0;

    for (size_t k = 0; k < r->m.states; k++) state[k] = rd_tensor_retain(r->first[k]);
    for (size_t t = 0; t < steps; t += chunk) {
        rd_tensor *piece = NULL;
        RD_TRY(rd_slice(r->x, 1, t, steps - t < chunk ? steps - t : chunk, &piece, err));
        RD_TRY(made_run(&r->m, &(rd_rnn_input){.x = piece, .states = state, .time = (uint32_t)t},
                        &part[n++], r->last, err));
        rd_tensor_release(piece);
        for (size_t k = 0; k < r->m.states; k++) {
            rd_tensor_release(state[k]);
            state[k] = r->last[k];
        }
    }
    if (n == 1) {
        r->y = part[0];
        return RD_OK;
    }
    RD_TRY(rd_concat(part, n, 1, &r->y, err));
    for (size_t i = 0; i < n; i++) rd_tensor_release(part[i]);
    return RD_OK;
}

static rd_status keep_results(const struct run *r, layer_things *out, rd_error *err)
{
    char name[80];

    RD_TRY(layer_keep(out, "the output", r->y, err));
    for (size_t k = 0; k < r->m.states; k++) {
        (void)snprintf(name, sizeof name, "last state '%s'", made_state(&r->m, k, NULL));
        RD_TRY(layer_keep(out, name, r->last[k], err));
    }
    return RD_OK;
}

static rd_status keep_gradients(const struct run *r, layer_things *out, rd_error *err)
{
    rd_tensor *sum = NULL;
    char name[80];

    RD_TRY(layer_weigh(r->y, &sum, err));
    for (size_t k = 0; k < r->m.states; k++) RD_TRY(layer_weigh(r->last[k], &sum, err));
    RD_TRY(rd_backward(sum, NULL, false, err));
    rd_tensor_release(sum);
    for (size_t i = 0; i < r->m.parameters; i++) {
        const char *own;
        const rd_tensor *p = made_parameter(&r->m, i, &own);
        (void)snprintf(name, sizeof name, "the gradient of '%s'", own);
        RD_TRY(layer_keep(out, name, rd_grad(p), err));
        out->at[out->n - 1].of_units = true;
    }
    RD_TRY(layer_keep(out, "the gradient of x", rd_grad(r->x), err));
    for (size_t k = 0; k < r->m.states; k++) {
        (void)snprintf(name, sizeof name, "the gradient of first state '%s'",
                       made_state(&r->m, k, NULL));
        RD_TRY(layer_keep(out, name, rd_grad(r->first[k]), err));
    }
    return RD_OK;
}

static rd_status run_all(struct run *r, const cell_case *c, layer_things *out, rd_error *err)
{
    const bool recorded = r->f->recorded && made_has_backward(c);

    RD_TRY(layer_new(c, 7, &r->m, err));
    RD_TRY(
        layer_numbers(c->core, X_SEED, 3, (size_t[]){r->f->rows, r->f->steps, c->in}, &r->x, err));
    RD_TRY(layer_states(c->core, &r->m, r->f->rows, r->first, err));
    const bool before = rd_set_grad_mode(c->core, recorded);
    rd_status status = run_chunks(r, err);
    if (status == RD_OK) status = keep_results(r, out, err);
    if (status == RD_OK && recorded) status = keep_gradients(r, out, err);
    (void)rd_set_grad_mode(c->core, before);
    return status;
}

rd_status layer_run(const cell_case *c, const layer_form *f, layer_things *out, rd_error *err)
{
    struct run r = {.f = f};

    RD_TRY(rd_core_set_threads(c->core, f->threads ? f->threads : 1, err));
    const rd_status status = run_all(&r, c, out, err);
    rd_tensor_release(r.y);
    rd_tensor_release(r.x);
    for (size_t k = 0; k < r.m.states; k++) {
        rd_tensor_release(r.first[k]);
        rd_tensor_release(r.last[k]);
    }
    made_release(&r.m);
    return status;
}
