/* profile.c - what time goes into, by kind of work.
 * SPDX-License-Identifier: MIT */
#include "base/profile.h"
#include "base/machine.h"
#include <assert.h>
#include <stdlib.h>

static const char *const names[RD_WORK_KINDS] = {
    [RD_WORK_REST] = "everything else",
    [RD_WORK_X] = "product with x",
    [RD_WORK_RECURRENT] = "recurrent product",
    [RD_WORK_CELL_FORWARD] = "cell forward",
    [RD_WORK_CELL_BACKWARD] = "cell backward",
    [RD_WORK_LOOP] = "time loop: threads, copies",
    [RD_WORK_DH] = "dh product",
    [RD_WORK_DX] = "dx product",
    [RD_WORK_WEIGHTS] = "weight gradients",
    [RD_WORK_VECTORS] = "gradients of biases and vectors",
    [RD_WORK_PACKING] = "packing",
    [RD_WORK_IDS] = "gather and scatter of ids",
    [RD_WORK_LINEAR] = "linear",
    [RD_WORK_LOSS] = "loss",
    [RD_WORK_CLIP] = "clipping",
    [RD_WORK_OPTIMIZER] = "optimizer",
    [RD_WORK_LAYERS] = "layers of plugins",
};

void rdc_timing_open(rdc_timing *t, rd_work_kind kind)
{
    struct rdc_profile *p = t->core->profile;

    t->inner_before = p->inner;
    t->kind_before = p->kind;
    p->inner = 0;
    p->kind = kind;
    t->start = rdc_seconds();
}

void rdc_timing_close(const rdc_timing *t)
{
    struct rdc_profile *p = t->core->profile;
    const double took = rdc_seconds() - t->start;

    p->work[p->kind].seconds += took - p->inner;
    p->work[p->kind].calls++;
    p->inner = t->inner_before + took;
    p->kind = t->kind_before;
}

rd_status rd_profile_start(rd_core *core, rd_error *err)
{
    if (!core->profile) core->profile = malloc(sizeof *core->profile);
    if (!core->profile) return rdc_no_memory(err, sizeof *core->profile);
    *core->profile = (struct rdc_profile){.kind = RD_WORK_REST};
    core->profiling = true;
    core->profile->started = rdc_seconds();
    return RD_OK;
}

void rd_profile_stop(rd_core *core)
{
    if (!core->profiling) return;
    core->profiling = false;
    core->profile->stopped = rdc_seconds();
}

rd_work rd_profile_of(const rd_core *core, rd_work_kind kind)
{
    rd_work work = {0};

    assert(kind < RD_WORK_KINDS);
    if (core->profile) work = core->profile->work[kind];
    if (core->profile && kind == RD_WORK_REST) { /* what no timing has seen, too */
        const double end = core->profiling ? rdc_seconds() : core->profile->stopped;
        work.seconds = end - core->profile->started;
        for (int k = RD_WORK_REST + 1; k < RD_WORK_KINDS; k++)
            work.seconds -= core->profile->work[k].seconds;
    }
    work.name = names[kind];
    return work;
}
