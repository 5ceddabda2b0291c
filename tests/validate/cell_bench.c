/* cell_bench.c - see cell_bench.h. SPDX-License-Identifier: MIT */
#include "cell_bench.h"
#include "base/pool.h"
#include "check.h"
#include "rondo/pointmath.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 3 }; /* elements between rows */

rd_real bench_unwritten(void)
{
#ifdef RD_REAL_DOUBLE
    const uint64_t bits = 0x7ff8a5a5a5a5a5a5u;
#else
    const uint32_t bits = 0x7fc5a5a5u;
#endif
    rd_real value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

bool bench_is_unwritten(rd_real value)
{
    const rd_real nothing = bench_unwritten();
    return memcmp(&value, &nothing, sizeof value) == 0;
}

double bench_number(uint32_t what, size_t place)
{
    uint32_t u = what * 2654435761u + (uint32_t)place * 40503u + 1;
    for (int i = 0; i < 3; i++) u = (u ^ u >> 15) * 2246822519u + 1013904223u;
    return (double)(u >> 8) * 0x1p-23 - 1;
}

/* ---- buffers ------------------------------------------------------------------------------------- */

static bool open_span(cell_bench *b, enum cell_kind kind, uint32_t rows, uint32_t width)
{
    bench_span *s = &b->span[kind][b->count[kind]];
    *s = (bench_span){.rows = rows, .width = width, .row = (size_t)width + GAP};
    s->n = (rows + 2) * s->row;
    s->block = malloc(2 * s->n * sizeof *s->block);
    if (!s->block) return false;
    for (size_t i = 0; i < 2 * s->n; i++) s->block[i] = bench_unwritten();
    s->kept = s->block + s->n;
    s->at = s->block + s->row;
    b->count[kind]++;
    return true;
}

static bool open_spans(cell_bench *b)
{
    const rdc_layout *l = b->layout;
    bool ok = open_span(b, CELL_X, b->rows, l->in) && open_span(b, CELL_DX, b->rows, l->in);
    for (uint32_t k = 0; k < l->n_lines && ok; k++)
        ok = open_span(b, CELL_LINE, b->rows, l->line[k].width);
    for (uint32_t k = 0; k < l->n_states && ok; k++) {
        static const enum cell_kind kinds[] = {CELL_NEXT, CELL_PREV, CELL_DNEXT, CELL_DPREV};
        for (int i = 0; i < 4 && ok; i++) ok = open_span(b, kinds[i], b->rows, l->state[k].width);
    }
    for (uint32_t k = 0; k < l->n_temps && ok; k++) {
        static const enum cell_kind kinds[] = {CELL_TEMP, CELL_DTEMP, CELL_ADDED};
        for (int i = 0; i < 3 && ok; i++) ok = open_span(b, kinds[i], b->rows, l->temp[k].width);
    }
    for (uint32_t k = 0; k < l->n_saves && ok; k++)
        ok = open_span(b, CELL_SAVE, b->rows, l->save[k].width);
    for (uint32_t k = 0; k < l->n_vecs && ok; k++)
        ok = open_span(b, CELL_VEC, 1, l->vec[k].width) &&
             open_span(b, CELL_DVEC, 1, l->vec[k].width);
    return ok;
}

/* What source `source` is multiplied with in a line, of variance 1 / its width. */
static bool open_matrices(cell_bench *b)
{
    const rdc_layout *l = b->layout;
    for (uint32_t line = 0; line < l->n_lines; line++)
        for (uint32_t source = 0; source < rdc_source_count(l); source++) {
            if (!rdc_feeds(l, source, line)) continue;
            const uint32_t width = rdc_source_width(l, source);
            const size_t n = (size_t)l->line[line].width * width;
            const double scale = rd_sqrt_d(3.0 / width);
            rd_real *m = malloc(n * sizeof *m);
            if (!m) return false;
            for (size_t i = 0; i < n; i++)
                m[i] = (rd_real)(scale * bench_number(100 + 40 * line + source, i));
            b->matrix[line][source] = m;
        }
    return true;
}

bool bench_open(cell_bench *b, const cell_case *c, uint32_t rows, char *why, size_t cap)
{
    static const rd_host host = {.size = sizeof(rd_host)};
    rd_error err = {0};
    *b = (cell_bench){.cell = c->cell, .rows = rows, .scale = 1, .dscale = 1};
    b->options = calloc(c->cell->n_options + 1u, sizeof *b->options);
    bool ok = b->options && rd_options_resolve(c->cell->name, c->cell->options, c->cell->n_options,
                                               c->cell->option_size, c->settings, c->n_settings,
                                               b->options, &err) == RD_OK;
    const rd_setup setup = {.size = sizeof(rd_setup),
                            .in = c->in,
                            .hidden = c->hidden,
                            .opt = b->options,
                            .host = &host};
    ok = ok && rdc_layout_new(c->cell->name, c->cell, &setup, c->bias, &b->layout, &err) == RD_OK &&
         open_spans(b) && open_matrices(b);
    if (!ok) {
        snprintf(why, cap, "%s", err.text[0] ? err.text : "out of memory");
        bench_close(b);
    }
    return ok;
}

void bench_close(cell_bench *b)
{
    for (int kind = 0; kind < CELL_KINDS; kind++)
        for (uint32_t k = 0; k < b->count[kind]; k++) free(b->span[kind][k].block);
    for (size_t k = 0; k < RDC_MAX_LINES; k++)
        for (size_t s = 0; s < RDC_MAX_SOURCES; s++) free(b->matrix[k][s]);
    rdc_layout_free(b->layout);
    free(b->options);
    *b = (cell_bench){0};
}

static void fill(bench_span *s, double value)
{
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t j = 0; j < s->width; j++) s->at[r * s->row + j] = (rd_real)value;
}

