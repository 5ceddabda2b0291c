/* test_series_window.c - windows of a series: what is known at an origin, truth behind it, and the way back.
 * SPDX-License-Identifier: MIT */
#include "text/columns.h"

#include <math.h>

enum { MOST = 64 };
#define NONE ((double)NAN)

/* A window of one row of a batch, and what it is read into. */
typedef struct view {
    rd_core *core;
    rd_window_form form;
    rd_window_batch batch;
    double scratch[256];
} view;

static void open_view(view *v, rd_core *core, const rd_window_form *form)
{
    rd_error err;
    *v = (view){.core = core, .form = *form};
    v->form.scratch = v->scratch;
    assert_true(rd_window_scratch(&v->form) <= sizeof(v->scratch) / sizeof(double));
    const size_t width = rd_window_width(form->features, form->n_features);
    OK(rd_tensor_new(core, 3, (size_t[]){1, form->steps, width}, RD_SEQUENCE, &v->batch.x, &err));
    const size_t shape[3] = {1, form->horizon, form->n_targets};
    const uint32_t ndim = form->n_targets > 1 ? 3 : 2;
    OK(rd_tensor_new(core, ndim, shape, RD_SEQUENCE, &v->batch.y, &err));
    OK(rd_tensor_new(core, ndim, shape, RD_SEQUENCE, &v->batch.weight, &err));
}

static void close_view(view *v)
{
    RELEASE(v->batch.x, v->batch.y, v->batch.weight);
}

static void read_view(view *v, uint64_t end, uint64_t origin)
{
    rd_error err;
    v->batch.missing = false;
    OK(rd_window_read(&v->form, &(rd_window){.end = end, .origin = origin}, &v->batch, &err));
}

/* ---- inputs ---- */

static const rd_feature value = {.kind = RD_FEATURE_VALUE, .name = "a"};

static void test_a_window_ends_at_its_origin(void **state)
{
    view v;
    rd_series *s = series_of(6, 1, VALUES(10, 11, 12, 13, 14, 15));
    open_view(&v, *state,
              &(rd_window_form){.series = s,
                                .input = 3,
                                .horizon = 2,
                                .steps = 3,
                                .features = &value,
                                .n_features = 1,
                                .targets = &value,
                                .n_targets = 1});
    read_view(&v, 6, 3);
    test_expect(v.batch.x, SHAPE(1, 3, 1), VALUES(11, 12, 13));
    test_expect(v.batch.y, SHAPE(1, 2), VALUES(14, 15));
    test_expect(v.batch.weight, SHAPE(1, 2), VALUES(1, 1));
    assert_false(v.batch.missing);
    close_view(&v);
    rd_series_free(s);
}

static void test_truth_that_is_missing_has_no_weight(void **state)
{
    view v;
    rd_series *s = series_of(5, 1, VALUES(10, 11, NONE, 13, 14));
    open_view(&v, *state,
              &(rd_window_form){.series = s,
                                .input = 1,
                                .horizon = 3,
                                .steps = 1,
                                .features = &value,
                                .n_features = 1,
                                .targets = &value,
                                .n_targets = 1});
    read_view(&v, 4, 1); /* the last row is not to be looked at */
    test_expect(v.batch.y, SHAPE(1, 3), VALUES(0, 13, 0));
    test_expect(v.batch.weight, SHAPE(1, 3), VALUES(0, 1, 0));
    assert_true(v.batch.missing);
    rd_tensor *weight = v.batch.weight;
    v.batch.weight = NULL; /* may be left out, as the others */
    read_view(&v, 4, 1);
    assert_true(v.batch.missing);
    v.batch.weight = weight;
    close_view(&v);
    rd_series_free(s);
}

static void check_filled(rd_core *core, rd_missing rule, const double *expected)
{
    view v;
    rd_series *s = series_of(6, 1, VALUES(10, NONE, NONE, 16, NONE, 100));
    open_view(&v, core,
              &(rd_window_form){.series = s,
                                .rule = rule,
                                .input = 4,
                                .horizon = 1,
                                .steps = 4,
                                .features = &value,
                                .n_features = 1});
    read_view(&v, 6, 4);
    test_expect(v.batch.x, SHAPE(1, 4, 1), expected);
    close_view(&v);
    rd_series_free(s);
}

