/* test_cells.c - every cell of the tree at every corner of its options: derivatives, bits, rules.
 *
 * Cells and options are read from the tables, so that a new cell is tested by being there. Settings tried:
 * the defaults; each option alone at every choice, at false and true, at its least and greatest value; pairs
 * of those that change the form, and all options together, away from their defaults. Derivatives are
 * compared with five-point differences (rule C6) and need the double build. Where a state is declared
 * without gradient the scalar weighs the outputs alone: the other states may depend on it.
 * SPDX-License-Identifier: MIT */
#include "engine/rnn.h"
#include "support/cell_rules.h"
#include "support/rnn_forms.h"

#include <string.h>

enum { MAX_LEAVES = 128, MAX_SETTINGS = 16, LARGEST_INT = 4 };

typedef void (*visit_fn)(const rnn_layer *layer);

static bool is_of_the_tree(const rd_cell *cell)
{
    return strncmp(cell->name, "test_", 5) != 0;
}

static rd_setting setting_of(const rd_option *o, double value)
{
    rd_setting s = {.name = o->name, .kind = o->kind};
    if (o->kind == RD_CHOICE)
        s.text = o->choices[(size_t)value];
    else if (o->kind == RD_REAL)
        s.value.r = value;
    else
        s.value.i = (int64_t)value;
    return s;
}

/* How many values of an option are tried, and value i. */
static size_t value_count(const rd_option *o)
{
    size_t n = 0;
    if (o->kind != RD_CHOICE) return 2;
    while (o->choices[n]) n++;
    return n;
}

static double value_at(const rd_option *o, size_t i)
{
    if (o->kind == RD_CHOICE || o->kind == RD_BOOL) return (double)i;
    if (i == 0) return o->min;
    /* widths and depths may be large, which a test cannot afford; reals would saturate every gate */
    if (o->kind == RD_INT) return o->max < LARGEST_INT ? o->max : LARGEST_INT;
    return o->max < 3 ? o->max : 3;
}

/* What a failure of the checks that know no cell is about. */
static void say(const rnn_layer *layer)
{
    print_message("%s", layer->cell);
    for (size_t k = 0; layer->settings && k < layer->n_settings; k++) {
        const rd_setting *s = &layer->settings[k];
        print_message(", %s", s->name);
        if (s->kind == RD_CHOICE)
            print_message(" %s", s->text);
        else if (s->kind == RD_REAL)
            print_message(" %g", s->value.r);
        else
            print_message(" %d", (int)s->value.i);
    }
    print_message("\n");
}

static void visit_cell(const rd_cell *cell, rnn_layer layer, visit_fn visit)
{
    rd_setting all[MAX_SETTINGS];
    layer.cell = cell->name;
    visit(&layer);
    assert_true(cell->n_options <= MAX_SETTINGS);
    for (uint32_t k = 0; k < cell->n_options; k++) {
        const rd_option *o = &cell->options[k];
        for (size_t i = 0; i < value_count(o); i++) {
            const rd_setting s = setting_of(o, value_at(o, i));
            layer.settings = &s;
            layer.n_settings = 1;
            if (value_at(o, i) != o->def) visit(&layer);
        }
        all[k] = setting_of(o, value_at(o, value_at(o, 1) != o->def));
    }
    for (uint32_t k = 0; k < cell->n_options; k++) /* pairs of those that change the form */
        for (uint32_t j = 0; j < k; j++) {
            const rd_setting two[2] = {all[j], all[k]};
            layer.settings = two;
            layer.n_settings = 2;
            if (cell->options[j].flags & cell->options[k].flags & RD_OPT_SHAPE) visit(&layer);
        }
    layer.settings = all;
    layer.n_settings = cell->n_options;
    if (cell->n_options > 1) visit(&layer);
}

