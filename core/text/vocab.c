/* vocab.c - symbols to ids and back.
 *
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "text/vocab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *rdc_level_name(rd_level level)
{
    static const char *const names[] = {"byte", "char", "word", "bpe"};
    return names[level];
}

static const char *const special_names[] = {"<unk>", "<bos>", "<eos>"};

size_t rdc_special_ids(rd_vocab *v, const rd_vocab_options *how)
{
    int32_t n = 0;
    if (how->unk) v->unk = ++n;
    if (how->bos) v->bos = ++n;
    if (how->eos) v->eos = ++n;
    return (size_t)n;
}

static rd_vocab *make(const rd_vocab_options *how)
{
    rd_vocab *v = calloc(1, sizeof(*v));
    if (!v) return NULL;
    v->refs = 1;
    v->how = *how;
    v->special = rdc_special_ids(v, how);
    return v;
}

/* ---- bytes and characters ---- */

static rd_status check_symbols(rd_level level, const uint32_t *symbols, size_t n, rd_error *err)
{
    if (n == 0) return rdc_fail(err, RD_E_ARG, "vocabulary: it must have at least one symbol");
    for (size_t i = 0; i < n; i++) {
        const uint32_t symbol = symbols[i];
        if (level == RD_BYTE && symbol > 255)
            return rdc_fail(err, RD_E_ARG, "vocabulary: a byte is 0..255, got %u", symbol);
        if (!rdc_utf8_point(symbol))
            return rdc_fail(err, RD_E_ARG, "vocabulary: U+%04X is not a character", symbol);
        if (i > 0 && symbol <= symbols[i - 1])
            return rdc_fail(err, RD_E_ARG,
                            "vocabulary: symbols must ascend, but number %zu (%u) follows %u",
                            i + 1, symbol, symbols[i - 1]);
    }
    return RD_OK;
}

/* Numbers the pages that are needed; returns how many there are, page 0 included. */
static size_t number_pages(rd_vocab *v, const uint32_t *symbols, size_t n)
{
    size_t pages = 1;
    for (size_t i = 0; i < n; i++) {
        uint16_t *page = &v->page_of[symbols[i] / RDC_VOCAB_PAGE];
        if (*page == 0) *page = (uint16_t)pages++;
    }
    return pages;
}

rd_status rd_vocab_new(const rd_vocab_options *how, const uint32_t *symbols, size_t n,
                       rd_vocab **out, rd_error *err)
{
    RD_TRY(check_symbols(how->level, symbols, n, err));
    rd_vocab *v = make(how);
    if (!v) return rdc_no_memory(err, sizeof(*v));
    v->n = v->special + n;
    const size_t pages = number_pages(v, symbols, n);
    v->symbols = malloc(n * sizeof(*symbols));
    v->pages = calloc(pages, sizeof(*v->pages));
    if (!v->pages || !v->symbols) {
        rd_vocab_release(v);
        return rdc_no_memory(err, n * sizeof(*symbols));
    }
    memcpy(v->symbols, symbols, n * sizeof(*symbols));
    int32_t *const all = v->pages[0];
    for (size_t i = 0; i < pages * RDC_VOCAB_PAGE; i++) all[i] = v->unk;
    for (size_t i = 0; i < n; i++)
        v->pages[v->page_of[symbols[i] / RDC_VOCAB_PAGE]][symbols[i] % RDC_VOCAB_PAGE] =
            (int32_t)(v->special + i + 1);
    *out = v;
    return RD_OK;
}

/* ---- words and pieces ---- */

static rd_status add_words(rd_vocab *v, const char *words, size_t bytes, rd_error *err)
{
    const char *at = words, *const end = words + bytes;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) return rdc_fail(err, RD_E_ARG, "vocabulary: its last word is not ended");
        uint32_t number;
        const size_t before = v->words.n, n = (size_t)(stop - at);
        RD_TRY(rdc_words_add(&v->words, n ? at : "\n", n ? n : 1, &number, err));
        if (v->words.n == before)
            return rdc_fail(err, RD_E_ARG, "vocabulary: words %u and %zu are the same", number + 1,
                            before + 1);
        at = stop + 1;
    }
    v->n = v->special + v->words.n;
    if (v->n > INT32_MAX) return rdc_fail(err, RD_E_ARG, "vocabulary: too many words");
    if (v->words.n == 0)
        return rdc_fail(err, RD_E_ARG, "vocabulary: it must have at least one symbol");
    return RD_OK;
}

rd_status rd_vocab_new_words(const rd_vocab_options *how, const char *words, size_t bytes,
                             rd_vocab **out, rd_error *err)
{
    rd_vocab *v = make(how);
    if (!v) return rdc_no_memory(err, sizeof(*v));
    const rd_status status = add_words(v, words, bytes, err);
    if (status == RD_OK)
        *out = v;
    else
        rd_vocab_release(v);
    return status;
}

