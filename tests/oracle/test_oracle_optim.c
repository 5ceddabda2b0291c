/* test_oracle_optim.c - optimizers and clipping against PyTorch (golden file "optim").
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

#include "oracle/golden.h"
#include <stdio.h>
#include <string.h>

enum { MAX_SETTINGS = 8 };

/* One of the arrays stacked along the first dimension of a. */
static golden_array layer_of(const golden_array *a, size_t index)
{
    golden_array part = {.ndim = a->ndim - 1, .count = a->count / a->shape[0]};
    memcpy(part.shape, a->shape + 1, part.ndim * sizeof part.shape[0]);
    part.values = a->values + index * part.count;
    return part;
}

static void set_grad(rd_tensor *p, const golden_array *grad)
{
    rd_error err;
    rd_tensor *const g = golden_tensor_of(rd_tensor_core(p), grad, RD_DENSE), *y = NULL;
    rd_tensor *sum = NULL;
    rd_zero_grad(p);
    OK(rd_apply2(RD_MUL, p, g, &y, &err)); /* d sum(p g) / dp = g */
    OK(rd_sum(y, RD_ALL, false, &sum, &err));
    OK(rd_backward(sum, NULL, false, &err));
    rd_tensor_release(sum);
    rd_tensor_release(y);
    rd_tensor_release(g);
}

/* The options of a case that are attributes of its group, named as there. */
static size_t settings_of(const golden_file *f, const char *name, rd_setting *settings)
{
    static const char *const known[] = {"lr", "momentum", "weight_decay", "alpha", "eps", "rho"};
    static const char *const flags[] = {"nesterov", "centered", "amsgrad"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const double value = golden_number(f, name, known[i], -1);
        if (value >= 0) settings[n++] = (rd_setting){known[i], RD_REAL, {.r = value}, NULL};
    }
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (golden_number(f, name, flags[i], 0) > 0)
            settings[n++] = (rd_setting){flags[i], RD_BOOL, {.i = 1}, NULL};
    return n;
}

static void check_slots(const golden_file *f, const char *name, const rd_optimizer *o, size_t step)
{
    static const char *const names[][2] = {{"momentum", "momentum_buffer"},
                                           {"mean", "exp_avg"},
                                           {"square", "exp_avg_sq"},
                                           {"square", "square_avg"},
                                           {"mean", "grad_avg"},
                                           {"max_square", "max_exp_avg_sq"},
                                           {"sum", "sum"},
                                           {"step_square", "acc_delta"}};
    for (size_t k = 0; k < rd_optimizer_slot_count(o); k++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            char path[128];
            snprintf(path, sizeof path, "%s/slot/%s", name, names[i][1]);
            if (strcmp(rd_optimizer_slot_name(o, k), names[i][0]) != 0 || !golden_has(f, path))
                continue;
            golden_array all = golden_read(f, path), want = layer_of(&all, step);
            golden_check_values(path, &want, rd_optimizer_slot(o, 0, k), RD_DENSE);
            golden_array_free(&all);
        }
}

static void trajectory(rd_core *core, const char *kind, const char *name)
{
    rd_error err;
    rd_setting settings[MAX_SETTINGS];
    rd_optimizer *o = NULL;
    char path[128];
    golden_file *const f = golden_open("optim");
    rd_tensor *const p = golden_tensor(core, f, "param_0", RD_DENSE);
    golden_array grads = golden_read(f, "grads");
    snprintf(path, sizeof path, "%s/param", name);
    golden_array want = golden_read(f, path);
    OK(rd_set_requires_grad(p, true, &err));
    const size_t n = settings_of(f, name, settings);
    OK(rd_optimizer_new(kind, settings, n, &p, 1, &o, &err));
    for (size_t step = 0; step < grads.shape[0]; step++) {
        const golden_array g = layer_of(&grads, step), after = layer_of(&want, step);
        set_grad(p, &g);
        OK(rd_optimizer_step(o, &err));
        golden_check_values(path, &after, p, RD_DENSE);
        check_slots(f, name, o, step);
    }
    rd_optimizer_free(o);
    golden_array_free(&want);
    golden_array_free(&grads);
    rd_tensor_release(p);
    golden_close(f);
}

static void test_oracle_sgd(void **state)
{
    trajectory(*state, "sgd", "sgd");
}

static void test_oracle_sgd_momentum(void **state)
{
    trajectory(*state, "sgd", "sgd_momentum");
}

static void test_oracle_sgd_nesterov(void **state)
{
    trajectory(*state, "sgd", "sgd_nesterov");
}

static void test_oracle_sgd_l2(void **state)
{
    trajectory(*state, "sgd", "sgd_l2");
}

