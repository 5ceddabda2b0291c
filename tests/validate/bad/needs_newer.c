/* needs_newer.c - wants a newer host (L2).
 * SPDX-License-Identifier: MIT */
#define RD_ABI_NEEDED 999
#include "bad.h"

RD_PLUGIN = {GOOD_PLUGIN("needs-newer")};
