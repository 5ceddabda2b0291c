/* test_arena.c - blocks: alignment, recycling, counts.
 * SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "support/tensors.h"

#include <string.h>
#include <sys/mman.h>

static void test_arena_blocks_are_aligned_and_counted(void **state)
{
    rdc_arena *const arena = rdc_arena_new();
    rdc_block *const a = rdc_block_new(arena, 100), *const b = rdc_block_new(arena, 0);
    (void)state;
    assert_int_equal((uintptr_t)a->at % 64, 0);
    assert_int_equal((uintptr_t)b->at % 64, 0);
    assert_int_equal(a->bytes, 100);
    assert_int_equal(rdc_arena_use(arena).live_bytes, 112 + 64); /* four classes per octave */
    rdc_block_release(arena, a);
    rdc_block_release(arena, b);
    assert_int_equal(rdc_arena_use(arena).live_bytes, 0);
    assert_int_equal(rdc_arena_use(arena).peak_bytes, 112 + 64);
    assert_int_equal(rdc_arena_use(arena).held_bytes, 112 + 64);
    rdc_arena_free(arena);
}

static void test_arena_hands_a_released_block_out_again(void **state)
{
    rdc_arena *const arena = rdc_arena_new();
    rdc_block *const a = rdc_block_new(arena, 1000);
    const uint64_t version = a->version;
    (void)state;
    rdc_block_release(arena, a);
    rdc_block *const b = rdc_block_new(arena, 990);
    assert_ptr_equal(a, b);
    assert_int_not_equal(b->version,
                         version); /* an old owner's version does not fit the new life */
    assert_int_equal(rdc_arena_use(arena).system_allocations, 1);
    rdc_block_release(arena, b);
    rdc_arena_free(arena);
}

static void test_arena_block_lives_until_its_last_release(void **state)
{
    rdc_arena *const arena = rdc_arena_new();
    rdc_block *const a = rdc_block_new(arena, 64);
    (void)state;
    rdc_block_retain(a);
    rdc_block_release(arena, a);
    assert_int_equal(rdc_arena_use(arena).live_bytes, 64);
    rdc_block_release(arena, a);
    assert_int_equal(rdc_arena_use(arena).live_bytes, 0);
    rdc_arena_free(arena);
}

static void test_arena_records_are_zeroed(void **state)
{
    rdc_arena *const arena = rdc_arena_new();
    unsigned char *record = rdc_record_new(arena, 200);
    const unsigned char zeros[200] = {0};
    (void)state;
    memset(record, 1, 200);
    rdc_record_free(arena, record);
    record = rdc_record_new(arena, 200);
    assert_memory_equal(record, zeros, 200);
    rdc_record_free(arena, record);
    rdc_record_free(arena, NULL);
    rdc_block_release(arena, NULL);
    rdc_arena_free(arena);
}

static void test_arena_trim_gives_free_blocks_back(void **state)
{
    rdc_arena *const arena = rdc_arena_new();
    rdc_block *const live = rdc_block_new(arena, 64);
    (void)state;
    rdc_block_release(arena, rdc_block_new(arena, 4096));
    rdc_arena_trim(arena);
    assert_int_equal(rdc_arena_use(arena).held_bytes, 64);
    rdc_block_release(arena, live);
    rdc_arena_free(arena);
}

static void test_arena_refuses_what_no_machine_has(void **state)
{
    rdc_arena *const arena = rdc_arena_new();
    (void)state;
    assert_null(rdc_block_new(arena, SIZE_MAX));
    rdc_arena_free(arena);
}

/* Large blocks are mapped by themselves, cut out of more: what lies beside them stays. */
static void test_arena_gives_back_no_more_than_it_took(void **state)
{
    /* What lies behind a block is a page larger each time: so blocks begin at all places in a huge page. */
    enum { N = 600, PAGE = 4096, HUGE = 2 << 20, BYTES = 5 << 19 };
    static void *beside[N];
    static rdc_block *block[N];
    static unsigned char there[N + HUGE / PAGE];
    rdc_arena *const arena = rdc_arena_new();
    (void)state;
    for (int i = 0; i < N; i++) {
        const size_t bytes = HUGE + (size_t)i * PAGE;
        beside[i] = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_ptr_not_equal(beside[i], MAP_FAILED);
        block[i] = rdc_block_new(arena, BYTES);
        assert_non_null(block[i]);
    }
    for (int i = 0; i < N; i++) rdc_block_release(arena, block[i]);
    rdc_arena_free(arena);
    for (int i = 0; i < N; i++) {
        const size_t bytes = HUGE + (size_t)i * PAGE;
        if (mincore(beside[i], bytes, there) != 0) fail_msg("some of mapping %d is gone", i);
        munmap(beside[i], bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_blocks_are_aligned_and_counted),
        cmocka_unit_test(test_arena_hands_a_released_block_out_again),
        cmocka_unit_test(test_arena_block_lives_until_its_last_release),
        cmocka_unit_test(test_arena_records_are_zeroed),
        cmocka_unit_test(test_arena_trim_gives_free_blocks_back),
        cmocka_unit_test(test_arena_refuses_what_no_machine_has),
        cmocka_unit_test(test_arena_gives_back_no_more_than_it_took),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
