/* test_seal.c - the 512 bytes in front: where what lies, and what the two digests are of.
 *
 * Numbers come from the table in seal.h, and from XXH3 over bytes that are put together here.
 * SPDX-License-Identifier: MIT */
#include "store/seal.h"

#include "store/checkpoint.h"

#include <xxhash.h>

static rdc_seal seal_of_numbers(void)
{
    rdc_seal seal = {.image_bytes = 0x0102030405060708U};
    for (size_t i = 0; i < RDC_DIGEST_BYTES; i++) {
        seal.file[i] = (unsigned char)(0x10 + i);
        seal.state[i] = (unsigned char)(0x20 + i);
    }
    return seal;
}

/* Puts the checksum of bytes 0..55 where it belongs. */
static void sign(unsigned char block[RDC_SEAL_BYTES])
{
    XXH64_canonical_t canonical;
    XXH64_canonicalFromHash(&canonical, XXH3_64bits(block, 56));
    memcpy(block + 56, canonical.digest, 8);
}

static void test_a_seal_lies_as_its_table_says(void **state)
{
    (void)state;
    static const unsigned char head[24] = {'R', 'O', 'N', 'D', 'O', '\r', '\n', 0x1a, 1, 0, 0, 0,
                                           0,   0,   0,   0,   8,   7,    6,    5,    4, 3, 2, 1};
    unsigned char block[RDC_SEAL_BYTES], expected[RDC_SEAL_BYTES] = {0};
    const rdc_seal seal = seal_of_numbers();
    memset(block, 0xee, sizeof(block));
    rdc_seal_write(&seal, block);
    memcpy(expected, head, sizeof(head));
    for (size_t i = 0; i < 16; i++) expected[24 + i] = (unsigned char)(0x10 + i);
    for (size_t i = 0; i < 16; i++) expected[40 + i] = (unsigned char)(0x20 + i);
    sign(expected);
    assert_memory_equal(block, expected, sizeof(block));
}

static void test_a_seal_is_read_as_it_was_written(void **state)
{
    (void)state;
    unsigned char block[RDC_SEAL_BYTES];
    const rdc_seal seal = seal_of_numbers();
    rdc_seal back = {0};
    rdc_seal_write(&seal, block);
    assert_int_equal(rdc_seal_read(block, sizeof(block), "a.h5", &back, NULL), RD_OK);
    assert_true(back.image_bytes == seal.image_bytes);
    assert_memory_equal(back.file, seal.file, sizeof(seal.file));
    assert_memory_equal(back.state, seal.state, sizeof(seal.state));
}

static void check_refused(const void *block, size_t n, const char *why)
{
    rd_error err = {0};
    rdc_seal seal;
    char expected[200];
    assert_int_equal(rdc_seal_read(block, n, "a.h5", &seal, &err), RD_E_IO);
    snprintf(expected, sizeof(expected), "cannot load 'a.h5': it is %s", why);
    assert_string_equal(err.text, expected);
}

static void test_another_version_is_named(void **state)
{
    (void)state;
    rd_error err = {0};
    unsigned char block[RDC_SEAL_BYTES];
    rdc_seal seal = seal_of_numbers();
    rdc_seal_write(&seal, block);
    block[8] = 2;
    sign(block);
    assert_int_equal(rdc_seal_read(block, sizeof(block), "a.h5", &seal, &err), RD_E_IO);
    assert_string_equal(err.text, "cannot load 'a.h5': it has format 2, this Rondo reads format 1; "
                                  "a newer Rondo wrote it");
}

static void test_every_byte_of_the_header_counts(void **state)
{
    (void)state;
    unsigned char block[RDC_SEAL_BYTES];
    const rdc_seal seal = seal_of_numbers();
    rdc_seal_write(&seal, block);
    for (size_t i = RDC_SEAL_MAGIC_BYTES; i < RDC_SEAL_BYTES; i++) {
        block[i] ^= 1;
        check_refused(block, sizeof(block), "damaged (the header does not match its checksum)");
        block[i] ^= 1;
    }
}

static void test_the_first_bytes_say_what_a_file_is(void **state)
{
    (void)state;
    static const char hdf5[] = "\x89HDF\r\n\x1a\n";
    unsigned char block[RDC_SEAL_BYTES];
    const rdc_seal seal = seal_of_numbers();
    rdc_seal_write(&seal, block);
    check_refused(block, 0, "empty, not a Rondo checkpoint");
    check_refused(block, 1, "truncated (it has 1 bytes, its header alone takes 512)");
    check_refused(block, 511, "truncated (it has 511 bytes, its header alone takes 512)");
    check_refused(hdf5, 8, "an HDF5 file but not a Rondo checkpoint (it has no seal)");
    check_refused(hdf5, 7, "not a Rondo checkpoint");
    check_refused("\x89HDF\r\n\x1a!", 8, "not a Rondo checkpoint");
    check_refused("RONDO\r\n!", 8, "not a Rondo checkpoint");
    check_refused("r", 1, "not a Rondo checkpoint");
}

