/* csv_row.c - one row of a CSV file cut into cells (RFC 4180, more forgiving: any of the usual
 * separators, rows of any width, quotes inside a cell that does not begin with one stand for
 * themselves).
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "text/csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 1 << 20, SHOWN_BYTES = 40 };

/* Bytes of a cell as a message shows them: without what is not printable, and not all of a long
 * one. */
static void show(const rdc_csv_cell *cell, char out[SHOWN_BYTES + 4])
{
    size_t n = 0;
    for (size_t i = 0; i < cell->n && n < SHOWN_BYTES; i++) {
        const unsigned char byte = cell->at[i];
        out[n++] = byte < ' ' || byte == 0x7F ? '?' : (char)byte;
    }
    if (n < cell->n) {
        while (n > 0 && ((unsigned char)out[n - 1] & 0xC0) == 0x80) n--; /* no half characters */
        if (n > 0 && (unsigned char)out[n - 1] >= 0xC0) n--;
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n] = '\0';
}

/* " (name)", or nothing without a header. The header's row is cut once more: messages are rare. */
static void show_name(const rd_csv *c, uint32_t column, char out[SHOWN_BYTES + 8])
{
    out[0] = '\0';
    if (!c->rules.header) return;
    rd_csv head = *c;
    head.cells = calloc((size_t)c->width + 1, sizeof(*head.cells));
    if (!head.cells) return;
    head.capacity = c->width + 1;
    rdc_csv_place p = {.line = c->first_line};
    uint32_t n;
    char name[SHOWN_BYTES + 4];
    if (rdc_csv_row(&head, &p, &n, NULL) == RD_OK && column < n && head.cells[column].n > 0) {
        show(&head.cells[column], name);
        snprintf(out, SHOWN_BYTES + 8, " (%s)", name);
    }
    free(head.cells);
}

rd_status rdc_csv_refuse(const rd_csv *c, uint32_t column, rd_error *err, const char *format, ...)
{
    char what[320], name[SHOWN_BYTES + 8], cell[SHOWN_BYTES + 4];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof(what), format, list);
    va_end(list);
    const rdc_csv_cell trimmed = rdc_csv_trim(c->cells[column]);
    show(&trimmed, cell);
    show_name(c, column, name);
    return rdc_fail(err, RD_E_IO, "%s: line %llu, column %u%s: '%s' %s", c->path,
                    (unsigned long long)c->line, column + 1, name, cell, what);
}

static rd_status refuse_quote(const rd_csv *c, uint64_t line, uint32_t column, const char *what,
                              rd_error *err)
{
    return rdc_fail(err, RD_E_IO, "%s: line %llu, column %u: %s", c->path, (unsigned long long)line,
                    column + 1, what);
}

/* The cell in quotes at *at; moves *at behind its closing quote and *line over its line breaks.
 * NULL, or what is wrong. */
static const char *quoted_cell(const rd_csv *c, const unsigned char **at, uint64_t *line,
                               rdc_csv_cell *cell)
{
    const unsigned char *from = *at + 1, *quote;
    *cell = (rdc_csv_cell){.at = from};
    for (;;) {
        quote = memchr(from, '"', (size_t)(c->end - from));
        if (!quote) return "the quote that begins this cell is not closed";
        if (quote + 1 == c->end || quote[1] != '"') break;
        cell->raw = true;
        from = quote + 2;
    }
    cell->n = (size_t)(quote - cell->at);
    for (const unsigned char *i = cell->at; (i = memchr(i, '\n', (size_t)(quote - i))); i++) {
        cell->raw = true;
        ++*line;
    }
    *at = quote + 1;
    if (*at < c->end && **at == '\r' && (*at + 1 == c->end || (*at)[1] == '\n')) ++*at;
    return *at == c->end || c->stops[**at] ? NULL : "something follows the closing quote";
}

/* The cell at *at that has no quotes; moves *at to what ends it. [hot] */
static rdc_csv_cell plain_cell(const rd_csv *c, const unsigned char **at)
{
    const unsigned char *i = *at;
    rdc_csv_cell cell = {.at = i};
    while (i < c->end && !c->stops[*i]) i++;
    *at = i;
    cell.n = (size_t)(i - cell.at);
    if (cell.n > 0 && i[-1] == '\r' && (i == c->end || *i == '\n')) cell.n--;
    return cell;
}

/* Room for one more cell in a first row; later rows have width + 1, and what comes then is only
 * counted. */
static rd_status more_cells(rd_csv *c, uint32_t n, rd_error *err)
{
    if (n < c->capacity || c->width > 0) return RD_OK;
    if (n == MAX_COLUMNS)
        return rdc_fail(err, RD_E_IO,
                        "%s: line %llu has more than %u columns; is this a file of rows?", c->path,
                        (unsigned long long)c->line, (unsigned)MAX_COLUMNS);
    const uint32_t capacity = c->capacity ? 2 * c->capacity : 16;
    rdc_csv_cell *cells = realloc(c->cells, capacity * sizeof(*cells));
    if (!cells) return rdc_no_memory(err, capacity * sizeof(*cells));
    c->cells = cells;
    c->capacity = capacity;
    return RD_OK;
}

static const unsigned char *skip_empty_lines(const rd_csv *c, const unsigned char *at,
                                             uint64_t *line)
{
    for (;; ++*line) {
        if (at < c->end && *at == '\n')
            at++;
        else if (at + 1 < c->end && at[0] == '\r' && at[1] == '\n')
            at += 2;
        else
            return at;
    }
}

rd_status rdc_csv_row(rd_csv *c, rdc_csv_place *p, uint32_t *n, rd_error *err)
{
    uint64_t line = p->line;
    const unsigned char *at = skip_empty_lines(c, c->begin + p->offset, &line);
    *n = 0;
    c->line = line;
    if (at == c->end) {
        p->offset = (uint64_t)(at - c->begin);
        p->line = line;
        return RD_OK;
    }
    uint32_t count = 0;
    for (;; at++) {
        rdc_csv_cell cell;
        RD_TRY(more_cells(c, count, err));
        if (c->form.quotes && at < c->end && *at == '"') {
            const uint64_t first = line;
            const char *wrong = quoted_cell(c, &at, &line, &cell);
            if (wrong) return refuse_quote(c, first, count, wrong, err);
        } else {
            cell = plain_cell(c, &at);
        }
        if (count < c->capacity) c->cells[count] = cell;
        count++;
        if (at == c->end || *at == '\n') break;
    }
    if (at < c->end) {
        at++;
        line++;
    }
    *p = (rdc_csv_place){.offset = (uint64_t)(at - c->begin), .row = p->row + 1, .line = line};
    *n = count;
    return RD_OK;
}

rdc_csv_cell rdc_csv_trim(rdc_csv_cell cell)
{
    while (cell.n > 0 && (*cell.at == ' ' || *cell.at == '\t')) {
        cell.at++;
        cell.n--;
    }
    while (cell.n > 0 && (cell.at[cell.n - 1] == ' ' || cell.at[cell.n - 1] == '\t')) cell.n--;
    return cell;
}
