/* optim_rules.c - SGD, RMSprop, Adam and AdamW: options, slots, and one written sequence each.
 *
 * The formulas are PyTorch's. What changes a loop selects a copy of it before it runs: the `const bool`
 * parameters are constants at every call.
 * SPDX-License-Identifier: MIT */
#include "learn/optim.h"
#include "rondo/pointmath.h"
#include <math.h>

#define OPTION_LR(first) \
    { \
        .name = "lr", .help = "learning rate", .kind = RD_REAL, .def = (first), .min = 0, \
        .max = 1e6 \
    }
#define OPTION_REAL(key, text, first, highest) \
    { \
        .name = (key), .help = (text), .kind = RD_REAL, .def = (first), .min = 0, .max = (highest) \
    }
#define OPTION_FLAG(key, text) \
    { \
        .name = (key), .help = (text), .kind = RD_BOOL, .min = 0, .max = 1 \
    }
#define BELOW_ONE 0.9999999

/* ---- SGD --------------------------------------------------------------------------------- */

enum { SGD_LR, SGD_MOMENTUM, SGD_NESTEROV, SGD_DECAY, N_SGD };
static const rd_option sgd_options[N_SGD] = {
    [SGD_LR] = OPTION_LR(0.01),
    [SGD_MOMENTUM] = OPTION_REAL("momentum", "share of the last step kept", 0, BELOW_ONE),
    [SGD_NESTEROV] = OPTION_FLAG("nesterov", "look ahead along the momentum"),
    [SGD_DECAY] = OPTION_REAL("weight_decay", "L2 penalty, added to the gradient", 0, 1e6),
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

static void sgd_begin(const rd_value *o, double lr, double *scalars, rdc_update *u)
{
    scalars[RDC_SCALAR_UPDATES] += 1;
    u->lr = (rd_real)lr;
    u->weight_decay = (rd_real)o[SGD_DECAY].r;
    u->momentum = (rd_real)o[SGD_MOMENTUM].r;
    u->nesterov = o[SGD_NESTEROV].i != 0;
}

/* ---- RMSprop (Tieleman & Hinton 2012; centred: Graves 2013, eq. 38-41) ------------------- */

enum { RMS_LR, RMS_ALPHA, RMS_EPS, RMS_MOMENTUM, RMS_CENTERED, RMS_DECAY, N_RMS };
static const rd_option rms_options[N_RMS] = {
    [RMS_LR] = OPTION_LR(0.01),
    [RMS_ALPHA] = OPTION_REAL("alpha", "share of the last mean square kept", 0.99, BELOW_ONE),
    [RMS_EPS] = OPTION_REAL("eps", "added to the root of the mean square", 1e-8, 1),
    [RMS_MOMENTUM] = OPTION_REAL("momentum", "share of the last step kept", 0, BELOW_ONE),
    [RMS_CENTERED] = OPTION_FLAG("centered", "take the mean gradient's square away"),
    [RMS_DECAY] = OPTION_REAL("weight_decay", "L2 penalty, added to the gradient", 0, 1e6),
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

static void rms_begin(const rd_value *o, double lr, double *scalars, rdc_update *u)
{
    scalars[RDC_SCALAR_UPDATES] += 1;
    u->lr = (rd_real)lr;
    u->weight_decay = (rd_real)o[RMS_DECAY].r;
    u->momentum = (rd_real)o[RMS_MOMENTUM].r;
    u->centered = o[RMS_CENTERED].i != 0;
    u->beta1 = (rd_real)o[RMS_ALPHA].r;
    u->rest1 = (rd_real)(1 - o[RMS_ALPHA].r);
    u->eps = (rd_real)o[RMS_EPS].r;
}

/* ---- Adam (Kingma & Ba 2015, algorithm 1) and AdamW (Loshchilov & Hutter 2019, algorithm 2)  */

enum { ADAM_LR, ADAM_BETA1, ADAM_BETA2, ADAM_EPS, ADAM_DECAY, N_ADAM };
enum { SCALAR_POWER1 = 1, SCALAR_POWER2, N_ADAM_SCALARS };
#define ADAM_OPTIONS(decay, text) \
    { \
        [ADAM_LR] = OPTION_LR(1e-3), \
        [ADAM_BETA1] = OPTION_REAL("beta1", "share of the last mean kept", 0.9, BELOW_ONE), \
        [ADAM_BETA2] = \
            OPTION_REAL("beta2", "share of the last mean square kept", 0.999, BELOW_ONE), \
        [ADAM_EPS] = OPTION_REAL("eps", "added to the root of the mean square", 1e-8, 1), \
        [ADAM_DECAY] = OPTION_REAL("weight_decay", text, decay, 1e6), \
    }
static const rd_option adam_options[N_ADAM] = ADAM_OPTIONS(0, "L2 penalty, added to the gradient");
static const rd_option adamw_options[N_ADAM] =
    ADAM_OPTIONS(0.01, "share of a parameter taken away at each update, times lr");

/* p = p keep (AdamW); d = g + decay p (Adam); m = beta1 m + (1 - beta1) d;
 * s = beta2 s + (1 - beta2) d d; p = p - lr / (1 - beta1^t) m / (sqrt(s) / sqrt(1 - beta2^t) + eps) */
RD_INLINE void adam(const rdc_update *u, size_t first, size_t last, const bool decoupled)
{
    const rdc_update c = *u;
    rd_real *restrict m = c.slot[0], *restrict s = c.slot[1];
    for (size_t i = first; i < last; i++) {
        const rd_real p = decoupled ? c.p[i] * c.keep : c.p[i];
        const rd_real d = decoupled ? c.g[i] : c.g[i] + c.weight_decay * p;
        m[i] = c.beta1 * m[i] + c.rest1 * d;
        s[i] = c.beta2 * s[i] + c.rest2 * d * d;
        c.p[i] = p - c.lr * (m[i] / (rd_sqrt(s[i]) * c.root + c.eps));
    }
}

RD_CLONES static void adam_l2(const rdc_update *u, size_t first, size_t last)
{
    adam(u, first, last, false);
}

RD_CLONES static void adam_decoupled(const rdc_update *u, size_t first, size_t last)
{
    adam(u, first, last, true);
}

static void adam_update(void *job, size_t first, size_t last)
{
    adam_l2(job, first, last);
}

static void adamw_update(void *job, size_t first, size_t last)
{
    adam_decoupled(job, first, last);
}

static uint32_t adam_slots(const rd_value *o, const char *slot_name[RDC_MAX_SLOTS])
{
    (void)o;
    slot_name[0] = "mean";
    slot_name[1] = "square";
    return 2;
}

/* beta^t is a running product, saved with the state: pow would change its bits between machines. */
static void adam_begin(const rd_value *o, double lr, double *scalars, rdc_update *u)
{
    scalars[RDC_SCALAR_UPDATES] += 1;
    scalars[SCALAR_POWER1] *= o[ADAM_BETA1].r;
    scalars[SCALAR_POWER2] *= o[ADAM_BETA2].r;
    u->lr = (rd_real)(lr / (1 - scalars[SCALAR_POWER1]));
    u->root = (rd_real)(1 / sqrt(1 - scalars[SCALAR_POWER2]));
    u->weight_decay = (rd_real)o[ADAM_DECAY].r;
    u->keep = (rd_real)(1 - lr * o[ADAM_DECAY].r);
    u->beta1 = (rd_real)o[ADAM_BETA1].r;
    u->rest1 = (rd_real)(1 - o[ADAM_BETA1].r);
    u->beta2 = (rd_real)o[ADAM_BETA2].r;
    u->rest2 = (rd_real)(1 - o[ADAM_BETA2].r);
    u->eps = (rd_real)o[ADAM_EPS].r;
}

/* ---- the list ---------------------------------------------------------------------------- */

#define ADAM_SCALARS \
    .n_scalars = N_ADAM_SCALARS, .scalar_name = {"updates", "beta1_power", "beta2_power"}, \
    .scalar_first = {0, 1, 1}
#define ONE_SCALAR .n_scalars = 1, .scalar_name = {"updates"}

static const rdc_rule rules[] = {
    {.name = "sgd",
     .options = sgd_options,
     .n_options = N_SGD,
     ONE_SCALAR,
     .slots = sgd_slots,
     .update = sgd_update,
     .conflict = sgd_conflict,
     .begin = sgd_begin},
    {.name = "rmsprop",
     .options = rms_options,
     .n_options = N_RMS,
     ONE_SCALAR,
     .slots = rms_slots,
     .update = rms_update,
     .begin = rms_begin},
    {.name = "adam",
     .options = adam_options,
     .n_options = N_ADAM,
     ADAM_SCALARS,
     .slots = adam_slots,
     .update = adam_update,
     .begin = adam_begin},
    {.name = "adamw",
     .options = adamw_options,
     .n_options = N_ADAM,
     ADAM_SCALARS,
     .slots = adam_slots,
     .update = adamw_update,
     .begin = adam_begin},
};

size_t rdc_rule_count(void)
{
    return sizeof rules / sizeof *rules;
}

const rdc_rule *rdc_rule_at(size_t index)
{
    return &rules[index];
}
