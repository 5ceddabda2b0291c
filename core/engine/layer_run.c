/* layer_run.c - a layer of a plugin run over a batch, as one operation of the tape.
 *
 * Everything is checked and allocated here; the calls of the plugin that follow cannot fail.
 * SPDX-License-Identifier: MIT */
#include "base/profile.h"
#include "engine/layer.h"
#include "engine/product.h"
#include <string.h>

enum { ALIGNMENT = 64, WORD = 256 };

static rd_status too_large(const rdc_layer_pass *p, rd_error *err)
{
    return rdc_fail(err, RD_E_ARG, "%s: this batch is larger than memory can be", p->layer->label);
}

rd_status rdc_track_new(const rdc_layer_pass *p, uint32_t width, uint32_t workers, rdc_track *out,
                        rd_error *err)
{
    size_t n;
    if (!rdc_mul_size(p->steps, workers ? workers : p->rows, &n) || !rdc_mul_size(n, width, &n) ||
        !rdc_mul_size(n, sizeof(rd_real), &n))
        return too_large(p, err);
    rdc_block *block = rdc_block_new(p->layer->core->arena, n);
    if (!block) return rdc_no_memory(err, n);
    *out = (rdc_track){.block = block, .at = block->at, .width = width};
    out->row = workers ? p->steps * width : width;
    out->step = workers ? width : p->rows * width;
    return RD_OK;
}

void rdc_track_gather(const rdc_layer_pass *p, const rd_real *from, const rdc_track *to)
{
    for (size_t t = 0; t < p->steps; t++)
        for (size_t i = 0; i < rdc_layer_active(p, t); i++)
            memcpy(to->at + i * to->row + t * to->step, from + rdc_layer_place(p, t, i) * to->width,
                   to->width * sizeof *from);
}

void rdc_track_scatter(const rdc_layer_pass *p, const rdc_track *from, rd_real *to, bool add)
{
    for (size_t t = 0; t < p->steps; t++)
        for (size_t i = 0; i < rdc_layer_active(p, t); i++) {
            rd_real *restrict place = to + rdc_layer_place(p, t, i) * from->width;
            const rd_real *restrict v = from->at + i * from->row + t * from->step;
            for (size_t j = 0; j < from->width; j++) place[j] = add ? place[j] + v[j] : v[j];
        }
}

/* ---- the calls --------------------------------------------------------------------------------------- */

uint32_t rdc_layer_workers(const rdc_layer_pass *p)
{
    const rdc_layer_decl *d = p->layer->decl;
    size_t work = d->in + d->out + d->weights; /* every weight meets every step once */
    for (uint32_t k = 0; k < d->n_saves; k++) work += d->save[k].width;
    const bool small = p->rows == 1 || p->total < 2 * rdc_grain(work);
    return small ? 1 : rdc_pool_threads(p->layer->core->pool);
}

static rd_span span_of(const rdc_track *t, size_t row)
{
    return (rd_span){t->at + row * t->row, t->step, t->width};
}

static void play_rows(void *job, uint32_t worker, uint32_t workers)
{
    const rdc_layer_calls *c = job;
    const rdc_layer_pass *p = c->p;
    const rd_plugin_layer *l = p->layer;
    const rdc_layer_decl *d = l->decl;
    rd_span save[RDC_LAYER_SAVES];
    const rd_real *prev[RDC_LAYER_STATES];
    rd_real *next[RDC_LAYER_STATES];
    for (size_t i = worker; i < p->rows; i += workers) {
        const size_t own = p->keep ? i : worker; /* of what a worker uses again */
        const rd_span x = span_of(&p->x, i);
        rd_run run = {.size = sizeof run,
                      .steps = (uint32_t)rdc_layer_length(p, i),
                      .in = d->in,
                      .out = d->out,
                      .opt = l->options,
                      .x = {x.at, x.row, x.width},
                      .y = span_of(&p->y, i),
                      .save = save,
                      .param = p->param,
                      .prev = prev,
                      .next = next,
                      .gemm = l->core->ops.gemm};
        for (uint32_t k = 0; k < d->n_saves; k++) save[k] = span_of(&p->save[k], own);
        for (uint32_t k = 0; k < d->n_states; k++) {
            prev[k] = rdc_layer_state(p, false, i) + d->state_at[k];
            next[k] = rdc_layer_state(p, true, i) + d->state_at[k];
        }
        if (p->kept) run.kept = (char *)p->kept->at + own * p->kept_row;
        if (c->scratch) run.scratch = (char *)c->scratch->at + worker * p->scratch;
        c->call(c, &run, i, worker);
    }
}

