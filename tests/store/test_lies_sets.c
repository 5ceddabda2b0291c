/* test_lies_sets.c - what the process that works with libhdf5 says of datasets, where that cannot be, is
 * refused.
 *
 * What is said comes from liar.c. An honest talk of the same form is read: each is refused for its own
 * reason.
 * SPDX-License-Identifier: MIT */
#include "lies_rows.h"

enum { MOST_TEXT = 1 << 16 };

static void check_refused(scratch *s, const char *why)
{
    rd_error err = {0};
    rd_hdf5 *h = NULL;
    assert_int_not_equal(open_talk(s, &h, &err), RD_OK);
    assert_null(h);
    check_message(s, &err, why);
    sets.n = 0;
}

static const rd_hdf5_set *only_set(const rd_hdf5 *h)
{
    const rd_hdf5_set *there;
    assert_int_equal(rd_hdf5_sets(h, &there), 1);
    return there;
}

static void test_an_honest_talk_is_listed(void **state)
{
    const rd_hdf5_set *there;
    rdc_frame line = {.type = RDC_FRAME_ENTRY,
                      .kind = RDC_ROWS_READABLE,
                      .ndim = 1,
                      .name_bytes = 4,
                      .shape = {7, 3}};
    say_set(table, "table", "a\nb\n");
    say_set(line, "line", "");
    line.kind = RDC_ROWS_REFUSED;
    line.data_bytes = 3;
    say_set(line, "link", "why");
    say_done(&sets, 3);
    rd_hdf5 *h = opened(*state);
    assert_int_equal(rd_hdf5_sets(h, &there), 3);
    assert_string_equal(there[0].name, "table");
    assert_string_equal(there[0].text, "a\nb\n");
    assert_int_equal(there[0].ndim, 2);
    assert_int_equal(there[0].rows, 6);
    assert_int_equal(there[0].columns, 2);
    assert_true(there[0].readable);
    assert_string_equal(there[1].name, "line");
    assert_string_equal(there[1].text, "");
    assert_int_equal(there[1].ndim, 1);
    assert_int_equal(there[1].rows, 7);
    assert_int_equal(there[1].columns, 1); /* whatever else the shape says */
    assert_false(there[2].readable);
    assert_string_equal(there[2].text, "why");
    rd_hdf5_free(h);
}

static void check_set(scratch *s, rdc_frame frame)
{
    static char text[MOST_TEXT + 2];
    memset(text, 'n', sizeof(text));
    say_set(frame, text, text);
    say_done(&sets, 1);
    check_refused(s, nonsense);
}

static void test_names_have_1_to_1024_bytes(void **state)
{
    char name[RDC_NAME_BYTES];
    memset(name, 'n', sizeof(name));
    rdc_frame frame = table;
    frame.name_bytes = 0;
    check_set(*state, frame);
    frame.name_bytes = RDC_NAME_BYTES + 1;
    check_set(*state, frame);
    frame.name_bytes = RDC_NAME_BYTES;
    say_set(frame, name, "a\nb\n");
    say_done(&sets, 1);
    rd_hdf5 *h = opened(*state);
    assert_int_equal(strlen(only_set(h)->name), RDC_NAME_BYTES);
    rd_hdf5_free(h);
}

static void test_names_of_columns_have_at_most_65536_bytes(void **state)
{
    static char text[MOST_TEXT];
    memset(text, 'n', sizeof(text));
    rdc_frame frame = table;
    frame.data_bytes = MOST_TEXT + 1;
    check_set(*state, frame);
    frame.data_bytes = MOST_TEXT;
    say_set(frame, "table", text);
    say_done(&sets, 1);
    rd_hdf5 *h = opened(*state);
    assert_int_equal(strlen(only_set(h)->text), MOST_TEXT);
    rd_hdf5_free(h);
}

/* What follows is not looked at. */
static void test_what_is_readable_has_one_or_two_dimensions(void **state)
{
    rdc_frame frame = table;
    frame.ndim = 0;
    say_frame(&sets, frame);
    say_done(&sets, 0);
    check_refused(*state, nonsense);
    frame.ndim = 3;
    say_frame(&sets, frame);
    say_done(&sets, 0);
    check_refused(*state, nonsense);
}

static void test_a_name_has_no_nul(void **state)
{
    say_set(table, "ta\0le", "a\nb\n");
    say_done(&sets, 1);
    check_refused(*state, nonsense);
    say_set(table, "table", "a\0b\n");
    say_done(&sets, 1);
    check_refused(*state, nonsense);
}

