/* stepper.c - a recurrent layer taken one step at a time, in buffers that are made once.
 * SPDX-License-Identifier: MIT */
#include "engine/stepper.h"
#include <string.h>

enum { SLOTS = 2 };

static rd_status keep_first(rdc_stepper *s, rd_tensor *const *first, rd_error *err)
{
    const rd_rnn *rnn = s->run.pass->rnn;
    const rdc_layout *l = rnn->layout;
    size_t n = 0;
    for (uint32_t k = 0; k < l->n_states; k++) n += l->state[k].width;
    s->first = rdc_block_new(rnn->core->arena, n * sizeof(rd_real));
    if (!s->first) return rdc_no_memory(err, n * sizeof(rd_real));
    rd_real *to = s->first->at;
    for (uint32_t k = 0; k < l->n_states; k++) {
        const rd_tensor *from = first ? first[k] : NULL;
        for (size_t j = 0; j < l->state[k].width; j++)
            *to++ = from ? from->at[j * from->stride[0]] : (rd_real)l->state[k].first;
    }
    return RD_OK;
}

static rd_status open_input(rdc_pass *p, bool ids, rd_error *err)
{
    rd_core *core = p->rnn->core;
    const size_t x[3] = {SLOTS, p->rows, p->rnn->layout->in};
    if (ids) {
        const size_t bytes = SLOTS * p->rows * sizeof(int32_t);
        p->ids = rdc_block_new(core->arena, bytes);
        if (!p->ids) return rdc_no_memory(err, bytes);
        if (!(p->rnn->cell->flags & RD_CELL_READS_X)) return RD_OK;
    }
    RD_TRY(rd_tensor_new(core, 3, x, RD_DENSE, &p->x, err));
    memset(p->x->at, 0, rd_tensor_numel(p->x) * sizeof(rd_real));
    return RD_OK;
}

rd_status rdc_stepper_open(rdc_stepper *s, rd_rnn *rnn, size_t rows, bool ids,
                           rd_tensor *const *first, rd_error *err)
{
    const rd_rnn_input in = {.first = first};
    rdc_pass *p = rdc_record_new(rnn->core->arena, sizeof *p);
    if (!p) return rdc_no_memory(err, sizeof *p);
    p->rnn = rd_rnn_retain(rnn);
    p->batch = p->rows = p->total = rows;
    p->steps = 1;
    s->run = (rdc_forward){.pass = p, .ids_to_come = SIZE_MAX};
    RD_TRY(rdc_pass_open(p, &in, false, err));
    RD_TRY(open_input(p, ids, err));
    return keep_first(s, first, err);
}

void rdc_stepper_close(rdc_stepper *s)
{
    if (!s->run.pass) return;
    rdc_arena *arena = s->run.pass->rnn->core->arena;
    rdc_block_release(arena, s->run.start);
    rdc_block_release(arena, s->first);
    rdc_pass_free(s->run.pass);
}

void rdc_stepper_put(rdc_stepper *s, size_t row, rd_tensor *const *states, size_t from)
{
    const rdc_pass *p = s->run.pass;
    const rdc_layout *l = p->rnn->layout;
    const rd_real *first = s->first->at;
    for (uint32_t k = 0; k < l->n_states; k++) {
        const size_t width = l->state[k].width;
        rd_real *to = rdc_slot(&p->state[k], s->run.from) + row * width;
        for (size_t j = 0; j < width; j++)
            to[j] = states ? states[k]->at[from * states[k]->stride[0] + j * states[k]->stride[1]]
                           : first[j];
        first += width;
    }
}

rd_status rdc_stepper_ready(rdc_stepper *s, rd_error *err)
{
    return rdc_forward_ready(&s->run, err);
}

/* Ids as the numbers of a one-hot x, for a cell that looks at it. */
static void spread(const rdc_pass *p, const int32_t *ids, rd_real *x)
{
    const size_t in = p->rnn->layout->in;
    memset(x, 0, p->rows * in * sizeof *x);
    for (size_t r = 0; r < p->rows; r++) x[r * in + (size_t)ids[r] - 1] = 1;
}

const rd_real *rdc_stepper_step(rdc_stepper *s, const int32_t *ids, const rd_real *x)
{
    rdc_pass *p = s->run.pass;
    const size_t slot = s->run.from, n = p->rows * p->rnn->layout->in;
    if (p->ids) memcpy((int32_t *)p->ids->at + slot * p->rows, ids, p->rows * sizeof *ids);
    if (p->ids && p->x)
        spread(p, ids, p->x->at + slot * n);
    else if (p->x)
        memcpy(p->x->at + slot * n, x, n * sizeof *x);
    s->run.to = slot + 1;
    rdc_forward_run(&s->run);
    s->run.from = (slot + 1) % SLOTS;
    return rdc_slot(&p->state[0], s->run.from);
}
