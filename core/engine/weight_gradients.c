/* weight_gradients.c - dL/dM, dL/db and the gradients of vectors, from the dL/da of all steps.
 *
 * Every sum over rows runs from the last row of the last step to the first row of the first and continues
 * on what is in the gradient (bit contract, rule 6), so that a sequence cut into chunks, whose last chunk is
 * played first, adds up to the same bits.
 * SPDX-License-Identifier: MIT */
#include "engine/unroll.h"
#include "rondo/pointmath.h"
#include "rondo_parts.h"
#include <assert.h>
#include <string.h>

enum { COLUMNS = 64, SCATTER_MAX = 4 << 20, AT_ONCE = RD_PACKED_AT_ONCE / sizeof(rd_real) };

/* Whole panels of columns that make a worker's share. */
static size_t column_grain(const rdc_pass *p)
{
    return COLUMNS * rdc_grain(COLUMNS * p->total);
}

/* The gradient of one line's matrix, or NULL. */
static rd_real *matrix_gradient(const rdc_weight_job *j, uint32_t line, uint32_t source)
{
    const rdc_layout *l = j->pass->rnn->layout;
    for (uint32_t i = 0; i < l->n_parameters; i++) {
        const rdc_parameter *p = &l->parameter[i];
        if (p->role == RDC_MATRIX && p->line == line && p->source == source)
            return j->gradient[i] ? j->gradient[i]->at : NULL;
    }
    return NULL;
}

/* Neighbouring lines of a run whose gradients are neighbours too: one product. */
struct stretch {
    uint32_t column, width;
    rd_real *gradient;
};

/* Cuts a run into stretches; lines whose gradient is not wanted are left out. */
static uint32_t cut_run(const rdc_weight_job *j, const rdc_run *run,
                        struct stretch stretch[RDC_MAX_LINES])
{
    const rdc_layout *l = j->pass->rnn->layout;
    uint32_t n = 0;
    for (uint32_t i = run->first_line; i < run->first_line + run->n_lines; i++) {
        const uint32_t line = l->line_at[i], width = l->line[line].width;
        rd_real *g = matrix_gradient(j, line, run->source);
        if (!g) continue;
        struct stretch *s = n > 0 ? &stretch[n - 1] : NULL;
        if (s && s->column + s->width == l->column[line] &&
            s->gradient + (size_t)s->width * run->source_width == g)
            s->width += width;
        else
            stretch[n++] = (struct stretch){l->column[line], width, g};
    }
    return n;
}

/* Steps [from, to), whose rows are neighbours in the lines and in the source. */
static rd_status add_steps(const rdc_weight_job *j, const rdc_run *run, const struct stretch *s,
                           const size_t steps[2], rd_error *err)
{
    const rdc_pass *p = j->pass;
    rd_core *core = p->rnn->core;
    const uint32_t row = p->rnn->layout->line_row;
    const size_t before = rdc_rows_before(p, steps[0]);
    const rd_gemm g = {.size = sizeof(rd_gemm),
                       .flags = RD_TRANS_A | RD_ACCUMULATE | RD_K_DOWN | rdc_precision(core),
                       .m = s->width,
                       .n = run->source_width,
                       .k = rdc_rows_before(p, steps[1]) - before,
                       .a = p->line.at + before * row + s->column,
                       .lda = row,
                       .b = rdc_fed_at(p, run, steps[0], 0),
                       .ldb = run->source_width,
                       .c = s->gradient,
                       .ldc = run->source_width};
    RDC_TIMED(core, RD_WORK_WEIGHTS);
    return rdc_product_shared(core, &g, err);
}

/* Steps before `to` whose rows of one source are multiplied at once: as many as stay in a cache packed. */
static size_t steps_at_once(const rdc_pass *p, const rdc_run *run, size_t to)
{
    const size_t number = p->rnn->core->precision & RD_BF16 ? 2 : 1; /* in the place of one */
    const size_t rows = number * AT_ONCE / run->source_width;
    size_t from = to - 1;
    while (from > 0 && rdc_rows_before(p, to) - rdc_rows_before(p, from - 1) <= rows) from--;
    return to - from;
}

/* Products of many steps at once, the last first. States have places for rows that have ended, so that a step
 * in which not all take part is one by itself. */
