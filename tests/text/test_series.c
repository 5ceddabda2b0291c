/* test_series.c - columns of a series: where they lie, how they are filled and parted.
 * SPDX-License-Identifier: MIT */
#include "text/columns.h"
#include "text/csvs.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

/* ---- where columns lie ---- */

static void test_columns_are_0_at_first(void **state)
{
    (void)state;
    rd_series *s = series_of(3, 2, NULL);
    assert_int_equal(rd_series_rows(s), 3);
    assert_int_equal(rd_series_columns(s), 2);
    for (int i = 0; i < 6; i++) assert_true(rd_series_column(s, 0)[i] == 0);
    rd_series_free(s);
    rd_series_free(NULL);
}

static void test_a_series_may_be_empty(void **state)
{
    (void)state;
    rd_series *s = series_of(0, 2, NULL);
    assert_non_null(rd_series_column(s, 0));
    assert_int_equal(rd_series_infinite(s, 1), 0);
    rd_series_free(s);
}

static void test_large_columns_lie_in_a_file_without_a_name(void **state)
{
    const scratch *folder = *state;
    rd_error err;
    rd_series *s = NULL;
    const rd_series_form form = {
        .rows = 1000, .columns = 2, .folder = folder->folder, .most_bytes = 15999};
    OK(rd_series_new(&form, &s, &err));
    assert_true(s->fd >= 0);
    assert_int_equal(scratch_count(folder), 0);
    for (int i = 0; i < 1000; i++) rd_series_column(s, 1)[i] = i;
    assert_true(rd_series_column(s, 0)[999] == 0 && rd_series_column(s, 1)[999] == 999);
    rd_series_free(s);
}

static void test_a_folder_that_is_not_there_is_named(void **state)
{
    (void)state;
    rd_error err;
    rd_series *s = NULL;
    const rd_series_form form = {.rows = 1000, .columns = 1, .folder = "/nowhere", .most_bytes = 8};
    test_fails(rd_series_new(&form, &s, &err), &err,
               "cannot keep 8.0 kB of columns in '/nowhere': No such file or directory; set TMPDIR "
               "to a folder that has room");
    assert_null(s);
}

/* A limit on the size of files, as a quota is one. */
static void test_a_folder_without_room_is_named(void **state)
{
    scratch *folder = *state;
    rd_error err;
    rd_series *s = NULL;
    char expected[256];
    struct rlimit before;
    const rd_series_form form = {
        .rows = 1000, .columns = 1, .folder = folder->folder, .most_bytes = 8};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, before.rlim_max});
    const rd_status status = rd_series_new(&form, &s, &err);
    (void)setrlimit(RLIMIT_FSIZE, &before);
    snprintf(expected, sizeof(expected),
             "cannot keep 8.0 kB of columns in '%s': File too large; set TMPDIR to a folder that "
             "has room",
             folder->folder);
    test_fails(status, &err, expected);
    assert_null(s);
    assert_int_equal(scratch_count(folder), 0);
}

static void test_more_than_can_be_addressed_is_refused(void **state)
{
    (void)state;
    rd_error err;
    rd_series *s = NULL;
    const rd_series_form rows = {.rows = UINT64_MAX, .columns = 2},
                         bytes = {.rows = UINT64_MAX / 8, .columns = 8},
                         half = {.rows = UINT64_C(1) << 60, .columns = 1};
    test_fails(rd_series_new(&rows, &s, &err), &err,
               "18446744073709551615 rows of 2 columns are more than memory can address");
    test_fails(rd_series_new(&bytes, &s, &err), &err,
               "2305843009213693951 rows of 8 columns are more than memory can address");
    test_fails(rd_series_new(&half, &s, &err), &err,
               "1152921504606846976 rows of 1 columns are more than memory can address");
}

/* ---- out of a file of rows ---- */

static const uint32_t second[] = {1};
static const rd_csv_columns of_file = {.at = second, .n = 1, .rule = RD_MISSING_PREVIOUS};

static void test_a_file_is_read_into_columns(void **state)
{
    rd_error err;
    rd_series *s = series_of(3, 2, NULL);
    rd_csv *c = csv_of(*state, "1970-01-01,5\n1970-01-02,\n1970-01-03,7\n", &(rd_csv_rules){0});
    OK(rd_series_take_csv(s, c, &of_file, 0, &err));
    const double *v = rd_series_column(s, 0), *t = rd_series_column(s, 1);
    assert_true(v[0] == 5 && isnan(v[1]) && v[2] == 7);
    assert_true(t[0] == 0 && t[1] == 86400 && t[2] == 2 * 86400.0);
    OK(rd_series_take_csv(s, c, &of_file, RD_ALL, &err));
    rd_csv_free(c);
    rd_series_free(s);
}

static void test_a_file_that_has_fewer_rows_than_it_had_is_refused(void **state)
{
    rd_error err;
    char expected[256];
    rd_series *s = series_of(3, 2, NULL);
    rd_csv *c = csv_of(*state, "1970-01-01,5\n1970-01-02,6\n", &(rd_csv_rules){0});
    snprintf(expected, sizeof(expected), "%s has no row 3; has it been rewritten?",
             ((scratch *)*state)->path);
    test_fails(rd_series_take_csv(s, c, &of_file, 0, &err), &err, expected);
    rd_csv_free(c);
    rd_series_free(s);
}

