/* fuzz_csv.c - files of rows: whatever they hold is refused in a sentence or read, and read again by parts,
 * from any row on, it is the same.
 *
 * The first bytes say how the file is read (options), the rest is the file.
 * SPDX-License-Identifier: MIT */
#include "fuzz/support/fuzz.h"
#include "rondo_series.h"

#include <locale.h>
#include <math.h>

enum { MOST_COLUMNS = 6, MOST_ROWS = 4096 };

typedef struct options {
    rd_csv_form form;
    rd_csv_rules rules;
    rd_missing missing;
    uint32_t time; /* a column, or RD_ALL */
    uint32_t part; /* rows that are read at once */
} options;

static options take_options(fuzz_input *in)
{
    static const char separators[] = {0, ',', ';', '\t', '|'}, thousands[] = {0, ',', '.', ' '};
    static const char *const words[] = {"-999", "", "x", "1"};
    const uint8_t form = fuzz_byte(in), rules = fuzz_byte(in), more = fuzz_byte(in);
    options o = {
        .form = {.separator = separators[form % 5], .quotes = !(form & 8), .comments = form & 16},
        .rules = {.header = !(rules & 1),
                  .plain_times = rules & 2,
                  .dates = (rd_date_order)((rules >> 2) % 3),
                  .decimal = rules & 16 ? ',' : '.',
                  .thousands = thousands[rules >> 5 & 3]},
        .missing = (rd_missing)(more % 3),
        .time = RD_ALL,
        .part = 1 + (more >> 4),
    };
    if (rules & 128) {
        o.rules.missing = words;
        o.rules.n_missing = sizeof words / sizeof *words;
    }
    o.rules.skip = more >> 2 & 3;
    return o;
}

/* A number of all that can be told of a row. */
static uint64_t look_at_row(rd_csv *c, bool check_numbers)
{
    uint64_t hash = 14695981039346656037U; /* FNV-1a */
    for (uint32_t k = 0; k < rd_csv_width(c); k++) {
        const char *at;
        size_t n;
        double time = 0;
        FUZZ_HOLDS(rd_csv_text(c, k, &at, &n, NULL) == RD_OK);
        const rd_csv_kind kind = rd_csv_kind_of(c, at, n);
        const bool is_time = rd_csv_time_of(c, at, n, &time);
        FUZZ_HOLDS(kind != RD_CSV_TIME || is_time);
        for (size_t i = 0; i < n; i++) hash = (hash ^ (uint8_t)at[i]) * 1099511628211U;
        hash = (hash ^ (uint64_t)kind ^ 256) * 1099511628211U;
        if (!check_numbers || kind != RD_CSV_NUMBER || n > 300) continue;
        char text[304];
        memcpy(text, at, n);
        text[n] = '\0';
        char *end;
        (void)strtod(text, &end); /* all of it is one number for the C library as well */
        while (*end == ' ' || *end == '\t') end++;
        FUZZ_HOLDS(*end == '\0' && end == text + n);
    }
    return hash;
}

/* Reads all rows; false where one of them is refused. */
static bool walk(rd_csv *c, const options *o, uint64_t *rows, uint64_t *hashes)
{
    rd_error err = {0};
    const bool plain = o->rules.decimal == '.' && !o->rules.thousands;
    for (*rows = 0; *rows < MOST_ROWS; ++*rows) {
        bool more;
        const rd_status status = rd_csv_next(c, &more, &err);
        if (status != RD_OK) fuzz_refused(status, &err);
        if (status != RD_OK) return false;
        if (!more) return true;
        hashes[*rows] = look_at_row(c, plain);
    }
    return false;
}

/* Rows are the same from wherever they are sought. */
static void seek_rows(rd_csv *c, uint64_t rows, const uint64_t *hashes)
{
    for (uint64_t i = 0, row = rows; i < 8 && rows > 0; i++) {
        bool more;
        row = (row * 7 + 3) % rows;
        FUZZ_HOLDS(rd_csv_seek(c, row, NULL) == RD_OK);
        FUZZ_HOLDS(rd_csv_next(c, &more, NULL) == RD_OK && more);
        FUZZ_HOLDS(look_at_row(c, false) == hashes[row]);
    }
}

/* The columns of numbers, and the one of times, as the first row has them. */
static size_t choose_columns(rd_csv *c, options *o, uint32_t *columns)
{
    bool more = false;
    size_t n = 0;
    if (rd_csv_seek(c, 0, NULL) != RD_OK || rd_csv_next(c, &more, NULL) != RD_OK || !more) return 0;
    for (uint32_t k = 0; k < rd_csv_width(c) && n < MOST_COLUMNS; k++) {
        const char *at;
        size_t bytes;
        FUZZ_HOLDS(rd_csv_text(c, k, &at, &bytes, NULL) == RD_OK);
        const rd_csv_kind kind = rd_csv_kind_of(c, at, bytes);
        if (o->time == RD_ALL && (kind == RD_CSV_TIME || (k == 0 && o->rules.plain_times)))
            o->time = k;
        else if (kind != RD_CSV_TEXT)
            columns[n++] = k;
    }
    return n;
}

static rd_tensor *table(size_t rows, size_t columns)
{
    rd_tensor *x = NULL;
    const size_t shape[2] = {rows, columns};
    FUZZ_HOLDS(rd_tensor_new(fuzz_core(), 2, shape, RD_DENSE, &x, NULL) == RD_OK);
    return x;
}

