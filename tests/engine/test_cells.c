/* test_cells.c - every cell of the tree at every corner of its options: derivatives, bits, rules.
 *
 * Which they are, and what is compared of derivatives: support/rnn_grid.h.
 * SPDX-License-Identifier: MIT */
#include "support/cell_rules.h"
#include "support/rnn_forms.h"
#include "support/rnn_grid.h"

/* ---- derivatives --------------------------------------------------------------------------------- */

static void test_derivatives_of_every_cell(void **state)
{
    (void)state;
    rnn_visit_all((rnn_layer){.bias = 2, .in = 2, .hidden = 12}, rnn_check_derivatives);
    rnn_visit_all((rnn_layer){.bias = 1, .in = 8, .hidden = 8}, rnn_check_derivatives);
    rnn_visit_all((rnn_layer){.bias = 0, .in = 3, .hidden = 8}, rnn_check_derivatives);
}

/* ---- bits ---------------------------------------------------------------------------------------- */

static void check_forms(const rnn_layer *layer)
{
    rnn_say(layer);
    rnn_compare_forms(layer, 3, 5, false);
}

static void test_forms_of_every_cell(void **state)
{
    (void)state;
    rnn_visit_all((rnn_layer){.bias = 2, .in = 5, .hidden = 20}, check_forms);
}

static void check_default_forms(const rnn_layer *layer)
{
    if (layer->settings) return;
    rnn_compare_forms(layer, 37, 3, false);
    rnn_compare_forms(layer, 1, 4, true);
}

/* Many rows, which do not divide into 16 blocks; one row of ids; x as wide as the layer. */
static void test_shapes_of_every_cell(void **state)
{
    (void)state;
    rnn_visit_all((rnn_layer){.bias = 1, .in = 19, .hidden = 19}, check_default_forms);
}

static void check_a_row(const rnn_layer *layer)
{
    rd_error err;
    rd_core *core = rnn_core(1, NULL);
    rd_rnn *rnn = rnn_make(core, layer);
    rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, SHAPE(40, 5, layer->in));
    rd_tensor *y = NULL, *row = NULL, *of_batch = NULL, *alone = NULL;
    OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
    OK(rd_slice(x, 0, 31, 1, &row, &err));
    OK(rd_slice(y, 0, 31, 1, &of_batch, &err));
    OK(rd_rnn_forward(rnn, row, NULL, &alone, NULL, &err));
    test_same(of_batch, alone);
    RELEASE(x, y, row, of_batch, alone);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_a_row_alone_equals_the_row_of_a_batch(void **state)
{
    (void)state;
    rnn_visit_all((rnn_layer){.bias = 2, .in = 5, .hidden = 20}, check_a_row);
}

static void expect_zeros(const rd_tensor *t)
{
    enum { MOST = 64 };
    rd_real values[MOST];
    assert_true(rd_tensor_numel(t) <= MOST);
    rd_tensor_read(t, values);
    for (size_t i = 0; i < rd_tensor_numel(t); i++) assert_true(values[i] == 0);
}

struct lengths {
    rd_rnn *rnn;
    rd_tensor *x, *y, *last; /* of all rows; last: state 0 */
};

/* A row that ends early has what its n steps have alone, and zeros behind. */
static void compare_row(const struct lengths *of, size_t r, size_t n)
{
    rd_error err;
    const size_t steps = rd_tensor_shape(of->x)[1];
    rd_tensor *row = NULL, *mine = NULL, *x = NULL, *y = NULL, *alone = NULL, *state = NULL;
    rd_tensor *end[RNN_MAX_STATES] = {NULL}, *behind = NULL;
    OK(rd_slice(of->x, 0, r, 1, &row, &err));
    OK(rd_slice(of->y, 0, r, 1, &mine, &err));
    if (n > 0) {
        OK(rd_slice(row, 1, 0, n, &x, &err));
        OK(rd_slice(mine, 1, 0, n, &y, &err));
        OK(rd_slice(of->last, 0, r, 1, &state, &err));
        OK(rd_rnn_forward(of->rnn, x, NULL, &alone, end, &err));
        test_same(alone, y);
        test_same(end[0], state);
    }
    if (n < steps) {
        OK(rd_slice(mine, 1, n, steps - n, &behind, &err));
        expect_zeros(behind);
    }
    RELEASE(row, mine, x, y, alone, state, behind);
    for (int k = 0; k < RNN_MAX_STATES; k++) rd_tensor_release(end[k]);
}

static void check_lengths(const rnn_layer *layer)
{
    enum { B = 4, T = 5 };
    static const rd_real length[B] = {3, 0, 5, 1};
    rd_error err;
    rd_core *core = rnn_core(1, NULL);
    struct lengths of = {.rnn = rnn_make(core, layer),
                         .x = rnn_tensor(core, 5, RD_SEQUENCE, SHAPE(B, T, layer->in))};
    rd_tensor *lengths = NULL, *last[RNN_MAX_STATES] = {NULL};
    OK(rd_tensor_new(core, SHAPE(B), RD_DENSE, &lengths, &err));
    OK(rd_tensor_write(lengths, length, &err));
    OK(rd_rnn_run(of.rnn, &(rd_rnn_input){.x = of.x, .mask = lengths}, &of.y, last, &err));
    of.last = last[0];
    for (size_t r = 0; r < B; r++) compare_row(&of, r, (size_t)length[r]);
    for (int k = 0; k < RNN_MAX_STATES; k++) rd_tensor_release(last[k]);
    RELEASE(of.x, of.y, lengths);
    rd_rnn_release(of.rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_rows_that_end_early_of_every_cell(void **state)
{
    (void)state;
    rnn_visit_all((rnn_layer){.bias = 2, .in = 5, .hidden = 8}, check_lengths);
}

/* ---- the rules that the step functions keep -------------------------------------------------------- */

static void check_rules(const rnn_layer *layer)
{
    rd_error err;
    rd_core *core = rnn_core(1, NULL);
    const cell_case c = {.cell = rd_cell_find(core, layer->cell, &err),
                         .settings = layer->settings,
                         .n_settings = layer->n_settings,
                         .in = layer->in,
                         .hidden = layer->hidden,
                         .bias = layer->bias};
    rnn_say(layer);
    for (size_t i = 0; i < cell_rule_count(); i++) {
        char why[CELL_RULE_TEXT];
        if (!cell_rules[i].keeps(&c, why, sizeof why))
            fail_msg("%s: rule %s, %s: %s", layer->cell, cell_rules[i].number, cell_rules[i].what,
                     why);
    }
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* Widths that vectors of no processor divide, and one that they do. */
static void test_rules_of_every_cell(void **state)
{
    (void)state;
    rnn_visit_all((rnn_layer){.bias = 1, .in = 5, .hidden = 20}, check_rules);
    rnn_visit_all((rnn_layer){.bias = 2, .in = 16, .hidden = 16}, check_rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derivatives_of_every_cell),
        cmocka_unit_test(test_forms_of_every_cell),
        cmocka_unit_test(test_shapes_of_every_cell),
        cmocka_unit_test(test_a_row_alone_equals_the_row_of_a_batch),
        cmocka_unit_test(test_rows_that_end_early_of_every_cell),
        cmocka_unit_test(test_rules_of_every_cell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
