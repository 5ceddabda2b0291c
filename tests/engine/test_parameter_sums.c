/* test_parameter_sums.c - rule 6 of the bit contract for every operation that a parameter can enter: its
 * gradient has the same bits whether the steps of a sequence are taken at once, in chunks or one by one.
 *
 * Backward meets the last chunk first and goes on with its sum, so this holds if and only if each operation
 * sums rows from the last to the first and starts at what is there.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

enum { B = 4, T = 7, F = 19, OUT = 5, IDS = 6 };

/* One step or more of x (B, t, F), or of ids (B, t), with the parameters p. */
typedef rd_status (*chunk_fn)(rd_tensor *x, rd_tensor *const *p, rd_tensor **out, rd_error *err);

static void play(chunk_fn f, rd_tensor *x, rd_tensor *const *p, size_t chunk)
{
    rd_error err;
    rd_tensor *part[T] = {NULL}, *y = NULL, *loss = NULL;
    size_t n = 0;
    for (size_t t = 0; t < T; t += chunk, n++) {
        rd_tensor *piece = NULL;
        OK(rd_slice(x, 1, t, T - t < chunk ? T - t : chunk, &piece, &err));
        OK(f(piece, p, &part[n], &err));
        rd_tensor_release(piece);
    }
    OK(rd_concat(part, n, 1, &y, &err));
    test_release(n, part);
    OK(test_weighted_sum(y, &loss, &err));
    OK(rd_backward(loss, NULL, false, &err));
    rd_tensor_release(loss);
}

/* Two parameters (b may be of no dimensions) under each form. */
static void check(rd_tensor *x, chunk_fn f, uint32_t ndim, const size_t *shape, uint32_t b_ndim,
                  const size_t *b_shape)
{
    static const size_t chunks[] = {T, 1, 3};
    rd_core *const core = rd_tensor_core(x);
    rd_tensor *p[3][2];
    for (int i = 0; i < 3; i++) {
        p[i][0] = test_leaf(core, ndim, shape, RD_DENSE, 1);
        p[i][1] = test_leaf(core, b_ndim, b_shape, RD_DENSE, 2);
        for (int pass = 0; pass < 2; pass++) play(f, x, p[i], chunks[i]);
    }
    for (int i = 1; i < 3; i++)
        for (int k = 0; k < 2; k++) test_same(rd_grad(p[i][k]), rd_grad(p[0][k]));
    for (int i = 0; i < 3; i++) test_release(2, p[i]);
    rd_tensor_release(x);
}

static rd_tensor *numbers(rd_core *core)
{
    rd_error err;
    rd_tensor *const x = test_leaf(core, SHAPE(B, T, F), RD_SEQUENCE, 9);
    OK(rd_set_requires_grad(x, false, &err));
    return x;
}

static rd_tensor *some_ids(rd_core *core)
{
    double id[B * T];
    for (int i = 0; i < B * T; i++) id[i] = i * i % (IDS + 1);
    return test_sequence(core, SHAPE(B, T), id);
}

static rd_status linear(rd_tensor *x, rd_tensor *const *p, rd_tensor **out, rd_error *err)
{
    return rd_linear(x, p[0], p[1], out, err);
}

static void test_linear(void **state)
{
    check(numbers(*state), linear, SHAPE(OUT, F), SHAPE(OUT));
}

static rd_status of_one_hot(rd_tensor *ids, rd_tensor *const *p, rd_tensor **out, rd_error *err)
{
    rd_tensor *hot = NULL;
    rd_status status = rd_one_hot(ids, IDS, &hot, err);
    if (status == RD_OK) status = rd_linear(hot, p[0], p[1], out, err);
    rd_tensor_release(hot);
    return status;
}

static void test_linear_of_one_hot_input(void **state)
{
    check(some_ids(*state), of_one_hot, SHAPE(OUT, IDS), SHAPE(OUT));
}

static rd_status scaled_rows(rd_tensor *ids, rd_tensor *const *p, rd_tensor **out, rd_error *err)
{
    rd_tensor *rows = NULL;
    rd_status status = rd_embedding(ids, p[0], &rows, err);
    if (status == RD_OK) status = rd_apply2(RD_MUL, rows, p[1], out, err);
    rd_tensor_release(rows);
    return status;
}

static void test_embedding(void **state)
{
    check(some_ids(*state), scaled_rows, SHAPE(IDS, F), SHAPE(F));
}

static rd_status layer_norm(rd_tensor *x, rd_tensor *const *p, rd_tensor **out, rd_error *err)
{
    return rd_layer_norm(x, p[0], p[1], 1e-5, out, err);
}

static void test_layer_norm(void **state)
{
    check(numbers(*state), layer_norm, SHAPE(F), SHAPE(F));
}

static rd_status product(rd_tensor *x, rd_tensor *const *p, rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL;
    rd_status status = rd_matmul(x, p[0], &y, err);
    if (status == RD_OK) status = rd_apply2(RD_ADD, y, p[1], out, err);
    rd_tensor_release(y);
    return status;
}

static void test_matmul_and_add(void **state)
{
    check(numbers(*state), product, SHAPE(F, OUT), SHAPE(OUT));
}

/* p x / q, q a single number. */
static rd_status ratio(rd_tensor *x, rd_tensor *const *p, rd_tensor **out, rd_error *err)
{
    rd_tensor *above = NULL;
    rd_status status = rd_apply2(RD_MUL, p[0], x, &above, err);
    if (status == RD_OK) status = rd_apply2(RD_DIV, above, p[1], out, err);
    rd_tensor_release(above);
    return status;
}

static void test_mul_and_div(void **state)
{
    check(numbers(*state), ratio, SHAPE(F), 0, NULL);
}

/* p - x where x is positive, else q of each row of the batch. */
static rd_status choice(rd_tensor *x, rd_tensor *const *p, rd_tensor **out, rd_error *err)
{
    rd_tensor *zero = NULL, *positive = NULL, *gap = NULL;
    rd_status status = rd_scalar(rd_tensor_core(x), 0, &zero, err);
    if (status == RD_OK) status = rd_apply2(RD_GT, x, zero, &positive, err);
    if (status == RD_OK) status = rd_apply2(RD_SUB, p[0], x, &gap, err);
    if (status == RD_OK) status = rd_where(positive, gap, p[1], out, err);
    RELEASE(zero, positive, gap);
    return status;
}

static void test_sub_and_where(void **state)
{
    check(numbers(*state), choice, SHAPE(F), SHAPE(B, 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),         cmocka_unit_test(test_linear_of_one_hot_input),
        cmocka_unit_test(test_embedding),      cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_matmul_and_add), cmocka_unit_test(test_mul_and_div),
        cmocka_unit_test(test_sub_and_where),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
