/* bench_look.c - what has become of the buffers of a bench (cell_bench.h). SPDX-License-Identifier: MIT
 * */
#include "cell_bench.h"
#include <stdio.h>
#include <string.h>

void bench_name(const cell_bench *b, enum cell_kind kind, uint32_t id, char name[64])
{
    static const char *const words[CELL_KINDS] = {"line",
                                                  "state",
                                                  "temp",
                                                  "save",
                                                  "previous state",
                                                  "x",
                                                  "vector",
                                                  "the gradient of state",
                                                  "the gradient of previous state",
                                                  "the gradient of temp",
                                                  "the gradient of x",
                                                  "the gradient of vector",
                                                  "the gradient of temp"};
    const rdc_layout *l = b->layout;
    const char *own = "";
    if (kind == CELL_LINE)
        own = l->line_name[id];
    else if (kind == CELL_NEXT || kind == CELL_PREV || kind == CELL_DNEXT || kind == CELL_DPREV)
        own = l->state_name[id];
    else if (kind == CELL_TEMP || kind == CELL_DTEMP || kind == CELL_ADDED)
        own = l->temp_name[id];
    else if (kind == CELL_VEC || kind == CELL_DVEC)
        own = l->vec_name[id];
    if (own[0])
        snprintf(name, 64, "%s '%s'", words[kind], own);
    else
        snprintf(name, 64, "%s", words[kind]);
}

static bool inside(const bench_span *s, size_t i)
{
    const size_t row = i / s->row;
    return row >= 1 && row <= s->rows && i % s->row < s->width;
}

void bench_surround(const bench_span *s, rd_real value)
{
    for (size_t i = 0; i < s->n; i++)
        if (!inside(s, i)) s->block[i] = value;
}

bool bench_is_outside(const bench_span *s, size_t i)
{
    return !inside(s, i) && memcmp(&s->kept[i], &s->block[i], sizeof *s->block) != 0;
}

/* "backward of phase 1 wrote 4 bytes past line 'n' at t=7 (row 3)": what lies between two rows is behind
 * the first, unless all that was written there touches the second. */
static void say_outside(const cell_bench *b, const bench_span *s, const char *name, size_t i,
                        char *why, size_t cap)
{
    size_t n = 1;
    while (i + n < s->n && bench_is_outside(s, i + n)) n++;
    const size_t row = i / s->row, end = i + n;
    const bool before = (i % s->row > s->width && end % s->row == 0) || row == 0;
    snprintf(why, cap, BENCH_CALL " wrote %zu bytes %s %s at t=%d (row %ld)", BENCH_CALLED(b),
             n * sizeof(rd_real), before ? "before" : "past", name, BENCH_T(b),
             (long)(before ? end / s->row : row) - 1);
}

bool bench_guards(const cell_bench *b, char *why, size_t cap)
{
    for (int kind = 0; kind < CELL_KINDS; kind++)
        for (uint32_t k = 0; k < b->count[kind]; k++) {
            const bench_span *s = &b->span[kind][k];
            char name[64];
            for (size_t i = 0; i < s->n; i++) {
                if (!bench_is_outside(s, i)) continue;
                bench_name(b, kind, k, name);
                say_outside(b, s, name, i, why, cap);
                return false;
            }
        }
    return true;
}

bool bench_kept(const cell_bench *b, enum cell_kind kind, uint32_t id, size_t *place)
{
    const bench_span *s = &b->span[kind][id];
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t j = 0; j < s->width; j++) {
            const size_t i = (r + 1) * s->row + j;
            if (memcmp(&s->kept[i], &s->block[i], sizeof *s->block) == 0) continue;
            *place = (size_t)r * s->width + j;
            return false;
        }
    return true;
}

bool bench_same(const cell_bench *a, const cell_bench *b, enum cell_kind first, enum cell_kind last,
                char *why, size_t cap)
{
    for (int kind = first; kind <= (int)last; kind++)
        for (uint32_t k = 0; k < a->count[kind]; k++) {
            const bench_span *s = &a->span[kind][k], *o = &b->span[kind][k];
            char name[64];
            bench_name(a, kind, k, name);
            for (size_t i = 0; i < s->n; i++)
                if (inside(s, i) && memcmp(&s->block[i], &o->block[i], sizeof(rd_real)) != 0) {
                    snprintf(why, cap, "%s (row %ld, element %ld) is %.9g and %.9g", name,
                             (long)(i / s->row) - 1, (long)(i % s->row), (double)s->block[i],
                             (double)o->block[i]);
                    return false;
                }
        }
    return true;
}
