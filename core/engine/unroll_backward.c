/* unroll_backward.c - backpropagation through time.
 *
 * A step, last first (bit contract, rule 5): dL/ds(t) is complete once dy(t) is added; dprev and dtemp
 * start at +0; for each phase, last first, the cell turns its lines into dL/da and adds direct terms, and
 * then dsource += dA M over the lines in id order. Each worker takes its rows through all steps. What
 * sums over rows (dL/dM, dL/db) or needs no order in time (dx) is done once, after the time loop.
 *
 * dL/ds lies in two slots that take turns, slot t + 1 being the gradient of the state after step t; with
 * an observer there is a slot for every step.
 * With regularisers (noise.h) dprev starts at what a held state hands on, and a source with a mask gets the
 * complete gradient of its copy, times the mask: a temp before its phase, a state and x at the end.
 * Over 400 lines: all of it.
 * SPDX-License-Identifier: MIT */
#include "engine/unroll.h"
#include "engine/map.h"
#include <assert.h>
#include <string.h>

struct backward {
    const rdc_pass *pass;
    rdc_sequence dstate[RDC_MAX_STATES], dtemp[RDC_MAX_TEMPS];
    rdc_sequence dfed[RDC_MAX_SOURCES];    /* of masked copies of states and temps */
    rdc_sequence down[RDC_MAX_STATES];     /* where zoneout is on: of what the cell made */
    const rd_real *dfinal[RDC_MAX_STATES]; /* [B][width] as the user has it, or NULL */
    const rd_real *dy;                     /* [T][B][width of state 0], the user's, or NULL */
    rd_real *dx;   /* for cells that read x, the rows of all steps, or NULL */
    rd_real *dvec; /* pieces [T][blocks][phases][vec_row], or NULL */
    rdc_block *dvec_block;
};

/* The spans of one backward call. */
struct back_view {
    rdc_view v;
    rd_cspan dnext[RDC_MAX_STATES];
    rd_span dprev[RDC_MAX_STATES], dtemp[RDC_MAX_TEMPS];
    rd_real *dvec[RDC_MAX_VECS];
};

static void open_view(struct back_view *bv, const struct backward *b, size_t first, size_t last)
{
    rdc_view_open(&bv->v, b->pass, first, last);
    bv->v.step.dnext = bv->dnext;
    bv->v.step.dprev = bv->dprev;
    bv->v.step.dtemp = bv->dtemp;
    bv->v.step.dvec = bv->dvec;
}

static void view_at(struct back_view *bv, const struct backward *b, size_t t)
{
    const rdc_layout *l = b->pass->rnn->layout;
    const size_t row = bv->v.first;
    rdc_view_at(&bv->v, t);
    for (uint32_t k = 0; k < l->n_states; k++) {
        const rdc_sequence *s = &b->dstate[k], *down = b->down[k].block ? &b->down[k] : s;
        bv->dnext[k] = (rd_cspan){rdc_slot(down, t + 1) + row * s->width, s->width, s->width};
        bv->dprev[k] = (rd_span){rdc_slot(s, t) + row * s->width, s->width, s->width};
    }
    for (uint32_t j = 0; j < l->n_temps; j++) {
        const rdc_sequence *s = &b->dtemp[j];
        bv->dtemp[j] = (rd_span){s->at + row * s->width, s->width, s->width};
    }
    if (b->pass->rnn->cell->flags & RD_CELL_READS_X) {
        rd_real *dx = b->dx ? b->dx + (rdc_rows_before(b->pass, t) + row) * l->in : NULL;
        bv->v.step.dx = (rd_span){dx, l->in, l->in};
    }
}

/* The gradients of the last states of rows [first, last), into slot `slot`: what the step that was their last
 * finds there. */
static void start_rows(const struct backward *b, size_t slot, size_t first, size_t last)
{
    const rdc_pass *p = b->pass;
    for (uint32_t k = 0; k < p->rnn->layout->n_states; k++) {
        const rdc_sequence *s = &b->dstate[k];
        const size_t bytes = s->width * sizeof(rd_real);
        for (size_t i = first; i < last; i++) {
            rd_real *to = rdc_slot(s, slot) + i * s->width;
            if (b->dfinal[k] && rdc_row_ends(p, i))
                memcpy(to, b->dfinal[k] + rdc_user_row(p, i) * s->width, bytes);
            else
                memset(to, 0, bytes);
        }
    }
}

