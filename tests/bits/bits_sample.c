/* bits_sample.c - ids drawn through everything that shapes a draw, which have one hash on every machine.
 * SPDX-License-Identifier: MIT */
#include "bits_train.h"

#include <math.h>
#include <xxhash.h>

enum { ROWS = 4, CLASSES = 97, DRAWS = 100, TOP = 7 };

static uint64_t hash_of(const rd_tensor *x, uint64_t seed)
{
    rd_real values[ROWS * CLASSES];
    rd_tensor_read(x, values);
    return XXH3_64bits_withSeed(values, rd_tensor_numel(x) * sizeof *values, seed);
}

/* Draw number `time`: the ids of all rows, and the largest of the logits as they were drawn from. */
static rd_status draw(rd_tensor *logits, const rd_sampling *how, uint32_t time, uint64_t *hash,
                      rd_error *err)
{
    const rd_stream from = {.seed = 5, .purpose = RD_FOR_USER, .time = time};
    const rd_stream s = {.seed = 5, .purpose = RD_FOR_SAMPLE, .update = 2, .time = time};
    rd_tensor *ids = NULL, *adjusted = NULL, *best = NULL, *values = NULL;
    rd_status status = rd_fill_uniform(logits, -6, 6, &from, err);
    if (status == RD_OK) status = rd_sample(logits, how, &s, &ids, err);
    if (status == RD_OK) status = rd_adjust(logits, how, &adjusted, err);
    if (status == RD_OK) status = rd_top(adjusted, TOP, &best, &values, err);
    if (status == RD_OK) *hash = hash_of(values, hash_of(best, hash_of(ids, *hash)));
    rd_tensor_release(values);
    rd_tensor_release(best);
    rd_tensor_release(adjusted);
    rd_tensor_release(ids);
    return status;
}

rd_status bits_sample(rd_core *core, uint64_t *hash, rd_error *err)
{
    static const rd_bias bias[] = {{3, 2.5}, {50, -INFINITY}, {9, -1}};
    int32_t seen[CLASSES / 3], allowed[CLASSES - 10];
    rd_tensor *logits = NULL;
    for (int32_t i = 0; i < CLASSES / 3; i++) seen[i] = 3 * i + 1;
    for (int32_t i = 0; i < CLASSES - 10; i++) allowed[i] = i + 1;
    const rd_sampling how = {.temperature = 1.2,
                             .top_k = 40,
                             .typical_p = 0.9,
                             .top_p = 0.9,
                             .min_p = 0.02,
                             .penalty = 1.3,
                             .seen = seen,
                             .n_seen = CLASSES / 3,
                             .bias = bias,
                             .n_bias = 3,
                             .allowed = allowed,
                             .n_allowed = CLASSES - 10};
    rd_status status = rd_tensor_new(core, 2, (size_t[]){ROWS, CLASSES}, RD_DENSE, &logits, err);
    *hash = 0;
    for (uint32_t time = 0; time < DRAWS && status == RD_OK; time++)
        status = draw(logits, &how, time, hash, err);
    rd_tensor_release(logits);
    return status;
}
