/* test_fit.c - which symbols get an id, and what special ids do.
 * SPDX-License-Identifier: MIT */
#include "rondo.h"
#include "text/texts.h"

static rd_vocab *fit(rd_vocab_options how, const char *text)
{
    rd_error err = {0};
    rd_vocab_fit *f = NULL;
    rd_vocab *v = NULL;
    rd_status status = rd_vocab_fit_new(&how, &f, &err);
    if (status == RD_OK) status = rd_vocab_fit_add(f, text, strlen(text), &err);
    if (status == RD_OK) status = rd_vocab_fit_end(f, &v, &err);
    rd_vocab_fit_free(f);
    if (status != RD_OK) fail_msg("%s", err.text);
    return v;
}

/* All that is decoded, ids in order, each with | behind it. */
static void check_ids(rd_vocab *v, const char *expected)
{
    char got[512];
    size_t used = 0;
    for (int32_t id = 1; (size_t)id <= rd_vocab_size(v); id++) {
        char own[4];
        size_t n;
        const char *text = rd_vocab_decode(v, id, own, &n);
        used += (size_t)snprintf(got + used, sizeof(got) - used, "%.*s|", (int)n, text);
    }
    assert_string_equal(got, expected);
    rd_vocab_release(v);
}

static void test_words_come_by_count_then_by_bytes(void **state)
{
    (void)state;
    check_ids(fit((rd_vocab_options){.level = RD_WORD}, "b a c a\nb aa a"), "a|b|\n|aa|c|");
}

static void test_rare_and_surplus_words_get_no_id(void **state)
{
    (void)state;
    const char *text = "a a a b b c c d";
    check_ids(fit((rd_vocab_options){.level = RD_WORD, .min_count = 2}, text), "a|b|c|");
    check_ids(fit((rd_vocab_options){.level = RD_WORD, .unk = true, .max_size = 3}, text),
              "<unk>|a|b|");
}

/* The names of special ids are no words of their own, where there are these ids. */
static void test_names_of_special_ids_are_not_counted(void **state)
{
    (void)state;
    static const char text[] = "a <unk> <bos> <eos> <any>";
    check_ids(fit((rd_vocab_options){.level = RD_WORD, .unk = true, .bos = true, .eos = true},
                  text),
              "<unk>||\n|<any>|a|"); /* <bos> is written as nothing, <eos> as a line feed */
    check_ids(fit((rd_vocab_options){.level = RD_WORD}, text), "<any>|<bos>|<eos>|<unk>|a|");
}

static void test_rare_and_surplus_characters_get_no_id(void **state)
{
    (void)state;
    const char *text = "zzyya\u00e9\u00e9\u00e9";
    check_ids(fit((rd_vocab_options){.level = RD_CHAR}, text), "a|y|z|\u00e9|");
    check_ids(fit((rd_vocab_options){.level = RD_CHAR, .min_count = 2}, text), "y|z|\u00e9|");
    check_ids(fit((rd_vocab_options){.level = RD_CHAR, .max_size = 2}, text), "y|\u00e9|");
}

static void test_special_ids_come_first(void **state)
{
    (void)state;
    rd_vocab *v =
        fit((rd_vocab_options){.level = RD_CHAR, .unk = true, .bos = true, .eos = true}, "ba");
    const rd_special ids = rd_vocab_special(v);
    assert_int_equal(ids.unk, 1);
    assert_int_equal(ids.bos, 2);
    assert_int_equal(ids.eos, 3);
    check_ids(v, "\xEF\xBF\xBD||\n|a|b|");
}

static void check_encoded(const rd_vocab *v, const char *text, const int32_t *expected, size_t n)
{
    int32_t ids[64];
    size_t used = 0;
    rd_error err = {0};
    if (rd_vocab_encode(v, text, strlen(text), ids, &used, &err) != RD_OK) fail_msg("%s", err.text);
    assert_int_equal(used, n);
    assert_memory_equal(ids, expected, n * sizeof(*ids));
}

