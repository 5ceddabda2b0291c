/* test_damage.c - files that are not what was saved are refused with the reason, whatever is wrong.
 * SPDX-License-Identifier: MIT */
#include "store/checkpoint.h"
#include "store/seal.h"

#include <xxhash.h>

static const char *saved(scratch *s)
{
    rd_archive *a = small_archive("log");
    save(a, scratch_path(s, "a.h5"), NULL);
    rd_archive_free(a);
    return s->path;
}

static void check_message(const char *path, const char *rest)
{
    rd_error err;
    char expected[512];
    snprintf(expected, sizeof(expected), "cannot load '%s': %s", path, rest);
    assert_string_equal(refusal(path, &err), expected);
    assert_int_equal(err.code, RD_E_IO);
}

static void test_every_truncation_is_refused(void **state)
{
    const char *path = saved(*state);
    size_t n;
    free(scratch_read(path, &n));
    rd_error err;
    while (n-- > 1) {
        assert_int_equal(truncate(path, (off_t)n), 0);
        assert_non_null(strstr(refusal(path, &err), "it is truncated"));
    }
    assert_int_equal(truncate(path, 0), 0);
    check_message(path, "it is empty, not a Rondo checkpoint");
}

static void test_a_flip_in_any_byte_is_refused(void **state)
{
    const char *path = saved(*state);
    size_t n;
    unsigned char *bytes = scratch_read(path, &n);
    const int fd = open(path, O_WRONLY);
    rd_error err;
    for (size_t i = 0; i < n; i++) {
        const unsigned char flipped = bytes[i] ^ (unsigned char)(1U << (i % 8));
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
        refusal(path, &err);
        assert_int_equal(pwrite(fd, &bytes[i], 1, (off_t)i), 1);
    }
    close(fd);
    free(bytes);
}

static void test_truncation_says_both_lengths(void **state)
{
    const char *path = saved(*state);
    size_t n;
    char text[128];
    free(scratch_read(path, &n));
    assert_int_equal(truncate(path, (off_t)n - 100), 0);
    snprintf(text, sizeof(text), "it is truncated (it has %zu bytes, %zu were written)", n - 100,
             n);
    check_message(path, text);
    assert_int_equal(truncate(path, 100), 0);
    check_message(path, "it is truncated (it has 100 bytes, its header alone takes 512)");
}

static void test_bytes_behind_the_end_are_refused(void **state)
{
    const char *path = saved(*state);
    size_t n;
    char text[128];
    free(scratch_read(path, &n));
    assert_int_equal(truncate(path, (off_t)n + 1), 0);
    snprintf(text, sizeof(text),
             "it has something behind its end (it has %zu bytes, %zu were written)", n + 1, n);
    check_message(path, text);
}

static void test_damage_says_where_it_was_seen(void **state)
{
    const char *path = saved(*state);
    const int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "!", 1, 2000), 1);
    check_message(path, "it is damaged (its bytes do not match its digest)");
    assert_int_equal(pwrite(fd, "!", 1, 300), 1);
    check_message(path, "it is damaged (the header does not match its checksum)");
    close(fd);
}

static void test_other_files_are_named(void **state)
{
    scratch *s = *state;
    rd_error err;
    check_message(scratch_path(s, "none.h5"), "No such file or directory");
    check_message(s->folder, "it is a folder");
    check_message("/dev/null", "it is not a regular file");
    check_message(scratch_write(s, "a.txt", "some text", 9), "it is not a Rondo checkpoint");
    check_message(scratch_write(s, "b.h5", "\x89HDF\r\n\x1a\n and more", 17),
                  "it is an HDF5 file but not a Rondo checkpoint (it has no seal)");
    assert_int_equal(mkfifo(scratch_path(s, "fifo"), 0600), 0);
    assert_non_null(strstr(refusal(s->path, &err), "it is not a regular file"));
}

/* Seals a block and n bytes of image as the writer would. */
static const char *sealed(scratch *s, const void *image, size_t n, unsigned char version)
{
    unsigned char *bytes = malloc(RDC_SEAL_BYTES + n);
    rdc_seal seal = {.image_bytes = n};
    rdc_digest_bytes(image, n, seal.file);
    rdc_seal_write(&seal, bytes);
    bytes[8] = version;
    memcpy(bytes + RDC_SEAL_BYTES, image, n);
    const char *path = scratch_write(s, "sealed.h5", bytes, RDC_SEAL_BYTES + n);
    free(bytes);
    return path;
}

static void test_a_sealed_file_that_is_not_hdf5_is_refused_by_the_child(void **state)
{
    rd_error err;
    const char *path = sealed(*state, "no HDF5 at all", 14, RDC_SEAL_VERSION);
    assert_non_null(strstr(refusal(path, &err), "': HDF5 cannot open the image: "));
}

static void test_the_version_is_under_the_checksum(void **state)
{
    check_message(sealed(*state, "image", 5, 2),
                  "it is damaged (the header does not match its checksum)");
}

