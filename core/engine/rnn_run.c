/* rnn_run.c - a recurrent layer run over a sequence, as one operation of the tape.
 *
 * The ownership of what a run leaves is drawn in rnn.h. Everything is checked and allocated here; what runs
 * after it (unroll_forward.c, unroll_backward.c) fails for want of memory alone.
 * SPDX-License-Identifier: MIT */
#include "engine/noise.h"
#include <string.h>

enum { SAVED_X, SAVED_WEIGHTS, SAVED_Y }; /* slots of the node */
enum { SMALL_PASS = 1 << 18 }; /* fused multiply-adds: some 10 us, what waking a thread may take */

rd_status rdc_sequence_new(rd_core *core, rdc_sequence *s, size_t slots, size_t rows,
                           uint32_t width, rd_error *err)
{
    size_t step, n;
    if (!rdc_mul_size(rows, width, &step) || !rdc_mul_size(step, slots, &n) ||
        !rdc_mul_size(n, sizeof(rd_real), &n))
        return rdc_fail(err, RD_E_ARG, "this batch is larger than memory can be");
    rdc_block *block = rdc_block_new(core->arena, n);
    if (!block) return rdc_no_memory(err, n);
    *s = (rdc_sequence){block, block->at, slots, step, width, NULL};
    return RD_OK;
}

rd_status rdc_sequence_per_step(const rdc_pass *p, rdc_sequence *s, uint32_t width, rd_error *err)
{
    if (!p->valid) return rdc_sequence_new(p->rnn->core, s, p->steps, p->rows, width, err);
    RD_TRY(rdc_sequence_new(p->rnn->core, s, 1, p->total, width, err));
    s->slots = p->steps;
    s->first = p->valid->first;
    return RD_OK;
}

size_t rdc_worker_block(const rdc_pass *p, uint32_t worker, uint32_t workers)
{
    const size_t blocks = rdc_row_blocks(p->rows);
    if (!p->valid) return blocks * worker / workers;
    size_t block = 0, row = 0, done = 0;
    while (block < blocks && done * workers < p->total * worker) {
        const size_t end = rdc_block_border(p->rows, ++block);
        for (; row < end; row++) done += p->valid->length[row];
    }
    return worker == workers ? blocks : block;
}

bool rdc_pass_is_small(const rdc_pass *pass)
{
    const rdc_layout *l = pass->rnn->layout;
    if (pass->rows == 1) return true;
    /* every weight meets every row of every step once */
    return pass->total < SMALL_PASS / (l->weights + 1);
}

void rdc_pass_free(rdc_pass *pass)
{
    if (!pass) return;
    rd_rnn *rnn = pass->rnn;
    rdc_arena *arena = rnn->core->arena;
    const rdc_layout *l = rnn->layout;
    rdc_block_release(arena, pass->line.block);
    for (uint32_t k = 0; k < l->n_states; k++) rdc_block_release(arena, pass->state[k].block);
    for (uint32_t k = 0; k < l->n_temps; k++) rdc_block_release(arena, pass->temp[k].block);
    for (uint32_t k = 0; k < l->n_saves; k++) rdc_block_release(arena, pass->save[k].block);
    rdc_block_release(arena, pass->ids);
    rdc_block_release(arena, pass->kept.block);
    rdc_noise_free(pass);
    rdc_valid_free(rnn->core, pass->valid);
    rd_tensor_release(pass->x);
    rdc_record_free(arena, pass);
    rd_rnn_release(rnn);
}

static rd_status check_input(const rd_rnn *rnn, const rd_rnn_input *in, rd_error *err)
{
    const rdc_layout *l = rnn->layout;
    const rd_tensor *x = in->x;
    char shape[128];
    if (x->ndim != 3 || x->shape[2] != l->in)
        return rdc_fail(err, RD_E_ARG, "%s: expected input (batch, time, %u), got %s", rnn->label,
                        l->in, rdc_shape_text(x, shape));
    if (x->shape[0] == 0 || x->shape[1] == 0 || x->shape[0] > UINT32_MAX)
        return rdc_fail(err, RD_E_ARG,
                        "%s: the input must have at least one row and one step, got %s", rnn->label,
                        rdc_shape_text(x, shape));
    for (uint32_t k = 0; k < l->n_states; k++) {
        const rd_tensor *s = in->states ? in->states[k] : NULL;
        const rd_tensor *f = in->first ? in->first[k] : NULL;
        if (s && (s->ndim != 2 || s->shape[0] != x->shape[0] || s->shape[1] != l->state[k].width))
            return rdc_fail(err, RD_E_ARG, "%s: expected state '%s' (%zu, %u), got %s", rnn->label,
                            l->state_name[k], x->shape[0], l->state[k].width,
                            rdc_shape_text(s, shape));
        if (f && (f->ndim != 1 || f->shape[0] != l->state[k].width))
            return rdc_fail(err, RD_E_ARG, "%s: expected first values (%u) of state '%s', got %s",
                            rnn->label, l->state[k].width, l->state_name[k],
                            rdc_shape_text(f, shape));
    }
    return RD_OK;
}

