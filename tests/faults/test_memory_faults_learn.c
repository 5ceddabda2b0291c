/* test_memory_faults_learn.c - whichever allocation gets nothing: losses, layers, optimizers, draws.
 * SPDX-License-Identifier: MIT */
#include "faults/every_operation.h"
#include "rondo_check.h"
#include "rondo_forecast.h"

static const rd_stream stream = {.seed = 5, .purpose = RD_FOR_USER};
typedef rd_tensor *const tensor;

/* ---- losses: y is x, (2, 3, 4) ---- */

static rd_status cross_entropy(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_loss_total total;
    const rd_entropy how = {.label_smoothing = 0.1, .class_weights = in->vector};
    rd_set_requires_grad(in->vector, false, err);
    return rd_cross_entropy_with(in->x, in->ids, &how, out, &total, err);
}
static rd_status pointwise(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_loss_total total;
    const rd_pointwise how = {.kind = RD_HUBER_ERROR, .delta = 0.1, .weight = in->vector};
    rd_tensor *target = NULL;
    rd_status status = rd_set_requires_grad(in->vector, false, err);
    DO(rd_apply1(RD_NEG, in->x, &target, err));
    DO(rd_pointwise_loss(in->x, target, &how, out, &total, err));
    RELEASE(target);
    return status;
}
static rd_status mse_against_a_row(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_loss_total total;
    rd_tensor *target = NULL;
    rd_status status = rd_contiguous(in->x, RD_DENSE, &target, err);
    DO(rd_mse(in->x, target, RD_PER_BATCH, out, &total, err));
    RELEASE(target);
    return status;
}
static rd_status cosine(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_loss_total total;
    rd_tensor *target = NULL;
    rd_status status = rd_contiguous(in->x, RD_DENSE, &target, err);
    DO(rd_cosine_loss(in->x, target, &(rd_row_loss){.weight = in->ids}, out, &total, err));
    RELEASE(target);
    return status;
}
/* Mean and scale of each of six numbers. */
static rd_status pairs(const inputs *in, rd_tensor **y, rd_tensor **target, rd_error *err)
{
    rd_status status = rd_slice(in->x, 2, 0, 2, y, err);
    DO(rd_detach(in->ids, target, err));
    return status;
}
static rd_status gaussian(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_loss_total total;
    rd_tensor *y = NULL, *target = NULL;
    rd_status status = pairs(in, &y, &target, err);
    const rd_likelihood how = {.kind = RD_GAUSSIAN, .weight = in->ids};
    DO(rd_likelihood_loss(y, target, &how, out, &total, err));
    RELEASE(y, target);
    return status;
}
static rd_status quantiles(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_loss_total total;
    rd_tensor *y = NULL, *target = NULL;
    rd_status status = pairs(in, &y, &target, err);
    const rd_likelihood how = {
        .kind = RD_QUANTILES, .quantiles = (double[]){0.1, 0.9}, .n_quantiles = 2};
    DO(rd_likelihood_loss(y, target, &how, out, &total, err));
    RELEASE(y, target);
    return status;
}
static rd_status hits_and_classes(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_loss_total total;
    rd_class_count counts[THIRD] = {{0}};
    (void)out;
    rd_status status = rd_count_hits(in->x, in->ids, 2, &total, err);
    DO(rd_count_classes(in->x, in->ids, counts, err));
    return status;
}

/* ---- draws ---- */

static rd_status draw_of_a_distribution(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL;
    const rd_path_key keys[FIRST] = {{0, 0}, {1, 0}};
    const rd_draws how = {.kind = RD_GAUSSIAN, .stream = stream, .keys = keys, .n_keys = FIRST};
    rd_status status = rd_slice(in->x, 2, 0, 2, &y, err);
    DO(rd_draw_likelihood(y, &how, out, err));
    RELEASE(y);
    return status;
}
static rd_status quantiles_of_paths(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_path_quantiles(in->matrix, FOURTH, (double[]){0.5}, 1, out, err);
}
static rd_status sample(const inputs *in, rd_tensor **out, rd_error *err)
{
    const rd_sampling how = {.temperature = 1,
                             .top_k = 3,
                             .typical_p = 0.9,
                             .top_p = 0.9,
                             .min_p = 0.01,
                             .penalty = 1.1,
                             .seen = (int32_t[]){1},
                             .n_seen = 1,
                             .bias = &(rd_bias){.id = 2, .value = 1},
                             .n_bias = 1,
                             .allowed = (int32_t[]){1, 2, 3},
                             .n_allowed = 3};
    return rd_sample(in->matrix, &how, &stream, out, err);
}
static rd_status adjust_and_rank(const inputs *in, rd_tensor **out, rd_error *err)
{
    const rd_sampling how = {.top_p = 1, .penalty = 1.5, .seen = (int32_t[]){1}, .n_seen = 1};
    rd_tensor *adjusted = NULL, *values = NULL;
    rd_status status = rd_adjust(in->matrix, &how, &adjusted, err);
    DO(rd_top(adjusted, 2, out, &values, err));
    RELEASE(adjusted, values);
    return status;
}

/* ---- recurrent layers ---- */

