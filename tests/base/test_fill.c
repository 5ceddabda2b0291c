/* test_fill.c - random numbers and initial values in tensors.
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "base/tensor.h"
#include "support/tensors.h"

#include <math.h>
#include <string.h>

static const rd_stream stream = {.seed = 42, .purpose = RD_FOR_INIT, .layer = 3};

static rd_tensor *fresh(rd_core *core, uint32_t ndim, const size_t *shape, rd_order order)
{
    rd_error err;
    rd_tensor *t = NULL;
    OK(rd_tensor_new(core, ndim, shape, order, &t, &err));
    return t;
}

static rd_tensor *initial(rd_core *core, uint32_t ndim, const size_t *shape, int32_t kind)
{
    rd_error err;
    rd_tensor *const t = fresh(core, ndim, shape, RD_DENSE);
    OK(rd_fill_init(t, &(rd_init){.kind = kind, .a = -2, .b = 3}, &stream, &err));
    return t;
}

/* The mean and the mean square of all elements. */
static void moments(const rd_tensor *t, double *mean, double *square)
{
    const size_t n = rd_tensor_numel(t);
    *mean = *square = 0;
    for (size_t e = 0; e < n; e++) {
        *mean += (double)rd_tensor_at(t)[e] / (double)n;
        *square += (double)rd_tensor_at(t)[e] * (double)rd_tensor_at(t)[e] / (double)n;
    }
}

static void test_uniform_numbers_elements_in_logical_order(void **state)
{
    rd_error err;
    rd_tensor *const t = fresh(*state, SHAPE(2, 3), RD_SEQUENCE);
    double value = 0;
    OK(rd_fill_uniform(t, 10, 12, &stream, &err));
    OK(rd_tensor_get(t, (size_t[]){1, 2}, &value, &err));
    assert_true(value == (double)(rd_real)(10 + 2 * rd_uniform_at(&stream, 0, 5)));
    RELEASE(t);
}

static void test_uniform_has_the_moments_of_its_bounds(void **state)
{
    rd_tensor *const t = initial(*state, SHAPE(100, 200), RD_INIT_UNIFORM);
    double mean, square;
    moments(t, &mean, &square);
    assert_true(fabs(mean - 0.5) < 0.05); /* of -2 .. 3; four standard errors are 0.04 */
    assert_true(fabs(square - 7.0 / 3) < 0.1);
    RELEASE(t);
}

/* Box-Muller by libm. */
static void test_normal_follows_box_and_muller(void **state)
{
    rd_error err;
    rd_tensor *const t = fresh(*state, SHAPE(5), RD_DENSE);
    const double r = sqrt(-2 * log(1 - rd_uniform_at(&stream, 0, 2)));
    const double angle = 8 * atan(1) * rd_uniform_at(&stream, 0, 3);
    OK(rd_fill_normal(t, 1, 2, &stream, &err));
    assert_true(fabs((double)rd_tensor_at(t)[2] - (1 + 2 * r * cos(angle))) < 1e-6);
    assert_true(fabs((double)rd_tensor_at(t)[3] - (1 + 2 * r * sin(angle))) < 1e-6);
    RELEASE(t);
}

static void test_normal_has_its_moments(void **state)
{
    rd_tensor *const t = initial(*state, SHAPE(100, 200), RD_INIT_NORMAL);
    double mean, square;
    moments(t, &mean, &square);
    assert_true(fabs(mean + 2) < 0.1); /* four standard errors: 0.085 */
    assert_true(fabs(square - 13) < 0.6);
    RELEASE(t);
}

static void test_glorot_stays_within_its_bound(void **state)
{
    rd_tensor *const t = initial(*state, SHAPE(100, 50), RD_INIT_GLOROT);
    rd_tensor *const same = initial(*state, SHAPE(100, 50), RD_INIT_DEFAULT);
    const double bound = sqrt(6.0 / 150);
    double most = 0;
    for (size_t e = 0; e < 5000; e++) most = fmax(most, fabs((double)rd_tensor_at(t)[e]));
    assert_true(most <= bound && most > 0.99 * bound);
    test_same(t, same);
    RELEASE(t, same);
}

