/* test_option.c - what a user gives against a table of options: values, and the words of each mistake.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "rondo.h"

enum { FORGET_BIAS, ACTIVATION, LAYERS, GATED, SCALE, SHIFT, FLOOR, N_OPTIONS };
static const char *const activations[] = {"tanh", "relu", "sigmoid", "identity", NULL};
static const rd_option options[N_OPTIONS] = {
    {.name = "forget_bias", .help = "", .kind = RD_REAL, .def = 1, .min = -10, .max = 10},
    {.name = "activation", .help = "", .kind = RD_CHOICE, .def = 2, .choices = activations},
    {.name = "layers", .help = "", .kind = RD_INT, .def = 3, .min = 1, .max = 65536},
    {.name = "gated", .help = "", .kind = RD_BOOL, .def = 1},
    {.name = "scale", .help = "", .kind = RD_REAL, .def = 1, .min = 0, .max = INFINITY},
    {.name = "shift", .help = "", .kind = RD_REAL, .min = -INFINITY, .max = INFINITY},
    {.name = "floor", .help = "", .kind = RD_INT, .min = -INFINITY, .max = 0x1p60},
};
static rd_value values[N_OPTIONS];
static rd_error err;

static rd_status resolve(rd_setting s)
{
    memset(&err, 0, sizeof err);
    return rd_options_resolve("lstm", options, N_OPTIONS, sizeof(rd_option), &s, 1, values, &err);
}
static rd_setting real(const char *name, double r)
{
    return (rd_setting){.name = name, .kind = RD_REAL, .value.r = r};
}
static rd_setting integer(const char *name, int64_t i)
{
    return (rd_setting){.name = name, .kind = RD_INT, .value.i = i};
}
static rd_setting text(const char *name, const char *s)
{
    return (rd_setting){.name = name, .kind = RD_CHOICE, .text = s};
}

static void test_defaults_fill_what_is_not_given(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, rd_options_resolve("lstm", options, N_OPTIONS, sizeof(rd_option), NULL,
                                               0, values, &err));
    assert_true(values[FORGET_BIAS].r == 1 && values[ACTIVATION].i == 2 && values[LAYERS].i == 3);
    assert_true(values[GATED].i == 1);
}
static void test_an_integer_is_taken_for_a_real(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, resolve(integer("forget_bias", -2)));
    assert_true(values[FORGET_BIAS].r == -2);
}
static void test_a_whole_real_is_taken_for_an_integer(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, resolve(real("layers", 7)));
    assert_int_equal(7, values[LAYERS].i);
}
static void test_a_choice_becomes_its_index(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, resolve(text("activation", "identity")));
    assert_int_equal(3, values[ACTIVATION].i);
}
static void test_a_boolean(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, resolve((rd_setting){.name = "gated", .kind = RD_BOOL, .value.i = 0}));
    assert_int_equal(0, values[GATED].i);
}
static void test_records_of_a_newer_plugin_are_walked_by_their_own_size(void **state)
{
    const struct {
        rd_option o;
        double newer;
    } wide[2] = {{options[FORGET_BIAS], 0}, {options[LAYERS], 0}};
    rd_value v[2];
    const rd_setting s = integer("layers", 9);

    (void)state;
    assert_int_equal(RD_OK,
                     rd_options_resolve("lstm", &wide[0].o, 2, sizeof wide[0], &s, 1, v, &err));
    assert_int_equal(9, v[1].i);
}
static void test_values_stay_untouched_on_failure(void **state)
{
    (void)state;
    for (int i = 0; i < N_OPTIONS; i++) values[i].i = 99;
    assert_int_equal(RD_E_ARG, resolve(integer("layers", 0)));
    for (int i = 0; i < N_OPTIONS; i++) assert_int_equal(99, values[i].i);
}

static void expect(rd_setting s, const char *message)
{
    assert_int_equal(RD_E_ARG, resolve(s));
    assert_int_equal(RD_E_ARG, err.code);
    assert_string_equal(message, err.text);
}
static void test_unknown_names_the_nearest(void **state)
{
    (void)state;
    expect(real("forgetbias", 1),
           "lstm: option 'forgetbias' is unknown (did you mean 'forget_bias'?)");
    expect(real("Activaton", 1),
           "lstm: option 'Activaton' is unknown (did you mean 'activation'?)");
}
static void test_unknown_without_a_near_name_lists_all(void **state)
{
    (void)state;
    expect(real("zzz", 1), "lstm: option 'zzz' is unknown; there is forget_bias, activation, "
                           "layers, gated, scale, shift, floor");
}
static void test_unknown_where_there_are_no_options(void **state)
{
    const rd_setting s = integer("layers", 9);

    (void)state;
    assert_int_equal(RD_E_ARG, rd_options_resolve("lstm", NULL, 0, 0, &s, 1, values, &err));
    assert_string_equal("lstm: option 'layers' is unknown; there are none", err.text);
}
static void test_out_of_range(void **state)
{
    (void)state;
    expect(integer("forget_bias", 11), "lstm: option 'forget_bias' must be -10..10, got 11");
    expect(real("forget_bias", -10.5), "lstm: option 'forget_bias' must be -10..10, got -10.5");
    expect(integer("layers", 0), "lstm: option 'layers' must be 1..65536, got 0");
    expect(real("scale", -1), "lstm: option 'scale' must be at least 0, got -1");
    expect(real("shift", (double)NAN), "lstm: option 'shift' must be a number, got nan");
}
/* Integers that a double cannot tell from their neighbours are not taken, whatever the table allows. */
static void test_an_integer_that_is_not_exact(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, resolve(real("floor", -0x1p53)));
    assert_true(values[FLOOR].i == -((int64_t)1 << 53));
    expect(real("floor", -0x1p54),
           "lstm: option 'floor' must be at most 1.15292150460685e+18, got -1.8014398509482e+16");
    expect(real("floor", 0x1p61),
           "lstm: option 'floor' must be at most 1.15292150460685e+18, got 2.30584300921369e+18");
}
static void test_a_choice_without_a_text(void **state)
{
    (void)state;
    expect(text("activation", NULL), "lstm: option 'activation' must be one of tanh, relu, "
                                     "sigmoid, identity, got ''");
}
static void test_nan_is_out_of_every_range(void **state)
{
    (void)state;
    assert_int_equal(RD_E_ARG, resolve(real("forget_bias", (double)NAN)));
    assert_non_null(strstr(err.text, "must be -10..10, got "));
}
static void test_a_broken_number_for_an_integer(void **state)
{
    (void)state;
    expect(real("layers", 2.5), "lstm: option 'layers' must be an integer, got 2.5");
    expect(text("layers", "two"), "lstm: option 'layers' must be an integer, got 'two'");
}
static void test_text_for_a_number(void **state)
{
    (void)state;
    expect(text("forget_bias", "one"), "lstm: option 'forget_bias' must be a number, got 'one'");
}
static void test_an_unknown_choice_lists_all(void **state)
{
    (void)state;
    expect(text("activation", "tan"), "lstm: option 'activation' must be one of tanh, relu, "
                                      "sigmoid, identity, got 'tan'");
    expect(integer("activation", 1), "lstm: option 'activation' must be one of tanh, relu, "
                                     "sigmoid, identity, got 1");
}
static void test_a_number_for_a_boolean(void **state)
{
    (void)state;
    expect(integer("gated", 1), "lstm: option 'gated' must be true or false, got 1");
    expect((rd_setting){.name = "scale", .kind = RD_BOOL, .value.i = 1},
           "lstm: option 'scale' must be a number, got true");
    expect((rd_setting){.name = "scale", .kind = RD_BOOL, .value.i = 0},
           "lstm: option 'scale' must be a number, got false");
}
static void test_nearest(void **state)
{
    const char *const names[] = {"learning_rate", "batch_size", "hidden_size", "seed"};

    (void)state;
    assert_string_equal("batch_size", rd_nearest("batchsize", names, 4));
    assert_string_equal("batch_size", rd_nearest("Batch-Size", names, 4));
    assert_string_equal("hidden_size", rd_nearest("hidden", names, 4));
    assert_string_equal("seed", rd_nearest("sede", names, 4));
    assert_string_equal("learning_rate", rd_nearest("lerning_rat", names, 4));
    assert_null(rd_nearest("momentum", names, 4));
    assert_null(rd_nearest("x", names, 4));
    assert_null(rd_nearest("", names, 4));
    assert_null(rd_nearest("seed", names, 0));
    assert_null(rd_nearest("a-name-that-goes-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-"
                           "and-on-and-on-and-on",
                           names, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_fill_what_is_not_given),
        cmocka_unit_test(test_an_integer_is_taken_for_a_real),
        cmocka_unit_test(test_a_whole_real_is_taken_for_an_integer),
        cmocka_unit_test(test_a_choice_becomes_its_index),
        cmocka_unit_test(test_a_boolean),
        cmocka_unit_test(test_records_of_a_newer_plugin_are_walked_by_their_own_size),
        cmocka_unit_test(test_values_stay_untouched_on_failure),
        cmocka_unit_test(test_unknown_names_the_nearest),
        cmocka_unit_test(test_unknown_without_a_near_name_lists_all),
        cmocka_unit_test(test_unknown_where_there_are_no_options),
        cmocka_unit_test(test_out_of_range),
        cmocka_unit_test(test_an_integer_that_is_not_exact),
        cmocka_unit_test(test_a_choice_without_a_text),
        cmocka_unit_test(test_nan_is_out_of_every_range),
        cmocka_unit_test(test_a_broken_number_for_an_integer),
        cmocka_unit_test(test_text_for_a_number),
        cmocka_unit_test(test_an_unknown_choice_lists_all),
        cmocka_unit_test(test_a_number_for_a_boolean),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
