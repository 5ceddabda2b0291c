/* layer_backward.c - a recorded run of a plugin's layer played backward.
 *
 * The plugin's calls give dx, the gradients of states and, in saves, dL/da of every step; sums over rows
 * follow (bit contract, rule 6), from the last row of the last step to the first row of the first.
 * SPDX-License-Identifier: MIT */
#include "base/profile.h"
#include "engine/layer.h"
#include "engine/map.h"
#include "engine/product.h"
#include "rondo/pointmath.h"
#include <string.h>

/* ---- gradients of parameters ------------------------------------------------------------------------- */

enum { COLUMNS = 64, AT_ONCE = (2 << 20) / sizeof(rd_real) };

/* Steps [from, to), whose rows are neighbours. */
static rd_status add_product(const rdc_layer_pass *p, uint32_t param, const size_t steps[2],
                             rd_real *gradient, rd_error *err)
{
    const rd_param_decl *d = &p->layer->decl->param[param];
    const rdc_track *da = &p->save[d->da];
    const rdc_track *v = d->v == RD_FROM_INPUT ? &p->x : &p->save[d->v];
    const size_t n = steps[1] - steps[0];
    const rd_gemm g = {.size = sizeof g,
                       .flags = RD_TRANS_A | RD_ACCUMULATE | RD_K_DOWN,
                       .m = d->rows,
                       .n = d->cols,
                       .k = n == 1 ? rdc_layer_active(p, steps[0]) : n * p->rows,
                       .a = da->at + steps[0] * da->step,
                       .lda = d->rows,
                       .b = v->at + steps[0] * v->step,
                       .ldb = d->cols,
                       .c = gradient,
                       .ldc = d->cols};
    return rdc_product_shared(p->layer->core, &g, err);
}

/* G = fma(v, dL/da, G). A step in which not all rows take part is one by itself. */
static rd_status sum_products(const rdc_layer_pass *p, uint32_t param, rd_real *gradient,
                              rd_error *err)
{
    const size_t most = AT_ONCE / p->layer->decl->param[param].cols;
    for (size_t to = p->steps, from; to > 0; to = from) {
        from = to - 1;
        if (rdc_layer_active(p, from) == p->rows)
            while (from > 0 && (to - from + 1) * p->rows <= most) from--;
        RD_TRY(add_product(p, param, (size_t[2]){from, to}, gradient, err));
    }
    return RD_OK;
}

struct column_job {
    const rdc_layer_pass *p;
    const rdc_track *da;
    rd_real *gradient;
};

/* G = G + dL/da. */
RD_CLONES static void sum_columns(void *job, size_t first, size_t last)
{
    const struct column_job *c = job;
    rd_real *restrict g = c->gradient;
    for (size_t t = c->p->steps; t-- > 0;)
        for (size_t i = rdc_layer_active(c->p, t); i-- > 0;) {
            const rd_real *da = c->da->at + i * c->da->row + t * c->da->step;
            for (size_t j = first; j < last; j++) g[j] += da[j];
        }
}

rd_status rdc_layer_gradients(const rdc_layer_pass *p, rd_tensor *const *gradient, rd_error *err)
{
    const rdc_layer_decl *d = p->layer->decl;
    rd_core *core = p->layer->core;
    RDC_TIMED(core, RD_WORK_WEIGHTS);
    for (uint32_t k = 0; k < d->n_params; k++) {
        if (!gradient[k] || d->param[k].flags & RD_FROZEN) continue;
        struct column_job job = {p, &p->save[d->param[k].da], gradient[k]->at};
        if (d->param[k].cols > 0)
            RD_TRY(sum_products(p, k, gradient[k]->at, err));
        else
            rdc_pool_range(core->pool, d->param[k].rows, COLUMNS * rdc_grain(COLUMNS * p->total),
                           sum_columns, &job);
    }
    return RD_OK;
}

/* ---- the plugin's part -------------------------------------------------------------------------------- */

