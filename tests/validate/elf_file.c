/* elf_file.c - see elf_file.h. SPDX-License-Identifier: MIT */
#include "elf_file.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where [offset, offset + bytes) lies in the file; NULL: outside, or not aligned. */
static const void *part(const elf_file *f, uint64_t offset, uint64_t bytes)
{
    if (offset > f->n || bytes > f->n - offset || offset % sizeof(uint64_t) != 0) return NULL;
    return f->at + offset;
}

bool elf_open(elf_file *f, const char *path)
{
    struct stat s;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    *f = (elf_file){0};
    if (fd < 0) return false;
    if (fstat(fd, &s) == 0 && s.st_size >= (off_t)sizeof(ElfW(Ehdr))) {
        void *at = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at != MAP_FAILED) *f = (elf_file){at, (size_t)s.st_size};
    }
    close(fd);
    if (f->at && memcmp(f->at, ELFMAG, SELFMAG) == 0) return true;
    elf_close(f);
    return false;
}

void elf_close(elf_file *f)
{
    if (f->at) munmap((void *)(uintptr_t)f->at, f->n);
    *f = (elf_file){0};
}

static const ElfW(Shdr) * sections(const elf_file *f, size_t *n)
{
    const ElfW(Ehdr) *e = (const void *)f->at;

    *n = e->e_shnum;
    return e->e_shentsize == sizeof(ElfW(Shdr)) ? part(f, e->e_shoff, *n * sizeof(ElfW(Shdr)))
                                                : NULL;
}

elf_section elf_find(const elf_file *f, uint32_t type, size_t which, size_t entry_bytes)
{
    size_t n;
    const ElfW(Shdr) *s = sections(f, &n);

    for (size_t i = 0; s && i < n; i++) {
        if (s[i].sh_type != type || which-- > 0) continue;
        elf_section found = {.at = part(f, s[i].sh_offset, s[i].sh_size),
                             .n = s[i].sh_size / entry_bytes,
                             .address = s[i].sh_addr};
        if (!found.at) break;
        if ((type == SHT_SYMTAB || type == SHT_DYNSYM) && s[i].sh_link < n) {
            const ElfW(Shdr) *names = &s[s[i].sh_link];
            if (names->sh_offset > f->n || names->sh_size > f->n - names->sh_offset) break;
            found.names = f->at + names->sh_offset;
            found.n_names = names->sh_size;
            if (found.n_names == 0 || found.names[found.n_names - 1] != '\0') break;
        }
        return found;
    }
    return (elf_section){0};
}

const char *elf_symbol_name(const elf_section *symbols, const ElfW(Sym) * symbol)
{
    return symbol->st_name < symbols->n_names ? symbols->names + symbol->st_name : "";
}

const char *elf_name_at(const elf_file *f, uint64_t address)
{
    const elf_section symbols = elf_find(f, SHT_SYMTAB, 0, sizeof(ElfW(Sym)));
    const ElfW(Sym) *symbol = symbols.at;

    for (size_t i = 0; symbol && i < symbols.n; i++) {
        const int type = symbol[i].st_info & 15; /* ELF64_ST_TYPE */
        if (type != STT_FUNC && type != STT_OBJECT && type != STT_GNU_IFUNC) continue;
        if (address == symbol[i].st_value ||
            (address > symbol[i].st_value && address - symbol[i].st_value < symbol[i].st_size))
            return elf_symbol_name(&symbols, &symbol[i]);
    }
    return NULL;
}

uint64_t elf_pointer(const elf_file *f, const elf_section *array, size_t i)
{
    const uint64_t place = array->address + i * sizeof(ElfW(Addr));

    for (size_t which = 0;; which++) {
        const elf_section moves = elf_find(f, SHT_RELA, which, sizeof(ElfW(Rela)));
        const ElfW(Rela) *move = moves.at;
        if (!move) break;
        for (size_t k = 0; k < moves.n; k++)
            if (move[k].r_offset == place) return (uint64_t)move[k].r_addend;
    }
    return ((const ElfW(Addr) *)array->at)[i];
}
