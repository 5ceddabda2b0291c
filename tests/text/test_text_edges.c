/* test_text_edges.c - texts at their edges: pieces inside chunks, ranges beyond the end, wrong vocabularies.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"
#include "text/texts.h"

enum { LONG = 6000 };

/* Words of letters, none of them merged often, so that chunks are many pieces. */
static const char *long_text(void)
{
    static char text[LONG + 1];
    uint32_t random = 7;
    for (size_t i = 0; i < LONG; i++) {
        random = random * 1664525U + 1013904223U; /* Numerical Recipes' generator */
        text[i] = "abcdefghijklm nopqrstuvwxy \n0."[(random >> 24) % 30];
    }
    return text;
}

/* ---- pieces ---- */

static rd_vocab *bpe_of(const rd_text *t, uint64_t size)
{
    return vocab_of(t, &(rd_vocab_options){.level = RD_BPE, .max_size = size});
}

/* Positions inside chunks too, which the index names by a chunk and a number. */
static void test_every_piece_is_found_from_everywhere(void **state)
{
    static int32_t whole[LONG];
    rd_error err;
    rd_text *t = open_text(*state, RD_BPE, long_text(), LONG);
    rd_vocab *v = bpe_of(t, 270);
    OK(rd_text_use(t, v, &err));
    const uint64_t n = rd_text_length(t);
    assert_true(n > 20 * 128 && n < LONG);
    OK(rd_text_ids(t, v, 0, (size_t)n, whole, &err));
    for (uint64_t from = 0; from < n; from += 3) {
        int32_t id = 0;
        OK(rd_text_ids(t, v, from, 1, &id, &err));
        if (id != whole[from]) fail_msg("at %d", (int)from);
    }
    rd_vocab_release(v);
    rd_text_free(t);
}

/* The offset of a piece is that of its chunk; between chunks a text may be cut. */
static void test_offsets_of_pieces_are_those_of_chunks(void **state)
{
    rd_error err;
    const char text[] = "ab cd\nefg";
    rd_text *t = open_text(*state, RD_BPE, text, sizeof(text) - 1);
    rd_vocab *v = bpe_of(t, 256);
    OK(rd_text_use(t, v, &err));
    const uint64_t expected[] = {0, 0, 2, 2, 2, 5, 6, 6, 6, 9};
    for (uint64_t i = 0; i < 10; i++) assert_int_equal(rd_text_offset(t, i), expected[i]);
    assert_int_equal(rd_text_border(t, 0), 0);
    assert_int_equal(rd_text_border(t, 1), 2);
    assert_int_equal(rd_text_border(t, 3), 5);
    assert_int_equal(rd_text_border(t, 7), 9);
    assert_int_equal(rd_text_border(t, 100), 9);
    assert_int_equal(rd_text_count(t, 2), 2);
    rd_vocab_release(v);
    rd_text_free(t);
}

static void test_a_text_is_numbered_anew_by_another_vocabulary(void **state)
{
    rd_error err;
    char expected[256];
    uint64_t lacking;
    rd_text *t = open_text(*state, RD_BPE, "aaaa aaaa aaaa", 14);
    rd_vocab *few = bpe_of(t, 256), *more = bpe_of(t, 258);
    OK(rd_text_use(t, few, &err));
    assert_int_equal(rd_text_length(t), 14);
    OK(rd_text_use(t, more, &err));
    assert_true(rd_text_length(t) < 14);
    OK(rd_text_use(t, more, &err)); /* again: nothing to do */
    snprintf(expected, sizeof(expected), "'%s' is numbered by another vocabulary",
             ((scratch *)*state)->path);
    test_fails(rd_text_lacking(t, few, 0, 1, &lacking, &err), &err, expected);
    rd_vocab_release(few);
    rd_vocab_release(more);
    rd_text_free(t);
}

