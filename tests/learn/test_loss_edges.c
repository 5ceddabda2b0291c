/* test_loss_edges.c - losses at their edges: many classes, nothing that counts, weights of 0, wrong numbers.
 * SPDX-License-Identifier: MIT */
#include "rondo_forecast.h"
#include "support/tensors.h"

#include <math.h>

#define NEAR (sizeof(rd_real) == sizeof(double) ? 1e-13 : 3e-6)
#define NONE ((double)NAN)

static double value_of(rd_tensor *loss)
{
    rd_real value;
    assert_int_equal(rd_tensor_numel(loss), 1);
    rd_tensor_read(loss, &value);
    rd_tensor_release(loss);
    return value;
}

/* ---- cross entropy ---- */

enum { CLASSES = 37 }; /* more than two times the lanes of a sum, and a rest */

/* keep w_y (-log p_y) + spread sum_j w_j (-log p_j), by libm. */
static double smoothed(const rd_real *x, const rd_real *w, size_t id, double smoothing)
{
    double sum = 0, all = 0;
    for (int j = 0; j < CLASSES; j++) sum += exp((double)x[j]);
    for (int j = 0; j < CLASSES; j++) all += (double)w[j] * (log(sum) - (double)x[j]);
    return (1 - smoothing) * (double)w[id - 1] * (log(sum) - (double)x[id - 1]) +
           smoothing / CLASSES * all;
}

static void test_smoothed_entropy_of_many_classes_is_the_formula(void **state)
{
    rd_error err;
    rd_real x[CLASSES], w[CLASSES];
    rd_tensor *loss = NULL, *logits = test_leaf(*state, SHAPE(1, CLASSES), RD_DENSE, 3);
    rd_tensor *weights = test_leaf(*state, SHAPE(CLASSES), RD_DENSE, 4);
    rd_tensor *id = test_tensor(*state, SHAPE(1), VALUES(20));
    OK(rd_set_requires_grad(weights, false, &err));
    rd_tensor_read(weights, w);
    for (int j = 0; j < CLASSES; j++) w[j] += 1;
    OK(rd_tensor_write(weights, w, &err));
    rd_tensor_read(logits, x);
    const rd_entropy how = {
        .reduction = RD_TOTAL, .label_smoothing = 0.2, .class_weights = weights};
    OK(rd_cross_entropy_with(logits, id, &how, &loss, NULL, &err));
    test_expect_near(loss, VALUES(smoothed(x, w, 20, 0.2)), NEAR);
    RELEASE(loss, logits, weights, id);
}

static void test_entropy_of_one_row_without_a_batch(void **state)
{
    rd_error err;
    rd_tensor *loss = NULL, *logits = test_tensor(*state, SHAPE(3), VALUES(0, 0, 0));
    rd_tensor *id = test_tensor(*state, 0, NULL, VALUES(2));
    OK(rd_cross_entropy(logits, id, RD_PER_BATCH, &loss, NULL, &err));
    assert_true(fabs(value_of(loss) - log(3)) < NEAR);
    RELEASE(logits, id);
}

static void entropy_fails(rd_core *core, const rd_entropy *how, const char *sentence)
{
    rd_error err;
    rd_tensor *loss = NULL, *logits = test_tensor(core, SHAPE(1, 2), VALUES(0, 1));
    rd_tensor *id = test_tensor(core, SHAPE(1), VALUES(2));
    test_fails(rd_cross_entropy_with(logits, id, how, &loss, NULL, &err), &err, sentence);
    assert_null(loss);
    RELEASE(logits, id);
}

static void test_smoothing_and_weights_out_of_range_are_named(void **state)
{
    rd_tensor *matrix = test_tensor(*state, SHAPE(1, 2), VALUES(1, 1));
    entropy_fails(*state, &(rd_entropy){.label_smoothing = -0.5},
                  "cross_entropy: label_smoothing must be at least 0 and below 1, got -0.5");
    entropy_fails(*state, &(rd_entropy){.label_smoothing = 1},
                  "cross_entropy: label_smoothing must be at least 0 and below 1, got 1");
    entropy_fails(*state, &(rd_entropy){.class_weights = matrix},
                  "cross_entropy: class_weights must be one number for each of 2 classes, got "
                  "(1, 2)");
    RELEASE(matrix);
}

