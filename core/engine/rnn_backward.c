/* rnn_backward.c - a recorded run of recurrent layers played backward: what is done around the time loop.
 *
 * Of several passes the last is played first, as if each had a node of its own; where they run in lanes
 * their time loops and the gradients that they hand down go side by side, a chunk of steps apart. What sums
 * over rows (dL/dM, dL/db) or needs no order in time (dx) is done once, after the loop.
 * SPDX-License-Identifier: MIT */
#include "base/lanes.h"
#include "engine/map.h"
#include "engine/unroll.h"
#include <string.h>

static rd_status pack_weights(const rdc_pass *p, bool want_x, rd_error *err)
{
    const rd_rnn *rnn = p->rnn;
    const rdc_layout *l = rnn->layout;
    for (uint32_t r = 0; r < l->n_runs; r++) {
        if (l->run[r].source == RDC_SOURCE_X && !want_x) continue;
        const rd_gemm g = {.size = sizeof(rd_gemm),
                           .flags = RD_ACCUMULATE | rdc_precision(rnn->core),
                           .n = l->run[r].source_width,
                           .k = l->run[r].width,
                           .b = rdc_run_weights(p, &l->run[r]),
                           .ldb = l->run[r].source_width};
        const uint64_t version = rdc_run_version(p, &l->run[r]);
        RD_TRY(rdc_pack(rnn->core, &g, version, &rnn->backward_pack[r], err));
    }
    return RD_OK;
}

/* Buffers beside them where masks are on. */
static rd_status open_noise_buffers(rdc_backward *b, rd_error *err)
{
    const rdc_pass *p = b->pass;
    const rdc_layout *l = p->rnn->layout;
    rd_core *core = p->rnn->core;
    for (uint32_t s = RDC_SOURCE_STATE; s < rdc_source_count(l); s++)
        if (p->noise->mask[s].block)
            RD_TRY(rdc_sequence_new(core, &b->dfed[s], 1, p->rows, rdc_source_width(l, s), err));
    for (uint32_t k = 0; k < l->n_states; k++)
        if (p->noise->own[k].block)
            RD_TRY(rdc_sequence_new(core, &b->down[k], 1, p->rows, l->state[k].width, err));
    return RD_OK;
}

/* Buffers of the time loop of a pass. */
static rd_status open_buffers(rdc_backward *b, const rdc_node *node, uint32_t pass, rd_error *err)
{
    const rdc_stack *stack = node->state;
    rd_tensor *const *dout = node->dout + stack->first_out[pass];
    const bool gives = rdc_gives_output(stack, pass);
    const rdc_pass *p = b->pass;
    rd_rnn *rnn = p->rnn;
    const rdc_layout *l = rnn->layout;
    const bool seen = rnn->observed && rnn->observer.backward;
    for (uint32_t k = 0; k < l->n_states; k++) {
        rdc_sequence *s = &b->dstate[k];
        const size_t slots = seen ? p->steps + 1 : 2;
        RD_TRY(rdc_sequence_new(rnn->core, s, slots, p->rows, l->state[k].width, err));
        const rd_tensor *dfinal = stack->final ? dout[gives + k] : NULL;
        b->dfinal[k] = dfinal ? dfinal->at : NULL;
    }
    for (uint32_t j = 0; j < l->n_temps; j++)
        RD_TRY(rdc_sequence_new(rnn->core, &b->dtemp[j], 1, p->rows, l->temp[j].width, err));
    if (p->noise) RD_TRY(open_noise_buffers(b, err));
    if (gives) b->dy = dout[0] ? dout[0]->at : NULL;
    if (l->n_vecs > 0) {
        size_t n = p->steps * rdc_row_blocks(p->rows);
        if (!rdc_mul_size(n, l->n_phases, &n) || !rdc_mul_size(n, l->vec_row, &n) ||
            !rdc_mul_size(n, sizeof(rd_real), &n) ||
            !(b->dvec_block = rdc_block_new(rnn->core->arena, n)))
            return rdc_no_memory(err, n);
        b->dvec = b->dvec_block->at;
    }
    return RD_OK;
}

