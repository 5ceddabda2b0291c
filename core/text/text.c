/* text.c - a mapped text file, read by number of symbol.
 *
 * Invariant: [begin, end) was valid UTF-8 (levels char and word) when the file was opened, and held `length`
 * symbols; index[i] is the place of symbol i * step. Where symbols begin does not depend on a vocabulary,
 * but for level bpe: there is no index before rd_text_use. The map is shared with the file: a file that
 * is rewritten under a run changes the run's text, and one that shrinks would end it with SIGBUS, so
 * its size is asked again before each read. Editors that replace a file by rename do no harm. Decoding
 * never reads past `end`, whatever the bytes have become.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/tensor.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>

/* Symbols between two entries of the index. Characters: 512 cost 1.6 % of the text's size in memory at one
 * byte each and make a random access skip 256 symbols on average, eight bytes at a time: a batch of
 * 50 rows of 50 symbols then takes some 12 us. Words and pieces are longer and slower to skip. */
enum { CHAR_STEP = 512, WORD_STEP = 128 };

static rd_status refuse_byte(const rd_text *t, size_t offset, rd_error *err)
{
    const size_t in_file = (size_t)(t->begin - t->file.at) + offset;
    size_t line = 1;
    for (size_t i = 0; i < offset; i++) line += t->begin[i] == '\n';
    return rdc_fail(err, RD_E_IO,
                    "'%s' is not UTF-8: byte 0x%02X at offset %zu (line %zu); level 'byte' "
                    "(--level byte) reads any file",
                    t->path, t->begin[offset], in_file, line);
}

/* ---- numbering symbols ---- */

/* One pass over UTF-8: checks it, counts the characters and fills the index. */
static rd_status index_chars(rd_text *t, rd_error *err)
{
    const size_t bytes = (size_t)(t->end - t->begin);
    size_t offset = 0;
    uint64_t n = 0;
    while (offset < bytes) {
        uint32_t point;
        const size_t taken = rdc_utf8_decode(t->begin + offset, bytes - offset, &point);
        if (taken == 0) return refuse_byte(t, offset, err);
        if (n % CHAR_STEP == 0) t->index[n / CHAR_STEP] = offset * RDC_PLACE;
        offset += taken;
        n++;
    }
    t->length = n;
    return RD_OK;
}

static rd_status index_words(rd_text *t, rd_error *err)
{
    const size_t bytes = (size_t)(t->end - t->begin);
    const size_t sound = rdc_utf8_check((const char *)t->begin, bytes);
    if (sound < bytes) return refuse_byte(t, sound, err);
    const unsigned char *at = t->begin;
    for (uint64_t n = 0;; n++) {
        const rdc_slice word = rdc_next_word(at, t->end, t->how.punctuation);
        if (word.n == 0) {
            t->length = n;
            return RD_OK;
        }
        if (n % WORD_STEP == 0)
            t->index[n / WORD_STEP] = (uint64_t)(word.at - t->begin) * RDC_PLACE;
        at = word.at + word.n;
    }
}

static void index_pieces(rd_text *t, const rd_vocab *v)
{
    rdc_reader r = {.v = v, .at = t->begin, .end = t->end};
    uint64_t n = 0;
    while (r.n_held > 0 || r.at < r.end) {
        if (n % WORD_STEP == 0) t->index[n / WORD_STEP] = rdc_text_place(t, &r);
        (void)rdc_read_id(&r);
        n++;
    }
    t->length = n;
}

/* Without characters of several bytes the index is not needed; else it is cut to size. */
static void settle_index(rd_text *t)
{
    if (t->how.level == RD_CHAR && t->length == (uint64_t)(t->end - t->begin)) {
        free(t->index);
        t->index = NULL;
        return;
    }
    const size_t entries = (size_t)(t->length / t->step) + 1;
    uint64_t *smaller = realloc(t->index, entries * sizeof(*smaller));
    if (smaller) t->index = smaller;
}