static void test_logits_of_no_class_are_refused(void **state)
{
    rd_error err;
    rd_loss_total total;
    rd_tensor *loss = NULL, *logits = test_tensor(*state, SHAPE(1, 0), NULL);
    rd_tensor *id = test_tensor(*state, SHAPE(1), VALUES(0));
    test_fails(rd_cross_entropy(logits, id, RD_MEAN, &loss, NULL, &err), &err,
               "cross_entropy: expected logits (..., classes) and ids (...), got (1, 0) and (1)");
    test_fails(rd_count_hits(logits, id, 1, &total, &err), &err,
               "metric: expected logits (..., classes) and ids (...), got (1, 0) and (1)");
    RELEASE(logits, id);
}

static void test_figures_of_ids_that_are_none_are_refused(void **state)
{
    rd_error err;
    rd_loss_total total;
    rd_class_count counts[2] = {{0}};
    rd_tensor *logits = test_tensor(*state, SHAPE(1, 2), VALUES(0, 1));
    rd_tensor *id = test_tensor(*state, SHAPE(1), VALUES(3));
    assert_int_equal(rd_count_hits(logits, id, 1, &total, &err), RD_E_ARG);
    assert_int_equal(rd_count_classes(logits, id, counts, &err), RD_E_ARG);
    assert_int_equal(counts[1].guessed, 0);
    RELEASE(logits, id);
}

/* ---- nothing that counts ---- */

/* The loss is 0, and backward adds nothing to a gradient that is there. */
static void check_nothing(rd_tensor *leaf, rd_tensor *loss, const rd_loss_total *total)
{
    rd_error err;
    assert_true(total->count == 0 && total->sum == 0);
    OK(rd_backward(loss, NULL, false, &err));
    assert_true(value_of(loss) == 0);
    if (rd_grad(leaf)) assert_true(rd_norm(rd_grad(leaf)) == 0);
}

static void test_losses_of_weight_0_everywhere_have_no_gradient(void **state)
{
    rd_error err;
    rd_loss_total total;
    rd_tensor *loss = NULL, *y = test_leaf(*state, SHAPE(2, 2), RD_DENSE, 1);
    rd_tensor *target = test_tensor(*state, SHAPE(2, 2), VALUES(NONE, 1, 2, NONE));
    rd_tensor *one = test_tensor(*state, SHAPE(2), VALUES(NONE, 1));
    rd_tensor *weight = test_tensor(*state, SHAPE(1), VALUES(0));
    OK(rd_pointwise_loss(y, target, &(rd_pointwise){.weight = weight}, &loss, &total, &err));
    check_nothing(y, loss, &total);
    OK(rd_cosine_loss(y, target, &(rd_row_loss){.weight = weight}, &loss, &total, &err));
    check_nothing(y, loss, &total);
    const rd_likelihood how = {.kind = RD_GAUSSIAN, .weight = weight};
    OK(rd_likelihood_loss(y, one, &how, &loss, &total, &err));
    check_nothing(y, loss, &total);
    RELEASE(y, target, one, weight);
}

static void test_losses_of_empty_tensors_are_0(void **state)
{
    rd_error err;
    rd_loss_total total;
    rd_tensor *loss = NULL, *y = test_leaf(*state, SHAPE(0, 2), RD_DENSE, 1);
    rd_tensor *flat = test_leaf(*state, SHAPE(2, 0), RD_DENSE, 1);
    rd_tensor *target = test_tensor(*state, SHAPE(0, 2), NULL);
    rd_tensor *none = test_tensor(*state, SHAPE(2, 0), NULL);
    rd_tensor *ids = test_tensor(*state, SHAPE(0), NULL);
    OK(rd_cross_entropy(y, ids, RD_PER_BATCH, &loss, &total, &err));
    check_nothing(y, loss, &total);
    OK(rd_mse(y, target, RD_MEAN, &loss, &total, &err));
    check_nothing(y, loss, &total);
    OK(rd_cosine_loss(y, target, &(rd_row_loss){0}, &loss, &total, &err));
    check_nothing(y, loss, &total);
    OK(rd_cosine_loss(flat, none, &(rd_row_loss){0}, &loss, &total, &err));
    check_nothing(flat, loss, &total);
    OK(rd_likelihood_loss(y, ids, &(rd_likelihood){.kind = RD_GAUSSIAN}, &loss, &total, &err));
    check_nothing(y, loss, &total);
    RELEASE(y, flat, target, none, ids);
}

/* ---- weights of 0 among others ---- */