/* The header of a file of a later version is whole: its checksum is right. */
static void test_a_later_version_is_refused_as_such(void **state)
{
    const char *path = saved(*state);
    unsigned char block[RDC_SEAL_BYTES];
    const uint32_t later = RDC_SEAL_VERSION + 1;
    XXH64_canonical_t sum;
    const int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, block, sizeof(block), 0), sizeof(block));
    memcpy(block + 8, &later, sizeof(later));
    XXH64_canonicalFromHash(&sum, XXH3_64bits(block, 56));
    memcpy(block + 56, sum.digest, sizeof(sum.digest));
    assert_int_equal(pwrite(fd, block, sizeof(block), 0), sizeof(block));
    close(fd);
    check_message(path, "it has format 2, this Rondo reads format 1; a newer Rondo wrote it");
}

/* Its seal is right, and behind it are 4 GiB of a hole: nothing is asked for. */
static void test_a_file_of_more_than_4_gibibytes_is_refused(void **state)
{
    unsigned char block[RDC_SEAL_BYTES];
    rdc_seal_write(&(rdc_seal){.image_bytes = RDC_FILE_BYTES + 1 - RDC_SEAL_BYTES}, block);
    const char *path = scratch_write(*state, "a.h5", block, sizeof(block));
    if (truncate(path, (off_t)RDC_FILE_BYTES + 1) != 0) skip(); /* a disk without holes */
    check_message(path, "it has 4.3 GB, the limit is 4 GiB");
}

/* Lets h5py make a file with a user block, then seals it; false: there is no h5py. */
static bool forge(scratch *s, const char *statement)
{
    char command[1024];
    size_t n;
    snprintf(command, sizeof(command),
             "/usr/bin/python3 -c \"import h5py, numpy as np\n"
             "f = h5py.File('%s/raw.h5', 'w', userblock_size=512)\n"
             "%s\nf.close()\" 2>/dev/null",
             s->folder, statement);
    if (system(command) != 0) return false; /* NOLINT(cert-env33-c): fixed text */
    unsigned char *bytes = scratch_read(scratch_path(s, "raw.h5"), &n);
    sealed(s, bytes + RDC_SEAL_BYTES, n - RDC_SEAL_BYTES, RDC_SEAL_VERSION);
    free(bytes);
    return true;
}

static void check_forged(scratch *s, const char *statement, const char *rest)
{
    if (!forge(s, statement)) skip();
    check_message(scratch_path(s, "sealed.h5"), rest);
}

static void test_links_to_elsewhere_are_refused(void **state)
{
    check_forged(*state, "f['a'] = h5py.SoftLink('/b')", "there is a link to elsewhere: 'a'");
    check_forged(*state, "f['g/a'] = h5py.ExternalLink('/etc/x.h5', '/b')",
                 "there is a link to elsewhere: 'g/a'");
}

static void test_storage_elsewhere_is_refused(void **state)
{
    check_forged(*state, "f.create_dataset('a', (4,), 'f4', external=[('/etc/hostname', 0, 16)])",
                 "there is an array that Rondo does not write (layout or filter): 'a'");
    check_forged(*state, "f.create_dataset('a', (4,), 'f4', chunks=(2,), compression='gzip')",
                 "there is an array that Rondo does not write (layout or filter): 'a'");
}

static void test_other_types_are_refused(void **state)
{
    check_forged(*state, "f['a'] = np.arange(4, dtype='i4')",
                 "there is an array of a type that Rondo does not write: 'a'");
    check_forged(*state, "f['a'] = 'variable length'",
                 "there is an array of a type that Rondo does not write: 'a'");
    check_forged(*state, "f['a'] = np.array([b'one', b'two'])",
                 "there is an array of a shape that Rondo does not write: 'a'");
    check_forged(*state, "f['a'] = np.dtype('f4')",
                 "there is an object that is neither array nor folder: 'a'");
}

static void test_a_ring_of_folders_is_refused(void **state)
{
    rd_error err;
    if (!forge(*state, "g = f.create_group('a'); g['a'] = g")) skip();
    assert_non_null(strstr(refusal(scratch_path(*state, "sealed.h5"), &err),
                           "there are too many folders in folders: 'a/a/a/"));
}

/* A well-formed file whose seal names another state: what the child sends is compared with it. */
static void test_values_are_held_against_the_state_digest(void **state)
{
    check_forged(*state, "f['a'] = np.arange(4, dtype='f4')",
                 "its values do not match its state digest");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_truncation_is_refused),
        TEST(test_a_flip_in_any_byte_is_refused),
        TEST(test_truncation_says_both_lengths),
        TEST(test_bytes_behind_the_end_are_refused),
        TEST(test_damage_says_where_it_was_seen),
        TEST(test_other_files_are_named),
        TEST(test_a_sealed_file_that_is_not_hdf5_is_refused_by_the_child),
        TEST(test_the_version_is_under_the_checksum),
        TEST(test_a_later_version_is_refused_as_such),
        TEST(test_a_file_of_more_than_4_gibibytes_is_refused),
        TEST(test_links_to_elsewhere_are_refused),
        TEST(test_storage_elsewhere_is_refused),
        TEST(test_other_types_are_refused),
        TEST(test_a_ring_of_folders_is_refused),
        TEST(test_values_are_held_against_the_state_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
