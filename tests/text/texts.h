/* texts.h - texts for the tests that read them.
 * SPDX-License-Identifier: MIT */
#ifndef RD_STORE_TEXTS_H
#define RD_STORE_TEXTS_H
#include "rondo.h"
#include "store/scratch.h"
#include "text/utf8.h"

static inline rd_text *open_text(scratch *s, rd_level level, const void *bytes, size_t n)
{
    rd_error err = {0};
    rd_text *t = NULL;
    const char *path = scratch_write(s, "text.txt", bytes, n);
    if (rd_text_open(path, &(rd_vocab_options){.level = level}, &t, &err) != RD_OK)
        fail_msg("%s", err.text);
    return t;
}

/* The vocabulary of a whole text. */
static inline rd_vocab *vocab_of(const rd_text *t, const rd_vocab_options *how)
{
    rd_error err = {0};
    rd_vocab_fit *f = NULL;
    rd_vocab *v = NULL;
    rd_status status = rd_vocab_fit_new(how, &f, &err);
    if (status == RD_OK) status = rd_text_fit(t, 0, rd_text_bytes(t), f, &err);
    if (status == RD_OK) status = rd_vocab_fit_end(f, &v, &err);
    rd_vocab_fit_free(f);
    if (status != RD_OK) fail_msg("%s", err.text);
    return v;
}

/* Symbol of an id of a vocabulary of bytes or characters without special ids. */
static inline uint32_t symbol_of(const rd_vocab *v, int32_t id)
{
    size_t n;
    const uint32_t *symbols = rd_vocab_symbols(v, &n);
    return symbols[id - 1];
}

static const rd_vocab_options by_char = {.level = RD_CHAR}, by_byte = {.level = RD_BYTE};

/* Text of n characters of 1 to 4 bytes in no regular order; points[i] is the i-th. */
static inline size_t mixed(uint32_t *points, size_t n, char *bytes)
{
    static const uint32_t alphabet[] = {'a', 'z', '\n', 0xE9, 0x7FF, 0x20AC, 0xFFFD, 0x1F3B5};
    uint32_t random = 1;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        random = random * 1664525U + 1013904223U; /* Numerical Recipes' generator */
        points[i] = alphabet[random >> 29];
        used += rdc_utf8_encode(points[i], bytes + used);
    }
    return used;
}
#endif
