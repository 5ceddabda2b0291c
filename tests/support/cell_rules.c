/* cell_rules.c - see cell_rules.h. Rules C2, C3, C4, C5 and C7 of plugins/README.md.
 * SPDX-License-Identifier: MIT */
#include "support/cell_rules.h"

#include "base/pool.h"
#include "rondo/pointmath.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 5, STEPS = 3, TEXT = CELL_RULE_TEXT };

struct report { /* what a check after each phase writes to */
    char *why;
    size_t cap;
};

/* STEPS steps forward, then the last one backward, where the cell has a backward. */
static void run(cell_bench *b)
{
    bench_start(b);
    for (uint32_t t = 0; t < STEPS; t++) bench_forward(b, t, t, NULL, NULL);
    if (b->cell->backward) bench_backward(b, STEPS - 1, NULL, NULL);
}

static bool is_finite(rd_real value)
{
    return value - value == 0;
}

/* ---- C2 ------------------------------------------------------------------------------------------ */

/* The same call has the same result, whatever was called before: there is no memory outside of the spans. */
static bool has_no_memory(const cell_case *c, char *why, size_t cap)
{
    cell_bench once, again;
    char what[TEXT];
    if (!bench_open(&once, c, ROWS, why, cap)) return false;
    bool ok = bench_open(&again, c, ROWS, why, cap);
    if (ok) {
        run(&once);
        for (int i = 0; i < 2; i++) run(&again);
        ok = bench_same(&once, &again, CELL_LINE, CELL_DVEC, what, sizeof what);
        if (!ok) snprintf(why, cap, "called again it gives other numbers: %s", what);
        bench_close(&again);
    }
    bench_close(&once);
    return ok;
}

static bool leaves_environment(const cell_case *c, char *why, size_t cap)
{
    const uint64_t flags = 0x3f; /* of x86: which exceptions have occurred */
    cell_bench b;
    if (!bench_open(&b, c, ROWS, why, cap)) return false;
    const uint64_t outside = rdc_fp_enter(), want = rdc_fp_enter();
    errno = 0;
    run(&b);
    const int error = errno;
    const uint64_t now = rdc_fp_enter();
    rdc_fp_leave(outside);
    const bool ok = error == 0 && ((now ^ want) & ~flags) == 0;
    if (!ok)
        snprintf(why, cap, "it changes %s", error ? "errno" : "the floating-point environment");
    bench_close(&b);
    return ok;
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
                snprintf(to->why, to->cap, "forward %s %s, row %u, element %u",
                         written ? "does not write" : "writes before its phase", name, r, j);
                return false;
            }
    return true;
}

static bool wrote_phase(const cell_bench *b, uint32_t phase, void *user)
{
    const rdc_layout *l = b->layout;
    bool ok = true;
    for (uint32_t k = 0; k < l->n_temps && ok; k++)
        if (l->temp[k].phase >= phase)
            ok = all_are(b, CELL_TEMP, k, l->temp[k].phase == phase, user);
    for (uint32_t k = 0; k < l->n_lines && ok; k++)
        if (l->line[k].phase > phase) ok = all_are(b, CELL_LINE, k, false, user);
    for (uint32_t k = 0; k < l->n_states && ok && phase + 1 == l->n_phases; k++)
        ok = all_are(b, CELL_NEXT, k, true, user);
    return ok;
}

static bool writes_all(const cell_case *c, char *why, size_t cap)
{
    cell_bench b;
    if (!bench_open(&b, c, ROWS, why, cap)) return false;
    bool ok = true;
    bench_start(&b);
    for (uint32_t t = 0; t < STEPS && ok; t++)
        ok = bench_forward(&b, t, t, wrote_phase, &(struct report){why, cap});
    bench_close(&b);
    return ok;
}

static bool all_kept(const cell_bench *b, enum cell_kind kind, const char *function,
                     const struct report *to)
{
    for (uint32_t k = 0; k < b->count[kind]; k++) {
        if (bench_kept(b, kind, k)) continue;
        char name[64];
        bench_name(b, kind, k, name);
        snprintf(to->why, to->cap, "%s writes to %s, which it may only read", function, name);
        return false;
    }
    return true;
}

