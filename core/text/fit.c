/* fit.c - counts texts and chooses which symbols get an id.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_IDS = 1 << 24 }; /* ids are numbers in a float tensor */

struct rd_vocab_fit {
    rd_vocab_options how;
    size_t special;  /* ids before those of symbols */
    uint64_t *count; /* BYTE, CHAR: by symbol; WORD, BPE: by number in words */
    size_t room;     /* places of count */
    size_t used;     /* BYTE, CHAR: places of count up to the last that is not 0 */
    rdc_words words; /* WORD: words; BPE: chunks */
};

static rd_status check_options(const rd_vocab_options *how, size_t special, rd_error *err)
{
    const size_t least = special + (how->level == RD_BPE ? RDC_BYTES : 1);
    if (how->level == RD_BPE && how->max_size == 0)
        return rdc_fail(err, RD_E_ARG, "vocabulary: level bpe needs a vocab_size, at least %zu",
                        least);
    if (how->max_size != 0 && how->max_size < least)
        return rdc_fail(err, RD_E_ARG, "vocabulary: its size must be at least %zu%s, got %llu",
                        least, how->level == RD_BPE ? " (256 bytes and the special ids)" : "",
                        (unsigned long long)how->max_size);
    if (how->max_size > INT32_MAX / (2 * RDC_CHUNK))
        return rdc_fail(err, RD_E_ARG, "vocabulary: its size must be at most %d, got %llu",
                        INT32_MAX / (2 * RDC_CHUNK), (unsigned long long)how->max_size);
    return RD_OK;
}

rd_status rd_vocab_fit_new(const rd_vocab_options *how, rd_vocab_fit **out, rd_error *err)
{
    const size_t special = (size_t)how->unk + how->bos + how->eos;
    RD_TRY(check_options(how, special, err));
    rd_vocab_fit *f = calloc(1, sizeof(*f));
    if (!f) return rdc_no_memory(err, sizeof(*f));
    f->how = *how;
    f->special = special;
    f->room = how->level == RD_BYTE ? RDC_BYTES : how->level == RD_CHAR ? RDC_CODE_POINTS : 1024;
    f->count = calloc(f->room, sizeof(*f->count)); /* untouched pages of it cost nothing */
    if (!f->count) {
        const size_t bytes = f->room * sizeof(*f->count);
        rd_vocab_fit_free(f);
        return rdc_no_memory(err, bytes);
    }
    *out = f;
    return RD_OK;
}

void rd_vocab_fit_free(rd_vocab_fit *f)
{
    if (!f) return;
    free(f->count);
    rdc_words_free(&f->words);
    free(f);
}

/* ---- counting ---- */

static void count_bytes(rd_vocab_fit *f, const unsigned char *at, const unsigned char *end)
{
    const bool lowercase = f->how.lowercase;
    f->used = RDC_BYTES;
    for (; at < end; at++) f->count[lowercase && *at < 0x80 ? rdc_lower_point(*at) : *at]++;
}

static rd_status count_chars(rd_vocab_fit *f, const unsigned char *at, const unsigned char *end,
                             rd_error *err)
{
    const unsigned char *const begin = at;
    while (at < end) {
        uint32_t point;
        const size_t taken = rdc_utf8_decode(at, (size_t)(end - at), &point);
        if (taken == 0)
            return rdc_fail(err, RD_E_ARG, "the text is not UTF-8: byte 0x%02X at offset %zu", *at,
                            (size_t)(at - begin));
        if (f->how.lowercase) point = rdc_lower_point(point);
        f->count[point]++;
        if (point >= f->used) f->used = (size_t)point + 1;
        at += taken;
    }
    return RD_OK;
}

static rd_status count_slice(rd_vocab_fit *f, rdc_slice slice, rd_error *err)
{
    unsigned char lower[RDC_CHUNK];
    uint32_t number;
    if (f->how.lowercase) {
        rdc_lower(slice.at, slice.n, lower);
        slice.at = lower;
    }
    RD_TRY(rdc_words_add(&f->words, slice.at, slice.n, &number, err));
    if (number >= f->room) {
        uint64_t *count = realloc(f->count, 2 * f->room * sizeof(*count));
        if (!count) return rdc_no_memory(err, 2 * f->room * sizeof(*count));
        memset(count + f->room, 0, f->room * sizeof(*count));
        f->count = count;
        f->room *= 2;
    }
    f->count[number]++;
    return RD_OK;
}

/* Words that are special ids are not counted. */
static bool is_special(const rd_vocab_options *how, rdc_slice word)
{
    if (word.n == 1) return how->eos && word.at[0] == '\n';
    if (word.n != 5 || word.at[0] != '<') return false;
    return (how->unk && memcmp(word.at, "<unk>", 5) == 0) ||
           (how->bos && memcmp(word.at, "<bos>", 5) == 0) ||
           (how->eos && memcmp(word.at, "<eos>", 5) == 0);
}

static rd_status count_slices(rd_vocab_fit *f, const unsigned char *at, const unsigned char *end,
                              rd_error *err)
{
    const bool words = f->how.level == RD_WORD;
    for (;;) {
        const rdc_slice slice =
            words ? rdc_next_word(at, end, f->how.punctuation) : rdc_next_chunk(at, end);
        if (slice.n == 0) return RD_OK;
        if (!words || !is_special(&f->how, slice)) RD_TRY(count_slice(f, slice, err));
        at = slice.at + slice.n;
    }
}

