/* test_loader.c - plugin files: one deliberately wrong file per rule, each refused by number and in words.
 *
 * The files of bad/ are copied to a folder of their own, so that the build folder's permissions do not
 * matter. Over 400 lines: one list of rules, each a few lines, is looked through faster in one place.
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/pool.h"
#include "rondo.h"

enum { PATH_BYTES = 256, MAX_COPY = 1 << 20 };
static char folder[PATH_BYTES];
static char message[PATH_BYTES];
static rd_core *core;
static rd_error err;

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/rondo-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}
static int open_core(void **state)
{
    (void)state;
    memset(&err, 0, sizeof err);
    return rd_core_open(NULL, &core, &err);
}
static int close_core(void **state)
{
    char command[2 * PATH_BYTES];

    (void)state;
    rd_core_release(core);
    core = NULL;
    (void)snprintf(command, sizeof command, "find %s -mindepth 1 -delete", folder);
    return system(command) == 0 && chmod(folder, 0700) == 0 ? 0 : -1;
}
static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* Path of a name in the test's folder; two may be in use at once. */
static const char *path_of(const char *name)
{
    static char path[2][2 * PATH_BYTES];
    static int turn;

    turn = !turn;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}
/* The first `bytes` of bad/<from>.so become <to>. */
static const char *copy_part(const char *from, const char *to, size_t bytes)
{
    static unsigned char buffer[MAX_COPY];
    char source[PATH_BYTES];

    (void)snprintf(source, sizeof source, "%s/%s.so", RD_TEST_BAD_DIR, from);
    FILE *in = fopen(source, "rb"), *out = fopen(path_of(to), "wb");
    assert_true(in && out);
    const size_t n = fread(buffer, 1, sizeof buffer, in);
    assert_true(n > 0 && n < sizeof buffer);
    const size_t part = n < bytes ? n : bytes;
    assert_int_equal(part, fwrite(buffer, 1, part, out));
    (void)fclose(in);
    (void)fclose(out);
    return path_of(to);
}
static const char *copy(const char *name)
{
    char file[PATH_BYTES];

    (void)snprintf(file, sizeof file, "%s.so", name);
    return copy_part(name, file, MAX_COPY);
}

/* Loads path, which must be refused, with `reason`. */
static void expect_refusal_of(const char *path, const char *reason)
{
    rd_plugin_report report;

    assert_int_equal(RD_E_ABI, rd_plugin_load(core, path, &report, &err));
    (void)snprintf(message, sizeof message, "plugin %s was refused, %s", path, reason);
    assert_string_equal(message, err.text);
    report = rd_plugin_at(core, rd_plugin_count(core) - 1);
    assert_string_equal(path, report.path);
    assert_string_equal(reason, report.refusal);
    assert_null(report.plugin);
}
static void expect_refusal(const char *name, const char *reason)
{
    expect_refusal_of(copy(name), reason);
}
static void expect_load(const char *path)
{
    rd_plugin_report report;

    if (rd_plugin_load(core, path, &report, &err) != RD_OK) fail_msg("%s", err.text);
    assert_non_null(report.plugin);
    assert_null(report.refusal);
}

static void test_a_good_plugin_brings_its_cell(void **state)
{
    (void)state;
    assert_null(rd_cell_find(core, "good", NULL));
    expect_load(copy("good"));
    assert_string_equal("good", rd_cell_find(core, "good", NULL)->name);
}
static void test_a_file_met_twice_is_one_plugin(void **state)
{
    const char *path = copy("good");

    (void)state;
    expect_load(path);
    const size_t n = rd_plugin_count(core);
    assert_int_equal(0, symlink("good.so", path_of("again.so")));
    expect_load(path_of("again.so"));
    assert_int_equal(n, rd_plugin_count(core));
}

/* ---- L0 ------------------------------------------------------------------------------------------ */

