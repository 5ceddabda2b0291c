/* optim_rules.c - SGD and RMSprop: options, slots, and one written sequence each; the list of all rules.
 *
 * The formulas are PyTorch's. What changes a loop selects a copy of it before it runs: the `const bool`
 * parameters are constants at every call.
 * SPDX-License-Identifier: MIT */
#include "learn/optim.h"
#include "rondo/pointmath.h"

/* ---- SGD --------------------------------------------------------------------------------- */

enum { SGD_LR, SGD_MOMENTUM, SGD_NESTEROV, SGD_DECAY, N_SGD };
static const rd_option sgd_options[N_SGD] = {
    [SGD_LR] = RDC_OPTION_LR(0.01),
    [SGD_MOMENTUM] = RDC_OPTION_REAL("momentum", "share of the last step kept", 0, RDC_BELOW_ONE),
    [SGD_NESTEROV] = RDC_OPTION_FLAG("nesterov", "look ahead along the momentum"),
    [SGD_DECAY] = RDC_OPTION_L2,
};

/* d = g + decay p; v = momentum v + d; p = p - lr (v, or d + momentum v by Nesterov) */
RD_INLINE void sgd(const rdc_update *u, size_t first, size_t last, const bool momentum,
                   const bool nesterov)
{
    const rdc_update c = *u;
    rd_real *restrict v = c.slot[0];
    for (size_t i = first; i < last; i++) {
        rd_real d = c.g[i] + c.weight_decay * c.p[i];
        if (momentum) {
            v[i] = c.momentum * v[i] + d;
            d = nesterov ? d + c.momentum * v[i] : v[i];
        }
        c.p[i] = c.p[i] - c.lr * d;
    }
}

RD_CLONES static void sgd_plain(const rdc_update *u, size_t first, size_t last)
{
    sgd(u, first, last, false, false);
}

RD_CLONES static void sgd_momentum(const rdc_update *u, size_t first, size_t last)
{
    sgd(u, first, last, true, false);
}

RD_CLONES static void sgd_nesterov(const rdc_update *u, size_t first, size_t last)
{
    sgd(u, first, last, true, true);
}

static void sgd_update(void *job, size_t first, size_t last)
{
    const rdc_update *u = job;
    if (u->momentum <= 0)
        sgd_plain(u, first, last);
    else if (u->nesterov)
        sgd_nesterov(u, first, last);
    else
        sgd_momentum(u, first, last);
}

static uint32_t sgd_slots(const rd_value *o, const char *slot_name[RDC_MAX_SLOTS])
{
    if (o[SGD_MOMENTUM].r <= 0) return 0;
    slot_name[0] = "momentum";
    return 1;
}

static const char *sgd_conflict(const rd_value *o)
{
    return o[SGD_NESTEROV].i && o[SGD_MOMENTUM].r <= 0
               ? "option 'nesterov' needs a 'momentum' greater than 0"
               : NULL;
}

static void sgd_prepare(const rdc_setting *s, rdc_update *u)
{
    const rd_value *o = s->options;
    u->lr = (rd_real)s->lr;
    u->weight_decay = (rd_real)s->weight_decay;
    u->momentum = (rd_real)o[SGD_MOMENTUM].r;
    u->nesterov = o[SGD_NESTEROV].i != 0;
}

const rdc_rule rdc_rule_sgd = {.name = "sgd",
                               .options = sgd_options,
                               .n_options = N_SGD,
                               .decay = SGD_DECAY,
                               RDC_ONE_SCALAR,
                               .slots = sgd_slots,
                               .update = sgd_update,
                               .conflict = sgd_conflict,
                               .prepare = sgd_prepare};

/* ---- RMSprop (Tieleman & Hinton 2012; centred: Graves 2013, eq. 38-41) ------------------- */

enum { RMS_LR, RMS_ALPHA, RMS_EPS, RMS_MOMENTUM, RMS_CENTERED, RMS_DECAY, N_RMS };
static const rd_option rms_options[N_RMS] = {
    [RMS_LR] = RDC_OPTION_LR(0.01),
    [RMS_ALPHA] =
        RDC_OPTION_REAL("alpha", "share of the last mean square kept", 0.99, RDC_BELOW_ONE),
    [RMS_EPS] = RDC_OPTION_REAL("eps", "added to the root of the mean square", 1e-8, 1),
    [RMS_MOMENTUM] = RDC_OPTION_REAL("momentum", "share of the last step kept", 0, RDC_BELOW_ONE),
    [RMS_CENTERED] = RDC_OPTION_FLAG("centered", "take the mean gradient's square away"),
    [RMS_DECAY] = RDC_OPTION_L2,
};

