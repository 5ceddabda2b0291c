/* hdf5_rows.c - datasets of numbers in somebody else's HDF5 image: which there are, and their rows.
 *
 * Read are arrays of integers and floats of one or two dimensions, contiguous or in chunks
 * (deflate, shuffle, fletcher32), whatever their width and byte order, reached by hard links. What
 * leads elsewhere (links, external storage, virtual layout) or needs a filter that libhdf5 does not
 * have itself is refused with the reason, if it is asked for. Memory is bounded by a chunk: each is
 * read once, and sent as doubles.
 * SPDX-License-Identifier: MIT */
#include "store/hdf5_module.h"

#include "store/archive.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILE_BYTES = 8 << 20, LABEL_BYTES = 1 << 16 };

typedef struct looker {
    const rdc_wire *wire;
    size_t most_links, links; /* that a file of this size can have; followed */
    uint32_t depth;
    uint64_t n; /* frames sent */
    bool failed;
    char path[RDC_NAME_BYTES + 1];
} looker;

/* ---- what a dataset is ---- */

/* The reason for which it is not read, or NULL. */
static const char *refuse_filters(hid_t plist)
{
    const int n = H5Pget_nfilters(plist);
    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t values = 0;
        const H5Z_filter_t filter =
            H5Pget_filter2(plist, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32)
            return "has a filter other than deflate, shuffle and fletcher32";
    }
    return n < 0 ? "has filters that HDF5 cannot read" : NULL;
}

static const char *refuse_layout(hid_t plist, const rdc_frame *frame)
{
    const H5D_layout_t layout = H5Pget_layout(plist);
    hsize_t chunk[2] = {1, 1};
    if (H5Pget_external_count(plist) != 0) return "has its values in another file";
    if (layout == H5D_VIRTUAL) return "is made of parts of other files";
    if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED && layout != H5D_COMPACT)
        return "has a layout that is not known";
    if (layout != H5D_CHUNKED) return NULL;
    if (H5Pget_chunk(plist, (int)frame->ndim, chunk) != (int)frame->ndim)
        return "has chunks that HDF5 cannot read";
    if (chunk[0] == 0 || chunk[1] == 0 || chunk[0] > RDC_CHUNK_BYTES / sizeof(double) / chunk[1])
        return "has chunks of over 32 MB";
    return refuse_filters(plist);
}

static const char *refuse_type(hid_t set)
{
    const hid_t type = H5Dget_type(set);
    const H5T_class_t class = H5Tget_class(type);
    const size_t width = H5Tget_size(type);
    H5Tclose(type);
    if (class != H5T_INTEGER && class != H5T_FLOAT) return "does not hold numbers";
    return width >= 1 && width <= 8 ? NULL : "has numbers of more than 8 bytes";
}

static const char *read_shape(hid_t set, rdc_frame *frame)
{
    const hid_t space = H5Dget_space(set);
    const int ndim = H5Sget_simple_extent_ndims(space);
    hsize_t shape[2] = {0, 1};
    const bool good = H5Sget_simple_extent_type(space) == H5S_SIMPLE && ndim >= 1 && ndim <= 2 &&
                      H5Sget_simple_extent_dims(space, shape, NULL) == ndim;
    H5Sclose(space);
    if (!good) return "does not have one or two dimensions";
    if (shape[1] > RDC_ROWS_COLUMNS) return "has more than a million columns";
    frame->ndim = (uint32_t)ndim;
    frame->shape[0] = shape[0];
    frame->shape[1] = shape[1];
    return NULL;
}

static const char *look_at(hid_t set, rdc_frame *frame)
{
    const char *why = read_shape(set, frame);
    if (!why) why = refuse_type(set);
    if (why) return why;
    const hid_t plist = H5Dget_create_plist(set);
    if (plist < 0) return "has a layout that HDF5 cannot read";
    why = refuse_layout(plist, frame);
    H5Pclose(plist);
    return why;
}

/* ---- names of columns ---- */

static bool append(char *text, size_t *n, const char *name, size_t bytes)
{
    if (bytes == 0 || *n + bytes + 1 > LABEL_BYTES || memchr(name, '\n', bytes)) return false;
    memcpy(text + *n, name, bytes);
    *n += bytes;
    text[(*n)++] = '\n';
    return true;
}

/* Strings of fixed width, padded by NULs or blanks. */
static bool fixed_names(hid_t attribute, hid_t type, uint64_t columns, char *text, size_t *n)
{
    const size_t width = H5Tget_size(type);
    if (width == 0 || width > RDC_NAME_BYTES || columns > LABEL_BYTES / width) return false;
    char *names = calloc((size_t)columns, width);
    bool good = names && H5Aread(attribute, type, names) >= 0;
    for (uint64_t i = 0; good && i < columns; i++) {
        const char *name = names + i * width;
        size_t bytes = strnlen(name, width);
        while (bytes > 0 && name[bytes - 1] == ' ') bytes--;
        good = append(text, n, name, bytes);
    }
    free(names);
    return good;
}