static void test_a_name_without_slash_is_not_a_path(void **state)
{
    rd_plugin_report report;

    (void)state;
    assert_int_equal(RD_E_ARG, rd_plugin_load(core, "good.so", &report, &err));
    assert_string_equal("a plugin is loaded by a path with a slash: './good.so'", err.text);
}
static void test_l0_missing(void **state)
{
    (void)state;
    expect_refusal_of(path_of("nothing.so"), "L0: it cannot be reached: No such file or directory");
}
static void test_l0_a_folder(void **state)
{
    (void)state;
    assert_int_equal(0, mkdir(path_of("folder.so"), 0700));
    expect_refusal_of(path_of("folder.so"), "L0: it is not a regular file");
}
static void test_l0_a_pipe_does_not_hang(void **state)
{
    (void)state;
    assert_int_equal(0, mkfifo(path_of("pipe.so"), 0600));
    expect_refusal_of(path_of("pipe.so"), "L0: it is not a regular file");
}
static void test_l0_not_a_shared_object(void **state)
{
    FILE *f = fopen(path_of("text.so"), "w");

    (void)state;
    assert_non_null(f);
    (void)fputs("This is a text that calls itself a shared object, and long enough for a header.\n",
                f);
    (void)fclose(f);
    expect_refusal_of(path_of("text.so"), "L0: it is not a shared object for this machine");
}
static void test_l0_empty(void **state)
{
    (void)state;
    expect_refusal_of(copy_part("good", "empty.so", 0),
                      "L0: it is not a shared object for this machine");
}
static void test_l0_cut_in_the_headers(void **state)
{
    (void)state;
    expect_refusal_of(copy_part("good", "cut.so", 100), "L0: the file is cut short or damaged");
}
static void test_l0_cut_in_a_segment(void **state)
{
    rd_plugin_report report;
    const char *path = copy_part("good", "cut.so", 4096);

    (void)state;
    assert_int_equal(RD_E_ABI, rd_plugin_load(core, path, &report, &err));
    assert_non_null(
        strstr(err.text, "L0: the file is cut short: 4096 bytes, and a segment ends at "));
}
static void test_l0_too_large(void **state)
{
    (void)state;
    assert_int_equal(0, truncate(copy("good"), (64 << 20) + 1));
    expect_refusal_of(path_of("good.so"), "L0: the file has 67108865 bytes, allowed are 67108864");
}
static void test_l0_a_file_that_others_may_write(void **state)
{
    (void)state;
    assert_int_equal(0, chmod(copy("good"), 0666));
    expect_refusal_of(path_of("good.so"), "L0: the file belongs to neither root nor you, or others "
                                          "may write to it (chmod go-w)");
}
static void test_l0_a_folder_that_others_may_write(void **state)
{
    (void)state;
    (void)copy("good");
    assert_int_equal(0, chmod(folder, 0777));
    expect_refusal_of(path_of("good.so"), "L0: its folder belongs to neither root nor you, or "
                                          "others may write to it (chmod go-w)");
}
static void test_trust_skips_the_permissions(void **state)
{
    const rd_core_options trusting = {.threads = 1, .trust_plugins = true};

    (void)state;
    rd_core_release(core);
    assert_int_equal(RD_OK, rd_core_open(&trusting, &core, &err));
    assert_int_equal(0, chmod(copy("good"), 0666));
    expect_load(path_of("good.so"));
}

/* ---- L1, L2, L4 ---------------------------------------------------------------------------------- */

static void test_l1_no_symbol(void **state)
{
    (void)state;
    expect_refusal("no_symbol", "L1: it has no symbol rd_plugin_v0: not a plugin of Rondo, or "
                                "RD_PLUGIN is missing");
}
static void test_l1_another_major(void **state)
{
    (void)state;
    expect_refusal("other_major", "L1: built for plugin border 7, this is 0; rebuild it with this "
                                  "Rondo's headers");
}
static void test_l1_an_unresolved_function(void **state)
{
    rd_plugin_report report;

    (void)state;
    assert_int_equal(RD_E_ABI, rd_plugin_load(core, copy("unresolved"), &report, &err));
    assert_non_null(strstr(err.text, "L1: it cannot be opened: "));
    assert_non_null(strstr(err.text, "rd_test_is_nowhere"));
}
static void test_l2_magic(void **state)
{
    (void)state;
    expect_refusal("wrong_magic", "L2: magic: expected 0x524e5031, got 0x31504e52");
}
static void test_l2_major(void **state)
{
    (void)state;
    expect_refusal("wrong_major", "L2: abi_major: expected 0, got 7");
}
static void test_l2_real_size(void **state)
{
    char reason[PATH_BYTES];

    (void)state;
    (void)snprintf(reason, sizeof reason,
                   "L2: real_size: expected %zu, got 2 (float and double "
                   "builds have folders of their own)",
                   sizeof(rd_real));
    expect_refusal("wrong_real", reason);
}
static void test_l2_pointer_size(void **state)
{
    (void)state;
    expect_refusal("wrong_pointer", "L2: ptr_size: expected 8, got 2");
}
static void test_l2_needs_a_newer_host(void **state)
{
    (void)state;
    expect_refusal("needs_newer", "L2: abi_needed: this host has 0, the plugin needs 999; it wants "
                                  "a newer Rondo");
}
/* Valgrind ignores flush-to-zero; there is nothing to find then. */
static bool environment_can_change(void)
{
#if defined(__x86_64__)
    const uint64_t flush = 1u << 15;
#else
    const uint64_t flush = 1u << 24;
#endif
    const uint64_t before = rdc_fp_enter();

    rdc_fp_leave(flush);
    const uint64_t seen = rdc_fp_enter();
    rdc_fp_leave(before);
    return seen & flush;
}
static void test_l4_fast_math_each_time(void **state)
{
    const char reason[] = "L4: opening it changes the floating-point environment: built with "
                          "-ffast-math?";

    (void)state;
    if (!environment_can_change()) skip();
    expect_refusal("fast_math", reason);
    expect_refusal("fast_math", reason);
}

