/* test_strangers.c - HDF5 files made to do harm (make_evil.py), through both readers: why each is refused.
 * Damaged files of the project's own writer are in test_damage.c, blind changes in test_mutations.c.
 * SPDX-License-Identifier: MIT */
#include "store/strangers.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST_KILOBYTES = 64 << 10, MOST_SECONDS = 5 };

static const char *evil; /* their folder; NULL: there is no h5py */

static const char *evil_file(const char *kind)
{
    static char path[256];
    if (!evil) skip();
    (void)snprintf(path, sizeof(path), "%s/%s.h5", evil, kind);
    return path;
}

/* ---- as a series ---- */

static const rd_hdf5_set *find(const rd_hdf5 *h, const char *name)
{
    const rd_hdf5_set *sets;
    const size_t n = rd_hdf5_sets(h, &sets);
    for (size_t i = 0; i < n; i++)
        if (strcmp(sets[i].name, name) == 0) return &sets[i];
    return NULL;
}

static rd_hdf5 *opened(const char *kind)
{
    rd_hdf5 *h = NULL;
    rd_error err;
    if (rd_hdf5_open(&core, evil_file(kind), &h, &err) != RD_OK) fail_msg("%s", err.text);
    return h;
}

/* The dataset is refused for this reason, and the honest one beside it is read. */
static void check_refused(const char *kind, const char *name, const char *why)
{
    rd_hdf5 *h = opened(kind);
    const rd_hdf5_set *sets, *set = find(h, name), *honest = find(h, "a");
    double first = -1;
    rd_error err;
    if (!set) fail_msg("%s: there is no '%s'", kind, name);
    assert_false(set->readable);
    assert_string_equal(set->text, why);
    (void)rd_hdf5_sets(h, &sets);
    if (read_set(h, (size_t)(honest - sets), &first, &err) != RD_OK) fail_msg("%s", err.text);
    assert_true(first == 0);
    rd_hdf5_free(h);
}

/* The whole file is refused. */
static void check_closed(const char *kind, const char *rest)
{
    rd_hdf5 *h = NULL;
    rd_error err;
    char start[512];
    const char *path = evil_file(kind);
    assert_int_equal(rd_hdf5_open(&core, path, &h, &err), RD_E_IO);
    (void)snprintf(start, sizeof(start), "cannot read '%s': %s", path, rest);
    err.text[strlen(start)] = '\0'; /* paths of rings are long */
    assert_string_equal(err.text, start);
}

/* As a checkpoint with a right seal. */
static void check_checkpoint(scratch *s, const char *kind, const char *rest)
{
    size_t n;
    rd_error err;
    char start[512];
    unsigned char *bytes = scratch_read(evil_file(kind), &n);
    const char *path = seal_image(s, bytes + RDC_SEAL_BYTES, n - RDC_SEAL_BYTES);
    free(bytes);
    (void)refusal(path, &err);
    (void)snprintf(start, sizeof(start), "cannot load '%s': %s", path, rest);
    err.text[strlen(start)] = '\0';
    assert_string_equal(err.text, start);
}

static void test_links_lead_nowhere(void **state)
{
    check_refused("soft_ring", "x", "is a link to elsewhere");
    check_refused("external_link", "x", "is a link to elsewhere");
    check_checkpoint(*state, "soft_ring", "there is a link to elsewhere: 'x'");
    check_checkpoint(*state, "external_link", "there is a link to elsewhere: 'x'");
}

static void test_rings_of_folders_end(void **state)
{
    check_closed("ring", "there are too many folders in folders, or a ring of them: 'x/x/x/");
    check_closed("two_rings", "there are too many folders in folders, or a ring of them: 'x/x/x/");
    check_closed("deep", "there are too many folders in folders, or a ring of them: 'g/g/g/");
    check_checkpoint(*state, "ring", "there are too many folders in folders: 'x/x/x/");
    check_checkpoint(*state, "two_rings", "there are too many folders in folders: 'x/x/x/");
    check_checkpoint(*state, "deep", "there are too many folders in folders: 'g/g/g/");
}

static void test_a_billion_ways_to_one_array_are_not_walked(void **state)
{
    check_closed("diamonds",
                 "there are more ways to it than a file of this size has links: 'x/l/l/");
    check_checkpoint(*state, "diamonds",
                     "there are more ways to an array than a file of this size has links: 'x/l/l/");
}