static void test_default_zero_and_constant(void **state)
{
    rd_tensor *const vector = initial(*state, SHAPE(2), RD_INIT_DEFAULT);
    rd_tensor *const zero = initial(*state, SHAPE(1, 2), RD_INIT_ZERO);
    rd_tensor *const constant = initial(*state, SHAPE(2), RD_INIT_CONST);
    test_expect(vector, SHAPE(2), VALUES(0, 0));
    test_expect(zero, SHAPE(1, 2), VALUES(0, 0));
    test_expect(constant, SHAPE(2), VALUES(-2, -2));
    RELEASE(vector, zero, constant);
}

static rd_tensor *filled(rd_core *core, uint32_t ndim, const size_t *shape, rd_init init)
{
    rd_error err;
    rd_tensor *const t = fresh(core, ndim, shape, RD_DENSE);
    OK(rd_fill_init(t, &init, &stream, &err));
    return t;
}

static void test_identity_table_and_a_memory_of_no_steps(void **state)
{
    static const rd_real numbers[] = {4, 5, 6};
    rd_tensor *const eye = filled(*state, SHAPE(2, 3), (rd_init){.kind = RD_INIT_IDENTITY, .a = 3});
    rd_tensor *const table =
        filled(*state, SHAPE(1, 3), (rd_init){.kind = RD_INIT_TABLE, .table = numbers});
    rd_tensor *const chrono = filled(*state, SHAPE(2), (rd_init){.kind = RD_INIT_CHRONO, .b = 1});
    test_expect(eye, SHAPE(2, 3), VALUES(3, 0, 0, 0, 3, 0));
    test_expect(table, SHAPE(1, 3), VALUES(4, 5, 6));
    test_expect(chrono, SHAPE(2), VALUES(0, 0)); /* log 1 */
    RELEASE(eye, table, chrono);
}

static void test_matrices_without_a_row_have_no_values(void **state)
{
    rd_tensor *const glorot = initial(*state, SHAPE(0, 0), RD_INIT_GLOROT);
    rd_tensor *const he = initial(*state, SHAPE(3, 0), RD_INIT_HE);
    rd_tensor *const ortho = initial(*state, SHAPE(0, 3), RD_INIT_ORTHO);
    rd_tensor *const eye = filled(*state, SHAPE(2, 1), (rd_init){.kind = RD_INIT_IDENTITY, .a = 3});
    test_expect(eye, SHAPE(2, 1), VALUES(3, 0));
    RELEASE(glorot, he, ortho, eye);
}

static void test_he_has_its_variance(void **state)
{
    rd_tensor *const t = filled(*state, SHAPE(400, 50), (rd_init){.kind = RD_INIT_HE});
    double mean, square;
    moments(t, &mean, &square);
    assert_true(fabs(mean) < 0.006);          /* four standard errors of 0.2 / sqrt(20000) */
    assert_true(fabs(square - 0.04) < 0.002); /* 2 / fan_in */
    RELEASE(t);
}

/* A normal cut at two deviations has the variance 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.7737. */
static void test_truncated_stays_within_two_deviations(void **state)
{
    rd_tensor *const t =
        filled(*state, SHAPE(100, 200), (rd_init){.kind = RD_INIT_TRUNCATED, .a = 1, .b = 3});
    double mean, square, most = 0;
    moments(t, &mean, &square);
    for (size_t e = 0; e < 20000; e++) most = fmax(most, fabs((double)rd_tensor_at(t)[e] - 1));
    assert_true(most <= 6 && most > 5.9);
    assert_true(fabs(mean - 1) < 0.08);
    assert_true(fabs(square - 1 - 9 * 0.7737) < 0.4);
    RELEASE(t);
}

