/* valid.c - see valid.h.
 * SPDX-License-Identifier: MIT */
#include "engine/valid.h"
#include "rondo_parts.h"
#include <string.h>

/* A list of what a row is cut into, in the user's order; without places it only counts. */
struct stretch {
    size_t from; /* of its times, in the list of all */
    uint32_t row, length;
    uint8_t kind;
};
struct list {
    size_t n, total, longest;
    struct stretch *stretch; /* or NULL */
    uint32_t *time;
};

static rd_status check_mask(const rdc_reading *how, rd_error *err)
{
    char shape[128];
    const rd_tensor *mask = how->mask;
    const size_t rows = how->x->shape[0], time = how->x->shape[1];
    const bool lengths = mask->ndim == 1;
    if (mask->ndim < 1 || mask->ndim > 2 || mask->shape[0] != rows ||
        (!lengths && mask->shape[1] != time))
        return rdc_fail(err, RD_E_ARG, "%s: expected a mask (%zu, %zu) or lengths (%zu), got %s",
                        how->what, rows, time, rows, rdc_shape_text(mask, shape));
    if (lengths && time > (size_t)1 << 24) /* beyond, a float may hold another length */
        return rdc_fail(err, RD_E_ARG,
                        "%s: lengths can tell at most 16777216 steps apart, got %zu; give a mask",
                        how->what, time);
    const size_t n = lengths ? 1 : time;
    const bool bounded = lengths && !how->x->core->parts;
    const rd_real most = bounded ? (rd_real)time : (rd_real)(1 << 24);
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < n; t++) {
            const rd_real v = mask->at[r * mask->stride[0] + (lengths ? 0 : t * mask->stride[1])];
            if (v >= 0 && v <= most && v == (rd_real)(uint32_t)v) continue;
            if (lengths)
                return rdc_fail(err, RD_E_ARG,
                                "%s: lengths must be integers 0..%zu, got %.9g in row %zu",
                                how->what, (size_t)most, (double)v, r + 1);
            return rdc_fail(err, RD_E_ARG,
                            "%s: a mask holds 0 and 1, or ids, got %.9g at (%zu, %zu)", how->what,
                            (double)v, r + 1, t + 1);
        }
    return RD_OK;
}

static rd_status check_resets(const rdc_reading *how, rd_error *err)
{
    char shape[128];
    const rd_tensor *resets = how->resets;
    const size_t rows = how->x->shape[0], time = how->x->shape[1];
    if (resets->ndim != 2 || resets->shape[0] != rows || resets->shape[1] != time)
        return rdc_fail(err, RD_E_ARG, "%s: expected resets (%zu, %zu), got %s", how->what, rows,
                        time, rdc_shape_text(resets, shape));
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < time; t++) {
            const rd_real v = resets->at[r * resets->stride[0] + t * resets->stride[1]];
            if (v != 0 && v != 1)
                return rdc_fail(err, RD_E_ARG, "%s: resets hold 0 and 1, got %.9g at (%zu, %zu)",
                                how->what, (double)v, r + 1, t + 1);
        }
    return RD_OK;
}

static bool counts(const rdc_reading *how, size_t r, size_t t)
{
    const rd_tensor *mask = how->mask;
    if (!mask) return true;
    if (mask->ndim == 1) return (rd_real)t < mask->at[r * mask->stride[0]];
    return mask->at[r * mask->stride[0] + t * mask->stride[1]] != 0;
}

static bool is_border(const rdc_reading *how, size_t r, size_t t)
{
    const rd_tensor *resets = how->resets;
    return resets && resets->at[r * resets->stride[0] + t * resets->stride[1]] != 0;
}

static void add_stretch(struct list *l, struct stretch *s)
{
    if (l->stretch) l->stretch[l->n] = *s;
    l->n++;
    if (s->length > l->longest) l->longest = s->length;
    *s = (struct stretch){.from = l->total, .row = s->row};
}

