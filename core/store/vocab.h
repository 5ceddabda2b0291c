/* vocab.h - the table from symbols to ids, for the files that look up many.
 *
 * Invariant: symbols[0, n) ascend strictly; id k is symbols[k - 1]. Pages hold the ids of 256 symbols
 * each; page 0 is all zeros and stands for every stretch without a symbol.
 * SPDX-License-Identifier: MIT */
#ifndef RD_VOCAB_H
#define RD_VOCAB_H
#include "rondo.h"
#include "store/utf8.h"

#define RDC_VOCAB_PAGE 256u

struct rd_vocab {
    uint32_t refs;
    rd_level level;
    size_t n;
    uint32_t *symbols;
    int32_t (*pages)[RDC_VOCAB_PAGE];
    uint16_t page_of[RDC_CODE_POINTS / RDC_VOCAB_PAGE];
};

/* Id of a symbol (a byte or a valid code point), or 0. [hot] */
static inline int32_t rdc_vocab_id(const rd_vocab *v, uint32_t symbol)
{
    return v->pages[v->page_of[symbol / RDC_VOCAB_PAGE]][symbol % RDC_VOCAB_PAGE];
}
/* "byte" or "char". */
const char *rdc_level_name(rd_level level);
#endif
