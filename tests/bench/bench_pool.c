/* bench_pool.c - what a job of the worker threads costs, and what it takes while another program has a CPU.
 *
 * bench_pool [threads]: nanoseconds of an empty job while busy; then jobs of 20 to 2,000 us of work, by that
 * many threads and by one, alone and beside as many spinning programs as there are CPUs less one. Ratios
 * above 1: the threads gain.
 * SPDX-License-Identifier: MIT */
#include "base/machine.h"
#include "base/pool.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <signal.h>

enum { EMPTY = 200000, MAX_CPUS = 64 };

static void nothing(void *job, uint32_t worker, uint32_t workers)
{
    (void)job;
    (void)worker;
    (void)workers;
}

/* A piece of work of a fixed number of dependent additions. */
static void work(void *job, size_t first, size_t last)
{
    volatile double *sum = job;
    double x = 0;
    for (size_t i = first; i < last; i++) x = x * 0.5 + (double)i;
    *sum = x;
}

static double seconds_of(rdc_pool *pool, size_t n, double total)
{
    volatile double sum[1];
    const double start = rdc_seconds();
    for (double done = 0; done < total; done += (double)n)
        rdc_pool_range(pool, n, 1, work, (void *)sum);
    return rdc_seconds() - start;
}

static void show(rdc_pool *one, rdc_pool *many, double per_second, const char *what)
{
    printf("%s:", what);
    for (double us = 20; us <= 2000; us *= 10) {
        const size_t n = (size_t)(us * 1e-6 * per_second);
        double alone = 0, shared = 0;
        for (int i = 0; i < 10; i++) {
            alone += seconds_of(one, n, 0.05 * per_second);
            shared += seconds_of(many, n, 0.05 * per_second);
        }
        printf("  %g us %.2f", us, alone / shared);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    const uint32_t threads = argc > 1 ? (uint32_t)atoi(argv[1]) : 2;
    rdc_pool *one, *many;
    rd_error err;
    if (rdc_pool_new(1, &one, &err) != RD_OK || rdc_pool_new(threads, &many, &err) != RD_OK) {
        fprintf(stderr, "bench_pool: %s\n", err.text);
        return 1;
    }
    double best = 1e9;
    for (int k = 0; k < 10; k++) {
        const double start = rdc_seconds();
        for (int i = 0; i < EMPTY / 10; i++) rdc_pool_run(many, nothing, NULL);
        const double ns = 1e9 * (rdc_seconds() - start) / (EMPTY / 10);
        best = ns < best ? ns : best;
    }
    printf("an empty job on %u threads: %.0f ns\n", threads, best);
    const double n = 2e7, per_second = n / seconds_of(one, (size_t)n, n);
    show(one, many, per_second, "alone");
    pid_t spinner[MAX_CPUS];
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const int spinners = cpus > MAX_CPUS ? MAX_CPUS : (int)cpus - 1;
    fflush(stdout);
    for (int i = 0; i < spinners; i++)
        if ((spinner[i] = fork()) == 0)
            for (;;) {
            }
    show(one, many, per_second, "beside spinning programs");
    for (int i = 0; i < spinners; i++) {
        kill(spinner[i], SIGKILL);
        waitpid(spinner[i], NULL, 0);
    }
    rdc_pool_free(many);
    rdc_pool_free(one);
    return 0;
}
