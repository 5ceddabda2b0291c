/* test_csv_columns.c - columns of a CSV file: what is refused with its place, missing numbers, steps of time.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"
#include "text/csvs.h"

#include <float.h>
#include <math.h>

enum { MOST_COLUMNS = 2 };
static const uint32_t both[MOST_COLUMNS] = {0, 1};

/* The look at all columns of a file of one or two; NULL: the sentence is `rest` behind the path. */
static void scan_refused(scratch *s, const char *text, const rd_csv_rules *rules, rd_missing rule,
                         const char *rest)
{
    uint64_t missing[MOST_COLUMNS];
    rd_csv_report report = {.missing = missing};
    rd_error err = {0};
    rd_csv *c = csv_of(s, text, rules);
    const rd_csv_columns which = {.at = both, .n = rd_csv_width(c), .rule = rule};
    assert_int_equal(rd_csv_scan(c, &which, RD_ALL, &report, &err), RD_E_IO);
    expect_of_file(s, &err, rest);
    rd_csv_free(c);
}

static const rd_csv_rules header = {.header = true};

/* ---- numbers that are none ---- */

static void test_a_cell_that_is_no_number_is_named_with_its_place(void **state)
{
    scan_refused(
        *state, "time,temp\n1,2\n3, 12 km \n", &header, RD_MISSING_ERROR,
        "line 3, column 2 (temp): '12 km' is not a number; numbers are as -12.5 or 1.5e-3, "
        "missing ones empty, NA, NaN, null, ? or -");
}

static void test_without_a_header_a_column_has_no_name(void **state)
{
    const char *const words[] = {"none"};
    scan_refused(*state, "1,2\n3,x\n", &(rd_csv_rules){.missing = words, .n_missing = 1},
                 RD_MISSING_ERROR,
                 "line 2, column 2: 'x' is not a number; numbers are as -12.5 or 1.5e-3, missing "
                 "ones empty or as given");
    scan_refused(*state, "a,\n1,x\n", &header, RD_MISSING_ERROR,
                 "line 2, column 2: 'x' is not a number; numbers are as -12.5 or 1.5e-3, missing "
                 "ones empty, NA, NaN, null, ? or -");
}

/* Bytes below a blank are shown as ?, and no character is cut. */
static void test_a_long_cell_is_shown_in_part(void **state)
{
    scan_refused(*state,
                 "a\n\x01\x7F"
                 "cdefghijklmnopqrstuvwxyzabcdefghijklm\xC3\xA9 and more\n",
                 &header, RD_MISSING_ERROR,
                 "line 2, column 1 (a): '??cdefghijklmnopqrstuvwxyzabcdefghijklm...' is not a "
                 "number; numbers are as -12.5 or 1.5e-3, missing ones empty, NA, NaN, null, ? or "
                 "-");
}

static void test_other_signs_of_numbers_are_told(void **state)
{
    scan_refused(
        *state, "a;b\n1;1,5\n", &header, RD_MISSING_ERROR,
        "line 2, column 2 (b): '1,5' has ',' as the decimal sign, others '.'; give decimal "
        "= \",\" (and thousands, if there are any)");
    scan_refused(*state, "a;b\n1;1,234,567\n", &header, RD_MISSING_ERROR,
                 "line 2, column 2 (b): '1,234,567' has ',' between thousands; give thousands = "
                 "\",\"");
    scan_refused(*state, "a;b\n1;1.234\n", &(rd_csv_rules){.header = true, .decimal = ','},
                 RD_MISSING_ERROR,
                 "line 2, column 2 (b): '1.234' can be read in two ways; if '.' is the decimal "
                 "sign, give decimal = \".\", if it parts thousands, thousands = \".\"");
}

static void test_a_number_beyond_the_type_is_refused(void **state)
{
    char rest[SENTENCE_BYTES];
    snprintf(rest, sizeof(rest),
             "line 2, column 1 (a): '1e999' is too large for a number; the largest is 10^%d",
             sizeof(rd_real) == sizeof(float) ? FLT_MAX_10_EXP : DBL_MAX_10_EXP);
    scan_refused(*state, "a\n1e999\n", &header, RD_MISSING_ERROR, rest);
}

