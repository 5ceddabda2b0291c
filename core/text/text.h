/* text.h - a mapped text, for the files that read it.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEXT_H
#define RD_TEXT_H
#include "store/files.h"
#include "text/vocab.h"

struct rd_text {
    rdc_mapping file;
    rd_vocab_options how;             /* level and punctuation */
    const unsigned char *begin, *end; /* without a byte order mark */
    uint64_t length;                  /* symbols */
    uint64_t *index;                  /* places; NULL where every symbol is one byte */
    uint32_t step;                    /* symbols between two entries of the index */
    rd_vocab *used;                   /* BPE: the vocabulary that numbers the symbols, or NULL */
    char *path;                       /* for messages */
};

/* A place is an offset from `begin` and, at level BPE, how many symbols of the chunk there come before it:
 * offset * RDC_PLACE + symbols. */
enum { RDC_PLACE = 256 };

/* A reader that stands at a place and reads up to `end`. */
rdc_reader rdc_text_reader(const rd_text *t, const rd_vocab *v, uint64_t place,
                           const unsigned char *end);
/* The place where a reader stands. */
uint64_t rdc_text_place(const rd_text *t, const rdc_reader *r);
/* Is the vocabulary of the text's level, and the file as long as it was? */
rd_status rdc_text_check(const rd_text *t, const rd_vocab *v, rd_error *err);
#endif