static void test_a_row_of_weight_0_has_no_part_in_a_cosine_loss(void **state)
{
    rd_error err;
    rd_loss_total total;
    rd_tensor *loss = NULL, *y = test_tensor(*state, SHAPE(2, 2), VALUES(1, 0, NONE, 0));
    rd_tensor *target = test_tensor(*state, SHAPE(2, 2), VALUES(0, 2, 1, NONE));
    rd_tensor *weight = test_tensor(*state, SHAPE(2), VALUES(2, 0));
    OK(rd_set_requires_grad(y, true, &err));
    OK(rd_cosine_loss(y, target, &(rd_row_loss){.weight = weight}, &loss, &total, &err));
    assert_true(total.count == 2 && total.sum == 2); /* 1 - cos 90 degrees, twice */
    OK(rd_backward(loss, NULL, false, &err));
    assert_true(value_of(loss) == 1);
    test_expect(rd_grad(y), SHAPE(2, 2), VALUES(0, -1, 0, 0));
    RELEASE(y, target, weight);
}

static void test_a_loss_without_gradients_records_nothing(void **state)
{
    rd_error err;
    rd_tensor *loss = NULL, *y = test_tensor(*state, SHAPE(1, 2), VALUES(3, 4));
    OK(rd_cosine_loss(y, y, &(rd_row_loss){0}, &loss, NULL, &err));
    assert_false(rd_requires_grad(loss));
    assert_true(fabs(value_of(loss)) < NEAR);
    RELEASE(y);
}

static void test_a_cosine_of_numbers_without_rows_is_refused(void **state)
{
    rd_error err;
    rd_tensor *loss = NULL, *y = NULL;
    OK(rd_scalar(*state, 1, &y, &err));
    test_fails(rd_cosine_loss(y, y, &(rd_row_loss){0}, &loss, NULL, &err), &err,
               "cosine_loss: expected two tensors (..., features) of one shape, got () and ()");
    RELEASE(y);
}

/* ---- numbers to draw from ---- */

static const rd_stream stream = {.seed = 7, .purpose = RD_FOR_PATHS};

/* One number of one row. */
static double drawn(rd_core *core, rd_likelihood_kind kind, size_t width, const double *row)
{
    rd_error err;
    rd_tensor *out = NULL, *y = test_tensor(core, SHAPE(1, width), row);
    const rd_path_key key = {0};
    const rd_draws how = {.kind = kind, .stream = stream, .keys = &key, .n_keys = 1};
    OK(rd_draw_likelihood(y, &how, &out, &err));
    rd_tensor_release(y);
    return value_of(out);
}

static void test_parameters_of_no_distribution_give_nan(void **state)
{
    const double large = (double)INFINITY;
    assert_true(isnan(drawn(*state, RD_GAUSSIAN, 2, VALUES(large, 1))));
    assert_true(isnan(drawn(*state, RD_GAUSSIAN, 2, VALUES(0, large))));
    assert_true(isnan(drawn(*state, RD_GAUSSIAN, 2, VALUES(0, 0))));
    assert_true(isnan(drawn(*state, RD_STUDENT_T, 3, VALUES(0, -1, 3))));
    assert_true(isnan(drawn(*state, RD_STUDENT_T, 3, VALUES(0, 1, large))));
    assert_true(isnan(drawn(*state, RD_STUDENT_T, 3, VALUES(0, 1, 0))));
    assert_true(isnan(drawn(*state, RD_NEGATIVE_BINOMIAL, 2, VALUES(0, 1))));
    assert_true(isnan(drawn(*state, RD_NEGATIVE_BINOMIAL, 2, VALUES(NONE, 1))));
}

/* Where a double has no whole numbers between, a Poisson's mean is what it gives. */
static void test_counts_beyond_whole_numbers_are_their_mean(void **state)
{
    const double got = drawn(*state, RD_NEGATIVE_BINOMIAL, 2, VALUES(1e18, 1e-6));
    assert_true(fabs(got / 1e18 - 1) < 0.02); /* 20 deviations of the gamma: 1e-3 of the mean */
}

static void draw_fails(rd_core *core, uint32_t ndim, const size_t *shape, size_t n_keys,
                       const char *sentence)
{
    rd_error err;
    rd_path_key keys[4] = {{0}};
    rd_tensor *out = NULL, *y = NULL;
    OK(rd_tensor_new(core, ndim, shape, RD_DENSE, &y, &err));
    const rd_draws how = {.kind = RD_GAUSSIAN, .stream = stream, .keys = keys, .n_keys = n_keys};
    test_fails(rd_draw_likelihood(y, &how, &out, &err), &err, sentence);
    RELEASE(y);
}

