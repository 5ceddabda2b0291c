/* test_error.c - messages and checked sizes.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "support/tensors.h"

#include <string.h>

static void test_fail_writes_code_and_sentence(void **state)
{
    rd_error err;
    (void)state;
    assert_int_equal(rdc_fail(&err, RD_E_IO, "%s: %d", "disk", 7), RD_E_IO);
    assert_int_equal(err.code, RD_E_IO);
    assert_string_equal(err.text, "disk: 7");
    assert_int_equal(rdc_fail(NULL, RD_E_ARG, "nobody listens"), RD_E_ARG);
}

/* Names out of files: a terminal must not obey them. */
static void test_sentence_is_one_line_of_text(void **state)
{
    rd_error err;
    (void)state;
    rdc_fail(&err, RD_E_IO, "'%s' is not there", "a\nb\x1b[31m\x7f\xc2\x9bm\xc2\xa0\xc3\xa4");
    assert_string_equal(err.text, "'a?b?[31m???m\xc2\xa0\xc3\xa4' is not there");
}

static void test_long_sentence_is_cut_between_characters(void **state)
{
    rd_error err;
    char umlauts[601];
    (void)state;
    for (int i = 0; i < 600; i += 2) memcpy(umlauts + i, "\xc3\xa4", 2);
    umlauts[600] = '\0';
    rdc_fail(&err, RD_E_ARG, "%s", umlauts);
    assert_in_range(strlen(err.text), sizeof(err.text) - 4, sizeof(err.text) - 1);
    assert_int_equal(strlen(err.text) % 2, 0);
}

/* Of "x" and 200 euro signs of three bytes 168 fit whole into 507 bytes, and two bytes of the next. */
static void test_long_sentence_is_cut_before_a_character_of_three_bytes(void **state)
{
    rd_error err;
    char euros[602] = "x";
    (void)state;
    for (int i = 1; i < 601; i += 3) memcpy(euros + i, "\xe2\x82\xac", 3);
    euros[601] = '\0';
    rdc_fail(&err, RD_E_ARG, "%s", euros);
    assert_int_equal(strlen(err.text), 1 + 168 * 3);
}

static void test_long_sentence_of_letters_fills_its_room(void **state)
{
    rd_error err;
    char letters[601];
    (void)state;
    memset(letters, 'x', 600);
    letters[600] = '\0';
    rdc_fail(&err, RD_E_ARG, "%s", letters);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

/* What is no text at all: bytes that could only go on with a character. */
static void test_long_sentence_without_a_beginning_is_empty(void **state)
{
    rd_error err;
    char bytes[601];
    (void)state;
    memset(bytes, 0x80, 600);
    bytes[600] = '\0';
    rdc_fail(&err, RD_E_ARG, "%s", bytes);
    assert_string_equal(err.text, "");
}

static void test_sizes_are_checked(void **state)
{
    size_t size = 3;
    (void)state;
    assert_false(rdc_mul_size(SIZE_MAX, 2, &size));
    assert_false(rdc_add_size(SIZE_MAX, 1, &size));
    assert_true(rdc_mul_size(6, 7, &size));
    assert_int_equal(size, 42);
    assert_true(rdc_add_size(6, 7, &size));
    assert_int_equal(size, 13);
}

static void test_no_memory_says_how_much(void **state)
{
    rd_error err;
    (void)state;
    test_fails(rdc_no_memory(&err, 123), &err, "out of memory: 123 bytes were asked for");
    test_fails(rdc_no_memory(&err, (size_t)5 << 20), &err, "out of memory: 5.0 MiB were asked for");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_writes_code_and_sentence),
        cmocka_unit_test(test_sentence_is_one_line_of_text),
        cmocka_unit_test(test_long_sentence_is_cut_between_characters),
        cmocka_unit_test(test_long_sentence_is_cut_before_a_character_of_three_bytes),
        cmocka_unit_test(test_long_sentence_of_letters_fills_its_room),
        cmocka_unit_test(test_long_sentence_without_a_beginning_is_empty),
        cmocka_unit_test(test_sizes_are_checked),
        cmocka_unit_test(test_no_memory_says_how_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
