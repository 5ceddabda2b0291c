/* test_bits.c - the hashes of tests/bits/golden.tsv, by every backend, thread count and form.
 *
 * Other compilers, levels and machines run bits_program instead (tests/checks.sh), which also writes the
 * file anew where the arithmetic was changed on purpose: bits_program > tests/bits/golden.tsv, and a line
 * in CHANGELOG.md, since saved runs will not go on to the same bits. Skipped in the double
 * build, whose bits the contract does not promise.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

#include "bits/bits_train.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#ifdef RDC_GUARD /* the sanitizers make it slow */
enum { EVERY = 4 };
#else
enum { EVERY = 1 };
#endif
static const char golden[] = RD_TEST_SOURCE_DIR "/tests/bits/golden.tsv";

/* What golden.tsv says of a case. */
static void expect(const char *line, size_t index, uint64_t hash)
{
    char name[96], want[128];
    bits_name(index, name);
    snprintf(want, sizeof want, "%s\t%016" PRIx64 "\n", name, hash);
    assert_string_equal(line, want);
}

/* Every `every`-th case from `first` on. */
static void check_some(uint32_t threads, const char *kernels, bits_form form, size_t first,
                       size_t every)
{
    const rd_core_options options = {
        .threads = threads, .kernels = kernels, .lib_dir = RD_TEST_LIB_DIR, .trust_plugins = true};
    rd_core *core = NULL;
    rd_error err;
    if (sizeof(rd_real) != sizeof(float)) skip();
    if (rd_core_open(&options, &core, &err) != RD_OK) skip(); /* this processor lacks the backend */
    FILE *f = fopen(golden, "r");
    assert_non_null(f);
    for (size_t i = 0; i < bits_count(); i++) {
        uint64_t hash = 0;
        char line[128];
        assert_non_null(fgets(line, sizeof line, f));
        if (i % every != first) continue;
        OK(bits_train(core, i, &form, &hash, &err));
        expect(line, i, hash);
    }
    fclose(f);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void check(uint32_t threads, const char *kernels, bits_form form)
{
    check_some(threads, kernels, form, 0, EVERY);
}

static void test_scalar_kernels(void **state)
{
    (void)state;
    check(1, "scalar", (bits_form){0});
}

static void test_avx2_kernels(void **state)
{
    (void)state;
    check(1, "avx2", (bits_form){0});
}

static void test_avx512_kernels(void **state)
{
    (void)state;
    check(1, "avx512", (bits_form){0});
}

static void test_two_threads(void **state)
{
    (void)state;
    check_some(2, NULL, (bits_form){0}, 0,
               3 * EVERY); /* threads are slow where the machine is busy */
}

static void test_three_threads(void **state)
{
    (void)state;
    check_some(3, NULL, (bits_form){0}, 1, 3 * EVERY);
}

static void test_five_threads(void **state)
{
    (void)state;
    check_some(5, "scalar", (bits_form){0}, 2, 3 * EVERY);
}

static void test_step_by_step(void **state)
{
    (void)state;
    check(1, NULL, (bits_form){.chunk = 1});
}

static void test_in_chunks_of_three(void **state)
{
    (void)state;
    check(1, NULL, (bits_form){.chunk = 3});
}

static void test_with_validation_between_the_steps(void **state)
{
    (void)state;
    check(1, NULL, (bits_form){.validate = true});
}

static void test_what_is_drawn(void **state)
{
    (void)state;
    const rd_core_options options = {
        .threads = 1, .lib_dir = RD_TEST_LIB_DIR, .trust_plugins = true};
    rd_core *core = NULL;
    rd_error err;
    uint64_t hash = 0;
    char line[128], want[128];
    if (sizeof(rd_real) != sizeof(float)) skip();
    OK(rd_core_open(&options, &core, &err));
    OK(bits_sample(core, &hash, &err));
    snprintf(want, sizeof want, BITS_SAMPLE "\t%016" PRIx64 "\n", hash);
    FILE *f = fopen(golden, "r");
    assert_non_null(f);
    do assert_non_null(fgets(line, sizeof line, f));
    while (strncmp(line, BITS_SAMPLE, strlen(BITS_SAMPLE)) != 0);
    fclose(f);
    assert_string_equal(line, want);
    assert_int_equal(test_close_core((void **)&core), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalar_kernels),
        cmocka_unit_test(test_avx2_kernels),
        cmocka_unit_test(test_avx512_kernels),
        cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_three_threads),
        cmocka_unit_test(test_five_threads),
        cmocka_unit_test(test_step_by_step),
        cmocka_unit_test(test_in_chunks_of_three),
        cmocka_unit_test(test_with_validation_between_the_steps),
        cmocka_unit_test(test_what_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