static void poison(bench_span *s)
{
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t j = 0; j < s->width; j++) s->at[r * s->row + j] = bench_unwritten();
}

static void scatter(bench_span *s, uint32_t what, double middle, double scale)
{
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t j = 0; j < s->width; j++)
            s->at[r * s->row + j] =
                (rd_real)(middle + scale * bench_number(what, (size_t)r * s->width + j));
}

static void copy(bench_span *to, const bench_span *from)
{
    for (uint32_t r = 0; r < to->rows; r++)
        memcpy(to->at + r * to->row, from->at + r * from->row, to->width * sizeof *to->at);
}

/* ---- a step -------------------------------------------------------------------------------------- */

struct call { /* the spans as a cell is shown them, from some row on */
    rd_span line[RDC_MAX_LINES], next[RDC_MAX_STATES], temp[RDC_MAX_TEMPS], save[RDC_MAX_SAVES];
    rd_cspan prev[RDC_MAX_STATES], dnext[RDC_MAX_STATES];
    rd_span dprev[RDC_MAX_STATES], dtemp[RDC_MAX_TEMPS];
    const rd_real *vec[RDC_MAX_VECS];
    rd_real *dvec[RDC_MAX_VECS];
    rd_step step;
};

static void show(const cell_bench *b, enum cell_kind kind, uint32_t first, rd_span *to)
{
    for (uint32_t k = 0; k < b->count[kind]; k++) {
        const bench_span *s = &b->span[kind][k];
        to[k] = (rd_span){s->at + first * s->row, s->row, s->width};
    }
}

static void show_const(const cell_bench *b, enum cell_kind kind, uint32_t first, rd_cspan *to)
{
    for (uint32_t k = 0; k < b->count[kind]; k++) {
        const bench_span *s = &b->span[kind][k];
        to[k] = (rd_cspan){s->at + first * s->row, s->row, s->width};
    }
}

