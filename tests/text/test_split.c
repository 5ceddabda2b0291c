/* test_split.c - marks of Unicode, what holds words together, where long ones are cut, lower case.
 * SPDX-License-Identifier: MIT */
#include "text/split.h"
#include "store/scratch.h"
#include "text/utf8.h"

/* ---- marks ---- */

/* Punctuation (general category P) of the blocks that split.h names, as ranges. */
static const uint32_t marks[][2] = {{0x21, 0x2F},     {0x3A, 0x40},     {0x5B, 0x60},
                                    {0x7B, 0x7E},     {0xA1, 0xA1},     {0xA7, 0xA7},
                                    {0xAB, 0xAB},     {0xB6, 0xB7},     {0xBB, 0xBB},
                                    {0xBF, 0xBF},     {0x2010, 0x205E}, {0x3001, 0x3003},
                                    {0x3008, 0x3011}, {0xFF01, 0xFF0F}};

static bool listed(uint32_t point)
{
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        if (point >= marks[i][0] && point <= marks[i][1]) return true;
    return false;
}

static void test_marks_are_those_of_the_list(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x11000; point++)
        if (rdc_is_mark(point) != listed(point)) fail_msg("U+%04X", point);
}

/* ---- words ---- */

/* Words with punctuation set apart, between bars. */
static void check_words(const char *text, const char *expected)
{
    char got[256] = "";
    size_t used = 0;
    const unsigned char *at = (const unsigned char *)text, *end = at + strlen(text);
    for (;;) {
        const rdc_slice word = rdc_next_word(at, end, true);
        if (word.n == 0) break;
        used += (size_t)snprintf(got + used, sizeof(got) - used, "%.*s|", (int)word.n, word.at);
        at = word.at + word.n;
    }
    assert_string_equal(got, expected);
}

static void test_marks_between_letters_hold_a_word_together(void **state)
{
    (void)state;
    check_words("don't well-known snake_case", "don't|well-known|snake_case|");
    check_words("l\u2019eau 3.14 1,000", "l\u2019eau|3.14|1,000|");
    check_words("caf\u00E9-bar 4-2", "caf\u00E9-bar|4-2|");
}

static void test_marks_at_an_edge_are_words(void **state)
{
    (void)state;
    check_words("dogs' -5 a- 'tis", "dogs|'|-|5|a|-|'|tis|");
    check_words("3. .5 a.b 1,a 3.,", "3|.|.|5|a|.|b|1|,|a|3|.|,|");
    check_words("a-- b'\u00AB x--y", "a|-|-|b|'|\u00AB|x|-|-|y|");
    check_words("\u3001\uFF01\u2014?", "\u3001|\uFF01|\u2014|?|");
}

static void test_bytes_that_are_no_utf8_are_letters(void **state)
{
    (void)state;
    check_words("a\xFF"
                "b \xC3.",
                "a\xFF"
                "b|\xC3|.|");
}

/* ---- cuts ---- */

static void test_long_words_are_cut_between_characters(void **state)
{
    (void)state;
    unsigned char text[512];
    for (size_t i = 0; i < sizeof(text); i += 2) memcpy(text + i, "\xC3\xA9", 2);
    for (size_t shift = 0; shift < 2;
         shift++) { /* with an odd byte in front, a cut would hit one */
        text[0] = shift ? 'a' : 0xC3;
        if (shift) memmove(text + 1, text + 2, sizeof(text) - 2);
        const rdc_slice run = rdc_next_word(text, text + 300, false);
        const rdc_slice word = rdc_next_word(text, text + 300, true);
        assert_int_equal(run.n, RDC_CHUNK - shift);
        assert_int_equal(word.n, RDC_CHUNK - shift);
    }
}

static void test_long_words_of_no_characters_are_cut_where_they_are(void **state)
{
    (void)state;
    unsigned char text[300];
    memset(text, 0x80, sizeof(text));
    assert_true(rdc_next_word(text, text + sizeof(text), false).n <= RDC_CHUNK);
    assert_true(rdc_next_word(text, text + sizeof(text), false).n >= RDC_CHUNK - 3);
    assert_int_equal(rdc_next_chunk(text, text + sizeof(text)).n, RDC_CHUNK);
}

/* ---- lower case ---- */

/* Pairs of the Unicode Character Database, of every range and exception of the table. */
static void test_letters_are_those_of_unicode(void **state)
{
    (void)state;
    static const uint32_t pair[][2] = {
        {0xC0, 0xE0},     {0xDE, 0xFE},     {0xDF, 0xDF},     {0x100, 0x101},   {0x101, 0x101},
        {0x136, 0x137},   {0x139, 0x13A},   {0x147, 0x148},   {0x176, 0x177},   {0x178, 0xFF},
        {0x17D, 0x17E},   {0x386, 0x3AC},   {0x388, 0x3AD},   {0x38A, 0x3AF},   {0x38C, 0x3CC},
        {0x38E, 0x3CD},   {0x38F, 0x3CE},   {0x391, 0x3B1},   {0x3A1, 0x3C1},   {0x3A3, 0x3C3},
        {0x3AB, 0x3CB},   {0x3AC, 0x3AC},   {0x400, 0x450},   {0x40F, 0x45F},   {0x410, 0x430},
        {0x42F, 0x44F},   {0x430, 0x430},   {0x460, 0x461},   {0x531, 0x561},   {0x556, 0x586},
        {0x557, 0x557},   {0x1E00, 0x1E01}, {0x1E94, 0x1E95}, {0x1EA0, 0x1EA1}, {0x1EFE, 0x1EFF},
        {0x20AC, 0x20AC}, {0x387, 0x387},   {0x38B, 0x38B},   {0x38D, 0x38D},   {0x390, 0x390},
        {0x3A2, 0x3A2},   {0xD7, 0xD7}};
    for (size_t i = 0; i < sizeof(pair) / sizeof(*pair); i++)
        if (rdc_lower_point(pair[i][0]) != pair[i][1])
            fail_msg("U+%04X: U+%04X", pair[i][0], rdc_lower_point(pair[i][0]));
}

/* So that a text may be lowered where it lies. */
static void test_lower_case_is_as_long(void **state)
{
    (void)state;
    char bytes[4];
    for (uint32_t point = 0; point < RDC_CODE_POINTS; point++) {
        if (!rdc_utf8_point(point)) continue;
        const size_t n = rdc_utf8_encode(point, bytes);
        if (rdc_utf8_encode(rdc_lower_point(point), bytes) != n) fail_msg("U+%04X", point);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks_are_those_of_the_list),
        cmocka_unit_test(test_marks_between_letters_hold_a_word_together),
        cmocka_unit_test(test_marks_at_an_edge_are_words),
        cmocka_unit_test(test_bytes_that_are_no_utf8_are_letters),
        cmocka_unit_test(test_long_words_are_cut_between_characters),
        cmocka_unit_test(test_long_words_of_no_characters_are_cut_where_they_are),
        cmocka_unit_test(test_letters_are_those_of_unicode),
        cmocka_unit_test(test_lower_case_is_as_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
