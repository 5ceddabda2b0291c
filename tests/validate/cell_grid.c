/* cell_grid.c - see cell_grid.h. SPDX-License-Identifier: MIT */
#include "cell_grid.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SETTINGS = 32, MAX_VALUES = 16, FEW = 12, LARGEST_INT = 4, LARGEST_REAL = 3 };

/* The first of these that a cell takes at a setting; the defaults are tried in the first N_TRIED. Widths
 * that no vector divides, and one that all do: some cells ask for multiples. */
static const struct size {
    uint32_t in, hidden, bias;
} sizes[] = {{3, 5, 1}, {2, 17, 2}, {1, 1, 0}, {4, 12, 1}, {4, 16, 2}, {5, 60, 1}};
enum { N_SIZES = sizeof sizes / sizeof sizes[0], N_TRIED = 3 };

struct values { /* of an option, the default first */
    rd_setting at[MAX_VALUES];
    size_t n;
};
struct grid {
    const rd_cell *cell;
    const rd_layer *layer;
    rd_core *core;
    case_visit visit;
    void *user;
    struct values *of; /* per option, of the first n */
    uint32_t n;
    bool going;
};

/* ---- values -------------------------------------------------------------------------------------- */

static const rd_option *option_at(const rd_cell *c, uint32_t k)
{
    return (const rd_option *)((const char *)c->options + (size_t)k * c->option_size);
}

static rd_setting setting_of(const rd_option *o, double value)
{
    rd_setting s = {.name = o->name, .kind = o->kind};

    if (o->kind == RD_CHOICE)
        s.text = o->choices[(size_t)value];
    else if (o->kind == RD_REAL)
        s.value.r = value;
    else
        s.value.i = (int64_t)value;
    return s;
}

static void add(struct values *v, const rd_option *o, double value)
{
    if (v->n < MAX_VALUES && (v->n == 0 || value != o->def)) v->at[v->n++] = setting_of(o, value);
}

static double within(double value, double most)
{
    return value < -most ? -most : value > most ? most : value;
}

static void list_values(const rd_option *o, struct values *v)
{
    add(v, o, o->def);
    if (o->kind == RD_CHOICE) {
        for (size_t i = 0; o->choices[i]; i++) add(v, o, (double)i);
    } else if (o->kind == RD_BOOL) {
        add(v, o, 0);
        add(v, o, 1);
    } else {
        const double most = o->kind == RD_INT ? LARGEST_INT : LARGEST_REAL;
        const double low = o->min > -most ? o->min : -most;
        add(v, o, low);
        add(v, o, o->max < most ? o->max : low > most ? low : within(o->max, most));
    }
}

/* ---- one setting --------------------------------------------------------------------------------- */

void case_text(const cell_case *c, char text[CASE_TEXT])
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t k = 0; k < c->n_settings && used < CASE_TEXT - 100; k++) {
        const rd_setting *s = &c->settings[k];
        used +=
            (size_t)snprintf(text + used, CASE_TEXT - used, "%s%.40s = ", k ? ", " : "", s->name);
        char *const to = text + used;
        const size_t room = CASE_TEXT - used;
        used +=
            (size_t)(s->kind == RD_CHOICE ? snprintf(to, room, "'%.40s'", s->text)
                     : s->kind == RD_REAL ? snprintf(to, room, "%g", s->value.r)
                     : s->kind == RD_BOOL ? snprintf(to, room, "%s", s->value.i ? "true" : "false")
                                          : snprintf(to, room, "%lld", (long long)s->value.i));
    }
    if (c->layer && (c->n_settings > 0 || c->in != sizes[0].in))
        (void)snprintf(text + used, CASE_TEXT - used, "%sinput_size = %u", used ? ", " : "", c->in);
    else if (!c->layer && (c->n_settings > 0 || c->hidden != sizes[0].hidden))
        (void)snprintf(text + used, CASE_TEXT - used, "%sinput_size = %u, hidden_size = %u",
                       used ? ", " : "", c->in, c->hidden);
}

