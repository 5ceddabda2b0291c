/* unroll_forward.c - a cell run over a sequence.
 *
 * A step forms each line as start, then x, then states by id, then temps by id (bit contract, rule 4) and
 * calls the cell. Rows never meet, so each worker takes its rows through all steps without a barrier.
 * The product with x is made
 *     fused:   for a worker's rows of one step, while they are in cache, where a step has many rows;
 *     hoisted: for all rows of many steps at once, shared among the workers, where it has few;
 *     looked up in a table of `start + column of W_x` for every id, where x is one-hot.
 * The bits are the same, since the order within each sum is.
 * SPDX-License-Identifier: MIT */
#include "base/lanes.h"
#include "engine/unroll.h"
#include "rondo/pointmath.h"
#include <assert.h>
#include <string.h>

enum {
    FUSE_ROWS = 32,          /* rows a step must have for the product with x to be fused */
    HOIST_ROWS = 256,        /* rows hoisted at once when nothing is kept */
    TABLE_MAX = 4 << 20,     /* elements a table of one-hot input may have */
    TABLE_ALWAYS = 256 << 10 /* so few are worth making for a single step: it is made once */
};

/* start: +0, b, or the rounded sum of b_x and b_h (rule 4). */
static void make_start(const rd_rnn *rnn, rd_real *start)
{
    const rdc_layout *l = rnn->layout;
    const rd_real *weights = rnn->weights->at;
    memset(start, 0, l->line_row * sizeof *start);
    for (uint32_t i = 0; i < l->n_parameters; i++) {
        const rdc_parameter *p = &l->parameter[i];
        if (p->role == RDC_MATRIX || p->role == RDC_VECTOR) continue;
        rd_real *to = start + l->column[p->line];
        const rd_real *b = weights + p->at;
        /* b_x is registered before the b_h of its line */
        const bool sum = p->role == RDC_BIAS_H && l->line[p->line].flags & RD_BIAS_X;
        for (size_t j = 0; j < p->shape[0]; j++) to[j] = sum ? to[j] + b[j] : b[j];
    }
}

struct table_job {
    const rd_rnn *rnn;
    const rd_real *start; /* or NULL: zeros, for columns that are scaled row by row */
    rd_real *table;
};

/* Table rows [first, last): id 0 is absent and leaves start; id k adds column k-1 of every W_x. */
static void fill_table(void *job, size_t first, size_t last)
{
    const struct table_job *j = job;
    const rdc_layout *l = j->rnn->layout;
    const rd_real *weights = j->rnn->weights->at;
    for (size_t id = first; id < last; id++) {
        rd_real *row = j->table + id * l->line_row;
        if (j->start)
            memcpy(row, j->start, l->line_row * sizeof *row);
        else
            memset(row, 0, l->line_row * sizeof *row);
        if (id == 0) continue;
        for (uint32_t r = 0; r < l->n_runs; r++) {
            const rdc_run *run = &l->run[r];
            if (run->source != RDC_SOURCE_X) continue;
            const rd_real *column = weights + run->at + (id - 1);
            for (uint32_t i = 0; i < run->width; i++)
                row[run->column + i] += column[(size_t)i * run->source_width];
        }
    }
}

/* The table of one-hot input, kept until the weights change; NULL where it would not pay. */
static rd_status make_table(rdc_forward *f, rd_error *err)
{
    rd_rnn *rnn = f->pass->rnn;
    RDC_TIMED(rnn->core, RD_WORK_IDS);
    const rdc_layout *l = rnn->layout;
    rdc_packed *table = &rnn->table;
    size_t n;
    if (!rdc_mul_size((size_t)l->in + 1, l->line_row, &n) || n > TABLE_MAX) return RD_OK;
    const bool scaled = f->id_scale != NULL;
    if (!table->block || table->version != rnn->weights->version ||
        rnn->table_is_scaled != scaled) {
        if (n > TABLE_ALWAYS && f->ids_to_come < l->in / 4) return RD_OK;
        if (!table->block) table->block = rdc_block_new(rnn->core->arena, n * sizeof(rd_real));
        if (!table->block) return rdc_no_memory(err, n * sizeof(rd_real));
        struct table_job job = {rnn, scaled ? NULL : f->start->at, table->block->at};
        rdc_pool_range(rnn->core->pool, (size_t)l->in + 1, rdc_grain(l->line_row), fill_table,
                       &job);
        table->version = rnn->weights->version;
        rnn->table_is_scaled = scaled;
    }
    f->table = table->block->at;
    return RD_OK;
}

