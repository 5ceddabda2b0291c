/* fuzz_series.c - columns of odd numbers: a window knows nothing of what comes behind its origin, its truth
 * is the column's, and scalers are fitted on what is there.
 *
 * The first byte says how numbers lie, some more are the options of windows, the rest is numbers.
 * SPDX-License-Identifier: MIT */
#include "fuzz/support/fuzz.h"
#include "rondo_series.h"

#include <math.h>

enum { DOUBLES = 1, TIMES = 2, FITS = 4, MOST_ROWS = 512, MOST_COLUMNS = 6 };
enum { MOST_FEATURES = 4, MOST_STAGES = 3, MOST_STEPS = 6, OPTIONS = 40 };

/* ---- numbers ---- */

static double odd_number(uint8_t byte)
{
    static const double odd[] = {(double)NAN, 0,        -0.0,         1,
                                 -1,          0x1p-149, 0x1p127,      -0x1p127,
                                 3.4e38,      1e-300,   1e300,        (double)INFINITY,
                                 2,           0.5,      86400,        1.6e9,
                                 -6.2e10,     1e15,     253402300800, 0.1};
    const size_t n = sizeof odd / sizeof *odd;
    return byte < n ? odd[byte] : ((double)byte - 128) / 4;
}

static rd_series *series_of(uint64_t rows, uint32_t columns)
{
    rd_series *s = NULL;
    const rd_series_form form = {.rows = rows, .columns = columns, .most_bytes = SIZE_MAX};
    FUZZ_HOLDS(rd_series_new(&form, &s, NULL) == RD_OK);
    return s;
}

/* Rows of columns, a byte or eight for each number. */
static rd_series *take_series(fuzz_input *in, uint8_t how)
{
    const uint32_t columns = 1 + fuzz_number(in, MOST_COLUMNS - 1);
    const size_t width = how & DOUBLES ? sizeof(double) : 1;
    size_t rows = in->n / width / columns;
    if (rows > MOST_ROWS) rows = MOST_ROWS;
    if (rows == 0) return NULL;
    rd_series *s = series_of(rows, columns);
    for (size_t i = 0; i < rows; i++)
        for (uint32_t k = 0; k < columns; k++) {
            double *to = rd_series_column(s, k) + i;
            const uint8_t *at = in->at + (i * columns + k) * width;
            if (width == 1)
                *to = odd_number(*at);
            else
                memcpy(to, at, sizeof *to);
        }
    return s;
}

/* ---- a series as the library leaves one ---- */

typedef struct known { /* of its columns */
    uint64_t begin, rows;
    uint32_t columns, times; /* times: a column, or RD_ALL */
    uint64_t lacking[MOST_COLUMNS];
} known;

/* What the library refuses: infinite numbers, columns without one. False: it is refused. */
static bool look(rd_series *s, uint8_t how, known *k)
{
    *k = (known){.rows = rd_series_rows(s), .columns = rd_series_columns(s), .times = RD_ALL};
    for (uint32_t c = 0; c < k->columns; c++) {
        const double *at = rd_series_column(s, c);
        uint64_t first = 0;
        if (rd_series_infinite(s, c) < k->rows) return false;
        while (first < k->rows && isnan(at[first])) first++;
        if (first == k->rows) return false;
        for (uint64_t i = 0; i < k->rows; i++) k->lacking[c] += isnan(at[i]);
        if (first > k->begin) k->begin = first;
    }
    const uint32_t last = k->columns - 1;
    if (how & TIMES && k->lacking[last] == 0 && rd_series_falls(s, last, 0, k->rows) == k->rows)
        k->times = last;
    return true;
}

static void check_fits(const rd_series *s, const known *k)
{
    const rd_rows rows = {.from = k->begin, .n = k->rows - k->begin, .first = k->begin};
    const rd_stretch of = {.rows = &rows, .n_rows = 1, .name = "c"};
    rd_moments m;
    double middle = 0;
    FUZZ_HOLDS(rd_series_moments(s, &of, &m, NULL) == RD_OK);
    FUZZ_HOLDS(rd_series_quantile(s, &of, 0.3, &middle, NULL) == RD_OK);
    FUZZ_HOLDS(m.n <= rows.n && (m.n == 0) == isnan(middle));
    if (m.n > 0) FUZZ_HOLDS(m.low <= middle && middle <= m.high && !(m.size < 0));
}

/* Rows by the numbers in the last column keep their order within each number. */
static void check_groups(rd_series *s)
{
    enum { GROUPS = 4 };
    uint64_t counts[GROUPS], next[GROUPS] = {0}, all = 0;
    rd_series *out = NULL;
    rd_error err = {0};
    const rd_series_form form = {.most_bytes = SIZE_MAX};
    const rd_status status = rd_series_group(s, &form, counts, GROUPS, &out, &err);
    if (status != RD_OK) {
        fuzz_refused(status, &err);
        return;
    }
    for (int g = 0; g < GROUPS; all += counts[g++]) next[g] = all;
    FUZZ_HOLDS(all == rd_series_rows(s));
    const double *by = rd_series_column(s, rd_series_columns(s) - 1);
    for (uint64_t i = 0; i < all && rd_series_columns(s) > 1; i++) {
        const double *to = rd_series_column(out, 0) + next[(size_t)by[i]]++;
        FUZZ_HOLDS(memcmp(to, rd_series_column(s, 0) + i, sizeof *to) == 0);
    }
    rd_series_free(out);
}