/* ---- missing numbers ---- */

static void test_a_missing_number_is_refused_by_default(void **state)
{
    scan_refused(*state, "a,b\n1,2\n3,\n", &header, RD_MISSING_ERROR,
                 "line 3, column 2 (b): '' is missing; give missing = \"previous\" or "
                 "\"interpolate\", or leave the column out");
}

static void test_nothing_comes_before_a_first_value_that_is_missing(void **state)
{
    scan_refused(*state, "a,b\n1,\n2,?\n3,4\n", &header, RD_MISSING_PREVIOUS,
                 "line 4, column 2 (b): '4' is the first value of its column: missing ones before "
                 "it have nothing to take theirs from; give skip = 2 to begin here");
}

static void test_a_column_without_any_value_is_refused(void **state)
{
    scan_refused(*state, "a,b\n1,\n2,NA\n", &header, RD_MISSING_PREVIOUS,
                 "column 2 has no value in all its 2 rows; leave it out");
}

static void test_a_file_of_names_alone_is_refused(void **state)
{
    scan_refused(*state, "a,b\n", &header, RD_MISSING_ERROR,
                 "there are no rows in it behind the names of its columns");
    scan_refused(*state, "a,b\n", &(rd_csv_rules){.skip = 1}, RD_MISSING_ERROR,
                 "there are no rows in it");
}

static void test_missing_numbers_are_counted(void **state)
{
    uint64_t missing[MOST_COLUMNS];
    rd_csv_report report = {.missing = missing};
    rd_error err;
    rd_csv *c = csv_of(*state, "a,b\n1,\n2,3\n-,\n5,none\n", &header);
    rd_csv_columns which = {.at = both, .n = 2, .rule = RD_MISSING_PREVIOUS, .many = true};
    OK(rd_csv_scan(c, &which, RD_ALL, &report, &err));
    assert_int_equal(report.rows, 4);
    assert_int_equal(missing[0], 1);
    assert_int_equal(missing[1], 3);
    assert_int_equal(report.unit, RD_STEP_NONE);
    which.many = false;
    assert_int_equal(rd_csv_scan(c, &which, RD_ALL, &report, &err), RD_E_IO);
    rd_csv_free(c);
}

static void test_words_for_missing_numbers_are_the_users(void **state)
{
    const char *const words[] = {"-999", "x"};
    rd_csv *c = csv_of(*state, "a\n-999\n", &(rd_csv_rules){.missing = words, .n_missing = 2});
    assert_int_equal(rd_csv_kind_of(c, "-999", 4), RD_CSV_MISSING);
    assert_int_equal(rd_csv_kind_of(c, "", 0), RD_CSV_MISSING);
    assert_int_equal(rd_csv_kind_of(c, "-998", 4), RD_CSV_NUMBER);
    assert_int_equal(rd_csv_kind_of(c, "NA", 2), RD_CSV_TEXT);
    rd_csv_free(c);
}

/* ---- steps of time ---- */

static rd_csv_report scan_times(scratch *s, const char *text, const rd_csv_rules *rules)
{
    uint64_t missing[MOST_COLUMNS];
    rd_csv_report report = {.missing = missing};
    rd_error err;
    rd_csv *c = csv_of(s, text, rules);
    OK(rd_csv_scan(c, &(rd_csv_columns){.at = &both[1], .n = 1}, 0, &report, &err));
    rd_csv_free(c);
    return report;
}

static void test_the_step_of_days(void **state)
{
    const rd_csv_report r = scan_times(
        *state, "t,a\n2020-01-01,1\n2020-01-02,1\n2020-01-04,1\n2020-01-05,1\n", &header);
    assert_int_equal(r.unit, RD_STEP_SECONDS);
    assert_true(r.step == 86400);
    assert_int_equal(r.other_steps, 1);
    assert_int_equal(r.other_line, 4);
    assert_true(r.last - r.first == 4 * 86400.0);
}

