/* test_kernels.c - every backend that this processor can run keeps the rules of validate/kernel_rules.h.
 *
 * With RD_TEST_ALONE it needs neither a test library nor the core: it tests the plugin RD_TEST_PLUGIN,
 * which is linked in.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifdef RD_TEST_ALONE
#include "support/alone.h"
#else
#include <cmocka.h>
#endif
#include "rondo.h"
#include "validate/kernel_rules.h"

#ifdef RD_TEST_ALONE
extern const rd_plugin RD_TEST_PLUGIN;

static int open_core(void **state)
{
    (void)state;
    printf("%s\n", RD_TEST_PLUGIN.kernels[0]->name);
    return 0;
}
static int close_core(void **state)
{
    (void)state;
    return 0;
}
/* Backend i; NULL after the last. */
static const rd_kernels *backend_at(size_t i)
{
    return RD_TEST_PLUGIN.kernels[i];
}
static bool runs_here(const rd_kernels *kernels)
{
    (void)kernels;
    return true;
}
#else
static rd_core *core;

static int open_core(void **state)
{
    const rd_core_options options = {
        .threads = 1, .lib_dir = RD_TEST_LIB_DIR, .trust_plugins = true};
    rd_error err;

    (void)state;
    return rd_core_open(&options, &core, &err);
}
static int close_core(void **state)
{
    (void)state;
    rd_core_release(core);
    return 0;
}
/* Backend i; NULL after the last. */
static const rd_kernels *backend_at(size_t i)
{
    return i < rd_kernels_count(core) ? rd_kernels_at(core, i).kernels : NULL;
}
/* An INEXACT backend may need a library that is not here: test_openblas.c. */
static bool runs_here(const rd_kernels *kernels)
{
    return (kernels->needs & ~rd_core_cpu(core)->features) == 0 &&
           !(kernels->flags & RD_KERNELS_INEXACT);
}
#endif

/* Slow builds take fewer products: sanitizers, and emulated processors. */
#if defined(RDC_GUARD)
enum { THIN = 37 };
#elif defined(RD_TEST_ALONE)
enum { THIN = 5 };
#else
enum { THIN = 1 };
#endif

static void check(const char *number)
{
    const rd_kernels *kernels;

    for (size_t i = 0; (kernels = backend_at(i)); i++) {
        const kernel_case c = {.kernels = kernels, .thin = THIN};
        if (!runs_here(kernels)) continue;
        for (size_t r = 0; r < kernel_rule_count(); r++) {
            const kernel_rule *rule = &kernel_rules[r];
            char why[KERNEL_RULE_TEXT] = "";
            if (strcmp(rule->number, number) != 0 || kernel_rule_skip(rule, kernels)) continue;
            if (!rule->keeps(&c, why, sizeof why))
                fail_msg("%s, rule %s: %s", kernels->name, number, why);
        }
    }
}
static void test_products_are_right(void **state)
{
    (void)state;
    check("K2");
}
static void test_products_have_the_bits_of_the_contract(void **state)
{
    (void)state;
    check("K3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_are_right),
        cmocka_unit_test(test_products_have_the_bits_of_the_contract),
    };
    return cmocka_run_group_tests(tests, open_core, close_core);
}
