/* layer_rules.c - rules T1 to T9 of plugins/README.md: what a plugin's layer keeps.
 *
 * Its functions are called on seq_bench.h's buffers; what concerns batches is run by the engine, as with
 * cells (cell_runs.h).
 * SPDX-License-Identifier: MIT */
#include "cell_grid.h"
#include "cell_runs.h"
#include "cell_steps.h"
#include "image.h"
#include "seq_bench.h"
#include <stdio.h>

enum { STEPS = 8, TEXT = 256 };

struct report { /* what a check after each call writes to */
    char *why;
    size_t cap;
};

/* Runs a sequence of STEPS. */
static bool checked_in(rd_real around, const cell_case *c, seq_after after, char *why, size_t cap)
{
    seq_bench b;
    if (!seq_open(&b, c, STEPS, why, cap)) return false;
    for (int kind = 0; kind < SEQ_KINDS; kind++)
        for (uint32_t k = 0; k < b.count[kind]; k++) bench_surround(&b.span[kind][k], around);
    const bool ok = seq_run(&b, after, &(struct report){why, cap});
    seq_close(&b);
    return ok;
}

static bool checked(const cell_case *c, seq_after after, char *why, size_t cap)
{
    return checked_in(bench_unwritten(), c, after, why, cap);
}

/* ---- T1 ------------------------------------------------------------------------------------------ */

/* Other sizes between two calls: what setup() keeps of them would show. */
static bool setup_is_pure(const cell_case *c, char *why, size_t cap)
{
    rdc_layer_decl *d[3] = {NULL};
    cell_case sized[3] = {*c, *c, *c};
    rd_error err;
    bool ok = true;
    sized[1].in = c->in + 4;
    for (int i = 0; i < 3 && ok; i++)
        ok = case_setup(&sized[i], &d[i], &err) == RD_OK || i == 1; /* a size it may not take */
    if (!ok) (void)snprintf(why, cap, "called again it fails: %s", case_bare(c, &err));
    if (ok && !rdc_layer_decl_same(d[0], d[2])) {
        ok = false;
        (void)snprintf(why, cap,
                       "setup() declares something else after it was called for other sizes");
    }
    for (int i = 0; i < 3; i++) rdc_layer_decl_free(d[i]);
    return ok;
}

/* ---- T2 ------------------------------------------------------------------------------------------ */

struct watched {
    image m;
    bool forbid; /* calls, which then end the child by themselves */
    char by[48]; /* "forward of 8 steps" */
    char *why;   /* filled at the first change of the data */
    size_t cap;
};

static void watch_call(void *user, const seq_bench *b, bool before)
{
    struct watched *w = user;
    char what[128];
    if (before) {
        (void)snprintf(w->by, sizeof w->by, SEQ_CALL, SEQ_CALLED(b));
        image_arm(&w->m, w->forbid ? w->by : NULL);
        return;
    }
    image_disarm(&w->m);
    if (!w->why[0] && image_changed(&w->m, what, sizeof what))
        (void)snprintf(w->why, w->cap, "%s changes static data %s", w->by, what);
}

/* Runs the layer under watch. false: it could not be run. */
static bool run_watched(const cell_case *c, struct watched *w)
{
    seq_bench b;
    if (!seq_open(&b, c, STEPS, w->why, w->cap)) return false;
    const bool ok = image_open(&w->m, c->layer);
    if (!ok) (void)snprintf(w->why, w->cap, "the plugin cannot be found in memory");
    b.around = watch_call;
    b.user = w;
    if (ok) (void)seq_run(&b, NULL, NULL);
    seq_close(&b);
    return ok;
}

static bool calls_nobody(const cell_case *c, char *why, size_t cap)
{
    char changed[TEXT] = "";
    struct watched w = {.forbid = true, .why = changed, .cap = sizeof changed};
    if (run_watched(c, &w)) return true;
    (void)snprintf(why, cap, "%s", changed);
    return false;
}

static bool keeps_data(const cell_case *c, char *why, size_t cap)
{
    struct watched w = {.why = why, .cap = cap};
    if (run_watched(c, &w) && !why[0] && w.m.thread_local_data)
        (void)snprintf(why, cap, "the plugin has thread-local data, which are static to a thread");
    return !why[0];
}

