/* test_text.c - mapped texts: which files are taken, and that every symbol is found from everywhere.
 * SPDX-License-Identifier: MIT */
#include "text/texts.h"

static void check_refused(const char *path, rd_level level, const char *format)
{
    rd_error err;
    rd_text *t = NULL;
    char expected[512];
    assert_int_equal(rd_text_open(path, &(rd_vocab_options){.level = level}, &t, &err), RD_E_IO);
    assert_null(t);
    snprintf(expected, sizeof(expected), format, path);
    assert_string_equal(err.text, expected);
}

static void test_files_that_hold_no_text_are_named(void **state)
{
    scratch *s = *state;
    check_refused(scratch_path(s, "none.txt"), RD_CHAR,
                  "cannot read '%s': No such file or directory");
    check_refused(s->folder, RD_BYTE, "cannot read '%s': it is a folder");
    check_refused("/dev/null", RD_BYTE, "cannot read '%s': it is not a regular file");
    check_refused(scratch_write(s, "a", "", 0), RD_CHAR, "'%s' is empty");
    check_refused(scratch_write(s, "a", "\xEF\xBB\xBF", 3), RD_CHAR,
                  "'%s' is empty but for a byte order mark");
}

static void test_text_that_is_not_utf8_is_located(void **state)
{
    scratch *s = *state;
    check_refused(scratch_write(s, "a", "one\ntwo\nth\xE9l", 12), RD_CHAR,
                  "'%s' is not UTF-8: byte 0xE9 at offset 10 (line 3); level 'byte' (--level byte) "
                  "reads any file");
    check_refused(scratch_write(s, "a", "\xEF\xBB\xBF\xFF", 4), RD_CHAR,
                  "'%s' is not UTF-8: byte 0xFF at offset 3 (line 1); level 'byte' (--level byte) "
                  "reads any file");
}

/* Forms that RFC 3629 section 3 forbids: overlong, surrogate, past the end, cut off. */
static void test_forbidden_forms_are_not_utf8(void **state)
{
    (void)state;
    assert_int_equal(rdc_utf8_check("\xC0\x80", 2), 0);
    assert_int_equal(rdc_utf8_check("\xE0\x9F\xBF", 3), 0);
    assert_int_equal(rdc_utf8_check("\xF0\x8F\xBF\xBF", 4), 0);
    assert_int_equal(rdc_utf8_check("\xED\xA0\x80", 3), 0);
    assert_int_equal(rdc_utf8_check("\xF4\x90\x80\x80", 4), 0);
    assert_int_equal(rdc_utf8_check("a\xE2\x82", 3), 1);
    assert_int_equal(rdc_utf8_check("\x80", 1), 0);
    assert_int_equal(rdc_utf8_check("\xF4\x8F\xBF\xBF", 4), 4);
}

static void test_every_code_point_goes_there_and_back(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < RDC_CODE_POINTS; point++) {
        char bytes[4];
        uint32_t back = 0;
        if (!rdc_utf8_point(point)) continue;
        const size_t n = rdc_utf8_encode(point, bytes);
        if (rdc_utf8_decode((const unsigned char *)bytes, n, &back) != n || back != point)
            fail_msg("U+%04X", point);
    }
}

static void test_length_and_vocabulary_count_characters(void **state)
{
    rd_text *t = open_text(*state, RD_CHAR, "b\xC3\xA9 a\xE2\x82\xAC\xF0\x9F\x8E\xB5 b", 14);
    rd_vocab *v = vocab_of(t, &by_char);
    assert_int_equal(rd_text_length(t), 8);
    assert_int_equal(rd_vocab_size(v), 6); /* space a b é € 🎵 */
    assert_int_equal(symbol_of(v, 1), ' ');
    assert_int_equal(symbol_of(v, 3), 'b');
    assert_int_equal(symbol_of(v, 6), 0x1F3B5);
    rd_vocab_release(v);
    rd_text_free(t);
}

static void test_a_byte_order_mark_is_no_character(void **state)
{
    rd_text *t = open_text(*state, RD_CHAR, "\xEF\xBB\xBFxy", 5);
    rd_vocab *v = vocab_of(t, &by_char);
    int32_t ids[2];
    assert_int_equal(rd_text_length(t), 2);
    assert_int_equal(rd_text_ids(t, v, 0, 2, ids, NULL), RD_OK);
    assert_int_equal(ids[0], 1);
    assert_int_equal(ids[1], 2);
    rd_vocab_release(v);
    rd_text_free(t);
}

static void test_bytes_are_taken_as_they_are(void **state)
{
    rd_text *t = open_text(*state, RD_BYTE, "\xEF\xBB\xBF\x00\xFF\x00", 6);
    rd_vocab *v = vocab_of(t, &by_byte);
    int32_t ids[6];
    const int32_t expected[6] = {4, 2, 3, 1, 5, 1}; /* ids of 00 BB BF EF FF are 1..5 */
    assert_int_equal(rd_text_length(t), 6);
    assert_int_equal(rd_vocab_size(v), 5);
    assert_int_equal(rd_text_ids(t, v, 0, 6, ids, NULL), RD_OK);
    assert_memory_equal(ids, expected, sizeof(expected));
    rd_vocab_release(v);
    rd_text_free(t);
}

enum { MIXED = 5000 };

