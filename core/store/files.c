/* files.c - durable writing, sweeping of what killed writers left, and opening with plain messages.
 *
 * A writer holds a lock (flock) on its temporary file until it closes it, so that a sweeper in another
 * container, where process numbers mean something else, does not take it for dead.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A call that a signal has interrupted is tried again; not for ever, should a system answer nothing
 * else. On a busy machine a read waits a second for the child, and a host's timers send a thousand. */
enum { INTERRUPTIONS = 100000 };

static bool again(int *left)
{
    return errno == EINTR && (*left)-- > 0;
}

static int open_again(const char *path, int flags, mode_t mode)
{
    int left = INTERRUPTIONS, fd;
    do fd = open(path, flags, mode);
    while (fd < 0 && again(&left));
    return fd;
}

static int sync_again(int fd)
{
    int left = INTERRUPTIONS, result;
    do result = fsync(fd);
    while (result != 0 && again(&left));
    return result;
}

bool rdc_write_all(int fd, const void *bytes, size_t n)
{
    const char *at = bytes;
    int left = INTERRUPTIONS;
    while (n > 0) {
        const ssize_t written = write(fd, at, n);
        if (written < 0) {
            if (again(&left)) continue;
            return false;
        }
        at += written;
        n -= (size_t)written;
    }
    return true;
}

bool rdc_read_all(int fd, void *bytes, size_t n, size_t *got)
{
    char *at = bytes;
    int left = INTERRUPTIONS;
    *got = 0;
    while (*got < n) {
        const ssize_t more = read(fd, at + *got, n - *got);
        if (more < 0) {
            if (again(&left)) continue;
            return false;
        }
        if (more == 0) break;
        *got += (size_t)more;
    }
    return true;
}

const char *rdc_size_text(uint64_t bytes, char buf[32])
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    if (bytes < 1000) {
        snprintf(buf, 32, "%u bytes", (unsigned)bytes);
        return buf;
    }
    double size = (double)bytes / 1000;
    size_t unit = 0;
    for (; size >= 999.95 && unit < 3; unit++) size /= 1000;
    snprintf(buf, 32, "%.1f %s", size, units[unit]);
    return buf;
}

