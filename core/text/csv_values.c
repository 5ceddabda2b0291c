/* csv_values.c - columns of a CSV file as numbers and times: the look at all of it, and stretches
 * of rows.
 *
 * Missing values are filled from what comes before them alone, or from between two that are seen:
 * what lies behind the last row that is asked for is never read, so that a window knows nothing of
 * what comes after it.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/tensor.h"
#include "text/csv.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { BACK_ROWS = 256 };

/* ---- one cell ---- */

rd_csv_kind rd_csv_kind_of(const rd_csv *c, const char *at, size_t n)
{
    const rdc_csv_cell cell = rdc_csv_trim((rdc_csv_cell){.at = (const unsigned char *)at, .n = n});
    double value;
    rdc_csv_time t;
    if (rdc_csv_is_missing(c, &cell)) return RD_CSV_MISSING;
    if (rdc_csv_number(c, &cell, &value)) return RD_CSV_NUMBER;
    return rdc_csv_time_of(c, &cell, &t) ? RD_CSV_TEXT : RD_CSV_TIME;
}

bool rd_csv_time_of(const rd_csv *c, const char *at, size_t n, double *time)
{
    const rdc_csv_cell cell = rdc_csv_trim((rdc_csv_cell){.at = (const unsigned char *)at, .n = n});
    rdc_csv_time t;
    if (rdc_csv_time_of(c, &cell, &t)) return false;
    *time = t.seconds;
    return true;
}

/* Would it be a number by these rules? */
static bool would_be(const rd_csv *c, const rdc_csv_cell *cell, char decimal, char thousands)
{
    rd_csv other = *c;
    double value;
    other.rules.decimal = decimal;
    other.rules.thousands = thousands;
    return rdc_csv_number(&other, cell, &value);
}

/* Why a cell is no number, as well as can be told. */
static rd_status refuse_number(const rd_csv *c, uint32_t column, const rdc_csv_cell *cell,
                               rd_error *err)
{
    const char decimal = c->rules.decimal, other = decimal == '.' ? ',' : '.';
    const bool groups = would_be(c, cell, decimal, other),
               point = would_be(c, cell, other, decimal);
    if (groups && point)
        return rdc_csv_refuse(
            c, column, err,
            "can be read in two ways; if '%c' is the decimal sign, give decimal = "
            "\"%c\", if it parts thousands, thousands = \"%c\"",
            other, other, other);
    if (groups)
        return rdc_csv_refuse(c, column, err, "has '%c' between thousands; give thousands = \"%c\"",
                              other, other);
    if (point)
        return rdc_csv_refuse(c, column, err,
                              "has '%c' as the decimal sign, others '%c'; give decimal = \"%c\" "
                              "(and thousands, if there are any)",
                              other, decimal, other);
    return rdc_csv_refuse(c, column, err,
                          "is not a number; numbers are as -12%c5 or 1%c5e-3, missing ones %s",
                          decimal, decimal,
                          c->words ? "empty or as given" : "empty, NA, NaN, null, ? or -");
}

rd_status rdc_csv_value(const rd_csv *c, uint32_t column, rd_missing rule, double *value,
                        rd_error *err)
{
    const rdc_csv_cell cell = rdc_csv_trim(c->cells[column]);
    if (!c->words && rdc_csv_number(c, &cell, value)) {
        /* the usual: nothing that is a number is among the usual words */
    } else if (rdc_csv_is_missing(c, &cell)) {
        *value = (double)NAN;
        if (rule != RD_MISSING_ERROR) return RD_OK;
        return rdc_csv_refuse(
            c, column, err,
            "is missing; give missing = \"previous\" or \"interpolate\", or leave "
            "the column out");
    } else if (!rdc_csv_number(c, &cell, value)) {
        return refuse_number(c, column, &cell, err);
    }
    if (isfinite((rd_real)*value)) return RD_OK;
    return rdc_csv_refuse(c, column, err, "is too large for a number; the largest is 10^%d",
                          sizeof(rd_real) == sizeof(float) ? FLT_MAX_10_EXP : DBL_MAX_10_EXP);
}

rd_status rdc_csv_take_time(const rd_csv *c, uint32_t column, rdc_csv_time *t, rd_error *err)
{
    const rdc_csv_cell cell = rdc_csv_trim(c->cells[column]);
    if (rdc_csv_is_missing(c, &cell))
        return rdc_csv_refuse(c, column, err, "is missing; each row has its time");
    const char *wrong = rdc_csv_time_of(c, &cell, t);
    if (wrong) return rdc_csv_refuse(c, column, err, "%s", wrong);
    if (isfinite(t->seconds)) return RD_OK;
    return rdc_csv_refuse(c, column, err, "is too large for a time");
}

