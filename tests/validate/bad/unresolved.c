/* unresolved.c - wants a function that nobody has (L1).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

void rd_test_is_nowhere(void);
static rd_status start(const rd_host *host, char *why, size_t why_cap)
{
    (void)host, (void)why, (void)why_cap;
    rd_test_is_nowhere();
    return RD_OK;
}
RD_PLUGIN = {GOOD_PLUGIN("unresolved"), .init = start};
