/* test_csv_files.c - CSV files: which are taken, how cells are parted, and rows that are found again.
 * SPDX-License-Identifier: MIT */
#include "text/csvs.h"

static const rd_csv_rules plain = {0}, with_header = {.header = true};

/* ---- which files ---- */

static void check_refused(scratch *s, const void *bytes, size_t n, const char *rest)
{
    rd_error err = {0};
    rd_csv *c = NULL;
    const char *path = scratch_write(s, "a.csv", bytes, n);
    assert_int_equal(rd_csv_open(path, &(rd_csv_form){.quotes = true}, &c, &err), RD_E_IO);
    assert_null(c);
    expect_of_file(s, &err, rest);
}

static void test_utf16_is_refused_with_what_to_do(void **state)
{
    const char *rest = "the file is UTF-16; make it UTF-8 first: iconv -f UTF-16 -t UTF-8 OLD > "
                       "NEW";
    check_refused(*state,
                  "\xFF\xFE"
                  "a\0\n\0",
                  6, rest);
    check_refused(*state, "\xFE\xFF\0a\0\n", 6, rest);
}

static void test_what_is_packed_is_refused_with_what_to_do(void **state)
{
    check_refused(*state, "\x1F\x8B\x08\x00", 4, "the file is compressed; unpack it first: gunzip");
    check_refused(*state, "PK\x03\x04 and so on", 13,
                  "the file is an archive, as spreadsheets are; save its sheet as CSV");
}

static void test_bytes_that_are_0_are_no_text(void **state)
{
    check_refused(*state, "a\0,\0b\0\n\0", 8,
                  "the file is UTF-16 without its mark, or binary; a CSV is text of bytes, as "
                  "UTF-8");
    const char *rest = "the file is binary: it has bytes that are 0; a CSV is text of bytes, as "
                       "UTF-8";
    check_refused(*state, "a,b\n1,2\n3,\0", 11, rest);
    check_refused(*state, "a\0", 2, rest);
}

static void test_lines_that_end_with_a_carriage_return_alone_are_refused(void **state)
{
    rd_csv *c;
    rd_error err;
    check_refused(*state, "a,b\r1,2\r", 8,
                  "its lines end with a carriage return alone; make that a line feed: tr '\\r' "
                  "'\\n' < OLD > NEW");
    c = csv_of(*state, "a,b\r", &plain); /* the last line may end so */
    bool more;
    const char *at;
    size_t n;
    assert_int_equal(rd_csv_next(c, &more, &err), RD_OK);
    assert_int_equal(rd_csv_text(c, 1, &at, &n, &err), RD_OK);
    assert_int_equal(n, 1);
    rd_csv_free(c);
}

static void test_files_without_a_row_are_refused(void **state)
{
    check_refused(*state, "", 0, "there are no rows in it");
    check_refused(*state, "\xEF\xBB\xBF", 3, "there are no rows in it");
    check_refused(*state, "\n\r\n\n", 4, "there are no rows in it");
}

static void test_a_quote_that_is_not_closed_is_refused(void **state)
{
    check_refused(*state, "a,\"b\n1,2\n", 9,
                  "line 1, column 2: the quote that begins this cell is not closed");
    check_refused(*state, "\"a\" b,c\n", 8,
                  "line 1, column 1: something follows the closing quote");
    check_refused(*state, "\"a\"\rb,c\n", 8,
                  "line 1, column 1: something follows the closing quote");
}

static void test_a_row_of_a_million_cells_is_no_row(void **state)
{
    enum { COMMAS = 1 << 20 };
    char *bytes = malloc(COMMAS + 1);
    memset(bytes, ',', COMMAS);
    bytes[COMMAS] = '\n';
    check_refused(*state, bytes, COMMAS + 1,
                  "line 1 has more than 1048576 columns; is this a file of rows?");
    free(bytes);
}

/* ---- cells ---- */

/* Opens a file and gives its separator, 0 where it has not `width` columns. */
static char separator_of(scratch *s, const char *text, const rd_csv_form *form, uint32_t width)
{
    rd_error err = {0};
    rd_csv *c = NULL;
    const char *path = scratch_write(s, "a.csv", text, strlen(text));
    if (rd_csv_open(path, form, &c, &err) != RD_OK) fail_msg("%s", err.text);
    const char found = rd_csv_width(c) == width ? rd_csv_separator(c) : 0;
    rd_csv_free(c);
    return found;
}

