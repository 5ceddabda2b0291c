/* vocab.c - symbols to ids and back.
 *
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "store/vocab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *rdc_level_name(rd_level level)
{
    return level == RD_BYTE ? "byte" : "char";
}

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
static size_t number_pages(rd_vocab *v)
{
    size_t pages = 1;
    for (size_t i = 0; i < v->n; i++) {
        uint16_t *page = &v->page_of[v->symbols[i] / RDC_VOCAB_PAGE];
        if (*page == 0) *page = (uint16_t)pages++;
    }
    return pages;
}

rd_status rd_vocab_new(rd_level level, const uint32_t *symbols, size_t n, rd_vocab **out,
                       rd_error *err)
{
    RD_TRY(check_symbols(level, symbols, n, err));
    rd_vocab *v = calloc(1, sizeof(*v));
    if (!v) return rdc_no_memory(err, sizeof(*v));
    v->refs = 1;
    v->level = level;
    v->n = n;
    v->symbols = malloc(n * sizeof(*symbols));
    if (v->symbols) {
        memcpy(v->symbols, symbols, n * sizeof(*symbols));
        v->pages = calloc(number_pages(v), sizeof(*v->pages));
    }
    if (!v->pages) {
        rd_vocab_release(v);
        return rdc_no_memory(err, n * sizeof(*symbols));
    }
    for (size_t i = 0; i < n; i++)
        v->pages[v->page_of[symbols[i] / RDC_VOCAB_PAGE]][symbols[i] % RDC_VOCAB_PAGE] =
            (int32_t)(i + 1);
    *out = v;
    return RD_OK;
}

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
    free(v);
}

size_t rd_vocab_size(const rd_vocab *v)
{
    return v->n;
}

rd_level rd_vocab_level(const rd_vocab *v)
{
    return v->level;
}

uint32_t rd_vocab_symbol(const rd_vocab *v, size_t id)
{
    return id >= 1 && id <= v->n ? v->symbols[id - 1] : 0;
}

/* Can the symbol be shown between quotes? Control characters cannot. */
static bool is_shown(uint32_t symbol)
{
    return symbol >= 0x20 && !(symbol >= 0x7F && symbol < 0xA0);
}

static rd_status refuse_symbol(const rd_vocab *v, uint32_t symbol, size_t position, rd_error *err)
{
    char shown[16] = "";
    if (is_shown(symbol) && (v->level == RD_CHAR || symbol < 0x80)) {
        char bytes[4];
        const int n = (int)rdc_utf8_encode(symbol, bytes);
        snprintf(shown, sizeof(shown), " '%.*s'", n, bytes);
    }
    if (v->level == RD_BYTE)
        return rdc_fail(err, RD_E_ARG, "byte%s (0x%02X) at position %zu is not in the vocabulary",
                        shown, symbol, position);
    return rdc_fail(err, RD_E_ARG, "character%s (U+%04X) at position %zu is not in the vocabulary",
                    shown, symbol, position);
}

rd_status rd_vocab_encode(const rd_vocab *v, const char *text, size_t length, int32_t *ids,
                          size_t *n, rd_error *err)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t used = 0;
    for (size_t i = 0; i < length; used++) {
        uint32_t symbol = at[i];
        const size_t bytes = v->level == RD_BYTE ? 1 : rdc_utf8_decode(at + i, length - i, &symbol);
        if (bytes == 0)
            return rdc_fail(err, RD_E_ARG, "the text is not UTF-8: byte 0x%02X at position %zu",
                            at[i], used + 1);
        ids[used] = rdc_vocab_id(v, symbol);
        if (ids[used] == 0) return refuse_symbol(v, symbol, used + 1, err);
        i += bytes;
    }
    *n = used;
    return RD_OK;
}

size_t rd_vocab_decode(const rd_vocab *v, int32_t id, char bytes[4])
{
    if (id < 1 || (size_t)id > v->n) return 0;
    const uint32_t symbol = v->symbols[id - 1];
    if (v->level == RD_CHAR) return rdc_utf8_encode(symbol, bytes);
    bytes[0] = (char)symbol;
    return 1;
}
