/* test_records.c - rule L3 on records in memory: every sentence that a plugin's author may meet.
 *
 * Over 400 lines: each sentence has a test of its own.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "plugin/loader.h"

/* One good plugin of one cell with two options, one layer and one backend; each test spoils a field of it. */
static const char *const choices[] = {"a", "b", NULL};
static rd_option options[2];
static rd_cell cell;
static rd_layer layer;
static rd_kernels backend;
static const rd_cell *cells[] = {&cell, NULL};
static const rd_layer *layers[] = {&layer, NULL, NULL};
static const rd_kernels *backends[] = {&backend, NULL};
static rd_plugin plugin;

static rd_status layout(const rd_setup *u, rd_builder *b)
{
    (void)u, (void)b;
    return RD_OK;
}
static void forward(const rd_step *s)
{
    (void)s;
}
static rd_status setup(const rd_setup *u, rd_layer_builder *b)
{
    (void)u, (void)b;
    return RD_OK;
}
static void run(const rd_run *r)
{
    (void)r;
}
static int score(const rd_cpu *cpu)
{
    (void)cpu;
    return 1;
}
static void gemm(const rd_gemm *g)
{
    (void)g;
}
static size_t pack_bytes(size_t k, size_t n)
{
    return k * n;
}
static void pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    (void)g, (void)to, (void)first, (void)last;
}
static int make_good(void **state)
{
    (void)state;
    options[0] = (rd_option){.name = "gain", .help = "", .kind = RD_REAL, .def = 1, .max = 2};
    options[1] = (rd_option){.name = "kind", .help = "", .kind = RD_CHOICE, .choices = choices};
    cell = (rd_cell){.size = sizeof cell,
                     .revision = 1,
                     .name = "x",
                     .help = "",
                     .options = options,
                     .n_options = 2,
                     .option_size = sizeof(rd_option),
                     .layout = layout,
                     .forward = forward};
    layer = (rd_layer){.size = sizeof layer,
                       .revision = 1,
                       .name = "l",
                       .help = "",
                       .options = options,
                       .n_options = 1,
                       .option_size = sizeof(rd_option),
                       .setup = setup,
                       .forward = run};
    layers[1] = NULL;
    backend = (rd_kernels){.size = sizeof backend,
                           .name = "y",
                           .help = "",
                           .score = score,
                           .gemm = gemm,
                           .pack_bytes = pack_bytes,
                           .pack = pack};
    plugin = (rd_plugin){.stamp = RD_STAMP,
                         .size = sizeof plugin,
                         .name = "p",
                         .version = "1",
                         .license = "MIT",
                         .origin = "",
                         .cells = cells,
                         .kernels = backends,
                         .layers = layers};
    return 0;
}
static void expect(const char *reason)
{
    char got[RDC_REASON_BYTES];

    assert_false(rdc_plugin_check(&plugin, got));
    assert_string_equal(reason, got);
}