/* The row behind the origin has no part in it. */
static void test_missing_numbers_are_filled_from_what_is_known(void **state)
{
    check_filled(*state, RD_MISSING_PREVIOUS, VALUES(10, 10, 16, 16));
    check_filled(*state, RD_MISSING_INTERPOLATE, VALUES(12, 14, 16, 16));
}

static void test_a_number_is_known_as_its_window_has_it(void **state)
{
    (void)state;
    rd_series *s = series_of(4, 1, VALUES(10, NONE, 16, 18));
    rd_window_form form = {.series = s, .rule = RD_MISSING_INTERPOLATE};
    assert_true(rd_window_known(&form, 0, &(rd_window){.end = 4, .origin = 2}, 1) == 13);
    assert_true(rd_window_known(&form, 0, &(rd_window){.end = 4, .origin = 1}, 1) == 10);
    assert_true(rd_window_known(&form, 0, &(rd_window){.end = 4, .origin = 1}, 2) == 16);
    rd_series_free(s);
}

static void test_what_is_known_ahead_goes_on_behind_the_origin(void **state)
{
    view v;
    rd_series *s = series_of(6, 2, VALUES(10, 0, 11, NONE, 12, 2, 13, 3, 14, 4, 15, 5));
    const rd_feature features[] = {
        {.kind = RD_FEATURE_VALUE, .column = 0, .name = "a"},
        {.kind = RD_FEATURE_VALUE, .column = 1, .known = true, .name = "b"},
        {.kind = RD_FEATURE_MISSING, .column = 1, .known = true},
        {.kind = RD_FEATURE_MISSING, .column = 1},
        {.kind = RD_FEATURE_CONSTANT, .value = 7},
        {.kind = RD_FEATURE_AHEAD}};
    open_view(&v, *state,
              &(rd_window_form){.series = s,
                                .rule = RD_MISSING_PREVIOUS,
                                .input = 2,
                                .horizon = 2,
                                .steps = 3,
                                .features = features,
                                .n_features = 6});
    read_view(&v, 6, 1);
    test_expect(v.batch.x, SHAPE(1, 3, 6),
                VALUES(10, 0, 1, 0, 7, 0, 11, 2, 0, 1, 7, 0, 0, 3, 0, 0, 7, 1));
    close_view(&v);
    rd_series_free(s);
}

static void test_a_feature_that_is_not_known_far_enough_is_refused(void **state)
{
    view v;
    rd_error err;
    rd_series *s = series_of(5, 1, VALUES(0, 10, 11, 12, 13));
    const rd_feature known = {.kind = RD_FEATURE_VALUE, .known = true, .name = "price"};
    open_view(&v, *state,
              &(rd_window_form){.series = s,
                                .input = 2,
                                .horizon = 2,
                                .steps = 3,
                                .features = &known,
                                .n_features = 1});
    const rd_window at = {.begin = 1, .end = 5, .origin = 3};
    test_fails(rd_window_read(&v.form, &at, &v.batch, &err), &err,
               "column 'price' is known ahead, and the horizon ends at row 5; it has 4 rows");
    close_view(&v);
    rd_series_free(s);
}

/* The other column began later: its first row is that of the windows. */
static void test_a_number_that_lacks_in_the_first_row_is_the_one_before_it(void **state)
{
    view v;
    rd_error err;
    rd_series *s = series_of(4, 1, VALUES(10, NONE, 12, 13));
    open_view(&v, *state,
              &(rd_window_form){.series = s,
                                .rule = RD_MISSING_PREVIOUS,
                                .input = 2,
                                .horizon = 1,
                                .steps = 2,
                                .features = &value,
                                .n_features = 1});
    const rd_window at = {.begin = 1, .end = 4, .origin = 2};
    OK(rd_window_read(&v.form, &at, &v.batch, &err));
    test_expect(v.batch.x, SHAPE(1, 2, 1), VALUES(10, 12));
    close_view(&v);
    rd_series_free(s);
}

/* A number of a row that is not there, of a feature known ahead, is missing. */
static void test_rows_behind_the_last_are_missing(void **state)
{
    view v;
    rd_series *s = series_of(3, 1, VALUES(10, 11, 12));
    const rd_feature missing = {.kind = RD_FEATURE_MISSING, .known = true};
    open_view(&v, *state,
              &(rd_window_form){.series = s,
                                .input = 2,
                                .horizon = 2,
                                .steps = 3,
                                .features = &missing,
                                .n_features = 1});
    read_view(&v, 3, 1);
    test_expect(v.batch.x, SHAPE(1, 3, 1), VALUES(0, 0, 1));
    close_view(&v);
    rd_series_free(s);
}

