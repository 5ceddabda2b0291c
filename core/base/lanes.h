/* lanes.h - chains of work that run beside each other: a wavefront.
 *
 * A lane is a row of chunks, each of which needs the one before it and, where the lane follows another, the
 * chunk of the same number there. Layers of a stack are lanes, and so are two directions of one.
 * SPDX-License-Identifier: MIT */
#ifndef RD_LANES_H
#define RD_LANES_H
#include "base/pool.h"

enum { RDC_MAX_LANES = 6 };
typedef struct rdc_lanes {
    uint32_t n;
    size_t chunks[RDC_MAX_LANES];
    bool follows[RDC_MAX_LANES]; /* the lane before it; never the first */
    void (*run)(void *job, uint32_t lane, size_t chunk);
    void *job;
} rdc_lanes;
/* Runs every chunk once, each by whichever worker is free. [hot] run cannot fail, does not allocate and does
 * not use the pool. */
void rdc_lanes_run(rdc_pool *p, const rdc_lanes *lanes);
#endif
