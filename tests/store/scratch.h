/* scratch.h - a temporary folder of a test's own, and files in it.
 * SPDX-License-Identifier: MIT */
#ifndef RD_STORE_SCRATCH_H
#define RD_STORE_SCRATCH_H
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* after the headers it needs */
#include <cmocka.h>

typedef struct scratch {
    char folder[64];
    char path[128]; /* of the last scratch_path */
} scratch;

static inline int scratch_open(void **state)
{
    scratch *s = calloc(1, sizeof(*s));
    snprintf(s->folder, sizeof(s->folder), "/tmp/rondo-test-XXXXXX");
    *state = s;
    return mkdtemp(s->folder) ? 0 : -1;
}

static inline const char *scratch_path(scratch *s, const char *name)
{
    snprintf(s->path, sizeof(s->path), "%s/%s", s->folder, name);
    return s->path;
}

/* Number of entries in the folder. */
static inline size_t scratch_count(const scratch *s)
{
    DIR *folder = opendir(s->folder);
    size_t n = 0;
    for (const struct dirent *e = readdir(folder); e; e = readdir(folder)) n += e->d_name[0] != '.';
    closedir(folder);
    return n;
}

static inline int scratch_close(void **state)
{
    scratch *s = *state;
    DIR *folder = opendir(s->folder);
    for (const struct dirent *e = readdir(folder); e; e = readdir(folder))
        if (e->d_name[0] != '.') unlinkat(dirfd(folder), e->d_name, 0);
    closedir(folder);
    rmdir(s->folder);
    free(s);
    return 0;
}

/* Writes a file; returns its path. */
static inline const char *scratch_write(scratch *s, const char *name, const void *bytes, size_t n)
{
    const int fd = open(scratch_path(s, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
    return s->path;
}

/* Reads a whole file; the caller frees. */
static inline unsigned char *scratch_read(const char *path, size_t *n)
{
    struct stat st;
    const int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    *n = (size_t)st.st_size;
    unsigned char *bytes = malloc(*n + 1);
    assert_int_equal(read(fd, bytes, *n), st.st_size);
    close(fd);
    return bytes;
}
#endif
