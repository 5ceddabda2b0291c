/* series.c - columns of doubles: in memory, or, where they are large, in a file without a name that is
 * mapped, so that they take no memory of the process's own.
 *
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "store/files.h"
#include "text/csv.h"
#include "text/series.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static rd_status no_room(const char *folder, size_t bytes, int error, rd_error *err)
{
    char text[32];
    return rdc_fail(err, RD_E_IO,
                    "cannot keep %s of columns in '%s': %s; set TMPDIR to a folder that has room",
                    rdc_size_text(bytes, text), folder, strerror(error));
}

/* A new file of the folder that has no name. -1: errno says why. */
static int open_nameless(const char *folder)
{
    const size_t room = strlen(folder) + sizeof "/rondo.XXXXXX";
    char *path = malloc(room);
    if (!path) return -1;
    (void)snprintf(path, room, "%s/rondo.XXXXXX", folder);
    const int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) (void)unlink(path);
    free(path);
    return fd;
}

static rd_status map_nameless(rd_series *s, const char *folder, rd_error *err)
{
    s->fd = open_nameless(folder);
    if (s->fd < 0) return no_room(folder, s->bytes, errno, err);
    /* Blocks are taken now: writing to a map on a full disk would be SIGBUS. */
    const int full = posix_fallocate(s->fd, 0, (off_t)s->bytes);
    if (full) return no_room(folder, s->bytes, full, err);
    void *at = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    if (at == MAP_FAILED) return no_room(folder, s->bytes, errno, err);
    s->at = at;
    return RD_OK;
}

rd_status rd_series_new(const rd_series_form *form, rd_series **out, rd_error *err)
{
    size_t n;
    rd_series *s = calloc(1, sizeof *s);
    if (!s) return rdc_no_memory(err, sizeof *s);
    *s = (rd_series){.rows = form->rows, .columns = form->columns, .fd = -1};
    rd_status status = RD_OK;
    if (!rdc_mul_size(form->rows, form->columns, &n) ||
        !rdc_mul_size(n, sizeof(double), &s->bytes) || s->bytes > PTRDIFF_MAX) {
        status = rdc_fail(err, RD_E_ARG, "%llu rows of %u columns are more than memory can address",
                          (unsigned long long)form->rows, form->columns);
    } else if (s->bytes > form->most_bytes) {
        status = map_nameless(s, form->folder, err);
    } else {
        s->at = calloc(n ? n : 1, sizeof(double));
        if (!s->at) status = rdc_no_memory(err, s->bytes);
    }
    if (status == RD_OK)
        *out = s;
    else
        rd_series_free(s);
    return status;
}

void rd_series_free(rd_series *s)
{
    if (!s) return;
    if (s->fd < 0) {
        free(s->at);
    } else {
        if (s->at) (void)munmap(s->at, s->bytes);
        close(s->fd);
    }
    free(s);
}

uint64_t rd_series_rows(const rd_series *s)
{
    return s->rows;
}

uint32_t rd_series_columns(const rd_series *s)
{
    return s->columns;
}

double *rd_series_column(rd_series *s, uint32_t column)
{
    return s->at + column * s->rows;
}

rd_status rd_series_take_csv(rd_series *s, rd_csv *c, const rd_csv_columns *which, uint32_t time,
                             rd_error *err)
{
    RD_TRY(rd_csv_seek(c, 0, err));
    for (uint64_t row = 0; row < s->rows; row++) {
        bool more;
        RD_TRY(rd_csv_next(c, &more, err));
        if (!more)
            return rdc_fail(err, RD_E_ARG, "%s has no row %llu; has it been rewritten?", c->path,
                            (unsigned long long)row + 1);
        for (size_t k = 0; k < which->n; k++)
            RD_TRY(rdc_csv_value(c, which->at[k], which->rule, &s->at[k * s->rows + row], err));
        if (time == RD_ALL) continue;
        rdc_csv_time t;
        RD_TRY(rdc_csv_take_time(c, time, &t, err));
        s->at[which->n * s->rows + row] = t.seconds;
    }
    return RD_OK;
}

/* ---- many series in one file ---- */

static rd_status count_groups(const double *by, uint64_t rows, uint64_t *counts, size_t n_counts,
                              rd_error *err)
{
    for (size_t g = 0; g < n_counts; g++) counts[g] = 0;
    for (uint64_t row = 0; row < rows; row++) {
        if (!(by[row] >= 0 && by[row] < (double)n_counts))
            return rdc_fail(err, RD_E_ARG, "row %llu is of no group", (unsigned long long)row + 1);
        counts[(size_t)by[row]]++;
    }
    return RD_OK;
}

rd_status rd_series_group(rd_series *s, const rd_series_form *form, uint64_t *counts,
                          size_t n_counts, rd_series **out, rd_error *err)
{
    const double *by = rd_series_column(s, s->columns - 1);
    RD_TRY(count_groups(by, s->rows, counts, n_counts, err));
    const size_t room = n_counts ? n_counts : 1;
    uint64_t *next = calloc(room, sizeof *next);
    if (!next) return rdc_no_memory(err, room * sizeof *next);
    rd_series_form of = *form;
    of.rows = s->rows;
    of.columns = s->columns - 1;
    const rd_status status = rd_series_new(&of, out, err);
    for (uint32_t k = 0; status == RD_OK && k < of.columns; k++) {
        const double *from = rd_series_column(s, k);
        double *to = rd_series_column(*out, k);
        uint64_t at = 0;
        for (size_t g = 0; g < n_counts; at += counts[g++]) next[g] = at;
        for (uint64_t row = 0; row < s->rows; row++) to[next[(size_t)by[row]]++] = from[row];
    }
    free(next);
    return status;
}

uint64_t rd_series_falls(const rd_series *s, uint32_t column, uint64_t from, uint64_t n)
{
    const double *at = s->at + column * s->rows;
    for (uint64_t row = from + 1; row < from + n; row++)
        if (!(at[row] > at[row - 1])) return row;
    return from + n;
}

uint64_t rd_series_infinite(const rd_series *s, uint32_t column)
{
    const double *at = s->at + column * s->rows;
    uint64_t row = 0;
    while (row < s->rows && !isinf((rd_real)at[row])) row++;
    return row;
}
