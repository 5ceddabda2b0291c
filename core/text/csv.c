/* csv.c - a mapped CSV file: which are taken, how its cells are parted, and the index of its rows.
 *
 * Invariant: index[0] is row 0, and index entries are places at which rdc_csv_row began. `next` is
 * the place behind the row that was taken. The map is shared with the file, as that of a text
 * (text.c), so its size is asked again before reading; nothing is read past `end`, whatever the
 * bytes have become.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "text/csv.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 4096, ROWS_LOOKED_AT = 50 };

/* ---- which files ---- */

static bool begins(const rd_csv *c, const char *magic, size_t n)
{
    return (size_t)(c->end - c->begin) >= n && memcmp(c->begin, magic, n) == 0;
}

/* What else a file is that is called .csv now and then, and what to do; NULL: text, as it seems. */
static const char *not_text(const rd_csv *c)
{
    if (begins(c, "\xFF\xFE", 2) || begins(c, "\xFE\xFF", 2))
        return "the file is UTF-16; make it UTF-8 first: iconv -f UTF-16 -t UTF-8 OLD > NEW";
    if (begins(c, "\x1F\x8B", 2)) return "the file is compressed; unpack it first: gunzip";
    if (begins(c, "PK\x03\x04", 4))
        return "the file is an archive, as spreadsheets are; save its sheet as CSV";
    const size_t n =
        (size_t)(c->end - c->begin) < LOOKED_AT ? (size_t)(c->end - c->begin) : LOOKED_AT;
    size_t zeros = 0;
    for (size_t i = 0; i < n; i++) zeros += c->begin[i] == 0;
    if (zeros >= n / 4 && zeros > 0 && n >= 4)
        return "the file is UTF-16 without its mark, or binary; a CSV is text of bytes, as UTF-8";
    if (zeros > 0)
        return "the file is binary: it has bytes that are 0; a CSV is text of bytes, as UTF-8";
    const unsigned char *cr = memchr(c->begin, '\r', n);
    if (cr && !memchr(c->begin, '\n', n) && cr + 1 < c->end)
        return "its lines end with a carriage return alone; make that a line feed: "
               "tr '\\r' '\\n' < OLD > NEW";
    return NULL;
}

static rd_status check_bytes(rd_csv *c, rd_error *err)
{
    if (begins(c, "\xEF\xBB\xBF", 3)) c->begin += 3;
    if (c->begin == c->end) return rdc_fail(err, RD_E_IO, "%s: there are no rows in it", c->path);
    const char *what = not_text(c);
    return what ? rdc_fail(err, RD_E_IO, "%s: %s", c->path, what) : RD_OK;
}

static void skip_comments(rd_csv *c)
{
    while (c->begin < c->end && *c->begin == '#') {
        const unsigned char *feed = memchr(c->begin, '\n', (size_t)(c->end - c->begin));
        c->begin = feed ? feed + 1 : c->end;
        c->first_line++;
    }
}

static void set_separator(rd_csv *c, char separator)
{
    memset(c->stops, 0, sizeof(c->stops));
    c->form.separator = separator;
    c->stops[(unsigned char)separator] = true;
    c->stops['\n'] = true;
}

/* Columns of the first rows with the separator that is set; 0 where they are not alike. */
static uint32_t columns_alike(rd_csv *c)
{
    rdc_csv_place p = {.line = c->first_line};
    uint32_t n = 0, width = 0;
    for (int i = 0; i < ROWS_LOOKED_AT; i++) {
        if (rdc_csv_row(c, &p, &n, NULL) != RD_OK) return 0;
        if (n == 0) break;
        if (i > 0 && n != width && !(n == width + 1 && c->cells[width].n == 0)) return 0;
        if (i == 0) width = n;
    }
    return width;
}

/* A wrong row among the first must not decide: if no separator makes all alike, it is the one of
 * the first line. */
