/* test_search.c - where plugins are looked for, and whose cell or layer a name is.
 * SPDX-License-Identifier: MIT */
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
#include "support/plugin_files.h"

static char message[TEXT_BYTES];

/* ---- whose cell it is ---------------------------------------------------------------------------- */

static void reopen_with(const char *plugin_path)
{
    reopen(&(rd_core_options){.threads = 1, .plugin_path = plugin_path});
}
static void test_the_first_by_name_keeps_its_cell(void **state)
{
    (void)state;
    (void)copy("twin");
    (void)copy("good");
    reopen_with(files.folder);
    assert_int_equal(1, rd_cell_count(files.core));
    const rd_plugin_report twin = rd_plugin_at(files.core, rd_plugin_count(files.core) - 1);
    (void)snprintf(message, sizeof message,
                   "L3: cell 'good' is there already, from %s; take one of the two away, or load "
                   "this one by name (--plugin FILE)",
                   path_of("good.so"));
    assert_string_equal(message, twin.refusal);
}
static void test_an_explicit_load_wins_over_the_path(void **state)
{
    (void)state;
    (void)copy("good");
    reopen_with(files.folder);
    const rd_cell *before = rd_cell_find(files.core, "good", NULL);
    expect_load(copy("twin"));
    assert_ptr_not_equal(before, rd_cell_find(files.core, "good", NULL));
    assert_int_equal(2, rd_cell_count(files.core));
}
static void test_the_last_load_wins_over_earlier_ones(void **state)
{
    (void)state;
    expect_load(copy("good"));
    const rd_cell *first = rd_cell_find(files.core, "good", NULL);
    expect_load(copy("twin"));
    expect_load(path_of("good.so"));
    assert_ptr_equal(first, rd_cell_find(files.core, "good", NULL));
}

/* ---- layers -------------------------------------------------------------------------------------- */

static void test_a_layer_is_found_by_its_name(void **state)
{
    (void)state;
    expect_load(copy("right_layer"));
    const rd_layer *layer = rd_layer_find(files.core, "right_layer", &files.err);
    assert_non_null(layer);
    assert_int_equal(1, rd_layer_count(files.core));
    assert_ptr_equal(layer, rd_layer_at(files.core, 0));
    assert_string_equal(path_of("right_layer.so"), rd_layer_plugin(files.core, layer).path);
}
static void test_a_layer_loaded_again_wins(void **state)
{
    (void)state;
    expect_load(copy("right_layer"));
    const rd_layer *before = rd_layer_at(files.core, 0);
    expect_load(copy_part("right_layer", "later.so", MAX_COPY));
    assert_int_equal(1, rd_layer_count(files.core));
    assert_ptr_not_equal(before, rd_layer_at(files.core, 0));
}
static void test_two_layers_of_one_name_on_the_path(void **state)
{
    (void)state;
    (void)copy("right_layer");
    (void)copy_part("right_layer", "zwei.so", MAX_COPY);
    reopen_with(files.folder);
    (void)snprintf(message, sizeof message,
                   "L3: layer 'right_layer' is there already, from %s; take one of the two away, "
                   "or load this one by name (--plugin FILE)",
                   path_of("right_layer.so"));
    assert_string_equal(message, last_refusal());
}
static void test_a_cell_does_not_take_a_layers_name(void **state)
{
    (void)state;
    expect_load(copy("right_layer"));
    (void)snprintf(message, sizeof message,
                   "L3: layer 'right_layer' is there already, from %s; take one of the two away",
                   path_of("right_layer.so"));
    expect_refusal("layer_and_cell", message);
}
static void test_a_layer_does_not_take_a_cells_name(void **state)
{
    (void)state;
    expect_load(copy("layer_and_cell"));
    (void)snprintf(message, sizeof message,
                   "L3: cell 'right_layer' is there already, from %s; take one of the two away",
                   path_of("layer_and_cell.so"));
    expect_refusal("right_layer", message);
}
static void test_cells_and_layers_are_not_taken_for_each_other(void **state)
{
    (void)state;
    expect_load(copy("right_layer"));
    expect_load(copy("good"));
    assert_null(rd_cell_find(files.core, "right_layer", &files.err));
    assert_string_equal("'right_layer' is a layer, not a cell; rondo.Layer takes it",
                        files.err.text);
    assert_null(rd_layer_find(files.core, "good", &files.err));
    assert_string_equal("'good' is a cell, not a layer; rondo.RNN takes it", files.err.text);
    assert_null(rd_layer_find(files.core, "rihgt_layer", &files.err));
    assert_string_equal("layer 'rihgt_layer' is unknown (did you mean 'right_layer'?)",
                        files.err.text);
    assert_null(rd_layer_find(files.core, "rihgt_layer", NULL));
}

/* ---- the user's folder --------------------------------------------------------------------------- */

