/* optim_adaptive.c - Adagrad, Adadelta and Lion: options, slots, one written sequence each.
 *
 * The formulas of the first two are PyTorch's (see optim_rules.c), Lion's are its paper's.
 * SPDX-License-Identifier: MIT */
#include "learn/optim.h"
#include "rondo/pointmath.h"

/* ---- Adagrad (Duchi, Hazan & Singer 2011) ------------------------------------------------- */

enum { ADAGRAD_LR, ADAGRAD_LR_DECAY, ADAGRAD_FIRST, ADAGRAD_EPS, ADAGRAD_DECAY, N_ADAGRAD };
static const rd_option adagrad_options[N_ADAGRAD] = {
    [ADAGRAD_LR] = RDC_OPTION_LR(0.01),
    [ADAGRAD_LR_DECAY] =
        RDC_OPTION_REAL("lr_decay", "the rate is lr / (1 + lr_decay times updates before)", 0, 1e6),
    [ADAGRAD_FIRST] =
        RDC_OPTION_REAL("initial_accumulator_value", "what the sum of squares starts with", 0, 1e6),
    [ADAGRAD_EPS] = RDC_OPTION_REAL("eps", "added to the root of the sum of squares", 1e-10, 1),
    [ADAGRAD_DECAY] = RDC_OPTION_L2,
};

/* d = g + decay p; s = s + d d; p = p - lr (d / (sqrt(s) + eps)) */
RD_CLONES static void adagrad(const rdc_update *u, size_t first, size_t last)
{
    const rdc_update c = *u;
    rd_real *restrict s = c.slot[0];
    for (size_t i = first; i < last; i++) {
        const rd_real d = c.g[i] + c.weight_decay * c.p[i];
        s[i] = s[i] + d * d;
        c.p[i] = c.p[i] - c.lr * (d / (rd_sqrt(s[i]) + c.eps));
    }
}

static void adagrad_update(void *job, size_t first, size_t last)
{
    adagrad(job, first, last);
}

static uint32_t adagrad_slots(const rd_value *o, const char *slot_name[RDC_MAX_SLOTS])
{
    (void)o;
    slot_name[0] = "sum";
    return 1;
}

static void adagrad_prepare(const rdc_setting *s, rdc_update *u)
{
    const rd_value *o = s->options;
    const double before = s->scalars[RDC_SCALAR_UPDATES] - 1;
    u->lr = (rd_real)(s->lr / (1 + before * o[ADAGRAD_LR_DECAY].r));
    u->weight_decay = (rd_real)s->weight_decay;
    u->eps = (rd_real)o[ADAGRAD_EPS].r;
}

const rdc_rule rdc_rule_adagrad = {.name = "adagrad",
                                   .options = adagrad_options,
                                   .n_options = N_ADAGRAD,
                                   .decay = ADAGRAD_DECAY,
                                   .first_value = ADAGRAD_FIRST,
                                   RDC_ONE_SCALAR,
                                   .slots = adagrad_slots,
                                   .update = adagrad_update,
                                   .prepare = adagrad_prepare};

/* ---- Adadelta (Zeiler 2012, algorithm 1) -------------------------------------------------- */

enum { ADADELTA_LR, ADADELTA_RHO, ADADELTA_EPS, ADADELTA_DECAY, N_ADADELTA };
static const rd_option adadelta_options[N_ADADELTA] = {
    [ADADELTA_LR] = RDC_OPTION_LR(1),
    [ADADELTA_RHO] = RDC_OPTION_REAL("rho", "share of the last means kept", 0.9, RDC_BELOW_ONE),
    [ADADELTA_EPS] = RDC_OPTION_REAL("eps", "added under both roots", 1e-6, 1),
    [ADADELTA_DECAY] = RDC_OPTION_L2,
};

/* d = g + decay p; s = rho s + (1 - rho) d d; x = sqrt(a + eps) / sqrt(s + eps) d;
 * a = rho a + (1 - rho) x x; p = p - lr x */
RD_CLONES static void adadelta(const rdc_update *u, size_t first, size_t last)
{
    const rdc_update c = *u;
    rd_real *restrict s = c.slot[0], *restrict a = c.slot[1];
    for (size_t i = first; i < last; i++) {
        const rd_real d = c.g[i] + c.weight_decay * c.p[i];
        s[i] = c.beta1 * s[i] + c.rest1 * d * d;
        const rd_real x = rd_sqrt(a[i] + c.eps) / rd_sqrt(s[i] + c.eps) * d;
        a[i] = c.beta1 * a[i] + c.rest1 * x * x;
        c.p[i] = c.p[i] - c.lr * x;
    }
}

