/* table.h - the two tables of table.c.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_ABI_TABLE_H
#define RD_TEST_ABI_TABLE_H
#include <stddef.h>

typedef struct abi_entry {
    const char *name; /* "rd_option", "rd_option.name", "RD_INT"; NULL: the end */
    size_t at;        /* of a field in its record; the value of a number */
    size_t size;      /* of a record or a field */
} abi_entry;

extern const abi_entry abi_1_0[], abi_now[];
#endif
