/* kernel_numbers.h - numbers that tell one order of a sum from another, always the same ones.
 * SPDX-License-Identifier: MIT */
#ifndef RD_KERNEL_NUMBERS_H
#define RD_KERNEL_NUMBERS_H
#include "rondo/kernel.h"

enum kernel_numbers {
    KERNEL_MIXED,   /* signs, magnitudes, zeros: any other order of a sum shows */
    KERNEL_TINY,    /* products and sums around the smallest normal number */
    KERNEL_ENDLESS, /* some infinities and NaN among many zeros */
    KERNEL_EDGES    /* bfloat16: sums of two or three terms around 2^-126, exponents by `edge` */
};
enum { KERNEL_EDGES_COUNT = 5 };

typedef struct kernel_numbers_of {
    enum kernel_numbers kind;
    uint32_t edge; /* below KERNEL_EDGES_COUNT */
    int which;     /* 0, 1, 2: of a, b, c */
} kernel_numbers_of;

void kernel_numbers_fill(rd_real *to, size_t n, kernel_numbers_of of);
#endif
