/* declarations.c - rules C1 and C8 of cells, T1 and T8 of layers: what is declared can be built.
 * SPDX-License-Identifier: MIT */
#include "cell_grid.h"
#include <string.h>

/* "rule C1: ", with which the core begins what it says of a declaration. */
static const char *number_of(const cell_case *c)
{
    return c->layer ? "rule T1: " : "rule C1: ";
}

const char *case_bare(const cell_case *c, const rd_error *err)
{
    const char *text = err->text, *const number = number_of(c);
    const size_t n = strlen(c->cell->name);
    if (strncmp(text, c->cell->name, n) == 0 && strncmp(text + n, ": ", 2) == 0) text += n + 2;
    if (strncmp(text, number, strlen(number)) == 0) text += strlen(number);
    return text;
}

static bool note_refusal(void *user, const cell_case *c, bool built, const rd_error *err)
{
    check_verdict *v = user;
    char text[CASE_TEXT];
    /* Of an option's value C8 or T8 speaks, unless what is declared is wrong in itself. */
    if (built || (c->n_settings > 0 && !strstr(err->text, number_of(c)))) return true;
    case_text(c, text);
    check_say(v, CHECK_FAIL, "%s%s%s", case_bare(c, err), text[0] ? ", with " : "", text);
    return false;
}

void check_declarations(const check_subject *s, check_verdict *v)
{
    cell_case c = {0};
    rd_cell stand_in;

    check_case_of(s, s->plugin, &c, &stand_in);
    each_setting(&c, note_refusal, v);
    if (v->status == CHECK_PASS) check_each_case(s, v);
}

static bool takes_setting(void *user, const cell_case *c, bool built, const rd_error *err)
{
    check_verdict *v = user;
    char text[CASE_TEXT];
    if (built || c->n_settings > 1) return true; /* two options may exclude each other */
    if (c->n_settings == 0 || strstr(err->text, number_of(c))) return case_skipped(c, err, v);
    case_text(c, text);
    check_say(v, CHECK_FAIL, "%s() refuses what the option's record allows, %s: %s",
              c->layer ? "setup" : "layout", text, case_bare(c, err));
    return false;
}

/* The very ends of ranges, which the grid cuts: they may be refused, but must be survived. */
static void survive_extremes(const cell_case *of)
{
    const rd_cell *cell = of->cell;
    const double most = 1e300; /* of a range without an end */
    for (uint32_t k = 0; k < cell->n_options; k++) {
        const rd_option *o =
            (const rd_option *)((const char *)cell->options + (size_t)k * cell->option_size);
        for (int i = 0; i < 2 && (o->kind == RD_INT || o->kind == RD_REAL); i++) {
            const double end = i ? o->max : o->min;
            const double value = end > most ? most : end < -most ? -most : end;
            rd_setting setting = {.name = o->name, .kind = o->kind};
            const cell_case c = {.cell = cell,
                                 .layer = of->layer,
                                 .settings = &setting,
                                 .n_settings = 1,
                                 .in = 3,
                                 .hidden = 60,
                                 .bias = 1};
            rd_error err;
            if (o->kind == RD_INT)
                setting.value.i = (int64_t)(value > 0x1p53 ? 0x1p53 : value);
            else
                setting.value.r = value;
            check_case_is("%s = %.15g", o->name, value);
            (void)case_builds(&c, &err);
        }
    }
}

void check_all_options(const check_subject *s, check_verdict *v)
{
    cell_case c = {0};
    rd_cell stand_in;

    check_case_of(s, s->plugin, &c, &stand_in);
    survive_extremes(&c);
    each_setting(&c, takes_setting, v);
}
