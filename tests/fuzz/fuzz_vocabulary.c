/* fuzz_vocabulary.c - what a stored vocabulary may hold: it is refused in a sentence, or it is what was
 * stored, its ids lead to symbols and back, and merges are applied as they are defined.
 *
 * The first byte has the options, two say how long the stored part is, which follows; the rest is text that
 * is encoded.
 * SPDX-License-Identifier: MIT */
#include "fuzz/support/fuzz.h"
#include "text/bpe.h"

enum { MOST_TEXT = 1024, MOST_PAIRS = 512 };

static rd_vocab_options take_options(fuzz_input *in)
{
    const uint8_t how = fuzz_byte(in);
    return (rd_vocab_options){.level = (rd_level)(how & 3),
                              .lowercase = how & 4,
                              .punctuation = how & 8,
                              .unk = how & 16,
                              .bos = how & 32,
                              .eos = how & 64};
}

static rd_vocab *refused(rd_status status, const rd_error *err)
{
    fuzz_refused(status, err);
    return NULL;
}

/* Symbols are numbers of three bytes. */
static rd_vocab *of_symbols(const rd_vocab_options *how, const fuzz_input *part)
{
    rd_vocab *v = NULL;
    rd_error err = {0};
    size_t n = part->n / 3, again;
    uint32_t *symbols = malloc(n * sizeof *symbols + 1);
    FUZZ_HOLDS(symbols != NULL);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *at = part->at + 3 * i;
        symbols[i] = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
    }
    const rd_status status = rd_vocab_new(how, symbols, n, &v, &err);
    if (status != RD_OK) (void)refused(status, &err);
    if (v) {
        const uint32_t *kept = rd_vocab_symbols(v, &again);
        FUZZ_HOLDS(again == n && memcmp(kept, symbols, n * sizeof *symbols) == 0);
    }
    free(symbols);
    return v;
}

static rd_vocab *of_words(const rd_vocab_options *how, const fuzz_input *part)
{
    rd_vocab *v = NULL;
    rd_error err = {0};
    const rd_status status = rd_vocab_new_words(how, (const char *)part->at, part->n, &v, &err);
    if (status != RD_OK) return refused(status, &err);
    const uint8_t *at = part->at;
    for (size_t i = 0; i < rd_vocab_words(v); i++) {
        size_t n;
        const char *word = rd_vocab_word(v, i, &n);
        if (*at == '\n')
            FUZZ_HOLDS(n == 1 && *word == '\n');
        else
            FUZZ_HOLDS(memcmp(word, at, n) == 0 && at[n] == '\n');
        at += *at == '\n' ? 1 : n + 1;
    }
    FUZZ_HOLDS(at == part->at + part->n);
    return v;
}

/* Pairs are numbers of two bytes, of which the largest stands for a negative one. */
static rd_vocab *of_merges(const rd_vocab_options *how, const fuzz_input *part)
{
    rd_vocab *v = NULL;
    rd_error err = {0};
    int32_t pairs[2 * MOST_PAIRS];
    size_t n = part->n / 4 < MOST_PAIRS ? part->n / 4 : MOST_PAIRS, again;
    for (size_t i = 0; i < 2 * n; i++) {
        pairs[i] = part->at[2 * i] << 8 | part->at[2 * i + 1];
        if (pairs[i] == UINT16_MAX) pairs[i] = INT32_MIN;
    }
    const rd_status status = rd_vocab_new_bpe(how, pairs, n, &v, &err);
    if (status != RD_OK) return refused(status, &err);
    const int32_t *kept = rd_vocab_merges(v, &again);
    FUZZ_HOLDS(again == n && (n == 0 || memcmp(kept, pairs, 2 * n * sizeof *pairs) == 0));
    return v;
}

/* Merges as bpe.h defines them: each before all later ones, from left to right. */
static size_t apply_merges(const int32_t *pair, size_t n_pairs, const uint8_t *at, size_t n,
                           int32_t *symbols)
{
    for (size_t i = 0; i < n; i++) symbols[i] = at[i];
    for (size_t m = 0; m < n_pairs; m++) {
        size_t to = 0;
        for (size_t i = 0; i < n; i++, to++) {
            const bool joined =
                i + 1 < n && symbols[i] == pair[2 * m] && symbols[i + 1] == pair[2 * m + 1];
            symbols[to] = joined ? (int32_t)(RDC_BYTES + m) : symbols[i];
            i += joined;
        }
        n = to;
    }
    return n;
}

