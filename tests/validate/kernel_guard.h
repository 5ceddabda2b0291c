/* kernel_guard.h - a backend's functions called on memory beside which there are pages that nobody may touch.
 *
 * An access there ends the call. It is opened once at a time and called on the thread that opened it; until
 * it is closed it has the handler of SIGSEGV.
 * SPDX-License-Identifier: MIT */
#ifndef RD_KERNEL_GUARD_H
#define RD_KERNEL_GUARD_H
#include "rondo/kernel.h"

typedef struct kernel_zone { /* whole pages between two forbidden ones */
    const char *name;
    size_t bytes; /* at least these are asked for; then all there are */
    char *begin, *end;
} kernel_zone;
typedef struct kernel_outside { /* the last access outside: beside which zone */
    const kernel_zone *zone;
    bool behind; /* else before */
} kernel_outside;

/* zones: up to 7, ended by NULL, with name and bytes; they stay where they are until it is closed. false: out
 * of memory. Closing what is not open is fine. */
bool kernel_guard_open(kernel_zone *const *zones);
void kernel_guard_close(void);
/* false: stopped at an access outside. */
bool kernel_guard_gemm(const rd_kernels *kernels, const rd_gemm *g);
bool kernel_guard_pack(const rd_kernels *kernels, const rd_gemm *g, void *to,
                       const size_t panels[2]);
const kernel_outside *kernel_guard_outside(void);
#endif
