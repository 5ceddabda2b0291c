/* cell_steps.c - see cell_steps.h. SPDX-License-Identifier: MIT */
#include "cell_steps.h"
#include "rondo/pointmath.h"
#include <stdio.h>
#include <string.h>

enum { ROWS = 5, TEXT = 256 };

struct report { /* what a check after each phase writes to */
    char *why;
    size_t cap;
};

static bool is_finite(rd_real value)
{
    return value - value == 0;
}

/* ---- C3 ------------------------------------------------------------------------------------------ */

/* An element of a span that still is, or is not, as it was before the call. */
static bool all_are(const cell_bench *b, enum cell_kind kind, uint32_t id, bool written,
                    const struct report *to)
{
    const bench_span *s = &b->span[kind][id];
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t j = 0; j < s->width; j++)
            if (bench_is_unwritten(s->at[r * s->row + j]) == written) {
                char name[64];
                bench_name(b, kind, id, name);
                snprintf(to->why, to->cap, BENCH_CALL " %s %s at t=%d (row %u, element %u)%s",
                         BENCH_CALLED(b), written ? "did not write" : "wrote", name, BENCH_T(b), r,
                         j, written ? "" : ", whose phase comes later");
                return false;
            }
    return true;
}

static bool wrote_phase(const cell_bench *b, uint32_t phase, void *user)
{
    const rdc_layout *l = b->layout;
    bool ok = true;
    if (b->call.backward) return true;
    for (uint32_t k = 0; k < l->n_temps && ok; k++)
        if (l->temp[k].phase >= phase)
            ok = all_are(b, CELL_TEMP, k, l->temp[k].phase == phase, user);
    for (uint32_t k = 0; k < l->n_lines && ok; k++)
        if (l->line[k].phase > phase) ok = all_are(b, CELL_LINE, k, false, user);
    for (uint32_t k = 0; k < l->n_states && ok && phase + 1 == l->n_phases; k++)
        ok = all_are(b, CELL_NEXT, k, true, user);
    return ok;
}

static bool checked_in(rd_real around, const cell_case *c, bench_after after, char *why, size_t cap)
{
    cell_bench b;
    if (!bench_open(&b, c, ROWS, why, cap)) return false;
    for (int kind = 0; kind < CELL_KINDS; kind++)
        for (uint32_t k = 0; k < b.count[kind]; k++) bench_surround(&b.span[kind][k], around);
    const bool ok = bench_run(&b, after, &(struct report){why, cap});
    bench_close(&b);
    return ok;
}

static bool checked(const cell_case *c, bench_after after, char *why, size_t cap)
{
    return checked_in(bench_unwritten(), c, after, why, cap);
}

bool cell_writes_all(const cell_case *c, char *why, size_t cap)
{
    return checked(c, wrote_phase, why, cap);
}

static bool all_kept(const cell_bench *b, enum cell_kind kind, const struct report *to)
{
    size_t place;
    for (uint32_t k = 0; k < b->count[kind]; k++) {
        const bench_span *s = &b->span[kind][k];
        if (bench_kept(b, kind, k, &place)) continue;
        char name[64];
        bench_name(b, kind, k, name);
        snprintf(to->why, to->cap,
                 BENCH_CALL " wrote to %s at t=%d (row %zu, element %zu), which it may only read",
                 BENCH_CALLED(b), name, BENCH_T(b), place / s->width, place % s->width);
        return false;
    }
    return true;
}

/* Lines of later phases, which backward has done with. */
static bool later_kept(const cell_bench *b, uint32_t phase, const struct report *to)
{
    size_t place;
    for (uint32_t k = 0; k < b->layout->n_lines; k++) {
        if (b->layout->line[k].phase <= phase || bench_kept(b, CELL_LINE, k, &place)) continue;
        const uint32_t width = b->span[CELL_LINE][k].width;
        snprintf(to->why, to->cap,
                 BENCH_CALL " wrote to line '%s' of phase %u at t=%d (row %zu, element %zu), which "
                            "is complete by then",
                 BENCH_CALLED(b), b->layout->line_name[k], b->layout->line[k].phase, BENCH_T(b),
                 place / width, place % width);
        return false;
    }
    return true;
}

