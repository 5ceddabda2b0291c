/* image.c - see image.h.
 *
 * Static: what a handler of SIGSEGV, which is given an address alone, has to know.
 * SPDX-License-Identifier: MIT */
#include "image.h"
#include "child.h"
#include "elf_file.h"
#include <dlfcn.h>
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { APART = 16 }; /* bytes between two places that cannot be run */

static struct {
    const image *of;
    const char *by;
    char *at; /* IMAGE_CALLS * APART bytes that nobody may touch */
} traps;

/* ---- calls --------------------------------------------------------------------------------------- */

/* They compute or copy, the same everywhere, and leave errno alone in what a cell may do with them. */
static bool is_harmless(const char *name)
{
    static const char *const names[] = {"memcpy",
                                        "memmove",
                                        "memset",
                                        "memcmp",
                                        "fma",
                                        "sqrt",
                                        "fabs",
                                        "floor",
                                        "ceil",
                                        "trunc",
                                        "round",
                                        "rint",
                                        "nearbyint",
                                        "copysign",
                                        "fmin",
                                        "fmax",
                                        "__memcpy_chk",
                                        "__memmove_chk",
                                        "__memset_chk",
                                        "__errno_location",
                                        "__stack_chk_fail",
                                        "__tls_get_addr"};
    static const char *const prefixes[] = {"__asan_",        "__ubsan_", "__tsan_",
                                           "__msan_",        "_ITM_",    "__gmon_start__",
                                           "__cxa_finalize", "__gcov_",  "llvm_"};
    const size_t n = strlen(name);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const size_t length = strlen(names[i]); /* and its form for float */
        if (strncmp(name, names[i], length) == 0 &&
            (n == length || (n == length + 1 && name[length] == 'f')))
            return true;
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) return true;
    return false;
}

static bool is_of_libm(const char *name)
{
    static const char *const names[] = {"exp",   "exp2", "expm1", "log",  "log2",  "log10",
                                        "log1p", "pow",  "sin",   "cos",  "tan",   "sinh",
                                        "cosh",  "tanh", "asin",  "acos", "atan",  "atan2",
                                        "hypot", "erf",  "cbrt",  "fmod", "sincos"};
    const size_t n = strlen(name);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const size_t length = strlen(names[i]);
        if (strncmp(name, names[i], length) == 0 &&
            (n == length || (n == length + 1 && name[length] == 'f')))
            return true;
    }
    return false;
}

static void on_fault(int number, siginfo_t *of, void *context)
{
    static check_verdict v;
    char call[160];
    const char *const at = of->si_addr;

    (void)context;
    if (at < traps.at || at >= traps.at + (size_t)IMAGE_CALLS * APART) { /* a crash like others */
        (void)signal(number, SIG_DFL);
        return;
    }
    const char *name = traps.of->call[(size_t)(at - traps.at) / APART].name;
    (void)snprintf(call, sizeof call, "%s()", name);
    if (is_of_libm(name))
        (void)snprintf(call, sizeof call,
                       "%s() of the C library, whose bits depend on the machine; rondo/pointmath.h "
                       "has its like",
                       name);
    check_say(&v, CHECK_FAIL, "%s calls %s", traps.by, call);
    child_end(&v);
}

static bool open_traps(void)
{
    const struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

    if (traps.at) return true;
    void *at =
        mmap(NULL, (size_t)IMAGE_CALLS * APART, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return false;
    traps.at = at;
    return sigaction(SIGSEGV, &action, NULL) == 0;
}

/* ---- opening ------------------------------------------------------------------------------------- */

/* The value of an entry of the dynamic section, made an address where the loader has not done so. */
static const void *dynamic(const struct link_map *map, int64_t tag, uint64_t *value)
{
    for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
        if (d->d_tag != tag) continue;
        *value = d->d_un.d_val;
        const ElfW(Addr) at = d->d_un.d_ptr;
        return (const char *)(uintptr_t)(at < map->l_addr ? at + map->l_addr : at);
    }
    *value = 0;
    return NULL;
}

