/* test_text_levels.c - texts of words and of byte pairs: every symbol is found from everywhere, and bytes and
 * symbols lead to each other.
 * SPDX-License-Identifier: MIT */
#include "text/texts.h"

static const rd_vocab_options words = {.level = RD_WORD, .punctuation = true};
static const rd_vocab_options pieces = {.level = RD_BPE, .max_size = 320};

/* Words of several lengths, in lines, with characters of several bytes. */
static size_t write_words(char *text, size_t n)
{
    static const char *const some[] = {"the ",   "caf\u00e9 ", "don't, ", "\n",
                                       "  (x) ", "aaaaaaa ",   "3.5 "};
    uint32_t random = 5;
    size_t used = 0;
    while (used + 16 < n) {
        random = random * 1664525U + 1013904223U; /* Numerical Recipes' generator */
        const char *word = some[(random >> 16) % 7];
        memcpy(text + used, word, strlen(word));
        used += strlen(word);
    }
    return used;
}

enum { BYTES = 20000 };

typedef struct fixture {
    rd_text *t;
    rd_vocab *v;
    int32_t *ids; /* of the whole, as rd_vocab_encode has them */
    size_t n;
} fixture;

static fixture open_level(scratch *s, const rd_vocab_options *how)
{
    static char bytes[BYTES];
    fixture f = {0};
    const size_t n = write_words(bytes, BYTES);
    const char *path = scratch_write(s, "text.txt", bytes, n);
    assert_int_equal(rd_text_open(path, how, &f.t, NULL), RD_OK);
    f.v = vocab_of(f.t, how);
    assert_int_equal(rd_text_use(f.t, f.v, NULL), RD_OK);
    f.ids = malloc(n * sizeof(*f.ids));
    assert_int_equal(rd_vocab_encode(f.v, bytes, n, f.ids, &f.n, NULL), RD_OK);
    return f;
}

static void close_level(fixture *f)
{
    rd_vocab_release(f->v);
    rd_text_free(f->t);
    free(f->ids);
}

static void check_everywhere(scratch *s, const rd_vocab_options *how)
{
    fixture f = open_level(s, how);
    assert_int_equal(rd_text_length(f.t), f.n);
    for (uint64_t from = 0; from + 3 <= f.n; from++) {
        int32_t ids[3] = {0};
        assert_int_equal(rd_text_ids(f.t, f.v, from, 3, ids, NULL), RD_OK);
        if (memcmp(ids, f.ids + from, sizeof(ids)) != 0) fail_msg("at %d", (int)from);
    }
    close_level(&f);
}

static void test_every_word_is_found(void **state)
{
    check_everywhere(*state, &words);
}

static void test_every_piece_is_found(void **state)
{
    check_everywhere(*state, &pieces);
}

/* The symbols before an offset are those whose offset is smaller. */
static void check_offsets(scratch *s, const rd_vocab_options *how)
{
    fixture f = open_level(s, how);
    uint64_t before = 0;
    for (uint64_t i = 0; i < f.n; i += 7) {
        const uint64_t offset = rd_text_offset(f.t, i), count = rd_text_count(f.t, offset);
        if (offset < before || count > i) fail_msg("symbol %d: %d", (int)i, (int)offset);
        if (rd_text_offset(f.t, count) != offset) fail_msg("symbol %d", (int)i);
        before = offset;
    }
    assert_int_equal(rd_text_offset(f.t, f.n), rd_text_bytes(f.t));
    assert_int_equal(rd_text_count(f.t, rd_text_bytes(f.t)), f.n);
    close_level(&f);
}

static void test_words_and_offsets_lead_to_each_other(void **state)
{
    check_offsets(*state, &words);
}

static void test_pieces_and_offsets_lead_to_each_other(void **state)
{
    check_offsets(*state, &pieces);
}

/* Cut at a border, both parts have the symbols of the whole. */
static void test_a_border_cuts_no_piece(void **state)
{
    fixture f = open_level(*state, &pieces);
    for (uint64_t offset = 0; offset < rd_text_bytes(f.t); offset += 37) {
        const uint64_t cut = rd_text_border(f.t, offset);
        const uint64_t n = rd_text_count(f.t, cut);
        if (cut < offset || rd_text_offset(f.t, n) != cut) fail_msg("at %d", (int)offset);
    }
    assert_int_equal(rd_text_border(f.t, rd_text_bytes(f.t) + 5), rd_text_bytes(f.t));
    close_level(&f);
}

static void test_lacking_words_are_counted(void **state)
{
    rd_text *t = NULL;
    uint64_t lacking = 9;
    const char *path = scratch_write(*state, "t", "a b c a d", 9);
    const rd_vocab_options how = {.level = RD_WORD, .unk = true, .max_size = 2};
    assert_int_equal(rd_text_open(path, &how, &t, NULL), RD_OK);
    rd_vocab *v = vocab_of(t, &how); /* <unk> a */
    assert_int_equal(rd_text_lacking(t, v, 0, 5, &lacking, NULL), RD_OK);
    assert_int_equal(lacking, 3);
    assert_int_equal(rd_text_lacking(t, v, 3, 1, &lacking, NULL), RD_OK);
    assert_int_equal(lacking, 0);
    rd_vocab_release(v);
    rd_text_free(t);
}

static void test_characters_are_counted(void **state)
{
    rd_text *t = open_text(*state, RD_CHAR, "a\u00e9\u20acb", 7);
    assert_int_equal(rd_text_characters(t, 0, 7), 4);
    assert_int_equal(rd_text_characters(t, 1, 6), 2);
    rd_text_free(t);
    t = open_text(*state, RD_BYTE, "a\u00e9", 3);
    assert_int_equal(rd_text_characters(t, 0, 9), 3);
    rd_text_free(t);
}

static void test_words_split_otherwise_are_refused(void **state)
{
    rd_text *t = NULL;
    rd_error err;
    int32_t id;
    char expected[512];
    const rd_vocab_options plain = {.level = RD_WORD};
    const char *path = scratch_write(*state, "t", "a, b", 4);
    assert_int_equal(rd_text_open(path, &plain, &t, NULL), RD_OK);
    rd_vocab *v = vocab_of(t, &words);
    snprintf(
        expected, sizeof(expected),
        "'%s' is read without punctuation split off, the vocabulary is of words with it split off",
        path);
    assert_int_equal(rd_text_ids(t, v, 0, 1, &id, &err), RD_E_ARG);
    assert_string_equal(err.text, expected);
    rd_vocab_release(v);
    rd_text_free(t);
}

static void test_pieces_of_another_vocabulary_are_refused(void **state)
{
    rd_error err;
    int32_t id;
    fixture f = open_level(*state, &pieces);
    rd_vocab *other = vocab_of(f.t, &pieces);
    assert_int_equal(rd_text_ids(f.t, other, 0, 1, &id, &err), RD_E_ARG);
    assert_non_null(strstr(err.text, "is numbered by another vocabulary"));
    rd_vocab_release(other);
    close_level(&f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_word_is_found),
        TEST(test_every_piece_is_found),
        TEST(test_words_and_offsets_lead_to_each_other),
        TEST(test_pieces_and_offsets_lead_to_each_other),
        TEST(test_a_border_cuts_no_piece),
        TEST(test_lacking_words_are_counted),
        TEST(test_characters_are_counted),
        TEST(test_words_split_otherwise_are_refused),
        TEST(test_pieces_of_another_vocabulary_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