rd_status case_layout(const cell_case *c, rdc_layout **out, rd_error *err)
{
    static const rd_host host = {.size = sizeof(rd_host)};
    rd_value *options = calloc(c->cell->n_options + 1u, sizeof *options);
    const rd_setup setup = {
        .size = sizeof(rd_setup), .in = c->in, .hidden = c->hidden, .opt = options, .host = &host};

    if (!options) return rdc_no_memory(err, c->cell->n_options * sizeof *options);
    rd_status status =
        rd_options_resolve(c->cell->name, c->cell->options, c->cell->n_options,
                           c->cell->option_size, c->settings, c->n_settings, options, err);
    check_call_is("layout");
    if (status == RD_OK) status = rdc_layout_new(c->cell->name, c->cell, &setup, c->bias, out, err);
    check_call_is("%s", "");
    free(options);
    return status;
}

rd_status case_setup(const cell_case *c, rdc_layer_decl **out, rd_error *err)
{
    static const rd_host host = {.size = sizeof(rd_host)};
    rd_value *options = calloc(c->cell->n_options + 1u, sizeof *options);
    const rd_setup setup = {.size = sizeof(rd_setup), .in = c->in, .opt = options, .host = &host};

    if (!options) return rdc_no_memory(err, c->cell->n_options * sizeof *options);
    rd_status status =
        rd_options_resolve(c->cell->name, c->cell->options, c->cell->n_options,
                           c->cell->option_size, c->settings, c->n_settings, options, err);
    check_call_is("setup");
    if (status == RD_OK) status = rdc_layer_declare(c->cell->name, c->layer, &setup, out, err);
    check_call_is("%s", "");
    free(options);
    return status;
}

bool case_builds(const cell_case *c, rd_error *err)
{
    rdc_layout *l = NULL;
    rdc_layer_decl *d = NULL;

    if (c->layer) {
        if (case_setup(c, &d, err) != RD_OK) return false;
        rdc_layer_decl_free(d);
        return true;
    }
    if (case_layout(c, &l, err) != RD_OK) return false;
    rdc_layout_free(l);
    return true;
}

static void visit_setting(struct grid *g, const rd_setting *settings, size_t n)
{
    cell_case c = {
        .cell = g->cell, .layer = g->layer, .core = g->core, .settings = settings, .n_settings = n};
    rd_error err = {0}, first;
    size_t built = 0;
    char text[CASE_TEXT];

    for (size_t i = 0; i < N_SIZES && g->going && (built == 0 || (n == 0 && i < N_TRIED)); i++) {
        c.in = sizes[i].in;
        c.hidden = sizes[i].hidden;
        c.bias = sizes[i].bias;
        case_text(&c, text);
        check_case_is("%s", text);
        if (!case_builds(&c, &err)) {
            if (i == 0) first = err;
            continue;
        }
        built++;
        g->going = g->visit(g->user, &c, true, NULL);
    }
    if (built > 0) return;
    c.in = sizes[0].in;
    c.hidden = sizes[0].hidden;
    c.bias = sizes[0].bias;
    g->going = g->going && g->visit(g->user, &c, false, &first);
}

/* ---- all of them --------------------------------------------------------------------------------- */

static void visit_combinations(struct grid *g, size_t count)
{
    rd_setting all[MAX_SETTINGS];

    for (size_t i = 1; i < count && g->going; i++) {
        size_t rest = i, n = 0;
        for (uint32_t k = 0; k < g->n; k++) {
            const size_t which = rest % g->of[k].n;
            rest /= g->of[k].n;
            if (which > 0) all[n++] = g->of[k].at[which];
        }
        visit_setting(g, all, n);
    }
}

