/* optim.h - how the optimizer object and the element-wise rules meet.
 * SPDX-License-Identifier: MIT */
#ifndef RD_OPTIM_H
#define RD_OPTIM_H
#include "base/pool.h"
#include "rondo.h"

enum { RDC_MAX_SLOTS = 3, RDC_MAX_SCALARS = 4 };
enum { RDC_SCALAR_UPDATES }; /* the first scalar of every rule */

/* One step of one parameter: memory, and the scalars of the step formed in double and rounded once (bit
 * contract, rule 9). A rule reads what it needs. */
typedef struct rdc_update {
    rd_real *restrict p; /* parameter, gradient and slots are different blocks */
    const rd_real *restrict g;
    rd_real *restrict slot[RDC_MAX_SLOTS];
    rd_real lr;           /* step size, bias correction included */
    rd_real lr_gradient;  /* NAdam: of the gradient itself, beside the mean's */
    rd_real weight_decay; /* added to the gradient, times the parameter */
    rd_real keep;         /* 1 - lr weight_decay, where that is decoupled */
    rd_real momentum;
    rd_real beta1, rest1, beta2, rest2; /* rest: 1 - beta */
    rd_real root;                       /* 1 / sqrt(1 - beta2^t) */
    rd_real eps;
    bool nesterov, centered, amsgrad;
} rdc_update;

/* What one parameter's step is made of: the optimizer's options, the rate and the decay of its group. */
typedef struct rdc_setting {
    const rd_value *options;
    double lr, weight_decay;
    const double *scalars; /* advanced */
} rdc_setting;

typedef struct rdc_rule {
    const char *name;
    const rd_option *options; /* the first is lr */
    uint32_t n_options;
    uint32_t decay; /* index of weight_decay */
    uint32_t
        first_value; /* index of the option that the first slot starts with; 0: it starts at 0 */
    uint32_t n_scalars;
    const char *scalar_name[RDC_MAX_SCALARS];
    double scalar_first[RDC_MAX_SCALARS];
    /* Names the slots these options need and returns how many. */
    uint32_t (*slots)(const rd_value *options, const char *slot_name[RDC_MAX_SLOTS]);
    /* A sentence about options that do not go together, or NULL. */
    const char *(*conflict)(const rd_value *options);
    /* Moves the scalars but the first by one update; NULL where there are no others. */
    void (*advance)(const rd_value *options, double *scalars);
    /* Fills u's numbers for a parameter. */
    void (*prepare)(const rdc_setting *s, rdc_update *u);
    rdc_range_fn update; /* over elements; job is an rdc_update */
} rdc_rule;

extern const rdc_rule rdc_rule_sgd, rdc_rule_rmsprop;                     /* optim_rules.c */
extern const rdc_rule rdc_rule_adam, rdc_rule_adamw, rdc_rule_nadam;      /* optim_adam.c */
extern const rdc_rule rdc_rule_adagrad, rdc_rule_adadelta, rdc_rule_lion; /* optim_adaptive.c */

size_t rdc_rule_count(void);
const rdc_rule *rdc_rule_at(size_t index);

/* ---- how the files of rules write their tables -------------------------------------------- */

#define RDC_OPTION_LR(first) \
    { \
        .name = "lr", .help = "learning rate", .kind = RD_REAL, .def = (first), .min = 0, \
        .max = 1e6 \
    }
#define RDC_OPTION_REAL(key, text, first, highest) \
    { \
        .name = (key), .help = (text), .kind = RD_REAL, .def = (first), .min = 0, .max = (highest) \
    }
#define RDC_OPTION_FLAG(key, text) \
    { \
        .name = (key), .help = (text), .kind = RD_BOOL, .min = 0, .max = 1 \
    }
#define RDC_OPTION_L2 RDC_OPTION_REAL("weight_decay", "L2 penalty, added to the gradient", 0, 1e6)
#define RDC_BELOW_ONE 0.9999999
#define RDC_ONE_SCALAR .n_scalars = 1, .scalar_name = {"updates"}
#endif