struct backward {
    rdc_layer_calls calls;
    rdc_track dy; /* row 0 alone, zeros, where nothing has arrived */
    rdc_track dx; /* a row for each worker where nobody wants it */
    bool dx_wanted;
    rdc_block *dstates; /* [2][rows][state_row]: after and before */
};

/* Of the state after the last step (0), of that before the first (1). */
static rd_real *dstate(const rdc_layer_pass *p, const struct backward *b, size_t which, size_t row)
{
    return (rd_real *)b->dstates->at + (which * p->rows + row) * p->layer->decl->state_row;
}

static void backward_row(const rdc_layer_calls *c, rd_run *run, size_t row, uint32_t worker)
{
    const rdc_layer_pass *p = c->p;
    const struct backward *b = c->user;
    const rdc_layer_decl *d = p->layer->decl;
    const rd_real *dnext[RDC_LAYER_STATES];
    rd_real *dprev[RDC_LAYER_STATES];
    for (uint32_t k = 0; k < d->n_states; k++) {
        dnext[k] = dstate(p, b, 0, row) + d->state_at[k];
        dprev[k] = dstate(p, b, 1, row) + d->state_at[k];
    }
    if (run->steps == 0) {
        if (d->n_states > 0)
            memcpy(dprev[0], dnext[0], d->state_row * sizeof(rd_real)); /* side by side */
        return;
    }
    rd_real *dx = b->dx.at + (b->dx_wanted ? row : worker) * b->dx.row;
    if (!b->dx_wanted) memset(dx, 0, b->dx.row * sizeof *dx);
    run->dy = (rd_cspan){b->dy.at + row * b->dy.row, b->dy.step, d->out};
    run->dx = (rd_span){dx, b->dx.step, d->in};
    run->dnext = dnext;
    run->dprev = dprev;
    p->layer->kind->backward(run);
}

static rd_status open_dy(const rdc_layer_pass *p, const rd_tensor *dy, rdc_track *out,
                         rd_error *err)
{
    const uint32_t width = p->layer->decl->out;
    if (!dy) {
        RD_TRY(rdc_track_new(p, width, 1, out, err));
        memset(out->at, 0, p->steps * width * sizeof(rd_real));
        out->row = 0;
    } else if (p->valid) {
        RD_TRY(rdc_track_new(p, width, 0, out, err));
        rdc_track_gather(p, dy->at, out);
    } else {
        *out = (rdc_track){.at = dy->at, .row = width, .step = p->rows * width, .width = width};
    }
    return RD_OK;
}

/* A leaf's gradient may hold earlier contributions, and rows may lie otherwise: then dx is made apart. */
static rd_status open_dx(const rdc_layer_pass *p, const rd_tensor *din, bool leaf,
                         struct backward *b, rd_error *err)
{
    const uint32_t in = p->layer->decl->in;
    b->dx_wanted = din != NULL;
    if (!din) return rdc_track_new(p, in, rdc_layer_workers(p), &b->dx, err);
    if (!leaf && !p->valid) {
        b->dx = (rdc_track){.at = din->at, .row = in, .step = p->rows * in, .width = in};
        return RD_OK;
    }
    RD_TRY(rdc_track_new(p, in, 0, &b->dx, err));
    memset(b->dx.at, 0, p->steps * p->rows * in * sizeof(rd_real));
    return RD_OK;
}

/* dL/dstate after the last step of the rows that end the user's; +0 elsewhere and before the first. */
static rd_status open_dstates(const rdc_layer_pass *p, rdc_node *node, struct backward *b,
                              rd_error *err)
{
    const rdc_layer_decl *d = p->layer->decl;
    const size_t bytes = 2 * p->rows * d->state_row * sizeof(rd_real); /* that of the states */
    if (d->n_states == 0) return RD_OK;
    b->dstates = rdc_block_new(node->core->arena, bytes);
    if (!b->dstates) return rdc_no_memory(err, bytes);
    memset(b->dstates->at, 0, bytes);
    for (uint32_t k = 0; k < d->n_states && node->n_out > 1; k++) {
        const rd_tensor *dfinal = node->dout[1 + k];
        const size_t width = d->state[k].width;
        for (size_t i = 0; i < p->rows && dfinal; i++)
            if (rdc_layer_ends(p, i))
                memcpy(dstate(p, b, 0, i) + d->state_at[k],
                       dfinal->at + rdc_layer_user_row(p, i) * width, width * sizeof(rd_real));
    }
    return RD_OK;
}

