/* liar.c - in the place of the module that works with libhdf5: sends the bytes that a test has put into the
 * file or the archive, whatever they are.
 *
 * A checkpoint's lie behind the seal; those of `look` and `rows` one behind the other, each behind its
 * length in 8 bytes. Of a save it is the values of the first entry.
 * SPDX-License-Identifier: MIT */
#include "store/hdf5_module.h"

#include "store/seal.h"

#include <string.h>

#ifndef RD_TEST_VERSION /* the build makes one of another version too */
#define RD_TEST_VERSION RDC_HDF5_VERSION
#endif

static bool image(const rd_entry *entries, size_t n, size_t user_bytes, const rdc_wire *wire)
{
    (void)n, (void)user_bytes;
    return wire->send(wire->fd, entries[0].data, entries[0].shape[0]);
}

static bool parse(const void *file, size_t bytes, const rdc_wire *wire)
{
    return wire->send(wire->fd, (const char *)file + RDC_SEAL_BYTES, bytes - RDC_SEAL_BYTES);
}

static const char *behind_length(const char *at, uint64_t *n)
{
    memcpy(n, at, sizeof(*n));
    return at + sizeof(*n);
}

static bool look(const void *file, size_t bytes, uint64_t work, const rdc_wire *wire)
{
    (void)bytes, (void)work;
    uint64_t n;
    const char *at = behind_length(file, &n);
    return wire->send(wire->fd, at, n);
}

static bool rows(const void *file, size_t bytes, const rdc_rows_wanted *what, const rdc_wire *wire)
{
    (void)bytes, (void)what;
    uint64_t n;
    const char *at = behind_length(file, &n);
    at = behind_length(at + n, &n);
    return wire->send(wire->fd, at, n);
}

extern RD_EXPORT const rdc_hdf5 rdc_hdf5_module;
RD_EXPORT const rdc_hdf5 rdc_hdf5_module = {
    .version = RD_TEST_VERSION, .image = image, .parse = parse, .look = look, .rows = rows};
