/* test_series_fit.c - what scalers are fitted on: moments and quantiles beside their definitions.
 * SPDX-License-Identifier: MIT */
#include "text/columns.h"

#include <math.h>
#include <stdlib.h>

enum { MANY = 10000 }; /* more than two blocks of a pass */

/* Some of all sizes and signs, every seventh missing. */
static double number_at(uint64_t row)
{
    const uint64_t random = (row + 1) * 6364136223846793005U + 1442695040888963407U; /* Knuth */
    if (row % 7 == 3) return (double)NAN;
    return ldexp((double)(int64_t)random, -(int)(random % 60) - 10);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t numbers_of(const rd_series *s, uint64_t from, uint64_t n, double *out)
{
    size_t kept = 0;
    for (uint64_t row = from; row < from + n; row++)
        if (!isnan(s->at[row])) out[kept++] = s->at[row];
    return kept;
}

static rd_series *random_series(void)
{
    rd_series *s = series_of(MANY, 1, NULL);
    for (uint64_t row = 0; row < MANY; row++) rd_series_column(s, 0)[row] = number_at(row);
    return s;
}

/* The two-pass formulas, in long double. */
static void test_moments_are_those_of_the_formula(void **state)
{
    (void)state;
    static double v[MANY];
    rd_error err;
    rd_moments m;
    rd_series *s = random_series();
    const rd_rows rows[] = {{.from = 5, .n = 6000}, {.from = 8000, .n = 2000}};
    OK(rd_series_moments(s, &(rd_stretch){.rows = rows, .n_rows = 2}, &m, &err));
    size_t n = numbers_of(s, 5, 6000, v);
    n += numbers_of(s, 8000, 2000, v + n);
    long double sum = 0, size = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += v[i], size += fabsl((long double)v[i]);
    for (size_t i = 0; i < n; i++) squares += (v[i] - sum / n) * (v[i] - sum / n);
    qsort(v, n, sizeof(*v), by_size);
    const double deviation = (double)sqrtl(squares / n);
    assert_int_equal(m.n, n);
    assert_true(fabs(m.mean - (double)(sum / n)) <= 1e-12 * deviation);
    assert_true(fabs(m.deviation - deviation) <= 1e-12 * deviation);
    assert_true(fabs(m.size - (double)(size / n)) <= 1e-12 * m.size);
    assert_true(m.low == v[0] && m.high == v[n - 1]);
    rd_series_free(s);
}

static void test_moments_of_no_numbers(void **state)
{
    (void)state;
    rd_error err;
    rd_moments m;
    rd_series *s = series_of(2, 1, VALUES((double)NAN, (double)NAN));
    const rd_rows rows = {.n = 2};
    OK(rd_series_moments(s, &(rd_stretch){.rows = &rows, .n_rows = 1}, &m, &err));
    assert_true(m.n == 0 && m.mean == 0 && m.deviation == 0 && m.size == 0);
    rd_series_free(s);
}

/* By sorting, and the line between two neighbours. */
static void check_quantile(const rd_series *s, const double *sorted, size_t n, double q)
{
    rd_error err;
    double got = 0;
    const rd_rows rows = {.from = 100, .n = 9000};
    OK(rd_series_quantile(s, &(rd_stretch){.rows = &rows, .n_rows = 1}, q, &got, &err));
    const double at = q * (double)(n - 1);
    const size_t i = (size_t)at, j = i + 1 < n ? i + 1 : i;
    const double expected = sorted[i] + (at - (double)i) * (sorted[j] - sorted[i]);
    if (got != expected) fail_msg("quantile %g is %.17g, expected %.17g", q, got, expected);
}

static void test_quantiles_are_those_of_sorted_numbers(void **state)
{
    (void)state;
    static double v[MANY];
    rd_series *s = random_series();
    const size_t n = numbers_of(s, 100, 9000, v);
    qsort(v, n, sizeof(*v), by_size);
    check_quantile(s, v, n, 0);
    check_quantile(s, v, n, 0.25);
    check_quantile(s, v, n, 0.5);
    check_quantile(s, v, n, 0.9);
    check_quantile(s, v, n, 1);
    rd_series_free(s);
}

static void test_the_quantile_of_no_numbers_is_none(void **state)
{
    (void)state;
    rd_error err;
    double got = 0;
    rd_series *s = series_of(1, 1, VALUES((double)NAN));
    const rd_rows rows = {.n = 1};
    OK(rd_series_quantile(s, &(rd_stretch){.rows = &rows, .n_rows = 1}, 0.5, &got, &err));
    assert_true(isnan(got));
    rd_series_free(s);
}

/* 1 2 4 7 NaN 11 16: differences 1 2 3 - - 5. */
static void test_differences_are_taken_before_a_fit(void **state)
{
    (void)state;
    rd_error err;
    rd_moments m;
    rd_series *s = series_of(7, 1, VALUES(1, 2, 4, 7, (double)NAN, 11, 16));
    const rd_stage difference = {.kind = RD_STAGE_DIFFERENCE, .a = 1};
    rd_rows rows = {.n = 7};
    const rd_stretch of = {.rows = &rows, .n_rows = 1, .stages = &difference, .n_stages = 1};
    OK(rd_series_moments(s, &of, &m, &err));
    assert_true(m.n == 4 && m.mean == 2.75 && m.low == 1 && m.high == 5);
    rows.n = 1; /* as many as the difference takes */
    OK(rd_series_moments(s, &of, &m, &err));
    assert_int_equal(m.n, 0);
    rd_series_free(s);
}

static void test_a_number_without_a_logarithm_is_named(void **state)
{
    (void)state;
    rd_error err;
    rd_moments m;
    double q;
    rd_series *s = series_of(5, 1, VALUES(1, 2, 3, -4, 5));
    rd_stage stage = {.kind = RD_STAGE_LOG};
    const rd_rows rows = {.from = 2, .n = 3, .first = 1};
    const rd_stretch of = {
        .rows = &rows, .n_rows = 1, .stages = &stage, .n_stages = 1, .name = "passengers"};
    test_fails(rd_series_moments(s, &of, &m, &err), &err,
               "column 'passengers', row 3: -4 is not above 0 and has no logarithm; give LogScaler "
               "{ offset = a number that makes all of the column's positive }");
    stage = (rd_stage){.kind = RD_STAGE_BOX_COX, .a = 2, .b = 0.5};
    test_fails(
        rd_series_quantile(s, &of, 0.5, &q, &err), &err,
        "column 'passengers', row 3: -4 with the offset is not above 0 and has no logarithm; "
        "give BoxCoxScaler { offset = a number that makes all of the column's positive }");
    rd_series_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments_are_those_of_the_formula),
        cmocka_unit_test(test_moments_of_no_numbers),
        cmocka_unit_test(test_quantiles_are_those_of_sorted_numbers),
        cmocka_unit_test(test_the_quantile_of_no_numbers_is_none),
        cmocka_unit_test(test_differences_are_taken_before_a_fit),
        cmocka_unit_test(test_a_number_without_a_logarithm_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
