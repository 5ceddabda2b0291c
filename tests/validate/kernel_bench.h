/* kernel_bench.h - products of a backend on memory that notices what is done to it, beside the contract's.
 *
 * A matrix lies at the end or the beginning of a zone between two pages that nobody may touch, so that an
 * access outside is found where it happens; between rows and on its other side lies what may not be read
 * (NaN in a and b) or written (numbers in c). Nothing here knows a test framework: what is found is a
 * sentence.
 *
 * One bench is open at a time, on the thread that opened it (kernel_guard.h).
 * SPDX-License-Identifier: MIT */
#ifndef RD_KERNEL_BENCH_H
#define RD_KERNEL_BENCH_H
#include "kernel_guard.h"
#include "kernel_numbers.h"

enum kernel_look {
    KERNEL_RIGHT, /* numbers to rounding, and no access where none is allowed */
    KERNEL_BITS   /* bits, of products that are right */
};

typedef struct kernel_product {
    size_t m, n, k;
    size_t pad; /* by how much rows are farther apart than they are wide; b's twice as much */
    uint32_t flags;
    bool packed;
    bool at_end; /* of the zones: no address is aligned but by chance */
} kernel_product;

typedef struct kernel_bench {
    const rd_kernels *kernels;
    enum kernel_look look;
    char *why; /* where the sentence goes */
    size_t cap;
    void (*about)(const char *format, ...); /* told of each call; NULL: nobody is */
    size_t most;                            /* numbers in a zone */
    enum kernel_numbers kind;               /* what they are now, and which edge */
    uint32_t edge;
    kernel_zone a, b, c, packed;
    rd_real *numbers; /* 3 most: of a, b and c */
    rd_real *kept_a, *kept_b, *want;
} kernel_bench;

/* Zones for matrices of so many numbers, rows' gaps included. look, why and cap are the caller's afterwards.
 * false: out of memory, said in why. */
bool kernel_bench_open(kernel_bench *b, const rd_kernels *kernels, size_t most, char *why,
                       size_t cap);
void kernel_bench_close(kernel_bench *b);
/* Other numbers from now on; KERNEL_MIXED at first. edge is 0 but for KERNEL_EDGES. */
void kernel_bench_fill(kernel_bench *b, enum kernel_numbers kind, uint32_t edge);
/* One product. false: a sentence in why. */
bool kernel_bench_product(kernel_bench *b, const kernel_product *p);
/* The same product by all panels and by those from column 64 on alone. */
bool kernel_bench_cut(kernel_bench *b, const kernel_product *p);
/* Calls gemm, and pack, and compares nothing. */
void kernel_bench_call(kernel_bench *b, const kernel_product *p);
/* What a packed b of the product takes: pack_bytes() of the terms that kernel.h says. */
size_t kernel_bench_pack_bytes(const kernel_bench *b, const rd_gemm *g, size_t n);
/* What rd_gemm the product is, with a, b and c laid into the zones; packed_b is NULL. */
rd_gemm kernel_bench_lay(kernel_bench *b, const kernel_product *p);
#endif