static void test_the_separator_is_the_one_that_all_rows_agree_in(void **state)
{
    const rd_csv_form form = {.quotes = true};
    assert_int_equal(separator_of(*state, "a;b\n1,5;2,5\n", &form, 2), ';');
    assert_int_equal(separator_of(*state, "a\tb\n1\t2\n", &form, 2), '\t');
    assert_int_equal(separator_of(*state, "a|b|c\n1|2|3\n", &form, 3), '|');
    assert_int_equal(separator_of(*state, "a\n1\n", &form, 1), ',');
    assert_int_equal(separator_of(*state, "a,b\n1,2,\n3,4\n", &form, 2), ',');
}

/* One wrong row among the first decides nothing. */
static void test_the_separator_of_rows_that_differ_is_that_of_the_first(void **state)
{
    const rd_csv_form form = {.quotes = true};
    assert_int_equal(separator_of(*state, "a;b;c\n1;2;3\n4;5\n", &form, 3), ';');
    assert_int_equal(separator_of(*state, "a;b;c\n1;2;3\n4;5;\"6\n", &form, 3), ';');
}

static void test_a_given_separator_is_taken(void **state)
{
    const rd_csv_form form = {.separator = ':', .quotes = true};
    assert_int_equal(separator_of(*state, "a:b,c\n1:2,3\n", &form, 2), ':');
}

static void test_comments_at_the_top_are_passed_over_and_counted(void **state)
{
    rd_error err;
    rd_csv *c = NULL;
    bool more;
    const char text[] = "# one, two, three\n# four\na,b\n1,2\n3\n";
    const char *path = scratch_write(*state, "a.csv", text, sizeof(text) - 1);
    assert_int_equal(rd_csv_open(path, &(rd_csv_form){.comments = true}, &c, &err), RD_OK);
    assert_int_equal(rd_csv_width(c), 2);
    assert_int_equal(rd_csv_seek(c, 2, &err), RD_OK);
    assert_int_equal(rd_csv_next(c, &more, &err), RD_E_IO);
    expect_of_file(*state, &err, "line 5 has 1 column, expected 2 as in line 3");
    rd_csv_free(c);
}

static void test_a_file_of_comments_has_no_rows(void **state)
{
    rd_error err;
    rd_csv *c = NULL;
    const char *path = scratch_write(*state, "a.csv", "# one\n# two", 11);
    assert_int_equal(rd_csv_open(path, &(rd_csv_form){.comments = true}, &c, &err), RD_E_IO);
    expect_of_file(*state, &err, "there are no rows in it");
}

static void test_a_byte_order_mark_is_no_part_of_the_first_name(void **state)
{
    rd_error err;
    bool more;
    const char *at;
    size_t n;
    rd_csv *c = csv_of(*state,
                       "\xEF\xBB\xBF"
                       "a,b\n1,2\n",
                       &plain);
    assert_int_equal(rd_csv_next(c, &more, &err), RD_OK);
    assert_int_equal(rd_csv_text(c, 0, &at, &n, &err), RD_OK);
    assert_true(n == 1 && *at == 'a');
    rd_csv_free(c);
}

static void check_text(rd_csv *c, uint32_t column, const char *expected)
{
    rd_error err;
    const char *at;
    size_t n;
    assert_int_equal(rd_csv_text(c, column, &at, &n, &err), RD_OK);
    if (n != strlen(expected) || memcmp(at, expected, n) != 0) fail_msg("%.*s", (int)n, at);
}

/* RFC 4180, section 2, rules 5 to 7. */
static void test_quotes_are_taken_out_of_a_cell(void **state)
{
    rd_error err;
    bool more;
    rd_csv *c = csv_of(*state, "\"a \"\"b\"\"\",\"c\r\nd\",\"e\rf\n\",\"g, h\",i \"j\"\n", &plain);
    assert_int_equal(rd_csv_next(c, &more, &err), RD_OK);
    check_text(c, 1, "c\nd");
    check_text(c, 0, "a \"b\"");
    check_text(c, 2, "e\rf\n");
    check_text(c, 3, "g, h");
    check_text(c, 4, "i \"j\"");
    rd_csv_free(c);
}

static void test_without_quotes_they_stand_for_themselves(void **state)
{
    rd_error err;
    rd_csv *c = NULL;
    bool more;
    const char *path = scratch_write(*state, "a.csv", "\"a,b\"\n", 6);
    assert_int_equal(rd_csv_open(path, &(rd_csv_form){0}, &c, &err), RD_OK);
    assert_int_equal(rd_csv_next(c, &more, &err), RD_OK);
    check_text(c, 0, "\"a");
    check_text(c, 1, "b\"");
    rd_csv_free(c);
}

static void test_a_quoted_last_cell_may_end_with_the_file(void **state)
{
    rd_error err;
    bool more;
    rd_csv *c = csv_of(*state, "a,b\r\n1,\"2\"\r\n3,\"4\"\r", &with_header);
    assert_int_equal(rd_csv_next(c, &more, &err), RD_OK);
    check_text(c, 1, "2");
    assert_int_equal(rd_csv_next(c, &more, &err), RD_OK);
    check_text(c, 1, "4");
    assert_int_equal(rd_csv_next(c, &more, &err), RD_OK);
    assert_false(more);
    rd_csv_free(c);
}