static void test_a_good_plugin(void **state)
{
    char reason[RDC_REASON_BYTES];

    (void)state;
    assert_true(rdc_plugin_check(&plugin, reason));
}
static void test_lists_may_be_absent(void **state)
{
    char reason[RDC_REASON_BYTES];

    (void)state;
    plugin.cells = NULL;
    plugin.kernels = NULL;
    plugin.layers = NULL;
    assert_true(rdc_plugin_check(&plugin, reason));
}
static void test_a_record_of_the_future_is_longer(void **state)
{
    char reason[RDC_REASON_BYTES];

    (void)state;
    plugin.size += 64;
    cell.size += 64;
    layer.size += 64;
    backend.size += 64;
    assert_true(rdc_plugin_check(&plugin, reason));
}
static void test_a_short_plugin(void **state)
{
    char reason[RDC_REASON_BYTES];

    (void)state;
    plugin.size = 8;
    (void)snprintf(reason, sizeof reason,
                   "L3: the plugin's record has 8 bytes, expected at least %zu", sizeof plugin);
    expect(reason);
}
static void test_a_plugin_name_with_capitals(void **state)
{
    (void)state;
    plugin.name = "Plugin";
    expect("L3: plugin name 'Plugin' is not [a-z][a-z0-9_.-]*");
}
static void test_a_name_of_64_letters(void **state)
{
    (void)state;
    cell.name = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl";
    expect(
        "L3: cell name 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl' is not "
        "[a-z][a-z0-9_.-]*");
}
static void test_a_cell_without_name(void **state)
{
    (void)state;
    cell.name = NULL;
    expect("L3: a cell has no name");
}
static void test_a_cell_without_help(void **state)
{
    (void)state;
    cell.help = NULL;
    expect("L3: cell 'x' lacks its help");
}
static void test_a_cell_without_forward(void **state)
{
    (void)state;
    cell.forward = NULL;
    expect("L3: cell 'x' lacks its forward function");
}
static void test_options_without_their_size(void **state)
{
    char reason[RDC_REASON_BYTES];

    (void)state;
    cell.option_size = 0;
    (void)snprintf(reason, sizeof reason,
                   "L3: cell 'x': options are missing or their option_size is 0, not %zu",
                   sizeof(rd_option));
    expect(reason);
}
static void test_an_option_without_help(void **state)
{
    (void)state;
    options[1].help = NULL;
    expect("L3: an option of cell 'x' lacks its name or help");
}
static void test_an_option_name_with_a_space(void **state)
{
    (void)state;
    options[0].name = "the gain";
    expect("L3: option name 'the gain' of cell 'x' is not [a-z][a-z0-9_.-]*");
}
static void test_an_option_of_unknown_kind(void **state)
{
    (void)state;
    options[0].kind = 9;
    expect("L3: option 'gain' of cell 'x' is of unknown kind 9");
}
static void test_two_options_of_one_name(void **state)
{
    (void)state;
    options[1].name = "gain";
    expect("L3: cell 'x' has two options 'gain'");
}
static void test_a_choice_without_choices(void **state)
{
    (void)state;
    options[1].choices = NULL;
    expect("L3: option 'kind' of cell 'x' has no choices");
}
static void test_a_choice_of_nothing(void **state)
{
    static const char *const none[] = {NULL};

    (void)state;
    options[1].choices = none;
    expect("L3: option 'kind' of cell 'x' has no choices");
}
static void test_a_choice_whose_default_is_between_two(void **state)
{
    (void)state;
    options[1].def = 0.5;
    expect("L3: option 'kind' of cell 'x': default 0.5 is not one of its 2 choices");
}
static void test_a_choice_whose_default_is_before_the_first(void **state)
{
    (void)state;
    options[1].def = -1;
    expect("L3: option 'kind' of cell 'x': default -1 is not one of its 2 choices");
}
static void test_a_default_below_its_bounds(void **state)
{
    (void)state;
    options[0].def = -3;
    expect("L3: option 'gain' of cell 'x': default -3 is not in 0..2");
}
static void test_an_option_without_name(void **state)
{
    (void)state;
    options[0].name = NULL;
    expect("L3: an option of cell 'x' lacks its name or help");
}
static void test_options_that_are_not_there(void **state)
{
    char reason[RDC_REASON_BYTES];

    (void)state;
    cell.options = NULL;
    (void)snprintf(reason, sizeof reason,
                   "L3: cell 'x': options are missing or their option_size is %zu, not %zu",
                   sizeof(rd_option), sizeof(rd_option));
    expect(reason);
}
static void test_names_of_other_signs(void **state)
{
    (void)state;
    options[0].name = "~gain";
    expect("L3: option name '~gain' of cell 'x' is not [a-z][a-z0-9_.-]*");
    options[0].name = "gain~";
    expect("L3: option name 'gain~' of cell 'x' is not [a-z][a-z0-9_.-]*");
    options[0].name = "ga:in";
    expect("L3: option name 'ga:in' of cell 'x' is not [a-z][a-z0-9_.-]*");
}
static void test_a_plugin_without_its_strings(void **state)
{
    static const char lacks[] = "L3: the plugin lacks its name, version, license or origin";

    (void)state;
    plugin.origin = NULL;
    expect(lacks);
    plugin.version = NULL;
    expect(lacks);
    plugin.name = NULL;
    expect(lacks);
}
static void test_a_cell_without_revision(void **state)
{
    (void)state;
    cell.revision = 0;
    expect("L3: cell 'x' has no revision; the first is 1");
}
static void test_a_cell_with_a_flag_of_the_future(void **state)
{
    (void)state;
    cell.flags = 0x101;
    expect("L3: cell 'x' has flags 0x101, of which this Rondo knows 0x1; install a newer one");
}
static void test_an_option_with_a_flag_of_the_future(void **state)
{
    (void)state;
    options[0].flags = 4;
    expect("L3: option 'gain' has flags 0x4, of which this Rondo knows 0x0; install a newer one");
}
static void test_a_layer_with_a_flag_of_the_future(void **state)
{
    (void)state;
    layer.flags = 8;
    expect("L3: layer 'l' has flags 0x8, of which this Rondo knows 0x0; install a newer one");
}
static void test_a_backend_with_a_flag_of_the_future(void **state)
{
    (void)state;
    backend.flags = 0x82;
    expect("L3: backend 'y' has flags 0x82, of which this Rondo knows 0x2; install a newer one");
}
static void test_a_plugin_with_a_reserved_field(void **state)
{
    (void)state;
    plugin.reserved = 1;
    expect("L3: plugin 'p': the field `reserved` must be 0");
}
static void test_a_cell_with_a_reserved_field(void **state)
{
    (void)state;
    cell.reserved = 1;
    expect("L3: cell 'x': the field `reserved` must be 0");
}
static void test_a_short_layer(void **state)
{
    char reason[RDC_REASON_BYTES];

    (void)state;
    layer.size = 8;
    (void)snprintf(reason, sizeof reason, "L3: a layer's record has 8 bytes, expected at least %zu",
                   sizeof layer);
    expect(reason);
}
static void test_a_layer_without_name(void **state)
{
    (void)state;
    layer.name = NULL;
    expect("L3: a layer has no name");
}
static void test_a_layer_name_with_capitals(void **state)
{
    (void)state;
    layer.name = "Conv";
    expect("L3: layer name 'Conv' is not [a-z][a-z0-9_.-]*");
}
static void test_a_layer_without_help(void **state)
{
    (void)state;
    layer.help = NULL;
    expect("L3: layer 'l' lacks its help");
}
static void test_a_layer_without_revision(void **state)
{
    (void)state;
    layer.revision = 0;
    expect("L3: layer 'l' has no revision; the first is 1");
}
static void test_a_layer_without_setup(void **state)
{
    (void)state;
    layer.setup = NULL;
    expect("L3: layer 'l' lacks its setup function");
}
static void test_a_layer_without_forward(void **state)
{
    (void)state;
    layer.forward = NULL;
    expect("L3: layer 'l' lacks its forward function");
}
static void test_a_layer_option_out_of_its_bounds(void **state)
{
    (void)state;
    cell.n_options = 0;
    options[0].def = 3;
    expect("L3: option 'gain' of layer 'l': default 3 is not in 0..2");
}
static void test_two_layers_of_one_name(void **state)
{
    (void)state;
    layers[1] = &layer;
    expect("L3: the plugin has two layers 'l'");
}
static void test_a_cell_and_a_layer_of_one_name(void **state)
{
    (void)state;
    layer.name = "x";
    expect("L3: the plugin has a cell and a layer 'x'");
}
static void test_a_short_backend(void **state)
{
    char reason[RDC_REASON_BYTES];

    (void)state;
    backend.size = 8;
    (void)snprintf(reason, sizeof reason,
                   "L3: a backend's record has 8 bytes, expected at least %zu", sizeof backend);
    expect(reason);
}
static void test_a_backend_without_name(void **state)
{
    (void)state;
    backend.name = NULL;
    expect("L3: a backend has no name");
}
static void test_a_backend_name_that_begins_with_a_digit(void **state)
{
    (void)state;
    backend.name = "3dnow";
    expect("L3: backend name '3dnow' is not [a-z][a-z0-9_.-]*");
}
static void test_a_backend_without_help(void **state)
{
    (void)state;
    backend.help = NULL;
    expect("L3: backend 'y' lacks its help");
}
static void test_a_backend_without_score(void **state)
{
    (void)state;
    backend.score = NULL;
    expect("L3: backend 'y' lacks its score function");
}
static void test_a_backend_that_does_not_pack(void **state)
{
    (void)state;
    backend.pack = NULL;
    expect("L3: backend 'y': gemm, pack and pack_bytes go together");
}

