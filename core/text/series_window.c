/* series_window.c - one window of a series as a row of a batch: what is known at its origin, on the scale of
 * a model, and the truth behind it.
 *
 * Nothing behind the origin has a part in x but columns that are known ahead: a missing number is filled from
 * what lies before it, or from between two that are seen at the origin, and differences look back.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/tensor.h"
#include "text/series.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t most_lag(const rd_feature *f, size_t n)
{
    size_t lag = 0;
    for (size_t i = 0; i < n; i++)
        lag = larger(lag, (size_t)rd_stages_lag(f[i].stages, f[i].n_stages));
    return lag;
}

size_t rd_window_scratch(const rd_window_form *form)
{
    const size_t lag = larger(most_lag(form->features, form->n_features),
                              most_lag(form->targets, form->n_targets));
    return larger(form->steps, form->horizon) + (RD_MAX_STAGES + 1) * lag;
}

size_t rd_window_width(const rd_feature *features, size_t n)
{
    size_t width = n;
    for (size_t i = 0; i < n; i++) width += features[i].kind == RD_FEATURE_CALENDAR;
    return width;
}

/* ---- missing numbers ---- */

/* The last row of a number before `row`. One there is, of the same series, though it may come before the row
 * from which on all columns have had one, where windows begin. */
static uint64_t seen_before(const double *column, uint64_t row)
{
    while (row > 0 && isnan(column[row - 1])) row--;
    return row > 0 ? row - 1 : 0;
}

/* The number of a row that is missing, as known at row `last`. */
static double fill(const double *column, rd_missing rule, uint64_t row, uint64_t last)
{
    const uint64_t before = seen_before(column, row);
    uint64_t next = row + 1;
    if (rule == RD_MISSING_INTERPOLATE)
        while (next <= last && isnan(column[next])) next++;
    if (rule != RD_MISSING_INTERPOLATE || next > last) return column[before];
    const double slope = (column[next] - column[before]) / (double)(next - before);
    return column[before] + slope * (double)(row - before);
}

double rd_window_known(const rd_window_form *form, uint32_t column, const rd_window *at,
                       uint64_t row)
{
    const double *c = rd_series_column(form->series, column);
    return isnan(c[row]) ? fill(c, form->rule, row, at->origin) : c[row];
}

/* Rows from..last of a column into v, as known at `last`. */
static void take_known(const rd_window_form *form, uint32_t column, uint64_t from, uint64_t last,
                       double *v)
{
    const double *c = rd_series_column(form->series, column);
    for (uint64_t row = from; row <= last; row++)
        v[row - from] = isnan(c[row]) ? fill(c, form->rule, row, last) : c[row];
}

rd_status rd_series_values(rd_series *s, const rd_series_part *of, rd_tensor *x, rd_error *err)
{
    RD_TRY(rdc_begin_write(x, err));
    const uint64_t last = of->from + x->shape[0] - 1;
    for (size_t k = 0; k < x->shape[1]; k++) {
        const double *c = rd_series_column(s, of->columns[k]);
        for (size_t i = 0; i < x->shape[0]; i++) {
            const uint64_t row = of->from + i;
            const double v = isnan(c[row]) ? fill(c, of->rule, row, last) : c[row];
            x->at[i * x->stride[0] + k * x->stride[1]] = (rd_real)v;
        }
    }
    return RD_OK;
}

/* ---- inputs ---- */

static rd_status apply(const rd_feature *f, double *v, size_t *n, uint64_t first, rd_error *err)
{
    size_t bad;
    uint32_t which;
    const size_t rows = *n;
    if (rdc_stages_apply(f->stages, f->n_stages, v, n, &bad, &which)) return RD_OK;
    assert(bad < rows);
    return rdc_stage_refuse(f, &f->stages[which], first + bad, v[bad], err);
}

/* Where the numbers of one feature go: `step` apart. */
typedef struct place {
    rd_real *at;
    size_t step;
} place;

static void put(const place *p, uint32_t from, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) p->at[(from + i) * p->step] = (rd_real)v[i];
}

static void put_same(const place *p, uint32_t from, uint32_t to, double value)
{
    for (uint32_t t = from; t < to; t++) p->at[t * p->step] = (rd_real)value;
}

/* Steps of x whose numbers a feature has; those behind are 0. */
static uint32_t steps_of(const rd_window_form *form, const rd_feature *f)
{
    return f->known ? form->steps : form->input;
}

static rd_status read_value(const rd_window_form *form, const rd_feature *f, const rd_window *at,
                            const place *to, rd_error *err)
{
    const uint32_t steps = steps_of(form, f);
    const uint64_t first = at->origin + 1 + f->known - form->input, last = first + steps - 1;
    const uint64_t lag = rd_stages_lag(f->stages, f->n_stages);
    if (last >= at->end)
        return rdc_fail(
            err, RD_E_ARG,
            "column '%s' is known ahead, and the horizon ends at row %llu; it has %llu rows",
            f->name, (unsigned long long)(last - at->begin) + 1,
            (unsigned long long)(at->end - at->begin));
    assert(first >= at->begin + lag);
    size_t n = (size_t)(steps + lag);
    take_known(form, f->column, first - lag, last, form->scratch);
    RD_TRY(apply(f, form->scratch, &n, first - lag - at->begin, err));
    put(to, 0, form->scratch, n);
    put_same(to, steps, form->steps, 0);
    return RD_OK;
}

