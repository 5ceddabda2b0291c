/* hdf5_image.c - builds the HDF5 image of an archive in memory.
 *
 * Superblock 2 (libver v18: checksummed headers, no write flags left behind by a killed writer), object
 * times off, contiguous little-endian values: equal archives give equal bytes. H5Fget_file_image of
 * HDF5 1.10.8 returns images of this version that cannot be opened, and drops the user block; so the
 * core driver's own buffer is kept when the file is closed, by an image callback.
 * SPDX-License-Identifier: MIT */
#include "store/hdf5_module.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

/* The core driver's buffer grows by this much; what is not used is cut off at the end. */
#define GROWTH ((size_t)1 << 20)

typedef struct kept { /* the driver's buffer: lives until the child exits */
    void *at;
    size_t bytes;
} kept;

static void *image_malloc(size_t bytes, H5FD_file_image_op_t op, void *udata)
{
    (void)op, (void)udata;
    return malloc(bytes);
}

static void *image_realloc(void *at, size_t bytes, H5FD_file_image_op_t op, void *udata)
{
    (void)op;
    void *grown = realloc(at, bytes);
    if (grown) ((kept *)udata)->bytes = bytes;
    return grown;
}

static herr_t image_free(void *at, H5FD_file_image_op_t op, void *udata)
{
    if (op == H5FD_FILE_IMAGE_OP_FILE_CLOSE)
        ((kept *)udata)->at = at;
    else
        free(at);
    return 0;
}

static void *same_udata(void *udata)
{
    return udata;
}

static herr_t keep_udata(void *udata)
{
    (void)udata;
    return 0;
}

typedef struct writer {
    hid_t file, group_plist, data_plist, link_plist;
} writer;

static hid_t open_file(size_t user_bytes, kept *image)
{
    H5FD_file_image_callbacks_t callbacks = {.image_malloc = image_malloc,
                                             .image_realloc = image_realloc,
                                             .image_free = image_free,
                                             .udata_copy = same_udata,
                                             .udata_free = keep_udata,
                                             .udata = image};
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    const hid_t create = H5Pcreate(H5P_FILE_CREATE);
    const bool ready = H5Pset_fapl_core(access, GROWTH, 0) >= 0 &&
                       H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0 &&
                       H5Pset_file_image_callbacks(access, &callbacks) >= 0 &&
                       H5Pset_userblock(create, user_bytes) >= 0 &&
                       H5Pset_obj_track_times(create, 0) >= 0;
    /* The name is never used: with backing store off the driver opens no file. */
    return ready ? H5Fcreate("rondo-checkpoint", H5F_ACC_TRUNC, create, access) : H5I_INVALID_HID;
}

static bool make_plists(writer *w)
{
    w->group_plist = H5Pcreate(H5P_GROUP_CREATE);
    w->data_plist = H5Pcreate(H5P_DATASET_CREATE);
    w->link_plist = H5Pcreate(H5P_LINK_CREATE);
    return H5Pset_obj_track_times(w->group_plist, 0) >= 0 &&
           H5Pset_obj_track_times(w->data_plist, 0) >= 0 &&
           H5Pset_layout(w->data_plist, H5D_CONTIGUOUS) >= 0 &&
           H5Pset_fill_time(w->data_plist, H5D_FILL_TIME_NEVER) >= 0 &&
           H5Pset_char_encoding(w->link_plist, H5T_CSET_UTF8) >= 0;
}

/* Makes the folders of a name. By hand, because folders made on the way (H5Pset_create_intermediate_group)
 * take default properties and with them the time of day. */
static bool make_groups(const writer *w, const char *name)
{
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        char *folder = strndup(name, (size_t)(slash - name));
        if (!folder) return false;
        const htri_t there = H5Lexists(w->file, folder, H5P_DEFAULT);
        bool good = there > 0;
        if (there == 0) {
            const hid_t group =
                H5Gcreate2(w->file, folder, w->link_plist, w->group_plist, H5P_DEFAULT);
            good = group >= 0 && H5Gclose(group) >= 0;
        }
        free(folder);
        if (!good) return false;
    }
    return true;
}

