/* hdf5_parse.c - reads an HDF5 image from memory and sends what it holds, name by name.
 *
 * Only what the writer makes is read: hard links, groups, contiguous unfiltered arrays of three types and
 * fixed strings. Everything by which HDF5 can be led to other files (external and soft links, external raw
 * storage, virtual layout, filter plugins) is refused before a value is read; and the process could not
 * open them (hdf5_sandbox.c).
 * SPDX-License-Identifier: MIT */
#include "store/hdf5_module.h"

#include "store/archive.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const rdc_wire *wire;
    size_t image_bytes; /* no array can be larger */
    uint64_t n;         /* entries sent */
    size_t links;       /* followed */
    uint32_t depth;
    bool failed; /* an error frame was sent */
    char path[RDC_NAME_BYTES + 1];
} reader;

static bool refuse(reader *r, const char *what)
{
    r->failed = true;
    H5Eclear2(H5E_DEFAULT);
    return rdc_hdf5_fail(r->wire, what, r->path);
}

static bool broken(reader *r, const char *what)
{
    r->failed = true;
    return rdc_hdf5_fail(r->wire, what, r->path);
}

/* Layout and filters: nothing but plain values in this very image. */
static bool check_storage(reader *r, hid_t set)
{
    const hid_t plist = H5Dget_create_plist(set);
    if (plist < 0) return broken(r, "HDF5 cannot read the layout of");
    const bool plain = H5Pget_layout(plist) == H5D_CONTIGUOUS &&
                       H5Pget_external_count(plist) == 0 && H5Pget_nfilters(plist) == 0;
    H5Pclose(plist);
    return plain || refuse(r, "there is an array that Rondo does not write (layout or filter):");
}

static bool read_type(reader *r, hid_t type, rdc_frame *frame)
{
    if (H5Tequal(type, H5T_IEEE_F32LE) > 0) {
        frame->kind = RD_ENTRY_F32;
    } else if (H5Tequal(type, H5T_IEEE_F64LE) > 0) {
        frame->kind = RD_ENTRY_F64;
    } else if (H5Tequal(type, H5T_STD_I64LE) > 0) {
        frame->kind = RD_ENTRY_I64;
    } else if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0) {
        const H5T_str_t padding = H5Tget_strpad(type);
        const size_t n = H5Tget_size(type);
        if (padding == H5T_STR_ERROR || n == 0) return broken(r, "HDF5 cannot read the type of");
        frame->kind = RD_ENTRY_TEXT;
        frame->ndim = 1;
        frame->shape[0] = padding == H5T_STR_NULLTERM ? 0 : n;
    } else {
        return refuse(r, "there is an array of a type that Rondo does not write:");
    }
    return true;
}

static bool read_shape(reader *r, hid_t space, rdc_frame *frame)
{
    const H5S_class_t form = H5Sget_simple_extent_type(space);
    if (form == H5S_SCALAR) return true;
    const int ndim = H5Sget_simple_extent_ndims(space);
    if (form != H5S_SIMPLE || frame->kind == RD_ENTRY_TEXT || ndim < 1 || ndim > RD_MAX_DIMS)
        return refuse(r, "there is an array of a shape that Rondo does not write:");
    hsize_t shape[RD_MAX_DIMS];
    if (H5Sget_simple_extent_dims(space, shape, NULL) != ndim)
        return broken(r, "HDF5 cannot read the shape of");
    frame->ndim = (uint32_t)ndim;
    for (int d = 0; d < ndim; d++) frame->shape[d] = shape[d];
    return true;
}

/* Bytes of the values, against the image that holds them. */
static bool read_size(reader *r, hid_t set, rdc_frame *frame)
{
    uint64_t bytes = frame->kind == RD_ENTRY_TEXT ? 1 : frame->kind == RD_ENTRY_F32 ? 4 : 8;
    bool empty = false, fits = true;
    for (uint32_t d = 0; d < frame->ndim; d++) {
        if (frame->shape[d] == 0)
            empty = true;
        else if (frame->shape[d] > r->image_bytes / bytes)
            fits = false;
        else
            bytes *= frame->shape[d];
    }
    frame->data_bytes = empty ? 0 : bytes;
    if (!fits || H5Dget_storage_size(set) < frame->data_bytes)
        return refuse(r, "there is an array larger than the file:");
    return true;
}

