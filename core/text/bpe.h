/* bpe.h - byte-pair encoding (Sennrich, Haddow & Birch 2016), over the 256 bytes.
 *
 * Symbols are numbered from 0: the bytes 0..255, then 256 + i for what merge i makes of its pair. A merge is
 * applied before all later ones, from left to right. No symbol is longer than a chunk.
 * SPDX-License-Identifier: MIT */
#ifndef RD_BPE_H
#define RD_BPE_H
#include "text/split.h"
#include "text/words.h"

enum { RDC_BYTES = 256 };

typedef struct rdc_merges {
    size_t n;
    int32_t *pair;  /* merge i joins pair[2 i] and pair[2 i + 1] */
    uint32_t *slot; /* open addressing by pair: number of the merge + 1, or 0 */
    size_t slots;   /* a power of two */
    char *bytes;    /* spellings of the merged symbols, one behind the other */
    size_t *start;  /* merge i is bytes[start[i], start[i + 1]) */
} rdc_merges;

/* Pairs are copied. Fails on a pair that is not of earlier symbols, that comes twice, or whose spelling is
 * longer than a chunk. */
rd_status rdc_merges_new(const int32_t *pair, size_t n, rdc_merges *out, rd_error *err);
void rdc_merges_free(rdc_merges *m);
/* Symbols of a chunk of n <= RDC_CHUNK bytes; returns how many. [hot] */
size_t rdc_merges_apply(const rdc_merges *m, const unsigned char *at, size_t n,
                        int32_t symbols[RDC_CHUNK]);
/* Bytes of a symbol 256 + i. */
const char *rdc_merges_spelling(const rdc_merges *m, size_t symbol, size_t *n);

/* Learns up to *n merges of pairs that occur at least min_count times in the chunks, where chunk i occurs
 * count[i] times: the most frequent pair first, of equal ones that with the smaller left, then right,
 * symbol. pair has room for 2 *n; *n becomes how many there are. [setup] */
rd_status rdc_merges_learn(const rdc_words *chunks, const uint64_t *count, uint64_t min_count,
                           int32_t *pair, size_t *n, rd_error *err);
#endif
