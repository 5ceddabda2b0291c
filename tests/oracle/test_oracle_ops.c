/* test_oracle_ops.c - operations and losses against PyTorch (golden file "ops").
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

#include "oracle/golden.h"
#include <stdio.h>

static golden_file
    *file; /* of the group; opened by each test so that a missing one skips by name */

static rd_tensor *input(rd_core *core, const char *path)
{
    rd_error err;
    rd_tensor *t = golden_tensor(core, file, path, RD_DENSE);
    OK(rd_set_requires_grad(t, true, &err));
    return t;
}

/* Plays y backward from the cotangent at `path`, or from ones. */
static void play(rd_tensor *y, const char *path)
{
    rd_error err;
    rd_tensor *seed = NULL, *sum = NULL;
    if (path) {
        seed = golden_tensor(rd_tensor_core(y), file, path, RD_DENSE);
        OK(rd_backward(y, seed, false, &err));
    } else {
        OK(rd_sum(y, RD_ALL, false, &sum, &err));
        OK(rd_backward(sum, NULL, false, &err));
    }
    rd_tensor_release(sum);
    rd_tensor_release(seed);
}

static void activation(rd_core *core, rd_unary op, const char *name)
{
    rd_error err;
    char path[2][128];
    file = golden_open("ops");
    rd_tensor *y = NULL, *const x = input(core, "activation/x");
    snprintf(path[0], sizeof path[0], "activation/%s/y", name);
    snprintf(path[1], sizeof path[1], "activation/%s/dx", name);
    OK(rd_apply1(op, x, &y, &err));
    play(y, NULL);
    golden_check(file, path[0], y, RD_DENSE);
    golden_check(file, path[1], rd_grad(x), RD_DENSE);
    rd_tensor_release(y);
    rd_tensor_release(x);
    golden_close(file);
}

static void test_oracle_relu(void **state)
{
    activation(*state, RD_RELU, "relu");
}

static void test_oracle_sigmoid(void **state)
{
    activation(*state, RD_SIGMOID, "sigmoid");
}

static void test_oracle_tanh(void **state)
{
    activation(*state, RD_TANH, "tanh");
}

static void test_oracle_softplus(void **state)
{
    activation(*state, RD_SOFTPLUS, "softplus");
}

static void softmax(rd_core *core, bool log, const char *name)
{
    rd_error err;
    char path[2][128];
    file = golden_open("ops");
    rd_tensor *y = NULL, *const x = input(core, "softmax/x");
    snprintf(path[0], sizeof path[0], "softmax/%s/y", name);
    snprintf(path[1], sizeof path[1], "softmax/%s/dx", name);
    OK(rd_softmax(x, 1, log, &y, &err));
    play(y, "softmax/dy");
    golden_check(file, path[0], y, RD_DENSE);
    golden_check(file, path[1], rd_grad(x), RD_DENSE);
    rd_tensor_release(y);
    rd_tensor_release(x);
    golden_close(file);
}

static void test_oracle_softmax(void **state)
{
    softmax(*state, false, "softmax");
}

static void test_oracle_log_softmax(void **state)
{
    softmax(*state, true, "log_softmax");
}

static void test_oracle_dense(void **state)
{
    rd_error err;
    file = golden_open("ops");
    rd_tensor *const x = input(*state, "dense/x"), *const w = input(*state, "dense/weight");
    rd_tensor *const b = input(*state, "dense/bias"), *y = NULL;
    OK(rd_linear(x, w, b, &y, &err));
    play(y, "dense/dy");
    golden_check(file, "dense/y", y, RD_DENSE);
    golden_check(file, "dense/grad/x", rd_grad(x), RD_DENSE);
    golden_check(file, "dense/grad/weight", rd_grad(w), RD_DENSE);
    golden_check(file, "dense/grad/bias", rd_grad(b), RD_DENSE);
    rd_tensor_release(y);
    rd_tensor_release(b);
    rd_tensor_release(w);
    rd_tensor_release(x);
    golden_close(file);
}

static void test_oracle_layer_norm(void **state)
{
    rd_error err;
    file = golden_open("ops");
    rd_tensor *const x = input(*state, "layer_norm/x"), *const w =
                                                            input(*state, "layer_norm/weight");
    rd_tensor *const b = input(*state, "layer_norm/bias"), *y = NULL;
    OK(rd_layer_norm(x, w, b, golden_number(file, "layer_norm", "eps", 0), &y, &err));
    play(y, "layer_norm/dy");
    golden_check(file, "layer_norm/y", y, RD_DENSE);
    golden_check(file, "layer_norm/grad/x", rd_grad(x), RD_DENSE);
    golden_check(file, "layer_norm/grad/weight", rd_grad(w), RD_DENSE);
    golden_check(file, "layer_norm/grad/bias", rd_grad(b), RD_DENSE);
    rd_tensor_release(y);
    rd_tensor_release(b);
    rd_tensor_release(w);
    rd_tensor_release(x);
    golden_close(file);
}

/* Classes count from 0 there and from 1 here; what is ignored there is id 0. */
static rd_tensor *ids(rd_core *core, const char *path)
{
    golden_array a = golden_read(file, path);
    for (size_t i = 0; i < a.count; i++) a.values[i] = a.values[i] < 0 ? 0 : a.values[i] + 1;
    rd_tensor *t = golden_tensor_of(core, &a, RD_DENSE);
    golden_array_free(&a);
    return t;
}

