/* test_archive.c - entries in order of name, and the names that are refused.
 * SPDX-License-Identifier: MIT */
#include "store/archive.h"
#include "store/scratch.h"

static const double two[2] = {1.5, -2.5};

static int open_archive(void **state)
{
    return rd_archive_new((rd_archive **)state, NULL);
}

static int close_archive(void **state)
{
    rd_archive_free(*state);
    return 0;
}

static rd_status put(rd_archive *a, const char *name, rd_error *err)
{
    const rd_entry entry = {
        .name = name, .kind = RD_ENTRY_F64, .ndim = 1, .shape = {2}, .data = two};
    return rd_archive_put(a, &entry, err);
}

static void test_entries_come_in_order_of_name(void **state)
{
    rd_archive *a = *state;
    assert_int_equal(put(a, "b", NULL), RD_OK);
    assert_int_equal(put(a, "a/z", NULL), RD_OK);
    assert_int_equal(put(a, "a-b", NULL), RD_OK);
    assert_int_equal(rd_archive_count(a), 3);
    assert_string_equal(rd_archive_at(a, 0)->name, "a-b");
    assert_string_equal(rd_archive_at(a, 1)->name, "a/z");
    assert_string_equal(rd_archive_at(a, 2)->name, "b");
    assert_null(rd_archive_at(a, 3));
}

static void test_find_gives_the_entry_or_null(void **state)
{
    rd_archive *a = *state;
    put(a, "model/1.weight", NULL);
    assert_memory_equal(rd_archive_find(a, "model/1.weight")->data, two, sizeof(two));
    assert_null(rd_archive_find(a, "model"));
    assert_null(rd_archive_find(a, "model/1.weigh"));
}

static void test_put_copies_name_and_values(void **state)
{
    rd_archive *a = *state;
    char name[] = "x";
    int64_t value = 7;
    rd_archive_put(a, &(rd_entry){.name = name, .kind = RD_ENTRY_I64, .data = &value}, NULL);
    name[0] = 'y';
    value = 8;
    assert_int_equal(*(const int64_t *)rd_archive_find(a, "x")->data, 7);
}

static void test_text_is_terminated(void **state)
{
    rd_archive *a = *state;
    const rd_entry text = {
        .name = "t", .kind = RD_ENTRY_TEXT, .ndim = 1, .shape = {2}, .data = "hello"};
    rd_archive_put(a, &text, NULL);
    assert_string_equal(rd_archive_find(a, "t")->data, "he");
}

static void check_refused(rd_archive *a, const char *name, const char *message)
{
    rd_error err;
    assert_int_equal(put(a, name, &err), RD_E_ARG);
    assert_string_equal(err.text, message);
}

static void test_a_name_twice_is_refused(void **state)
{
    put(*state, "x", NULL);
    check_refused(*state, "x", "archive: 'x' is already there");
    assert_int_equal(rd_archive_count(*state), 1);
}

static void test_an_array_cannot_be_a_folder(void **state)
{
    put(*state, "a/b", NULL);
    check_refused(*state, "a", "archive: 'a' is a folder ('a/b' is there)");
    check_refused(*state, "a/b/c", "archive: 'a/b' holds values, so 'a/b/c' has no place");
}

static void test_empty_parts_and_dots_are_refused(void **state)
{
    const char *const tail = " between '/' must not be empty, '.' or '..'";
    char text[128];
    snprintf(text, sizeof(text), "archive: the parts of name '/a'%s", tail);
    check_refused(*state, "/a", text);
    snprintf(text, sizeof(text), "archive: the parts of name 'a/'%s", tail);
    check_refused(*state, "a/", text);
    snprintf(text, sizeof(text), "archive: the parts of name 'a/../b'%s", tail);
    check_refused(*state, "a/../b", text);
    snprintf(text, sizeof(text), "archive: the parts of name '.'%s", tail);
    check_refused(*state, ".", text);
}

static void test_bad_names_are_refused(void **state)
{
    check_refused(*state, "", "archive: a name has 1..1024 bytes, got 0");
    check_refused(*state, "a\xFF", "archive: name 'a\xFF' is not UTF-8");
    check_refused(*state, "1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3",
                  "archive: name '1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/"
                  "3' has 33 parts, at most 32 are allowed");
}

static void test_sizes_are_checked_before_values_are_read(void **state)
{
    rd_error err;
    rd_entry entry = {.name = "x", .kind = RD_ENTRY_F64, .ndim = 2, .shape = {SIZE_MAX, 2}};
    assert_int_equal(rd_archive_put(*state, &entry, &err), RD_E_ARG);
    assert_string_equal(
        err.text, "archive: 'x' is too large, or its kind or number of dimensions is not known");
    entry.shape[0] = (size_t)1 << 40;
    assert_int_equal(rd_archive_put(*state, &entry, &err), RD_E_ARG);
    assert_string_equal(err.text, "archive: 'x' makes it larger than the limit of 4 GiB");
}

static void test_an_empty_array_has_no_bytes(void **state)
{
    size_t bytes = 1;
    const rd_entry entry = {
        .name = "x", .kind = RD_ENTRY_F32, .ndim = 3, .shape = {3, 0, 5}, .data = NULL};
    assert_true(rdc_entry_bytes(&entry, &bytes));
    assert_int_equal(bytes, 0);
    assert_int_equal(rd_archive_put(*state, &entry, NULL), RD_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_archive, close_archive)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_entries_come_in_order_of_name),
        TEST(test_find_gives_the_entry_or_null),
        TEST(test_put_copies_name_and_values),
        TEST(test_text_is_terminated),
        TEST(test_a_name_twice_is_refused),
        TEST(test_an_array_cannot_be_a_folder),
        TEST(test_empty_parts_and_dots_are_refused),
        TEST(test_bad_names_are_refused),
        TEST(test_sizes_are_checked_before_values_are_read),
        TEST(test_an_empty_array_has_no_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
