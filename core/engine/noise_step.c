/* noise_step.c - what regularisers do in a step: sources are masked, states are held. See noise.h.
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "engine/noise.h"
#include "engine/unroll.h"
#include "rondo/pointmath.h"

enum { RUN = 4 * RDC_QUADS };

/* ---- sources ------------------------------------------------------------------------------------- */

RD_CLONES static void multiply(size_t n, const rd_real *restrict m, const rd_real *restrict from,
                               rd_real *restrict to)
{
    for (size_t i = 0; i < n; i++) to[i] = m[i] * from[i];
}

RD_CLONES static void add_product(size_t n, const rd_real *restrict m, const rd_real *restrict from,
                                  rd_real *restrict to)
{
    for (size_t i = 0; i < n; i++) to[i] += m[i] * from[i];
}

void rdc_noise_feed(const rdc_pass *p, uint32_t source, const rdc_rows *r)
{
    const rdc_sequence *fed = &p->noise->fed[source], *mask = &p->noise->mask[source];
    const size_t at = r->first * fed->width;
    if (!fed->block) return;
    multiply((r->last - r->first) * fed->width, mask->at + at,
             rdc_source_at(p, source, r->t, r->first), rdc_slot(fed, r->t) + at);
}

void rdc_noise_collect(const rdc_pass *p, uint32_t source, const rdc_rows *r, const rd_real *dfed,
                       rd_real *to)
{
    const rdc_sequence *mask = &p->noise->mask[source];
    if (!mask->block) return;
    add_product((r->last - r->first) * mask->width, mask->at + r->first * mask->width, dfed, to);
}

struct collect_job {
    const rdc_pass *pass;
    const rd_real *dfed;
    rd_real *dx;
};

static void collect_steps(void *job, size_t first, size_t last)
{
    const struct collect_job *j = job;
    const size_t in = j->pass->rnn->layout->in;
    for (size_t t = first; t < last; t++) {
        const size_t at = rdc_rows_before(j->pass, t) * in;
        const rdc_rows r = {t, 0, rdc_active(j->pass, t)};
        rdc_noise_collect(j->pass, RDC_SOURCE_X, &r, j->dfed + at, j->dx + at);
    }
}

void rdc_noise_collect_x(const rdc_pass *p, const rd_real *dfed, rd_real *dx)
{
    struct collect_job job = {p, dfed, dx};
    rdc_pool_range(p->rnn->core->pool, p->steps, rdc_grain(p->rows * p->rnn->layout->in),
                   collect_steps, &job);
}

/* ---- states -------------------------------------------------------------------------------------- */

/* The numbers of a row of states at a step, which are compared with `limit`. A part has those of its stretch
 * of state 0. */
struct holding {
    rd_stream stream;
    uint32_t limit, element; /* the first: of unit 0 */
    rd_real share, rest;     /* outside of training */
};

static struct holding holding_of(const rdc_pass *p, uint32_t state)
{
    const rdc_layout *l = p->rnn->layout;
    const struct rdc_noise_plan *plan = p->rnn->noise;
    const double share = plan->hold[state];
    const bool part = (l->state[state].flags & RD_STATE_PART) != 0;
    struct holding h = {.stream = {.seed = plan->seed,
                                   .purpose = RD_FOR_ZONEOUT,
                                   .layer = plan->layer,
                                   .update = p->noise->update,
                                   .time = p->noise->time},
                        .limit = rdc_limit(share),
                        .element = (RDC_SOURCE_STATE + (part ? 0 : state)) << RD_SOURCE_BITS,
                        .share = (rd_real)share,
                        .rest = (rd_real)(1 - share)};
    for (uint32_t k = 0; part && k < state; k++)
        if (l->state[k].flags & RD_STATE_PART) h.element += l->state[k].width;
    return h;
}

/* The numbers from element e of a row on; returns how many of the 64 come before it, having its quad. */
static uint32_t draw(const struct holding *h, rdc_place at, size_t e, uint32_t u[RUN])
{
    const uint32_t element = h->element + (uint32_t)e;
    rdc_philox_run(&h->stream, at.row, at.time, element / 4, u);
    return element % 4;
}

RD_CLONES static void hold_run(const uint32_t *u, size_t n, uint32_t limit,
                               const rd_real *restrict prev, const rd_real *restrict own,
                               rd_real *restrict to)
{
    for (size_t e = 0; e < n; e++) to[e] = u[e] >> 8 < limit ? prev[e] : own[e];
}

RD_CLONES static void blend(size_t n, const struct holding *h, const rd_real *restrict prev,
                            const rd_real *restrict own, rd_real *restrict to)
{
    const rd_real share = h->share, rest = h->rest;
    for (size_t e = 0; e < n; e++) to[e] = share * prev[e] + rest * own[e];
}

void rdc_noise_hold(const rdc_pass *p, uint32_t state, const rdc_rows *r)
{
    const rdc_sequence *own = &p->noise->own[state], *s = &p->state[state];
    if (!own->block) return;
    const struct holding h = holding_of(p, state);
    const size_t at = r->first * s->width, width = s->width;
    const rd_real *prev = rdc_slot(s, r->t) + at, *made = rdc_slot(own, r->t) + at;
    rd_real *to = rdc_slot(s, r->t + 1) + at;
    if (!p->noise->training) {
        blend((r->last - r->first) * width, &h, prev, made, to);
        return;
    }
    for (size_t i = r->first; i < r->last; i++, prev += width, made += width, to += width)
        for (size_t e = 0, n; e < width; e += n) {
            uint32_t u[RUN];
            const uint32_t skip = draw(&h, rdc_place_of(p, r->t, i), e, u);
            n = width - e < RUN - skip ? width - e : RUN - skip;
            hold_run(u + skip, n, h.limit, prev + e, made + e, to + e);
        }
}

RD_CLONES static void split_run(const uint32_t *u, size_t n, uint32_t limit,
                                const rd_real *restrict d, rd_real *restrict before,
                                rd_real *restrict own)
{
    for (size_t e = 0; e < n; e++) {
        const bool held = u[e] >> 8 < limit;
        before[e] = held ? d[e] : 0;
        own[e] = held ? 0 : d[e];
    }
}

RD_CLONES static void split_blend(size_t n, const struct holding *h, const rd_real *restrict d,
                                  rd_real *restrict before, rd_real *restrict own)
{
    const rd_real share = h->share, rest = h->rest;
    for (size_t e = 0; e < n; e++) {
        before[e] = share * d[e];
        own[e] = rest * d[e];
    }
}

void rdc_noise_split(const rdc_pass *p, uint32_t state, const rdc_rows *r, const rdc_split *at)
{
    const struct holding h = holding_of(p, state);
    const size_t width = p->state[state].width;
    const rd_real *d = at->d;
    rd_real *own = at->own, *before = at->before;
    if (!p->noise->training) {
        split_blend((r->last - r->first) * width, &h, d, before, own);
        return;
    }
    for (size_t i = r->first; i < r->last; i++, d += width, before += width, own += width)
        for (size_t e = 0, n; e < width; e += n) {
            uint32_t u[RUN];
            const uint32_t skip = draw(&h, rdc_place_of(p, r->t, i), e, u);
            n = width - e < RUN - skip ? width - e : RUN - skip;
            split_run(u + skip, n, h.limit, d + e, before + e, own + e);
        }
}
