/* rows.c - datasets of numbers in an HDF5 file of any size become columns.
 *
 * The file is mapped, and libhdf5 works on the map in a child process (hdf5_rows.c), shut in; what
 * it sends is checked and written where it belongs.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "rondo_series.h"

#include "store/archive.h"
#include "store/child.h"
#include "store/files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Deflate makes 1032 bytes of one at most. */
enum { MOST_GROWTH = 1032, LABEL_BYTES = 1 << 16, STAT_BLOCK = 512 };

struct rd_hdf5 {
    rdc_mapping file;
    uint64_t there;   /* bytes of it that are no holes */
    uint64_t left;    /* values that may yet come: the file holds no more */
    uint64_t columns; /* of all sets that can be read */
    char *path;
    rd_hdf5_set *sets;
    size_t n, room;
};

static rd_status nonsense(rd_error *err)
{
    return rdc_fail(err, RD_E_IO, "the child process for HDF5 sent nonsense");
}

void rd_hdf5_free(rd_hdf5 *h)
{
    if (!h) return;
    for (size_t i = 0; i < h->n; i++) {
        free(h->sets[i].name);
        free(h->sets[i].text);
    }
    free(h->sets);
    free(h->path);
    rdc_unmap_file(&h->file);
    free(h);
}

size_t rd_hdf5_sets(const rd_hdf5 *h, const rd_hdf5_set **sets)
{
    *sets = h->sets;
    return h->n;
}

/* ---- what there is ---- */

static bool look(const rdc_hdf5 *hdf5, const void *job, const rdc_wire *wire)
{
    const rd_hdf5 *h = job;
    return hdf5->look(h->file.at, h->file.bytes, h->there, wire);
}

/* n bytes from the child as a string. */
static rd_status read_text(rdc_child *child, size_t n, char **out, rd_error *err)
{
    char *text = malloc(n + 1);
    if (!text) return rdc_no_memory(err, n + 1);
    const rd_status status = rdc_child_read(child, text, n, err);
    if (status == RD_OK && memchr(text, '\0', n) == NULL) {
        text[n] = '\0';
        *out = text;
        return RD_OK;
    }
    free(text);
    return status == RD_OK ? nonsense(err) : status;
}

static rd_status make_room(rd_hdf5 *h, rd_error *err)
{
    if (h->n < h->room) return RD_OK;
    const size_t room = h->room ? h->room * 2 : 16;
    rd_hdf5_set *sets = realloc(h->sets, room * sizeof *sets);
    if (!sets) return rdc_no_memory(err, room * sizeof *sets);
    h->sets = sets;
    h->room = room;
    return RD_OK;
}

/* Why a dataset is not read, or NULL. A file holds no more values, however well they were deflated; columns
 * have names, also where there are no rows. */
static const char *refuse_size(rd_hdf5 *h, const rd_hdf5_set *set)
{
    if (set->columns > RDC_ROWS_COLUMNS - h->columns)
        return "has, with the datasets before it, more than a million columns";
    if (set->rows > INT64_MAX || (set->columns > 0 && set->rows > h->left / set->columns))
        return "has more values than a file of this size can hold";
    h->left -= set->rows * set->columns;
    h->columns += set->columns;
    return NULL;
}

/* Notes that a dataset is not read, and why. */
static rd_status refuse_set(rd_hdf5_set *set, const char *why, rd_error *err)
{
    char *text = strdup(why);
    if (!text) return rdc_no_memory(err, strlen(why) + 1);
    free(set->text);
    set->text = text;
    set->readable = false;
    return RD_OK;
}

/* A file of holes takes no disk, and what is in it is no more than what it takes. Some systems do not say. */
static uint64_t bytes_there(const rdc_mapping *file)
{
    struct stat st;
    if (fstat(file->fd, &st) != 0 || st.st_blocks <= 0) return file->bytes;
    const uint64_t taken = (uint64_t)st.st_blocks * STAT_BLOCK;
    return taken < file->bytes ? taken : file->bytes;
}

static rd_status take_set(rd_hdf5 *h, rdc_child *child, const rdc_frame *frame, rd_error *err)
{
    if (frame->name_bytes == 0 || frame->name_bytes > RDC_NAME_BYTES ||
        frame->data_bytes > LABEL_BYTES || h->n >= RDC_ROWS_SETS)
        return nonsense(err);
    const bool readable = frame->kind == RDC_ROWS_READABLE;
    if (readable && frame->ndim != 1 && frame->ndim != 2) return nonsense(err);
    RD_TRY(make_room(h, err));
    rd_hdf5_set set = {.ndim = frame->ndim,
                       .rows = frame->shape[0],
                       .columns = frame->ndim == 2 ? frame->shape[1] : 1,
                       .readable = readable};
    RD_TRY(read_text(child, frame->name_bytes, &set.name, err));
    rd_status status = read_text(child, (size_t)frame->data_bytes, &set.text, err);
    const char *why = status == RD_OK && readable ? refuse_size(h, &set) : NULL;
    if (why) status = refuse_set(&set, why, err);
    if (status == RD_OK) {
        h->sets[h->n++] = set;
        return RD_OK;
    }
    free(set.name);
    free(set.text);
    return status;
}

