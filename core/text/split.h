/* split.h - where words and chunks begin and end, and lower case.
 *
 * Level word: words are what lies between white space (space, tab, vertical tab, form feed, carriage
 * return). A line feed is a word of its own. With `punctuation`, so is each mark: ASCII punctuation and
 * the Latin, general and CJK marks of Unicode, but for an apostrophe, hyphen or underscore between two
 * letters or digits ("don't", "well-known") and a full stop or comma between two digits ("3.14").
 *
 * Level bpe: chunks, over whose borders nothing is merged. A chunk is one line feed, or a run of letters
 * (ASCII letters and all bytes from 0x80 on), of digits or of other marks, each with one space before it
 * where there is one, or a run of white space. Chunks joined are the text.
 *
 * Both are cut at RDC_CHUNK bytes, words between two characters.
 * SPDX-License-Identifier: MIT */
#ifndef RD_SPLIT_H
#define RD_SPLIT_H
#include "rondo.h"

enum { RDC_CHUNK = 128 };

typedef struct rdc_slice {
    const unsigned char *at;
    size_t n; /* bytes; 0: there is none */
} rdc_slice;

/* First word at or behind `at`; none: at end. [hot] */
rdc_slice rdc_next_word(const unsigned char *at, const unsigned char *end, bool punctuation);
/* The chunk that begins at `at`. [hot] */
rdc_slice rdc_next_chunk(const unsigned char *at, const unsigned char *end);
/* White space but for the line feed. */
bool rdc_is_blank(unsigned char byte);
/* Lower case of a code point: ASCII, Latin, Greek, Cyrillic and Armenian, where both are as long in
 * UTF-8. A table of our own, since the C library's depends on the machine. */
uint32_t rdc_lower_point(uint32_t point);
/* Writes the lower case of n bytes, which is as long. What is not UTF-8 stays. */
void rdc_lower(const unsigned char *at, size_t n, unsigned char *to);
/* Is it a mark that `punctuation` sets apart? */
bool rdc_is_mark(uint32_t point);
#endif