static void test_crowds_are_bounded(void **state)
{
    check_closed("crowded", "it has too many datasets: 'd");
    check_checkpoint(*state, "crowded", "its values do not match its state digest");
    rd_hdf5 *h = opened("folders");
    assert_non_null(find(h, "a"));
    rd_hdf5_free(h);
    check_checkpoint(*state, "folders", "its values do not match its state digest");
}

static void test_names_are_taken_as_they_are(void **state)
{
    rd_hdf5 *h = opened("odd_names");
    assert_true(find(h, "\x1b[2J\nx")->readable);
    rd_hdf5_free(h);
    h = opened("long_name");
    const rd_hdf5_set *sets;
    assert_int_equal(rd_hdf5_sets(h, &sets), 1); /* nobody can ask for it */
    rd_hdf5_free(h);
    h = opened("nameless");
    assert_int_equal(rd_hdf5_sets(h, &sets), 1);
    rd_hdf5_free(h);
    h = opened("slash");
    assert_string_equal(find(h, "a/b/c")->text, "cannot be opened by HDF5");
    rd_hdf5_free(h);
    h = opened("dots");
    assert_true(find(h, "..")->readable);
    rd_hdf5_free(h);
    check_checkpoint(*state, "odd_names", "archive: name '\xff\xfe' is not UTF-8");
    check_checkpoint(*state, "long_name", "there is a name that is too long: 'xxx");
    check_checkpoint(*state, "nameless", "there is a link without a name in the folder ''");
    check_checkpoint(*state, "slash", "HDF5 cannot open 'a/b/c': ");
    check_checkpoint(*state, "dots", "HDF5 cannot open 'a': ");
}

static void test_values_lie_in_the_file(void **state)
{
    static const char other[] =
        "there is an array that Rondo does not write (layout or filter): 'x'";
    check_refused("raw_storage", "x", "has its values in another file");
    check_refused("virtual", "x", "is made of parts of other files");
    check_checkpoint(*state, "raw_storage", other);
    check_checkpoint(*state, "virtual", other);
    check_checkpoint(*state, "compact", other);
    check_closed("m0", "HDF5 cannot open the image: truncated file: ");
    check_closed("m1", "HDF5 cannot open the image: file signature not found");
}

static void test_filters_are_libhdf5s_own(void **state)
{
    static const char why[] = "has a filter other than deflate, shuffle and fletcher32";
    check_refused("unknown_filter", "x", why);
    check_refused("scale_offset", "x", why);
    check_refused("lzf", "x", why);
    check_checkpoint(*state, "unknown_filter",
                     "there is an array that Rondo does not write (layout or filter): 'x'");
}

/* What the environment offers is not loaded; that it would be where it is asked for is shown with h5py. */
static void test_no_plugin_of_hdf5_is_loaded(void **state)
{
    char mark[256];
    struct stat st;
    (void)evil_file("unknown_filter");
    (void)snprintf(mark, sizeof(mark), "%s/mark", ((scratch *)*state)->folder);
    assert_int_equal(setenv("RONDO_TEST_MARK", mark, 1), 0);
    assert_int_equal(setenv("HDF5_PLUGIN_PATH", RD_TEST_EVIL_DIR, 1), 0);
    check_refused("unknown_filter", "x", "has a filter other than deflate, shuffle and fletcher32");
    check_checkpoint(*state, "unknown_filter",
                     "there is an array that Rondo does not write (layout or filter): 'x'");
    assert_int_equal(stat(mark, &st), -1);
#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__) /* a plugin with it needs it in the program too */
    /* NOLINTNEXTLINE(cert-env33-c): fixed text */
    (void)!system("/usr/bin/python3 -c 'import h5py; h5py.h5z.filter_avail(32768)' 2>/dev/null");
    assert_int_equal(stat(mark, &st), 0);
#endif
    assert_int_equal(unsetenv("HDF5_PLUGIN_PATH"), 0);
}

