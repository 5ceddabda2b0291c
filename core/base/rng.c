/* rng.c - Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, section 5.3).
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "rondo/pointmath.h"

/* One round on one counter; k0 and k1 advance by the Weyl constants of the paper between rounds. */
RD_INLINE void mix(uint32_t *c0, uint32_t *c1, uint32_t *c2, uint32_t *c3, uint32_t k0, uint32_t k1)
{
    const uint64_t p0 = (uint64_t)0xD2511F53u * *c0, p1 = (uint64_t)0xCD9E8D57u * *c2;
    *c0 = (uint32_t)(p1 >> 32) ^ *c1 ^ k0;
    *c1 = (uint32_t)p1;
    *c2 = (uint32_t)(p0 >> 32) ^ *c3 ^ k1;
    *c3 = (uint32_t)p0;
}

enum { ROUNDS = 10 };
#define WEYL0 0x9E3779B9u
#define WEYL1 0xBB67AE85u

void rdc_philox(const rd_stream *s, uint32_t row, uint32_t t, uint32_t quad, uint32_t out[4])
{
    uint32_t c0 = quad, c1 = row, c2 = s->time + t, c3 = s->update;
    uint32_t k0 = s->seed, k1 = s->purpose << 24 | (s->layer & 0xFFFFFFu);
    for (int round = 0; round < ROUNDS; round++, k0 += WEYL0, k1 += WEYL1)
        mix(&c0, &c1, &c2, &c3, k0, k1);
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

RD_CLONES static void quads(const rd_stream *s, uint32_t row, uint32_t t, uint32_t quad,
                            uint32_t out[4 * RDC_QUADS])
{
    uint32_t c0[RDC_QUADS], c1[RDC_QUADS], c2[RDC_QUADS], c3[RDC_QUADS];
    uint32_t k0 = s->seed, k1 = s->purpose << 24 | (s->layer & 0xFFFFFFu);
    for (uint32_t l = 0; l < RDC_QUADS; l++) {
        c0[l] = quad + l;
        c1[l] = row;
        c2[l] = s->time + t;
        c3[l] = s->update;
    }
    for (int round = 0; round < ROUNDS; round++, k0 += WEYL0, k1 += WEYL1)
        for (uint32_t l = 0; l < RDC_QUADS; l++) mix(&c0[l], &c1[l], &c2[l], &c3[l], k0, k1);
    for (uint32_t l = 0; l < RDC_QUADS; l++) {
        out[4 * l] = c0[l];
        out[4 * l + 1] = c1[l];
        out[4 * l + 2] = c2[l];
        out[4 * l + 3] = c3[l];
    }
}

/* clang 14 gives clones that other files call a name that they do not know. */
void rdc_philox_run(const rd_stream *s, uint32_t row, uint32_t t, uint32_t quad,
                    uint32_t out[4 * RDC_QUADS])
{
    quads(s, row, t, quad, out);
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

/* Rounds of the network: 4 of a good function are enough (Luby & Rackoff 1988); 8, since halves of a few
 * bits are no good function. */
enum { FEISTEL_ROUNDS = 8 };

static uint64_t feistel(const rd_stream *s, uint32_t bits, uint64_t at)
{
    const uint64_t mask = ((uint64_t)1 << bits) - 1;
    uint32_t left = (uint32_t)(at >> bits), right = (uint32_t)(at & mask);
    for (uint32_t round = 0; round < FEISTEL_ROUNDS; round++) {
        uint32_t out[4];
        rdc_philox(s, right, 0, round, out);
        const uint32_t next = (left ^ out[0]) & (uint32_t)mask;
        left = right;
        right = next;
    }
    return (uint64_t)left << bits | right;
}

uint64_t rd_permuted(const rd_stream *stream, uint64_t n, uint64_t i)
{
    uint32_t bits = 1; /* of each half: at most 32 */
    while (bits < 32 && n > (uint64_t)1 << (2 * bits)) bits++;
    do {
        i = feistel(stream, bits, i);
    } while (i >= n);
    return i;
}
