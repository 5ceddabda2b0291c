/* test_hdf5_faults.c - whichever call of libhdf5 fails: what is sent is an error or what was to be sent, and
 * nothing between the two.
 * SPDX-License-Identifier: MIT */
#include "faults/hdf5_child.h"

#define CHECK(what) \
    do { \
        if (!(what)) \
            fail_msg("call %ld (%s) fails: not so: %s", t->fault.call, t->fault.name, #what); \
    } while (0)

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(name, *list) == 0) return true;
    return false;
}

/* What is said of a call that fails, named by its beginning: a text that ends in a mark goes on. */
typedef struct reason {
    const char *call, *text;
} reason;

static bool says(const talk *t, const reason *list)
{
    for (; list->call; list++) {
        const size_t n = strlen(list->text);
        const bool whole = strchr(": '", list->text[n - 1]) == NULL;
        if (strncmp(t->fault.name, list->call, strlen(list->call)) == 0 &&
            ends_in_error(t, list->text, whole))
            return true;
    }
    return false;
}

/* Of calls that every reader begins with. */
static const reason opening[] = {{"H5open", "HDF5 does not start"},
                                 {"H5Eset_auto2", "HDF5 does not start"},
                                 {"H5PLset_loading_state", "HDF5 does not start"},
                                 {"H5Lunregister", "HDF5 does not start"},
                                 {"H5Pcreate", "HDF5 cannot open the image: "},
                                 {"H5Pset_", "HDF5 cannot open the image"},
                                 {"H5Fopen", "HDF5 cannot open the image"},
                                 {"H5Gopen2", "HDF5 cannot open the image's root"},
                                 {NULL, NULL}};

/* Lets every call fail in turn. A job that ends well has sent the same; and one of whose calls another than
 * `harmless` fails does not end well. Of calls that may be `needless` some do matter. */
static void check_calls(const job *j, const char *const *harmless, const char *needless,
                        const reason *said)
{
    static talk plain, failed;
    const talk *t = &plain;
    long mattered = 0;
    run(j, 0, &plain);
    CHECK(plain.how == 0 && plain.fault.calls > 10);
    CHECK(last_frame(&plain) == RDC_FRAME_DONE || last_frame(&plain) == RDC_FRAME_IMAGE);
    t = &failed;
    for (long call = 1; call <= plain.fault.calls; call++) {
        run(j, call, &failed);
        const bool well = failed.how == 0;
        CHECK(WIFEXITED(failed.how));
        CHECK(well || says(&failed, said) || (j->image && says(&failed, opening)));
        CHECK(!well || (failed.n == plain.n && memcmp(failed.at, plain.at, plain.n) == 0));
        CHECK(!well || (call > 1 && is_one_of(failed.fault.name, harmless)));
        mattered += !well && strcmp(failed.fault.name, needless) == 0;
    }
    assert_true(mattered > 0);
}

/* Types are asked for through H5open. */
static void test_building_an_image(void **state)
{
    (void)state;
    static const char *const harmless[] = {"H5open", NULL};
    static const reason said[] = {{"H5open", "HDF5 does not start"},
                                  {"H5Eset_auto2", "HDF5 does not start"},
                                  {"H5Pcreate", "HDF5 cannot make a file image: "},
                                  {"H5Pset_", "HDF5 cannot make a file image"},
                                  {"H5Fcreate", "HDF5 cannot make a file image"},
                                  {"H5Fclose", "HDF5 cannot close the image"},
                                  {"H5D", "HDF5 cannot store '"},
                                  {"H5G", "HDF5 cannot store '"},
                                  {"H5L", "HDF5 cannot store '"},
                                  {"H5S", "HDF5 cannot store '"},
                                  {"H5T", "HDF5 cannot store '"},
                                  {"strndup", "HDF5 cannot store '"},
                                  {"malloc", "HDF5 cannot "},
                                  {"realloc", "HDF5 cannot "},
                                  {NULL, NULL}};
    rd_archive *a = small_archive("log");
    check_calls(&(job){.run = build, .a = a}, harmless, "H5Dclose", said);
    rd_archive_free(a);
}