static void adadelta_update(void *job, size_t first, size_t last)
{
    adadelta(job, first, last);
}

static uint32_t adadelta_slots(const rd_value *o, const char *slot_name[RDC_MAX_SLOTS])
{
    (void)o;
    slot_name[0] = "square";
    slot_name[1] = "step_square";
    return 2;
}

/* With eps = 0 a first gradient of 0 would be 0 / 0, and no step would ever be made. */
static const char *adadelta_conflict(const rd_value *o)
{
    return o[ADADELTA_EPS].r > 0 ? NULL : "option 'eps' must be greater than 0";
}

static void adadelta_prepare(const rdc_setting *s, rdc_update *u)
{
    const rd_value *o = s->options;
    u->lr = (rd_real)s->lr;
    u->weight_decay = (rd_real)s->weight_decay;
    u->beta1 = (rd_real)o[ADADELTA_RHO].r;
    u->rest1 = (rd_real)(1 - o[ADADELTA_RHO].r);
    u->eps = (rd_real)o[ADADELTA_EPS].r;
}

const rdc_rule rdc_rule_adadelta = {.name = "adadelta",
                                    .options = adadelta_options,
                                    .n_options = N_ADADELTA,
                                    .decay = ADADELTA_DECAY,
                                    RDC_ONE_SCALAR,
                                    .slots = adadelta_slots,
                                    .conflict = adadelta_conflict,
                                    .update = adadelta_update,
                                    .prepare = adadelta_prepare};

/* ---- Lion (Chen et al. 2023, algorithm 2) ------------------------------------------------- */

enum { LION_LR, LION_BETA1, LION_BETA2, LION_DECAY, N_LION };
static const rd_option lion_options[N_LION] = {
    [LION_LR] = RDC_OPTION_LR(1e-4),
    [LION_BETA1] =
        RDC_OPTION_REAL("beta1", "share of the mean in the sign's argument", 0.9, RDC_BELOW_ONE),
    [LION_BETA2] = RDC_OPTION_REAL("beta2", "share of the last mean kept", 0.99, RDC_BELOW_ONE),
    [LION_DECAY] = RDC_OPTION_REAL(
        "weight_decay", "share of a parameter taken away at each update, times lr", 0, 1e6),
};

/* p = p keep; c = beta1 m + (1 - beta1) g; p = p - lr sign(c); m = beta2 m + (1 - beta2) g */
RD_CLONES static void lion(const rdc_update *u, size_t first, size_t last)
{
    const rdc_update c = *u;
    rd_real *restrict m = c.slot[0];
    for (size_t i = first; i < last; i++) {
        const rd_real p = c.p[i] * c.keep;
        const rd_real way = c.beta1 * m[i] + c.rest1 * c.g[i];
        const rd_real step = way > 0 ? c.lr : 0;
        c.p[i] = p - (way < 0 ? -c.lr : step);
        m[i] = c.beta2 * m[i] + c.rest2 * c.g[i];
    }
}

static void lion_update(void *job, size_t first, size_t last)
{
    lion(job, first, last);
}

static uint32_t lion_slots(const rd_value *o, const char *slot_name[RDC_MAX_SLOTS])
{
    (void)o;
    slot_name[0] = "mean";
    return 1;
}

static void lion_prepare(const rdc_setting *s, rdc_update *u)
{
    const rd_value *o = s->options;
    u->lr = (rd_real)s->lr;
    u->keep = (rd_real)(1 - s->lr * s->weight_decay);
    u->beta1 = (rd_real)o[LION_BETA1].r;
    u->rest1 = (rd_real)(1 - o[LION_BETA1].r);
    u->beta2 = (rd_real)o[LION_BETA2].r;
    u->rest2 = (rd_real)(1 - o[LION_BETA2].r);
}

const rdc_rule rdc_rule_lion = {.name = "lion",
                                .options = lion_options,
                                .n_options = N_LION,
                                .decay = LION_DECAY,
                                RDC_ONE_SCALAR,
                                .slots = lion_slots,
                                .update = lion_update,
                                .prepare = lion_prepare};
