/* test_kernels.c - every backend that this processor can run, and the one that authors begin with, keeps the
 * rules of validate/kernel_rules.h.
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
static bool is_wanted(const rd_kernels *kernels)
{
    return kernels->score != NULL;
}
#else
extern const rd_plugin test_template_kernel;
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
    const size_t n = rd_kernels_count(core);
    return i < n ? rd_kernels_at(core, i).kernels : test_template_kernel.kernels[i - n];
}
/* An INEXACT backend may need a library that is not here: test_openblas.c. */
static bool runs_here(const rd_kernels *kernels)
{
    return (kernels->needs & ~rd_core_cpu(core)->features) == 0 &&
           !(kernels->flags & RD_KERNELS_INEXACT);
}
static bool is_wanted(const rd_kernels *kernels)
{
    return kernels->score(rd_core_cpu(core)) > 0;
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

/* Of backends that say these flags, or all. */
static void check(kernel_rule_fn *keeps, uint32_t flags)
{
    const rd_kernels *kernels;
    char why[KERNEL_RULE_TEXT];

    for (size_t i = 0; (kernels = backend_at(i)); i++) {
        const kernel_case c = {.kernels = kernels, .thin = THIN};
        if (!runs_here(kernels) || (kernels->flags & flags) != flags) continue;
        if (!keeps(&c, why, sizeof why)) fail_msg("%s: %s", kernels->name, why);
    }
}
#define TEST(name, keeps, flags) \
    static void name(void **state) \
    { \
        (void)state; \
        check(keeps, flags); \
    }
TEST(test_products_of_every_pair_of_sizes_are_right, kernel_right_sizes, 0)
TEST(test_large_products_are_right, kernel_right_large, 0)
TEST(test_products_of_bf16_are_right, kernel_right_bf16, RD_KERNELS_BF16)
TEST(test_products_of_int8_are_right, kernel_right_int8, RD_KERNELS_INT8)
TEST(test_packed_products_can_be_cut_at_panels, kernel_right_cut, 0)
TEST(test_multiply_adds_count_their_operations, kernel_right_counts, 0)
TEST(test_products_of_every_pair_of_sizes_equal_rule_3, kernel_bits_sizes, 0)
TEST(test_large_products_equal_rule_3, kernel_bits_large, 0)
TEST(test_products_of_tiny_numbers_equal_rule_3, kernel_bits_tiny, 0)
TEST(test_products_of_infinities_and_nan_equal_rule_3, kernel_bits_endless, 0)
TEST(test_products_of_bf16_equal_rule_10, kernel_bits_bf16, RD_KERNELS_BF16)
TEST(test_small_sums_of_bf16_are_zero_as_rule_10_has_it, kernel_bits_small_bf16, RD_KERNELS_BF16)
TEST(test_rows_of_bf16_can_be_added_in_parts, kernel_bits_bf16_parts, RD_KERNELS_BF16)
TEST(test_products_of_int8_equal_rule_10, kernel_bits_int8, RD_KERNELS_INT8)

static void test_a_backend_wants_a_processor_that_can_run_it(void **state)
{
    const rd_kernels *kernels;

    (void)state;
    for (size_t i = 0; (kernels = backend_at(i)); i++)
        if (runs_here(kernels) && !is_wanted(kernels)) fail_msg("%s", kernels->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_backend_wants_a_processor_that_can_run_it),
        cmocka_unit_test(test_products_of_every_pair_of_sizes_are_right),
        cmocka_unit_test(test_large_products_are_right),
        cmocka_unit_test(test_products_of_bf16_are_right),
        cmocka_unit_test(test_products_of_int8_are_right),
        cmocka_unit_test(test_packed_products_can_be_cut_at_panels),
        cmocka_unit_test(test_multiply_adds_count_their_operations),
        cmocka_unit_test(test_products_of_every_pair_of_sizes_equal_rule_3),
        cmocka_unit_test(test_large_products_equal_rule_3),
        cmocka_unit_test(test_products_of_tiny_numbers_equal_rule_3),
        cmocka_unit_test(test_products_of_infinities_and_nan_equal_rule_3),
        cmocka_unit_test(test_products_of_bf16_equal_rule_10),
        cmocka_unit_test(test_small_sums_of_bf16_are_zero_as_rule_10_has_it),
        cmocka_unit_test(test_rows_of_bf16_can_be_added_in_parts),
        cmocka_unit_test(test_products_of_int8_equal_rule_10),
    };
    return cmocka_run_group_tests(tests, open_core, close_core);
}
