/* seq_bench.c - see seq_bench.h. SPDX-License-Identifier: MIT */
#include "seq_bench.h"
#include "base/pool.h"
#include "cell_layer.h"
#include "check.h"
#include "core.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 3, LINE = 64 / sizeof(rd_real) }; /* elements between rows, of 64 bytes */

/* ---- buffers ------------------------------------------------------------------------------------- */

static bool open_span(seq_bench *b, enum seq_kind kind, size_t rows, size_t width)
{
    bench_span *s = &b->span[kind][b->count[kind]];
    *s = (bench_span){.rows = (uint32_t)rows, .width = (uint32_t)width, .row = width + GAP};
    if (rows == 1) s->row = (s->row + LINE - 1) / LINE * LINE; /* then it begins at 64 bytes */
    s->n = (rows + 2) * s->row;
    const size_t bytes = (2 * s->n * sizeof *s->block + 63) / 64 * 64;
    s->block = aligned_alloc(64, bytes);
    if (!s->block) return false;
    for (size_t i = 0; i < 2 * s->n; i++) s->block[i] = bench_unwritten();
    s->kept = s->block + s->n;
    s->at = s->block + s->row;
    b->count[kind]++;
    return true;
}

static bool open_params(seq_bench *b)
{
    bool ok = true;
    for (uint32_t k = 0; k < b->m.parameters && ok; k++) {
        const rd_tensor *p = made_parameter(&b->m, k, NULL);
        ok = open_span(b, SEQ_PARAM, 1, rd_tensor_numel(p));
        if (ok) rd_tensor_read(p, b->span[SEQ_PARAM][k].at);
    }
    return ok;
}

static bool open_spans(seq_bench *b, const rd_need *need)
{
    const rdc_layer_decl *d = b->decl;
    const size_t real = sizeof(rd_real), steps = b->steps;
    bool ok = open_span(b, SEQ_X, steps, d->in) && open_span(b, SEQ_DX, steps, d->in) &&
              open_span(b, SEQ_Y, steps, d->out) && open_span(b, SEQ_DY, steps, d->out) &&
              open_span(b, SEQ_KEPT, 1, (need->kept_bytes + real - 1) / real) &&
              open_span(b, SEQ_SCRATCH, 1, (need->scratch_bytes + real - 1) / real);
    for (uint32_t k = 0; k < d->n_saves && ok; k++)
        ok = open_span(b, SEQ_SAVE, steps, d->save[k].width);
    for (uint32_t k = 0; k < d->n_states && ok; k++) {
        static const enum seq_kind kinds[] = {SEQ_PREV, SEQ_NEXT, SEQ_DNEXT, SEQ_DPREV};
        for (int i = 0; i < 4 && ok; i++) ok = open_span(b, kinds[i], 1, d->state[k].width);
    }
    return ok && open_params(b);
}

bool seq_open(seq_bench *b, const cell_case *c, uint32_t steps, char *why, size_t cap)
{
    rd_error err = {.text = "out of memory"};
    rd_need need = {.size = sizeof need};
    char own[128] = "";

    *b = (seq_bench){.kind = c->layer, .core = c->core, .steps = steps, .scale = 1, .dscale = 1};
    bool ok = layer_new(c, 7, &b->m, &err) == RD_OK;
    if (ok) b->decl = b->m.layer->decl;
    check_call_is("plan");
    if (ok && c->layer->plan &&
        c->layer->plan(&b->m.layer->setup, steps, &need, own, sizeof own) != RD_OK) {
        (void)snprintf(err.text, sizeof err.text, "plan() refuses %u steps: %.100s", steps, own);
        ok = false;
    }
    check_call_is("%s", "");
    ok = ok && open_spans(b, &need);
    if (ok) return true;
    (void)snprintf(why, cap, "%s", err.text);
    seq_close(b);
    return false;
}

void seq_close(seq_bench *b)
{
    for (int kind = 0; kind < SEQ_KINDS; kind++)
        for (uint32_t k = 0; k < b->count[kind]; k++) free(b->span[kind][k].block);
    made_release(&b->m);
    *b = (seq_bench){0};
}

static void fill(const seq_bench *b, enum seq_kind kind, rd_real value)
{
    for (uint32_t k = 0; k < b->count[kind]; k++) {
        const bench_span *s = &b->span[kind][k];
        for (uint32_t r = 0; r < s->rows; r++)
            for (uint32_t j = 0; j < s->width; j++) s->at[r * s->row + j] = value;
    }
}

