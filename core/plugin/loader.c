/* loader.c - opens plugin files: rules L0, L1, L2 and L4 (loader.h).
 *
 * Nothing of a file runs before L0 holds: opening a shared object runs its constructors, and a cut one
 * kills the process inside the dynamic loader.
 * SPDX-License-Identifier: MIT */
#include "plugin/loader.h"
#include "base/pool.h"
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE_BYTES = 64 << 20, MAX_FILES = 1000, MAX_SEGMENTS = 64 };
#define TEXT_OF(x) #x
#define SYMBOL_OF(major) "rd_plugin_v" TEXT_OF(major)

/* ---- L0 ------------------------------------------------------------------------------------- */

/* What the header of a file of this machine's shared objects holds. */
static bool check_machine(const ElfW(Ehdr) * e, char reason[RDC_REASON_BYTES])
{
    const int word = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    const int order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
#if defined(__x86_64__)
    const int machine = EM_X86_64;
#elif defined(__aarch64__)
    const int machine = EM_AARCH64;
#else
    const int machine = e->e_machine;
#endif

    if (memcmp(e->e_ident, ELFMAG, SELFMAG) != 0)
        return rdc_refuse(reason, "L0: it is not a shared object; of a source `rondo check FILE.c` "
                                  "builds and checks one");
    if (e->e_ident[EI_CLASS] != word)
        return rdc_refuse(reason,
                          "L0: it is for words of %d bits, this Rondo has %zu; build it here",
                          e->e_ident[EI_CLASS] == ELFCLASS32 ? 32 : 64, 8 * sizeof(void *));
    if (e->e_ident[EI_DATA] != order || e->e_machine != machine)
        return rdc_refuse(reason,
                          "L0: it is for another processor (ELF machine %d, this is %d); "
                          "build it here",
                          e->e_machine, machine);
    if (e->e_type != ET_DYN || e->e_phentsize != sizeof(ElfW(Phdr)))
        return rdc_refuse(reason, "L0: it is an object file or a program; link it with -shared");
    return true;
}

/* The dynamic loader maps segments without a look at the file's end; a read beyond it is a SIGBUS. */
static bool check_segments(int fd, uint64_t bytes, char reason[RDC_REASON_BYTES])
{
    ElfW(Ehdr) e = {.e_type = 0}; /* what could not be read is no header */
    ElfW(Phdr) segment[MAX_SEGMENTS];
    const ssize_t got = pread(fd, &e, sizeof e, 0);

    (void)got;
    if (!check_machine(&e, reason)) return false;
    const size_t all = e.e_phnum * sizeof segment[0];
    if (e.e_phnum > MAX_SEGMENTS || pread(fd, segment, all, (off_t)e.e_phoff) != (ssize_t)all)
        return rdc_refuse(reason, "L0: the file is cut short or damaged; copy or build it again");
    for (size_t i = 0; i < e.e_phnum; i++) {
        uint64_t end;
        if (segment[i].p_type != PT_LOAD) continue;
        if (__builtin_add_overflow(segment[i].p_offset, segment[i].p_filesz, &end) || end > bytes)
            return rdc_refuse(
                reason,
                "L0: the file is cut short: %llu bytes, and a segment ends at %llu; copy or build it again",
                (unsigned long long)bytes, (unsigned long long)end);
    }
    return true;
}

static bool check_file(const char *path, bool trust, rdc_plugin_file *file,
                       char reason[RDC_REASON_BYTES])
{
    struct stat s;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool good = false;

    if (fd < 0)
        return rdc_refuse(reason, "L0: it cannot be opened: %s; make it readable (chmod u+r)",
                          strerror(errno));
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        rdc_refuse(reason, "L0: it is not a regular file; name the shared object itself");
        goto done;
    }
    file->device = s.st_dev;
    file->inode = s.st_ino;
    if (s.st_size > MAX_FILE_BYTES) {
        rdc_refuse(reason, "L0: the file has %lld bytes, allowed are %d; link less into it",
                   (long long)s.st_size, MAX_FILE_BYTES);
        goto done;
    }
    good = (trust || rdc_plugin_owners(path, &s, reason)) &&
           check_segments(fd, (uint64_t)s.st_size, reason);
done:
    close(fd);
    return good;
}

/* ---- L1 and L2 -------------------------------------------------------------------------------- */

static const rd_plugin *find_entry(void *handle, char reason[RDC_REASON_BYTES])
{
    char name[] = "rd_plugin_v0";
    const rd_plugin *p = dlsym(handle, SYMBOL_OF(RD_ABI_MAJOR));

    _Static_assert(RD_ABI_MAJOR == 1, "SYMBOL_OF needs the number itself");
    if (p) return p;
    for (int digit = '0'; digit <= '9'; digit++) {
        name[sizeof name - 2] = (char)digit;
        if (!dlsym(handle, name)) continue;
        rdc_refuse(reason,
                   "L1: built for ABI %c, this is ABI %d; rebuild it with this Rondo's headers",
                   digit, RD_ABI_MAJOR);
        return NULL;
    }
    rdc_refuse(reason, "L1: it has no symbol %s; a plugin's source ends with RD_PLUGIN = { ... }",
               SYMBOL_OF(RD_ABI_MAJOR));
    return NULL;
}