static rd_status dense_gradient(const rdc_weight_job *j, const rdc_run *run,
                                const struct stretch *s, rd_error *err)
{
    const rdc_pass *p = j->pass;
    const bool state = run->source >= RDC_SOURCE_STATE &&
                       run->source < RDC_SOURCE_STATE + p->rnn->layout->n_states;
    for (size_t to = p->steps, n; to > 0; to -= n) {
        n = state && rdc_active(p, to - 1) < p->rows ? 1 : steps_at_once(p, run, to);
        RD_TRY(add_steps(j, run, s, (size_t[2]){to - n, to}, err));
    }
    return RD_OK;
}

/* One-hot x: row r adds its dL/da to column id(r) - 1 of the gradient; where x is masked, scaled. */
struct scatter {
    const rdc_pass *pass;
    const struct stretch *s;
    size_t n_ids;
    const rd_real *scale; /* [total] or NULL */
    rd_real
        *turned; /* [n_ids][width] where rows outnumber ids: columns become rows for the while */
};

RD_INLINE void scatter_turned(const struct scatter *c, size_t first, size_t last)
{
    const rdc_pass *p = c->pass;
    const size_t width = c->s->width, row = p->rnn->layout->line_row, n = last - first;
    const int32_t *ids = p->ids->at;
    for (size_t id = 0; id < c->n_ids; id++)
        for (size_t i = first; i < last; i++)
            c->turned[id * width + i] = c->s->gradient[i * c->n_ids + id];
    for (size_t r = p->total; r-- > 0;) {
        if (ids[r] == 0) continue;
        rd_real *restrict to = c->turned + (size_t)(ids[r] - 1) * width + first;
        const rd_real *restrict da = p->line.at + r * row + c->s->column + first;
        if (c->scale) {
            const rd_real scale = c->scale[r];
            for (size_t i = 0; i < n; i++) to[i] = rd_fma(scale, da[i], to[i]);
        } else {
            for (size_t i = 0; i < n; i++) to[i] += da[i];
        }
    }
    for (size_t i = first; i < last; i++)
        for (size_t id = 0; id < c->n_ids; id++)
            c->s->gradient[i * c->n_ids + id] = c->turned[id * width + i];
}

RD_CLONES static void scatter_columns(void *job, size_t first, size_t last)
{
    const struct scatter *c = job;
    const rdc_pass *p = c->pass;
    const int32_t *ids = p->ids->at;
    if (c->turned) {
        scatter_turned(c, first, last);
        return;
    }
    for (size_t r = p->total; r-- > 0;) {
        if (ids[r] == 0) continue;
        const rd_real *da = p->line.at + r * p->rnn->layout->line_row + c->s->column;
        rd_real *to = c->s->gradient + (ids[r] - 1);
        for (size_t i = first; i < last; i++)
            to[i * c->n_ids] =
                c->scale ? rd_fma(c->scale[r], da[i], to[i * c->n_ids]) : to[i * c->n_ids] + da[i];
    }
}

static rd_status one_hot_gradient(const rdc_pass *p, const struct stretch *s, rd_error *err)
{
    rd_core *core = p->rnn->core;
    RDC_TIMED(core, RD_WORK_IDS);
    struct scatter c = {.pass = p, .s = s, .n_ids = p->rnn->layout->in};
    if (p->noise && p->noise->id_scale) c.scale = p->noise->id_scale->at;
    rdc_block *turned = NULL;
    size_t n;
    if (rdc_mul_size(c.n_ids, s->width, &n) && n <= SCATTER_MAX && p->total >= c.n_ids / 4) {
        turned = rdc_block_new(core->arena, n * sizeof(rd_real));
        if (!turned) return rdc_no_memory(err, n * sizeof(rd_real));
        c.turned = turned->at;
    }
    rdc_pool_range(core->pool, s->width, column_grain(p), scatter_columns, &c);
    rdc_block_release(core->arena, turned);
    return RD_OK;
}

/* Bias gradients: column sums of dL/da over rows, last to first. b_x and b_h of a line have the same
 * terms but each continues on its own gradient; one pass over dL/da makes both. */
struct bias_job {
    const rdc_pass *pass;
    uint32_t line;
    rd_real *gradient[2]; /* the second may be NULL */
};

RD_INLINE void sum_panel(const rd_real *da, size_t row, size_t rows, size_t n, rd_real *restrict a,
                         rd_real *restrict b)
{
    rd_real x[COLUMNS], y[COLUMNS];
    memcpy(x, a, n * sizeof *x);
    memcpy(y, b ? b : a, n * sizeof *y);
    for (size_t r = rows; r-- > 0;) {
        const rd_real *from = da + r * row;
        for (size_t i = 0; i < n; i++) {
            x[i] += from[i];
            y[i] += from[i];
        }
    }
    memcpy(a, x, n * sizeof *x);
    if (b) memcpy(b, y, n * sizeof *y);
}