/* ---- rows ---- */

static void test_rows_of_another_width_are_refused(void **state)
{
    rd_error err;
    bool more;
    rd_csv *c = csv_of(*state, "a,b\n1,2,\n1,2,3\n1,2,3,\n", &with_header);
    assert_int_equal(rd_csv_next(c, &more, &err), RD_OK); /* a separator at the end */
    assert_int_equal(rd_csv_next(c, &more, &err), RD_E_IO);
    expect_of_file(*state, &err,
                   "line 3 has 3 columns, expected 2 as in line 1; a cell that holds the separator "
                   "stands in quotes");
    assert_int_equal(rd_csv_next(c, &more, &err), RD_E_IO);
    assert_non_null(strstr(err.text, "line 4 has 4 columns"));
    rd_csv_free(c);
}

static void test_rows_behind_the_header_are_skipped(void **state)
{
    rd_error err;
    bool more;
    rd_csv *c = csv_of(*state, "a\nunits\n1\n2\n", &(rd_csv_rules){.header = true, .skip = 1});
    assert_int_equal(rd_csv_next(c, &more, &err), RD_OK);
    check_text(c, 0, "1");
    rd_csv_free(c);
}

static void test_more_rows_may_be_skipped_than_there_are(void **state)
{
    rd_error err;
    bool more = true;
    rd_csv *c = csv_of(*state, "a\n1\n", &(rd_csv_rules){.header = true, .skip = 9});
    assert_int_equal(rd_csv_next(c, &more, &err), RD_OK);
    assert_false(more);
    rd_csv_free(c);
}

enum { MANY = 60000 }; /* rows of eight bytes: more places than the index begins with */

/* Any row is found from any other, forwards and back, before the file has been read and after. */
static void test_rows_are_found_in_any_order(void **state)
{
    rd_error err;
    bool more;
    char *text = malloc(8 * MANY + 1), expected[16];
    for (int i = 0; i < MANY; i++) snprintf(text + 8L * i, 9, "%07d\n", i);
    rd_csv *c = csv_of(*state, text, &plain);
    free(text);
    for (uint64_t i = 0, row = 17; i < 40; i++, row = (row * 2731 + 4001) % MANY) {
        assert_int_equal(rd_csv_seek(c, row, &err), RD_OK);
        assert_int_equal(rd_csv_next(c, &more, &err), RD_OK);
        snprintf(expected, sizeof(expected), "%07d", (int)row);
        check_text(c, 0, expected);
        if (i == 20) assert_int_equal(rd_csv_seek(c, MANY + 5, &err), RD_OK);
    }
    assert_true(c->n_index > 64);
    rd_csv_free(c);
}

static void test_a_file_that_shrank_is_refused(void **state)
{
    rd_error err;
    rd_csv *c = csv_of(*state, "a\n1\n2\n", &with_header);
    assert_int_equal(truncate(((scratch *)*state)->path, 3), 0);
    assert_int_equal(rd_csv_seek(c, 0, &err), RD_E_IO);
    expect_of_file(*state, &err, "the file shrank while it was in use");
    rd_csv_free(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_utf16_is_refused_with_what_to_do),
        TEST(test_what_is_packed_is_refused_with_what_to_do),
        TEST(test_bytes_that_are_0_are_no_text),
        TEST(test_lines_that_end_with_a_carriage_return_alone_are_refused),
        TEST(test_files_without_a_row_are_refused),
        TEST(test_a_quote_that_is_not_closed_is_refused),
        TEST(test_a_row_of_a_million_cells_is_no_row),
        TEST(test_the_separator_is_the_one_that_all_rows_agree_in),
        TEST(test_the_separator_of_rows_that_differ_is_that_of_the_first),
        TEST(test_a_given_separator_is_taken),
        TEST(test_comments_at_the_top_are_passed_over_and_counted),
        TEST(test_a_file_of_comments_has_no_rows),
        TEST(test_a_byte_order_mark_is_no_part_of_the_first_name),
        TEST(test_quotes_are_taken_out_of_a_cell),
        TEST(test_without_quotes_they_stand_for_themselves),
        TEST(test_a_quoted_last_cell_may_end_with_the_file),
        TEST(test_rows_of_another_width_are_refused),
        TEST(test_rows_behind_the_header_are_skipped),
        TEST(test_more_rows_may_be_skipped_than_there_are),
        TEST(test_rows_are_found_in_any_order),
        TEST(test_a_file_that_shrank_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
