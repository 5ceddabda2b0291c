/* test_memory_faults_learn.c - whichever allocation gets nothing: losses, draws, optimizers, columns.
 * SPDX-License-Identifier: MIT */
#include "faults/every_step.h"
#include "rondo_forecast.h"
#include "rondo_series.h"

/* ---- losses ---- */

/* A tensor whose rows lie apart: what reads rows makes a copy first. */
static rd_status turned(rd_core *core, size_t rows, size_t width, rd_tensor **under,
                        rd_tensor **out, rd_error *err)
{
    rd_status status = new_leaf(core, RD_DENSE, SHAPE(width, rows), under, err);
    DO(rd_transpose(*under, 0, 1, out, err));
    return status;
}

static rd_status entropy(rd_core *core, work *t, rd_error *err)
{
    rd_status status = turned(core, 30, 5, &t->u, &t->x, err);
    DO(new_ids(core, 5, SHAPE(30), &t->ids, err));
    DO(new_leaf(core, RD_DENSE, SHAPE(10), &t->w, err));
    DO(rd_slice(t->w, 0, 0, 5, &t->b, err));
    DO(rd_cross_entropy(t->x, t->ids, RD_TOTAL, &t->loss, NULL, err));
    const rd_entropy how = {.label_smoothing = 0.1, .class_weights = t->b};
    DO(rd_cross_entropy_with(t->x, t->ids, &how, &t->y, NULL, err));
    DO(rd_backward(t->loss, NULL, false, err));
    return status;
}

static rd_status entropy_of_smoothed_targets(rd_core *core, work *t, rd_error *err)
{
    rd_status status = new_leaf(core, RD_SEQUENCE, SHAPE(2, 3, 5), &t->x, err);
    DO(new_ids(core, 5, SHAPE(2, 3), &t->ids, err));
    const rd_entropy how = {.label_smoothing = 0.1};
    DO(rd_cross_entropy_with(t->x, t->ids, &how, &t->y, NULL, err));
    DO(rd_backward(t->y, NULL, false, err));
    return status;
}

static rd_status pointwise(rd_core *core, work *t, rd_error *err)
{
    rd_status status = new_leaf(core, RD_SEQUENCE, SHAPE(2, 3, 9), &t->x, err);
    DO(new_leaf(core, RD_DENSE, SHAPE(2, 3, 9), &t->target, err));
    DO(new_leaf(core, RD_DENSE, SHAPE(2, 1, 1), &t->w, err));
    DO(rd_set_requires_grad(t->w, false, err));
    const rd_pointwise how = {.kind = RD_HUBER_ERROR, .delta = 0.1, .weight = t->w};
    DO(rd_pointwise_loss(t->x, t->target, &how, &t->loss, NULL, err));
    DO(rd_mse(t->x, t->target, RD_MEAN, &t->y, NULL, err));
    DO(rd_backward(t->loss, NULL, false, err));
    return status;
}

static rd_status cosine(rd_core *core, work *t, rd_error *err)
{
    rd_status status = new_leaf(core, RD_DENSE, SHAPE(20, 3), &t->x, err);
    DO(turned(core, 20, 3, &t->u, &t->target, err));
    DO(new_ids(core, 2, SHAPE(20), &t->w, err));
    const rd_row_loss how = {.weight = t->w};
    DO(rd_cosine_loss(t->x, t->target, &how, &t->loss, NULL, err));
    DO(rd_backward(t->loss, NULL, false, err));
    return status;
}

static rd_status likelihood(rd_core *core, work *t, rd_error *err)
{
    rd_status status = turned(core, 20, 3, &t->u, &t->x, err);
    DO(new_ids(core, 3, SHAPE(20), &t->target, err));
    DO(new_ids(core, 2, SHAPE(20), &t->w, err));
    const rd_likelihood how = {.kind = RD_STUDENT_T, .weight = t->w};
    DO(rd_likelihood_loss(t->x, t->target, &how, &t->loss, NULL, err));
    DO(rd_backward(t->loss, NULL, false, err));
    return status;
}

static rd_status figures(rd_core *core, work *t, rd_error *err)
{
    rd_loss_total total;
    rd_class_count counts[5] = {{0}};
    rd_status status = turned(core, 30, 5, &t->u, &t->x, err);
    DO(new_ids(core, 5, SHAPE(30), &t->ids, err));
    DO(rd_count_hits(t->x, t->ids, 2, &total, err));
    DO(rd_count_classes(t->x, t->ids, counts, err));
    return status;
}

/* ---- draws ---- */

