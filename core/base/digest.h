/* digest.h - XXH3-128 of bytes, as `xxhsum -H2` has it: what tells files and data apart.
 * SPDX-License-Identifier: MIT */
#ifndef RD_DIGEST_H
#define RD_DIGEST_H
#include <stddef.h>

#define RDC_DIGEST_BYTES ((size_t)16)

void rdc_digest_bytes(const void *bytes, size_t n, unsigned char digest[RDC_DIGEST_BYTES]);
/* In lower case. */
void rdc_digest_hex(const unsigned char digest[RDC_DIGEST_BYTES], char hex[33]);
#endif