/* Lines of later phases, which backward has done with. */
static bool later_kept(const cell_bench *b, uint32_t phase, const struct report *to)
{
    for (uint32_t k = 0; k < b->layout->n_lines; k++) {
        if (b->layout->line[k].phase <= phase || bench_kept(b, CELL_LINE, k)) continue;
        snprintf(to->why, to->cap, "backward of phase %u writes to line '%s' of phase %u", phase,
                 b->layout->line_name[k], b->layout->line[k].phase);
        return false;
    }
    return true;
}

static bool forward_reads(const cell_bench *b, uint32_t phase, void *user)
{
    static const enum cell_kind kinds[] = {CELL_PREV, CELL_X, CELL_VEC};
    const struct report *to = user;
    (void)phase;
    bool ok = bench_guards(b, "forward", to->why, to->cap);
    for (int i = 0; i < 3 && ok; i++) ok = all_kept(b, kinds[i], "forward", to);
    return ok;
}

static bool backward_reads(const cell_bench *b, uint32_t phase, void *user)
{
    static const enum cell_kind kinds[] = {CELL_NEXT, CELL_TEMP, CELL_PREV,
                                           CELL_X,    CELL_VEC,  CELL_DNEXT};
    const struct report *to = user;
    bool ok = bench_guards(b, "backward", to->why, to->cap) && later_kept(b, phase, to);
    for (int i = 0; i < 6 && ok; i++) ok = all_kept(b, kinds[i], "backward", to);
    return ok;
}

/* Nothing is written between and around rows; what is to be read stays as it is. */
static bool writes_inside(const cell_case *c, char *why, size_t cap)
{
    struct report to = {why, cap};
    cell_bench b;
    if (!bench_open(&b, c, ROWS, why, cap)) return false;
    bool ok = true;
    bench_start(&b);
    for (uint32_t t = 0; t < STEPS && ok; t++) ok = bench_forward(&b, t, t, forward_reads, &to);
    if (ok && c->cell->backward) ok = bench_backward(&b, STEPS - 1, backward_reads, &to);
    bench_close(&b);
    return ok;
}

/* Gradients are linear in those that come in: of zeros, every line's is zero. A line that is not overwritten
 * still has what forward left. */
static bool lines_are_zero(const cell_bench *b, uint32_t phase, void *user)
{
    const struct report *to = user;
    for (uint32_t k = 0; k < b->layout->n_lines; k++) {
        const bench_span *s = &b->span[CELL_LINE][k];
        for (uint32_t i = 0; i < s->rows * s->width && b->layout->line[k].phase >= phase; i++) {
            const uint32_t r = i / s->width, j = i % s->width;
            if (s->at[r * s->row + j] == 0) continue;
            snprintf(to->why, to->cap,
                     "backward leaves line '%s' as it was, or its gradient is not linear: row %u, "
                     "element %u is %g where all that comes in is 0",
                     b->layout->line_name[k], r, j, (double)s->at[r * s->row + j]);
            return false;
        }
    }
    return true;
}

static bool overwrites_lines(const cell_case *c, char *why, size_t cap)
{
    cell_bench b;
    if (!c->cell->backward) return true;
    if (!bench_open(&b, c, ROWS, why, cap)) return false;
    bench_start(&b);
    for (uint32_t t = 0; t < STEPS; t++) bench_forward(&b, t, t, NULL, NULL);
    b.dscale = 0;
    const bool ok = bench_backward(&b, STEPS - 1, lines_are_zero, &(struct report){why, cap});
    bench_close(&b);
    return ok;
}

/* What was added to buffers that began at numbers of 1 to 2, the second bench's, is what was added to those
 * that began at 0, the first's. The third has the numbers themselves. */
static bool sums_up(cell_bench *const b[3], enum cell_kind kind, char *why, size_t cap)
{
    const double slack = sizeof(rd_real) == sizeof(double) ? 1e-12 : 1e-4;
    for (uint32_t k = 0; k < b[0]->count[kind]; k++) {
        const bench_span *s[3];
        for (int i = 0; i < 3; i++) s[i] = &b[i]->span[kind][k];
        for (uint32_t i = 0; i < s[0]->rows * s[0]->width; i++) {
            const size_t at = i / s[0]->width * s[0]->row + i % s[0]->width;
            const double added = (double)s[0]->at[at], sum = (double)s[1]->at[at];
            const double was = (double)s[2]->at[at];
            if (rd_abs_d(sum - (was + added)) <= slack * (2 + rd_abs_d(added))) continue;
            char name[64];
            bench_name(b[0], kind, k, name);
            snprintf(why, cap, "backward does not add to %s: %g on 0 and %g on %g", name, added,
                     sum, was);
            return false;
        }
    }
    return true;
}

