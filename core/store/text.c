/* text.c - a mapped text file, read by number of symbol.
 *
 * Invariant: [begin, end) was valid UTF-8 (level char) when the file was opened, and held `length`
 * symbols; index[i] is the offset of symbol i * INDEX_STEP. The map is shared with the file: a file that
 * is rewritten under a run changes the run's text, and one that shrinks would end it with SIGBUS, so
 * its size is asked again before each read. Editors that replace a file by rename do no harm. Decoding
 * never reads past `end`, whatever the bytes have become.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/tensor.h"

#include "store/files.h"
#include "store/vocab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Symbols between two entries of the index: 512 cost 1.6 % of the text's size in memory at one byte each
 * and make a random access skip 256 symbols on average, eight bytes at a time: a batch of
 * 50 rows of 50 symbols then takes some 12 us. */
enum { INDEX_STEP = 512 };

struct rd_text {
    int fd;
    rd_level level;
    unsigned char *map;
    size_t map_bytes;
    const unsigned char *begin, *end; /* without a byte order mark */
    uint64_t length;                  /* symbols */
    uint64_t *index;                  /* offsets from begin; NULL where every symbol is one byte */
    rd_vocab *vocab;
    char *path; /* for messages */
};

typedef struct survey { /* which symbols there are */
    uint64_t bits[RDC_CODE_POINTS / 64];
} survey;

static bool is_seen(const survey *s, uint32_t symbol)
{
    return s->bits[symbol / 64] >> (symbol % 64) & 1;
}

static rd_status refuse_byte(const rd_text *t, size_t offset, rd_error *err)
{
    const size_t in_file = (size_t)(t->begin - t->map) + offset;
    size_t line = 1;
    for (size_t i = 0; i < offset; i++) line += t->begin[i] == '\n';
    return rdc_fail(err, RD_E_IO,
                    "'%s' is not UTF-8: byte 0x%02X at offset %zu (line %zu); level 'byte' "
                    "(--level byte) reads any file",
                    t->path, t->begin[offset], in_file, line);
}

/* Notes every byte that occurs. */
static void survey_bytes(rd_text *t, survey *s)
{
    bool seen[256] = {false};
    for (const unsigned char *at = t->begin; at < t->end; at++) seen[*at] = true;
    for (uint32_t b = 0; b < 256; b++) s->bits[b / 64] |= (uint64_t)seen[b] << (b % 64);
    t->length = (uint64_t)(t->end - t->begin);
}

/* One pass over UTF-8: checks it, counts and notes the characters and fills the index. */
static rd_status survey_chars(rd_text *t, survey *s, rd_error *err)
{
    const size_t bytes = (size_t)(t->end - t->begin);
    size_t offset = 0;
    uint64_t n = 0;
    while (offset < bytes) {
        uint32_t point;
        const size_t taken = rdc_utf8_decode(t->begin + offset, bytes - offset, &point);
        if (taken == 0) return refuse_byte(t, offset, err);
        if (n % INDEX_STEP == 0) t->index[n / INDEX_STEP] = offset;
        s->bits[point / 64] |= (uint64_t)1 << (point % 64);
        offset += taken;
        n++;
    }
    t->length = n;
    return RD_OK;
}

/* Without characters of several bytes the index is not needed; else it is cut to size. */
static void settle_index(rd_text *t)
{
    if (t->length == (uint64_t)(t->end - t->begin)) {
        free(t->index);
        t->index = NULL;
        return;
    }
    const size_t entries = (size_t)((t->length + INDEX_STEP - 1) / INDEX_STEP);
    uint64_t *smaller = realloc(t->index, entries * sizeof(*smaller));
    if (smaller) t->index = smaller;
}

static rd_status make_vocab(rd_text *t, const survey *s, rd_error *err)
{
    size_t n = 0;
    for (uint32_t symbol = 0; symbol < RDC_CODE_POINTS; symbol++) n += is_seen(s, symbol);
    uint32_t *symbols = malloc(n * sizeof(*symbols));
    if (!symbols) return rdc_no_memory(err, n * sizeof(*symbols));
    size_t i = 0;
    for (uint32_t symbol = 0; symbol < RDC_CODE_POINTS; symbol++)
        if (is_seen(s, symbol)) symbols[i++] = symbol;
    const rd_status status = rd_vocab_new(t->level, symbols, n, &t->vocab, err);
    free(symbols);
    return status;
}

