/* test_product.c - products shared among workers have the bits of one call, and packing is done once.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include "base/tensor.h"
#include "engine/product.h"
#include "rondo_parts.h"

#include <string.h>

struct shape {
    size_t m, n, k;
    uint32_t flags;
};
static const struct shape shapes[] = {
    {1, 1, 1, 0},
    {1, 700, 300, RD_TRANS_B},
    {1, 1100, 600, RD_TRANS_B}, /* enough to be shared by columns */
    {3, 1100, 200, RD_ACCUMULATE},
    {3, 300, 130, RD_ACCUMULATE},
    {130, 65, 70, RD_ACCUMULATE},
    {130, 200, 70, RD_TRANS_B | RD_ACCUMULATE},
    {257, 33, 300, RD_TRANS_A | RD_K_DOWN | RD_ACCUMULATE},
    {257, 14, 300, RD_TRANS_A | RD_K_DOWN | RD_ACCUMULATE},
    {64, 32, 70, RD_TRANS_A},
    {65, 129, 500, RD_TRANS_A | RD_K_DOWN},
    {5, 7, 0, 0},
    {0, 7, 3, 0},
};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0], MOST = 257 * 300, LARGEST = 1100 * 600 };

static rd_gemm product_of(const struct shape *s, const rd_tensor *a, const rd_tensor *b,
                          rd_tensor *c)
{
    return (rd_gemm){.size = sizeof(rd_gemm),
                     .flags = s->flags,
                     .m = s->m,
                     .n = s->n,
                     .k = s->k,
                     .a = rd_tensor_at(a),
                     .b = rd_tensor_at(b),
                     .c = c->at,
                     .lda = s->flags & RD_TRANS_A ? s->m : s->k,
                     .ldb = s->flags & RD_TRANS_B ? s->k : s->n,
                     .ldc = s->n};
}

static void test_shared_equals_alone(void **state)
{
    rd_error err;
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        rd_core *core = rnn_core(threads, NULL);
        rd_tensor *a = rnn_tensor(core, 1, RD_DENSE, SHAPE(LARGEST));
        rd_tensor *b = rnn_tensor(core, 2, RD_DENSE, SHAPE(LARGEST));
        for (size_t i = 0; i < N_SHAPES; i++) {
            rd_tensor *alone = rnn_tensor(core, 3, RD_DENSE, SHAPE(MOST));
            rd_tensor *shared = rnn_tensor(core, 3, RD_DENSE, SHAPE(MOST));
            const rd_gemm g = product_of(&shapes[i], a, b, alone);
            const rd_gemm h = product_of(&shapes[i], a, b, shared);
            rdc_product(core, &g);
            OK(rdc_product_shared(core, &h, &err));
            assert_memory_equal(alone->at, shared->at, MOST * sizeof(rd_real));
            rd_tensor_release(alone);
            rd_tensor_release(shared);
        }
        rd_tensor_release(a);
        rd_tensor_release(b);
        assert_int_equal(test_close_core((void **)&core), 0);
    }
}