/* dL/ds(t) += dy(t) where dy lies as the user's rows do. */
static void add_scattered(const struct backward *b, size_t t, size_t first, size_t last)
{
    const rdc_sequence *s = &b->dstate[0];
    for (size_t i = first; i < last; i++) {
        rd_real *restrict to = rdc_slot(s, t + 1) + i * s->width;
        const rd_real *restrict dy = b->dy + rdc_valid_place(b->pass->valid, t, i) * s->width;
        for (size_t j = 0; j < s->width; j++) to[j] += dy[j];
    }
}

/* dL/ds(t) = what step t + 1 left, plus dy(t). +0 stands for a dy that nobody asked for, so that a
 * sequence and its steps one by one see the same addition. */
static void complete_dnext(const struct backward *b, size_t t, size_t first, size_t last)
{
    const rdc_layout *l = b->pass->rnn->layout;
    const size_t width = l->state[0].width, n = (last - first) * width;
    rd_real *restrict to = rdc_slot(&b->dstate[0], t + 1) + first * width;
    if (b->dy && b->pass->valid) {
        add_scattered(b, t, first, last);
    } else if (b->dy) {
        const rd_real *restrict dy = b->dy + (t * b->pass->rows + first) * width;
        for (size_t i = 0; i < n; i++) to[i] += dy[i];
    } else {
        for (size_t i = 0; i < n; i++) to[i] += 0;
    }
    for (uint32_t k = 0; k < l->n_states; k++) {
        const rdc_sequence *s = &b->dstate[k];
        if (l->state[k].flags & RD_STATE_STOP)
            memset(rdc_slot(s, t + 1) + first * s->width, 0,
                   (last - first) * s->width * sizeof(rd_real));
    }
}

static void zero_rows(const rdc_sequence *s, size_t t, size_t first, size_t last)
{
    memset(rdc_slot(s, t) + first * s->width, 0, (last - first) * s->width * sizeof(rd_real));
}

/* What a step adds to: the gradients of its sources, from +0 or, where zoneout is on, from what holding the
 * state hands on. */
static void begin_step(const struct backward *b, size_t t, size_t first, size_t last)
{
    const rdc_layout *l = b->pass->rnn->layout;
    for (uint32_t k = 0; k < l->n_states; k++) {
        const rdc_sequence *s = &b->dstate[k], *down = &b->down[k];
        if (!down->block) {
            zero_rows(s, t, first, last);
            continue;
        }
        const size_t at = first * s->width;
        const rdc_split split = {.d = rdc_slot(s, t + 1) + at,
                                 .own = rdc_slot(down, t + 1) + at,
                                 .before = rdc_slot(s, t) + at};
        rdc_noise_split(b->pass, k, &(rdc_rows){t, first, last}, &split);
    }
    for (uint32_t k = 0; k < l->n_temps; k++) zero_rows(&b->dtemp[k], t, first, last);
    for (uint32_t s = 0; b->pass->noise && s < rdc_source_count(l); s++)
        if (b->dfed[s].block) zero_rows(&b->dfed[s], t, first, last);
}

/* The gradient of a source out of that of its masked copy, which is complete. */
static void collect(const struct backward *b, uint32_t source, const rdc_rows *r)
{
    const rdc_sequence *dfed = &b->dfed[source];
    const uint32_t k = source - RDC_SOURCE_STATE, n_states = b->pass->rnn->layout->n_states;
    const rdc_sequence *to = k < n_states ? &b->dstate[k] : &b->dtemp[k - n_states];
    const size_t at = r->first * dfed->width;
    if (!dfed->block) return;
    rdc_noise_collect(b->pass, source, r, rdc_slot(dfed, r->t) + at, rdc_slot(to, r->t) + at);
}

/* Of the temps that a phase makes: before its turn. */
static void collect_temps(const struct backward *b, uint32_t phase, const rdc_rows *r)
{
    const rdc_layout *l = b->pass->rnn->layout;
    for (uint32_t j = 0; j < l->n_temps; j++)
        if (l->temp[j].phase == phase) collect(b, RDC_SOURCE_STATE + l->n_states + j, r);
}

