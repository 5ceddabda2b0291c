/* file.c - what a fuzzer reads from and works with: a file in memory, a core.
 * SPDX-License-Identifier: MIT */
#include "fuzz/support/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

const char *fuzz_file(const void *bytes, size_t n)
{
    static char path[32];
    static int memory = -1;
    if (memory < 0) memory = memfd_create("fuzz", MFD_CLOEXEC);
    if (memory < 0 || ftruncate(memory, 0) != 0 || pwrite(memory, bytes, n, 0) != (ssize_t)n) {
        perror("a file in memory");
        exit(1);
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    return path;
}

rd_core *fuzz_core(void)
{
    static rd_core *core;
    rd_error err;
    if (!core && rd_core_open(&(rd_core_options){.threads = 1}, &core, &err) != RD_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return core;
}
