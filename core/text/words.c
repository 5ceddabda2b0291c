/* words.c - a hash table of byte strings, open addressing with steps of one.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "text/words.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FIRST_SLOTS = 1024, FIRST_WORDS = 512, FIRST_BYTES = 4096 };

void rdc_words_free(rdc_words *w)
{
    free(w->bytes);
    free(w->start);
    free(w->hash);
    free(w->slot);
    *w = (rdc_words){0};
}

static uint32_t hash_of(const void *at, size_t n)
{
    return (uint32_t)XXH3_64bits(at, n);
}

/* The slot that holds the string, or the free one where it belongs. */
static size_t find_slot(const rdc_words *w, const void *at, size_t n, uint32_t hash)
{
    size_t s = hash & (w->slots - 1);
    for (; w->slot[s] != 0; s = (s + 1) & (w->slots - 1)) {
        const size_t i = w->slot[s] - 1;
        size_t length;
        const char *word = rdc_words_at(w, i, &length);
        if (w->hash[i] == hash && length == n && memcmp(word, at, n) == 0) break;
    }
    return s;
}

uint32_t rdc_words_find(const rdc_words *w, const void *at, size_t n)
{
    if (w->n == 0) return RDC_NO_WORD;
    const uint32_t taken = w->slot[find_slot(w, at, n, hash_of(at, n))];
    return taken == 0 ? RDC_NO_WORD : taken - 1;
}

static rd_status grow_slots(rdc_words *w, rd_error *err)
{
    const size_t slots = w->slots ? 2 * w->slots : FIRST_SLOTS;
    uint32_t *slot = calloc(slots, sizeof(*slot));
    if (!slot) return rdc_no_memory(err, slots * sizeof(*slot));
    for (size_t i = 0; i < w->n; i++) {
        size_t s = w->hash[i] & (slots - 1);
        while (slot[s] != 0) s = (s + 1) & (slots - 1);
        slot[s] = (uint32_t)(i + 1);
    }
    free(w->slot);
    w->slot = slot;
    w->slots = slots;
    return RD_OK;
}

static rd_status grow_words(rdc_words *w, rd_error *err)
{
    const size_t room = w->room ? 2 * w->room : FIRST_WORDS;
    if (room >= RDC_NO_WORD) return rdc_fail(err, RD_E_ARG, "more than 4294967294 different words");
    size_t *start = realloc(w->start, (room + 1) * sizeof(*start));
    if (!start) return rdc_no_memory(err, (room + 1) * sizeof(*start));
    if (!w->start) start[0] = 0;
    w->start = start;
    uint32_t *hash = realloc(w->hash, room * sizeof(*hash));
    if (!hash) return rdc_no_memory(err, room * sizeof(*hash));
    w->hash = hash;
    w->room = room;
    return RD_OK;
}

static rd_status grow_bytes(rdc_words *w, size_t n, rd_error *err)
{
    size_t room = w->bytes_room ? w->bytes_room : FIRST_BYTES;
    while (room < w->start[w->n] + n) room *= 2; /* n is the length of something in memory */
    char *bytes = realloc(w->bytes, room);
    if (!bytes) return rdc_no_memory(err, room);
    w->bytes = bytes;
    w->bytes_room = room;
    return RD_OK;
}

rd_status rdc_words_add(rdc_words *w, const void *at, size_t n, uint32_t *number, rd_error *err)
{
    if (3 * w->n >= 2 * w->slots) RD_TRY(grow_slots(w, err));
    const uint32_t hash = hash_of(at, n);
    const size_t s = find_slot(w, at, n, hash);
    if (w->slot[s] != 0) {
        *number = w->slot[s] - 1;
        return RD_OK;
    }
    if (w->n == w->room) RD_TRY(grow_words(w, err));
    if (!w->bytes || w->bytes_room - w->start[w->n] < n) RD_TRY(grow_bytes(w, n, err));
    memcpy(w->bytes + w->start[w->n], at, n);
    w->start[w->n + 1] = w->start[w->n] + n;
    w->hash[w->n] = hash;
    *number = (uint32_t)w->n++;
    w->slot[s] = *number + 1;
    return RD_OK;
}
