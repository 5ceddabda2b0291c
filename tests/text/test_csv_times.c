/* test_csv_times.c - times out of cells: all forms, what is none, and their seconds by the C library.
 * SPDX-License-Identifier: MIT */
#include "text/csvs.h"

#include <math.h>
#include <time.h>

static const char no_date[] =
    "is not a date or time; forms are 1949-01-31, 1949-01, 1949, 1949Q1, 19490131, "
    "31.1.1949, 1/31/1949, each day also with a clock, as 12:00, 12:00:30.5Z";
static const char no_day[] = "is no day of the calendar";
static const char no_clock[] =
    "has no time of day behind its date; clocks are 12:00, 12:00:30.5, 1:00 pm, "
    "12:00Z or 12:00+01:00";

/* NULL, or what is wrong with the text as a time. */
static const char *wrong_with(const rd_csv *c, const char *text, rdc_csv_time *t)
{
    const rdc_csv_cell cell = {.at = (const unsigned char *)text, .n = strlen(text)};
    return rdc_csv_time_of(c, &cell, t);
}

typedef struct clock_time {
    int year, month, day, hour, minute;
    double second;
} clock_time;

/* By timegm of the C library. */
static double seconds_of(const clock_time *t)
{
    struct tm tm = {.tm_year = t->year - 1900,
                    .tm_mon = t->month - 1,
                    .tm_mday = t->day,
                    .tm_hour = t->hour,
                    .tm_min = t->minute};
    return (double)timegm(&tm) + t->second;
}

static void check_time(const rd_csv *c, const char *text, const clock_time *expected)
{
    double seconds = 0;
    if (!rd_csv_time_of(c, text, strlen(text), &seconds)) fail_msg("'%s' is no time", text);
    if (fabs(seconds - seconds_of(expected)) > 1e-6) /* of fractions in digits */
        fail_msg("'%s' is %.6f, expected %.6f", text, seconds, seconds_of(expected));
}

static void check_wrong(const rd_csv *c, const char *text, const char *expected)
{
    rdc_csv_time t;
    const char *wrong = wrong_with(c, text, &t);
    if (!wrong || strcmp(wrong, expected) != 0) fail_msg("'%s': %s", text, wrong ? wrong : "none");
}

static rd_csv *reader(void **state, rd_date_order dates)
{
    return csv_of(*state, "a\n1\n", &(rd_csv_rules){.dates = dates});
}

static void test_dates_with_the_year_first(void **state)
{
    rd_csv *c = reader(state, RD_DATES_SURE);
    check_time(c, "1949-01-31", &(clock_time){1949, 1, 31});
    check_time(c, "1949/1/3", &(clock_time){1949, 1, 3});
    check_time(c, "1949.12.03", &(clock_time){1949, 12, 3});
    check_time(c, "19490131", &(clock_time){1949, 1, 31});
    check_time(c, "2000-02-29", &(clock_time){2000, 2, 29});
    check_time(c, "0001-01-01", &(clock_time){1, 1, 1});
    check_time(c, " 1949-03-01\t", &(clock_time){1949, 3, 1});
    rd_csv_free(c);
}

static void test_months_quarters_and_years(void **state)
{
    rd_csv *c = reader(state, RD_DATES_SURE);
    check_time(c, "1949", &(clock_time){1949, 1, 1});
    check_time(c, "1949-11", &(clock_time){1949, 11, 1});
    check_time(c, "1949/3", &(clock_time){1949, 3, 1});
    check_time(c, "1949M02", &(clock_time){1949, 2, 1});
    check_time(c, "1949Q4", &(clock_time){1949, 10, 1});
    check_time(c, "1949-q2", &(clock_time){1949, 4, 1});
    check_time(c, "1949 Q1", &(clock_time){1949, 1, 1});
    rd_csv_free(c);
}

static void test_dates_with_the_year_last(void **state)
{
    rd_csv *c = reader(state, RD_DATES_SURE);
    check_time(c, "1.2.1949", &(clock_time){1949, 2, 1}); /* with full stops: the day first */
    check_time(c, "31/1/1949", &(clock_time){1949, 1, 31});
    check_time(c, "1/31/1949", &(clock_time){1949, 1, 31});
    check_time(c, "5-5-1949", &(clock_time){1949, 5, 5});
    check_wrong(c, "3/4/1949",
                "can be read with the day or the month first; give dates = \"dmy\" or \"mdy\"");
    check_wrong(c, "31/1/49", "has a year without four digits");
    rd_csv_free(c);
}

static void test_the_order_of_days_and_months_is_the_users(void **state)
{
    rd_csv *c = reader(state, RD_DATES_DMY);
    check_time(c, "3/4/1949", &(clock_time){1949, 4, 3});
    check_wrong(c, "1/31/1949", no_day);
    rd_csv_free(c);
    c = reader(state, RD_DATES_MDY);
    check_time(c, "3/4/1949", &(clock_time){1949, 3, 4});
    check_time(c, "3.4.1949", &(clock_time){1949, 4, 3});
    rd_csv_free(c);
}