static rd_status layer(const inputs *in, const char *cell, rd_rnn **out, rd_error *err)
{
    const rd_rnn_config config = {.cell = cell,
                                  .input_size = THIRD,
                                  .hidden_size = THIRD,
                                  .bias = 2,
                                  .seed = 1,
                                  .layer = 1,
                                  .label = cell,
                                  .input_dropout = 0.1,
                                  .recurrent_dropout = 0.1};
    return rd_rnn_new(in->core, &config, out, err);
}
static rd_status given_states(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_status status = rd_select(in->x, 1, 0, &out[0], err);
    DO(rd_select(in->x, 1, 1, &out[1], err));
    return status;
}
static rd_status lstm(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_rnn *rnn = NULL;
    rd_tensor *states[2] = {NULL, NULL}, *final[2] = {NULL, NULL}, *y = NULL;
    rd_status status = layer(in, "lstm", &rnn, err);
    DO(given_states(in, states, err));
    const rd_rnn_input how = {
        .x = in->x, .states = states, .training = true, .reverse = true, .mask = in->ids};
    DO(rd_rnn_run(rnn, &how, &y, final, err));
    DO(rd_pool_time(y, NULL, RD_POOL_LAST, out, err));
    RELEASE(states[0], states[1], final[0], final[1], y);
    rd_rnn_release(rnn);
    return status;
}
static rd_status gru_with_resets(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_rnn *rnn = NULL;
    rd_tensor *y = NULL, *resets = NULL, *first = in->vector;
    const rd_real here[FIRST * SECOND] = {0, 1, 0, 0, 0, 1};
    rd_status status = layer(in, "gru", &rnn, err);
    DO(rd_tensor_new(in->core, SHAPE(FIRST, SECOND), RD_DENSE, &resets, err));
    DO(rd_tensor_write(resets, here, err));
    DO(rd_rnn_run(rnn, &(rd_rnn_input){.x = in->x, .first = &first, .resets = resets}, &y, NULL,
                  err));
    DO(rd_mean(y, 1, false, out, err));
    RELEASE(y, resets);
    rd_rnn_release(rnn);
    return status;
}
static rd_status gru_of_ids(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_rnn *rnn = NULL;
    rd_tensor *hot = NULL;
    rd_status status = layer(in, "gru", &rnn, err);
    DO(rd_one_hot(in->ids, THIRD, &hot, err));
    DO(rd_rnn_forward(rnn, hot, NULL, out, NULL, err));
    RELEASE(hot);
    rd_rnn_release(rnn);
    return status;
}
/* With few rows and several threads they run at once, a chunk of steps apart. */
static rd_status stack(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_rnn *rnn[2] = {NULL, NULL};
    rd_tensor *x = NULL, *y[2] = {NULL, NULL}, *final[2] = {NULL, NULL};
    rd_status status = operation_leaf(SHAPE(1, 80, THIRD), RD_SEQUENCE, &x, err);
    DO(layer(in, "gru", &rnn[0], err));
    DO(layer(in, "vanilla", &rnn[1], err));
    const rd_rnn_input how[2] = {{.x = x}, {.x = NULL}};
    DO(rd_rnn_run_all(rnn, how, 2, y, final, err));
    DO(rd_mean(y[1], 1, false, out, err));
    RELEASE(x, y[0], y[1], final[0], final[1]);
    rd_rnn_release(rnn[0]);
    rd_rnn_release(rnn[1]);
    return status;
}

/* ---- gradients and updates ---- */

static rd_status gradient(const inputs *in, rd_error *err)
{
    rd_tensor *loss = NULL;
    rd_status status = rd_sum(in->matrix, RD_ALL, false, &loss, err);
    DO(rd_backward(loss, NULL, false, err));
    RELEASE(loss);
    return status;
}
static rd_status clipped(const inputs *in, rd_tensor **out, rd_error *err)
{
    double norm;
    size_t bad;
    (void)out;
    rd_status status = gradient(in, err);
    const rd_clip how = {.kind = RD_NORM_1, .max_norm = 0.5};
    DO(rd_clip_grad_norm_by(&in->matrix, 1, &how, &norm, &bad, err));
    DO(rd_clip_grad_value(&in->matrix, 1, 0.1, err));
    return status;
}
/* Every kind there is. */
static rd_status optimizers(const inputs *in, rd_tensor **out, rd_error *err)
{
    (void)out;
    rd_status status = gradient(in, err);
    for (size_t i = 0; i < rd_optimizer_kind_count() && status == RD_OK; i++) {
        rd_optimizer *o = NULL;
        DO(rd_optimizer_new(rd_optimizer_kind_name(i), NULL, 0, &in->matrix, 1, &o, err));
        DO(rd_optimizer_step(o, err));
        rd_optimizer_free(o);
    }
    return status;
}
static rd_status sum_of(void *user, rd_tensor **out, rd_error *err)
{
    return rd_sum(user, RD_ALL, false, out, err);
}
static rd_status gradient_check(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_gradient_report report;
    const rd_gradient_check check = {
        .f = sum_of, .user = in->vector, .parameters = &in->vector, .n = 1};
    (void)out;
    return rd_check_gradients(&check, &report, err);
}

int main(void)
{
    static const operation each[] = {
        {"cross-entropy", cross_entropy},
        {"Huber's error", pointwise},
        {"squared error", mse_against_a_row},
        {"cosine", cosine},
        {"Gaussian", gaussian},
        {"quantiles", quantiles},
        {"hits and classes", hits_and_classes},
        {"draw of a distribution", draw_of_a_distribution},
        {"quantiles of paths", quantiles_of_paths},
        {"sample", sample},
        {"adjust and rank", adjust_and_rank},
        {"LSTM", lstm},
        {"GRU with resets", gru_with_resets},
        {"GRU of ids", gru_of_ids},
        {"stack", stack},
        {"clipped", clipped},
        {"optimizers", optimizers},
        {"gradient check", gradient_check},
    };
    return operations_main(each, sizeof(each) / sizeof(each[0]));
}