static void scatter(const seq_bench *b, enum seq_kind kind, double scale)
{
    for (uint32_t k = 0; k < b->count[kind]; k++) {
        const bench_span *s = &b->span[kind][k];
        for (uint32_t r = 0; r < s->rows; r++)
            for (uint32_t j = 0; j < s->width; j++)
                s->at[r * s->row + j] = (rd_real)(scale * bench_number(20 * (uint32_t)kind + k,
                                                                       (size_t)r * s->width + j));
    }
}

/* ---- a call -------------------------------------------------------------------------------------- */

static rd_span show(const seq_bench *b, enum seq_kind kind, uint32_t k)
{
    const bench_span *s = &b->span[kind][k];
    return (rd_span){s->at, s->row, s->width};
}

static rd_cspan show_const(const seq_bench *b, enum seq_kind kind)
{
    const bench_span *s = &b->span[kind][0];
    return (rd_cspan){s->at, s->row, s->width};
}

/* Memory of no bytes is not there. */
static void *memory(const seq_bench *b, enum seq_kind kind)
{
    return b->span[kind][0].width ? b->span[kind][0].at : NULL;
}

static void call_layer(const seq_bench *b)
{
    rd_span save[RDC_LAYER_SAVES];
    const rd_real *param[RDC_LAYER_PARAMS], *prev[RDC_LAYER_STATES], *dnext[RDC_LAYER_STATES];
    rd_real *next[RDC_LAYER_STATES], *dprev[RDC_LAYER_STATES];
    rd_run run = {.size = sizeof run,
                  .steps = b->steps,
                  .in = b->decl->in,
                  .out = b->decl->out,
                  .opt = b->m.layer->options,
                  .x = show_const(b, SEQ_X),
                  .y = show(b, SEQ_Y, 0),
                  .save = save,
                  .param = param,
                  .prev = prev,
                  .next = next,
                  .kept = memory(b, SEQ_KEPT),
                  .scratch = memory(b, SEQ_SCRATCH),
                  .gemm = b->core->ops.gemm};
    for (uint32_t k = 0; k < b->count[SEQ_SAVE]; k++) save[k] = show(b, SEQ_SAVE, k);
    for (uint32_t k = 0; k < b->count[SEQ_PARAM]; k++) param[k] = b->span[SEQ_PARAM][k].at;
    for (uint32_t k = 0; k < b->decl->n_states; k++) {
        prev[k] = b->span[SEQ_PREV][k].at;
        next[k] = b->span[SEQ_NEXT][k].at;
        dnext[k] = b->span[SEQ_DNEXT][k].at;
        dprev[k] = b->span[SEQ_DPREV][k].at;
    }
    if (b->backward) {
        run.dy = show_const(b, SEQ_DY);
        run.dx = show(b, SEQ_DX, 0);
        run.dnext = dnext;
        run.dprev = dprev;
    }
    (b->backward ? b->kind->backward : b->kind->forward)(&run);
}

/* In the environment in which the engine makes the call. */
static void call(seq_bench *b, bool backward)
{
    const uint64_t flags = 0x3f; /* of x86: which exceptions have occurred */
    b->backward = backward;
    fill(b, SEQ_SCRATCH, b->zeroed ? 0 : bench_unwritten());
    for (int kind = 0; kind < SEQ_KINDS; kind++)
        for (uint32_t k = 0; k < b->count[kind]; k++) {
            const bench_span *s = &b->span[kind][k];
            memcpy(s->kept, s->block, s->n * sizeof *s->block);
        }
    check_call_is(SEQ_CALL, SEQ_CALLED(b));
    if (b->around) b->around(b->user, b, true);
    const uint64_t outside = rdc_fp_enter(), want = rdc_fp_enter();
    errno = 0;
    call_layer(b);
    b->error = errno;
    b->environment = (rdc_fp_enter() ^ want) & ~flags;
    rdc_fp_leave(outside);
    if (b->around) b->around(b->user, b, false);
    check_call_is("%s", "");
}

bool seq_run(seq_bench *b, seq_after after, void *user)
{
    const rd_real undefined = b->zeroed ? 0 : bench_unwritten();
    scatter(b, SEQ_X, b->scale);
    scatter(b, SEQ_PREV, b->scale < 1 ? b->scale : 1);
    fill(b, SEQ_Y, undefined);
    fill(b, SEQ_NEXT, undefined);
    fill(b, SEQ_SAVE, undefined);
    fill(b, SEQ_KEPT, undefined);
    call(b, false);
    if (after && !after(b, user)) return false;
    if (!b->kind->backward) return true;
    scatter(b, SEQ_DY, b->dscale);
    scatter(b, SEQ_DNEXT, b->dscale);
    fill(b, SEQ_DX, 0);
    fill(b, SEQ_DPREV, 0);
    call(b, true);
    return !after || after(b, user);
}