/* Room for as many symbols as there are bytes; pages that are not reached cost nothing. */
static rd_status index_text(rd_text *t, const rd_vocab *v, rd_error *err)
{
    t->step = t->how.level == RD_CHAR ? CHAR_STEP : WORD_STEP;
    const size_t entries = (size_t)(t->end - t->begin) / t->step + 1;
    free(t->index);
    t->index = malloc(entries * sizeof(*t->index));
    if (!t->index) return rdc_no_memory(err, entries * sizeof(*t->index));
    if (t->how.level == RD_CHAR) RD_TRY(index_chars(t, err));
    if (t->how.level == RD_WORD) RD_TRY(index_words(t, err));
    if (t->how.level == RD_BPE) index_pieces(t, v);
    settle_index(t);
    return RD_OK;
}

/* ---- opening ---- */

static rd_status map_text(rd_text *t, rd_error *err)
{
    RD_TRY(rdc_map_file(t->path, &t->file, err));
    if (t->file.bytes == 0) return rdc_fail(err, RD_E_IO, "'%s' is empty", t->path);
    t->begin = t->file.at;
    t->end = t->file.at + t->file.bytes;
    if ((t->how.level == RD_CHAR || t->how.level == RD_WORD) && t->file.bytes >= 3 &&
        memcmp(t->file.at, "\xEF\xBB\xBF", 3) == 0)
        t->begin += 3;
    if (t->begin == t->end)
        return rdc_fail(err, RD_E_IO, "'%s' is empty but for a byte order mark", t->path);
    return RD_OK;
}

rd_status rd_text_open(const char *path, const rd_vocab_options *how, rd_text **out, rd_error *err)
{
    rd_text *t = calloc(1, sizeof(*t));
    if (!t) return rdc_no_memory(err, sizeof(*t));
    t->file.fd = -1;
    t->how = (rd_vocab_options){.level = how->level, .punctuation = how->punctuation};
    t->path = strdup(path);
    rd_status status = t->path ? map_text(t, err) : rdc_no_memory(err, strlen(path) + 1);
    if (status == RD_OK && how->level == RD_BYTE) t->length = (uint64_t)(t->end - t->begin);
    if (status == RD_OK && (how->level == RD_CHAR || how->level == RD_WORD))
        status = index_text(t, NULL, err);
    if (status == RD_OK)
        *out = t;
    else
        rd_text_free(t);
    return status;
}

void rd_text_free(rd_text *t)
{
    if (!t) return;
    rdc_unmap_file(&t->file);
    rd_vocab_release(t->used);
    free(t->index);
    free(t->path);
    free(t);
}

rd_status rd_text_use(rd_text *t, rd_vocab *v, rd_error *err)
{
    RD_TRY(rdc_text_check(t, v, err));
    if (t->how.level != RD_BPE || t->used == v) return RD_OK;
    RD_TRY(index_text(t, v, err));
    rd_vocab_release(t->used);
    t->used = rd_vocab_retain(v);
    return RD_OK;
}

/* ---- offsets and symbols ---- */

uint64_t rd_text_length(const rd_text *t)
{
    return t->length;
}

uint64_t rd_text_bytes(const rd_text *t)
{
    return (uint64_t)(t->end - t->begin);
}

rdc_reader rdc_text_reader(const rd_text *t, const rd_vocab *v, uint64_t place,
                           const unsigned char *end)
{
    rdc_reader r = {.v = v, .at = t->begin + place / RDC_PLACE, .end = end};
    for (uint64_t skip = place % RDC_PLACE; skip > 0; skip--) (void)rdc_read_id(&r);
    return r;
}

/* Inside a chunk it is the chunk that the place names; its length is that of what it has spelled. */
uint64_t rdc_text_place(const rd_text *t, const rdc_reader *r)
{
    const uint64_t offset = (uint64_t)(r->at - t->begin);
    if (r->n_held == 0) return offset * RDC_PLACE;
    size_t bytes = 0;
    for (uint32_t i = 0; i < r->next + r->n_held; i++) {
        size_t n = 1;
        if (r->held[i] >= RDC_BYTES) rdc_merges_spelling(&r->v->merges, (size_t)r->held[i], &n);
        bytes += n;
    }
    return (offset - bytes) * RDC_PLACE + r->next;
}

