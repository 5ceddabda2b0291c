/* faulty_hdf5.h - calls of libhdf5 that fail when a test wants it: the linker puts these in front (--wrap).
 * So do allocations of those who call it, and by name the calls that shut the reader in; and the call that
 * sets its clock is looked at.
 * SPDX-License-Identifier: MIT */
#ifndef RD_FAULTS_FAULTY_HDF5_H
#define RD_FAULTS_FAULTY_HDF5_H
#include <stdbool.h>

typedef struct hdf5_fault {
    long call;       /* the call that fails, from 1; 0: none */
    long calls;      /* so far */
    const char *lie; /* a call that does nothing and says that it did; NULL: none */
    const char *off; /* a call that shuts in, which fails every time; NULL: none */
    char name[40];   /* of the call that failed; "": none yet */
    int open[26];    /* what was opened and not closed, by its letter: 'S' for dataspaces (H5S) */
    long seconds;    /* after which the clock ends the process; 0: it does not */
} hdf5_fault;

/* From here on calls are counted in *fault, which may be memory that processes share. */
void hdf5_faults_begin(hdf5_fault *fault);
void hdf5_faults_end(void);
#endif
