/* test_parts.c - long sequences in parts: several roots, lengths that go on, peaks of memory.
 * SPDX-License-Identifier: MIT */
#include "rondo_parts.h"
#include "base/tensor.h"
#include "support/rnns.h"

#include <string.h>

enum { ROWS = 4, TIME = 8, HALF = 4, IN = 3, HIDDEN = 5, STATES = 2 };

/* ---- several roots ------------------------------------------------------------------------------ */

static void test_roots_add_up_in_one_pass(void **state)
{
    rd_core *core = *state;
    rd_error err;
    rd_tensor *x = test_leaf(core, SHAPE(2), RD_DENSE, 1), *twice = NULL, *thrice = NULL;
    rd_tensor *seed = test_tensor(core, SHAPE(2), VALUES(10, 100));
    OK(rd_apply2(RD_ADD, x, x, &twice, &err));
    OK(rd_apply2(RD_ADD, twice, x, &thrice, &err));
    const rd_root roots[] = {{twice, seed}, {thrice, seed}};
    OK(rd_backward_all(roots, 2, false, &err));
    test_expect(rd_grad(x), SHAPE(2), VALUES(50, 500)); /* 2 s + 3 s */
    RELEASE(x, twice, thrice, seed);
}

static void test_a_root_may_come_twice(void **state)
{
    rd_core *core = *state;
    rd_error err;
    rd_tensor *x = test_leaf(core, SHAPE(1), RD_DENSE, 1), *y = NULL;
    OK(rd_apply2(RD_ADD, x, x, &y, &err));
    const rd_root roots[] = {{y, NULL}, {y, NULL}, {x, NULL}};
    OK(rd_backward_all(roots, 3, false, &err));
    test_expect(rd_grad(x), SHAPE(1), VALUES(5));
    RELEASE(x, y);
}

static void test_a_root_without_gradient_is_refused(void **state)
{
    rd_core *core = *state;
    rd_error err;
    rd_tensor *x = test_leaf(core, SHAPE(1), RD_DENSE, 1);
    rd_tensor *constant = test_tensor(core, SHAPE(1), VALUES(1));
    const rd_root roots[] = {{x, NULL}, {constant, NULL}};
    test_fails(rd_backward_all(roots, 2, false, &err), &err,
               "backward: this tensor depends on nothing that wants a gradient");
    assert_null(rd_grad(x));
    RELEASE(x, constant);
}

/* ---- lengths that go on ------------------------------------------------------------------------- */

/* Row 2 is the longest, and in the first half rows 0 and 2 are alike. */
static const double lengths[ROWS] = {5, 2, 8, 3};

static rd_tensor *part_of(rd_tensor *t, size_t from, size_t to)
{
    rd_error err;
    rd_tensor *part = NULL;
    OK(rd_slice(t, 1, from, to - from, &part, &err));
    return part;
}

struct part {
    rd_tensor *y, *final[STATES];
};

/* Runs steps [from, to) behind `given`. */
static struct part forward(rd_rnn *rnn, rd_tensor *x, size_t from, size_t to,
                           rd_tensor *const given[STATES])
{
    rd_error err;
    double rest[ROWS];
    struct part p = {0};
    for (size_t r = 0; r < ROWS; r++)
        rest[r] = lengths[r] > (double)from ? lengths[r] - (double)from : 0;
    rd_tensor *some = part_of(x, from, to), *mask = test_tensor(x->core, SHAPE(ROWS), rest);
    const rd_rnn_input in = {.x = some, .mask = mask, .states = given};
    OK(rd_rnn_run(rnn, &in, &p.y, p.final, &err));
    RELEASE(some, mask);
    return p;
}

static void copy_gradients(rd_rnn *rnn, rd_real *to)
{
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++) {
        rd_tensor *p = rd_rnn_parameter(rnn, i);
        rd_tensor_read(rd_grad(p), to);
        to += rd_tensor_numel(p);
        rd_zero_grad(p);
    }
}

/* The core that knows the cells of the tree. */
static int open_core(void **state)
{
    *state = rnn_core(1, NULL);
    return 0;
}

static void in_one_piece(rd_rnn *rnn, rd_tensor *x, rd_tensor *dy, rd_real *gradients)
{
    rd_error err;
    struct part p = forward(rnn, x, 0, TIME, NULL);
    OK(rd_backward(p.y, dy, false, &err));
    RELEASE(p.y, p.final[0], p.final[1]);
    copy_gradients(rnn, gradients);
}

