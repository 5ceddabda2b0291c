/* test_child_process.c - in what the child that works with HDF5 differs from its parent, and how it ends.
 * SPDX-License-Identifier: MIT */
#include "store/child.h"
#include "store/checkpoint.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* Runs fn in a child that sends one frame. */
static rdc_frame told_by(rdc_child_fn fn)
{
    rdc_child child;
    rdc_frame frame = {0};
    rd_error err = {0};
    assert_int_equal(rdc_child_start(&core, fn, NULL, &child, &err), RD_OK);
    const rd_status status = rdc_child_frame(&child, &frame, &err);
    if (rdc_child_end(&child, status, &err) != RD_OK) fail_msg("%s", err.text);
    return frame;
}

static bool tell(const rdc_wire *wire, uint64_t what)
{
    const rdc_frame frame = {.type = RDC_FRAME_DONE, .data_bytes = what};
    return wire->send(wire->fd, &frame, sizeof(frame));
}

/* ---- signals ---- */

static const int ignored[] = {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE};
static const int deadly[] = {SIGALRM, SIGXCPU, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
enum {
    N_IGNORED = sizeof(ignored) / sizeof(*ignored),
    N_DEADLY = sizeof(deadly) / sizeof(*deadly)
};

static bool is(int number, void (*handler)(int))
{
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && now.sa_handler == handler;
}

/* A bit for each signal that is as it should be. */
static bool tell_signals(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)job;
    uint64_t right = 0;
    for (int i = 0; i < N_IGNORED; i++) right |= (uint64_t)is(ignored[i], SIG_IGN) << i;
    for (int i = 0; i < N_DEADLY; i++) right |= (uint64_t)is(deadly[i], SIG_DFL) << (N_IGNORED + i);
    return tell(wire, right);
}

static void on_signal(int number)
{
    (void)number;
}

static void test_a_child_answers_no_signal_of_its_group_and_dies_of_its_own(void **state)
{
    (void)state;
    struct sigaction before[NSIG], own = {.sa_handler = on_signal};
    for (int i = 0; i < N_IGNORED; i++) sigaction(ignored[i], &own, &before[ignored[i]]);
    for (int i = 0; i < N_DEADLY; i++) sigaction(deadly[i], &own, &before[deadly[i]]);
    const uint64_t right = told_by(tell_signals).data_bytes;
    for (int i = 0; i < N_IGNORED; i++) sigaction(ignored[i], &before[ignored[i]], NULL);
    for (int i = 0; i < N_DEADLY; i++) sigaction(deadly[i], &before[deadly[i]], NULL);
    assert_int_equal(right, (1U << (N_IGNORED + N_DEADLY)) - 1);
}

static bool tell_mask(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)job;
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    return tell(wire,
                (uint64_t)sigismember(&now, SIGUSR1) << 1 | (uint64_t)sigismember(&now, SIGUSR2));
}

static void test_signals_are_blocked_as_before_in_both(void **state)
{
    (void)state;
    sigset_t one, before, after;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    sigprocmask(SIG_BLOCK, &one, &before);
    const uint64_t told = told_by(tell_mask).data_bytes;
    sigprocmask(SIG_SETMASK, &before, &after);
    assert_int_equal(told, 2);
    assert_int_equal(sigismember(&after, SIGUSR1), 1);
    assert_int_equal(sigismember(&after, SIGUSR2), 0);
}

static bool tell_death(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)job;
    int number = 0;
    prctl(PR_GET_PDEATHSIG, &number);
    return tell(wire, (uint64_t)number);
}

static void test_a_child_dies_with_its_parent(void **state)
{
    (void)state;
    assert_int_equal(told_by(tell_death).data_bytes, SIGKILL);
}

/* ---- the pipe ---- */

/* How many ends of pipes are open for reading. */
static bool tell_pipes(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)job;
    uint64_t n = 0;
    struct stat st;
    for (int fd = 3; fd < 64; fd++)
        n += fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
             (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
    return tell(wire, n);
}

/* Or it would write on when its parent has stopped reading. */
static void test_a_child_does_not_hold_the_end_that_is_read(void **state)
{
    (void)state;
    assert_int_equal(told_by(tell_pipes).data_bytes, 0);
}

static bool tell_room(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)job;
    return tell(wire, (uint64_t)fcntl(wire->fd, F_GETPIPE_SZ));
}

static void test_the_pipe_holds_a_mebibyte(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const int most = fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
    close(ends[0]);
    close(ends[1]);
    if (most < 0) skip(); /* the system allows less */
    assert_int_equal(told_by(tell_room).data_bytes, 1 << 20);
}

/* ---- the end ---- */

static bool say_and_crash(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)job;
    return tell(wire, 7) && raise(SIGKILL) == 0;
}

static void test_a_child_that_crashes_when_all_is_said_did_well(void **state)
{
    (void)state;
    assert_int_equal(told_by(say_and_crash).data_bytes, 7);
}