rd_status rdc_layer_play(rdc_layer_calls *c, rd_error *err)
{
    const rdc_layer_pass *p = c->p;
    rd_core *core = p->layer->core;
    const uint32_t workers = rdc_layer_workers(p);
    size_t bytes;
    if (!rdc_mul_size(p->scratch, workers, &bytes)) return too_large(p, err);
    if (p->scratch > 0 && !(c->scratch = rdc_block_new(core->arena, bytes)))
        return rdc_no_memory(err, bytes);
    if (workers == 1) {
        const uint64_t env = rdc_fp_enter();
        play_rows(c, 0, 1);
        rdc_fp_leave(env);
    } else {
        rdc_pool_run(core->pool, play_rows, c);
    }
    rdc_block_release(core->arena, c->scratch);
    c->scratch = NULL;
    return RD_OK;
}

/* A row without a step passes its state on. */
static void forward_row(const rdc_layer_calls *c, rd_run *run, size_t row, uint32_t worker)
{
    const rdc_layer_pass *p = c->p;
    (void)worker;
    if (run->steps > 0)
        p->layer->kind->forward(run);
    else if (p->states)
        memcpy(rdc_layer_state(p, true, row), rdc_layer_state(p, false, row),
               p->layer->decl->state_row * sizeof(rd_real));
}

/* ---- what a pass needs ------------------------------------------------------------------------------- */

static rd_status check_input(const rd_plugin_layer *l, const rd_rnn_input *in, rd_error *err)
{
    const rdc_layer_decl *d = l->decl;
    const rd_tensor *x = in->x;
    char shape[128];
    if (x->ndim != 3 || x->shape[2] != d->in)
        return rdc_fail(err, RD_E_ARG, "%s: expected input (batch, time, %u), got %s", l->label,
                        d->in, rdc_shape_text(x, shape));
    if (x->shape[0] == 0 || x->shape[1] == 0 || x->shape[0] > UINT32_MAX ||
        x->shape[1] > UINT32_MAX)
        return rdc_fail(err, RD_E_ARG,
                        "%s: the input must have at least one row and one step, got %s", l->label,
                        rdc_shape_text(x, shape));
    for (uint32_t k = 0; k < d->n_states; k++) {
        const rd_tensor *s = in->states ? in->states[k] : NULL;
        if (s && (s->ndim != 2 || s->shape[0] != x->shape[0] || s->shape[1] != d->state[k].width))
            return rdc_fail(err, RD_E_ARG, "%s: expected state '%s' (%zu, %u), got %s", l->label,
                            d->state_name[k], x->shape[0], d->state[k].width,
                            rdc_shape_text(s, shape));
    }
    return RD_OK;
}

/* Which steps count, and the sizes that follow from it. */
static rd_status measure(rdc_layer_pass *p, const rd_rnn_input *in, rd_error *err)
{
    const rdc_reading how = {
        .x = in->x, .mask = in->mask, .resets = in->resets, .what = p->layer->label};
    p->batch = p->rows = in->x->shape[0];
    p->steps = in->x->shape[1];
    for (uint32_t k = 0; k < p->layer->decl->n_states; k++)
        p->given[k] = in->states && in->states[k];
    if (in->mask || in->resets) RD_TRY(rdc_valid_new(&how, &p->valid, err));
    if (p->valid) {
        p->rows = p->valid->rows;
        p->steps = p->valid->steps;
        p->total = p->valid->total;
    } else if (!rdc_mul_size(p->steps, p->rows, &p->total)) {
        return too_large(p, err);
    }
    return RD_OK;
}

/* What plan() asks for. */
static rd_status plan(rdc_layer_pass *p, rd_error *err)
{
    const rd_plugin_layer *l = p->layer;
    rd_need need = {.size = sizeof need};
    char why[WORD] = "";
    if (!l->kind->plan || p->steps == 0) return RD_OK;
    const rd_status status = l->kind->plan(&l->setup, (uint32_t)p->steps, &need, why, sizeof why);
    why[sizeof why - 1] = '\0';
    if (status != RD_OK)
        return rdc_fail(err, status, "%s: %s", l->label,
                        why[0] ? why : "its plan() failed without a reason");
    if (!rdc_add_size(need.kept_bytes, ALIGNMENT - 1, &p->kept_row) ||
        !rdc_add_size(need.scratch_bytes, ALIGNMENT - 1, &p->scratch))
        return too_large(p, err);
    p->kept_row -= p->kept_row % ALIGNMENT;
    p->scratch -= p->scratch % ALIGNMENT;
    return RD_OK;
}