static void test_a_vocabulary_of_another_kind_is_refused(void **state)
{
    rd_error err;
    char expected[256];
    const rd_vocab_options words = {.level = RD_WORD, .punctuation = true};
    rd_text *t = open_text(*state, RD_WORD, "a, b", 4);
    rd_vocab *v = vocab_of(t, &words);
    snprintf(expected, sizeof(expected),
             "'%s' is read without punctuation split off, the vocabulary is of words with it split "
             "off",
             ((scratch *)*state)->path);
    test_fails(rd_text_use(t, v, &err), &err, expected);
    rd_text_free(t);
    OK(rd_text_open(((scratch *)*state)->path, &words, &t, &err));
    rd_vocab *plain = vocab_of(t, &(rd_vocab_options){.level = RD_WORD});
    snprintf(expected, sizeof(expected),
             "'%s' is read with punctuation split off, the vocabulary is of words without it split "
             "off",
             ((scratch *)*state)->path);
    test_fails(rd_text_use(t, plain, &err), &err, expected);
    OK(rd_text_use(t, v, &err));
    rd_vocab_release(v);
    rd_vocab_release(plain);
    rd_text_free(t);
}

/* ---- ranges ---- */

static void test_ranges_beyond_the_end_are_what_is_there(void **state)
{
    rd_error err;
    rd_vocab_fit *f = NULL;
    rd_vocab *v = NULL;
    rd_text *t = open_text(*state, RD_CHAR, "a\xC3\xA9z", 4);
    assert_int_equal(rd_text_characters(t, 0, 100), 3);
    assert_int_equal(rd_text_characters(t, 3, 2), 0);
    OK(rd_vocab_fit_new(&by_char, &f, &err));
    OK(rd_text_fit(t, 3, 100, f, &err));
    OK(rd_text_fit(t, 100, 200, f, &err)); /* nothing */
    OK(rd_vocab_fit_end(f, &v, &err));
    assert_int_equal(rd_vocab_size(v), 1);
    rd_vocab_release(v);
    rd_vocab_fit_free(f);
    rd_text_free(t);
}

static void test_characters_of_bytes_are_bytes(void **state)
{
    rd_text *t = open_text(*state, RD_BYTE, "a\xC3\xA9z", 4);
    assert_int_equal(rd_text_characters(t, 1, 100), 3);
    assert_int_equal(rd_text_characters(t, 3, 2), 0);
    assert_int_equal(rd_text_border(t, 2), 2);
    rd_text_free(t);
}

static void test_what_a_vocabulary_lacks_is_counted(void **state)
{
    rd_error err;
    uint64_t lacking = 9;
    const uint32_t symbols[] = {'a'};
    rd_vocab *v = NULL, *with_unk = NULL;
    rd_text *t = open_text(*state, RD_CHAR, "abca", 4);
    OK(rd_vocab_new(&by_char, symbols, 1, &v, &err));
    OK(rd_vocab_new(&(rd_vocab_options){.level = RD_CHAR, .unk = true}, symbols, 1, &with_unk,
                    &err));
    OK(rd_text_lacking(t, v, 0, 4, &lacking, &err));
    assert_int_equal(lacking, 2);
    OK(rd_text_lacking(t, with_unk, 1, 3, &lacking, &err));
    assert_int_equal(lacking, 2);
    OK(rd_text_lacking(t, v, 4, 0, &lacking, &err));
    assert_int_equal(lacking, 0);
    assert_int_equal(rd_text_lacking(t, v, 2, 3, &lacking, &err), RD_E_ARG);
    rd_vocab_release(v);
    rd_vocab_release(with_unk);
    rd_text_free(t);
}

/* As `xxhsum -H2` prints it; places count from behind a byte order mark. */
static void test_the_digest_of_a_text_is_of_its_bytes(void **state)
{
    rd_error err;
    char digest[33];
    rd_text *t = open_text(*state, RD_CHAR,
                           "\xEF\xBB\xBF"
                           "abc",
                           6);
    OK(rd_text_digest(t, 0, 3, digest, &err));
    assert_string_equal(digest, "06b05ab6733a618578af5f94892f3950");
    OK(rd_text_digest(t, 2, 2, digest, &err));
    assert_string_equal(digest, "99aa06d3014798d86001c324468d497f");
    rd_text_free(t);
}

