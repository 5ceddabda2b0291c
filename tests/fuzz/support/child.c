/* child.c - forks of a process that has libhdf5 ready, counters of coverage that reach the parent, and whose
 * fault a crash is.
 *
 * The counters of rondo_hdf5.so are copied, when a child writes, to counters in memory that it shares with
 * the parent; libFuzzer looks at those because of their section.
 * SPDX-License-Identifier: MIT */
#include "fuzz/support/child.h"

#include "fuzz/support/fuzz.h"

#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, COUNTERS = 2 * PAGE, FRAMES = 64, CHILD_SECONDS = 2 };

pid_t __real_fork(void);
pid_t __wrap_fork(void);
ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
void __sanitizer_set_death_callback(void (*callback)(void));
const char *__asan_default_options(void);

/* The sandbox lets nobody ask for symbols: ASAN_OPTIONS=symbolize=1 to run an input again. A crash of any
 * kind comes to `dying`. What a fork has to copy is kept small. */
const char *__asan_default_options(void)
{
    return "symbolize=0:handle_segv=2:handle_sigbus=2:handle_sigfpe=2:allocator_may_return_null=1:"
           "quarantine_size_mb=4:thread_local_quarantine_size_kb=64";
}

__attribute__((section("__libfuzzer_extra_counters"), aligned(PAGE))) static uint8_t seen[COUNTERS];
static bool is_child;
static volatile bool *at_fault; /* shared with the children */
static uint8_t *counters;       /* those of rondo_hdf5.so */
static size_t n_counters;
static uint32_t (*checksum)(const void *at, size_t n, uint32_t before);

static const char module_path[] = RD_TEST_LIB_DIR "/rondo_hdf5.so";

/* Is the address in the file of this name? */
static bool is_in(const void *at, const char *name)
{
    Dl_info place;
    return dladdr(at, &place) && place.dli_fname && strstr(place.dli_fname, name);
}

/* In a child that is about to end for a fault: is it one of rondo_hdf5.so? The frames nearest to the fault
 * are those of the sanitizer, in the program itself. */
static void dying(void)
{
    void *frames[FRAMES];
    const int n = backtrace(frames, FRAMES);
    for (int i = 0; i < n; i++) {
        if (is_in(frames[i], "libhdf5")) return;
        if (is_in(frames[i], "rondo_hdf5.so")) *at_fault = true;
    }
}

pid_t __wrap_fork(void)
{
    const pid_t pid = __real_fork();
    if (pid != 0) return pid;
    is_child = true;
    const struct rlimit seconds = {CHILD_SECONDS, CHILD_SECONDS}; /* a loop is soon over */
    (void)setrlimit(RLIMIT_CPU, &seconds);
    __sanitizer_set_death_callback(dying);
    memset(counters, 0, n_counters);
    return 0;
}

/* What a child writes goes to the pipe; the last of it is said when all is done. */
ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
    for (size_t i = 0; is_child && i < n_counters; i++)
        if (counters[i]) seen[i] = counters[i];
    return __real_write(fd, bytes, n);
}

static void stop(const char *what)
{
    perror(what);
    exit(1);
}

/* The section of counters, out of the section table of the module's file. */
static void find_counters(const struct link_map *map)
{
    const int fd = open(module_path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) stop(module_path);
    const uint8_t *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED) stop(module_path);
    const ElfW(Ehdr) *head = (const void *)file;
    const ElfW(Shdr) *sections = (const void *)(file + head->e_shoff);
    const char *names = (const char *)file + sections[head->e_shstrndx].sh_offset;
    for (int i = 0; i < head->e_shnum; i++) {
        if (strcmp(names + sections[i].sh_name, "__sancov_cntrs") != 0) continue;
        counters = (uint8_t *)map->l_addr + sections[i].sh_addr;
        n_counters = sections[i].sh_size;
    }
    munmap((void *)(uintptr_t)file, (size_t)st.st_size);
    close(fd);
}

void fuzz_child_begin(void)
{
    void *frames[1], *module = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
    (void)backtrace(frames, 1); /* loads what it needs, which a child cannot */
    if (!module) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    int (*open_library)(void) = (int (*)(void))dlsym(module, "H5open");
    checksum = (uint32_t(*)(const void *, size_t, uint32_t))dlsym(module, "H5_checksum_metadata");
    if (!open_library || open_library() < 0) stop("H5open");
    find_counters(module); /* glibc's handle is a link_map */
    FUZZ_HOLDS(n_counters > 0 && n_counters <= COUNTERS);
    void *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || mmap(seen, COUNTERS, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != seen)
        stop("shared memory");
    at_fault = shared;
}

void fuzz_child_check(void)
{
    FUZZ_HOLDS(!*at_fault);
}

/* ---- checksums of HDF5's metadata ---- */

static void put_checksum(uint8_t *at, size_t n)
{
    const uint32_t sum = checksum(at, n, 0);
    memcpy(at + n, &sum, sizeof sum);
}

/* An object header of version 2: its first chunk. */
static void sum_header(uint8_t *at, size_t n)
{
    enum { TIMES = 32, PHASES = 16, HEAD = 6 };
    const uint8_t flags = at[5];
    const size_t before = HEAD + (flags & TIMES ? 16 : 0) + (flags & PHASES ? 4 : 0),
                 width = (size_t)1 << (flags & 3);
    uint64_t bytes = 0;
    if (n < before + width) return;
    memcpy(&bytes, at + before, width);
    if (bytes < n && before + width + bytes + 4 <= n)
        put_checksum(at, before + width + (size_t)bytes);
}

void fuzz_hdf5_checksums(uint8_t *image, size_t n)
{
    static const uint8_t signature[8] = "\x89HDF\r\n\x1a\n";
    if (!checksum) return;
    for (size_t i = 0; i + 48 <= n; i++) {
        if (memcmp(image + i, signature, 8) == 0 && image[i + 8] >= 2) put_checksum(image + i, 44);
        if (memcmp(image + i, "OHDR", 4) == 0) sum_header(image + i, n - i);
    }
}
