/* test_rng.c - Philox against the known answers of Random123 (kat_vectors, philox4x32 10).
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "support/tensors.h"

/* The counter is (quad, row, time, update), the key (seed, purpose and layer). */
static void test_philox_of_zeros(void **state)
{
    const rd_stream s = {0};
    const uint32_t want[] = {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u};
    uint32_t out[4];
    (void)state;
    rdc_philox(&s, 0, 0, 0, out);
    assert_memory_equal(out, want, sizeof(want));
}

static void test_philox_of_ones(void **state)
{
    const uint32_t all = 0xffffffffu;
    const rd_stream s = {
        .seed = all, .purpose = 0xff, .layer = 0xffffff, .update = all, .time = all};
    const uint32_t want[] = {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu};
    uint32_t out[4];
    (void)state;
    rdc_philox(&s, all, 0, all, out);
    assert_memory_equal(out, want, sizeof(want));
}

static void test_philox_of_the_digits_of_pi(void **state)
{
    const rd_stream s = {.seed = 0xa4093822u,
                         .purpose = 0x29,
                         .layer = 0x9f31d0,
                         .update = 0x03707344u,
                         .time = 0x13198a2eu - 5};
    const uint32_t want[] = {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u};
    uint32_t out[4];
    (void)state;
    rdc_philox(&s, 0x85a308d3u, 5, 0x243f6a88u, out);
    assert_memory_equal(out, want, sizeof(want));
}

static void test_philox_run_gives_what_single_quads_give(void **state)
{
    const rd_stream s = {.seed = 1, .purpose = 2, .layer = 3, .update = 4, .time = 5};
    uint32_t run[4 * RDC_QUADS], one[4 * RDC_QUADS];
    (void)state;
    rdc_philox_run(&s, 6, 7, 0xfffffff8u, run); /* the quad wraps */
    for (uint32_t q = 0; q < RDC_QUADS; q++) rdc_philox(&s, 6, 7, 0xfffffff8u + q, one + 4 * q);
    assert_memory_equal(run, one, sizeof(one));
}

static void test_uniform_has_24_bits(void **state)
{
    const rd_stream s = {0};
    (void)state;
    assert_true(rd_uniform_at(&s, 0, 1) == (0xe169c58du >> 8) * 0x1p-24);
    assert_int_equal(rd_bits_at(&s, 0, 3), 0x9b00dbd8u);
    assert_true(rdc_unit(0xffffffffu) < 1);
    assert_true(rdc_unit(0xff) == 0);
}

/* Each of 0..n-1 comes once. */
static void check_permutation(uint64_t n)
{
    const rd_stream s = {.seed = 5, .purpose = RD_FOR_SHUFFLE, .update = 3};
    bool seen[1000] = {false};
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t at = rd_permuted(&s, n, i);
        if (at >= n || seen[at]) fail_msg("place %d of %d", (int)i, (int)n);
        seen[at] = true;
    }
}

static void test_a_permutation_has_each_number_once(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 70; n++) check_permutation(n);
    check_permutation(1000);
}

/* 1 << 62 places are two halves of 31 bits, one more are halves of 32. */
static void test_a_permutation_of_more_places_than_bytes_anywhere(void **state)
{
    const rd_stream s = {.seed = 5, .purpose = RD_FOR_SHUFFLE};
    const uint64_t most = UINT64_MAX, some = ((uint64_t)1 << 62) + 1;
    (void)state;
    assert_true(rd_permuted(&s, some, 0) < some && rd_permuted(&s, some, some - 1) < some);
    assert_true(rd_permuted(&s, some, 0) != rd_permuted(&s, some, some - 1));
    assert_true(rd_permuted(&s, most, most - 1) != rd_permuted(&s, most, 0));
}

/* Neighbours are to come apart. Of 1,000 pairs of a random order 4 are expected within a distance of 2
 * (2 * 2 / 1000 each), with a standard deviation of 2; so are fixed points, 1 of 1,000. */
static void test_a_permutation_leaves_no_order(void **state)
{
    (void)state;
    const rd_stream s = {.seed = 5, .purpose = RD_FOR_SHUFFLE};
    int near = 0, fixed = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        const int64_t a = (int64_t)rd_permuted(&s, 1001, i),
                      b = (int64_t)rd_permuted(&s, 1001, i + 1);
        near += a - b <= 2 && b - a <= 2;
        fixed += a == (int64_t)i;
    }
    assert_in_range(near, 0, 14);
    assert_in_range(fixed, 0, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox_of_zeros),
        cmocka_unit_test(test_philox_of_ones),
        cmocka_unit_test(test_philox_of_the_digits_of_pi),
        cmocka_unit_test(test_philox_run_gives_what_single_quads_give),
        cmocka_unit_test(test_uniform_has_24_bits),
        cmocka_unit_test(test_a_permutation_has_each_number_once),
        cmocka_unit_test(test_a_permutation_of_more_places_than_bytes_anywhere),
        cmocka_unit_test(test_a_permutation_leaves_no_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
