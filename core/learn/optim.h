/* optim.h - how the optimizer object and the element-wise rules meet.
 * SPDX-License-Identifier: MIT */
#ifndef RD_OPTIM_H
#define RD_OPTIM_H
#include "base/pool.h"
#include "rondo.h"

enum { RDC_MAX_SLOTS = 3, RDC_MAX_SCALARS = 3 };
enum { RDC_SCALAR_UPDATES }; /* the first scalar of every rule */

/* One step of one parameter: memory, and the scalars of the step formed in double and rounded once (bit
 * contract, rule 9). A rule reads what it needs. */
typedef struct rdc_update {
    rd_real *restrict p; /* parameter, gradient and slots are different blocks */
    const rd_real *restrict g;
    rd_real *restrict slot[RDC_MAX_SLOTS];
    rd_real lr;           /* step size, bias correction included */
    rd_real weight_decay; /* added to the gradient, times the parameter */
    rd_real keep;         /* 1 - lr weight_decay, where that is decoupled */
    rd_real momentum;
    rd_real beta1, rest1, beta2, rest2; /* rest: 1 - beta */
    rd_real root;                       /* 1 / sqrt(1 - beta2^t) */
    rd_real eps;
    bool nesterov, centered;
} rdc_update;

typedef struct rdc_rule {
    const char *name;
    const rd_option *options; /* the first is lr */
    uint32_t n_options;
    uint32_t n_scalars;
    const char *scalar_name[RDC_MAX_SCALARS];
    double scalar_first[RDC_MAX_SCALARS];
    /* Names the slots these options need and returns how many. */
    uint32_t (*slots)(const rd_value *options, const char *slot_name[RDC_MAX_SLOTS]);
    /* A sentence about options that do not go together, or NULL. */
    const char *(*conflict)(const rd_value *options);
    /* Advances the scalars by one update and fills u's numbers. */
    void (*begin)(const rd_value *options, double lr, double *scalars, rdc_update *u);
    rdc_range_fn update; /* over elements; job is an rdc_update */
} rdc_rule;

size_t rdc_rule_count(void);
const rdc_rule *rdc_rule_at(size_t index);
#endif