static bool variable_names(hid_t attribute, hid_t space, uint64_t columns, char *text, size_t *n)
{
    if (columns > LABEL_BYTES) return false;
    char **names = calloc((size_t)columns + 1, sizeof *names);
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    const hid_t stored = H5Aget_type(attribute);
    H5Tset_cset(type, H5Tget_cset(stored));
    H5Tclose(stored);
    const bool read = names && H5Aread(attribute, type, names) >= 0;
    bool good = read;
    for (uint64_t i = 0; good && i < columns; i++)
        good = names[i] && append(text, n, names[i], strlen(names[i]));
    if (read) H5Dvlen_reclaim(type, space, H5P_DEFAULT, names);
    H5Tclose(type);
    free(names);
    return good;
}

/* Attribute `columns`: a string for each, one behind the other with line ends; none: *n is 0. */
static void column_names(hid_t set, uint64_t columns, char *text, size_t *n)
{
    *n = 0;
    const hid_t attribute = H5Aopen(set, "columns", H5P_DEFAULT);
    if (attribute < 0) return;
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    const htri_t variable = H5Tis_variable_str(type);
    bool good = false;
    if (H5Tget_class(type) == H5T_STRING && variable >= 0 && count > 0 &&
        (uint64_t)count == columns)
        good = variable ? variable_names(attribute, space, columns, text, n)
                        : fixed_names(attribute, type, columns, text, n);
    if (!good) *n = 0;
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
}

/* ---- looking ---- */

static bool say(looker *l, rdc_frame *frame, const char *text, size_t bytes)
{
    frame->type = RDC_FRAME_ENTRY;
    frame->name_bytes = (uint32_t)strlen(l->path);
    frame->data_bytes = bytes;
    l->n++;
    const bool sent = l->wire->send(l->wire->fd, frame, sizeof *frame) &&
                      l->wire->send(l->wire->fd, l->path, frame->name_bytes) &&
                      l->wire->send(l->wire->fd, text, bytes);
    l->failed = l->failed || !sent;
    return sent;
}

static bool refuse(looker *l, const char *why)
{
    rdc_frame frame = {.kind = RDC_ROWS_REFUSED};
    H5Eclear2(H5E_DEFAULT);
    return say(l, &frame, why, strlen(why));
}

static bool look_at_set(looker *l, hid_t set)
{
    rdc_frame frame = {.kind = RDC_ROWS_READABLE};
    const char *why = look_at(set, &frame);
    if (why) return refuse(l, why);
    char *names = malloc(LABEL_BYTES);
    size_t n = 0;
    if (!names) return refuse(l, "cannot be looked at: there is no memory");
    if (frame.ndim == 2) column_names(set, frame.shape[1], names, &n);
    const bool sent = say(l, &frame, names, n);
    free(names);
    return sent;
}

/* Ends the looking: what remains would take for ever. */
static bool give_up(looker *l, const char *what)
{
    l->failed = true;
    H5Eclear2(H5E_DEFAULT);
    return rdc_hdf5_fail(l->wire, what, l->path);
}

static bool look_in_group(looker *l, hid_t group);

static bool look_at_object(looker *l, hid_t group, const char *name)
{
    const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0) return refuse(l, "cannot be opened by HDF5");
    const H5I_type_t kind = H5Iget_type(object);
    bool good = true; /* a named type is of no use here */
    if (kind == H5I_GROUP)
        good = look_in_group(l, object);
    else if (kind == H5I_DATASET)
        good = look_at_set(l, object);
    H5Oclose(object);
    return good;
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *user)
{
    looker *l = user;
    const size_t before = strlen(l->path);
    const size_t room = sizeof(l->path) - before;
    const int more = snprintf(l->path + before, room, before ? "/%s" : "%s", name);
    bool good;
    if ((size_t)more >= room || *name == '\0')
        good = true; /* nobody can ask for it */
    else if (l->n >= RDC_ROWS_SETS)
        good = give_up(l, "it has too many datasets:");
    else if (l->links++ >= l->most_links)
        good = give_up(l, "there are more ways to it than a file of this size has links:");
    else if (link->type != H5L_TYPE_HARD)
        good = refuse(l, "is a link to elsewhere");
    else
        good = look_at_object(l, group, name);
    l->path[before] = '\0';
    return good ? 0 : -1;
}

/* Depth is bounded because hard links can form a ring, links because they can fork at each of its folders. */
static bool look_in_group(looker *l, hid_t group)
{
    if (l->depth == RDC_NAME_DEPTH)
        return give_up(l, "there are too many folders in folders, or a ring of them:");
    l->depth++;
    const herr_t status = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit, l);
    l->depth--;
    return status >= 0;
}

bool rdc_hdf5_look(const void *image, size_t bytes, uint64_t work, const rdc_wire *wire)
{
    looker l = {.wire = wire, .most_links = bytes / RDC_LINK_BYTES};
    int64_t root;
    const rdc_hdf5_limits limits = {.memory = RDC_CHUNK_BYTES, .work = work};
    if (!rdc_hdf5_begin(image, bytes, &limits, wire, &root)) return false;
    if (!look_in_group(&l, root))
        return l.failed ? false : rdc_hdf5_fail(wire, "HDF5 cannot list the file", NULL);
    const rdc_frame done = {.type = RDC_FRAME_DONE, .data_bytes = l.n};
    return wire->send(wire->fd, &done, sizeof(done));
}