static const char *copy_for_user(const char *name)
{
    char file[PATH_BYTES];

    (void)mkdir(path_of(RD_TEST_PLUGIN_FOLDER), 0700);
    (void)snprintf(file, sizeof file, "%s/%s.so", RD_TEST_PLUGIN_FOLDER, name);
    return copy_part(name, file, MAX_COPY);
}
static rd_plugin_report report_of(const char *cell)
{
    return rd_cell_plugin(files.core, rd_cell_find(files.core, cell, &files.err));
}
static void test_the_users_folder_is_searched(void **state)
{
    const char *path = copy_for_user("good");

    (void)state;
    reopen(&(rd_core_options){.threads = 1, .user_dir = files.folder});
    assert_string_equal(path, report_of("good").path);
    assert_string_equal("of the user", report_of("good").found);
}
static void test_the_path_comes_before_the_users_folder(void **state)
{
    (void)state;
    (void)copy_for_user("twin");
    (void)copy("good");
    reopen(&(rd_core_options){.threads = 1, .plugin_path = files.folder, .user_dir = files.folder});
    assert_string_equal(path_of("good.so"), report_of("good").path);
    assert_string_equal("on the path", report_of("good").found);
    assert_non_null(strstr(last_refusal(), "L3: cell 'good' is there already, from "));
}
static void test_the_users_folder_comes_before_the_installed_one(void **state)
{
    char parent[PATH_BYTES];

    (void)state;
    assert_int_equal(0, mkdir(path_of("lib"), 0700));
    assert_int_equal(0, mkdir(path_of("lib/" RD_TEST_PLUGIN_FOLDER), 0700));
    assert_int_equal(0, mkdir(path_of("lib/" RD_TEST_PLUGIN_FOLDER "/" RD_TEST_REAL_DIR), 0700));
    (void)copy_part("good", "lib/" RD_TEST_PLUGIN_FOLDER "/" RD_TEST_REAL_DIR "/good.so", MAX_COPY);
    (void)snprintf(parent, sizeof parent, "%s", path_of("lib"));
    reopen(&(rd_core_options){.threads = 1, .user_dir = files.folder, .lib_dir = parent});
    assert_string_equal("installed", report_of("good").found);
    (void)copy_for_user("twin");
    reopen(&(rd_core_options){.threads = 1, .user_dir = files.folder, .lib_dir = parent});
    assert_string_equal("of the user", report_of("good").found);
}
static void test_a_user_without_a_folder_is_no_news(void **state)
{
    (void)state;
    const size_t builtin = rd_plugin_count(files.core);
    reopen(&(rd_core_options){.threads = 1, .user_dir = files.folder});
    assert_int_equal(builtin, rd_plugin_count(files.core));
}
static void test_a_users_folder_that_is_not_absolute_is_refused(void **state)
{
    (void)state;
    reopen(&(rd_core_options){.threads = 1, .user_dir = "share"});
    assert_string_equal("L0: a folder of plugins is given by a path that begins with '/'",
                        last_refusal());
}

/* ---- the path ------------------------------------------------------------------------------------ */