/* As libhdf5 of another version might do it. */
static void test_an_image_that_was_not_kept_is_an_error(void **state)
{
    (void)state;
    rd_archive *a = small_archive("log");
    check_error(&(job){.run = build, .a = a, .lie = "H5Fclose"}, "HDF5 kept no image");
    check_error(&(job){.run = build, .a = a, .lie = "H5Pset_libver_bounds"}, "HDF5 kept no image");
    rd_archive_free(a);
}

static job checkpoint_job(scratch *s)
{
    job j = {.run = parse};
    rd_archive *a = small_archive("log");
    save(a, scratch_path(s, "a.h5"), NULL);
    rd_archive_free(a);
    j.image = scratch_read(s->path, &j.bytes);
    return j;
}

/* A close that fails is no matter, as the process ends soon. An array is of one type; an empty one has no
 * storage. */
static void test_parsing_an_image(void **state)
{
    static const char *const harmless[] = {"H5open",   "H5Pclose",
                                           "H5Sclose", "H5Tclose",
                                           "H5Oclose", "H5Tequal",
                                           "H5Dclose", "H5Dget_storage_size",
                                           NULL};
    static const char type[] = "there is an array of a type that Rondo does not write: '";
    static const char shape[] = "there is an array of a shape that Rondo does not write: '";
    static const char layout[] =
        "there is an array that Rondo does not write (layout or filter): '";
    static const reason said[] = {
        {"H5Literate", "HDF5 cannot list the image"},
        {"H5Literate", "HDF5 cannot list the image: "}, /* of a folder in it */
        {"H5Oopen", "HDF5 cannot open '"},
        {"H5Iget_type", "there is an object that is neither array nor folder: '"},
        {"H5Dget_create_plist", "HDF5 cannot read the layout of '"},
        {"H5Pget_", layout},
        {"H5Dget_type", "HDF5 cannot read the type of '"},
        {"H5Tget_s", "HDF5 cannot read the type of '"}, /* size, strpad */
        {"H5Tequal", type},
        {"H5Tget_class", type},
        {"H5Tis_variable_str", type},
        {"H5Dget_space", "HDF5 cannot read the shape of '"},
        {"H5Sget_simple_extent_dims", "HDF5 cannot read the shape of '"},
        {"H5Sget_simple_extent_ndims", shape},
        {"H5Sget_simple_extent_type", shape},
        {"H5Dget_storage_size", "there is an array larger than the file: '"},
        {"H5Dread", "HDF5 cannot read '"},
        {"malloc", "there is no memory for '"},
        {NULL, NULL}};
    const job j = checkpoint_job(*state);
    check_calls(&j, harmless, "H5Tequal", said);
    check_calls(&j, harmless, "H5Dget_storage_size", said);
    free((void *)(uintptr_t)j.image);
}

/* What a process may open lies in its memory, which is limited; the file itself and its root stay. */
static void check_open(const job *j, const char *left)
{
    static talk t;
    char open[64] = "";
    run(j, 0, &t);
    for (int i = 0; i < 26; i++)
        if (t.fault.open[i] != 0)
            snprintf(open + strlen(open), 8, "%c%d", 'A' + i, t.fault.open[i]);
    assert_string_equal(open, left);
}

static void test_no_array_stays_open(void **state)
{
    const job j = checkpoint_job(*state);
    rd_archive *a = small_archive("log");
    check_open(&(job){.run = build, .a = a}, "P5"); /* property lists, used for all */
    rd_archive_free(a);
    check_open(&j, "F1G1P1");
    free((void *)(uintptr_t)j.image);
}

/* ---- datasets of others ---- */