/* ---- rows ---- */

typedef struct tiles {
    const rdc_wire *wire;
    const char *name;
    hid_t set, space;
    uint32_t ndim;
    hsize_t shape[2], tile[2]; /* of the array, of what is read at once */
    double *values, *turned;   /* a tile by rows, by columns */
} tiles;

/* A tile is a chunk, or rows of up to TILE_BYTES. */
static bool choose_tile(tiles *t)
{
    const hid_t plist = H5Dget_create_plist(t->set);
    const H5D_layout_t layout = H5Pget_layout(plist);
    bool good = layout >= 0;
    t->tile[0] = t->tile[1] = 1;
    if (layout == H5D_CHUNKED) {
        good = H5Pget_chunk(plist, (int)t->ndim, t->tile) == (int)t->ndim;
    } else {
        const hsize_t most = TILE_BYTES / sizeof(double);
        t->tile[1] = t->shape[1] < most ? t->shape[1] : most;
        t->tile[0] = most / t->tile[1];
    }
    for (int d = 0; d < 2; d++)
        if (t->tile[d] > t->shape[d]) t->tile[d] = t->shape[d];
    H5Pclose(plist);
    return good || rdc_hdf5_fail(t->wire, "HDF5 cannot read the layout of", t->name);
}

static bool send_tile(const tiles *t, const hsize_t *from)
{
    hsize_t count[2];
    for (int d = 0; d < 2; d++) {
        const hsize_t left = t->shape[d] - from[d];
        count[d] = left < t->tile[d] ? left : t->tile[d];
    }
    const hid_t memory = H5Screate_simple((int)t->ndim, count, NULL);
    const bool read =
        memory >= 0 &&
        H5Sselect_hyperslab(t->space, H5S_SELECT_SET, from, NULL, count, NULL) >= 0 &&
        H5Dread(t->set, H5T_NATIVE_DOUBLE, memory, t->space, H5P_DEFAULT, t->values) >= 0;
    H5Sclose(memory);
    if (!read) return rdc_hdf5_fail(t->wire, "HDF5 cannot read", t->name);
    for (hsize_t i = 0; i < count[0]; i++)
        for (hsize_t k = 0; k < count[1]; k++)
            t->turned[k * count[0] + i] = t->values[i * count[1] + k];
    const size_t n = (size_t)(count[0] * count[1]) * sizeof(double);
    const rdc_frame frame = {.type = RDC_FRAME_ENTRY,
                             .ndim = 4,
                             .shape = {from[0], from[1], count[0], count[1]},
                             .data_bytes = n};
    return t->wire->send(t->wire->fd, &frame, sizeof frame) &&
           t->wire->send(t->wire->fd, t->turned, n);
}

static bool send_tiles(tiles *t)
{
    if (t->shape[0] == 0 || t->shape[1] == 0) return true; /* there are no values */
    if (!choose_tile(t)) return false;
    const size_t bytes = (size_t)(t->tile[0] * t->tile[1]) * sizeof(double);
    t->values = malloc(bytes);
    t->turned = malloc(bytes);
    bool good = t->values && t->turned;
    if (!good) (void)rdc_hdf5_fail(t->wire, "there is no memory for a chunk of", t->name);
    hsize_t from[2] = {0, 0};
    for (; good && from[0] < t->shape[0]; from[0] += t->tile[0])
        for (from[1] = 0; good && from[1] < t->shape[1]; from[1] += t->tile[1])
            good = send_tile(t, from);
    free(t->values);
    free(t->turned);
    return good;
}

bool rdc_hdf5_rows(const void *image, size_t bytes, const rdc_rows_wanted *what,
                   const rdc_wire *wire)
{
    int64_t root;
    const rdc_hdf5_limits limits = {.memory = 4 * RDC_CHUNK_BYTES, .work = what->work};
    if (!rdc_hdf5_begin(image, bytes, &limits, wire, &root)) return false;
    tiles t = {.wire = wire, .name = what->name, .shape = {0, 1}};
    t.set = H5Dopen2(root, what->name, H5P_DEFAULT);
    rdc_frame frame = {0};
    const char *why = t.set < 0 ? "cannot be opened by HDF5" : look_at(t.set, &frame);
    if (why) {
        H5Eclear2(H5E_DEFAULT);
        return rdc_hdf5_fail(wire, why, what->name);
    }
    t.ndim = frame.ndim;
    t.shape[0] = frame.shape[0];
    t.shape[1] = frame.shape[1];
    t.space = H5Dget_space(t.set);
    if (!send_tiles(&t)) return false;
    const rdc_frame done = {.type = RDC_FRAME_DONE};
    return wire->send(wire->fd, &done, sizeof(done));
}
