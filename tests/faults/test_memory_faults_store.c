/* test_memory_faults_store.c - whichever allocation of our own gets nothing: checkpoints, datasets of others.
 *
 * libhdf5 is not here: it runs in a child (store/child.c), whose failures are the child's.
 * SPDX-License-Identifier: MIT */
#include "faults/every_allocation.h"
#include "store/lies_rows.h"

enum { ENTRIES = 33, TOLD = 17 }; /* one more than there is room for at first */
enum { SMALL = 10 };              /* entries of small_archive */

/* What was done is done; the bytes that an error says were asked for are some that were. */
static rd_status ended(rd_status status, bool done, const rd_error *err)
{
    size_t bytes;
    const char *asked = status == RD_OK ? NULL : strstr(err->text, "out of memory: ");
    if (status == RD_OK && !done) fail_msg("it says that it is done");
    if (asked && sscanf(asked, "out of memory: %zu bytes", &bytes) == 1 && !memory_was_asked(bytes))
        fail_msg("nobody asked for so much: %s", err->text);
    return status;
}

static rd_status fill(rd_archive *a, rd_error *err)
{
    const float weight[6] = {1, 2, 3, 4, 5, 6};
    rd_status status = RD_OK;
    for (int i = 0; i < ENTRIES; i++) {
        char name[32];
        snprintf(name, sizeof(name), "model/%d.weight", i);
        DO(rd_archive_put(a, &(rd_entry){name, RD_ENTRY_F32, 2, {2, 3}, weight}, err));
    }
    return status;
}

static rd_status save_a_file(scratch *s, rd_error *err)
{
    rd_archive *a = NULL;
    rd_status status = RD_OK;
    unlink(scratch_path(s, "new.h5"));
    DO(rd_archive_new(&a, err));
    DO(fill(a, err));
    DO(rd_archive_save(&core, a, s->path, NULL, err));
    rd_archive_free(a);
    return ended(status, access(s->path, F_OK) == 0, err);
}

static rd_status load_a_file(scratch *s, rd_error *err)
{
    rd_archive *a = NULL;
    const rd_status status = rd_archive_load(&core, scratch_path(s, "there.h5"), &a, NULL, err);
    const bool done = a && rd_archive_count(a) == SMALL;
    rd_archive_free(a);
    return ended(status, done, err);
}

static rd_status look_at_datasets(scratch *s, rd_error *err)
{
    rd_hdf5 *h = NULL;
    const rd_hdf5_set *there;
    const rd_status status = rd_hdf5_open(&core, scratch_path(s, "there.h5"), &h, err);
    const bool done = h && rd_hdf5_sets(h, &there) == SMALL;
    rd_hdf5_free(h);
    return ended(status, done, err);
}

/* The last of them has more values than the file can hold. */
static rd_status look_at_what_is_refused(scratch *s, rd_error *err)
{
    rd_hdf5 *h = NULL;
    const rd_hdf5_set *there = NULL;
    const rd_status status = open_talk(s, &h, err);
    const bool done =
        h && rd_hdf5_sets(h, &there) == TOLD && there[0].readable && !there[TOLD - 1].readable;
    rd_hdf5_free(h);
    return ended(status, done, err);
}

static rd_tensor *tensor;

static rd_status keep_a_tensor(scratch *s, rd_error *err)
{
    (void)s;
    rd_archive *a = NULL;
    rd_status status = RD_OK;
    DO(rd_archive_new(&a, err));
    DO(rd_archive_put_tensor(a, "a tensor", tensor, err));
    DO(rd_archive_get_tensor(a, "a tensor", tensor, err));
    const bool done = a && rd_archive_count(a) == 1;
    rd_archive_free(a);
    return ended(status, done, err);
}

/* ---- every call in turn ---- */

static void check_with_file(scratch *s, deed do_it)
{
    rd_archive *a = small_archive("log");
    save(a, scratch_path(s, "there.h5"), NULL);
    rd_archive_free(a);
    check_deed(s, do_it);
}

static void test_saving(void **state)
{
    check_with_file(*state, save_a_file);
}

static void test_loading(void **state)
{
    check_with_file(*state, load_a_file);
}

static void test_looking_at_datasets(void **state)
{
    check_with_file(*state, look_at_datasets);
}

static void test_looking_at_a_dataset_that_is_refused(void **state)
{
    rdc_frame large = table;
    large.shape[0] = (uint64_t)1 << 40;
    for (int i = 1; i < TOLD; i++) say_set(table, "table", "a\nb\n");
    say_set(large, "large", "a\nb\n");
    say_done(&sets, TOLD);
    check_deed(*state, look_at_what_is_refused);
}

static void test_a_tensor_in_an_archive(void **state)
{
    rd_core *numbers = NULL;
    assert_int_equal(rd_core_open(&(rd_core_options){.threads = 1}, &numbers, NULL), RD_OK);
    tensor = test_tensor(numbers, SHAPE(2, 3), VALUES(1, 2, 3, 4, 5, 6));
    check_deed(*state, keep_a_tensor);
    rd_tensor_release(tensor);
    rd_core_release(numbers);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_saving),
        TEST(test_loading),
        TEST(test_looking_at_datasets),
        TEST(test_looking_at_a_dataset_that_is_refused),
        TEST(test_a_tensor_in_an_archive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
