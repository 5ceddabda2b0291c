/* test_io_load.c - whichever call of a load fails, and however: the archive that was saved, or an error.
 * SPDX-License-Identifier: MIT */
#include "faults/faulty_io.h"
#include "store/checkpoint.h"
#include "rondo_series.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

typedef struct outcome {
    rd_status status;
    rd_error err;
    long calls;
    const char *failed; /* NULL: none */
    rd_digests digests;
    int opened; /* descriptors more than before */
} outcome;

static int descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 64; fd++) n += fcntl(fd, F_GETFD) != -1;
    return n;
}

typedef rd_status (*deed)(const char *path, outcome *o);

static rd_status load(const char *path, outcome *o)
{
    rd_archive *a = NULL;
    const rd_status status = rd_archive_load(&core, path, &a, &o->digests, &o->err);
    rd_archive_free(a);
    return status;
}

/* Lists the arrays; their number stands for the digest. */
static rd_status look(const char *path, outcome *o)
{
    rd_hdf5 *h = NULL;
    const rd_hdf5_set *sets;
    const rd_status status = rd_hdf5_open(&core, path, &h, &o->err);
    if (status == RD_OK)
        snprintf(o->digests.file, sizeof(o->digests.file), "%zu", rd_hdf5_sets(h, &sets));
    rd_hdf5_free(h);
    return status;
}

static outcome do_with(deed do_it, const char *path, io_fault fault)
{
    outcome o = {0};
    const int before = descriptors();
    io_faults_begin(fault);
    o.status = do_it(path, &o);
    o.calls = io_faults_end();
    o.failed = io_faults_name();
    o.opened = descriptors() - before;
    return o;
}

#define CHECK(what) \
    do { \
        if (!(what)) \
            fail_msg("call %ld (%s) fails with %d, %s: not so: %s (%s)", fault.call, \
                     o.failed ? o.failed : "none", fault.number, \
                     fault.always ? "and all after it" : "once", #what, o.err.text); \
    } while (0)

static bool needs(const char *call)
{
    static const char *const calls[] = {"open", "read", "pipe2", "fork"};
    for (size_t i = 0; call && i < sizeof(calls) / sizeof(*calls); i++)
        if (strcmp(call, calls[i]) == 0) return true;
    return false;
}

static void check_case(deed do_it, const char *path, const outcome *plain, io_fault fault)
{
    const outcome o = do_with(do_it, path, fault);
    const bool harmless = fault.number == IO_SHORT || (fault.number == EINTR && !fault.always);
    CHECK(o.opened == 0);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    CHECK(o.status == RD_OK ? o.err.text[0] == '\0' : strncmp(o.err.text, "cannot ", 7) == 0);
    CHECK(o.status != RD_OK || strcmp(o.digests.file, plain->digests.file) == 0);
    CHECK(!harmless || o.status == RD_OK || !o.failed || strcmp(o.failed, "read") != 0);
    CHECK(harmless || !needs(o.failed) || o.status == RD_E_IO);
    CHECK(fault.number != IO_END || o.status == RD_E_IO || !o.failed);
    CHECK(fault.number != EIO || fault.always || o.status == RD_OK ||
          strstr(o.err.text, "Input/output error"));
}

static void check_calls(scratch *s, deed do_it)
{
    static const int numbers[] = {EIO, EINTR, IO_SHORT, IO_END};
    static const double two[2] = {1, 2};
    rd_archive *a = NULL;
    assert_int_equal(rd_archive_new(&a, NULL), RD_OK);
    put(a, (rd_entry){"x", RD_ENTRY_F64, 1, {2}, two});
    save(a, scratch_path(s, "a.h5"), NULL);
    rd_archive_free(a);
    const outcome plain = do_with(do_it, s->path, (io_fault){0});
    assert_int_equal(plain.status, RD_OK);
    assert_true(plain.calls > 5);
    for (size_t n = 0; n < sizeof(numbers) / sizeof(*numbers); n++)
        for (long call = 1; call <= plain.calls; call++)
            for (int always = 0; always < 2; always++)
                check_case(do_it, s->path, &plain, (io_fault){call, numbers[n], always});
}

static void test_loading(void **state)
{
    check_calls(*state, load);
}

static void test_looking(void **state)
{
    check_calls(*state, look);
}

static void check_says(scratch *s, long call, io_fault fault, const char *why)
{
    char expected[300];
    rd_archive *a = small_archive("log");
    save(a, scratch_path(s, "a.h5"), NULL);
    rd_archive_free(a);
    fault.call = call;
    const outcome o = do_with(load, s->path, fault);
    snprintf(expected, sizeof(expected), "cannot load '%s': %s", s->path, why);
    assert_string_equal(o.err.text, expected);
}

/* After it was opened and looked at a file is read in two parts, the seal and the rest. */
static void test_what_failed_is_said(void **state)
{
    check_says(*state, 1, (io_fault){.number = EACCES}, "Permission denied");
    check_says(*state, 2, (io_fault){.number = EIO}, "Input/output error");
    check_says(*state, 3, (io_fault){.number = EIO}, "Input/output error (read)");
    check_says(*state, 4, (io_fault){.number = EIO}, "Input/output error (read)");
    check_says(*state, 3, (io_fault){.number = IO_END}, "it is empty, not a Rondo checkpoint");
    check_says(*state, 4, (io_fault){.number = IO_END}, "it shrank while it was read");
}

static volatile int *answered; /* memory that is shared with the child */

static void on_signal(int number)
{
    *answered = number;
}

/* A handler of the host's would take the child for the host. */
static void test_no_handler_of_the_host_runs_in_the_child(void **state)
{
    rd_archive *a = small_archive("log");
    save(a, scratch_path(*state, "a.h5"), NULL);
    rd_archive_free(a);
    answered = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(answered != MAP_FAILED);
    void (*before)(int) = signal(SIGUSR1, on_signal);
    const outcome o = do_with(load, ((scratch *)*state)->path, (io_fault){.signal = SIGUSR1});
    signal(SIGUSR1, before);
    assert_int_equal(o.status, RD_OK);
    assert_int_equal(*answered, 0);
    munmap((void *)(uintptr_t)answered, sizeof(int));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_loading),
        TEST(test_looking),
        TEST(test_what_failed_is_said),
        TEST(test_no_handler_of_the_host_runs_in_the_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
