/* child.h - a forked child that works with libhdf5 and sends frames up a pipe.
 *
 * Invariant: between start and end there is one child and one open descriptor; end reaps the one and
 * closes the other whatever happened. Signals of the terminal and of batch systems do not reach the child.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHILD_H
#define RD_CHILD_H
#include "rondo.h"
#include "store/hdf5_module.h"

#include <sys/types.h>

typedef struct rdc_child {
    pid_t pid;
    int fd;     /* the reading end */
    bool ended; /* the child closed its end before all was said */
    bool reads; /* what somebody else wrote: said to whoever wonders at how the child ended */
} rdc_child;

/* What the child does; its result is the child's exit: true for success. */
typedef bool (*rdc_child_fn)(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire);

/* Forks; the child loads <lib_dir of core>/rondo_hdf5.so and runs fn(job). */
rd_status rdc_child_start(const rd_core *core, rdc_child_fn fn, const void *job, rdc_child *out,
                          rd_error *err);
/* Reads a frame. An error frame becomes the error. */
rd_status rdc_child_frame(rdc_child *c, rdc_frame *frame, rd_error *err);
rd_status rdc_child_read(rdc_child *c, void *bytes, size_t n, rd_error *err);
/* Waits for the child. `status` is how the reading went: if not well, the child is killed. Returns
 * status; err names the signal if one ended the child too early. */
rd_status rdc_child_end(rdc_child *c, rd_status status, rd_error *err);
#endif