static void test_oracle_rmsprop(void **state)
{
    trajectory(*state, "rmsprop", "rmsprop");
}

static void test_oracle_rmsprop_momentum_centered(void **state)
{
    trajectory(*state, "rmsprop", "rmsprop_momentum_centered");
}

static void test_oracle_adam(void **state)
{
    trajectory(*state, "adam", "adam");
}

static void test_oracle_adam_l2(void **state)
{
    trajectory(*state, "adam", "adam_l2");
}

static void test_oracle_adamw(void **state)
{
    trajectory(*state, "adamw", "adamw");
}

static void test_oracle_adam_amsgrad(void **state)
{
    trajectory(*state, "adam", "adam_amsgrad");
}

static void test_oracle_adagrad(void **state)
{
    trajectory(*state, "adagrad", "adagrad");
}

static void test_oracle_adadelta(void **state)
{
    trajectory(*state, "adadelta", "adadelta");
}

/* ---- clipping ---------------------------------------------------------------------------- */

enum { N_CLIPPED = 3 };

static void clipped(rd_core *core, const char *name, rd_norm_kind kind)
{
    rd_error err;
    rd_tensor *p[N_CLIPPED];
    char group[64], path[128];
    double norm = 0;
    size_t bad = 0;
    golden_file *const f = golden_open("optim");
    snprintf(group, sizeof group, "clip/%s", name);
    for (int i = 0; i < N_CLIPPED; i++) {
        snprintf(path, sizeof path, "%s/in/%c", group, 'a' + i);
        golden_array g = golden_read(f, path);
        p[i] = golden_tensor_of(core, &g, RD_DENSE);
        OK(rd_set_requires_grad(p[i], true, &err));
        set_grad(p[i], &g);
        golden_array_free(&g);
    }
    const double limit = golden_number(f, group, "clip_value", 0);
    if (limit > 0)
        OK(rd_clip_grad_value(p, N_CLIPPED, limit, &err));
    else
        OK(rd_clip_grad_norm_by(p, N_CLIPPED,
                                &(rd_clip){kind, golden_number(f, group, "max_norm", 0)}, &norm,
                                &bad, &err));
    for (int i = 0; i < N_CLIPPED; i++) {
        snprintf(path, sizeof path, "%s/out/%c", group, 'a' + i);
        golden_check(f, path, rd_grad(p[i]), RD_DENSE);
        rd_tensor_release(p[i]);
    }
    snprintf(path, sizeof path, "%s/total_norm", group);
    if (golden_has(f, path)) {
        rd_tensor *found = NULL;
        OK(rd_scalar(core, norm, &found, &err));
        golden_check(f, path, found, RD_DENSE);
        rd_tensor_release(found);
    }
    golden_close(f);
}

static void test_oracle_clip_by_a_small_norm(void **state)
{
    clipped(*state, "norm2_max1", RD_NORM_2);
}

static void test_oracle_clip_by_a_large_norm(void **state)
{
    clipped(*state, "norm2_max1000", RD_NORM_2);
}

static void test_oracle_clip_by_the_sum_of_sizes(void **state)
{
    clipped(*state, "norm1_max1", RD_NORM_1);
}

static void test_oracle_clip_by_the_largest_size(void **state)
{
    clipped(*state, "norminf_max1", RD_NORM_MAX);
}

static void test_oracle_clip_of_zeros(void **state)
{
    clipped(*state, "norm2_zero", RD_NORM_2);
}

static void test_oracle_clip_by_value(void **state)
{
    clipped(*state, "value_0.5", RD_NORM_2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle_sgd),
        cmocka_unit_test(test_oracle_sgd_momentum),
        cmocka_unit_test(test_oracle_sgd_nesterov),
        cmocka_unit_test(test_oracle_sgd_l2),
        cmocka_unit_test(test_oracle_rmsprop),
        cmocka_unit_test(test_oracle_rmsprop_momentum_centered),
        cmocka_unit_test(test_oracle_adam),
        cmocka_unit_test(test_oracle_adam_l2),
        cmocka_unit_test(test_oracle_adamw),
        cmocka_unit_test(test_oracle_adam_amsgrad),
        cmocka_unit_test(test_oracle_adagrad),
        cmocka_unit_test(test_oracle_adadelta),
        cmocka_unit_test(test_oracle_clip_by_a_small_norm),
        cmocka_unit_test(test_oracle_clip_by_a_large_norm),
        cmocka_unit_test(test_oracle_clip_by_the_sum_of_sizes),
        cmocka_unit_test(test_oracle_clip_by_the_largest_size),
        cmocka_unit_test(test_oracle_clip_of_zeros),
        cmocka_unit_test(test_oracle_clip_by_value),
    };
    return cmocka_run_group_tests(tests, test_open_core, test_close_core);
}
