/* faulty_io.h - calls of the system that fail when a test wants it: the linker puts these in front (--wrap).
 *
 * Only the process that set them is counted; children have the system as it is.
 * SPDX-License-Identifier: MIT */
#ifndef RD_FAULTS_FAULTY_IO_H
#define RD_FAULTS_FAULTY_IO_H
#include <stdbool.h>
#include <stddef.h>

typedef struct io_fault {
    long call;   /* the call that fails, from 1; 0: none */
    int number;  /* errno, IO_SHORT or IO_END */
    bool always; /* and all after it */
    int signal;  /* that a forked child gets as soon as it is there; 0: none */
} io_fault;
enum {
    IO_SHORT = -1, /* half of what was asked for is written or read */
    IO_END = -2    /* there is nothing more to read */
};

void io_faults_begin(io_fault fault);
/* Calls since begin; afterwards the system is as it is. */
long io_faults_end(void);
/* The call that failed last, "write"; NULL if none did. */
const char *io_faults_name(void);

typedef enum io_kind { IO_CREATE, IO_WRITE, IO_SYNC, IO_RENAME, IO_SYNC_FOLDER, IO_UNLINK } io_kind;
typedef struct io_step { /* what has changed the disk */
    io_kind kind;
    size_t bytes; /* written */
    char name[128], to[128];
} io_step;
/* The changes since begin, and how many. */
const io_step *io_steps(size_t *n);
#endif
