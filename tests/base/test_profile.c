/* test_profile.c - where time goes: kinds of work, one within another, other threads.
 * SPDX-License-Identifier: MIT */
#include "base/machine.h"
#include "base/profile.h"
#include "support/tensors.h"

static void spend(double seconds)
{
    const double end = rdc_seconds() + seconds;
    while (rdc_seconds() < end) continue;
}

static double seconds_of(const rd_core *core, rd_work_kind kind)
{
    return rd_profile_of(core, kind).seconds;
}

static void test_before_the_first_start_there_are_names_and_zeros(void **state)
{
    rd_profile_stop(*state);
    const rd_work rest = rd_profile_of(*state, RD_WORK_REST);
    assert_string_equal(rest.name, "everything else");
    assert_true(rest.seconds == 0 && rest.calls == 0 && rest.flops == 0);
    const rdc_timing t = rdc_timing_begin(*state, RD_WORK_LOSS);
    rdc_timing_end(&t);
    assert_int_equal(rd_profile_of(*state, RD_WORK_LOSS).calls, 0);
}

static void test_what_is_within_is_not_of_what_is_around_it(void **state)
{
    rd_error err;
    OK(rd_profile_start(*state, &err));
    const rdc_timing around = rdc_timing_begin(*state, RD_WORK_LOSS);
    spend(0.001);
    const rdc_timing within = rdc_timing_begin(*state, RD_WORK_LINEAR);
    spend(0.02);
    rdc_timing_end(&within);
    rdc_timing_end(&around);
    rd_profile_stop(*state);
    assert_true(seconds_of(*state, RD_WORK_LINEAR) >= 0.02);
    assert_true(seconds_of(*state, RD_WORK_LOSS) >= 0.001);
    assert_int_equal(rd_profile_of(*state, RD_WORK_LOSS).calls, 1);
    assert_int_equal(rd_profile_of(*state, RD_WORK_LINEAR).calls, 1);
}

/* All kinds together are the time between start and stop. */
static void test_the_rest_is_what_no_timing_has_seen(void **state)
{
    rd_error err;
    const double before = rdc_seconds();
    OK(rd_profile_start(*state, &err));
    spend(0.01);
    const rdc_timing t = rdc_timing_begin(*state, RD_WORK_LOSS);
    spend(0.01);
    rdc_timing_end(&t);
    const double running = seconds_of(*state, RD_WORK_REST);
    rd_profile_stop(*state);
    const double all = rdc_seconds() - before;
    assert_true(running >= 0.01 && seconds_of(*state, RD_WORK_REST) >= running);
    assert_true(seconds_of(*state, RD_WORK_REST) + seconds_of(*state, RD_WORK_LOSS) <= all);
}

static void test_operations_of_a_product_are_of_the_kind_that_is_open(void **state)
{
    rd_error err;
    rdc_count_product(*state, 2, 3, 4); /* nothing listens */
    OK(rd_profile_start(*state, &err));
    const rdc_timing t = rdc_timing_begin(*state, RD_WORK_LINEAR);
    rdc_count_product(*state, 2, 3, 4);
    rdc_count_product(NULL, 2, 3, 4); /* another thread's part */
    rdc_timing_end(&t);
    rd_profile_stop(*state);
    assert_true(rd_profile_of(*state, RD_WORK_LINEAR).flops == 2 * 2 * 3 * 4);
    assert_true(rd_profile_of(*state, RD_WORK_REST).flops == 0);
}

static void test_another_threads_part_is_not_timed_twice(void **state)
{
    rd_error err;
    OK(rd_profile_start(*state, &err));
    const rdc_timing t = rdc_timing_begin(NULL, RD_WORK_LOSS);
    rdc_timing_end(&t);
    rd_profile_stop(*state);
    assert_int_equal(rd_profile_of(*state, RD_WORK_LOSS).calls, 0);
}

static void test_a_second_start_begins_from_zero(void **state)
{
    rd_error err;
    OK(rd_profile_start(*state, &err));
    const rdc_timing t = rdc_timing_begin(*state, RD_WORK_LOSS);
    rdc_timing_end(&t);
    OK(rd_profile_start(*state, &err));
    rd_profile_stop(*state);
    assert_int_equal(rd_profile_of(*state, RD_WORK_LOSS).calls, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, test_open_core, test_close_core)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_before_the_first_start_there_are_names_and_zeros),
        TEST(test_what_is_within_is_not_of_what_is_around_it),
        TEST(test_the_rest_is_what_no_timing_has_seen),
        TEST(test_operations_of_a_product_are_of_the_kind_that_is_open),
        TEST(test_another_threads_part_is_not_timed_twice),
        TEST(test_a_second_start_begins_from_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
