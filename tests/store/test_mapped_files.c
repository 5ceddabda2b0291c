/* test_mapped_files.c - files that are mapped, and names and sizes as messages say them.
 * SPDX-License-Identifier: MIT */
#include "store/files.h"
#include "store/scratch.h"

#include <sys/mman.h>

static int descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 64; fd++) n += fcntl(fd, F_GETFD) != -1;
    return n;
}

static void test_a_file_is_mapped_whole(void **state)
{
    rdc_mapping m = {.fd = -1};
    const int before = descriptors();
    const char *path = scratch_write(*state, "a.txt", "some text", 9);
    assert_int_equal(rdc_map_file(path, &m, NULL), RD_OK);
    assert_int_equal(m.bytes, 9);
    assert_memory_equal(m.at, "some text", 9);
    assert_int_equal(descriptors(), before + 1);
    rdc_unmap_file(&m);
    assert_int_equal(descriptors(), before);
    assert_int_equal(m.fd, -1);
    assert_null(m.at);
    assert_int_equal(m.bytes, 0);
    rdc_unmap_file(&m); /* of nothing */
    assert_int_equal(descriptors(), before);
}

static void test_a_mapping_is_given_back(void **state)
{
    rdc_mapping m = {.fd = -1};
    unsigned char page;
    const char *path = scratch_write(*state, "a.txt", "s", 1);
    assert_int_equal(rdc_map_file(path, &m, NULL), RD_OK);
    void *const at = (void *)(uintptr_t)m.at;
    assert_int_equal(mincore(at, 1, &page), 0);
    rdc_unmap_file(&m);
    assert_int_equal(mincore(at, 1, &page), -1);
}

static void test_an_empty_file_is_mapped_to_nothing(void **state)
{
    rdc_mapping m = {.fd = -1, .bytes = 7};
    const int before = descriptors();
    assert_int_equal(rdc_map_file(scratch_write(*state, "a.txt", "", 0), &m, NULL), RD_OK);
    assert_int_equal(m.bytes, 0);
    assert_non_null(m.at);
    assert_true(rdc_map_is_whole(&m));
    rdc_unmap_file(&m);
    assert_int_equal(descriptors(), before);
}

static void check_refused(const char *path, const char *why)
{
    rdc_mapping m = {.fd = -1};
    rd_error err = {0};
    const int before = descriptors();
    assert_int_equal(rdc_map_file(path, &m, &err), RD_E_IO);
    assert_string_equal(err.text, why);
    assert_int_equal(m.fd, -1);
    assert_int_equal(descriptors(), before);
}

static void test_what_is_no_file_is_named(void **state)
{
    char why[200];
    scratch *s = *state;
    snprintf(why, sizeof(why), "cannot read '%s': it is a folder", s->folder);
    check_refused(s->folder, why);
    check_refused("/dev/null", "cannot read '/dev/null': it is not a regular file");
    snprintf(why, sizeof(why), "cannot read '%s/no': No such file or directory", s->folder);
    check_refused(scratch_path(s, "no"), why);
}

/* Linux has files of a size that have no pages. */
static void test_a_file_that_cannot_be_mapped_is_named(void **state)
{
    (void)state;
    static const char path[] = "/sys/kernel/mm/transparent_hugepage/enabled";
    if (access(path, R_OK) != 0) skip();
    check_refused(path, "cannot map '/sys/kernel/mm/transparent_hugepage/enabled': No such device");
}

static void test_a_file_that_shrank_is_not_whole(void **state)
{
    rdc_mapping m = {.fd = -1};
    const char *path = scratch_write(*state, "a.txt", "some text", 9);
    assert_int_equal(rdc_map_file(path, &m, NULL), RD_OK);
    assert_true(rdc_map_is_whole(&m));
    assert_int_equal(truncate(path, 10), 0);
    assert_true(rdc_map_is_whole(&m));
    assert_int_equal(truncate(path, 8), 0);
    assert_false(rdc_map_is_whole(&m));
    rdc_unmap_file(&m);
}

static void check_size(uint64_t bytes, const char *text)
{
    char buf[32];
    assert_string_equal(rdc_size_text(bytes, buf), text);
}

static void test_sizes_have_four_digits_at_most(void **state)
{
    (void)state;
    check_size(0, "0 bytes");
    check_size(999949, "999.9 kB");
    check_size(999950, "1.0 MB");
    check_size(999949999, "999.9 MB");
    check_size(999950000, "1.0 GB");
    check_size(2500000000000, "2.5 TB");
    check_size(2500000000000000, "2500.0 TB"); /* there is no larger unit */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_file_is_mapped_whole),
        TEST(test_a_mapping_is_given_back),
        TEST(test_an_empty_file_is_mapped_to_nothing),
        TEST(test_what_is_no_file_is_named),
        TEST(test_a_file_that_cannot_be_mapped_is_named),
        TEST(test_a_file_that_shrank_is_not_whole),
        TEST(test_sizes_have_four_digits_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
