/* faulty_memory.c - see faulty_memory.h.
 *
 * Blocks that are in use are kept in a table, so that what the C library itself gives out is no matter.
 * SPDX-License-Identifier: MIT */
#include "faults/faulty_memory.h"
#include "faults/tally.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PLACES = 1 << 18,
    ASKED = 2
}; /* a power of two, more than blocks are ever in use; sizes kept */

static const void *place[PLACES];
static size_t in_use;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static pid_t owner; /* 0: nothing is counted */
static memory_fault now;
static long calls;
static size_t asked[ASKED]; /* of the last calls */
static bool came;

static void enter(void)
{
    while (atomic_flag_test_and_set(&lock)) {
    }
}

static void leave(void)
{
    atomic_flag_clear(&lock);
}

void memory_faults_begin(memory_fault fault)
{
    now = fault;
    if (fault.call > 0) tally_one();
    calls = 0;
    came = false;
    memset(asked, 0, sizeof asked);
    owner = getpid();
}

long memory_faults_end(void)
{
    owner = 0;
    return calls;
}

bool memory_faults_came(void)
{
    return came;
}

size_t memory_blocks(void)
{
    return in_use;
}

bool memory_was_asked(size_t bytes)
{
    for (int i = 0; i < ASKED; i++)
        if (asked[i] == bytes) return true;
    return false;
}

/* Counts a call; true: there is nothing. */
static bool fails(size_t bytes)
{
    if (owner == 0 || owner != getpid()) return false;
    enter();
    asked[calls % ASKED] = bytes;
    calls++;
    const bool due = now.call != 0 && (calls == now.call || (now.always && calls > now.call));
    came = came || due;
    leave();
    if (due) errno = ENOMEM;
    return due;
}

static size_t home(const void *p)
{
    return (size_t)(((uintptr_t)p >> 4) * 0x9E3779B97F4A7C15U >> 40) & (PLACES - 1);
}

static void *given(void *p)
{
    if (!p) return NULL;
    enter();
    assert(in_use < PLACES / 2);
    size_t i = home(p);
    while (place[i]) i = (i + 1) & (PLACES - 1);
    place[i] = p;
    in_use++;
    leave();
    return p;
}

/* Takes a block out and closes the gap, so that what lies behind it is found. */
static void taken(const void *p)
{
    if (!p) return;
    enter();
    size_t i = home(p);
    while (place[i] && place[i] != p) i = (i + 1) & (PLACES - 1);
    if (place[i]) {
        in_use--;
        for (size_t j = (i + 1) & (PLACES - 1); place[j]; j = (j + 1) & (PLACES - 1)) {
            if (((j - home(place[j])) & (PLACES - 1)) < ((j - i) & (PLACES - 1))) continue;
            place[i] = place[j];
            i = j;
        }
        place[i] = NULL;
    }
    leave();
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *at, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
void __real_free(void *at);
void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t from);
void *__real_XXH3_createState(void);
void *__wrap_XXH3_createState(void);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *at, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
void __wrap_free(void *at);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t from);

void *__wrap_malloc(size_t bytes)
{
    return fails(bytes) ? NULL : given(__real_malloc(bytes));
}

void *__wrap_calloc(size_t n, size_t bytes)
{
    return fails(n * bytes) ? NULL : given(__real_calloc(n, bytes));
}

void *__wrap_realloc(void *at, size_t bytes)
{
    if (fails(bytes)) return NULL;
    taken(at);
    void *p = __real_realloc(at, bytes);
    given(p ? p : at);
    return p;
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails(bytes) ? NULL : given(__real_aligned_alloc(alignment, bytes));
}

char *__wrap_strdup(const char *text)
{
    return fails(strlen(text) + 1) ? NULL : given(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t n)
{
    return fails(strnlen(text, n) + 1) ? NULL : given(__real_strndup(text, n));
}

void __wrap_free(void *at)
{
    taken(at);
    __real_free(at);
}

/* Maps are large blocks and files; how many there are is not counted. */
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t from)
{
    return fails(bytes) ? MAP_FAILED : __real_mmap(at, bytes, protection, flags, fd, from);
}

/* Made by a library, which also frees it. */
void *__wrap_XXH3_createState(void)
{
    return fails(0) ? NULL : __real_XXH3_createState();
}
