/* test_golden.c - cells against the committed vectors in golden.tsv.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include "oracle/vectors.h"
#include <stdio.h>
#include <string.h>

enum { MAX_GATES = 4, MAX_STATES = 2 };

/* ---- cells ------------------------------------------------------------------------------- */

/* Our parameter for each of PyTorch's arrays and each gate that is stacked in it. */
struct cell {
    const char *group;
    rnn_layer layer;
    uint32_t gates;
    const char *name[5][MAX_GATES]; /* the fifth is one matrix, or NULL */
};
static const char *const torch_name[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh",
                                         "weight_hr"};
static const char *const state_name[MAX_STATES] = {"h", "c"};

static rd_tensor *parameter(const rd_rnn *rnn, const char *name)
{
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
        if (strcmp(rd_rnn_parameter_name(rnn, i), name) == 0) return rd_rnn_parameter(rnn, i);
    fail_msg("no parameter '%s'", name);
    return NULL;
}

/* Sets the parameters, or compares their gradients. */
static void visit(const struct cell *c, const rd_rnn *rnn, bool compare)
{
    char name[64];
    for (size_t kind = 0; kind < 5 && c->name[kind][0]; kind++) {
        const uint32_t parts = kind < 4 ? c->gates : 1;
        snprintf(name, sizeof name, "%s%s", compare ? "grad." : "", torch_name[kind]);
        golden_array all = vectors_need(c->group, name);
        for (uint32_t g = 0; g < parts; g++) {
            golden_array part = all;
            part.shape[0] /= parts;
            part.count /= parts;
            part.values += g * part.count;
            rd_tensor *p = parameter(rnn, c->name[kind][g]);
            if (compare) {
                golden_check_values(name, &part, rd_grad(p), RD_DENSE);
                continue;
            }
            rd_tensor *from = golden_tensor_of(rd_tensor_core(p), &part, RD_DENSE);
            rd_real values[64];
            assert_true(part.count <= 64);
            rd_tensor_read(from, values);
            rnn_set(p, values);
            rd_tensor_release(from);
        }
        golden_array_free(&all);
    }
}

/* Adds sum(t d) to *loss. */
static void weigh(rd_tensor **loss, rd_tensor *t, const char *group, const char *d, rd_order order)
{
    rd_error err;
    rd_tensor *product = NULL, *sum = NULL, *both = NULL;
    rd_tensor *const weights = vectors_tensor(rd_tensor_core(t), group, d, order);
    OK(rd_apply2(RD_MUL, t, weights, &product, &err));
    OK(rd_sum(product, RD_ALL, false, &sum, &err));
    OK(rd_apply2(RD_ADD, *loss, sum, &both, &err));
    rd_tensor_release(sum);
    rd_tensor_release(product);
    rd_tensor_release(weights);
    rd_tensor_release(*loss);
    *loss = both;
}

