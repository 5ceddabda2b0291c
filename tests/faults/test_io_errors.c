/* test_io_errors.c - what a save says of a call of the system that fails, and which it can do without.
 * SPDX-License-Identifier: MIT */
#include "faults/faulty_io.h"
#include "store/files.h"
#include "store/scratch.h"

#include <errno.h>

typedef struct outcome {
    rd_status status;
    rd_error err;
    long calls;
    const char *failed; /* NULL: none */
} outcome;

static outcome write_with(scratch *s, io_fault fault)
{
    outcome o = {0};
    const rdc_part parts[] = {{"some ", 5}, {"bytes", 5}};
    const char *path = scratch_path(s, "a.txt");
    io_faults_begin(fault);
    o.status = rdc_write_durable(path, parts, 2, &o.err);
    o.calls = io_faults_end();
    o.failed = io_faults_name();
    return o;
}

/* The number of the call `name`, the nth of this name. */
static long call_of(scratch *s, const char *name, int nth)
{
    const long calls = write_with(s, (io_fault){0}).calls;
    for (long call = 1; call <= calls; call++) {
        const outcome o = write_with(s, (io_fault){call, EIO, false});
        if (o.failed && strcmp(o.failed, name) == 0 && --nth == 0) return call;
    }
    fail_msg("there is no such call of %s", name);
    return 0;
}

static void check_says(scratch *s, io_fault fault, const char *why)
{
    char expected[300];
    const outcome o = write_with(s, fault);
    snprintf(expected, sizeof(expected), "cannot save '%s': %s", s->path, why);
    assert_int_equal(o.status, RD_E_IO);
    assert_string_equal(o.err.text, expected);
}

static void check_call(scratch *s, const char *name, int nth, const char *what)
{
    char why[100];
    const long call = call_of(s, name, nth);
    snprintf(why, sizeof(why), "Input/output error (%s)", what);
    check_says(s, (io_fault){call, EIO, false}, why);
    check_says(s, (io_fault){call, EIO, true}, why); /* and not the next one */
}

static void test_the_call_that_fails_first_is_named(void **state)
{
    check_call(*state, "open", 1, "open");
    check_call(*state, "write", 1, "write of 10 bytes");
    check_call(*state, "write", 2, "write of 10 bytes");
    check_call(*state, "fsync", 1, "fsync");
    check_call(*state, "close", 1, "close");
    check_call(*state, "rename", 1, "rename");
    check_call(*state, "open", 2, "open of its folder");
    check_call(*state, "fsync", 2, "fsync of its folder");
}

static void check_well(scratch *s, io_fault fault)
{
    const outcome o = write_with(s, fault);
    if (o.status != RD_OK) fail_msg("%s: %s", o.failed, o.err.text);
}

static void test_a_file_system_that_cannot_sync_folders_will_do(void **state)
{
    const long folder = call_of(*state, "fsync", 2), file = call_of(*state, "fsync", 1);
    check_well(*state, (io_fault){folder, EINVAL, false});
    check_says(*state, (io_fault){file, EINVAL, false}, "Invalid argument (fsync)");
}

static void test_a_file_system_without_locks_will_do(void **state)
{
    check_well(*state, (io_fault){call_of(*state, "flock", 1), ENOSYS, false});
}

static void test_the_folder_may_fail_to_close(void **state)
{
    check_well(*state, (io_fault){call_of(*state, "close", 2), EIO, false});
}

static void test_a_close_that_is_interrupted_is_done(void **state)
{
    check_well(*state, (io_fault){call_of(*state, "close", 1), EINTR, false});
}

/* A system that answers nothing else is given up after a hundred thousand times. */
static void test_what_is_interrupted_is_tried_a_hundred_thousand_times(void **state)
{
    static const char *const names[] = {"open", "write", "fsync"};
    for (int i = 0; i < 3; i++) {
        const long call = call_of(*state, names[i], 1);
        const outcome o = write_with(*state, (io_fault){call, EINTR, true});
        assert_int_equal(o.status, RD_E_IO);
        assert_non_null(strstr(o.err.text, "Interrupted system call"));
        /* and what it does before and after that */
        assert_in_range(o.calls, call + 100000, call + 100000 + 3);
    }
}

static void test_a_read_that_is_interrupted_is_tried_a_hundred_thousand_times(void **state)
{
    char text[10];
    size_t got;
    const char *path = scratch_write(*state, "b.txt", "some bytes", 10);
    const int fd = open(path, O_RDONLY);
    io_faults_begin((io_fault){1, EINTR, true});
    const bool read = rdc_read_all(fd, text, 10, &got);
    const int number = errno;
    assert_int_equal(io_faults_end(), 100001);
    assert_false(read);
    assert_int_equal(number, EINTR);
    io_faults_begin((io_fault){1, EIO, false});
    assert_false(rdc_read_all(fd, text, 10, &got));
    assert_int_equal(io_faults_end(), 1);
    io_faults_begin((io_fault){1, IO_SHORT, false});
    assert_true(rdc_read_all(fd, text, 10, &got));
    io_faults_end();
    close(fd);
    assert_int_equal(got, 10);
    assert_memory_equal(text, "some bytes", 10);
}

static void test_a_file_that_cannot_be_written_is_left_under_no_name(void **state)
{
    for (int nth = 1; nth < 3; nth++) {
        const long call = call_of(*state, "write", nth);
        unlink(scratch_path(*state, "a.txt"));
        write_with(*state, (io_fault){call, ENOSPC, false});
        assert_int_equal(scratch_count(*state), 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_call_that_fails_first_is_named),
        TEST(test_a_file_system_that_cannot_sync_folders_will_do),
        TEST(test_a_file_system_without_locks_will_do),
        TEST(test_the_folder_may_fail_to_close),
        TEST(test_a_close_that_is_interrupted_is_done),
        TEST(test_what_is_interrupted_is_tried_a_hundred_thousand_times),
        TEST(test_a_read_that_is_interrupted_is_tried_a_hundred_thousand_times),
        TEST(test_a_file_that_cannot_be_written_is_left_under_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
