/* cell_rules.c - the rules of cells, and those of them (C1, C2) that are about more than single steps.
 * SPDX-License-Identifier: MIT */
#include "cell_grid.h"
#include "cell_runs.h"
#include "cell_steps.h"
#include "image.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 5, TEXT = 256 };

struct report { /* what a check after each phase writes to */
    char *why;
    size_t cap;
};

/* ---- C1 ---------------------------------------------------------------------------------------- */

/* Other sizes between two calls: what layout() keeps of them would show. */
static bool layout_is_pure(const cell_case *c, char *why, size_t cap)
{
    rdc_layout *l[3] = {NULL};
    cell_case sized[3] = {*c, *c, *c};
    rd_error err;
    bool ok = true;
    sized[1].in = c->in + 4;
    sized[1].hidden = 2 * c->hidden;
    for (int i = 0; i < 3 && ok; i++)
        ok = case_layout(&sized[i], &l[i], &err) == RD_OK || i == 1; /* a size it may not take */
    if (!ok) snprintf(why, cap, "called again it fails: %s", case_bare(c, &err));
    if (ok && !rdc_layout_same(l[0], l[2])) {
        ok = false;
        snprintf(why, cap, "layout() declares something else after it was called for other sizes");
    }
    for (int i = 0; i < 3; i++) rdc_layout_free(l[i]);
    return ok;
}

/* ---- C2 ------------------------------------------------------------------------------------------ */

struct watched {
    image m;
    bool forbid; /* calls, which then end the child by themselves */
    char by[32]; /* "forward of phase 1" */
    char *why;   /* filled at the first change of the data */
    size_t cap;
};

static void watch_call(void *user, const cell_bench *b, bool before)
{
    struct watched *w = user;
    char what[128];
    if (before) {
        snprintf(w->by, sizeof w->by, BENCH_CALL, BENCH_CALLED(b));
        image_arm(&w->m, w->forbid ? w->by : NULL);
        return;
    }
    image_disarm(&w->m);
    if (!w->why[0] && image_changed(&w->m, what, sizeof what))
        snprintf(w->why, w->cap, "%s changes static data %s at t=%d", w->by, what, BENCH_T(b));
}

/* Runs the cell under watch. false: it could not be run. */
static bool run_watched(const cell_case *c, struct watched *w)
{
    cell_bench b;
    if (!bench_open(&b, c, ROWS, w->why, w->cap)) return false;
    const bool ok = image_open(&w->m, c->cell);
    if (!ok) snprintf(w->why, w->cap, "the plugin cannot be found in memory");
    b.around = watch_call;
    b.user = w;
    if (ok) (void)bench_run(&b, NULL, NULL);
    bench_close(&b);
    return ok;
}

static bool calls_nobody(const cell_case *c, char *why, size_t cap)
{
    char changed[TEXT] = "";
    struct watched w = {.forbid = true, .why = changed, .cap = sizeof changed};
    if (run_watched(c, &w)) return true;
    snprintf(why, cap, "%s", changed);
    return false;
}

static bool keeps_data(const cell_case *c, char *why, size_t cap)
{
    struct watched w = {.why = why, .cap = cap};
    if (run_watched(c, &w) && !why[0] && w.m.thread_local_data)
        snprintf(why, cap, "the plugin has thread-local data, which are static to a thread");
    return !why[0];
}

/* The same call has the same result, whatever was called before: there is no memory outside of the
 * spans. */
static bool has_no_memory(const cell_case *c, char *why, size_t cap)
{
    cell_bench once, again;
    char what[TEXT];
    if (!bench_open(&once, c, ROWS, why, cap)) return false;
    bool ok = bench_open(&again, c, ROWS, why, cap);
    if (ok) {
        (void)bench_run(&once, NULL, NULL);
        for (int i = 0; i < 2; i++) (void)bench_run(&again, NULL, NULL);
        ok = bench_same(&once, &again, CELL_LINE, CELL_DVEC, what, sizeof what);
        if (!ok) snprintf(why, cap, "the same calls made again give other numbers: %s", what);
        bench_close(&again);
    }
    bench_close(&once);
    return ok;
}

static bool left_alone(const cell_bench *b, uint32_t phase, void *user)
{
    const struct report *to = user;
    (void)phase;
    if (b->call.error == 0 && b->call.environment == 0) return true;
    if (b->call.error)
        snprintf(to->why, to->cap, BENCH_CALL " sets errno to %d at t=%d", BENCH_CALLED(b),
                 b->call.error, BENCH_T(b));
    else
        snprintf(to->why, to->cap,
                 BENCH_CALL " changes the floating-point environment (rounding, flush to zero) at "
                            "t=%d",
                 BENCH_CALLED(b), BENCH_T(b));
    return false;
}

static bool leaves_environment(const cell_case *c, char *why, size_t cap)
{
    cell_bench b;
    if (!bench_open(&b, c, ROWS, why, cap)) return false;
    const bool ok = bench_run(&b, left_alone, &(struct report){why, cap});
    bench_close(&b);
    return ok;
}

#define CASES .run = check_each_case, .keeps
const check_rule check_cell_rules[] = {
    {"C1", "layout() declares the same whenever it is called", 0, check_declarations,
     layout_is_pure},
    {"C2", "forward and backward call no function of others", CASES = calls_nobody},
    {"C2", "they change no static data", CASES = keeps_data},
    {"C2", "they remember nothing of other calls", CASES = has_no_memory},
    {"C2", "they leave errno and the floating-point environment alone", CASES = leaves_environment},
    {"C3", "forward writes all of its temps or states", CASES = cell_writes_all},
    {"C3", "nothing else is written", CASES = cell_writes_inside},
    {"C3", "backward overwrites all of its lines", CHECK_BACKWARD, CASES = cell_overwrites_lines},
    {"C3", "all other gradients are only added to", CHECK_BACKWARD, CASES = cell_adds},
    {"C4", "any split of the rows gives the same bits", CASES = cell_rows_are_apart},
    {"C4", "rows shared by threads give the same bits", CASES = cell_threads_agree},
    {"C4", "a row in a batch of unequal lengths is what it is alone",
     CASES = cell_rows_alone_agree},
    {"C5", "a sequence may be cut anywhere", CASES = cell_steps_are_alike},
    {"C5", "whole, in chunks, step by step, with and without gradients: the same bits",
     CASES = cell_chunks_agree},
    {"C6", "backward is the derivative of forward", CHECK_IN_DOUBLE | CHECK_BACKWARD,
     CASES = cell_backward_is_derivative},
    {"C7", "what comes out is finite for x up to 10000, tiny and denormal",
     CASES = cell_stays_finite},
    {"C8", "the cell can be built at all values of its options", .run = check_all_options},
    {"C9", "a layer that is saved and read again gives the same bits", CHECK_UNLOADED,
     .run = cell_is_saved},
    {0},
};
