/* test_series_calendar.c - shares of day, week and year that have passed, times ahead, beside the C library.
 * SPDX-License-Identifier: MIT */
#include "text/columns.h"

#include <math.h>
#include <time.h>

enum { TRIES = 3000 };
static const double full = 6.283185307179586;

/* Whole seconds from the year -560 to 4500. */
static double moment(int i)
{
    const uint64_t random = (uint64_t)(i + 1) * 6364136223846793005U + 1442695040888963407U;
    return floor(((double)(random >> 11) / 9007199254740992.0 - 0.5) * 1.6e11);
}

static struct tm parts_of(double time)
{
    struct tm tm;
    const time_t seconds = (time_t)time;
    assert_non_null(gmtime_r(&seconds, &tm));
    return tm;
}

static void check(rd_calendar unit, double time, double share)
{
    double sine, cosine;
    rdc_calendar(unit, time, &sine, &cosine);
    if (fabs(sine - sin(full * share)) > 1e-12 || fabs(cosine - cos(full * share)) > 1e-12)
        fail_msg("unit %d at %.0f: %.15g %.15g, share %.15g", (int)unit, time, sine, cosine, share);
}

static void test_the_hour_is_the_share_of_the_day(void **state)
{
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        const struct tm tm = parts_of(moment(i));
        check(RD_HOUR, moment(i), (tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec) / 86400.0);
    }
}

static void test_a_week_begins_on_monday(void **state)
{
    (void)state;
    for (int i = 0; i < TRIES; i++)
        check(RD_WEEKDAY, moment(i), (parts_of(moment(i)).tm_wday + 6) % 7 / 7.0);
}

static void test_months_are_twelfths(void **state)
{
    (void)state;
    for (int i = 0; i < TRIES; i++) check(RD_MONTH, moment(i), parts_of(moment(i)).tm_mon / 12.0);
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static void test_days_of_leap_years_are_shorter_shares(void **state)
{
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        const struct tm tm = parts_of(moment(i));
        check(RD_DAY_OF_YEAR, moment(i), tm.tm_yday / (is_leap(tm.tm_year + 1900) ? 366.0 : 365.0));
    }
}

/* The same day n months on, or the last of its month. */
static double months_ahead(double time, int n)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct tm tm = parts_of(time);
    const int month = tm.tm_mon + n, year = tm.tm_year + month / 12;
    const int longest = days[month % 12] + (month % 12 == 1 && is_leap(year + 1900));
    tm.tm_year = year;
    tm.tm_mon = month % 12;
    if (tm.tm_mday > longest) tm.tm_mday = longest;
    return (double)timegm(&tm);
}

static void test_times_go_on_by_months(void **state)
{
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        const double time = fabs(moment(i));
        const double got = rdc_time_ahead(time, 1 + i % 5, true, (uint64_t)(i % 40));
        if (got != months_ahead(time, (1 + i % 5) * (i % 40))) fail_msg("%.0f: %.0f", time, got);
    }
}

static void test_times_go_on_by_seconds(void **state)
{
    (void)state;
    assert_true(rdc_time_ahead(100, 0.5, false, 7) == 103.5);
}

static void test_times_beyond_all_calendars_have_no_share_and_stand_still(void **state)
{
    (void)state;
    static const double far[] = {1e30, -1e30, (double)INFINITY, -(double)INFINITY, (double)NAN};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        for (rd_calendar unit = RD_HOUR; unit <= RD_DAY_OF_YEAR; unit++) {
            double sine, cosine;
            rdc_calendar(unit, far[i], &sine, &cosine);
            assert_true(sine == 0 && cosine == 1);
        }
        const double ahead = rdc_time_ahead(far[i], 1, true, 5);
        assert_memory_equal(&ahead, &far[i], sizeof ahead);
    }
    assert_true(rdc_time_ahead(86400, 1e30, true, 5) == 86400);
}

static void test_rows_behind_the_last_have_times_that_go_on(void **state)
{
    rd_error err;
    rd_window_batch batch = {0};
    rd_series *s = series_of(3, 1, VALUES(0, 3600, 7200));
    const rd_feature hour = {.kind = RD_FEATURE_CALENDAR, .unit = RD_HOUR};
    const rd_window_form form = {.series = s,
                                 .input = 2,
                                 .horizon = 3,
                                 .steps = 4,
                                 .features = &hour,
                                 .n_features = 1,
                                 .step = 3600};
    assert_int_equal(rd_window_width(&hour, 1), 2);
    OK(rd_tensor_new(*state, 3, (size_t[]){1, 4, 2}, RD_SEQUENCE, &batch.x, &err));
    OK(rd_window_read(&form, &(rd_window){.end = 3, .origin = 1}, &batch, &err));
    double expected[8]; /* step t has what is known of row t + 1 */
    for (int t = 0; t < 4; t++) {
        expected[2 * t] = sin(full * (t + 1) / 24);
        expected[2 * t + 1] = cos(full * (t + 1) / 24);
    }
    test_expect_near(batch.x, expected, 1e-6);
    RELEASE(batch.x);
    rd_series_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_hour_is_the_share_of_the_day),
        cmocka_unit_test(test_a_week_begins_on_monday),
        cmocka_unit_test(test_months_are_twelfths),
        cmocka_unit_test(test_days_of_leap_years_are_shorter_shares),
        cmocka_unit_test(test_times_go_on_by_months),
        cmocka_unit_test(test_times_go_on_by_seconds),
        cmocka_unit_test(test_times_beyond_all_calendars_have_no_share_and_stand_still),
        cmocka_unit_test(test_rows_behind_the_last_have_times_that_go_on),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
