/* open_reader.c - a reader child that may write its counters; of the build `coverage` alone.
 *
 * The child gives up files before it reads a byte. Linked before rondo_hdf5.so (--wrap), this lets it make
 * the calls by which it does without effect; time and memory stay limited.
 * SPDX-License-Identifier: MIT */
#include <seccomp.h>
#include <sys/resource.h>

void __gcov_dump(void);
__attribute__((visibility("default"))) void rd_test_coverage_dump(void);
int __real_setrlimit(__rlimit_resource_t what, const struct rlimit *most);
int __wrap_setrlimit(__rlimit_resource_t what, const struct rlimit *most);
int __wrap_seccomp_load(scmp_filter_ctx rules);

void rd_test_coverage_dump(void)
{
    __gcov_dump();
}

int __wrap_setrlimit(__rlimit_resource_t what, const struct rlimit *most)
{
    if (what == RLIMIT_FSIZE || what == RLIMIT_NOFILE) return 0;
    return __real_setrlimit(what, most);
}

int __wrap_seccomp_load(scmp_filter_ctx rules)
{
    (void)rules;
    return 0;
}
