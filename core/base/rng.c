/* rng.c - Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, section 5.3).
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"

void rdc_philox(const rd_stream *s, uint32_t row, uint32_t t, uint32_t quad, uint32_t out[4])
{
    uint32_t c0 = quad, c1 = row, c2 = s->time + t, c3 = s->update;
    uint32_t k0 = s->seed, k1 = s->purpose << 24 | (s->layer & 0xFFFFFFu);
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* the Weyl constants of the paper */
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

uint32_t rd_bits_at(const rd_stream *stream, uint32_t row, uint64_t element)
{
    uint32_t out[4];
    rdc_philox(stream, row, 0, (uint32_t)(element / 4), out);
    return out[element % 4];
}

double rd_uniform_at(const rd_stream *stream, uint32_t row, uint64_t element)
{
    return rdc_unit(rd_bits_at(stream, row, element));
}
