/* test_rnn_gradients.c - every cell and form of a recurrent layer against five-point differences.
 *
 * All parameters, the input and the given first states are checked, by a scalar that weighs every output
 * and every last state differently. Skipped in the float build.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

struct shape {
    size_t rows, steps;
};
static const struct shape shapes[] = {{1, 1}, {3, 2}, {1, 17}, {17, 1}, {3, 9}};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0], MAX_LEAVES = 64 };

struct problem {
    rd_rnn *rnn;
    rd_tensor *x, *first[2]; /* first[0] NULL: the cell's own first states */
};

static rd_status weighed(void *user, rd_tensor **out, rd_error *err)
{
    const struct problem *p = user;
    rd_tensor *y = NULL, *final[2] = {NULL, NULL}, *sum = NULL;
    rd_status status = rd_rnn_forward(p->rnn, p->x, p->first[0] ? p->first : NULL, &y, final, err);
    if (status != RD_OK) return status;
    status = test_weighted_sum(y, &sum, err);
    for (size_t k = 0; status == RD_OK && k < rd_rnn_state_count(p->rnn); k++) {
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

static void check(rd_core *core, const rnn_layer *layer, const struct shape *shape, bool given)
{
    rd_tensor *leaf[MAX_LEAVES];
    size_t n = 0;
    struct problem p = {.rnn = rnn_make(core, layer)};
    for (size_t i = 0; i < rd_rnn_parameter_count(p.rnn); i++)
        leaf[n++] = rd_rnn_parameter(p.rnn, i);
    /* a dense x is turned into sequence order on the way */
    const rd_order order = shape->steps % 2 ? RD_SEQUENCE : RD_DENSE;
    p.x = leaf[n++] =
        test_leaf(core, 3, (size_t[]){shape->rows, shape->steps, layer->in}, order, 1);
    for (uint32_t k = 0; given && k < rd_rnn_state_count(p.rnn); k++)
        p.first[k] = leaf[n++] = test_leaf(
            core, 2, (size_t[]){shape->rows, rd_rnn_state_width(p.rnn, k)}, RD_DENSE, 2 + k);
    test_gradients(weighed, &p, leaf, n);
    rd_tensor_release(p.x);
    for (int k = 0; k < 2; k++) rd_tensor_release(p.first[k]);
    rd_rnn_release(p.rnn);
}

static void check_cell(const char *cell, const char *option, const char *choice)
{
    rd_core *core = rnn_core(1, NULL);
    for (uint32_t i = 0; i < N_SHAPES; i++) {
        const rnn_layer layer = {
            .cell = cell, .option = option, .choice = choice, .bias = i % 3, .in = 2, .hidden = 3};
        check(core, &layer, &shapes[i], i % 2 == 1);
    }
    for (uint32_t bias = 0; bias < 3; bias++) {
        const rnn_layer layer = {cell, option, choice, bias, 3, 2};
        check(core, &layer, &(const struct shape){2, 3}, true);
    }
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_vanilla_tanh(void **state)
{
    (void)state;
    check_cell("vanilla", "activation", "tanh");
}

static void test_vanilla_relu(void **state)
{
    (void)state;
    check_cell("vanilla", "activation", "relu");
}

static void test_vanilla_sigmoid(void **state)
{
    (void)state;
    check_cell("vanilla", "activation", "sigmoid");
}

static void test_vanilla_identity(void **state)
{
    (void)state;
    check_cell("vanilla", "activation", "identity");
}

static void test_lstm(void **state)
{
    (void)state;
    check_cell("lstm", NULL, NULL);
}

static void test_gru_reset_after(void **state)
{
    (void)state;
    check_cell("gru", "reset", "after");
}

static void test_gru_reset_before(void **state)
{
    (void)state;
    check_cell("gru", "reset", "before");
}

static void test_cell_with_all_that_others_do_not_use(void **state)
{
    (void)state;
    check_cell("test_odd", NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vanilla_tanh),
        cmocka_unit_test(test_vanilla_relu),
        cmocka_unit_test(test_vanilla_sigmoid),
        cmocka_unit_test(test_vanilla_identity),
        cmocka_unit_test(test_lstm),
        cmocka_unit_test(test_gru_reset_after),
        cmocka_unit_test(test_gru_reset_before),
        cmocka_unit_test(test_cell_with_all_that_others_do_not_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
