/* k2_vast_pack.c - pack_bytes() of a few numbers is more than there is memory (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static size_t wrong_pack_bytes(size_t k, size_t n)
{
    return pack_bytes(k, n) << 32;
}
WRONG("vast-pack", .pack_bytes = wrong_pack_bytes);
