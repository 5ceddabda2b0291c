/* test_bpe.c - which pairs are merged, how merges are applied, and that every text comes back.
 * SPDX-License-Identifier: MIT */
#include "rondo.h"
#include "text/texts.h"

#include <time.h>

static rd_vocab *learn(const char *text, size_t n, uint64_t max_size)
{
    rd_error err = {0};
    rd_vocab_fit *f = NULL;
    rd_vocab *v = NULL;
    rd_status status =
        rd_vocab_fit_new(&(rd_vocab_options){.level = RD_BPE, .max_size = max_size}, &f, &err);
    if (status == RD_OK) status = rd_vocab_fit_add(f, text, n, &err);
    if (status == RD_OK) status = rd_vocab_fit_end(f, &v, &err);
    rd_vocab_fit_free(f);
    if (status != RD_OK) fail_msg("%s", err.text);
    return v;
}

/* By hand: chunks aab, " aab", " ab". Pairs: ab 3, aa 2, " a" 2. First ab = 256; then a 256 twice (aa
 * is gone), " a" once and " 256" once: a 256 = 257. What is left comes once. */
static void test_the_most_frequent_pair_is_merged_first(void **state)
{
    (void)state;
    rd_vocab *v = learn("aab aab ab", 10, 300);
    size_t n;
    const int32_t *pairs = rd_vocab_merges(v, &n);
    const int32_t expected[] = {'a', 'b', 'a', 256};
    assert_int_equal(n, 2);
    assert_memory_equal(pairs, expected, sizeof(expected));
    rd_vocab_release(v);
}

/* Equal counts: the smaller left symbol, then the smaller right one. */
static void test_equal_pairs_are_merged_in_order_of_symbols(void **state)
{
    (void)state;
    rd_vocab *v = learn("xc\nxb\nab\nxc\nxb\nab\n", 18, 259);
    size_t n;
    const int32_t *pairs = rd_vocab_merges(v, &n);
    const int32_t expected[] = {'a', 'b', 'x', 'b', 'x', 'c'};
    assert_int_equal(n, 3);
    assert_memory_equal(pairs, expected, sizeof(expected));
    rd_vocab_release(v);
}

/* "aaaa" twice: aa = 256 (from left to right: 256 256), then 256 256 = 257. */
static void test_runs_are_merged_from_the_left(void **state)
{
    (void)state;
    rd_vocab *v = learn("aaaa\naaaa\n", 10, 300);
    int32_t ids[5];
    const int32_t expected[] = {258, 'a' + 1}; /* ids are symbols + 1 */
    size_t n;
    assert_int_equal(rd_vocab_encode(v, "aaaaa", 5, ids, &n, NULL), RD_OK);
    assert_int_equal(n, 2);
    assert_memory_equal(ids, expected, sizeof(expected));
    rd_vocab_release(v);
}

/* Counted again from scratch after every merge, as the paper has it (algorithm 1): the pairs must be the
 * same as those of the counts that are kept up to date. */
enum { CHUNKS = 300, LONGEST = 12, MERGES = 60 };

typedef struct plain { /* chunks as symbols */
    int32_t symbols[CHUNKS][LONGEST];
    size_t length[CHUNKS];
} plain;

static uint64_t count_pair(const plain *p, int32_t a, int32_t b)
{
    uint64_t count = 0;
    for (size_t i = 0; i < CHUNKS; i++)
        for (size_t j = 0; j + 1 < p->length[i]; j++)
            count += p->symbols[i][j] == a && p->symbols[i][j + 1] == b;
    return count;
}

static bool best_pair(const plain *p, int32_t *a, int32_t *b)
{
    uint64_t best = 1;
    for (size_t i = 0; i < CHUNKS; i++)
        for (size_t j = 0; j + 1 < p->length[i]; j++) {
            const int32_t x = p->symbols[i][j], y = p->symbols[i][j + 1];
            const uint64_t count = count_pair(p, x, y);
            if (count > best || (count == best && best > 1 && (x < *a || (x == *a && y < *b)))) {
                best = count;
                *a = x;
                *b = y;
            }
        }
    return best > 1;
}