/* Values of rows from.., by rows; the caller frees. Missing at the end of a part there is nothing to
 * interpolate to: such numbers are NaN here, as nobody promises that they are the same by parts. */
static rd_real *values_of(rd_csv *c, const rd_csv_columns *which, uint64_t from, size_t rows)
{
    rd_tensor *x = table(rows, which->n);
    rd_real *values = malloc(rows * which->n * sizeof *values);
    FUZZ_HOLDS(values && rd_csv_values(c, which, from, x, NULL) == RD_OK);
    rd_tensor_read(x, values);
    rd_tensor_release(x);
    for (size_t k = 0; which->rule == RD_MISSING_INTERPOLATE && k < which->n; k++) {
        bool missing = true;
        for (size_t i = rows; i-- > 0 && missing;) {
            const char *at;
            size_t n;
            bool more;
            FUZZ_HOLDS(rd_csv_seek(c, from + i, NULL) == RD_OK &&
                       rd_csv_next(c, &more, NULL) == RD_OK);
            FUZZ_HOLDS(rd_csv_text(c, which->at[k], &at, &n, NULL) == RD_OK);
            missing = rd_csv_kind_of(c, at, n) == RD_CSV_MISSING;
            if (missing) values[i * which->n + k] = (rd_real)NAN;
        }
    }
    return values;
}

static void read_by_parts(rd_csv *c, const options *o, const rd_csv_columns *which, uint64_t rows)
{
    const size_t n = (size_t)rows;
    rd_real *all = values_of(c, which, 0, n);
    for (size_t from = 0; from < n; from += o->part) {
        const size_t some = n - from < o->part ? n - from : o->part;
        rd_real *part = values_of(c, which, from, some);
        for (size_t i = 0; i < some * which->n; i++) {
            const rd_real whole = all[from * which->n + i];
            FUZZ_HOLDS(isnan(part[i]) || isnan(whole) ||
                       memcmp(&part[i], &whole, sizeof whole) == 0);
        }
        free(part);
    }
    free(all);
}

static void read_times(rd_csv *c, const options *o, uint64_t rows, const rd_csv_report *report)
{
    double *times = malloc((size_t)rows * sizeof *times), one;
    FUZZ_HOLDS(times && rd_csv_times(c, o->time, 0, (size_t)rows, times, NULL) == RD_OK);
    for (uint64_t i = 0; i < rows; i++) {
        FUZZ_HOLDS(i == 0 || times[i] > times[i - 1]);
        FUZZ_HOLDS(rd_csv_times(c, o->time, i, 1, &one, NULL) == RD_OK && one == times[i]);
    }
    FUZZ_HOLDS(report->first == times[0] && report->last == times[rows - 1]);
    FUZZ_HOLDS(rows < 2 || (isfinite(report->step) && report->step > 0));
    free(times);
}

/* The same numbers as columns of a series. */
static void read_series(rd_csv *c, const options *o, const rd_csv_columns *which, uint64_t rows,
                        const uint64_t *missing)
{
    rd_series *s = NULL;
    const uint32_t times = o->time != RD_ALL;
    const rd_series_form form = {
        .rows = rows, .columns = (uint32_t)which->n + times, .most_bytes = SIZE_MAX};
    FUZZ_HOLDS(rd_series_new(&form, &s, NULL) == RD_OK);
    FUZZ_HOLDS(rd_series_take_csv(s, c, which, o->time, NULL) == RD_OK);
    for (uint32_t k = 0; k < which->n; k++) {
        uint64_t lacking = 0;
        for (uint64_t i = 0; i < rows; i++) lacking += isnan(rd_series_column(s, k)[i]);
        FUZZ_HOLDS(lacking == missing[k] && rd_series_infinite(s, k) == rows);
    }
    if (times) FUZZ_HOLDS(rd_series_falls(s, (uint32_t)which->n, 0, rows) == rows);
    rd_series_free(s);
}

static void read_values(rd_csv *c, options *o, uint64_t rows)
{
    uint32_t columns[MOST_COLUMNS];
    uint64_t missing[MOST_COLUMNS];
    rd_error err = {0};
    const rd_csv_columns which = {
        .at = columns, .n = choose_columns(c, o, columns), .rule = o->missing};
    rd_csv_report report = {.missing = missing};
    if (which.n == 0) return;
    const rd_status status = rd_csv_scan(c, &which, o->time, &report, &err);
    if (status != RD_OK) {
        fuzz_refused(status, &err);
        return;
    }
    FUZZ_HOLDS(report.rows == rows);
    read_by_parts(c, o, &which, rows);
    if (o->time != RD_ALL) read_times(c, o, rows, &report);
    read_series(c, o, &which, rows, missing);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
    static uint64_t hashes[MOST_ROWS];
    fuzz_input in = {.at = at, .n = n};
    options o = take_options(&in);
    rd_csv *c = NULL;
    rd_error err = {0};
    uint64_t rows;
    rd_status status = rd_csv_open(fuzz_file(in.at, in.n), &o.form, &c, &err);
    if (status == RD_OK) status = rd_csv_begin(c, &o.rules, &err);
    if (status != RD_OK)
        fuzz_refused(status, &err);
    else if (walk(c, &o, &rows, hashes)) {
        seek_rows(c, rows, hashes);
        read_values(c, &o, rows);
    }
    rd_csv_free(c);
    return 0;
}