/* ---- L3 ------------------------------------------------------------------------------------------ */

static void test_l3_a_short_record(void **state)
{
    char reason[PATH_BYTES];

    (void)state;
    (void)snprintf(reason, sizeof reason,
                   "L3: a cell's record has %zu bytes, expected at least %zu", sizeof(rd_cell) - 8,
                   sizeof(rd_cell));
    expect_refusal("short_record", reason);
}
static void test_l3_a_missing_string(void **state)
{
    (void)state;
    expect_refusal("no_license", "L3: the plugin lacks its name, version, license or origin");
}
static void test_l3_a_bad_name(void **state)
{
    (void)state;
    expect_refusal("bad_name", "L3: cell name 'Bad Name' is not [a-z][a-z0-9_.-]*");
}
static void test_l3_no_layout(void **state)
{
    (void)state;
    expect_refusal("no_layout", "L3: cell 'no_layout' lacks its layout function");
}
static void test_l3_two_cells_of_one_name(void **state)
{
    (void)state;
    expect_refusal("two_cells", "L3: the plugin has two cells 'same'");
}
static void test_l3_a_default_out_of_range(void **state)
{
    (void)state;
    expect_refusal("bad_default",
                   "L3: option 'bias' of cell 'bad_default': default 5 is not in 0..1");
}
static void test_l3_a_default_that_is_no_choice(void **state)
{
    (void)state;
    expect_refusal("bad_choice", "L3: option 'kind' of cell 'bad_choice': default 2 is not one of "
                                 "its 2 choices");
}
static void test_l3_half_a_backend(void **state)
{
    (void)state;
    expect_refusal("half_backend", "L3: backend 'half': gemm, pack and pack_bytes go together");
}
static void test_l3_init_fails(void **state)
{
    (void)state;
    expect_refusal("init_fails", "L3: it does not start: the licence server of minor 0 is asleep");
}

/* ---- the path ------------------------------------------------------------------------------------ */

