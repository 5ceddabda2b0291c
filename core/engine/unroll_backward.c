/* unroll_backward.c - backpropagation through time.
 *
 * A step, last first (bit contract, rule 5): dL/ds(t) is complete once dy(t) is added; dprev and dtemp
 * start at +0; for each phase, last first, the cell turns its lines into dL/da and adds direct terms, and
 * then dsource += dA M over the lines in id order. What is done once around it is in rnn_backward.c.
 *
 * dL/ds lies in two slots that take turns, slot t + 1 being the gradient of the state after step t; with
 * an observer there is a slot for every step.
 * With regularisers (noise.h) dprev starts at what a held state hands on, and a source with a mask gets the
 * complete gradient of its copy, times the mask: a temp before its phase, a state and x at the end.
 * SPDX-License-Identifier: MIT */
#include "engine/unroll.h"
#include <assert.h>
#include <string.h>

/* The spans of one backward call. */
struct back_view {
    rdc_view v;
    rd_cspan dnext[RDC_MAX_STATES];
    rd_span dprev[RDC_MAX_STATES], dtemp[RDC_MAX_TEMPS];
    rd_real *dvec[RDC_MAX_VECS];
};

static void open_view(struct back_view *bv, const rdc_backward *b, size_t first, size_t last)
{
    rdc_view_open(&bv->v, b->pass, first, last);
    bv->v.step.dnext = bv->dnext;
    bv->v.step.dprev = bv->dprev;
    bv->v.step.dtemp = bv->dtemp;
    bv->v.step.dvec = bv->dvec;
}

static void view_at(struct back_view *bv, const rdc_backward *b, size_t t)
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
static void start_rows(const rdc_backward *b, size_t slot, size_t first, size_t last)
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
static void add_scattered(const rdc_backward *b, size_t t, size_t first, size_t last)
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
static void complete_dnext(const rdc_backward *b, size_t t, size_t first, size_t last)
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
static void begin_step(const rdc_backward *b, size_t t, size_t first, size_t last)
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
static void collect(const rdc_backward *b, uint32_t source, const rdc_rows *r)
{
    const rdc_sequence *dfed = &b->dfed[source];
    const uint32_t k = source - RDC_SOURCE_STATE, n_states = b->pass->rnn->layout->n_states;
    const rdc_sequence *to = k < n_states ? &b->dstate[k] : &b->dtemp[k - n_states];
    const size_t at = r->first * dfed->width;
    if (!dfed->block) return;
    rdc_noise_collect(b->pass, source, r, rdc_slot(dfed, r->t) + at, rdc_slot(to, r->t) + at);
}

/* Of the temps that a phase makes: before its turn. */
static void collect_temps(const rdc_backward *b, uint32_t phase, const rdc_rows *r)
{
    const rdc_layout *l = b->pass->rnn->layout;
    for (uint32_t j = 0; j < l->n_temps; j++)
        if (l->temp[j].phase == phase) collect(b, RDC_SOURCE_STATE + l->n_states + j, r);
}

/* dsource += dA M for the runs of one phase, but for x, which waits until the end. */
static void flow_back(const rdc_backward *b, uint32_t phase, size_t t, size_t first, size_t last)
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
                           .flags = RD_ACCUMULATE | rdc_precision(rnn->core),
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
static void call_cell(struct back_view *bv, const rdc_backward *b, size_t t, size_t block)
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
static void call_blocks(const rdc_backward *b, uint32_t phase, size_t t, size_t first_block,
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

/* The cell's part of a phase for a worker's rows. */
static void call_rows(struct back_view *bv, const rdc_backward *b, size_t t,
                      const rdc_back_part *part)
{
    RDC_TIMED(rdc_timed_core(b->pass, bv->v.first), RD_WORK_CELL_BACKWARD);
    if (b->dvec)
        call_blocks(b, bv->v.step.phase, t, part->first_block, part->last_block);
    else
        call_cell(bv, b, t, 0);
}

void rdc_unroll_backward(const rdc_backward *b, const rdc_back_part *part)
{
    const rdc_layout *l = b->pass->rnn->layout;
    const size_t rows = b->pass->rows, steps = b->pass->steps;
    const size_t first = rdc_block_border(rows, part->first_block);
    const size_t last = rdc_block_border(rows, part->last_block);
    if (first == last) return;
    struct back_view bv;
    open_view(&bv, b, first, last);
    size_t begun = part->to < steps ? rdc_rows_end(b->pass, part->to, last) : first;
    if (begun < first) begun = first;
    for (size_t t = part->to; t-- > part->from;) {
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
            call_rows(&bv, b, t, part);
            flow_back(b, phase, t, first, end);
        }
        for (uint32_t k = 0; b->pass->noise && k < l->n_states; k++)
            collect(b, RDC_SOURCE_STATE + k, &rows_now);
    }
    if (part->from == 0) start_rows(b, 0, begun, last); /* without any step */
}

rd_status rdc_input_products(const rdc_pass *p, size_t from, size_t to, rd_real *dx, rd_error *err)
{
    const rd_rnn *rnn = p->rnn;
    const rdc_layout *l = rnn->layout;
    const size_t before = rdc_rows_before(p, from), after = rdc_rows_before(p, to);
    for (uint32_t phase = l->n_phases; phase-- > 0;) {
        for (uint32_t r = 0; r < l->n_runs; r++) {
            const rdc_run *run = &l->run[r];
            if (run->phase != phase || run->source != RDC_SOURCE_X) continue;
            const rd_gemm g = {.size = sizeof(rd_gemm),
                               .flags = RD_ACCUMULATE | rdc_precision(rnn->core),
                               .m = after - before,
                               .n = l->in,
                               .k = run->width,
                               .a = p->line.at + before * l->line_row + run->column,
                               .lda = l->line_row,
                               .b = rdc_run_weights(p, run),
                               .ldb = l->in,
                               .c = dx + before * l->in,
                               .ldc = l->in,
                               .packed_b = rnn->backward_pack[r].block->at};
            RDC_TIMED(rnn->core, RD_WORK_DX);
            if (p->beside)
                rdc_product(rnn->core, &g);
            else
                RD_TRY(rdc_product_shared(rnn->core, &g, err));
        }
    }
    return RD_OK;
}

void rdc_show_backward(const rdc_backward *b)
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