/* ---- windows ---- */

typedef struct setting {
    rd_window_form form;
    rd_feature features[MOST_FEATURES], targets[2];
    rd_stage stages[MOST_FEATURES + 2][MOST_STAGES];
    uint64_t reach; /* rows from a series' first that a window's origin needs */
    bool ahead;     /* some feature is known ahead */
} setting;

static rd_stage take_stage(fuzz_input *in)
{
    const uint8_t kind = fuzz_byte(in) % 4;
    rd_stage s = {.kind = (rd_stage_kind)kind, .a = odd_number(fuzz_byte(in) % 16 + 1), .b = 1};
    if (!isfinite(s.a)) s.a = 1;
    if (kind == RD_STAGE_AFFINE) s.b = ldexp(1, fuzz_byte(in) % 64 - 32);
    if (kind == RD_STAGE_BOX_COX) s.b = odd_number(128 + fuzz_byte(in) % 16);
    if (kind == RD_STAGE_DIFFERENCE) s.a = 1 + fuzz_byte(in) % 3;
    return s;
}

static rd_feature take_feature(fuzz_input *in, const known *k, rd_stage *stages)
{
    const uint8_t how = fuzz_byte(in);
    rd_feature f = {.kind = (rd_feature_kind)(how % 5),
                    .column = fuzz_number(in, k->columns - 1),
                    .known = how & 32,
                    .unit = (rd_calendar)(how >> 6),
                    .value = 0.5,
                    .stages = stages,
                    .name = "f"};
    if (f.kind == RD_FEATURE_CALENDAR) {
        f.column = k->times;
        if (k->times == RD_ALL) f.kind = RD_FEATURE_CONSTANT;
    }
    if (f.kind == RD_FEATURE_VALUE)
        for (f.n_stages = fuzz_byte(in) % (MOST_STAGES + 1); stages < f.stages + f.n_stages;)
            *stages++ = take_stage(in);
    return f;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void take_setting(fuzz_input *in, rd_series *s, const known *k, setting *w)
{
    const uint8_t how = fuzz_byte(in);
    bool complete = true;
    for (uint32_t c = 0; c < k->columns; c++) complete = complete && k->lacking[c] == 0;
    *w = (setting){.form = {.series = s,
                            .rule = complete  ? RD_MISSING_ERROR
                                    : how & 1 ? RD_MISSING_PREVIOUS
                                              : RD_MISSING_INTERPOLATE,
                            .input = 1 + fuzz_byte(in) % MOST_STEPS,
                            .horizon = 1 + fuzz_byte(in) % MOST_STEPS,
                            .step = how & 2 ? 1 : 86400,
                            .step_months = how & 2,
                            .features = w->features,
                            .targets = w->targets,
                            .n_features = 1 + (how >> 2) % MOST_FEATURES,
                            .n_targets = 1 + (how >> 4 & 1)}};
    uint64_t lag = 0, of_targets = 0;
    for (size_t i = 0; i < w->form.n_features; i++) {
        const rd_feature f = take_feature(in, k, w->stages[i]);
        w->features[i] = f;
        lag = larger(lag, rd_stages_lag(f.stages, f.n_stages));
        w->ahead = w->ahead || f.known;
    }
    for (size_t i = 0; i < w->form.n_targets; i++) {
        rd_feature f = take_feature(in, k, w->stages[MOST_FEATURES + i]);
        if (f.kind != RD_FEATURE_VALUE) f = (rd_feature){.name = "t"};
        w->targets[i] = f;
        of_targets = larger(of_targets, rd_stages_lag(f.stages, f.n_stages));
    }
    w->form.steps = w->form.input + (w->ahead ? w->form.horizon - 1 : 0);
    w->reach = larger(w->form.input + lag, of_targets);
}

static rd_tensor *batch(size_t steps, size_t width)
{
    rd_tensor *x = NULL;
    const size_t shape[3] = {1, steps, width};
    FUZZ_HOLDS(rd_tensor_new(fuzz_core(), width ? 3 : 2, shape, width ? RD_SEQUENCE : RD_DENSE, &x,
                             NULL) == RD_OK);
    return x;
}

typedef struct window {
    rd_tensor *x, *y, *weight;
} window;

static bool read_window(const setting *w, const rd_window *at, window *out)
{
    const rd_window_form *form = &w->form;
    const size_t targets = form->n_targets > 1 ? form->n_targets : 0;
    rd_error err = {0};
    *out = (window){.x = batch(form->steps, rd_window_width(form->features, form->n_features)),
                    .y = batch(form->horizon, targets),
                    .weight = batch(form->horizon, targets)};
    rd_window_batch to = {.x = out->x, .y = out->y, .weight = out->weight};
    const rd_status status = rd_window_read(form, at, &to, &err);
    if (status != RD_OK) fuzz_refused(status, &err);
    return status == RD_OK;
}

static void free_window(window *w)
{
    rd_tensor_release(w->x);
    rd_tensor_release(w->y);
    rd_tensor_release(w->weight);
}

static bool is_same(const rd_tensor *a, const rd_tensor *b)
{
    const size_t bytes = rd_tensor_numel(a) * sizeof(rd_real);
    rd_real *one = malloc(bytes), *other = malloc(bytes);
    FUZZ_HOLDS(one && other);
    rd_tensor_read(a, one);
    rd_tensor_read(b, other);
    const bool same = memcmp(one, other, bytes) == 0;
    free(one);
    free(other);
    return same;
}

/* With other numbers behind the origin the input is the same. */
static void check_no_future(setting *w, const known *k, const rd_window *at, const window *seen)
{
    rd_series *s = w->form.series, *other = series_of(k->rows, k->columns);
    window again;
    for (uint32_t c = 0; c < k->columns; c++) {
        double *to = rd_series_column(other, c);
        memcpy(to, rd_series_column(s, c), (size_t)k->rows * sizeof *to);
        for (uint64_t i = at->origin + 1; i < k->rows && c != k->times; i++)
            to[i] = isnan(to[i]) ? 7 : i % 2 ? (double)NAN : -to[i];
    }
    w->form.series = other;
    rd_window_batch only = {
        .x = batch(w->form.steps, rd_window_width(w->features, w->form.n_features))};
    again = (window){.x = only.x};
    FUZZ_HOLDS(rd_window_read(&w->form, at, &only, NULL) == RD_OK && is_same(again.x, seen->x));
    w->form.series = s;
    free_window(&again);
    rd_series_free(other);
}

/* Truth is the column's own number where no stage is between. */
static void check_truth(const setting *w, const known *k, const rd_window *at, const window *seen)
{
    const size_t n = w->form.n_targets;
    rd_real y[2 * MOST_STEPS], weight[2 * MOST_STEPS];
    rd_tensor_read(seen->y, y);
    rd_tensor_read(seen->weight, weight);
    for (size_t i = 0; i < w->form.horizon * n; i++) {
        const rd_feature *f = &w->targets[i % n];
        const uint64_t row = at->origin + 1 + i / n;
        const bool lacks =
            row >= k->rows || isnan(rd_series_column(w->form.series, f->column)[row]);
        FUZZ_HOLDS(weight[i] == 0 || weight[i] == 1);
        if (f->n_stages > 0) continue;
        FUZZ_HOLDS((weight[i] == 0) == lacks);
        if (!lacks) FUZZ_HOLDS(y[i] == (rd_real)rd_series_column(w->form.series, f->column)[row]);
    }
}

static void check_windows(fuzz_input *in, rd_series *s, const known *k)
{
    static setting w;
    take_setting(in, s, k, &w);
    double *scratch = malloc(rd_window_scratch(&w.form) * sizeof *scratch + 1);
    FUZZ_HOLDS(scratch != NULL);
    w.form.scratch = scratch;
    rd_window at = {.begin = k->begin, .end = k->rows};
    const uint64_t first = k->begin + w.reach - 1;
    const uint64_t stride = 1 + (k->rows > first ? (k->rows - first) / 4 : 0);
    for (at.origin = first; at.origin < k->rows; at.origin += stride) {
        window seen;
        const bool good = read_window(&w, &at, &seen);
        if (good && !w.ahead) check_no_future(&w, k, &at, &seen);
        if (good) check_truth(&w, k, &at, &seen);
        free_window(&seen);
        double values[MOST_STEPS] = {0.5, -1, 1e30};
        for (size_t i = 0; good && i < w.form.n_targets; i++)
            FUZZ_HOLDS(rd_window_invert(&w.form, &w.targets[i], &at, values, w.form.horizon,
                                        NULL) == RD_OK);
        for (uint64_t h = 1; k->times != RD_ALL && h <= MOST_STEPS; h++)
            (void)rd_window_time(&w.form, k->times, &at, at.origin + h);
    }
    free(scratch);
}

static void check_series(fuzz_input *in, rd_series *s, uint8_t how)
{
    known k;
    check_groups(s);
    if (!look(s, how, &k)) return;
    if (how & FITS) check_fits(s, &k); /* which takes longer than all else */
    check_windows(in, s, &k);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
    fuzz_input in = {.at = at, .n = n};
    const uint8_t how = fuzz_byte(&in);
    fuzz_input options = {.at = in.at, .n = in.n < OPTIONS ? in.n : OPTIONS};
    in.at += options.n;
    in.n -= options.n;
    rd_series *s = take_series(&in, how);
    if (s) check_series(&options, s, how);
    rd_series_free(s);
    return 0;
}