static bool kept_outside(const cell_bench *b, uint32_t phase, void *user)
{
    static const enum cell_kind forward[] = {CELL_PREV, CELL_X, CELL_VEC};
    static const enum cell_kind backward[] = {CELL_NEXT, CELL_TEMP, CELL_PREV,
                                              CELL_X,    CELL_VEC,  CELL_DNEXT};
    const struct report *to = user;
    const bool back = b->call.backward;
    bool ok = bench_guards(b, to->why, to->cap) && (!back || later_kept(b, phase, to));
    for (int i = 0; i < (back ? 6 : 3) && ok; i++)
        ok = all_kept(b, back ? backward[i] : forward[i], to);
    return ok;
}

/* Nothing is written between and around rows; what is to be read stays as it is. */
bool cell_writes_inside(const cell_case *c, char *why, size_t cap)
{
    return checked(c, kept_outside, why, cap) &&
           checked_in(BENCH_NUMBER, c, kept_outside, why, cap);
}

/* Gradients are linear in those that come in: of zeros, every line's is zero. A line that is not
 * overwritten still has what forward left. */
static bool lines_are_zero(const cell_bench *b, uint32_t phase, void *user)
{
    const struct report *to = user;
    for (uint32_t k = 0; k < b->layout->n_lines; k++) {
        const bench_span *s = &b->span[CELL_LINE][k];
        for (uint32_t i = 0; i < s->rows * s->width && b->layout->line[k].phase == phase; i++) {
            const uint32_t r = i / s->width, j = i % s->width;
            if (s->at[r * s->row + j] == 0) continue;
            snprintf(to->why, to->cap,
                     BENCH_CALL " left line '%s' as it was, or its gradient is not linear: %g at "
                                "t=%d (row %u, element %u), where all that comes in is 0",
                     BENCH_CALLED(b), b->layout->line_name[k], (double)s->at[r * s->row + j],
                     BENCH_T(b), r, j);
            return false;
        }
    }
    return true;
}

bool cell_overwrites_lines(const cell_case *c, char *why, size_t cap)
{
    cell_bench b;
    if (!bench_open(&b, c, ROWS, why, cap)) return false;
    bench_start(&b);
    for (uint32_t t = 0; t < BENCH_STEPS; t++) bench_forward(&b, t, t, NULL, NULL);
    b.dscale = 0;
    const bool ok = bench_backward(&b, BENCH_STEPS - 1, lines_are_zero, &(struct report){why, cap});
    bench_close(&b);
    return ok;
}

/* What was added to buffers that began at numbers of 1 to 2, the second bench's, is what was added to
 * those that began at 0, the first's. The third has the numbers themselves. */
static bool sums_up(cell_bench *const b[3], enum cell_kind kind, char *why, size_t cap)
{
    const double slack = sizeof(rd_real) == sizeof(double) ? 1e-12 : 1e-4;
    for (uint32_t k = 0; k < b[0]->count[kind]; k++) {
        const bench_span *s[3];
        for (int i = 0; i < 3; i++) s[i] = &b[i]->span[kind][k];
        for (uint32_t i = 0; i < s[0]->rows * s[0]->width; i++) {
            const uint32_t r = i / s[0]->width, j = i % s[0]->width;
            const size_t at = r * s[0]->row + j;
            const double added = (double)s[0]->at[at], sum = (double)s[1]->at[at];
            const double was = (double)s[2]->at[at];
            if (rd_abs_d(sum - (was + added)) <= slack * (2 + rd_abs_d(added))) continue;
            char name[64];
            bench_name(b[0], kind, k, name);
            snprintf(why, cap,
                     "backward does not add to %s (row %u, element %u): on 0 it gives %g, on %g %g",
                     name, r, j, added, was, sum);
            return false;
        }
    }
    return true;
}

bool cell_adds(const cell_case *c, char *why, size_t cap)
{
    static const enum cell_kind kinds[] = {CELL_DPREV, CELL_ADDED, CELL_DX, CELL_DVEC};
    cell_bench b[3] = {0}, *const all[3] = {&b[0], &b[1], &b[2]};
    bool ok = true;
    for (int i = 0; i < 3 && ok; i++) {
        ok = bench_open(&b[i], c, ROWS, why, cap);
        if (!ok) break;
        b[i].base = i > 0;
        if (i < 2)
            (void)bench_run(&b[i], NULL, NULL);
        else
            bench_gradients(&b[i]);
    }
    for (int i = 0; i < 4 && ok; i++) ok = sums_up(all, kinds[i], why, cap);
    for (int i = 0; i < 3; i++)
        if (b[i].layout) bench_close(&b[i]);
    return ok;
}

