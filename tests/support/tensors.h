/* tensors.h - small tensors for tests: made from literals, compared with literals, gradients checked.
 *
 * Every function fails the running cmocka test when a call of the core fails.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_TENSORS_H
#define RD_TEST_TENSORS_H
#include "rondo_check.h"

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SHAPE(...) \
    (uint32_t)(sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t)), ((size_t[]){__VA_ARGS__})
#define VALUES(...) ((double[]){__VA_ARGS__})

/* Setup and teardown of a test group with *state the core, one thread. */
int test_open_core(void **state);
int test_close_core(void **state); /* fails if a tensor was not released: the core would stay */

/* Fails with the error's sentence. */
void test_ok(rd_status status, const rd_error *err);
#define OK(call) test_ok((call), &err)
/* The call fails and its sentence is `text`. */
void test_fails(rd_status status, const rd_error *err, const char *text);

/* Releases all of them. */
#define RELEASE(...) \
    test_release(sizeof((rd_tensor *[]){__VA_ARGS__}) / sizeof(rd_tensor *), \
                 (rd_tensor *[]){__VA_ARGS__})
void test_release(size_t n, rd_tensor *const *t);

/* A leaf or a constant with values in logical order. */
rd_tensor *test_tensor(rd_core *core, uint32_t ndim, const size_t *shape, const double *values);
rd_tensor *test_sequence(rd_core *core, uint32_t ndim, const size_t *shape, const double *values);
/* A leaf that wants a gradient, with values between -1 and 1 that differ for each `seed`. */
rd_tensor *test_leaf(rd_core *core, uint32_t ndim, const size_t *shape, rd_order order,
                     uint32_t seed);
/* The same with these values, by rows. */
rd_tensor *test_leaf_of(rd_core *core, uint32_t ndim, const size_t *shape, const double *values);
/* Plays y backward from the seed; releases both. */
void test_play(rd_tensor *y, rd_tensor *seed);

/* Shape and values in logical order: bit by bit, after the literals are rounded to rd_real. */
void test_expect(const rd_tensor *t, uint32_t ndim, const size_t *shape, const double *values);
/* As above, within `tolerance` of max(1, |value|). */
void test_expect_near(const rd_tensor *t, const double *values, double tolerance);

/* The same shape and the same bits in logical order, in whatever storage order. */
void test_same(const rd_tensor *a, const rd_tensor *b);

/* sum(t * weights) with fixed weights that tell elements apart; releases t. */
rd_status test_weighted_sum(rd_tensor *t, rd_tensor **out, rd_error *err);
/* Five-point differences in the double build; in float backward is played, and gradients are finite. f as in
 * rd_check_gradients. */
void test_gradients(rd_scalar_fn f, void *user, rd_tensor *const *leaves, size_t n);
/* The same where differences are less exact than 1e-9. */
void test_gradients_within(double tolerance, rd_scalar_fn f, void *user, rd_tensor *const *leaves,
                           size_t n);
#endif
