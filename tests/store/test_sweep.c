/* test_sweep.c - which temporary files a save removes, where it puts its own, and what those are like.
 * SPDX-License-Identifier: MIT */
#include "store/files.h"
#include "store/scratch.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const char magic[] = "MAGIC";
enum { MAGIC = 5 };

/* The number of a process that is no more. */
static long dead(void)
{
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    waitpid(pid, NULL, 0);
    return (long)pid;
}

/* Whether a file of this name with these bytes is there after a sweep for `path`. */
static bool stays(scratch *s, const char *path, const char *name, const char *text, size_t n)
{
    char file[128], whole[128];
    snprintf(file, sizeof(file), "%s", scratch_write(s, name, text, n));
    snprintf(whole, sizeof(whole), "%s/%s", s->folder, path);
    rdc_sweep_temporaries(whole, magic, MAGIC);
    const bool there = access(file, F_OK) == 0;
    unlink(file);
    return there;
}

static bool name_stays(scratch *s, const char *format, long pid)
{
    char name[100];
    snprintf(name, sizeof(name), format, pid);
    return stays(s, "a.h5", name, magic, MAGIC);
}

static void test_names_of_temporaries_end_in_a_process(void **state)
{
    const long pid = dead();
    assert_false(name_stays(*state, "a.h5.tmp.%ld", pid));
    assert_false(name_stays(*state, "other.h5.tmp.%ld", pid));
    assert_false(name_stays(*state, ".h5.tmp.%ld", pid));
    assert_false(name_stays(*state, "a.h5.tmp.1.h5.tmp.%ld", pid));
    assert_false(name_stays(*state, "a.h5.tmp.tmp.h5.tmp.%ld", pid));
    assert_true(name_stays(*state, "h5.tmp.%ld", pid));
    assert_true(name_stays(*state, ".tmp.%ld", pid));
    assert_true(name_stays(*state, "a.txt.tmp.%ld", pid));
    assert_true(name_stays(*state, "a.h5.tmp.%ld.txt", pid));
    assert_true(name_stays(*state, "a.h5.tmp.0%ld", pid));
    assert_true(name_stays(*state, "a.h5.tmp.+%ld", pid));
    assert_true(name_stays(*state, "a.h5.tmp.:%ld", pid));
    assert_true(name_stays(*state, "a.h5.temp.%ld", pid));
    assert_true(name_stays(*state, "a.h5%.0ld", pid));
}

static void test_numbers_of_processes_end_somewhere(void **state)
{
    assert_false(name_stays(*state, "a.h5.tmp.%ld", 2147483647)); /* no system has so many */
    assert_true(name_stays(*state, "a.h5.tmp.%ld", 2147483648));
    assert_true(name_stays(*state, "a.h5.tmp.9%ld", 999999999999999999));
    assert_true(name_stays(*state, "a.h5.tmp.99%ld", 999999999999999999));
}

/* It is asked after, not told to go. */
static void test_a_living_process_hears_nothing(void **state)
{
    void (*before)(int) = signal(SIGHUP, SIG_DFL);
    assert_true(name_stays(*state, "a.h5.tmp.%ld", getpid()));
    signal(SIGHUP, before);
}

static void test_the_first_bytes_say_whose_a_temporary_is(void **state)
{
    char name[64];
    snprintf(name, sizeof(name), "a.h5.tmp.%ld", dead());
    assert_false(stays(*state, "a.h5", name, "", 0));
    assert_false(stays(*state, "a.h5", name, "MAGIC and more", 14));
    assert_true(stays(*state, "a.h5", name, "MAGI", 4));
    assert_true(stays(*state, "a.h5", name, "M", 1));
    assert_true(stays(*state, "a.h5", name, "MAGIK", 5));
}

static void test_a_name_without_an_extension_is_all_of_it(void **state)
{
    char name[64];
    const long pid = dead();
    snprintf(name, sizeof(name), "run.tmp.%ld", pid);
    assert_false(stays(*state, "run", name, magic, MAGIC));
    snprintf(name, sizeof(name), "walk.tmp.%ld", pid);
    assert_true(stays(*state, "run", name, magic, MAGIC));
    snprintf(name, sizeof(name), "run.h5.tmp.%ld", pid);
    assert_true(stays(*state, "run", name, magic, MAGIC));
}

/* Folders, pipes and links to others' files. */
static void test_what_is_no_file_stays(void **state)
{
    scratch *s = *state;
    char path[128], other[128];
    snprintf(path, sizeof(path), "%s/a.h5.tmp.%ld", s->folder, dead());
    snprintf(other, sizeof(other), "%s", scratch_write(s, "other", magic, MAGIC));
    assert_int_equal(symlink(other, path), 0);
    assert_true(stays(s, "a.h5", "b", "", 0));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(stays(s, "a.h5", "b", "", 0));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(stays(s, "a.h5", "b", "", 0));
    assert_int_equal(rmdir(path), 0);
}