static void reopen(const char *plugin_path)
{
    const rd_core_options options = {.threads = 1, .plugin_path = plugin_path};

    rd_core_release(core);
    core = NULL;
    if (rd_core_open(&options, &core, &err) != RD_OK) fail_msg("%s", err.text);
}
static void test_the_first_by_name_keeps_its_cell(void **state)
{
    char reason[2 * PATH_BYTES];

    (void)state;
    (void)copy("twin");
    (void)copy("good");
    reopen(folder);
    assert_int_equal(1, rd_cell_count(core));
    const rd_plugin_report twin = rd_plugin_at(core, rd_plugin_count(core) - 1);
    (void)snprintf(reason, sizeof reason, "L3: cell 'good' is there already, from %s",
                   path_of("good.so"));
    assert_string_equal(reason, twin.refusal);
}
static void test_an_explicit_load_wins_over_the_path(void **state)
{
    (void)state;
    (void)copy("good");
    reopen(folder);
    const rd_cell *before = rd_cell_find(core, "good", NULL);
    expect_load(copy("twin"));
    assert_ptr_not_equal(before, rd_cell_find(core, "good", NULL));
    assert_int_equal(2, rd_cell_count(core));
}
static void test_other_files_of_a_folder_are_left_alone(void **state)
{
    (void)state;
    reopen(NULL);
    const size_t builtin = rd_plugin_count(core);
    (void)copy_part("good", "good.txt", MAX_COPY);
    (void)copy_part("good", ".hidden.so", MAX_COPY);
    reopen(folder);
    assert_int_equal(builtin, rd_plugin_count(core));
}
static void test_a_path_that_is_not_absolute_is_refused(void **state)
{
    (void)state;
    reopen("some/where:");
    const rd_plugin_report r = rd_plugin_at(core, rd_plugin_count(core) - 1);
    assert_string_equal("some/where", r.path);
    assert_string_equal("L0: a folder of the plugin path begins with '/'", r.refusal);
}
static void test_an_unknown_cell_names_the_nearest_and_every_refusal(void **state)
{
    (void)state;
    (void)copy("good");
    (void)copy("wrong_magic");
    reopen(folder);
    assert_null(rd_cell_find(core, "goood", &err));
    (void)snprintf(message, sizeof message,
                   "cell 'goood' is unknown (did you mean 'good'?); refused: %s (L2: magic: "
                   "expected 0x524e5031, got 0x31504e52)",
                   path_of("wrong_magic.so"));
    assert_string_equal(message, err.text);
}
static void test_an_unknown_cell_where_there_is_none(void **state)
{
    (void)state;
    assert_null(rd_cell_find(core, "lstm", &err));
    assert_string_equal("cell 'lstm' is unknown; no plugin brought a cell", err.text);
}
static void test_an_unknown_cell_far_from_all_lists_them(void **state)
{
    (void)state;
    (void)copy("good");
    reopen(folder);
    assert_null(rd_cell_find(core, "zzz", &err));
    assert_string_equal("cell 'zzz' is unknown; there is good", err.text);
}
static void test_a_lib_dir_that_is_too_long(void **state)
{
    static char longest[5000];
    const rd_core_options options = {.threads = 1, .lib_dir = longest};

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    rd_core_release(core);
    core = NULL;
    assert_int_equal(RD_E_ARG, rd_core_open(&options, &core, &err));
    assert_string_equal("lib_dir is longer than 4076 bytes", err.text);
}
static void test_a_missing_folder_is_reported(void **state)
{
    (void)state;
    reopen("/nowhere/at/all");
    const rd_plugin_report r = rd_plugin_at(core, rd_plugin_count(core) - 1);
    assert_string_equal("L0: the folder cannot be read: No such file or directory", r.refusal);
}

/* ---- backends ------------------------------------------------------------------------------------ */

