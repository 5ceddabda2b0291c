/* kernel_guard.c - see kernel_guard.h.
 *
 * Static: what a handler of SIGSEGV, which is given an address alone, has to know.
 * SPDX-License-Identifier: MIT */
#include "kernel_guard.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_ZONES = 7 };

static struct {
    kernel_zone *zone[MAX_ZONES];
    size_t n;
    size_t page;
    struct sigaction before; /* who had the signal */
    sigjmp_buf back;
    volatile kernel_outside found;
    volatile bool calling;
} guard;

static bool is_beside(const kernel_zone *z, const char *at)
{
    guard.found.behind = at >= z->end;
    guard.found.zone = z;
    return (at >= z->begin - guard.page && at < z->begin) ||
           (at >= z->end && at < z->end + guard.page);
}
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    for (size_t i = 0; i < guard.n && guard.calling; i++)
        if (is_beside(guard.zone[i], info->si_addr)) siglongjmp(guard.back, 1);
    sigaction(number, &guard.before, NULL); /* another's: it happens again */
}

static bool open_zone(kernel_zone *z)
{
    const size_t page = guard.page;

    z->bytes = (z->bytes + page - 1) / page * page;
    char *at = mmap(NULL, z->bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return false;
    z->begin = at + page;
    z->end = z->begin + z->bytes;
    guard.zone[guard.n++] = z;
    return mprotect(z->begin, z->bytes, PROT_READ | PROT_WRITE) == 0;
}

bool kernel_guard_open(kernel_zone *const *zones)
{
    const struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    bool ok = true;

    guard.page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; zones[i] && ok; i++) ok = open_zone(zones[i]);
    return sigaction(SIGSEGV, &act, &guard.before) == 0 && ok;
}
void kernel_guard_close(void)
{
    if (guard.n > 0) sigaction(SIGSEGV, &guard.before, NULL);
    for (; guard.n > 0; guard.n--) {
        const kernel_zone *z = guard.zone[guard.n - 1];
        munmap(z->begin - guard.page, z->bytes + 2 * guard.page);
    }
}

bool kernel_guard_gemm(const rd_kernels *kernels, const rd_gemm *g)
{
    const bool stopped = sigsetjmp(guard.back, 0) != 0;
    guard.calling = !stopped;
    if (!stopped) kernels->gemm(g);
    guard.calling = false;
    return !stopped;
}
bool kernel_guard_pack(const rd_kernels *kernels, const rd_gemm *g, void *to,
                       const size_t panels[2])
{
    const bool stopped = sigsetjmp(guard.back, 0) != 0;
    guard.calling = !stopped;
    if (!stopped) kernels->pack(g, to, panels[0], panels[1]);
    guard.calling = false;
    return !stopped;
}

const kernel_outside *kernel_guard_outside(void)
{
    return (const kernel_outside *)&guard.found;
}
