/* map.c - mmap and munmap as a fuzzer has them: a map of a whole file is a copy of exactly its length, so
 * that the sanitizer sees what is read behind its end.
 *
 * Programs that want these name mmap and munmap in their .wrap file; others keep the system's.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAPS = 1024 };

static void *maps[MAPS]; /* copies that are handed out, or NULL */

void *__real_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t n);
void *__wrap_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t n);

void *__wrap_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    struct stat st;
    if (fd < 0 || (protection & PROT_WRITE) || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        (size_t)st.st_size != n)
        return __real_mmap(at, n, protection, flags, fd, offset);
    for (int i = 0; i < MAPS; i++) {
        if (maps[i]) continue;
        maps[i] = malloc(n);
        if (maps[i] && pread(fd, maps[i], n, 0) == (ssize_t)n) return maps[i];
        free(maps[i]);
        maps[i] = NULL;
        break;
    }
    errno = ENOMEM;
    return MAP_FAILED;
}

int __wrap_munmap(void *at, size_t n)
{
    for (int i = 0; i < MAPS; i++) {
        if (!at || maps[i] != at) continue;
        free(at);
        maps[i] = NULL;
        return 0;
    }
    return __real_munmap(at, n);
}