/* dsource += dA M for the runs of one phase, but for x, which waits until the end. */
static void flow_back(const struct backward *b, uint32_t phase, size_t t, size_t first, size_t last)
{
    const rdc_pass *p = b->pass;
    const rd_rnn *rnn = p->rnn;
    const rdc_layout *l = rnn->layout;
    for (uint32_t r = 0; r < l->n_runs; r++) {
        const rdc_run *run = &l->run[r];
        if (run->phase != phase || run->source == RDC_SOURCE_X) continue;
        const uint32_t k = run->source - RDC_SOURCE_STATE;
        if (k < l->n_states && l->state[k].flags & RD_STATE_STOP) continue;
        const rdc_sequence *to = k < l->n_states ? &b->dstate[k] : &b->dtemp[k - l->n_states];
        if (rdc_is_masked(p, run)) to = &b->dfed[run->source];
        const rd_gemm g = {.size = sizeof(rd_gemm),
                           .flags = RD_ACCUMULATE | rnn->core->precision,
                           .m = last - first,
                           .n = run->source_width,
                           .k = run->width,
                           .a = rdc_slot(&p->line, t) + first * l->line_row + run->column,
                           .lda = l->line_row,
                           .b = rdc_run_weights(p, run),
                           .ldb = run->source_width,
                           .c = rdc_slot(to, t) + first * to->width,
                           .ldc = to->width,
                           .packed_b = rnn->backward_pack[r].block->at};
        rdc_step_product(p, &(rdc_rows){t, first, last}, &g, RD_WORK_DH);
    }
}

/* One backward call of the cell: rows [first, last), which are block `block` where there are vectors. */
static void call_cell(struct back_view *bv, const struct backward *b, size_t t, size_t block)
{
    const rdc_layout *l = b->pass->rnn->layout;
    const uint32_t phase = bv->v.step.phase;
    if (b->dvec) {
        const size_t blocks = rdc_row_blocks(b->pass->rows);
        rd_real *piece = b->dvec + ((t * blocks + block) * l->n_phases + phase) * l->vec_row;
        memset(piece, 0, l->vec_row * sizeof *piece);
        for (uint32_t i = 0; i < l->n_vecs; i++) bv->dvec[i] = piece + l->vec_column[i];
    }
    b->pass->rnn->cell->backward(&bv->v.step);
}

/* The cell's part of one phase for blocks [first_block, last_block), rule 6b. */
static void call_blocks(const struct backward *b, uint32_t phase, size_t t, size_t first_block,
                        size_t last_block)
{
    struct back_view bv;
    const size_t rows = b->pass->rows;
    for (size_t block = first_block; block < last_block; block++) {
        if (rdc_block_border(rows, block) >= rdc_active(b->pass, t)) break;
        open_view(&bv, b, rdc_block_border(rows, block), rdc_block_border(rows, block + 1));
        view_at(&bv, b, t);
        bv.v.step.phase = phase;
        call_cell(&bv, b, t, block);
    }
}

/* The cell's part of a phase for a worker's rows, which are blocks[0] to blocks[1]. */
static void call_rows(struct back_view *bv, const struct backward *b, size_t t,
                      const size_t blocks[2])
{
    RDC_TIMED(rdc_timed_core(b->pass, bv->v.first), RD_WORK_CELL_BACKWARD);
    if (b->dvec)
        call_blocks(b, bv->v.step.phase, t, blocks[0], blocks[1]);
    else
        call_cell(bv, b, t, 0);
}

/* [hot] */
static void run_worker(void *job, uint32_t worker, uint32_t workers)
{
    const struct backward *b = job;
    const rdc_layout *l = b->pass->rnn->layout;
    const size_t rows = b->pass->rows;
    const size_t first_block = rdc_worker_block(b->pass, worker, workers);
    const size_t last_block = rdc_worker_block(b->pass, worker + 1, workers);
    const size_t first = rdc_block_border(rows, first_block);
    const size_t last = rdc_block_border(rows, last_block);
    if (first == last) return;
    struct back_view bv;
    open_view(&bv, b, first, last);
    size_t begun = first;
    for (size_t t = b->pass->steps; t-- > 0;) {
        const size_t end = rdc_rows_end(b->pass, t, last);
        if (end <= first) continue;
        if (begun < end) start_rows(b, t + 1, begun, end);
        begun = end;
        complete_dnext(b, t, first, end);
        begin_step(b, t, first, end);
        view_at(&bv, b, t);
        const rdc_rows rows_now = {t, first, end};
        for (uint32_t phase = l->n_phases; phase-- > 0;) {
            if (b->pass->noise) collect_temps(b, phase, &rows_now);
            bv.v.step.phase = phase;
            call_rows(&bv, b, t, (size_t[2]){first_block, last_block});
            flow_back(b, phase, t, first, end);
        }
        for (uint32_t k = 0; b->pass->noise && k < l->n_states; k++)
            collect(b, RDC_SOURCE_STATE + k, &rows_now);
    }
    start_rows(b, 0, begun, last); /* without any step */
}

