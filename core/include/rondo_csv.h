/* rondo_csv.h - files of rows (CSV, TSV), mapped and read by stretches of rows: larger than
 * memory. Apart from rondo.h, which is as long as a file may be.
 *
 * Rows and columns count from 0 here and from 1 in messages, which name file, line and column.
 * What is kept of a file is the place of a row every few kilobytes; it grows as rows are read.
 * SPDX-License-Identifier: MIT */
#ifndef RONDO_CSV_H
#define RONDO_CSV_H
#include "rondo.h"

typedef struct rd_csv rd_csv;
typedef struct rd_csv_form { /* how cells are parted */
    char separator;          /* 0: of , ; tab | the one that parts rows into most cells */
    bool quotes;   /* a cell in double quotes may hold separators, line breaks, doubled quotes */
    bool comments; /* lines at the top that begin with # are passed over */
} rd_csv_form;
typedef enum rd_date_order { RD_DATES_SURE, RD_DATES_DMY, RD_DATES_MDY } rd_date_order;
typedef struct rd_csv_rules { /* how cells are read */
    bool header;              /* the first row has the names of the columns */
    uint64_t skip;            /* rows behind it that are passed over */
    char decimal;             /* 0: a full stop */
    char thousands;           /* between groups of three digits; 0: there are none */
    rd_date_order dates;      /* of 3/4/2020; RD_DATES_SURE refuses what can be read in two ways */
    bool plain_times;         /* times are numbers: 1949 is not a year */
    const char *const
        *missing; /* words beside the empty cell; NULL: NA, NaN, null, ? and the like */
    size_t n_missing;
} rd_csv_rules;
typedef enum rd_csv_kind { RD_CSV_MISSING, RD_CSV_NUMBER, RD_CSV_TIME, RD_CSV_TEXT } rd_csv_kind;
typedef enum rd_missing {
    RD_MISSING_ERROR,
    RD_MISSING_PREVIOUS,
    RD_MISSING_INTERPOLATE
} rd_missing;

/* Maps the file and looks at its first rows. [setup] Fails on what is no text of bytes (UTF-16,
 * archives), on an empty file and where a quote is not closed. */
rd_status rd_csv_open(const char *path, const rd_csv_form *form, rd_csv **out, rd_error *err);
void rd_csv_free(rd_csv *c);            /* NULL is fine */
uint32_t rd_csv_width(const rd_csv *c); /* columns, as in the first row */
char rd_csv_separator(const rd_csv *c);
/* Reads anew by these rules (words are copied). Until it is called: no header, a full stop, dates
 * that are sure. */
rd_status rd_csv_begin(rd_csv *c, const rd_csv_rules *rules, rd_error *err);
/* Goes to a row, or behind the last. */
rd_status rd_csv_seek(rd_csv *c, uint64_t row, rd_error *err);
/* Takes the next row; *more is false at the end. Fails on a row of another width. */
rd_status rd_csv_next(rd_csv *c, bool *more, rd_error *err);
/* A cell of the row that was taken, without its quotes; valid until the next call with this csv. */
rd_status rd_csv_text(rd_csv *c, uint32_t column, const char **at, size_t *n, rd_error *err);
/* What a cell with this text is by the rules. */
rd_csv_kind rd_csv_kind_of(const rd_csv *c, const char *at, size_t n);
/* False: the text is no time by the rules. */
bool rd_csv_time_of(const rd_csv *c, const char *at, size_t n, double *time);

typedef struct rd_csv_columns {
    const uint32_t *at;
    size_t n;
    rd_missing rule;
    bool many; /* series are mixed in the file: a first value may be missing */
} rd_csv_columns;
typedef enum rd_step_unit {
    RD_STEP_NONE,
    RD_STEP_SECONDS,
    RD_STEP_MONTHS,
    RD_STEP_NUMBER
} rd_step_unit;
typedef struct rd_csv_report {
    uint64_t rows;
    uint64_t *missing; /* the caller's, of each column: how many cells */
    rd_step_unit unit; /* of the step of time */
    double step;       /* between the first two rows; others: */
    uint64_t other_steps,
        other_line;     /* how many differ, and the line of the first behind such a step */
    double first, last; /* times: seconds since 1970 in UTC, or numbers */
} rd_csv_report;
/* Reads all rows once. time: a column, or RD_ALL. Fails on cells that cannot be read, on missing
 * ones if that is the rule or where nothing comes before them, and on times that do not go
 * forward. */
rd_status rd_csv_scan(rd_csv *c, const rd_csv_columns *which, uint32_t time, rd_csv_report *report,
                      rd_error *err);
/* Rows from.. into x (rows, columns). Nothing behind its last row is looked at: a missing value
 * takes the one before it (found however far back), or lies on a line to the next one in x if
 * there is one. */
rd_status rd_csv_values(rd_csv *c, const rd_csv_columns *which, uint64_t from, rd_tensor *x,
                        rd_error *err);
/* The n times of rows from.. on. */
rd_status rd_csv_times(rd_csv *c, uint32_t time, uint64_t from, size_t n, double *times,
                       rd_error *err);
#endif
