/* option.c - a table of options against what a user gave: defaults, types, ranges, misspelt names.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_CHARS = 64, TEXT_MAX_CHARS = 200 };

/* Letters and digits of a name in lower case: what people get right when they get the rest wrong. */
static size_t fold(const char *name, char out[NAME_MAX_CHARS])
{
    size_t n = 0;

    for (; *name && n < NAME_MAX_CHARS; name++) {
        if (*name == '_' || *name == '-') continue;
        out[n++] = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
    }
    return n;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours that lead from a to b. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
    size_t before[NAME_MAX_CHARS + 1] = {0}, last[NAME_MAX_CHARS + 1], row[NAME_MAX_CHARS + 1];

    for (size_t j = 0; j <= nb; j++) last[j] = j;
    for (size_t i = 1; i <= na; i++) {
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        memcpy(before, last, sizeof before);
        memcpy(last, row, sizeof last);
    }
    return last[nb];
}

const char *rd_nearest(const char *name, const char *const *names, size_t n)
{
    enum { PREFIX = 4 }; /* that many equal first letters make the rest a matter of forgetting */
    char a[NAME_MAX_CHARS], b[NAME_MAX_CHARS];
    const size_t na = fold(name, a);
    const char *nearest = NULL;
    size_t best = na / 3 + 1; /* a third of the letters may be wrong */

    for (size_t i = 0; i < n; i++) {
        const size_t nb = fold(names[i], b);
        size_t d = distance(a, na, b, nb);
        if (na >= PREFIX && nb > na && memcmp(a, b, na) == 0) d = least(d, na / 3);
        if (d < best) {
            best = d;
            nearest = names[i];
        }
    }
    return nearest;
}

static const rd_option *option_at(const rd_option *options, uint32_t option_size, uint32_t i)
{
    return (const rd_option *)((const char *)options + (size_t)i * option_size);
}

static const rd_option *find(const rd_option *options, uint32_t n, uint32_t option_size,
                             const char *name)
{
    for (uint32_t i = 0; i < n; i++) {
        const rd_option *o = option_at(options, option_size, i);
        if (strcmp(o->name, name) == 0) return o;
    }
    return NULL;
}

static rd_status unknown(const char *what, const rd_option *options, uint32_t n,
                         uint32_t option_size, const char *name, rd_error *err)
{
    const char *near = NULL;

    /* One at a time: the better of the best so far and the next. */
    for (uint32_t i = 0; i < n; i++) {
        const char *const pair[] = {near, option_at(options, option_size, i)->name};
        near = near ? rd_nearest(name, pair, 2) : rd_nearest(name, pair + 1, 1);
    }
    if (near)
        return rdc_fail(err, RD_E_ARG, "%s: option '%.60s' is unknown (did you mean '%s'?)", what,
                        name, near);
    if (n == 0)
        return rdc_fail(err, RD_E_ARG, "%s: option '%.60s' is unknown; there are none", what, name);
    char list[TEXT_MAX_CHARS] = "";
    for (uint32_t i = 0; i < n; i++) {
        const size_t used = strlen(list);
        (void)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                       option_at(options, option_size, i)->name);
    }
    return rdc_fail(err, RD_E_ARG, "%s: option '%.60s' is unknown; there is %s", what, name, list);
}

/* What was given, as the user would write it. */
static void given(const rd_setting *s, char text[TEXT_MAX_CHARS])
{
    switch (s->kind) {
    case RD_INT:
        (void)snprintf(text, TEXT_MAX_CHARS, "%lld", (long long)s->value.i);
        break;
    case RD_REAL:
        (void)snprintf(text, TEXT_MAX_CHARS, "%.15g", s->value.r);
        break;
    case RD_BOOL:
        (void)snprintf(text, TEXT_MAX_CHARS, "%s", s->value.i ? "true" : "false");
        break;
    default:
        (void)snprintf(text, TEXT_MAX_CHARS, "'%.100s'", s->text ? s->text : "");
        break;
    }
}