static void visit_some(struct grid *g)
{
    const uint32_t n = g->n;
    rd_setting all[MAX_SETTINGS];
    size_t n_all = 0;

    for (uint32_t k = 0; k < n; k++) {
        const struct values *v = &g->of[k];
        for (size_t i = 1; i < v->n && g->going; i++) visit_setting(g, &v->at[i], 1);
        if (v->n > 1) all[n_all++] = v->at[v->n - 1];
        for (uint32_t j = 0; j < k && g->going; j++) {
            const rd_setting two[2] = {g->of[j].at[g->of[j].n - 1], v->at[v->n - 1]};
            const uint32_t shape = option_at(g->cell, j)->flags & option_at(g->cell, k)->flags;
            if (shape & RD_OPT_SHAPE) visit_setting(g, two, 2);
        }
    }
    if (g->going && n_all > 1) visit_setting(g, all, n_all);
}

void each_setting(const cell_case *of, case_visit visit, void *user)
{
    const rd_cell *cell = of->cell;
    struct values values[MAX_SETTINGS] = {0};
    struct grid g = {.cell = cell,
                     .layer = of->layer,
                     .core = of->core,
                     .visit = visit,
                     .user = user,
                     .of = values,
                     .going = true};
    g.n = cell->n_options < MAX_SETTINGS ? cell->n_options : MAX_SETTINGS;
    size_t combinations = 1;

    for (uint32_t k = 0; k < g.n; k++) {
        list_values(option_at(cell, k), &values[k]);
        combinations = combinations > FEW ? combinations : combinations * values[k].n;
    }
    visit_setting(&g, NULL, 0);
    if (combinations <= FEW)
        visit_combinations(&g, combinations);
    else
        visit_some(&g);
    check_case_is("%s", "");
}

/* ---- a rule at each of them ---------------------------------------------------------------------- */

bool case_skipped(const cell_case *c, const rd_error *err, check_verdict *v)
{
    if (c->n_settings > 0) return true;
    const char *const word = c->layer ? "layer" : "cell", *const rule = c->layer ? "T1" : "C1";
    if (strstr(err->text, c->layer ? "rule T1: " : "rule C1: "))
        check_say(v, CHECK_SKIP, "the %s cannot be built (%s)", word, rule);
    else
        check_say(v, CHECK_SKIP, "the %s cannot be built: %s", word, err->text);
    return false;
}

struct judged {
    const check_rule *rule;
    check_verdict *v;
};

static bool judge(void *user, const cell_case *c, bool built, const rd_error *err)
{
    const struct judged *j = user;
    char why[CASE_TEXT * 4] = "", text[CASE_TEXT];

    if (!built) return case_skipped(c, err, j->v);
    if (j->rule->keeps(c, why, sizeof why)) return true;
    case_text(c, text);
    check_say(j->v, CHECK_FAIL, "%s%s%s", why, text[0] ? ", with " : "", text);
    return false;
}

void check_case_of(const check_subject *s, const rd_plugin *plugin, cell_case *c, rd_cell *stand_in)
{
    if (s->kind->rules == check_layer_rules) {
        const rd_layer *l = plugin->layers[s->index];
        *stand_in = (rd_cell){.size = sizeof *stand_in,
                              .name = l->name,
                              .options = l->options,
                              .n_options = l->n_options,
                              .option_size = l->option_size};
        c->layer = l;
        c->cell = stand_in;
    } else {
        c->cell = plugin->cells[s->index];
    }
}

void check_each_case(const check_subject *s, check_verdict *v)
{
    cell_case c = {.core = s->core};
    rd_cell stand_in;

    check_case_of(s, s->plugin, &c, &stand_in);
    if (s->rule->flags & CHECK_BACKWARD && !made_has_backward(&c))
        check_say(v, CHECK_SKIP, "it has no backward, so it cannot be trained");
    else if (s->rule->flags & CHECK_CAUSAL && c.layer->flags & RD_LAYER_NOT_CAUSAL)
        check_say(v, CHECK_SKIP, "it needs the whole sequence at once (RD_LAYER_NOT_CAUSAL)");
    else
        each_setting(&c, judge, &(struct judged){s->rule, v});
}
