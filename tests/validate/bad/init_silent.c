/* init_silent.c - does not start, and does not say why.
 * SPDX-License-Identifier: MIT */
#include "bad.h"

static rd_status init(const rd_host *host, char *why, size_t why_cap)
{
    (void)host, (void)why, (void)why_cap;
    return RD_E_UNSUPPORTED;
}
RD_PLUGIN = {GOOD_PLUGIN("init_silent"), .init = init};
