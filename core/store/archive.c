/* archive.c - named arrays and texts in order of name.
 *
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "store/archive.h"
#include "text/utf8.h"

#include <stdlib.h>
#include <string.h>

rd_status rd_archive_new(rd_archive **out, rd_error *err)
{
    rd_archive *a = calloc(1, sizeof(*a));
    if (!a) return rdc_no_memory(err, sizeof(*a));
    *out = a;
    return RD_OK;
}

void rd_archive_free(rd_archive *a)
{
    if (!a) return;
    for (size_t i = 0; i < a->n; i++) {
        free((char *)(uintptr_t)a->entries[i].name);
        free((void *)(uintptr_t)a->entries[i].data);
    }
    free(a->entries);
    free(a);
}

size_t rdc_kind_bytes(rd_entry_kind kind)
{
    switch (kind) {
    case RD_ENTRY_F32:
        return 4;
    case RD_ENTRY_F64:
        return 8;
    case RD_ENTRY_I64:
        return 8;
    case RD_ENTRY_TEXT:
        return 1;
    }
    return 0;
}

bool rdc_entry_bytes(const rd_entry *entry, size_t *bytes)
{
    size_t n = rdc_kind_bytes(entry->kind);
    if (n == 0 || entry->ndim > RD_MAX_DIMS) return false;
    if (entry->kind == RD_ENTRY_TEXT && entry->ndim != 1) return false;
    /* A dimension of 0 makes the product 0; the others must still fit one size. */
    bool empty = false;
    for (uint32_t d = 0; d < entry->ndim; d++) {
        if (entry->shape[d] == 0)
            empty = true;
        else if (!rdc_mul_size(n, entry->shape[d], &n))
            return false;
    }
    *bytes = empty ? 0 : n;
    return true;
}

bool rdc_is_history(const char *name)
{
    return strncmp(name, "history/", 8) == 0;
}

/* Index of the first entry whose name is not before `name`. */
static size_t lower_bound(const rd_archive *a, const char *name)
{
    size_t low = 0, high = a->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(a->entries[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const rd_entry *rd_archive_find(const rd_archive *a, const char *name)
{
    const size_t i = lower_bound(a, name);
    return i < a->n && strcmp(a->entries[i].name, name) == 0 ? &a->entries[i] : NULL;
}

size_t rd_archive_count(const rd_archive *a)
{
    return a->n;
}

const rd_entry *rd_archive_at(const rd_archive *a, size_t index)
{
    return index < a->n ? &a->entries[index] : NULL;
}

/* A part of a path, [part, end): not empty and neither "." nor "..", which HDF5 reads as folders. */
static bool good_part(const char *part, const char *end)
{
    const size_t n = (size_t)(end - part);
    return n > 0 && !(n == 1 && part[0] == '.') && !(n == 2 && part[0] == '.' && part[1] == '.');
}

static rd_status check_name(const char *name, rd_error *err)
{
    const size_t n = strlen(name);
    if (n == 0 || n > RDC_NAME_BYTES)
        return rdc_fail(err, RD_E_ARG, "archive: a name has 1..%u bytes, got %zu", RDC_NAME_BYTES,
                        n);
    if (rdc_utf8_check(name, n) != n)
        return rdc_fail(err, RD_E_ARG, "archive: name '%s' is not UTF-8", name);
    size_t parts = 0;
    for (const char *part = name; part; parts++) {
        const char *slash = strchr(part, '/');
        if (!good_part(part, slash ? slash : name + n))
            return rdc_fail(err, RD_E_ARG,
                            "archive: the parts of name '%s' between '/' must not be empty, '.' "
                            "or '..'",
                            name);
        part = slash ? slash + 1 : NULL;
    }
    if (parts > RDC_NAME_DEPTH)
        return rdc_fail(err, RD_E_ARG, "archive: name '%s' has %zu parts, at most %u are allowed",
                        name, parts, RDC_NAME_DEPTH);
    return RD_OK;
}

/* "a" and "a/b" cannot both be there: an HDF5 object is an array or a folder. */
static rd_status check_place(const rd_archive *a, const char *name, rd_error *err)
{
    if (rd_archive_find(a, name))
        return rdc_fail(err, RD_E_ARG, "archive: '%s' is already there", name);
    char folder[RDC_NAME_BYTES + 2];
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        memcpy(folder, name, (size_t)(slash - name));
        folder[slash - name] = '\0';
        if (rd_archive_find(a, folder))
            return rdc_fail(err, RD_E_ARG, "archive: '%s' holds values, so '%s' has no place",
                            folder, name);
    }
    const size_t n = strlen(name);
    memcpy(folder, name, n);
    memcpy(folder + n, "/", 2);
    const size_t below = lower_bound(a, folder);
    if (below < a->n && strncmp(a->entries[below].name, folder, n + 1) == 0)
        return rdc_fail(err, RD_E_ARG, "archive: '%s' is a folder ('%s' is there)", name,
                        a->entries[below].name);
    return RD_OK;
}

static rd_status make_room(rd_archive *a, rd_error *err)
{
    if (a->n < a->room) return RD_OK;
    if (a->n >= RDC_ENTRIES)
        return rdc_fail(err, RD_E_ARG, "archive: at most %zu entries are allowed", RDC_ENTRIES);
    const size_t room = a->room ? 2 * a->room : 32;
    rd_entry *entries = realloc(a->entries, room * sizeof(*entries));
    if (!entries) return rdc_no_memory(err, room * sizeof(*entries));
    a->entries = entries;
    a->room = room;
    return RD_OK;
}

/* What is true of an entry before anything is allocated for it. */
static rd_status check_entry(const rd_archive *a, const rd_entry *entry, size_t *bytes,
                             rd_error *err)
{
    RD_TRY(check_name(entry->name, err));
    RD_TRY(check_place(a, entry->name, err));
    if (!rdc_entry_bytes(entry, bytes))
        return rdc_fail(err, RD_E_ARG,
                        "archive: '%s' is too large, or its kind or number of dimensions is not "
                        "known",
                        entry->name);
    if (*bytes > RDC_FILE_BYTES - a->bytes)
        return rdc_fail(err, RD_E_ARG, "archive: '%s' makes it larger than the limit of 4 GiB",
                        entry->name);
    return RD_OK;
}

rd_status rdc_archive_adopt(rd_archive *a, const rd_entry *entry, rd_error *err)
{
    size_t bytes = 0;
    RD_TRY(check_entry(a, entry, &bytes, err));
    RD_TRY(make_room(a, err));
    const size_t i = lower_bound(a, entry->name);
    memmove(&a->entries[i + 1], &a->entries[i], (a->n - i) * sizeof(*entry));
    a->entries[i] = *entry;
    for (uint32_t d = entry->ndim; d < RD_MAX_DIMS; d++) a->entries[i].shape[d] = 0;
    a->n++;
    a->bytes += bytes;
    return RD_OK;
}

rd_status rd_archive_put(rd_archive *a, const rd_entry *entry, rd_error *err)
{
    size_t bytes = 0;
    RD_TRY(check_entry(a, entry, &bytes, err));
    rd_entry copy = *entry;
    char *name = strdup(entry->name);
    char *values = malloc(bytes + 1);
    rd_status status;
    if (!name || !values) {
        status = rdc_no_memory(err, bytes + 1);
        goto done;
    }
    if (bytes > 0) memcpy(values, entry->data, bytes);
    values[bytes] = '\0';
    copy.name = name;
    copy.data = values;
    status = rdc_archive_adopt(a, &copy, err);
    if (status == RD_OK) return RD_OK;
done:
    free(name);
    free(values);
    return status;
}