static void test_sizes_are_those_of_the_file(void **state)
{
    static const char layout[] =
        "there is an array that Rondo does not write (layout or filter): 'x'";
    static const char too_many[] = "has more values than a file of this size can hold";
    check_refused("huge", "x", too_many);
    check_refused("huge_contiguous", "x", too_many);
    check_refused("huge_square", "x", "has more than a million columns");
    check_refused("wide", "x", "has more than a million columns");
    check_refused("many_large", "x99", too_many);
    check_refused("many_columns", "z",
                  "has, with the datasets before it, more than a million columns");
    check_refused("large_chunk", "x", "has chunks of over 32 MB");
    check_checkpoint(*state, "huge", layout);
    check_checkpoint(*state, "huge_square", layout);
    check_checkpoint(*state, "bomb", layout);
}

/* The values of a contiguous array of 8-byte numbers that says it is larger than the file. */
static void test_an_array_larger_than_a_checkpoint_is_refused(void **state)
{
    check_checkpoint(*state, "huge_numbers", "there is an array larger than the file: 'x'");
}

static void check_read(const char *kind, double expected)
{
    rd_hdf5 *h = opened(kind);
    const rd_hdf5_set *sets;
    double first = expected - 1;
    rd_error err;
    (void)rd_hdf5_sets(h, &sets);
    if (read_set(h, (size_t)(find(h, "x") - sets), &first, &err) != RD_OK) fail_msg("%s", err.text);
    assert_true(first == expected);
    rd_hdf5_free(h);
}

static void test_what_is_honest_is_read(void **state)
{
    (void)state;
    check_read("bomb", 0);    /* 8 MB of zeros in 10 KB */
    check_read("overlap", 0); /* all chunks in one place */
    check_read("shared_type", 0);
    check_read("dense_attribute", 0);
}

static void test_an_array_without_columns_has_no_values(void **state)
{
    (void)state;
    rd_hdf5 *h = opened("no_columns");
    const rd_hdf5_set *sets, *set = find(h, "x");
    rd_error err;
    (void)rd_hdf5_sets(h, &sets);
    assert_int_equal(set->columns, 0);
    if (read_set(h, (size_t)(set - sets), NULL, &err) != RD_OK) fail_msg("%s", err.text);
    rd_hdf5_free(h);
}

static void test_types_are_numbers(void **state)
{
    static const char *const others[] = {"bits",    "block",    "bool",   "choice",
                                         "complex", "compound", "text",   "opaque",
                                         "region",  "strings",  "object", "vlen"};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        check_refused("types", others[i], "does not hold numbers");
    check_refused("types", "cube", "does not have one or two dimensions");
    check_refused("types", "scalar", "does not have one or two dimensions");
    check_refused("types", "nothing", "does not have one or two dimensions");
    check_refused("types", "wide", "has numbers of more than 8 bytes");
    check_checkpoint(*state, "types",
                     "there is an array of a type that Rondo does not write: 'bits'");
    check_checkpoint(*state, "shared_type",
                     "there is an object that is neither array nor folder: 'type'");
}

static void test_names_of_columns_are_sound_or_none(void **state)
{
    static const char *const others[] = {"count", "numbers", "empty", "lines",
                                         "long",  "nothing", "blank", "unwritten"};
    (void)state;
    rd_hdf5 *h = opened("column_names");
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_string_equal(find(h, others[i])->text, "");
    assert_string_equal(find(h, "bytes")->text, "\xff\n\xfe\n");
    rd_hdf5_free(h);
    h = opened("wide_names");
    assert_string_equal(find(h, "x")->text, "");
    rd_hdf5_free(h);
}

static void test_a_header_that_continues_in_itself_ends(void **state)
{
    check_refused("continuation", "x", "cannot be opened by HDF5");
    check_checkpoint(*state, "continuation", "HDF5 cannot open 'x': ");
}

/* ---- what is no file ---- */

static void check_path(const char *path, const char *why)
{
    rd_hdf5 *h = NULL;
    rd_error err;
    char expected[512];
    assert_int_equal(rd_hdf5_open(&core, path, &h, &err), RD_E_IO);
    (void)snprintf(expected, sizeof(expected), "cannot read '%s': %s", path, why);
    assert_string_equal(err.text, expected);
}

