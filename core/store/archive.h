/* archive.h - what a checkpoint file holds, in memory, and the limits that writer and reader share.
 *
 * Invariant: entries[0, n) ascend strictly by name (bytewise); no name is a folder of another. The
 * archive owns every name and every block of values, each from malloc.
 * SPDX-License-Identifier: MIT */
#ifndef RD_ARCHIVE_H
#define RD_ARCHIVE_H
#include "rondo.h"

/* What is put is what can be loaded again: the reader refuses nothing that the writer takes. */
#define RDC_NAME_BYTES 1024u          /* of a name, without the NUL */
#define RDC_NAME_DEPTH 32u            /* parts of a name between slashes */
#define RDC_ENTRIES ((size_t)1 << 20) /* in one archive */
#define RDC_FILE_BYTES ((size_t)1 << 32)

struct rd_archive {
    rd_entry *entries;
    size_t n, room;
    size_t bytes; /* of all values */
};

/* Bytes of one element: 4, 8, 8, 1 by kind; 0 for a kind that does not exist. */
size_t rdc_kind_bytes(rd_entry_kind kind);
/* Bytes of an entry's values. False on an unknown kind, too many dimensions or an overflow. */
bool rdc_entry_bytes(const rd_entry *entry, size_t *bytes);
/* Puts an entry whose name and data (one byte longer than the values) come from malloc. They belong to
 * the archive afterwards; on failure they still belong to the caller. */
rd_status rdc_archive_adopt(rd_archive *a, const rd_entry *entry, rd_error *err);
/* Entries that the numbers of a run do not depend on. */
bool rdc_is_history(const char *name);
#endif
