/* test_hdf5_refusals.c - what is refused is the reader's last word: one error and the end, whatever else
 * there is in the file; what cannot be shut in reads none; and where the limits lie.
 *
 * That the parent says why is tested in store/test_strangers.c.
 * SPDX-License-Identifier: MIT */
#include "faults/hdf5_child.h"

typedef void (*maker)(hid_t file);

static void add(hid_t file, const char *name, hid_t type, hid_t space, hid_t plist)
{
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dclose(set) >= 0 && H5Sclose(space) >= 0);
}

static hid_t line_of(hsize_t n)
{
    return H5Screate_simple(1, &n, NULL);
}

static job job_of(scratch *s, maker make, bool (*how)(const job *, const rdc_wire *))
{
    job j = {.run = how, .name = "x"};
    const hid_t file = H5Fcreate(scratch_path(s, "b.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    make(file);
    add(file, "z", H5T_IEEE_F64LE, line_of(0), H5P_DEFAULT); /* honest, and comes last */
    assert_true(H5Fclose(file) >= 0);
    j.image = scratch_read(s->path, &j.bytes);
    return j;
}

/* Nothing but the error is sent. */
static void check_refused(scratch *s, maker make, bool (*how)(const job *, const rdc_wire *),
                          const char *text)
{
    const job j = job_of(s, make, how);
    check_error(&j, text);
    free((void *)(uintptr_t)j.image);
}

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

/* ---- limits ---- */

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
        TEST(test_a_dataset_has_at_most_1048576_columns),
        TEST(test_a_chunk_has_at_most_32_mebibytes),
        TEST(test_a_file_has_at_most_4096_datasets),
        TEST(test_a_name_has_at_most_32_parts),
        TEST(test_a_name_has_at_most_1024_bytes),
        TEST(test_names_of_columns_have_at_most_65536_bytes),
        TEST(test_what_cannot_be_limited_reads_nothing),
        TEST(test_what_cannot_be_shut_in_reads_nothing),
        TEST(test_names_of_one_width_have_at_most_1024_bytes),
        TEST(test_a_reader_may_wait_for_minutes_and_not_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