static void merge_plain(plain *p, int32_t a, int32_t b, int32_t c)
{
    for (size_t i = 0; i < CHUNKS; i++) {
        size_t used = 0;
        for (size_t j = 0; j < p->length[i]; used++) {
            const bool both =
                j + 1 < p->length[i] && p->symbols[i][j] == a && p->symbols[i][j + 1] == b;
            p->symbols[i][used] = both ? c : p->symbols[i][j];
            j += both ? 2 : 1;
        }
        p->length[i] = used;
    }
}

/* Words of three letters at most and up to 12 long, so that pairs repeat and overlap. */
static size_t random_words(char *text, plain *p)
{
    uint32_t random = 7;
    size_t used = 0;
    for (size_t i = 0; i < CHUNKS; i++) {
        random = random * 1664525U + 1013904223U; /* Numerical Recipes' generator */
        p->length[i] = 1 + (random >> 16) % LONGEST;
        for (size_t j = 0; j < p->length[i]; j++) {
            random = random * 1664525U + 1013904223U;
            p->symbols[i][j] = 'a' + (int32_t)((random >> 24) % 3);
            text[used++] = (char)p->symbols[i][j];
        }
        text[used++] = '\n';
    }
    return used;
}

static void test_counts_kept_up_to_date_are_those_counted_anew(void **state)
{
    (void)state;
    static char text[CHUNKS * (LONGEST + 1)];
    static plain p;
    rd_vocab *v = learn(text, random_words(text, &p), 256 + MERGES);
    size_t n;
    const int32_t *pairs = rd_vocab_merges(v, &n);
    assert_int_equal(n, MERGES);
    for (int32_t i = 0; i < MERGES; i++) {
        int32_t a = 0, b = 0;
        if (!best_pair(&p, &a, &b)) fail_msg("no pair is left at merge %d", i);
        if (pairs[2 * i] != a || pairs[2 * i + 1] != b)
            fail_msg("merge %d: %d %d, not %d %d", i, pairs[2 * i], pairs[2 * i + 1], a, b);
        merge_plain(&p, a, b, 256 + i);
    }
    rd_vocab_release(v);
}

static void check_round_trip(const rd_vocab *v, const char *text, size_t n)
{
    int32_t *ids = malloc((n + 1) * sizeof(*ids));
    size_t used = 0, written = 0;
    assert_int_equal(rd_vocab_encode(v, text, n, ids, &used, NULL), RD_OK);
    for (size_t i = 0; i < used; i++) {
        char own[4];
        size_t bytes;
        const char *piece = rd_vocab_decode(v, ids[i], own, &bytes);
        if (bytes == 0 || written + bytes > n || memcmp(piece, text + written, bytes) != 0)
            fail_msg("id %d at byte %zu of %zu", ids[i], written, n);
        written += bytes;
    }
    assert_int_equal(written, n);
    free(ids);
}

/* Every text comes back, whatever the merges were learnt from: UTF-8, bytes, long runs, nothing. */
static void test_every_text_comes_back(void **state)
{
    (void)state;
    static uint32_t points[3000];
    static char utf8[12000], bytes[5000];
    const size_t n = mixed(points, 3000, utf8);
    uint32_t random = 3;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        random = random * 1664525U + 1013904223U;
        bytes[i] = i % 1000 < 400 ? ' ' : (char)(random >> (24 + i / 1000));
    }
    rd_vocab *v = learn(utf8, n, 1000);
    check_round_trip(v, "", 0);
    check_round_trip(v, utf8, n);
    check_round_trip(v, bytes, sizeof(bytes));
    rd_vocab_release(v);
    v = learn(bytes, sizeof(bytes), 600);
    check_round_trip(v, bytes, sizeof(bytes));
    check_round_trip(v, utf8, n);
    rd_vocab_release(v);
}

