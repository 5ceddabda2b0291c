/* arena.c - a pool of reference-counted, 64-byte-aligned blocks.
 *
 * A block is one allocation:  [header 64 | guard 64 | bytes of the class | guard 64], the guards in debug
 * builds only. Invariant: every block is either live (refs > 0) or in the free list of its size class;
 * live_bytes and held_bytes count the bytes of classes, asked_bytes those of requests: what a block has
 * beyond them is never written, and of large blocks the system does not even give it.
 * Classes are four per octave: 64, 80, 96, 112, 128, 160 ... so at most a quarter is wasted.
 * SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGN = 64, PAGE = 64 << 10, HUGE_PAGE = 2 << 20, N_CLASSES = 4 * 44, SMALLEST_LOG2 = 6 };
#ifdef RDC_GUARD
enum { GUARD = 64, GUARD_BYTE = 0xA5 };
#else
enum { GUARD = 0 };
#endif

struct rdc_arena {
    rdc_block *free[N_CLASSES];
    size_t packed; /* of the asked bytes */
    rd_memory_use use;
};

_Static_assert(sizeof(rdc_block) <= ALIGN, "the header fits its place");

static size_t class_bytes(uint32_t size_class)
{
    const size_t octave = (size_t)1 << (SMALLEST_LOG2 + size_class / 4);
    return octave + (size_class % 4) * (octave / 4);
}

/* The smallest class that holds `bytes`, or N_CLASSES. */
static uint32_t class_of(size_t bytes)
{
    if (bytes <= ALIGN) return 0;
    const uint32_t log2 = 63u - (uint32_t)__builtin_clzll((unsigned long long)bytes);
    if (log2 - SMALLEST_LOG2 >= N_CLASSES / 4) return N_CLASSES;
    const size_t octave = (size_t)1 << log2;
    const uint32_t quarter = (uint32_t)((bytes - octave + octave / 4 - 1) / (octave / 4));
    return (log2 - SMALLEST_LOG2) * 4 + quarter;
}

#ifdef RDC_GUARD
static void *from_system(size_t bytes)
{
    return aligned_alloc(ALIGN, bytes); /* which sanitizers watch */
}

static void to_system(void *p, size_t bytes)
{
    (void)bytes;
    free(p);
}
#else
static size_t whole_pages(size_t bytes)
{
    return (bytes + PAGE - 1) / PAGE * PAGE;
}

/* Large blocks are mapped by themselves: given back they leave no holes in a heap. They lie in huge pages
 * where the system gives them: rows that are a page apart would each need a small one. Of a last page only a
 * part would be used: there small ones do, which are 4 to 64 KB (PAGE) large. */
