/* hdf5_sandbox.c - what is left to the process that parses a file of somebody else's.
 *
 * libhdf5 1.10.8 has over a hundred known faults that a made file can reach. The process that meets such a
 * file can do nothing but calculate, take a bounded amount of memory and time, and write to the pipe it has.
 * SPDX-License-Identifier: MIT */
#include "store/hdf5_module.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Beside the image and one copy of its largest array: HDF5's own tables. */
#define OWN_BYTES ((uint64_t)256 << 20)
/* Parsing takes 10 to 60 ms a megabyte at worst; a loop without end takes all there is. */
enum { SECONDS = 10, BYTES_A_SECOND = 4 << 20, WAITING = 30 };

/* What malloc, abort, the C library and a write to a pipe ask the kernel for; the address sanitizer asks for
 * the signal stack where a process ends. */
static const int allowed[] = {
    SCMP_SYS(write),         SCMP_SYS(writev),
    SCMP_SYS(exit),          SCMP_SYS(exit_group),
    SCMP_SYS(brk),           SCMP_SYS(mmap),
    SCMP_SYS(munmap),        SCMP_SYS(mremap),
    SCMP_SYS(madvise),       SCMP_SYS(mprotect),
    SCMP_SYS(futex),         SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigaction),  SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(getpid),        SCMP_SYS(gettid),
    SCMP_SYS(tgkill),        SCMP_SYS(sysinfo),
    SCMP_SYS(close),         SCMP_SYS(sched_yield),
    SCMP_SYS(getrandom),     SCMP_SYS(sigaltstack),
};
/* What is asked for but not needed: told that there is nothing. HDF5 waits a nanosecond where a checksum is
 * wrong, before it says so. */
static const int refused[] = {
    SCMP_SYS(open),       SCMP_SYS(openat),          SCMP_SYS(stat),     SCMP_SYS(fstat),
    SCMP_SYS(newfstatat), SCMP_SYS(access),          SCMP_SYS(readlink), SCMP_SYS(getcwd),
    SCMP_SYS(nanosleep),  SCMP_SYS(clock_nanosleep),
};

/* Bytes of address space that are taken now; 0 if the system does not say. */
static uint64_t address_space(void)
{
    unsigned long long pages;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f) return 0;
    const bool told = fscanf(f, "%llu", &pages) == 1;
    fclose(f);
    return told ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* Lowers a limit for good; under valgrind, which keeps descriptors for itself, until somebody raises it. */
static bool limit(__rlimit_resource_t what, uint64_t most)
{
    struct rlimit r;
    if (getrlimit(what, &r) != 0) return false;
    r.rlim_cur = r.rlim_max < most ? r.rlim_max : (rlim_t)most; /* RLIM_INFINITY is the largest */
    const struct rlimit hard = {.rlim_cur = r.rlim_cur, .rlim_max = r.rlim_cur};
    return setrlimit(what, &hard) == 0 || setrlimit(what, &r) == 0;
}

/* The signal that says so comes a second before the one that cannot be caught. */
static bool limit_time(uint64_t seconds)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_CPU, &r) != 0) return false;
    if (r.rlim_max > seconds) r.rlim_max = (rlim_t)seconds + 1;
    if (r.rlim_cur > seconds) r.rlim_cur = (rlim_t)seconds;
    return setrlimit(RLIMIT_CPU, &r) == 0;
}

/* Waiting takes no processor: who waits for ever, as on a lock that a broken heap holds, is ended by the
 * clock, with a signal that nobody can hold off. Generous, as machines are busy; emulators may lack it. */
static void limit_waiting(uint64_t seconds)
{
    timer_t timer;
    struct sigevent end = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    const struct itimerspec when = {.it_value = {.tv_sec = (time_t)seconds}};
    if (timer_create(CLOCK_MONOTONIC, &end, &timer) == 0)
        (void)timer_settime(timer, 0, &when, NULL);
}

static bool limit_all(const rdc_hdf5_limits *most)
{
    const uint64_t taken = address_space(), seconds = SECONDS + most->work / BYTES_A_SECOND;
    limit_waiting(WAITING * seconds);
    return limit_time(seconds) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_CORE, 0) &&
           limit(RLIMIT_NOFILE, 0) &&
           (taken == 0 || limit(RLIMIT_AS, taken + 2 * most->memory + OWN_BYTES));
}

/* All descriptors but `kept`. */
static void close_others(int kept)
{
    if (kept > 0) (void)close_range(0, (unsigned)kept - 1, 0);
    (void)close_range((unsigned)kept + 1, ~0U, 0);
}

static bool filter(void)
{
    const scmp_filter_ctx rules = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool good = rules != NULL;
    for (size_t i = 0; good && i < sizeof(allowed) / sizeof(*allowed); i++)
        good = seccomp_rule_add(rules, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
    for (size_t i = 0; good && i < sizeof(refused) / sizeof(*refused); i++)
        good = seccomp_rule_add(rules, SCMP_ACT_ERRNO(ENOENT), refused[i], 0) == 0;
    good = good && seccomp_load(rules) == 0;
    if (rules) seccomp_release(rules);
    return good;
}

/* A kernel that was built without filters has limits alone, and so have valgrind and emulators. */
static bool has_filters(void)
{
    const uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 ||
           (errno != ENOSYS && errno != EINVAL);
}

bool rdc_hdf5_sandbox(const rdc_hdf5_limits *limits, const rdc_wire *wire)
{
    close_others(wire->fd);
    if (!limit_all(limits)) return rdc_hdf5_fail(wire, "the reader's limits cannot be set", NULL);
    return !has_filters() || filter() ||
           rdc_hdf5_fail(wire, "the reader's system calls cannot be limited", NULL);
}
