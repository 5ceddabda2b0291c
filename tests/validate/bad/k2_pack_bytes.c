/* k2_pack_bytes.c - pack() fills whole panels, of which pack_bytes() knows nothing (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static size_t wrong_pack_bytes(size_t k, size_t n)
{
    return k * n * sizeof(rd_real);
}
WRONG("pack-bytes", .pack_bytes = wrong_pack_bytes);
