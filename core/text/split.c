/* split.c - words, chunks and lower case, as split.h describes them.
 * SPDX-License-Identifier: MIT */
#include "text/split.h"
#include "text/utf8.h"

bool rdc_is_blank(unsigned char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r' && byte != '\n');
}

static bool is_digit(uint32_t point)
{
    return point >= '0' && point <= '9';
}

static bool is_letter(uint32_t point)
{
    return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z') || point >= 0x80;
}

bool rdc_is_mark(uint32_t point)
{
    if (point < 0x80) return point > 0x20 && point < 0x7F && !is_letter(point) && !is_digit(point);
    return point == 0xA1 || point == 0xA7 || point == 0xAB || point == 0xB6 || point == 0xB7 ||
           point == 0xBB || point == 0xBF || (point >= 0x2010 && point <= 0x205E) ||
           (point >= 0x3001 && point <= 0x3003) || (point >= 0x3008 && point <= 0x3011) ||
           (point >= 0xFF01 && point <= 0xFF0F);
}

/* ---- words ---- */

/* The code point at `at` (what is not UTF-8: the byte), and its length. */
static uint32_t point_at(const unsigned char *at, const unsigned char *end, size_t *n)
{
    uint32_t point = *at;
    *n = rdc_utf8_decode(at, (size_t)(end - at), &point);
    if (*n == 0) *n = 1;
    return point;
}

static bool is_word_part(uint32_t point)
{
    return (is_letter(point) || is_digit(point)) && !rdc_is_mark(point);
}

/* Does a mark hold together what stands on both sides of it? `before`: the code point on its left. */
static bool joins(uint32_t mark, uint32_t before, const unsigned char *after,
                  const unsigned char *end)
{
    size_t n;
    if (after >= end) return false;
    const uint32_t next = point_at(after, end, &n);
    if (mark == '.' || mark == ',') return is_digit(before) && is_digit(next);
    if (mark == '\'' || mark == '-' || mark == '_' || mark == 0x2019)
        return is_word_part(before) && is_word_part(next);
    return false;
}

/* Length of the word at `at` where marks are words of their own. */
static size_t measure_word(const unsigned char *at, const unsigned char *end)
{
    const unsigned char *p = at;
    uint32_t before = 0;
    while (p < end && !rdc_is_blank(*p) && *p != '\n') {
        size_t n;
        const uint32_t point = point_at(p, end, &n);
        if (rdc_is_mark(point) && !(p > at && joins(point, before, p + n, end)))
            return p == at ? n : (size_t)(p - at);
        if ((size_t)(p - at) + n > RDC_CHUNK) break;
        before = point;
        p += n;
    }
    return (size_t)(p - at);
}

/* Length of the run of bytes that are no white space, cut between two characters. */
static size_t measure_run(const unsigned char *at, const unsigned char *end)
{
    const unsigned char *p = at;
    while (p < end && !rdc_is_blank(*p) && *p != '\n' && p - at < RDC_CHUNK) p++;
    if (p < end && p - at == RDC_CHUNK)
        for (int back = 0; back < 3 && (*p & 0xC0) == 0x80; back++) p--;
    return (size_t)(p - at);
}

rdc_slice rdc_next_word(const unsigned char *at, const unsigned char *end, bool punctuation)
{
    while (at < end && rdc_is_blank(*at)) at++;
    if (at == end) return (rdc_slice){at, 0};
    if (*at == '\n') return (rdc_slice){at, 1};
    return (rdc_slice){at, punctuation ? measure_word(at, end) : measure_run(at, end)};
}

/* ---- chunks ---- */

typedef enum kind { SPACE, LETTER, DIGIT, MARK } kind;

static kind kind_of(unsigned char byte)
{
    if (rdc_is_blank(byte) || byte == '\n') return SPACE;
    return is_letter(byte) ? LETTER : is_digit(byte) ? DIGIT : MARK;
}

rdc_slice rdc_next_chunk(const unsigned char *at, const unsigned char *end)
{
    if (at == end) return (rdc_slice){at, 0};
    if (*at == '\n') return (rdc_slice){at, 1};
    const unsigned char *limit = end - at > RDC_CHUNK ? at + RDC_CHUNK : end;
    const unsigned char *p = at;
    if (*p == ' ' && p + 1 < limit && kind_of(p[1]) != SPACE) p++;
    const kind run = kind_of(*p);
    while (p < limit && kind_of(*p) == run && *p != '\n') p++;
    /* The last space of a run goes with what follows it. */
    if (run == SPACE && p < end && p - at > 1 && p[-1] == ' ' && kind_of(*p) != SPACE) p--;
    return (rdc_slice){at, (size_t)(p - at)};
}

/* ---- lower case ---- */

/* Blocks where capitals and small letters alternate: the capital has the parity of the first. */
static bool alternates(uint32_t point, uint32_t *first)
{
    static const struct {
        uint32_t from, to;
    } blocks[] = {{0x100, 0x12F}, {0x132, 0x137}, {0x139, 0x148},   {0x14A, 0x177},
                  {0x179, 0x17E}, {0x1CD, 0x1DC}, {0x1DE, 0x1EF},   {0x1F8, 0x21F},
                  {0x222, 0x233}, {0x3D8, 0x3EF}, {0x460, 0x481},   {0x48A, 0x4BF},
                  {0x4C1, 0x4CE}, {0x4D0, 0x52F}, {0x1E00, 0x1E95}, {0x1EA0, 0x1EFF}};
    for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
        *first = blocks[i].from;
        if (point >= blocks[i].from && point <= blocks[i].to) return true;
    }
    return false;
}

uint32_t rdc_lower_point(uint32_t point)
{
    uint32_t first;
    if (point < 0x80) return point >= 'A' && point <= 'Z' ? point + 32 : point;
    if (point >= 0xC0 && point <= 0xDE) return point == 0xD7 ? point : point + 32;
    if (point == 0x178) return 0xFF;
    if (alternates(point, &first)) return (point - first) % 2 == 0 ? point + 1 : point;
    if (point >= 0x391 && point <= 0x3AB) return point == 0x3A2 ? point : point + 32;
    if (point == 0x386) return 0x3AC;
    if (point >= 0x388 && point <= 0x38A) return point + 37;
    if (point == 0x38C) return 0x3CC;
    if (point == 0x38E || point == 0x38F) return point + 63;
    if (point >= 0x410 && point <= 0x42F) return point + 32;
    if (point >= 0x400 && point <= 0x40F) return point + 80;
    if (point >= 0x531 && point <= 0x556) return point + 48;
    return point;
}

void rdc_lower(const unsigned char *at, size_t n, unsigned char *to)
{
    for (size_t i = 0; i < n;) {
        uint32_t point;
        const size_t taken = rdc_utf8_decode(at + i, n - i, &point);
        if (taken == 0)
            to[i] = at[i];
        else
            rdc_utf8_encode(rdc_lower_point(point), (char *)to + i);
        i += taken ? taken : 1;
    }
}