static void test_clocks(void **state)
{
    rd_csv *c = reader(state, RD_DATES_SURE);
    check_time(c, "1949-01-31T12:00", &(clock_time){1949, 1, 31, 12});
    check_time(c, "1949-01-31 9:05:30.25", &(clock_time){1949, 1, 31, 9, 5, 30.25});
    check_time(c, "1949-01-31 12:00:60", &(clock_time){1949, 1, 31, 12, 1}); /* a leap second */
    check_time(c, "31/1/1949 12:00 am", &(clock_time){1949, 1, 31});
    check_time(c, "31/1/1949 12:30PM", &(clock_time){1949, 1, 31, 12, 30});
    check_time(c, "31/1/1949 1:00 pm", &(clock_time){1949, 1, 31, 13});
    rd_csv_free(c);
}

static void test_zones(void **state)
{
    rd_csv *c = reader(state, RD_DATES_SURE);
    check_time(c, "1949-01-31T12:00Z", &(clock_time){1949, 1, 31, 12});
    check_time(c, "1949-01-31T12:00z", &(clock_time){1949, 1, 31, 12});
    check_time(c, "1949-01-31T12:00+01:30", &(clock_time){1949, 1, 31, 10, 30});
    check_time(c, "1949-01-31T12:00-0530", &(clock_time){1949, 1, 31, 17, 30});
    check_time(c, "1949-01-31T12:00+02", &(clock_time){1949, 1, 31, 10});
    rd_csv_free(c);
}

static void test_days_that_are_not_in_the_calendar(void **state)
{
    static const char *const none[] = {"1949-02-29", "1900-02-29", "1949-13-01", "1949-00-01",
                                       "1949-01-00", "1949-04-31", "0000-01-01", "19491301"};
    rd_csv *c = reader(state, RD_DATES_SURE);
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) check_wrong(c, none[i], no_day);
    rd_csv_free(c);
}

static void test_texts_that_are_no_dates(void **state)
{
    static const char *const none[] = {
        "",       "abc",      "194",      "1949-",   "1949-abc",     "1949-001", "1949Q",
        "1949Q5", "1949Q0",   "1949Q1 ",  "1949Q12", "1949M1",       "1949M011", "1949x",
        "1949.5", "1949-01-", "1949-1/1", "1",       "1.",           "1x2x1949", "1/123/1949",
        "1/2",    "1/2/",     "1/2.1949", "1949013", "1949-01 12:00"};
    rd_csv *c = reader(state, RD_DATES_SURE);
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) check_wrong(c, none[i], no_date);
    rd_csv_free(c);
}

static void test_texts_that_are_no_clocks(void **state)
{
    static const char *const none[] = {
        "x",         " 12",       " 12:0",    " 123:00",      " :00",         " 24:00",
        " 12:60",    " 12:00:61", " 12:00:0", " 12:00:00.",   " 12:00:00.x",  " 0:30 pm",
        " 13:30 am", " 12:00 xm", " 12:00+1", " 12:00+16:00", " 12:00+01:60", " 12:00+01:0",
        " 12:00Zx"};
    char text[64];
    rd_csv *c = reader(state, RD_DATES_SURE);
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        snprintf(text, sizeof(text), "1949-01-31%s", none[i]);
        check_wrong(c, text, no_clock);
    }
    rd_csv_free(c);
}

static void test_times_may_be_plain_numbers(void **state)
{
    double time = 0;
    rd_csv *c = csv_of(*state, "a\n1\n", &(rd_csv_rules){.plain_times = true});
    assert_true(rd_csv_time_of(c, "1949.5", 6, &time));
    assert_true(time == 1949.5);
    assert_false(rd_csv_time_of(c, "1949-01", 7, &time));
    assert_true(time == 1949.5);
    check_wrong(c, "1949-01", "is not a number, as the first time is");
    rd_csv_free(c);
}

static void test_cells_are_known_by_what_they_hold(void **state)
{
    rd_csv *c = reader(state, RD_DATES_SURE);
    assert_int_equal(rd_csv_kind_of(c, " NA ", 4), RD_CSV_MISSING);
    assert_int_equal(rd_csv_kind_of(c, "1949", 4), RD_CSV_NUMBER);
    assert_int_equal(rd_csv_kind_of(c, "1949-01", 7), RD_CSV_TIME);
    assert_int_equal(rd_csv_kind_of(c, "north", 5), RD_CSV_TEXT);
    rd_csv_free(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_dates_with_the_year_first),
        TEST(test_months_quarters_and_years),
        TEST(test_dates_with_the_year_last),
        TEST(test_the_order_of_days_and_months_is_the_users),
        TEST(test_clocks),
        TEST(test_zones),
        TEST(test_days_that_are_not_in_the_calendar),
        TEST(test_texts_that_are_no_dates),
        TEST(test_texts_that_are_no_clocks),
        TEST(test_times_may_be_plain_numbers),
        TEST(test_cells_are_known_by_what_they_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
