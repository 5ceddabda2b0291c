/* test_cells.c - every cell of the tree at every corner of its options (support/rnn_grid.h): bits.
 *
 * What concerns a cell alone, derivatives too, `rondo check` looks at: tests/runs/check_spec.lua.
 * SPDX-License-Identifier: MIT */
#include "support/rnn_forms.h"
#include "support/rnn_grid.h"
#include <string.h>

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

enum { B = 5, T = 5, MOST = B * T * 64 };

static const bool counts[B][T] = {
    {1, 1, 1, 0, 0}, {0, 0, 0, 0, 0}, {1, 1, 1, 1, 1}, {0, 0, 1, 1, 1}, {1, 0, 1, 0, 1}};

struct padded { /* a batch in which `counts` says what counts */
    rd_rnn *rnn;
    bool reverse;
    rd_tensor *x, *y, *last[RNN_MAX_STATES];
};

/* Values of a tensor, in the order of its dimensions. */
static void read_all(const rd_tensor *t, rd_real values[MOST])
{
    assert_true(rd_tensor_numel(t) <= MOST);
    rd_tensor_read(t, values);
}

/* The steps of row r that count, (1, n, width). */
static rd_tensor *kept(const rd_tensor *t, size_t r, size_t n)
{
    rd_error err;
    rd_real all[MOST];
    rd_tensor *own = NULL;
    const size_t width = rd_tensor_shape(t)[2];
    read_all(t, all);
    for (size_t i = 0, to = 0; i < T; i++)
        if (counts[r][i])
            memmove(all + to++ * width, all + (r * T + i) * width, width * sizeof *all);
    OK(rd_tensor_new(rd_tensor_core(t), SHAPE(1, n, width), RD_SEQUENCE, &own, &err));
    OK(rd_tensor_write(own, all, &err));
    return own;
}

/* What does not count is +0, and without a step the state is the first one. */
static void expect_nothing(const struct padded *of, size_t r, size_t n)
{
    rd_real y[MOST], state[MOST];
    const size_t width = rd_tensor_shape(of->y)[2];
    read_all(of->y, y);
    for (size_t i = 0; i < T * width; i++)
        assert_true(counts[r][i / width] || y[r * T * width + i] == 0);
    for (size_t k = 0; n == 0 && k < rd_rnn_state_count(of->rnn); k++) {
        const size_t units = rd_rnn_state_width(of->rnn, k);
        read_all(of->last[k], state);
        for (size_t j = 0; j < units; j++)
            assert_true(state[r * units + j] == (rd_real)rd_rnn_state_first(of->rnn, k));
    }
}

static void compare_row(const struct padded *of, size_t r)
{
    rd_error err;
    rd_tensor *y = NULL, *state = NULL, *end[RNN_MAX_STATES] = {NULL};
    size_t n = 0;
    for (size_t t = 0; t < T; t++) n += counts[r][t];
    expect_nothing(of, r, n);
    if (n == 0) return;
    rd_tensor *x = kept(of->x, r, n), *mine = kept(of->y, r, n);
    OK(rd_rnn_run(of->rnn, &(rd_rnn_input){.x = x, .reverse = of->reverse}, &y, end, &err));
    test_same(y, mine);
    for (size_t k = 0; k < rd_rnn_state_count(of->rnn); k++) {
        OK(rd_slice(of->last[k], 0, r, 1, &state, &err));
        test_same(end[k], state);
        RELEASE(state, end[k]);
    }
    RELEASE(x, mine, y);
}

static void check_padding(const rnn_layer *layer)
{
    rd_error err;
    rd_core *core = rnn_core(1, NULL);
    struct padded of = {.rnn = rnn_make(core, layer),
                        .x = rnn_tensor(core, 5, RD_SEQUENCE, SHAPE(B, T, layer->in))};
    rd_tensor *mask = NULL;
    rd_real values[B * T];
    for (size_t i = 0; i < B * T; i++) values[i] = counts[i / T][i % T];
    OK(rd_tensor_new(core, SHAPE(B, T), RD_DENSE, &mask, &err));
    OK(rd_tensor_write(mask, values, &err));
    for (int reverse = 0; reverse < 2; reverse++) {
        const rd_rnn_input in = {.x = of.x, .mask = mask, .reverse = reverse != 0};
        of.reverse = in.reverse;
        OK(rd_rnn_run(of.rnn, &in, &of.y, of.last, &err));
        for (size_t r = 0; r < B; r++) compare_row(&of, r);
        for (size_t k = 0; k < rd_rnn_state_count(of.rnn); k++) rd_tensor_release(of.last[k]);
        rd_tensor_release(of.y);
    }
    RELEASE(of.x, mask);
    rd_rnn_release(of.rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* Padding on either side, holes, nothing and all, read from either end. */
static void test_padded_rows_of_every_cell(void **state)
{
    (void)state;
    rnn_visit_all((rnn_layer){.bias = 2, .in = 5, .hidden = 8}, check_padding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_of_every_cell),
        cmocka_unit_test(test_shapes_of_every_cell),
        cmocka_unit_test(test_a_row_alone_equals_the_row_of_a_batch),
        cmocka_unit_test(test_padded_rows_of_every_cell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
