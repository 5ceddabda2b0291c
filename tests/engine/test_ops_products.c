/* test_ops_products.c - products of matrices and stacks, and their gradients, beside loops.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

#include <stdio.h>

#define NEAR (sizeof(rd_real) == sizeof(double) ? 1e-12 : 3e-5)

/* c = a b and its gradients from the seed 1, 2, 3, ...; indices are those of the logical shape. */
typedef struct product {
    size_t count, m, n, k; /* of matrices */
    bool a_shared, b_shared, a_turned, b_turned, only_b;
} product;
enum { MOST = 64 };

static double at(const rd_real *x, bool shared, size_t i, size_t size, size_t place)
{
    return (double)x[(shared ? 0 : i * size) + place];
}

static void add_by_loops(const product *p, const rd_real *a, const rd_real *b, double *c,
                         double *da, double *db)
{
    for (size_t i = 0; i < p->count; i++)
        for (size_t r = 0; r < p->m; r++)
            for (size_t s = 0; s < p->n; s++) {
                const size_t e = (i * p->m + r) * p->n + s;
                for (size_t k = 0; k < p->k; k++) {
                    const double x = at(a, p->a_shared, i, p->m * p->k, r * p->k + k);
                    const double y = at(b, p->b_shared, i, p->k * p->n, k * p->n + s);
                    c[e] += x * y;
                    da[(p->a_shared ? 0 : i * p->m * p->k) + r * p->k + k] += (double)(e + 1) * y;
                    db[(p->b_shared ? 0 : i * p->k * p->n) + k * p->n + s] += (double)(e + 1) * x;
                }
            }
}

/* A leaf and the operand, which may be the leaf with its last two dimensions turned. */
static rd_tensor *operand(rd_core *core, size_t count, bool shared, size_t rows, size_t columns,
                          bool turn, uint32_t seed, rd_tensor **under)
{
    rd_error err;
    rd_tensor *x = NULL;
    const size_t straight[] = {count, rows, columns}, lying[] = {count, columns, rows};
    const uint32_t ndim = shared || count == 1 ? 2 : 3;
    const size_t *shape = turn ? lying : straight;
    *under = test_leaf(core, ndim, shape + 3 - ndim, RD_DENSE, seed);
    if (!turn) return rd_tensor_retain(*under);
    OK(rd_transpose(*under, ndim - 2, ndim - 1, &x, &err));
    return x;
}

/* Values of a leaf's gradient as those of the operand. */
static void check_gradient(rd_tensor *under, bool turn, const double *expected)
{
    rd_error err;
    rd_tensor *g = rd_tensor_retain(rd_grad(under)), *back = NULL;
    const uint32_t ndim = rd_tensor_ndim(g);
    if (turn) {
        const bool before = rd_set_grad_mode(rd_tensor_core(g), false);
        OK(rd_transpose(g, ndim - 2, ndim - 1, &back, &err));
        rd_set_grad_mode(rd_tensor_core(g), before);
    }
    test_expect_near(back ? back : g, expected, NEAR);
    RELEASE(g, back);
}

static void check_product(rd_core *core, const product *p)
{
    rd_error err;
    rd_real x[MOST], w[MOST];
    double c[MOST] = {0}, da[MOST] = {0}, db[MOST] = {0}, seed[MOST];
    rd_tensor *under[2], *y = NULL;
    rd_tensor *a = operand(core, p->count, p->a_shared, p->m, p->k, p->a_turned, 1, &under[0]);
    rd_tensor *b = operand(core, p->count, p->b_shared, p->k, p->n, p->b_turned, 2, &under[1]);
    if (p->only_b) OK(rd_set_requires_grad(under[0], false, &err));
    rd_tensor_read(a, x);
    rd_tensor_read(b, w);
    add_by_loops(p, x, w, c, da, db);
    OK(rd_matmul(a, b, &y, &err));
    test_expect_near(y, c, NEAR);
    for (int i = 0; i < MOST; i++) seed[i] = i + 1;
    rd_tensor *dy = test_tensor(core, rd_tensor_ndim(y), rd_tensor_shape(y), seed);
    test_play(y, dy);
    if (!p->only_b) check_gradient(under[0], p->a_turned, da);
    check_gradient(under[1], p->b_turned, db);
    RELEASE(a, b, under[0], under[1]);
}

