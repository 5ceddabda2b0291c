/* core.h - the running core that everything hangs on.
 *
 * Invariant: `refs` counts the opener and every live tensor and layer; the last one to go closes it.
 * Only the calling thread touches this structure; workers see what a job hands them.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CORE_H
#define RD_CORE_H
#include "base/arena.h"
#include "base/error.h"
#include "base/pool.h"
#include "rondo.h"

typedef struct rdc_registry rdc_registry;
struct rdc_node;

struct rd_core {
    uint32_t refs;
    bool grad_mode;
    bool parts;                  /* inputs are parts of longer sequences (rondo_parts.h) */
    bool profiling;              /* profile is there, and counts */
    struct rdc_profile *profile; /* or NULL */
    uint64_t next_node;          /* number of the next node of the tape */
    struct rdc_node *dying;      /* nodes whose last owner has gone, while `releasing` (tape.c) */
    bool releasing;
    const char *calling; /* the custom operation whose backward is running, or NULL */
    rdc_arena *arena;
    rdc_pool *pool;
    rdc_registry *registry;
    rd_cpu cpu;
    rd_kernels ops;     /* composed: gemm, pack_bytes and pack are never NULL */
    uint32_t precision; /* of the products of layers: 0, RD_BF16 or RD_INT8 */
    char *lib_dir;      /* or NULL */
};

void rdc_core_retain(rd_core *core);
#endif
