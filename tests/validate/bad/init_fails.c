/* init_fails.c - a plugin that does not start (L3).
 * SPDX-License-Identifier: MIT */
#include "bad.h"
#include <stdio.h>

static rd_status start(const rd_host *host, char *why, size_t why_cap)
{
    (void)snprintf(why, why_cap, "the licence server of minor %d is asleep", host->abi_minor);
    return RD_E_IO;
}
RD_PLUGIN = {GOOD_PLUGIN("init-fails"), .init = start};
