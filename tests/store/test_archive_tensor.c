/* test_archive_tensor.c - tensors go into an archive in logical order and come back.
 * SPDX-License-Identifier: MIT */
#include "rondo.h"
#include "store/scratch.h"

typedef struct fixture {
    rd_core *core;
    rd_archive *archive;
    rd_tensor *x; /* (2, 3) in sequence order: 1 2 3 / 4 5 6 */
} fixture;

static rd_tensor *tensor(rd_core *core, size_t rows, size_t width, rd_order order)
{
    rd_tensor *t = NULL;
    const size_t shape[2] = {rows, width};
    assert_int_equal(rd_tensor_new(core, 2, shape, order, &t, NULL), RD_OK);
    return t;
}

static int open_all(void **state)
{
    static const rd_real values[6] = {1, 2, 3, 4, 5, 6};
    fixture *f = calloc(1, sizeof(*f));
    *state = f;
    if (rd_core_open(&(rd_core_options){.threads = 1}, &f->core, NULL) != RD_OK) return -1;
    f->x = tensor(f->core, 2, 3, RD_SEQUENCE);
    return rd_archive_new(&f->archive, NULL) || rd_tensor_write(f->x, values, NULL);
}

static int close_all(void **state)
{
    fixture *f = *state;
    rd_archive_free(f->archive);
    rd_tensor_release(f->x);
    rd_core_release(f->core);
    free(f);
    return 0;
}

static void check_refused(const fixture *f, const char *name, rd_tensor *to, const char *message)
{
    rd_error err;
    assert_int_equal(rd_archive_get_tensor(f->archive, name, to, &err), RD_E_ARG);
    assert_string_equal(err.text, message);
}

static void test_a_tensor_is_stored_in_logical_order(void **state)
{
    fixture *f = *state;
    const rd_real expected[6] = {1, 2, 3, 4, 5, 6};
    assert_int_equal(rd_archive_put_tensor(f->archive, "x", f->x, NULL), RD_OK);
    const rd_entry *entry = rd_archive_find(f->archive, "x");
    assert_int_equal(entry->kind, sizeof(rd_real) == 4 ? RD_ENTRY_F32 : RD_ENTRY_F64);
    assert_int_equal(entry->ndim, 2);
    assert_int_equal(entry->shape[1], 3);
    assert_memory_equal(entry->data, expected, sizeof(expected));
}

static void test_a_tensor_comes_back_in_any_order(void **state)
{
    fixture *f = *state;
    rd_real values[6];
    const rd_real expected[6] = {1, 2, 3, 4, 5, 6};
    rd_tensor *y = tensor(f->core, 2, 3, RD_DENSE);
    rd_archive_put_tensor(f->archive, "x", f->x, NULL);
    assert_int_equal(rd_archive_get_tensor(f->archive, "x", y, NULL), RD_OK);
    rd_tensor_read(y, values);
    assert_memory_equal(values, expected, sizeof(expected));
    rd_tensor_release(y);
}

static void test_what_does_not_fit_is_named(void **state)
{
    fixture *f = *state;
    static const int64_t one = 1;
    rd_tensor *y = tensor(f->core, 3, 2, RD_DENSE);
    rd_archive_put_tensor(f->archive, "model/w", f->x, NULL);
    rd_archive_put(f->archive, &(rd_entry){"step", RD_ENTRY_I64, 0, {0}, &one}, NULL);
    rd_archive_put(f->archive, &(rd_entry){"text", RD_ENTRY_TEXT, 1, {2}, "ab"}, NULL);
    check_refused(f, "model/v", y, "'model/v' is not in the checkpoint");
    check_refused(f, "model/w", y,
                  "'model/w' was saved with shape (2, 3), but the tensor has (3, 2)");
    check_refused(f, "step", y, "'step' holds integers, not the values of a tensor");
    check_refused(f, "text", y, "'text' holds text, not the values of a tensor");
    rd_tensor_release(y);
}

static void test_shapes_are_said_whole(void **state)
{
    fixture *f = *state;
    static const double one = 1;
    rd_tensor *y = tensor(f->core, 3, 2, RD_DENSE);
    rd_archive_put(f->archive, &(rd_entry){"scalar", RD_ENTRY_F64, 0, {0}, &one}, NULL);
    rd_archive_put(f->archive, &(rd_entry){"line", RD_ENTRY_F32, 1, {1}, &one}, NULL);
    rd_archive_put(f->archive, &(rd_entry){"box", RD_ENTRY_F32, 3, {3, 2, 0}, &one}, NULL);
    check_refused(f, "scalar", y, "'scalar' was saved with shape (), but the tensor has (3, 2)");
    check_refused(f, "line", y, "'line' was saved with shape (1), but the tensor has (3, 2)");
    check_refused(f, "box", y, "'box' was saved with shape (3, 2, 0), but the tensor has (3, 2)");
    rd_tensor_release(y);
}

static void test_all_of_the_other_precision_is_converted(void **state)
{
    fixture *f = *state;
    static const float single[6] = {1, 2, 3, 4, 5, 0.5F};
    static const double twice[6] = {6, 5, 4, 3, 2, 0.25};
    const rd_real first[6] = {1, 2, 3, 4, 5, (rd_real)0.5};
    const rd_real second[6] = {6, 5, 4, 3, 2, (rd_real)0.25};
    rd_real values[6];
    rd_archive_put(f->archive, &(rd_entry){"f", RD_ENTRY_F32, 2, {2, 3}, single}, NULL);
    rd_archive_put(f->archive, &(rd_entry){"d", RD_ENTRY_F64, 2, {2, 3}, twice}, NULL);
    assert_int_equal(rd_archive_get_tensor(f->archive, "f", f->x, NULL), RD_OK);
    rd_tensor_read(f->x, values);
    assert_memory_equal(values, first, sizeof(first));
    assert_int_equal(rd_archive_get_tensor(f->archive, "d", f->x, NULL), RD_OK);
    rd_tensor_read(f->x, values);
    assert_memory_equal(values, second, sizeof(second));
}

static void test_values_end_in_a_nul(void **state)
{
    fixture *f = *state;
    assert_int_equal(rd_archive_put_tensor(f->archive, "x", f->x, NULL), RD_OK);
    const char *data = rd_archive_find(f->archive, "x")->data;
    assert_int_equal(data[6 * sizeof(rd_real)], 0); /* as archive.h wants it */
}

static void test_a_name_twice_is_refused(void **state)
{
    fixture *f = *state;
    rd_error err;
    assert_int_equal(rd_archive_put_tensor(f->archive, "x", f->x, NULL), RD_OK);
    assert_int_equal(rd_archive_put_tensor(f->archive, "x", f->x, &err), RD_E_ARG);
    assert_string_equal(err.text, "archive: 'x' is already there");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_tensor_is_stored_in_logical_order),
        TEST(test_a_tensor_comes_back_in_any_order),
        TEST(test_what_does_not_fit_is_named),
        TEST(test_shapes_are_said_whole),
        TEST(test_all_of_the_other_precision_is_converted),
        TEST(test_values_end_in_a_nul),
        TEST(test_a_name_twice_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
