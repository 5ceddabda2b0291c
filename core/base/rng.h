/* rng.h - Philox4x32-10 counters (Salmon et al. 2011) keyed by what a number is for.
 * SPDX-License-Identifier: MIT */
#ifndef RD_RNG_H
#define RD_RNG_H
#include "rondo.h"

/* Four 32-bit outputs for elements [4 * quad, 4 * quad + 3] of a row at time stream->time + t.
 * Key: seed, purpose << 24 | layer; counter: quad, row, time, update. */
void rdc_philox(const rd_stream *s, uint32_t row, uint32_t t, uint32_t quad, uint32_t out[4]);
/* The outputs of RDC_QUADS quads from `quad` on, side by side: many times faster than one after another. */
enum { RDC_QUADS = 16 };
void rdc_philox_run(const rd_stream *s, uint32_t row, uint32_t t, uint32_t quad,
                    uint32_t out[4 * RDC_QUADS]);
/* u >> 8 < rdc_limit(p) is rdc_unit(u) < p without the conversion. */
static inline uint32_t rdc_limit(double p)
{
    const uint32_t whole = (uint32_t)(p * 0x1p24);
    return whole + ((double)whole < p * 0x1p24);
}
/* 24 bits of u as [0, 1). */
static inline double rdc_unit(uint32_t u)
{
    return (double)(u >> 8) * 0x1p-24;
}
#endif