static void test_products_of_matrices_are_those_of_loops(void **state)
{
    check_product(*state, &(product){.count = 1, .m = 3, .n = 4, .k = 5});
    check_product(*state, &(product){.count = 1, .m = 3, .n = 4, .k = 5, .a_turned = true});
    check_product(*state, &(product){.count = 1, .m = 3, .n = 4, .k = 5, .b_turned = true});
    check_product(*state, &(product){.count = 1, .m = 1, .n = 1, .k = 5, .only_b = true});
}

static void test_products_of_stacks_are_those_of_loops(void **state)
{
    check_product(*state, &(product){.count = 3, .m = 2, .n = 3, .k = 4});
    check_product(*state, &(product){.count = 3, .m = 2, .n = 3, .k = 4, .b_turned = true});
    check_product(*state, &(product){.count = 3, .m = 2, .n = 3, .k = 4, .a_turned = true});
    check_product(*state, &(product){.count = 3, .m = 2, .n = 3, .k = 4, .b_shared = true});
    check_product(*state, &(product){.count = 3, .m = 2, .n = 3, .k = 4, .a_shared = true});
    check_product(*state, &(product){.count = 3,
                                     .m = 2,
                                     .n = 3,
                                     .k = 4,
                                     .b_shared = true,
                                     .a_turned = true,
                                     .b_turned = true});
}

static void test_a_product_of_four_dimensions(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *a = test_leaf_of(*state, SHAPE(2, 1, 1, 2), VALUES(1, 2, 3, 4));
    rd_tensor *b = test_leaf_of(*state, SHAPE(2, 1, 2, 1), VALUES(5, 6, 7, 8));
    rd_tensor *w = test_leaf_of(*state, SHAPE(2, 2), VALUES(1, 0, 0, 2)), *z = NULL;
    OK(rd_matmul(a, b, &y, &err));
    test_expect(y, SHAPE(2, 1, 1, 1), VALUES(17, 53));
    test_play(y, test_tensor(*state, SHAPE(2, 1, 1, 1), VALUES(1, 10)));
    test_expect(rd_grad(a), SHAPE(2, 1, 1, 2), VALUES(5, 6, 70, 80));
    test_expect(rd_grad(b), SHAPE(2, 1, 2, 1), VALUES(1, 2, 30, 40));
    OK(rd_matmul(a, w, &z, &err));
    test_expect(z, SHAPE(2, 1, 1, 2), VALUES(1, 4, 3, 8));
    test_play(z, test_tensor(*state, SHAPE(2, 1, 1, 2), VALUES(1, 1, 1, 1)));
    test_expect(rd_grad(w), SHAPE(2, 2), VALUES(4, 4, 6, 6));
    RELEASE(a, b, w);
}

static void product_fails(rd_tensor *a, rd_tensor *b, const char *shapes)
{
    rd_error err;
    rd_tensor *y = NULL;
    char sentence[256];
    snprintf(
        sentence, sizeof(sentence),
        "matmul: expected (..., m, k) and (..., k, n) with equal leading dimensions or none on "
        "one side, got %s",
        shapes);
    test_fails(rd_matmul(a, b, &y, &err), &err, sentence);
    RELEASE(a, b);
}

static void test_products_that_do_not_fit_are_named(void **state)
{
    product_fails(test_tensor(*state, SHAPE(2), VALUES(1, 2)),
                  test_tensor(*state, SHAPE(2, 1), VALUES(1, 2)), "(2) and (2, 1)");
    product_fails(test_tensor(*state, SHAPE(1, 2), VALUES(1, 2)),
                  test_tensor(*state, SHAPE(2), VALUES(1, 2)), "(1, 2) and (2)");
    product_fails(test_tensor(*state, SHAPE(1, 1, 1, 2), VALUES(1, 2)),
                  test_tensor(*state, SHAPE(1, 2, 1), VALUES(1, 2)), "(1, 1, 1, 2) and (1, 2, 1)");
    product_fails(test_tensor(*state, SHAPE(1, 1, 2), VALUES(1, 2)),
                  test_tensor(*state, SHAPE(2, 2, 1), VALUES(1, 2, 3, 4)),
                  "(1, 1, 2) and (2, 2, 1)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_of_matrices_are_those_of_loops),
        cmocka_unit_test(test_products_of_stacks_are_those_of_loops),
        cmocka_unit_test(test_a_product_of_four_dimensions),
        cmocka_unit_test(test_products_that_do_not_fit_are_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
