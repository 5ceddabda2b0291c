/* process.c - writes the counters of processes that end by _exit; of the build `coverage` alone.
 *
 * Linked before every program and module that holds the core (--wrap). Such a one has counters of its
 * own, and so has rondo_hdf5.so, which a child loads. Who ends a child gives it time to write.
 * SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void __gcov_dump(void);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));
int __real_kill(pid_t pid, int number);
int __wrap_kill(pid_t pid, int number);

void __wrap__exit(int status)
{
    __gcov_dump();
    void *module = dlopen(RD_TEST_LIB_DIR "/rondo_hdf5.so", RTLD_NOW | RTLD_NOLOAD);
    void (*dump)(void) = NULL;
    if (module) *(void **)&dump = dlsym(module, "rd_test_coverage_dump");
    if (dump) dump();
    __real__exit(status);
}

/* A third of a second; a child whose work is done ends in a few milliseconds. */
static void wait_for(pid_t pid)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    siginfo_t how = {.si_pid = 0};
    for (int ms = 0; ms < 333; ms++) {
        if (waitid(P_PID, (id_t)pid, &how, WEXITED | WNOHANG | WNOWAIT) != 0 || how.si_pid == pid)
            return;
        nanosleep(&pause, NULL);
    }
}

int __wrap_kill(pid_t pid, int number)
{
    if (number == SIGKILL && pid > 0 && pid != getpid()) wait_for(pid);
    return __real_kill(pid, number);
}
