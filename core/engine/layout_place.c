/* layout_place.c - where the lines of a step and the parameters of a layer lie.
 *
 * Parameters are listed in the order of registration (rondo.h) and placed by phase and source, so that what
 * one source multiplies is one stacked matrix (layout.h draws it).
 * SPDX-License-Identifier: MIT */
#include "engine/layout.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNED = 16 /* elements: a cache line of float */ };

static void place_columns(rdc_layout *l)
{
    uint32_t n = 0;
    for (uint32_t p = 0; p < l->n_phases; p++) {
        for (uint32_t k = 0; k < l->n_lines; k++) {
            if (l->line[k].phase != p) continue;
            l->line_at[n++] = k;
            l->column[k] = l->line_row;
            l->line_row += l->line[k].width;
        }
    }
    for (uint32_t v = 0; v < l->n_vecs; v++) {
        l->vec_column[v] = l->vec_row;
        l->vec_row += l->vec[v].width;
    }
}

static rdc_parameter *new_parameter(rdc_layout *l, rdc_role role, const char *line,
                                    const char *suffix)
{
    rdc_parameter *p = &l->parameter[l->n_parameters++];
    p->role = role;
    snprintf(p->name, sizeof p->name, suffix ? "%s_%s" : "%s", line, suffix);
    return p;
}

static void add_bias(rdc_layout *l, uint32_t line, rdc_role role, bool first)
{
    static const char *const suffix[] = {
        [RDC_BIAS] = "b", [RDC_BIAS_X] = "bx", [RDC_BIAS_H] = "bh"};
    const rd_line_decl *d = &l->line[line];
    rdc_parameter *p = new_parameter(l, role, d->name, suffix[role]);
    p->line = line;
    p->ndim = 1;
    p->shape[0] = d->width;
    p->init.kind = RD_INIT_ZERO; /* of two vectors, which are only ever added, the first has it */
    if (first && d->init_bias.kind != RD_INIT_DEFAULT) p->init = d->init_bias;
}

static void list_line(rdc_layout *l, uint32_t line)
{
    const rd_line_decl *d = &l->line[line];
    for (uint32_t s = 0; s < rdc_source_count(l); s++) {
        if (!rdc_feeds(l, s, line)) continue;
        rdc_parameter *p = new_parameter(l, RDC_MATRIX, d->name, rdc_source_name(l, s));
        p->line = line;
        p->source = s;
        p->ndim = 2;
        p->shape[0] = d->width;
        p->shape[1] = rdc_source_width(l, s);
        p->init = s == RDC_SOURCE_X ? d->init_x : d->init_rec;
    }
    const bool x = (d->flags & RD_BIAS_X) != 0, h = (d->flags & RD_BIAS_REC) != 0;
    if (l->bias == 1 && x) add_bias(l, line, RDC_BIAS, true);
    if (l->bias == 2 && x) add_bias(l, line, RDC_BIAS_X, true);
    if (l->bias == 2 && h) add_bias(l, line, RDC_BIAS_H, !x);
}

/* Parameters in the order of registration (rondo.h), without places yet. */
static void list_parameters(rdc_layout *l)
{
    for (uint32_t k = 0; k < l->n_lines; k++) list_line(l, k);
    for (uint32_t v = 0; v < l->n_vecs; v++) {
        rdc_parameter *p = new_parameter(l, RDC_VECTOR, l->vec_name[v], NULL);
        p->line = v;
        p->ndim = 1;
        p->shape[0] = l->vec[v].width;
        p->init = l->vec[v].init;
        if (p->init.kind == RD_INIT_DEFAULT) p->init.kind = RD_INIT_ZERO;
    }
}

static rdc_parameter *matrix_of(rdc_layout *l, uint32_t line, uint32_t source)
{
    for (uint32_t i = 0; i < l->n_parameters; i++) {
        rdc_parameter *p = &l->parameter[i];
        if (p->role == RDC_MATRIX && p->line == line && p->source == source) return p;
    }
    return NULL;
}