/* Values before the first step: those given, or first values, which are given or the cell's own. */
static void start_state(const rdc_pass *p, uint32_t k, const rd_rnn_input *in)
{
    const rd_state_decl *d = &p->rnn->layout->state[k];
    const rd_tensor *first = in->first ? in->first[k] : NULL;
    rd_real *to = p->state[k].at;
    for (size_t i = 0; i < p->rows; i++, to += d->width) {
        const rd_tensor *from = first;
        size_t at = 0;
        if (!rdc_row_anew(p, k, i)) {
            from = in->states[k];
            at = rdc_user_row(p, i) * from->stride[0];
        }
        for (size_t j = 0; j < d->width; j++)
            to[j] = from ? from->at[at + j * from->stride[from->ndim - 1]] : (rd_real)d->first;
    }
}

/* One slot for each step where they are kept; else one that is used again and again. */
static rd_status open_sequence(const rdc_pass *p, rdc_sequence *s, uint32_t width, bool keep,
                               rd_error *err)
{
    return keep ? rdc_sequence_per_step(p, s, width, err)
                : rdc_sequence_new(p->rnn->core, s, 1, p->rows, width, err);
}

/* State k: a slot for each step and one before them, or two that take turns. */
static rd_status open_state(rdc_pass *p, uint32_t k, bool keep, rd_error *err)
{
    rdc_sequence *s = &p->state[k];
    const uint32_t width = p->rnn->layout->state[k].width;
    if (!keep || !p->valid)
        return rdc_sequence_new(p->rnn->core, s, keep ? p->steps + 1 : 2, p->rows, width, err);
    RD_TRY(rdc_sequence_new(p->rnn->core, s, 1, p->rows + p->total, width, err));
    s->slots = p->steps + 1;
    s->first = p->valid->slot;
    return RD_OK;
}

rd_status rdc_pass_open(rdc_pass *p, const rd_rnn_input *in, bool keep, rd_error *err)
{
    const rdc_layout *l = p->rnn->layout;
    if (keep) RD_TRY(rdc_sequence_per_step(p, &p->line, l->line_row, err));
    for (uint32_t k = 0; k < l->n_states; k++) {
        RD_TRY(open_state(p, k, keep || k == 0, err));
        start_state(p, k, in);
    }
    for (uint32_t k = 0; k < l->n_temps; k++)
        RD_TRY(open_sequence(p, &p->temp[k], l->temp[k].width, keep, err));
    for (uint32_t k = 0; k < l->n_saves; k++)
        RD_TRY(open_sequence(p, &p->save[k], l->save[k].width, keep, err));
    return rdc_noise_open(p, in, keep, err);
}

static bool lies_in_sequence(const rd_tensor *x)
{
    return rdc_is_packed(x) &&
           (rdc_order(x) == RD_SEQUENCE || x->shape[0] == 1 || x->shape[1] == 1);
}

/* Copies the ids of one-hot input as [T][B], or those that count, packed. */
static rd_status take_ids(rdc_pass *p, const rd_tensor *ids, rd_error *err)
{
    size_t n;
    if (!rdc_mul_size(p->total, sizeof(int32_t), &n)) return rdc_no_memory(err, SIZE_MAX);
    p->ids = rdc_block_new(p->rnn->core->arena, n);
    if (!p->ids) return rdc_no_memory(err, n);
    int32_t *to = p->ids->at;
    for (size_t t = 0; t < p->steps; t++)
        for (size_t i = 0; i < rdc_active(p, t); i++) {
            const size_t r = rdc_user_row(p, i);
            const size_t at = p->valid ? p->valid->at[p->valid->first[t] + i] : t;
            *to++ = (int32_t)ids->at[r * ids->stride[0] + at * ids->stride[1]];
        }
    return RD_OK;
}

/* Packs the rows of x that count. */
static rd_status gather_x(rdc_pass *p, rd_error *err)
{
    const uint32_t in = p->rnn->layout->in;
    RD_TRY(rdc_sequence_per_step(p, &p->kept, in, err));
    rdc_valid_gather(p->valid, in, p->x->at, p->kept.at);
    return RD_OK;
}