static void close_buffers(rdc_backward *b)
{
    if (!b->pass) return;
    const rd_rnn *rnn = b->pass->rnn;
    for (uint32_t k = 0; k < rnn->layout->n_states; k++)
        rdc_block_release(rnn->core->arena, b->dstate[k].block);
    for (uint32_t j = 0; j < rnn->layout->n_temps; j++)
        rdc_block_release(rnn->core->arena, b->dtemp[j].block);
    for (uint32_t s = 0; b->pass->noise && s < RDC_MAX_SOURCES; s++)
        rdc_block_release(rnn->core->arena, b->dfed[s].block);
    for (uint32_t k = 0; b->pass->noise && k < RDC_MAX_STATES; k++)
        rdc_block_release(rnn->core->arena, b->down[k].block);
    rdc_block_release(rnn->core->arena, b->dvec_block);
    rdc_block_release(rnn->core->arena, b->dx_block);
}

/* dx starts at the cell's direct terms or +0; masked, it takes on the whole gradient of the copy. */
static rd_status input_gradient(const rdc_pass *p, rd_real *dx, rd_error *err)
{
    if (!p->noise || !p->noise->mask[RDC_SOURCE_X].block)
        return rdc_input_products(p, 0, p->steps, dx, err);
    rdc_arena *arena = p->rnn->core->arena;
    const size_t bytes = p->total * p->rnn->layout->in * sizeof(rd_real);
    rdc_block *dfed = rdc_block_new(arena, bytes);
    if (!dfed) return rdc_no_memory(err, bytes);
    memset(dfed->at, 0, bytes);
    const rd_status status = rdc_input_products(p, 0, p->steps, dfed->at, err);
    if (status == RD_OK) rdc_noise_collect_x(p, dfed->at, dx);
    rdc_block_release(arena, dfed);
    return status;
}

struct add_job {
    rd_real *to;
    const rd_real *from;
};

static void add_range(void *job, size_t first, size_t last)
{
    const struct add_job *j = job;
    rd_real *restrict to = j->to;
    const rd_real *restrict from = j->from;
    for (size_t i = first; i < last; i++) to[i] += from[i];
}

/* The gradient of a state that was given, of the rows that began with it; it lies as that does. */
static void add_given(const rdc_backward *b, uint32_t k, rd_tensor *din)
{
    const rdc_pass *p = b->pass;
    const rdc_sequence *s = &b->dstate[k];
    const size_t stride[2] = {s->width, 1}, row_shape[2] = {1, s->width};
    if (!p->valid) {
        rdc_add_strided(p->rnn->core, 2, din->shape, din->at, din->stride, rdc_slot(s, 0), stride);
        return;
    }
    for (size_t i = 0; i < p->rows; i++)
        if (!rdc_row_anew(p, k, i))
            rdc_add_strided(p->rnn->core, 2, row_shape, din->at + p->valid->row[i] * din->stride[0],
                            din->stride, rdc_slot(s, 0) + i * s->width, stride);
}

/* The gradient of first values: a sum over the rows that began with them, last to first (rule 6). */
static void add_first(const rdc_backward *b, uint32_t k, rd_tensor *din)
{
    const rdc_pass *p = b->pass;
    const rdc_sequence *s = &b->dstate[k];
    for (size_t i = p->rows; i-- > 0;) {
        if (!rdc_row_anew(p, k, i)) continue;
        const rd_real *restrict from = rdc_slot(s, 0) + i * s->width;
        rd_real *restrict to = din->at;
        for (size_t j = 0; j < s->width; j++) to[j] += from[j];
    }
}

/* A leaf's gradient may hold earlier contributions, and rows may lie otherwise: then dx is made apart. */
static rd_status open_dx(rdc_backward *b, rd_tensor *din, bool apart, rd_error *err)
{
    const rdc_pass *p = b->pass;
    const size_t bytes = p->total * p->rnn->layout->in * sizeof(rd_real);
    if (!apart) {
        b->dx = din ? din->at : NULL;
        return RD_OK;
    }
    b->dx_block = rdc_block_new(p->rnn->core->arena, bytes);
    if (!b->dx_block) return rdc_no_memory(err, bytes);
    b->dx = b->dx_block->at;
    memset(b->dx, 0, bytes);
    return RD_OK;
}

/* Shares the rows among the workers, each of which takes its own through all steps. */
static void play_rows(void *job, uint32_t worker, uint32_t workers)
{
    const rdc_backward *b = job;
    const rdc_back_part part = {rdc_worker_block(b->pass, worker, workers),
                                rdc_worker_block(b->pass, worker + 1, workers), 0, b->pass->steps};
    rdc_unroll_backward(b, &part);
}