static void test_pipes_folders_and_devices_are_not_opened(void **state)
{
    scratch *s = *state;
    check_path(s->folder, "it is a folder");
    check_path("/dev/zero", "it is not a regular file");
    assert_int_equal(mkfifo(scratch_path(s, "pipe"), 0600), 0);
    check_path(s->path, "it is not a regular file");
    check_path(scratch_path(s, "none"), strerror(ENOENT));
    assert_int_equal(symlink("link", scratch_path(s, "link")), 0);
    check_path(s->path, strerror(ELOOP));
}

/* Its metadata is all there; what a dataset may hold goes by what the file takes of the disk. */
static void test_a_file_of_a_terabyte_of_holes_is_a_small_file(void **state)
{
    size_t n;
    struct stat st;
#ifdef __SANITIZE_THREAD__ /* has no place for so much */
    skip();
#endif
    unsigned char *bytes = scratch_read(evil_file("many_large"), &n);
    const char *path = scratch_write(*state, "holes.h5", bytes, n);
    free(bytes);
    rd_hdf5 *h = NULL;
    rd_error err;
    if (truncate(path, (off_t)1 << 40) != 0 || stat(path, &st) != 0 || st.st_blocks == 0) skip();
    if (rd_hdf5_open(&core, path, &h, &err) != RD_OK) fail_msg("%s", err.text);
    assert_false(find(h, "x99")->readable);
    rd_hdf5_free(h);
    assert_non_null(strstr(refusal(path, &err), "it is not a Rondo checkpoint"));
}

static void test_a_file_that_shrank_is_not_read(void **state)
{
    size_t n;
    unsigned char *bytes = scratch_read(evil_file("shared_type"), &n);
    const char *path = scratch_write(*state, "shrunk.h5", bytes, n);
    free(bytes);
    rd_hdf5 *h = NULL;
    rd_error err;
    char expected[512];
    assert_int_equal(rd_hdf5_open(&core, path, &h, &err), RD_OK);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(read_set(h, 0, NULL, &err), RD_E_IO);
    (void)snprintf(expected, sizeof(expected), "cannot read '%s': it shrank while it was in use",
                   path);
    assert_string_equal(err.text, expected);
    rd_hdf5_free(h);
}

/* ---- all of them ---- */

static int make_all(void **state)
{
    char command[512];
    if (scratch_open(state) != 0) return -1;
    const scratch *s = *state;
    (void)snprintf(command, sizeof(command),
                   "/usr/bin/python3 '%s/tests/store/make_evil.py' '%s' >/dev/null 2>&1",
                   RD_TEST_SOURCE_DIR, s->folder);
    if (system(command) == 0) evil = s->folder; /* NOLINT(cert-env33-c): fixed text */
    return 0;
}

/* Neither memory nor time was taken in this process or waited for. */
static int unmake_all(void **state)
{
    struct rusage use;
    if (getrusage(RUSAGE_SELF, &use) != 0) return -1;
    const double seconds = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec);
    (void)scratch_close(state);
#ifdef __SANITIZE_ADDRESS__
    use.ru_maxrss = 0; /* it keeps what was freed */
#endif
    return use.ru_maxrss < MOST_KILOBYTES && seconds < MOST_SECONDS ? 0 : -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_links_lead_nowhere),
        TEST(test_rings_of_folders_end),
        TEST(test_a_billion_ways_to_one_array_are_not_walked),
        TEST(test_crowds_are_bounded),
        TEST(test_names_are_taken_as_they_are),
        TEST(test_values_lie_in_the_file),
        TEST(test_filters_are_libhdf5s_own),
        TEST(test_no_plugin_of_hdf5_is_loaded),
        TEST(test_sizes_are_those_of_the_file),
        TEST(test_an_array_larger_than_a_checkpoint_is_refused),
        TEST(test_what_is_honest_is_read),
        TEST(test_an_array_without_columns_has_no_values),
        TEST(test_types_are_numbers),
        TEST(test_names_of_columns_are_sound_or_none),
        TEST(test_a_header_that_continues_in_itself_ends),
        TEST(test_pipes_folders_and_devices_are_not_opened),
        TEST(test_a_file_of_a_terabyte_of_holes_is_a_small_file),
        TEST(test_a_file_that_shrank_is_not_read),
    };
    return cmocka_run_group_tests(tests, make_all, unmake_all);
}
