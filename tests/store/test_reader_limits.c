/* test_reader_limits.c - what the process that reads a file may take, and what it may ask of the system.
 *
 * `send` runs in that process, in the middle of the parsing. Over 400 lines: what starts it and what it does
 * there serve all the tests.
 * SPDX-License-Identifier: MIT */
#include "store/child.h"
#include "store/checkpoint.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

typedef struct image {
    unsigned char *at;
    size_t bytes;
    bool (*send)(int fd, const void *bytes, size_t n);
} image;

static bool parse(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    const image *file = job;
    return hdf5->parse(file->at, file->bytes, &(rdc_wire){.fd = wire->fd, .send = file->send});
}

static bool look(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    const image *file = job;
    return hdf5->look(file->at, file->bytes, file->bytes,
                      &(rdc_wire){.fd = wire->fd, .send = file->send});
}

static bool rows(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    const image *file = job;
    const rdc_rows_wanted wanted = {.name = "model/1.weight", .work = file->bytes};
    return hdf5->rows(file->at, file->bytes, &wanted,
                      &(rdc_wire){.fd = wire->fd, .send = file->send});
}

/* A checkpoint with zeros behind it, `bytes` in all: libhdf5 does not look there. */
static image image_of(scratch *s, size_t bytes)
{
    image file = {.bytes = bytes};
    size_t n;
    rd_archive *a = small_archive("log");
    save(a, scratch_path(s, "a.h5"), NULL);
    rd_archive_free(a);
    unsigned char *saved = scratch_read(s->path, &n);
    const int kind = MAP_PRIVATE | MAP_ANONYMOUS;
    file.at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, kind, -1, 0);
    assert_true(file.at != MAP_FAILED && n <= bytes);
    memcpy(file.at, saved, n);
    free(saved);
    return file;
}

/* Valgrind and emulators have no filters of system calls, and the build `coverage` shuts nothing in. */
static void need_filters(void)
{
#ifdef RD_TEST_COVERAGE
    skip();
#endif
    const uint32_t action = SECCOMP_RET_KILL_PROCESS;
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0) skip();
}

static bool send_all(int fd, const void *bytes, size_t n)
{
    return write(fd, bytes, n) == (ssize_t)n;
}

/* The first frame, then a pause for those who look on. */
static bool send_and_wait(int fd, const void *bytes, size_t n)
{
    const bool sent = send_all(fd, bytes, n);
    const time_t from = time(NULL);
    while (time(NULL) < from + 5) sched_yield();
    return sent;
}

typedef struct limits {
    struct rlimit memory, time;
    uint64_t taken; /* bytes of address space */
} limits;

static uint64_t address_space(pid_t pid)
{
    char path[64];
    unsigned long long pages = 0;
    snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%llu", &pages), 1);
    fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What a reader of so many bytes has. */
static limits limits_of(scratch *s, rdc_child_fn reader, size_t bytes)
{
    limits of = {0};
    rdc_child child;
    rdc_frame frame;
    rd_error err = {0};
    image file = image_of(s, bytes);
    file.send = send_and_wait;
    assert_int_equal(rdc_child_start(&core, reader, &file, &child, &err), RD_OK);
    if (rdc_child_frame(&child, &frame, &err) != RD_OK) fail_msg("%s", err.text);
    assert_int_equal(prlimit(child.pid, RLIMIT_AS, NULL, &of.memory), 0);
    assert_int_equal(prlimit(child.pid, RLIMIT_CPU, NULL, &of.time), 0);
    of.taken = address_space(child.pid);
    (void)rdc_child_end(&child, RD_E_IO, &err); /* it is killed */
    munmap(file.at, bytes);
    return of;
}

enum { MIB = 1 << 20 };

/* 256 MiB and twice of `counted` beside what was there before HDF5 began, which is a little less. */
static void check_memory(scratch *s, rdc_child_fn reader, size_t bytes, size_t counted)
{
    const limits of = limits_of(s, reader, bytes);
    const uint64_t more = of.memory.rlim_cur - of.taken;
    const uint64_t wanted = 256 * (uint64_t)MIB + 2 * counted;
    assert_in_range(more, wanted - 16 * MIB, wanted);
    assert_true(of.memory.rlim_max == of.memory.rlim_cur);
}

static void test_memory_is_in_proportion_to_the_file(void **state)
{
    need_filters();
    check_memory(*state, parse, MIB, MIB);
    check_memory(*state, parse, 64 * MIB, 64 * MIB);
}

/* Of a chunk, as it lies and by columns, and of HDF5's two. */
static void test_memory_for_datasets_is_that_of_chunks(void **state)
{
    need_filters();
    check_memory(*state, look, 64 * MIB, RDC_CHUNK_BYTES);
    check_memory(*state, rows, 64 * MIB, 4 * RDC_CHUNK_BYTES);
}

/* 10 seconds, and one for 4 MiB; a second more before it is killed. */
static void test_time_is_in_proportion_to_the_file(void **state)
{
    need_filters();
    const limits of = limits_of(*state, parse, 64 * MIB);
    assert_int_equal(of.time.rlim_cur, 10 + 16);
    assert_int_equal(of.time.rlim_max, 10 + 16 + 1);
}

/* ---- calls of the system ---- */

static const char *asked;

/* Ends by a signal if something is not answered as it should be: the test sees that. */
static void need(bool answered)
{
    if (!answered) raise(SIGABRT);
}

static bool asks_what_is_refused(int fd, const void *bytes, size_t n)
{
    struct stat st;
    char text[64];
    const char *path = asked;
    need(syscall(SYS_open, path, O_RDONLY) < 0 && errno == ENOENT);
    need(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY) < 0 && errno == ENOENT);
    need(syscall(SYS_stat, path, &st) < 0 && errno == ENOENT);
    need(syscall(SYS_fstat, fd, &st) < 0 && errno == ENOENT);
    need(syscall(SYS_newfstatat, AT_FDCWD, path, &st, 0) < 0 && errno == ENOENT);
    need(syscall(SYS_access, path, R_OK) < 0 && errno == ENOENT);
    need(syscall(SYS_readlink, "/proc/self/exe", text, sizeof(text)) < 0 && errno == ENOENT);
    need(syscall(SYS_getcwd, text, sizeof(text)) < 0 && errno == ENOENT);
    return send_all(fd, bytes, n);
}

