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

static void test_names_have_1_to_1024_bytes(void **state)
{
    char name[RDC_NAME_BYTES + 2];
    memset(name, 'n', sizeof(name));
    name[RDC_NAME_BYTES + 1] = '\0';
    check_refused(*state, name, "archive: a name has 1..1024 bytes, got 1025");
    name[RDC_NAME_BYTES] = '\0';
    name[500] = '/';
    assert_int_equal(put(*state, name, NULL), RD_OK);
    assert_non_null(rd_archive_find(*state, name));
    name[500] = 'n';
    assert_int_equal(put(*state, name, NULL), RD_OK);
}

static void test_a_name_has_at_most_32_parts(void **state)
{
    const char *const name = "1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2";
    assert_int_equal(put(*state, name, NULL), RD_OK);
}

static void test_parts_may_hold_dots(void **state)
{
    static const char *const names[] = {"a.", ".a", "...", "..b", "b..", "x./.y"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_int_equal(put(*state, names[i], NULL), RD_OK);
}

static void test_names_that_begin_alike_have_each_their_place(void **state)
{
    static const char *const names[] = {"ab", "a", "a-b", "a0", "abc/d", "b/c/d", "b/c-", "c"};
    rd_archive *a = *state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_int_equal(put(a, names[i], NULL), RD_OK);
    check_refused(a, "b", "archive: 'b' is a folder ('b/c-' is there)");
    check_refused(a, "b/c", "archive: 'b/c' is a folder ('b/c/d' is there)");
    check_refused(a, "a0/x/y", "archive: 'a0' holds values, so 'a0/x/y' has no place");
    check_refused(a, "b/c/d/e/f", "archive: 'b/c/d' holds values, so 'b/c/d/e/f' has no place");
    for (size_t i = 1; i < rd_archive_count(a); i++)
        assert_true(strcmp(rd_archive_at(a, i - 1)->name, rd_archive_at(a, i)->name) < 0);
}

static void check_unknown(rd_archive *a, rd_entry entry)
{
    rd_error err;
    entry.name = "x";
    assert_int_equal(rd_archive_put(a, &entry, &err), RD_E_ARG);
    assert_string_equal(
        err.text, "archive: 'x' is too large, or its kind or number of dimensions is not known");
}

static void test_kinds_and_dimensions_are_those_that_are_known(void **state)
{
    const rd_entry most = {"y", RD_ENTRY_F64, 8, {1, 1, 1, 1, 1, 1, 1, 2}, two};
    check_unknown(*state, (rd_entry){.kind = (rd_entry_kind)99, .data = two});
    check_unknown(*state, (rd_entry){.kind = RD_ENTRY_F64, .ndim = 9, .data = two});
    check_unknown(*state, (rd_entry){.kind = RD_ENTRY_TEXT, .ndim = 0, .data = "t"});
    check_unknown(*state, (rd_entry){.kind = RD_ENTRY_TEXT, .ndim = 2, .data = "t"});
    assert_int_equal(rd_archive_put(*state, &most, NULL), RD_OK);
    assert_int_equal(rd_archive_find(*state, "y")->shape[7], 2);
}

static void test_bytes_are_those_of_kind_and_shape(void **state)
{
    (void)state;
    static const struct {
        rd_entry entry;
        size_t bytes;
    } cases[] = {{{"a", RD_ENTRY_F32, 2, {3, 5}, NULL}, 60},
                 {{"a", RD_ENTRY_F64, 1, {3}, NULL}, 24},
                 {{"a", RD_ENTRY_I64, 0, {0}, NULL}, 8},
                 {{"a", RD_ENTRY_TEXT, 1, {7}, NULL}, 7},
                 {{"a", RD_ENTRY_F32, 2, {0, 5}, NULL}, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        size_t bytes = 99;
        assert_true(rdc_entry_bytes(&cases[i].entry, &bytes));
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void test_a_dimension_of_0_hides_no_overflow(void **state)
{
    (void)state;
    size_t bytes = 0;
    const rd_entry entry = {"x", RD_ENTRY_F64, 3, {SIZE_MAX, 0, 2}, NULL};
    assert_false(rdc_entry_bytes(&entry, &bytes));
}

static void test_lengths_beyond_the_rank_are_0(void **state)
{
    const rd_entry entry = {"x", RD_ENTRY_F64, 1, {2, 7, 7, 7, 7, 7, 7, 7}, two};
    const size_t shape[RD_MAX_DIMS] = {2};
    assert_int_equal(rd_archive_put(*state, &entry, NULL), RD_OK);
    assert_memory_equal(rd_archive_find(*state, "x")->shape, shape, sizeof(shape));
}

/* So much as if there were values of 4 GiB, but for 16 bytes. */
static void test_values_together_have_at_most_4_gibibytes(void **state)
{
    rd_archive *a = *state;
    a->bytes = RDC_FILE_BYTES - 32;
    assert_int_equal(put(a, "a", NULL), RD_OK);
    assert_int_equal(put(a, "b", NULL), RD_OK);
    check_refused(a, "c", "archive: 'c' makes it larger than the limit of 4 GiB");
    const rd_entry empty = {.name = "d", .kind = RD_ENTRY_TEXT, .ndim = 1, .data = ""};
    assert_int_equal(rd_archive_put(a, &empty, NULL), RD_OK);
}

/* An archive whose entries are there by number alone. */
static void test_there_are_at_most_1048576_entries(void **state)
{
    (void)state;
    rd_error err;
    rd_archive a = {.n = RDC_ENTRIES, .room = RDC_ENTRIES};
    a.entries = calloc(RDC_ENTRIES, sizeof(*a.entries));
    assert_non_null(a.entries);
    for (size_t i = 0; i < RDC_ENTRIES; i++) a.entries[i].name = "m";
    assert_int_equal(put(&a, "x", &err), RD_E_ARG);
    assert_string_equal(err.text, "archive: at most 1048576 entries are allowed");
    a.n--;
    assert_int_equal(put(&a, "x", &err), RD_OK);
    const rd_entry *last = rd_archive_at(&a, RDC_ENTRIES - 1);
    assert_string_equal(last->name, "x");
    free((void *)(uintptr_t)last->name);
    free((void *)(uintptr_t)last->data);
    free(a.entries);
}

static void test_an_archive_grows(void **state)
{
    rd_archive *a = *state;
    for (int i = 99; i >= 0; i--) {
        char name[16];
        snprintf(name, sizeof(name), "%02d", i);
        assert_int_equal(put(a, name, NULL), RD_OK);
    }
    assert_int_equal(rd_archive_count(a), 100);
    assert_string_equal(rd_archive_at(a, 0)->name, "00");
    assert_string_equal(rd_archive_at(a, 99)->name, "99");
    assert_non_null(rd_archive_find(a, "50"));
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
        TEST(test_names_have_1_to_1024_bytes),
        TEST(test_a_name_has_at_most_32_parts),
        TEST(test_parts_may_hold_dots),
        TEST(test_names_that_begin_alike_have_each_their_place),
        TEST(test_kinds_and_dimensions_are_those_that_are_known),
        TEST(test_bytes_are_those_of_kind_and_shape),
        TEST(test_a_dimension_of_0_hides_no_overflow),
        TEST(test_lengths_beyond_the_rank_are_0),
        TEST(test_values_together_have_at_most_4_gibibytes),
        TEST(test_there_are_at_most_1048576_entries),
        TEST(test_an_archive_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
