/* csv.h - a mapped file of rows, for the files that read it.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CSV_H
#define RD_CSV_H
#include "rondo_csv.h"
#include "store/files.h"

#include <locale.h>

typedef struct rdc_csv_place { /* of a row: that of its first byte */
    uint64_t offset, row, line;
} rdc_csv_place;

typedef struct rdc_csv_cell { /* without its quotes */
    const unsigned char *at;
    size_t n;
    bool raw; /* stood in quotes, and holds doubled quotes or line breaks */
} rdc_csv_cell;

struct rd_csv {
    rdc_mapping file;
    char *path; /* for messages */
    rd_csv_form form;
    rd_csv_rules rules; /* missing: words */
    char **words;       /* the user's, or NULL */
    size_t n_words;
    locale_t locale;                  /* "C", for strtod_l */
    bool stops[256];                  /* bytes that end a cell without quotes */
    const unsigned char *begin, *end; /* without byte order mark and comments */
    uint64_t first_line;              /* of the row at begin */
    uint32_t width;
    rdc_csv_place next;  /* the row that is taken next */
    uint64_t line;       /* of the row that was taken */
    rdc_csv_cell *cells; /* of the row that was taken: width + 1 */
    uint32_t capacity;   /* of cells */
    rdc_csv_place
        *index; /* rows in order, RDC_CSV_STRETCH bytes or more apart; the first is row 0 */
    size_t n_index, index_capacity;
    char *text; /* of a cell whose quotes were taken out */
    size_t text_capacity;
};

/* Bytes between rows of the index. 24 bytes for 4096 are 0.6 % of the file; a row is found by
 * going over half as much, some microseconds. */
enum { RDC_CSV_STRETCH = 4096 };

/* Splits the row at `p` into c->cells and moves p behind it; *n cells, 0 at the end. Rows may have
 * any width. */
rd_status rdc_csv_row(rd_csv *c, rdc_csv_place *p, uint32_t *n, rd_error *err);
/* "x.csv: line 3, column 2 (temp): '12 km' " and what is wrong with the cell of the row that was
 * taken. */
__attribute__((format(printf, 4, 5))) rd_status
rdc_csv_refuse(const rd_csv *c, uint32_t column, rd_error *err, const char *format, ...);
/* A cell without the blanks round it. */
rdc_csv_cell rdc_csv_trim(rdc_csv_cell cell);
bool rdc_csv_is_missing(const rd_csv *c, const rdc_csv_cell *cell);
/* False: not a number. Correctly rounded; infinite if it is too large. [hot] */
bool rdc_csv_number(const rd_csv *c, const rdc_csv_cell *cell, double *value);

typedef struct rdc_csv_time {
    double seconds; /* since 1970, in UTC; or the number */
    int32_t month;  /* since the year 0; 0 with plain_times */
    double rest;    /* seconds since the month began */
    bool last_day;  /* of its month */
} rdc_csv_time;
/* NULL: *t has the time; else what is wrong with it. */
const char *rdc_csv_time_of(const rd_csv *c, const rdc_csv_cell *cell, rdc_csv_time *t);
/* The number in a column of the row that was taken, NaN where it is missing. [hot] */
rd_status rdc_csv_value(const rd_csv *c, uint32_t column, rd_missing rule, double *value,
                        rd_error *err);
rd_status rdc_csv_take_time(const rd_csv *c, uint32_t column, rdc_csv_time *t, rd_error *err);
#endif