/* Moves over n words. */
static const unsigned char *skip_words(const rd_text *t, const unsigned char *at, uint64_t n)
{
    for (; n > 0; n--) {
        const rdc_slice word = rdc_next_word(at, t->end, t->how.punctuation);
        at = word.at + word.n;
    }
    return at;
}

/* A reader in front of a symbol. [hot] */
static rdc_reader find_symbol(const rd_text *t, const rd_vocab *v, uint64_t symbol)
{
    if (!t->index) return (rdc_reader){.v = v, .at = t->begin + symbol, .end = t->end};
    const uint64_t place = t->index[symbol / t->step], skip = symbol % t->step;
    if (t->how.level == RD_BPE) {
        rdc_reader r = rdc_text_reader(t, t->used, place, t->end);
        for (uint64_t i = 0; i < skip; i++) (void)rdc_read_id(&r);
        r.v = v;
        return r;
    }
    const unsigned char *at = t->begin + place / RDC_PLACE;
    at =
        t->how.level == RD_CHAR ? rdc_utf8_skip(at, t->end, (size_t)skip) : skip_words(t, at, skip);
    return (rdc_reader){.v = v, .at = at, .end = t->end};
}

uint64_t rd_text_offset(const rd_text *t, uint64_t symbol)
{
    if (symbol >= t->length) return rd_text_bytes(t);
    const rdc_reader r = find_symbol(t, t->used, symbol);
    if (t->how.level == RD_WORD)
        return (uint64_t)(rdc_next_word(r.at, t->end, t->how.punctuation).at - t->begin);
    return rdc_text_place(t, &r) / RDC_PLACE;
}