static bool check_stamp(const rd_stamp *s, char reason[RDC_REASON_BYTES])
{
    if (s->magic != RD_MAGIC)
        return rdc_refuse(
            reason,
            "L2: magic: expected 0x%08x, got 0x%08x; its stamp must be RD_STAMP, built "
            "on a machine of this byte order",
            RD_MAGIC, s->magic);
    if (s->abi_major != RD_ABI_MAJOR)
        return rdc_refuse(
            reason, "L2: abi_major: expected %d, got %u; rebuild it with this Rondo's headers",
            RD_ABI_MAJOR, s->abi_major);
    if (s->real_size != sizeof(rd_real))
        return rdc_refuse(reason,
                          "L2: real_size: expected %zu, got %u; this Rondo computes in %s: rebuild "
                          "it %s -DRD_REAL_DOUBLE",
                          sizeof(rd_real), s->real_size,
                          sizeof(rd_real) == sizeof(double) ? "double" : "float",
                          sizeof(rd_real) == sizeof(double) ? "with" : "without");
    if (s->ptr_size != sizeof(void *))
        return rdc_refuse(reason, "L2: ptr_size: expected %zu, got %u; rebuild it on this machine",
                          sizeof(void *), s->ptr_size);
    if (s->abi_needed > RD_ABI_MINOR)
        return rdc_refuse(reason,
                          "L2: abi_needed: this host has %d, the plugin needs %u; install a newer "
                          "Rondo, or an older version of the plugin",
                          RD_ABI_MINOR, s->abi_needed);
    if (s->reserved != 0)
        return rdc_refuse(reason, "L2: reserved: expected 0, got %u; its stamp must be RD_STAMP",
                          s->reserved);
    return true;
}

/* ---- L4 --------------------------------------------------------------------------------------- */

/* Opens the file with the contract's floating-point environment and looks whether it survived: a file
 * linked with -ffast-math sets flush-to-zero in a constructor, for the thread that loads it. */
static void *open_checked(const char *path, char reason[RDC_REASON_BYTES])
{
    const uint64_t flags = 63; /* exceptions seen so far: not a setting */
    const uint64_t before = rdc_fp_enter(), ours = rdc_fp_enter();
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *why = handle ? NULL : dlerror();
    const uint64_t after = rdc_fp_enter();

    rdc_fp_leave(before);
    if (!handle) {
        rdc_refuse(reason, "L1: it cannot be opened: %s; link what it needs into it",
                   why ? why : "no reason given");
    } else if ((after & ~flags) != (ours & ~flags)) {
        rdc_refuse(reason,
                   "L4: opening it changes the floating-point environment; build and link it "
                   "without -ffast-math");
        dlclose(handle); /* so that a second try meets the constructor again */
        handle = NULL;
    }
    return handle;
}

typedef struct trial {
    const char *path;
    const rd_host *host;
} trial;

/* In a child: all that the file's own code does before it is asked for anything. */
static void try_it(const void *job)
{
    const trial *const t = job;
    char reason[RDC_REASON_BYTES], why[RDC_WHY_BYTES] = "";
    void *handle = dlopen(t->path, RTLD_NOW | RTLD_LOCAL);
    const rd_plugin *p = handle ? dlsym(handle, SYMBOL_OF(RD_ABI_MAJOR)) : NULL;

    if (p && check_stamp(&p->stamp, reason) && rdc_plugin_check(p, reason) && p->init)
        (void)p->init(t->host, why, sizeof why);
}

bool rdc_plugin_open(const char *path, bool trust, const rd_host *host, rdc_plugin_file *file,
                     char reason[RDC_REASON_BYTES])
{
    if (!check_file(path, trust, file, reason)) return false;
    if (file->found != RDC_INSTALLED &&
        !rdc_probe(try_it, &(trial){.path = path, .host = host}, reason))
        return false;
    void *handle = open_checked(path, reason);
    if (!handle) return false;
    const rd_plugin *p = find_entry(handle, reason);
    if (!p || !check_stamp(&p->stamp, reason)) {
        dlclose(handle);
        return false;
    }
    file->plugin = p;
    return true;
}

/* ---- folders ---------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_plugin_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot && strcmp(dot, ".so") == 0;
}

static char *join(const char *folder, const char *name)
{
    const size_t n = strlen(folder) + strlen(name) + 2;
    char *path = malloc(n);

    if (path) (void)snprintf(path, n, "%s/%s", folder, name);
    return path;
}

bool rdc_plugin_folder(const char *folder, bool needed, char ***paths, size_t *n,
                       char reason[RDC_REASON_BYTES])
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    *n = 0;
    *paths = NULL;
    if (!dir && errno == ENOENT && !needed) return true;
    if (!dir)
        return rdc_refuse(
            reason, "L0: the folder cannot be read: %s; make it readable, or take it off the path",
            strerror(errno));
    char **list = malloc(MAX_FILES * sizeof *list);
    bool enough = list != NULL;
    while (enough && *n < MAX_FILES && (entry = readdir(dir))) {
        if (!is_plugin_name(entry->d_name)) continue;
        list[*n] = join(folder, entry->d_name);
        enough = list[*n] != NULL;
        if (enough) ++*n;
    }
    closedir(dir);
    if (!enough) {
        while (*n > 0) free(list[--*n]);
        free(list);
        return rdc_refuse(reason, "L0: out of memory");
    }
    if (*n > 0) qsort(list, *n, sizeof *list, by_name);
    *paths = list;
    return true;
}