static void test_there_are_at_most_4096_datasets(void **state)
{
    const rd_hdf5_set *there;
    const rdc_frame one = {.type = RDC_FRAME_ENTRY, .kind = RDC_ROWS_REFUSED, .name_bytes = 1};
    for (size_t i = 0; i < RDC_ROWS_SETS; i++) say_set(one, "x", "");
    const size_t n = sets.n;
    say_done(&sets, RDC_ROWS_SETS);
    rd_hdf5 *h = opened(*state);
    assert_int_equal(rd_hdf5_sets(h, &there), RDC_ROWS_SETS);
    assert_string_equal(there[RDC_ROWS_SETS - 1].name, "x");
    rd_hdf5_free(h);
    sets.n = n;
    say_set(one, "x", "");
    say_done(&sets, RDC_ROWS_SETS + 1);
    check_refused(*state, nonsense);
}

static void test_the_end_says_how_many_there_were(void **state)
{
    say_set(table, "table", "a\nb\n");
    say_done(&sets, 0);
    check_refused(*state, nonsense);
    say_set(table, "table", "a\nb\n");
    say_done(&sets, 2);
    check_refused(*state, nonsense);
}

static void test_the_end_is_said(void **state)
{
    const size_t cuts[] = {1, 4, 5, 10};
    for (size_t i = 0; i < 4; i++) {
        say_set(table, "table", "a\nb\n");
        sets.n -= i == 0 ? 0 : cuts[i];
        check_refused(*state, early);
    }
}

static void test_other_frames_are_refused(void **state)
{
    rdc_frame frame = table;
    frame.type = RDC_FRAME_IMAGE;
    check_set(*state, frame);
    say_frame(&sets, (rdc_frame){.type = RDC_FRAME_ERROR, .name_bytes = 3});
    say(&sets, "why", 3);
    check_refused(*state, "why");
}

static void test_more_values_than_the_file_can_hold_are_not_readable(void **state)
{
    rdc_frame frame = table;
    frame.shape[0] = (uint64_t)1 << 40;
    say_set(frame, "table", "a\nb\n");
    frame.shape[0] = 0;
    frame.shape[1] = 0;
    say_set(frame, "empty", "a\nb\n");
    frame.shape[0] = (uint64_t)INT64_MAX + 1; /* Lua counts them, though none has a value */
    say_set(frame, "many1", "a\nb\n");
    frame.kind = RDC_ROWS_REFUSED;
    frame.shape[0] = frame.shape[1] = (uint64_t)1 << 40;
    say_set(frame, "other", "why\n");
    say_done(&sets, 4);
    const rd_hdf5_set *there;
    rd_hdf5 *h = opened(*state);
    assert_int_equal(rd_hdf5_sets(h, &there), 4);
    assert_false(there[0].readable);
    assert_string_equal(there[0].text, "has more values than a file of this size can hold");
    assert_true(there[1].readable);
    assert_string_equal(there[2].text, there[0].text);
    assert_string_equal(there[3].text, "why\n"); /* the reason that came */
    rd_hdf5_free(h);
}

/* Deflate makes 1032 bytes of one at most. */
static void test_a_file_holds_1032_values_a_byte_and_no_more(void **state)
{
    const rd_hdf5_set *there;
    rdc_frame frame = table;
    const size_t bytes = 8 + 2 * (sizeof(frame) + 5 + 4) + sizeof(frame) + 8;
    frame.shape[0] = bytes * 1032 / 2 + 1;
    say_set(frame, "table", "a\nb\n");
    frame.shape[0] = bytes * 1032 / 2;
    say_set(frame, "other", "a\nb\n");
    say_done(&sets, 2);
    rd_hdf5 *h = opened(*state);
    assert_int_equal(rd_hdf5_sets(h, &there), 2);
    assert_false(there[0].readable);
    assert_true(there[1].readable);
    rd_hdf5_free(h);
}

static void test_an_empty_file_is_named(void **state)
{
    scratch *s = *state;
    rd_error err = {0};
    rd_hdf5 *h = NULL;
    char expected[200];
    assert_int_equal(rd_hdf5_open(&liar, scratch_write(s, "a.h5", "", 0), &h, &err), RD_E_IO);
    snprintf(expected, sizeof(expected), "'%s' is empty", s->path);
    assert_string_equal(err.text, expected);
    assert_int_equal(rd_hdf5_open(&liar, scratch_path(s, "none"), &h, &err), RD_E_IO);
    check_message(s, &err, "No such file or directory");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_honest_talk_is_listed),
        TEST(test_names_have_1_to_1024_bytes),
        TEST(test_names_of_columns_have_at_most_65536_bytes),
        TEST(test_what_is_readable_has_one_or_two_dimensions),
        TEST(test_a_name_has_no_nul),
        TEST(test_there_are_at_most_4096_datasets),
        TEST(test_the_end_says_how_many_there_were),
        TEST(test_the_end_is_said),
        TEST(test_other_frames_are_refused),
        TEST(test_more_values_than_the_file_can_hold_are_not_readable),
        TEST(test_a_file_holds_1032_values_a_byte_and_no_more),
        TEST(test_an_empty_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