/* Values before the first step, of all rows. */
static rd_status open_states(rdc_layer_pass *p, const rd_rnn_input *in, rd_error *err)
{
    const rdc_layer_decl *d = p->layer->decl;
    size_t n;
    if (d->n_states == 0) return RD_OK;
    if (!rdc_mul_size(2 * p->rows, d->state_row, &n) || !rdc_mul_size(n, sizeof(rd_real), &n))
        return too_large(p, err);
    p->states = rdc_block_new(p->layer->core->arena, n);
    if (!p->states) return rdc_no_memory(err, n);
    for (size_t i = 0; i < p->rows; i++)
        for (uint32_t k = 0; k < d->n_states; k++) {
            const rd_tensor *from = rdc_layer_anew(p, k, i) ? NULL : in->states[k];
            rd_real *to = rdc_layer_state(p, false, i) + d->state_at[k];
            const size_t at = from ? rdc_layer_user_row(p, i) * from->stride[0] : 0;
            for (size_t j = 0; j < d->state[k].width; j++)
                to[j] = from ? from->at[at + j * from->stride[1]] : (rd_real)d->state[k].first;
        }
    return RD_OK;
}

static bool lies_in_sequence(const rd_tensor *x)
{
    return rdc_is_packed(x) &&
           (rdc_order(x) == RD_SEQUENCE || x->shape[0] == 1 || x->shape[1] == 1);
}

/* x as the calls read it; recorded where it has to be turned. */
static rd_status take_x(rdc_layer_pass *p, rd_tensor *x, rd_error *err)
{
    const uint32_t in = p->layer->decl->in;
    if (lies_in_sequence(x))
        p->xt = rd_tensor_retain(x);
    else
        RD_TRY(rd_contiguous(x, RD_SEQUENCE, &p->xt, err));
    if (!p->valid) {
        p->x = (rdc_track){.at = p->xt->at, .row = in, .step = p->rows * in, .width = in};
        return RD_OK;
    }
    RD_TRY(rdc_track_new(p, in, 0, &p->x, err));
    rdc_track_gather(p, p->xt->at, &p->x);
    return RD_OK;
}

/* y is the result itself where all steps count. */
static rd_status open_y(rdc_layer_pass *p, rd_tensor **y, rd_error *err)
{
    const size_t out = p->layer->decl->out;
    const size_t time = p->valid ? p->valid->time : p->steps;
    RD_TRY(rd_tensor_new(p->layer->core, 3, (size_t[]){p->batch, time, out}, RD_SEQUENCE, y, err));
    if (p->valid) {
        memset((*y)->at, 0, rd_tensor_numel(*y) * sizeof(rd_real));
        return rdc_track_new(p, (uint32_t)out, 0, &p->y, err);
    }
    p->y = (rdc_track){.at = (*y)->at, .row = out, .step = p->rows * out, .width = (uint32_t)out};
    return RD_OK;
}

static rd_status open_buffers(rdc_layer_pass *p, rd_error *err)
{
    const rd_plugin_layer *l = p->layer;
    const uint32_t workers = p->keep ? 0 : rdc_layer_workers(p);
    size_t n;
    for (uint32_t k = 0; k < l->decl->n_saves; k++)
        RD_TRY(rdc_track_new(p, l->decl->save[k].width, workers, &p->save[k], err));
    for (uint32_t k = 0; k < l->decl->n_params; k++) p->param[k] = l->parameter[k]->at;
    if (p->kept_row == 0) return RD_OK;
    if (!rdc_mul_size(p->kept_row, workers ? workers : p->rows, &n)) return too_large(p, err);
    p->kept = rdc_block_new(l->core->arena, n);
    return p->kept ? RD_OK : rdc_no_memory(err, n);
}

void rdc_layer_pass_free(rdc_layer_pass *p)
{
    if (!p) return;
    rd_plugin_layer *l = p->layer;
    rdc_arena *arena = l->core->arena;
    for (uint32_t k = 0; k < l->decl->n_saves; k++) rdc_block_release(arena, p->save[k].block);
    rdc_block_release(arena, p->x.block);
    rdc_block_release(arena, p->y.block);
    rdc_block_release(arena, p->states);
    rdc_block_release(arena, p->kept);
    rdc_valid_free(l->core, p->valid);
    rd_tensor_release(p->xt);
    rdc_record_free(arena, p);
    rd_plugin_layer_release(l);
}

/* ---- one run ----------------------------------------------------------------------------------------- */

