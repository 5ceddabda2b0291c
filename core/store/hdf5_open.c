/* hdf5_open.c - how an image in memory is opened in the child: shut in first, nothing copied.
 *
 * SPDX-License-Identifier: MIT */
#include "store/hdf5_module.h"

#include <hdf5.h>

/* The image is lent to HDF5 as it lies: without these, its property lists and the driver would make three
 * copies of it. Nothing writes to it: the file is opened for reading. */
static void *lend(size_t bytes, H5FD_file_image_op_t op, void *image)
{
    (void)bytes, (void)op;
    return image;
}

static void *no_copy(void *to, const void *from, size_t bytes, H5FD_file_image_op_t op, void *image)
{
    (void)bytes, (void)op, (void)image;
    return to == from ? to : NULL;
}

static void *no_growth(void *at, size_t bytes, H5FD_file_image_op_t op, void *image)
{
    (void)at, (void)bytes, (void)op, (void)image;
    return NULL;
}

static herr_t keep(void *at, H5FD_file_image_op_t op, void *image)
{
    (void)at, (void)op, (void)image;
    return 0;
}

static void *same_image(void *image)
{
    return image;
}

static herr_t keep_image(void *image)
{
    (void)image;
    return 0;
}

/* Opens the image. The name is absolute, so that HDF5 does not ask for the current folder, and no file
 * can have it: the core driver refuses the name of a file that exists. */
static hid_t open_image(const void *image, size_t bytes)
{
    void *at = (void *)(uintptr_t)image;
    H5FD_file_image_callbacks_t callbacks = {.image_malloc = lend,
                                             .image_memcpy = no_copy,
                                             .image_realloc = no_growth,
                                             .image_free = keep,
                                             .udata_copy = same_image,
                                             .udata_free = keep_image,
                                             .udata = at};
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (H5Pset_fapl_core(access, 4096, 0) < 0 ||
        H5Pset_file_image_callbacks(access, &callbacks) < 0 ||
        H5Pset_file_image(access, at, bytes) < 0)
        return H5I_INVALID_HID;
    return H5Fopen("/dev/null/rondo-checkpoint", H5F_ACC_RDONLY, access);
}

bool rdc_hdf5_begin(const void *image, size_t bytes, const rdc_hdf5_limits *limits,
                    const rdc_wire *wire, int64_t *root)
{
    if (H5open() < 0 || H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0 || H5PLset_loading_state(0) < 0 ||
        H5Lunregister(H5L_TYPE_EXTERNAL) < 0)
        return rdc_hdf5_fail(wire, "HDF5 does not start", NULL);
    if (!rdc_hdf5_sandbox(limits, wire)) return false;
    const hid_t file = open_image(image, bytes);
    if (file < 0) return rdc_hdf5_fail(wire, "HDF5 cannot open the image", NULL);
    *root = H5Gopen2(file, "/", H5P_DEFAULT);
    return *root >= 0 || rdc_hdf5_fail(wire, "HDF5 cannot open the image's root", NULL);
}