/* Cuts row r. Stretches without a step are left out, but for one that ends the row. */
static void cut_row(const rdc_reading *how, size_t r, struct list *l)
{
    const size_t time = how->x->shape[1], before = l->n;
    struct stretch s = {.from = l->total, .row = (uint32_t)r};
    for (size_t k = 0; k < time; k++) {
        const size_t t = how->reverse ? time - 1 - k : k;
        /* in reverse the border before t + 1 is met between t + 1 and t */
        const bool border = how->reverse ? k > 0 && is_border(how, r, t + 1) : is_border(how, r, t);
        if (border && s.length > 0) add_stretch(l, &s);
        if (border) s.kind = RDC_ANEW;
        if (!counts(how, r, t)) continue;
        if (l->time) l->time[l->total] = (uint32_t)t;
        l->total++;
        s.length++;
    }
    const bool ended = how->reverse && s.length == 0;
    if (ended && l->n > before) {
        if (l->stretch) l->stretch[l->n - 1].kind |= RDC_ENDS;
        return;
    }
    if (ended) s.kind = 0; /* no step has met the border */
    s.kind |= RDC_ENDS;
    add_stretch(l, &s);
}

/* Sorts stretches by length, descending; equal ones stay in order. `first` serves as a count, `order`
 * says which stretch a row is. */
static void sort_rows(rdc_valid *v, const struct list *l, uint32_t *order)
{
    memset(v->first, 0, (v->steps + 1) * sizeof *v->first);
    for (size_t i = 0; i < v->rows; i++) v->first[v->steps - l->stretch[i].length]++;
    for (size_t n = 0, i = 0; i <= v->steps; i++) {
        const size_t here = v->first[i];
        v->first[i] = n;
        n += here;
    }
    for (size_t i = 0; i < v->rows; i++) {
        const struct stretch *s = &l->stretch[i];
        const size_t to = v->first[v->steps - s->length]++;
        order[to] = (uint32_t)i;
        v->row[to] = s->row;
        v->length[to] = s->length;
        v->kind[to] = s->kind;
    }
}

/* The length of row r in the whole of which this is a part, at least that here; 0 where it is not known. */
static rd_real whole_length(const rdc_reading *how, size_t r)
{
    const rd_tensor *mask = how->mask;
    const bool known = how->x->core->parts && mask && mask->ndim == 1;
    return known ? mask->at[r * mask->stride[0]] : 0;
}

/* In a part rows that are alike here lie as in the whole: by their length there. */
static void sort_by_whole(const rdc_reading *how, rdc_valid *v, uint32_t *order)
{
    if (!how->x->core->parts || how->resets) return;
    for (size_t i = 1; i < v->rows; i++) { /* order[i] is the row: there is one stretch of each */
        const uint32_t row = order[i];
        const uint8_t kind = v->kind[i];
        const rd_real length = whole_length(how, row);
        size_t to = i;
        for (; to > 0 && v->length[to - 1] == v->length[i]; to--) {
            if (whole_length(how, order[to - 1]) >= length) break;
            order[to] = order[to - 1];
            v->row[to] = v->row[to - 1];
            v->kind[to] = v->kind[to - 1];
        }
        order[to] = v->row[to] = row;
        v->kind[to] = kind;
    }
}

/* Do rows lie in the user's order in the whole of which this is a part? */
static bool keeps_order(const rdc_reading *how)
{
    for (size_t r = 1; r < how->x->shape[0]; r++)
        if (whole_length(how, r) > whole_length(how, r - 1)) return false;
    return true;
}

static void list_steps(rdc_valid *v, const struct list *l, const uint32_t *order)
{
    size_t rows = v->rows;
    v->first[0] = v->slot[0] = 0;
    for (size_t t = 0; t < v->steps; t++) {
        while (v->length[rows - 1] <= t) rows--; /* the longest row stays */
        v->active[t] = (uint32_t)rows;
        v->first[t + 1] = v->first[t] + rows;
        v->slot[t + 1] = v->rows + v->first[t];
    }
    for (size_t i = 0; i < v->rows; i++) {
        const uint32_t *time = l->time + l->stretch[order[i]].from;
        for (size_t t = 0; t < v->length[i]; t++) v->at[v->first[t] + i] = time[t];
    }
}

static void *carve(char **from, size_t n, size_t size)
{
    void *at = *from;
    *from += n * size;
    return at;
}