static void test_a_packed_operand_can_be_cut_at_panels(void **state)
{
    rd_core *core = rnn_core(3, NULL);
    rd_error err;
    rdc_packed packed = {0};
    (void)state;
    const struct shape shape = {1, 1100, 600, RD_TRANS_B};
    rd_tensor *a = rnn_tensor(core, 1, RD_DENSE, SHAPE(1, 600));
    rd_tensor *b = rnn_tensor(core, 2, RD_DENSE, SHAPE(1100, 600));
    rd_tensor *alone = rnn_tensor(core, 3, RD_DENSE, SHAPE(1, 1100));
    rd_tensor *shared = rnn_tensor(core, 4, RD_DENSE, SHAPE(1, 1100));
    rd_gemm g = product_of(&shape, a, b, alone);
    rdc_product(core, &g);
    OK(rdc_pack(core, &g, 1, &packed, &err));
    g.packed_b = packed.block->at;
    g.c = shared->at;
    OK(rdc_product_shared(core, &g, &err));
    assert_memory_equal(alone->at, shared->at, 1100 * sizeof(rd_real));
    rdc_block_release(core->arena, packed.block);
    rd_tensor_release(a);
    rd_tensor_release(b);
    rd_tensor_release(alone);
    rd_tensor_release(shared);
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* More terms than are packed at once: the last stretch first, each continuing on the sums (rule 6). */
static void test_a_long_gradient_is_that_of_its_stretches(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    (void)state;
    const struct shape shape = {16, 80, 20000, RD_TRANS_A | RD_K_DOWN | RD_ACCUMULATE};
    rd_tensor *a = rnn_tensor(core, 1, RD_DENSE, SHAPE(20000, 16));
    rd_tensor *b = rnn_tensor(core, 2, RD_DENSE, SHAPE(20000, 80));
    rd_tensor *alone = rnn_tensor(core, 3, RD_DENSE, SHAPE(16, 80));
    rd_tensor *shared = rnn_tensor(core, 3, RD_DENSE, SHAPE(16, 80));
    rd_gemm g = product_of(&shape, a, b, alone);
    rdc_product(core, &g);
    g.c = shared->at;
    rd_core_new_peaks(core);
    OK(rdc_product_shared(core, &g, &err));
    assert_true(rd_core_memory(core).packed_at_peak <= RD_PACKED_AT_ONCE);
    assert_memory_equal(alone->at, shared->at, sizeof(rd_real) * 16 * 80);
    rd_tensor_release(a);
    rd_tensor_release(b);
    rd_tensor_release(alone);
    rd_tensor_release(shared);
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* Weights that were packed as they are cannot serve a product of bfloat16. */
static void test_a_packed_operand_is_made_anew_for_another_precision(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    rdc_packed packed = {0};
    (void)state;
    if (sizeof(rd_real) == sizeof(double)) skip();
    const struct shape shape = {20, 70, 30, 0};
    rd_tensor *a = rnn_tensor(core, 1, RD_DENSE, SHAPE(20, 30));
    rd_tensor *b = rnn_tensor(core, 2, RD_DENSE, SHAPE(30, 70));
    rd_tensor *alone = rnn_tensor(core, 3, RD_DENSE, SHAPE(20, 70));
    rd_tensor *shared = rnn_tensor(core, 4, RD_DENSE, SHAPE(20, 70));
    rd_gemm g = product_of(&shape, a, b, alone);
    OK(rdc_pack(core, &g, 5, &packed, &err));
    g.flags |= RD_BF16;
    rdc_product(core, &g);
    OK(rdc_pack(core, &g, 5, &packed, &err));
    g.packed_b = packed.block->at;
    g.c = shared->at;
    rdc_product(core, &g);
    assert_memory_equal(alone->at, shared->at, sizeof(rd_real) * 20 * 70);
    rdc_block_release(core->arena, packed.block);
    rd_tensor_release(a);
    rd_tensor_release(b);
    rd_tensor_release(alone);
    rd_tensor_release(shared);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_a_packed_operand_is_kept_until_its_version_changes(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    rdc_packed packed = {0};
    (void)state;
    const struct shape shape = {20, 70, 30, 0};
    rd_tensor *a = rnn_tensor(core, 1, RD_DENSE, SHAPE(20, 30));
    rd_tensor *b = rnn_tensor(core, 2, RD_DENSE, SHAPE(30, 70));
    rd_tensor *c = rnn_tensor(core, 3, RD_DENSE, SHAPE(20, 70));
    rd_gemm g = product_of(&shape, a, b, c);
    OK(rdc_pack(core, &g, 5, &packed, &err));
    b->at[0] += 1; /* behind its back: the old version is served */
    OK(rdc_pack(core, &g, 5, &packed, &err));
    g.packed_b = packed.block->at;
    rdc_product(core, &g);
    const rd_real stale = c->at[0];
    OK(rdc_pack(core, &g, 6, &packed, &err));
    rdc_product(core, &g);
    assert_true(c->at[0] != stale);
    rdc_block_release(core->arena, packed.block);
    rd_tensor_release(a);
    rd_tensor_release(b);
    rd_tensor_release(c);
    assert_int_equal(test_close_core((void **)&core), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_equals_alone),
        cmocka_unit_test(test_a_packed_operand_can_be_cut_at_panels),
        cmocka_unit_test(test_a_long_gradient_is_that_of_its_stretches),
        cmocka_unit_test(test_a_packed_operand_is_made_anew_for_another_precision),
        cmocka_unit_test(test_a_packed_operand_is_kept_until_its_version_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
