/* archive_tensor.c - tensors into and out of an archive.
 *
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/tensor.h"

#include "store/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

rd_status rd_archive_put_tensor(rd_archive *a, const char *name, const rd_tensor *t, rd_error *err)
{
    rd_entry entry = {.name = strdup(name),
                      .kind = sizeof(rd_real) == 4 ? RD_ENTRY_F32 : RD_ENTRY_F64,
                      .ndim = rd_tensor_ndim(t)};
    const size_t bytes = rd_tensor_numel(t) * sizeof(rd_real);
    char *values = malloc(bytes + 1);
    rd_status status;
    if (!entry.name || !values) {
        status = rdc_no_memory(err, bytes + 1);
        goto done;
    }
    memcpy(entry.shape, rd_tensor_shape(t), entry.ndim * sizeof(*entry.shape));
    rd_tensor_read(t, (rd_real *)(void *)values);
    values[bytes] = '\0';
    entry.data = values;
    status = rdc_archive_adopt(a, &entry, err);
    if (status == RD_OK) return RD_OK;
done:
    free((char *)(uintptr_t)entry.name);
    free(values);
    return status;
}

/* "(4, 5)"; returns buf. */
static const char *entry_shape(const rd_entry *entry, char buf[256])
{
    size_t used = 1;
    buf[0] = '(';
    for (uint32_t d = 0; d < entry->ndim; d++)
        used += (size_t)snprintf(buf + used, 256 - used, d ? ", %zu" : "%zu", entry->shape[d]);
    memcpy(buf + used, ")", 2);
    return buf;
}

static rd_status check_match(const rd_entry *entry, const rd_tensor *to, rd_error *err)
{
    if (entry->kind != RD_ENTRY_F32 && entry->kind != RD_ENTRY_F64)
        return rdc_fail(err, RD_E_ARG, "'%s' holds %s, not the values of a tensor", entry->name,
                        entry->kind == RD_ENTRY_I64 ? "integers" : "text");
    const uint32_t ndim = rd_tensor_ndim(to);
    if (entry->ndim == ndim &&
        memcmp(entry->shape, rd_tensor_shape(to), ndim * sizeof(*entry->shape)) == 0)
        return RD_OK;
    char saved[256], wanted[128];
    return rdc_fail(err, RD_E_ARG, "'%s' was saved with shape %s, but the tensor has %s",
                    entry->name, entry_shape(entry, saved), rdc_shape_text(to, wanted));
}

rd_status rd_archive_get_tensor(const rd_archive *a, const char *name, rd_tensor *to, rd_error *err)
{
    const rd_entry *entry = rd_archive_find(a, name);
    if (!entry) return rdc_fail(err, RD_E_ARG, "'%s' is not in the checkpoint", name);
    RD_TRY(check_match(entry, to, err));
    const size_t n = rd_tensor_numel(to);
    rd_real *values = malloc(n * sizeof(*values) + 1);
    if (!values) return rdc_no_memory(err, n * sizeof(*values) + 1);
    if (entry->kind == RD_ENTRY_F32) {
        const float *from = entry->data;
        for (size_t i = 0; i < n; i++) values[i] = (rd_real)from[i];
    } else {
        const double *from = entry->data;
        for (size_t i = 0; i < n; i++) values[i] = (rd_real)from[i];
    }
    const rd_status status = rd_tensor_write(to, values, err);
    free(values);
    return status;
}