static void test_chrono_is_the_log_of_a_uniform_number_and_mirrors_itself(void **state)
{
    rd_error err;
    rd_stream other = stream;
    other.update++; /* another parameter of the layer */
    rd_tensor *const f =
        filled(*state, SHAPE(5000), (rd_init){.kind = RD_INIT_CHRONO, .a = 101, .b = 1});
    rd_tensor *const i = fresh(*state, SHAPE(5000), RD_DENSE);
    const rd_init mirrored = {.kind = RD_INIT_CHRONO, .a = 101, .b = -1};
    OK(rd_fill_init(i, &mirrored, &other, &err));
    double sum = 0, most = 0;
    for (size_t e = 0; e < 5000; e++) {
        const double v = (double)rd_tensor_at(f)[e];
        assert_true(rd_tensor_at(i)[e] == -rd_tensor_at(f)[e] && v >= 0);
        sum += exp(v);
        most = fmax(most, exp(v));
    }
    assert_true(fabs(sum / 5000 - 50.5) < 1.7); /* four standard errors of 28.6 / sqrt(5000) */
    assert_true(most <= 100.001);
    RELEASE(f, i);
}

/* Largest difference of q q^T (rows) or q^T q (columns) from the identity. */
static double from_identity(const rd_tensor *q, bool rows)
{
    const size_t n = q->shape[rows ? 0 : 1], m = q->shape[rows ? 1 : 0];
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = i == j ? -1 : 0;
            for (size_t k = 0; k < m; k++)
                sum += (double)q->at[rows ? i * m + k : k * n + i] *
                       (double)q->at[rows ? j * m + k : k * n + j];
            worst = fmax(worst, fabs(sum));
        }
    }
    return worst;
}

static void test_orthogonal_has_orthonormal_rows_or_columns(void **state)
{
    const double tolerance = sizeof(rd_real) == sizeof(float) ? 1e-6 : 1e-12;
    rd_tensor *const square = initial(*state, SHAPE(70, 70), RD_INIT_ORTHO);
    rd_tensor *const wide = initial(*state, SHAPE(20, 33), RD_INIT_ORTHO);
    rd_tensor *const tall = initial(*state, SHAPE(33, 20), RD_INIT_ORTHO);
    assert_true(from_identity(square, true) < tolerance);
    assert_true(from_identity(square, false) < tolerance);
    assert_true(from_identity(wide, true) < tolerance);
    assert_true(from_identity(tall, false) < tolerance);
    RELEASE(square, wide, tall);
}

static void test_orthogonal_is_the_same_on_any_number_of_threads(void **state)
{
    rd_error err;
    rd_tensor *const one = initial(*state, SHAPE(200, 210), RD_INIT_ORTHO);
    OK(rd_core_set_threads(*state, 3, &err));
    rd_tensor *const three = initial(*state, SHAPE(200, 210), RD_INIT_ORTHO);
    OK(rd_core_set_threads(*state, 1, &err));
    test_same(one, three);
    RELEASE(one, three);
}

static void test_fills_refuse_what_is_not_finite(void **state)
{
    static const char of_normal[] = "normal: mean and standard deviation must be finite and the "
                                    "latter not negative, got ";
    rd_error err;
    rd_tensor *const t = fresh(*state, SHAPE(3), RD_DENSE);
    const double inf = (double)INFINITY;
    test_fails(rd_fill_uniform(t, -inf, 1, &stream, &err), &err,
               "uniform: the lower bound must not be above the upper one, got -inf and 1");
    test_fails(rd_fill_uniform(t, 0, inf, &stream, &err), &err,
               "uniform: the lower bound must not be above the upper one, got 0 and inf");
    assert_int_equal(rd_fill_normal(t, inf, 1, &stream, &err), RD_E_ARG);
    assert_memory_equal(err.text, of_normal, strlen(of_normal));
    assert_int_equal(rd_fill_normal(t, 0, inf, &stream, &err), RD_E_ARG);
    assert_memory_equal(err.text, of_normal, strlen(of_normal));
    const rd_init wide = {.kind = RD_INIT_TRUNCATED, .b = inf};
    const rd_init far = {.kind = RD_INIT_TRUNCATED, .a = inf};
    assert_int_equal(rd_fill_init(t, &wide, &stream, &err), RD_E_ARG);
    assert_int_equal(rd_fill_init(t, &far, &stream, &err), RD_E_ARG);
    const rd_init sign = {.kind = RD_INIT_CHRONO, .a = 5, .b = inf};
    test_fails(rd_fill_init(t, &sign, &stream, &err), &err,
               "chrono: the longest memory and its sign must be finite, got 5 and inf");
    RELEASE(t);
}