/* d = g + decay p; s = alpha s + (1 - alpha) d d; a = alpha a + (1 - alpha) d;
 * step = d / (sqrt(s - a a) + eps); v = momentum v + step; p = p - lr v
 * Rounding can leave s - a a below 0, where PyTorch gives NaN: 0 is taken instead. */
RD_INLINE void rmsprop(const rdc_update *u, size_t first, size_t last, const bool centered,
                       const bool momentum)
{
    const rdc_update c = *u;
    rd_real *restrict s = c.slot[0], *restrict a = c.slot[1];
    rd_real *restrict v = centered ? c.slot[2] : c.slot[1];
    for (size_t i = first; i < last; i++) {
        const rd_real d = c.g[i] + c.weight_decay * c.p[i];
        s[i] = c.beta1 * s[i] + c.rest1 * d * d;
        rd_real square = s[i];
        if (centered) {
            a[i] = c.beta1 * a[i] + c.rest1 * d;
            square = square - a[i] * a[i];
            square = square < 0 ? 0 : square;
        }
        rd_real step = d / (rd_sqrt(square) + c.eps);
        if (momentum) {
            v[i] = c.momentum * v[i] + step;
            step = v[i];
        }
        c.p[i] = c.p[i] - c.lr * step;
    }
}

RD_CLONES static void rms_plain(const rdc_update *u, size_t first, size_t last)
{
    rmsprop(u, first, last, false, false);
}

RD_CLONES static void rms_momentum(const rdc_update *u, size_t first, size_t last)
{
    rmsprop(u, first, last, false, true);
}

RD_CLONES static void rms_centered(const rdc_update *u, size_t first, size_t last)
{
    rmsprop(u, first, last, true, false);
}

RD_CLONES static void rms_centered_momentum(const rdc_update *u, size_t first, size_t last)
{
    rmsprop(u, first, last, true, true);
}

static void rms_update(void *job, size_t first, size_t last)
{
    const rdc_update *u = job;
    if (u->centered && u->momentum > 0)
        rms_centered_momentum(u, first, last);
    else if (u->centered)
        rms_centered(u, first, last);
    else if (u->momentum > 0)
        rms_momentum(u, first, last);
    else
        rms_plain(u, first, last);
}

static uint32_t rms_slots(const rd_value *o, const char *slot_name[RDC_MAX_SLOTS])
{
    uint32_t n = 0;
    slot_name[n++] = "square";
    if (o[RMS_CENTERED].i) slot_name[n++] = "mean";
    if (o[RMS_MOMENTUM].r > 0) slot_name[n++] = "momentum";
    return n;
}

static void rms_prepare(const rdc_setting *s, rdc_update *u)
{
    const rd_value *o = s->options;
    u->lr = (rd_real)s->lr;
    u->weight_decay = (rd_real)s->weight_decay;
    u->momentum = (rd_real)o[RMS_MOMENTUM].r;
    u->centered = o[RMS_CENTERED].i != 0;
    u->beta1 = (rd_real)o[RMS_ALPHA].r;
    u->rest1 = (rd_real)(1 - o[RMS_ALPHA].r);
    u->eps = (rd_real)o[RMS_EPS].r;
}

const rdc_rule rdc_rule_rmsprop = {.name = "rmsprop",
                                   .options = rms_options,
                                   .n_options = N_RMS,
                                   .decay = RMS_DECAY,
                                   RDC_ONE_SCALAR,
                                   .slots = rms_slots,
                                   .update = rms_update,
                                   .prepare = rms_prepare};

/* ---- the list ---------------------------------------------------------------------------- */

static const rdc_rule *const rules[] = {
    &rdc_rule_sgd,   &rdc_rule_rmsprop, &rdc_rule_adam,     &rdc_rule_adamw,
    &rdc_rule_nadam, &rdc_rule_adagrad, &rdc_rule_adadelta, &rdc_rule_lion,
};

size_t rdc_rule_count(void)
{
    return sizeof rules / sizeof *rules;
}

const rdc_rule *rdc_rule_at(size_t index)
{
    return rules[index];
}