/* x as the engine reads it, in sequence order; recorded where it has to be turned. */
static rd_status take_x(rdc_pass *p, rd_tensor *x, rd_error *err)
{
    const rd_tensor *ids = rd_requires_grad(x) ? NULL : rdc_one_hot_ids(x);
    if (ids && ids->ndim == 2) {
        RD_TRY(take_ids(p, ids, err));
        if (!(p->rnn->cell->flags & RD_CELL_READS_X))
            return RD_OK; /* the zeros are not looked at */
    }
    if (lies_in_sequence(x))
        p->x = rd_tensor_retain(x);
    else
        RD_TRY(rd_contiguous(x, RD_SEQUENCE, &p->x, err));
    return p->valid ? gather_x(p, err) : RD_OK;
}

struct results {
    rd_tensor *y;
    rd_tensor *final[RDC_MAX_STATES];
};

static void drop_results(struct results *r)
{
    rd_tensor_release(r->y);
    for (uint32_t k = 0; k < RDC_MAX_STATES; k++) rd_tensor_release(r->final[k]);
}

/* The outputs of steps that count, at their places; +0 elsewhere. */
static rd_status scatter_y(const rdc_pass *p, const size_t shape[3], rd_tensor **y, rd_error *err)
{
    const size_t width = shape[2];
    RD_TRY(rd_tensor_new(p->rnn->core, 3, shape, RD_SEQUENCE, y, err));
    memset((*y)->at, 0, rd_tensor_numel(*y) * sizeof(rd_real));
    for (size_t t = 0; t < p->steps; t++)
        for (size_t i = 0; i < p->valid->active[t]; i++)
            memcpy((*y)->at + rdc_valid_place(p->valid, t, i) * width,
                   rdc_slot(&p->state[0], t + 1) + i * width, width * sizeof(rd_real));
    return RD_OK;
}

/* The state of each of the user's rows after its own last step. */
static void copy_final(const rdc_pass *p, uint32_t k, rd_real *to)
{
    const rdc_sequence *s = &p->state[k];
    if (!p->valid) {
        memcpy(to, rdc_slot(s, p->steps), s->step * sizeof(rd_real));
        return;
    }
    for (size_t i = 0; i < p->rows; i++)
        if (rdc_row_ends(p, i))
            memcpy(to + p->valid->row[i] * (size_t)s->width,
                   rdc_slot(s, p->valid->length[i]) + i * s->width, s->width * sizeof(rd_real));
}

/* y is a view of state 0, slots 1..T, where all steps count; final states are copies, so that carrying one
 * does not hold a whole sequence. */
static rd_status make_results(const rdc_pass *p, bool final, struct results *r, rd_error *err)
{
    rd_core *core = p->rnn->core;
    const rdc_layout *l = p->rnn->layout;
    const rdc_sequence *s = &p->state[0];
    const size_t shape[3] = {p->batch, p->valid ? p->valid->time : p->steps, s->width};
    const size_t stride[3] = {s->width, s->step, 1};
    RD_TRY(p->valid
               ? scatter_y(p, shape, &r->y, err)
               : rdc_tensor_over(core, s->block, s->at + s->step, 3, shape, stride, &r->y, err));
    for (uint32_t k = 0; final && k < l->n_states; k++) {
        const size_t at[2] = {p->batch, l->state[k].width};
        RD_TRY(rd_tensor_new(core, 2, at, RD_DENSE, &r->final[k], err));
        copy_final(p, k, r->final[k]->at);
    }
    return RD_OK;
}

/* Inputs of the node: x, states and, at the end, first values (none where no gradient flows), parameters. */
static uint32_t input_count(const rdc_layout *l)
{
    return 1 + 2 * l->n_states + l->n_parameters;
}

static void list_inputs(const rdc_pass *p, const rd_rnn_input *input, rd_tensor **in)
{
    const rdc_layout *l = p->rnn->layout;
    const uint32_t first = 1 + l->n_states + l->n_parameters;
    in[0] = p->x;
    for (uint32_t k = 0; k < l->n_states; k++) {
        const bool stops = l->state[k].flags & RD_STATE_STOP;
        in[1 + k] = input->states && !stops ? input->states[k] : NULL;
        in[first + k] = input->first && !stops ? input->first[k] : NULL;
    }
    for (uint32_t i = 0; i < l->n_parameters; i++) in[1 + l->n_states + i] = p->rnn->parameter[i];
}

