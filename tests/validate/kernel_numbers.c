/* kernel_numbers.c - see kernel_numbers.h.
 * SPDX-License-Identifier: MIT */
#include "kernel_numbers.h"

#include "rondo/pointmath.h"

#include <math.h>

static uint32_t next_random(uint32_t u)
{
    return u * 1664525u + 1013904223u;
}
static rd_real mixed(uint32_t u)
{
    const rd_real v = (rd_real)((double)(u >> 8) * 0x1p-23 - 1);
    return u % 61 == 0 ? 0 : u % 59 == 0 ? v * (rd_real)1e-38 : u % 53 == 0 ? v * 1000 : v;
}
static rd_real scaled(rd_real v, int exponent)
{
    return (rd_real)ldexp((double)v, exponent);
}
static rd_real tiny(uint32_t u, int which)
{
    const int least = sizeof(rd_real) == sizeof(double) ? -1022 : -126;
    const int exponent = which == 2 ? least + 1 : least / 2 + 3 - (int)(u >> 12) % 9;
    return scaled(mixed(u), exponent);
}
static rd_real endless(uint32_t u)
{
    const rd_real v = mixed(u);
    return u % 997 == 0 ? (rd_real)INFINITY : u % 991 == 0 ? (rd_real)NAN : u % 5 == 0 ? 0 : v;
}
/* Sums of two or three terms that are small, round up to 2^-126 or vanish. */
static rd_real edge_of(uint32_t u, int which, uint32_t edge)
{
    static const uint32_t exponents[KERNEL_EDGES_COUNT][3] = {
        {62, 62, 1}, {50, 50, 1}, {1, 127, 1}, {0, 120, 0}, {64, 37, 1}};
    const uint32_t low = u >> 5 & 1 ? 0 : u >> 8 & 0x7f0000;
    return rd_from_bits_f((u & 0x80000000u) | (exponents[edge][which] + (u >> 24) % 5) << 23 | low);
}

void kernel_numbers_fill(rd_real *to, size_t n, kernel_numbers_of of)
{
    uint32_t u = (4 * of.edge + (uint32_t)of.which + 1) * 2654435761u + 1;

    for (size_t i = 0; i < n; i++) {
        u = next_random(u);
        switch (of.kind) {
        case KERNEL_MIXED:
            to[i] = mixed(u);
            break;
        case KERNEL_TINY:
            to[i] = tiny(u, of.which);
            break;
        case KERNEL_ENDLESS:
            to[i] = endless(u);
            break;
        case KERNEL_EDGES:
            to[i] = edge_of(u, of.which, of.edge);
            break;
        }
    }
}