/* All that a call gives: outputs, states, gradients, and the saves that gradients are made of. */
static bool same_results(const seq_bench *a, const seq_bench *b, char *why, size_t cap)
{
    static const enum seq_kind kinds[] = {SEQ_Y, SEQ_NEXT, SEQ_SAVE, SEQ_DX, SEQ_DPREV};
    for (int i = 0; i < (a->kind->backward ? 5 : 2); i++)
        for (uint32_t k = 0; k < a->count[kinds[i]]; k++)
            if ((kinds[i] != SEQ_SAVE || seq_is_da(a, k)) && !seq_same(a, b, kinds[i], k, why, cap))
                return false;
    return true;
}

/* The same call has the same result, whatever was called before and whatever lies in memory. */
static bool gives_the_same(const cell_case *c, bool zeroed, int times, const char *says, char *why,
                           size_t cap)
{
    seq_bench once, again;
    char what[TEXT];
    if (!seq_open(&once, c, STEPS, why, cap)) return false;
    bool ok = seq_open(&again, c, STEPS, why, cap);
    if (ok) {
        again.zeroed = zeroed;
        (void)seq_run(&once, NULL, NULL);
        for (int i = 0; i < times; i++) (void)seq_run(&again, NULL, NULL);
        ok = same_results(&once, &again, what, sizeof what);
        if (!ok) (void)snprintf(why, cap, "%s: %s", says, what);
        seq_close(&again);
    }
    seq_close(&once);
    return ok;
}

static bool has_no_memory(const cell_case *c, char *why, size_t cap)
{
    return gives_the_same(c, false, 2, "the same call made again gives other numbers", why, cap);
}

static bool reads_what_it_wrote(const cell_case *c, char *why, size_t cap)
{
    return gives_the_same(c, true, 1,
                          "it reads memory (y, next, save, kept, scratch) that it has not written",
                          why, cap);
}

static bool left_alone(const seq_bench *b, void *user)
{
    const struct report *to = user;
    if (b->error == 0 && b->environment == 0) return true;
    if (b->error)
        (void)snprintf(to->why, to->cap, SEQ_CALL " sets errno to %d", SEQ_CALLED(b), b->error);
    else
        (void)snprintf(to->why, to->cap,
                       SEQ_CALL " changes the floating-point environment (rounding, flush to zero)",
                       SEQ_CALLED(b));
    return false;
}

static bool leaves_environment(const cell_case *c, char *why, size_t cap)
{
    return checked(c, left_alone, why, cap);
}

/* ---- T3 ------------------------------------------------------------------------------------------ */

/* The first element of a span that fails a test of its value. */
typedef bool (*value_test)(rd_real value);
static bool all_are(const seq_bench *b, enum seq_kind kind, uint32_t id, value_test test,
                    char name[64], char place[64])
{
    const bench_span *s = &b->span[kind][id];
    for (size_t e = 0; e < (size_t)s->rows * s->width; e++) {
        if (test(s->at[e / s->width * s->row + e % s->width])) continue;
        seq_name(b, kind, id, name);
        seq_place(b, kind, id, e, place);
        return false;
    }
    return true;
}

static bool is_written(rd_real value)
{
    return !bench_is_unwritten(value);
}

static bool is_zero(rd_real value)
{
    return value == 0;
}

static bool is_finite(rd_real value)
{
    return value - value == 0;
}

static bool wrote_all(const seq_bench *b, void *user)
{
    const struct report *to = user;
    char name[64], place[64];
    bool ok = b->backward || all_are(b, SEQ_Y, 0, is_written, name, place);
    for (uint32_t k = 0; k < b->decl->n_states && ok && !b->backward; k++)
        ok = all_are(b, SEQ_NEXT, k, is_written, name, place);
    if (!ok)
        (void)snprintf(to->why, to->cap, SEQ_CALL " did not write %s%s", SEQ_CALLED(b), name,
                       place);
    return ok;
}

static bool writes_all(const cell_case *c, char *why, size_t cap)
{
    return checked(c, wrote_all, why, cap);
}

static bool kept_outside(const seq_bench *b, void *user)
{
    static const enum seq_kind kinds[] = {SEQ_X, SEQ_PREV, SEQ_PARAM, /* and backward: */
                                          SEQ_Y, SEQ_NEXT, SEQ_DY,    SEQ_DNEXT};
    const struct report *to = user;
    if (!seq_guards(b, to->why, to->cap)) return false;
    for (int i = 0; i < (b->backward ? 7 : 3); i++)
        for (uint32_t k = 0; k < b->count[kinds[i]]; k++) {
            char name[64], text[64];
            size_t place;
            if (seq_kept(b, kinds[i], k, &place)) continue;
            seq_name(b, kinds[i], k, name);
            seq_place(b, kinds[i], k, place, text);
            (void)snprintf(to->why, to->cap, SEQ_CALL " wrote to %s%s, which it may only read",
                           SEQ_CALLED(b), name, text);
            return false;
        }
    return true;
}