static void test_oracle_embedding(void **state)
{
    rd_error err;
    file = golden_open("ops");
    rd_tensor *const w = input(*state, "embedding/weight");
    rd_tensor *const index = ids(*state, "embedding/index"), *y = NULL;
    OK(rd_embedding(index, w, &y, &err));
    play(y, "embedding/dy");
    golden_check(file, "embedding/y", y, RD_DENSE);
    golden_check(file, "embedding/grad/weight", rd_grad(w), RD_DENSE);
    rd_tensor_release(y);
    rd_tensor_release(index);
    rd_tensor_release(w);
    golden_close(file);
}

enum { PART_X, PART_TARGET, PART_LOSS, PART_DX, PART_WEIGHT, N_PARTS };

/* The datasets of a loss. */
static void paths_of(const char *name, const char *weight, char path[N_PARTS][128])
{
    const char *const part[] = {"x", "target", "loss", "dx", weight};
    for (int i = 0; i < N_PARTS; i++)
        snprintf(path[i], sizeof path[i], "loss/%s/%s", name, part[i]);
}

static void judge(char path[N_PARTS][128], rd_tensor *loss, rd_tensor *x)
{
    rd_error err;
    OK(rd_backward(loss, NULL, false, &err));
    golden_check(file, path[PART_LOSS], loss, RD_DENSE);
    golden_check(file, path[PART_DX], rd_grad(x), RD_DENSE);
    rd_tensor_release(loss);
    rd_tensor_release(x);
    golden_close(file);
}

static void entropy(rd_core *core, const char *name, rd_entropy how)
{
    rd_error err;
    char path[N_PARTS][128];
    file = golden_open("ops");
    paths_of(name, "class_weight", path);
    rd_tensor *const x = input(core, path[PART_X]), *const target = ids(core, path[PART_TARGET]);
    rd_tensor *loss = NULL, *const weight =
                                golden_has(file, path[PART_WEIGHT])
                                    ? golden_tensor(core, file, path[PART_WEIGHT], RD_DENSE)
                                    : NULL;
    how.class_weights = weight;
    OK(rd_cross_entropy_with(x, target, &how, &loss, NULL, &err));
    rd_tensor_release(weight);
    rd_tensor_release(target);
    judge(path, loss, x);
}

static void test_oracle_cross_entropy_mean(void **state)
{
    entropy(*state, "xent_mean", (rd_entropy){.reduction = RD_MEAN});
}

static void test_oracle_cross_entropy_sum(void **state)
{
    entropy(*state, "xent_sum", (rd_entropy){.reduction = RD_TOTAL});
}

static void test_oracle_cross_entropy_with_ignored_targets(void **state)
{
    entropy(*state, "xent_mean_ignore", (rd_entropy){.reduction = RD_MEAN});
}

static void test_oracle_cross_entropy_with_class_weights(void **state)
{
    entropy(*state, "xent_mean_class_weight", (rd_entropy){.reduction = RD_MEAN});
}

static void test_oracle_cross_entropy_smoothed(void **state)
{
    entropy(*state, "xent_mean_smooth_0.1", (rd_entropy){.label_smoothing = 0.1});
}

static void pointwise(rd_core *core, const char *name, rd_pointwise how)
{
    rd_error err;
    char path[N_PARTS][128];
    file = golden_open("ops");
    paths_of(name, "weight", path);
    rd_tensor *const x = input(core, path[PART_X]), *loss = NULL;
    rd_tensor *const target = golden_tensor(core, file, path[PART_TARGET], RD_DENSE);
    if (golden_has(file, path[PART_WEIGHT]))
        how.weight = golden_tensor(core, file, path[PART_WEIGHT], RD_DENSE);
    OK(rd_pointwise_loss(x, target, &how, &loss, NULL, &err));
    rd_tensor_release(how.weight);
    rd_tensor_release(target);
    judge(path, loss, x);
}

static void test_oracle_mse(void **state)
{
    pointwise(*state, "mse_mean", (rd_pointwise){.kind = RD_SQUARED_ERROR});
}

static void test_oracle_mse_masked(void **state)
{
    pointwise(*state, "mse_mask_mean", (rd_pointwise){.kind = RD_SQUARED_ERROR});
}

static void test_oracle_mae(void **state)
{
    pointwise(*state, "mae_mean", (rd_pointwise){.kind = RD_ABSOLUTE_ERROR});
}

static void test_oracle_huber(void **state)
{
    pointwise(*state, "huber_1_mean", (rd_pointwise){.kind = RD_HUBER_ERROR, .delta = 1});
}

static void test_oracle_binary_cross_entropy(void **state)
{
    pointwise(*state, "bce_logits_mean",
              (rd_pointwise){.kind = RD_BINARY_ENTROPY, .pos_weight = 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle_relu),
        cmocka_unit_test(test_oracle_sigmoid),
        cmocka_unit_test(test_oracle_tanh),
        cmocka_unit_test(test_oracle_softplus),
        cmocka_unit_test(test_oracle_softmax),
        cmocka_unit_test(test_oracle_log_softmax),
        cmocka_unit_test(test_oracle_dense),
        cmocka_unit_test(test_oracle_layer_norm),
        cmocka_unit_test(test_oracle_embedding),
        cmocka_unit_test(test_oracle_cross_entropy_mean),
        cmocka_unit_test(test_oracle_cross_entropy_sum),
        cmocka_unit_test(test_oracle_cross_entropy_with_ignored_targets),
        cmocka_unit_test(test_oracle_cross_entropy_with_class_weights),
        cmocka_unit_test(test_oracle_cross_entropy_smoothed),
        cmocka_unit_test(test_oracle_mse),
        cmocka_unit_test(test_oracle_mse_masked),
        cmocka_unit_test(test_oracle_mae),
        cmocka_unit_test(test_oracle_huber),
        cmocka_unit_test(test_oracle_binary_cross_entropy),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
