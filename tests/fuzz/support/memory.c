/* memory.c - malloc and its kin as a fuzzer has them: beyond a limit they give nothing.
 *
 * Programs that want these name malloc, calloc, realloc and aligned_alloc in their .wrap file.
 * SPDX-License-Identifier: MIT */
#include "fuzz/support/fuzz.h"

#include <errno.h>
#include <sanitizer/allocator_interface.h>

static size_t limit = SIZE_MAX;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t width);
void *__real_realloc(void *at, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t width);
void *__wrap_realloc(void *at, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);

void fuzz_limit_memory(size_t most)
{
    limit = most;
}

static bool refused(size_t n)
{
    const size_t now = __sanitizer_get_current_allocated_bytes();
    if (n <= limit && now <= limit - n) return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return refused(n) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t width)
{
    if (width > 0 && n > SIZE_MAX / width) return NULL;
    return refused(n * width) ? NULL : __real_calloc(n, width);
}

void *__wrap_realloc(void *at, size_t n)
{
    return refused(n) ? NULL : __real_realloc(at, n);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
    return refused(n) ? NULL : __real_aligned_alloc(alignment, n);
}
