/* series_fit.c - what scalers are fitted on: moments and quantiles of a stretch of a column behind stages.
 *
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "text/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096, DIGIT_BITS = 16, DIGITS = 1 << DIGIT_BITS };

/* What a pass does with n numbers, none of them missing. */
typedef void taker(void *state, const double *v, size_t n);

static size_t drop_missing(double *v, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(v[i])) v[kept++] = v[i];
    return kept;
}

typedef struct walk {
    const rd_series *series;
    const rd_stretch *of;
    taker *take;
    void *state;
    double *v; /* a block and what differences look back over: `room` numbers */
    size_t room;
} walk;

/* Gives all numbers of some rows to `take`, a block at a time. */
static rd_status pass_rows(const walk *w, const rd_rows *rows, rd_error *err)
{
    const rd_stretch *of = w->of;
    const double *column = w->series->at + of->column * w->series->rows;
    double *const v = w->v;
    const size_t room = w->room;
    const uint64_t end = rows->from + rows->n;
    for (uint64_t row = rows->from; row + (room - BLOCK) < end; row += BLOCK) {
        size_t n = end - row < room ? (size_t)(end - row) : room, bad;
        uint32_t which;
        memcpy(v, column + row, n * sizeof *v);
        if (!rdc_stages_apply(of->stages, of->n_stages, v, &n, &bad, &which)) {
            const rd_feature f = {.name = of->name};
            return rdc_stage_refuse(&f, &of->stages[which], row + bad - rows->first, v[bad], err);
        }
        w->take(w->state, v, drop_missing(v, n));
    }
    return RD_OK;
}

static rd_status pass(const rd_series *s, const rd_stretch *of, taker *take, void *state,
                      rd_error *err)
{
    const size_t room = (size_t)rd_stages_lag(of->stages, of->n_stages) + BLOCK;
    double *v = malloc(room * sizeof *v);
    if (!v) return rdc_no_memory(err, room * sizeof *v);
    const walk w = {.series = s, .of = of, .take = take, .state = state, .v = v, .room = room};
    rd_status status = RD_OK;
    for (size_t i = 0; i < of->n_rows && status == RD_OK; i++)
        status = pass_rows(&w, &of->rows[i], err);
    free(v);
    return status;
}

/* ---- moments ---- */

/* Welford 1962, "Note on a method for calculating corrected sums of squares and products". */
static void add_moments(void *state, const double *v, size_t n)
{
    rd_moments *m = state; /* deviation and size: sums so far */
    for (size_t i = 0; i < n; i++) {
        const double d = v[i] - m->mean;
        m->n++;
        m->mean += d / (double)m->n;
        m->deviation += d * (v[i] - m->mean);
        m->size += fabs(v[i]);
        m->low = v[i] < m->low ? v[i] : m->low;
        m->high = v[i] > m->high ? v[i] : m->high;
    }
}

rd_status rd_series_moments(const rd_series *s, const rd_stretch *of, rd_moments *out,
                            rd_error *err)
{
    rd_moments m = {.low = (double)INFINITY, .high = -(double)INFINITY};
    RD_TRY(pass(s, of, add_moments, &m, err));
    const double n = m.n > 0 ? (double)m.n : 1;
    m.deviation = sqrt(m.deviation / n);
    m.size /= n;
    *out = m;
    return RD_OK;
}

/* ---- quantiles ---- */

/* Selection by digits of 16 bits, the highest first: numbers as keys that order as they do. */
typedef struct selection {
    uint64_t *counts; /* of the next digit, among keys that begin with `prefix` */
    uint64_t prefix;
    unsigned known; /* bits of the prefix */
} selection;

static uint64_t key_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static double of_key(uint64_t key)
{
    const uint64_t bits = key >> 63 ? key & ~((uint64_t)1 << 63) : ~key;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static void count_digits(void *state, const double *v, size_t n)
{
    const selection *s = state;
    for (size_t i = 0; i < n; i++) {
        const uint64_t key = key_of(v[i]);
        if (s->known > 0 && key >> (64 - s->known) != s->prefix) continue;
        s->counts[key >> (64 - s->known - DIGIT_BITS) & (DIGITS - 1)]++;
    }
}

/* The number that has `rank` smaller ones before it in order. */
static rd_status select_rank(const rd_series *s, const rd_stretch *of, uint64_t rank,
                             uint64_t *counts, double *out, rd_error *err)
{
    selection by = {.counts = counts};
    while (by.known < 64) {
        memset(counts, 0, DIGITS * sizeof *counts);
        RD_TRY(pass(s, of, count_digits, &by, err));
        uint64_t digit = 0;
        while (rank >= counts[digit]) rank -= counts[digit++];
        by.prefix = by.prefix << DIGIT_BITS | digit;
        by.known += DIGIT_BITS;
    }
    *out = of_key(by.prefix);
    return RD_OK;
}

rd_status rd_series_quantile(const rd_series *s, const rd_stretch *of, double q, double *out,
                             rd_error *err)
{
    rd_moments m;
    RD_TRY(rd_series_moments(s, of, &m, err));
    if (m.n == 0) {
        *out = (double)NAN;
        return RD_OK;
    }
    const double at = q * (double)(m.n - 1);
    const uint64_t rank = (uint64_t)at;
    uint64_t *counts = malloc(DIGITS * sizeof *counts);
    if (!counts) return rdc_no_memory(err, DIGITS * sizeof *counts);
    double low, high;
    rd_status status = select_rank(s, of, rank, counts, &low, err);
    high = low;
    if (status == RD_OK && rank + 1 < m.n)
        status = select_rank(s, of, rank + 1, counts, &high, err);
    free(counts);
    if (status == RD_OK) *out = low + (at - (double)rank) * (high - low);
    return status;
}
