/* bench_shapes.c - products of few rows against the memory's bandwidth, and edges against full tiles.
 *
 * usage: bench_shapes [rows|edges [seconds per shape]]
 *
 * rows: weights of a recurrent layer (4H x H) times 1 to 7 rows, as they are used: packed, where they lie
 * (dh = dz W) and transposed where they lie (z = x W^T). Printed is how fast the weights are gone through,
 * against a loop that does nothing but load them.
 * edges: the time of m rows or n columns over that of the next full tile (6 rows, 16 columns): 1 where
 * nothing is slow.
 * The two of a pair run alternately; printed is the median of the ratios. RONDO_KERNELS names the backend.
 * Not a test: the target bench_shapes is built on request.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "rondo.h"

enum { MAX_TIMES = 200, MOST_ROWS = 64 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static rd_real *numbers(size_t n)
{
    rd_real *x = aligned_alloc(64, (n * sizeof(rd_real) + 63) / 64 * 64);

    if (!x) abort();
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

/* ---- pairs --------------------------------------------------------------------------------------- */

/* Vectors as wide as the compiler takes them; the clones are those of the cells. */
typedef float wide __attribute__((vector_size(64), aligned(64)));
#if defined(__x86_64__) && defined(__GLIBC__)
__attribute__((target_clones("avx512f", "arch=x86-64-v3", "default")))
#endif
static void
read_all(const void *memory, size_t bytes)
{
    const wide *x = memory;

    for (size_t i = 0; i + 4 <= bytes / sizeof *x; i += 4) {
        const wide a = x[i], b = x[i + 1], c = x[i + 2], d = x[i + 3];
        __asm__ volatile("" ::"m"(a), "m"(b), "m"(c), "m"(d));
    }
}

typedef struct work { /* a product, or where g is empty a reading of memory */
    const rd_kernels *kernels;
    rd_gemm g;
    const void *memory;
    size_t bytes;
} work;
static double time_of(const work *w, int often)
{
    const double start = now();

    for (int i = 0; i < often; i++) {
        if (w->kernels)
            w->kernels->gemm(&w->g);
        else
            read_all(w->memory, w->bytes);
    }
    return (now() - start) / often;
}
/* The median of a's time over b's; *seconds_a: the median of a's. */
static double compare(const work *a, const work *b, double seconds, double *seconds_a)
{
    double ratio[MAX_TIMES], took[MAX_TIMES];
    const double once = time_of(a, 1) + 1e-9;
    const int often = once < 2e-4 ? (int)(2e-4 / once) + 1 : 1;
    int n = 0;

    for (const double until = now() + seconds; n < MAX_TIMES && (n < 7 || now() < until); n++) {
        const double first = time_of(b, often);
        took[n] = time_of(a, often);
        ratio[n] = took[n] / (0.5 * (first + time_of(b, often)));
    }
    *seconds_a = median(took, n);
    return median(ratio, n);
}

/* ---- operands ------------------------------------------------------------------------------------ */

typedef struct operands {
    rd_real *a, *b, *c, *panels;
} operands;
static work product(const rd_kernels *kernels, const operands *o, const size_t size[3],
                    uint32_t flags, bool packed)
{
    const size_t m = size[0], n = size[1], k = size[2];
    work w = {.kernels = kernels,
              .g = {.size = sizeof(rd_gemm),
                    .flags = flags,
                    .m = m,
                    .n = n,
                    .k = k,
                    .a = o->a,
                    .b = o->b,
                    .c = o->c,
                    .lda = k,
                    .ldb = flags & RD_TRANS_B ? k : n,
                    .ldc = n}};

    if (!packed) return w;
    kernels->pack(&w.g, o->panels, 0, (n + 63) / 64);
    w.g.packed_b = o->panels;
    return w;
}
static operands operands_new(const rd_kernels *kernels, size_t n, size_t k)
{
    return (operands){numbers(MOST_ROWS * (n > k ? n : k)), numbers(n * k),
                      numbers(MOST_ROWS * (n > k ? n : k)),
                      numbers(kernels->pack_bytes(k, n) / sizeof(rd_real) + 16)};
}
static void operands_free(operands *o)
{
    free(o->a);
    free(o->b);
    free(o->c);
    free(o->panels);
}

