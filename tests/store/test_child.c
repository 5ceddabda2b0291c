/* test_child.c - the child that works with HDF5 may crash, hang or lie; signals and threads do no harm.
 * SPDX-License-Identifier: MIT */
#include "store/child.h"
#include "store/checkpoint.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static bool crash(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)job, (void)wire;
    return raise(SIGSEGV) == 0;
}

static bool say_nothing(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)job, (void)wire;
    return false;
}

static bool send_too_much(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    (void)hdf5, (void)job;
    const rdc_frame frame = {.type = RDC_FRAME_ERROR, .name_bytes = UINT32_MAX};
    return wire->send(wire->fd, &frame, sizeof(frame));
}

static bool hang(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    send_too_much(hdf5, job, wire);
    return pause() == 0;
}

static void check_child(rdc_child_fn fn, const char *message)
{
    rdc_child child;
    rdc_frame frame;
    rd_error err;
    assert_int_equal(rdc_child_start(&core, fn, NULL, &child, &err), RD_OK);
    const rd_status status = rdc_child_frame(&child, &frame, &err);
    assert_int_equal(rdc_child_end(&child, status, &err), RD_E_IO);
    assert_string_equal(err.text, message);
}

static void test_a_child_that_crashes_is_an_error(void **state)
{
    (void)state;
    check_child(crash, "the child process for HDF5 was killed by signal 11 (Segmentation fault)");
}

static void test_a_child_that_says_nothing_is_an_error(void **state)
{
    (void)state;
    check_child(say_nothing, "the child process for HDF5 ended early");
}

static void test_a_child_that_talks_nonsense_is_an_error(void **state)
{
    (void)state;
    check_child(send_too_much, "the child process for HDF5 sent nonsense");
}

static void test_a_child_that_hangs_is_killed(void **state)
{
    (void)state;
    check_child(hang, "the child process for HDF5 sent nonsense");
}

static void test_a_missing_module_is_named(void **state)
{
    rd_error err;
    char expected[512];
    rd_archive *a = small_archive("log");
    const char *path = scratch_path(*state, "a.h5");
    const rd_core lost = {.lib_dir = (char *)(uintptr_t) "/nowhere"}, none = {0};
    assert_int_equal(rd_archive_save(&lost, a, path, NULL, &err), RD_E_IO);
    snprintf(expected, sizeof(expected),
             "cannot save '%s': /nowhere/rondo_hdf5.so: cannot open shared object file: No such "
             "file or directory",
             path);
    assert_string_equal(err.text, expected);
    assert_int_equal(rd_archive_save(&none, a, path, NULL, &err), RD_E_ARG);
    assert_non_null(strstr(err.text, "open the core with lib_dir"));
    rd_archive_free(a);
}

static void no_pipe(rd_archive *a, const char *path, rd_error *err)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit low = {.rlim_cur = 3, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    const rd_status status = rd_archive_save(&core, a, path, NULL, err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, RD_E_IO);
}

static void test_no_descriptors_is_an_error(void **state)
{
    rd_error err;
    char expected[512];
    rd_archive *a = small_archive("log");
    const char *path = scratch_path(*state, "a.h5");
    no_pipe(a, path, &err);
    snprintf(expected, sizeof(expected),
             "cannot save '%s': cannot make a pipe: Too many open files", path);
    assert_string_equal(err.text, expected);
    rd_archive_free(a);
}

static void save_and_load(const rd_core *with, const char *path)
{
    rd_error err = {0};
    rd_archive *a = small_archive("log");
    rd_archive *b = NULL;
    if (rd_archive_save(with, a, path, NULL, &err) != RD_OK) fail_msg("%s", err.text);
    if (rd_archive_load(with, path, &b, NULL, &err) != RD_OK) fail_msg("%s", err.text);
    assert_int_equal(rd_archive_count(b), rd_archive_count(a));
    rd_archive_free(a);
    rd_archive_free(b);
}

static void test_a_process_with_threads_saves_and_loads(void **state)
{
    rd_core *threaded = NULL;
    const rd_core_options options = {.threads = 3, .lib_dir = RD_TEST_LIB_DIR};
    assert_int_equal(rd_core_open(&options, &threaded, NULL), RD_OK);
    save_and_load(threaded, scratch_path(*state, "a.h5"));
    rd_core_release(threaded);
}

static void on_interrupt(int number)
{
    (void)number;
}

/* Sends the signals of a terminal and of a batch system to the whole group, again and again. */
static _Noreturn void pester(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    for (;;) {
        kill(0, SIGINT);
        kill(0, SIGTERM);
        kill(0, SIGUSR1);
        usleep(300);
    }
}

/* In a process group of its own, with handlers that interrupt system calls. */
static int work_pestered(const char *path)
{
    const struct sigaction action = {.sa_handler = on_interrupt};
    if (setpgid(0, 0) != 0) return 100;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    const pid_t pest = fork();
    if (pest == 0) pester();
    int failed = 0;
    rd_archive *a = small_archive("log");
    for (int i = 0; i < 5; i++) {
        rd_archive *b = NULL;
        failed += rd_archive_save(&core, a, path, NULL, NULL) != RD_OK;
        failed += rd_archive_load(&core, path, &b, NULL, NULL) != RD_OK;
        rd_archive_free(b);
    }
    rd_archive_free(a);
    kill(pest, SIGKILL);
    return failed;
}

static void test_ctrl_c_does_not_stop_a_save(void **state)
{
    int how = -1;
    const char *path = scratch_path(*state, "a.h5");
    const pid_t pid = fork();
    if (pid == 0) _exit(work_pestered(path));
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_int_equal(how, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_child_that_crashes_is_an_error),
        TEST(test_a_child_that_says_nothing_is_an_error),
        TEST(test_a_child_that_talks_nonsense_is_an_error),
        TEST(test_a_child_that_hangs_is_killed),
        TEST(test_a_missing_module_is_named),
        TEST(test_no_descriptors_is_an_error),
        TEST(test_a_process_with_threads_saves_and_loads),
        TEST(test_ctrl_c_does_not_stop_a_save),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
