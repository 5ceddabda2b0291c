/* test_openblas.c - the INEXACT backend: what the scalar one computes, to rounding, where it is named.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "rondo.h"
#include "validate/kernel_rules.h"

#ifdef RDC_GUARD
enum { THIN = 37 };
#else
enum { THIN = 1 };
#endif
static rd_core *core;

static rd_status open_core(const char *kernels)
{
    const rd_core_options options = {
        .threads = 2, .kernels = kernels, .lib_dir = RD_TEST_LIB_DIR, .trust_plugins = true};
    rd_error err;

    return rd_core_open(&options, &core, &err);
}
static int close_core(void **state)
{
    (void)state;
    rd_core_release(core);
    core = NULL;
    return 0;
}
/* NULL: not built here, as libopenblas-dev was not there. */
static const rd_kernels *backend(const char *name, const char **why_not)
{
    for (size_t i = 0; i < rd_kernels_count(core); i++)
        if (strcmp(rd_kernels_at(core, i).kernels->name, name) == 0) {
            *why_not = rd_kernels_at(core, i).why_not;
            return rd_kernels_at(core, i).kernels;
        }
    return NULL;
}
static bool library_is_loaded(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char line[512];
    bool found = false;

    assert_non_null(f);
    while (fgets(line, sizeof line, f)) found = found || strstr(line, "libopenblas");
    fclose(f);
    return found;
}

/* First, while nothing of this program has named it. */
static void test_it_is_not_used_and_not_even_opened_where_it_is_not_named(void **state)
{
    const char *why_not = NULL;

    (void)state;
    assert_int_equal(open_core(NULL), RD_OK);
    if (!backend("openblas", &why_not)) skip();
    assert_string_not_equal(rd_core_kernels(core), "openblas");
    assert_string_equal(why_not,
                        "its products are not the bit contract's; name it in kernels to use it");
    assert_false(library_is_loaded());
}
static void test_it_is_used_where_it_is_named(void **state)
{
    (void)state;
    if (open_core("openblas,scalar") != RD_OK) skip();
    assert_string_equal(rd_core_kernels(core), "openblas");
    assert_true(library_is_loaded());
}

/* Any order of the sum, and nothing else read or written. Slow builds take fewer products. */
static void test_its_products_are_the_scalar_ones_to_rounding(void **state)
{
    static kernel_rule_fn *const rules[] = {kernel_right_sizes, kernel_right_large,
                                            kernel_right_cut};
    const char *why_not = NULL;
    char why[KERNEL_RULE_TEXT];

    (void)state;
    if (open_core("openblas") != RD_OK) skip();
    const kernel_case c = {.kernels = backend("openblas", &why_not), .thin = THIN};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (!rules[i](&c, why, sizeof why)) fail_msg("%s", why);
}

#define EACH(test) cmocka_unit_test_teardown(test, close_core)
int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_it_is_not_used_and_not_even_opened_where_it_is_not_named),
        EACH(test_it_is_used_where_it_is_named),
        EACH(test_its_products_are_the_scalar_ones_to_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
