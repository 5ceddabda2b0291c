/* csv_number.c - a number out of a cell, correctly rounded whatever the locale, and which cells
 * are missing ones.
 * SPDX-License-Identifier: MIT */
#include "text/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST = 400, MAX_DIGITS = 19, EXACT_POWER = 22, EXPONENT_LIMIT = 100000 };

typedef struct parts { /* of a number: mantissa * 10^exponent */
    uint64_t mantissa;
    int digits; /* of the mantissa, without leading zeros */
    int exponent;
    bool negative, cut; /* cut: there were more digits */
} parts;

static bool is_digit(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Digits from i on into the mantissa; the place behind them. [hot] */
static size_t take_digits(const rdc_csv_cell *cell, size_t i, int fraction, parts *p)
{
    for (; i < cell->n && is_digit(cell->at[i]); i++) {
        if (p->digits < MAX_DIGITS) {
            p->mantissa = p->mantissa * 10 + (uint64_t)(cell->at[i] - '0');
            p->digits += p->mantissa != 0;
            p->exponent -= fraction;
        } else {
            p->cut = true;
            p->exponent += 1 - fraction;
        }
    }
    return i;
}

/* Sign, digits, decimal point, digits, exponent; all of the cell. [hot] */
static bool take_parts(const rd_csv *c, const rdc_csv_cell *cell, parts *p)
{
    const unsigned char decimal = (unsigned char)c->rules.decimal;
    size_t i = cell->n > 0 && (cell->at[0] == '-' || cell->at[0] == '+');
    p->negative = i && cell->at[0] == '-';
    const size_t whole = i;
    i = take_digits(cell, i, 0, p);
    size_t n_digits = i - whole;
    if (i < cell->n && cell->at[i] == decimal) {
        const size_t fraction = ++i;
        i = take_digits(cell, i, 1, p);
        n_digits += i - fraction;
    }
    if (n_digits == 0) return false;
    if (i == cell->n) return true;
    if (cell->at[i] != 'e' && cell->at[i] != 'E') return false;
    i++;
    const bool minus = i < cell->n && cell->at[i] == '-';
    i += i < cell->n && (cell->at[i] == '-' || cell->at[i] == '+');
    const size_t first = i;
    int exponent = 0;
    for (; i < cell->n && is_digit(cell->at[i]); i++)
        if (exponent < EXPONENT_LIMIT) exponent = exponent * 10 + (cell->at[i] - '0');
    p->exponent += minus ? -exponent : exponent;
    return i > first && i == cell->n;
}

/* Takes the separators of thousands out of a cell; false where they do not part groups of three. */
static bool join_groups(const rd_csv *c, rdc_csv_cell *cell, unsigned char joined[LONGEST])
{
    const unsigned char group = (unsigned char)c->rules.thousands,
                        decimal = (unsigned char)c->rules.decimal;
    size_t n = 0, run = 0;
    bool grouped = false, whole = true;
    if (cell->n >= LONGEST) return false;
    for (size_t i = 0; i < cell->n; i++) {
        const unsigned char byte = cell->at[i];
        if (whole && byte == group) {
            if (run == 0 || run > 3 || (grouped && run != 3)) return false;
            grouped = true;
            run = 0;
            continue;
        }
        if (!is_digit(byte) && (byte == decimal || byte == 'e' || byte == 'E')) {
            if (grouped && whole && run != 3) return false;
            whole = false;
        }
        run += is_digit(byte);
        joined[n++] = byte;
    }
    if (grouped && whole && run != 3) return false;
    *cell = (rdc_csv_cell){.at = joined, .n = n};
    return true;
}

/* What the fast path is not exact for. */
static bool slow_number(const rd_csv *c, const rdc_csv_cell *cell, double *value)
{
    char text[LONGEST];
    if (cell->n >= sizeof(text)) return false;
    for (size_t i = 0; i < cell->n; i++)
        text[i] = (char)(cell->at[i] == (unsigned char)c->rules.decimal ? '.' : cell->at[i]);
    text[cell->n] = '\0';
    char *end;
    *value = strtod_l(text, &end, c->locale);
    return end == text + cell->n;
}

/* Up to 2^53 the mantissa, and up to 10^22 the power are doubles: one correctly rounded operation
 * (Clinger 1990, "How to read floating point numbers accurately", section 3). The rest is for the
 * C library. */
bool rdc_csv_number(const rd_csv *c, const rdc_csv_cell *cell, double *value)
{
    static const double power[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    unsigned char joined[LONGEST];
    rdc_csv_cell whole = *cell;
    if (c->rules.thousands && memchr(whole.at, c->rules.thousands, whole.n) &&
        !join_groups(c, &whole, joined))
        return false;
    parts p = {0};
    if (!take_parts(c, &whole, &p)) return false;
    if (p.cut || p.mantissa > (UINT64_C(1) << 53) || abs(p.exponent) > EXACT_POWER)
        return slow_number(c, &whole, value);
    const double mantissa = (double)p.mantissa;
    const double size =
        p.exponent < 0 ? mantissa / power[-p.exponent] : mantissa * power[p.exponent];
    *value = p.negative ? -size : size;
    return true;
}

bool rdc_csv_is_missing(const rd_csv *c, const rdc_csv_cell *cell)
{
    static const char *const usual[] = {"NA",   "N/A", "#N/A", "NaN", "null",
                                        "none", "?",   "-",    "--",  "."};
    if (cell->n == 0) return true;
    const char *text = (const char *)cell->at;
    for (size_t i = 0; c->words && i < c->n_words; i++)
        if (strlen(c->words[i]) == cell->n && memcmp(c->words[i], text, cell->n) == 0) return true;
    for (size_t i = 0; !c->words && i < sizeof(usual) / sizeof(*usual); i++)
        if (strlen(usual[i]) == cell->n && strncasecmp(usual[i], text, cell->n) == 0) return true;
    return false;
}
