/* bench_gemm.c - each backend's products as a share of what this core can multiply right now.
 *
 * usage: bench_gemm [seconds per shape [bf16|float [WORD]]]
 *   bf16   those of the backend in use, beside float's peak
 *   WORD   only shapes whose description has it
 *
 * The machine may be busy with other things, so every measurement is paired: a loop of nothing but fused
 * multiply-adds runs before and after each repetition, and the median of the ratios is printed. Not a test:
 * the target bench_gemm is built on request.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "rondo.h"

enum { MAX_TIMES = 400, HUGE_PAGE = 2 << 20 };

/* Time of this thread alone: others may be running in between. */
static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- peak ---------------------------------------------------------------------------------------- */

enum { ROUNDS = 20000 };

/* The backend whose loop of multiply-adds is the measure: its own, or the first that can run here. */
static const rd_kernels *measure_of(const rd_core *core, const rd_kernels *kernels)
{
    for (size_t i = 0; !kernels->multiply_adds && i < rd_kernels_count(core); i++) {
        const rd_kernels *k = rd_kernels_at(core, i).kernels;
        if (k->multiply_adds && !(k->needs & ~rd_core_cpu(core)->features)) return k;
    }
    return kernels->multiply_adds ? kernels : NULL;
}
/* GFLOP/s, or 0: shares are then not printed. */
static double peak(const rd_kernels *of)
{
    const double start = now();

    return of ? of->multiply_adds(ROUNDS) / (now() - start) * 1e-9 : 0;
}

/* ---- shapes -------------------------------------------------------------------------------------- */

typedef struct job {
    const char *what;
    size_t m, n, k;
    uint32_t flags;
    bool packed;
} job;
static const job jobs[] = {
    {"recurrent, packed", 50, 512, 128, RD_ACCUMULATE, true},
    {"recurrent of one thread of two, packed", 25, 512, 128, RD_ACCUMULATE, true},
    {"recurrent, large, packed", 64, 2048, 512, RD_ACCUMULATE, true},
    {"backward step, packed", 50, 128, 512, RD_TRANS_B | RD_ACCUMULATE, true},
    {"input, 2500 rows, packed", 2500, 512, 128, 0, true},
    {"input, 2500 rows", 2500, 512, 128, 0, false},
    {"linear, B transposed", 2500, 65, 128, RD_TRANS_B, false},
    {"weight gradient", 512, 128, 2500, RD_TRANS_A | RD_K_DOWN | RD_ACCUMULATE, false},
    {"weight gradient, large, packed", 2048, 512, 6400, RD_TRANS_A | RD_K_DOWN | RD_ACCUMULATE,
     true},
    {"weight gradient, large chunk, packed", 2048, 512, 512, RD_TRANS_A | RD_K_DOWN | RD_ACCUMULATE,
     true},
    {"weight gradient, larger chunk, packed", 4096, 1024, 512,
     RD_TRANS_A | RD_K_DOWN | RD_ACCUMULATE, true},
    {"weight gradient, larger, packed", 4096, 1024, 6400, RD_TRANS_A | RD_K_DOWN | RD_ACCUMULATE,
     true},
    {"weight gradient, series", 256, 64, 3072, RD_TRANS_A | RD_K_DOWN | RD_ACCUMULATE, false},
    {"backward step, large, packed", 64, 512, 2048, RD_TRANS_B | RD_ACCUMULATE, true},
    {"backward step, larger, packed", 64, 1024, 4096, RD_TRANS_B | RD_ACCUMULATE, true},
    {"recurrent, larger, packed", 64, 4096, 1024, RD_ACCUMULATE, true},
    {"input gradient, all steps, packed", 6400, 512, 2048, RD_TRANS_B | RD_ACCUMULATE, true},
    {"input gradient, few columns, packed", 6400, 256, 4096, RD_TRANS_B | RD_ACCUMULATE, true},
    {"weight gradient, 14 columns", 256, 14, 3072, RD_TRANS_A | RD_K_DOWN | RD_ACCUMULATE, false},
    {"weight gradient, in by gates", 128, 512, 2500, RD_TRANS_A | RD_K_DOWN | RD_ACCUMULATE, false},
    {"one row, packed, in cache", 1, 512, 128, RD_ACCUMULATE, true},
    {"one row, packed, 4 MiB", 1, 2048, 512, RD_ACCUMULATE, true},
    {"one row, transposed", 1, 512, 128, RD_TRANS_B, false},
    {"four rows, packed", 4, 512, 128, RD_ACCUMULATE, true},
};

