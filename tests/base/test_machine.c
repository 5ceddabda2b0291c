/* test_machine.c - what measurements are compared with: that there is a figure, and what it is of.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core.h"

static rd_core *opened(const char *lib_dir, const char *kernels)
{
    const rd_core_options options = {
        .threads = 2, .kernels = kernels, .lib_dir = lib_dir, .trust_plugins = true};
    rd_core *core = NULL;
    rd_error err;

    assert_int_equal(rd_core_open(&options, &core, &err), RD_OK);
    return core;
}

static void test_memory_is_read_at_some_speed(void **state)
{
    rd_core *core = opened(NULL, NULL);
    double gbytes = 0;
    rd_error err;

    (void)state;
    assert_int_equal(rd_read_bandwidth(core, &gbytes, &err), RD_OK);
    assert_true(gbytes > 0);
    rd_core_release(core);
}

/* What is read is at least so large that no cache holds it, whatever the last cache is said to have. */
static void test_memory_of_a_machine_without_a_last_cache(void **state)
{
    rd_core *core = opened(NULL, NULL);
    double gbytes = 0;
    rd_error err;

    (void)state;
    core->cpu.l3_bytes = 0;
    assert_int_equal(rd_read_bandwidth(core, &gbytes, &err), RD_OK);
    assert_true(gbytes > 0);
    rd_core_release(core);
}

/* The built-in scalar backend has no loop of multiply-adds. */
static void test_without_a_loop_the_peak_is_zero(void **state)
{
    rd_core *core = opened(NULL, NULL);

    (void)state;
    assert_true(rd_peak_gflops(core) == 0);
    rd_core_release(core);
}

static void test_scalar_is_measured_by_the_fastest_backend_here(void **state)
{
    rd_core *core = opened(RD_TEST_LIB_DIR, "scalar");
    bool one_can = false;

    (void)state;
    for (size_t i = 0; i < rd_kernels_count(core); i++) {
        const rd_kernels *k = rd_kernels_at(core, i).kernels;
        one_can = one_can || (k->multiply_adds && !(k->needs & ~rd_core_cpu(core)->features));
    }
    assert_true((rd_peak_gflops(core) > 0) == one_can);
    rd_core_release(core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_read_at_some_speed),
        cmocka_unit_test(test_memory_of_a_machine_without_a_last_cache),
        cmocka_unit_test(test_without_a_loop_the_peak_is_zero),
        cmocka_unit_test(test_scalar_is_measured_by_the_fastest_backend_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
