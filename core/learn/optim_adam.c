/* optim_adam.c - Adam, AdamW and NAdam: options, slots, and one written sequence each (see optim_rules.c).
 * SPDX-License-Identifier: MIT */
#include "learn/optim.h"
#include "rondo/pointmath.h"
#include <math.h>

/* ---- Adam (Kingma & Ba 2015, algorithm 1) and AdamW (Loshchilov & Hutter 2019, algorithm 2)  */

enum { ADAM_LR, ADAM_BETA1, ADAM_BETA2, ADAM_EPS, ADAM_DECAY, ADAM_AMSGRAD, N_ADAM };
enum { SCALAR_POWER1 = 1, SCALAR_POWER2, N_ADAM_SCALARS };
#define OPTION_BETA1 RDC_OPTION_REAL("beta1", "share of the last mean kept", 0.9, RDC_BELOW_ONE)
#define OPTION_BETA2 \
    RDC_OPTION_REAL("beta2", "share of the last mean square kept", 0.999, RDC_BELOW_ONE)
#define OPTION_EPS RDC_OPTION_REAL("eps", "added to the root of the mean square", 1e-8, 1)
#define ADAM_OPTIONS(decay, text) \
    { \
        [ADAM_LR] = RDC_OPTION_LR(1e-3), [ADAM_BETA1] = OPTION_BETA1, [ADAM_BETA2] = OPTION_BETA2, \
        [ADAM_EPS] = OPTION_EPS, [ADAM_DECAY] = RDC_OPTION_REAL("weight_decay", text, decay, 1e6), \
        [ADAM_AMSGRAD] = RDC_OPTION_FLAG("amsgrad", "divide by the largest mean square so far") \
    }
static const rd_option adam_options[N_ADAM] = ADAM_OPTIONS(0, "L2 penalty, added to the gradient");
static const rd_option adamw_options[N_ADAM] =
    ADAM_OPTIONS(0.01, "share of a parameter taken away at each update, times lr");

/* p = p keep (AdamW); d = g + decay p (Adam); m = beta1 m + (1 - beta1) d;
 * s = beta2 s + (1 - beta2) d d; p = p - lr / (1 - beta1^t) m / (sqrt(s) / sqrt(1 - beta2^t) + eps)
 * AMSGrad (Reddi et al. 2018): the largest s so far instead of s, before its bias is corrected. */
RD_INLINE void adam(const rdc_update *u, size_t first, size_t last, const bool decoupled,
                    const bool amsgrad)
{
    const rdc_update c = *u;
    rd_real *restrict m = c.slot[0], *restrict s = c.slot[1], *restrict top = c.slot[2];
    for (size_t i = first; i < last; i++) {
        const rd_real p = decoupled ? c.p[i] * c.keep : c.p[i];
        const rd_real d = decoupled ? c.g[i] : c.g[i] + c.weight_decay * p;
        m[i] = c.beta1 * m[i] + c.rest1 * d;
        s[i] = c.beta2 * s[i] + c.rest2 * d * d;
        rd_real square = s[i];
        if (amsgrad) {
            square = top[i] > square ? top[i] : square;
            top[i] = square;
        }
        c.p[i] = p - c.lr * (m[i] / (rd_sqrt(square) * c.root + c.eps));
    }
}

RD_CLONES static void adam_l2(const rdc_update *u, size_t first, size_t last)
{
    adam(u, first, last, false, false);
}

RD_CLONES static void adam_l2_amsgrad(const rdc_update *u, size_t first, size_t last)
{
    adam(u, first, last, false, true);
}

RD_CLONES static void adam_decoupled(const rdc_update *u, size_t first, size_t last)
{
    adam(u, first, last, true, false);
}

RD_CLONES static void adam_decoupled_amsgrad(const rdc_update *u, size_t first, size_t last)
{
    adam(u, first, last, true, true);
}

static void adam_update(void *job, size_t first, size_t last)
{
    const rdc_update *u = job;
    if (u->amsgrad)
        adam_l2_amsgrad(u, first, last);
    else
        adam_l2(u, first, last);
}

static void adamw_update(void *job, size_t first, size_t last)
{
    const rdc_update *u = job;
    if (u->amsgrad)
        adam_decoupled_amsgrad(u, first, last);
    else
        adam_decoupled(u, first, last);
}

static uint32_t adam_slots(const rd_value *o, const char *slot_name[RDC_MAX_SLOTS])
{
    slot_name[0] = "mean";
    slot_name[1] = "square";
    slot_name[2] = "max_square";
    return o[ADAM_AMSGRAD].i ? 3 : 2;
}

/* beta^t is a running product, saved with the state: pow would change its bits between machines. */
static void adam_advance(const rd_value *o, double *scalars)
{
    scalars[SCALAR_POWER1] *= o[ADAM_BETA1].r;
    scalars[SCALAR_POWER2] *= o[ADAM_BETA2].r;
}

static void adam_prepare(const rdc_setting *s, rdc_update *u)
{
    const rd_value *o = s->options;
    u->lr = (rd_real)(s->lr / (1 - s->scalars[SCALAR_POWER1]));
    u->root = (rd_real)(1 / sqrt(1 - s->scalars[SCALAR_POWER2]));
    u->weight_decay = (rd_real)s->weight_decay;
    u->keep = (rd_real)(1 - s->lr * s->weight_decay);
    u->beta1 = (rd_real)o[ADAM_BETA1].r;
    u->rest1 = (rd_real)(1 - o[ADAM_BETA1].r);
    u->beta2 = (rd_real)o[ADAM_BETA2].r;
    u->rest2 = (rd_real)(1 - o[ADAM_BETA2].r);
    u->eps = (rd_real)o[ADAM_EPS].r;
    u->amsgrad = o[ADAM_AMSGRAD].i != 0;
}