static const char *why_not(const char *name)
{
    for (size_t i = 0; i < rd_kernels_count(core); i++)
        if (strcmp(rd_kernels_at(core, i).kernels->name, name) == 0)
            return rd_kernels_at(core, i).why_not;
    return "not found";
}
static rd_status open_with(const char *kernels)
{
    const rd_core_options options = {.threads = 1, .plugin_path = folder, .kernels = kernels};

    rd_core_release(core);
    core = NULL;
    (void)copy("backends");
    return rd_core_open(&options, &core, &err);
}
static void test_each_backend_not_used_has_its_reason(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, open_with(NULL));
    assert_string_equal("scalar", rd_core_kernels(core));
    assert_null(why_not("scalar"));
    assert_string_equal("its products are not the bit contract's; name it in kernels to use it",
                        why_not("vendor"));
    assert_string_equal("it does not want this machine (for tests)", why_not("shy"));
    assert_string_equal("it needs something this Rondo has not heard of (needs 0x10000000000)",
                        why_not("future"));
    assert_non_null(strstr(why_not("chimera"), "this processor lacks "));
}
static void test_an_inexact_backend_is_used_where_it_is_named(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, open_with("vendor,scalar"));
    assert_string_equal("vendor", rd_core_kernels(core));
    assert_string_equal("'vendor' comes first", why_not("scalar"));
}
static void test_a_backend_without_products_of_bf16_says_so(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, open_with("vendor"));
    assert_int_equal(RD_E_UNSUPPORTED, rd_core_set_precision(core, "bf16", &err));
    assert_string_equal("kernels 'vendor' have no products of bf16", err.text);
    assert_int_equal(RD_E_UNSUPPORTED, rd_core_set_precision(core, "int8", &err));
    assert_string_equal("kernels 'vendor' have no products of int8", err.text);
    assert_string_equal("float32", rd_core_precision(core));
    assert_int_equal(RD_OK, open_with("scalar"));
    assert_int_equal(RD_OK, rd_core_set_precision(core, "bf16", &err));
    assert_string_equal("bf16", rd_core_precision(core));
}
static void test_the_list_of_kernels_limits_and_orders(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, open_with("scalar, vendor"));
    assert_string_equal("scalar", rd_core_kernels(core));
    assert_int_equal(RD_OK, open_with("scalar"));
    assert_string_equal("not among kernels = 'scalar'", why_not("vendor"));
}
static void test_an_unknown_backend_names_the_known(void **state)
{
    (void)state;
    assert_int_equal(RD_E_ARG, open_with("avx3"));
    assert_string_equal(
        "kernels: there is no backend 'avx3'; there is scalar, future, chimera, vendor, shy",
        err.text);
}
static void test_a_list_without_a_usable_backend(void **state)
{
    (void)state;
    assert_int_equal(RD_E_UNSUPPORTED, open_with("shy"));
    assert_string_equal("kernels = 'shy': no backend of it can be used; 'shy': it does not want "
                        "this machine (for tests)",
                        err.text);
    assert_int_equal(RD_E_ARG, open_with(""));
    assert_string_equal("kernels = '' names no backend", err.text);
}
static void test_a_backend_that_comes_late_is_not_used(void **state)
{
    (void)state;
    expect_load(copy("backends"));
    assert_string_equal("it came after the core was opened; put it on the plugin path",
                        why_not("vendor"));
    assert_string_equal("scalar", rd_core_kernels(core));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, open_core, close_core)
int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_a_good_plugin_brings_its_cell),
        EACH(test_a_file_met_twice_is_one_plugin),
        EACH(test_a_name_without_slash_is_not_a_path),
        EACH(test_l0_missing),
        EACH(test_l0_a_folder),
        EACH(test_l0_a_pipe_does_not_hang),
        EACH(test_l0_not_a_shared_object),
        EACH(test_l0_empty),
        EACH(test_l0_cut_in_the_headers),
        EACH(test_l0_cut_in_a_segment),
        EACH(test_l0_too_large),
        EACH(test_l0_a_file_that_others_may_write),
        EACH(test_l0_a_folder_that_others_may_write),
        EACH(test_trust_skips_the_permissions),
        EACH(test_l1_no_symbol),
        EACH(test_l1_another_major),
        EACH(test_l1_an_unresolved_function),
        EACH(test_l2_magic),
        EACH(test_l2_major),
        EACH(test_l2_real_size),
        EACH(test_l2_pointer_size),
        EACH(test_l2_needs_a_newer_host),
        EACH(test_l4_fast_math_each_time),
        EACH(test_l3_a_short_record),
        EACH(test_l3_a_missing_string),
        EACH(test_l3_a_bad_name),
        EACH(test_l3_no_layout),
        EACH(test_l3_two_cells_of_one_name),
        EACH(test_l3_a_default_out_of_range),
        EACH(test_l3_a_default_that_is_no_choice),
        EACH(test_l3_half_a_backend),
        EACH(test_l3_init_fails),
        EACH(test_the_first_by_name_keeps_its_cell),
        EACH(test_an_explicit_load_wins_over_the_path),
        EACH(test_other_files_of_a_folder_are_left_alone),
        EACH(test_a_path_that_is_not_absolute_is_refused),
        EACH(test_an_unknown_cell_names_the_nearest_and_every_refusal),
        EACH(test_an_unknown_cell_where_there_is_none),
        EACH(test_an_unknown_cell_far_from_all_lists_them),
        EACH(test_a_lib_dir_that_is_too_long),
        EACH(test_a_missing_folder_is_reported),
        EACH(test_each_backend_not_used_has_its_reason),
        EACH(test_an_inexact_backend_is_used_where_it_is_named),
        EACH(test_a_backend_without_products_of_bf16_says_so),
        EACH(test_the_list_of_kernels_limits_and_orders),
        EACH(test_an_unknown_backend_names_the_known),
        EACH(test_a_list_without_a_usable_backend),
        EACH(test_a_backend_that_comes_late_is_not_used),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