static void hand_out(const rdc_layer_pass *p, const rdc_node *node, const struct backward *b)
{
    const rdc_layer_decl *d = p->layer->decl;
    rd_tensor *const dx = node->din[0];
    if (dx && b->dx.block) rdc_track_scatter(p, &b->dx, dx->at, node->in[0].leaf != NULL);
    for (uint32_t k = 0; k < d->n_states; k++) {
        const rd_tensor *din = node->din[1 + k];
        const size_t shape[2] = {1, d->state[k].width}, stride[2] = {d->state_row, 1};
        for (size_t i = 0; i < p->rows && din; i++)
            if (!rdc_layer_anew(p, k, i))
                rdc_add_strided(node->core, 2, shape,
                                din->at + rdc_layer_user_row(p, i) * din->stride[0], din->stride,
                                dstate(p, b, 1, i) + d->state_at[k], stride);
    }
}

/* The pass whose saves backward may write: its own, or a copy where it is to be played again. */
static rd_status take_pass(const rdc_node *node, rdc_layer_pass *own, rd_error *err)
{
    const rdc_layer_pass *p = node->state;
    *own = *p;
    for (uint32_t k = 0; k < p->layer->decl->n_saves; k++) own->save[k].block = NULL;
    own->kept = NULL;
    for (uint32_t k = 0; k < p->layer->decl->n_saves; k++) {
        RD_TRY(rdc_track_new(p, p->save[k].width, 0, &own->save[k], err));
        memcpy(own->save[k].at, p->save[k].at, p->save[k].block->bytes);
    }
    if (!p->kept) return RD_OK;
    own->kept = rdc_block_new(node->core->arena, p->kept->bytes);
    if (!own->kept) return rdc_no_memory(err, p->kept->bytes);
    memcpy(own->kept->at, p->kept->at, p->kept->bytes);
    return RD_OK;
}

static rd_status play(const rdc_layer_pass *p, rdc_node *node, struct backward *b, rd_error *err)
{
    const uint32_t n_states = p->layer->decl->n_states;
    RD_TRY(open_dy(p, node->dout[0], &b->dy, err));
    RD_TRY(open_dx(p, node->din[0], node->in[0].leaf != NULL, b, err));
    RD_TRY(open_dstates(p, node, b, err));
    b->calls = (rdc_layer_calls){.p = p, .call = backward_row, .user = b};
    RD_TRY(rdc_layer_play(&b->calls, err));
    hand_out(p, node, b);
    return rdc_layer_gradients(p, node->din + 1 + n_states, err);
}

static rd_status layer_backward(rdc_node *node, rd_error *err)
{
    rdc_arena *arena = node->core->arena;
    rdc_layer_pass copy, *p = node->state;
    struct backward b = {0};
    rd_status status = RD_OK;
    if (node->retained) {
        status = take_pass(node, &copy, err);
        p = &copy;
    }
    if (status == RD_OK) status = play(p, node, &b, err);
    /* out of memory half way: what forward left is gone, and another root must not play it */
    node->lost = status != RD_OK && !node->retained;
    rdc_block_release(arena, b.dy.block);
    rdc_block_release(arena, b.dx.block);
    rdc_block_release(arena, b.dstates);
    for (uint32_t k = 0; node->retained && k < p->layer->decl->n_saves; k++)
        rdc_block_release(arena, p->save[k].block);
    if (node->retained) rdc_block_release(arena, p->kept);
    return status;
}

static void layer_dispose(rdc_node *node)
{
    rdc_layer_pass_free(node->state);
}

const rdc_op rdc_layer_op = {
    .name = "layer", .backward = layer_backward, .dispose = layer_dispose, .work = RD_WORK_LAYERS};
