/* optim.c - the optimizer object: parameters, slots and scalars, and a step over all of them.
 *
 * Invariant: slots[i * n_slots + k] is packed and lies like parameter i. An optimizer owns a reference to
 * its parameters and slots, and through them to the core.
 * SPDX-License-Identifier: MIT */
#include "learn/optim.h"
#include "base/profile.h"
#include "base/tensor.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rd_optimizer {
    const rdc_rule *rule;
    rd_value *options; /* as resolved */
    double lr;
    size_t n;
    struct group {
        double lr_factor, weight_decay;
    } * group;              /* [n]: of each parameter */
    rd_tensor **parameters; /* [n] */
    rd_tensor **slots;      /* [n * n_slots] */
    uint32_t n_slots;
    const char *slot_name[RDC_MAX_SLOTS];
    double scalars[RDC_MAX_SCALARS];
};

/* ---- kinds ------------------------------------------------------------------------------- */

size_t rd_optimizer_kind_count(void)
{
    return rdc_rule_count();
}

const char *rd_optimizer_kind_name(size_t index)
{
    return rdc_rule_at(index)->name;
}

static const rdc_rule *find_rule(const char *kind)
{
    for (size_t i = 0; i < rdc_rule_count(); i++)
        if (strcmp(rdc_rule_at(i)->name, kind) == 0) return rdc_rule_at(i);
    return NULL;
}

const rd_option *rd_optimizer_options(const char *kind, uint32_t *n_options)
{
    const rdc_rule *rule = find_rule(kind);
    if (!rule) return NULL;
    *n_options = rule->n_options;
    return rule->options;
}

static rd_status unknown_kind(const char *kind, rd_error *err)
{
    enum { MOST = 16 };
    const char *names[MOST] = {0};
    const size_t n = rdc_rule_count();
    assert(n <= MOST);
    for (size_t i = 0; i < n; i++) names[i] = rdc_rule_at(i)->name;
    const char *nearest = rd_nearest(kind, names, n);
    if (nearest)
        return rdc_fail(err, RD_E_ARG, "there is no optimizer '%s'; did you mean '%s'?", kind,
                        nearest);
    return rdc_fail(err, RD_E_ARG,
                    "there is no optimizer '%s'; there are sgd, rmsprop, adam, adamw, nadam, "
                    "adagrad, adadelta and lion",
                    kind);
}

/* ---- making and freeing ------------------------------------------------------------------ */

static rd_status check_parameters(const char *kind, rd_tensor *const *parameters, size_t n,
                                  rd_error *err)
{
    if (n == 0) return rdc_fail(err, RD_E_ARG, "%s: there are no parameters to optimize", kind);
    for (size_t i = 0; i < n; i++) {
        if (!rd_is_leaf(parameters[i]))
            return rdc_fail(err, RD_E_ARG,
                            "%s: parameter %zu is the result of an operation; only tensors made "
                            "directly can be optimized",
                            kind, i + 1);
        if (!rdc_is_packed(parameters[i]))
            return rdc_fail(err, RD_E_ARG,
                            "%s: parameter %zu is a view with gaps; optimize the tensor it was "
                            "taken from",
                            kind, i + 1);
        for (size_t k = 0; k < i; k++)
            if (parameters[k] == parameters[i])
                return rdc_fail(err, RD_E_ARG, "%s: parameter %zu is the same tensor as number %zu",
                                kind, i + 1, k + 1);
    }
    return RD_OK;
}

static rd_status adopt(rd_optimizer *o, rd_tensor *const *parameters, rd_error *err)
{
    const uint32_t first = o->rule->first_value;
    for (size_t i = 0; i < o->n; i++) {
        rd_tensor **const slots = o->slots + i * o->n_slots;
        o->parameters[i] = rd_tensor_retain(parameters[i]);
        o->group[i] = (struct group){1, o->options[o->rule->decay].r};
        for (uint32_t k = 0; k < o->n_slots; k++)
            RD_TRY(rdc_tensor_like(parameters[i], true, &slots[k], err));
        if (first && o->options[first].r > 0) RD_TRY(rd_fill(slots[0], o->options[first].r, err));
    }
    return RD_OK;
}

static rd_status resolve(rd_optimizer *o, const rd_setting *settings, size_t n_settings,
                         rd_error *err)
{
    const rdc_rule *rule = o->rule;
    RD_TRY(rd_options_resolve(rule->name, rule->options, rule->n_options, sizeof(rd_option),
                              settings, n_settings, o->options, err));
    const char *conflict = rule->conflict ? rule->conflict(o->options) : NULL;
    if (conflict) return rdc_fail(err, RD_E_ARG, "%s: %s", rule->name, conflict);
    o->lr = o->options[0].r;
    o->n_slots = rule->slots(o->options, o->slot_name);
    memcpy(o->scalars, rule->scalar_first, sizeof o->scalars);
    return RD_OK;
}

rd_status rd_optimizer_new(const char *kind, const rd_setting *settings, size_t n_settings,
                           rd_tensor *const *parameters, size_t n_parameters, rd_optimizer **out,
                           rd_error *err)
{
    const rdc_rule *rule = find_rule(kind);
    if (!rule) return unknown_kind(kind, err);
    RD_TRY(check_parameters(kind, parameters, n_parameters, err));
    rd_optimizer *o = calloc(1, sizeof *o);
    if (!o) return rdc_no_memory(err, sizeof *o);
    o->rule = rule;
    o->n = n_parameters;
    o->options = calloc(rule->n_options, sizeof *o->options);
    o->parameters = calloc(n_parameters, sizeof *o->parameters);
    o->slots = calloc(n_parameters, RDC_MAX_SLOTS * sizeof *o->slots);
    o->group = calloc(n_parameters, sizeof *o->group);
    rd_status status = RD_OK;
    if (!o->options || !o->parameters || !o->slots || !o->group)
        status = rdc_no_memory(err, n_parameters * RDC_MAX_SLOTS * sizeof *o->slots);
    if (status == RD_OK) status = resolve(o, settings, n_settings, err);
    if (status == RD_OK) status = adopt(o, parameters, err);
    if (status == RD_OK)
        *out = o;
    else
        rd_optimizer_free(o);
    return status;
}