static rd_status survey_text(rd_text *t, rd_error *err)
{
    survey *s = calloc(1, sizeof(*s));
    if (!s) return rdc_no_memory(err, sizeof(*s));
    rd_status status = RD_OK;
    if (t->level == RD_BYTE) {
        survey_bytes(t, s);
    } else {
        const size_t entries = (size_t)(t->end - t->begin) / INDEX_STEP + 1;
        t->index = malloc(entries * sizeof(*t->index));
        status =
            t->index ? survey_chars(t, s, err) : rdc_no_memory(err, entries * sizeof(*t->index));
        if (status == RD_OK) settle_index(t);
    }
    if (status == RD_OK) status = make_vocab(t, s, err);
    free(s);
    return status;
}

static rd_status map_file(rd_text *t, rd_error *err)
{
    uint64_t bytes;
    RD_TRY(rdc_open_regular(t->path, "read", &t->fd, &bytes, err));
    if (bytes == 0) return rdc_fail(err, RD_E_IO, "'%s' is empty", t->path);
    if (bytes > SIZE_MAX / 2) return rdc_fail(err, RD_E_IO, "'%s' is too large", t->path);
    void *map = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, t->fd, 0);
    if (map == MAP_FAILED)
        return rdc_fail(err, RD_E_IO, "cannot map '%s': %s", t->path, strerror(errno));
    t->map = map;
    t->map_bytes = (size_t)bytes;
    t->begin = t->map;
    t->end = t->map + t->map_bytes;
    if (t->level == RD_CHAR && bytes >= 3 && memcmp(t->map, "\xEF\xBB\xBF", 3) == 0) t->begin += 3;
    if (t->begin == t->end)
        return rdc_fail(err, RD_E_IO, "'%s' is empty but for a byte order mark", t->path);
    return RD_OK;
}

rd_status rd_text_open(const char *path, rd_level level, rd_text **out, rd_error *err)
{
    rd_text *t = calloc(1, sizeof(*t));
    if (!t) return rdc_no_memory(err, sizeof(*t));
    t->fd = -1;
    t->level = level;
    t->path = strdup(path);
    rd_status status = t->path ? map_file(t, err) : rdc_no_memory(err, strlen(path) + 1);
    if (status == RD_OK) status = survey_text(t, err);
    if (status == RD_OK)
        *out = t;
    else
        rd_text_free(t);
    return status;
}

void rd_text_free(rd_text *t)
{
    if (!t) return;
    if (t->map) munmap(t->map, t->map_bytes);
    if (t->fd >= 0) close(t->fd);
    rd_vocab_release(t->vocab);
    free(t->index);
    free(t->path);
    free(t);
}

uint64_t rd_text_length(const rd_text *t)
{
    return t->length;
}

rd_vocab *rd_text_vocab(const rd_text *t)
{
    return t->vocab;
}

static rd_status check_read(const rd_text *t, const rd_vocab *v, rd_error *err)
{
    if (v->level != t->level)
        return rdc_fail(err, RD_E_ARG, "'%s' is read as %s, the vocabulary is of level %s", t->path,
                        rdc_level_name(t->level), rdc_level_name(v->level));
    struct stat st;
    if (fstat(t->fd, &st) != 0 || (uint64_t)st.st_size < t->map_bytes)
        return rdc_fail(err, RD_E_IO, "'%s' shrank while it was in use", t->path);
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

static const unsigned char *find_symbol(const rd_text *t, uint64_t from)
{
    if (!t->index) return t->begin + from;
    const unsigned char *near = t->begin + t->index[from / INDEX_STEP];
    return rdc_utf8_skip(near, t->end, (size_t)(from % INDEX_STEP));
}

/* Id of the symbol at *at, which moves behind it. What is no longer UTF-8 has no id. [hot] */
static int32_t next_id(const rd_text *t, const rd_vocab *v, const unsigned char **at)
{
    if (!t->index) return rdc_vocab_id(v, *(*at)++);
    if (*at >= t->end) return 0;
    uint32_t point = 0;
    const size_t taken = rdc_utf8_decode(*at, (size_t)(t->end - *at), &point);
    *at += taken ? taken : 1;
    return taken ? rdc_vocab_id(v, point) : 0;
}

rd_status rd_text_ids(const rd_text *t, const rd_vocab *v, uint64_t from, size_t n, int32_t *ids,
                      rd_error *err)
{
    RD_TRY(check_read(t, v, err));
    RD_TRY(check_range(t, from, n, err));
    if (n == 0) return RD_OK;
    const unsigned char *at = find_symbol(t, from);
    for (size_t i = 0; i < n; i++) ids[i] = next_id(t, v, &at);
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
        const unsigned char *at = find_symbol(t, first[b]);
        rd_real *to = x->at + b * x->stride[0];
        for (size_t i = 0; i < steps; i++) to[i * x->stride[1]] = (rd_real)next_id(t, v, &at);
    }
    return RD_OK;
}