static bool send_entry(reader *r, const rdc_frame *frame, const void *values)
{
    const rdc_wire *wire = r->wire;
    const bool sent = wire->send(wire->fd, frame, sizeof(*frame)) &&
                      wire->send(wire->fd, r->path, frame->name_bytes) &&
                      wire->send(wire->fd, values, frame->data_bytes);
    r->n++;
    if (!sent) r->failed = true; /* nobody is there to be told */
    return sent;
}

static bool read_values(reader *r, hid_t set, hid_t type, rdc_frame *frame)
{
    if (!check_storage(r, set) || !read_type(r, type, frame)) return false;
    const hid_t space = H5Dget_space(set);
    if (space < 0) return broken(r, "HDF5 cannot read the shape of");
    const bool shaped = read_shape(r, space, frame);
    H5Sclose(space);
    if (!shaped || !read_size(r, set, frame)) return false;
    void *values = malloc(frame->data_bytes + 1);
    if (!values) return refuse(r, "there is no memory for");
    const bool read =
        frame->data_bytes == 0 || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    const bool sent = read ? send_entry(r, frame, values) : broken(r, "HDF5 cannot read");
    free(values);
    return sent;
}

static bool read_array(reader *r, hid_t set)
{
    rdc_frame frame = {.type = RDC_FRAME_ENTRY, .name_bytes = (uint32_t)strlen(r->path)};
    const hid_t type = H5Dget_type(set);
    if (type < 0) return broken(r, "HDF5 cannot read the type of");
    const bool good = read_values(r, set, type, &frame);
    H5Tclose(type);
    return good;
}

static bool read_group(reader *r, hid_t group);

static bool read_object(reader *r, hid_t group, const char *name)
{
    const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0) return broken(r, "HDF5 cannot open");
    const H5I_type_t kind = H5Iget_type(object);
    bool good;
    if (kind == H5I_GROUP)
        good = read_group(r, object);
    else if (kind == H5I_DATASET)
        good = read_array(r, object);
    else
        good = refuse(r, "there is an object that is neither array nor folder:");
    H5Oclose(object);
    return good;
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *user)
{
    reader *r = user;
    const size_t before = strlen(r->path);
    const size_t room = sizeof(r->path) - before;
    const int more = snprintf(r->path + before, room, before ? "/%s" : "%s", name);
    bool good;
    if ((size_t)more >= room)
        good = refuse(r, "there is a name that is too long:");
    else if (*name == '\0')
        good = refuse(r, "there is a link without a name in the folder");
    else if (link->type != H5L_TYPE_HARD)
        good = refuse(r, "there is a link to elsewhere:");
    else if (++r->links > r->image_bytes / RDC_LINK_BYTES)
        good = refuse(r, "there are more ways to an array than a file of this size has links:");
    else
        good = read_object(r, group, name);
    r->path[before] = '\0';
    return good ? 0 : -1;
}

/* Depth is bounded because hard links can form a ring, links because they can fork at each of its folders. */
static bool read_group(reader *r, hid_t group)
{
    if (r->depth == RDC_NAME_DEPTH) return refuse(r, "there are too many folders in folders:");
    r->depth++;
    const herr_t status = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit, r);
    r->depth--;
    return status >= 0;
}

bool rdc_hdf5_parse(const void *image, size_t bytes, const rdc_wire *wire)
{
    reader r = {.wire = wire, .image_bytes = bytes};
    int64_t root;
    const rdc_hdf5_limits limits = {.memory = bytes, .work = bytes};
    if (!rdc_hdf5_begin(image, bytes, &limits, wire, &root)) return false;
    if (!read_group(&r, root))
        return r.failed ? false : rdc_hdf5_fail(wire, "HDF5 cannot list the image", NULL);
    const rdc_frame done = {.type = RDC_FRAME_DONE, .data_bytes = r.n};
    return wire->send(wire->fd, &done, sizeof(done));
}
