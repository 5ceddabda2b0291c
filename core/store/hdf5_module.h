/* hdf5_module.h - the border between the core and rondo_hdf5.so, the one file that links libhdf5.
 *
 * The module is loaded only in a forked child, which sends frames up a pipe and exits: a crash of
 * libhdf5 costs a message, never the process that holds the work.
 * SPDX-License-Identifier: MIT */
#ifndef RD_HDF5_MODULE_H
#define RD_HDF5_MODULE_H
#include "rondo.h"

#define RDC_HDF5_VERSION 3u
#define RDC_HDF5_SYMBOL "rdc_hdf5_module"

typedef enum rdc_frame_type {
    RDC_FRAME_ENTRY = 1, /* then name_bytes of name and data_bytes of values */
    RDC_FRAME_IMAGE,     /* then data_bytes of image */
    RDC_FRAME_DONE,      /* the end of an archive: data_bytes is the number of entries */
    RDC_FRAME_ERROR,     /* then name_bytes of text */
} rdc_frame_type;
typedef struct rdc_frame {
    uint32_t type, kind, ndim, name_bytes;
    uint64_t shape[RD_MAX_DIMS];
    uint64_t data_bytes;
} rdc_frame;

#define RDC_FRAME_TEXT ((size_t)400) /* longest text of an error */

/* Of an entry of `look`: then the name, and the names of columns (each with a line end behind it)
 * or why it is refused. */
typedef enum rdc_rows_kind { RDC_ROWS_READABLE = 1, RDC_ROWS_REFUSED } rdc_rows_kind;
#define RDC_ROWS_SETS ((size_t)4096)       /* in one file */
#define RDC_CHUNK_BYTES ((size_t)32 << 20) /* of a chunk, as doubles */
#define RDC_ROWS_COLUMNS ((uint64_t)1 << 20)
#define RDC_LINK_BYTES ((size_t)12) /* a link takes at least so many of a file */
typedef struct rdc_rows_wanted {
    const char *name; /* of the dataset */
    uint64_t work;    /* bytes of file and values, for the time it may take */
} rdc_rows_wanted;

typedef struct rdc_wire { /* the child's end of the pipe */
    int fd;
    bool (*send)(int fd, const void *bytes, size_t n); /* false: the reader has gone */
} rdc_wire;

typedef struct rdc_hdf5 {
    uint32_t version; /* RDC_HDF5_VERSION */
    /* Builds a file image with an empty user block of user_bytes and sends it. False: an error frame was
     * sent, or could not be. */
    bool (*image)(const rd_entry *entries, size_t n, size_t user_bytes, const rdc_wire *wire);
    /* Sends every array and text of an image as an entry, then RDC_FRAME_DONE. */
    bool (*parse)(const void *image, size_t bytes, const rdc_wire *wire);
    /* Sends an entry for each dataset (shape: rows, columns) and link, then RDC_FRAME_DONE. `work`: bytes
     * of the file that are there. */
    bool (*look)(const void *image, size_t bytes, uint64_t work, const rdc_wire *wire);
    /* Sends the values of one: tiles (shape: first row, first column, rows, columns) of doubles, by
     * columns. */
    bool (*rows)(const void *image, size_t bytes, const rdc_rows_wanted *what,
                 const rdc_wire *wire);
} rdc_hdf5;

/* Inside the module: sends "<what>: <HDF5's innermost reason>" as an error frame; returns false. */
bool rdc_hdf5_fail(const rdc_wire *wire, const char *what, const char *name);
typedef struct rdc_hdf5_limits {
    uint64_t memory; /* bytes: twice as many may be taken beside what is there */
    uint64_t work;   /* bytes that are to be read, for the time it may take */
} rdc_hdf5_limits;
/* Inside the module, in the child: from here on this process can calculate, take memory and time in
 * proportion to the limits, and write to the wire, no more. False: an error frame was sent. */
bool rdc_hdf5_sandbox(const rdc_hdf5_limits *limits, const rdc_wire *wire);
/* The same, and then opens the image's root folder (an hid_t). */
bool rdc_hdf5_begin(const void *image, size_t bytes, const rdc_hdf5_limits *limits,
                    const rdc_wire *wire, int64_t *root);
bool rdc_hdf5_image(const rd_entry *entries, size_t n, size_t user_bytes, const rdc_wire *wire);
bool rdc_hdf5_parse(const void *image, size_t bytes, const rdc_wire *wire);
bool rdc_hdf5_look(const void *image, size_t bytes, uint64_t work, const rdc_wire *wire);
bool rdc_hdf5_rows(const void *image, size_t bytes, const rdc_rows_wanted *what,
                   const rdc_wire *wire);
extern RD_EXPORT const rdc_hdf5 rdc_hdf5_module;
#endif
