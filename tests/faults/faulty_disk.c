/* faulty_disk.c - a disk that is slow or has no quota left, for whole processes (LD_PRELOAD).
 *
 * RD_TEST_DISK names a file that says what is wrong now: "quota", no write to a regular file succeeds,
 * or "slow MS", each fsync takes so many milliseconds more. Where it is not there or empty all is well.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST_BYTES = 32 };

/* What is wrong now, into `what`. */
static void look(char what[MOST_BYTES])
{
    const char *path = getenv("RD_TEST_DISK");
    const int kept = errno;
    const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    const ssize_t n = fd >= 0 ? read(fd, what, MOST_BYTES - 1) : 0;
    what[n > 0 ? n : 0] = '\0';
    if (fd >= 0) close(fd);
    errno = kept;
}

__attribute__((visibility("default"))) ssize_t write(int fd, const void *bytes, size_t n)
{
    char what[MOST_BYTES];
    struct stat st;
    look(what);
    if (strncmp(what, "quota", 5) == 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        errno = EDQUOT;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, n);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    char what[MOST_BYTES];
    look(what);
    if (strncmp(what, "slow ", 5) == 0) {
        const long ms = strtol(what + 5, NULL, 10);
        nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
    }
    return (int)syscall(SYS_fsync, fd);
}
