/* layer_declare.c - reading the declaration of a plugin's layer: rule T1 of the plugin border.
 *
 * Invariant while setup() runs: the first error is kept in the builder and later calls do nothing.
 * SPDX-License-Identifier: MIT */
#include "engine/layer.h"
#include "plugin/records.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNED = 16 /* elements: a cache line of float */ };

struct builder {
    rd_layer_builder base; /* what the plugin sees; first, so that both have one address */
    const char *what;
    const rd_layer *kind;
    rdc_layer_decl *decl;
    rd_error *err;
    rd_status status;
};

static struct builder *open_builder(rd_layer_builder *b)
{
    struct builder *self = (struct builder *)b;
    return self->status == RD_OK ? self : NULL;
}

static void refuse(struct builder *b, const char *kind, const char *name, const char *why)
{
    b->status = rdc_fail(b->err, RD_E_ARG, "%s: rule T1: %s '%s' %s", b->what, kind,
                         name ? name : "(no name)", why);
}

/* What every kind of declaration has in common; a plain literal has no size. */
struct common {
    const char *kind, *name;
    uint32_t size, least, id, width, count, most;
};

static struct builder *open_for(rd_layer_builder *builder, const struct common *c)
{
    struct builder *b = open_builder(builder);
    if (!b) return NULL;
    if (c->size < c->least)
        b->status =
            rdc_fail(b->err, RD_E_ARG,
                     "%s: rule T1: a %s's record has %u bytes, expected at least %u; RD_NEW fills "
                     "its size in",
                     b->what, c->kind, c->size, c->least);
    else if (!rdc_good_part_name(c->name))
        refuse(b, c->kind, c->name,
               "has no name of the form [a-z][a-z0-9_]*, at most 31 characters");
    else if (c->count >= c->most)
        refuse(b, c->kind, c->name, "is one more than a layer may have");
    else if (c->id != c->count)
        refuse(b, c->kind, c->name,
               "does not have the next id of its kind: ids count from 0, in order");
    else if (c->width < 1 || c->width > RDC_MAX_WIDTH)
        refuse(b, c->kind, c->name, "has a width outside 1..1048576");
    return b->status == RD_OK ? b : NULL;
}

static void set_output(rd_layer_builder *builder, uint32_t width)
{
    struct builder *b = open_builder(builder);
    if (!b) return;
    if (b->decl->says_out)
        refuse(b, "output", "y", "is declared twice");
    else if (width < 1 || width > RDC_MAX_WIDTH)
        refuse(b, "output", "y", "has a width outside 1..1048576");
    b->decl->out = width;
    b->decl->says_out = true;
}

static void add_state(rd_layer_builder *builder, const rd_state_decl *d)
{
    rdc_layer_decl *l = ((struct builder *)builder)->decl;
    const struct common c = {"state", d->name,  d->size,     RDC_FIRST_SIZE(rd_state_decl, first),
                             d->id,   d->width, l->n_states, RDC_LAYER_STATES};
    struct builder *b = open_for(builder, &c);
    if (!b) return;
    if (d->flags != 0)
        refuse(b, "state", d->name, "has flags, which are for cells");
    else if (b->kind->flags & RD_LAYER_NOT_CAUSAL)
        refuse(b, "state", d->name, "is carried on, but RD_LAYER_NOT_CAUSAL says that nothing is");
    for (uint32_t k = 0; k < l->n_states && b->status == RD_OK; k++)
        if (strcmp(l->state_name[k], d->name) == 0)
            refuse(b, "state", d->name, "is declared twice");
    snprintf(l->state_name[l->n_states], RDC_MAX_NAME, "%s", d->name);
    rdc_take_record(&l->state[l->n_states], sizeof *d, d, d->size);
    l->state[l->n_states].name = l->state_name[l->n_states];
    l->state_at[l->n_states++] = l->state_row;
    l->state_row += d->width;
}

