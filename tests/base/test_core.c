/* test_core.c - opening a core, its threads, its memory, its precision.
 * SPDX-License-Identifier: MIT */
#include "core.h"
#include "support/stacks.h"
#include "support/tensors.h"

static void test_a_core_opens_without_options(void **state)
{
    rd_error err;
    rd_core *core = NULL;
    (void)state;
    OK(rd_core_open(NULL, &core, &err));
    assert_int_equal(rd_core_threads(core), rd_core_cpu(core)->threads);
    assert_string_equal(rd_core_kernels(core), "scalar"); /* the one that is built in */
    rd_core_release(core);
}

static void test_a_core_opens_with_one_thread_where_no_other_starts(void **state)
{
    rd_error err;
    rd_core *core = NULL;
    (void)state;
    pthread_attr_t before = stacks_without_room();
    const rd_status opened = rd_core_open(NULL, &core, &err);
    const rd_status refused = opened == RD_OK ? rd_core_set_threads(core, 2, &err) : opened;
    assert_int_equal(pthread_setattr_default_np(&before), 0);
    OK(opened);
    assert_int_equal(rd_core_threads(core), 1);
    test_fails(refused, &err,
               "thread 2 of 2 could not be started: Resource temporarily unavailable");
    rd_core_release(core);
    pthread_attr_destroy(&before);
}

static void test_a_core_of_too_many_threads_does_not_open(void **state)
{
    rd_error err;
    rd_core *core = NULL;
    (void)state;
    test_fails(rd_core_open(&(rd_core_options){.threads = 257}, &core, &err), &err,
               "threads must be 1..256, got 257");
    assert_null(core);
    rd_core_release(core);
}

static void test_threads_stay_where_a_number_is_refused(void **state)
{
    rd_error err;
    test_fails(rd_core_set_threads(*state, 300, &err), &err, "threads must be 1..256, got 300");
    assert_int_equal(rd_core_threads(*state), 1);
}

static void test_no_number_of_threads_is_one_for_each_processor(void **state)
{
    rd_core *const core = *state;
    rd_error err;
    const uint32_t here = core->cpu.threads;
    core->cpu.threads = 2;
    OK(rd_core_set_threads(core, 0, &err));
    assert_int_equal(rd_core_threads(core), 2);
    core->cpu.threads = 1000;
    OK(rd_core_set_threads(core, 0, &err));
    assert_int_equal(rd_core_threads(core), 256);
    core->cpu.threads = here;
    OK(rd_core_set_threads(core, 1, &err));
}

static void test_a_precision_that_is_not_there(void **state)
{
    rd_error err;
    test_fails(rd_core_set_precision(*state, "fp8", &err), &err,
               "precision must be 'float32', 'bf16' or 'int8', got 'fp8'");
    assert_string_equal(rd_core_precision(*state), "float32");
}

static void test_trim_gives_free_blocks_back(void **state)
{
    rd_tensor *const t = test_leaf(*state, SHAPE(1000), RD_DENSE, 1);
    RELEASE(t);
    assert_true(rd_core_memory(*state).held_bytes > 0);
    rd_core_trim(*state);
    assert_int_equal(rd_core_memory(*state).held_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_core_opens_without_options),
        cmocka_unit_test(test_a_core_opens_with_one_thread_where_no_other_starts),
        cmocka_unit_test(test_a_core_of_too_many_threads_does_not_open),
        cmocka_unit_test(test_threads_stay_where_a_number_is_refused),
        cmocka_unit_test(test_no_number_of_threads_is_one_for_each_processor),
        cmocka_unit_test(test_a_precision_that_is_not_there),
        cmocka_unit_test(test_trim_gives_free_blocks_back),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