static void add_names(hid_t set, bool variable)
{
    static const char *const texts[2] = {"first", "second"};
    const hid_t type = H5Tcopy(H5T_C_S1);
    const hid_t space = H5Screate_simple(1, (hsize_t[]){2}, NULL);
    assert_true(H5Tset_size(type, variable ? H5T_VARIABLE : 8) >= 0);
    assert_true(H5Tset_cset(type, variable ? H5T_CSET_UTF8 : H5T_CSET_ASCII) >= 0);
    const hid_t names = H5Acreate2(set, "columns", type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(names, type, variable ? (const void *)texts : "first \0 second  ") >= 0);
    H5Aclose(names);
    H5Sclose(space);
    H5Tclose(type);
}

/* A dataset of 5 x 2 numbers, in chunks of 2 x 2 behind three filters or as they lie. */
static void add_table(hid_t file, const char *name, bool chunks)
{
    static const int32_t values[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    const hid_t space = H5Screate_simple(2, (hsize_t[]){5, 2}, NULL);
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    if (chunks) {
        assert_true(H5Pset_chunk(plist, 2, (hsize_t[]){2, 2}) >= 0 && H5Pset_shuffle(plist) >= 0 &&
                    H5Pset_deflate(plist, 4) >= 0 && H5Pset_fletcher32(plist) >= 0);
    }
    const hid_t set = H5Dcreate2(file, name, H5T_STD_I32BE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    assert_true(H5Dwrite(set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    add_names(set, chunks);
    H5Dclose(set);
    H5Pclose(plist);
    H5Sclose(space);
}

static job rows_job(scratch *s, const char *name)
{
    job j = {.run = rows, .name = name};
    const hid_t file = H5Fcreate(scratch_path(s, "b.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t group = H5Gcreate2(file, "folder", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    add_table(group, "chunks", true);
    add_table(file, "plain", false);
    H5Gclose(group);
    assert_true(H5Fclose(file) >= 0);
    j.image = scratch_read(s->path, &j.bytes);
    return j;
}

static void check_rows(scratch *s, const char *name)
{
    static const char *const harmless[] = {"H5open",   "H5Pclose", "H5Sclose",
                                           "H5Tclose", "H5Oclose", NULL};
    static const reason said[] = {
        {"H5Dopen2", "cannot be opened by HDF5 '"},
        {"H5Sget_simple_extent_", "does not have one or two dimensions '"},
        {"H5Dget_space", "does not have one or two dimensions '"},
        {"H5Dget_type", "does not hold numbers '"},
        {"H5Tget_class", "does not hold numbers '"},
        {"H5Tget_size", "has numbers of more than 8 bytes '"},
        {"H5Dget_create_plist", "has a layout that HDF5 cannot read '"},
        {"H5Pget_external_count", "has its values in another file '"},
        {"H5Pget_layout", "has a layout that is not known '"},
        {"H5Pget_chunk", "has chunks that HDF5 cannot read '"},
        {"H5Pget_nfilters", "has filters that HDF5 cannot read '"},
        {"H5Pget_filter2", "has a filter other than deflate, shuffle and fletcher32 '"},
        /* and once it is known that it can be read */
        {"H5Dget_create_plist", "HDF5 cannot read the layout of '"},
        {"H5Pget_layout", "HDF5 cannot read the layout of '"},
        {"H5Pget_chunk", "HDF5 cannot read the layout of '"},
        {"H5Dget_space", "HDF5 cannot read '"},
        {"H5S", "HDF5 cannot read '"},
        {"H5Dread", "HDF5 cannot read '"},
        {"malloc", "there is no memory for a chunk of '"},
        {NULL, NULL}};
    const job j = rows_job(s, name);
    check_calls(&j, harmless, "H5Dread", said);
    free((void *)(uintptr_t)j.image);
}

static void test_reading_rows(void **state)
{
    check_rows(*state, "plain");
}

static void test_reading_chunks(void **state)
{
    check_rows(*state, "folder/chunks");
}

/* The place and shape of each tile that is sent. */
static void check_tiles(scratch *s, const char *name, const uint64_t (*tiles)[4], size_t n)
{
    static talk t;
    const job j = rows_job(s, name);
    size_t at = 0;
    run(&j, 0, &t);
    for (size_t i = 0; i < n; i++) {
        rdc_frame frame;
        memcpy(&frame, t.at + at, sizeof(frame));
        assert_int_equal(frame.type, RDC_FRAME_ENTRY);
        assert_memory_equal(frame.shape, tiles[i], sizeof(*tiles));
        at += sizeof(frame) + frame.data_bytes;
    }
    assert_int_equal(t.n - at, sizeof(rdc_frame)); /* the end */
    free((void *)(uintptr_t)j.image);
}

static void test_a_chunk_is_read_at_once(void **state)
{
    static const uint64_t chunks[3][4] = {{0, 0, 2, 2}, {2, 0, 2, 2}, {4, 0, 1, 2}};
    static const uint64_t plain[1][4] = {{0, 0, 5, 2}};
    check_tiles(*state, "folder/chunks", chunks, 3);
    check_tiles(*state, "plain", plain, 1);
}

/* Whether the frame at `frame`, n bytes with what follows it, is one of the plain ones. */
static bool is_plain(const talk *plain, const unsigned char *frame, size_t n)
{
    return memmem(plain->at, plain->n, frame, n) != NULL;
}

/* Of what is looked at one thing may be refused or be without names; the rest is as it is. */
static void check_look(const talk *plain, const talk *t)
{
    rdc_frame frame = {0};
    size_t others = 0;
    for (size_t at = 0; frame.type != RDC_FRAME_DONE;) {
        memcpy(&frame, t->at + at, sizeof(frame));
        const bool done = frame.type == RDC_FRAME_DONE;
        const size_t n = sizeof(frame) + frame.name_bytes + (done ? 0 : frame.data_bytes);
        const bool same = is_plain(plain, t->at + at, n);
        CHECK(same || done || frame.kind == RDC_ROWS_REFUSED || frame.data_bytes == 0);
        others += !same && !done;
        at += n;
    }
    CHECK(others <= 1);
}

static void test_looking(void **state)
{
    static talk plain, failed;
    static const char *const harmless[] = {"H5open",   "H5Pclose", "H5Sclose",        "H5Tclose",
                                           "H5Oclose", "H5Aclose", "H5Dvlen_reclaim", NULL};
    static const reason ended[] = {{"H5Literate", "HDF5 cannot list the file"},
                                   {"H5Literate", "HDF5 cannot list the file: "},
                                   {NULL, NULL}};
    job j = rows_job(*state, NULL);
    const talk *t = &failed;
    j.run = look;
    run(&j, 0, &plain);
    assert_int_equal(last_frame(&plain), RDC_FRAME_DONE);
    for (long call = 1; call <= plain.fault.calls; call++) {
        run(&j, call, &failed);
        const uint32_t last = last_frame(&failed);
        CHECK(WIFEXITED(failed.how));
        CHECK(last == (failed.how == 0 ? RDC_FRAME_DONE : RDC_FRAME_ERROR));
        CHECK(last == RDC_FRAME_DONE || says(&failed, opening) || says(&failed, ended));
        const bool same = failed.n == plain.n && memcmp(failed.at, plain.at, plain.n) == 0;
        CHECK(!same || (call > 1 && is_one_of(failed.fault.name, harmless)));
        if (last == RDC_FRAME_DONE) check_look(&plain, &failed);
    }
    free((void *)(uintptr_t)j.image);
}

static void test_no_dataset_stays_open(void **state)
{
    job j = rows_job(*state, "folder/chunks");
    check_open(&j, "D1F1G1P1S1"); /* the one that is read */
    j.run = look;
    check_open(&j,
               "F1G1P1V1"); /* names of one width are in one block, others in blocks of HDF5's */
    free((void *)(uintptr_t)j.image);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_building_an_image),
        TEST(test_parsing_an_image),
        TEST(test_no_array_stays_open),
        TEST(test_reading_rows),
        TEST(test_reading_chunks),
        TEST(test_looking),
        TEST(test_an_image_that_was_not_kept_is_an_error),
        TEST(test_a_chunk_is_read_at_once),
        TEST(test_no_dataset_stays_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
