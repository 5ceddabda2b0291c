/* files.h - whole files: written so that the old one stays until the new one is safe, and read whole.
 * SPDX-License-Identifier: MIT */
#ifndef RD_FILES_H
#define RD_FILES_H
#include "rondo.h"

typedef struct rdc_part { /* a stretch of bytes to be written */
    const void *at;
    size_t bytes;
} rdc_part;

/* Writes <path>.tmp.<pid>, syncs it, renames it to path and syncs the folder. On failure the old file is
 * as it was, no temporary file is left, and err names the call that failed: "cannot save 'x.h5': No
 * space left on device (write of 4.2 MB)". Devices and pipes are refused. */
rd_status rdc_write_durable(const char *path, const rdc_part *parts, size_t n_parts, rd_error *err);
/* Removes what killed writers left in the folder of `path`: files named <name>.tmp.<pid> with path's
 * extension, that begin with `magic` or are empty, that no living process writes. */
void rdc_sweep_temporaries(const char *path, const void *magic, size_t magic_bytes);
/* Writes all n bytes to fd: goes on after signals and short writes. False: errno says why. */
bool rdc_write_all(int fd, const void *bytes, size_t n);
/* Reads up to n bytes from fd; *got < n only at the end of the file. False: errno says why. */
bool rdc_read_all(int fd, void *bytes, size_t n, size_t *got);
/* Opens a regular file for reading, without waiting and without being inherited. `verb` ("load") makes
 * the message: "cannot load 'x.h5': No such file or directory". */
rd_status rdc_open_regular(const char *path, const char *verb, int *fd, uint64_t *bytes,
                           rd_error *err);
typedef struct rdc_mapping { /* of a file, shared with it */
    int fd;                  /* -1: none is mapped */
    const unsigned char *at;
    size_t bytes;
} rdc_mapping;
/* Maps a regular file for reading; of an empty one `at` is not NULL and there is nothing to read. */
rd_status rdc_map_file(const char *path, rdc_mapping *out, rd_error *err);
void rdc_unmap_file(rdc_mapping *m);
/* False: the file has shrunk since, and reading its end would be SIGBUS. */
bool rdc_map_is_whole(const rdc_mapping *m);
/* "4.2 MB"; returns buf. */
const char *rdc_size_text(uint64_t bytes, char buf[32]);
#endif
