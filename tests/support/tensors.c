/* tensors.c - small tensors for tests.
 * SPDX-License-Identifier: MIT */
#include "tensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int test_open_core(void **state)
{
    rd_error err;
    return rd_core_open(&(rd_core_options){.threads = 1}, (rd_core **)state, &err);
}

int test_close_core(void **state)
{
    rd_core *const core = *state;
    const size_t live = rd_core_memory(core).live_bytes;
    rd_core_release(core);
    return live > 0;
}

void test_ok(rd_status status, const rd_error *err)
{
    if (status != RD_OK) fail_msg("%s", err->text);
}

void test_fails(rd_status status, const rd_error *err, const char *text)
{
    assert_int_not_equal(status, RD_OK);
    assert_int_equal(status, err->code);
    assert_string_equal(err->text, text);
}

void test_release(size_t n, rd_tensor *const *t)
{
    for (size_t i = 0; i < n; i++) rd_tensor_release(t[i]);
}

static rd_tensor *make(rd_core *core, uint32_t ndim, const size_t *shape, rd_order order,
                       const double *values)
{
    rd_error err;
    rd_tensor *t = NULL;
    OK(rd_tensor_new(core, ndim, shape, order, &t, &err));
    const size_t n = rd_tensor_numel(t);
    rd_real *const real = test_malloc((n + 1) * sizeof(rd_real));
    for (size_t e = 0; e < n; e++) real[e] = (rd_real)values[e];
    OK(rd_tensor_write(t, real, &err));
    test_free(real);
    return t;
}

rd_tensor *test_tensor(rd_core *core, uint32_t ndim, const size_t *shape, const double *values)
{
    return make(core, ndim, shape, RD_DENSE, values);
}

rd_tensor *test_sequence(rd_core *core, uint32_t ndim, const size_t *shape, const double *values)
{
    return make(core, ndim, shape, RD_SEQUENCE, values);
}

rd_tensor *test_leaf(rd_core *core, uint32_t ndim, const size_t *shape, rd_order order,
                     uint32_t seed)
{
    rd_error err;
    rd_tensor *t = NULL;
    OK(rd_tensor_new(core, ndim, shape, order, &t, &err));
    OK(rd_fill_uniform(t, -1, 1, &(rd_stream){.seed = seed, .purpose = RD_FOR_USER}, &err));
    OK(rd_set_requires_grad(t, true, &err));
    return t;
}

rd_tensor *test_leaf_of(rd_core *core, uint32_t ndim, const size_t *shape, const double *values)
{
    rd_error err;
    rd_tensor *t = test_tensor(core, ndim, shape, values);
    OK(rd_set_requires_grad(t, true, &err));
    return t;
}

void test_play(rd_tensor *y, rd_tensor *seed)
{
    rd_error err;
    OK(rd_backward(y, seed, false, &err));
    RELEASE(y, seed);
}

void test_expect(const rd_tensor *t, uint32_t ndim, const size_t *shape, const double *values)
{
    assert_int_equal(rd_tensor_ndim(t), ndim);
    for (uint32_t d = 0; d < ndim; d++) assert_int_equal(rd_tensor_shape(t)[d], shape[d]);
    test_expect_near(t, values, 0);
}

void test_expect_near(const rd_tensor *t, const double *values, double tolerance)
{
    const size_t n = rd_tensor_numel(t);
    rd_real *const real = test_malloc((n + 1) * sizeof(rd_real));
    rd_tensor_read(t, real);
    for (size_t e = 0; e < n; e++) {
        const double want = (double)(rd_real)values[e];
        const double limit = tolerance * fmax(1, fabs(want));
        if (!(fabs((double)real[e] - want) <= limit) && !(isnan(want) && isnan(real[e])) &&
            (double)real[e] != want)
            fail_msg("element %zu: %.17g, expected %.17g", e, (double)real[e], want);
    }
    test_free(real);
}

void test_same(const rd_tensor *a, const rd_tensor *b)
{
    assert_non_null(a);
    assert_non_null(b);
    const size_t n = rd_tensor_numel(a), bytes = n * sizeof(rd_real);
    assert_int_equal(rd_tensor_ndim(a), rd_tensor_ndim(b));
    for (uint32_t d = 0; d < rd_tensor_ndim(a); d++)
        assert_int_equal(rd_tensor_shape(a)[d], rd_tensor_shape(b)[d]);
    rd_real *const x = test_malloc(bytes + 1), *const y = test_malloc(bytes + 1);
    rd_tensor_read(a, x);
    rd_tensor_read(b, y);
    for (size_t e = 0; e < n; e++)
        if (memcmp(x + e, y + e, sizeof *x) != 0)
            fail_msg("element %zu: %.17g is not %.17g", e, (double)x[e], (double)y[e]);
    test_free(y);
    test_free(x);
}

rd_status test_weighted_sum(rd_tensor *t, rd_tensor **out, rd_error *err)
{
    rd_tensor *weights = NULL, *product = NULL;
    const rd_stream stream = {.seed = 77, .purpose = RD_FOR_USER};
    rd_status status = rd_tensor_new(rd_tensor_core(t), rd_tensor_ndim(t), rd_tensor_shape(t),
                                     RD_DENSE, &weights, err);
    if (status == RD_OK) status = rd_fill_uniform(weights, 0.5, 1.5, &stream, err);
    if (status == RD_OK) status = rd_apply2(RD_MUL, t, weights, &product, err);
    if (status == RD_OK) status = rd_sum(product, RD_ALL, false, out, err);
    rd_tensor_release(product);
    rd_tensor_release(weights);
    rd_tensor_release(t);
    return status;
}

void test_gradients(rd_scalar_fn f, void *user, rd_tensor *const *leaves, size_t n)
{
    test_gradients_within(1e-9, f, user, leaves, n);
}

/* Gradients are numbers, whichever they are. */
static void play_once(rd_scalar_fn f, void *user, rd_tensor *const *leaves, size_t n)
{
    rd_error err;
    rd_tensor *y = NULL;
    OK(f(user, &y, &err));
    OK(rd_backward(y, NULL, false, &err));
    for (size_t i = 0; i < n; i++) {
        if (rd_grad(leaves[i])) assert_true(rd_all_finite(rd_grad(leaves[i])));
        rd_zero_grad(leaves[i]);
    }
    rd_tensor_release(y);
}

void test_gradients_within(double tolerance, rd_scalar_fn f, void *user, rd_tensor *const *leaves,
                           size_t n)
{
    rd_error err;
    rd_gradient_report report;
    /* In float the steps are so wide that they cross the corner of relu: backward is played alone. */
    if (sizeof(rd_real) != sizeof(double)) {
        play_once(f, user, leaves, n);
        return;
    }
    OK(rd_check_gradients(&(rd_gradient_check){f, user, leaves, n, 0, 0}, &report, &err));
    if (report.worst > tolerance)
        fail_msg("tensor %zu, element %zu: analytic %.12g, numeric %.12g", report.tensor,
                 report.element, report.analytic, report.numeric);
}