/* Adds the column of W_x that id names to the lines it feeds: a gather (rule 3); with a scale by fma, as the
 * product with a masked x does. */
RD_CLONES static void pick_columns(const rd_rnn *rnn, int32_t id, const rd_real *scale,
                                   rd_real *row)
{
    const rdc_layout *l = rnn->layout;
    const rd_real *weights = rnn->weights->at;
    if (id == 0) return;
    for (uint32_t r = 0; r < l->n_runs; r++) {
        const rdc_run *run = &l->run[r];
        if (run->source != RDC_SOURCE_X) continue;
        const rd_real *column = weights + run->at + (id - 1);
        for (uint32_t i = 0; i < run->width; i++) {
            const rd_real w = column[(size_t)i * run->source_width];
            rd_real *to = &row[run->column + i];
            *to = scale ? rd_fma(*scale, w, *to) : *to + w;
        }
    }
}

RD_CLONES static void scale_columns(size_t n, rd_real scale, const rd_real *restrict columns,
                                    rd_real *restrict row)
{
    for (size_t i = 0; i < n; i++) row[i] = rd_fma(scale, columns[i], row[i]);
}

/* Rows [first, last) of step t, before any product but that with one-hot x. */
static void start_lines(const rdc_forward *f, size_t t, size_t first, size_t last)
{
    const rdc_pass *p = f->pass;
    RDC_TIMED(p->ids ? rdc_timed_core(p, first) : NULL, RD_WORK_IDS);
    const size_t width = p->rnn->layout->line_row;
    rd_real *row = rdc_slot(&p->line, t) + first * width;
    const size_t before = rdc_rows_before(p, t);
    const int32_t *ids = p->ids ? (const int32_t *)p->ids->at + before : NULL;
    for (size_t r = first; r < last; r++, row += width) {
        const rd_real *found = ids && f->table ? f->table + (size_t)ids[r] * width : NULL;
        memcpy(row, found && !f->id_scale ? found : f->start->at, width * sizeof *row);
        const rd_real *scale = f->id_scale ? f->id_scale + before + r : NULL;
        if (found && scale) scale_columns(width, *scale, found, row);
        if (ids && !found) pick_columns(p->rnn, ids[r], scale, row);
    }
}

static rd_gemm line_product(const rdc_pass *p, uint32_t run_index, size_t t, size_t first,
                            size_t rows)
{
    const rd_rnn *rnn = p->rnn;
    const rdc_run *run = &rnn->layout->run[run_index];
    const size_t width = rnn->layout->line_row;
    return (rd_gemm){
        .size = sizeof(rd_gemm),
        .flags = RD_TRANS_B | RD_ACCUMULATE | rdc_cell_precision(rnn->core, run->source_width),
        .m = rows,
        .n = run->width,
        .k = run->source_width,
        .a = rdc_fed_at(p, run, t, first),
        .lda = run->source_width,
        .b = rdc_run_weights(p, run),
        .ldb = run->source_width,
        .c = rdc_slot(&p->line, t) + first * width + run->column,
        .ldc = width,
        .packed_b =
            rnn->forward_pack[run_index].block ? rnn->forward_pack[run_index].block->at : NULL};
}

/* Masks what a phase has made. */
static void feed_temps(const rdc_pass *p, uint32_t phase, const rdc_rows *rows)
{
    const rdc_layout *l = p->rnn->layout;
    for (uint32_t j = 0; j < l->n_temps; j++)
        if (l->temp[j].phase == phase) rdc_noise_feed(p, RDC_SOURCE_STATE + l->n_states + j, rows);
}

