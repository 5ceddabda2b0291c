/* test_lies_rows.c - what the process that works with libhdf5 says of rows, where that cannot be, is refused.
 *
 * What is said comes from liar.c. An honest talk of the same form is read: each is refused for its own
 * reason.
 * SPDX-License-Identifier: MIT */
#include "lies_rows.h"

/* `table`, of 6 rows and 2 columns, and what is said when its rows are asked for. */
static rd_status read_rows(scratch *s, const uint32_t to[2], rd_series *into, rd_error *err)
{
    sets.n = 0;
    say_set(table, "table", "a\nb\n");
    say_done(&sets, 1);
    rd_hdf5 *h = opened(s);
    const rd_status status = rd_hdf5_rows(&liar, h, 0, into, to, err);
    rd_hdf5_free(h);
    return status;
}

static rd_series *series(void)
{
    rd_series *s = NULL;
    const rd_series_form form = {.rows = 6, .columns = 2, .folder = "/tmp", .most_bytes = 1 << 20};
    assert_int_equal(rd_series_new(&form, &s, NULL), RD_OK);
    return s;
}

static void say_place(uint64_t row, uint64_t column, uint64_t n_rows, uint64_t n_columns)
{
    say_frame(&rows, (rdc_frame){.type = RDC_FRAME_ENTRY,
                                 .ndim = 4,
                                 .shape = {row, column, n_rows, n_columns}});
}

/* Values of a tile: 10 * column + row. */
static void say_tile(uint64_t row, uint64_t column, uint64_t n_rows, uint64_t n_columns)
{
    say_place(row, column, n_rows, n_columns);
    for (uint64_t k = 0; k < n_columns && k < 8; k++)
        for (uint64_t i = 0; i < n_rows && i < 16; i++)
            say(&rows, &(double){10.0 * (double)(column + k) + (double)(row + i)}, sizeof(double));
}

static void check_values(const double *column, double first)
{
    for (int i = 0; i < 6; i++) assert_true(column[i] == first + i);
}

static void test_tiles_go_where_they_belong(void **state)
{
    rd_error err = {0};
    rd_series *s = series();
    say_tile(4, 1, 2, 1);
    say_tile(0, 0, 4, 2);
    say_tile(4, 0, 2, 1);
    say_done(&rows, 0);
    if (read_rows(*state, (uint32_t[]){1, 0}, s, &err) != RD_OK) fail_msg("%s", err.text);
    check_values(rd_series_column(s, 1), 0);
    check_values(rd_series_column(s, 0), 10);
    rd_series_free(s);
}

static void test_columns_that_nobody_wants_are_passed_over(void **state)
{
    rd_error err = {0};
    rd_series *s = series();
    say_tile(0, 0, 6, 2);
    say_done(&rows, 0);
    if (read_rows(*state, (uint32_t[]){RD_ALL, 0}, s, &err) != RD_OK) fail_msg("%s", err.text);
    check_values(rd_series_column(s, 0), 10);
    assert_true(rd_series_column(s, 1)[3] == 0);
    rd_series_free(s);
}

static void check_long(scratch *folder, uint64_t n)
{
    rd_error err = {0};
    rd_series *s = NULL;
    const rd_series_form form = {.rows = n, .columns = 1, .folder = "/tmp", .most_bytes = 1 << 20};
    assert_int_equal(rd_series_new(&form, &s, NULL), RD_OK);
    sets.n = rows.n = 0;
    rdc_frame set = table;
    set.shape[0] = n;
    say_set(set, "table", "a\nb\n");
    say_done(&sets, 1);
    say_place(0, 0, n, 2);
    for (uint64_t i = 0; i < 2 * n; i++) say(&rows, &(double){(double)i}, sizeof(double));
    say_done(&rows, 0);
    rd_hdf5 *h = opened(folder);
    if (rd_hdf5_rows(&liar, h, 0, s, (uint32_t[]){RD_ALL, 0}, &err) != RD_OK)
        fail_msg("%s", err.text);
    assert_true(rd_series_column(s, 0)[0] == (double)n);
    assert_true(rd_series_column(s, 0)[n - 1] == (double)(2 * n - 1));
    rd_hdf5_free(h);
    rd_series_free(s);
}

