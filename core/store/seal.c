/* seal.c - writes and checks the user block of a checkpoint, and makes the two digests.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "store/seal.h"

#include "store/archive.h"

#include <string.h>
#include <xxhash.h>

/* Offsets of seal.h's table. */
enum { AT_VERSION = 8, AT_IMAGE = 16, AT_FILE = 24, AT_STATE = 40, AT_CHECK = 56, AT_REST = 64 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are copied as they lie");

static void checksum(const unsigned char *block, unsigned char out[8])
{
    XXH64_canonical_t canonical;
    XXH64_canonicalFromHash(&canonical, XXH3_64bits(block, AT_CHECK));
    memcpy(out, canonical.digest, 8);
}

void rdc_seal_write(const rdc_seal *seal, unsigned char block[RDC_SEAL_BYTES])
{
    const uint32_t version = RDC_SEAL_VERSION;
    memset(block, 0, RDC_SEAL_BYTES);
    memcpy(block, RDC_SEAL_MAGIC, RDC_SEAL_MAGIC_BYTES);
    memcpy(block + AT_VERSION, &version, sizeof(version));
    memcpy(block + AT_IMAGE, &seal->image_bytes, sizeof(seal->image_bytes));
    memcpy(block + AT_FILE, seal->file, RDC_DIGEST_BYTES);
    memcpy(block + AT_STATE, seal->state, RDC_DIGEST_BYTES);
    checksum(block, block + AT_CHECK);
}

/* Says what a file without our magic is, as far as can be seen. */
static rd_status refuse_foreign(const unsigned char *block, size_t n, const char *path,
                                rd_error *err)
{
    static const unsigned char hdf5[8] = "\x89HDF\r\n\x1a\n";
    if (n == 0)
        return rdc_fail(err, RD_E_IO, "cannot load '%s': it is empty, not a Rondo checkpoint",
                        path);
    if (n >= sizeof(hdf5) && memcmp(block, hdf5, sizeof(hdf5)) == 0)
        return rdc_fail(err, RD_E_IO,
                        "cannot load '%s': it is an HDF5 file but not a Rondo checkpoint (it has "
                        "no seal)",
                        path);
    return rdc_fail(err, RD_E_IO, "cannot load '%s': it is not a Rondo checkpoint", path);
}

rd_status rdc_seal_read(const unsigned char *block, size_t n, const char *path, rdc_seal *out,
                        rd_error *err)
{
    const size_t seen = n < RDC_SEAL_MAGIC_BYTES ? n : RDC_SEAL_MAGIC_BYTES;
    if (n == 0 || memcmp(block, RDC_SEAL_MAGIC, seen) != 0)
        return refuse_foreign(block, n, path, err);
    if (n < RDC_SEAL_BYTES)
        return rdc_fail(err, RD_E_IO,
                        "cannot load '%s': it is truncated (it has %zu bytes, its header alone "
                        "takes %zu)",
                        path, n, RDC_SEAL_BYTES);
    unsigned char check[8];
    checksum(block, check);
    bool whole = memcmp(check, block + AT_CHECK, sizeof(check)) == 0;
    for (size_t i = AT_REST; i < RDC_SEAL_BYTES; i++) whole = whole && block[i] == 0;
    if (!whole)
        return rdc_fail(err, RD_E_IO,
                        "cannot load '%s': it is damaged (the header does not match its checksum)",
                        path);
    uint32_t version;
    memcpy(&version, block + AT_VERSION, sizeof(version));
    if (version != RDC_SEAL_VERSION)
        return rdc_fail(err, RD_E_IO,
                        "cannot load '%s': it has format %u, this Rondo reads format %u; a newer "
                        "Rondo wrote it",
                        path, version, RDC_SEAL_VERSION);
    memcpy(&out->image_bytes, block + AT_IMAGE, sizeof(out->image_bytes));
    memcpy(out->file, block + AT_FILE, RDC_DIGEST_BYTES);
    memcpy(out->state, block + AT_STATE, RDC_DIGEST_BYTES);
    return RD_OK;
}

static void hash_entry(XXH3_state_t *hash, const rd_entry *entry)
{
    uint64_t head[2 + RD_MAX_DIMS] = {(uint64_t)entry->kind, entry->ndim};
    for (uint32_t d = 0; d < entry->ndim; d++) head[2 + d] = entry->shape[d];
    size_t bytes = 0;
    (void)rdc_entry_bytes(entry, &bytes); /* checked when it was put */
    XXH3_128bits_update(hash, entry->name, strlen(entry->name) + 1);
    XXH3_128bits_update(hash, head, (2 + entry->ndim) * sizeof(*head));
    XXH3_128bits_update(hash, entry->data, bytes);
}

rd_status rdc_digest_state(const rd_archive *a, unsigned char digest[RDC_DIGEST_BYTES],
                           rd_error *err)
{
    XXH3_state_t *hash = XXH3_createState();
    if (!hash) return rdc_fail(err, RD_E_NOMEM, "out of memory (digest)");
    XXH3_128bits_reset(hash);
    for (size_t i = 0; i < a->n; i++)
        if (!rdc_is_history(a->entries[i].name)) hash_entry(hash, &a->entries[i]);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash));
    memcpy(digest, canonical.digest, RDC_DIGEST_BYTES);
    XXH3_freeState(hash);
    return RD_OK;
}

void rdc_seal_digests(const rdc_seal *seal, rd_digests *out)
{
    rdc_digest_hex(seal->file, out->file);
    rdc_digest_hex(seal->state, out->state);
}
