/* records.c - rule L3: what the records of a plugin must hold before the core looks further.
 * SPDX-License-Identifier: MIT */
#include "plugin/loader.h"
#include "plugin/records.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static bool refuse(char reason[RDC_REASON_BYTES],
                                                         const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const int used = snprintf(reason, RDC_REASON_BYTES, "L3: ");
    (void)vsnprintf(reason + used, (size_t)(RDC_REASON_BYTES - used), format, args);
    va_end(args);
    return false;
}

/* [a-z][a-z0-9_.-]*, at most 63 letters: fits a file name, a Lua key and a message. */
static bool good_name(const char *name)
{
    size_t n = 0;

    if (name[0] < 'a' || name[0] > 'z') return false;
    for (; name[n]; n++) {
        const char c = name[n];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!letter && c != '_' && c != '.' && c != '-') return false;
    }
    return n < 64;
}

/* A flag that this host does not know may change what all else means. */
static bool check_flags(const char *kind, const char *name, uint32_t flags, uint32_t known,
                        char reason[RDC_REASON_BYTES])
{
    if (!(flags & ~known)) return true;
    return refuse(reason,
                  "%s '%s' has flags 0x%x, of which this Rondo knows 0x%x; install a newer one",
                  kind, name, flags, flags & known);
}

static bool check_reserved(const char *kind, const char *name, uint32_t reserved,
                           char reason[RDC_REASON_BYTES])
{
    return reserved == 0 || refuse(reason, "%s '%s': the field `reserved` must be 0", kind, name);
}

/* What has options: a cell or a layer. */
struct owner {
    const char *kind, *name;
    const rd_option *options;
    uint32_t n_options, option_size;
};

static bool check_choices(const struct owner *c, const rd_option *o, char reason[RDC_REASON_BYTES])
{
    size_t n = 0;

    if (!o->choices || !o->choices[0])
        return refuse(reason, "option '%s' of %s '%s' has no choices", o->name, c->kind, c->name);
    while (o->choices[n]) n++;
    if (o->def >= 0 && o->def < (double)n && o->def == floor(o->def)) return true;
    return refuse(reason, "option '%s' of %s '%s': default %g is not one of its %zu choices",
                  o->name, c->kind, c->name, o->def, n);
}

static bool check_option(const struct owner *c, const rd_option *o, char reason[RDC_REASON_BYTES])
{
    if (!o->name || !o->help)
        return refuse(reason, "an option of %s '%s' lacks its name or help", c->kind, c->name);
    if (!good_name(o->name))
        return refuse(reason, "option name '%.80s' of %s '%s' is not [a-z][a-z0-9_.-]*", o->name,
                      c->kind, c->name);
    if (!check_flags("option", o->name, o->flags, RD_OPT_SHAPE, reason)) return false;
    switch (o->kind) {
    case RD_BOOL:
        return true;
    case RD_CHOICE:
        return check_choices(c, o, reason);
    case RD_INT:
    case RD_REAL:
        if (o->min <= o->def && o->def <= o->max) return true;
        return refuse(reason, "option '%s' of %s '%s': default %g is not in %g..%g", o->name,
                      c->kind, c->name, o->def, o->min, o->max);
    default:
        return refuse(reason, "option '%s' of %s '%s' is of unknown kind %d", o->name, c->kind,
                      c->name, (int)o->kind);
    }
}

static bool check_options(const struct owner *c, char reason[RDC_REASON_BYTES])
{
    if (c->n_options == 0) return true;
    if (!c->options || c->option_size < RDC_FIRST_SIZE(rd_option, choices))
        return refuse(reason, "%s '%s': options are missing or their option_size is %u, not %zu",
                      c->kind, c->name, c->option_size, RDC_FIRST_SIZE(rd_option, choices));
    for (uint32_t i = 0; i < c->n_options; i++) {
        const char *const base = (const char *)c->options;
        const rd_option *o = (const rd_option *)(base + (size_t)i * c->option_size);
        if (!check_option(c, o, reason)) return false;
        for (uint32_t k = 0; k < i; k++) {
            const rd_option *before = (const rd_option *)(base + (size_t)k * c->option_size);
            if (strcmp(before->name, o->name) == 0)
                return refuse(reason, "%s '%s' has two options '%s'", c->kind, c->name, o->name);
        }
    }
    return true;
}

static bool check_identity(const char *kind, const char *name, uint32_t revision, uint32_t reserved,
                           char reason[RDC_REASON_BYTES])
{
    if (revision == 0) return refuse(reason, "%s '%s' has no revision; the first is 1", kind, name);
    return check_reserved(kind, name, reserved, reason);
}

