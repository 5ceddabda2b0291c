/* pool.c - the worker threads.
 *
 * A job is published by raising `round`; each worker runs it and lowers `left`. Both sides spin for a
 * while, since jobs of one training step follow each other within microseconds, and then sleep in a
 * condition variable. Invariant: between jobs left == 0 and every worker has seen `round`.
 * Workers block every signal, so that a handler always runs on the calling thread.
 * SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "base/error.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SPINS = 4000 }; /* 4000 pauses: some 50 us */

struct rdc_pool {
    uint32_t threads;
    atomic_uint round, left, sleepers;
    atomic_bool quit;
    rdc_job_fn fn;
    void *job;
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    struct worker {
        struct rdc_pool *pool;
        pthread_t thread;
        uint32_t index;
    } worker[RDC_MAX_THREADS];
};

#if defined(__x86_64__)
#include <immintrin.h>

uint64_t rdc_fp_enter(void)
{
    const uint64_t before = _mm_getcsr();
    _mm_setcsr(0x1F80);
    return before;
}

void rdc_fp_leave(uint64_t before)
{
    _mm_setcsr((unsigned)before);
}

static void relax(void)
{
    _mm_pause();
}
#elif defined(__aarch64__)
uint64_t rdc_fp_enter(void)
{
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
    return before;
}

void rdc_fp_leave(uint64_t before)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
}

static void relax(void)
{
    __asm__ volatile("yield");
}
#else
#error "rdc_fp_enter: say how this processor's floating-point environment is set"
#endif

static void wait_for_round(rdc_pool *p, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&p->round, memory_order_acquire) != seen) return;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->sleepers, 1);
    while (atomic_load(&p->round) == seen) pthread_cond_wait(&p->wake, &p->lock);
    atomic_fetch_sub(&p->sleepers, 1);
    pthread_mutex_unlock(&p->lock);
}

static void *work(void *argument)
{
    const struct worker *w = argument;
    rdc_pool *p = w->pool;
    rdc_fp_enter();
    for (unsigned seen = 0;; seen++) {
        wait_for_round(p, seen);
        if (atomic_load(&p->quit)) return NULL;
        p->fn(p->job, w->index, p->threads);
        if (atomic_fetch_sub_explicit(&p->left, 1, memory_order_acq_rel) == 1) {
            pthread_mutex_lock(&p->lock);
            pthread_cond_signal(&p->done);
            pthread_mutex_unlock(&p->lock);
        }
    }
}

/* Raises the round; wakes sleepers only where there are any, a system call saved per job. */
static void publish(rdc_pool *p)
{
    atomic_fetch_add(&p->round, 1);
    if (atomic_load(&p->sleepers) == 0) return;
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

static void stop(rdc_pool *p, uint32_t started)
{
    atomic_store(&p->quit, true);
    publish(p);
    for (uint32_t i = 1; i < started; i++) pthread_join(p->worker[i].thread, NULL);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

rd_status rdc_pool_new(uint32_t threads, rdc_pool **out, rd_error *err)
{
    if (threads < 1 || threads > RDC_MAX_THREADS)
        return rdc_fail(err, RD_E_ARG, "threads must be 1..%d, got %u", RDC_MAX_THREADS, threads);
    rdc_pool *p = calloc(1, sizeof *p);
    if (!p) return rdc_no_memory(err, sizeof *p);
    p->threads = threads;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    uint32_t started = 1;
    int failure = 0;
    while (started < threads && !failure) {
        struct worker *w = &p->worker[started];
        *w = (struct worker){.pool = p, .index = started};
        failure = pthread_create(&w->thread, NULL, work, w);
        if (!failure) started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure) {
        stop(p, started);
        return rdc_fail(err, RD_E_NOMEM, "thread %u of %u could not be started", started + 1,
                        threads);
    }
    *out = p;
    return RD_OK;
}

void rdc_pool_free(rdc_pool *p)
{
    if (p) stop(p, p->threads);
}

uint32_t rdc_pool_threads(const rdc_pool *p)
{
    return p->threads;
}

void rdc_pool_run(rdc_pool *p, rdc_job_fn fn, void *job)
{
    const uint64_t before = rdc_fp_enter();
    if (p->threads > 1) {
        p->fn = fn;
        p->job = job;
        atomic_store_explicit(&p->left, p->threads - 1, memory_order_relaxed);
        publish(p);
    }
    fn(job, 0, p->threads);
    for (int i = 0; atomic_load_explicit(&p->left, memory_order_acquire) > 0; i++) {
        if (i < SPINS) {
            relax();
            continue;
        }
        pthread_mutex_lock(&p->lock);
        while (atomic_load(&p->left) > 0) pthread_cond_wait(&p->done, &p->lock);
        pthread_mutex_unlock(&p->lock);
    }
    rdc_fp_leave(before);
}

struct range_job {
    rdc_range_fn fn;
    void *job;
    size_t n, grain;
};

static void run_range(void *job, uint32_t worker, uint32_t workers)
{
    const struct range_job *r = job;
    const size_t grains = (r->n + r->grain - 1) / r->grain;
    const size_t first = grains * worker / workers * r->grain;
    const size_t end = grains * (worker + 1) / workers * r->grain;
    const size_t last = end < r->n ? end : r->n;
    if (first < last) r->fn(r->job, first, last);
}

void rdc_pool_range(rdc_pool *p, size_t n, size_t grain, rdc_range_fn fn, void *job)
{
    if (n == 0) return;
    if (p->threads == 1 || n < 2 * grain) {
        const uint64_t before = rdc_fp_enter();
        fn(job, 0, n);
        rdc_fp_leave(before);
        return;
    }
    struct range_job r = {.fn = fn, .job = job, .n = n, .grain = grain};
    rdc_pool_run(p, run_range, &r);
}
