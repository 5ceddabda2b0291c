/* test_csv_rows.c - stretches of rows of a CSV file: values with missing ones filled, and times.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"
#include "text/csvs.h"

static const uint32_t both[2] = {0, 1};
static const rd_csv_rules header = {.header = true};

typedef struct machine {
    rd_core *core;
    rd_tensor *x;
} machine;

static machine make_rows(size_t rows, size_t columns)
{
    rd_error err;
    machine m = {0};
    OK(rd_core_open(&(rd_core_options){.threads = 1}, &m.core, &err));
    OK(rd_tensor_new(m.core, 2, (size_t[]){rows, columns}, RD_DENSE, &m.x, &err));
    return m;
}

static void free_rows(machine *m)
{
    rd_tensor_release(m->x);
    rd_core_release(m->core);
}

static const char gaps[] = "a,b\n1,10\n,20\n,\n4,\n5,50\n";

static void test_missing_numbers_take_the_one_before(void **state)
{
    rd_error err;
    machine m = make_rows(4, 2);
    rd_csv *c = csv_of(*state, gaps, &header);
    const rd_csv_columns which = {.at = both, .n = 2, .rule = RD_MISSING_PREVIOUS};
    OK(rd_csv_values(c, &which, 1, m.x, &err));
    test_expect(m.x, SHAPE(4, 2), VALUES(1, 20, 1, 20, 4, 20, 5, 50));
    rd_csv_free(c);
    free_rows(&m);
}

static void test_missing_numbers_lie_on_a_line_to_the_next(void **state)
{
    rd_error err;
    machine m = make_rows(4, 2);
    rd_csv *c = csv_of(*state, gaps, &header);
    const rd_csv_columns which = {.at = both, .n = 2, .rule = RD_MISSING_INTERPOLATE};
    OK(rd_csv_values(c, &which, 1, m.x, &err));
    test_expect_near(m.x, VALUES(2, 20, 3, 30, 4, 40, 5, 50), 1e-6);
    rd_csv_free(c);
    free_rows(&m);
}

static void test_behind_the_last_row_nothing_is_looked_at(void **state)
{
    rd_error err;
    machine m = make_rows(2, 2);
    rd_csv *c = csv_of(*state, gaps, &header);
    const rd_csv_columns which = {.at = both, .n = 2, .rule = RD_MISSING_INTERPOLATE};
    OK(rd_csv_values(c, &which, 1, m.x, &err));
    test_expect(m.x, SHAPE(2, 2), VALUES(1, 20, 1, 20));
    rd_csv_free(c);
    free_rows(&m);
}

enum { FAR = 700 }; /* more than two of the stretches that are gone back by */

static void test_the_number_before_is_found_however_far_back(void **state)
{
    rd_error err;
    machine m = make_rows(1, 1);
    char text[3 * FAR + 16] = "7\n8\n";
    for (int i = 2; i < FAR; i++) memcpy(text + 4 + 2L * (i - 2), "?\n", 3);
    rd_csv *c = csv_of(*state, text, &(rd_csv_rules){0});
    const rd_csv_columns which = {.at = both, .n = 1, .rule = RD_MISSING_PREVIOUS};
    OK(rd_csv_values(c, &which, FAR - 1, m.x, &err));
    test_expect(m.x, SHAPE(1, 1), VALUES(8));
    rd_csv_free(c);
    free_rows(&m);
}

static void values_fail(rd_csv *c, uint64_t from, rd_missing rule, rd_tensor *x, rd_error *err)
{
    const rd_csv_columns which = {.at = both, .n = 1, .rule = rule};
    assert_int_not_equal(rd_csv_values(c, &which, from, x, err), RD_OK);
}

static void test_rows_that_are_not_there_are_refused(void **state)
{
    rd_error err;
    double times[3];
    char expected[SENTENCE_BYTES];
    machine m = make_rows(3, 1);
    rd_csv *c = csv_of(*state, "1\n2\n3\n", &(rd_csv_rules){.plain_times = true});
    values_fail(c, 1, RD_MISSING_ERROR, m.x, &err);
    snprintf(expected, sizeof(expected), "%s has no 3 rows from row 2 on; has it been rewritten?",
             ((scratch *)*state)->path);
    assert_string_equal(err.text, expected);
    assert_int_equal(rd_csv_times(c, 0, 1, 3, times, &err), RD_E_ARG);
    assert_string_equal(err.text, expected);
    rd_csv_free(c);
    free_rows(&m);
}

/* A first value that a scan has seen is gone. */
static void test_a_number_before_that_is_gone_is_refused(void **state)
{
    rd_error err;
    char expected[SENTENCE_BYTES];
    machine m = make_rows(1, 1);
    rd_csv *c = csv_of(*state, "?\n?\n3\n", &(rd_csv_rules){0});
    values_fail(c, 1, RD_MISSING_PREVIOUS, m.x, &err);
    snprintf(expected, sizeof(expected), "%s has no 1 rows from row 1 on; has it been rewritten?",
             ((scratch *)*state)->path);
    assert_string_equal(err.text, expected);
    rd_csv_free(c);
    free_rows(&m);
}

static void test_values_need_a_tensor_of_their_columns(void **state)
{
    rd_error err;
    machine m = make_rows(1, 2);
    rd_csv *c = csv_of(*state, "1,2\n", &(rd_csv_rules){0});
    values_fail(c, 0, RD_MISSING_ERROR, m.x, &err);
    assert_string_equal(err.text, "values of 1 columns need a tensor (rows, 1)");
    OK(rd_set_requires_grad(m.x, true, &err));
    const rd_csv_columns which = {.at = both, .n = 2};
    assert_int_not_equal(rd_csv_values(c, &which, 0, m.x, &err), RD_OK);
    rd_csv_free(c);
    free_rows(&m);
}

static void test_times_of_rows_are_read(void **state)
{
    rd_error err;
    double times[2];
    rd_csv *c = csv_of(*state, "t\n1970-01-01\n1970-01-02\n1970-01-04\nx\n", &header);
    OK(rd_csv_times(c, 0, 1, 2, times, &err));
    assert_true(times[0] == 86400 && times[1] == 3 * 86400.0);
    assert_int_equal(rd_csv_times(c, 0, 2, 2, times, &err), RD_E_IO);
    rd_csv_free(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_missing_numbers_take_the_one_before),
        TEST(test_missing_numbers_lie_on_a_line_to_the_next),
        TEST(test_behind_the_last_row_nothing_is_looked_at),
        TEST(test_the_number_before_is_found_however_far_back),
        TEST(test_rows_that_are_not_there_are_refused),
        TEST(test_a_number_before_that_is_gone_is_refused),
        TEST(test_values_need_a_tensor_of_their_columns),
        TEST(test_times_of_rows_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
