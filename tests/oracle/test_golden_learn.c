/* test_golden_learn.c - optimizers and losses against the committed vectors in golden.tsv.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include "oracle/vectors.h"
#include <stdio.h>
#include <string.h>

enum { MAX_SETTINGS = 8 };

/* ---- optimizers -------------------------------------------------------------------------- */

/* Every option of the kind that the case names. */
static size_t settings_of(const char *kind, const char *group, rd_setting *settings)
{
    uint32_t n_options = 0;
    size_t n = 0;
    const rd_option *options = rd_optimizer_options(kind, &n_options);
    for (uint32_t i = 0; i < n_options; i++) {
        char name[64];
        golden_array a = {0};
        snprintf(name, sizeof name, "option.%s", options[i].name);
        if (!vectors_find(group, name, &a)) continue;
        rd_setting *s = &settings[n++];
        *s = (rd_setting){.name = options[i].name, .kind = options[i].kind};
        if (s->kind == RD_BOOL)
            s->value.i = a.values[0] != 0;
        else
            s->value.r = a.values[0];
        golden_array_free(&a);
    }
    return n;
}

/* Step `index` of a trajectory (steps, ...). */
static golden_array step_of(const golden_array *all, size_t index)
{
    golden_array part = {.ndim = all->ndim - 1, .count = all->count / all->shape[0]};
    memcpy(part.shape, all->shape + 1, part.ndim * sizeof *part.shape);
    part.values = all->values + index * part.count;
    return part;
}

