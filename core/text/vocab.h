/* vocab.h - the table from symbols to ids, for the files that look up many.
 *
 * Ids 1..special are <unk>, <bos>, <eos>, as far as there are any; id special + 1 + i is symbol i. BYTE and
 * CHAR: symbols[0, n_symbols) ascend strictly; pages hold the ids of 256 symbols each; page 0 holds the
 * id of what is lacking and stands for every stretch without a symbol. WORD: words[i]; the line feed is
 * the word "\n", or <eos>. BPE: bytes, then merges.
 * SPDX-License-Identifier: MIT */
#ifndef RD_VOCAB_H
#define RD_VOCAB_H
#include "rondo.h"
#include "text/bpe.h"
#include "text/utf8.h"
#include "text/words.h"

#define RDC_VOCAB_PAGE 256u

struct rd_vocab {
    uint32_t refs;
    rd_vocab_options how; /* min_count and max_size as they were asked for */
    size_t n;             /* ids */
    size_t special;
    int32_t unk, bos, eos; /* ids, or 0 */
    uint32_t *symbols;     /* BYTE, CHAR */
    int32_t (*pages)[RDC_VOCAB_PAGE];
    uint16_t page_of[RDC_CODE_POINTS / RDC_VOCAB_PAGE];
    rdc_words words;   /* WORD */
    rdc_merges merges; /* BPE */
};

/* Reads a stretch of bytes as ids. Set v, at and end; the rest is 0. */
typedef struct rdc_reader {
    const rd_vocab *v;
    const unsigned char *at, *end;
    uint32_t next, n_held; /* BPE: ids of the chunk before `at` that are still to be given */
    int32_t held[RDC_CHUNK];
} rdc_reader;

enum { RDC_END = -1 };
/* The next id, that of <unk> or 0 for what the vocabulary lacks, RDC_END at the end. [hot] */
int32_t rdc_read_id(rdc_reader *r);
/* Id of a byte or a valid code point that is read as it is. [hot] */
static inline int32_t rdc_vocab_id(const rd_vocab *v, uint32_t symbol)
{
    return v->pages[v->page_of[symbol / RDC_VOCAB_PAGE]][symbol % RDC_VOCAB_PAGE];
}
/* "byte", "char", "word" or "bpe". */
const char *rdc_level_name(rd_level level);
/* Sets the special ids of options; returns how many there are. */
size_t rdc_special_ids(rd_vocab *v, const rd_vocab_options *how);
#endif