static void check_cell(const struct cell *c)
{
    rd_error err;
    char name[64];
    rd_core *core = rnn_core(1, NULL);
    rd_tensor *first[MAX_STATES] = {0}, *final[MAX_STATES] = {0}, *y = NULL, *loss = NULL;
    rd_rnn *rnn = rnn_make(core, &c->layer);
    const size_t n = rd_rnn_state_count(rnn);
    visit(c, rnn, false);
    rd_tensor *const x = vectors_input(core, c->group, "x", RD_SEQUENCE);
    for (size_t s = 0; s < n; s++) {
        snprintf(name, sizeof name, "%s_0", state_name[s]);
        first[s] = vectors_input(core, c->group, name, RD_DENSE);
    }
    OK(rd_rnn_forward(rnn, x, first, &y, final, &err));
    OK(rd_scalar(core, 0, &loss, &err));
    vectors_expect(c->group, "y", y, RD_SEQUENCE);
    weigh(&loss, y, c->group, "dy", RD_SEQUENCE);
    for (size_t s = 0; s < n; s++) {
        snprintf(name, sizeof name, "d%s_n", state_name[s]);
        vectors_expect(c->group, name + 1, final[s], RD_DENSE);
        weigh(&loss, final[s], c->group, name, RD_DENSE);
    }
    OK(rd_backward(loss, NULL, false, &err));
    vectors_expect(c->group, "grad.x", rd_grad(x), RD_SEQUENCE);
    for (size_t s = 0; s < n; s++) {
        snprintf(name, sizeof name, "grad.%s_0", state_name[s]);
        vectors_expect(c->group, name, rd_grad(first[s]), RD_DENSE);
        rd_tensor_release(final[s]);
        rd_tensor_release(first[s]);
    }
    visit(c, rnn, true);
    rd_tensor_release(loss);
    rd_tensor_release(y);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

#define VANILLA(kind) \
    { \
        "rnn_" kind, \
            {.cell = "vanilla", \
             .option = "activation", \
             .choice = kind, \
             .bias = 2, \
             .in = 3, \
             .hidden = 3}, \
            1, \
        { \
            {"a_x"}, {"a_h"}, {"a_bx"}, \
            { \
                "a_bh" \
            } \
        } \
    }

static void test_golden_rnn_tanh(void **state)
{
    (void)state;
    check_cell(&(struct cell)VANILLA("tanh"));
}

static void test_golden_rnn_relu(void **state)
{
    (void)state;
    check_cell(&(struct cell)VANILLA("relu"));
}

static void test_golden_lstm(void **state)
{
    (void)state;
    check_cell(&(struct cell){"lstm",
                              {.cell = "lstm", .bias = 2, .in = 3, .hidden = 3},
                              4,
                              {{"i_x", "f_x", "g_x", "o_x"},
                               {"i_h", "f_h", "g_h", "o_h"},
                               {"i_bx", "f_bx", "g_bx", "o_bx"},
                               {"i_bh", "f_bh", "g_bh", "o_bh"}}});
}

static void test_golden_gru(void **state)
{
    (void)state;
    check_cell(&(struct cell){
        "gru",
        {.cell = "gru", .option = "reset", .choice = "after", .bias = 2, .in = 3, .hidden = 3},
        3,
        {{"r_x", "z_x", "n_x_x"},
         {"r_h", "z_h", "n_h_h"},
         {"r_bx", "z_bx", "n_x_bx"},
         {"r_bh", "z_bh", "n_h_bh"}}});
}

static void test_golden_gru_reset_before(void **state)
{
    (void)state;
    check_cell(&(struct cell){
        "gru_reset_before",
        {.cell = "gru", .option = "reset", .choice = "before", .bias = 2, .in = 3, .hidden = 3},
        3,
        {{"r_x", "z_x", "n_x"},
         {"r_h", "z_h", "n_q"},
         {"r_bx", "z_bx", "n_bx"},
         {"r_bh", "z_bh", "n_bh"}}});
}

static void test_golden_lstm_projection(void **state)
{
    static const rd_setting projection = {.name = "projection", .kind = RD_INT, .value.i = 2};
    (void)state;
    check_cell(&(struct cell){
        "lstm_projection",
        {.cell = "lstm", .bias = 2, .in = 3, .hidden = 3, .settings = &projection, .n_settings = 1},
        4,
        {{"i_x", "f_x", "g_x", "o_x"},
         {"i_h", "f_h", "g_h", "o_h"},
         {"i_bx", "f_bx", "g_bx", "o_bx"},
         {"i_bh", "f_bh", "g_bh", "o_bh"},
         {"p_m"}}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_rnn_tanh), cmocka_unit_test(test_golden_rnn_relu),
        cmocka_unit_test(test_golden_lstm),     cmocka_unit_test(test_golden_lstm_projection),
        cmocka_unit_test(test_golden_gru),      cmocka_unit_test(test_golden_gru_reset_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
