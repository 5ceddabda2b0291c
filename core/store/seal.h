/* seal.h - the 512 bytes before the HDF5 image that prove a file whole.
 *
 *   0  "RONDO\r\n\x1a"        8  format version (u32)     12  zero (u32)
 *  16  bytes of the image     24  digest of the image      40  digest of the state
 *  56  XXH3-64 of bytes 0..55                              64  zero to the end
 *
 * Numbers are little-endian; digests and the checksum lie in XXH's canonical (big-endian) form, as
 * `xxhsum` prints them. It is an HDF5 user block: every HDF5 reader skips it. The seal proves that a file
 * is as it was written, not who wrote it.
 * SPDX-License-Identifier: MIT */
#ifndef RD_SEAL_H
#define RD_SEAL_H
#include "base/digest.h"
#include "rondo.h"

#define RDC_SEAL_BYTES ((size_t)512)
#define RDC_SEAL_MAGIC "RONDO\r\n\x1a"
#define RDC_SEAL_MAGIC_BYTES ((size_t)8)
#define RDC_SEAL_VERSION 1u

typedef struct rdc_seal {
    uint64_t image_bytes; /* bytes 512..end of the file */
    unsigned char file[RDC_DIGEST_BYTES];
    unsigned char state[RDC_DIGEST_BYTES];
} rdc_seal;

void rdc_seal_write(const rdc_seal *seal, unsigned char block[RDC_SEAL_BYTES]);
/* Reads the block of the file `path`, of which the first n bytes (512 unless the file is shorter) are at
 * hand. Fails on what is not a checkpoint, is damaged, or is of a later version. */
rd_status rdc_seal_read(const unsigned char *block, size_t n, const char *path, rdc_seal *out,
                        rd_error *err);

/* Of every entry that is not history, in order of name: its name with NUL, kind, rank and shape, values. */
rd_status rdc_digest_state(const rd_archive *a, unsigned char digest[RDC_DIGEST_BYTES],
                           rd_error *err);
void rdc_seal_digests(const rdc_seal *seal, rd_digests *out);
#endif