static void test_what_is_lacking_is_unk(void **state)
{
    (void)state;
    const int32_t chars[] = {2, 1, 3}, words[] = {2, 1, 1, 3};
    rd_vocab *v = fit((rd_vocab_options){.level = RD_CHAR, .unk = true}, "ab");
    check_encoded(v, "a\u00e9b", chars, 3);
    rd_vocab_release(v);
    v = fit((rd_vocab_options){.level = RD_WORD, .unk = true}, "it it is");
    check_encoded(v, "it was <unk> is", words, 4); /* the name of an id is its word */
    rd_vocab_release(v);
}

static void test_words_lacking_without_unk_are_named(void **state)
{
    (void)state;
    rd_error err;
    int32_t ids[8];
    size_t n;
    rd_vocab *v = fit((rd_vocab_options){.level = RD_WORD}, "it is");
    assert_int_equal(rd_vocab_encode(v, "it  was", 7, ids, &n, &err), RD_E_ARG);
    assert_string_equal(err.text, "word 'was' at position 2 is not in the vocabulary");
    assert_int_equal(rd_vocab_encode(v, "it\n", 3, ids, &n, &err), RD_E_ARG);
    assert_string_equal(err.text, "word '\\n' at position 2 is not in the vocabulary");
    rd_vocab_release(v);
}

static void test_the_line_feed_is_a_word_or_eos(void **state)
{
    (void)state;
    const int32_t word[] = {1, 1, 2}, eos[] = {1, 1, 2};
    rd_vocab *v = fit((rd_vocab_options){.level = RD_WORD}, "\n\na");
    check_encoded(v, " \n\n a", word, 3);
    rd_vocab_release(v);
    v = fit((rd_vocab_options){.level = RD_WORD, .eos = true}, "\n\na <eos>");
    assert_int_equal(rd_vocab_size(v), 2);
    check_encoded(v, "\n<eos> a", eos, 3);
    rd_vocab_release(v);
}

static void test_letters_are_made_small(void **state)
{
    (void)state;
    check_ids(fit((rd_vocab_options){.level = RD_WORD, .lowercase = true}, "\u00c9A \u00e9a B"),
              "\u00e9a|b|");
    check_ids(fit((rd_vocab_options){.level = RD_CHAR, .lowercase = true}, "\u00c9Aa"),
              "a|\u00e9|");
    check_ids(fit((rd_vocab_options){.level = RD_BYTE, .lowercase = true}, "BbA"), "a|b|");
}

static void test_capitals_are_read_as_small_letters(void **state)
{
    (void)state;
    const int32_t ids[] = {1, 1}, pieces[] = {257};
    rd_vocab *v = fit((rd_vocab_options){.level = RD_CHAR, .lowercase = true}, "a");
    check_encoded(v, "aA", ids, 2);
    rd_vocab_release(v);
    v = fit((rd_vocab_options){.level = RD_BPE, .lowercase = true, .max_size = 257}, "AB\nab");
    check_encoded(v, "Ab", pieces, 1);
    rd_vocab_release(v);
}

/* Tokenised text, joined again. */
static void check_joined(rd_vocab *v, const char *text, const char *expected)
{
    int32_t ids[64];
    size_t n, used = 0;
    char got[256];
    assert_int_equal(rd_vocab_encode(v, text, strlen(text), ids, &n, NULL), RD_OK);
    for (size_t i = 0; i < n; i++) {
        char own[4];
        size_t bytes;
        const char *word = rd_vocab_decode(v, ids[i], own, &bytes);
        used += (size_t)snprintf(got + used, sizeof(got) - used, "%s%.*s",
                                 i > 0 && rd_vocab_space(v, ids[i - 1], ids[i]) ? " " : "",
                                 (int)bytes, word);
    }
    assert_string_equal(got, expected);
    rd_vocab_release(v);
}

/* As C's strings end with one, it might be taken for any mark. */
static void test_a_nul_is_a_word_without_rules_of_its_own(void **state)
{
    (void)state;
    static const char text[] = "a \0 b\n";
    int32_t ids[4];
    size_t n;
    for (int punctuation = 0; punctuation < 2; punctuation++) {
        const rd_vocab_options how = {.level = RD_WORD, .punctuation = punctuation};
        rd_vocab *v = NULL;
        assert_int_equal(rd_vocab_new_words(&how, "a\n\0\nb\n\n", 7, &v, NULL), RD_OK);
        assert_int_equal(rd_vocab_encode(v, text, sizeof text - 1, ids, &n, NULL), RD_OK);
        assert_int_equal(n, 4);
        assert_true(rd_vocab_space(v, ids[0], ids[1]));
        assert_true(rd_vocab_space(v, ids[1], ids[2]));
        assert_false(rd_vocab_space(v, ids[2], ids[3]));
        rd_vocab_release(v);
    }
}