static void test_at_most_16_bytes_are_compared(void **state)
{
    scratch *s = *state;
    static const char text[] = "0123456789abcdefg";
    char name[64], path[128];
    snprintf(name, sizeof(name), "a.h5.tmp.%ld", dead());
    snprintf(path, sizeof(path), "%s/a.h5", s->folder);
    scratch_write(s, name, text, 17);
    rdc_sweep_temporaries(path, text, 17);
    assert_int_equal(scratch_count(s), 1);
    rdc_sweep_temporaries(path, text, 16);
    assert_int_equal(scratch_count(s), 0);
}

static void test_a_sweep_leaves_no_descriptor(void **state)
{
    scratch *s = *state;
    char name[64];
    snprintf(name, sizeof(name), "a.h5.tmp.%ld", dead());
    const int before = dup(0);
    assert_true(stays(s, "a.h5", name, "other", 5));
    assert_false(stays(s, "a.h5", name, magic, MAGIC));
    rdc_sweep_temporaries("/nowhere/a.h5", magic, MAGIC);
    const int after = dup(0);
    close(before);
    close(after);
    assert_int_equal(after, before + 1);
}

/* ---- the file itself ---- */

static char *here(void)
{
    return getcwd(NULL, 0);
}

static void test_a_path_without_a_folder_is_of_this_one(void **state)
{
    scratch *s = *state;
    size_t n;
    char name[64], *before = here();
    snprintf(name, sizeof(name), "b.txt.tmp.%ld", dead());
    scratch_write(s, name, magic, MAGIC);
    assert_int_equal(chdir(s->folder), 0);
    rdc_sweep_temporaries("a.txt", magic, MAGIC);
    const rd_status status = rd_write_file("a.txt", "text", 4, NULL);
    assert_int_equal(chdir(before), 0);
    free(before);
    assert_int_equal(status, RD_OK);
    assert_int_equal(scratch_count(s), 1);
    unsigned char *bytes = scratch_read(scratch_path(s, "a.txt"), &n);
    assert_int_equal(n, 4);
    assert_memory_equal(bytes, "text", 4);
    free(bytes);
}

static void test_a_file_of_an_earlier_process_of_our_number_is_replaced(void **state)
{
    scratch *s = *state;
    char name[64];
    snprintf(name, sizeof(name), "a.txt.tmp.%ld", (long)getpid());
    scratch_write(s, name, "old", 3);
    assert_int_equal(rd_write_file(scratch_path(s, "a.txt"), "text", 4, NULL), RD_OK);
    assert_int_equal(scratch_count(s), 1);
}

static void test_a_new_file_may_be_read_as_the_mask_says(void **state)
{
    struct stat st;
    const mode_t before = umask(0022);
    const rd_status status = rd_write_file(scratch_path(*state, "a.txt"), "text", 4, NULL);
    umask(before);
    assert_int_equal(status, RD_OK);
    assert_int_equal(stat(((scratch *)*state)->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
}

static char being_written[128];
static volatile int locked;

/* In the middle of a write: another who opens the file finds it locked. */
static void on_full(int number)
{
    (void)number;
    const int before = errno, fd = open(being_written, O_RDONLY);
    locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    errno = before;
}

static void test_a_file_is_locked_while_it_is_written(void **state)
{
    static const char text[8192];
    scratch *s = *state;
    struct rlimit before;
    rd_error err;
    snprintf(being_written, sizeof(being_written), "%s/a.txt.tmp.%ld", s->folder, (long)getpid());
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, on_full);
    const struct rlimit low = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    const rd_status status = rd_write_file(scratch_path(s, "a.txt"), text, sizeof(text), &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, RD_E_IO);
    assert_true(locked);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names_of_temporaries_end_in_a_process),
        TEST(test_numbers_of_processes_end_somewhere),
        TEST(test_a_living_process_hears_nothing),
        TEST(test_the_first_bytes_say_whose_a_temporary_is),
        TEST(test_a_name_without_an_extension_is_all_of_it),
        TEST(test_what_is_no_file_stays),
        TEST(test_at_most_16_bytes_are_compared),
        TEST(test_a_sweep_leaves_no_descriptor),
        TEST(test_a_path_without_a_folder_is_of_this_one),
        TEST(test_a_file_of_an_earlier_process_of_our_number_is_replaced),
        TEST(test_a_new_file_may_be_read_as_the_mask_says),
        TEST(test_a_file_is_locked_while_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