static void find_separator(rd_csv *c)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    uint32_t best = 1, best_first = 1, n;
    char found = 0, first = ',';
    for (size_t i = 0; i < sizeof(candidates); i++) {
        rdc_csv_place p = {.line = c->first_line};
        set_separator(c, candidates[i]);
        const uint32_t width = columns_alike(c);
        if (width > best) {
            best = width;
            found = candidates[i];
        }
        if (rdc_csv_row(c, &p, &n, NULL) == RD_OK && n > best_first) {
            best_first = n;
            first = candidates[i];
        }
    }
    set_separator(c, found ? found : first);
}

static rd_status open_file(rd_csv *c, rd_error *err)
{
    RD_TRY(rdc_map_file(c->path, &c->file, err));
    c->begin = c->file.at;
    c->end = c->file.at + c->file.bytes;
    c->first_line = 1;
    RD_TRY(check_bytes(c, err));
    if (c->form.comments) skip_comments(c);
    if (c->form.separator)
        set_separator(c, c->form.separator);
    else
        find_separator(c);
    rdc_csv_place p = {.line = c->first_line};
    uint32_t width;
    RD_TRY(rdc_csv_row(c, &p, &width, err));
    if (width == 0) return rdc_fail(err, RD_E_IO, "%s: there are no rows in it", c->path);
    rdc_csv_cell *cells = realloc(c->cells, ((size_t)width + 1) * sizeof(*cells));
    if (!cells) return rdc_no_memory(err, ((size_t)width + 1) * sizeof(*cells));
    c->cells = cells;
    c->capacity = width + 1;
    c->width = width;
    return rd_csv_begin(c, &(rd_csv_rules){0}, err);
}

rd_status rd_csv_open(const char *path, const rd_csv_form *form, rd_csv **out, rd_error *err)
{
    rd_csv *c = calloc(1, sizeof(*c));
    if (!c) return rdc_no_memory(err, sizeof(*c));
    c->file.fd = -1;
    c->form = *form;
    c->path = strdup(path);
    c->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    rd_status status =
        c->path && c->locale ? open_file(c, err) : rdc_no_memory(err, strlen(path) + 1);
    if (status == RD_OK)
        *out = c;
    else
        rd_csv_free(c);
    return status;
}

static void free_words(char **words, size_t n)
{
    for (size_t i = 0; words && i < n; i++) free(words[i]);
    free(words);
}

void rd_csv_free(rd_csv *c)
{
    if (!c) return;
    rdc_unmap_file(&c->file);
    if (c->locale) freelocale(c->locale);
    free_words(c->words, c->n_words);
    free(c->cells);
    free(c->index);
    free(c->text);
    free(c->path);
    free(c);
}

uint32_t rd_csv_width(const rd_csv *c)
{
    return c->width;
}

char rd_csv_separator(const rd_csv *c)
{
    return c->form.separator;
}

/* ---- rows ---- */

static rd_status take_words(rd_csv *c, const rd_csv_rules *rules, rd_error *err)
{
    char **words = rules->missing ? calloc(rules->n_missing + 1, sizeof(*words)) : NULL;
    if (rules->missing && !words)
        return rdc_no_memory(err, (rules->n_missing + 1) * sizeof(*words));
    for (size_t i = 0; words && i < rules->n_missing; i++) {
        words[i] = strdup(rules->missing[i]);
        if (words[i]) continue;
        free_words(words, i);
        return rdc_no_memory(err, strlen(rules->missing[i]) + 1);
    }
    free_words(c->words, c->n_words);
    c->words = words;
    c->n_words = words ? rules->n_missing : 0;
    return RD_OK;
}