/* The list of a counted batch, one block. */
static rd_status new_list(rdc_arena *arena, const rdc_valid *like, rdc_valid **out, rd_error *err)
{
    rdc_valid v = *like;
    const size_t bytes = sizeof v + 2 * (v.steps + 1) * sizeof(size_t) +
                         (2 * v.rows + v.steps + v.total) * sizeof(uint32_t) + v.rows;
    char *block = rdc_record_new(arena, bytes);
    if (!block) return rdc_no_memory(err, bytes);
    *out = carve(&block, 1, sizeof v);
    v.first = carve(&block, v.steps + 1, sizeof *v.first);
    v.slot = carve(&block, v.steps + 1, sizeof *v.slot);
    v.length = carve(&block, v.rows, sizeof(uint32_t));
    v.row = carve(&block, v.rows, sizeof(uint32_t));
    v.active = carve(&block, v.steps, sizeof(uint32_t));
    v.at = carve(&block, v.total, sizeof(uint32_t));
    v.kind = carve(&block, v.rows, 1);
    **out = v;
    return RD_OK;
}

/* Fills the list; what it is made from lies in a block of its own for the while. */
static rd_status fill_list(const rdc_reading *how, rdc_arena *arena, rdc_valid *v, rd_error *err)
{
    struct list l = {0};
    const size_t bytes =
        v->rows * (sizeof *l.stretch + sizeof(uint32_t)) + v->total * sizeof(uint32_t);
    char *block = rdc_record_new(arena, bytes), *at = block;
    if (!block) return rdc_no_memory(err, bytes);
    l.stretch = carve(&at, v->rows, sizeof *l.stretch);
    l.time = carve(&at, v->total, sizeof(uint32_t));
    uint32_t *order = carve(&at, v->rows, sizeof(uint32_t));
    for (size_t r = 0; r < v->batch; r++) cut_row(how, r, &l);
    sort_rows(v, &l, order);
    sort_by_whole(how, v, order);
    list_steps(v, &l, order);
    rdc_record_free(arena, block);
    return RD_OK;
}

rd_status rdc_valid_new(const rdc_reading *how, rdc_valid **out, rd_error *err)
{
    rdc_arena *arena = how->x->core->arena;
    rdc_valid v = {.batch = how->x->shape[0], .time = how->x->shape[1]}, *made = NULL;
    struct list l = {0};
    size_t cells;
    *out = NULL;
    if (how->mask) RD_TRY(check_mask(how, err));
    if (how->resets) RD_TRY(check_resets(how, err));
    if (v.batch > UINT32_MAX || v.time >= UINT32_MAX || !rdc_mul_size(v.batch, v.time, &cells) ||
        cells > SIZE_MAX / 64)
        return rdc_fail(err, RD_E_ARG, "%s: this batch is larger than memory can be", how->what);
    bool anew = false;
    for (size_t r = 0; r < v.batch; r++) {
        cut_row(how, r, &l);
        anew = anew || is_border(how, r, 0);
    }
    if (l.total == cells && l.n == v.batch && !anew && !how->reverse && keeps_order(how))
        return RD_OK;
    v.rows = l.n;
    v.total = l.total;
    v.steps = l.longest;
    RD_TRY(new_list(arena, &v, &made, err));
    const rd_status status = fill_list(how, arena, made, err);
    if (status == RD_OK)
        *out = made;
    else
        rdc_record_free(arena, made);
    return status;
}

rd_status rd_leading_steps(rd_tensor *mask, rd_tensor **out, rd_error *err)
{
    char shape[128];
    if (mask->ndim != 2)
        return rdc_fail(err, RD_E_ARG, "leading_steps: expected a mask (batch, time), got %s",
                        rdc_shape_text(mask, shape));
    rd_tensor *lengths = NULL;
    bool holes = false;
    RD_TRY(rd_tensor_new(mask->core, 1, mask->shape, RD_DENSE, &lengths, err));
    for (size_t r = 0; r < mask->shape[0]; r++) {
        const rd_real *row = mask->at + r * mask->stride[0];
        size_t n = 0, last = 0;
        for (size_t t = 0; t < mask->shape[1]; t++) {
            if (row[t * mask->stride[1]] == 0) continue;
            n++;
            last = t + 1;
        }
        holes = holes || n < last;
        lengths->at[r] = (rd_real)n;
    }
    *out = holes ? NULL : lengths;
    if (holes) rd_tensor_release(lengths);
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
