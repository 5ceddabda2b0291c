/* pool.h - the worker threads.
 *
 * The caller is worker 0; a pool of n has n - 1 threads that spin for some microseconds after a job and
 * then sleep. Each worker's floating-point environment is the bit contract's while a job runs (rule 1).
 * SPDX-License-Identifier: MIT */
#ifndef RD_POOL_H
#define RD_POOL_H
#include "rondo.h"

enum { RDC_MAX_THREADS = 256 };
typedef struct rdc_pool rdc_pool;
typedef void (*rdc_job_fn)(void *job, uint32_t worker, uint32_t workers);

/* Fails on 0 threads or more than RDC_MAX_THREADS, and where the system gives none. */
rd_status rdc_pool_new(uint32_t threads, rdc_pool **out, rd_error *err);
void rdc_pool_free(rdc_pool *p); /* NULL is fine */
uint32_t rdc_pool_threads(const rdc_pool *p);
/* Runs fn(job, w, n) once for each share w of n = threads and returns when all are done. Share w is worker
 * w's, but one that is late finds it done by another. No nesting. [hot] fn cannot fail and does not
 * allocate. */
void rdc_pool_run(rdc_pool *p, rdc_job_fn fn, void *job);
/* Runs fn(job, first, last) over [0, n) cut into one stretch per worker at multiples of `grain`; on the
 * caller alone where n < 2 * grain. */
typedef void (*rdc_range_fn)(void *job, size_t first, size_t last);
void rdc_pool_range(rdc_pool *p, size_t n, size_t grain, rdc_range_fn fn, void *job);

/* A moment's pause of a share that waits for another: it spins, and sleeps a little once *waited is some
 * 50 us, so that the system may bring another thread to this CPU. *waited begins at 0. */
void rdc_pool_wait(uint32_t *waited);

/* The contract's floating-point environment: nearest-even, gradual underflow, no traps (MXCSR 0x1F80,
 * FPCR 0). enter returns what was there, for leave. */
uint64_t rdc_fp_enter(void);
void rdc_fp_leave(uint64_t before);
#endif