static void play_pass(rdc_backward *b)
{
    RDC_TIMED(b->pass->rnn->core, RD_WORK_LOOP);
    if (rdc_pass_is_small(b->pass))
        play_rows(b, 0, 1); /* the tape has set the floating-point environment */
    else
        rdc_pool_run(b->pass->rnn->core->pool, play_rows, b);
}

struct wave {
    const rdc_stack *stack;
    rdc_backward *b;
    size_t size; /* steps of a chunk */
};

/* Lane 0 is the last pass, and chunk 0 the last steps. */
static void play_chunk(void *job, uint32_t lane, size_t chunk)
{
    const struct wave *w = job;
    const uint32_t k = w->stack->n - 1 - lane;
    const rdc_backward *b = &w->b[k];
    const size_t to = b->pass->steps - chunk * w->size;
    const size_t from = to > w->size ? to - w->size : 0;
    const rdc_back_part part = {0, rdc_row_blocks(b->pass->rows), from, to};
    rdc_unroll_backward(b, &part);
    if (b->dx && w->stack->chained[k]) (void)rdc_input_products(b->pass, from, to, b->dx, NULL);
}

static void play_lanes(const rdc_stack *s, rdc_backward b[RDC_MAX_STACK], rdc_pass *pass)
{
    struct wave w = {s, b, rdc_lane_steps(s)};
    rdc_lanes lanes = {.n = s->n, .run = play_chunk, .job = &w};
    for (uint32_t lane = 0; lane < s->n; lane++) {
        const uint32_t k = s->n - 1 - lane;
        if (!b[k].pass) continue;
        lanes.chunks[lane] = (pass[k].steps + w.size - 1) / w.size;
        lanes.follows[lane] = k + 1 < s->n && s->chained[k + 1] && b[k + 1].pass;
        pass[k].beside = true;
    }
    rdc_lanes_run(s->pass[0]->rnn->core->pool, &lanes);
    for (uint32_t k = 0; k < s->n; k++) pass[k].beside = false;
}

static rd_status hand_out_dx(const rdc_backward *b, rd_tensor *din, bool leaf, rd_error *err)
{
    const rdc_pass *p = b->pass;
    const size_t in = p->rnn->layout->in;
    RD_TRY(input_gradient(p, b->dx, err));
    if (b->dx_block && p->valid) {
        rdc_valid_scatter(p->valid, (uint32_t)in, b->dx, din->at, leaf);
    } else if (b->dx_block) {
        struct add_job job = {din->at, b->dx};
        rdc_pool_range(p->rnn->core->pool, p->total * in, 1 << 14, add_range, &job);
    }
    return RD_OK;
}

/* What follows the time loop of a pass. The lines have become dL/da. */
static rd_status finish(const rdc_backward *b, const rdc_node *node, uint32_t pass, rd_error *err)
{
    const rdc_stack *s = node->state;
    const rd_rnn *rnn = b->pass->rnn;
    const uint32_t at = s->first_in[pass], n_states = rnn->layout->n_states;
    rd_tensor *const *din = node->din + at;
    if (b->dx && !s->chained[pass]) RD_TRY(hand_out_dx(b, din[0], node->in[at].leaf != NULL, err));
    rd_tensor *const *dfirst = din + 1 + n_states + rnn->layout->n_parameters;
    for (uint32_t k = 0; k < n_states; k++) {
        if (din[1 + k]) add_given(b, k, din[1 + k]);
        if (dfirst[k]) add_first(b, k, dfirst[k]);
    }
    const rdc_weight_job job = {b->pass, din + 1 + n_states, b->dvec};
    RD_TRY(rdc_weight_gradients(&job, err));
    if (rnn->observed && rnn->observer.backward) rdc_show_backward(b);
    return RD_OK;
}

static rd_status play(const rdc_node *node, rdc_backward b[RDC_MAX_STACK], rdc_pass *pass,
                      rd_error *err)
{
    const rdc_stack *s = node->state;
    const bool at_once = rdc_runs_in_lanes(s);
    if (at_once) play_lanes(s, b, pass);
    for (uint32_t k = s->n; k-- > 0;) {
        if (!b[k].pass) continue;
        if (!at_once) play_pass(&b[k]);
        if (!at_once && b[k].dx && s->chained[k])
            RD_TRY(rdc_input_products(b[k].pass, 0, b[k].pass->steps, b[k].dx, err));
        RD_TRY(finish(&b[k], node, k, err));
    }
    return RD_OK;
}

