/* test_io_probe.c - whichever call fails while a stranger's plugin is tried in a child: the trial ends.
 * SPDX-License-Identifier: MIT */
#include "faults/faulty_io.h"
#include "plugin/loader.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
/* after the headers it needs */
#include <cmocka.h>

/* The calls of a trial that io_faults counts, up to what is heard. */
enum { PIPE = 1, FORK, CLOSE, READ };

static struct {
    bool poll, wait; /* is interrupted, once */
    time_t hurry;    /* seconds that the clock is ahead after its first look */
} next;

int __real_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
pid_t __real_waitpid(pid_t pid, int *how, int options);
pid_t __wrap_waitpid(pid_t pid, int *how, int options);
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

static bool interrupted(bool *once)
{
    if (!*once) return false;
    *once = false;
    errno = EINTR;
    return true;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
    return interrupted(&next.poll) ? -1 : __real_poll(fds, n, ms);
}

pid_t __wrap_waitpid(pid_t pid, int *how, int options)
{
    return interrupted(&next.wait) ? -1 : __real_waitpid(pid, how, options);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    static bool looked;
    const int result = __real_clock_gettime(clock, now);
    if (looked) now->tv_sec += next.hurry;
    looked = next.hurry > 0;
    return result;
}

static void be_well(const void *job)
{
    (void)job;
}

static void crash(const void *job)
{
    (void)job;
    (void)raise(SIGRTMIN);
}

static void hang(const void *job)
{
    (void)job;
    for (;;) pause();
}

static bool try_with(rdc_probe_fn fn, io_fault fault, char reason[RDC_REASON_BYTES])
{
    *reason = '\0';
    io_faults_begin(fault);
    const bool good = rdc_probe(fn, NULL, reason);
    io_faults_end();
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
    return good;
}

static void test_where_there_can_be_no_child_nothing_is_tried(void **state)
{
    char reason[RDC_REASON_BYTES];
    (void)state;
    assert_true(try_with(crash, (io_fault){PIPE, EMFILE, false}, reason));
    assert_true(try_with(crash, (io_fault){FORK, EAGAIN, false}, reason));
    assert_false(try_with(crash, (io_fault){0}, reason));
}

static void test_what_is_interrupted_goes_on(void **state)
{
    char reason[RDC_REASON_BYTES];
    (void)state;
    assert_true(try_with(be_well, (io_fault){READ, EINTR, false}, reason));
    assert_string_equal(io_faults_name(), "read");
    next.poll = next.wait = true;
    assert_true(try_with(be_well, (io_fault){0}, reason));
    assert_false(next.poll || next.wait);
}

static void test_what_is_not_heard_is_refused(void **state)
{
    char reason[RDC_REASON_BYTES];
    (void)state;
    assert_false(try_with(be_well, (io_fault){READ, EIO, false}, reason));
    assert_non_null(strstr(reason, "L4: opening the file ends badly: "));
}

static void test_a_signal_without_a_name(void **state)
{
    char reason[RDC_REASON_BYTES];
    (void)state;
    assert_false(try_with(crash, (io_fault){0}, reason));
    assert_string_equal(reason, "L4: opening the file ends badly: SIG?");
}

/* The ten seconds pass at once. */
static void test_what_does_not_end_is_ended(void **state)
{
    char reason[RDC_REASON_BYTES];
    (void)state;
    next.hurry = 10;
    assert_false(try_with(hang, (io_fault){0}, reason));
    next.hurry = 0;
    assert_string_equal(reason, "L4: opening the file does not end within 10 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_there_can_be_no_child_nothing_is_tried),
        cmocka_unit_test(test_what_is_interrupted_goes_on),
        cmocka_unit_test(test_what_is_not_heard_is_refused),
        cmocka_unit_test(test_a_signal_without_a_name),
        cmocka_unit_test(test_what_does_not_end_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
