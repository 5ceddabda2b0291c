/* int8.c - sums of 8-bit integers for AVX-512 with VPDPBUSD, which does not saturate: they are exact.
 * SPDX-License-Identifier: MIT */
#ifndef __AVX512VNNI__
#error "compile this file, and no other of the plugin, with -mavx512vnni"
#endif
#include "int8.h"
#include <immintrin.h>
#include <string.h>

/* One row by a panel: the weights are read once, so memory is the bound, and four registers of sums do. Lines
 * are asked for ahead, as the processor's own prefetch does not cross pages. */
void avx512_int8_sums(size_t quads, const uint8_t *a, const int8_t *q, int32_t *acc)
{
    enum { NV = PANEL / 16, AHEAD = 16 * 4 * PANEL };
    __m512i s[NV];
    UNROLLED
    for (size_t j = 0; j < NV; j++) s[j] = _mm512_setzero_si512();
    for (size_t p = 0; p < quads; p++, a += 4, q += 4 * PANEL) {
        int32_t four;
        memcpy(&four, a, sizeof four);
        const __m512i x = _mm512_set1_epi32(four);
        UNROLLED
        for (size_t j = 0; j < NV; j++) {
            __builtin_prefetch((const void *)((uintptr_t)q + AHEAD + 64 * j), 0, 3);
            s[j] = _mm512_dpbusd_epi32(s[j], x, _mm512_loadu_si512(q + 64 * j));
        }
    }
    UNROLLED
    for (size_t j = 0; j < NV; j++) _mm512_storeu_si512(acc + 16 * j, s[j]);
}
