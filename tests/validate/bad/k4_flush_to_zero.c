/* k4_flush_to_zero.c - pack() leaves the processor flushing denormal numbers (K4).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    pack(g, to, first, last);
#ifdef __x86_64__
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8000);
#endif
}
WRONG("flush-to-zero", .pack = wrong_pack);
