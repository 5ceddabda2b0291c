/* stack.c - several recurrent layers: which of them run as one operation, and how the work is shared.
 *
 * Layers that are one operation leave one node, whose form depends on the batch and the options alone and
 * never on the number of threads. Where it pays the passes of a node run at the same time (base/lanes.h): the
 * layers of a stack as a wavefront, each some steps behind the one below it, or two directions side by side.
 * Otherwise one after the other, and each shares its rows or, with one row, the columns of large products.
 * SPDX-License-Identifier: MIT */
#include "base/lanes.h"
#include "engine/noise.h"
#include <string.h>

enum {
    SMALL_PASS = 1 << 18, /* fused multiply-adds: some 10 us, what waking a thread may take */
    LANE_ROWS = 6,        /* of a batch in lanes: with 8, sharing rows is faster on two threads */
    MOST_ROWS = 64,       /* of all steps of a chunk */
    LEAST_ROWS = 16,      /* fewer make the products with x and dx slow */
    CHUNKS = 8            /* of a sequence, at least, so that filling the wave takes little of it */
};

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

void rdc_stack_free(rdc_arena *arena, rdc_stack *s)
{
    if (!s) return;
    for (uint32_t k = 0; k < s->n; k++) rdc_pass_free(s->pass[k]);
    rdc_record_free(arena, s);
}

size_t rdc_lane_steps(const rdc_stack *s)
{
    const rdc_pass *p = s->pass[0];
    const size_t most = MOST_ROWS / p->rows + 1, least = LEAST_ROWS / p->rows + 1;
    const size_t steps = p->steps / CHUNKS;
    return steps > most ? most : steps < least ? least : steps;
}

/* How many of n parts can run at once? */
static size_t at_once(size_t n, size_t threads)
{
    return n < threads ? n : threads;
}

bool rdc_runs_in_lanes(const rdc_stack *s)
{
    const rd_core *core = s->pass[0]->rnn->core;
    const size_t threads = rdc_pool_threads(core->pool);
    size_t least = SIZE_MAX;
    if (s->n == 1 || threads == 1) return false;
    if (core->profiling) return false; /* one thread at a time is timed (profile.h) */
    for (uint32_t k = 0; k < s->n; k++) {
        const rdc_pass *p = s->pass[k];
        const size_t work = p->total * (p->rnn->layout->weights + 1);
        const size_t chunks = p->steps / rdc_lane_steps(s);
        least = work < least ? work : least;
        /* rows that can be shared do better than a wave that is hardly filled, or than fewer threads */
        if (at_once(p->rows, threads) > at_once(s->n, threads)) return false;
        if (s->chained[k] && chunks < (p->rows == 1 ? 2 : CHUNKS / 2)) return false;
    }
    return least >= SMALL_PASS;
}

/* May a layer be in one operation with others? */
static bool is_plain(const rd_rnn *rnn, const rd_tensor *x)
{
    return !rnn->observed && x->ndim == 3 && x->shape[0] <= LANE_ROWS;
}

/* May a layer that reads what another gives be in one operation with it? */
static bool can_follow(const rd_rnn *rnn, const rd_rnn_input *in)
{
    const bool masked = in->training && rnn->noise && rnn->noise->input > 0;
    return !in->mask && !in->resets && !in->reverse && !masked;
}

/* How many layers, from the first on, make one operation. */
static uint32_t run_length(rd_rnn *const *rnn, const rd_rnn_input *in, size_t n)
{
    uint32_t length = 1, saved = 3; /* slots of the node: x, y and weights */
    if (!is_plain(rnn[0], in[0].x)) return 1;
    for (; length < n && length < RDC_MAX_STACK; length++) {
        const rd_rnn_input *next = &in[length];
        saved += next->x ? 3 : 1;
        if (saved > RDC_MAX_SAVED) break;
        if (!is_plain(rnn[length], next->x ? next->x : in[0].x)) break;
        if (!next->x && !(can_follow(rnn[length], next) && can_follow(rnn[length - 1], next - 1)))
            break;
    }
    return length;
}

rd_status rd_rnn_run_all(rd_rnn *const *rnn, const rd_rnn_input *in, size_t n, rd_tensor **y,
                         rd_tensor **final, rd_error *err)
{
    rd_tensor *below = NULL;
    rd_status status = RD_OK;
    for (size_t at = 0, length; status == RD_OK && at < n; at += length) {
        rd_rnn_input part[RDC_MAX_STACK];
        length = n - at < RDC_MAX_STACK ? n - at : RDC_MAX_STACK;
        memcpy(part, in + at, length * sizeof *part);
        if (!part[0].x) part[0].x = below;
        length = run_length(rnn + at, part, length);
        status = rdc_rnn_run_together(rnn + at, part, (uint32_t)length, y + at, final, err);
        rd_tensor_release(below);
        below = NULL;
        if (status != RD_OK) break;
        for (size_t k = at; final && k < at + length; k++) final += rnn[k]->layout->n_states;
        if (at + length < n && !in[at + length].x) {
            below = y[at + length - 1];
            y[at + length - 1] = NULL;
        }
    }
    return status;
}

rd_status rd_rnn_run(rd_rnn *rnn, const rd_rnn_input *in, rd_tensor **y, rd_tensor **final,
                     rd_error *err)
{
    return rdc_rnn_run_together(&rnn, in, 1, y, final, err);
}

rd_status rd_rnn_forward(rd_rnn *rnn, rd_tensor *x, rd_tensor *const *states, rd_tensor **y,
                         rd_tensor **final, rd_error *err)
{
    const rd_rnn_input in = {.x = x, .states = states};
    return rd_rnn_run(rnn, &in, y, final, err);
}
