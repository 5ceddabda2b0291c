/* test_files.c - a save that fails or is killed leaves the old file, no rubbish and a clear message.
 * SPDX-License-Identifier: MIT */
#include "store/checkpoint.h"
#include "store/files.h"
#include "store/seal.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

static rd_status write_text(const char *path, const char *text, rd_error *err)
{
    const rdc_part part = {text, strlen(text)};
    return rdc_write_durable(path, &part, 1, err);
}

static void check_refused(const char *path, const char *rest)
{
    rd_error err;
    char expected[512];
    assert_int_equal(write_text(path, "x", &err), RD_E_IO);
    snprintf(expected, sizeof(expected), "cannot save '%s': %s", path, rest);
    assert_string_equal(err.text, expected);
}

static void check_holds(const char *path, const char *text)
{
    size_t n;
    unsigned char *bytes = scratch_read(path, &n);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(bytes, text, n);
    free(bytes);
}

static void test_a_file_is_replaced(void **state)
{
    const char *path = scratch_path(*state, "a.txt");
    assert_int_equal(write_text(path, "first, longer", NULL), RD_OK);
    assert_int_equal(write_text(path, "second", NULL), RD_OK);
    check_holds(path, "second");
    assert_int_equal(scratch_count(*state), 1);
}

static void test_parts_are_written_in_order(void **state)
{
    const char *path = scratch_path(*state, "a.txt");
    const rdc_part parts[] = {{"one ", 4}, {"", 0}, {"two", 3}};
    assert_int_equal(rdc_write_durable(path, parts, 3, NULL), RD_OK);
    check_holds(path, "one two");
}

