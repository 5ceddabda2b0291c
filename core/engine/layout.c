/* layout.c - reading a cell's declaration: rule C1 of the plugin border.
 *
 * Invariant while layout() runs: the first error is kept in the builder and later calls do nothing.
 * SPDX-License-Identifier: MIT */
#include "engine/layout.h"
#include "plugin/records.h"
#include "rondo/pointmath.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct builder {
    rd_builder base; /* what the plugin sees; first, so that both have one address */
    const char *what;
    rdc_layout *layout;
    rd_error *err;
    rd_status status;
};

static struct builder *open_builder(rd_builder *b)
{
    struct builder *self = (struct builder *)b;
    return self->status == RD_OK ? self : NULL;
}

static void refuse(struct builder *b, const char *kind, const char *name, const char *why)
{
    b->status = rdc_fail(b->err, RD_E_ARG, "%s: rule C1: %s '%s' %s", b->what, kind,
                         name ? name : "(no name)", why);
}

bool rdc_good_part_name(const char *name)
{
    if (!name || name[0] < 'a' || name[0] > 'z') return false;
    const size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return name[n] == '\0' && n < RDC_MAX_NAME;
}

/* Flags that are known here, and fields that are for later. */
static bool known(struct builder *b, const char *kind, const char *name, uint32_t strange)
{
    if (strange) refuse(b, kind, name, RDC_STRANGE);
    return b->status == RD_OK;
}

uint32_t rdc_strange_init(const rd_init *i)
{
    return (uint32_t)i->reserved | (i->kind < RD_INIT_DEFAULT || i->kind > RD_INIT_TABLE);
}

static void keep_name(char to[RDC_MAX_NAME], const char *name)
{
    snprintf(to, RDC_MAX_NAME, "%s", name);
}

/* The builder, if the record is as long as it must be; a plain literal has no size. */
static struct builder *open_for(rd_builder *builder, const char *kind, uint32_t size, size_t least)
{
    struct builder *b = open_builder(builder);
    if (!b || size >= least) return b;
    b->status = rdc_fail(b->err, RD_E_ARG,
                         "%s: rule C1: a %s's record has %u bytes, expected at least %zu; RD_NEW "
                         "fills its size in",
                         b->what, kind, size, least);
    return NULL;
}

/* What every kind of declaration has in common; `count` is how many of its kind there are so far. */
static bool common(struct builder *b, const char *kind, const char *name, uint32_t id,
                   uint32_t width, uint32_t count, uint32_t most)
{
    if (!rdc_good_part_name(name))
        refuse(b, kind, name, "has no name of the form [a-z][a-z0-9_]*, at most 31 characters");
    else if (count >= most)
        refuse(b, kind, name, "is one more than a cell may have");
    else if (id != count)
        refuse(b, kind, name, "does not have the next id of its kind: ids count from 0, in order");
    else if (width < 1 || width > RDC_MAX_WIDTH)
        refuse(b, kind, name, "has a width outside 1..1048576");
    return b->status == RD_OK;
}

static void add_state(rd_builder *builder, const rd_state_decl *d)
{
    struct builder *b = open_for(builder, "state", d->size, RDC_FIRST_SIZE(rd_state_decl, first));
    if (!b) return;
    rdc_layout *l = b->layout;
    if (!common(b, "state", d->name, d->id, d->width, l->n_states, RDC_MAX_STATES)) return;
    if (!known(b, "state", d->name,
               d->flags & ~(uint32_t)(RD_STATE_STOP | RD_STATE_WHOLE | RD_STATE_PART)))
        return;
    rd_state_decl *own = &l->state[l->n_states];
    keep_name(l->state_name[l->n_states], d->name);
    rdc_take_record(own, sizeof *own, d, d->size);
    own->name = l->state_name[l->n_states++];
}

