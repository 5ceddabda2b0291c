/* schedule.c - the learning rate of an update, a pure function of its number.
 * SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "rondo.h"
#include "rondo/pointmath.h"

/* x^n by squaring: libm's pow changes its bits between machines (bit contract, rule 2). */
static double power(double x, uint64_t n)
{
    double y = 1;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1) y *= x;
    return y;
}

/* Factors applied before update number `update`; the first with number `after`, then one each `every`.
 * after = 0 stands for one interval behind the warm-up. */
static uint64_t factors(const rd_schedule *s, uint64_t every, uint64_t update)
{
    const uint64_t step = every ? every : 1;
    const uint64_t after = s->decay_after ? s->decay_after : s->warmup_steps + step;
    return update < after ? 0 : 1 + (update - after) / step;
}

/* From `from` at share 0 to `to` at share 1, along half a cosine:
 * to + (from - to) (1 + cos(pi share)) / 2 (Loshchilov & Hutter 2017, eq. 5) */
static double along_cosine(double from, double to, double share)
{
    return to + (from - to) * (0.5 * (1 + rd_cos_d(0x1.921fb54442d18p+1 * share)));
}

static double cosine(const rd_schedule *s, uint64_t update)
{
    if (update >= s->total_steps) return s->min_lr;
    const double t = (double)(update - s->warmup_steps);
    const double span = (double)(s->total_steps - s->warmup_steps);
    return along_cosine(s->base_lr, s->min_lr, t / span);
}

/* Up to the peak and down again (Smith & Topin 2018), in PyTorch's two phases: the peak lies at update
 * rise total_steps - 1, the end at total_steps - 1. */
static double one_cycle(const rd_schedule *s, uint64_t update)
{
    const double t = (double)update, end = (double)s->total_steps - 1;
    const double peak = s->rise * (double)s->total_steps - 1;
    if (t >= end) return s->min_lr;
    if (t < peak) return along_cosine(s->first_lr, s->base_lr, t / peak);
    return along_cosine(s->base_lr, s->min_lr, (t - peak) / (end - peak));
}

static double rate(const rd_schedule *s, uint64_t update)
{
    if (update < s->warmup_steps)
        return s->base_lr * ((double)(update + 1) / (double)s->warmup_steps);
    switch (s->kind) {
    case RD_CONSTANT:
        return s->base_lr;
    case RD_EXPONENTIAL:
        return s->base_lr * power(s->gamma, factors(s, 1, update));
    case RD_STEP:
        return s->base_lr * power(s->gamma, factors(s, s->step_size, update));
    case RD_COSINE:
        return cosine(s, update);
    case RD_ONE_CYCLE:
        return one_cycle(s, update);
    }
    return s->base_lr;
}

double rd_schedule_lr(const rd_schedule *s, uint64_t update)
{
    const uint64_t env = rdc_fp_enter();
    const double lr = rate(s, update);
    rdc_fp_leave(env);
    return lr;
}