/* ---- what has become of them --------------------------------------------------------------------- */

bool seq_is_da(const seq_bench *b, uint32_t save)
{
    for (uint32_t k = 0; k < b->decl->n_params; k++)
        if (!(b->decl->param[k].flags & RD_FROZEN) && b->decl->param[k].da == save) return true;
    return false;
}

void seq_name(const seq_bench *b, enum seq_kind kind, uint32_t id, char name[64])
{
    static const char *const words[SEQ_KINDS] = {"x",
                                                 "y",
                                                 "save",
                                                 "previous state",
                                                 "state",
                                                 "parameter",
                                                 "the memory 'kept'",
                                                 "the memory 'scratch'",
                                                 "the gradient of y",
                                                 "the gradient of x",
                                                 "the gradient of state",
                                                 "the gradient of previous state"};
    if (kind == SEQ_SAVE)
        (void)snprintf(name, 64, "save %u", id);
    else if (kind == SEQ_PARAM)
        (void)snprintf(name, 64, "%s '%s'", words[kind], b->decl->param_name[id]);
    else if (kind == SEQ_PREV || kind == SEQ_NEXT || kind == SEQ_DNEXT || kind == SEQ_DPREV)
        (void)snprintf(name, 64, "%s '%s'", words[kind], b->decl->state_name[id]);
    else
        (void)snprintf(name, 64, "%s", words[kind]);
}

void seq_place(const seq_bench *b, enum seq_kind kind, uint32_t id, size_t place, char text[64])
{
    const bench_span *s = &b->span[kind][id];
    const bool steps = kind <= SEQ_SAVE || kind == SEQ_DY || kind == SEQ_DX;
    if (steps)
        (void)snprintf(text, 64, " (t=%zu, element %zu)", place / s->width, place % s->width);
    else
        (void)snprintf(text, 64, " (element %zu)", place);
}

/* "backward of 8 steps wrote 4 bytes past save 1 (t=3)": what lies between two rows is behind the first. */
static void say_outside(const seq_bench *b, const bench_span *s, const char *name, size_t i,
                        char *why, size_t cap)
{
    size_t n = 1;
    while (i + n < s->n && bench_is_outside(s, i + n)) n++;
    const size_t row = i / s->row;
    char where[32] = "";
    if (s->rows > 1) (void)snprintf(where, sizeof where, " (t=%zu)", row > 0 ? row - 1 : 0);
    (void)snprintf(why, cap, SEQ_CALL " wrote %zu bytes %s %s%s", SEQ_CALLED(b),
                   n * sizeof(rd_real), row > 0 ? "past" : "before", name, where);
}

bool seq_guards(const seq_bench *b, char *why, size_t cap)
{
    for (int kind = 0; kind < SEQ_KINDS; kind++)
        for (uint32_t k = 0; k < b->count[kind]; k++) {
            const bench_span *s = &b->span[kind][k];
            char name[64];
            for (size_t i = 0; i < s->n; i++) {
                if (!bench_is_outside(s, i)) continue;
                seq_name(b, (enum seq_kind)kind, k, name);
                say_outside(b, s, name, i, why, cap);
                return false;
            }
        }
    return true;
}

bool seq_kept(const seq_bench *b, enum seq_kind kind, uint32_t id, size_t *place)
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

bool seq_same(const seq_bench *a, const seq_bench *b, enum seq_kind kind, uint32_t id, char *why,
              size_t cap)
{
    const bench_span *s = &a->span[kind][id], *o = &b->span[kind][id];
    for (size_t e = 0; e < (size_t)s->rows * s->width; e++) {
        const size_t i = e / s->width * s->row + e % s->width;
        char name[64], place[64];
        if (memcmp(&s->at[i], &o->at[i], sizeof *s->at) == 0) continue;
        seq_name(a, kind, id, name);
        seq_place(a, kind, id, e, place);
        (void)snprintf(why, cap, "%s%s is %.9g and %.9g", name, place, (double)s->at[i],
                       (double)o->at[i]);
        return false;
    }
    return true;
}