static void test_every_position_is_found_at_random(void **state)
{
    static uint32_t points[MIXED];
    static char bytes[4 * MIXED];
    rd_text *t = open_text(*state, RD_CHAR, bytes, mixed(points, MIXED, bytes));
    rd_vocab *v = vocab_of(t, &by_char);
    assert_int_equal(rd_text_length(t), MIXED);
    for (uint64_t from = 0; from < MIXED; from++) {
        int32_t id = 0;
        assert_int_equal(rd_text_ids(t, v, from, 1, &id, NULL), RD_OK);
        if (symbol_of(v, id) != points[from]) fail_msg("at %d", (int)from);
    }
    rd_vocab_release(v);
    rd_text_free(t);
}

static void test_a_stretch_is_the_same_as_its_parts(void **state)
{
    static uint32_t points[MIXED];
    static char bytes[4 * MIXED];
    static int32_t ids[MIXED];
    rd_text *t = open_text(*state, RD_CHAR, bytes, mixed(points, MIXED, bytes));
    rd_vocab *v = vocab_of(t, &by_char);
    assert_int_equal(rd_text_ids(t, v, 0, MIXED, ids, NULL), RD_OK);
    for (size_t i = 0; i < MIXED; i++)
        if (symbol_of(v, ids[i]) != points[i]) fail_msg("at %zu", i);
    rd_vocab_release(v);
    rd_text_free(t);
}

static void test_symbols_that_a_vocabulary_lacks_are_0(void **state)
{
    const uint32_t symbols[] = {'a', 'c'};
    rd_vocab *v = NULL;
    rd_text *t = open_text(*state, RD_CHAR, "abc", 3);
    int32_t ids[3];
    assert_int_equal(rd_vocab_new(&by_char, symbols, 2, &v, NULL), RD_OK);
    assert_int_equal(rd_text_ids(t, v, 0, 3, ids, NULL), RD_OK);
    assert_int_equal(ids[0], 1);
    assert_int_equal(ids[1], 0);
    assert_int_equal(ids[2], 2);
    rd_vocab_release(v);
    rd_text_free(t);
}

static void test_reading_past_the_end_is_refused(void **state)
{
    rd_error err;
    int32_t ids[4];
    rd_text *t = open_text(*state, RD_CHAR, "abc", 3);
    rd_vocab *v = vocab_of(t, &by_char);
    char expected[512];
    snprintf(expected, sizeof(expected),
             "'%s' has 3 symbols, but 3 from number 1 on (counted from 0) were asked for",
             ((scratch *)*state)->path);
    assert_int_equal(rd_text_ids(t, v, 1, 3, ids, &err), RD_E_ARG);
    assert_string_equal(err.text, expected);
    assert_int_equal(rd_text_ids(t, v, UINT64_MAX, 2, ids, &err), RD_E_ARG);
    assert_int_equal(rd_text_ids(t, v, 3, 0, ids, &err), RD_OK);
    rd_vocab_release(v);
    rd_text_free(t);
}

static void test_levels_must_agree(void **state)
{
    const uint32_t symbols[] = {'a'};
    rd_error err;
    rd_vocab *v = NULL;
    int32_t id;
    char expected[512];
    rd_text *t = open_text(*state, RD_CHAR, "abc", 3);
    snprintf(expected, sizeof(expected), "'%s' is read as char, the vocabulary is of level byte",
             ((scratch *)*state)->path);
    assert_int_equal(rd_vocab_new(&by_byte, symbols, 1, &v, NULL), RD_OK);
    assert_int_equal(rd_text_ids(t, v, 0, 1, &id, &err), RD_E_ARG);
    assert_string_equal(err.text, expected);
    rd_vocab_release(v);
    rd_text_free(t);
}

static void test_a_file_that_shrank_is_refused(void **state)
{
    rd_error err;
    int32_t id;
    char expected[512];
    rd_text *t = open_text(*state, RD_CHAR, "abc", 3);
    rd_vocab *v = vocab_of(t, &by_char);
    const char *path = ((scratch *)*state)->path;
    assert_int_equal(truncate(path, 1), 0);
    snprintf(expected, sizeof(expected), "'%s' shrank while it was in use", path);
    assert_int_equal(rd_text_ids(t, v, 0, 1, &id, &err), RD_E_IO);
    assert_string_equal(err.text, expected);
    rd_vocab_release(v);
    rd_text_free(t);
}

/* The bytes may change under the map: nothing is read behind its end, what is not UTF-8 has id 0. */
static void test_bytes_that_changed_do_no_harm(void **state)
{
    int32_t ids[2];
    rd_text *t = open_text(*state, RD_CHAR, "\xC3\xA9\xC3\xA9", 4);
    rd_vocab *v = vocab_of(t, &by_char);
    const int fd = open(((scratch *)*state)->path, O_WRONLY);
    assert_int_equal(pwrite(fd, "\xFF\xFF\xFF\xF0", 4, 0), 4);
    assert_int_equal(rd_text_ids(t, v, 1, 1, ids, NULL), RD_OK);
    assert_int_equal(ids[0], 0);
    close(fd);
    rd_vocab_release(v);
    rd_text_free(t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_files_that_hold_no_text_are_named),
        TEST(test_text_that_is_not_utf8_is_located),
        TEST(test_forbidden_forms_are_not_utf8),
        TEST(test_every_code_point_goes_there_and_back),
        TEST(test_length_and_vocabulary_count_characters),
        TEST(test_a_byte_order_mark_is_no_character),
        TEST(test_bytes_are_taken_as_they_are),
        TEST(test_every_position_is_found_at_random),
        TEST(test_a_stretch_is_the_same_as_its_parts),
        TEST(test_symbols_that_a_vocabulary_lacks_are_0),
        TEST(test_reading_past_the_end_is_refused),
        TEST(test_levels_must_agree),
        TEST(test_a_file_that_shrank_is_refused),
        TEST(test_bytes_that_changed_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