/* ---- C4, C5, C7 ----------------------------------------------------------------------------------- */

/* Any split of the rows gives the same bits; but dvec, whose sums are over the rows of a call. */
bool cell_rows_are_apart(const cell_case *c, char *why, size_t cap)
{
    cell_bench whole, parts;
    char what[TEXT];
    if (!bench_open(&whole, c, ROWS, why, cap)) return false;
    bool ok = bench_open(&parts, c, ROWS, why, cap);
    if (ok) {
        (void)bench_run(&whole, NULL, NULL);
        for (parts.split = 1; parts.split < ROWS && ok; parts.split++) {
            (void)bench_run(&parts, NULL, NULL);
            ok = bench_same(&whole, &parts, CELL_LINE, CELL_DX, what, sizeof what) &&
                 bench_same(&whole, &parts, CELL_ADDED, CELL_ADDED, what, sizeof what);
            if (!ok)
                snprintf(why, cap, "rows 0..%u and %u..%d in two calls differ from one: %s",
                         parts.split - 1, parts.split, ROWS - 1, what);
        }
        bench_close(&parts);
    }
    bench_close(&whole);
    return ok;
}

/* Steps from any place in a sequence are those of a new one with the state carried over. */
bool cell_steps_are_alike(const cell_case *c, char *why, size_t cap)
{
    cell_bench whole, parts;
    char what[TEXT];
    if (!bench_open(&whole, c, ROWS, why, cap)) return false;
    bool ok = bench_open(&parts, c, ROWS, why, cap);
    if (ok) (void)bench_run(&whole, NULL, NULL);
    for (uint32_t cut = 1; cut < BENCH_STEPS && ok; cut += cut) {
        bench_start(&parts);
        for (uint32_t t = 0; t < BENCH_STEPS; t++)
            bench_forward(&parts, t, t < cut ? t : t - cut, NULL, NULL);
        if (c->cell->backward) bench_backward(&parts, BENCH_STEPS - 1 - cut, NULL, NULL);
        ok = bench_same(&whole, &parts, CELL_LINE, CELL_DVEC, what, sizeof what);
        if (!ok)
            snprintf(why, cap, "a sequence of %d steps cut after step %u differs: %s", BENCH_STEPS,
                     cut - 1, what);
    }
    if (parts.layout) bench_close(&parts);
    bench_close(&whole);
    return ok;
}

static bool all_finite(const cell_bench *b, enum cell_kind kind, char *why, size_t cap)
{
    for (uint32_t k = 0; k < b->count[kind]; k++) {
        const bench_span *s = &b->span[kind][k];
        for (uint32_t i = 0; i < s->rows * s->width; i++) {
            const rd_real value = s->at[i / s->width * s->row + i % s->width];
            if (is_finite(value)) continue;
            char name[64];
            bench_name(b, kind, k, name);
            snprintf(why, cap, "%s is %s where x is up to %g (row %u, element %u)", name,
                     value == value ? "infinite" : "not a number", b->scale, i / s->width,
                     i % s->width);
            return false;
        }
    }
    return true;
}

bool cell_stays_finite(const cell_case *c, char *why, size_t cap)
{
    static const double scales[] = {1e4, 1, 1e-20,
                                    sizeof(rd_real) == sizeof(double) ? 1e-310 : 1e-40, 0};
    cell_bench b;
    if (!bench_open(&b, c, ROWS, why, cap)) return false;
    bool ok = true;
    for (size_t i = 0; i < sizeof scales / sizeof scales[0] && ok; i++) {
        b.scale = scales[i];
        (void)bench_run(&b, NULL, NULL);
        ok = all_finite(&b, CELL_NEXT, why, cap) && all_finite(&b, CELL_TEMP, why, cap) &&
             all_finite(&b, CELL_LINE, why, cap);
        if (c->cell->backward)
            ok = ok && all_finite(&b, CELL_DPREV, why, cap) && all_finite(&b, CELL_DX, why, cap) &&
                 all_finite(&b, CELL_DVEC, why, cap);
    }
    bench_close(&b);
    return ok;
}
