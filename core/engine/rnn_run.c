/* rnn_run.c - recurrent layers run over a sequence, as one operation of the tape.
 *
 * One layer; or several that stack.c has put together, each of which reads what the one before it gives or
 * has an input of its own.
 *
 * The ownership of what a run leaves is drawn in rnn.h. Everything is checked and allocated here; what runs
 * after it (unroll_forward.c, unroll_backward.c) fails for want of memory alone.
 * SPDX-License-Identifier: MIT */
#include "engine/noise.h"
#include <string.h>

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

/* One call on its way. */
struct run {
    rdc_stack *stack;
    rd_rnn_input in[RDC_MAX_STACK];
    bool final, recorded;
    rd_tensor **node_in; /* inputs of the node */
    uint32_t n_in;
    struct results {
        rd_tensor *y;
        rd_tensor *final[RDC_MAX_STATES];
    } result[RDC_MAX_STACK];
};

static void drop_results(struct results *r)
{
    rd_tensor_release(r->y);
    r->y = NULL;
    for (uint32_t k = 0; k < RDC_MAX_STATES; k++) {
        rd_tensor_release(r->final[k]);
        r->final[k] = NULL;
    }
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

/* y is a view of state 0, slots 1..T, where all steps count. */
static rd_status view_y(const rdc_pass *p, rd_tensor **y, rd_error *err)
{
    const rdc_sequence *s = &p->state[0];
    const size_t shape[3] = {p->batch, p->steps, s->width};
    const size_t stride[3] = {s->width, s->step, 1};
    return rdc_tensor_over(p->rnn->core, s->block, s->at + s->step, 3, shape, stride, y, err);
}

/* Final states are copies, so that carrying one does not hold a whole sequence. */
static rd_status make_results(const rdc_pass *p, bool final, struct results *r, rd_error *err)
{
    const rdc_layout *l = p->rnn->layout;
    if (p->valid)
        RD_TRY(scatter_y(p, (size_t[]){p->batch, p->valid->time, l->state[0].width}, &r->y, err));
    for (uint32_t k = 0; final && k < l->n_states; k++) {
        const size_t at[2] = {p->batch, l->state[k].width};
        RD_TRY(rd_tensor_new(p->rnn->core, 2, at, RD_DENSE, &r->final[k], err));
        copy_final(p, k, r->final[k]->at);
    }
    return RD_OK;
}

/* Inputs of the node for a pass: x, states and, at the end, first values (none where no gradient flows),
 * parameters. */
static uint32_t input_count(const rdc_layout *l)
{
    return 1 + 2 * l->n_states + l->n_parameters;
}

static void list_inputs(const rd_rnn *rnn, const rd_rnn_input *input, rd_tensor **in)
{
    const rdc_layout *l = rnn->layout;
    const uint32_t first = 1 + l->n_states + l->n_parameters;
    in[0] = input->x;
    for (uint32_t k = 0; k < l->n_states; k++) {
        const bool stops = l->state[k].flags & RD_STATE_STOP;
        in[1 + k] = input->states && !stops ? input->states[k] : NULL;
        in[first + k] = input->first && !stops ? input->first[k] : NULL;
    }
    for (uint32_t i = 0; i < l->n_parameters; i++) in[1 + l->n_states + i] = rnn->parameter[i];
}

/* Results of the node, pass by pass; returns how many. Without `out` they are counted. */
static uint32_t list_outputs(struct run *r, rd_tensor **out)
{
    rdc_stack *s = r->stack;
    uint32_t n = 0;
    for (uint32_t k = 0; k < s->n; k++) {
        const uint32_t states = r->final ? s->pass[k]->rnn->layout->n_states : 0;
        const bool gives = rdc_gives_output(s, k);
        s->first_out[k] = n;
        if (gives && out) out[n] = r->result[k].y;
        for (uint32_t i = 0; out && i < states; i++) out[n + gives + i] = r->result[k].final[i];
        n += states + gives;
    }
    return n;
}

static rd_status record(struct run *r, rd_error *err)
{
    rdc_stack *s = r->stack;
    rd_tensor *out[RDC_MAX_STACK * (1 + RDC_MAX_STATES)];
    rdc_node *node = NULL;
    uint32_t slot = 0;
    const uint32_t n_out = list_outputs(r, out);
    RD_TRY(rdc_record(&rdc_rnn_op, r->node_in, r->n_in, out, n_out, &node, err));
    node->state = s;
    r->recorded = true;
    for (uint32_t k = 0; k < s->n; k++) {
        const rdc_pass *p = s->pass[k];
        if (p->x && !s->chained[k]) rdc_save(node, slot++, p->x);
        if (p->rnn->layout->n_parameters > 0) rdc_save(node, slot++, p->rnn->parameter[0]);
        if (!p->valid && rdc_gives_output(s, k)) /* it is state 0 */
            rdc_save(node, slot++, r->result[k].y);
    }
    return RD_OK;
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

/* Lists the inputs of all passes, the last one's first; a chained one has no x. */
static rd_status take_inputs(struct run *r, rd_error *err)
{
    rdc_stack *s = r->stack;
    for (uint32_t k = s->n; k-- > 0;) {
        s->first_in[k] = r->n_in;
        r->n_in += input_count(s->pass[k]->rnn->layout);
    }
    const size_t bytes = r->n_in * sizeof(rd_tensor *);
    r->node_in = rdc_record_new(s->pass[0]->rnn->core->arena, bytes);
    if (!r->node_in) return rdc_no_memory(err, bytes);
    for (uint32_t k = 0; k < s->n; k++)
        list_inputs(s->pass[k]->rnn, &r->in[k], r->node_in + s->first_in[k]);
    return RD_OK;
}

/* Checks what pass k is given and allocates what it needs. */
static rd_status prepare(struct run *r, uint32_t k, bool wanted, rd_error *err)
{
    rdc_stack *s = r->stack;
    rdc_pass *p = s->pass[k];
    rd_rnn *rnn = p->rnn;
    rd_rnn_input *in = &r->in[k];
    const bool keep = wanted || rnn->observed;
    if (s->chained[k]) in->x = r->result[k - 1].y;
    RD_TRY(check_input(rnn, in, err));
    RD_TRY(measure(p, in, err));
    RD_TRY(take_x(p, in->x, err));
    if (!s->chained[k]) r->node_in[s->first_in[k]] = p->x;
    if (wanted && !rnn->cell->backward)
        return rdc_fail(err, RD_E_UNSUPPORTED,
                        "%s: the cell '%s' has no backward function and cannot be trained; run it "
                        "inside no_grad",
                        rnn->label, rnn->cell->name);
    if (wanted && rnn->core->precision == RD_INT8)
        return rdc_fail(err, RD_E_UNSUPPORTED,
                        "%s: precision 'int8' has no gradients; use another to train, or no_grad",
                        rnn->label);
    RD_TRY(rdc_pass_open(p, in, keep, err));
    return p->valid ? RD_OK : view_y(p, &r->result[k].y, err);
}

static rd_status run(struct run *r, rd_error *err)
{
    rdc_stack *s = r->stack;
    RD_TRY(take_inputs(r, err));
    const bool wanted = rdc_wants_node(r->node_in, r->n_in);
    for (uint32_t k = 0; k < s->n; k++) RD_TRY(prepare(r, k, wanted, err));
    RD_TRY(rdc_unroll_forward(s, err));
    for (uint32_t k = 0; k < s->n; k++)
        RD_TRY(make_results(s->pass[k], r->final, &r->result[k], err));
    return wanted ? record(r, err) : RD_OK;
}

static rd_status open_stack(rd_rnn *const *rnn, struct run *r, uint32_t n, rd_error *err)
{
    rdc_arena *arena = rnn[0]->core->arena;
    r->stack = rdc_record_new(arena, sizeof *r->stack);
    if (!r->stack) return rdc_no_memory(err, sizeof *r->stack);
    r->stack->final = r->final;
    for (uint32_t k = 0; k < n; k++) {
        rdc_pass *p = rdc_record_new(arena, sizeof *p);
        if (!p) return rdc_no_memory(err, sizeof *p);
        p->rnn = rd_rnn_retain(rnn[k]);
        r->stack->pass[r->stack->n++] = p;
        r->stack->chained[k] = !r->in[k].x;
    }
    return RD_OK;
}

rd_status rdc_rnn_run_together(rd_rnn *const *rnn, const rd_rnn_input *in, uint32_t n,
                               rd_tensor **y, rd_tensor **final, rd_error *err)
{
    struct run r = {.final = final != NULL};
    rdc_arena *arena = rnn[0]->core->arena;
    memcpy(r.in, in, n * sizeof *in);
    rd_status status = open_stack(rnn, &r, n, err);
    if (status == RD_OK) status = run(&r, err);
    rdc_record_free(arena, r.node_in);
    for (uint32_t k = 0, at = 0; k < n; k++) {
        if (status == RD_OK) {
            y[k] = rdc_gives_output(r.stack, k) ? rd_tensor_retain(r.result[k].y) : NULL;
            for (uint32_t i = 0; final && i < rnn[k]->layout->n_states; i++, at++)
                final[at] = rd_tensor_retain(r.result[k].final[i]);
        }
        drop_results(&r.result[k]);
    }
    if (!r.recorded) rdc_stack_free(arena, r.stack);
    return status;
}