static void allowed(const rd_option *o, char text[TEXT_MAX_CHARS])
{
    size_t used;

    switch (o->kind) {
    case RD_BOOL:
        (void)snprintf(text, TEXT_MAX_CHARS, "true or false");
        break;
    case RD_CHOICE:
        (void)snprintf(text, TEXT_MAX_CHARS, "one of %s", o->choices[0]);
        for (uint32_t i = 1; o->choices[i]; i++) {
            used = strlen(text);
            (void)snprintf(text + used, TEXT_MAX_CHARS - used, ", %s", o->choices[i]);
        }
        break;
    default:
        if (isinf(o->min) && isinf(o->max))
            (void)snprintf(text, TEXT_MAX_CHARS, "a number");
        else if (isinf(o->max))
            (void)snprintf(text, TEXT_MAX_CHARS, "at least %.15g", o->min);
        else if (isinf(o->min))
            (void)snprintf(text, TEXT_MAX_CHARS, "at most %.15g", o->max);
        else
            (void)snprintf(text, TEXT_MAX_CHARS, "%.15g..%.15g", o->min, o->max);
    }
}

static bool number(const rd_setting *s, double *value)
{
    *value = s->kind == RD_INT ? (double)s->value.i : s->value.r;
    return s->kind == RD_INT || s->kind == RD_REAL;
}

/* True if the setting fits the option; *value is then what the cell will see. `must` says what else is
 * allowed where the range does not. */
static bool fits(const rd_option *o, const rd_setting *s, rd_value *value, const char **must)
{
    const double exact = 0x1p53; /* integers up to here survive in a double */
    double x;

    *must = NULL;
    switch (o->kind) {
    case RD_BOOL:
        *value = s->value;
        return s->kind == RD_BOOL;
    case RD_CHOICE:
        for (uint32_t i = 0; s->kind == RD_CHOICE && s->text && o->choices[i]; i++) {
            value->i = i;
            if (strcmp(o->choices[i], s->text) == 0) return true;
        }
        return false;
    case RD_INT:
        if (!number(s, &x) || !(x == floor(x))) *must = "an integer";
        if (*must || !(x >= o->min && x <= o->max && fabs(x) <= exact)) return false;
        value->i = (int64_t)x;
        return true;
    default:
        if (!number(s, &x)) *must = "a number";
        if (*must || !(x >= o->min && x <= o->max)) return false;
        value->r = x;
        return true;
    }
}

static rd_status take(const char *what, const rd_option *o, const rd_setting *s, rd_value *value,
                      rd_error *err)
{
    char range[TEXT_MAX_CHARS], got[TEXT_MAX_CHARS];
    const char *must;

    if (fits(o, s, value, &must)) return RD_OK;
    allowed(o, range);
    given(s, got);
    return rdc_fail(err, RD_E_ARG, "%s: option '%s' must be %s, got %s", what, o->name,
                    must ? must : range, got);
}

rd_status rd_options_resolve(const char *what, const rd_option *options, uint32_t n_options,
                             uint32_t option_size, const rd_setting *settings, size_t n_settings,
                             rd_value *values, rd_error *err)
{
    rd_value value;

    /* All are looked at before the first is written: on failure the values are untouched. */
    for (size_t i = 0; i < n_settings; i++) {
        const rd_option *o = find(options, n_options, option_size, settings[i].name);
        if (!o) return unknown(what, options, n_options, option_size, settings[i].name, err);
        RD_TRY(take(what, o, &settings[i], &value, err));
    }
    for (uint32_t k = 0; k < n_options; k++) {
        const rd_option *o = option_at(options, option_size, k);
        if (o->kind == RD_REAL)
            values[k].r = o->def;
        else
            values[k].i = (int64_t)o->def;
        for (size_t i = 0; i < n_settings; i++)
            if (strcmp(settings[i].name, o->name) == 0)
                RD_TRY(take(what, o, &settings[i], &values[k], err));
    }
    return RD_OK;
}
