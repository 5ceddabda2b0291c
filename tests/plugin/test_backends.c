/* test_backends.c - which backend is used, and why each other one is not.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "support/plugin_files.h"

static char message[TEXT_BYTES];

static const char *why_not(const char *name)
{
    for (size_t i = 0; i < rd_kernels_count(files.core); i++)
        if (strcmp(rd_kernels_at(files.core, i).kernels->name, name) == 0)
            return rd_kernels_at(files.core, i).why_not;
    return "not found";
}
static rd_status open_with_file(const char *file, const char *kernels)
{
    const rd_core_options options = {.threads = 1, .plugin_path = files.folder, .kernels = kernels};

    rd_core_release(files.core);
    files.core = NULL;
    (void)copy(file);
    return rd_core_open(&options, &files.core, &files.err);
}
static rd_status open_with(const char *kernels)
{
    return open_with_file("backends", kernels);
}
static void test_each_backend_not_used_has_its_reason(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, open_with(NULL));
    assert_string_equal("scalar", rd_core_kernels(files.core));
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
    assert_string_equal("vendor", rd_core_kernels(files.core));
    assert_string_equal("'vendor' comes first in kernels = 'vendor,scalar'", why_not("scalar"));
}
static void test_a_backend_without_products_of_bf16_says_so(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, open_with("vendor"));
    assert_int_equal(RD_E_UNSUPPORTED, rd_core_set_precision(files.core, "bf16", &files.err));
    assert_string_equal("kernels 'vendor' have no products of bf16", files.err.text);
    assert_int_equal(RD_E_UNSUPPORTED, rd_core_set_precision(files.core, "int8", &files.err));
    assert_string_equal("kernels 'vendor' have no products of int8", files.err.text);
    assert_string_equal("float32", rd_core_precision(files.core));
    assert_int_equal(RD_OK, open_with("scalar"));
    assert_int_equal(RD_OK, rd_core_set_precision(files.core, "bf16", &files.err));
    assert_string_equal("bf16", rd_core_precision(files.core));
}
static void test_the_list_of_kernels_limits_and_orders(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, open_with("scalar, vendor"));
    assert_string_equal("scalar", rd_core_kernels(files.core));
    assert_int_equal(RD_OK, open_with("scalar"));
    assert_string_equal("not among kernels = 'scalar'", why_not("vendor"));
}
static void test_a_backend_without_products_and_one_of_the_same_score(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, open_with_file("idle", NULL));
    assert_string_equal("it has no products", why_not("idle"));
    assert_string_equal("'scalar' comes first by name: both score 1", why_not("tied"));
}
static void test_the_list_of_kernels_may_say_a_name_twice(void **state)
{
    (void)state;
    assert_int_equal(RD_OK, open_with("scalar,, vendor,scalar"));
    assert_string_equal("scalar", rd_core_kernels(files.core));
    assert_string_equal("'scalar' comes first in kernels = 'scalar,, vendor,scalar'",
                        why_not("vendor"));
}
static void test_an_unknown_backend_of_a_long_name_is_cut(void **state)
{
    char name[101];

    (void)state;
    memset(name, 'k', 100);
    name[100] = '\0';
    assert_int_equal(RD_E_ARG, open_with(name));
    (void)snprintf(message, sizeof message,
                   "kernels: there is no backend '%.63s'; there is scalar, future, chimera, "
                   "vendor, shy",
                   name);
    assert_string_equal(message, files.err.text);
}
static void test_an_unknown_backend_names_the_known(void **state)
{
    (void)state;
    assert_int_equal(RD_E_ARG, open_with("avx3"));
    assert_string_equal(
        "kernels: there is no backend 'avx3'; there is scalar, future, chimera, vendor, shy",
        files.err.text);
}
static void test_a_list_without_a_usable_backend(void **state)
{
    (void)state;
    assert_int_equal(RD_E_UNSUPPORTED, open_with("shy"));
    assert_string_equal("kernels = 'shy': no backend of it can be used; 'shy': it does not want "
                        "this machine (for tests)",
                        files.err.text);
    assert_int_equal(RD_E_ARG, open_with(""));
    assert_string_equal("kernels = '' names no backend", files.err.text);
}
static void test_two_backends_of_one_name_are_reported(void **state)
{
    (void)state;
    (void)copy_part("backends", "same.so", MAX_COPY);
    assert_int_equal(RD_OK, open_with(NULL));
    (void)snprintf(message, sizeof message,
                   "L3: backend 'future' is there already, from %s; take one of the two away",
                   path_of("backends.so"));
    assert_string_equal(message, last_refusal());
}
static void test_a_backend_that_comes_late_is_not_used(void **state)
{
    (void)state;
    expect_load(copy("backends"));
    assert_string_equal("it came after the core was opened; put it on the plugin path",
                        why_not("vendor"));
    assert_string_equal("scalar", rd_core_kernels(files.core));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, open_core, close_core)
int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_each_backend_not_used_has_its_reason),
        EACH(test_an_inexact_backend_is_used_where_it_is_named),
        EACH(test_a_backend_without_products_of_bf16_says_so),
        EACH(test_the_list_of_kernels_limits_and_orders),
        EACH(test_a_backend_without_products_and_one_of_the_same_score),
        EACH(test_the_list_of_kernels_may_say_a_name_twice),
        EACH(test_an_unknown_backend_of_a_long_name_is_cut),
        EACH(test_an_unknown_backend_names_the_known),
        EACH(test_a_list_without_a_usable_backend),
        EACH(test_two_backends_of_one_name_are_reported),
        EACH(test_a_backend_that_comes_late_is_not_used),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
