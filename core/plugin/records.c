/* records.c - rule L3: what the records of a plugin must hold before the core looks further.
 * SPDX-License-Identifier: MIT */
#include "plugin/loader.h"
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

static bool check_choices(const char *cell, const rd_option *o, char reason[RDC_REASON_BYTES])
{
    size_t n = 0;

    if (!o->choices || !o->choices[0])
        return refuse(reason, "option '%s' of cell '%s' has no choices", o->name, cell);
    while (o->choices[n]) n++;
    if (o->def >= 0 && o->def < (double)n && o->def == floor(o->def)) return true;
    return refuse(reason, "option '%s' of cell '%s': default %g is not one of its %zu choices",
                  o->name, cell, o->def, n);
}

static bool check_option(const char *cell, const rd_option *o, char reason[RDC_REASON_BYTES])
{
    if (!o->name || !o->help)
        return refuse(reason, "an option of cell '%s' lacks its name or help", cell);
    if (!good_name(o->name))
        return refuse(reason, "option name '%.80s' of cell '%s' is not [a-z][a-z0-9_.-]*", o->name,
                      cell);
    switch (o->kind) {
    case RD_BOOL:
        return true;
    case RD_CHOICE:
        return check_choices(cell, o, reason);
    case RD_INT:
    case RD_REAL:
        if (o->min <= o->def && o->def <= o->max) return true;
        return refuse(reason, "option '%s' of cell '%s': default %g is not in %g..%g", o->name,
                      cell, o->def, o->min, o->max);
    default:
        return refuse(reason, "option '%s' of cell '%s' is of unknown kind %d", o->name, cell,
                      (int)o->kind);
    }
}

static bool check_options(const rd_cell *c, char reason[RDC_REASON_BYTES])
{
    if (c->n_options == 0) return true;
    if (!c->options || c->option_size < sizeof(rd_option))
        return refuse(reason, "cell '%s': options are missing or their option_size is %u, not %zu",
                      c->name, c->option_size, sizeof(rd_option));
    for (uint32_t i = 0; i < c->n_options; i++) {
        const char *const base = (const char *)c->options;
        const rd_option *o = (const rd_option *)(base + (size_t)i * c->option_size);
        if (!check_option(c->name, o, reason)) return false;
        for (uint32_t k = 0; k < i; k++) {
            const rd_option *before = (const rd_option *)(base + (size_t)k * c->option_size);
            if (strcmp(before->name, o->name) == 0)
                return refuse(reason, "cell '%s' has two options '%s'", c->name, o->name);
        }
    }
    return true;
}

static bool check_cell(const rd_cell *c, char reason[RDC_REASON_BYTES])
{
    if (c->size < sizeof(rd_cell))
        return refuse(reason, "a cell's record has %u bytes, expected at least %zu", c->size,
                      sizeof(rd_cell));
    if (!c->name) return refuse(reason, "a cell has no name");
    if (!good_name(c->name))
        return refuse(reason, "cell name '%.80s' is not [a-z][a-z0-9_.-]*", c->name);
    if (!c->help || !c->layout || !c->forward)
        return refuse(reason, "cell '%s' lacks its %s", c->name,
                      !c->help     ? "help"
                      : !c->layout ? "layout function"
                                   : "forward function");
    return check_options(c, reason);
}

static bool check_kernels(const rd_kernels *k, char reason[RDC_REASON_BYTES])
{
    if (k->size < sizeof(rd_kernels))
        return refuse(reason, "a backend's record has %u bytes, expected at least %zu", k->size,
                      sizeof(rd_kernels));
    if (!k->name) return refuse(reason, "a backend has no name");
    if (!good_name(k->name))
        return refuse(reason, "backend name '%.80s' is not [a-z][a-z0-9_.-]*", k->name);
    if (!k->help || !k->score)
        return refuse(reason, "backend '%s' lacks its %s", k->name,
                      !k->help ? "help" : "score function");
    if (!k->gemm != !k->pack || !k->gemm != !k->pack_bytes)
        return refuse(reason, "backend '%s': gemm, pack and pack_bytes go together", k->name);
    return true;
}

bool rdc_plugin_check(const rd_plugin *p, char reason[RDC_REASON_BYTES])
{
    if (p->size < sizeof(rd_plugin))
        return refuse(reason, "the plugin's record has %u bytes, expected at least %zu", p->size,
                      sizeof(rd_plugin));
    if (!p->name || !p->version || !p->license || !p->origin)
        return refuse(reason, "the plugin lacks its name, version, license or origin");
    if (!good_name(p->name))
        return refuse(reason, "plugin name '%.80s' is not [a-z][a-z0-9_.-]*", p->name);
    for (size_t i = 0; p->cells && p->cells[i]; i++) {
        if (!check_cell(p->cells[i], reason)) return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(p->cells[k]->name, p->cells[i]->name) == 0)
                return refuse(reason, "the plugin has two cells '%s'", p->cells[i]->name);
    }
    for (size_t i = 0; p->kernels && p->kernels[i]; i++)
        if (!check_kernels(p->kernels[i], reason)) return false;
    return true;
}
