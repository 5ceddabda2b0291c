/* test_lies.c - whatever the process that works with libhdf5 says of a checkpoint, what cannot be is refused.
 *
 * What is said comes from liar.c. An honest talk of the same form is read: each is refused for its own
 * reason.
 * SPDX-License-Identifier: MIT */
#include "lies.h"

static const char nonsense[] = "the child process for HDF5 sent nonsense";
static const char early[] = "the child process for HDF5 ended early";
static const float two[2] = {1.5F, -2};
static talk t; /* of the test that runs */

static int begin(void **state)
{
    t.n = 0;
    return scratch_open(state);
}

static const rdc_frame entry_x = {.type = RDC_FRAME_ENTRY,
                                  .kind = RD_ENTRY_F32,
                                  .ndim = 1,
                                  .name_bytes = 1,
                                  .shape = {2},
                                  .data_bytes = sizeof(two)};

static void say_x(void)
{
    say_frame(&t, entry_x);
    say(&t, "x", 1);
    say(&t, two, sizeof(two));
}

/* Loads what was said, whose values are to be those of `meant`. */
static rd_status load(scratch *s, rd_archive *meant, rd_archive **out, rd_error *err)
{
    const char *path = sealed_talk(s, &t, meant);
    rd_archive_free(meant);
    return rd_archive_load(&liar, path, out, NULL, err);
}

static rd_archive *archive_of(const rd_entry *entry)
{
    rd_archive *a = NULL;
    assert_int_equal(rd_archive_new(&a, NULL), RD_OK);
    if (entry) put(a, *entry);
    return a;
}

static rd_archive *only_x(void)
{
    return archive_of(&(rd_entry){"x", RD_ENTRY_F32, 1, {2}, two});
}

static void check_loaded(scratch *s, rd_archive *meant, const char *name, size_t bytes)
{
    rd_error err = {0};
    rd_archive *a = NULL;
    if (load(s, meant, &a, &err) != RD_OK) fail_msg("%s", err.text);
    assert_int_equal(rd_archive_count(a), 1);
    const rd_entry *entry = rd_archive_find(a, name);
    assert_non_null(entry);
    assert_int_equal(((const char *)entry->data)[bytes], 0); /* as archive.h wants it */
    rd_archive_free(a);
}

static void check_refused(scratch *s, const char *why)
{
    rd_error err = {0};
    rd_archive *a = NULL;
    char expected[600];
    assert_int_not_equal(load(s, only_x(), &a, &err), RD_OK);
    assert_null(a);
    snprintf(expected, sizeof(expected), "cannot load '%s': %s", s->path, why);
    assert_string_equal(err.text, expected);
}

/* x, but with another frame. */
static void check_frame(scratch *s, rdc_frame frame, const char *why)
{
    t.n = 0;
    say_frame(&t, frame);
    say(&t, "x", 1);
    say(&t, two, sizeof(two));
    say_done(&t, 1);
    check_refused(s, why);
}

static void test_an_honest_talk_is_read(void **state)
{
    say_x();
    say_done(&t, 1);
    check_loaded(*state, only_x(), "x", sizeof(two));
}

static void test_names_have_1_to_1024_bytes(void **state)
{
    char name[RDC_NAME_BYTES + 2];
    memset(name, 'n', sizeof(name));
    name[RDC_NAME_BYTES] = '\0';
    rdc_frame frame = entry_x;
    frame.name_bytes = RDC_NAME_BYTES;
    say_frame(&t, frame);
    say(&t, name, RDC_NAME_BYTES);
    say(&t, two, sizeof(two));
    say_done(&t, 1);
    check_loaded(*state, archive_of(&(rd_entry){name, RD_ENTRY_F32, 1, {2}, two}), name,
                 sizeof(two));
    frame.name_bytes = RDC_NAME_BYTES + 1;
    check_frame(*state, frame, nonsense);
    frame.name_bytes = 0;
    check_frame(*state, frame, nonsense);
}

static void test_there_are_at_most_8_dimensions(void **state)
{
    rdc_frame frame = entry_x;
    frame.ndim = RD_MAX_DIMS;
    for (int d = 1; d < RD_MAX_DIMS; d++) frame.shape[d] = 1;
    say_frame(&t, frame);
    say(&t, "x", 1);
    say(&t, two, sizeof(two));
    say_done(&t, 1);
    check_loaded(*state,
                 archive_of(&(rd_entry){"x", RD_ENTRY_F32, 8, {2, 1, 1, 1, 1, 1, 1, 1}, two}), "x",
                 sizeof(two));
    frame.ndim = RD_MAX_DIMS + 1;
    check_frame(*state, frame, nonsense);
}