static void test_the_step_of_months(void **state)
{
    const rd_csv_report r =
        scan_times(*state, "t,a\n2020-01,1\n2020-03,1\n2020-05,1\n2020-06,1\n", &header);
    assert_int_equal(r.unit, RD_STEP_MONTHS);
    assert_true(r.step == 2);
    assert_int_equal(r.other_steps, 1);
    assert_int_equal(r.other_line, 5);
}

static void test_last_days_of_months_are_a_month_apart(void **state)
{
    const rd_csv_report r = scan_times(
        *state, "t,a\n2020-01-31 12:00,1\n2020-02-29 12:00,1\n2020-03-31 12:00,1\n", &header);
    assert_int_equal(r.unit, RD_STEP_MONTHS);
    assert_true(r.step == 1);
    assert_int_equal(r.other_steps, 0);
}

static void test_the_step_of_numbers(void **state)
{
    const rd_csv_report r = scan_times(*state, "t,a\n1949.1,1\n1949.2,1\n1949.3,1\n1949.5,1\n",
                                       &(rd_csv_rules){.header = true, .plain_times = true});
    assert_int_equal(r.unit, RD_STEP_NUMBER);
    assert_true(fabs(r.step - 0.1) < 1e-9);
    assert_int_equal(r.other_steps, 1);
    assert_int_equal(r.other_line, 5);
}

static void times_refused(scratch *s, const char *text, const rd_csv_rules *rules, const char *rest)
{
    uint64_t missing[MOST_COLUMNS];
    rd_csv_report report = {.missing = missing};
    rd_error err;
    rd_csv *c = csv_of(s, text, rules);
    assert_int_equal(rd_csv_scan(c, &(rd_csv_columns){.at = &both[1], .n = 1}, 0, &report, &err),
                     RD_E_IO);
    expect_of_file(s, &err, rest);
    rd_csv_free(c);
}

static void test_times_go_forward(void **state)
{
    const char *rest = "line 3, column 1 (t): '2020-01-01' does not come after the row before it; "
                       "rows go forward in time, each with its own";
    times_refused(*state, "t,a\n2020-01-01,1\n2020-01-01,1\n", &header, rest);
    times_refused(*state, "t,a\n2020-01-02,1\n2020-01-01,1\n", &header, rest);
}

static void test_each_row_has_its_time(void **state)
{
    times_refused(*state, "t,a\n2020-01-01,1\n,1\n", &header,
                  "line 3, column 1 (t): '' is missing; each row has its time");
    times_refused(*state, "t,a\n2020-01-01,1\n2020-02-30,1\n", &header,
                  "line 3, column 1 (t): '2020-02-30' is no day of the calendar");
}

static void test_a_time_is_a_number_that_ends(void **state)
{
    times_refused(*state, "t,a\n1,1\n1e999,1\n",
                  &(rd_csv_rules){.header = true, .plain_times = true},
                  "line 3, column 1 (t): '1e999' is too large for a time");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_cell_that_is_no_number_is_named_with_its_place),
        TEST(test_without_a_header_a_column_has_no_name),
        TEST(test_a_long_cell_is_shown_in_part),
        TEST(test_other_signs_of_numbers_are_told),
        TEST(test_a_number_beyond_the_type_is_refused),
        TEST(test_a_missing_number_is_refused_by_default),
        TEST(test_nothing_comes_before_a_first_value_that_is_missing),
        TEST(test_a_column_without_any_value_is_refused),
        TEST(test_a_file_of_names_alone_is_refused),
        TEST(test_missing_numbers_are_counted),
        TEST(test_words_for_missing_numbers_are_the_users),
        TEST(test_the_step_of_days),
        TEST(test_the_step_of_months),
        TEST(test_last_days_of_months_are_a_month_apart),
        TEST(test_the_step_of_numbers),
        TEST(test_times_go_forward),
        TEST(test_each_row_has_its_time),
        TEST(test_a_time_is_a_number_that_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
