/* open_reader.c - a reader child that may write its counters; of the build `coverage` alone.
 *
 * The child gives up files before it reads a byte. Linked before rondo_hdf5.so (--wrap), this lets it make
 * all the calls that shut it in, without effect.
 * SPDX-License-Identifier: MIT */
#include <seccomp.h>
#include <sys/resource.h>

void __gcov_dump(void);
__attribute__((visibility("default"))) void rd_test_coverage_dump(void);
int __wrap_close_range(unsigned first, unsigned last, int flags);
int __wrap_setrlimit(__rlimit_resource_t what, const struct rlimit *most);
int __wrap_seccomp_load(scmp_filter_ctx rules);

void rd_test_coverage_dump(void)
{
    __gcov_dump();
}

int __wrap_close_range(unsigned first, unsigned last, int flags)
{
    (void)first, (void)last, (void)flags;
    return 0;
}

int __wrap_setrlimit(__rlimit_resource_t what, const struct rlimit *most)
{
    (void)what, (void)most;
    return 0;
}

int __wrap_seccomp_load(scmp_filter_ctx rules)
{
    (void)rules;
    return 0;
}