static void read_missing(const rd_window_form *form, const rd_feature *f, const rd_window *at,
                         const place *to)
{
    const double *c = rd_series_column(form->series, f->column);
    const uint64_t first = at->origin + 1 + f->known - form->input;
    const uint32_t steps = steps_of(form, f);
    for (uint32_t t = 0; t < steps; t++)
        to->at[t * to->step] = first + t >= at->end || isnan(c[first + t]) ? 1 : 0;
    put_same(to, steps, form->steps, 0);
}

double rd_window_time(const rd_window_form *form, uint32_t column, const rd_window *at,
                      uint64_t row)
{
    const double *times = rd_series_column(form->series, column);
    const uint64_t last = at->end - 1;
    return row <= last ? times[row]
                       : rdc_time_ahead(times[last], form->step, form->step_months, row - last);
}

static void read_calendar(const rd_window_form *form, const rd_feature *f, const rd_window *at,
                          const place *to)
{
    const uint64_t first = at->origin + 2 - form->input;
    for (uint32_t t = 0; t < form->steps; t++) {
        double sine, cosine;
        rdc_calendar(f->unit, rd_window_time(form, f->column, at, first + t), &sine, &cosine);
        to->at[t * to->step] = (rd_real)sine;
        to->at[t * to->step + 1] = (rd_real)cosine;
    }
}

static rd_status read_feature(const rd_window_form *form, const rd_feature *f, const rd_window *at,
                              const place *to, rd_error *err)
{
    switch (f->kind) {
    case RD_FEATURE_VALUE:
        return read_value(form, f, at, to, err);
    case RD_FEATURE_MISSING:
        read_missing(form, f, at, to);
        break;
    case RD_FEATURE_CONSTANT:
        put_same(to, 0, form->steps, f->value);
        break;
    case RD_FEATURE_AHEAD:
        put_same(to, 0, form->input, 0);
        put_same(to, form->input, form->steps, 1);
        break;
    case RD_FEATURE_CALENDAR:
        read_calendar(form, f, at, to);
        break;
    }
    return RD_OK;
}

/* ---- truth ---- */

static rd_status read_target(const rd_window_form *form, size_t k, const rd_window *at,
                             rd_window_batch *out, rd_error *err)
{
    const rd_feature *f = &form->targets[k];
    const double *c = rd_series_column(form->series, f->column);
    const uint64_t lag = rd_stages_lag(f->stages, f->n_stages), first = at->origin + 1 - lag;
    double *const v = form->scratch;
    size_t n = (size_t)lag + form->horizon;
    if (lag > 0) take_known(form, f->column, first, at->origin, v);
    for (size_t i = (size_t)lag; i < n; i++)
        v[i] = first + i < at->end ? c[first + i] : (double)NAN;
    RD_TRY(apply(f, v, &n, first - at->begin, err));
    const rd_tensor *y = out->y, *w = out->weight;
    rd_real *const at_y = y->at + out->row * y->stride[0] + (k ? k * y->stride[2] : 0);
    rd_real *const at_w = w ? w->at + out->row * w->stride[0] + (k ? k * w->stride[2] : 0) : NULL;
    for (size_t i = 0; i < n; i++) {
        const bool lacks = isnan(v[i]);
        out->missing = out->missing || lacks;
        at_y[i * y->stride[1]] = lacks ? 0 : (rd_real)v[i];
        if (at_w) at_w[i * w->stride[1]] = lacks ? 0 : 1;
    }
    return RD_OK;
}

rd_status rd_window_read(const rd_window_form *form, const rd_window *at, rd_window_batch *out,
                         rd_error *err)
{
    size_t f = 0;
    for (size_t i = 0; out->x && i < form->n_features; i++) {
        const rd_tensor *x = out->x;
        const place to = {.at = x->at + out->row * x->stride[0] + f * x->stride[2],
                          .step = x->stride[1]};
        RD_TRY(read_feature(form, &form->features[i], at, &to, err));
        f += form->features[i].kind == RD_FEATURE_CALENDAR ? 2 : 1;
    }
    for (size_t k = 0; out->y && k < form->n_targets; k++)
        RD_TRY(read_target(form, k, at, out, err));
    return RD_OK;
}

/* ---- and back ---- */

rd_status rd_window_invert(const rd_window_form *form, const rd_feature *f, const rd_window *at,
                           double *values, size_t n, rd_error *err)
{
    const size_t lag = (size_t)rd_stages_lag(f->stages, f->n_stages);
    double *level =
        form->scratch; /* what each stage is given, up to the origin, one behind the other */
    size_t length[RD_MAX_STAGES + 1];
    length[0] = lag;
    if (lag > 0) take_known(form, f->column, at->origin + 1 - lag, at->origin, level);
    for (uint32_t k = 0; k < f->n_stages; k++, level += lag) {
        size_t left = length[k];
        memcpy(level + lag, level, lag * sizeof *level);
        const rd_feature one = {.stages = &f->stages[k], .n_stages = 1, .name = f->name};
        RD_TRY(apply(&one, level + lag, &left, at->origin + 1 - lag - at->begin, err));
        length[k + 1] = left;
    }
    for (uint32_t k = f->n_stages; k-- > 0;) {
        const rd_stage *s = &f->stages[k];
        level -= lag;
        if (s->kind != RD_STAGE_DIFFERENCE) {
            for (size_t i = 0; i < n; i++) values[i] = rdc_stage_invert(s, values[i]);
            continue;
        }
        const size_t back = (size_t)s->a;
        for (size_t i = 0; i < n; i++)
            values[i] += i < back ? level[length[k] - back + i] : values[i - back];
    }
    return RD_OK;
}
