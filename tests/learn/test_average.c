/* test_average.c - averages of parameters: by hand, exchanged, refused.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

static void set(rd_tensor *p, double value)
{
    rd_error err;
    OK(rd_fill(p, value, &err));
}

static void test_average_with_one_over_n_is_the_mean(void **state)
{
    rd_error err;
    rd_average *a = NULL;
    rd_tensor *p = test_tensor(*state, SHAPE(2), VALUES(7, 7));
    OK(rd_average_new(&p, 1, &a, &err));
    const double values[] = {2, 4, 12};
    for (int i = 0; i < 3; i++) {
        set(p, values[i]);
        rd_average_update(a, 1.0 / (i + 1));
    }
    test_expect_near(rd_average_of(a, 0), VALUES(6, 6), 1e-6);
    rd_average_free(a);
    rd_tensor_release(p);
}

static void test_average_with_a_constant_weight_fades(void **state)
{
    rd_error err;
    rd_average *a = NULL;
    rd_tensor *p = test_tensor(*state, SHAPE(1), VALUES(8));
    OK(rd_average_new(&p, 1, &a, &err));
    rd_average_update(a, 1);
    set(p, 0);
    rd_average_update(a, 0.25);
    rd_average_update(a, 0.25);
    test_expect(rd_average_of(a, 0), SHAPE(1), VALUES(4.5));
    rd_average_free(a);
    rd_tensor_release(p);
}

static void test_average_exchanged_twice_is_as_before(void **state)
{
    rd_error err;
    rd_average *a = NULL;
    rd_tensor *p = test_tensor(*state, SHAPE(2), VALUES(1, 2));
    OK(rd_average_new(&p, 1, &a, &err));
    rd_average_update(a, 1);
    set(p, 5);
    rd_average_exchange(a);
    test_expect(p, SHAPE(2), VALUES(1, 2));
    test_expect(rd_average_of(a, 0), SHAPE(2), VALUES(5, 5));
    rd_average_exchange(a);
    test_expect(p, SHAPE(2), VALUES(5, 5));
    rd_average_free(a);
    rd_tensor_release(p);
}

static void test_average_of_a_result_is_refused(void **state)
{
    rd_error err;
    rd_average *a = NULL;
    rd_tensor *y = NULL, *const x = test_leaf(*state, SHAPE(2), RD_DENSE, 1);
    OK(rd_apply1(RD_NEG, x, &y, &err));
    test_fails(rd_average_new(&y, 1, &a, &err), &err,
               "average: parameter 1 is a view or the result of an operation; only tensors made "
               "directly can be averaged");
    rd_tensor_release(y);
    rd_tensor_release(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_average_with_one_over_n_is_the_mean),
        cmocka_unit_test(test_average_with_a_constant_weight_fades),
        cmocka_unit_test(test_average_exchanged_twice_is_as_before),
        cmocka_unit_test(test_average_of_a_result_is_refused),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
