/* test_memory_faults_base.c - whichever allocation gets nothing: values, threads, plugins, many classes.
 * SPDX-License-Identifier: MIT */
#include "faults/every_allocation.h"

/* A core that has nothing in store, so that all is asked of the system. */
static rd_status open_matrix(rd_core **opened, rd_tensor **t, rd_error *err)
{
    rd_status status = RD_OK;
    DO(rd_core_open(NULL, opened, err));
    DO(rd_tensor_new(*opened, SHAPE(4, 5), RD_DENSE, t, err));
    return status;
}

static rd_status first_values(int32_t kind, rd_error *err)
{
    const rd_stream stream = {.seed = 1, .purpose = RD_FOR_INIT};
    rd_core *opened = NULL;
    rd_tensor *t = NULL;
    rd_status status = open_matrix(&opened, &t, err);
    DO(rd_fill_init(t, &(rd_init){.kind = kind, .a = 1, .b = 2}, &stream, err));
    rd_tensor_release(t);
    rd_core_release(opened);
    return status;
}
static rd_status normal(scratch *s, rd_error *err)
{
    (void)s;
    return first_values(RD_INIT_NORMAL, err);
}
static rd_status orthogonal(scratch *s, rd_error *err)
{
    (void)s;
    return first_values(RD_INIT_ORTHO, err);
}
static rd_status identity(scratch *s, rd_error *err)
{
    (void)s;
    return first_values(RD_INIT_IDENTITY, err);
}
static rd_status truncated(scratch *s, rd_error *err)
{
    (void)s;
    return first_values(RD_INIT_TRUNCATED, err);
}

static rd_status copy_over_itself(scratch *s, rd_error *err)
{
    (void)s;
    rd_core *opened = NULL;
    rd_tensor *t = NULL, *square = NULL, *turned = NULL;
    rd_status status = open_matrix(&opened, &t, err);
    DO(rd_slice(t, 1, 0, 4, &square, err));
    DO(rd_transpose(square, 0, 1, &turned, err));
    DO(rd_copy(square, turned, err));
    RELEASE(t, square, turned);
    rd_core_release(opened);
    return status;
}

static rd_status more_threads(scratch *s, rd_error *err)
{
    (void)s;
    rd_core *opened = NULL;
    rd_status status = RD_OK;
    DO(rd_core_open(&(rd_core_options){.threads = 1}, &opened, err));
    DO(rd_core_set_threads(opened, 3, err));
    rd_core_release(opened);
    return status;
}

static rd_status a_profile(scratch *s, rd_error *err)
{
    (void)s;
    rd_core *opened = NULL;
    rd_status status = RD_OK;
    DO(rd_core_open(NULL, &opened, err));
    DO(rd_profile_start(opened, err));
    rd_core_release(opened);
    return status;
}

/* More classes than what was freed before has room for. */
static rd_status many_classes(scratch *s, rd_error *err)
{
    const rd_stream stream = {.seed = 1, .purpose = RD_FOR_SAMPLE};
    const rd_sampling how = {.temperature = 1, .top_p = 1, .penalty = 1.1};
    (void)s;
    rd_core *opened = NULL;
    rd_archive *a = NULL;
    rd_tensor *t = NULL, *ids = NULL, *top = NULL, *best = NULL, *adjusted = NULL;
    rd_status status = RD_OK;
    DO(rd_core_open(NULL, &opened, err));
    DO(rd_tensor_new(opened, SHAPE(1, 5000), RD_DENSE, &t, err));
    DO(rd_fill(t, 1, err));
    DO(rd_top(t, 2, &top, &best, err));
    DO(rd_adjust(t, &how, &adjusted, err));
    DO(rd_sample(t, &how, &stream, &ids, err));
    DO(rd_archive_new(&a, err));
    DO(rd_archive_put_tensor(a, "t", t, err));
    rd_archive_free(a);
    RELEASE(t, ids, top, best, adjusted);
    rd_core_release(opened);
    return status;
}

static rd_status a_list_of_kernels(scratch *s, rd_error *err)
{
    static const rd_core_options options = {
        .threads = 1, .lib_dir = RD_TEST_LIB_DIR, .trust_plugins = true, .kernels = "scalar"};
    (void)s;
    rd_core *opened = NULL;
    const rd_status status = rd_core_open(&options, &opened, err);
    rd_core_release(opened);
    return status;
}

/* A layer, a cell, and backends that come too late to be used. */
static rd_status plugins_by_name(scratch *s, rd_error *err)
{
    static const char *const file[] = {"right_layer", "good", "backends"};
    (void)s;
    rd_core *opened = NULL;
    rd_status status = RD_OK;
    DO(rd_core_open(&(rd_core_options){.threads = 1, .trust_plugins = true}, &opened, err));
    for (size_t i = 0; i < 3; i++) {
        rd_plugin_report report;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.so", RD_TEST_BAD_DIR, file[i]);
        DO(rd_plugin_load(opened, path, &report, err));
    }
    rd_core_release(opened);
    return status;
}

/* Its tables are the builder's: a plugin has no allocator. */
static rd_status a_cell_with_tables(scratch *s, rd_error *err)
{
    static const rd_core_options with_plugins = {
        .threads = 1, .lib_dir = RD_TEST_LIB_DIR, .trust_plugins = true};
    const rd_rnn_config config = {
        .cell = "lmu", .label = "LMU", .input_size = 2, .hidden_size = 3, .bias = 1};
    (void)s;
    rd_core *opened = NULL;
    rd_rnn *rnn = NULL;
    rd_status status = RD_OK;
    DO(rd_core_open(&with_plugins, &opened, err));
    DO(rd_rnn_new(opened, &config, &rnn, err));
    rd_rnn_release(rnn);
    rd_core_release(opened);
    return status;
}

static void test_first_values(void **state)
{
    check_deed(*state, normal);
    check_deed(*state, orthogonal);
    check_deed(*state, identity);
    check_deed(*state, truncated);
}
static void test_a_copy_over_itself(void **state)
{
    check_deed(*state, copy_over_itself);
}
static void test_more_threads(void **state)
{
    check_deed(*state, more_threads);
}
static void test_a_profile(void **state)
{
    check_deed(*state, a_profile);
}
static void test_many_classes(void **state)
{
    check_deed(*state, many_classes);
}
static void test_a_list_of_kernels(void **state)
{
    check_deed(*state, a_list_of_kernels);
}
static void test_plugins_by_name(void **state)
{
    check_deed(*state, plugins_by_name);
}
static void test_a_cell_with_tables(void **state)
{
    check_deed(*state, a_cell_with_tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_values),    cmocka_unit_test(test_a_copy_over_itself),
        cmocka_unit_test(test_more_threads),    cmocka_unit_test(test_a_profile),
        cmocka_unit_test(test_many_classes),    cmocka_unit_test(test_a_list_of_kernels),
        cmocka_unit_test(test_plugins_by_name), cmocka_unit_test(test_a_cell_with_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
