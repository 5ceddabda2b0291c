/* test_abi.c - what was built for ABI 1.0 loads for ever: records and numbers of the frozen headers are the
 * present ones, and a plugin built against those headers does what it did.
 * SPDX-License-Identifier: MIT */
#include "abi/table.h"
#include "base/error.h"
#include "support/rnns.h"
#include <string.h>

/* ---- the table ------------------------------------------------------------------------------------ */

static bool is_field(const abi_entry *e)
{
    return e->name && strchr(e->name, '.');
}

/* So that no field can be forgotten in the table, nor hide in padding. */
static void test_the_fields_of_a_record_fill_it(void **state)
{
    (void)state;
    for (const abi_entry *e = abi_1_0; e->name; e++) {
        if (!is_field(e + 1) || is_field(e)) continue; /* the record, then its fields */
        size_t end = 0;
        const abi_entry *f = e + 1;
        for (; is_field(f); f++) {
            if (f->at != end) fail_msg("%s lies at %zu, not at %zu", f->name, f->at, end);
            end = f->at + f->size;
        }
        if (end != e->size) fail_msg("the fields of %s end at %zu of %zu", e->name, end, e->size);
    }
}
static void test_what_1_0_had_lies_where_it_lay(void **state)
{
    (void)state;
    for (size_t i = 0; abi_1_0[i].name; i++) {
        const abi_entry *then = &abi_1_0[i], *now = &abi_now[i];
        const bool record = !is_field(then) && then->size > 0;
        assert_string_equal(then->name, now->name);
        if (then->at != now->at) fail_msg("%s: %zu is %zu now", then->name, then->at, now->at);
        if (record ? now->size < then->size : now->size != then->size)
            fail_msg("%s: %zu bytes are %zu now", then->name, then->size, now->size);
    }
}
/* These have no size of their own, or lie in arrays and in other records. */
static void test_frozen_records_do_not_grow(void **state)
{
    static const char *const frozen[] = {"rd_stamp", "rd_value", "rd_init", "rd_span", "rd_cspan"};

    (void)state;
    for (size_t k = 0; k < sizeof frozen / sizeof *frozen; k++) {
        size_t i = 0;
        while (strcmp(abi_1_0[i].name, frozen[k]) != 0) i++;
        assert_int_equal(abi_1_0[i].size, abi_now[i].size);
    }
}

/* ---- the plugin ----------------------------------------------------------------------------------- */

static rd_core *open_demo(const char *kernels)
{
    const rd_core_options options = {.threads = 1,
                                     .kernels = kernels,
                                     .plugin_path = RD_TEST_ABI_DIR,
                                     .lib_dir = RD_TEST_LIB_DIR,
                                     .trust_plugins = true};
    rd_core *core = NULL;
    rd_error err;

    OK(rd_core_open(&options, &core, &err));
    return core;
}
static void test_a_plugin_of_1_0_is_loaded(void **state)
{
    rd_core *core = open_demo(NULL);
    rd_error err;
    const rd_cell *cell = rd_cell_find(core, "demo.x", &err);
    const rd_layer *layer = rd_layer_find(core, "demo.mix", &err);

    (void)state;
    assert_non_null(cell);
    assert_non_null(layer);
    assert_string_equal("demo", rd_cell_plugin(core, cell).name);
    assert_string_equal("the tests of ABI 1.0", rd_layer_plugin(core, layer).origin);
    rd_core_release(core);
}

static const rd_setting settings[] = {{.name = "order", .kind = RD_INT, .value.i = 3},
                                      {.name = "gain", .kind = RD_REAL, .value.r = 0.75},
                                      {.name = "peephole", .kind = RD_BOOL, .value.i = 1},
                                      {.name = "activation", .kind = RD_CHOICE, .text = "tanh"}};
static const rnn_layer demo_layer = {
    .cell = "demo.x", .bias = 2, .in = 3, .hidden = 5, .settings = settings, .n_settings = 4};

/* The output of its cell, 2 rows of 4 steps, and the gradient of a weighed sum of it by x. */
static void run(rd_core *core, rd_tensor **y, rd_tensor **dx)
{
    rd_rnn *rnn = rnn_make(core, &demo_layer);
    rd_tensor *x = test_leaf(core, 3, (size_t[]){2, 4, 3}, RD_SEQUENCE, 1), *sum = NULL;
    rd_tensor *final[3] = {NULL, NULL, NULL};
    rd_error err;

    OK(rd_rnn_forward(rnn, x, NULL, y, final, &err));
    OK(test_weighted_sum(rd_tensor_retain(*y), &sum, &err));
    OK(rd_backward(sum, NULL, false, &err));
    *dx = rd_tensor_retain(rd_grad(x));
    RELEASE(x, sum, final[0], final[1], final[2]);
    rd_rnn_release(rnn);
}
static void test_its_backend_makes_the_products_of_the_contract(void **state)
{
    rd_core *demo = open_demo("zz-demo"), *scalar = open_demo("scalar");
    rd_tensor *y[2], *dx[2];

    (void)state;
    assert_string_equal("zz-demo", rd_core_kernels(demo));
    run(demo, &y[0], &dx[0]);
    run(scalar, &y[1], &dx[1]);
    test_same(y[0], y[1]);
    test_same(dx[0], dx[1]);
    RELEASE(y[0], y[1], dx[0], dx[1]);
    rd_core_release(demo);
    rd_core_release(scalar);
}

struct problem {
    rd_rnn *rnn;
    rd_tensor *x;
};
static rd_status weighed(void *user, rd_tensor **out, rd_error *err)
{
    const struct problem *p = user;
    rd_tensor *y = NULL, *final[3] = {NULL, NULL, NULL}, *part[2] = {NULL, NULL};

    RD_TRY(rd_rnn_forward(p->rnn, p->x, NULL, &y, final, err));
    RD_TRY(test_weighted_sum(y, &part[0], err));
    RD_TRY(test_weighted_sum(final[1], &part[1], err));
    RD_TRY(rd_apply2(RD_ADD, part[0], part[1], out, err));
    RELEASE(part[0], part[1], final[0], final[2]);
    return RD_OK;
}
/* In double: five-point differences. */
static void test_its_cell_has_its_gradients(void **state)
{
    rd_core *core = open_demo(NULL);
    struct problem p = {.rnn = rnn_make(core, &demo_layer)};
    rd_tensor *leaf[32];
    size_t n = 0;

    (void)state;
    p.x = leaf[n++] = test_leaf(core, 3, (size_t[]){2, 4, 3}, RD_SEQUENCE, 1);
    for (size_t i = 0; i < rd_rnn_parameter_count(p.rnn); i++) {
        rd_tensor *each = rd_rnn_parameter(p.rnn, i);
        if (rd_requires_grad(each)) leaf[n++] = each;
    }
    assert_int_equal(12, n); /* x; g_x g_h g_c g_bx g_bh e_x m_x m_q m_bx p w, but not k_c */
    test_gradients(weighed, &p, leaf, n);
    rd_tensor_release(p.x);
    rd_rnn_release(p.rnn);
    rd_core_release(core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_fields_of_a_record_fill_it),
        cmocka_unit_test(test_what_1_0_had_lies_where_it_lay),
        cmocka_unit_test(test_frozen_records_do_not_grow),
        cmocka_unit_test(test_a_plugin_of_1_0_is_loaded),
        cmocka_unit_test(test_its_backend_makes_the_products_of_the_contract),
        cmocka_unit_test(test_its_cell_has_its_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