/* Does a gradient arrive at a pass, from its own results or from the pass that reads it? */
static bool is_reached(const rdc_node *node, uint32_t pass)
{
    const rdc_stack *s = node->state;
    uint32_t end = pass + 1;
    while (end < s->n && s->chained[end]) end++;
    const uint32_t last = end < s->n ? s->first_out[end] : node->n_out;
    for (uint32_t i = s->first_out[pass]; i < last; i++)
        if (node->dout[i]) return true;
    return false;
}

static uint32_t inputs_end(const rdc_node *node, uint32_t pass)
{
    return pass > 0 ? ((const rdc_stack *)node->state)->first_in[pass - 1] : node->n_in;
}

/* An input of a pass that no gradient arrives at is left alone, as if it had a node of its own. */
static bool reaches(const rdc_node *node, uint32_t input)
{
    const rdc_stack *s = node->state;
    for (uint32_t k = 0; k < s->n; k++)
        if (input >= s->first_in[k] && input < inputs_end(node, k)) return is_reached(node, k);
    return true;
}

/* Is a gradient wanted from a pass, or from one below it? */
static bool is_wanted(const rdc_node *node, uint32_t pass)
{
    const rdc_stack *s = node->state;
    for (uint32_t i = s->first_in[pass]; i < inputs_end(node, pass); i++)
        if (node->din[i]) return true;
    return s->chained[pass] && is_wanted(node, pass - 1);
}

/* The copy of a pass whose lines become dL/da: the pass's own, unless it is to be played again. */
static rd_status take_pass(const rdc_node *node, uint32_t pass, rdc_pass *own, rd_error *err)
{
    const rdc_pass *kept = ((const rdc_stack *)node->state)->pass[pass];
    *own = *kept;
    own->line.block = NULL;
    if (!node->retained) return RD_OK;
    RD_TRY(rdc_sequence_per_step(kept, &own->line, kept->line.width, err));
    memcpy(own->line.at, kept->line.at, own->total * own->line.width * sizeof(rd_real));
    return RD_OK;
}

static rd_status open_backward(const rdc_node *node, rdc_backward b[RDC_MAX_STACK], rdc_pass *pass,
                               rd_error *err)
{
    const rdc_stack *s = node->state;
    for (uint32_t k = 0; k < s->n; k++) {
        const uint32_t at = s->first_in[k];
        if (!is_reached(node, k) || !is_wanted(node, k)) continue;
        RD_TRY(take_pass(node, k, &pass[k], err));
        b[k].pass = &pass[k];
        const bool hands_down = s->chained[k] && b[k - 1].pass;
        const bool apart = node->din[at] && (node->in[at].leaf || pass[k].valid);
        RD_TRY(open_buffers(&b[k], node, k, err));
        RD_TRY(open_dx(&b[k], node->din[at], apart || hands_down, err));
        RD_TRY(pack_weights(&pass[k], b[k].dx != NULL, err));
        if (hands_down) b[k - 1].dy = b[k].dx;
    }
    return RD_OK;
}

static rd_status rnn_backward(rdc_node *node, rd_error *err)
{
    rdc_stack *s = node->state;
    rdc_pass pass[RDC_MAX_STACK] = {{0}};
    rdc_backward b[RDC_MAX_STACK] = {{0}};
    rd_status status = open_backward(node, b, pass, err);
    if (status == RD_OK) {
        status = play(node, b, pass, err);
        /* out of memory half way: what forward left is gone, and another root must not play it */
        node->lost = status != RD_OK && !node->retained;
    }
    for (uint32_t k = 0; k < s->n; k++) {
        close_buffers(&b[k]);
        rdc_block_release(node->core->arena, pass[k].line.block);
    }
    return status;
}

static void rnn_dispose(rdc_node *node)
{
    rdc_stack_free(node->core->arena, node->state);
}

const rdc_op rdc_rnn_op = {
    .name = "rnn", .backward = rnn_backward, .dispose = rnn_dispose, .reaches = reaches};