static void check_merges(const int32_t *pairs, size_t n, const char *message)
{
    rd_error err;
    rd_vocab *v = NULL;
    assert_int_equal(rd_vocab_new_bpe(&(rd_vocab_options){.level = RD_BPE}, pairs, n, &v, &err),
                     RD_E_ARG);
    assert_string_equal(err.text, message);
    assert_null(v);
}

static void test_merges_that_are_none_are_refused(void **state)
{
    (void)state;
    const int32_t later[] = {256, 'a'}, twice[] = {'a', 'b', 'a', 'b'};
    int32_t doubling[16] = {'a', 'a'};
    for (int32_t i = 1; i < 8; i++) doubling[2 * i] = doubling[2 * i + 1] = 255 + i;
    check_merges(later, 1,
                 "vocabulary: merge 1 joins symbols 256 and 97, of which not both are there");
    check_merges(twice, 2, "vocabulary: merges 1 and 2 join the same pair");
    check_merges(NULL, 9000000, "vocabulary: 9000000 merges are too many");
    check_merges(doubling, 8, "vocabulary: merge 8 makes a symbol of 256 bytes, over 128");
}

static void check_options(const rd_vocab_options *how, const char *message)
{
    rd_error err;
    rd_vocab_fit *f = NULL;
    assert_int_equal(rd_vocab_fit_new(how, &f, &err), RD_E_ARG);
    assert_string_equal(err.text, message);
    assert_null(f);
}

static void test_sizes_that_are_too_small_are_refused(void **state)
{
    (void)state;
    check_options(&(rd_vocab_options){.level = RD_BPE},
                  "vocabulary: level bpe needs a vocab_size, at least 256");
    check_options(
        &(rd_vocab_options){.level = RD_BPE, .eos = true, .max_size = 256},
        "vocabulary: its size must be at least 257 (256 bytes and the special ids), got 256");
    check_options(&(rd_vocab_options){.level = RD_CHAR, .unk = true, .max_size = 1},
                  "vocabulary: its size must be at least 2, got 1");
    check_options(&(rd_vocab_options){.level = RD_CHAR, .max_size = 8388608},
                  "vocabulary: its size must be at most 8388607, got 8388608");
}

/* 2,000 merges of words that hardly repeat, which is the slow case (a book of 4 MB takes 0.1 s). It takes
 * 0.3 s; the machine may be busy and the build one for debugging. */
static void test_merges_are_learnt_quickly(void **state)
{
    (void)state;
    enum { BYTES = 300000 };
    char *text = malloc(BYTES);
    uint32_t random = 1;
    for (size_t i = 0; i < BYTES; i++) {
        random = random * 1664525U + 1013904223U;
        const uint32_t letter = (random >> 16) % 32;
        text[i] = letter > 25 ? ' ' : (char)('a' + letter * letter / 26);
    }
    struct timespec a, z;
    clock_gettime(CLOCK_MONOTONIC, &a);
    rd_vocab *v = learn(text, BYTES, 2256);
    clock_gettime(CLOCK_MONOTONIC, &z);
    const double seconds = (double)(z.tv_sec - a.tv_sec) + 1e-9 * (double)(z.tv_nsec - a.tv_nsec);
    print_message("2,000 merges of 300 KB of random words: %.2f s\n", seconds);
    assert_int_equal(rd_vocab_size(v), 2256);
    assert_true(seconds < 20);
    rd_vocab_release(v);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_most_frequent_pair_is_merged_first),
        cmocka_unit_test(test_equal_pairs_are_merged_in_order_of_symbols),
        cmocka_unit_test(test_runs_are_merged_from_the_left),
        cmocka_unit_test(test_counts_kept_up_to_date_are_those_counted_anew),
        cmocka_unit_test(test_every_text_comes_back),
        cmocka_unit_test(test_merges_that_are_none_are_refused),
        cmocka_unit_test(test_sizes_that_are_too_small_are_refused),
        cmocka_unit_test(test_merges_are_learnt_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
