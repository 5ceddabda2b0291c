/* words.h - a table of different byte strings, numbered in the order in which they were added.
 *
 * Owns copies of the strings, one behind the other. Invariant: slot[] has a power of two places, at most
 * two thirds of them taken; each holds the number of a string plus one, or 0.
 * SPDX-License-Identifier: MIT */
#ifndef RD_WORDS_H
#define RD_WORDS_H
#include "rondo.h"

#define RDC_NO_WORD UINT32_MAX

typedef struct rdc_words {
    size_t n;
    char *bytes;    /* string i is bytes[start[i], start[i + 1]) */
    size_t *start;  /* n + 1 of them once there is one */
    uint32_t *hash; /* low half of each string's XXH3 */
    uint32_t *slot;
    size_t slots, room, bytes_room; /* places there are */
} rdc_words;

void rdc_words_free(rdc_words *w); /* leaves an empty table */
/* Number of the string, or RDC_NO_WORD. [hot] */
uint32_t rdc_words_find(const rdc_words *w, const void *at, size_t n);
/* Number of the string, which is copied in where it is new. Fails without memory. */
rd_status rdc_words_add(rdc_words *w, const void *at, size_t n, uint32_t *number, rd_error *err);
static inline const char *rdc_words_at(const rdc_words *w, size_t number, size_t *n)
{
    *n = w->start[number + 1] - w->start[number];
    return w->bytes + w->start[number];
}
#endif
