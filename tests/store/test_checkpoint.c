/* test_checkpoint.c - what is saved is loaded, in the same bytes, and read by other programs.
 * SPDX-License-Identifier: MIT */
#include "store/checkpoint.h"

#include <signal.h>
#include <sys/wait.h>

static void check_equal(const rd_archive *a, const rd_archive *b)
{
    assert_int_equal(rd_archive_count(a), rd_archive_count(b));
    for (size_t i = 0; i < rd_archive_count(a); i++) {
        const rd_entry *x = rd_archive_at(a, i);
        const rd_entry *y = rd_archive_at(b, i);
        size_t bytes = 0;
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->kind, y->kind);
        assert_int_equal(x->ndim, y->ndim);
        assert_memory_equal(x->shape, y->shape, x->ndim * sizeof(*x->shape));
        assert_true(rdc_entry_bytes(x, &bytes));
        assert_memory_equal(x->data, y->data, bytes);
    }
}

static void test_every_kind_comes_back(void **state)
{
    const char *path = scratch_path(*state, "a.h5");
    rd_archive *a = small_archive("log");
    rd_archive *b = NULL;
    rd_digests saved, loaded;
    rd_error err = {0};
    save(a, path, &saved);
    if (rd_archive_load(&core, path, &b, &loaded, &err) != RD_OK) fail_msg("%s", err.text);
    check_equal(a, b);
    assert_string_equal(saved.file, loaded.file);
    assert_string_equal(saved.state, loaded.state);
    rd_archive_free(a);
    rd_archive_free(b);
}

static void test_an_empty_archive_comes_back(void **state)
{
    const char *path = scratch_path(*state, "a.h5");
    rd_archive *a = NULL, *b = NULL;
    rd_archive_new(&a, NULL);
    save(a, path, NULL);
    assert_int_equal(rd_archive_load(&core, path, &b, NULL, NULL), RD_OK);
    assert_int_equal(rd_archive_count(b), 0);
    rd_archive_free(a);
    rd_archive_free(b);
}

/* More than 8 links in a folder make HDF5 change to its dense form: the hardest case for equal bytes. */
static void test_a_crowded_folder_comes_back(void **state)
{
    const char *path = scratch_path(*state, "a.h5");
    rd_archive *a = NULL, *b = NULL;
    rd_archive_new(&a, NULL);
    for (int64_t i = 0; i < 500; i++) {
        char name[64];
        snprintf(name, sizeof(name), "deep/%d/%d/value-%d", (int)(i % 3), (int)(i % 7), (int)i);
        put(a, (rd_entry){name, RD_ENTRY_I64, 0, {0}, &i});
    }
    save(a, path, NULL);
    assert_int_equal(rd_archive_load(&core, path, &b, NULL, NULL), RD_OK);
    check_equal(a, b);
    size_t n, again;
    unsigned char *first = scratch_read(path, &n);
    save(b, path, NULL);
    unsigned char *second = scratch_read(path, &again);
    assert_int_equal(n, again);
    assert_memory_equal(first, second, n);
    free(first);
    free(second);
    rd_archive_free(a);
    rd_archive_free(b);
}

static void test_equal_archives_give_equal_bytes(void **state)
{
    rd_archive *a = small_archive("log");
    rd_archive *b = small_archive("log");
    size_t n, m;
    save(a, scratch_path(*state, "a.h5"), NULL);
    unsigned char *first = scratch_read(scratch_path(*state, "a.h5"), &n);
    sleep(1); /* HDF5's times, if there were any, have seconds */
    save(b, scratch_path(*state, "b.h5"), NULL);
    unsigned char *second = scratch_read(scratch_path(*state, "b.h5"), &m);
    assert_int_equal(n, m);
    assert_memory_equal(first, second, n);
    free(first);
    free(second);
    rd_archive_free(a);
    rd_archive_free(b);
}

static void test_history_is_in_the_file_digest_only(void **state)
{
    rd_archive *a = small_archive("one");
    rd_archive *b = small_archive("two");
    rd_digests first, second;
    save(a, scratch_path(*state, "a.h5"), &first);
    save(b, scratch_path(*state, "a.h5"), &second);
    assert_string_not_equal(first.file, second.file);
    assert_string_equal(first.state, second.state);
    rd_archive_free(a);
    rd_archive_free(b);
}