static void add_save(rd_layer_builder *builder, const rd_save_decl *d)
{
    rdc_layer_decl *l = ((struct builder *)builder)->decl;
    const struct common c = {"save", "save",   d->size,    RDC_FIRST_SIZE(rd_save_decl, reserved),
                             d->id,  d->width, l->n_saves, RDC_LAYER_SAVES};
    struct builder *b = open_for(builder, &c);
    if (!b) return;
    if (d->reserved) refuse(b, "save", "save", RDC_STRANGE);
    rdc_take_record(&l->save[l->n_saves++], sizeof *d, d, d->size);
}

static size_t count_of(const rd_param_decl *d)
{
    return (size_t)d->rows * (d->cols ? d->cols : 1);
}

/* A table has exactly the numbers of the parameter that starts with it. */
static void check_init(struct builder *b, const rd_param_decl *d)
{
    const rdc_layer_decl *l = b->decl;
    bool found = d->init.kind != RD_INIT_TABLE;
    for (uint32_t k = 0; k < l->n_tables; k++)
        found = found || (l->table[k].at == d->init.table && l->table[k].n == count_of(d));
    if (d->reserved | rdc_strange_init(&d->init))
        refuse(b, "parameter", d->name, RDC_STRANGE);
    else if (!found)
        refuse(b, "parameter", d->name,
               "starts with no table of as many numbers made by builder->table()");
}

/* Do the saves that a gradient is made of fit the parameter? */
static void check_sources(struct builder *b, const rd_param_decl *d)
{
    const rdc_layer_decl *l = b->decl;
    if (d->flags & RD_FROZEN) return;
    if (d->da >= l->n_saves)
        refuse(b, "parameter", d->name, "names as da a save that is not declared before it");
    else if (l->save[d->da].width != d->rows)
        refuse(b, "parameter", d->name, "does not have as many rows as its save da is wide");
    else if (d->cols == 0)
        return;
    else if (d->v != RD_FROM_INPUT && d->v >= l->n_saves)
        refuse(b, "parameter", d->name, "names as v a save that is not declared before it");
    else if ((d->v == RD_FROM_INPUT ? l->in : l->save[d->v].width) != d->cols)
        refuse(b, "parameter", d->name, "does not have as many columns as its source v is wide");
}

static void add_param(rd_layer_builder *builder, const rd_param_decl *d)
{
    rdc_layer_decl *l = ((struct builder *)builder)->decl;
    const struct common c = {"parameter", d->name, d->size,     RDC_FIRST_SIZE(rd_param_decl, init),
                             d->id,       d->rows, l->n_params, RDC_LAYER_PARAMS};
    struct builder *b = open_for(builder, &c);
    if (!b) return;
    if (d->cols > RDC_MAX_WIDTH)
        refuse(b, "parameter", d->name, "has more than 1048576 columns");
    else if (d->flags & ~(uint32_t)RD_FROZEN)
        refuse(b, "parameter", d->name, "has flags besides RD_FROZEN");
    else
        check_sources(b, d);
    if (b->status == RD_OK) check_init(b, d);
    for (uint32_t i = 0; i < l->n_params && b->status == RD_OK; i++)
        if (strcmp(l->param_name[i], d->name) == 0)
            refuse(b, "parameter", d->name, "is declared twice");
    snprintf(l->param_name[l->n_params], RDC_MAX_NAME, "%s", d->name);
    rdc_take_record(&l->param[l->n_params], sizeof *d, d, d->size);
    l->param[l->n_params].name = l->param_name[l->n_params];
    l->param_at[l->n_params++] = l->weights;
    l->weights += (count_of(d) + ALIGNED - 1) / ALIGNED * ALIGNED;
}

static rd_real *add_table(rd_layer_builder *builder, size_t n)
{
    struct builder *b = open_builder(builder);
    if (!b) return NULL;
    rdc_layer_decl *l = b->decl;
    if (n == 0 || l->n_tables == RDC_LAYER_TABLES) {
        refuse(b, "table", NULL, n == 0 ? "is empty" : "is one more than a layer may have");
        return NULL;
    }
    rdc_table *t = &l->table[l->n_tables];
    t->at = calloc(n, sizeof *t->at);
    if (!t->at) {
        b->status = rdc_no_memory(b->err, n * sizeof *t->at);
        return NULL;
    }
    t->n = n;
    l->n_tables++;
    return t->at;
}

