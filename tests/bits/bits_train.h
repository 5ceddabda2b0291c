/* bits_train.h - small trainings whose parameters have one hash wherever and however they are run.
 *
 * A case is a cell and an optimizer: ids -> one-hot or embedding -> cell -> linear -> cross-entropy, with
 * absent and masked ids, carried state, clipping by norm, 20 steps. tests/bits/golden.tsv holds its hash
 * (bit contract, rule 11). The arithmetic is the core's alone: the ids come from Philox.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_BITS_TRAIN_H
#define RD_TEST_BITS_TRAIN_H
#include "rondo.h"

typedef struct bits_form { /* what must not matter */
    uint32_t chunk;        /* steps to a call of the layers; 0: the whole sequence */
    bool validate;         /* a run without gradients between two steps */
} bits_form;

size_t bits_count(void);
/* The name of a case: three columns, cell, option and optimizer. */
void bits_name(size_t index, char name[96]);
/* XXH3-64 of all parameters after training. */
rd_status bits_train(rd_core *core, size_t index, const bits_form *form, uint64_t *hash,
                     rd_error *err);
/* XXH3-64 of ids that are drawn with every option of a draw. */
rd_status bits_sample(rd_core *core, uint64_t *hash, rd_error *err);
#define BITS_SAMPLE "sample\tall\tfilters" /* its name in golden.tsv */
#endif
