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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE_BYTES = 64 << 20, MAX_FILES = 1000, MAX_SEGMENTS = 64 };
#define TEXT_OF(x) #x
#define SYMBOL_OF(major) "rd_plugin_v" TEXT_OF(major)

__attribute__((format(printf, 2, 3))) static bool refuse(char reason[RDC_REASON_BYTES],
                                                         const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(reason, RDC_REASON_BYTES, format, args);
    va_end(args);
    return false;
}

/* ---- L0 ------------------------------------------------------------------------------------- */

static bool safe_owner(const struct stat *s)
{
    return (s->st_uid == 0 || s->st_uid == geteuid()) && !(s->st_mode & (S_IWGRP | S_IWOTH));
}

static bool check_owners(const char *path, const struct stat *file, char reason[RDC_REASON_BYTES])
{
    char folder[PATH_MAX];
    struct stat s;
    const char *slash = strrchr(path, '/');

    if (!safe_owner(file))
        return refuse(reason,
                      "L0: the file belongs to neither root nor you, or others may write to "
                      "it (chmod go-w)");
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    if (stat(folder, &s) != 0 || !safe_owner(&s))
        return refuse(reason, "L0: its folder belongs to neither root nor you, or others may write "
                              "to it (chmod go-w)");
    return true;
}

static bool right_machine(const ElfW(Ehdr) * e)
{
    const int class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    const uint16_t one = 1;
    const int order = *(const uint8_t *)&one ? ELFDATA2LSB : ELFDATA2MSB;
#if defined(__x86_64__)
    const int machine = EM_X86_64;
#elif defined(__aarch64__)
    const int machine = EM_AARCH64;
#else
    const int machine = e->e_machine;
#endif
    return memcmp(e->e_ident, ELFMAG, SELFMAG) == 0 && e->e_ident[EI_CLASS] == class &&
           e->e_ident[EI_DATA] == order && e->e_type == ET_DYN && e->e_machine == machine &&
           e->e_phentsize == sizeof(ElfW(Phdr));
}

/* The dynamic loader maps segments without a look at the file's end; a read beyond it is a SIGBUS. */
static bool check_segments(int fd, uint64_t bytes, char reason[RDC_REASON_BYTES])
{
    ElfW(Ehdr) e;
    ElfW(Phdr) segment[MAX_SEGMENTS];

    if (pread(fd, &e, sizeof e, 0) != (ssize_t)sizeof e || !right_machine(&e))
        return refuse(reason, "L0: it is not a shared object for this machine");
    const size_t all = e.e_phnum * sizeof segment[0];
    if (e.e_phnum > MAX_SEGMENTS || pread(fd, segment, all, (off_t)e.e_phoff) != (ssize_t)all)
        return refuse(reason, "L0: the file is cut short or damaged");
    for (size_t i = 0; i < e.e_phnum; i++) {
        uint64_t end;
        if (segment[i].p_type != PT_LOAD) continue;
        if (__builtin_add_overflow(segment[i].p_offset, segment[i].p_filesz, &end) || end > bytes)
            return refuse(reason,
                          "L0: the file is cut short: %llu bytes, and a segment ends at %llu",
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

    if (fd < 0) return refuse(reason, "L0: it cannot be opened: %s", strerror(errno));
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        refuse(reason, "L0: it is not a regular file");
        goto done;
    }
    file->device = s.st_dev;
    file->inode = s.st_ino;
    if (s.st_size > MAX_FILE_BYTES) {
        refuse(reason, "L0: the file has %lld bytes, allowed are %d", (long long)s.st_size,
               MAX_FILE_BYTES);
        goto done;
    }
    good = (trust || check_owners(path, &s, reason)) &&
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

    _Static_assert(RD_ABI_MAJOR == 0, "SYMBOL_OF needs the number itself");
    if (p) return p;
    for (int digit = '0'; digit <= '9'; digit++) {
        name[sizeof name - 2] = (char)digit;
        if (!dlsym(handle, name)) continue;
        refuse(reason,
               "L1: built for plugin border %c, this is %d; rebuild it with this Rondo's "
               "headers",
               digit, RD_ABI_MAJOR);
        return NULL;
    }
    refuse(reason, "L1: it has no symbol %s: not a plugin of Rondo, or RD_PLUGIN is missing",
           SYMBOL_OF(RD_ABI_MAJOR));
    return NULL;
}

static bool check_stamp(const rd_stamp *s, char reason[RDC_REASON_BYTES])
{
    if (s->magic != RD_MAGIC)
        return refuse(reason, "L2: magic: expected 0x%08x, got 0x%08x", RD_MAGIC, s->magic);
    if (s->abi_major != RD_ABI_MAJOR)
        return refuse(reason, "L2: abi_major: expected %d, got %u", RD_ABI_MAJOR, s->abi_major);
    if (s->real_size != sizeof(rd_real))
        return refuse(reason,
                      "L2: real_size: expected %zu, got %u (float and double builds have "
                      "folders of their own)",
                      sizeof(rd_real), s->real_size);
    if (s->ptr_size != sizeof(void *))
        return refuse(reason, "L2: ptr_size: expected %zu, got %u", sizeof(void *), s->ptr_size);
    if (s->abi_needed > RD_ABI_MINOR)
        return refuse(reason,
                      "L2: abi_needed: this host has %d, the plugin needs %u; it wants a "
                      "newer Rondo",
                      RD_ABI_MINOR, s->abi_needed);
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
        refuse(reason, "L1: it cannot be opened: %s", why ? why : "no reason given");
    } else if ((after & ~flags) != (ours & ~flags)) {
        refuse(reason, "L4: opening it changes the floating-point environment: built with "
                       "-ffast-math?");
        dlclose(handle); /* so that a second try meets the constructor again */
        handle = NULL;
    }
    return handle;
}

bool rdc_plugin_open(const char *path, bool trust, rdc_plugin_file *file,
                     char reason[RDC_REASON_BYTES])
{
    if (!check_file(path, trust, file, reason)) return false;
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

bool rdc_plugin_folder(const char *folder, char ***paths, size_t *n, char reason[RDC_REASON_BYTES])
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    *n = 0;
    *paths = NULL;
    if (!dir) return refuse(reason, "L0: the folder cannot be read: %s", strerror(errno));
    char **list = malloc(MAX_FILES * sizeof *list);
    while (list && *n < MAX_FILES && (entry = readdir(dir))) {
        if (!is_plugin_name(entry->d_name)) continue;
        list[*n] = join(folder, entry->d_name);
        if (list[*n]) ++*n;
    }
    closedir(dir);
    if (*n > 0) qsort(list, *n, sizeof *list, by_name);
    *paths = list;
    return list || refuse(reason, "L0: out of memory");
}