static rd_status fail_setup(rd_layer_builder *builder, rd_status code, const char *text)
{
    struct builder *b = open_builder(builder);
    if (b) b->status = rdc_fail(b->err, code != RD_OK ? code : RD_E_ARG, "%s: %s", b->what, text);
    return code;
}

static rd_status declare(struct builder *b, const rd_setup *setup)
{
    b->base = (rd_layer_builder){.size = sizeof(rd_layer_builder),
                                 .output = set_output,
                                 .state = add_state,
                                 .save = add_save,
                                 .param = add_param,
                                 .fail = fail_setup,
                                 .table = add_table};
    b->decl->in = b->decl->out = setup->in;
    const rd_status returned = b->kind->setup(setup, &b->base);
    if (b->status == RD_OK && returned != RD_OK)
        b->status = rdc_fail(b->err, returned, "%s: its setup failed without a reason", b->what);
    return b->status;
}

static bool same_param(const rd_param_decl *a, const rd_param_decl *b)
{
    return a->rows == b->rows && a->cols == b->cols && a->da == b->da && a->v == b->v &&
           a->flags == b->flags && rdc_same_init(&a->init, &b->init);
}

bool rdc_layer_decl_same(const rdc_layer_decl *a, const rdc_layer_decl *b)
{
    bool same = a->out == b->out && a->n_states == b->n_states && a->n_saves == b->n_saves &&
                a->n_params == b->n_params && a->n_tables == b->n_tables &&
                memcmp(a->state_name, b->state_name, sizeof a->state_name) == 0 &&
                memcmp(a->param_name, b->param_name, sizeof a->param_name) == 0;
    for (uint32_t k = 0; k < a->n_states && same; k++)
        same = a->state[k].width == b->state[k].width && a->state[k].first == b->state[k].first;
    for (uint32_t k = 0; k < a->n_saves && same; k++) same = a->save[k].width == b->save[k].width;
    for (uint32_t k = 0; k < a->n_params && same; k++)
        same = same_param(&a->param[k], &b->param[k]);
    for (uint32_t k = 0; k < a->n_tables && same; k++)
        same = a->table[k].n == b->table[k].n &&
               memcmp(a->table[k].at, b->table[k].at, a->table[k].n * sizeof(rd_real)) == 0;
    return same;
}

static rd_status declare_twice(struct builder *b, rdc_layer_decl *again, const rd_setup *setup)
{
    struct builder second = {.what = b->what, .kind = b->kind, .decl = again, .err = b->err};
    RD_TRY(declare(b, setup));
    RD_TRY(declare(&second, setup));
    if (rdc_layer_decl_same(b->decl, again)) return RD_OK;
    return rdc_fail(b->err, RD_E_ARG,
                    "%s: rule T1: setup() declared something else when it was called again",
                    b->what);
}

rd_status rdc_layer_declare(const char *what, const rd_layer *kind, const rd_setup *setup,
                            rdc_layer_decl **out, rd_error *err)
{
    rdc_layer_decl *d = calloc(1, sizeof *d), *again = calloc(1, sizeof *again);
    rd_status status = d && again ? RD_OK : rdc_no_memory(err, sizeof *d);
    struct builder b = {.what = what, .kind = kind, .decl = d, .err = err};
    if (status == RD_OK) status = declare_twice(&b, again, setup);
    rdc_layer_decl_free(again);
    if (status == RD_OK)
        *out = d;
    else
        rdc_layer_decl_free(d);
    return status;
}

void rdc_layer_decl_free(rdc_layer_decl *d)
{
    if (!d) return;
    for (uint32_t k = 0; k < d->n_tables; k++) free(d->table[k].at);
    free(d);
}
