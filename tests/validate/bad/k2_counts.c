/* k2_counts.c - multiply_adds() counts rounds instead of operations (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static double wrong_multiply_adds(size_t rounds)
{
    return (double)rounds;
}
WRONG("counts", .multiply_adds = wrong_multiply_adds);