/* The tape has set the floating-point environment. */
static void run_loop(struct backward *b)
{
    RDC_TIMED(b->pass->rnn->core, RD_WORK_LOOP);
    if (rdc_pass_is_small(b->pass))
        run_worker(b, 0, 1);
    else
        rdc_pool_run(b->pass->rnn->core->pool, run_worker, b);
}

/* ---- around the time loop ------------------------------------------------------------------------ */

static rd_status pack_weights(const rdc_pass *p, bool want_x, rd_error *err)
{
    const rd_rnn *rnn = p->rnn;
    const rdc_layout *l = rnn->layout;
    for (uint32_t r = 0; r < l->n_runs; r++) {
        if (l->run[r].source == RDC_SOURCE_X && !want_x) continue;
        const rd_gemm g = {.size = sizeof(rd_gemm),
                           .flags = RD_ACCUMULATE | rnn->core->precision,
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
static rd_status open_noise_buffers(struct backward *b, rd_error *err)
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

/* Buffers of the time loop. */
static rd_status open_buffers(struct backward *b, const rdc_node *node, rd_error *err)
{
    const rdc_pass *p = b->pass;
    rd_rnn *rnn = p->rnn;
    const rdc_layout *l = rnn->layout;
    const bool seen = rnn->observed && rnn->observer.backward;
    for (uint32_t k = 0; k < l->n_states; k++) {
        rdc_sequence *s = &b->dstate[k];
        const size_t slots = seen ? p->steps + 1 : 2;
        RD_TRY(rdc_sequence_new(rnn->core, s, slots, p->rows, l->state[k].width, err));
        const rd_tensor *dfinal = k + 1 < node->n_out ? node->dout[k + 1] : NULL;
        b->dfinal[k] = dfinal ? dfinal->at : NULL;
    }
    for (uint32_t j = 0; j < l->n_temps; j++)
        RD_TRY(rdc_sequence_new(rnn->core, &b->dtemp[j], 1, p->rows, l->temp[j].width, err));
    if (p->noise) RD_TRY(open_noise_buffers(b, err));
    b->dy = node->dout[0] ? node->dout[0]->at : NULL;
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

static void close_buffers(struct backward *b)
{
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
}

/* dx += dA M_x, last phase first, for all rows of all steps (rule 5). */
static rd_status add_input_products(const rdc_pass *p, rd_real *dx, rd_error *err)
{
    const rd_rnn *rnn = p->rnn;
    const rdc_layout *l = rnn->layout;
    for (uint32_t phase = l->n_phases; phase-- > 0;) {
        for (uint32_t r = 0; r < l->n_runs; r++) {
            const rdc_run *run = &l->run[r];
            if (run->phase != phase || run->source != RDC_SOURCE_X) continue;
            const rd_gemm g = {.size = sizeof(rd_gemm),
                               .flags = RD_ACCUMULATE | rnn->core->precision,
                               .m = p->total,
                               .n = l->in,
                               .k = run->width,
                               .a = p->line.at + run->column,
                               .lda = l->line_row,
                               .b = rdc_run_weights(p, run),
                               .ldb = l->in,
                               .c = dx,
                               .ldc = l->in,
                               .packed_b = rnn->backward_pack[r].block->at};
            RDC_TIMED(rnn->core, RD_WORK_DX);
            RD_TRY(rdc_product_shared(rnn->core, &g, err));
        }
    }
    return RD_OK;
}

/* dx starts at the cell's direct terms or +0; masked, it takes on the whole gradient of the copy. */
static rd_status input_gradient(const rdc_pass *p, rd_real *dx, rd_error *err)
{
    if (!p->noise || !p->noise->mask[RDC_SOURCE_X].block) return add_input_products(p, dx, err);
    rdc_arena *arena = p->rnn->core->arena;
    const size_t bytes = p->total * p->rnn->layout->in * sizeof(rd_real);
    rdc_block *dfed = rdc_block_new(arena, bytes);
    if (!dfed) return rdc_no_memory(err, bytes);
    memset(dfed->at, 0, bytes);
    const rd_status status = add_input_products(p, dfed->at, err);
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
static void add_given(const struct backward *b, uint32_t k, rd_tensor *din)
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
static void add_first(const struct backward *b, uint32_t k, rd_tensor *din)
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

static void show_observer(const struct backward *b)
{
    struct back_view bv;
    const rdc_pass *p = b->pass;
    const rdc_layout *l = p->rnn->layout;
    open_view(&bv, b, 0, p->rows);
    for (size_t t = p->steps; t-- > 0;) {
        rd_observed seen = rdc_observed(&bv.v, t);
        view_at(&bv, b, t);
        seen.dstate = bv.dnext;
        const rd_real *x = p->ids ? NULL : rdc_source_at(p, RDC_SOURCE_X, t, 0);
        seen.x = (rd_cspan){x, l->in, l->in};
        p->rnn->observer.backward(p->rnn->observer.user, &seen);
    }
}

/* Runs the loop and hands out its results. The lines of `pass` become dL/da. */
static rd_status play(struct backward *b, rdc_node *node, rd_error *err)
{
    const rdc_pass *p = b->pass;
    rd_rnn *rnn = p->rnn;
    rdc_arena *arena = rnn->core->arena;
    const uint32_t n_states = rnn->layout->n_states;
    rd_tensor *din_x = node->din[0];
    const size_t n_x = p->total * rnn->layout->in;
    rdc_block *apart =
        NULL; /* a leaf's gradient may hold earlier contributions: ours is made complete */
    rd_status status = pack_weights(p, din_x != NULL, err);
    if (status != RD_OK) return status;
    const bool leaf = node->in[0].leaf != NULL;
    if (din_x && (leaf || p->valid)) {
        apart = rdc_block_new(arena, n_x * sizeof(rd_real));
        if (!apart) return rdc_no_memory(err, n_x * sizeof(rd_real));
        memset(apart->at, 0, n_x * sizeof(rd_real));
    }
    rd_real *dx = apart ? apart->at : din_x ? din_x->at : NULL;
    if (rnn->cell->flags & RD_CELL_READS_X) b->dx = dx;
    run_loop(b);
    if (dx) status = input_gradient(p, dx, err);
    if (apart && status == RD_OK && p->valid) {
        rdc_valid_scatter(p->valid, rnn->layout->in, apart->at, din_x->at, leaf);
    } else if (apart && status == RD_OK) {
        struct add_job job = {din_x->at, apart->at};
        rdc_pool_range(rnn->core->pool, n_x, 1 << 14, add_range, &job);
    }
    rdc_block_release(arena, apart);
    rd_tensor *const *dfirst = node->din + 1 + n_states + rnn->layout->n_parameters;
    for (uint32_t k = 0; k < n_states; k++) {
        if (node->din[1 + k]) add_given(b, k, node->din[1 + k]);
        if (dfirst[k]) add_first(b, k, dfirst[k]);
    }
    const rdc_weight_job job = {p, node->din + 1 + n_states, b->dvec};
    if (status == RD_OK) status = rdc_weight_gradients(&job, err);
    if (status == RD_OK && rnn->observed && rnn->observer.backward) show_observer(b);
    return status;
}

static rd_status rnn_backward(rdc_node *node, rd_error *err)
{
    rdc_pass own = *(const rdc_pass *)node->state;
    rd_core *core = node->core;
    struct backward b = {.pass = &own};
    rd_status status = RD_OK;
    own.line.block = NULL;
    if (node->retained) { /* to be played again: dL/da must not replace what forward left */
        const rdc_pass *kept = node->state;
        status = rdc_sequence_per_step(kept, &own.line, kept->line.width, err);
        if (status != RD_OK) return status;
        memcpy(own.line.at, kept->line.at, own.total * own.line.width * sizeof(rd_real));
    }
    status = open_buffers(&b, node, err);
    if (status == RD_OK) {
        status = play(&b, node, err);
        /* out of memory half way: what forward left is gone, and another root must not play it */
        node->lost = status != RD_OK && !node->retained;
    }
    close_buffers(&b);
    rdc_block_release(core->arena, own.line.block);
    return status;
}

static void rnn_dispose(rdc_node *node)
{
    rdc_pass_free(node->state);
}

const rdc_op rdc_rnn_op = {.name = "rnn", .backward = rnn_backward, .dispose = rnn_dispose};