static void call_rows(cell_bench *b, uint32_t first, uint32_t last)
{
    struct call c = {.step = {.size = sizeof(rd_step),
                              .phase = b->call.phase,
                              .rows = last - first,
                              .in = b->layout->in,
                              .hidden = b->layout->hidden,
                              .t = b->call.t,
                              .opt = b->options}};
    const bool reads = (b->cell->flags & RD_CELL_READS_X) != 0;
    show(b, CELL_LINE, first, c.line);
    show(b, CELL_NEXT, first, c.next);
    show(b, CELL_TEMP, first, c.temp);
    show(b, CELL_SAVE, first, c.save);
    show_const(b, CELL_PREV, first, c.prev);
    for (uint32_t k = 0; k < b->count[CELL_VEC]; k++) c.vec[k] = b->span[CELL_VEC][k].at;
    c.step.line = c.line;
    c.step.next = c.next;
    c.step.temp = c.temp;
    c.step.save = c.save;
    c.step.prev = c.prev;
    c.step.vec = c.vec;
    if (reads) show_const(b, CELL_X, first, &c.step.x);
    if (b->call.backward) {
        show_const(b, CELL_DNEXT, first, c.dnext);
        show(b, CELL_DPREV, first, c.dprev);
        show(b, CELL_DTEMP, first, c.dtemp);
        for (uint32_t k = 0; k < b->count[CELL_DVEC]; k++) c.dvec[k] = b->span[CELL_DVEC][k].at;
        if (reads) show(b, CELL_DX, first, &c.step.dx);
        c.step.dnext = c.dnext;
        c.step.dprev = c.dprev;
        c.step.dtemp = c.dtemp;
        c.step.dvec = c.dvec;
    }
    (b->call.backward ? b->cell->backward : b->cell->forward)(&c.step);
}

/* All rows of a phase, in the environment in which the engine makes the call. */
static void call_cell(cell_bench *b, bool backward, uint32_t phase, int64_t t)
{
    const uint64_t flags = 0x3f; /* of x86: which exceptions have occurred */
    for (int kind = 0; kind < CELL_KINDS; kind++)
        for (uint32_t k = 0; k < b->count[kind]; k++) {
            const bench_span *s = &b->span[kind][k];
            memcpy(s->kept, s->block, s->n * sizeof *s->block);
        }
    b->call.backward = backward;
    b->call.phase = phase;
    b->call.t = t;
    check_call_is(BENCH_CALL " at t=%d", BENCH_CALLED(b), BENCH_T(b));
    if (b->around) b->around(b->user, b, true);
    const uint64_t outside = rdc_fp_enter(), want = rdc_fp_enter();
    errno = 0;
    b->call.environment = 0;
    if (b->split) {
        call_rows(b, 0, b->split);
        b->call.environment = rdc_fp_enter() ^ want;
    }
    call_rows(b, b->split, b->rows);
    b->call.error = errno;
    b->call.environment = (b->call.environment | (rdc_fp_enter() ^ want)) & ~flags;
    rdc_fp_leave(outside);
    if (b->around) b->around(b->user, b, false);
    check_call_is("%s", "");
}

static const bench_span *source_of(const cell_bench *b, uint32_t source)
{
    if (source == RDC_SOURCE_X) return &b->span[CELL_X][0];
    const uint32_t k = source - RDC_SOURCE_STATE, n = b->layout->n_states;
    return k < n ? &b->span[CELL_PREV][k] : &b->span[CELL_TEMP][k - n];
}

/* One element of a line: start, x, states and temps by id, each k ascending. */
static rd_real line_element(const cell_bench *b, uint32_t line, uint32_t row, uint32_t j)
{
    const rdc_layout *l = b->layout;
    rd_real sum = l->bias > 0 ? (rd_real)bench_number(7 + line, j) : 0;
    for (uint32_t source = 0; source < rdc_source_count(l); source++) {
        if (!rdc_feeds(l, source, line)) continue;
        const bench_span *s = source_of(b, source);
        const rd_real *m = b->matrix[line][source] + (size_t)j * s->width;
        for (uint32_t k = 0; k < s->width; k++) sum = rd_fma(s->at[row * s->row + k], m[k], sum);
    }
    return sum;
}