/* A place for the index, if it is far enough behind the last. */
static rd_status note_place(rd_csv *c, const rdc_csv_place *p, rd_error *err)
{
    if (c->n_index > 0 && p->offset < c->index[c->n_index - 1].offset + RDC_CSV_STRETCH)
        return RD_OK;
    if (c->n_index == c->index_capacity) {
        const size_t capacity = c->index_capacity ? 2 * c->index_capacity : 64;
        rdc_csv_place *index = realloc(c->index, capacity * sizeof(*index));
        if (!index) return rdc_no_memory(err, capacity * sizeof(*index));
        c->index = index;
        c->index_capacity = capacity;
    }
    c->index[c->n_index++] = *p;
    return RD_OK;
}

rd_status rd_csv_begin(rd_csv *c, const rd_csv_rules *rules, rd_error *err)
{
    RD_TRY(take_words(c, rules, err));
    c->rules = *rules;
    c->rules.missing = NULL; /* they are in words */
    if (!c->rules.decimal) c->rules.decimal = '.';
    c->n_index = 0;
    rdc_csv_place p = {.line = c->first_line};
    const uint64_t passed = rules->skip + rules->header;
    for (uint64_t i = 0; i < passed; i++) {
        uint32_t n;
        RD_TRY(rdc_csv_row(c, &p, &n, err));
        if (n == 0) break;
    }
    p.row = 0;
    c->next = p;
    return note_place(c, &p, err);
}

static rd_status refuse_width(const rd_csv *c, uint32_t n, rd_error *err)
{
    return rdc_fail(err, RD_E_IO, "%s: line %llu has %u column%s, expected %u as in line %llu%s",
                    c->path, (unsigned long long)c->line, n, n == 1 ? "" : "s", c->width,
                    (unsigned long long)c->first_line,
                    n > c->width ? "; a cell that holds the separator stands in quotes" : "");
}

rd_status rd_csv_next(rd_csv *c, bool *more, rd_error *err)
{
    uint32_t n;
    RD_TRY(note_place(c, &c->next, err));
    RD_TRY(rdc_csv_row(c, &c->next, &n, err));
    *more = n > 0;
    if (n == c->width || n == 0) return RD_OK;
    if (n == c->width + 1 && c->cells[c->width].n == 0) return RD_OK; /* a separator at the end */
    return refuse_width(c, n, err);
}

rd_status rd_csv_seek(rd_csv *c, uint64_t row, rd_error *err)
{
    if (!rdc_map_is_whole(&c->file))
        return rdc_fail(err, RD_E_IO, "%s: the file shrank while it was in use", c->path);
    size_t low = 0, high = c->n_index;
    while (high - low > 1) { /* the last of the index at or before the row */
        const size_t middle = low + (high - low) / 2;
        if (c->index[middle].row <= row)
            low = middle;
        else
            high = middle;
    }
    if (c->next.row > row || c->next.row < c->index[low].row) c->next = c->index[low];
    bool more = true;
    while (more && c->next.row < row) RD_TRY(rd_csv_next(c, &more, err));
    return RD_OK;
}

/* ---- the text of a cell ---- */

static char *unquoted(rd_csv *c, const rdc_csv_cell *cell, size_t *n)
{
    if (cell->n > c->text_capacity) {
        char *text = realloc(c->text, cell->n);
        if (!text) return NULL;
        c->text = text;
        c->text_capacity = cell->n;
    }
    *n = 0;
    for (size_t i = 0; i < cell->n; i++) {
        const unsigned char byte = cell->at[i];
        if (byte == '\r' && i + 1 < cell->n && cell->at[i + 1] == '\n') continue;
        c->text[(*n)++] = (char)byte;
        i += byte == '"'; /* the second of two */
    }
    return c->text;
}

rd_status rd_csv_text(rd_csv *c, uint32_t column, const char **at, size_t *n, rd_error *err)
{
    const rdc_csv_cell *cell = &c->cells[column];
    if (!cell->raw) {
        *at = (const char *)cell->at;
        *n = cell->n;
        return RD_OK;
    }
    const char *text = unquoted(c, cell, n);
    if (!text) return rdc_no_memory(err, cell->n);
    *at = text;
    return RD_OK;
}
