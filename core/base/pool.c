/* pool.c - the worker threads.
 *
 * A job is published by opening the gate and raising `round`. Each worker takes its own share first and
 * then those that nobody has begun, so that a thread that has lost its CPU to another program holds up no
 * more than what it is in the middle of: one that comes late finds the gate closed. Both sides spin for a
 * while, since jobs of one training step follow each other within microseconds, and then sleep in a
 * condition variable.
 * Invariant: what a job is (fn, job, taken) is written while the gate is closed with nobody inside.
 * Workers block every signal, so that a handler always runs on the calling thread.
 * SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "base/error.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SPINS = 4000, /* 4000 pauses: some 50 us */
    LINE = 64,    /* bytes that the caches of two cores pass to and fro */
    SLEEP_NS = 50000,
    CLOSED = 1 << 30
};

struct rdc_pool {
    uint32_t threads;
    atomic_uint round, sleepers;
    atomic_bool quit, waiting; /* waiting: the caller sleeps until all are out */
    rdc_job_fn fn;
    void *job;
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    _Alignas(LINE) atomic_uint gate; /* threads inside, and CLOSED */
    struct worker {
        _Alignas(LINE) atomic_bool taken; /* its share, by whom ever */
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

void rdc_pool_wait(uint32_t *waited)
{
    if (*waited < SPINS) {
        relax();
        ++*waited;
    } else {
        nanosleep(&(struct timespec){.tv_nsec = SLEEP_NS}, NULL);
    }
}

static unsigned wait_for_round(rdc_pool *p, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        const unsigned round = atomic_load_explicit(&p->round, memory_order_acquire);
        if (round != seen) return round;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->sleepers, 1);
    while (atomic_load(&p->round) == seen) pthread_cond_wait(&p->wake, &p->lock);
    atomic_fetch_sub(&p->sleepers, 1);
    pthread_mutex_unlock(&p->lock);
    return atomic_load(&p->round);
}

/* The shares of a job that nobody has taken, from `index` on. */
static void take_shares(rdc_pool *p, uint32_t index)
{
    for (uint32_t i = 0; i < p->threads; i++) {
        const uint32_t share = index + i < p->threads ? index + i : index + i - p->threads;
        atomic_bool *taken = &p->worker[share].taken;
        if (!atomic_load(taken) && !atomic_exchange(taken, true)) p->fn(p->job, share, p->threads);
    }
}

static void *work(void *argument)
{
    const struct worker *w = argument;
    rdc_pool *p = w->pool;
    rdc_fp_enter();
    for (unsigned seen = 0;;) {
        seen = wait_for_round(p, seen);
        if (atomic_load(&p->quit)) return NULL;
        if (atomic_fetch_add(&p->gate, 1) < CLOSED) take_shares(p, w->index);
        if (atomic_fetch_sub(&p->gate, 1) == CLOSED + 1 && atomic_load(&p->waiting)) {
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

#if defined(__SANITIZE_ADDRESS__)
static void nothing(void *job, uint32_t worker, uint32_t workers)
{
    (void)job, (void)worker, (void)workers;
}

/* A thread allocates while it starts, and the sanitizer's allocator (gcc 12), unlike glibc's, stays locked
 * in a child forked meanwhile: one that was to read a checkpoint hung. So threads start first. */
static void wait_for_start(rdc_pool *p)
{
    rdc_pool_run(p, nothing, NULL);
}
#else
static void wait_for_start(rdc_pool *p)
{
    (void)p;
}
#endif

rd_status rdc_pool_new(uint32_t threads, rdc_pool **out, rd_error *err)
{
    if (threads < 1 || threads > RDC_MAX_THREADS)
        return rdc_fail(err, RD_E_ARG, "threads must be 1..%d, got %u", RDC_MAX_THREADS, threads);
    rdc_pool *p = aligned_alloc(LINE, sizeof *p);
    if (!p) return rdc_no_memory(err, sizeof *p);
    memset(p, 0, sizeof *p);
    p->threads = threads;
    atomic_init(&p->gate, CLOSED);
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
        w->pool = p;
        w->index = started;
        failure = pthread_create(&w->thread, NULL, work, w);
        if (!failure) started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure) {
        stop(p, started);
        return rdc_fail(err, RD_E_NOMEM, "thread %u of %u could not be started: %s", started + 1,
                        threads, strerror(failure));
    }
    wait_for_start(p);
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

/* Closes the gate and waits until nobody is inside. */
static void close_gate(rdc_pool *p)
{
    atomic_fetch_add(&p->gate, CLOSED);
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&p->gate) == CLOSED) return;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->waiting, true);
    while (atomic_load(&p->gate) != CLOSED) pthread_cond_wait(&p->done, &p->lock);
    atomic_store(&p->waiting, false);
    pthread_mutex_unlock(&p->lock);
}

void rdc_pool_run(rdc_pool *p, rdc_job_fn fn, void *job)
{
    const uint64_t before = rdc_fp_enter();
    if (p->threads > 1) {
        p->fn = fn;
        p->job = job;
        for (uint32_t i = 0; i < p->threads; i++)
            atomic_store_explicit(&p->worker[i].taken, false, memory_order_relaxed);
        atomic_fetch_sub(&p->gate, CLOSED);
        publish(p);
        take_shares(p, 0);
        close_gate(p);
    } else {
        fn(job, 0, 1);
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