rd_status rdc_open_regular(const char *path, const char *verb, int *fd, uint64_t *bytes,
                           rd_error *err)
{
    const int opened = open_again(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (opened < 0)
        return rdc_fail(err, RD_E_IO, "cannot %s '%s': %s", verb, path, strerror(errno));
    struct stat st;
    const char *why = NULL;
    if (fstat(opened, &st) != 0)
        why = strerror(errno);
    else if (S_ISDIR(st.st_mode))
        why = "it is a folder";
    else if (!S_ISREG(st.st_mode))
        why = "it is not a regular file";
    if (why) {
        close(opened);
        return rdc_fail(err, RD_E_IO, "cannot %s '%s': %s", verb, path, why);
    }
    *fd = opened;
    *bytes = (uint64_t)st.st_size;
    return RD_OK;
}

rd_status rdc_map_file(const char *path, rdc_mapping *out, rd_error *err)
{
    rdc_mapping m = {.fd = -1};
    uint64_t bytes = 0;
    RD_TRY(rdc_open_regular(path, "read", &m.fd, &bytes, err));
    rd_status status = RD_OK;
    if (bytes > SIZE_MAX / 2) status = rdc_fail(err, RD_E_IO, "'%s' is too large", path);
    m.bytes = (size_t)bytes;
    if (status == RD_OK && bytes == 0) {
        m.at = (const unsigned char *)""; /* not NULL, to which nothing may be added */
    } else if (status == RD_OK) {
        void *map = mmap(NULL, m.bytes, PROT_READ, MAP_SHARED, m.fd, 0);
        if (map == MAP_FAILED)
            status = rdc_fail(err, RD_E_IO, "cannot map '%s': %s", path, strerror(errno));
        else
            m.at = map;
    }
    if (status == RD_OK)
        *out = m;
    else
        close(m.fd);
    return status;
}

void rdc_unmap_file(rdc_mapping *m)
{
    if (m->bytes > 0) munmap((void *)(uintptr_t)m->at, m->bytes);
    if (m->fd >= 0) close(m->fd);
    *m = (rdc_mapping){.fd = -1};
}

bool rdc_map_is_whole(const rdc_mapping *m)
{
    struct stat st;
    return fstat(m->fd, &st) == 0 && (uint64_t)st.st_size >= m->bytes;
}

/* Length of the folder's part of a path, slash included; 0: the current folder. */
static size_t folder_bytes(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

static char *folder_of(const char *path)
{
    const size_t n = folder_bytes(path);
    return n ? strndup(path, n) : strdup(".");
}

static rd_status say(rd_error *err, const char *path, int number, const char *call)
{
    return rdc_fail(err, RD_E_IO, "cannot save '%s': %s (%s)", path, strerror(number), call);
}

static rd_status sync_folder(const char *path, rd_error *err)
{
    char *folder = folder_of(path);
    if (!folder) return rdc_no_memory(err, folder_bytes(path) + 1);
    const int fd = open_again(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    rd_status status = RD_OK;
    if (fd < 0)
        status = say(err, path, errno, "open of its folder");
    else if (sync_again(fd) != 0 &&
             errno != EINVAL) /* EINVAL: a file system that cannot sync folders */
        status = say(err, path, errno, "fsync of its folder");
    if (fd >= 0) close(fd);
    free(folder);
    return status;
}

/* Fills the new file and makes it safe. After a failed fsync the pages may be gone: nothing is tried
 * again. fd is closed in any case. */
static rd_status fill(int fd, const char *path, const rdc_part *parts, size_t n_parts,
                      rd_error *err)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n_parts; i++) total += parts[i].bytes;
    rd_status status = RD_OK;
    (void)flock(fd, LOCK_EX | LOCK_NB);
    for (size_t i = 0; i < n_parts && status == RD_OK; i++) {
        if (rdc_write_all(fd, parts[i].at, parts[i].bytes)) continue;
        const int number = errno;
        char size[32], call[64];
        snprintf(call, sizeof(call), "write of %s", rdc_size_text(total, size));
        status = say(err, path, number, call);
    }
    if (status == RD_OK && sync_again(fd) != 0) status = say(err, path, errno, "fsync");
    /* Interrupted or not, the descriptor is gone, and what was written is synced. */
    if (close(fd) != 0 && errno != EINTR && status == RD_OK)
        status = say(err, path, errno, "close");
    return status;
}

rd_status rdc_write_durable(const char *path, const rdc_part *parts, size_t n_parts, rd_error *err)
{
    /* A device or a pipe would be replaced: root's /dev/null by a file that grows. */
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return rdc_fail(err, RD_E_IO, "cannot save '%s': it is not a regular file", path);
    const size_t room = strlen(path) + 32;
    char *temporary = malloc(room);
    if (!temporary) return rdc_no_memory(err, room);
    snprintf(temporary, room, "%s.tmp.%ld", path, (long)getpid());
    rd_status status;
    /* A file of this name is of an earlier process with our number: two savers of one path in one
     * process are excluded by rondo.h's rule on threads. */
    (void)unlink(temporary);
    const int fd = open_again(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        status = say(err, path, errno, "open");
        goto done;
    }
    status = fill(fd, path, parts, n_parts, err);
    if (status == RD_OK && rename(temporary, path) != 0) status = say(err, path, errno, "rename");
    if (status != RD_OK)
        (void)unlink(temporary);
    else
        status = sync_folder(path, err);
done:
    free(temporary);
    return status;
}

/* The process in "<anything><extension>.tmp.<pid>", or 0 where a name is not of this form. */
static pid_t writer_of(const char *name, const char *extension)
{
    const char *mark = strstr(name, ".tmp.");
    for (const char *next = mark; next; next = strstr(next + 1, ".tmp.")) mark = next;
    const size_t n = strlen(extension);
    if (!mark || (size_t)(mark - name) < n || memcmp(mark - n, extension, n) != 0) return 0;
    const char *digits = mark + 5;
    if (*digits < '1' || *digits > '9') return 0;
    char *end;
    errno = 0;
    const long pid = strtol(digits, &end, 10);
    return *end == '\0' && errno == 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

static bool is_abandoned(int fd, const void *magic, size_t magic_bytes)
{
    char head[16];
    struct stat st;
    if (magic_bytes > sizeof(head) || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return false;
    if (st.st_size > 0) {
        size_t got;
        (void)rdc_read_all(fd, head, magic_bytes, &got); /* what cannot be read is not ours */
        if (got < magic_bytes || memcmp(head, magic, magic_bytes) != 0) return false;
    }
    return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void sweep_one(int folder, const char *name, const void *magic, size_t magic_bytes)
{
    const int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0) return;
    if (is_abandoned(fd, magic, magic_bytes)) (void)unlinkat(folder, name, 0);
    close(fd);
}

void rdc_sweep_temporaries(const char *path, const void *magic, size_t magic_bytes)
{
    const char *base = path + folder_bytes(path);
    const char *dot = strrchr(base, '.');
    const char *extension = dot ? dot : base;
    char *name = folder_of(path);
    DIR *folder = name ? opendir(name) : NULL;
    free(name);
    if (!folder) return; /* the save itself will say what is wrong */
    for (const struct dirent *e = readdir(folder); e; e = readdir(folder)) {
        const pid_t pid = writer_of(e->d_name, extension);
        if (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH)
            sweep_one(dirfd(folder), e->d_name, magic, magic_bytes);
    }
    closedir(folder);
}

rd_status rd_write_file(const char *path, const void *bytes, size_t n, rd_error *err)
{
    const rdc_part whole = {.at = bytes, .bytes = n};
    return rdc_write_durable(path, &whole, 1, err);
}
