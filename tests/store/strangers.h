/* strangers.h - HDF5 files of somebody else's through both readers: as a series, and sealed as a checkpoint.
 * SPDX-License-Identifier: MIT */
#ifndef RD_STORE_STRANGERS_H
#define RD_STORE_STRANGERS_H
#include "checkpoint.h"
#include "rondo_series.h"
#include "store/seal.h"

/* Writes FOLDER/sealed.h5: an image with a seal in its user block, as a stranger can make one. */
static inline const char *seal_image(scratch *s, const unsigned char *image, size_t n)
{
    unsigned char *bytes = malloc(RDC_SEAL_BYTES + n);
    rdc_seal seal = {.image_bytes = n};
    rdc_digest_bytes(image, n, seal.file);
    rdc_seal_write(&seal, bytes);
    memcpy(bytes + RDC_SEAL_BYTES, image, n);
    const char *path = scratch_write(s, "sealed.h5", bytes, RDC_SEAL_BYTES + n);
    free(bytes);
    return path;
}

/* Reads a dataset into a series of its own. */
static inline rd_status read_set(const rd_hdf5 *h, size_t i, double *first, rd_error *err)
{
    const rd_hdf5_set *sets;
    (void)rd_hdf5_sets(h, &sets);
    const rd_series_form form = {.rows = sets[i].rows,
                                 .columns = (uint32_t)sets[i].columns,
                                 .folder = "/tmp",
                                 .most_bytes = (size_t)1 << 20};
    rd_series *series = NULL;
    rd_status status = rd_series_new(&form, &series, err);
    if (status != RD_OK) return status;
    uint32_t *to = calloc(form.columns + (size_t)1, sizeof(*to));
    for (uint32_t k = 0; k < form.columns; k++) to[k] = k;
    status = rd_hdf5_rows(&core, h, i, series, to, err);
    if (status == RD_OK && first && form.rows > 0) *first = rd_series_column(series, 0)[0];
    free(to);
    rd_series_free(series);
    return status;
}
#endif