static void test_kind_shape_and_bytes_belong_together(void **state)
{
    rdc_frame frame = entry_x;
    frame.kind = 99;
    check_frame(*state, frame, nonsense);
    frame = entry_x;
    frame.shape[0] = 1;
    check_frame(*state, frame, nonsense);
    frame = entry_x;
    frame.data_bytes = sizeof(two) - 1;
    check_frame(*state, frame, nonsense);
    frame.data_bytes = sizeof(two) + 1;
    check_frame(*state, frame, nonsense);
}

/* A text of so many bytes behind what was said; of which none come. */
static void say_text_of(size_t bytes)
{
    say_frame(&t, (rdc_frame){.type = RDC_FRAME_ENTRY,
                              .kind = RD_ENTRY_TEXT,
                              .ndim = 1,
                              .name_bytes = 1,
                              .shape = {bytes},
                              .data_bytes = bytes});
    say(&t, "y", 1);
}

static void test_values_are_not_larger_than_the_file(void **state)
{
    const size_t file = RDC_SEAL_BYTES + sizeof(rdc_frame) + 1;
    say_text_of(file);
    check_refused(*state, early);
    t.n = 0;
    say_text_of(file + 1);
    check_refused(*state, nonsense);
}

static void test_all_values_together_are_not_larger_than_the_file(void **state)
{
    const size_t file = RDC_SEAL_BYTES + 2 * (sizeof(rdc_frame) + 1) + sizeof(two);
    say_x();
    say_text_of(file - sizeof(two));
    check_refused(*state, early);
    t.n = 0;
    say_x();
    say_text_of(file - sizeof(two) + 1);
    check_refused(*state, nonsense);
}

static void test_a_name_comes_once(void **state)
{
    say_x();
    say_x();
    say_done(&t, 2);
    check_refused(*state, "archive: 'x' is already there");
}

static void test_the_end_says_how_many_there_were(void **state)
{
    say_x();
    say_done(&t, 2);
    check_refused(*state, nonsense);
    t.n = 0;
    say_done(&t, 1);
    check_refused(*state, nonsense);
}

static void test_the_end_is_said(void **state)
{
    say_x();
    check_refused(*state, early);
    t.n -= 1; /* nor the last of the values */
    check_refused(*state, early);
    t.n = sizeof(rdc_frame); /* nor the name */
    check_refused(*state, early);
    t.n -= 1; /* nor the whole frame */
    check_refused(*state, early);
}

static void test_other_frames_are_refused(void **state)
{
    rdc_frame frame = entry_x;
    frame.type = RDC_FRAME_IMAGE;
    check_frame(*state, frame, nonsense);
    frame.type = RDC_FRAME_ERROR + 1;
    check_frame(*state, frame, nonsense);
    frame.type = 0;
    check_frame(*state, frame, nonsense);
}

static void test_other_values_have_another_digest(void **state)
{
    rd_error err = {0};
    rd_archive *a = NULL;
    say_x();
    say_done(&t, 1);
    const float other[2] = {1.5F, 2};
    rd_archive *meant = archive_of(&(rd_entry){"x", RD_ENTRY_F32, 1, {2}, other});
    assert_int_equal(load(*state, meant, &a, &err), RD_E_IO);
    assert_non_null(strstr(err.text, "its values do not match its state digest"));
}

static void test_an_error_has_at_most_400_bytes(void **state)
{
    char text[RDC_FRAME_TEXT + 1];
    memset(text, 'e', RDC_FRAME_TEXT);
    text[RDC_FRAME_TEXT] = '\0';
    const rdc_frame error = {.type = RDC_FRAME_ERROR, .name_bytes = RDC_FRAME_TEXT};
    say_frame(&t, error);
    say(&t, text, RDC_FRAME_TEXT);
    check_refused(*state, text);
    t.n -= 1;
    check_refused(*state, early);
    t.n = 0;
    say_frame(&t, (rdc_frame){.type = RDC_FRAME_ERROR, .name_bytes = RDC_FRAME_TEXT + 1});
    say(&t, text, RDC_FRAME_TEXT);
    say(&t, "e", 1);
    check_refused(*state, nonsense);
}

/* ---- of a save ---- */

/* The archive pretends to have `bytes` of values, if not 0. */
static rd_status save_talk_of(scratch *s, size_t bytes, rd_error *err)
{
    rd_archive *a =
        archive_of(&(rd_entry){"said", RD_ENTRY_TEXT, 1, {t.n}, t.at}); /* what liar.c sends */
    if (bytes > 0) a->bytes = bytes;
    const rd_status status = rd_archive_save(&liar, a, scratch_path(s, "a.h5"), NULL, err);
    rd_archive_free(a);
    return status;
}

static rd_status save_talk(scratch *s, rd_error *err)
{
    return save_talk_of(s, 0, err);
}