/* The second half first; the states between the halves hand its gradient on. */
static void in_halves(rd_rnn *rnn, rd_tensor *x, rd_tensor *dy, rd_real *gradients)
{
    rd_error err;
    rd_tensor *dy1 = part_of(dy, 0, HALF), *dy2 = part_of(dy, HALF, TIME);
    rd_set_grad_mode(x->core, false);
    struct part first = forward(rnn, x, 0, HALF, NULL);
    rd_set_grad_mode(x->core, true);
    for (int k = 0; k < STATES; k++) OK(rd_set_requires_grad(first.final[k], true, &err));
    struct part second = forward(rnn, x, HALF, TIME, first.final);
    OK(rd_backward(second.y, dy2, false, &err));
    struct part again = forward(rnn, x, 0, HALF, NULL);
    const rd_root roots[] = {{again.y, dy1},
                             {again.final[0], rd_grad(first.final[0])},
                             {again.final[1], rd_grad(first.final[1])}};
    OK(rd_backward_all(roots, 3, false, &err));
    RELEASE(dy1, dy2, first.y, second.y, again.y);
    for (int k = 0; k < STATES; k++) RELEASE(first.final[k], second.final[k], again.final[k]);
    copy_gradients(rnn, gradients);
}

static void test_gradients_of_rows_in_parts_are_those_of_the_whole(void **state)
{
    rd_core *core = *state;
    rd_real whole[400], halves[400];
    rd_rnn *rnn = rnn_make(core, &(rnn_layer){"lstm", NULL, NULL, 1, IN, HIDDEN});
    rd_tensor *x = rnn_tensor(core, 3, RD_SEQUENCE, SHAPE(ROWS, TIME, IN));
    rd_tensor *dy = rnn_tensor(core, 4, RD_SEQUENCE, SHAPE(ROWS, TIME, HIDDEN));
    in_one_piece(rnn, x, dy, whole);
    assert_false(rd_set_parts(core, true));
    in_halves(rnn, x, dy, halves);
    assert_true(rd_set_parts(core, false));
    assert_memory_equal(whole, halves, (4 * HIDDEN * (IN + HIDDEN + 1)) * sizeof(rd_real));
    RELEASE(x, dy);
    rd_rnn_release(rnn);
}

static void test_lengths_beyond_an_input_are_refused_where_it_is_whole(void **state)
{
    rd_core *core = *state;
    rd_error err;
    rd_tensor *x = test_leaf(core, SHAPE(2, 3), RD_DENSE, 1), *counts = NULL;
    rd_tensor *mask = test_tensor(core, SHAPE(2), VALUES(3, 4));
    test_fails(rd_valid_steps(x, mask, "test", &counts, &err), &err,
               "test: lengths must be integers 0..3, got 4 in row 2");
    RELEASE(x, mask);
}

static void test_leading_steps_are_lengths(void **state)
{
    rd_core *core = *state;
    rd_error err;
    rd_tensor *mask = test_tensor(core, SHAPE(3, 3), VALUES(7, 9, 0, 0, 0, 0, 1, 1, 1));
    rd_tensor *found = NULL;
    OK(rd_leading_steps(mask, &found, &err));
    test_expect(found, SHAPE(3), VALUES(2, 0, 3));
    RELEASE(mask, found);
}

static void test_a_mask_with_a_hole_has_no_lengths(void **state)
{
    rd_core *core = *state;
    rd_error err;
    rd_tensor *mask = test_tensor(core, SHAPE(2, 3), VALUES(1, 0, 1, 1, 1, 1)), *found = mask;
    OK(rd_leading_steps(mask, &found, &err));
    assert_null(found);
    RELEASE(mask);
}

static void test_leading_steps_are_of_rows_and_steps(void **state)
{
    rd_error err;
    rd_tensor *mask = test_tensor(*state, SHAPE(3), VALUES(1, 0, 1)), *found = NULL;
    test_fails(rd_leading_steps(mask, &found, &err), &err,
               "leading_steps: expected a mask (batch, time), got (3)");
    RELEASE(mask);
}

/* ---- memory ------------------------------------------------------------------------------------- */

static void test_peaks_begin_anew(void **state)
{
    rd_core *core = *state;
    const size_t before = rd_core_memory(core).asked_bytes;
    rd_tensor *large = test_leaf(core, SHAPE(1000), RD_DENSE, 1);
    RELEASE(large);
    assert_true(rd_core_memory(core).asked_peak >= before + 1000 * sizeof(rd_real));
    rd_core_new_peaks(core);
    assert_int_equal(rd_core_memory(core).asked_peak, before);
    assert_int_equal(rd_core_memory(core).peak_bytes, rd_core_memory(core).live_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roots_add_up_in_one_pass),
        cmocka_unit_test(test_a_root_may_come_twice),
        cmocka_unit_test(test_a_root_without_gradient_is_refused),
        cmocka_unit_test(test_gradients_of_rows_in_parts_are_those_of_the_whole),
        cmocka_unit_test(test_lengths_beyond_an_input_are_refused_where_it_is_whole),
        cmocka_unit_test(test_leading_steps_are_lengths),
        cmocka_unit_test(test_a_mask_with_a_hole_has_no_lengths),
        cmocka_unit_test(test_leading_steps_are_of_rows_and_steps),
        cmocka_unit_test(test_peaks_begin_anew),
    };
    return cmocka_run_group_tests(tests, open_core, test_close_core);
}
