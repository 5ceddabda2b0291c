/* valid.c - see valid.h.
 * SPDX-License-Identifier: MIT */
#include "engine/valid.h"
#include <string.h>

static rd_status check_mask(const rd_tensor *x, const rd_tensor *mask, const char *what,
                            rd_error *err)
{
    char shape[128];
    const size_t rows = x->shape[0], time = x->shape[1];
    const bool lengths = mask->ndim == 1;
    if (mask->ndim < 1 || mask->ndim > 2 || mask->shape[0] != rows ||
        (!lengths && mask->shape[1] != time))
        return rdc_fail(err, RD_E_ARG, "%s: expected a mask (%zu, %zu) or lengths (%zu), got %s",
                        what, rows, time, rows, rdc_shape_text(mask, shape));
    const size_t n = lengths ? 1 : time;
    const rd_real most = lengths ? (rd_real)time : (rd_real)(1 << 24);
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < n; t++) {
            const rd_real v = mask->at[r * mask->stride[0] + (lengths ? 0 : t * mask->stride[1])];
            if (v >= 0 && v <= most && v == (rd_real)(uint32_t)v) continue;
            if (lengths)
                return rdc_fail(err, RD_E_ARG,
                                "%s: lengths must be integers 0..%zu, got %.9g in row %zu", what,
                                time, (double)v, r + 1);
            return rdc_fail(err, RD_E_ARG,
                            "%s: a mask holds 0 and 1, or ids, got %.9g at (%zu, %zu)", what,
                            (double)v, r + 1, t + 1);
        }
    return RD_OK;
}

static bool counts(const rd_tensor *mask, size_t r, size_t t)
{
    if (!mask) return true;
    if (mask->ndim == 1) return (rd_real)t < mask->at[r * mask->stride[0]];
    return mask->at[r * mask->stride[0] + t * mask->stride[1]] != 0;
}

/* Valid steps of each of the user's rows; how many in all, and of the longest. */
static void count_steps(rdc_valid *v, const rd_tensor *mask, uint32_t *length)
{
    for (size_t r = 0; r < v->rows; r++) {
        length[r] = 0;
        for (size_t t = 0; t < v->time; t++) length[r] += counts(mask, r, t);
        if (length[r] > v->steps) v->steps = length[r];
        v->total += length[r];
    }
}

/* Sorts rows by length, descending; equal ones stay in the user's order. `first` serves as a count. */
static void sort_rows(rdc_valid *v, const uint32_t *length)
{
    memset(v->first, 0, (v->steps + 1) * sizeof *v->first);
    for (size_t r = 0; r < v->rows; r++) v->first[v->steps - length[r]]++;
    for (size_t n = 0, i = 0; i <= v->steps; i++) {
        const size_t here = v->first[i];
        v->first[i] = n;
        n += here;
    }
    for (size_t r = 0; r < v->rows; r++) {
        const size_t to = v->first[v->steps - length[r]]++;
        v->row[to] = (uint32_t)r;
        v->length[to] = length[r];
    }
}

static void list_steps(rdc_valid *v, const rd_tensor *mask, bool reverse)
{
    size_t rows = v->rows;
    v->first[0] = 0;
    for (size_t t = 0; t < v->steps; t++) {
        while (v->length[rows - 1] <= t) rows--; /* the longest row stays */
        v->active[t] = (uint32_t)rows;
        v->first[t + 1] = v->first[t] + rows;
    }
    for (size_t i = 0; i < v->rows; i++)
        for (size_t k = 0, step = 0; k < v->time; k++) {
            const size_t t = reverse ? v->time - 1 - k : k;
            if (counts(mask, v->row[i], t)) v->at[v->first[step++] + i] = (uint32_t)t;
        }
}

static void *carve(char **from, size_t n, size_t size)
{
    void *at = *from;
    *from += n * size;
    return at;
}

rd_status rdc_valid_new(const rd_tensor *x, const rd_tensor *mask, bool reverse, const char *what,
                        rdc_valid **out, rd_error *err)
{
    rdc_arena *arena = x->core->arena;
    rdc_valid v = {.rows = x->shape[0], .time = x->shape[1]};
    size_t cells, bytes;
    *out = NULL;
    if (mask) RD_TRY(check_mask(x, mask, what, err));
    if (v.time >= UINT32_MAX || !rdc_mul_size(v.rows, v.time, &cells) || cells > SIZE_MAX / 64)
        return rdc_fail(err, RD_E_ARG, "%s: this batch is larger than memory can be", what);
    uint32_t *length = rdc_record_new(arena, v.rows * sizeof *length);
    if (!length) return rdc_no_memory(err, v.rows * sizeof *length);
    count_steps(&v, mask, length);
    if (v.total == cells && !reverse) {
        rdc_record_free(arena, length);
        return RD_OK;
    }
    bytes = sizeof v + (v.steps + 1) * sizeof *v.first +
            (2 * v.rows + v.steps + v.total) * sizeof(uint32_t);
    char *block = rdc_record_new(arena, bytes);
    if (!block) {
        rdc_record_free(arena, length);
        return rdc_no_memory(err, bytes);
    }
    rdc_valid *made = carve(&block, 1, sizeof v);
    v.first = carve(&block, v.steps + 1, sizeof *v.first);
    v.length = carve(&block, v.rows, sizeof(uint32_t));
    v.row = carve(&block, v.rows, sizeof(uint32_t));
    v.active = carve(&block, v.steps, sizeof(uint32_t));
    v.at = carve(&block, v.total, sizeof(uint32_t));
    sort_rows(&v, length);
    list_steps(&v, mask, reverse);
    rdc_record_free(arena, length);
    *made = v;
    *out = made;
    return RD_OK;
}

void rdc_valid_free(rd_core *core, rdc_valid *v)
{
    rdc_record_free(core->arena, v);
}

void rdc_valid_gather(const rdc_valid *v, size_t width, const rd_real *from, rd_real *packed)
{
    for (size_t t = 0; t < v->steps; t++)
        for (size_t i = 0; i < v->active[t]; i++, packed += width)
            memcpy(packed, from + rdc_valid_place(v, t, i) * width, width * sizeof *packed);
}

void rdc_valid_scatter(const rdc_valid *v, size_t width, const rd_real *packed, rd_real *to,
                       bool add)
{
    for (size_t t = 0; t < v->steps; t++)
        for (size_t i = 0; i < v->active[t]; i++, packed += width) {
            rd_real *place = to + rdc_valid_place(v, t, i) * width;
            for (size_t j = 0; j < width; j++) place[j] = add ? place[j] + packed[j] : packed[j];
        }
}
