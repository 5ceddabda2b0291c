/* records.h - records of plugins whose minor version is not the host's.
 * SPDX-License-Identifier: MIT */
#ifndef RD_RECORDS_H
#define RD_RECORDS_H
#include "rondo/abi.h"
#include <string.h>

/* Bytes of a record up to `last`, the last field that it had in minor 0: what each must have. */
#define RDC_FIRST_SIZE(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

/* Copies a record of `from_size` bytes; fields that it does not have yet are zeros. */
static inline void rdc_take_record(void *to, size_t to_size, const void *from, size_t from_size)
{
    memset(to, 0, to_size);
    memcpy(to, from, from_size < to_size ? from_size : to_size);
}
#endif