static rd_real *numbers(size_t n)
{
    /* as the arena does it */
    const size_t align = n * sizeof(rd_real) >= HUGE_PAGE ? HUGE_PAGE : 64;
    const size_t bytes = (n * sizeof(rd_real) + align - 1) / align * align;
    rd_real *x = aligned_alloc(align, bytes);

    if (!x) abort();
    if (align == HUGE_PAGE) (void)madvise(x, bytes, MADV_HUGEPAGE);
    for (size_t i = 0; i < n; i++)
        x[i] = (rd_real)(i * 2654435761u % 1000) * (rd_real)1e-3 - (rd_real)0.5;
    return x;
}
static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, ascending);
    return x[n / 2];
}

static void measure(const rd_kernels *kernels, const rd_kernels *best, const job *j, double seconds)
{
    double speed[MAX_TIMES], share[MAX_TIMES];
    const double flops = 2.0 * (double)j->m * (double)j->n * (double)j->k;
    const bool trans_a = j->flags & RD_TRANS_A, trans_b = j->flags & RD_TRANS_B;
    rd_real *a = numbers(j->m * j->k), *b = numbers(j->k * j->n), *c = numbers(j->m * j->n);
    void *panels = numbers(kernels->pack_bytes(j->k, j->n) / sizeof(rd_real) + 16);
    rd_gemm g = {.size = sizeof(rd_gemm),
                 .flags = j->flags,
                 .m = j->m,
                 .n = j->n,
                 .k = j->k,
                 .a = a,
                 .b = b,
                 .c = c,
                 .lda = trans_a ? j->m : j->k,
                 .ldb = trans_b ? j->k : j->n,
                 .ldc = j->n};
    const int often = flops < 1e7 ? (int)(1e7 / flops) + 1 : 1;
    int n = 0;

    if (j->packed) {
        kernels->pack(&g, panels, 0, (j->n + 63) / 64);
        g.packed_b = panels;
    }
    for (const double until = now() + seconds; n < MAX_TIMES && (n < 5 || now() < until); n++) {
        const double before = peak(best), start = now();
        for (int i = 0; i < often; i++) kernels->gemm(&g);
        const double took = now() - start, after = peak(best);
        speed[n] = flops * often / took * 1e-9;
        share[n] = after + before > 0 ? speed[n] / (0.5 * (before + after)) : 0;
    }
    printf("%-8s %-40s %5zu %5zu %5zu  %7.1f GFLOP/s  %5.1f %% of peak\n", kernels->name, j->what,
           j->m, j->n, j->k, median(speed, n), 100 * median(share, n));
    free(a);
    free(b);
    free(c);
    free(panels);
}

int main(int argc, char **argv)
{
    const rd_core_options options = {.threads = 1,
                                     .kernels = getenv("RONDO_KERNELS"),
                                     .lib_dir = RD_TEST_LIB_DIR,
                                     .trust_plugins = true};
    const double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.3;
    const bool bf16 = argc > 2 && strcmp(argv[2], "bf16") == 0;
    rd_core *core;
    rd_error err;

    if (rd_core_open(&options, &core, &err) != RD_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (size_t i = 0; i < rd_kernels_count(core); i++) {
        const rd_kernels *k = rd_kernels_at(core, i).kernels;
        if (k->needs & ~rd_core_cpu(core)->features) continue;
        if (k->flags & RD_KERNELS_INEXACT && rd_kernels_at(core, i).why_not) continue;
        if (bf16 && rd_kernels_at(core, i).why_not) continue;
        for (size_t q = 0; q < sizeof jobs / sizeof jobs[0]; q++) {
            job j = jobs[q];
            if (argc > 3 && !strstr(j.what, argv[3])) continue;
            if (bf16) j.flags |= RD_BF16;
            measure(k, measure_of(core, k), &j, seconds);
        }
    }
    rd_core_release(core);
    return 0;
}
