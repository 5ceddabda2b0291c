/* faulty_io.c - counts the system's calls of this process and fails the one that a test has named.
 *
 * One test at a time, one thread: the counters are the program's.
 * SPDX-License-Identifier: MIT */
#include "faults/faulty_io.h"
#include "faults/tally.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_STEPS = 256, MOST_DESCRIPTORS = 64 };

static struct {
    pid_t owner; /* 0: nothing is counted */
    io_fault fault;
    long calls;
    const char *failed;
    io_step steps[MOST_STEPS];
    size_t n;
    bool folder[MOST_DESCRIPTORS]; /* what an open descriptor is of */
} io;

void io_faults_begin(io_fault fault)
{
    memset(&io, 0, sizeof(io));
    io.owner = getpid();
    io.fault = fault;
    if (fault.call > 0) tally_one();
}

long io_faults_end(void)
{
    io.owner = 0;
    return io.calls;
}

const char *io_faults_name(void)
{
    return io.failed;
}

const io_step *io_steps(size_t *n)
{
    *n = io.n;
    return io.steps;
}

static bool counting(void)
{
    return io.owner != 0 && io.owner == getpid();
}

static bool due(void)
{
    return io.fault.call != 0 &&
           (io.calls == io.fault.call || (io.fault.always && io.calls > io.fault.call));
}

/* Counts a call; true: it is to fail, and errno says how. */
static bool fails(const char *name)
{
    if (!counting()) return false;
    io.calls++;
    if (!due() || io.fault.number < 0) return false;
    io.failed = name;
    errno = io.fault.number;
    return true;
}

/* The bytes that this call of read or write may have. */
static size_t shortened(const char *name, size_t n)
{
    if (!counting() || !due() || io.fault.number != IO_SHORT || n < 2) return n;
    io.failed = name;
    return n / 2;
}

static void record(io_kind kind, size_t bytes, const char *name, const char *to)
{
    if (!counting() || io.n == MOST_STEPS) return;
    io_step *step = &io.steps[io.n++];
    *step = (io_step){.kind = kind, .bytes = bytes};
    snprintf(step->name, sizeof(step->name), "%s", name);
    snprintf(step->to, sizeof(step->to), "%s", to);
}

int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __real_read(int fd, void *bytes, size_t n);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_flock(int fd, int how);
int __real_fstat(int fd, struct stat *st);
int __real_stat(const char *path, struct stat *st);
int __real_pipe2(int ends[2], int flags);
pid_t __real_fork(void);
DIR *__real_opendir(const char *path);
struct dirent *__real_readdir(DIR *folder);
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_read(int fd, void *bytes, size_t n);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_flock(int fd, int how);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_pipe2(int ends[2], int flags);
pid_t __wrap_fork(void);
DIR *__wrap_opendir(const char *path);
struct dirent *__wrap_readdir(DIR *folder);

int __wrap_open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const int mode = flags & O_CREAT ? va_arg(more, int) : 0;
    va_end(more);
    if (fails("open")) return -1;
    const int fd = __real_open(path, flags, mode);
    if (fd >= 0 && fd < MOST_DESCRIPTORS) io.folder[fd] = (flags & O_DIRECTORY) != 0;
    if (fd >= 0 && flags & O_CREAT) record(IO_CREATE, 0, path, "");
    return fd;
}

/* As Linux does it: the descriptor is gone, whatever close says. */
int __wrap_close(int fd)
{
    const bool failed = fails("close");
    const int number = errno;
    const int result = __real_close(fd);
    if (!failed) return result;
    errno = number;
    return -1;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
    if (fails("write")) return -1;
    const ssize_t written = __real_write(fd, bytes, shortened("write", n));
    if (written > 0) record(IO_WRITE, (size_t)written, "", "");
    return written;
}

ssize_t __wrap_read(int fd, void *bytes, size_t n)
{
    if (fails("read")) return -1;
    if (counting() && due() && io.fault.number == IO_END) {
        io.failed = "read";
        return 0;
    }
    return __real_read(fd, bytes, shortened("read", n));
}

int __wrap_fsync(int fd)
{
    if (fails("fsync")) return -1;
    record(fd < MOST_DESCRIPTORS && io.folder[fd] ? IO_SYNC_FOLDER : IO_SYNC, 0, "", "");
    return __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    if (fails("rename")) return -1;
    record(IO_RENAME, 0, from, to);
    return __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
    if (fails("unlink")) return -1;
    const int result = __real_unlink(path);
    if (result == 0) record(IO_UNLINK, 0, path, "");
    return result;
}

int __wrap_flock(int fd, int how)
{
    return fails("flock") ? -1 : __real_flock(fd, how);
}

int __wrap_fstat(int fd, struct stat *st)
{
    return fails("fstat") ? -1 : __real_fstat(fd, st);
}

int __wrap_stat(const char *path, struct stat *st)
{
    return fails("stat") ? -1 : __real_stat(path, st);
}

int __wrap_pipe2(int ends[2], int flags)
{
    return fails("pipe2") ? -1 : __real_pipe2(ends, flags);
}

pid_t __wrap_fork(void)
{
    if (fails("fork")) return -1;
    const pid_t pid = __real_fork();
    if (pid == 0 && io.owner != 0 && io.fault.signal != 0) raise(io.fault.signal);
    return pid;
}

DIR *__wrap_opendir(const char *path)
{
    return fails("opendir") ? NULL : __real_opendir(path);
}

struct dirent *__wrap_readdir(DIR *folder)
{
    return fails("readdir") ? NULL : __real_readdir(folder);
}