static void *map(size_t bytes)
{
    const size_t used = whole_pages(bytes), all = used + HUGE_PAGE; /* of a class: no overflow */
    char *p = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    const size_t before = (HUGE_PAGE - (uintptr_t)p % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0) (void)munmap(p, before);
    if (before + used < all) (void)munmap(p + before + used, all - before - used);
#ifdef MADV_HUGEPAGE
    (void)madvise(p + before, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* it may fail */
#endif
    return p + before;
}

static void *from_system(size_t bytes)
{
    return bytes < HUGE_PAGE ? aligned_alloc(ALIGN, bytes) : map(bytes);
}

static void to_system(void *p, size_t bytes)
{
    if (bytes < HUGE_PAGE)
        free(p);
    else
        (void)munmap(p, whole_pages(bytes));
}
#endif

static size_t block_bytes(uint32_t size_class)
{
    const size_t bytes = ALIGN + 2 * (size_t)GUARD + class_bytes(size_class);
    return (bytes + ALIGN - 1) / ALIGN * ALIGN; /* as aligned_alloc wants it */
}

rdc_arena *rdc_arena_new(void)
{
    return calloc(1, sizeof(rdc_arena));
}

void rdc_arena_trim(rdc_arena *a)
{
    for (uint32_t k = 0; k < N_CLASSES; k++) {
        while (a->free[k]) {
            rdc_block *b = a->free[k];
            a->free[k] = b->next;
            a->use.held_bytes -= class_bytes(k);
            to_system(b, block_bytes(k));
        }
    }
}

void rdc_arena_free(rdc_arena *a)
{
    if (!a) return;
    rdc_arena_trim(a);
    assert(a->use.live_bytes == 0);
    free(a);
}

#ifdef RDC_GUARD
static void guard_set(const rdc_block *b)
{
    memset((char *)b->at - GUARD, GUARD_BYTE, GUARD);
    memset((char *)b->at + class_bytes(b->size_class), GUARD_BYTE, GUARD);
    memset(b->at, 0xFF, class_bytes(b->size_class)); /* all ones: a NaN in float and double */
}

static void guard_check(const rdc_block *b)
{
    const unsigned char *before = (const unsigned char *)b->at - GUARD;
    const unsigned char *behind = (const unsigned char *)b->at + class_bytes(b->size_class);
    for (int i = 0; i < GUARD; i++) {
        assert(before[i] == GUARD_BYTE);
        assert(behind[i] == GUARD_BYTE);
    }
}
#else
static void guard_set(const rdc_block *b)
{
    (void)b;
}

static void guard_check(const rdc_block *b)
{
    (void)b;
}
#endif

static rdc_block *block_from_system(rdc_arena *a, uint32_t size_class)
{
    const size_t bytes = block_bytes(size_class);
    rdc_block *b = from_system(bytes);
    a->use.system_allocations++;
    if (!b) {
        rdc_arena_trim(a);
        b = from_system(bytes);
        if (!b) return NULL;
    }
    b->size_class = size_class;
    b->version = 0;
    b->at = (char *)b + ALIGN + GUARD;
    a->use.held_bytes += class_bytes(size_class);
    return b;
}

rdc_block *rdc_block_new(rdc_arena *a, size_t bytes)
{
    const uint32_t size_class = class_of(bytes);
    if (size_class >= N_CLASSES) return NULL;
    rdc_block *b = a->free[size_class];
    if (b)
        a->free[size_class] = b->next;
    else
        b = block_from_system(a, size_class);
    if (!b) return NULL;
    b->refs = 1;
    b->bytes = bytes;
    b->next = NULL;
    b->version++; /* what remembers the block of an earlier life sees that it changed */
    a->use.live_bytes += class_bytes(size_class);
    if (a->use.live_bytes > a->use.peak_bytes) a->use.peak_bytes = a->use.live_bytes;
    a->use.asked_bytes += bytes;
    if (a->use.asked_bytes > a->use.asked_peak) {
        a->use.asked_peak = a->use.asked_bytes;
        a->use.packed_at_peak = a->packed;
    }
    guard_set(b);
    return b;
}

void rdc_block_retain(rdc_block *b)
{
    assert(b->refs > 0);
    b->refs++;
}

void rdc_block_release(rdc_arena *a, rdc_block *b)
{
    if (!b) return;
    assert(b->refs > 0);
    if (--b->refs > 0) return;
    guard_check(b);
    a->use.live_bytes -= class_bytes(b->size_class);
    a->use.asked_bytes -= b->bytes;
    b->next = a->free[b->size_class];
    a->free[b->size_class] = b;
}

void *rdc_record_new(rdc_arena *a, size_t bytes)
{
    rdc_block *b = rdc_block_new(a, bytes);
    if (!b) return NULL;
    return memset(b->at, 0, bytes);
}

void rdc_record_free(rdc_arena *a, void *record)
{
    if (record) rdc_block_release(a, (rdc_block *)((char *)record - GUARD - ALIGN));
}

void rdc_arena_packed(rdc_arena *a, ptrdiff_t bytes)
{
    a->packed += (size_t)bytes;
    if (bytes > 0 && a->use.asked_bytes == a->use.asked_peak) a->use.packed_at_peak = a->packed;
}

void rdc_arena_new_peaks(rdc_arena *a)
{
    a->use.packed_at_peak = a->packed;
    a->use.peak_bytes = a->use.live_bytes;
    a->use.asked_peak = a->use.asked_bytes;
}

rd_memory_use rdc_arena_use(const rdc_arena *a)
{
    return a->use;
}
