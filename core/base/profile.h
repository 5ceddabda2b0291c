/* profile.h - what time goes into, by kind of work (rondo.h: rd_work_kind).
 *
 * A timing is open from its place to the end of the block it stands in. Timings nest, and what an inner
 * one takes is not the outer one's. One thread writes at a time: the caller, or, in a time loop, the worker
 * that has row 0, while the caller is that worker or waits. Without a profile a timing is one test of a
 * flag.
 * SPDX-License-Identifier: MIT */
#ifndef RD_PROFILE_H
#define RD_PROFILE_H
#include "core.h"

struct rdc_profile {
    double started, stopped; /* seconds */
    double inner;            /* seconds of timings that ended within the one that is open */
    rd_work_kind kind;       /* of the one that is open */
    rd_work work[RD_WORK_KINDS];
};

typedef struct rdc_timing {
    rd_core *core; /* NULL: there is nothing to time */
    double start, inner_before;
    rd_work_kind kind_before;
} rdc_timing;

void rdc_timing_open(rdc_timing *t, rd_work_kind kind);
void rdc_timing_close(const rdc_timing *t);
/* core NULL: another thread's part of the same work. */
static inline rdc_timing rdc_timing_begin(rd_core *core, rd_work_kind kind)
{
    rdc_timing t = {.core = core && core->profiling ? core : NULL};
    if (t.core) rdc_timing_open(&t, kind);
    return t;
}
static inline void rdc_timing_end(const rdc_timing *t)
{
    if (t->core) rdc_timing_close(t);
}
#define RDC_TIMED(core, kind) \
    __attribute__((cleanup(rdc_timing_end), unused)) const rdc_timing timed = \
        rdc_timing_begin(core, kind)

/* Operations of a product, for the timing that is open on this thread; core as in rdc_timing_begin. */
static inline void rdc_count_product(const rd_core *core, size_t m, size_t n, size_t k)
{
    if (core && core->profiling)
        core->profile->work[core->profile->kind].flops += 2.0 * (double)m * (double)n * (double)k;
}
#endif