uint64_t rd_text_count(const rd_text *t, uint64_t offset)
{
    uint64_t low = 0, high = t->length;
    while (low < high) { /* the first symbol at or behind the offset */
        const uint64_t middle = low + (high - low) / 2;
        if (rd_text_offset(t, middle) < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t rd_text_border(const rd_text *t, uint64_t offset)
{
    const uint64_t bytes = rd_text_bytes(t);
    if (offset >= bytes) return bytes;
    if (t->how.level != RD_BPE) return rd_text_offset(t, rd_text_count(t, offset));
    const unsigned char *const target = t->begin + offset;
    const unsigned char *at = target;
    while (at > t->begin && at[-1] != '\n') at--; /* behind a line feed there is always a border */
    while (at < target) at += rdc_next_chunk(at, t->end).n;
    return (uint64_t)(at - t->begin);
}

uint64_t rd_text_characters(const rd_text *t, uint64_t from, uint64_t to)
{
    const uint64_t bytes = rd_text_bytes(t);
    uint64_t n = 0;
    if (to > bytes) to = bytes;
    if (t->how.level == RD_BYTE) return to > from ? to - from : 0;
    for (uint64_t i = from; i < to; i++) n += (t->begin[i] & 0xC0) != 0x80;
    return n;
}

/* ---- reading ---- */

static rd_status check_whole(const rd_text *t, rd_error *err)
{
    if (rdc_map_is_whole(&t->file)) return RD_OK;
    return rdc_fail(err, RD_E_IO, "'%s' shrank while it was in use", t->path);
}

rd_status rdc_text_check(const rd_text *t, const rd_vocab *v, rd_error *err)
{
    if (v->how.level != t->how.level)
        return rdc_fail(err, RD_E_ARG, "'%s' is read as %s, the vocabulary is of level %s", t->path,
                        rdc_level_name(t->how.level), rdc_level_name(v->how.level));
    if (t->how.level == RD_WORD && v->how.punctuation != t->how.punctuation)
        return rdc_fail(err, RD_E_ARG,
                        "'%s' is read with%s punctuation split off, the vocabulary is of words "
                        "with%s it split off",
                        t->path, t->how.punctuation ? "" : "out", v->how.punctuation ? "" : "out");
    return check_whole(t, err);
}

static rd_status check_read(const rd_text *t, const rd_vocab *v, rd_error *err)
{
    RD_TRY(rdc_text_check(t, v, err));
    if (t->how.level == RD_BPE && v != t->used)
        return rdc_fail(err, RD_E_ARG, "'%s' is numbered by another vocabulary", t->path);
    return RD_OK;
}

static rd_status check_range(const rd_text *t, uint64_t from, uint64_t n, rd_error *err)
{
    if (n <= t->length && from <= t->length - n) return RD_OK;
    return rdc_fail(err, RD_E_ARG,
                    "'%s' has %llu symbols, but %llu from number %llu on (counted from 0) were "
                    "asked for",
                    t->path, (unsigned long long)t->length, (unsigned long long)n,
                    (unsigned long long)from);
}

/* How many bytes of the range there are. */
static rd_status check_bytes(const rd_text *t, uint64_t from, uint64_t to, size_t *n, rd_error *err)
{
    const uint64_t bytes = rd_text_bytes(t);
    if (to > bytes) to = bytes;
    *n = from < to ? (size_t)(to - from) : 0;
    return check_whole(t, err);
}

rd_status rd_text_fit(const rd_text *t, uint64_t from, uint64_t to, rd_vocab_fit *f, rd_error *err)
{
    size_t n = 0;
    RD_TRY(check_bytes(t, from, to, &n, err));
    return n == 0 ? RD_OK : rd_vocab_fit_add(f, (const char *)t->begin + from, n, err);
}

rd_status rd_text_digest(const rd_text *t, uint64_t from, uint64_t to, char digest[33],
                         rd_error *err)
{
    size_t n = 0;
    RD_TRY(check_bytes(t, from, to, &n, err));
    rd_digest(n == 0 ? NULL : t->begin + from, n, digest);
    return RD_OK;
}

rd_status rd_text_lacking(const rd_text *t, const rd_vocab *v, uint64_t from, uint64_t n,
                          uint64_t *lacking, rd_error *err)
{
    RD_TRY(check_read(t, v, err));
    RD_TRY(check_range(t, from, n, err));
    uint64_t count = 0;
    if (n > 0) {
        rdc_reader r = find_symbol(t, v, from);
        for (uint64_t i = 0; i < n; i++) {
            const int32_t id = rdc_read_id(&r);
            count += id <= 0 || id == v->unk;
        }
    }
    *lacking = count;
    return RD_OK;
}

/* The next id; 0 at the end, which a file that was rewritten may have where it had none. [hot] */
static int32_t next_id(rdc_reader *r)
{
    const int32_t id = rdc_read_id(r);
    return id == RDC_END ? 0 : id;
}

rd_status rd_text_ids(const rd_text *t, const rd_vocab *v, uint64_t from, size_t n, int32_t *ids,
                      rd_error *err)
{
    RD_TRY(check_read(t, v, err));
    RD_TRY(check_range(t, from, n, err));
    if (n == 0) return RD_OK;
    rdc_reader r = find_symbol(t, v, from);
    for (size_t i = 0; i < n; i++) ids[i] = next_id(&r);
    return RD_OK;
}

rd_status rd_text_batch(const rd_text *t, const rd_vocab *v, const uint64_t *first, rd_tensor *x,
                        rd_error *err)
{
    RD_TRY(check_read(t, v, err));
    if (x->ndim != 2)
        return rdc_fail(err, RD_E_ARG, "a batch of text is (batch, time), not of %u dimensions",
                        x->ndim);
    const size_t rows = x->shape[0], steps = x->shape[1];
    if (rows == 0 || steps == 0) return RD_OK;
    for (size_t b = 0; b < rows; b++) RD_TRY(check_range(t, first[b], steps, err));
    RD_TRY(rdc_begin_write(x, err));
    for (size_t b = 0; b < rows; b++) {
        rdc_reader r = find_symbol(t, v, first[b]);
        rd_real *to = x->at + b * x->stride[0];
        for (size_t i = 0; i < steps; i++) to[i * x->stride[1]] = (rd_real)next_id(&r);
    }
    return RD_OK;
}