static void test_words_are_joined_by_spaces(void **state)
{
    (void)state;
    const char *tokenised = "It was , he said .\n\nSo ?\n",
               *plain = "It was (so he said).\n[3.5 %]\n";
    check_joined(fit((rd_vocab_options){.level = RD_WORD}, tokenised), tokenised, tokenised);
    check_joined(fit((rd_vocab_options){.level = RD_WORD, .punctuation = true}, plain), plain,
                 "It was (so he said).\n[3.5%]\n");
}

static void check_nothing(rd_vocab_options how, const char *text, const char *message)
{
    rd_error err;
    rd_vocab_fit *f = NULL;
    rd_vocab *v = NULL;
    assert_int_equal(rd_vocab_fit_new(&how, &f, NULL), RD_OK);
    assert_int_equal(rd_vocab_fit_add(f, text, strlen(text), NULL), RD_OK);
    assert_int_equal(rd_vocab_fit_end(f, &v, &err), RD_E_ARG);
    assert_string_equal(err.text, message);
    rd_vocab_fit_free(f);
}

static void test_text_without_symbols_is_refused(void **state)
{
    (void)state;
    check_nothing((rd_vocab_options){.level = RD_WORD}, "  ",
                  "vocabulary: there is no text to take symbols from");
    check_nothing((rd_vocab_options){.level = RD_CHAR, .min_count = 3}, "aab",
                  "vocabulary: no symbol occurs min_count (3) times");
}

static void test_text_that_is_not_utf8_is_refused(void **state)
{
    (void)state;
    rd_error err;
    rd_vocab_fit *f = NULL;
    assert_int_equal(rd_vocab_fit_new(&by_char, &f, NULL), RD_OK);
    assert_int_equal(rd_vocab_fit_add(f, "a\xFF", 2, &err), RD_E_ARG);
    assert_string_equal(err.text, "the text is not UTF-8: byte 0xFF at offset 1");
    rd_vocab_fit_free(f);
}

static void check_word_list(const char *words, const char *message)
{
    rd_error err;
    rd_vocab *v = NULL;
    const rd_vocab_options how = {.level = RD_WORD};
    assert_int_equal(rd_vocab_new_words(&how, words, strlen(words), &v, &err), RD_E_ARG);
    assert_string_equal(err.text, message);
    assert_null(v);
}

static void test_word_lists_that_are_none_are_refused(void **state)
{
    (void)state;
    check_word_list("a\nb", "vocabulary: its last word is not ended");
    check_word_list("a\nb\na\n", "vocabulary: words 1 and 3 are the same");
    check_word_list("", "vocabulary: it must have at least one symbol");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_come_by_count_then_by_bytes),
        cmocka_unit_test(test_rare_and_surplus_words_get_no_id),
        cmocka_unit_test(test_names_of_special_ids_are_not_counted),
        cmocka_unit_test(test_rare_and_surplus_characters_get_no_id),
        cmocka_unit_test(test_special_ids_come_first),
        cmocka_unit_test(test_what_is_lacking_is_unk),
        cmocka_unit_test(test_words_lacking_without_unk_are_named),
        cmocka_unit_test(test_the_line_feed_is_a_word_or_eos),
        cmocka_unit_test(test_letters_are_made_small),
        cmocka_unit_test(test_capitals_are_read_as_small_letters),
        cmocka_unit_test(test_words_are_joined_by_spaces),
        cmocka_unit_test(test_a_nul_is_a_word_without_rules_of_its_own),
        cmocka_unit_test(test_text_without_symbols_is_refused),
        cmocka_unit_test(test_text_that_is_not_utf8_is_refused),
        cmocka_unit_test(test_word_lists_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