static void test_fills_refuse_what_has_no_meaning(void **state)
{
    rd_error err;
    rd_tensor *const t = fresh(*state, SHAPE(3), RD_DENSE);
    test_fails(rd_fill_uniform(t, 2, 1, &stream, &err), &err,
               "uniform: the lower bound must not be above the upper one, got 2 and 1");
    test_fails(
        rd_fill_normal(t, 0, -1, &stream, &err), &err,
        "normal: mean and standard deviation must be finite and the latter not negative, got 0 "
        "and -1");
    test_fails(rd_fill_init(t, &(rd_init){.kind = RD_INIT_ORTHO}, &stream, &err), &err,
               "init: orthogonal values are for matrices, got a tensor of shape (3)");
    test_fails(rd_fill_init(t, &(rd_init){.kind = RD_INIT_GLOROT}, &stream, &err), &err,
               "init: Glorot values are for matrices, got a tensor of shape (3)");
    test_fails(rd_fill_init(t, &(rd_init){.kind = RD_INIT_IDENTITY}, &stream, &err), &err,
               "init: identity values are for matrices, got a tensor of shape (3)");
    test_fails(rd_fill_init(t, &(rd_init){.kind = RD_INIT_HE}, &stream, &err), &err,
               "init: He values are for matrices, got a tensor of shape (3)");
    test_fails(
        rd_fill_init(t, &(rd_init){.kind = RD_INIT_TRUNCATED, .b = -1}, &stream, &err), &err,
        "truncated: mean and standard deviation must be finite and the latter not negative, got 0 "
        "and -1");
    test_fails(rd_fill_init(t, &(rd_init){.kind = RD_INIT_CHRONO, .a = INFINITY}, &stream, &err),
               &err, "chrono: the longest memory and its sign must be finite, got inf and 0");
    test_fails(rd_fill_init(t, &(rd_init){.kind = RD_INIT_TABLE}, &stream, &err), &err,
               "init: a table of numbers was asked for, but none is given");
    test_fails(rd_fill_init(t, &(rd_init){.kind = 99}, &stream, &err), &err,
               "init: there is no kind 99");
    RELEASE(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uniform_numbers_elements_in_logical_order),
        cmocka_unit_test(test_uniform_has_the_moments_of_its_bounds),
        cmocka_unit_test(test_normal_follows_box_and_muller),
        cmocka_unit_test(test_normal_has_its_moments),
        cmocka_unit_test(test_glorot_stays_within_its_bound),
        cmocka_unit_test(test_default_zero_and_constant),
        cmocka_unit_test(test_identity_table_and_a_memory_of_no_steps),
        cmocka_unit_test(test_matrices_without_a_row_have_no_values),
        cmocka_unit_test(test_he_has_its_variance),
        cmocka_unit_test(test_truncated_stays_within_two_deviations),
        cmocka_unit_test(test_chrono_is_the_log_of_a_uniform_number_and_mirrors_itself),
        cmocka_unit_test(test_orthogonal_has_orthonormal_rows_or_columns),
        cmocka_unit_test(test_orthogonal_is_the_same_on_any_number_of_threads),
        cmocka_unit_test(test_fills_refuse_what_has_no_meaning),
        cmocka_unit_test(test_fills_refuse_what_is_not_finite),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