static rd_status take_sets(rd_hdf5 *h, rdc_child *child, rd_error *err)
{
    for (;;) {
        rdc_frame frame;
        RD_TRY(rdc_child_frame(child, &frame, err));
        if (frame.type == RDC_FRAME_DONE) return frame.data_bytes == h->n ? RD_OK : nonsense(err);
        if (frame.type != RDC_FRAME_ENTRY) return nonsense(err);
        RD_TRY(take_set(h, child, &frame, err));
    }
}

static rd_status cannot_read(const rd_hdf5 *h, rd_status status, const rd_error *why, rd_error *err)
{
    return rdc_fail(err, status, "cannot read '%s': %s", h->path, why->text);
}

rd_status rd_hdf5_open(const rd_core *core, const char *path, rd_hdf5 **out, rd_error *err)
{
    const size_t room = strlen(path) + 1;
    rd_hdf5 *h = calloc(1, sizeof *h);
    if (!h) return rdc_no_memory(err, sizeof *h);
    h->file.fd = -1;
    h->path = malloc(room);
    rd_status status = h->path ? RD_OK : rdc_no_memory(err, room);
    if (status == RD_OK) {
        memcpy(h->path, path, room);
        status = rdc_map_file(path, &h->file, err);
    }
    if (status == RD_OK && h->file.bytes == 0)
        status = rdc_fail(err, RD_E_IO, "'%s' is empty", path);
    rdc_child child;
    rd_error why;
    if (status == RD_OK) {
        h->there = bytes_there(&h->file);
        h->left = h->there * MOST_GROWTH;
        status = rdc_child_start(core, look, h, &child, &why);
        if (status == RD_OK) {
            child.reads = true;
            status = rdc_child_end(&child, take_sets(h, &child, &why), &why);
        }
        if (status != RD_OK) status = cannot_read(h, status, &why, err);
    }
    if (status == RD_OK)
        *out = h;
    else
        rd_hdf5_free(h);
    return status;
}

/* ---- rows ---- */

typedef struct job {
    const rd_hdf5 *file;
    rdc_rows_wanted wanted;
} job;

typedef struct sink { /* where the columns of a dataset go */
    const rd_hdf5_set *set;
    rd_series *series;
    const uint32_t *to;
    uint64_t left; /* values that are still to come */
} sink;

static bool send_rows(const rdc_hdf5 *hdf5, const void *what, const rdc_wire *wire)
{
    const job *j = what;
    return hdf5->rows(j->file->file.at, j->file->file.bytes, &j->wanted, wire);
}

static rd_status skip(rdc_child *child, uint64_t n, rd_error *err)
{
    double values[512];
    while (n > 0) {
        const size_t some = n < 512 ? (size_t)n : 512;
        RD_TRY(rdc_child_read(child, values, some * sizeof *values, err));
        n -= some;
    }
    return RD_OK;
}

/* Rows shape[0].. of columns shape[1].., shape[2] and shape[3] of them, column after column. */
static rd_status take_tile(const sink *s, rdc_child *child, const uint64_t *shape, rd_error *err)
{
    for (uint64_t k = 0; k < shape[3]; k++) {
        const uint32_t column = s->to[shape[1] + k];
        if (column == RD_ALL) {
            RD_TRY(skip(child, shape[2], err));
            continue;
        }
        double *at = rd_series_column(s->series, column) + shape[0];
        RD_TRY(rdc_child_read(child, at, (size_t)shape[2] * sizeof *at, err));
    }
    return RD_OK;
}

static rd_status take_rows(sink *s, rdc_child *child, rd_error *err)
{
    const uint64_t rows = s->set->rows, columns = s->set->columns;
    for (;;) {
        rdc_frame f;
        RD_TRY(rdc_child_frame(child, &f, err));
        if (f.type == RDC_FRAME_DONE) return s->left == 0 ? RD_OK : nonsense(err);
        const uint64_t *at = f.shape;
        if (f.type != RDC_FRAME_ENTRY || at[0] > rows || at[2] > rows - at[0] || at[1] > columns ||
            at[3] > columns - at[1] || at[2] == 0 || at[3] > s->left / at[2])
            return nonsense(err);
        s->left -= at[2] * at[3];
        RD_TRY(take_tile(s, child, at, err));
    }
}

rd_status rd_hdf5_rows(const rd_core *core, const rd_hdf5 *h, size_t index, rd_series *series,
                       const uint32_t *to, rd_error *err)
{
    const rd_hdf5_set *set = &h->sets[index];
    const job j = {.file = h,
                   .wanted = {.name = set->name,
                              .work = h->there + set->rows * set->columns * sizeof(double)}};
    sink s = {.set = set, .series = series, .to = to, .left = set->rows * set->columns};
    rdc_child child;
    rd_error why;
    if (!rdc_map_is_whole(&h->file))
        return rdc_fail(err, RD_E_IO, "cannot read '%s': it shrank while it was in use", h->path);
    rd_status status = rdc_child_start(core, send_rows, &j, &child, &why);
    if (status == RD_OK) {
        child.reads = true;
        status = rdc_child_end(&child, take_rows(&s, &child, &why), &why);
    }
    return status == RD_OK ? RD_OK : cannot_read(h, status, &why, err);
}
