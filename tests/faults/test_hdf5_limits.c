/* test_hdf5_limits.c - where the limits of what is read of an HDF5 file lie: the last that is read, and
 * the first that is not.
 * SPDX-License-Identifier: MIT */
#include "faults/hdf5_child.h"

/* How many datasets are listed; they are refused if 0. */
static size_t listed(scratch *s, maker make)
{
    static talk t;
    size_t at;
    const job j = job_of(s, make, look);
    run(&j, 0, &t);
    free((void *)(uintptr_t)j.image);
    const rdc_frame last = last_frame_at(&t, &at);
    return last.type == RDC_FRAME_DONE ? last.data_bytes : 0;
}

/* Rows of x, of which there are none, are all that is sent. */
static void check_no_rows(scratch *s, maker make)
{
    static talk t;
    const job j = job_of(s, make, rows);
    run(&j, 0, &t);
    assert_int_equal(last_frame(&t), RDC_FRAME_DONE);
    assert_int_equal(t.n, sizeof(rdc_frame));
    free((void *)(uintptr_t)j.image);
}

static hsize_t columns, chunk_rows; /* of the dataset that is made */

static void empty_table(hid_t file)
{
    const hsize_t shape[2] = {0, columns}, most[2] = {H5S_UNLIMITED, columns};
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(plist, 2, (hsize_t[]){chunk_rows, columns}) >= 0);
    add(file, "x", H5T_STD_I8LE, H5Screate_simple(2, shape, most), plist);
    H5Pclose(plist);
}

static void test_a_dataset_has_at_most_1048576_columns(void **state)
{
    chunk_rows = 1;
    columns = 1 << 20;
    check_no_rows(*state, empty_table);
    columns++;
    check_refused(*state, empty_table, rows, "has more than a million columns 'x'");
}

/* As numbers of 8 bytes. */
static void test_a_chunk_has_at_most_32_mebibytes(void **state)
{
    columns = 1 << 10;
    chunk_rows = 1 << 12;
    check_no_rows(*state, empty_table);
    chunk_rows++;
    check_refused(*state, empty_table, rows, "has chunks of over 32 MB 'x'");
}

static int n_links; /* of the file that is made */

/* x0, x1, ... are one array. */
static void links(hid_t file)
{
    add(file, "x0", H5T_IEEE_F64LE, line_of(0), H5P_DEFAULT);
    for (int i = 1; i < n_links; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        assert_true(H5Lcreate_hard(file, "x0", file, name, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    }
}

static void test_a_file_has_at_most_4096_datasets(void **state)
{
    n_links = 4095; /* and the honest one */
    assert_int_equal(listed(*state, links), 4096);
    n_links++;
    assert_int_equal(listed(*state, links), 0);
}

static int n_folders;

/* Folders in folders, x/x/x. */
static void folders(hid_t file)
{
    char path[200] = "x";
    for (int i = 0; i < n_folders; i++) {
        H5Gclose(H5Gcreate2(file, path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        strcat(path, "/x");
    }
    add(file, path, H5T_IEEE_F64LE, line_of(0), H5P_DEFAULT);
}

static void test_a_name_has_at_most_32_parts(void **state)
{
    n_folders = 31;
    assert_int_equal(listed(*state, folders), 2);
    job j = job_of(*state, folders, parse);
    static talk t;
    run(&j, 0, &t);
    assert_int_equal(last_frame(&t), RDC_FRAME_DONE);
    free((void *)(uintptr_t)j.image);
    n_folders = 32;
    assert_int_equal(listed(*state, folders), 0);
    check_refused(*state, folders, parse, "there are too many folders in folders: 'x/");
}

static size_t name_bytes;

static void name_in_a_folder(hid_t file)
{
    char name[RDC_NAME_BYTES + 2] = "x/";
    memset(name + 2, 'n', name_bytes - 2);
    name[name_bytes] = '\0';
    H5Gclose(H5Gcreate2(file, "x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    add(file, name, H5T_IEEE_F64LE, line_of(0), H5P_DEFAULT);
}

/* Whoever looks passes over what nobody can ask for. */
static void test_a_name_has_at_most_1024_bytes(void **state)
{
    name_bytes = 1024;
    assert_int_equal(listed(*state, name_in_a_folder), 2);
    name_bytes++;
    assert_int_equal(listed(*state, name_in_a_folder), 1);
    check_refused(*state, name_in_a_folder, parse, "there is a name that is too long: 'x/nn");
}

/* x, a row of so many columns, whose names are strings of one width, or of any if that is H5T_VARIABLE. */
static void add_named(hid_t file, hsize_t n, size_t width, const void *names)
{
    const hid_t type = H5Tcopy(H5T_C_S1), line = line_of(n);
    assert_true(H5Tset_size(type, width) >= 0);
    const hid_t space = H5Screate_simple(2, (hsize_t[]){1, n}, NULL);
    const hid_t set =
        H5Dcreate2(file, "x", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t attribute = H5Acreate2(set, "columns", type, line, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, type, names) >= 0);
    H5Aclose(attribute);
    H5Dclose(set);
    H5Sclose(line);
    H5Sclose(space);
    H5Tclose(type);
}

static size_t name_width; /* of the first of the names that are made */

/* 64 names, of which the others have 1023 bytes. */
static void long_names(hid_t file)
{
    static char texts[64][1025];
    const char *names[64];
    for (int i = 0; i < 64; i++) {
        memset(texts[i], 'n', sizeof texts[i]);
        texts[i][i == 0 ? name_width : 1023] = '\0';
        names[i] = texts[i];
    }
    add_named(file, 64, H5T_VARIABLE, names);
}

static void one_wide_name(hid_t file)
{
    char name[2000] = "n";
    add_named(file, 1, name_width, name);
}

/* As many as an attribute has room for. */
static void wide_names(hid_t file)
{
    static char names[65000];
    for (int i = 0; i < 65; i++) names[i * 1000] = 'n';
    add_named(file, 65, 1000, names);
}

/* Bytes of the names of x. */
static size_t bytes_of_names(scratch *s, maker make)
{
    static talk t;
    rdc_frame frame;
    const job j = job_of(s, make, look);
    run(&j, 0, &t);
    memcpy(&frame, t.at, sizeof frame);
    free((void *)(uintptr_t)j.image);
    assert_int_equal(frame.kind, RDC_ROWS_READABLE);
    assert_int_equal(frame.ndim, 2);
    return frame.data_bytes;
}

static void test_names_of_columns_have_at_most_65536_bytes(void **state)
{
    name_width = 1023;
    assert_int_equal(bytes_of_names(*state, long_names), 65536);
    name_width++;
    assert_int_equal(bytes_of_names(*state, long_names), 0);
}

static void test_names_of_one_width_have_at_most_1024_bytes(void **state)
{
    name_width = 1024;
    assert_int_equal(bytes_of_names(*state, one_wide_name), 2);
    name_width++;
    assert_int_equal(bytes_of_names(*state, one_wide_name), 0);
    assert_int_equal(bytes_of_names(*state, wide_names), 130);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_dataset_has_at_most_1048576_columns),
        TEST(test_a_chunk_has_at_most_32_mebibytes),
        TEST(test_a_file_has_at_most_4096_datasets),
        TEST(test_a_name_has_at_most_32_parts),
        TEST(test_a_name_has_at_most_1024_bytes),
        TEST(test_names_of_columns_have_at_most_65536_bytes),
        TEST(test_names_of_one_width_have_at_most_1024_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
