/* test_words.c - the table of words, where words and chunks end, and lower case.
 * SPDX-License-Identifier: MIT */
#include "store/scratch.h"
#include "text/split.h"
#include "text/words.h"

#include <string.h>

static void test_a_word_keeps_its_number(void **state)
{
    (void)state;
    rdc_words w = {0};
    uint32_t number = 9;
    assert_int_equal(rdc_words_find(&w, "a", 1), RDC_NO_WORD);
    assert_int_equal(rdc_words_add(&w, "a", 1, &number, NULL), RD_OK);
    assert_int_equal(rdc_words_add(&w, "ab", 2, &number, NULL), RD_OK);
    assert_int_equal(rdc_words_add(&w, "a", 1, &number, NULL), RD_OK);
    assert_int_equal(number, 0);
    assert_int_equal(rdc_words_find(&w, "ab", 2), 1);
    assert_int_equal(rdc_words_find(&w, "b", 1), RDC_NO_WORD);
    rdc_words_free(&w);
}

/* More than any first size; the numbers themselves are the words. */
static void test_a_table_of_many_words_finds_all(void **state)
{
    (void)state;
    rdc_words w = {0};
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t number;
        assert_int_equal(rdc_words_add(&w, &i, sizeof(i), &number, NULL), RD_OK);
        if (number != i) fail_msg("%u is number %u", i, number);
    }
    for (uint32_t i = 0; i < 20000; i++) {
        size_t n;
        if (rdc_words_find(&w, &i, sizeof(i)) != i) fail_msg("%u is not found", i);
        if (memcmp(rdc_words_at(&w, i, &n), &i, sizeof(i)) != 0) fail_msg("%u is changed", i);
    }
    rdc_words_free(&w);
}

/* Words of a text, each with | behind it. */
static void check_words(const char *text, bool punctuation, const char *expected)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + strlen(text);
    char got[512];
    size_t used = 0;
    for (;;) {
        const rdc_slice word = rdc_next_word(at, end, punctuation);
        if (word.n == 0) break;
        used += (size_t)snprintf(got + used, sizeof(got) - used, "%.*s|", (int)word.n,
                                 (const char *)word.at);
        at = word.at + word.n;
    }
    got[used] = '\0';
    assert_string_equal(got, expected);
}

static void test_words_lie_between_white_space(void **state)
{
    (void)state;
    check_words("", false, "");
    check_words(" \t\r ", false, "");
    check_words(" in the\tbeginning, \r\n\n God", false, "in|the|beginning,|\n|\n|God|");
}

static void test_marks_are_split_off(void **state)
{
    (void)state;
    check_words("\"Don't!\" he said.", true, "\"|Don't|!|\"|he|said|.|");
    check_words("3.14 1,000 a.b well-known -x- (x)", true,
                "3.14|1,000|a|.|b|well-known|-|x|-|(|x|)|");
    check_words("\xE2\x80\x9CIt\xE2\x80\x99s\xE2\x80\x9D caf\xC3\xA9\xE2\x80\xA6", true,
                "\xE2\x80\x9C|It\xE2\x80\x99s|\xE2\x80\x9D|caf\xC3\xA9|\xE2\x80\xA6|");
}

static void test_a_long_word_is_cut_between_characters(void **state)
{
    (void)state;
    unsigned char text[400];
    for (size_t i = 0; i < sizeof(text); i += 2) memcpy(text + i, "\xC3\xA9", 2);
    assert_int_equal(rdc_next_word(text, text + 400, false).n, RDC_CHUNK);
    assert_int_equal(rdc_next_word(text, text + 400, true).n, RDC_CHUNK);
    text[0] = 'a';
    text[1] = 'b';
    memmove(text + 1, text + 2, 398);
    assert_int_equal(rdc_next_word(text, text + 399, false).n, RDC_CHUNK - 1);
    assert_int_equal(rdc_next_word(text, text + 399, true).n, RDC_CHUNK - 1);
}

static void check_chunks(const char *text, const char *expected)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + strlen(text);
    char got[512];
    size_t used = 0;
    for (rdc_slice c = rdc_next_chunk(at, end); c.n > 0; c = rdc_next_chunk(at, end)) {
        used +=
            (size_t)snprintf(got + used, sizeof(got) - used, "%.*s|", (int)c.n, (const char *)c.at);
        at = c.at + c.n;
    }
    got[used] = '\0';
    assert_string_equal(got, expected);
}

static void test_chunks_join_to_the_text(void **state)
{
    (void)state;
    check_chunks("", "");
    check_chunks("In the 90s, he--\n\n  \tsaid   so \n",
                 "In| the| 90|s|,| he|--|\n|\n|  \t|said|  | so| |\n|");
    check_chunks("caf\xC3\xA9 \xFF!", "caf\xC3\xA9| \xFF|!|");
}

static void check_lower(const char *text, const char *expected)
{
    unsigned char got[64] = {0};
    rdc_lower((const unsigned char *)text, strlen(text), got);
    assert_string_equal((char *)got, expected);
}

static void test_letters_have_a_lower_case(void **state)
{
    (void)state;
    check_lower("AZ az 09 @[", "az az 09 @[");
    check_lower("\u00C0\u00D6\u00D7\u00DE\u00DF", "\u00E0\u00F6\u00D7\u00FE\u00DF");
    check_lower("\u0141\u0178\u017D\u0218", "\u0142\u00FF\u017E\u0219");
    check_lower("\u0391\u03A9\u0386\u038F\u03C2", "\u03B1\u03C9\u03AC\u03CE\u03C2");
    check_lower("\u0416\u0401\u0460\u0531\u1E9E", "\u0436\u0451\u0461\u0561\u1E9E");
    check_lower("\xFF\xC3", "\xFF\xC3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_word_keeps_its_number),
        cmocka_unit_test(test_a_table_of_many_words_finds_all),
        cmocka_unit_test(test_words_lie_between_white_space),
        cmocka_unit_test(test_marks_are_split_off),
        cmocka_unit_test(test_a_long_word_is_cut_between_characters),
        cmocka_unit_test(test_chunks_join_to_the_text),
        cmocka_unit_test(test_letters_have_a_lower_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