static void take_fails(scratch *folder, const char *text)
{
    rd_error err;
    rd_series *s = series_of(2, 2, NULL);
    rd_csv *c = csv_of(folder, text, &(rd_csv_rules){0});
    assert_int_equal(rd_series_take_csv(s, c, &of_file, 0, &err), RD_E_IO);
    assert_non_null(strstr(err.text, "line 2"));
    rd_csv_free(c);
    rd_series_free(s);
}

static void test_cells_that_have_become_others_are_refused(void **state)
{
    take_fails(*state, "1970-01-01,5\n1970-01-02,x\n");
    take_fails(*state, "1970-01-01,5\nx,6\n");
    take_fails(*state, "1970-01-01,5\n1970-01-02,6,7\n");
}

static void test_a_file_that_shrank_is_not_read(void **state)
{
    rd_error err;
    rd_series *s = series_of(2, 2, NULL);
    rd_csv *c = csv_of(*state, "1970-01-01,5\n1970-01-02,6\n", &(rd_csv_rules){0});
    assert_int_equal(truncate(((scratch *)*state)->path, 3), 0);
    assert_int_equal(rd_series_take_csv(s, c, &of_file, 0, &err), RD_E_IO);
    rd_csv_free(c);
    rd_series_free(s);
}

/* ---- many series in one ---- */

static const rd_series_form small = {.folder = "/tmp", .most_bytes = 1 << 20};

static void test_rows_are_parted_by_the_last_column_in_their_order(void **state)
{
    (void)state;
    rd_error err;
    uint64_t counts[3];
    rd_series *parted = NULL, *s = series_of(5, 2, VALUES(10, 2, 11, 0, 12, 2, 13, 0, 14, 2));
    OK(rd_series_group(s, &small, counts, 3, &parted, &err));
    assert_true(counts[0] == 2 && counts[1] == 0 && counts[2] == 3);
    assert_int_equal(rd_series_columns(parted), 1);
    assert_memory_equal(rd_series_column(parted, 0), VALUES(11, 13, 10, 12, 14),
                        5 * sizeof(double));
    rd_series_free(parted);
    rd_series_free(s);
}

static void group_fails(double number, size_t groups)
{
    rd_error err;
    uint64_t counts[2];
    rd_series *parted = NULL, *s = series_of(2, 2, VALUES(10, 0, 11, number));
    const char *sentence = groups ? "row 2 is of no group" : "row 1 is of no group";
    test_fails(rd_series_group(s, &small, counts, groups, &parted, &err), &err, sentence);
    assert_null(parted);
    rd_series_free(s);
}

static void test_numbers_that_name_no_group_are_refused(void **state)
{
    (void)state;
    group_fails(2, 2);
    group_fails(-1, 2);
    group_fails((double)NAN, 2);
    group_fails(0, 0);
}

static void test_parted_columns_need_room_too(void **state)
{
    (void)state;
    rd_error err;
    uint64_t counts[1];
    rd_series *parted = NULL, *s = series_of(2, 2, VALUES(10, 0, 11, 0));
    assert_int_equal(rd_series_group(s, &(rd_series_form){.folder = "/nowhere"}, counts, 1, &parted,
                                     &err),
                     RD_E_IO);
    assert_null(parted);
    rd_series_free(s);
}

static void test_the_first_row_that_does_not_rise_is_found(void **state)
{
    (void)state;
    rd_series *s = series_of(5, 1, VALUES(1, 2, 2, 3, (double)NAN));
    assert_int_equal(rd_series_falls(s, 0, 0, 5), 2);
    assert_int_equal(rd_series_falls(s, 0, 2, 2), 4);
    assert_int_equal(rd_series_falls(s, 0, 2, 3), 4);
    rd_series_free(s);
}

static void test_the_first_infinite_number_is_found(void **state)
{
    (void)state;
    rd_series *s = series_of(3, 2, VALUES(1, 2, (double)NAN, 1e300, 5, -(double)INFINITY));
    assert_int_equal(rd_series_infinite(s, 0), 3);
    assert_int_equal(rd_series_infinite(s, 1), sizeof(rd_real) == sizeof(float) ? 1 : 2);
    rd_series_free(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_columns_are_0_at_first),
        TEST(test_a_series_may_be_empty),
        TEST(test_large_columns_lie_in_a_file_without_a_name),
        TEST(test_a_folder_that_is_not_there_is_named),
        TEST(test_a_folder_without_room_is_named),
        TEST(test_more_than_can_be_addressed_is_refused),
        TEST(test_a_file_is_read_into_columns),
        TEST(test_a_file_that_has_fewer_rows_than_it_had_is_refused),
        TEST(test_cells_that_have_become_others_are_refused),
        TEST(test_a_file_that_shrank_is_not_read),
        TEST(test_rows_are_parted_by_the_last_column_in_their_order),
        TEST(test_numbers_that_name_no_group_are_refused),
        TEST(test_parted_columns_need_room_too),
        TEST(test_the_first_row_that_does_not_rise_is_found),
        TEST(test_the_first_infinite_number_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
