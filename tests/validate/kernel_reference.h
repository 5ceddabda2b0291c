/* kernel_reference.h - products as the bit contract writes them, without a tile, a panel or a thread.
 * SPDX-License-Identifier: MIT */
#ifndef RD_KERNEL_REFERENCE_H
#define RD_KERNEL_REFERENCE_H
#include "rondo/kernel.h"

/* C of g by rule 3, or 10 with RD_BF16 or RD_INT8, into c, which has C's strides. g->c and g->packed_b are
 * not read. false: out of memory. */
bool kernel_reference(const rd_gemm *g, rd_real *c);

/* How far C[i, j], where c was, may be from that by any order of the sum and, with RD_BF16 and RD_INT8, any
 * rounding of the numbers. */
double kernel_slack(const rd_gemm *g, size_t i, size_t j, rd_real c);

/* The usual mistake that makes all of g->c, where c was before, as "; that is ..."; "" where it is another
 * one or none. */
const char *kernel_mistake(const rd_gemm *g, const rd_real *c);
#endif