/* Columns of a series change behind the origin: x has the same bits. */
static void test_nothing_behind_the_origin_has_a_part_in_x(void **state)
{
    view v;
    rd_series *s = series_of(8, 1, VALUES(1, 2, NONE, 4, NONE, 16, 32, 64));
    const rd_stage stages[] = {{.kind = RD_STAGE_LOG}, {.kind = RD_STAGE_DIFFERENCE, .a = 1}};
    const rd_feature feature = {.stages = stages, .n_stages = 2, .name = "a"};
    rd_real before[3], after[3];
    open_view(&v, *state,
              &(rd_window_form){.series = s,
                                .rule = RD_MISSING_INTERPOLATE,
                                .input = 3,
                                .horizon = 2,
                                .steps = 3,
                                .features = &feature,
                                .n_features = 1,
                                .targets = &feature,
                                .n_targets = 1});
    read_view(&v, 8, 4);
    rd_tensor_read(v.batch.x, before);
    for (int row = 5; row < 8; row++) rd_series_column(s, 0)[row] = 1000 + row;
    read_view(&v, 8, 4);
    rd_tensor_read(v.batch.x, after);
    assert_memory_equal(before, after, sizeof(before));
    close_view(&v);
    rd_series_free(s);
}

static void test_stretches_of_rows_are_filled_as_at_their_last(void **state)
{
    rd_error err;
    rd_tensor *x = NULL;
    rd_series *s = series_of(5, 2, VALUES(10, 1, NONE, 2, 14, 3, NONE, 4, 50, 5));
    const uint32_t columns[] = {1, 0};
    OK(rd_tensor_new(*state, 2, (size_t[]){3, 2}, RD_DENSE, &x, &err));
    rd_series_part part = {.columns = columns, .from = 1, .rule = RD_MISSING_INTERPOLATE};
    OK(rd_series_values(s, &part, x, &err));
    test_expect(x, SHAPE(3, 2), VALUES(2, 12, 3, 14, 4, 14));
    OK(rd_set_requires_grad(x, true, &err));
    assert_int_not_equal(rd_series_values(s, &part, x, &err), RD_OK);
    RELEASE(x);
    rd_series_free(s);
}

/* ---- stages ---- */

static const rd_stage log_of[] = {{.kind = RD_STAGE_LOG, .a = 1}};

static void test_stages_bring_a_column_to_the_scale_of_a_model(void **state)
{
    view v;
    rd_series *s = series_of(4, 1, VALUES(1, 3, 7, 15));
    const rd_stage affine = {.kind = RD_STAGE_AFFINE, .a = 3, .b = 4},
                   root = {.kind = RD_STAGE_BOX_COX, .a = 1, .b = 0.5},
                   log_too = {.kind = RD_STAGE_BOX_COX, .a = 1, .b = 0},
                   back_2 = {.kind = RD_STAGE_DIFFERENCE, .a = 2};
    const rd_feature features[] = {{.stages = &affine, .n_stages = 1, .name = "a"},
                                   {.stages = log_of, .n_stages = 1, .name = "a"},
                                   {.stages = &root, .n_stages = 1, .name = "a"},
                                   {.stages = &log_too, .n_stages = 1, .name = "a"},
                                   {.stages = &back_2, .n_stages = 1, .name = "a"}};
    open_view(&v, *state,
              &(rd_window_form){.series = s,
                                .input = 2,
                                .horizon = 1,
                                .steps = 2,
                                .features = features,
                                .n_features = 5});
    read_view(&v, 4, 3);
    test_expect_near(v.batch.x,
                     VALUES(1, log(8), 2 * (sqrt(8) - 1), log(8), 6, /* of 7 */
                            3, log(16), 2 * (sqrt(16) - 1), log(16), 12),
                     1e-6);
    close_view(&v);
    rd_series_free(s);
}