/* ---- all rows ---- */

typedef struct steps { /* between rows that follow each other */
    rdc_csv_time before;
    double seconds, months; /* of the first step; months 0: it is not one of whole months */
    uint64_t other_seconds, other_months, seconds_line, months_line;
} steps;

/* Months between two times of the same day of the month, or of their months' last days; else 0. */
static double whole_months(const rdc_csv_time *a, const rdc_csv_time *b)
{
    const double day = 86400;
    const bool same = a->rest == b->rest;
    const bool ends = a->last_day && b->last_day && fmod(a->rest, day) == fmod(b->rest, day);
    return same || ends ? b->month - a->month : 0;
}

static void count_step(steps *s, const rdc_csv_time *t, uint64_t row, uint64_t line)
{
    const double seconds = t->seconds - s->before.seconds, months = whole_months(&s->before, t);
    if (row == 1) {
        s->seconds = seconds;
        s->months = months;
    }
    /* Numbers as 1949.08 carry the rounding of their digits. */
    if (fabs(seconds - s->seconds) > 1e-9 * fmax(fabs(t->seconds), fabs(s->seconds)) &&
        s->other_seconds++ == 0)
        s->seconds_line = line;
    if ((s->months == 0 || months != s->months) && s->other_months++ == 0) s->months_line = line;
}

static rd_status take_step(rd_csv *c, uint32_t time, uint64_t row, steps *s, rd_csv_report *report,
                           rd_error *err)
{
    rdc_csv_time t;
    RD_TRY(rdc_csv_take_time(c, time, &t, err));
    if (row == 0)
        report->first = t.seconds;
    else if (!(t.seconds > s->before.seconds))
        return rdc_csv_refuse(c, time, err,
                              "does not come after the row before it; rows go forward in time, "
                              "each with its own");
    else
        count_step(s, &t, row, c->line);
    report->last = t.seconds;
    s->before = t;
    return RD_OK;
}

static void report_step(const rd_csv *c, const steps *s, rd_csv_report *report)
{
    if (report->rows < 2) return;
    const bool months = s->months > 0 && s->other_months <= s->other_seconds;
    report->unit = c->rules.plain_times ? RD_STEP_NUMBER
                   : months             ? RD_STEP_MONTHS
                                        : RD_STEP_SECONDS;
    report->step = months ? s->months : s->seconds;
    report->other_steps = months ? s->other_months : s->other_seconds;
    report->other_line = months ? s->months_line : s->seconds_line;
}

/* A first value that is missing has none before it. */
static rd_status check_first(const rd_csv *c, uint32_t column, uint64_t row, uint64_t missing,
                             rd_error *err)
{
    const unsigned long long skip = (unsigned long long)row + c->rules.skip;
    if (missing < row) return RD_OK;
    return rdc_csv_refuse(c, column, err,
                          "is the first value of its column: missing ones before it have nothing "
                          "to take theirs from; give skip = %llu to begin here",
                          skip);
}

/* *missing: among the `row` rows before. */
static rd_status scan_cell(rd_csv *c, const rd_csv_columns *which, size_t k, uint64_t row,
                           uint64_t *missing, rd_error *err)
{
    const uint32_t column = which->at[k];
    double value;
    RD_TRY(rdc_csv_value(c, column, which->rule, &value, err));
    if (!isnan(value))
        return row == 0 || *missing == 0 || which->many
                   ? RD_OK
                   : check_first(c, column, row, *missing, err);
    ++*missing;
    return RD_OK;
}

rd_status rd_csv_scan(rd_csv *c, const rd_csv_columns *which, uint32_t time, rd_csv_report *report,
                      rd_error *err)
{
    steps s = {0};
    uint64_t *const missing = report->missing;
    *report = (rd_csv_report){.missing = missing};
    for (size_t k = 0; k < which->n; k++) missing[k] = 0;
    RD_TRY(rd_csv_seek(c, 0, err));
    for (;; report->rows++) {
        bool more;
        RD_TRY(rd_csv_next(c, &more, err));
        if (!more) break;
        for (size_t k = 0; k < which->n; k++)
            RD_TRY(scan_cell(c, which, k, report->rows, &missing[k], err));
        if (time != RD_ALL) RD_TRY(take_step(c, time, report->rows, &s, report, err));
    }
    if (report->rows == 0)
        return rdc_fail(err, RD_E_IO, "%s: there are no rows in it%s", c->path,
                        c->rules.header ? " behind the names of its columns" : "");
    for (size_t k = 0; k < which->n; k++)
        if (missing[k] == report->rows)
            return rdc_fail(err, RD_E_IO,
                            "%s: column %u has no value in all its %llu rows; leave it out",
                            c->path, which->at[k] + 1, (unsigned long long)report->rows);
    if (time != RD_ALL) report_step(c, &s, report);
    return RD_OK;
}