/* A text of n bytes is one string of fixed length; the empty one is told by its padding. */
static hid_t text_type(size_t n)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (H5Tset_size(type, n ? n : 1) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0 ||
        H5Tset_strpad(type, n ? H5T_STR_NULLPAD : H5T_STR_NULLTERM) < 0)
        return H5I_INVALID_HID;
    return type;
}

static hid_t entry_type(const rd_entry *entry)
{
    switch (entry->kind) {
    case RD_ENTRY_F32:
        return H5Tcopy(H5T_IEEE_F32LE);
    case RD_ENTRY_F64:
        return H5Tcopy(H5T_IEEE_F64LE);
    case RD_ENTRY_I64:
        return H5Tcopy(H5T_STD_I64LE);
    case RD_ENTRY_TEXT:
        return text_type(entry->shape[0]);
    }
    return H5I_INVALID_HID;
}

static hid_t entry_space(const rd_entry *entry)
{
    if (entry->kind == RD_ENTRY_TEXT || entry->ndim == 0) return H5Screate(H5S_SCALAR);
    hsize_t shape[RD_MAX_DIMS];
    for (uint32_t d = 0; d < entry->ndim; d++) shape[d] = entry->shape[d];
    return H5Screate_simple((int)entry->ndim, shape, NULL);
}

static bool write_entry(const writer *w, const rd_entry *entry)
{
    if (!make_groups(w, entry->name)) return false;
    const hid_t type = entry_type(entry);
    const hid_t space = entry_space(entry);
    const hid_t set =
        H5Dcreate2(w->file, entry->name, type, space, w->link_plist, w->data_plist, H5P_DEFAULT);
    const bool written =
        set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, entry->data) >= 0;
    return written && H5Dclose(set) >= 0 && H5Sclose(space) >= 0 && H5Tclose(type) >= 0;
}

/* Bytes of the image that are used: the end-of-file address in the superblock of version 2, which is
 * absolute. 0: it is not there. */
static size_t used_bytes(const kept *image, size_t user_bytes)
{
    enum { SIGNATURE = 8, AT_END = 28, SUPERBLOCK = 48 };
    if (!image->at || image->bytes < user_bytes + SUPERBLOCK) return 0;
    const unsigned char *block = (const unsigned char *)image->at + user_bytes;
    uint64_t end;
    if (block[SIGNATURE] != 2) return 0;
    memcpy(&end, block + AT_END, sizeof(end));
    return end <= image->bytes ? (size_t)end : 0;
}

bool rdc_hdf5_image(const rd_entry *entries, size_t n, size_t user_bytes, const rdc_wire *wire)
{
    kept image = {0};
    writer w = {0};
    if (H5open() < 0 || H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0)
        return rdc_hdf5_fail(wire, "HDF5 does not start", NULL);
    w.file = open_file(user_bytes, &image);
    if (w.file < 0 || !make_plists(&w))
        return rdc_hdf5_fail(wire, "HDF5 cannot make a file image", NULL);
    for (size_t i = 0; i < n; i++)
        if (!write_entry(&w, &entries[i]))
            return rdc_hdf5_fail(wire, "HDF5 cannot store", entries[i].name);
    if (H5Fclose(w.file) < 0) return rdc_hdf5_fail(wire, "HDF5 cannot close the image", NULL);
    const size_t bytes = used_bytes(&image, user_bytes);
    if (bytes == 0) return rdc_hdf5_fail(wire, "HDF5 kept no image", NULL);
    const rdc_frame frame = {.type = RDC_FRAME_IMAGE, .data_bytes = bytes};
    return wire->send(wire->fd, &frame, sizeof(frame)) && wire->send(wire->fd, image.at, bytes);
}