rd_status rd_vocab_new_bpe(const rd_vocab_options *how, const int32_t *pairs, size_t n,
                           rd_vocab **out, rd_error *err)
{
    rd_vocab *v = make(how);
    if (!v) return rdc_no_memory(err, sizeof(*v));
    const rd_status status = rdc_merges_new(pairs, n, &v->merges, err);
    v->n = v->special + RDC_BYTES + n;
    if (status == RD_OK)
        *out = v;
    else
        rd_vocab_release(v);
    return status;
}

/* ---- the whole ---- */

rd_vocab *rd_vocab_retain(rd_vocab *v)
{
    v->refs++;
    return v;
}

void rd_vocab_release(rd_vocab *v)
{
    if (!v || --v->refs > 0) return;
    free(v->symbols);
    free(v->pages);
    rdc_words_free(&v->words);
    rdc_merges_free(&v->merges);
    free(v);
}

size_t rd_vocab_size(const rd_vocab *v)
{
    return v->n;
}

const rd_vocab_options *rd_vocab_how(const rd_vocab *v)
{
    return &v->how;
}

rd_special rd_vocab_special(const rd_vocab *v)
{
    return (rd_special){.unk = v->unk, .bos = v->bos, .eos = v->eos};
}

const uint32_t *rd_vocab_symbols(const rd_vocab *v, size_t *n)
{
    *n = v->symbols ? v->n - v->special : 0;
    return v->symbols;
}

const int32_t *rd_vocab_merges(const rd_vocab *v, size_t *n)
{
    *n = v->merges.n;
    return v->merges.pair;
}

const char *rd_vocab_word(const rd_vocab *v, size_t i, size_t *bytes)
{
    return rdc_words_at(&v->words, i, bytes);
}

size_t rd_vocab_words(const rd_vocab *v)
{
    return v->words.n;
}

/* ---- text to ids ---- */

/* Id of a word as the text has it. The names of special ids are their words. [hot] */
static int32_t word_id(const rd_vocab *v, rdc_slice word)
{
    unsigned char lower[RDC_CHUNK];
    if (v->eos && word.n == 1 && word.at[0] == '\n') return v->eos;
    if (v->special && word.n == 5 && word.at[0] == '<') {
        if (v->unk && memcmp(word.at, special_names[0], 5) == 0) return v->unk;
        if (v->bos && memcmp(word.at, special_names[1], 5) == 0) return v->bos;
        if (v->eos && memcmp(word.at, special_names[2], 5) == 0) return v->eos;
    }
    if (v->how.lowercase) {
        rdc_lower(word.at, word.n, lower);
        word.at = lower;
    }
    const uint32_t number = rdc_words_find(&v->words, word.at, word.n);
    return number == RDC_NO_WORD ? v->unk : (int32_t)(v->special + number + 1);
}

static int32_t read_word(rdc_reader *r)
{
    const rdc_slice word = rdc_next_word(r->at, r->end, r->v->how.punctuation);
    r->at = word.at + word.n;
    return word.n == 0 ? RDC_END : word_id(r->v, word);
}

static int32_t read_piece(rdc_reader *r)
{
    if (r->n_held == 0) {
        unsigned char lower[RDC_CHUNK];
        rdc_slice chunk = rdc_next_chunk(r->at, r->end);
        if (chunk.n == 0) return RDC_END;
        r->at += chunk.n;
        if (r->v->how.lowercase) {
            rdc_lower(chunk.at, chunk.n, lower);
            chunk.at = lower;
        }
        r->n_held = (uint32_t)rdc_merges_apply(&r->v->merges, chunk.at, chunk.n, r->held);
        r->next = 0;
    }
    r->n_held--;
    return (int32_t)r->v->special + 1 + r->held[r->next++];
}

static int32_t read_char(rdc_reader *r)
{
    uint32_t point = 0;
    if (r->at >= r->end) return RDC_END;
    const size_t taken = rdc_utf8_decode(r->at, (size_t)(r->end - r->at), &point);
    r->at += taken ? taken : 1;
    if (taken == 0) return r->v->unk;
    return rdc_vocab_id(r->v, r->v->how.lowercase ? rdc_lower_point(point) : point);
}

static int32_t read_byte(rdc_reader *r)
{
    if (r->at >= r->end) return RDC_END;
    const uint32_t byte = *r->at++;
    return rdc_vocab_id(r->v, r->v->how.lowercase && byte < 0x80 ? rdc_lower_point(byte) : byte);
}