/* Takes shape[0] * shape[1] elements at *cursor; false on overflow. */
static bool take(size_t *cursor, rdc_parameter *p)
{
    size_t n = p->shape[0];
    p->at = *cursor;
    if (p->ndim == 2 && !rdc_mul_size(n, p->shape[1], &n)) return false;
    return rdc_add_size(*cursor, n, cursor);
}

static bool align(size_t *cursor)
{
    if (!rdc_add_size(*cursor, ALIGNED - 1, cursor)) return false;
    *cursor -= *cursor % ALIGNED;
    return true;
}

/* Stacks the matrices of one source in one phase and finds the runs of neighbours. */
static bool place_source(rdc_layout *l, uint32_t phase, uint32_t source, size_t *cursor)
{
    rdc_run *run = NULL;
    if (!align(cursor)) return false;
    for (uint32_t i = 0; i < l->n_lines; i++) {
        const uint32_t k = l->line_at[i];
        if (l->line[k].phase != phase || !rdc_feeds(l, source, k)) continue;
        const bool frozen = (l->line[k].flags & RD_FROZEN) != 0;
        rdc_parameter *p = matrix_of(l, k, source);
        if (!take(cursor, p)) return false;
        if (!run || run->column + run->width != l->column[k] || run->frozen != frozen) {
            run = &l->run[l->n_runs++];
            *run = (rdc_run){.phase = phase,
                             .source = source,
                             .first_line = i,
                             .column = l->column[k],
                             .source_width = rdc_source_width(l, source),
                             .frozen = frozen,
                             .at = p->at};
        }
        run->n_lines++;
        run->width += l->line[k].width;
    }
    return true;
}

static bool place_parameters(rdc_layout *l)
{
    size_t cursor = 0;
    for (uint32_t p = 0; p < l->n_phases; p++)
        for (uint32_t s = 0; s < rdc_source_count(l); s++)
            if (!place_source(l, p, s, &cursor)) return false;
    for (uint32_t i = 0; i < l->n_parameters; i++)
        if (l->parameter[i].ndim == 1 && (!align(&cursor) || !take(&cursor, &l->parameter[i])))
            return false;
    l->weights = cursor;
    return true;
}

/* Two parameters of one name, as of a line fed by a state called "b". */
static rd_status check_names(const rdc_layout *l, const char *what, rd_error *err)
{
    for (uint32_t i = 0; i < l->n_parameters; i++)
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(l->parameter[i].name, l->parameter[j].name) == 0)
                return rdc_fail(err, RD_E_ARG, "%s: rule C1: two parameters are called '%s'", what,
                                l->parameter[i].name);
    return RD_OK;
}

/* A table has exactly the numbers of the parameter that starts with it. */
static rd_status check_tables(const rdc_layout *l, const char *what, rd_error *err)
{
    for (uint32_t i = 0; i < l->n_parameters; i++) {
        const rdc_parameter *p = &l->parameter[i];
        if (p->init.kind != RD_INIT_TABLE) continue;
        const size_t n = p->ndim == 2 ? p->shape[0] * p->shape[1] : p->shape[0];
        bool found = false;
        for (uint32_t k = 0; k < l->n_tables; k++)
            found = found || (l->table[k].at == p->init.table && l->table[k].n == n);
        if (!found)
            return rdc_fail(
                err, RD_E_ARG,
                "%s: rule C1: the first values of '%s' are no table of %zu numbers made "
                "by builder->table()",
                what, p->name, n);
    }
    return RD_OK;
}

rd_status rdc_layout_place(rdc_layout *l, const char *what, rd_error *err)
{
    const size_t n = (size_t)l->n_lines * (rdc_source_count(l) + 2) + l->n_vecs;
    l->run = calloc(n, sizeof *l->run);
    l->parameter = calloc(n, sizeof *l->parameter);
    if (!l->run || !l->parameter) return rdc_no_memory(err, n * sizeof *l->parameter);
    place_columns(l);
    list_parameters(l);
    RD_TRY(check_names(l, what, err));
    if (!place_parameters(l) || l->weights > SIZE_MAX / sizeof(rd_real) / 4)
        return rdc_fail(err, RD_E_ARG, "%s: the parameters are larger than memory can be", what);
    return check_tables(l, what, err);
}