static void test_a_changed_value_changes_the_state_digest(void **state)
{
    rd_archive *a = small_archive("one");
    rd_digests first, second;
    save(a, scratch_path(*state, "a.h5"), &first);
    ((float *)(uintptr_t)rd_archive_find(a, "model/2/bias")->data)[2] = 1;
    save(a, scratch_path(*state, "a.h5"), &second);
    assert_string_not_equal(first.state, second.state);
    rd_archive_free(a);
}

static bool runs(const char *command)
{
    return system(command) == 0; /* NOLINT(cert-env33-c): fixed commands of this test */
}

static void test_h5py_reads_the_file(void **state)
{
    if (!runs("/usr/bin/python3 -c 'import h5py' 2>/dev/null")) skip();
    const char *path = scratch_path(*state, "a.h5");
    rd_archive *a = small_archive("log");
    save(a, path, NULL);
    char command[1024];
    snprintf(command, sizeof(command),
             "/usr/bin/python3 -c \"import h5py, numpy as np\n"
             "f = h5py.File('%s', 'r')\n"
             "w = f['model/1.weight']\n"
             "assert w.dtype == np.dtype('<f4') and w.shape == (2, 3) and w[0, 1] == -1.25\n"
             "assert f['optimizer/lr'][()] == 0.002 and f['optimizer/lr'].shape == ()\n"
             "assert list(f['steps']) == [-2**63, -1, 2**63 - 1]\n"
             "assert f['text'].asstr()[()] == 'gr\\u00fc\\u00df'\n"
             "assert f['empty/text'].asstr()[()] == ''\n"
             "assert f['empty/array'].shape == (2, 0, 4)\n"
             "assert sorted(f) == ['bytes', 'empty', 'history', 'model', 'optimizer', 'steps', "
             "'text']\n\"",
             path);
    assert_true(runs(command));
    rd_archive_free(a);
}

static void test_h5dump_reads_the_file(void **state)
{
    if (!runs("command -v h5dump >/dev/null 2>&1")) skip();
    const char *path = scratch_path(*state, "a.h5");
    rd_archive *a = small_archive("log");
    save(a, path, NULL);
    char command[512];
    snprintf(command, sizeof(command),
             "h5dump -d /steps '%s' | grep -q -e '-1' && h5dump '%s' >/dev/null", path, path);
    assert_true(runs(command));
    rd_archive_free(a);
}

static void test_the_file_digest_is_that_of_xxhsum(void **state)
{
    if (!runs("command -v xxhsum >/dev/null 2>&1")) skip();
    const char *path = scratch_path(*state, "a.h5");
    rd_archive *a = small_archive("log");
    rd_digests digests;
    save(a, path, &digests);
    char command[512];
    snprintf(command, sizeof(command), "tail -c +513 '%s' | xxhsum -H2 | grep -q %s", path,
             digests.file);
    assert_true(runs(command));
    rd_archive_free(a);
}

static size_t open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t n = 0;
    while (readdir(folder)) n++;
    closedir(folder);
    return n;
}

static void test_no_descriptor_and_no_zombie_is_left(void **state)
{
    const char *path = scratch_path(*state, "a.h5");
    rd_archive *a = small_archive("log");
    const size_t before = open_files();
    for (int i = 0; i < 3; i++) {
        rd_archive *b = NULL;
        save(a, path, NULL);
        assert_int_equal(rd_archive_load(&core, path, &b, NULL, NULL), RD_OK);
        rd_archive_free(b);
    }
    assert_int_equal(open_files(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child at all */
    assert_int_equal(scratch_count(*state), 1);
    rd_archive_free(a);
}

/* A host that ignores SIGCHLD has its children reaped before we ask for them. */
static void test_an_ignored_sigchld_does_no_harm(void **state)
{
    const char *path = scratch_path(*state, "a.h5");
    rd_archive *a = small_archive("log");
    rd_archive *b = NULL;
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);
    save(a, path, NULL);
    assert_int_equal(rd_archive_load(&core, path, &b, NULL, NULL), RD_OK);
    signal(SIGCHLD, before);
    check_equal(a, b);
    rd_archive_free(a);
    rd_archive_free(b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_kind_comes_back),
        TEST(test_an_empty_archive_comes_back),
        TEST(test_a_crowded_folder_comes_back),
        TEST(test_equal_archives_give_equal_bytes),
        TEST(test_history_is_in_the_file_digest_only),
        TEST(test_a_changed_value_changes_the_state_digest),
        TEST(test_h5py_reads_the_file),
        TEST(test_h5dump_reads_the_file),
        TEST(test_the_file_digest_is_that_of_xxhsum),
        TEST(test_no_descriptor_and_no_zombie_is_left),
        TEST(test_an_ignored_sigchld_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
