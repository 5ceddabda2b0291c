/* flushes_to_zero.c - leaves denormal numbers switched off (C2).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static void backward(const rd_step *s)
{
    right_backward(s);
    if (s->phase == 1) return;
#if defined(__x86_64__)
    const unsigned flush = 0x9f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(flush));
#elif defined(__aarch64__)
    const uint64_t flush = 0x1000000;
    __asm__ volatile("msr fpcr, %0" : : "r"(flush));
#endif
}

static const rd_cell cell = {RIGHT_CELL("flushes_to_zero"), .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("flushes_to_zero"), .cells = cells};