static void visit_all(rnn_layer layer, visit_fn visit)
{
    rd_core *core = rnn_core(1, NULL);
    for (size_t i = 0; i < rd_cell_count(core); i++)
        if (is_of_the_tree(rd_cell_at(core, i))) visit_cell(rd_cell_at(core, i), layer, visit);
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* ---- derivatives --------------------------------------------------------------------------------- */

struct problem {
    rd_rnn *rnn;
    bool stops; /* a state is without gradient */
    rd_tensor *x, *first[RNN_MAX_STATES];
};

static bool has_stop(const rd_rnn *rnn)
{
    for (uint32_t k = 0; k < rnn->layout->n_states; k++)
        if (rnn->layout->state[k].flags & RD_STATE_STOP) return true;
    return false;
}

static rd_status weighed(void *user, rd_tensor **out, rd_error *err)
{
    const struct problem *p = user;
    rd_tensor *y = NULL, *final[RNN_MAX_STATES] = {NULL}, *sum = NULL;
    rd_status status =
        rd_rnn_forward(p->rnn, p->x, p->stops ? NULL : p->first, &y, p->stops ? NULL : final, err);
    if (status != RD_OK) return status;
    status = test_weighted_sum(y, &sum, err);
    for (size_t k = 0; status == RD_OK && !p->stops && k < rd_rnn_state_count(p->rnn); k++) {
        rd_tensor *part = NULL, *both = NULL;
        status = test_weighted_sum(final[k], &part, err);
        if (status == RD_OK) status = rd_apply2(RD_ADD, sum, part, &both, err);
        rd_tensor_release(part);
        rd_tensor_release(sum);
        sum = both;
    }
    *out = sum;
    return status;
}

/* A norm divides by deviations, which may be small: its fifth derivative, the error of a difference, is then
 * large. cells_spec.lua compares the same gradients with those of the tape, to 1e-12. */
static double tolerance_of(const rnn_layer *layer)
{
    for (size_t k = 0; layer->settings && k < layer->n_settings; k++)
        if (strcmp(layer->settings[k].name, "layer_norm") == 0) return 1e-6;
    return 1e-9;
}

static void check_derivatives(const rnn_layer *layer)
{
    say(layer);
    rd_core *core = rnn_core(1, NULL);
    rd_tensor *leaf[MAX_LEAVES];
    size_t n = 0;
    struct problem p = {.rnn = rnn_make(core, layer)};
    p.stops = has_stop(p.rnn);
    for (size_t i = 0; i < rd_rnn_parameter_count(p.rnn); i++)
        if (rd_requires_grad(rd_rnn_parameter(p.rnn, i))) leaf[n++] = rd_rnn_parameter(p.rnn, i);
    /* a seed for which no sum of a relu comes near its corner */
    p.x = leaf[n++] = test_leaf(core, SHAPE(2, 3, layer->in), RD_SEQUENCE, 50 + layer->bias);
    for (uint32_t k = 0; !p.stops && k < rd_rnn_state_count(p.rnn); k++)
        p.first[k] = leaf[n++] =
            test_leaf(core, SHAPE(2, rd_rnn_state_width(p.rnn, k)), RD_DENSE, 2 + k);
    test_gradients_within(tolerance_of(layer), weighed, &p, leaf, n);
    rd_tensor_release(p.x);
    for (int k = 0; k < RNN_MAX_STATES; k++) rd_tensor_release(p.first[k]);
    rd_rnn_release(p.rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_derivatives_of_every_cell(void **state)
{
    (void)state;
    visit_all((rnn_layer){.bias = 2, .in = 2, .hidden = 12}, check_derivatives);
    visit_all((rnn_layer){.bias = 1, .in = 8, .hidden = 8}, check_derivatives);
    visit_all((rnn_layer){.bias = 0, .in = 3, .hidden = 8}, check_derivatives);
}

/* ---- bits ---------------------------------------------------------------------------------------- */

static void check_forms(const rnn_layer *layer)
{
    say(layer);
    rnn_compare_forms(layer, 3, 5, false);
}

static void test_forms_of_every_cell(void **state)
{
    (void)state;
    visit_all((rnn_layer){.bias = 2, .in = 5, .hidden = 20}, check_forms);
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
    visit_all((rnn_layer){.bias = 1, .in = 19, .hidden = 19}, check_default_forms);
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
    visit_all((rnn_layer){.bias = 2, .in = 5, .hidden = 20}, check_a_row);
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
    visit_all((rnn_layer){.bias = 2, .in = 5, .hidden = 8}, check_lengths);
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
    say(layer);
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
    visit_all((rnn_layer){.bias = 1, .in = 5, .hidden = 20}, check_rules);
    visit_all((rnn_layer){.bias = 2, .in = 16, .hidden = 16}, check_rules);
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