static void list_calls(image *m, int64_t table, int64_t size)
{
    uint64_t bytes, unused;
    const ElfW(Rela) *move = dynamic(m->map, table, &unused);
    const ElfW(Sym) *symbols = dynamic(m->map, DT_SYMTAB, &unused);
    const char *names = dynamic(m->map, DT_STRTAB, &unused);

    (void)dynamic(m->map, size, &bytes);
    for (size_t i = 0; move && i < bytes / sizeof *move && m->n_calls < IMAGE_CALLS; i++) {
        const ElfW(Sym) *symbol = &symbols[ELF64_R_SYM(move[i].r_info)];
        const char *name = names + symbol->st_name;
        const int type = ELF64_ST_TYPE(symbol->st_info);
        if (symbol->st_shndx != SHN_UNDEF || symbol->st_name == 0) continue;
        if (type == STT_OBJECT || type == STT_TLS || is_harmless(name)) continue;
        m->call[m->n_calls++] = (image_call){
            .name = name, .place = (void **)(uintptr_t)(m->map->l_addr + move[i].r_offset)};
    }
}

static int list_segments(struct dl_phdr_info *of, size_t size, void *user)
{
    image *m = user;

    (void)size;
    if (of->dlpi_addr != m->map->l_addr) return 0;
    for (size_t i = 0; i < of->dlpi_phnum && m->n_segments < IMAGE_SEGMENTS; i++) {
        const ElfW(Phdr) *p = &of->dlpi_phdr[i];
        if (p->p_type == PT_TLS && p->p_memsz > 0) m->thread_local_data = true;
        if (p->p_type == PT_LOAD && p->p_flags & PF_W)
            m->segment[m->n_segments++] = (image_segment){
                .at = (char *)(uintptr_t)(of->dlpi_addr + p->p_vaddr), .n = p->p_memsz};
    }
    return 1;
}

bool image_open(image *m, const void *inside)
{
    Dl_info unused;
    void *map = NULL;

    *m = (image){0};
    if (!dladdr1(inside, &unused, &map, RTLD_DL_LINKMAP) || !map || !open_traps()) return false;
    m->map = map;
    list_calls(m, DT_JMPREL, DT_PLTRELSZ);
    list_calls(m, DT_RELA, DT_RELASZ);
    (void)dl_iterate_phdr(list_segments, m);
    for (size_t i = 0; i < m->n_segments; i++) {
        m->segment[i].kept = malloc(m->segment[i].n + 1);
        if (!m->segment[i].kept) return false;
    }
    /* Some of it was made constant after it was filled in. */
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < m->n_calls; i++) {
        char *at = (char *)((uintptr_t)m->call[i].place & ~(page - 1));
        if (mprotect(at, page, PROT_READ | PROT_WRITE) != 0) return false;
        m->call[i].before = *m->call[i].place;
    }
    return true;
}

/* ---- using it ------------------------------------------------------------------------------------ */

/* Byte by byte and unseen by sanitizers, which keep the room between two data for themselves. */
#define UNSEEN __attribute__((no_sanitize("address")))

UNSEEN static void keep(const image_segment *s)
{
    for (size_t i = 0; i < s->n; i++) s->kept[i] = s->at[i];
}

/* The first byte that is not as it was kept, or n. */
UNSEEN static size_t first_change(const image_segment *s)
{
    size_t i = 0;
    while (i < s->n && s->kept[i] == s->at[i]) i++;
    return i;
}

void image_arm(image *m, const char *by)
{
    traps.of = m;
    traps.by = by;
    for (size_t i = 0; i < m->n_calls && by; i++) *m->call[i].place = traps.at + i * APART;
    for (size_t i = 0; i < m->n_segments; i++) keep(&m->segment[i]);
}

void image_disarm(image *m)
{
    for (size_t i = 0; i < m->n_calls; i++) *m->call[i].place = m->call[i].before;
}

bool image_changed(const image *m, char *what, size_t cap)
{
    for (size_t i = 0; i < m->n_segments; i++) {
        const image_segment *s = &m->segment[i];
        const size_t at = first_change(s);
        elf_file f;
        if (at == s->n) continue;
        const char *name = NULL;
        if (elf_open(&f, m->map->l_name))
            name = elf_name_at(&f, (uint64_t)((uintptr_t)(s->at + at) - m->map->l_addr));
        if (name)
            (void)snprintf(what, cap, "'%s'", name);
        else
            (void)snprintf(what, cap, "at 0x%lx of the file",
                           (unsigned long)((uintptr_t)(s->at + at) - m->map->l_addr));
        return true;
    }
    return false;
}
