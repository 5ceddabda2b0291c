/* machine.c - how fast this machine multiplies and reads right now.
 *
 * Other programs may be running, which only ever makes it slower: of several short measurements the best
 * counts.
 * SPDX-License-Identifier: MIT */
#include "base/machine.h"
#include "core.h"
#include "rondo/pointmath.h"
#include <stdlib.h>

enum {
    TRIES = 5,
    ROUNDS = 4000,          /* some 10 us between two looks at the clock */
    LEAST_BYTES = 64 << 20, /* read from memory at once, or else */
    CACHES = 4,             /* so many times the last cache */
    MOST_BYTES = 512 << 20
};
#define TRY_SECONDS 2e-3

struct peak_job {
    double (*multiply_adds)(size_t rounds);
    double speed[RDC_MAX_THREADS]; /* operations a second, by worker */
};

static void run_peak(void *job, uint32_t worker, uint32_t workers)
{
    struct peak_job *j = job;
    const double start = rdc_seconds();
    double now = start, done = 0;

    (void)workers;
    while (now - start < TRY_SECONDS) {
        done += j->multiply_adds(ROUNDS);
        now = rdc_seconds();
    }
    j->speed[worker] = done / (now - start);
}

static double peak_of(rd_core *core, const rd_kernels *kernels)
{
    struct peak_job job = {.multiply_adds = kernels->multiply_adds};
    double best = 0;

    for (int i = 0; i < TRIES; i++) {
        double sum = 0;
        rdc_pool_run(core->pool, run_peak, &job);
        for (uint32_t w = 0; w < rdc_pool_threads(core->pool); w++) sum += job.speed[w];
        best = sum > best ? sum : best;
    }
    return 1e-9 * best;
}

double rd_peak_gflops(rd_core *core)
{
    double best = 0;

    if (core->ops.multiply_adds) return peak_of(core, &core->ops);
    for (size_t i = 0; i < rd_kernels_count(core); i++) {
        const rd_kernels *k = rd_kernels_at(core, i).kernels;
        if (k->needs & ~core->cpu.features || !k->multiply_adds) continue;
        const double peak = peak_of(core, k);
        best = peak > best ? peak : best;
    }
    return best;
}

struct read_job {
    const rd_real *from;
    rd_real sum[RDC_MAX_THREADS]; /* so that the numbers are needed */
    size_t n;
};

/* Wide enough that additions wait for memory alone. */
RD_CLONES static rd_real sum_of(const rd_real *x, size_t n)
{
    enum { LANES = 128 };
    rd_real lane[LANES] = {0}, sum = 0;

    for (size_t i = 0; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++) lane[j] += x[i + j];
    for (size_t j = 0; j < LANES; j++) sum += lane[j];
    return sum;
}

static void run_read(void *job, uint32_t worker, uint32_t workers)
{
    struct read_job *j = job;
    const size_t first = j->n * worker / workers, last = j->n * (worker + 1) / workers;

    j->sum[worker] = sum_of(j->from + first, last - first);
}

static void fill(void *job, size_t first, size_t last)
{
    rd_real *x = job;

    for (size_t i = first; i < last; i++) x[i] = 1;
}

rd_status rd_read_bandwidth(rd_core *core, double *gbytes, rd_error *err)
{
    size_t bytes = (size_t)CACHES * core->cpu.l3_bytes;
    double best = 0;

    if (bytes < LEAST_BYTES) bytes = LEAST_BYTES;
    if (bytes > MOST_BYTES) bytes = MOST_BYTES;
    rd_real *x = aligned_alloc(64, bytes);
    if (!x) return rdc_no_memory(err, bytes);
    struct read_job job = {.from = x, .n = bytes / sizeof *x};
    rdc_pool_range(core->pool, job.n, 1 << 16, fill, x);
    for (int i = 0; i < TRIES; i++) {
        const double start = rdc_seconds();
        rdc_pool_run(core->pool, run_read, &job);
        const double speed = (double)bytes / (rdc_seconds() - start);
        best = speed > best ? speed : best;
    }
    free(x);
    *gbytes = 1e-9 * best;
    return RD_OK;
}