rd_status rd_vocab_fit_add(rd_vocab_fit *f, const char *text, size_t n, rd_error *err)
{
    const unsigned char *const at = (const unsigned char *)text;
    if (n == 0) return RD_OK;
    switch (f->how.level) {
    case RD_BYTE:
        count_bytes(f, at, at + n);
        return RD_OK;
    case RD_CHAR:
        return count_chars(f, at, at + n, err);
    case RD_WORD:
    case RD_BPE:
        break;
    }
    return count_slices(f, at, at + n, err);
}

/* ---- choosing ---- */

typedef struct candidate {
    uint64_t count;
    const char *at; /* WORD */
    uint32_t n;     /* bytes of the word, or the symbol */
} candidate;

static int compare_words(const void *left, const void *right)
{
    const candidate *a = left, *b = right;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    const int order = memcmp(a->at, b->at, a->n < b->n ? a->n : b->n);
    return order != 0 ? order : (a->n > b->n) - (a->n < b->n);
}

static int compare_counts(const void *left, const void *right)
{
    const candidate *a = left, *b = right;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    return (a->n > b->n) - (a->n < b->n);
}

static int compare_symbols(const void *left, const void *right)
{
    const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static rd_status refuse_nothing(const rd_vocab_fit *f, rd_error *err)
{
    if (f->how.min_count > 1)
        return rdc_fail(err, RD_E_ARG, "vocabulary: no symbol occurs min_count (%llu) times",
                        (unsigned long long)f->how.min_count);
    return rdc_fail(err, RD_E_ARG, "vocabulary: there is no text to take symbols from");
}

/* Symbols that are frequent enough, the most frequent ones if there are too many. */
static rd_status choose(const rd_vocab_fit *f, candidate *list, size_t *n, rd_error *err)
{
    const bool words = f->how.level == RD_WORD;
    const size_t all = words ? f->words.n : f->used;
    const uint64_t least = f->how.min_count ? f->how.min_count : 1;
    size_t used = 0;
    for (size_t i = 0; i < all; i++) {
        if (f->count[i] < least) continue;
        candidate c = {.count = f->count[i], .n = (uint32_t)i};
        if (words) {
            size_t bytes;
            c.at = rdc_words_at(&f->words, i, &bytes);
            c.n = (uint32_t)bytes;
        }
        list[used++] = c;
    }
    if (used == 0) return refuse_nothing(f, err);
    if (used > MOST_IDS && f->how.max_size == 0)
        return rdc_fail(err, RD_E_ARG,
                        "vocabulary: the text has %zu different words; limit it to at most %d "
                        "(max_vocab) or ask for a higher min_count",
                        used, MOST_IDS);
    qsort(list, used, sizeof(*list), words ? compare_words : compare_counts);
    if (f->how.max_size && used > f->how.max_size - f->special)
        used = (size_t)(f->how.max_size - f->special);
    *n = used;
    return RD_OK;
}

static size_t count_seen(const rd_vocab_fit *f)
{
    size_t seen = 0;
    for (size_t i = 0; i < f->used; i++) seen += f->count[i] > 0;
    return seen;
}

static rd_status end_symbols(const rd_vocab_fit *f, const candidate *list, size_t n, rd_vocab **out,
                             rd_error *err)
{
    uint32_t *symbols = malloc(n * sizeof(*symbols));
    if (!symbols) return rdc_no_memory(err, n * sizeof(*symbols));
    for (size_t i = 0; i < n; i++) symbols[i] = list[i].n;
    qsort(symbols, n, sizeof(*symbols), compare_symbols);
    const rd_status status = rd_vocab_new(&f->how, symbols, n, out, err);
    free(symbols);
    return status;
}

static rd_status end_words(const rd_vocab_fit *f, const candidate *list, size_t n, rd_vocab **out,
                           rd_error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) bytes += list[i].n + 1;
    char *words = malloc(bytes);
    if (!words) return rdc_no_memory(err, bytes);
    char *to = words;
    for (size_t i = 0; i < n; i++) {
        const size_t length = list[i].at[0] == '\n' ? 0 : list[i].n;
        memcpy(to, list[i].at, length);
        to[length] = '\n';
        to += length + 1;
    }
    const rd_status status = rd_vocab_new_words(&f->how, words, (size_t)(to - words), out, err);
    free(words);
    return status;
}

static rd_status end_bpe(const rd_vocab_fit *f, rd_vocab **out, rd_error *err)
{
    size_t n = (size_t)f->how.max_size - f->special - RDC_BYTES;
    int32_t *pairs = malloc((2 * n + 1) * sizeof(*pairs));
    if (!pairs) return rdc_no_memory(err, 2 * n * sizeof(*pairs));
    const uint64_t least = f->how.min_count > 2 ? f->how.min_count : 2;
    rd_status status = rdc_merges_learn(&f->words, f->count, least, pairs, &n, err);
    if (status == RD_OK) status = rd_vocab_new_bpe(&f->how, pairs, n, out, err);
    free(pairs);
    return status;
}

rd_status rd_vocab_fit_end(const rd_vocab_fit *f, rd_vocab **out, rd_error *err)
{
    if (f->how.level == RD_BPE) return end_bpe(f, out, err);
    const size_t all = f->how.level == RD_WORD ? f->words.n : count_seen(f);
    candidate *list = malloc((all + 1) * sizeof(*list));
    if (!list) return rdc_no_memory(err, all * sizeof(*list));
    size_t n = 0;
    rd_status status = choose(f, list, &n, err);
    if (status == RD_OK)
        status = f->how.level == RD_WORD ? end_words(f, list, n, out, err)
                                         : end_symbols(f, list, n, out, err);
    free(list);
    return status;
}