void rd_optimizer_free(rd_optimizer *o)
{
    if (!o) return;
    if (o->slots)
        for (size_t i = 0; i < o->n * o->n_slots; i++) rd_tensor_release(o->slots[i]);
    if (o->parameters)
        for (size_t i = 0; i < o->n; i++) rd_tensor_release(o->parameters[i]);
    free(o->group);
    free(o->slots);
    free(o->parameters);
    free(o->options);
    free(o);
}

/* ---- a step ------------------------------------------------------------------------------ */

/* Scalars run through the smallest numbers: beta^t, in the contract's environment. */
static void prepare(const rd_optimizer *o, size_t parameter, rdc_update *u)
{
    const struct group *g = &o->group[parameter];
    const rdc_setting setting = {o->options, o->lr * g->lr_factor, g->weight_decay, o->scalars};
    const uint64_t env = rdc_fp_enter();
    o->rule->prepare(&setting, u);
    rdc_fp_leave(env);
}

static void advance(rd_optimizer *o)
{
    const uint64_t env = rdc_fp_enter();
    o->scalars[RDC_SCALAR_UPDATES] += 1;
    if (o->rule->advance) o->rule->advance(o->options, o->scalars);
    rdc_fp_leave(env);
}

rd_status rd_optimizer_step(rd_optimizer *o, rd_error *err)
{
    RDC_TIMED(o->n > 0 ? o->parameters[0]->core : NULL, RD_WORK_OPTIMIZER);
    (void)err;
    rdc_update u = {0};
    advance(o);
    for (size_t i = 0; i < o->n; i++) {
        rd_tensor *p = o->parameters[i];
        if (!p->grad || !p->wants_grad) continue;
        assert(rdc_same_layout(p, p->grad));
        prepare(o, i, &u);
        p->block->version++;
        u.p = p->at;
        u.g = p->grad->at;
        for (uint32_t k = 0; k < o->n_slots; k++) {
            rd_tensor *slot = o->slots[i * o->n_slots + k];
            slot->block->version++;
            u.slot[k] = slot->at;
        }
        rdc_pool_range(p->core->pool, rd_tensor_numel(p), 8192, o->rule->update, &u);
    }
    return RD_OK;
}

rd_status rd_optimizer_set_group(rd_optimizer *o, size_t parameter, double lr_factor,
                                 double weight_decay, rd_error *err)
{
    const rd_option *option = &o->rule->options[o->rule->decay];
    if (!(lr_factor >= 0 && lr_factor <= 1e6))
        return rdc_fail(err, RD_E_ARG, "%s: a group's 'lr_factor' must be 0..1000000, got %.9g",
                        o->rule->name, lr_factor);
    if (!(weight_decay >= option->min && weight_decay <= option->max))
        return rdc_fail(err, RD_E_ARG, "%s: a group's 'weight_decay' must be %.9g..%.9g, got %.9g",
                        o->rule->name, option->min, option->max, weight_decay);
    o->group[parameter] = (struct group){lr_factor, weight_decay};
    return RD_OK;
}

/* ---- state ------------------------------------------------------------------------------- */

uint64_t rd_optimizer_updates(const rd_optimizer *o)
{
    return (uint64_t)o->scalars[RDC_SCALAR_UPDATES];
}

double rd_optimizer_lr(const rd_optimizer *o)
{
    return o->lr;
}

rd_status rd_optimizer_set_lr(rd_optimizer *o, double lr, rd_error *err)
{
    const rd_option *option = &o->rule->options[0];
    if (!(lr >= option->min && lr <= option->max))
        return rdc_fail(err, RD_E_ARG, "%s: option 'lr' must be %.9g..%.9g, got %.9g",
                        o->rule->name, option->min, option->max, lr);
    o->lr = lr;
    return RD_OK;
}

size_t rd_optimizer_slot_count(const rd_optimizer *o)
{
    return o->n_slots;
}

const char *rd_optimizer_slot_name(const rd_optimizer *o, size_t slot)
{
    return o->slot_name[slot];
}

rd_tensor *rd_optimizer_slot(const rd_optimizer *o, size_t parameter, size_t slot)
{
    return o->slots[parameter * o->n_slots + slot];
}

size_t rd_optimizer_scalar_count(const rd_optimizer *o)
{
    return o->rule->n_scalars;
}

const char *rd_optimizer_scalar_name(const rd_optimizer *o, size_t index)
{
    return o->rule->scalar_name[index];
}

double rd_optimizer_scalar(const rd_optimizer *o, size_t index)
{
    return o->scalars[index];
}

rd_status rd_optimizer_set_scalar(rd_optimizer *o, size_t index, double value, rd_error *err)
{
    const bool counts = index == RDC_SCALAR_UPDATES;
    if (!(value >= 0 && value <= (counts ? 0x1p53 : 1)) || (counts && value != floor(value)))
        return rdc_fail(err, RD_E_ARG, "%s: the saved number '%s' must be %s, got %.17g",
                        o->rule->name, o->rule->scalar_name[index],
                        counts ? "a whole number of updates" : "0..1", value);
    o->scalars[index] = value;
    return RD_OK;
}
