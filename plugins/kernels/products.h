/* products.h - gemm and pack of a backend's record where only floats have registers of their own: bfloat16
 * and int8 are plain C, with the same bits.
 * SPDX-License-Identifier: MIT */
#ifndef RD_PRODUCTS_H
#define RD_PRODUCTS_H
#include "bf16_body.h"
#include "int8_body.h"
#include "simd.h"

static void gemm(const rd_gemm *g)
{
    if (g->flags & RD_BF16)
        bf16_gemm(g);
    else if (g->flags & RD_INT8)
        int8_gemm(g, int8_plain_sums);
    else
        simd_gemm(g);
}
static void pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    if (g->flags & RD_BF16)
        bf16_pack(g, to, first, last);
    else if (g->flags & RD_INT8)
        int8_pack(g, to, first, last);
    else
        simd_pack(g, to, first, last);
}
#endif