static rd_status record(rdc_pass *p, rd_tensor *const *in, bool final, struct results *r,
                        rd_error *err)
{
    const rdc_layout *l = p->rnn->layout;
    rd_tensor *out[1 + RDC_MAX_STATES] = {r->y};
    for (uint32_t k = 0; final && k < l->n_states; k++) out[1 + k] = r->final[k];
    rdc_node *node = NULL;
    RD_TRY(
        rdc_record(&rdc_rnn_op, in, input_count(l), out, final ? 1 + l->n_states : 1, &node, err));
    node->state = p;
    if (p->x) rdc_save(node, SAVED_X, p->x);
    if (l->n_parameters > 0) rdc_save(node, SAVED_WEIGHTS, p->rnn->parameter[0]);
    if (!p->valid) rdc_save(node, SAVED_Y, r->y); /* it is state 0 */
    return RD_OK;
}

/* Runs the pass and makes its results; the pass belongs to the node if one was recorded. */
static rd_status run(rdc_pass *p, const rd_rnn_input *input, bool final, struct results *r,
                     bool *recorded, rd_error *err)
{
    rd_rnn *rnn = p->rnn;
    const uint32_t n_in = input_count(rnn->layout);
    const size_t bytes = n_in * sizeof(rd_tensor *);
    rd_tensor **in = rdc_record_new(rnn->core->arena, bytes);
    if (!in) return rdc_no_memory(err, bytes);
    list_inputs(p, input, in);
    const bool wanted = rdc_wants_node(in, n_in);
    rd_status status = RD_OK;
    if (wanted && !rnn->cell->backward)
        status =
            rdc_fail(err, RD_E_UNSUPPORTED,
                     "%s: the cell '%s' has no backward function and cannot be trained; run it "
                     "inside no_grad",
                     rnn->label, rnn->cell->name);
    if (status == RD_OK) status = rdc_pass_open(p, input, wanted || rnn->observed, err);
    if (status == RD_OK) status = rdc_unroll_forward(p, err);
    if (status == RD_OK) status = make_results(p, final, r, err);
    if (status == RD_OK && wanted) {
        status = record(p, in, final, r, err);
        *recorded = status == RD_OK;
    }
    rdc_record_free(rnn->core->arena, in);
    return status;
}

/* Which steps count, and the sizes that follow from it. */
static rd_status measure(rdc_pass *p, const rd_rnn_input *in, rd_error *err)
{
    const rdc_reading how = {in->x, in->mask, in->resets, in->reverse, p->rnn->label};
    p->batch = p->rows = in->x->shape[0];
    p->steps = in->x->shape[1];
    for (uint32_t k = 0; k < p->rnn->layout->n_states; k++)
        p->given[k] = in->states && in->states[k];
    if (in->mask || in->resets || in->reverse) RD_TRY(rdc_valid_new(&how, &p->valid, err));
    if (p->valid) {
        p->rows = p->valid->rows;
        p->steps = p->valid->steps;
        p->total = p->valid->total;
    } else if (!rdc_mul_size(p->steps, p->rows, &p->total)) {
        return rdc_fail(err, RD_E_ARG, "this batch is larger than memory can be");
    }
    return RD_OK;
}

rd_status rd_rnn_run(rd_rnn *rnn, const rd_rnn_input *in, rd_tensor **y, rd_tensor **final,
                     rd_error *err)
{
    RD_TRY(check_input(rnn, in, err));
    rdc_pass *p = rdc_record_new(rnn->core->arena, sizeof *p);
    if (!p) return rdc_no_memory(err, sizeof *p);
    struct results r = {0};
    bool recorded = false;
    p->rnn = rd_rnn_retain(rnn);
    rd_status status = measure(p, in, err);
    if (status == RD_OK) status = take_x(p, in->x, err);
    if (status == RD_OK) status = run(p, in, final != NULL, &r, &recorded, err);
    if (!recorded) rdc_pass_free(p);
    if (status != RD_OK) {
        drop_results(&r);
        return status;
    }
    *y = r.y;
    for (uint32_t k = 0; final && k < rnn->layout->n_states; k++) final[k] = r.final[k];
    return RD_OK;
}

rd_status rd_rnn_forward(rd_rnn *rnn, rd_tensor *x, rd_tensor *const *states, rd_tensor **y,
                         rd_tensor **final, rd_error *err)
{
    const rd_rnn_input in = {.x = x, .states = states};
    return rd_rnn_run(rnn, &in, y, final, err);
}