/* Inputs of the node: x, states, parameters. */
enum { MAX_INPUTS = 1 + RDC_LAYER_STATES + RDC_LAYER_PARAMS };
struct run {
    rdc_layer_pass *pass;
    rd_tensor *in[MAX_INPUTS];
    uint32_t n_in, n_out;
    rd_tensor *out[1 + RDC_LAYER_STATES]; /* y, last states */
    bool recorded;
};

static void list_inputs(struct run *r, const rd_rnn_input *in)
{
    const rd_plugin_layer *l = r->pass->layer;
    r->in[r->n_in++] = r->pass->xt;
    for (uint32_t k = 0; k < l->decl->n_states; k++)
        r->in[r->n_in++] = in->states ? in->states[k] : NULL;
    for (uint32_t k = 0; k < l->decl->n_params; k++) r->in[r->n_in++] = l->parameter[k];
}

static rd_status prepare(struct run *r, const rd_rnn_input *in, rd_error *err)
{
    rdc_layer_pass *p = r->pass;
    const rd_plugin_layer *l = p->layer;
    RD_TRY(check_input(l, in, err));
    RD_TRY(measure(p, in, err));
    RD_TRY(plan(p, err));
    RD_TRY(take_x(p, in->x, err));
    list_inputs(r, in);
    p->keep = rdc_wants_node(r->in, r->n_in);
    if (p->keep && !l->kind->backward)
        return rdc_fail(err, RD_E_UNSUPPORTED,
                        "%s: the layer '%s' has no backward function and cannot be trained; run it "
                        "inside no_grad",
                        l->label, l->kind->name);
    RD_TRY(open_states(p, in, err));
    RD_TRY(open_buffers(p, err));
    r->n_out = 1;
    return open_y(p, &r->out[0], err);
}

/* Last states are copies, each a tensor of its own. */
static rd_status copy_final(struct run *r, rd_error *err)
{
    const rdc_layer_pass *p = r->pass;
    const rdc_layer_decl *d = p->layer->decl;
    for (uint32_t k = 0; k < d->n_states; k++) {
        const size_t width = d->state[k].width, shape[2] = {p->batch, width};
        rd_tensor **to = &r->out[1 + k];
        RD_TRY(rd_tensor_new(p->layer->core, 2, shape, RD_DENSE, to, err));
        r->n_out++;
        for (size_t i = 0; i < p->rows; i++)
            if (rdc_layer_ends(p, i))
                memcpy((*to)->at + rdc_layer_user_row(p, i) * width,
                       rdc_layer_state(p, true, i) + d->state_at[k], width * sizeof(rd_real));
    }
    return RD_OK;
}

static rd_status record(struct run *r, rd_error *err)
{
    rdc_layer_pass *p = r->pass;
    rdc_node *node = NULL;
    uint32_t slot = 0;
    RD_TRY(rdc_record(&rdc_layer_op, r->in, r->n_in, r->out, r->n_out, &node, err));
    node->state = p;
    r->recorded = true;
    rdc_save(node, slot++, p->xt);
    if (p->layer->decl->n_params > 0) rdc_save(node, slot++, p->layer->parameter[0]);
    if (!p->valid) rdc_save(node, slot++, r->out[0]); /* backward sees y */
    return RD_OK;
}

static rd_status run(struct run *r, const rd_rnn_input *in, bool final, rd_error *err)
{
    rdc_layer_pass *p = r->pass;
    rdc_layer_calls calls = {.p = p, .call = forward_row};
    RD_TRY(prepare(r, in, err));
    {
        RDC_TIMED(p->layer->core, RD_WORK_LAYERS);
        RD_TRY(rdc_layer_play(&calls, err));
    }
    if (p->valid) rdc_track_scatter(p, &p->y, r->out[0]->at, false);
    if (final) RD_TRY(copy_final(r, err));
    return p->keep ? record(r, err) : RD_OK;
}

rd_status rd_plugin_layer_run(rd_plugin_layer *layer, const rd_rnn_input *in, rd_tensor **y,
                              rd_tensor **final, rd_error *err)
{
    struct run r = {.pass = rdc_record_new(layer->core->arena, sizeof *r.pass)};
    if (!r.pass) return rdc_no_memory(err, sizeof *r.pass);
    r.pass->layer = layer;
    layer->refs++;
    const rd_status status = run(&r, in, final != NULL, err);
    if (!r.recorded) rdc_layer_pass_free(r.pass);
    if (status != RD_OK) {
        for (uint32_t k = 0; k < r.n_out; k++) rd_tensor_release(r.out[k]);
        return status;
    }
    *y = r.out[0];
    for (uint32_t k = 1; k < r.n_out; k++) final[k - 1] = r.out[k];
    return RD_OK;
}
