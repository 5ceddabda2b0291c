/* probe.c - does what a file's own code does first in a child process, so that this one outlives it.
 *
 * The child of a process with threads has one thread; glibc's fork puts the locks of malloc and of the
 * dynamic loader right.
 * SPDX-License-Identifier: MIT */
#include "plugin/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SECONDS = 10 };

static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

static _Noreturn void be_the_child(int end, rdc_probe_fn fn, const void *job)
{
    const struct rlimit none = {0, 0};
    /* Where the host has closed its standard files the pipe has their numbers. */
    const int report = fcntl(end, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpgid(0, 0); /* what it leaves behind goes with it, and Ctrl-C is not for it */
    (void)setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        (void)signal(crashes[i], SIG_DFL);
    for (int fd = 0; fd <= 2 && nothing >= 0; fd++) (void)dup2(nothing, fd);
    fn(job);
    _exit(write(report, "k", 1) == 1 ? 0 : 1);
}

/* 1: it came to its end, 0: it ended before, or closed the pipe, -1: the time is up. */
static int listen_to(int report)
{
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += MOST_SECONDS;
    for (;;) {
        char said;
        clock_gettime(CLOCK_MONOTONIC, &now);
        const long left = (end.tv_sec - now.tv_sec) * 1000 + (end.tv_nsec - now.tv_nsec) / 1000000;
        struct pollfd p = {report, POLLIN, 0};
        if (left <= 0) return -1;
        if (poll(&p, 1, (int)left) <= 0) continue;
        const ssize_t n = read(report, &said, 1);
        if (n >= 0) return n == 1;
        if (errno != EINTR) return 0;
    }
}

static bool judge(int heard, int how, char reason[RDC_REASON_BYTES])
{
    if (heard == 1) return true;
    if (heard < 0)
        return rdc_refuse(reason, "L4: opening the file does not end within %d s", MOST_SECONDS);
    if (WIFSIGNALED(how)) {
        const char *name = sigabbrev_np(WTERMSIG(how));
        return rdc_refuse(reason, "L4: opening the file ends badly: SIG%s", name ? name : "?");
    }
    return rdc_refuse(reason,
                      "L4: opening the file ends badly: it ended the process with status %d",
                      WEXITSTATUS(how));
}

bool rdc_probe(rdc_probe_fn fn, const void *job, char reason[RDC_REASON_BYTES])
{
    int ends[2], how = 0;
    sigset_t all, before;
    if (pipe2(ends, O_CLOEXEC) != 0) return true; /* where there can be no child it is not tried */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of the parent runs in the child */
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        be_the_child(ends[1], fn, job);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    const int heard = child > 0 ? listen_to(ends[0]) : 1;
    close(ends[0]);
    if (child <= 0) return true;
    /* It may live on behind a closed pipe; one that has ended keeps the status that it ended with. Until it
     * is waited for its number is nobody else's, nor is that of the group with what it has left behind. */
    (void)kill(child, SIGKILL);
    (void)kill(-child, SIGKILL);
    while (waitpid(child, &how, 0) < 0 && errno == EINTR) continue;
    return judge(heard, how, reason);
}
