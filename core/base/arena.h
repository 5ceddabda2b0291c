/* arena.h - a pool of reference-counted, 64-byte-aligned blocks.
 *
 * Every tensor's values, every saved value and gradient, and the small records of the tape are blocks.
 * A released block goes to the free list of its size class (four classes per octave) and is handed out
 * again, so nothing is asked of the system once the shapes of a program have been seen.
 * Debug builds (RDC_GUARD) put 0xA5 zones round each block, check them at release, and fill fresh
 * memory with NaN. Used from one thread at a time.
 * SPDX-License-Identifier: MIT */
#ifndef RD_ARENA_H
#define RD_ARENA_H
#include "rondo.h"

typedef struct rdc_arena rdc_arena;
typedef struct rdc_block {
    uint32_t refs;
    uint32_t size_class;
    uint64_t version;       /* bumped by every in-place write of a tensor that lies here */
    size_t bytes;           /* asked for */
    struct rdc_block *next; /* in the free list */
    void *at;               /* 64-byte aligned */
} rdc_block;

rdc_arena *rdc_arena_new(void);    /* NULL: no memory */
void rdc_arena_free(rdc_arena *a); /* every block must have been released */
/* One reference, contents undefined; NULL: no memory (after giving recycled blocks back). */
rdc_block *rdc_block_new(rdc_arena *a, size_t bytes);
void rdc_block_retain(rdc_block *b);
void rdc_block_release(rdc_arena *a, rdc_block *b); /* NULL is fine */
/* Small records on the same lists: zeroed. */
void *rdc_record_new(rdc_arena *a, size_t bytes);
void rdc_record_free(rdc_arena *a, void *record); /* NULL is fine */
void rdc_arena_trim(rdc_arena *a);
/* A block of so many bytes that a product has for the while of it: + when it is there, - before it goes. */
void rdc_arena_packed(rdc_arena *a, ptrdiff_t bytes);
void rdc_arena_new_peaks(rdc_arena *a); /* from now on peaks are those of what follows */
rd_memory_use rdc_arena_use(const rdc_arena *a);
#endif