static bool check_cell(const rd_cell *c, char reason[RDC_REASON_BYTES])
{
    if (c->size < RDC_FIRST_SIZE(rd_cell, backward))
        return refuse(reason, "a cell's record has %u bytes, expected at least %zu", c->size,
                      RDC_FIRST_SIZE(rd_cell, backward));
    if (!c->name) return refuse(reason, "a cell has no name");
    if (!good_name(c->name))
        return refuse(reason, "cell name '%.80s' is not [a-z][a-z0-9_.-]*", c->name);
    if (!c->help || !c->layout || !c->forward)
        return refuse(reason, "cell '%s' lacks its %s", c->name,
                      !c->help     ? "help"
                      : !c->layout ? "layout function"
                                   : "forward function");
    return check_identity("cell", c->name, c->revision, c->reserved, reason) &&
           check_flags("cell", c->name, c->flags, RD_CELL_READS_X, reason) &&
           check_options(&(struct owner){"cell", c->name, c->options, c->n_options, c->option_size},
                         reason);
}

static bool check_layer(const rd_layer *l, char reason[RDC_REASON_BYTES])
{
    if (l->size < RDC_FIRST_SIZE(rd_layer, backward))
        return refuse(reason, "a layer's record has %u bytes, expected at least %zu", l->size,
                      RDC_FIRST_SIZE(rd_layer, backward));
    if (!l->name) return refuse(reason, "a layer has no name");
    if (!good_name(l->name))
        return refuse(reason, "layer name '%.80s' is not [a-z][a-z0-9_.-]*", l->name);
    if (!l->help || !l->setup || !l->forward)
        return refuse(reason, "layer '%s' lacks its %s", l->name,
                      !l->help    ? "help"
                      : !l->setup ? "setup function"
                                  : "forward function");
    return check_identity("layer", l->name, l->revision, l->reserved, reason) &&
           check_flags("layer", l->name, l->flags, RD_LAYER_NOT_CAUSAL, reason) &&
           check_options(
               &(struct owner){"layer", l->name, l->options, l->n_options, l->option_size}, reason);
}

static bool check_kernels(const rd_kernels *k, char reason[RDC_REASON_BYTES])
{
    if (k->size < RDC_FIRST_SIZE(rd_kernels, multiply_adds))
        return refuse(reason, "a backend's record has %u bytes, expected at least %zu", k->size,
                      RDC_FIRST_SIZE(rd_kernels, multiply_adds));
    if (!k->name) return refuse(reason, "a backend has no name");
    if (!good_name(k->name))
        return refuse(reason, "backend name '%.80s' is not [a-z][a-z0-9_.-]*", k->name);
    if (!k->help || !k->score)
        return refuse(reason, "backend '%s' lacks its %s", k->name,
                      !k->help ? "help" : "score function");
    if (!k->gemm != !k->pack || !k->gemm != !k->pack_bytes)
        return refuse(reason, "backend '%s': gemm, pack and pack_bytes go together", k->name);
    return check_flags("backend", k->name, k->flags,
                       RD_KERNELS_INEXACT | RD_KERNELS_BF16 | RD_KERNELS_INT8, reason);
}

bool rdc_plugin_check(const rd_plugin *p, char reason[RDC_REASON_BYTES])
{
    if (p->size < RDC_FIRST_SIZE(rd_plugin, init))
        return refuse(reason, "the plugin's record has %u bytes, expected at least %zu", p->size,
                      RDC_FIRST_SIZE(rd_plugin, init));
    if (!p->name || !p->version || !p->license || !p->origin)
        return refuse(reason, "the plugin lacks its name, version, license or origin");
    if (!good_name(p->name))
        return refuse(reason, "plugin name '%.80s' is not [a-z][a-z0-9_.-]*", p->name);
    if (!check_reserved("plugin", p->name, p->reserved, reason)) return false;
    for (size_t i = 0; p->cells && p->cells[i]; i++) {
        if (!check_cell(p->cells[i], reason)) return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(p->cells[k]->name, p->cells[i]->name) == 0)
                return refuse(reason, "the plugin has two cells '%s'", p->cells[i]->name);
    }
    for (size_t i = 0; p->layers && p->layers[i]; i++) {
        if (!check_layer(p->layers[i], reason)) return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(p->layers[k]->name, p->layers[i]->name) == 0)
                return refuse(reason, "the plugin has two layers '%s'", p->layers[i]->name);
        for (size_t k = 0; p->cells && p->cells[k]; k++)
            if (strcmp(p->cells[k]->name, p->layers[i]->name) == 0)
                return refuse(reason, "the plugin has a cell and a layer '%s'", p->layers[i]->name);
    }
    for (size_t i = 0; p->kernels && p->kernels[i]; i++)
        if (!check_kernels(p->kernels[i], reason)) return false;
    return true;
}