static void stage_fails(rd_core *core, const rd_window_form *form, uint64_t origin,
                        const char *sentence)
{
    view v;
    rd_error err;
    open_view(&v, core, form);
    const rd_window at = {.begin = 1, .end = 5, .origin = origin};
    test_fails(rd_window_read(&v.form, &at, &v.batch, &err), &err, sentence);
    close_view(&v);
}

static void test_a_number_without_a_logarithm_is_named_in_x_and_in_y(void **state)
{
    rd_series *s = series_of(5, 1, VALUES(9, 1, 2, -1, 4));
    const rd_feature feature = {.stages = log_of, .n_stages = 1, .name = "sales"};
    const char *sentence =
        "column 'sales', row 3: -1 with the offset is not above 0 and has no logarithm; give "
        "LogScaler { offset = a number that makes all of the column's positive }";
    rd_window_form form = {.series = s,
                           .input = 1,
                           .horizon = 1,
                           .steps = 1,
                           .features = &feature,
                           .n_features = 1,
                           .targets = &feature,
                           .n_targets = 1};
    stage_fails(*state, &form, 3, sentence);
    stage_fails(*state, &form, 2, sentence);
    rd_series_free(s);
}

/* ---- and back ---- */

/* What the targets were made of comes out again. */
static void check_round_trip(rd_core *core, const rd_stage *stages, uint32_t n)
{
    enum { HORIZON = 5, ORIGIN = 9, ROWS = 15 };
    view v;
    rd_error err;
    rd_real read[HORIZON];
    double back[HORIZON];
    rd_series *s = series_of(ROWS, 1, NULL);
    for (int i = 0; i < ROWS; i++) rd_series_column(s, 0)[i] = i == 8 ? NONE : 10 + i + i % 3;
    const rd_feature target = {.stages = stages, .n_stages = n, .name = "a"};
    open_view(&v, core,
              &(rd_window_form){.series = s,
                                .rule = RD_MISSING_PREVIOUS,
                                .input = 1,
                                .horizon = HORIZON,
                                .steps = 1,
                                .features = &value,
                                .n_features = 1,
                                .targets = &target,
                                .n_targets = 1});
    read_view(&v, ROWS, ORIGIN);
    rd_tensor_read(v.batch.y, read);
    for (int i = 0; i < HORIZON; i++) back[i] = read[i];
    const rd_window at = {.end = ROWS, .origin = ORIGIN};
    OK(rd_window_invert(&v.form, &target, &at, back, HORIZON, &err));
    for (int i = 0; i < HORIZON; i++)
        assert_true(fabs(back[i] - rd_series_column(s, 0)[ORIGIN + 1 + i]) < 1e-4);
    close_view(&v);
    rd_series_free(s);
}

static void test_stages_go_back_to_the_scale_of_the_column(void **state)
{
    const rd_stage several[] = {{.kind = RD_STAGE_LOG, .a = 1},
                                {.kind = RD_STAGE_DIFFERENCE, .a = 3},
                                {.kind = RD_STAGE_AFFINE, .a = 0.5, .b = 2},
                                {.kind = RD_STAGE_DIFFERENCE, .a = 1}};
    const rd_stage root = {.kind = RD_STAGE_BOX_COX, .a = 1, .b = 0.5},
                   log_too = {.kind = RD_STAGE_BOX_COX, .a = 1};
    check_round_trip(*state, several, 4);
    check_round_trip(*state, &root, 1);
    check_round_trip(*state, &log_too, 1);
    check_round_trip(*state, NULL, 0);
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_window_ends_at_its_origin),
        TEST(test_truth_that_is_missing_has_no_weight),
        TEST(test_missing_numbers_are_filled_from_what_is_known),
        TEST(test_a_number_is_known_as_its_window_has_it),
        TEST(test_what_is_known_ahead_goes_on_behind_the_origin),
        TEST(test_a_feature_that_is_not_known_far_enough_is_refused),
        TEST(test_a_number_that_lacks_in_the_first_row_is_the_one_before_it),
        TEST(test_rows_behind_the_last_are_missing),
        TEST(test_nothing_behind_the_origin_has_a_part_in_x),
        TEST(test_stretches_of_rows_are_filled_as_at_their_last),
        TEST(test_stages_bring_a_column_to_the_scale_of_a_model),
        TEST(test_a_number_without_a_logarithm_is_named_in_x_and_in_y),
        TEST(test_stages_go_back_to_the_scale_of_the_column),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
