/* save.c - an archive becomes a file: image from the child, seal and writing by us.
 *
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "store/archive.h"
#include "store/child.h"
#include "store/files.h"
#include "store/seal.h"

#include <stdlib.h>
#include <string.h>

static bool build(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    const rd_archive *a = job;
    return hdf5->image(a->entries, a->n, RDC_SEAL_BYTES, wire);
}

/* More than an image of the archive can have: tables of HDF5 and of each entry, and folders of its name. */
static uint64_t most_bytes(const rd_archive *a)
{
    return 2 * (uint64_t)a->bytes + ((uint64_t)a->n << 16) + ((uint64_t)1 << 24);
}

/* Reads the image, whose first 512 bytes are free for the seal. */
static rd_status receive(rdc_child *child, const rd_archive *a, unsigned char **image,
                         size_t *bytes, rd_error *err)
{
    rdc_frame frame;
    RD_TRY(rdc_child_frame(child, &frame, err));
    if (frame.type != RDC_FRAME_IMAGE || frame.data_bytes <= RDC_SEAL_BYTES ||
        frame.data_bytes > most_bytes(a))
        return rdc_fail(err, RD_E_INTERNAL, "the child process for HDF5 sent nonsense");
    if (frame.data_bytes > RDC_FILE_BYTES)
        return rdc_fail(err, RD_E_ARG, "the file would be larger than the limit of 4 GiB");
    *bytes = (size_t)frame.data_bytes;
    *image = malloc(*bytes);
    if (!*image) return rdc_no_memory(err, *bytes);
    return rdc_child_read(child, *image, *bytes, err);
}

/* Every reason for which no image came, as a sentence about the file. */
static rd_status about(const char *path, rd_status status, const rd_error *why, rd_error *err)
{
    return status == RD_OK ? RD_OK : rdc_fail(err, status, "cannot save '%s': %s", path, why->text);
}

rd_status rd_archive_save(const rd_core *core, const rd_archive *a, const char *path,
                          rd_digests *digests, rd_error *err)
{
    unsigned char *image = NULL;
    size_t bytes = 0;
    rdc_child child;
    rdc_seal seal;
    rd_error why;
    RD_TRY(about(path, rdc_child_start(core, build, a, &child, &why), &why, err));
    rd_status status = receive(&child, a, &image, &bytes, &why);
    status = about(path, rdc_child_end(&child, status, &why), &why, err);
    if (status != RD_OK) goto done;
    status = rdc_digest_state(a, seal.state, err);
    if (status != RD_OK) goto done;
    seal.image_bytes = bytes - RDC_SEAL_BYTES;
    rdc_digest_bytes(image + RDC_SEAL_BYTES, bytes - RDC_SEAL_BYTES, seal.file);
    rdc_seal_write(&seal, image);
    rdc_sweep_temporaries(path, RDC_SEAL_MAGIC, RDC_SEAL_MAGIC_BYTES);
    status = rdc_write_durable(path, &(rdc_part){.at = image, .bytes = bytes}, 1, err);
    if (status == RD_OK && digests) rdc_seal_digests(&seal, digests);
done:
    free(image);
    return status;
}