#define EACH(test) cmocka_unit_test_setup(test, make_good)
int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_a_good_plugin),
        EACH(test_lists_may_be_absent),
        EACH(test_a_record_of_the_future_is_longer),
        EACH(test_a_short_plugin),
        EACH(test_a_plugin_name_with_capitals),
        EACH(test_a_name_of_64_letters),
        EACH(test_a_cell_without_name),
        EACH(test_a_cell_without_help),
        EACH(test_a_cell_without_forward),
        EACH(test_options_without_their_size),
        EACH(test_an_option_without_help),
        EACH(test_an_option_name_with_a_space),
        EACH(test_an_option_of_unknown_kind),
        EACH(test_two_options_of_one_name),
        EACH(test_a_choice_without_choices),
        EACH(test_a_choice_of_nothing),
        EACH(test_a_choice_whose_default_is_between_two),
        EACH(test_a_choice_whose_default_is_before_the_first),
        EACH(test_a_default_below_its_bounds),
        EACH(test_an_option_without_name),
        EACH(test_options_that_are_not_there),
        EACH(test_names_of_other_signs),
        EACH(test_a_plugin_without_its_strings),
        EACH(test_a_cell_without_revision),
        EACH(test_a_cell_with_a_flag_of_the_future),
        EACH(test_an_option_with_a_flag_of_the_future),
        EACH(test_a_layer_with_a_flag_of_the_future),
        EACH(test_a_backend_with_a_flag_of_the_future),
        EACH(test_a_plugin_with_a_reserved_field),
        EACH(test_a_cell_with_a_reserved_field),
        EACH(test_a_short_layer),
        EACH(test_a_layer_without_name),
        EACH(test_a_layer_name_with_capitals),
        EACH(test_a_layer_without_help),
        EACH(test_a_layer_without_revision),
        EACH(test_a_layer_without_setup),
        EACH(test_a_layer_without_forward),
        EACH(test_a_layer_option_out_of_its_bounds),
        EACH(test_two_layers_of_one_name),
        EACH(test_a_cell_and_a_layer_of_one_name),
        EACH(test_a_short_backend),
        EACH(test_a_backend_without_name),
        EACH(test_a_backend_name_that_begins_with_a_digit),
        EACH(test_a_backend_without_help),
        EACH(test_a_backend_without_score),
        EACH(test_a_backend_that_does_not_pack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