static void test_a_text_that_shrank_is_not_counted(void **state)
{
    rd_error err;
    rd_vocab_fit *f = NULL;
    char expected[256], digest[33];
    rd_text *t = open_text(*state, RD_CHAR, "abc", 3);
    OK(rd_vocab_fit_new(&by_char, &f, &err));
    assert_int_equal(truncate(((scratch *)*state)->path, 1), 0);
    snprintf(expected, sizeof(expected), "'%s' shrank while it was in use",
             ((scratch *)*state)->path);
    test_fails(rd_text_fit(t, 0, 3, f, &err), &err, expected);
    test_fails(rd_text_digest(t, 0, 3, digest, &err), &err, expected);
    rd_vocab_fit_free(f);
    rd_text_free(t);
}

static void test_words_that_are_not_utf8_are_located(void **state)
{
    rd_error err;
    rd_text *t = NULL;
    char expected[256];
    const char *path = scratch_write(*state, "a", "one\n\xFF", 5);
    snprintf(expected, sizeof(expected),
             "'%s' is not UTF-8: byte 0xFF at offset 4 (line 2); level 'byte' (--level byte) reads "
             "any file",
             path);
    test_fails(rd_text_open(path, &(rd_vocab_options){.level = RD_WORD}, &t, &err), &err, expected);
    assert_null(t);
}

/* ---- batches ---- */

static void batch_of(scratch *s, rd_core *core, uint32_t ndim, const size_t *shape,
                     const char *sentence)
{
    rd_error err;
    const uint64_t first[1] = {0};
    rd_tensor *x = NULL;
    rd_text *t = open_text(s, RD_CHAR, "abcdef", 6);
    rd_vocab *v = vocab_of(t, &by_char);
    OK(rd_tensor_new(core, ndim, shape, RD_DENSE, &x, &err));
    const rd_status status = rd_text_batch(t, v, first, x, &err);
    if (sentence)
        test_fails(status, &err, sentence);
    else
        test_ok(status, &err);
    RELEASE(x);
    rd_vocab_release(v);
    rd_text_free(t);
}

static void test_a_batch_has_rows_and_steps(void **state)
{
    rd_error err;
    rd_core *core = NULL;
    OK(rd_core_open(&(rd_core_options){.threads = 1}, &core, &err));
    batch_of(*state, core, SHAPE(6), "a batch of text is (batch, time), not of 1 dimensions");
    batch_of(*state, core, SHAPE(1, 0), NULL); /* nothing to fill */
    batch_of(*state, core, SHAPE(0, 3), NULL);
    rd_core_release(core);
}

static void test_a_batch_is_not_written_over_a_parameter(void **state)
{
    rd_error err;
    rd_core *core = NULL;
    rd_tensor *x = NULL;
    const uint64_t first[1] = {0};
    rd_text *t = open_text(*state, RD_CHAR, "abcdef", 6);
    rd_vocab *v = vocab_of(t, &by_char);
    OK(rd_core_open(&(rd_core_options){.threads = 1}, &core, &err));
    OK(rd_tensor_new(core, SHAPE(1, 3), RD_DENSE, &x, &err));
    OK(rd_set_requires_grad(x, true, &err));
    assert_int_not_equal(rd_text_batch(t, v, first, x, &err), RD_OK);
    RELEASE(x);
    rd_core_release(core);
    rd_vocab_release(v);
    rd_text_free(t);
}

/* ---- words and their ids ---- */

static void check_ids(const rd_vocab *v, const char *text, size_t n, const int32_t *expected)
{
    rd_error err;
    int32_t ids[16];
    size_t used = 0;
    OK(rd_vocab_encode(v, text, strlen(text), ids, &used, &err));
    assert_int_equal(used, n);
    assert_memory_equal(ids, expected, n * sizeof(*ids));
}