static bool asks_what_is_needed(int fd, const void *bytes, size_t n)
{
    struct timespec at;
    struct timeval now;
    struct sysinfo machine;
    sigset_t set;
    char random[8];
    need(syscall(SYS_getpid) > 0 && syscall(SYS_gettid) > 0);
    need(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &at) == 0);
    need(syscall(SYS_gettimeofday, &now, NULL) == 0);
    need(syscall(SYS_sysinfo, &machine) == 0);
    need(syscall(SYS_getrandom, random, sizeof(random), 0) == sizeof(random));
    need(syscall(SYS_sched_yield) == 0);
    need(syscall(SYS_close, -1) < 0 && errno == EBADF);
    need(sigprocmask(SIG_SETMASK, NULL, &set) == 0);
    char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(page != MAP_FAILED);
    need(mprotect(page, 8192, PROT_READ | PROT_WRITE) == 0);
    need(madvise(page, 8192, MADV_DONTNEED) == 0);
    page = mremap(page, 8192, 16384, MREMAP_MAYMOVE);
    need(page != MAP_FAILED && munmap(page, 16384) == 0);
    need(syscall(SYS_brk, 0) > 0);
    return send_all(fd, bytes, n);
}

static bool asks_who_it_is(int fd, const void *bytes, size_t n)
{
    (void)syscall(SYS_getuid);
    return send_all(fd, bytes, n);
}

/* Parses a checkpoint with a `send` of its own until it has sent one frame; the status of that. `look_at`,
 * if any, is given the process then. */
static rd_status parse_with(scratch *s, bool (*send)(int, const void *, size_t),
                            void (*look_at)(pid_t), rd_error *err)
{
    rdc_child child;
    rdc_frame frame;
    image file = image_of(s, MIB);
    file.send = send;
    assert_int_equal(rdc_child_start(&core, parse, &file, &child, err), RD_OK);
    rd_status status = rdc_child_frame(&child, &frame, err);
    if (status == RD_OK && look_at) look_at(child.pid);
    status = rdc_child_end(&child, status, err);
    munmap(file.at, MIB);
    return status;
}

static void test_what_libraries_ask_for_in_vain_is_not_there(void **state)
{
    rd_error err = {0};
    need_filters();
    asked = "/etc/passwd";
    if (parse_with(*state, asks_what_is_refused, NULL, &err) != RD_OK) fail_msg("%s", err.text);
}

static void test_what_is_needed_is_answered(void **state)
{
    rd_error err = {0};
    need_filters();
    if (parse_with(*state, asks_what_is_needed, NULL, &err) != RD_OK) fail_msg("%s", err.text);
}

static void test_whoever_asks_for_more_is_killed(void **state)
{
    rd_error err = {0};
    need_filters();
    assert_int_equal(parse_with(*state, asks_who_it_is, NULL, &err), RD_E_IO);
    assert_non_null(strstr(err.text, "was killed by signal 31 (Bad system call)"));
}

/* ---- what is there of the rest of the system ---- */

static bool nothing_opens(int fd, const void *bytes, size_t n)
{
    if (open("/etc/passwd", O_RDONLY) >= 0 || errno != ENOENT) raise(SIGKILL);
    for (int other = 0; other < 100; other++)
        if (other != fd && close(other) == 0) raise(SIGKILL);
    return send_all(fd, bytes, n);
}

static bool memory_ends(int fd, const void *bytes, size_t n)
{
    const int kind = MAP_PRIVATE | MAP_ANONYMOUS;
    if (mmap(NULL, (size_t)1 << 30, PROT_READ, kind, -1, 0) != MAP_FAILED) raise(SIGKILL);
    return send_all(fd, bytes, n);
}

