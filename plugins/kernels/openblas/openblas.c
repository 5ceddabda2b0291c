/* openblas.c - products by OpenBLAS: an INEXACT backend, to compare with and never used unless it is named.
 *
 * OpenBLAS sums in an order of its own, which depends on sizes, processor and version. So ACCUMULATE is
 * beta = 1 (C is added once, somewhere in that order) and K_DOWN says nothing: the values are those of the
 * bit contract to rounding, the bits are not, and a step of a sequence differs from the same step alone.
 *
 * The library is opened by score(), which the core calls only where the backend is named: 36 MB, and
 * threads of its own that start when it is loaded, stay out of every other process. Its one pointer is
 * the only static state: written before there are workers, the same each time.
 * SPDX-License-Identifier: MIT */
#include "rondo/kernel.h"
#include <assert.h>
#include <cblas.h>
#include <dlfcn.h>
#include <limits.h>
#include <string.h>

#ifdef RD_REAL_DOUBLE
#define FUNCTION "cblas_dgemm"
typedef __typeof__(cblas_dgemm) multiply_fn;
#else
#define FUNCTION "cblas_sgemm"
typedef __typeof__(cblas_sgemm) multiply_fn;
#endif
enum { PANEL = 64, MOST = 1 << 30 }; /* sizes of one call: they are ints there */

static multiply_fn *multiply;

/* Calls of the library stay on the thread that makes them: the workers are ours. */
static int score(const rd_cpu *cpu)
{
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    __typeof__(openblas_set_num_threads) *set_threads = NULL;

    (void)cpu;
    if (!library) return 0;
    /* A function's address through an object's pointer, as POSIX has it. */
    *(void **)&multiply = dlsym(library, FUNCTION);
    *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
    if (!multiply || !set_threads) return 0;
    set_threads(1);
    return 1;
}

static int least(size_t n)
{
    return n < MOST ? (int)n : MOST;
}
/* Strides are ints there too; a longer row has 8 GiB. */
static int stride(size_t n)
{
    assert(n <= INT_MAX);
    return (int)n;
}

/* Where B is packed, pack() has written op(B) transposed, a column of k numbers after the other. */
static void gemm(const rd_gemm *g)
{
    const bool trans_a = g->flags & RD_TRANS_A, trans_b = g->packed_b || g->flags & RD_TRANS_B;
    const rd_real *const b = g->packed_b ? g->packed_b : g->b;
    const size_t ldb = g->packed_b ? g->k : g->ldb;

    if (g->k == 0) { /* its checks of strides come before its look at sizes */
        for (size_t i = 0; i < g->m && !(g->flags & RD_ACCUMULATE); i++)
            memset(g->c + i * g->ldc, 0, g->n * sizeof(rd_real));
        return;
    }
    for (size_t i = 0; i < g->m; i += MOST)
        for (size_t j = 0; j < g->n; j += MOST)
            for (size_t k = 0; k < g->k; k += MOST)
                multiply(CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans,
                         trans_b ? CblasTrans : CblasNoTrans, least(g->m - i), least(g->n - j),
                         least(g->k - k), 1, g->a + (trans_a ? k * g->lda + i : i * g->lda + k),
                         stride(g->lda), b + (trans_b ? j * ldb + k : k * ldb + j), stride(ldb),
                         g->flags & RD_ACCUMULATE || k > 0, g->c + i * g->ldc + j, stride(g->ldc));
}

static size_t pack_bytes(size_t k, size_t n)
{
    return (n + PANEL - 1) / PANEL * PANEL * k * sizeof(rd_real);
}
static void pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    const bool trans = g->flags & RD_TRANS_B;
    const size_t next_k = trans ? 1 : g->ldb, next_j = trans ? g->ldb : 1;
    rd_real *columns = to;

    for (size_t j = first * PANEL; j < last * PANEL && j < g->n; j++)
        for (size_t k = 0; k < g->k; k++) columns[j * g->k + k] = g->b[k * next_k + j * next_j];
}

static const rd_kernels record = {
    .size = sizeof(rd_kernels),
    .flags = RD_KERNELS_INEXACT,
    .name = "openblas",
    .help = "OpenBLAS, for comparisons; needs libopenblas.so.0",
    .score = score,
    .gemm = gemm,
    .pack_bytes = pack_bytes,
    .pack = pack,
};
static const rd_kernels *const kernels[] = {&record, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-openblas",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .kernels = kernels};
