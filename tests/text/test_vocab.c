/* test_vocab.c - symbols to ids and back, and what the messages say.
 * SPDX-License-Identifier: MIT */
#include "rondo.h"
#include "store/scratch.h"

static const uint32_t chars[] = {'a', 'b', 0xFC, 0x20AC};
static const uint32_t bytes[] = {0, 'a', 0xFF};

static int open_chars(void **state)
{
    return rd_vocab_new(&(rd_vocab_options){.level = RD_CHAR}, chars, 4, (rd_vocab **)state, NULL);
}

static int open_bytes(void **state)
{
    return rd_vocab_new(&(rd_vocab_options){.level = RD_BYTE}, bytes, 3, (rd_vocab **)state, NULL);
}

static int close_vocab(void **state)
{
    rd_vocab_release(*state);
    return 0;
}

static void check_encode(const rd_vocab *v, const char *text, size_t length, const char *message)
{
    rd_error err;
    int32_t ids[16];
    size_t n = 99;
    assert_int_equal(rd_vocab_encode(v, text, length, ids, &n, &err), RD_E_ARG);
    assert_string_equal(err.text, message);
    assert_int_equal(n, 99);
}

static void check_new(rd_level level, const uint32_t *symbols, size_t n, const char *message)
{
    rd_error err;
    rd_vocab *v = NULL;
    assert_int_equal(rd_vocab_new(&(rd_vocab_options){.level = level}, symbols, n, &v, &err),
                     RD_E_ARG);
    assert_string_equal(err.text, message);
    assert_null(v);
}

static void test_characters_are_encoded(void **state)
{
    const int32_t expected[] = {4, 1, 3};
    int32_t ids[6];
    size_t n = 0;
    assert_int_equal(rd_vocab_encode(*state,
                                     "\xE2\x82\xAC"
                                     "a\xC3\xBC",
                                     6, ids, &n, NULL),
                     RD_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(ids, expected, sizeof(expected));
}

static void test_bytes_are_encoded(void **state)
{
    const int32_t expected[] = {3, 1, 2};
    int32_t ids[3];
    size_t n = 0;
    assert_int_equal(rd_vocab_encode(*state, "\xFF\0a", 3, ids, &n, NULL), RD_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(ids, expected, sizeof(expected));
}

static void test_nothing_is_encoded_to_nothing(void **state)
{
    size_t n = 9;
    assert_int_equal(rd_vocab_encode(*state, "", 0, NULL, &n, NULL), RD_OK);
    assert_int_equal(n, 0);
}

static void test_a_missing_character_is_shown_with_its_position(void **state)
{
    check_encode(*state,
                 "ab\xC3\xBC"
                 "ab\xC3\xBC\xC3\xA9",
                 10, "character '\xC3\xA9' (U+00E9) at position 7 is not in the vocabulary");
    check_encode(*state, "\n", 1, "character (U+000A) at position 1 is not in the vocabulary");
    check_encode(*state, "a\xFF", 2, "the text is not UTF-8: byte 0xFF at position 2");
}

static void test_a_missing_byte_is_shown_with_its_position(void **state)
{
    check_encode(*state, "ae", 2, "byte 'e' (0x65) at position 2 is not in the vocabulary");
    check_encode(*state, "\xE9", 1, "byte (0xE9) at position 1 is not in the vocabulary");
}

static void check_decode(const rd_vocab *v, int32_t id, const char *expected, size_t length)
{
    char own[4];
    size_t n = 99;
    const char *text = rd_vocab_decode(v, id, own, &n);
    assert_int_equal(n, length);
    assert_memory_equal(text, expected, length);
}

static void test_ids_are_decoded(void **state)
{
    check_decode(*state, 4, "\xE2\x82\xAC", 3);
    check_decode(*state, 1, "a", 1);
}

static void test_ids_outside_have_no_symbol(void **state)
{
    check_decode(*state, 0, "", 0);
    check_decode(*state, -1, "", 0);
    check_decode(*state, 5, "", 0);
}

static void test_a_byte_is_decoded_as_it_is(void **state)
{
    check_decode(*state, 3, "\xFF", 1);
}

static void test_symbols_that_are_none_are_refused(void **state)
{
    (void)state;
    const uint32_t big[] = {256}, surrogate[] = {0xD800}, twice[] = {'a', 'b', 'b'};
    check_new(RD_BYTE, big, 1, "vocabulary: a byte is 0..255, got 256");
    check_new(RD_CHAR, surrogate, 1, "vocabulary: U+D800 is not a character");
    check_new(RD_CHAR, twice, 3, "vocabulary: symbols must ascend, but number 3 (98) follows 98");
    check_new(RD_CHAR, twice, 0, "vocabulary: it must have at least one symbol");
}

#define TEST(f, open) cmocka_unit_test_setup_teardown(f, open, close_vocab)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_characters_are_encoded, open_chars),
        TEST(test_bytes_are_encoded, open_bytes),
        TEST(test_nothing_is_encoded_to_nothing, open_chars),
        TEST(test_a_missing_character_is_shown_with_its_position, open_chars),
        TEST(test_a_missing_byte_is_shown_with_its_position, open_bytes),
        TEST(test_ids_are_decoded, open_chars),
        TEST(test_ids_outside_have_no_symbol, open_chars),
        TEST(test_a_byte_is_decoded_as_it_is, open_bytes),
        cmocka_unit_test(test_symbols_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