static void test_places_that_do_not_work_are_named(void **state)
{
    scratch *s = *state;
    char path[192];
    snprintf(path, sizeof(path), "%s/x.h5", scratch_write(s, "a.txt", "text", 4));
    check_refused(path, "Not a directory (open)");
    snprintf(path, sizeof(path), "%s/no/x.h5", s->folder);
    check_refused(path, "No such file or directory (open)");
    snprintf(path, sizeof(path), "%s/sub", s->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    check_refused(path, "Is a directory (rename)");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(scratch_count(s), 1);
}

/* A device would be gone, and everybody who writes to it would write a file. */
static void test_what_is_no_file_is_not_replaced(void **state)
{
    struct stat st;
    scratch *s = *state;
    char link[128];
    snprintf(link, sizeof(link), "%s", scratch_path(s, "link"));
    assert_int_equal(mkfifo(scratch_path(s, "fifo"), 0600), 0);
    assert_int_equal(symlink("fifo", link), 0);
    check_refused(s->path, "it is not a regular file");
    check_refused(link, "it is not a regular file");
    assert_int_equal(stat(s->path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(scratch_count(s), 2);
}

static void test_a_read_only_folder_is_named(void **state)
{
    if (geteuid() == 0) skip(); /* permissions do not stop root */
    scratch *s = *state;
    assert_int_equal(chmod(s->folder, 0500), 0);
    check_refused(scratch_path(s, "x.h5"), "Permission denied (open)");
    assert_int_equal(chmod(s->folder, 0700), 0);
}

static void test_a_file_size_limit_leaves_the_old_file(void **state)
{
    rd_error err;
    char expected[512];
    struct rlimit before;
    rd_archive *a = small_archive("log");
    const char *path = scratch_path(*state, "a.h5");
    assert_int_equal(write_text(path, "old", NULL), RD_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    const struct rlimit low = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    const rd_status status = rd_archive_save(&core, a, path, NULL, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, RD_E_IO);
    snprintf(expected, sizeof(expected), "cannot save '%s': File too large (write of 6.2 kB)",
             path);
    assert_string_equal(err.text, expected);
    check_holds(path, "old");
    assert_int_equal(scratch_count(*state), 1);
    rd_archive_free(a);
}

enum { NO_MOUNT = 77 };

/* In a child with a mount table of its own: saves to a disk of 64 KiB that is almost full. */
static int fill_disk(scratch *s)
{
    rd_error err;
    static char noise[60000];
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", s->folder, "tmpfs", 0, "size=64k") != 0)
        return NO_MOUNT;
    if (write_text(scratch_path(s, "a.h5"), "old", &err) != RD_OK) return 2;
    const int fd = open(scratch_path(s, "noise"), O_WRONLY | O_CREAT, 0600);
    while (write(fd, noise, 4096) > 0) {
    }
    close(fd);
    rd_archive *a = small_archive("log");
    if (rd_archive_save(&core, a, scratch_path(s, "a.h5"), NULL, &err) != RD_E_IO) return 3;
    rd_archive_free(a);
    if (!strstr(err.text, "a.h5': No space left on device (write of 6.2 kB)")) return 4;
    size_t n;
    unsigned char *bytes = scratch_read(s->path, &n);
    const bool old = n == 3 && memcmp(bytes, "old", 3) == 0;
    free(bytes);
    return old && scratch_count(s) == 2 ? 0 : 5;
}

static void test_a_full_disk_leaves_the_old_file(void **state)
{
    int how;
    const pid_t pid = fork();
    if (pid == 0) _exit(fill_disk(*state));
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how) == NO_MOUNT) skip();
    assert_int_equal(WEXITSTATUS(how), 0);
}

/* The number of a process that is no more. */
static pid_t dead_process(void)
{
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    waitpid(pid, NULL, 0);
    return pid;
}

static const char *temporary(scratch *s, const char *stem, pid_t pid, const char *text)
{
    char name[64];
    snprintf(name, sizeof(name), "%s.tmp.%ld", stem, (long)pid);
    return scratch_write(s, name, text, strlen(text));
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void sweep(scratch *s)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/a.h5", s->folder);
    rdc_sweep_temporaries(path, RDC_SEAL_MAGIC, RDC_SEAL_MAGIC_BYTES);
}

static void test_sweeping_removes_what_dead_writers_left(void **state)
{
    const pid_t dead = dead_process();
    temporary(*state, "a.h5", dead, "");
    temporary(*state, "step-000000000100.h5", dead, RDC_SEAL_MAGIC "and more");
    sweep(*state);
    assert_int_equal(scratch_count(*state), 0);
}

static void test_sweeping_leaves_what_may_be_another_s(void **state)
{
    const pid_t dead = dead_process();
    temporary(*state, "a.h5", dead, "somebody's text");
    temporary(*state, "notes.txt", dead, RDC_SEAL_MAGIC);
    temporary(*state, "b.h5", getppid(), RDC_SEAL_MAGIC);
    scratch_write(*state, "c.h5.tmp.12x", RDC_SEAL_MAGIC, 8);
    scratch_write(*state, "d.h5.tmp.", RDC_SEAL_MAGIC, 8);
    sweep(*state);
    assert_int_equal(scratch_count(*state), 5);
}

/* In another container the number of a living writer may look dead; its lock does not. */
static void test_sweeping_leaves_what_is_locked(void **state)
{
    const char *path = temporary(*state, "a.h5", dead_process(), RDC_SEAL_MAGIC);
    const int fd = open(path, O_RDONLY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    sweep(*state);
    assert_true(is_there(path));
    close(fd);
    sweep(*state);
    assert_false(is_there(path));
}

static _Noreturn void save_forever(const char *path)
{
    for (int i = 0;; i++) {
        rd_archive *a = small_archive(i % 2 ? "one" : "another");
        rd_archive_save(&core, a, path, NULL, NULL);
        rd_archive_free(a);
    }
}

static void test_a_killed_save_leaves_a_whole_file(void **state)
{
    const char *path = scratch_path(*state, "a.h5");
    rd_archive *a = small_archive("log");
    save(a, path, NULL);
    for (int i = 0; i < 20; i++) {
        rd_archive *b = NULL;
        rd_error err = {0};
        const pid_t pid = fork();
        if (pid == 0) save_forever(path);
        usleep(10000 + 1700 * (useconds_t)i); /* some saves of 10 to 20 ms each */
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        if (rd_archive_load(&core, path, &b, NULL, &err) != RD_OK) fail_msg("%s", err.text);
        rd_archive_free(b);
    }
    save(a, path, NULL); /* sweeps what the killed ones left */
    assert_int_equal(scratch_count(*state), 1);
    rd_archive_free(a);
}

static bool is_closed(int fd)
{
    return fcntl(fd, F_GETFD) == -1;
}

/* Descriptor 0 is one like others; which of the steps goes wrong. */
static int work_without_input(scratch *s)
{
    rd_archive *a = small_archive("log"), *b = NULL;
    rdc_mapping m;
    char left[128];
    (void)snprintf(left, sizeof left, "%s", temporary(s, "b.h5", dead_process(), RDC_SEAL_MAGIC));
    const char *path = scratch_path(s, "a.h5");
    for (int fd = 0; fd < 3; fd++) close(fd);
    errno = EINTR; /* whatever came before */
    if (rd_archive_save(&core, a, path, NULL, NULL) != RD_OK || is_there(left)) return 1;
    if (!is_closed(0) || !is_closed(1)) return 2;
    errno = EINTR;
    if (rd_archive_load(&core, path, &b, NULL, NULL) != RD_OK || !is_closed(0)) return 3;
    errno = EINTR;
    if (rdc_map_file(path, &m, NULL) != RD_OK || m.fd != 0) return 4;
    rdc_unmap_file(&m);
    return is_closed(0) && is_closed(1) ? 0 : 5;
}

static void test_a_process_without_standard_input_saves_and_loads(void **state)
{
    int how;
    const pid_t pid = fork();
    if (pid == 0) _exit(work_without_input(*state));
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_int_equal(how, 0);
}

static void test_sizes_are_said_in_three_digits(void **state)
{
    (void)state;
    char buf[32];
    assert_string_equal(rdc_size_text(999, buf), "999 bytes");
    assert_string_equal(rdc_size_text(1000, buf), "1.0 kB");
    assert_string_equal(rdc_size_text(4200000, buf), "4.2 MB");
    assert_string_equal(rdc_size_text(999999999, buf), "1.0 GB");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_file_is_replaced),
        TEST(test_parts_are_written_in_order),
        TEST(test_places_that_do_not_work_are_named),
        TEST(test_what_is_no_file_is_not_replaced),
        TEST(test_a_read_only_folder_is_named),
        TEST(test_a_file_size_limit_leaves_the_old_file),
        TEST(test_a_full_disk_leaves_the_old_file),
        TEST(test_sweeping_removes_what_dead_writers_left),
        TEST(test_sweeping_leaves_what_may_be_another_s),
        TEST(test_sweeping_leaves_what_is_locked),
        TEST(test_a_killed_save_leaves_a_whole_file),
        TEST(test_a_process_without_standard_input_saves_and_loads),
        TEST(test_sizes_are_said_in_three_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
