/* lanes.c - chains of work that run beside each other.
 *
 * A worker goes on with the lane that it had last, whose weights are in its cache, and takes another where
 * that one has to wait. One that has lost its CPU holds its lane alone until it is back.
 * Invariant: `done` of a lane is written by who has set `busy`.
 * SPDX-License-Identifier: MIT */
#include "base/lanes.h"
#include <stdatomic.h>

struct wave {
    const rdc_lanes *lanes;
    atomic_size_t done[RDC_MAX_LANES]; /* chunks */
    atomic_bool busy[RDC_MAX_LANES];
};

/* Has a lane a chunk that can be run now? */
static bool is_ready(struct wave *w, uint32_t lane)
{
    const size_t next = atomic_load(&w->done[lane]);
    if (next == w->lanes->chunks[lane]) return false;
    return !w->lanes->follows[lane] || atomic_load(&w->done[lane - 1]) > next;
}

static bool try_lane(struct wave *w, uint32_t lane)
{
    if (!is_ready(w, lane) || atomic_load(&w->busy[lane])) return false;
    if (atomic_exchange(&w->busy[lane], true)) return false;
    const bool ready = is_ready(w, lane);
    if (ready) {
        const size_t chunk = atomic_load(&w->done[lane]);
        w->lanes->run(w->lanes->job, lane, chunk);
        atomic_store(&w->done[lane], chunk + 1);
    }
    atomic_store(&w->busy[lane], false);
    return ready;
}

static bool is_over(struct wave *w)
{
    for (uint32_t k = 0; k < w->lanes->n; k++)
        if (atomic_load(&w->done[k]) < w->lanes->chunks[k]) return false;
    return true;
}

static void work(void *job, uint32_t worker, uint32_t workers)
{
    struct wave *w = job;
    const uint32_t n = w->lanes->n;
    (void)workers;
    uint32_t lane = worker % n, tried = 0;
    for (uint32_t waited = 0; !is_over(w);) {
        if (try_lane(w, lane)) {
            tried = waited = 0;
            continue;
        }
        lane = lane + 1 < n ? lane + 1 : 0;
        if (++tried % n == 0) rdc_pool_wait(&waited);
    }
}

void rdc_lanes_run(rdc_pool *p, const rdc_lanes *lanes)
{
    struct wave w = {.lanes = lanes};
    for (uint32_t k = 0; k < RDC_MAX_LANES; k++) {
        atomic_init(&w.done[k], 0);
        atomic_init(&w.busy[k], false);
    }
    rdc_pool_run(p, work, &w);
}