static bool adds(const cell_case *c, char *why, size_t cap)
{
    static const enum cell_kind kinds[] = {CELL_DPREV, CELL_ADDED, CELL_DX, CELL_DVEC};
    cell_bench b[3] = {0}, *const all[3] = {&b[0], &b[1], &b[2]};
    bool ok = true;
    if (!c->cell->backward) return true;
    for (int i = 0; i < 3 && ok; i++) {
        ok = bench_open(&b[i], c, ROWS, why, cap);
        if (!ok) break;
        b[i].base = i > 0;
        if (i < 2)
            run(&b[i]);
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
static bool rows_are_apart(const cell_case *c, char *why, size_t cap)
{
    cell_bench whole, parts;
    char what[TEXT];
    if (!bench_open(&whole, c, ROWS, why, cap)) return false;
    bool ok = bench_open(&parts, c, ROWS, why, cap);
    if (ok) {
        run(&whole);
        for (parts.split = 1; parts.split < ROWS && ok; parts.split++) {
            run(&parts);
            ok = bench_same(&whole, &parts, CELL_LINE, CELL_DX, what, sizeof what) &&
                 bench_same(&whole, &parts, CELL_ADDED, CELL_ADDED, what, sizeof what);
            if (!ok)
                snprintf(why, cap, "rows 0..%u and the others in two calls differ from one: %s",
                         parts.split - 1, what);
        }
        bench_close(&parts);
    }
    bench_close(&whole);
    return ok;
}

/* Steps from any place in a sequence are those of a new one with the state carried over. */
static bool steps_are_alike(const cell_case *c, char *why, size_t cap)
{
    enum { CUT = 1 };
    cell_bench whole, parts;
    char what[TEXT];
    if (!bench_open(&whole, c, ROWS, why, cap)) return false;
    bool ok = bench_open(&parts, c, ROWS, why, cap);
    if (ok) {
        run(&whole);
        bench_start(&parts);
        for (uint32_t t = 0; t < STEPS; t++)
            bench_forward(&parts, t, t < CUT ? t : t - CUT, NULL, NULL);
        if (c->cell->backward) bench_backward(&parts, STEPS - 1 - CUT, NULL, NULL);
        ok = bench_same(&whole, &parts, CELL_LINE, CELL_DVEC, what, sizeof what);
        if (!ok) snprintf(why, cap, "a sequence cut after step %d differs: %s", CUT - 1, what);
        bench_close(&parts);
    }
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
            snprintf(why, cap, "%s is %g where x is up to %g", name, (double)value, b->scale);
            return false;
        }
    }
    return true;
}

static bool stays_finite(const cell_case *c, char *why, size_t cap)
{
    static const double scales[] = {1e4, 1, 1e-20,
                                    sizeof(rd_real) == sizeof(double) ? 1e-310 : 1e-40, 0};
    cell_bench b;
    if (!bench_open(&b, c, ROWS, why, cap)) return false;
    bool ok = true;
    for (size_t i = 0; i < sizeof scales / sizeof scales[0] && ok; i++) {
        b.scale = scales[i];
        run(&b);
        ok = all_finite(&b, CELL_NEXT, why, cap) && all_finite(&b, CELL_TEMP, why, cap) &&
             all_finite(&b, CELL_LINE, why, cap);
        if (c->cell->backward)
            ok = ok && all_finite(&b, CELL_DPREV, why, cap) && all_finite(&b, CELL_DX, why, cap) &&
                 all_finite(&b, CELL_DVEC, why, cap);
    }
    bench_close(&b);
    return ok;
}

const cell_rule cell_rules[] = {
    {"C2", "a call has no memory of others", has_no_memory},
    {"C2", "errno and the floating-point environment stay", leaves_environment},
    {"C3", "forward writes all of its temps or states", writes_all},
    {"C3", "nothing else is written", writes_inside},
    {"C3", "backward overwrites all of its lines", overwrites_lines},
    {"C3", "all other gradients are only added to", adds},
    {"C4", "any split of rows gives the same bits", rows_are_apart},
    {"C5", "a sequence may be cut anywhere", steps_are_alike},
    {"C7", "outputs and gradients are finite for x up to 1e4, tiny and denormal", stays_finite},
};

size_t cell_rule_count(void)
{
    return sizeof cell_rules / sizeof cell_rules[0];
}
