/* test_pool.c - worker threads: every element once, any number of workers, the contract's environment.
 * SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "support/stacks.h"
#include "support/tensors.h"

#include <fenv.h>
#include <float.h>
#include <string.h>

static rdc_pool *pool_of(uint32_t threads)
{
    rd_error err;
    rdc_pool *p = NULL;
    OK(rdc_pool_new(threads, &p, &err));
    return p;
}

static void count(void *job, size_t first, size_t last)
{
    unsigned char *const seen = job;
    for (size_t i = first; i < last; i++) seen[i]++;
}

static void check_range(uint32_t threads, size_t n, size_t grain)
{
    unsigned char seen[1000] = {0}, want[1000];
    rdc_pool *const p = pool_of(threads);
    memset(want, 1, sizeof(want));
    rdc_pool_range(p, n, grain, count, seen);
    assert_memory_equal(seen, want, n);
    assert_int_equal(rdc_pool_threads(p), threads);
    rdc_pool_free(p);
}

static void test_range_covers_each_element_once(void **state)
{
    (void)state;
    check_range(1, 1000, 10);
    check_range(2, 1000, 7);
    check_range(3, 1000, 999);
    check_range(5, 4, 1);
    check_range(3, 0, 1);
}

static void note_share(void *job, uint32_t share, uint32_t shares)
{
    ((uint32_t *)job)[share] += shares;
}

/* Jobs this short are often over before a worker is there, which then must not do a share again. */
static void test_run_does_every_share_once_each_time(void **state)
{
    uint32_t calls[4] = {0};
    rdc_pool *const p = pool_of(4);
    (void)state;
    for (int i = 0; i < 5000; i++) rdc_pool_run(p, note_share, calls);
    rdc_pool_free(p);
    assert_true(calls[0] == 20000 && calls[1] == 20000);
    assert_true(calls[2] == 20000 && calls[3] == 20000);
}

/* Gradual underflow holds on every worker (bit contract, rule 1). */
static void halve_smallest_normal(void *job, uint32_t worker, uint32_t workers)
{
    volatile float x = FLT_MIN;
    (void)workers;
    x /= 2;
    ((float *)job)[worker] = x;
}

static void test_workers_keep_subnormals(void **state)
{
    float halves[3] = {0};
    rdc_pool *const p = pool_of(3);
    (void)state;
    rdc_pool_run(p, halve_smallest_normal, halves);
    rdc_pool_free(p);
    assert_true(halves[0] == 0x1p-127f && halves[1] == 0x1p-127f && halves[2] == 0x1p-127f);
}

static void divide(void *job, uint32_t worker, uint32_t workers)
{
    volatile float x = 1;
    (void)workers;
    x /= 3;
    ((float *)job)[worker] = x;
}

static void test_environment_is_entered_and_restored(void **state)
{
    rdc_pool *const p = pool_of(1);
    float third = 0;
    (void)state;
    fesetround(FE_DOWNWARD);
    rdc_pool_run(p, divide, &third);
    const int after = fegetround();
    fesetround(FE_TONEAREST);
    rdc_pool_free(p);
    assert_int_equal(after, FE_DOWNWARD);
    assert_true(third == 0x1.555556p-2f); /* rounded up, to the nearest */
}

static void test_workers_do_not_take_over_their_makers_environment(void **state)
{
    float thirds[3] = {0};
    (void)state;
    fesetround(FE_DOWNWARD);
    rdc_pool *const p = pool_of(3);
    rdc_pool_run(p, divide, thirds);
    fesetround(FE_TONEAREST);
    rdc_pool_free(p);
    assert_true(thirds[0] == 0x1.555556p-2f);
    assert_true(thirds[1] == 0x1.555556p-2f && thirds[2] == 0x1.555556p-2f);
}

static void test_pool_refuses_silly_numbers(void **state)
{
    rd_error err;
    rdc_pool *p = NULL;
    (void)state;
    test_fails(rdc_pool_new(0, &p, &err), &err, "threads must be 1..256, got 0");
    test_fails(rdc_pool_new(257, &p, &err), &err, "threads must be 1..256, got 257");
    rdc_pool_free(p);
}

static void test_a_thread_that_does_not_start_is_an_error(void **state)
{
    rd_error err;
    rdc_pool *p = NULL;
    (void)state;
    pthread_attr_t before = stacks_without_room();
    const rd_status status = rdc_pool_new(3, &p, &err);
    assert_int_equal(pthread_setattr_default_np(&before), 0);
    test_fails(status, &err,
               "thread 2 of 3 could not be started: Resource temporarily unavailable");
    assert_null(p);
    pthread_attr_destroy(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_range_covers_each_element_once),
        cmocka_unit_test(test_run_does_every_share_once_each_time),
        cmocka_unit_test(test_workers_keep_subnormals),
        cmocka_unit_test(test_environment_is_entered_and_restored),
        cmocka_unit_test(test_workers_do_not_take_over_their_makers_environment),
        cmocka_unit_test(test_pool_refuses_silly_numbers),
        cmocka_unit_test(test_a_thread_that_does_not_start_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
