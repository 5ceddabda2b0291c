/* cpu.c - what this processor can do, with the operating system's support for its registers.
 *
 * A feature counts only if the operating system saves its registers (XCR0): a CPU may have AVX-512 under
 * a kernel or hypervisor that does not.
 * SPDX-License-Identifier: MIT */
#include "base/cpu.h"
#include <sched.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>

static uint64_t xgetbv0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static uint64_t features(void)
{
    enum { OSXSAVE = 1u << 27, FMA = 1u << 12, AVX = 1u << 28 };
    enum { XMM_YMM = 0x6, OPMASK_ZMM = 0xE0 };
    uint32_t a, b, c, d;
    uint64_t found = RD_CPU_SSE2;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE) || !(c & AVX)) return found;
    const uint64_t saved = xgetbv0();
    if ((saved & XMM_YMM) != XMM_YMM) return found;
    if (c & FMA) found |= RD_CPU_FMA;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return found;
    if (b & 1u << 5) found |= RD_CPU_AVX2;
    if ((saved & OPMASK_ZMM) != OPMASK_ZMM || !(b & 1u << 16)) return found;
    found |= RD_CPU_AVX512F;
    if (b & 1u << 17) found |= RD_CPU_AVX512DQ;
    if (b & 1u << 30) found |= RD_CPU_AVX512BW;
    if (b & 1u << 31) found |= RD_CPU_AVX512VL;
    if (c & 1u << 11) found |= RD_CPU_AVX512VNNI;
    if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && a & 1u << 5)
        found |= RD_CPU_AVX512BF16;
    return found;
}
#elif defined(__aarch64__)
static uint64_t features(void)
{
    return RD_CPU_NEON | RD_CPU_FMA; /* both are part of the base architecture */
}
#else
static uint64_t features(void)
{
    return 0;
}
#endif

static uint32_t cache_bytes(int name, uint32_t otherwise)
{
    const long n = sysconf(name);
    return n > 0 && n <= INT32_MAX ? (uint32_t)n : otherwise;
}

void rdc_cpu_probe(rd_cpu *cpu)
{
    cpu_set_t allowed;
    uint32_t threads = 1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        threads = (uint32_t)CPU_COUNT(&allowed);
    *cpu = (rd_cpu){
        .size = sizeof(rd_cpu),
        .features = features(),
        .l1_bytes = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, 32u << 10),
        .l2_bytes = cache_bytes(_SC_LEVEL2_CACHE_SIZE, 512u << 10),
        .l3_bytes = cache_bytes(_SC_LEVEL3_CACHE_SIZE, 8u << 20),
        .threads = threads > 0 ? threads : 1,
    };
}

const char *rdc_cpu_name(uint64_t features)
{
    static const struct {
        uint64_t bit;
        const char *name;
    } names[] = {
        {RD_CPU_SSE2, "sse2"},
        {RD_CPU_AVX2, "avx2"},
        {RD_CPU_FMA, "fma"},
        {RD_CPU_AVX512F, "avx512f"},
        {RD_CPU_AVX512VL, "avx512vl"},
        {RD_CPU_AVX512BW, "avx512bw"},
        {RD_CPU_AVX512DQ, "avx512dq"},
        {RD_CPU_NEON, "neon"},
        {RD_CPU_AVX512BF16, "avx512bf16"},
        {RD_CPU_AVX512VNNI, "avx512vnni"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (features & names[i].bit) return names[i].name;
    return NULL;
}
