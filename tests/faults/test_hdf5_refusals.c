/* test_hdf5_refusals.c - what is refused is the reader's last word: one error and the end, whatever else
 * there is in the file; what cannot be shut in reads none; and where the limits lie.
 *
 * That the parent says why is tested in store/test_strangers.c.
 * SPDX-License-Identifier: MIT */
#include "faults/hdf5_child.h"

static void ring(hid_t file)
{
    assert_true(H5Lcreate_hard(file, "/", file, "x", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

/* Thirty folders, each with two ways to the next. */
static void forks(hid_t file)
{
    char path[64] = "x";
    for (int i = 0; i < 30; i++) {
        char other[64];
        H5Gclose(H5Gcreate2(file, path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        snprintf(other, sizeof other, "%.*sy", (int)strlen(path) - 1, path);
        if (i > 0) H5Lcreate_hard(file, path, file, other, H5P_DEFAULT, H5P_DEFAULT);
        strcat(path, "/x");
    }
}

static void soft_link(hid_t file)
{
    assert_true(H5Lcreate_soft("z", file, "x", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void long_name(hid_t file)
{
    char name[RDC_NAME_BYTES + 2] = {0};
    memset(name, 'x', sizeof name - 1);
    add(file, name, H5T_IEEE_F64LE, line_of(0), H5P_DEFAULT);
}

static void named_type(hid_t file)
{
    const hid_t type = H5Tcopy(H5T_IEEE_F64LE);
    assert_true(H5Tcommit2(file, "x", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    H5Tclose(type);
}

static void other_type(hid_t file)
{
    add(file, "x", H5T_STD_REF_OBJ, line_of(1), H5P_DEFAULT);
}

static void other_shape(hid_t file)
{
    add(file, "x", H5T_IEEE_F64LE, H5Screate(H5S_NULL), H5P_DEFAULT);
}

static void other_layout(hid_t file)
{
    const hsize_t chunk = 2;
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(plist, 1, &chunk) >= 0);
    add(file, "x", H5T_IEEE_F64LE, line_of(4), plist);
    H5Pclose(plist);
}

/* No values are written, and so none lie in the file. */
static void without_values(hid_t file)
{
    add(file, "x", H5T_IEEE_F64LE, line_of(4), H5P_DEFAULT);
}

static void nothing(hid_t file)
{
    (void)file;
}

static void test_a_refused_checkpoint_is_parsed_no_further(void **state)
{
    check_refused(*state, ring, parse, "there are too many folders in folders: 'x/x/");
    check_refused(*state, forks, parse,
                  "there are more ways to an array than a file of this size has links: 'x/");
    check_refused(*state, soft_link, parse, "there is a link to elsewhere: 'x'");
    check_refused(*state, long_name, parse, "there is a name that is too long: 'xxx");
    check_refused(*state, named_type, parse,
                  "there is an object that is neither array nor folder: 'x'");
    check_refused(*state, other_type, parse,
                  "there is an array of a type that Rondo does not write: 'x'");
    check_refused(*state, other_shape, parse,
                  "there is an array of a shape that Rondo does not write: 'x'");
    check_refused(*state, other_layout, parse,
                  "there is an array that Rondo does not write (layout or filter): 'x'");
    check_refused(*state, without_values, parse, "there is an array larger than the file: 'x'");
}

static void test_datasets_that_have_no_end_are_looked_at_no_further(void **state)
{
    check_refused(*state, ring, look, "there are too many folders in folders, or a ring of them: ");
    check_refused(*state, forks, look,
                  "there are more ways to it than a file of this size has links: 'x/");
}

static void test_a_dataset_that_is_not_read_sends_nothing(void **state)
{
    check_refused(*state, nothing, rows, "cannot be opened by HDF5 'x'");
    check_refused(*state, other_type, rows, "does not hold numbers 'x'");
    check_refused(*state, other_shape, rows, "does not have one or two dimensions 'x'");
}

/* Nothing is sent but why, whatever the file is. */
static void check_off(job j, const char *name, const char *why)
{
    j.off = name;
    check_error(&j, why);
}

static void test_what_cannot_be_limited_reads_nothing(void **state)
{
    const job j = job_of(*state, nothing, parse);
    check_off(j, "getrlimit", "the reader's limits cannot be set");
    check_off(j, "setrlimit", "the reader's limits cannot be set");
    free((void *)(uintptr_t)j.image);
}

static void test_what_cannot_be_shut_in_reads_nothing(void **state)
{
    static talk t;
    const char why[] = "the reader's system calls cannot be limited";
    job j = job_of(*state, nothing, parse);
    j.off = "seccomp_init";
    run(&j, 0, &t);
    if (*t.fault.name == '\0') { /* a system without filters, or valgrind */
        free((void *)(uintptr_t)j.image);
        skip();
    }
    check_off(j, "seccomp_init", why);
    check_off(j, "seccomp_rule_add", why);
    check_off(j, "seccomp_load", why);
    free((void *)(uintptr_t)j.image);
}

/* 30 seconds for each of processor, of which there are 10 and one for every 4 MiB. */
static void test_a_reader_may_wait_for_minutes_and_not_for_ever(void **state)
{
    static talk t;
    job j = job_of(*state, nothing, parse);
    run(&j, 0, &t);
    assert_int_equal(t.fault.seconds, 30 * 10);
    j.bytes = (size_t)8 << 20;
    void *longer = calloc(1, j.bytes); /* nothing that can be read */
    free((void *)(uintptr_t)j.image);
    j.image = longer;
    run(&j, 0, &t);
    assert_int_equal(t.fault.seconds, 30 * 12);
    free(longer);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_refused_checkpoint_is_parsed_no_further),
        TEST(test_datasets_that_have_no_end_are_looked_at_no_further),
        TEST(test_a_dataset_that_is_not_read_sends_nothing),
        TEST(test_what_cannot_be_limited_reads_nothing),
        TEST(test_what_cannot_be_shut_in_reads_nothing),
        TEST(test_a_reader_may_wait_for_minutes_and_not_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