/* ---- stretches of rows ---- */

static rd_status refuse_rows(const rd_csv *c, uint64_t from, uint64_t n, rd_error *err)
{
    return rdc_fail(err, RD_E_ARG, "%s has no %llu rows from row %llu on; has it been rewritten?",
                    c->path, (unsigned long long)n, (unsigned long long)from + 1);
}

static rd_status take_row(rd_csv *c, uint64_t from, uint64_t n, rd_error *err)
{
    bool more;
    RD_TRY(rd_csv_next(c, &more, err));
    return more ? RD_OK : refuse_rows(c, from, n, err);
}

static rd_status read_rows(rd_csv *c, const rd_csv_columns *which, uint64_t from, rd_tensor *x,
                           rd_error *err)
{
    RD_TRY(rd_csv_seek(c, from, err));
    for (size_t i = 0; i < x->shape[0]; i++) {
        RD_TRY(take_row(c, from, x->shape[0], err));
        for (size_t k = 0; k < which->n; k++) {
            double value;
            RD_TRY(rdc_csv_value(c, which->at[k], which->rule, &value, err));
            x->at[i * x->stride[0] + k * x->stride[1]] = (rd_real)value;
        }
    }
    return RD_OK;
}

/* The last value before a row, and how many rows before it. Goes back by stretches, each read
 * forwards. */
static rd_status value_before(rd_csv *c, uint32_t column, uint64_t row, double *value,
                              uint64_t *back, rd_error *err)
{
    *value = (double)NAN;
    for (uint64_t end = row; end > 0 && isnan(*value);) {
        const uint64_t begin = end > BACK_ROWS ? end - BACK_ROWS : 0;
        RD_TRY(rd_csv_seek(c, begin, err));
        for (uint64_t i = begin; i < end; i++) {
            double one;
            RD_TRY(take_row(c, begin, end - begin, err));
            RD_TRY(rdc_csv_value(c, column, RD_MISSING_PREVIOUS, &one, err));
            if (isnan(one)) continue;
            /* As it would lie in x, so that parts have the bits of the whole. */
            *value = (rd_real)one;
            *back = row - i;
        }
        end = begin;
    }
    return isnan(*value) ? refuse_rows(c, 0, row, err) : RD_OK;
}

/* Fills the n values of a column; `before` is the last one in front of them, `back` rows away. */
static void fill(rd_real *at, size_t n, size_t stride, rd_missing rule, double before,
                 uint64_t back)
{
    double distance = (double)back; /* of row i from the value before it */
    size_t gap = 0;                 /* missing ones in front of row i */
    for (size_t i = 0; i < n; i++) {
        if (isnan(at[i * stride])) {
            at[i * stride] = (rd_real)before;
            gap++;
            distance++;
            continue;
        }
        const double value = at[i * stride], slope = (value - before) / distance;
        for (size_t j = 1; rule == RD_MISSING_INTERPOLATE && j <= gap; j++)
            at[(i - j) * stride] = (rd_real)(value - slope * (double)j);
        before = value;
        distance = 1;
        gap = 0;
    }
}

rd_status rd_csv_values(rd_csv *c, const rd_csv_columns *which, uint64_t from, rd_tensor *x,
                        rd_error *err)
{
    if (x->ndim != 2 || x->shape[1] != which->n)
        return rdc_fail(err, RD_E_ARG, "values of %zu columns need a tensor (rows, %zu)", which->n,
                        which->n);
    RD_TRY(rdc_begin_write(x, err));
    RD_TRY(read_rows(c, which, from, x, err));
    for (size_t k = 0; k < which->n && x->shape[0] > 0 && which->rule != RD_MISSING_ERROR; k++) {
        rd_real *const at = x->at + k * x->stride[1];
        double before = at[0];
        uint64_t back = 0;
        if (isnan(at[0])) RD_TRY(value_before(c, which->at[k], from, &before, &back, err));
        fill(at, x->shape[0], x->stride[0], which->rule, before, back);
    }
    return RD_OK;
}

rd_status rd_csv_times(rd_csv *c, uint32_t time, uint64_t from, size_t n, double *times,
                       rd_error *err)
{
    RD_TRY(rd_csv_seek(c, from, err));
    for (size_t i = 0; i < n; i++) {
        rdc_csv_time t;
        RD_TRY(take_row(c, from, n, err));
        RD_TRY(rdc_csv_take_time(c, time, &t, err));
        times[i] = t.seconds;
    }
    return RD_OK;
}
