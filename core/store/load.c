/* load.c - a file becomes an archive: the seal is checked here, HDF5 is parsed in the child.
 *
 * Nothing the child sends is believed: kinds, names, ranks and sizes are checked against the limits, and
 * what arrived must have the state digest that the seal names.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "store/archive.h"
#include "store/child.h"
#include "store/files.h"
#include "store/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct sealed { /* a file in memory; from malloc */
    unsigned char *at;
    size_t bytes;
    rdc_seal seal;
} sealed;

static bool parse(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    const sealed *file = job;
    return hdf5->parse(file->at, file->bytes, wire);
}

static rd_status check_length(const char *path, const rdc_seal *seal, uint64_t bytes, rd_error *err)
{
    const uint64_t expected = seal->image_bytes + RDC_SEAL_BYTES;
    if (bytes == expected) return RD_OK;
    return rdc_fail(err, RD_E_IO, "cannot load '%s': it %s (it has %llu bytes, %llu were written)",
                    path, bytes < expected ? "is truncated" : "has something behind its end",
                    (unsigned long long)bytes, (unsigned long long)expected);
}

/* Reads [from, to) of the file into file->at. */
static rd_status read_part(int fd, const char *path, sealed *file, size_t from, rd_error *err)
{
    size_t got;
    if (!rdc_read_all(fd, file->at + from, file->bytes - from, &got))
        return rdc_fail(err, RD_E_IO, "cannot load '%s': %s (read)", path, strerror(errno));
    if (got == file->bytes - from) return RD_OK;
    return rdc_fail(err, RD_E_IO, "cannot load '%s': it shrank while it was read", path);
}

static rd_status read_sealed(int fd, uint64_t bytes, const char *path, sealed *file, rd_error *err)
{
    unsigned char head[RDC_SEAL_BYTES];
    size_t got;
    if (!rdc_read_all(fd, head, sizeof(head), &got))
        return rdc_fail(err, RD_E_IO, "cannot load '%s': %s (read)", path, strerror(errno));
    RD_TRY(rdc_seal_read(head, got, path, &file->seal, err));
    RD_TRY(check_length(path, &file->seal, bytes, err));
    if (bytes > RDC_FILE_BYTES) {
        char size[32];
        return rdc_fail(err, RD_E_IO, "cannot load '%s': it has %s, the limit is 4 GiB", path,
                        rdc_size_text(bytes, size));
    }
    file->bytes = (size_t)bytes;
    file->at = malloc(file->bytes);
    if (!file->at) return rdc_no_memory(err, file->bytes);
    memcpy(file->at, head, sizeof(head));
    RD_TRY(read_part(fd, path, file, sizeof(head), err));
    unsigned char digest[RDC_DIGEST_BYTES];
    rdc_digest_bytes(file->at + RDC_SEAL_BYTES, file->bytes - RDC_SEAL_BYTES, digest);
    if (memcmp(digest, file->seal.file, sizeof(digest)) != 0)
        return rdc_fail(err, RD_E_IO,
                        "cannot load '%s': it is damaged (its bytes do not match its digest)",
                        path);
    return RD_OK;
}

static rd_status nonsense(rd_error *err)
{
    return rdc_fail(err, RD_E_IO, "the child process for HDF5 sent nonsense");
}

/* Takes one entry; `left` is what all values together may still have. */
static rd_status take_entry(rdc_child *child, const rdc_frame *frame, rd_archive *a, uint64_t *left,
                            rd_error *err)
{
    rd_entry entry = {.kind = (rd_entry_kind)frame->kind, .ndim = frame->ndim};
    size_t bytes;
    if (frame->ndim > RD_MAX_DIMS || frame->name_bytes == 0 || frame->name_bytes > RDC_NAME_BYTES)
        return nonsense(err);
    for (uint32_t d = 0; d < frame->ndim; d++) entry.shape[d] = (size_t)frame->shape[d];
    if (!rdc_entry_bytes(&entry, &bytes) || bytes != frame->data_bytes || bytes > *left)
        return nonsense(err);
    *left -= bytes;
    char *name = malloc(frame->name_bytes + (size_t)1);
    char *values = malloc(bytes + 1);
    rd_status status = name && values ? RD_OK : rdc_no_memory(err, bytes + 1);
    if (status == RD_OK) status = rdc_child_read(child, name, frame->name_bytes, err);
    if (status == RD_OK) status = rdc_child_read(child, values, bytes, err);
    if (status == RD_OK) {
        name[frame->name_bytes] = '\0';
        values[bytes] = '\0';
        entry.name = name;
        entry.data = values;
        status = rdc_archive_adopt(a, &entry, err);
    }
    if (status != RD_OK) {
        free(name);
        free(values);
    }
    return status;
}

static rd_status receive(rdc_child *child, rd_archive *a, uint64_t left, rd_error *err)
{
    for (;;) {
        rdc_frame frame;
        RD_TRY(rdc_child_frame(child, &frame, err));
        if (frame.type == RDC_FRAME_DONE) return frame.data_bytes == a->n ? RD_OK : nonsense(err);
        if (frame.type != RDC_FRAME_ENTRY) return nonsense(err);
        RD_TRY(take_entry(child, &frame, a, &left, err));
    }
}

static rd_status parse_sealed(const rd_core *core, const sealed *file, rd_archive *a, rd_error *err)
{
    rdc_child child;
    RD_TRY(rdc_child_start(core, parse, file, &child, err));
    child.reads = true;
    const rd_status received = receive(&child, a, file->bytes, err);
    RD_TRY(rdc_child_end(&child, received, err));
    unsigned char digest[RDC_DIGEST_BYTES];
    RD_TRY(rdc_digest_state(a, digest, err));
    if (memcmp(digest, file->seal.state, sizeof(digest)) != 0)
        return rdc_fail(err, RD_E_IO, "its values do not match its state digest");
    return RD_OK;
}

rd_status rd_archive_load(const rd_core *core, const char *path, rd_archive **out,
                          rd_digests *digests, rd_error *err)
{
    int fd;
    uint64_t bytes;
    sealed file = {0};
    rd_archive *a = NULL;
    rd_error why;
    RD_TRY(rdc_open_regular(path, "load", &fd, &bytes, err));
    rd_status status = read_sealed(fd, bytes, path, &file, err);
    close(fd);
    if (status != RD_OK) goto done;
    status = rd_archive_new(&a, err);
    if (status != RD_OK) goto done;
    status = parse_sealed(core, &file, a, &why);
    if (status != RD_OK) {
        status = rdc_fail(err, status, "cannot load '%s': %s", path, why.text);
        goto done;
    }
    if (digests) rdc_seal_digests(&file.seal, digests);
    *out = a;
    a = NULL;
done:
    rd_archive_free(a);
    free(file.at);
    return status;
}