static void test_names_of_special_ids_are_their_words(void **state)
{
    (void)state;
    rd_error err;
    rd_vocab *all = NULL, *one = NULL;
    const rd_vocab_options how = {
        .level = RD_WORD, .lowercase = true, .unk = true, .bos = true, .eos = true};
    OK(rd_vocab_new_words(&how, "the\ncat\n", 8, &all, &err));
    OK(rd_vocab_new_words(&(rd_vocab_options){.level = RD_WORD, .unk = true}, "the\n", 4, &one,
                          &err));
    check_ids(all, "<bos> The <eos> CAT <unk> <xyz> \n", 7, (int32_t[]){2, 4, 3, 5, 1, 1, 3});
    check_ids(one, "<bos> the <eos> <unk>", 4, (int32_t[]){1, 2, 1, 1});
    assert_int_equal(rd_vocab_words(all), 2);
    size_t n;
    assert_memory_equal(rd_vocab_word(all, 1, &n), "cat", 3);
    assert_int_equal(n, 3);
    rd_vocab_symbols(all, &n);
    assert_int_equal(n, 0);
    rd_vocab_release(all);
    rd_vocab_release(one);
}

static void test_bytes_may_be_read_as_small_letters(void **state)
{
    (void)state;
    rd_error err;
    rd_vocab *v = NULL;
    const uint32_t symbols[] = {'a', 'b', 0xC3};
    OK(rd_vocab_new(&(rd_vocab_options){.level = RD_BYTE, .lowercase = true}, symbols, 3, &v,
                    &err));
    check_ids(v, "aBA\xC3", 4, (int32_t[]){1, 2, 1, 3});
    rd_vocab_release(v);
}

static void test_spaces_stand_between_words_alone(void **state)
{
    (void)state;
    rd_error err;
    rd_vocab *v = NULL, *bytes = NULL;
    const uint32_t symbols[] = {'a', 'b'};
    const rd_vocab_options how = {.level = RD_WORD, .punctuation = true, .bos = true};
    OK(rd_vocab_new_words(&how, "a\n\n,\n(\n", 7, &v, &err)); /* <bos> a feed , ( */
    OK(rd_vocab_new(&by_byte, symbols, 2, &bytes, &err));
    assert_true(rd_vocab_space(v, 2, 2) && rd_vocab_space(v, 4, 2) && rd_vocab_space(v, 2, 5));
    assert_false(rd_vocab_space(v, 2, 4) || rd_vocab_space(v, 5, 2));
    assert_false(rd_vocab_space(v, 1, 2) || rd_vocab_space(v, 2, 1));
    assert_false(rd_vocab_space(v, 0, 2) || rd_vocab_space(v, 2, 0));
    assert_false(rd_vocab_space(v, 3, 2) || rd_vocab_space(v, 2, 3));
    assert_false(rd_vocab_space(bytes, 1, 2));
    rd_vocab_release(v);
    rd_vocab_release(bytes);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_piece_is_found_from_everywhere),
        TEST(test_offsets_of_pieces_are_those_of_chunks),
        TEST(test_a_text_is_numbered_anew_by_another_vocabulary),
        TEST(test_a_vocabulary_of_another_kind_is_refused),
        TEST(test_ranges_beyond_the_end_are_what_is_there),
        TEST(test_characters_of_bytes_are_bytes),
        TEST(test_what_a_vocabulary_lacks_is_counted),
        TEST(test_the_digest_of_a_text_is_of_its_bytes),
        TEST(test_a_text_that_shrank_is_not_counted),
        TEST(test_words_that_are_not_utf8_are_located),
        TEST(test_a_batch_has_rows_and_steps),
        TEST(test_a_batch_is_not_written_over_a_parameter),
        TEST(test_names_of_special_ids_are_their_words),
        TEST(test_bytes_may_be_read_as_small_letters),
        TEST(test_spaces_stand_between_words_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