static void check_not_saved_of(scratch *s, size_t bytes, rd_status code, const char *why)
{
    rd_error err = {0};
    char expected[600];
    assert_int_equal(save_talk_of(s, bytes, &err), code);
    snprintf(expected, sizeof(expected), "cannot save '%s': %s", s->path, why);
    assert_string_equal(err.text, expected);
    assert_int_equal(scratch_count(s), 0);
}

static void check_not_saved(scratch *s, rd_status code, const char *why)
{
    check_not_saved_of(s, 0, code, why);
}

static void say_image(uint64_t bytes, size_t sent)
{
    static const unsigned char image[1024];
    t.n = 0;
    say_frame(&t, (rdc_frame){.type = RDC_FRAME_IMAGE, .data_bytes = bytes});
    say(&t, image, sent);
}

static void test_an_image_is_more_than_the_seal(void **state)
{
    size_t n;
    say_image(RDC_SEAL_BYTES, RDC_SEAL_BYTES);
    check_not_saved(*state, RD_E_INTERNAL, nonsense);
    say_image(RDC_SEAL_BYTES + 1, RDC_SEAL_BYTES + 1);
    rd_error err = {0};
    if (save_talk(*state, &err) != RD_OK) fail_msg("%s", err.text);
    free(scratch_read(scratch_path(*state, "a.h5"), &n));
    assert_int_equal(n, RDC_SEAL_BYTES + 1);
}

static void test_an_image_is_no_other_frame(void **state)
{
    say_image(600, 600);
    t.at[0] = RDC_FRAME_ENTRY;
    check_not_saved(*state, RD_E_INTERNAL, nonsense);
}

static void test_an_image_has_at_most_4_gibibytes(void **state)
{
    say_image(RDC_FILE_BYTES + 1, 600);
    check_not_saved_of(*state, RDC_FILE_BYTES, RD_E_ARG,
                       "the file would be larger than the limit of 4 GiB");
}

/* Twice the values, 64 KiB for each entry and 16 MiB. */
static void test_an_image_is_in_proportion_to_the_archive(void **state)
{
    const size_t most = 2 * 1000 + (1 << 16) + (1 << 24);
    say_image(most, 600);
    check_not_saved_of(*state, 1000, RD_E_IO, early);
    say_image(most + 1, 600);
    check_not_saved_of(*state, 1000, RD_E_INTERNAL, nonsense);
}

static void test_an_image_comes_whole(void **state)
{
    say_image(601, 600);
    check_not_saved(*state, RD_E_IO, early);
}

static void test_a_reason_is_said_as_it_came(void **state)
{
    say_frame(&t, (rdc_frame){.type = RDC_FRAME_ERROR, .name_bytes = 3});
    say(&t, "why", 3);
    check_not_saved(*state, RD_E_IO, "why");
}

static void check_module(scratch *s, const char *lib_dir)
{
    rd_error err = {0};
    const rd_core other = {.lib_dir = (char *)(uintptr_t)lib_dir};
    rd_archive *a = only_x();
    assert_int_equal(rd_archive_save(&other, a, scratch_path(s, "a.h5"), NULL, &err), RD_E_IO);
    assert_non_null(strstr(err.text, "': rondo_hdf5.so is of another version of Rondo"));
    rd_archive_free(a);
}

static void test_a_module_of_another_version_is_refused(void **state)
{
    check_module(*state, RD_TEST_LIAR_DIR "/old");
}

static void test_a_module_that_shows_nothing_is_refused(void **state)
{
    scratch *s = *state;
    size_t n;
    unsigned char *other = scratch_read(RD_TEST_EVIL_DIR "/libevil_filter.so", &n);
    scratch_write(s, "rondo_hdf5.so", other, n);
    check_module(s, s->folder);
    free(other);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_honest_talk_is_read),
        TEST(test_names_have_1_to_1024_bytes),
        TEST(test_there_are_at_most_8_dimensions),
        TEST(test_kind_shape_and_bytes_belong_together),
        TEST(test_values_are_not_larger_than_the_file),
        TEST(test_all_values_together_are_not_larger_than_the_file),
        TEST(test_a_name_comes_once),
        TEST(test_the_end_says_how_many_there_were),
        TEST(test_the_end_is_said),
        TEST(test_other_frames_are_refused),
        TEST(test_other_values_have_another_digest),
        TEST(test_an_error_has_at_most_400_bytes),
        TEST(test_an_image_is_more_than_the_seal),
        TEST(test_an_image_is_no_other_frame),
        TEST(test_an_image_has_at_most_4_gibibytes),
        TEST(test_an_image_is_in_proportion_to_the_archive),
        TEST(test_an_image_comes_whole),
        TEST(test_a_reason_is_said_as_it_came),
        TEST(test_a_module_of_another_version_is_refused),
        TEST(test_a_module_that_shows_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