static void digest_of(const void *bytes, size_t n, unsigned char digest[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, n));
    memcpy(digest, canonical.digest, 16);
}

static void test_the_digest_of_an_image_is_xxh3_of_its_bytes(void **state)
{
    (void)state;
    unsigned char digest[RDC_DIGEST_BYTES], expected[16];
    rdc_digest_bytes("an image", 8, digest);
    digest_of("an image", 8, expected);
    assert_memory_equal(digest, expected, 16);
}

/* Name with NUL, kind, rank, shape, values; in order of name; without histories. */
static void test_the_digest_of_a_state_is_of_its_entries(void **state)
{
    (void)state;
    static const float w[6] = {1, 2, 3, 4, 5, 6};
    static const int64_t step = -7;
    unsigned char digest[RDC_DIGEST_BYTES], expected[16];
    const uint64_t head_w[4] = {RD_ENTRY_F32, 2, 2, 3}, head_step[2] = {RD_ENTRY_I64, 0};
    rd_archive *a = NULL;
    assert_int_equal(rd_archive_new(&a, NULL), RD_OK);
    put(a, (rd_entry){"w", RD_ENTRY_F32, 2, {2, 3}, w});
    put(a, (rd_entry){"history/x", RD_ENTRY_I64, 0, {0}, &step});
    put(a, (rd_entry){"a/step", RD_ENTRY_I64, 0, {0}, &step});
    assert_int_equal(rdc_digest_state(a, digest, NULL), RD_OK);
    char bytes[128];
    size_t n = 0;
    memcpy(bytes + n, "a/step", 7), n += 7;
    memcpy(bytes + n, head_step, sizeof(head_step)), n += sizeof(head_step);
    memcpy(bytes + n, &step, sizeof(step)), n += sizeof(step);
    memcpy(bytes + n, "w", 2), n += 2;
    memcpy(bytes + n, head_w, sizeof(head_w)), n += sizeof(head_w);
    memcpy(bytes + n, w, sizeof(w)), n += sizeof(w);
    digest_of(bytes, n, expected);
    assert_memory_equal(digest, expected, 16);
    rd_archive_free(a);
}

static void test_a_state_of_as_many_dimensions_as_there_are_has_a_digest(void **state)
{
    (void)state;
    static const float w[4] = {1, 2, 3, 4};
    const uint64_t head[2 + RD_MAX_DIMS] = {RD_ENTRY_F32, RD_MAX_DIMS, 1, 1, 1, 1, 1, 1, 2, 2};
    unsigned char digest[RDC_DIGEST_BYTES], expected[16];
    rd_archive *a = NULL;
    assert_int_equal(rd_archive_new(&a, NULL), RD_OK);
    put(a, (rd_entry){"w", RD_ENTRY_F32, RD_MAX_DIMS, {1, 1, 1, 1, 1, 1, 2, 2}, w});
    assert_int_equal(rdc_digest_state(a, digest, NULL), RD_OK);
    char bytes[2 + sizeof(head) + sizeof(w)];
    memcpy(bytes, "w", 2);
    memcpy(bytes + 2, head, sizeof(head));
    memcpy(bytes + 2 + sizeof(head), w, sizeof(w));
    digest_of(bytes, sizeof(bytes), expected);
    assert_memory_equal(digest, expected, 16);
    rd_archive_free(a);
}

static void test_digests_are_said_in_hexadecimal(void **state)
{
    (void)state;
    rd_digests text;
    const rdc_seal seal = seal_of_numbers();
    rdc_seal_digests(&seal, &text);
    assert_string_equal(text.file, "101112131415161718191a1b1c1d1e1f");
    assert_string_equal(text.state, "202122232425262728292a2b2c2d2e2f");
}

/* "history" without a folder is a name like any other. */
static void test_histories_lie_in_a_folder(void **state)
{
    (void)state;
    assert_true(rdc_is_history("history/loss"));
    assert_false(rdc_is_history("history"));
    assert_false(rdc_is_history("history-"));
    assert_false(rdc_is_history("a/history/loss"));
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_seal_lies_as_its_table_says),
        TEST(test_a_seal_is_read_as_it_was_written),
        TEST(test_another_version_is_named),
        TEST(test_every_byte_of_the_header_counts),
        TEST(test_the_first_bytes_say_what_a_file_is),
        TEST(test_the_digest_of_an_image_is_xxh3_of_its_bytes),
        TEST(test_the_digest_of_a_state_is_of_its_entries),
        TEST(test_a_state_of_as_many_dimensions_as_there_are_has_a_digest),
        TEST(test_digests_are_said_in_hexadecimal),
        TEST(test_histories_lie_in_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