RD_CLONES static void sum_columns(void *job, size_t first, size_t last)
{
    const struct bias_job *b = job;
    const rdc_pass *p = b->pass;
    const rdc_layout *l = p->rnn->layout;
    for (size_t c = first; c < last; c += COLUMNS) {
        const size_t n = last - c < COLUMNS ? last - c : COLUMNS;
        const rd_real *da = p->line.at + l->column[b->line] + c;
        rd_real *second = b->gradient[1] ? b->gradient[1] + c : NULL;
        /* a width the compiler knows keeps the sums in registers */
        if (n == COLUMNS)
            sum_panel(da, l->line_row, p->total, COLUMNS, b->gradient[0] + c, second);
        else
            sum_panel(da, l->line_row, p->total, n, b->gradient[0] + c, second);
    }
}

static void bias_gradients(const rdc_weight_job *j)
{
    const rdc_layout *l = j->pass->rnn->layout;
    for (uint32_t k = 0; k < l->n_lines; k++) {
        struct bias_job b = {.pass = j->pass, .line = k};
        uint32_t n = 0;
        for (uint32_t i = 0; i < l->n_parameters; i++) {
            const rdc_parameter *q = &l->parameter[i];
            const bool bias = q->role != RDC_MATRIX && q->role != RDC_VECTOR;
            if (bias && q->line == k && j->gradient[i]) b.gradient[n++] = j->gradient[i]->at;
        }
        if (n > 0)
            rdc_pool_range(j->pass->rnn->core->pool, l->line[k].width, column_grain(j->pass),
                           sum_columns, &b);
    }
}

/* The pieces of one vector, step by step, block by block and phase by phase, last to first (rule
 * 6b); blocks whose rows have all ended are absent. */
static void sum_pieces(const rdc_weight_job *j, const rdc_parameter *v, rd_real *gradient)
{
    const rdc_layout *l = j->pass->rnn->layout;
    const rdc_pass *p = j->pass;
    const size_t blocks = rdc_row_blocks(p->rows);
    for (size_t n = p->steps * blocks; n-- > 0;) {
        if (rdc_block_border(p->rows, n % blocks) >= rdc_active(p, n / blocks)) continue;
        for (uint32_t phase = l->n_phases; phase-- > 0;) {
            const rd_real *piece =
                j->dvec + (n * l->n_phases + phase) * l->vec_row + l->vec_column[v->line];
            for (size_t i = 0; i < v->shape[0]; i++) gradient[i] += piece[i];
        }
    }
}

static rd_status matrix_gradients(const rdc_weight_job *j, rd_error *err)
{
    const rdc_pass *p = j->pass;
    const rdc_layout *l = p->rnn->layout;
    struct stretch stretch[RDC_MAX_LINES];
    for (uint32_t r = 0; r < l->n_runs; r++) {
        const uint32_t n = cut_run(j, &l->run[r], stretch);
        for (uint32_t i = 0; i < n; i++) {
            const bool one_hot = l->run[r].source == RDC_SOURCE_X && p->ids;
            RD_TRY(one_hot ? one_hot_gradient(p, &stretch[i], err)
                           : dense_gradient(j, &l->run[r], &stretch[i], err));
        }
    }
    return RD_OK;
}

rd_status rdc_weight_gradients(const rdc_weight_job *j, rd_error *err)
{
    const rdc_layout *l = j->pass->rnn->layout;
    rdc_block *kept;
    RD_TRY(rdc_noise_keep_gradients(j, &kept, err));
    const rd_status status = matrix_gradients(j, err);
    if (status == RD_OK) rdc_noise_restore_gradients(j, kept);
    rdc_block_release(j->pass->rnn->core->arena, kept);
    if (status != RD_OK) return status;
    RDC_TIMED(j->pass->rnn->core, RD_WORK_VECTORS);
    bias_gradients(j);
    for (uint32_t i = 0; i < l->n_parameters; i++)
        if (j->gradient[i] && l->parameter[i].role == RDC_VECTOR)
            sum_pieces(j, &l->parameter[i], j->gradient[i]->at);
    return RD_OK;
}
