/* child.c - forks, loads the HDF5 module there, reads its frames, and reaps it.
 *
 * The child of a process with threads has one thread, and the locks of glibc (malloc, the loader) are
 * put right by fork; the core's workers hold no others. It leaves by _exit: no atexit handler, no stdio
 * buffer of the parent runs or is written twice.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "store/child.h"

#include "core.h"
#include "store/files.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Room of the pipe: fewer turns for the same bytes. The system may refuse; 64 KiB do as well. */
enum { PIPE_BYTES = 1 << 20 };

/* In the child: what went wrong before libhdf5 was there. */
static bool send_error(const rdc_wire *wire, const char *text)
{
    size_t n = strlen(text);
    if (n > RDC_FRAME_TEXT) n = RDC_FRAME_TEXT;
    const rdc_frame frame = {.type = RDC_FRAME_ERROR, .name_bytes = (uint32_t)n};
    if (wire->send(wire->fd, &frame, sizeof(frame))) wire->send(wire->fd, text, n);
    return false;
}

static bool load_and_run(const char *lib_dir, rdc_child_fn fn, const void *job,
                         const rdc_wire *wire)
{
    char path[4096];
    const int n = snprintf(path, sizeof(path), "%s/rondo_hdf5.so", lib_dir);
    if (n < 0 || (size_t)n >= sizeof(path)) return send_error(wire, "lib_dir is too long");
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module) return send_error(wire, dlerror());
    const rdc_hdf5 *hdf5 = dlsym(module, RDC_HDF5_SYMBOL);
    if (!hdf5 || hdf5->version != RDC_HDF5_VERSION)
        return send_error(wire, "rondo_hdf5.so is of another version of Rondo");
    return fn(hdf5, job, wire);
}

/* Ctrl-C and a batch system's signals go to the whole group: the parent answers them and still wants its
 * checkpoint. If the parent dies, so does the child. */
static void settle_signals(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGQUIT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGUSR1, SIG_IGN);
    (void)signal(SIGUSR2, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGALRM, SIG_DFL);
    (void)signal(SIGXCPU, SIG_DFL);
    (void)signal(SIGSEGV, SIG_DFL); /* a crash ends the child, whatever the host had in mind */
    (void)signal(SIGBUS, SIG_DFL);
    (void)signal(SIGABRT, SIG_DFL);
    (void)signal(SIGFPE, SIG_DFL);
    (void)signal(SIGILL, SIG_DFL);
}

rd_status rdc_child_start(const rd_core *core, rdc_child_fn fn, const void *job, rdc_child *out,
                          rd_error *err)
{
    if (!core->lib_dir)
        return rdc_fail(err, RD_E_ARG,
                        "checkpoints need the folder of rondo_hdf5.so: open the core with lib_dir");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return rdc_fail(err, RD_E_IO, "cannot make a pipe: %s", strerror(errno));
    (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of the parent runs in the child */
    const pid_t parent = getpid();
    const pid_t pid = fork();
    const int number = errno;
    if (pid == 0) {
        settle_signals(parent);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        const rdc_wire wire = {.fd = ends[1], .send = rdc_write_all};
        close(ends[0]);
        _exit(load_and_run(core->lib_dir, fn, job, &wire) ? 0 : 1);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return rdc_fail(err, RD_E_IO, "cannot start the child process for HDF5: %s",
                        strerror(number));
    }
    *out = (rdc_child){.pid = pid, .fd = ends[0]};
    return RD_OK;
}

rd_status rdc_child_read(rdc_child *c, void *bytes, size_t n, rd_error *err)
{
    size_t got;
    if (!rdc_read_all(c->fd, bytes, n, &got))
        return rdc_fail(err, RD_E_IO, "cannot read from the child process for HDF5: %s",
                        strerror(errno));
    if (got == n) return RD_OK;
    c->ended = true;
    return rdc_fail(err, RD_E_IO, "the child process for HDF5 ended early");
}

rd_status rdc_child_frame(rdc_child *c, rdc_frame *frame, rd_error *err)
{
    RD_TRY(rdc_child_read(c, frame, sizeof(*frame), err));
    if (frame->type != RDC_FRAME_ERROR) return RD_OK;
    char text[RDC_FRAME_TEXT + 1];
    if (frame->name_bytes > RDC_FRAME_TEXT)
        return rdc_fail(err, RD_E_IO, "the child process for HDF5 sent nonsense");
    RD_TRY(rdc_child_read(c, text, frame->name_bytes, err));
    text[frame->name_bytes] = '\0';
    return rdc_fail(err, RD_E_IO, "%s", text);
}

static rd_status killed(const rdc_child *c, int number, rd_error *err)
{
    /* SIGKILL is the system's, where memory ends. */
    const char *advice =
        c->reads && number != SIGKILL ? "; the file is damaged, or made to do harm" : "";
    if (number == SIGXCPU)
        return rdc_fail(err, RD_E_IO, "the child process for HDF5 took too long%s", advice);
    return rdc_fail(err, RD_E_IO, "the child process for HDF5 was killed by signal %d (%s)%s",
                    number, strsignal(number), advice);
}

rd_status rdc_child_end(rdc_child *c, rd_status status, rd_error *err)
{
    close(c->fd);
    if (status != RD_OK && !c->ended) (void)kill(c->pid, SIGKILL);
    int how = 0; /* it stays 0 where a host that ignores SIGCHLD has had the child reaped */
    pid_t reaped;
    do reaped = waitpid(c->pid, &how, 0);
    while (reaped < 0 && errno == EINTR);
    /* When all was read, the frames were complete and what the child did last is nobody's business
     * (valgrind changes its exit code). */
    if (status == RD_OK || !c->ended) return status;
    return WIFSIGNALED(how) ? killed(c, WTERMSIG(how), err) : status;
}