static void test_wrong_shapes_and_keys_of_draws_are_named(void **state)
{
    draw_fails(*state, SHAPE(2), 2, "draw: expected (rows, 2) or (rows, targets, 2), got (2)");
    draw_fails(*state, SHAPE(1, 1, 1, 2), 1,
               "draw: expected (rows, 2) or (rows, targets, 2), got (1, 1, 1, 2)");
    draw_fails(*state, SHAPE(2, 3), 2,
               "draw: expected (rows, 2) or (rows, targets, 2), got (2, 3)");
    draw_fails(*state, SHAPE(2, 2), 3, "draw: 3 keys do not go evenly with 2 rows");
    draw_fails(*state, SHAPE(0, 2), 3, "draw: 3 keys do not go evenly with 0 rows");
}

static void test_no_rows_have_no_draws(void **state)
{
    rd_error err;
    rd_tensor *out = NULL, *y = test_tensor(*state, SHAPE(0, 2), NULL);
    OK(rd_draw_likelihood(y, &(rd_draws){.kind = RD_GAUSSIAN, .stream = stream}, &out, &err));
    assert_int_equal(rd_tensor_numel(out), 0);
    RELEASE(out, y);
}

static void path_fails(rd_core *core, uint32_t ndim, const size_t *shape, size_t n,
                       const char *sentence)
{
    rd_error err;
    rd_tensor *out = NULL, *x = NULL;
    OK(rd_tensor_new(core, ndim, shape, RD_DENSE, &x, &err));
    test_fails(rd_path_quantiles(x, n, VALUES(0.5), 1, &out, &err), &err, sentence);
    RELEASE(x);
}

static void test_wrong_shapes_of_paths_are_named(void **state)
{
    path_fails(*state, SHAPE(4), 2, "path_quantiles: expected (windows times 2, targets), got (4)");
    path_fails(*state, SHAPE(4, 1), 0,
               "path_quantiles: expected (windows times 0, targets), got (4, 1)");
    path_fails(*state, SHAPE(4, 1), 3,
               "path_quantiles: expected (windows times 3, targets), got (4, 1)");
}

static void quantiles_fail(rd_core *core, const double *levels, size_t n, const char *sentence)
{
    rd_error err;
    rd_tensor *loss = NULL, *y = test_tensor(core, SHAPE(1, 2), VALUES(0, 1));
    rd_tensor *target = test_tensor(core, SHAPE(1), VALUES(0));
    const rd_likelihood how = {.kind = RD_QUANTILES, .quantiles = levels, .n_quantiles = n};
    test_fails(rd_likelihood_loss(y, target, &how, &loss, NULL, &err), &err, sentence);
    RELEASE(y, target);
}

static void test_wrong_quantiles_are_named(void **state)
{
    quantiles_fail(*state, VALUES(0, 0.5), 2,
                   "quantile_loss: quantiles lie between 0 and 1, got 0");
    quantiles_fail(*state, VALUES(0.5, 1), 2,
                   "quantile_loss: quantiles lie between 0 and 1, got 1");
    quantiles_fail(*state, VALUES(0.5), 0,
                   "quantile_loss: expected an output (..., 0) and a target (...), got (1, 2) and "
                   "(1)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smoothed_entropy_of_many_classes_is_the_formula),
        cmocka_unit_test(test_entropy_of_one_row_without_a_batch),
        cmocka_unit_test(test_smoothing_and_weights_out_of_range_are_named),
        cmocka_unit_test(test_logits_of_no_class_are_refused),
        cmocka_unit_test(test_figures_of_ids_that_are_none_are_refused),
        cmocka_unit_test(test_losses_of_weight_0_everywhere_have_no_gradient),
        cmocka_unit_test(test_losses_of_empty_tensors_are_0),
        cmocka_unit_test(test_a_row_of_weight_0_has_no_part_in_a_cosine_loss),
        cmocka_unit_test(test_a_loss_without_gradients_records_nothing),
        cmocka_unit_test(test_a_cosine_of_numbers_without_rows_is_refused),
        cmocka_unit_test(test_parameters_of_no_distribution_give_nan),
        cmocka_unit_test(test_counts_beyond_whole_numbers_are_their_mean),
        cmocka_unit_test(test_wrong_shapes_and_keys_of_draws_are_named),
        cmocka_unit_test(test_no_rows_have_no_draws),
        cmocka_unit_test(test_wrong_shapes_of_paths_are_named),
        cmocka_unit_test(test_wrong_quantiles_are_named),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