/* An empty entry is the current folder in PATH; here it is nothing. */
static void test_the_current_folder_is_never_searched(void **state)
{
    char before[PATH_BYTES];

    (void)state;
    (void)copy("good");
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(0, chdir(files.folder));
    const size_t builtin = rd_plugin_count(files.core);
    reopen_with("::");
    assert_int_equal(builtin, rd_plugin_count(files.core));
    reopen_with(".");
    assert_string_equal("L0: a folder of plugins is given by a path that begins with '/'",
                        last_refusal());
    assert_null(rd_cell_find(files.core, "good", NULL));
    assert_int_equal(0, chdir(before));
}
static void test_other_files_of_a_folder_are_left_alone(void **state)
{
    (void)state;
    reopen_with(NULL);
    const size_t builtin = rd_plugin_count(files.core);
    (void)copy_part("good", "good.txt", MAX_COPY);
    (void)copy_part("good", ".hidden.so", MAX_COPY);
    reopen_with(files.folder);
    assert_int_equal(builtin, rd_plugin_count(files.core));
}
static void test_a_path_that_is_not_absolute_is_refused(void **state)
{
    (void)state;
    reopen_with("some/where:");
    const rd_plugin_report r = rd_plugin_at(files.core, rd_plugin_count(files.core) - 1);
    assert_string_equal("some/where", r.path);
    assert_string_equal("L0: a folder of plugins is given by a path that begins with '/'",
                        r.refusal);
}
static void test_an_unknown_cell_names_the_nearest_and_every_refusal(void **state)
{
    (void)state;
    (void)copy("good");
    (void)copy("wrong_magic");
    reopen_with(files.folder);
    assert_null(rd_cell_find(files.core, "goood", &files.err));
    (void)snprintf(
        message, sizeof message,
        "cell 'goood' is unknown (did you mean 'good'?); refused: %s (L2: magic: expected "
        "0x524e5031, got 0x31504e52; its stamp must be RD_STAMP, built on a machine of this byte order)",
        path_of("wrong_magic.so"));
    assert_string_equal(message, files.err.text);
}
static void test_an_unknown_cell_names_two_refusals(void **state)
{
    (void)state;
    (void)copy("no_layout");
    (void)copy("no_symbol");
    reopen_with(files.folder);
    assert_null(rd_cell_find(files.core, "lstm", &files.err));
    (void)snprintf(message, sizeof message,
                   "cell 'lstm' is unknown; no plugin brought a cell; refused: %s (L3: cell "
                   "'no_layout' lacks its layout function), %s (L1: it has no symbol rd_plugin_v1; "
                   "a plugin's source ends with RD_PLUGIN = { ... })",
                   path_of("no_layout.so"), path_of("no_symbol.so"));
    assert_string_equal(message, files.err.text);
}
static void test_one_file_under_two_names_is_one_plugin(void **state)
{
    (void)state;
    (void)copy("good");
    assert_int_equal(0, symlink("good.so", path_of("again.so")));
    const size_t builtin = rd_plugin_count(files.core);
    reopen_with(files.folder);
    assert_int_equal(builtin + 1, rd_plugin_count(files.core));
}
static void test_an_unknown_cell_where_there_is_none(void **state)
{
    (void)state;
    assert_null(rd_cell_find(files.core, "lstm", &files.err));
    assert_string_equal("cell 'lstm' is unknown; no plugin brought a cell", files.err.text);
}
static void test_an_unknown_cell_far_from_all_lists_them(void **state)
{
    (void)state;
    (void)copy("good");
    reopen_with(files.folder);
    assert_null(rd_cell_find(files.core, "zzz", &files.err));
    assert_string_equal("cell 'zzz' is unknown; there is good", files.err.text);
}
static void test_a_lib_dir_that_is_too_long(void **state)
{
    static char longest[5000];
    const rd_core_options options = {.threads = 1, .lib_dir = longest};

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    rd_core_release(files.core);
    files.core = NULL;
    assert_int_equal(RD_E_ARG, rd_core_open(&options, &files.core, &files.err));
    assert_string_equal("lib_dir is longer than 4076 bytes", files.err.text);
}
static void test_a_user_dir_that_is_too_long(void **state)
{
    static char longest[5000];
    const rd_core_options options = {.threads = 1, .user_dir = longest};

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    rd_core_release(files.core);
    files.core = NULL;
    assert_int_equal(RD_E_ARG, rd_core_open(&options, &files.core, &files.err));
    assert_string_equal("user_dir is longer than 4076 bytes", files.err.text);
}
static void test_a_folder_of_the_path_that_is_too_long(void **state)
{
    static char longest[5000];

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    longest[0] = '/';
    reopen_with(longest);
    assert_string_equal("L0: the folder cannot be read: File name too long; make it readable, or "
                        "take it off the path",
                        last_refusal());
}
static void test_a_missing_folder_is_reported(void **state)
{
    (void)state;
    reopen_with("/nowhere/at/all");
    const rd_plugin_report r = rd_plugin_at(files.core, rd_plugin_count(files.core) - 1);
    assert_string_equal(
        "L0: the folder cannot be read: No such file or directory; make it readable, or take it off the path",
        r.refusal);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, open_core, close_core)
int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_the_first_by_name_keeps_its_cell),
        EACH(test_an_explicit_load_wins_over_the_path),
        EACH(test_the_last_load_wins_over_earlier_ones),
        EACH(test_a_layer_is_found_by_its_name),
        EACH(test_a_layer_loaded_again_wins),
        EACH(test_two_layers_of_one_name_on_the_path),
        EACH(test_a_cell_does_not_take_a_layers_name),
        EACH(test_a_layer_does_not_take_a_cells_name),
        EACH(test_cells_and_layers_are_not_taken_for_each_other),
        EACH(test_the_users_folder_is_searched),
        EACH(test_the_path_comes_before_the_users_folder),
        EACH(test_the_users_folder_comes_before_the_installed_one),
        EACH(test_a_user_without_a_folder_is_no_news),
        EACH(test_a_users_folder_that_is_not_absolute_is_refused),
        EACH(test_the_current_folder_is_never_searched),
        EACH(test_other_files_of_a_folder_are_left_alone),
        EACH(test_a_path_that_is_not_absolute_is_refused),
        EACH(test_an_unknown_cell_names_the_nearest_and_every_refusal),
        EACH(test_an_unknown_cell_names_two_refusals),
        EACH(test_one_file_under_two_names_is_one_plugin),
        EACH(test_an_unknown_cell_where_there_is_none),
        EACH(test_an_unknown_cell_far_from_all_lists_them),
        EACH(test_a_lib_dir_that_is_too_long),
        EACH(test_a_user_dir_that_is_too_long),
        EACH(test_a_folder_of_the_path_that_is_too_long),
        EACH(test_a_missing_folder_is_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