/* Nothing is written between and around spans; what is to be read stays as it is. */
static bool writes_inside(const cell_case *c, char *why, size_t cap)
{
    return checked(c, kept_outside, why, cap) &&
           checked_in(BENCH_NUMBER, c, kept_outside, why, cap);
}

/* Gradients are linear in those that come in: of zeros, every dL/da is zero. A save that is not written
 * still has what forward left, or nothing. */
static bool da_are_zero(const seq_bench *b, void *user)
{
    const struct report *to = user;
    char name[64], place[64];
    for (uint32_t k = 0; k < b->count[SEQ_SAVE] && b->backward; k++) {
        if (!seq_is_da(b, k) || all_are(b, SEQ_SAVE, k, is_zero, name, place)) continue;
        (void)snprintf(to->why, to->cap,
                       SEQ_CALL
                       " did not write %s%s, which the gradient of a parameter is made of, "
                       "or is not linear: where all that comes in is 0, it is not",
                       SEQ_CALLED(b), name, place);
        return false;
    }
    return true;
}

static bool writes_da(const cell_case *c, char *why, size_t cap)
{
    seq_bench b;
    if (!seq_open(&b, c, STEPS, why, cap)) return false;
    b.dscale = 0;
    const bool ok = seq_run(&b, da_are_zero, &(struct report){why, cap});
    seq_close(&b);
    return ok;
}

/* ---- T7 ------------------------------------------------------------------------------------------ */

static bool all_finite(const seq_bench *b, void *user)
{
    static const enum seq_kind kinds[] = {SEQ_Y, SEQ_NEXT, SEQ_SAVE, SEQ_DX, SEQ_DPREV};
    const struct report *to = user;
    for (int i = 0; i < (b->backward ? 5 : 2); i++)
        for (uint32_t k = 0; k < b->count[kinds[i]]; k++) {
            char name[64], place[64];
            if (kinds[i] == SEQ_SAVE && !seq_is_da(b, k)) continue;
            if (all_are(b, kinds[i], k, is_finite, name, place)) continue;
            (void)snprintf(to->why, to->cap, "%s%s is not finite where x is up to %g", name, place,
                           b->scale);
            return false;
        }
    return true;
}

static bool stays_finite(const cell_case *c, char *why, size_t cap)
{
    static const double scales[] = {1e4, 1, 1e-20,
                                    sizeof(rd_real) == sizeof(double) ? 1e-310 : 1e-40, 0};
    seq_bench b;
    if (!seq_open(&b, c, STEPS, why, cap)) return false;
    bool ok = true;
    for (size_t i = 0; i < sizeof scales / sizeof scales[0] && ok; i++) {
        b.scale = scales[i];
        ok = seq_run(&b, all_finite, &(struct report){why, cap});
    }
    seq_close(&b);
    return ok;
}

#define CASES .run = check_each_case, .keeps
const check_rule check_layer_rules[] = {
    {"T1", "setup() declares the same whenever it is called", 0, check_declarations, setup_is_pure},
    {"T2", "forward and backward call no function of others but gemm", CASES = calls_nobody},
    {"T2", "they change no static data", CASES = keeps_data},
    {"T2", "they remember nothing of other calls", CASES = has_no_memory},
    {"T2", "they leave errno and the floating-point environment alone", CASES = leaves_environment},
    {"T3", "forward writes all of y and of its states", CASES = writes_all},
    {"T3", "nothing else is written, and plan() asks for enough", CASES = writes_inside},
    {"T3", "backward writes all that gradients of parameters are made of", CHECK_BACKWARD,
     CASES = writes_da},
    {"T3", "what is read was written", CASES = reads_what_it_wrote},
    {"T4", "sequences shared by threads give the same bits", CASES = cell_threads_agree},
    {"T4", "a row in a batch of unequal lengths is what it is alone",
     CASES = cell_rows_alone_agree},
    {"T5", "whole, in chunks, step by step, with and without gradients: the same bits",
     CHECK_CAUSAL, CASES = cell_chunks_agree},
    {"T6", "backward is the derivative of forward", CHECK_IN_DOUBLE | CHECK_BACKWARD,
     CASES = cell_backward_is_derivative},
    {"T7", "what comes out is finite for x up to 10000, tiny and denormal", CASES = stays_finite},
    {"T8", "the layer can be built at all values of its options", .run = check_all_options},
    {"T9", "a layer that is saved and read again gives the same bits", CHECK_UNLOADED,
     .run = cell_is_saved},
    {0},
};