static void add_temp(rd_builder *builder, const rd_temp_decl *d)
{
    struct builder *b = open_for(builder, "temp", d->size, RDC_FIRST_SIZE(rd_temp_decl, phase));
    if (!b) return;
    rdc_layout *l = b->layout;
    if (!common(b, "temp", d->name, d->id, d->width, l->n_temps, RDC_MAX_TEMPS)) return;
    keep_name(l->temp_name[l->n_temps], d->name);
    rdc_take_record(&l->temp[l->n_temps], sizeof *d, d, d->size);
    l->temp[l->n_temps].name = l->temp_name[l->n_temps];
    l->n_temps++;
}

static void add_line(rd_builder *builder, const rd_line_decl *d)
{
    struct builder *b = open_for(builder, "line", d->size, RDC_FIRST_SIZE(rd_line_decl, init_bias));
    if (!b) return;
    rdc_layout *l = b->layout;
    if (!common(b, "line", d->name, d->id, d->width, l->n_lines, RDC_MAX_LINES)) return;
    if (!known(b, "line", d->name,
               d->reserved |
                   (d->flags & ~(uint32_t)(RD_FROM_X | RD_BIAS_X | RD_BIAS_REC | RD_FROZEN)) |
                   rdc_strange_init(&d->init_x) | rdc_strange_init(&d->init_rec) |
                   rdc_strange_init(&d->init_bias)))
        return;
    keep_name(l->line_name[l->n_lines], d->name);
    rdc_take_record(&l->line[l->n_lines], sizeof *d, d, d->size);
    l->line[l->n_lines].name = l->line_name[l->n_lines];
    l->n_lines++;
}

static void add_vec(rd_builder *builder, const rd_vec_decl *d)
{
    struct builder *b = open_for(builder, "vector", d->size, RDC_FIRST_SIZE(rd_vec_decl, init));
    if (!b) return;
    rdc_layout *l = b->layout;
    if (!common(b, "vector", d->name, d->id, d->width, l->n_vecs, RDC_MAX_VECS)) return;
    if (!known(b, "vector", d->name, d->reserved | rdc_strange_init(&d->init))) return;
    keep_name(l->vec_name[l->n_vecs], d->name);
    rdc_take_record(&l->vec[l->n_vecs], sizeof *d, d, d->size);
    l->vec[l->n_vecs].name = l->vec_name[l->n_vecs];
    l->n_vecs++;
}

static void add_save(rd_builder *builder, const rd_save_decl *d)
{
    struct builder *b = open_for(builder, "save", d->size, RDC_FIRST_SIZE(rd_save_decl, reserved));
    if (!b) return;
    rdc_layout *l = b->layout;
    if (!common(b, "save", "save", d->id, d->width, l->n_saves, RDC_MAX_SAVES)) return;
    if (!known(b, "save", "save", d->reserved)) return;
    rdc_take_record(&l->save[l->n_saves++], sizeof *d, d, d->size);
}