static void form_lines(cell_bench *b, uint32_t phase)
{
    for (uint32_t line = 0; line < b->layout->n_lines; line++) {
        bench_span *s = &b->span[CELL_LINE][line];
        for (uint32_t r = 0; r < s->rows && b->layout->line[line].phase == phase; r++)
            for (uint32_t j = 0; j < s->width; j++)
                s->at[r * s->row + j] = line_element(b, line, r, j);
    }
}

void bench_start(cell_bench *b)
{
    for (uint32_t k = 0; k < b->layout->n_states; k++)
        fill(&b->span[CELL_NEXT][k], b->layout->state[k].first);
    for (uint32_t k = 0; k < b->layout->n_vecs; k++)
        scatter(&b->span[CELL_VEC][k], 2 + k, 0.5, 0.4);
}

bool bench_forward(cell_bench *b, uint32_t at, int64_t t, bench_after after, void *user)
{
    const rdc_layout *l = b->layout;
    for (uint32_t k = 0; k < l->n_states; k++) {
        copy(&b->span[CELL_PREV][k], &b->span[CELL_NEXT][k]);
        poison(&b->span[CELL_NEXT][k]);
    }
    for (uint32_t k = 0; k < l->n_lines; k++) poison(&b->span[CELL_LINE][k]);
    for (uint32_t k = 0; k < l->n_temps; k++) poison(&b->span[CELL_TEMP][k]);
    for (uint32_t k = 0; k < l->n_saves; k++) poison(&b->span[CELL_SAVE][k]);
    scatter(&b->span[CELL_X][0], 50 + at, 0, b->scale);
    for (uint32_t p = 0; p < l->n_phases; p++) {
        form_lines(b, p);
        call_cell(b, false, p, t);
        if (after && !after(b, p, user)) return false;
    }
    return true;
}

/* dtemp is complete when its phase's turn comes: what was added so far is kept apart, and it gets a
 * value. */
static void complete_temps(cell_bench *b, uint32_t phase)
{
    for (uint32_t k = 0; k < b->layout->n_temps; k++) {
        if (b->layout->temp[k].phase != phase) continue;
        copy(&b->span[CELL_ADDED][k], &b->span[CELL_DTEMP][k]);
        scatter(&b->span[CELL_DTEMP][k], 80 + k, 0, b->dscale);
    }
}

void bench_gradients(cell_bench *b)
{
    static const enum cell_kind added_to[] = {CELL_DPREV, CELL_DTEMP, CELL_DX, CELL_DVEC};
    for (int i = 0; i < 4; i++)
        for (uint32_t k = 0; k < b->count[added_to[i]]; k++)
            scatter(&b->span[added_to[i]][k], 60 + k, 1.5 * b->base, 0.5 * b->base);
    for (uint32_t k = 0; k < b->layout->n_temps; k++)
        copy(&b->span[CELL_ADDED][k], &b->span[CELL_DTEMP][k]);
    for (uint32_t k = 0; k < b->layout->n_states; k++)
        scatter(&b->span[CELL_DNEXT][k], 70 + k, 0, b->dscale);
}

bool bench_backward(cell_bench *b, int64_t t, bench_after after, void *user)
{
    bench_gradients(b);
    for (uint32_t p = b->layout->n_phases; p-- > 0;) {
        complete_temps(b, p);
        call_cell(b, true, p, t);
        if (after && !after(b, p, user)) return false;
    }
    return true;
}

bool bench_run(cell_bench *b, bench_after after, void *user)
{
    bool ok = true;
    bench_start(b);
    for (uint32_t t = 0; t < BENCH_STEPS && ok; t++) ok = bench_forward(b, t, t, after, user);
    return ok && (!b->cell->backward || bench_backward(b, BENCH_STEPS - 1, after, user));
}
