/* evil_filter.c - what a plugin of HDF5 can do that a file asks for: anything. It leaves a mark.
 *
 * For test_strangers.c: libhdf5 looks for filters in the folder that HDF5_PLUGIN_PATH names, and loads
 * what it finds.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void leave_a_mark(void)
{
    const char *path = getenv("RONDO_TEST_MARK");
    FILE *f = path ? fopen(path, "w") : NULL;
    if (f) (void)fclose(f);
}