static rd_status samples(rd_core *core, work *t, rd_error *err)
{
    const rd_stream stream = {.seed = 1, .purpose = RD_FOR_SAMPLE};
    const int32_t seen[] = {1, 2}, allowed[] = {1, 2, 3, 4};
    const rd_sampling how = {.temperature = 1,
                             .top_p = 0.9,
                             .top_k = 3,
                             .penalty = 1.5,
                             .seen = seen,
                             .n_seen = 2,
                             .allowed = allowed,
                             .n_allowed = 4};
    rd_status status = turned(core, 20, 5, &t->u, &t->x, err);
    DO(rd_sample(t->x, &how, &stream, &t->ids, err));
    DO(rd_adjust(t->x, &how, &t->y, err));
    DO(rd_top(t->x, 3, &t->many[0], &t->many[1], err));
    return status;
}

static rd_status paths(rd_core *core, work *t, rd_error *err)
{
    rd_path_key keys[12];
    for (uint32_t i = 0; i < 12; i++) keys[i] = (rd_path_key){.path = i};
    const rd_draws how = {.kind = RD_GAUSSIAN,
                          .stream = {.seed = 1, .purpose = RD_FOR_PATHS},
                          .keys = keys,
                          .n_keys = 12};
    rd_status status = turned(core, 2, 2, &t->u, &t->x, err);
    DO(rd_draw_likelihood(t->x, &how, &t->y, err));
    DO(rd_reshape(t->y, SHAPE(12, 1), &t->z, err));
    DO(rd_path_quantiles(t->z, 6, (double[]){0.1, 0.5}, 2, &t->loss, err));
    return status;
}

/* ---- gradients and what takes them ---- */

static rd_status squares(void *user, rd_tensor **out, rd_error *err)
{
    rd_tensor *x = user, *y = NULL;
    rd_status status = rd_apply2(RD_MUL, x, x, &y, err);
    DO(rd_sum(y, RD_ALL, false, out, err));
    rd_tensor_release(y);
    return status;
}

static rd_status differences(rd_core *core, work *t, rd_error *err)
{
    rd_gradient_report report;
    rd_status status = new_leaf(core, RD_DENSE, SHAPE(2), &t->x, err);
    const rd_gradient_check check = {.f = squares, .user = t->x, .parameters = &t->x, .n = 1};
    DO(rd_check_gradients(&check, &report, err));
    return status;
}

static rd_status optimizers(rd_core *core, work *t, rd_error *err)
{
    rd_status status = new_leaf(core, RD_DENSE, SHAPE(4, 4), &t->x, err);
    DO(squares(t->x, &t->loss, err));
    DO(rd_backward(t->loss, NULL, false, err));
    const rd_setting lr = {.name = "lr", .kind = RD_REAL, .value.r = 0.01};
    for (size_t k = 0; status == RD_OK && k < rd_optimizer_kind_count(); k++) {
        rd_optimizer *o = NULL;
        DO(rd_optimizer_new(rd_optimizer_kind_name(k), &lr, 1, &t->x, 1, &o, err));
        DO(rd_optimizer_step(o, err));
        rd_optimizer_free(o);
        rd_core_trim(core);
    }
    return status;
}

/* ---- columns ---- */

static rd_status columns(rd_core *core, work *t, rd_error *err)
{
    (void)core;
    (void)t;
    rd_series *s = NULL, *parted = NULL;
    uint64_t counts[2];
    rd_moments m;
    double median;
    rd_series_form form = {.rows = 100, .columns = 2, .folder = "/tmp", .most_bytes = 1 << 20};
    const rd_rows rows = {.n = 100};
    const rd_stretch of = {.rows = &rows, .n_rows = 1, .name = "a"};
    rd_status status = rd_series_new(&form, &s, err);
    for (int i = 0; status == RD_OK && i < 100; i++) rd_series_column(s, 1)[i] = i % 2;
    DO(rd_series_moments(s, &of, &m, err));
    DO(rd_series_quantile(s, &of, 0.5, &median, err));
    form.most_bytes = 0; /* in a file */
    DO(rd_series_group(s, &form, counts, 2, &parted, err));
    rd_series_free(parted);
    rd_series_free(s);
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STEP(entropy),     STEP(entropy_of_smoothed_targets),
        STEP(pointwise),   STEP(cosine),
        STEP(likelihood),  STEP(figures),
        STEP(samples),     STEP(paths),
        STEP(differences), STEP(optimizers),
        STEP(columns),
    };
    return cmocka_run_group_tests(tests, open_numbers, close_numbers);
}