/* Rows [first, last) through steps [from, to). [hot] */
static void run_rows(const rdc_forward *f, size_t first, size_t last)
{
    const rdc_pass *p = f->pass;
    const rd_rnn *rnn = p->rnn;
    const rdc_layout *l = rnn->layout;
    const bool x_done = f->hoist || p->ids;
    rdc_view v;
    rdc_view_open(&v, p, first, last);
    for (size_t t = f->from; t < f->to; t++) {
        const size_t end = rdc_rows_end(p, t, last);
        if (end <= first) break; /* rows end from the last to the first */
        if (!f->hoist) start_lines(f, t, first, end);
        rdc_view_at(&v, t);
        for (uint32_t k = 0; p->noise && k < l->n_states; k++)
            rdc_noise_feed(p, RDC_SOURCE_STATE + k, &(rdc_rows){t, first, end});
        for (uint32_t phase = 0, r = 0; phase < l->n_phases; phase++) {
            for (; r < l->n_runs && l->run[r].phase == phase; r++) {
                if (l->run[r].source == RDC_SOURCE_X && x_done) continue;
                const bool x = l->run[r].source == RDC_SOURCE_X;
                const rd_gemm g = line_product(p, r, t, first, end - first);
                rdc_step_product(p, &(rdc_rows){t, first, end}, &g,
                                 x ? RD_WORK_X : RD_WORK_RECURRENT);
            }
            v.step.phase = phase;
            RDC_TIMED(rdc_timed_core(p, first), RD_WORK_CELL_FORWARD);
            rnn->cell->forward(&v.step);
            if (p->noise) feed_temps(p, phase, &(rdc_rows){t, first, end});
        }
        for (uint32_t k = 0; p->noise && k < l->n_states; k++)
            rdc_noise_hold(p, k, &(rdc_rows){t, first, end});
    }
}

static void run_worker(void *job, uint32_t worker, uint32_t workers)
{
    const rdc_forward *f = job;
    const size_t rows = f->pass->rows;
    const size_t first = rdc_block_border(rows, rdc_worker_block(f->pass, worker, workers));
    const size_t last = rdc_block_border(rows, rdc_worker_block(f->pass, worker + 1, workers));
    if (first < last) run_rows(f, first, last);
}

static void start_all(void *job, size_t first, size_t last)
{
    const rdc_forward *f = job;
    for (size_t t = first; t < last; t++)
        start_lines(f, f->from + t, 0, rdc_active(f->pass, f->from + t));
}

/* The products with x of steps [from, to), shared unless other passes run beside this one. */
static rd_status hoist(rdc_forward *f, rd_error *err)
{
    rdc_pass *p = f->pass;
    rd_core *core = p->rnn->core;
    const rdc_layout *l = p->rnn->layout;
    if (p->beside)
        start_all(f, 0, f->to - f->from);
    else
        rdc_pool_range(core->pool, f->to - f->from, rdc_grain(p->line.step), start_all, f);
    for (uint32_t r = 0; r < l->n_runs; r++) {
        if (l->run[r].source != RDC_SOURCE_X) continue;
        const size_t rows = rdc_rows_before(p, f->to) - rdc_rows_before(p, f->from);
        const rd_gemm g = line_product(p, r, f->from, 0, rows);
        RDC_TIMED(core, RD_WORK_X);
        if (p->beside)
            rdc_product(core, &g);
        else
            RD_TRY(rdc_product_shared(core, &g, err));
    }
    return RD_OK;
}

static rd_status pack_weights(const rdc_pass *p, rd_error *err)
{
    const rd_rnn *rnn = p->rnn;
    const rdc_layout *l = rnn->layout;
    for (uint32_t r = 0; r < l->n_runs; r++) {
        if (l->run[r].source == RDC_SOURCE_X && p->ids) continue;
        const rd_gemm g = {.size = sizeof(rd_gemm),
                           .flags = RD_TRANS_B | RD_ACCUMULATE |
                                    rdc_cell_precision(rnn->core, l->run[r].source_width),
                           .n = l->run[r].width,
                           .k = l->run[r].source_width,
                           .b = rdc_run_weights(p, &l->run[r]),
                           .ldb = l->run[r].source_width};
        const uint64_t version = rdc_run_version(p, &l->run[r]);
        RD_TRY(rdc_pack(rnn->core, &g, version, &rnn->forward_pack[r], err));
    }
    return RD_OK;
}

static void show_observer(const rdc_pass *p)
{
    rdc_view v;
    rdc_view_open(&v, p, 0, p->rows);
    for (size_t t = 0; t < p->steps; t++) {
        const rd_observed seen = rdc_observed(&v, t);
        p->rnn->observer.forward(p->rnn->observer.user, &seen);
    }
}

/* Allocates the lines where the run keeps nothing: as many steps as are hoisted at once. */
static rd_status lines_for(rdc_forward *f, rd_error *err)
{
    rdc_pass *p = f->pass;
    size_t slots = 1;
    if (p->line.block) return RD_OK;
    if (f->hoist) slots = f->ahead;
    if (slots > p->steps) slots = p->steps;
    return rdc_sequence_new(p->rnn->core, &p->line, slots, p->rows, p->rnn->layout->line_row, err);
}

