/* bpe.c - merges applied to a chunk.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "text/bpe.h"

#include <stdlib.h>
#include <string.h>

static size_t slot_of(int32_t a, int32_t b, size_t slots)
{
    const uint64_t key = (uint64_t)(uint32_t)a << 32 | (uint32_t)b;
    return (size_t)(key * 0x9E3779B97F4A7C15u >> 32) &
           (slots - 1); /* Knuth's multiplicative hash */
}

/* Number of the merge that joins the pair, or m->n. [hot] */
static uint32_t find_merge(const rdc_merges *m, int32_t a, int32_t b)
{
    size_t s = slot_of(a, b, m->slots);
    for (; m->slot[s] != 0; s = (s + 1) & (m->slots - 1)) {
        const uint32_t i = m->slot[s] - 1;
        if (m->pair[2 * i] == a && m->pair[2 * i + 1] == b) return i;
    }
    return (uint32_t)m->n;
}

static size_t length_of(const rdc_merges *m, int32_t symbol)
{
    if (symbol < RDC_BYTES) return 1;
    return m->start[symbol - RDC_BYTES + 1] - m->start[symbol - RDC_BYTES];
}

static void spell(const rdc_merges *m, int32_t symbol, char *to)
{
    if (symbol < RDC_BYTES)
        *to = (char)symbol;
    else
        memcpy(to, m->bytes + m->start[symbol - RDC_BYTES], length_of(m, symbol));
}

/* Checks merge i, notes it in the table and spells its symbol. */
static rd_status add_merge(rdc_merges *m, size_t i, rd_error *err)
{
    const int32_t a = m->pair[2 * i], b = m->pair[2 * i + 1], next = (int32_t)(RDC_BYTES + i);
    if (a < 0 || a >= next || b < 0 || b >= next)
        return rdc_fail(
            err, RD_E_ARG,
            "vocabulary: merge %zu joins symbols %d and %d, of which not both are there", i + 1, a,
            b);
    const size_t left = length_of(m, a), n = left + length_of(m, b);
    if (n > RDC_CHUNK)
        return rdc_fail(err, RD_E_ARG, "vocabulary: merge %zu makes a symbol of %zu bytes, over %d",
                        i + 1, n, RDC_CHUNK);
    size_t s = slot_of(a, b, m->slots);
    for (; m->slot[s] != 0; s = (s + 1) & (m->slots - 1))
        if (m->pair[2 * (m->slot[s] - 1)] == a && m->pair[2 * (m->slot[s] - 1) + 1] == b)
            return rdc_fail(err, RD_E_ARG, "vocabulary: merges %u and %zu join the same pair",
                            m->slot[s], i + 1);
    m->slot[s] = (uint32_t)(i + 1);
    spell(m, a, m->bytes + m->start[i]);
    spell(m, b, m->bytes + m->start[i] + left);
    m->start[i + 1] = m->start[i] + n;
    return RD_OK;
}

rd_status rdc_merges_new(const int32_t *pair, size_t n, rdc_merges *out, rd_error *err)
{
    rdc_merges m = {.n = n, .slots = 16};
    rd_status status = RD_OK;
    if (n > INT32_MAX / (2 * RDC_CHUNK))
        return rdc_fail(err, RD_E_ARG, "vocabulary: %zu merges are too many", n);
    while (m.slots < 2 * n) m.slots *= 2;
    m.pair = malloc((2 * n + 1) * sizeof(*m.pair));
    m.slot = calloc(m.slots, sizeof(*m.slot));
    m.bytes = malloc(n * RDC_CHUNK + 1);
    m.start = malloc((n + 1) * sizeof(*m.start));
    if (!m.pair || !m.slot || !m.bytes || !m.start) {
        status = rdc_no_memory(err, n * RDC_CHUNK);
    } else {
        if (n > 0) memcpy(m.pair, pair, 2 * n * sizeof(*pair));
        m.start[0] = 0;
        for (size_t i = 0; i < n && status == RD_OK; i++) status = add_merge(&m, i, err);
    }
    if (status != RD_OK) {
        rdc_merges_free(&m);
        return status;
    }
    char *smaller = realloc(m.bytes, m.start[n] + 1);
    if (smaller) m.bytes = smaller;
    *out = m;
    return RD_OK;
}

void rdc_merges_free(rdc_merges *m)
{
    free(m->pair);
    free(m->slot);
    free(m->bytes);
    free(m->start);
    *m = (rdc_merges){0};
}

size_t rdc_merges_apply(const rdc_merges *m, const unsigned char *at, size_t n,
                        int32_t symbols[RDC_CHUNK])
{
    uint32_t rank[RDC_CHUNK]; /* merge of symbols i and i + 1, or m->n */
    for (size_t i = 0; i < n; i++) symbols[i] = at[i];
    for (size_t i = 0; i + 1 < n; i++) rank[i] = find_merge(m, symbols[i], symbols[i + 1]);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (rank[i] < rank[best]) best = i;
        if (rank[best] == m->n) break;
        symbols[best] = (int32_t)(RDC_BYTES + rank[best]);
        n--;
        for (size_t i = best + 1; i < n; i++) symbols[i] = symbols[i + 1];
        for (size_t i = best; i + 1 < n; i++) rank[i] = rank[i + 1];
        if (best > 0) rank[best - 1] = find_merge(m, symbols[best - 1], symbols[best]);
        if (best + 1 < n) rank[best] = find_merge(m, symbols[best], symbols[best + 1]);
    }
    return n;
}

const char *rdc_merges_spelling(const rdc_merges *m, size_t symbol, size_t *n)
{
    const size_t i = symbol - RDC_BYTES;
    *n = m->start[i + 1] - m->start[i];
    return m->bytes + m->start[i];
}
