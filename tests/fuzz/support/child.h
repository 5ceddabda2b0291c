/* child.h - the child process for HDF5 as a fuzzer has it: started quickly, heard by the fuzzer, and its own
 * crashes told from libhdf5's.
 *
 * The product's promise is that the parent survives whatever libhdf5 does in the child. So a crash in libhdf5
 * is none of the fuzzer's findings; one in the code of rondo_hdf5.so is, and so is a block of its making that
 * libhdf5 runs over.
 * SPDX-License-Identifier: MIT */
#ifndef RD_FUZZ_CHILD_H
#define RD_FUZZ_CHILD_H
#include "rondo.h"

/* Once, before the first child. Programs that call it name `fork` and `write` in their .wrap file. */
void fuzz_child_begin(void);
/* After each input: ends the program if rondo_hdf5.so was at fault in a child. */
void fuzz_child_check(void);
/* Makes the checksums of an image's superblock and object headers (HDF5 1.8's forms) those of its bytes. */
void fuzz_hdf5_checksums(uint8_t *image, size_t n);
#endif