#define ADAM_COMMON \
    .n_options = N_ADAM, .decay = ADAM_DECAY, .n_scalars = N_ADAM_SCALARS, \
    .scalar_name = {"updates", "beta1_power", "beta2_power"}, .scalar_first = {0, 1, 1}, \
    .slots = adam_slots, .advance = adam_advance, .prepare = adam_prepare
const rdc_rule rdc_rule_adam = {
    .name = "adam", .options = adam_options, ADAM_COMMON, .update = adam_update};
const rdc_rule rdc_rule_adamw = {
    .name = "adamw", .options = adamw_options, ADAM_COMMON, .update = adamw_update};

/* ---- NAdam (Dozat 2016, algorithm 2, with the schedule of mu of Keras and PyTorch) -------- */

enum { NADAM_LR, NADAM_BETA1, NADAM_BETA2, NADAM_EPS, NADAM_MOMENTUM_DECAY, NADAM_DECAY, N_NADAM };
enum { SCALAR_MU_PRODUCT = 1, SCALAR_NADAM_POWER2, SCALAR_MU, N_NADAM_SCALARS };
static const rd_option nadam_options[N_NADAM] = {
    [NADAM_LR] = RDC_OPTION_LR(2e-3),
    [NADAM_BETA1] = OPTION_BETA1,
    [NADAM_BETA2] = OPTION_BETA2,
    [NADAM_EPS] = OPTION_EPS,
    [NADAM_MOMENTUM_DECAY] =
        RDC_OPTION_REAL("momentum_decay", "how fast the momentum comes to beta1", 4e-3, 1),
    [NADAM_DECAY] = RDC_OPTION_L2,
};

/* d = g + decay p; m = beta1 m + (1 - beta1) d; s = beta2 s + (1 - beta2) d d;
 * n = sqrt(s) / sqrt(1 - beta2^t) + eps; p = p - (lr_gradient (d / n) + lr (m / n)) */
RD_CLONES static void nadam(const rdc_update *u, size_t first, size_t last)
{
    const rdc_update c = *u;
    rd_real *restrict m = c.slot[0], *restrict s = c.slot[1];
    for (size_t i = first; i < last; i++) {
        const rd_real d = c.g[i] + c.weight_decay * c.p[i];
        m[i] = c.beta1 * m[i] + c.rest1 * d;
        s[i] = c.beta2 * s[i] + c.rest2 * d * d;
        const rd_real n = rd_sqrt(s[i]) * c.root + c.eps;
        c.p[i] = c.p[i] - (c.lr_gradient * (d / n) + c.lr * (m[i] / n));
    }
}

static void nadam_update(void *job, size_t first, size_t last)
{
    nadam(job, first, last);
}

static uint32_t nadam_slots(const rd_value *o, const char *slot_name[RDC_MAX_SLOTS])
{
    (void)o;
    slot_name[0] = "mean";
    slot_name[1] = "square";
    return 2;
}

/* mu_t = beta1 (1 - 0.96^(t psi) / 2); the power is pointmath's, whose bits are the same everywhere. */
static double momentum_at(const rd_value *o, double t)
{
    return o[NADAM_BETA1].r * (1 - 0.5 * rd_exp_d(t * o[NADAM_MOMENTUM_DECAY].r * rd_log_d(0.96)));
}

static void nadam_advance(const rd_value *o, double *scalars)
{
    scalars[SCALAR_MU] = momentum_at(o, scalars[RDC_SCALAR_UPDATES]);
    scalars[SCALAR_MU_PRODUCT] *= scalars[SCALAR_MU];
    scalars[SCALAR_NADAM_POWER2] *= o[NADAM_BETA2].r;
}

static void nadam_prepare(const rdc_setting *s, rdc_update *u)
{
    const rd_value *o = s->options;
    const double next = momentum_at(o, s->scalars[RDC_SCALAR_UPDATES] + 1);
    const double product = s->scalars[SCALAR_MU_PRODUCT];
    u->lr_gradient = (rd_real)(s->lr * (1 - s->scalars[SCALAR_MU]) / (1 - product));
    u->lr = (rd_real)(s->lr * next / (1 - product * next));
    u->root = (rd_real)(1 / sqrt(1 - s->scalars[SCALAR_NADAM_POWER2]));
    u->weight_decay = (rd_real)s->weight_decay;
    u->beta1 = (rd_real)o[NADAM_BETA1].r;
    u->rest1 = (rd_real)(1 - o[NADAM_BETA1].r);
    u->beta2 = (rd_real)o[NADAM_BETA2].r;
    u->rest2 = (rd_real)(1 - o[NADAM_BETA2].r);
    u->eps = (rd_real)o[NADAM_EPS].r;
}

const rdc_rule rdc_rule_nadam = {.name = "nadam",
                                 .options = nadam_options,
                                 .n_options = N_NADAM,
                                 .decay = NADAM_DECAY,
                                 .n_scalars = N_NADAM_SCALARS,
                                 .scalar_name = {"updates", "mu_product", "beta2_power", "mu"},
                                 .scalar_first = {0, 1, 1, 0},
                                 .slots = nadam_slots,
                                 .advance = nadam_advance,
                                 .prepare = nadam_prepare,
                                 .update = nadam_update};