static void rows(const rd_kernels *kernels, double seconds)
{
    static const size_t hidden[] = {128, 512, 1024};
    static const struct {
        const char *what;
        uint32_t flags;
        bool packed, back;
    } forms[] = {{"x W^T, packed", RD_TRANS_B, true, false},
                 {"x W^T", RD_TRANS_B, false, false},
                 {"dz W", 0, false, true}};

    printf("%-9s %-14s %5s %4s %9s %9s  %s\n", "backend", "product", "H", "rows", "GFLOP/s", "GB/s",
           "speed of bare loads");
    for (size_t h = 0; h < sizeof hidden / sizeof hidden[0]; h++)
        for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++)
            for (size_t m = 1; m <= 7; m++) {
                const size_t n = hidden[h] * (forms[f].back ? 1 : 4);
                const size_t k = hidden[h] * (forms[f].back ? 4 : 1);
                operands o = operands_new(kernels, n, k);
                const work a =
                    product(kernels, &o, (size_t[]){m, n, k}, forms[f].flags, forms[f].packed);
                const work b = {.memory = forms[f].packed ? o.panels : o.b,
                                .bytes = n * k * sizeof(rd_real)};
                double took;
                const double ratio = compare(&a, &b, seconds, &took);
                printf("%-9s %-14s %5zu %4zu %9.1f %9.1f  %.2f\n", kernels->name, forms[f].what,
                       hidden[h], m, 2e-9 * (double)(m * n * k) / took,
                       1e-9 * (double)b.bytes / took, 1 / ratio);
                operands_free(&o);
            }
}

static void edge(const rd_kernels *kernels, const operands *o, const size_t size[3],
                 const size_t full[3], double seconds)
{
    static const char *const names[] = {"packed", "as it lies", "transposed"};

    printf("%-9s %4zu x %4zu x %4zu ", kernels->name, size[0], size[1], size[2]);
    for (int form = 0; form < 3; form++) {
        operands other = *o;
        const uint32_t flags = form == 2 ? RD_TRANS_B : 0;
        double took;
        other.panels = numbers(kernels->pack_bytes(full[2], full[1]) / sizeof(rd_real) + 16);
        const work a = product(kernels, o, size, flags, form == 0);
        const work b = product(kernels, &other, full, flags, form == 0);
        printf("  %s %.2f", names[form], compare(&a, &b, seconds, &took));
        free(other.panels);
    }
    printf("\n");
}
static size_t next(size_t n, size_t tile)
{
    return (n + tile - 1) / tile * tile;
}
static void edges(const rd_kernels *kernels, double seconds)
{
    enum { K = 128, M = 48, N = 256 };
    operands o = operands_new(kernels, N, K);

    for (size_t m = 1; m <= 60; m += m < 14 ? 1 : 5)
        edge(kernels, &o, (size_t[]){m, N, K}, (size_t[]){next(m, 6), N, K}, seconds);
    for (size_t n = 1; n <= 200; n += n < 34 ? 1 : 7)
        edge(kernels, &o, (size_t[]){M, n, K}, (size_t[]){M, next(n, 16), K}, seconds);
    for (size_t n = 1; n <= 200; n += n < 34 ? 3 : 29)
        edge(kernels, &o, (size_t[]){1, n, K}, (size_t[]){1, next(n, 16), K}, seconds);
    operands_free(&o);
}

int main(int argc, char **argv)
{
    const rd_core_options options = {.threads = 1,
                                     .kernels = getenv("RONDO_KERNELS"),
                                     .lib_dir = RD_TEST_LIB_DIR,
                                     .trust_plugins = true};
    const char *what = argc > 1 ? argv[1] : "";
    const double seconds = argc > 2 ? strtod(argv[2], NULL) : 0.1;
    rd_core *core;
    rd_error err;

    if (rd_core_open(&options, &core, &err) != RD_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    const rd_kernels *kernels = rd_kernels_at(core, 0).kernels;
    if (strcmp(what, "edges") != 0) rows(kernels, seconds);
    if (strcmp(what, "rows") != 0) edges(kernels, seconds);
    rd_core_release(core);
    return 0;
}
