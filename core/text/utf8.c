/* utf8.c - decoding, encoding, checking and skipping of UTF-8.
 *
 * SPDX-License-Identifier: MIT */
#include "text/utf8.h"

#include <string.h>

bool rdc_utf8_point(uint32_t point)
{
    return point < RDC_CODE_POINTS && !(point >= 0xD800 && point <= 0xDFFF);
}

size_t rdc_utf8_decode(const unsigned char *at, size_t n, uint32_t *point)
{
    const uint32_t lead = at[0];
    if (lead < 0x80) {
        *point = lead;
        return 1;
    }
    size_t length;
    uint32_t value, least; /* least: below it the form is overlong */
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2, value = lead & 0x1F, least = 0x80;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3, value = lead & 0x0F, least = 0x800;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4, value = lead & 0x07, least = 0x10000;
    } else {
        return 0;
    }
    if (n < length) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) return 0;
        value = value << 6 | (at[i] & 0x3F);
    }
    if (value < least || !rdc_utf8_point(value)) return 0;
    *point = value;
    return length;
}

size_t rdc_utf8_encode(uint32_t point, char bytes[4])
{
    if (point < 0x80) {
        bytes[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        bytes[0] = (char)(0xC0 | point >> 6);
        bytes[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        bytes[0] = (char)(0xE0 | point >> 12);
        bytes[1] = (char)(0x80 | (point >> 6 & 0x3F));
        bytes[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    bytes[0] = (char)(0xF0 | point >> 18);
    bytes[1] = (char)(0x80 | (point >> 12 & 0x3F));
    bytes[2] = (char)(0x80 | (point >> 6 & 0x3F));
    bytes[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

size_t rdc_utf8_check(const char *text, size_t n)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t i = 0;
    while (i < n) {
        uint32_t point;
        const size_t length = rdc_utf8_decode(at + i, n - i, &point);
        if (length == 0) return i;
        i += length;
    }
    return n;
}

/* How many of the 8 bytes of `word` begin a code point: all but 10xxxxxx. */
static size_t count_leads(uint64_t word)
{
    const uint64_t tops = 0x8080808080808080u;
    const uint64_t continuation = word & ~(word << 1) & tops; /* bit 7 set, bit 6 not */
    return 8 - (size_t)__builtin_popcountll(continuation);
}

const unsigned char *rdc_utf8_skip(const unsigned char *at, const unsigned char *end, size_t n)
{
    /* Eight bytes at a time while they hold fewer starts than are left, so that the place is not run
     * over; then byte by byte to the start of the next code point. */
    while (n > 8 && end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        n -= count_leads(word);
        at += 8;
    }
    while (at < end && (*at & 0xC0) == 0x80) at++;
    for (; n > 0 && at < end; n--) {
        at++;
        while (at < end && (*at & 0xC0) == 0x80) at++;
    }
    return at;
}