static bool connects(int fd, const void *bytes, size_t n)
{
    (void)socket(AF_INET, SOCK_STREAM, 0);
    return send_all(fd, bytes, n);
}

static void check_limits(pid_t reader)
{
    struct rlimit r;
    assert_int_equal(prlimit(reader, RLIMIT_CPU, NULL, &r), 0);
    assert_int_equal(r.rlim_cur, 10);
    assert_int_equal(prlimit(reader, RLIMIT_FSIZE, NULL, &r), 0);
    assert_int_equal(r.rlim_max, 0);
    assert_int_equal(prlimit(reader, RLIMIT_NOFILE, NULL, &r), 0);
    assert_int_equal(r.rlim_cur, 0);
    assert_int_equal(prlimit(reader, RLIMIT_CORE, NULL, &r), 0);
    assert_int_equal(r.rlim_max, 0);
}

static volatile bool *seen; /* shared: the parent has looked */

static bool send_and_stay(int fd, const void *bytes, size_t n)
{
    const bool sent = send_all(fd, bytes, n);
    while (!*seen) (void)sched_yield();
    return sent;
}

/* The clock ends a reader that only waits. A kernel may have no list of timers. */
static void check_clock(pid_t reader)
{
    char path[64], line[128] = "";
    bool has = false;
    snprintf(path, sizeof path, "/proc/%d/timers", (int)reader);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) has = has || strncmp(line, "signal: 9/", 10) == 0;
    *seen = true;
    if (!f) skip();
    fclose(f);
    assert_true(has);
}

static void test_a_reader_that_waits_is_ended_by_the_clock(void **state)
{
    rd_error err = {0};
    need_filters();
    void *shared = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    seen = shared;
    if (parse_with(*state, send_and_stay, check_clock, &err) != RD_OK) fail_msg("%s", err.text);
    munmap(shared, 1);
}

static void test_a_reader_opens_nothing(void **state)
{
    rd_error err = {0};
    need_filters();
    if (parse_with(*state, nothing_opens, NULL, &err) != RD_OK) fail_msg("%s", err.text);
}

static void test_a_reader_has_little_memory(void **state)
{
    rd_error err = {0};
    if (parse_with(*state, memory_ends, NULL, &err) != RD_OK) fail_msg("%s", err.text);
}

static void test_a_reader_has_limits(void **state)
{
    rd_error err = {0};
    need_filters(); /* valgrind keeps descriptors for itself */
    if (parse_with(*state, send_all, check_limits, &err) != RD_OK) fail_msg("%s", err.text);
}

static void test_a_reader_that_connects_is_killed(void **state)
{
    rd_error err = {0};
    need_filters();
    assert_int_equal(parse_with(*state, connects, NULL, &err), RD_E_IO);
    assert_string_equal(err.text,
                        "the child process for HDF5 was killed by signal 31 (Bad system call)");
}

/* The limits of whoever started the program are not raised. */
static void test_lower_limits_stay(void **state)
{
    need_filters();
    struct rlimit before, low = {.rlim_cur = 8, .rlim_max = RLIM_INFINITY};
    assert_int_equal(getrlimit(RLIMIT_CPU, &before), 0);
    low.rlim_max = before.rlim_max;
    if (before.rlim_cur <= low.rlim_cur) skip();
    assert_int_equal(setrlimit(RLIMIT_CPU, &low), 0);
    const limits of = limits_of(*state, parse, MIB);
    assert_int_equal(setrlimit(RLIMIT_CPU, &before), 0);
    assert_int_equal(of.time.rlim_cur, 8);
    assert_int_equal(of.time.rlim_max, 11);
}

/* In a child, since a hard limit cannot be raised again. */
static void check_hard_limit(scratch *s, rlim_t seconds)
{
    const pid_t pid = fork();
    int how = -1;
    if (pid == 0) {
        const struct rlimit low = {.rlim_cur = seconds, .rlim_max = seconds};
        if (setrlimit(RLIMIT_CPU, &low) != 0) _exit(2);
        const limits of = limits_of(s, parse, MIB);
        _exit(of.time.rlim_cur == seconds && of.time.rlim_max == seconds ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_int_equal(how, 0);
}

static void test_lower_hard_limits_stay(void **state)
{
    need_filters();
    check_hard_limit(*state, 9);
    check_hard_limit(*state, 10);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_memory_is_in_proportion_to_the_file),
        TEST(test_memory_for_datasets_is_that_of_chunks),
        TEST(test_time_is_in_proportion_to_the_file),
        TEST(test_what_libraries_ask_for_in_vain_is_not_there),
        TEST(test_what_is_needed_is_answered),
        TEST(test_whoever_asks_for_more_is_killed),
        TEST(test_a_reader_that_waits_is_ended_by_the_clock),
        TEST(test_a_reader_opens_nothing),
        TEST(test_a_reader_has_little_memory),
        TEST(test_a_reader_has_limits),
        TEST(test_a_reader_that_connects_is_killed),
        TEST(test_lower_limits_stay),
        TEST(test_lower_hard_limits_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