static void check_ended(rdc_child_fn fn, bool reads, const char *message)
{
    rdc_child child;
    rdc_frame frame;
    rd_error err = {0};
    assert_int_equal(rdc_child_start(&core, fn, NULL, &child, &err), RD_OK);
    child.reads = reads;
    const rd_status status = rdc_child_frame(&child, &frame, &err);
    assert_int_equal(rdc_child_end(&child, status, &err), RD_E_IO);
    assert_string_equal(err.text, message);
}

static bool run_out_of_time(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)job, (void)wire;
    return raise(SIGXCPU) == 0;
}

static bool be_killed(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)job, (void)wire;
    return raise(SIGKILL) == 0;
}

/* SIGKILL is the system's, which has no memory left. */
static void test_how_a_child_ended_is_said(void **state)
{
    (void)state;
    check_ended(
        run_out_of_time, true,
        "the child process for HDF5 took too long; the file is damaged, or made to do harm");
    check_ended(run_out_of_time, false, "the child process for HDF5 took too long");
    check_ended(be_killed, true, "the child process for HDF5 was killed by signal 9 (Killed)");
    check_ended(be_killed, false, "the child process for HDF5 was killed by signal 9 (Killed)");
}

/* A host that ignores SIGCHLD has had it reaped, and how it ended is not known. */
static void test_how_a_reaped_child_ended_is_not_said(void **state)
{
    (void)state;
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);
    check_ended(be_killed, true, "the child process for HDF5 ended early");
    signal(SIGCHLD, before);
}

static volatile int *finished; /* memory that is shared with the child */

static bool tell_and_go_on(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)job;
    const bool told = tell(wire, 1);
    usleep(50000);
    *finished = 1;
    return told;
}

static void test_a_child_that_did_well_is_waited_for(void **state)
{
    (void)state;
    finished = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(finished != MAP_FAILED);
    told_by(tell_and_go_on);
    assert_int_equal(*finished, 1);
    munmap((void *)(uintptr_t)finished, sizeof(int));
}

static bool succeed(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)wire;
    return job == NULL;
}

static int exit_of(const rd_core *with, const void *job)
{
    rdc_child child;
    siginfo_t how = {0};
    assert_int_equal(rdc_child_start(with, succeed, job, &child, NULL), RD_OK);
    assert_int_equal(waitid(P_PID, (id_t)child.pid, &how, WEXITED | WNOWAIT), 0);
    assert_int_equal(rdc_child_end(&child, RD_OK, NULL), RD_OK);
    assert_int_equal(how.si_code, CLD_EXITED);
    return how.si_status;
}

static void test_what_fn_returns_is_the_exit(void **state)
{
    (void)state;
    assert_int_equal(exit_of(&core, NULL), 0);
    assert_int_equal(exit_of(&core, state), 1);
}

static void test_a_child_without_its_module_has_failed(void **state)
{
    (void)state;
    char far[5000] = "";
    memset(far, 'x', sizeof far - 1);
    assert_int_equal(exit_of(&(rd_core){.lib_dir = far}, NULL), 1);
    far[0] = '\0';
    assert_int_equal(exit_of(&(rd_core){.lib_dir = far}, NULL), 1);
    (void)snprintf(far, sizeof far, "%s/old", RD_TEST_LIAR_DIR); /* another version */
    assert_int_equal(exit_of(&(rd_core){.lib_dir = far}, NULL), 1);
}

/* What a module that is not there says, in a folder of so many bytes. */
static void module_of(size_t bytes, rd_error *err)
{
    char folder[5000];
    rdc_child child;
    rdc_frame frame;
    memset(folder, 'x', bytes);
    folder[0] = '/';
    folder[bytes] = '\0';
    const rd_core far = {.lib_dir = folder};
    assert_int_equal(rdc_child_start(&far, succeed, NULL, &child, err), RD_OK);
    const rd_status status = rdc_child_frame(&child, &frame, err);
    assert_int_equal(rdc_child_end(&child, status, err), RD_E_IO);
}

static void test_the_path_of_the_module_has_at_most_4095_bytes(void **state)
{
    (void)state;
    rd_error err = {0};
    const size_t most = 4095 - strlen("/rondo_hdf5.so");
    module_of(most + 1, &err);
    assert_string_equal(err.text, "lib_dir is too long");
    module_of(most, &err); /* of what the system says 400 bytes */
    assert_memory_equal(err.text, "/xxx", 4);
    assert_int_equal(strlen(err.text), RDC_FRAME_TEXT);
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_child_answers_no_signal_of_its_group_and_dies_of_its_own),
        TEST(test_signals_are_blocked_as_before_in_both),
        TEST(test_a_child_dies_with_its_parent),
        TEST(test_a_child_does_not_hold_the_end_that_is_read),
        TEST(test_the_pipe_holds_a_mebibyte),
        TEST(test_a_child_that_crashes_when_all_is_said_did_well),
        TEST(test_how_a_child_ended_is_said),
        TEST(test_how_a_reaped_child_ended_is_not_said),
        TEST(test_a_child_that_did_well_is_waited_for),
        TEST(test_what_fn_returns_is_the_exit),
        TEST(test_a_child_without_its_module_has_failed),
        TEST(test_the_path_of_the_module_has_at_most_4095_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
