/* digest.c - XXH3-128 in its canonical form.
 * SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include "rondo.h"

#include <string.h>
#include <xxhash.h>

void rdc_digest_bytes(const void *bytes, size_t n, unsigned char digest[RDC_DIGEST_BYTES])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, n));
    memcpy(digest, canonical.digest, RDC_DIGEST_BYTES);
}

void rdc_digest_hex(const unsigned char digest[RDC_DIGEST_BYTES], char hex[33])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < RDC_DIGEST_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * RDC_DIGEST_BYTES] = '\0';
}

void rd_digest(const void *bytes, size_t n, char hex[33])
{
    unsigned char digest[RDC_DIGEST_BYTES];
    rdc_digest_bytes(bytes, n, digest);
    rdc_digest_hex(digest, hex);
}
