/* elf_file.h - what a shared object says about itself, read without loading it.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHECK_ELF_FILE_H
#define RD_CHECK_ELF_FILE_H
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct elf_file { /* mapped */
    const char *at;
    size_t n;
} elf_file;
/* false: it cannot be read, or is not one for this machine. */
bool elf_open(elf_file *f, const char *path);
void elf_close(elf_file *f);

typedef struct elf_section { /* of n entries; NULL where there is none */
    const void *at;
    size_t n;
    uint64_t address;
    const char *names; /* of symbols: their strings, ended by NUL */
    size_t n_names;
} elf_section;
/* The section number `which` (from 0) of this type (SHT_...), if it is there and lies in the file. */
elf_section elf_find(const elf_file *f, uint32_t type, size_t which, size_t entry_bytes);
/* "" where there is none. */
const char *elf_symbol_name(const elf_section *symbols, const ElfW(Sym) * symbol);
/* The function or datum at an address, from the symbols that are not for the loader; NULL: it has no
 * name (any more). */
const char *elf_name_at(const elf_file *f, uint64_t address);
/* Address number i of an array of functions, as the loader will have filled it in. */
uint64_t elf_pointer(const elf_file *f, const elf_section *array, size_t i);
#endif