static void check_merges(const rd_vocab *v, const fuzz_input *text, const int32_t *ids, size_t n)
{
    size_t n_pairs, used = 0;
    const int32_t *pair = rd_vocab_merges(v, &n_pairs);
    const int32_t first = (int32_t)(rd_vocab_size(v) - RDC_BYTES - n_pairs + 1);
    const uint8_t *at = text->at, *const end = text->at + text->n;
    while (at < end) {
        int32_t symbols[RDC_CHUNK];
        const rdc_slice chunk = rdc_next_chunk(at, end);
        FUZZ_HOLDS(chunk.at == at && chunk.n >= 1 && chunk.n <= RDC_CHUNK);
        const size_t some = apply_merges(pair, n_pairs, at, chunk.n, symbols);
        FUZZ_HOLDS(used + some <= n);
        for (size_t i = 0; i < some; i++) FUZZ_HOLDS(ids[used + i] == first + symbols[i]);
        used += some;
        at += chunk.n;
    }
    FUZZ_HOLDS(used == n);
}

/* Every id has its symbol, which has its id, but where other rules of the level stand before. */
static void check_ids(const rd_vocab *v)
{
    const rd_special special = rd_vocab_special(v);
    const size_t size = rd_vocab_size(v), step = 1 + size / 256;
    char own[4];
    size_t n = 1;
    (void)rd_vocab_decode(v, 0, own, &n);
    FUZZ_HOLDS(n == 0);
    (void)rd_vocab_decode(v, INT32_MAX, own, &n);
    (void)rd_vocab_decode(v, INT32_MIN, own, &n);
    for (size_t i = 1; i <= size; i += step) {
        const int32_t id = (int32_t)i;
        const char *symbol = rd_vocab_decode(v, id, own, &n);
        FUZZ_HOLDS((n == 0) == (id == special.bos));
        (void)rd_vocab_space(v, id, (int32_t)(size - i + 1));
        const rd_vocab_options *how = rd_vocab_how(v);
        if (how->lowercase || (how->level != RD_BYTE && how->level != RD_CHAR)) continue;
        int32_t ids[4];
        size_t used = 0;
        if (id == special.unk || id == special.bos || id == special.eos) continue;
        FUZZ_HOLDS(rd_vocab_encode(v, symbol, n, ids, &used, NULL) == RD_OK);
        FUZZ_HOLDS(used == 1 && ids[0] == id);
    }
}

static void check_text(const rd_vocab *v, const fuzz_input *text)
{
    int32_t ids[MOST_TEXT];
    size_t n = 0;
    rd_error err = {0};
    const rd_vocab_options *how = rd_vocab_how(v);
    const rd_status status = rd_vocab_encode(v, (const char *)text->at, text->n, ids, &n, &err);
    if (status != RD_OK) {
        fuzz_refused(status, &err);
        FUZZ_HOLDS(how->level != RD_BPE && !how->unk); /* bytes are all there */
        return;
    }
    for (size_t i = 0; i < n; i++) FUZZ_HOLDS(ids[i] >= 1 && (size_t)ids[i] <= rd_vocab_size(v));
    if (how->level == RD_BPE && !how->lowercase) check_merges(v, text, ids, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
    fuzz_input in = {.at = at, .n = n};
    const rd_vocab_options how = take_options(&in);
    size_t bytes = (size_t)fuzz_byte(&in) << 8;
    bytes += fuzz_byte(&in);
    if (bytes > in.n) bytes = in.n;
    const fuzz_input part = {.at = in.at, .n = bytes};
    const fuzz_input text = {.at = in.at + bytes,
                             .n = in.n - bytes < MOST_TEXT ? in.n - bytes : MOST_TEXT};
    rd_vocab *v = how.level == RD_WORD  ? of_words(&how, &part)
                  : how.level == RD_BPE ? of_merges(&how, &part)
                                        : of_symbols(&how, &part);
    if (!v) return 0;
    check_ids(v);
    check_text(v, &text);
    rd_vocab_release(v);
    return 0;
}
