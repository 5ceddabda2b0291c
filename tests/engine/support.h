/* support.h - what the tests of the engine share: a core, tensors of made-up numbers, two odd cells.
 *
 * Linked into every test of this folder. "test_odd" is a cell with all that the cells of the tree do not
 * use: three phases, two temps of different width, a line fed by two temps, two vectors (one of them used
 * in two phases), a save, x read directly, a second state of another width. "test_stop" has a state
 * without gradient. "test_forward" has no backward.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_SUPPORT_H
#define RD_TEST_SUPPORT_H
#include "rondo.h"

rd_core *test_core(uint32_t threads, const char *kernels); /* NULL: kernels are not there */
void test_ok(rd_status status, const rd_error *err);
/* Numbers in [-1, 1) that depend on the seed and the index alone. */
rd_real test_number(uint32_t seed, size_t index);
rd_tensor *test_tensor(rd_core *core, uint32_t seed, rd_order order, uint32_t ndim,
                       const size_t *shape);
void test_set(rd_tensor *t, const rd_real *values); /* in no_grad */

typedef struct test_layer {
    const char *cell;
    const char *option, *choice; /* one option set to a choice, or NULL */
    uint32_t bias, in, hidden;
} test_layer;
rd_rnn *test_rnn(rd_core *core, const test_layer *layer);
#endif