rd_status rdc_forward_ready(rdc_forward *f, rd_error *err)
{
    rdc_pass *pass = f->pass;
    const rd_rnn *rnn = pass->rnn;
    const size_t bytes = rnn->layout->line_row * sizeof(rd_real);
    if (pass->noise && pass->noise->id_scale) f->id_scale = pass->noise->id_scale->at;
    RD_TRY(lines_for(f, err));
    if (!f->start) f->start = rdc_block_new(rnn->core->arena, bytes);
    if (!f->start) return rdc_no_memory(err, bytes);
    make_start(rnn, f->start->at);
    RD_TRY(pack_weights(pass, err));
    return pass->ids ? make_table(f, err) : RD_OK;
}

void rdc_forward_run(rdc_forward *f)
{
    RDC_TIMED(f->pass->rnn->core, RD_WORK_LOOP);
    if (rdc_pass_is_small(f->pass))
        run_worker(f, 0, 1);
    else
        rdc_pool_run(f->pass->rnn->core->pool, run_worker, f);
}

/* lane_steps: 0 where passes run one after the other. */
static rd_status open_forward(rdc_forward *f, rdc_pass *pass, size_t lane_steps, rd_error *err)
{
    f->pass = pass;
    f->ahead = lane_steps ? lane_steps : HOIST_ROWS / pass->rows;
    f->ids_to_come = pass->total;
    f->hoist = !pass->ids && pass->rows < FUSE_ROWS && pass->steps > 1;
    if (pass->valid && !pass->line.block) f->hoist = false; /* lines used again are not packed */
    return rdc_forward_ready(f, err);
}

/* One pass through all steps, its rows shared. */
static rd_status run_pass(rdc_forward *f, rd_error *err)
{
    const rdc_pass *pass = f->pass;
    const size_t stretch = f->hoist ? pass->line.slots : pass->steps;
    for (f->from = 0; f->from < pass->steps; f->from = f->to) {
        f->to = pass->steps - f->from > stretch ? f->from + stretch : pass->steps;
        if (f->hoist) RD_TRY(hoist(f, err));
        rdc_forward_run(f);
    }
    return RD_OK;
}

struct wave {
    rdc_forward *f;
    size_t size; /* steps of a chunk */
};

static void run_chunk(void *job, uint32_t lane, size_t chunk)
{
    const struct wave *w = job;
    rdc_forward *f = &w->f[lane];
    f->from = chunk * w->size;
    f->to = f->pass->steps - f->from > w->size ? f->from + w->size : f->pass->steps;
    if (f->hoist) (void)hoist(f, NULL); /* asks for no memory beside others */
    run_rows(f, 0, f->pass->rows);
}

/* All passes at once, chunk by chunk. */
static void run_lanes(const rdc_stack *s, rdc_forward f[RDC_MAX_STACK])
{
    struct wave w = {f, rdc_lane_steps(s)};
    rdc_lanes lanes = {.n = s->n, .run = run_chunk, .job = &w};
    for (uint32_t k = 0; k < s->n; k++) {
        lanes.chunks[k] = (s->pass[k]->steps + w.size - 1) / w.size;
        lanes.follows[k] = s->chained[k];
        s->pass[k]->beside = true;
    }
    rdc_lanes_run(s->pass[0]->rnn->core->pool, &lanes);
    for (uint32_t k = 0; k < s->n; k++) s->pass[k]->beside = false;
}

rd_status rdc_unroll_forward(rdc_stack *s, rd_error *err)
{
    rdc_forward f[RDC_MAX_STACK] = {{0}};
    const uint64_t env = rdc_fp_enter();
    rd_status status = RD_OK;
    const bool at_once = rdc_runs_in_lanes(s);
    for (uint32_t k = 0; status == RD_OK && k < s->n; k++)
        status = open_forward(&f[k], s->pass[k], at_once ? rdc_lane_steps(s) : 0, err);
    if (status == RD_OK && at_once)
        run_lanes(s, f);
    else
        for (uint32_t k = 0; status == RD_OK && k < s->n; k++) status = run_pass(&f[k], err);
    for (uint32_t k = 0; k < s->n; k++) {
        const rd_rnn *rnn = s->pass[k]->rnn;
        if (status == RD_OK && rnn->observed && rnn->observer.forward) show_observer(s->pass[k]);
        rdc_block_release(rnn->core->arena, f[k].start);
    }
    rdc_fp_leave(env);
    return status;
}