static void check_optimizer(const char *kind, const char *group)
{
    rd_error err;
    rd_setting settings[MAX_SETTINGS];
    rd_core *core = rnn_core(1, NULL);
    rd_optimizer *o = NULL;
    rd_tensor *p = vectors_input(core, "optimizers", "start", RD_DENSE);
    golden_array grads = vectors_need("optimizers", "grads"), path = vectors_need(group, "param");
    const size_t n = settings_of(kind, group, settings);
    OK(rd_optimizer_new(kind, settings, n, &p, 1, &o, &err));
    for (size_t i = 0; i < grads.shape[0]; i++) {
        const golden_array g = step_of(&grads, i), want = step_of(&path, i);
        rd_tensor *const seed = golden_tensor_of(core, &g, RD_DENSE);
        rd_zero_grad(p);
        OK(rd_backward(p, seed, false, &err));
        OK(rd_optimizer_step(o, &err));
        golden_check_values(group, &want, p, RD_DENSE);
        rd_tensor_release(seed);
    }
    golden_array_free(&path);
    golden_array_free(&grads);
    rd_optimizer_free(o);
    rd_tensor_release(p);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_golden_sgd(void **state)
{
    (void)state;
    check_optimizer("sgd", "optimizer.sgd");
    check_optimizer("sgd", "optimizer.sgd_momentum");
    check_optimizer("sgd", "optimizer.sgd_nesterov");
}

static void test_golden_rmsprop(void **state)
{
    (void)state;
    check_optimizer("rmsprop", "optimizer.rmsprop");
    check_optimizer("rmsprop", "optimizer.rmsprop_momentum");
    check_optimizer("rmsprop", "optimizer.rmsprop_centered");
}

static void test_golden_adam(void **state)
{
    (void)state;
    check_optimizer("adam", "optimizer.adam");
    check_optimizer("adam", "optimizer.adam_amsgrad");
}

static void test_golden_adamw(void **state)
{
    (void)state;
    check_optimizer("adamw", "optimizer.adamw");
    check_optimizer("adamw", "optimizer.adamw_amsgrad");
}

static void test_golden_nadam(void **state)
{
    (void)state;
    check_optimizer("nadam", "optimizer.nadam");
}

static void test_golden_adagrad(void **state)
{
    (void)state;
    check_optimizer("adagrad", "optimizer.adagrad");
}

static void test_golden_adadelta(void **state)
{
    (void)state;
    check_optimizer("adadelta", "optimizer.adadelta");
}

/* ---- losses ------------------------------------------------------------------------------ */

typedef rd_status (*loss_fn)(rd_tensor *x, rd_tensor *target, rd_tensor **loss, rd_error *err);

static void check_loss(loss_fn fn, const char *group)
{
    rd_error err;
    rd_core *core = rnn_core(1, NULL);
    rd_tensor *const x = vectors_input(core, group, "x", RD_DENSE), *loss = NULL;
    rd_tensor *const target = vectors_tensor(core, group, "target", RD_DENSE);
    OK(fn(x, target, &loss, &err));
    OK(rd_backward(loss, NULL, false, &err));
    vectors_expect(group, "loss", loss, RD_DENSE);
    vectors_expect(group, "grad", rd_grad(x), RD_DENSE);
    rd_tensor_release(target);
    rd_tensor_release(loss);
    rd_tensor_release(x);
    assert_int_equal(test_close_core((void **)&core), 0);
}

static rd_status entropy_mean(rd_tensor *x, rd_tensor *target, rd_tensor **loss, rd_error *err)
{
    return rd_cross_entropy(x, target, RD_MEAN, loss, NULL, err);
}

static rd_status entropy_sum(rd_tensor *x, rd_tensor *target, rd_tensor **loss, rd_error *err)
{
    return rd_cross_entropy(x, target, RD_TOTAL, loss, NULL, err);
}

static rd_status entropy_smooth_weighted(rd_tensor *x, rd_tensor *target, rd_tensor **loss,
                                         rd_error *err)
{
    rd_tensor *const weights =
        vectors_tensor(rd_tensor_core(x), "losses", "class_weights", RD_DENSE);
    const rd_entropy how = {.label_smoothing = 0.2, .class_weights = weights};
    const rd_status status = rd_cross_entropy_with(x, target, &how, loss, NULL, err);
    rd_tensor_release(weights);
    return status;
}

static rd_status mse_mean(rd_tensor *x, rd_tensor *target, rd_tensor **loss, rd_error *err)
{
    return rd_mse(x, target, RD_MEAN, loss, NULL, err);
}

static rd_status l1_sum(rd_tensor *x, rd_tensor *target, rd_tensor **loss, rd_error *err)
{
    const rd_pointwise how = {.kind = RD_ABSOLUTE_ERROR, .reduction = RD_TOTAL};
    return rd_pointwise_loss(x, target, &how, loss, NULL, err);
}

static rd_status huber(rd_tensor *x, rd_tensor *target, rd_tensor **loss, rd_error *err)
{
    const rd_pointwise how = {.kind = RD_HUBER_ERROR, .delta = 0.5};
    return rd_pointwise_loss(x, target, &how, loss, NULL, err);
}

static rd_status bce(rd_tensor *x, rd_tensor *target, rd_tensor **loss, rd_error *err)
{
    const rd_pointwise how = {.kind = RD_BINARY_ENTROPY, .pos_weight = 2.5};
    return rd_pointwise_loss(x, target, &how, loss, NULL, err);
}

static rd_status cosine(rd_tensor *x, rd_tensor *target, rd_tensor **loss, rd_error *err)
{
    return rd_cosine_loss(x, target, &(rd_row_loss){.reduction = RD_MEAN}, loss, NULL, err);
}

static void test_golden_losses(void **state)
{
    (void)state;
    check_loss(entropy_mean, "loss.cross_entropy_mean");
    check_loss(entropy_sum, "loss.cross_entropy_sum");
    check_loss(entropy_mean, "loss.cross_entropy_masked");
    check_loss(entropy_smooth_weighted, "loss.cross_entropy_smooth_weighted");
    check_loss(mse_mean, "loss.mse_mean");
    check_loss(l1_sum, "loss.l1_sum");
    check_loss(huber, "loss.huber");
    check_loss(bce, "loss.bce");
    check_loss(cosine, "loss.cosine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_sgd),      cmocka_unit_test(test_golden_rmsprop),
        cmocka_unit_test(test_golden_adam),     cmocka_unit_test(test_golden_adamw),
        cmocka_unit_test(test_golden_nadam),    cmocka_unit_test(test_golden_adagrad),
        cmocka_unit_test(test_golden_adadelta), cmocka_unit_test(test_golden_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
