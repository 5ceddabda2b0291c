/* test_schedule.c - the learning rate of an update, by formula.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"
#include <math.h>

static void expect_lr(const rd_schedule *s, uint64_t update, double want)
{
    const double lr = rd_schedule_lr(s, update);
    if (fabs(lr - want) > 1e-15)
        fail_msg("update %d: %.17g, expected %.17g", (int)update, lr, want);
}

static void test_schedule_constant(void **state)
{
    (void)state;
    const rd_schedule s = {.kind = RD_CONSTANT, .base_lr = 0.5};
    expect_lr(&s, 0, 0.5);
    expect_lr(&s, 1000000, 0.5);
}

static void test_schedule_warm_up_is_linear_for_every_kind(void **state)
{
    (void)state;
    for (int kind = RD_CONSTANT; kind <= RD_COSINE; kind++) {
        const rd_schedule s = {.kind = (rd_schedule_kind)kind,
                               .base_lr = 1,
                               .gamma = 0.5,
                               .warmup_steps = 4,
                               .total_steps = 10,
                               .step_size = 3};
        expect_lr(&s, 0, 0.25);
        expect_lr(&s, 2, 0.75);
        expect_lr(&s, 3, 1);
        expect_lr(&s, 4, 1); /* the first behind the warm-up has the whole rate */
    }
}

static void test_schedule_exponential_is_pytorchs(void **state)
{
    (void)state;
    const rd_schedule s = {.kind = RD_EXPONENTIAL, .base_lr = 2, .gamma = 0.9};
    expect_lr(&s, 0, 2);
    expect_lr(&s, 1, 2 * 0.9);
    expect_lr(&s, 5, 2 * 0.9 * 0.9 * 0.9 * 0.9 * 0.9);
}

static void test_schedule_step_is_pytorchs(void **state)
{
    (void)state;
    const rd_schedule s = {.kind = RD_STEP, .base_lr = 1, .gamma = 0.5, .step_size = 10};
    expect_lr(&s, 9, 1);
    expect_lr(&s, 10, 0.5);
    expect_lr(&s, 19, 0.5);
    expect_lr(&s, 20, 0.25);
}

/* char-rnn: decay by 0.97 after each epoch from the tenth on. */
static void test_schedule_step_waits_for_decay_after(void **state)
{
    (void)state;
    const rd_schedule s = {
        .kind = RD_STEP, .base_lr = 1, .gamma = 0.97, .step_size = 5, .decay_after = 50};
    expect_lr(&s, 49, 1);
    expect_lr(&s, 50, 0.97);
    expect_lr(&s, 54, 0.97);
    expect_lr(&s, 55, 0.97 * 0.97);
}

static void test_schedule_cosine_falls_to_its_floor(void **state)
{
    (void)state;
    const rd_schedule s = {
        .kind = RD_COSINE, .base_lr = 1, .min_lr = 0.1, .warmup_steps = 10, .total_steps = 110};
    expect_lr(&s, 10, 1);
    expect_lr(&s, 60, 0.55);
    expect_lr(&s, 85, 0.1 + 0.9 * 0.5 * (1 + cos(0.75 * acos(-1))));
    expect_lr(&s, 110, 0.1);
    expect_lr(&s, 5000, 0.1);
}

/* torch.optim.lr_scheduler.OneCycleLR(max_lr = 1, total_steps = 10, pct_start = 0.3) */
static void test_schedule_one_cycle_is_pytorchs(void **state)
{
    (void)state;
    const rd_schedule s = {.kind = RD_ONE_CYCLE,
                           .base_lr = 1,
                           .first_lr = 0.04,
                           .min_lr = 4e-6,
                           .total_steps = 10,
                           .rise = 0.3};
    expect_lr(&s, 0, 0.04);
    expect_lr(&s, 1, 0.52);
    expect_lr(&s, 2, 1);
    expect_lr(&s, 5, 4e-6 + (1 - 4e-6) * 0.5 * (1 + cos(3 / 7.0 * acos(-1))));
    expect_lr(&s, 9, 4e-6);
    expect_lr(&s, 500, 4e-6);
}

static void test_schedule_one_cycle_may_begin_at_its_peak(void **state)
{
    (void)state;
    const rd_schedule s = {.kind = RD_ONE_CYCLE, .base_lr = 1, .min_lr = 0.5, .total_steps = 3};
    expect_lr(&s, 2, 0.5);
    assert_true(rd_schedule_lr(&s, 0) <= 1 && rd_schedule_lr(&s, 0) > 0.5);
    expect_lr(&(rd_schedule){.kind = RD_ONE_CYCLE, .base_lr = 1, .min_lr = 0.5}, 0, 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule_constant),
        cmocka_unit_test(test_schedule_warm_up_is_linear_for_every_kind),
        cmocka_unit_test(test_schedule_exponential_is_pytorchs),
        cmocka_unit_test(test_schedule_step_is_pytorchs),
        cmocka_unit_test(test_schedule_step_waits_for_decay_after),
        cmocka_unit_test(test_schedule_cosine_falls_to_its_floor),
        cmocka_unit_test(test_schedule_one_cycle_is_pytorchs),
        cmocka_unit_test(test_schedule_one_cycle_may_begin_at_its_peak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