static rd_real *add_table(rd_builder *builder, size_t n)
{
    struct builder *b = open_builder(builder);
    if (!b) return NULL;
    rdc_layout *l = b->layout;
    if (n == 0 || l->n_tables == RDC_MAX_TABLES) {
        refuse(b, "table", NULL, n == 0 ? "is empty" : "is one more than a cell may have");
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

static rd_status fail_layout(rd_builder *builder, rd_status code, const char *text)
{
    struct builder *b = open_builder(builder);
    if (b) b->status = rdc_fail(b->err, code != RD_OK ? code : RD_E_ARG, "%s: %s", b->what, text);
    return code;
}

uint32_t rdc_source_count(const rdc_layout *l)
{
    return RDC_SOURCE_STATE + l->n_states + l->n_temps;
}

uint32_t rdc_source_width(const rdc_layout *l, uint32_t source)
{
    if (source == RDC_SOURCE_X) return l->in;
    const uint32_t k = source - RDC_SOURCE_STATE;
    return k < l->n_states ? l->state[k].width : l->temp[k - l->n_states].width;
}

const char *rdc_source_name(const rdc_layout *l, uint32_t source)
{
    if (source == RDC_SOURCE_X) return "x";
    const uint32_t k = source - RDC_SOURCE_STATE;
    return k < l->n_states ? l->state_name[k] : l->temp_name[k - l->n_states];
}

bool rdc_feeds(const rdc_layout *l, uint32_t source, uint32_t line)
{
    const rd_line_decl *d = &l->line[line];
    if (source == RDC_SOURCE_X) return (d->flags & RD_FROM_X) != 0;
    const uint32_t k = source - RDC_SOURCE_STATE;
    return k < l->n_states ? (d->states >> k & 1u) != 0 : (d->temps >> (k - l->n_states) & 1u) != 0;
}

static void check_line(struct builder *b, const rd_line_decl *d)
{
    const rdc_layout *l = b->layout;
    if (l->n_states < 32 && d->states >> l->n_states)
        refuse(b, "line", d->name, "names a state that is not declared");
    else if (l->n_temps < 32 && d->temps >> l->n_temps)
        refuse(b, "line", d->name, "names a temp that is not declared");
    else if (d->phase > RDC_MAX_LINES)
        refuse(b, "line", d->name, "has a phase beyond 32");
    for (uint32_t j = 0; j < l->n_temps && b->status == RD_OK; j++)
        if (d->temps >> j & 1u && l->temp[j].phase >= d->phase)
            refuse(b, "line", d->name, "names a temp that no earlier phase makes");
}

static bool name_taken(const rdc_layout *l, const char *name, uint32_t sources_before)
{
    for (uint32_t s = 0; s < sources_before; s++)
        if (strcmp(rdc_source_name(l, s), name) == 0) return true;
    return false;
}

static void check_parts(struct builder *b)
{
    const rdc_layout *l = b->layout;
    uint64_t width = 0;
    for (uint32_t k = 0; k < l->n_states; k++)
        if (l->state[k].flags & RD_STATE_PART) width += l->state[k].width;
    if (b->status == RD_OK && width > 0 && width != l->state[0].width)
        refuse(b, "state", l->state_name[0], "is not as wide as its parts together");
}

/* Rule C1 for the declaration as a whole. */
static void check_whole(struct builder *b)
{
    rdc_layout *l = b->layout;
    if (l->n_states == 0)
        refuse(b, "the cell", b->what, "declares no state; state 0 is its output");
    for (uint32_t k = 0; k < l->n_lines && b->status == RD_OK; k++) {
        check_line(b, &l->line[k]);
        if (l->line[k].phase >= l->n_phases) l->n_phases = l->line[k].phase + 1;
        for (uint32_t i = 0; i < k && b->status == RD_OK; i++)
            if (strcmp(l->line_name[i], l->line_name[k]) == 0)
                refuse(b, "line", l->line_name[k], "is declared twice");
    }
    if (l->n_phases == 0) l->n_phases = 1;
    for (uint32_t j = 0; j < l->n_temps && b->status == RD_OK; j++)
        if (l->temp[j].phase >= l->n_phases)
            refuse(b, "temp", l->temp_name[j], "belongs to a phase that has no line");
    check_parts(b);
    for (uint32_t s = 0; s < rdc_source_count(l) && b->status == RD_OK; s++)
        if (name_taken(l, rdc_source_name(l, s), s))
            refuse(b, "state or temp", rdc_source_name(l, s), "has a name that is taken");
}

static rd_status declare(struct builder *b, const rd_cell *cell, const rd_setup *setup)
{
    b->base = (rd_builder){.size = sizeof(rd_builder),
                           .state = add_state,
                           .temp = add_temp,
                           .line = add_line,
                           .vec = add_vec,
                           .save = add_save,
                           .fail = fail_layout,
                           .table = add_table};
    const rd_status returned = cell->layout(setup, &b->base);
    if (b->status == RD_OK && returned != RD_OK)
        b->status = rdc_fail(b->err, returned, "%s: its layout failed without a reason", b->what);
    if (b->status == RD_OK) check_whole(b);
    return b->status;
}

/* The same bits, so that a NaN is equal to itself. */
static bool same_number(double a, double b)
{
    return rd_bits_d(a) == rd_bits_d(b);
}

bool rdc_same_init(const rd_init *a, const rd_init *b)
{
    return a->kind == b->kind && same_number(a->a, b->a) && same_number(a->b, b->b) &&
           (a->table == NULL) == (b->table == NULL);
}

static bool same_tables(const rdc_layout *a, const rdc_layout *b)
{
    bool same = a->n_tables == b->n_tables;
    for (uint32_t k = 0; k < a->n_tables && same; k++)
        same = a->table[k].n == b->table[k].n &&
               memcmp(a->table[k].at, b->table[k].at, a->table[k].n * sizeof(rd_real)) == 0;
    return same;
}

static bool same_line(const rd_line_decl *a, const rd_line_decl *b)
{
    return a->width == b->width && a->phase == b->phase && a->flags == b->flags &&
           a->states == b->states && a->temps == b->temps &&
           rdc_same_init(&a->init_x, &b->init_x) && rdc_same_init(&a->init_rec, &b->init_rec) &&
           rdc_same_init(&a->init_bias, &b->init_bias);
}

bool rdc_layout_same(const rdc_layout *a, const rdc_layout *b)
{
    bool same = a->n_states == b->n_states && a->n_temps == b->n_temps &&
                a->n_lines == b->n_lines && a->n_vecs == b->n_vecs && a->n_saves == b->n_saves &&
                memcmp(a->state_name, b->state_name, sizeof a->state_name) == 0 &&
                memcmp(a->temp_name, b->temp_name, sizeof a->temp_name) == 0 &&
                memcmp(a->line_name, b->line_name, sizeof a->line_name) == 0 &&
                memcmp(a->vec_name, b->vec_name, sizeof a->vec_name) == 0;
    for (uint32_t k = 0; k < a->n_states && same; k++)
        same = a->state[k].width == b->state[k].width && a->state[k].flags == b->state[k].flags &&
               same_number(a->state[k].first, b->state[k].first);
    for (uint32_t k = 0; k < a->n_temps && same; k++)
        same = a->temp[k].width == b->temp[k].width && a->temp[k].phase == b->temp[k].phase;
    for (uint32_t k = 0; k < a->n_lines && same; k++) same = same_line(&a->line[k], &b->line[k]);
    for (uint32_t k = 0; k < a->n_vecs && same; k++)
        same =
            a->vec[k].width == b->vec[k].width && rdc_same_init(&a->vec[k].init, &b->vec[k].init);
    for (uint32_t k = 0; k < a->n_saves && same; k++) same = a->save[k].width == b->save[k].width;
    return same && same_tables(a, b);
}

/* Rule C1: layout() is a pure function, so a second run declares the same. */
static rd_status check_pure(const struct builder *first, const rd_cell *cell, const rd_setup *setup)
{
    rdc_layout *again = calloc(1, sizeof *again);
    if (!again) return rdc_no_memory(first->err, sizeof *again);
    struct builder b = {.what = first->what, .layout = again, .err = first->err};
    rd_status status = declare(&b, cell, setup);
    if (status == RD_OK && !rdc_layout_same(first->layout, again))
        status = rdc_fail(first->err, RD_E_ARG,
                          "%s: rule C1: layout() declared something else when it was called again",
                          first->what);
    rdc_layout_free(again);
    return status;
}

rd_status rdc_layout_new(const char *what, const rd_cell *cell, const rd_setup *setup,
                         uint32_t bias, rdc_layout **out, rd_error *err)
{
    rdc_layout *l = calloc(1, sizeof *l);
    if (!l) return rdc_no_memory(err, sizeof *l);
    l->in = setup->in;
    l->hidden = setup->hidden;
    l->bias = bias;
    struct builder b = {.what = what, .layout = l, .err = err};
    rd_status status = declare(&b, cell, setup);
    if (status == RD_OK) status = check_pure(&b, cell, setup);
    if (status == RD_OK) status = rdc_layout_place(l, what, err);
    if (status != RD_OK) {
        rdc_layout_free(l);
        return status;
    }
    *out = l;
    return RD_OK;
}

void rdc_layout_free(rdc_layout *l)
{
    if (!l) return;
    for (uint32_t k = 0; k < l->n_tables; k++) free(l->table[k].at);
    free(l->run);
    free(l->parameter);
    free(l);
}
