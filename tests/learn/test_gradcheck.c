/* test_gradcheck.c - the gradient check finds what is right, what is wrong and where.
 * SPDX-License-Identifier: MIT */
#include "rondo_check.h"
#include "support/tensors.h"

#include <math.h>

/* sum(exp(a) * b); with `cut`, b is detached, so that the tape misses its gradient. */
struct model {
    rd_tensor *leaf[2];
    bool cut;
};

static rd_status product(void *user, rd_tensor **out, rd_error *err)
{
    const struct model *const m = user;
    rd_tensor *e = NULL, *b = NULL, *y = NULL;
    rd_status status = rd_apply1(RD_EXP, m->leaf[0], &e, err);
    if (status == RD_OK)
        status =
            m->cut ? rd_detach(m->leaf[1], &b, err) : rd_contiguous(m->leaf[1], RD_DENSE, &b, err);
    if (status == RD_OK) status = rd_apply2(RD_MUL, e, b, &y, err);
    if (status == RD_OK) status = rd_sum(y, RD_ALL, false, out, err);
    RELEASE(e, b, y);
    return status;
}

static void test_gradcheck_passes_what_is_right(void **state)
{
    rd_error err;
    rd_gradient_report report;
    struct model m = {{test_leaf(*state, SHAPE(2, 3), RD_SEQUENCE, 1),
                       test_leaf(*state, SHAPE(3), RD_DENSE, 2)},
                      false};
    OK(rd_check_gradients(&(rd_gradient_check){product, &m, m.leaf, 2, 0, 0}, &report, &err));
    assert_true(report.worst < (sizeof(rd_real) == sizeof(double) ? 1e-11 : 1e-3));
    assert_true(rd_grad_mode(*state));
    RELEASE(m.leaf[0], m.leaf[1]);
}

static void test_gradcheck_says_where_it_is_wrong(void **state)
{
    rd_error err;
    rd_gradient_report report;
    struct model m = {{test_tensor(*state, SHAPE(2), VALUES(0, 1)),
                       test_tensor(*state, SHAPE(2), VALUES(1, 1))},
                      true};
    OK(rd_set_requires_grad(m.leaf[0], true, &err));
    OK(rd_set_requires_grad(m.leaf[1], true, &err));
    OK(rd_check_gradients(&(rd_gradient_check){product, &m, m.leaf, 2, 0, 0}, &report, &err));
    assert_true(report.tensor == 1 && report.element == 1); /* d/db = exp(a) = e, the larger */
    assert_true(report.analytic == 0 && fabs(report.numeric - 2.718281828) < 1e-3);
    assert_true(fabs(report.worst - 1) < 1e-6);
    test_expect(m.leaf[1], SHAPE(2), VALUES(1, 1)); /* put back */
    RELEASE(m.leaf[0], m.leaf[1]);
}

static rd_status whole_tensor(void *user, rd_tensor **out, rd_error *err)
{
    return rd_apply1(RD_NEG, *(rd_tensor *const *)user, out, err);
}

static void test_gradcheck_wants_a_leaf_and_one_number(void **state)
{
    rd_error err;
    rd_gradient_report report;
    rd_tensor *x = test_tensor(*state, SHAPE(1), VALUES(1));
    test_fails(rd_check_gradients(&(rd_gradient_check){whole_tensor, &x, &x, 0, 0, 0}, &report,
                                  &err),
               &err, "check.gradients: at least one parameter is needed");
    test_fails(rd_check_gradients(&(rd_gradient_check){whole_tensor, &x, &x, 1, 0, 0}, &report,
                                  &err),
               &err, "check.gradients: parameter 1 must be a leaf that requires a gradient");
    RELEASE(x);
    x = test_leaf(*state, SHAPE(2), RD_DENSE, 1);
    test_fails(rd_check_gradients(&(rd_gradient_check){whole_tensor, &x, &x, 1, 0, 0}, &report,
                                  &err),
               &err, "check.gradients: the function must give one number");
    RELEASE(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradcheck_passes_what_is_right),
        cmocka_unit_test(test_gradcheck_says_where_it_is_wrong),
        cmocka_unit_test(test_gradcheck_wants_a_leaf_and_one_number),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