int32_t rdc_read_id(rdc_reader *r)
{
    switch (r->v->how.level) {
    case RD_BYTE:
        return read_byte(r);
    case RD_CHAR:
        return read_char(r);
    case RD_WORD:
        return read_word(r);
    case RD_BPE:
        break;
    }
    return read_piece(r);
}

/* Can the symbol be shown between quotes? Control characters cannot. */
static bool is_shown(uint32_t symbol)
{
    return symbol >= 0x20 && !(symbol >= 0x7F && symbol < 0xA0);
}

/* Says what lies at [at, end) and has no id. */
static rd_status refuse_symbol(const rdc_reader *r, const unsigned char *at, size_t position,
                               rd_error *err)
{
    const rd_level level = r->v->how.level;
    uint32_t symbol = *at;
    char shown[16] = "";
    if (level == RD_WORD) {
        const rdc_slice word = rdc_next_word(at, r->end, r->v->how.punctuation);
        const bool line_feed = word.at[0] == '\n';
        return rdc_fail(err, RD_E_ARG, "word '%.*s' at position %zu is not in the vocabulary",
                        line_feed ? 2 : (int)word.n, line_feed ? "\\n" : (const char *)word.at,
                        position);
    }
    if (level == RD_CHAR && rdc_utf8_decode(at, (size_t)(r->end - at), &symbol) == 0)
        return rdc_fail(err, RD_E_ARG, "the text is not UTF-8: byte 0x%02X at position %zu", *at,
                        position);
    if (is_shown(symbol) && (level == RD_CHAR || symbol < 0x80)) {
        char bytes[4];
        const int n = (int)rdc_utf8_encode(symbol, bytes);
        snprintf(shown, sizeof(shown), " '%.*s'", n, bytes);
    }
    if (level == RD_BYTE)
        return rdc_fail(err, RD_E_ARG, "byte%s (0x%02X) at position %zu is not in the vocabulary",
                        shown, symbol, position);
    return rdc_fail(err, RD_E_ARG, "character%s (U+%04X) at position %zu is not in the vocabulary",
                    shown, symbol, position);
}

rd_status rd_vocab_encode(const rd_vocab *v, const char *text, size_t length, int32_t *ids,
                          size_t *n, rd_error *err)
{
    rdc_reader r = {.v = v, .at = (const unsigned char *)text};
    r.end = r.at + length;
    size_t used = 0;
    for (;;) {
        const unsigned char *at = r.at;
        const int32_t id = rdc_read_id(&r);
        if (id == RDC_END) break;
        if (id == 0) return refuse_symbol(&r, at, used + 1, err);
        ids[used++] = id;
    }
    *n = used;
    return RD_OK;
}

/* ---- ids to text ---- */

static const char *decode_symbol(const rd_vocab *v, size_t i, char own[4], size_t *n)
{
    if (v->how.level == RD_WORD) return rdc_words_at(&v->words, i, n);
    if (v->how.level == RD_BPE && i >= RDC_BYTES) return rdc_merges_spelling(&v->merges, i, n);
    if (v->how.level == RD_CHAR) {
        *n = rdc_utf8_encode(v->symbols[i], own);
    } else {
        own[0] = (char)(v->how.level == RD_BYTE ? v->symbols[i] : i);
        *n = 1;
    }
    return own;
}

const char *rd_vocab_decode(const rd_vocab *v, int32_t id, char own[4], size_t *n)
{
    *n = 0;
    if (id < 1 || (size_t)id > v->n || id == v->bos) return own;
    if (id == v->unk) {
        const char *const unknown = v->how.level == RD_WORD ? special_names[0] : "\xEF\xBF\xBD";
        *n = strlen(unknown); /* U+FFFD, the replacement character */
        return unknown;
    }
    if (id == v->eos) {
        *n = 1;
        return "\n";
    }
    return decode_symbol(v, (size_t)id - v->special - 1, own, n);
}

/* Is the id a word of one mark, one of those in `marks`? */
static bool is_one_of(const rd_vocab *v, int32_t id, const char *marks)
{
    char own[4];
    size_t n;
    const char *word = rd_vocab_decode(v, id, own, &n);
    return n == 1 && *word != '\0' && strchr(marks, *word) != NULL;
}

bool rd_vocab_space(const rd_vocab *v, int32_t left, int32_t right)
{
    if (v->how.level != RD_WORD || left < 1 || right < 1 || left == v->bos || right == v->bos)
        return false;
    if (is_one_of(v, left, "\n") || is_one_of(v, right, "\n")) return false;
    return !v->how.punctuation || !(is_one_of(v, right, ".,;:!?)]}%") || is_one_of(v, left, "([{"));
}