/* 512 values are passed over at once. */
static void test_a_long_column_is_passed_over(void **state)
{
    check_long(*state, 511);
    check_long(*state, 512);
    check_long(*state, 513);
    check_long(*state, 1025);
}

static void check_rows_refused(scratch *s, const char *why)
{
    rd_error err = {0};
    rd_series *into = series();
    assert_int_equal(read_rows(s, (uint32_t[]){0, 1}, into, &err), RD_E_IO);
    check_message(s, &err, why);
    rd_series_free(into);
    rows.n = 0;
}

/* What is wrong is refused before its values are waited for. */
static void test_a_tile_lies_in_the_dataset(void **state)
{
    static const uint64_t wrong[][4] = {{7, 0, 1, 1}, {6, 0, 1, 1}, {0, 0, 7, 1},
                                        {5, 0, 2, 1}, {0, 3, 1, 1}, {0, 2, 1, 1},
                                        {0, 0, 1, 3}, {0, 1, 1, 2}, {0, 0, 0, 1}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        say_place(wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3]);
        check_rows_refused(*state, nonsense);
    }
    say_place(0, 0, UINT64_MAX, 1);
    check_rows_refused(*state, nonsense);
    say_place(1, 0, UINT64_MAX, 1);
    check_rows_refused(*state, nonsense);
    say_place(0, 1, 1, UINT64_MAX);
    check_rows_refused(*state, nonsense);
}

static void test_no_more_values_come_than_there_are(void **state)
{
    say_tile(0, 0, 6, 2);
    say_tile(0, 0, 1, 1);
    say_done(&rows, 0);
    check_rows_refused(*state, nonsense);
    say_tile(0, 0, 6, 1);
    say_tile(0, 0, 4, 2);
    say_done(&rows, 0);
    check_rows_refused(*state, nonsense);
    say_tile(0, 0, 6, 1);
    say_place(0, 0, 6, 2);
    check_rows_refused(*state, nonsense);
}

static void test_all_values_come(void **state)
{
    say_tile(0, 0, 5, 2);
    say_tile(5, 1, 1, 1);
    say_done(&rows, 0);
    check_rows_refused(*state, nonsense);
    say_tile(0, 0, 6, 2);
    rows.n -= 1;
    check_rows_refused(*state, early);
    say_tile(0, 0, 6, 2);
    check_rows_refused(*state, early);
}

static void test_other_frames_of_rows_are_refused(void **state)
{
    say_tile(0, 0, 6, 2);
    rows.at[0] = RDC_FRAME_IMAGE;
    say_done(&rows, 0);
    check_rows_refused(*state, nonsense);
    say_frame(&rows, (rdc_frame){.type = RDC_FRAME_ERROR, .name_bytes = 3});
    say(&rows, "why", 3);
    check_rows_refused(*state, "why");
}

static void test_a_file_that_shrank_is_not_read(void **state)
{
    rd_error err = {0};
    rd_series *into = series();
    say_tile(0, 0, 6, 2);
    say_done(&rows, 0);
    say_set(table, "table", "a\nb\n");
    say_done(&sets, 1);
    rd_hdf5 *h = opened(*state);
    assert_int_equal(truncate(((scratch *)*state)->path, 100), 0);
    assert_int_equal(rd_hdf5_rows(&liar, h, 0, into, (uint32_t[]){0, 1}, &err), RD_E_IO);
    check_message(*state, &err, "it shrank while it was in use");
    rd_hdf5_free(h);
    rd_series_free(into);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tiles_go_where_they_belong),
        TEST(test_columns_that_nobody_wants_are_passed_over),
        TEST(test_a_long_column_is_passed_over),
        TEST(test_a_tile_lies_in_the_dataset),
        TEST(test_no_more_values_come_than_there_are),
        TEST(test_all_values_come),
        TEST(test_other_frames_of_rows_are_refused),
        TEST(test_a_file_that_shrank_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
