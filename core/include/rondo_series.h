/* rondo_series.h - columns of numbers in the order of time, and windows of them as a model's input
 * and target. Apart from rondo.h, which is as long as a file may be.
 *
 * Rows and columns count from 0 here and from 1 in messages. A missing number is NaN. What is filled
 * in for a missing one in a window is made of rows up to the window's origin alone.
 * SPDX-License-Identifier: MIT */
#ifndef RONDO_SERIES_H
#define RONDO_SERIES_H
#include "rondo_csv.h"

typedef struct rd_series rd_series;
typedef struct rd_series_form {
    uint64_t rows;
    uint32_t columns;
    const char *folder; /* of a file without a name that holds what is larger than most_bytes */
    size_t most_bytes;  /* of memory of the process's own */
} rd_series_form;
/* All numbers are 0. [setup] Fails where there is no room in memory or in the folder. */
rd_status rd_series_new(const rd_series_form *form, rd_series **out, rd_error *err);
void rd_series_free(rd_series *s); /* NULL is fine */
uint64_t rd_series_rows(const rd_series *s);
uint32_t rd_series_columns(const rd_series *s);
/* The rows of a column, which the series owns. */
double *rd_series_column(rd_series *s, uint32_t column);
/* Reads all rows of a file into the first columns, and times (a column, or RD_ALL) into the next. */
rd_status rd_series_take_csv(rd_series *s, rd_csv *c, const rd_csv_columns *which, uint32_t time,
                             rd_error *err);

/* The rows by the numbers 0, 1, ... in the last column, in their order: a new series without that column, and
 * how many rows each number has. Fails on other numbers; rows of form are not looked at. */
rd_status rd_series_group(rd_series *s, const rd_series_form *form, uint64_t *counts,
                          size_t n_counts, rd_series **out, rd_error *err);
/* The first row from.. on that is not above the one before it; from + n: there is none. */
uint64_t rd_series_falls(const rd_series *s, uint32_t column, uint64_t from, uint64_t n);
/* The first row whose number is infinite, also as one of a tensor; all rows: there is none. */
uint64_t rd_series_infinite(const rd_series *s, uint32_t column);
typedef struct rd_series_part {
    const uint32_t *columns;
    uint64_t from; /* of what is read; each column has a number in it or before it */
    rd_missing rule;
} rd_series_part;
/* Rows from.. into x (rows, columns), missing ones as known at the last of them. */
rd_status rd_series_values(rd_series *s, const rd_series_part *of, rd_tensor *x, rd_error *err);

typedef enum rd_stage_kind {
    RD_STAGE_AFFINE,    /* (v - a) / b */
    RD_STAGE_LOG,       /* log(v + a) */
    RD_STAGE_BOX_COX,   /* ((v + a)^b - 1) / b, log(v + a) where b is 0 */
    RD_STAGE_DIFFERENCE /* v(t) - v(t - a) */
} rd_stage_kind;
typedef struct rd_stage { /* one of a chain that brings a column to the scale of a model */
    rd_stage_kind kind;
    double a, b;
} rd_stage;
enum { RD_MAX_STAGES = 8 };

/* What a scaler is fitted on: rows of a column as its stages so far leave them. Missing numbers, and
 * differences from or of them, do not count; nor do rows before those that are named. */
typedef struct rd_rows {
    uint64_t from, n;
    uint64_t first; /* of the series, from which messages count */
} rd_rows;
typedef struct rd_stretch {
    uint32_t column;
    const rd_rows *rows; /* the caller's, as are stages and name; one for each series */
    size_t n_rows;
    const rd_stage *stages;
    uint32_t n_stages;
    const char *name; /* of the column, for messages */
} rd_stretch;
typedef struct rd_moments {
    uint64_t n;
    double mean, deviation; /* over n, not n - 1 */
    double low, high, size; /* size: the mean of absolute values */
} rd_moments;
/* Fails on a number that a stage has no value for. [setup] */
rd_status rd_series_moments(const rd_series *s, const rd_stretch *of, rd_moments *out,
                            rd_error *err);
/* Quantile q in 0..1, on the line between its neighbours (Hyndman and Fan 1996, type 7); NaN of no numbers.
 * Takes no memory by the rows: eight passes. [setup] */
rd_status rd_series_quantile(const rd_series *s, const rd_stretch *of, double q, double *out,
                             rd_error *err);

typedef enum rd_feature_kind {
    RD_FEATURE_VALUE,    /* a column, by its stages */
    RD_FEATURE_MISSING,  /* 1 where the column's number is missing, else 0 */
    RD_FEATURE_CONSTANT, /* `value` */
    RD_FEATURE_AHEAD,    /* 1 at steps behind the origin, else 0 */
    RD_FEATURE_CALENDAR /* two: sine and cosine of 2 pi times the share of `unit` that has passed */
} rd_feature_kind;
typedef enum rd_calendar { RD_HOUR, RD_WEEKDAY, RD_MONTH, RD_DAY_OF_YEAR } rd_calendar;
typedef struct rd_feature {
    rd_feature_kind kind;
    uint32_t column; /* VALUE, MISSING; of the calendar: that of times */
    bool known; /* step t has what is known of row t + 1, and steps go on behind the origin; else
                        such steps have 0 */
    rd_calendar unit;
    double value;
    const rd_stage *stages; /* the caller's */
    uint32_t n_stages;      /* at most RD_MAX_STAGES */
    const char *name;       /* for messages */
} rd_feature;
typedef struct rd_window_form { /* all of it is the caller's */
    rd_series *series;
    rd_missing rule;
    uint32_t input, horizon;
    uint32_t steps;   /* of x: input, or input + horizon - 1 where features are known ahead */
    double step;      /* of times, for rows behind the last; 0: there are none */
    bool step_months; /* step counts months, else seconds */
    const rd_feature *features, *targets;
    size_t n_features, n_targets;
    double *scratch; /* rd_window_scratch numbers */
} rd_window_form;
typedef struct rd_window {
    uint64_t begin;  /* the first row at or before which each column has a number */
    uint64_t end;    /* rows from here on are not looked at */
    uint64_t origin; /* the last row whose numbers are known */
} rd_window;
/* x (batch, steps, features); y and weight (batch, horizon, targets), or without the last dimension of one
 * target: 0 where truth is missing.
 * Fields may be NULL. */
typedef struct rd_window_batch {
    rd_tensor *x, *y, *weight;
    size_t row;   /* of the batch */
    bool missing; /* set where a weight is 0 */
} rd_window_batch;
/* Rows of a window's column that come before what its stages give. */
uint64_t rd_stages_lag(const rd_stage *stages, uint32_t n);
size_t rd_window_scratch(const rd_window_form *form);
/* How many numbers a step of x has. */
size_t rd_window_width(const rd_feature *features, size_t n);
/* Fills one row of a batch. Fails on a number that a stage has no value for. [hot] */
rd_status rd_window_read(const rd_window_form *form, const rd_window *at, rd_window_batch *out,
                         rd_error *err);
/* The time of a row; behind the last it goes on by `step`. */
double rd_window_time(const rd_window_form *form, uint32_t column, const rd_window *at,
                      uint64_t row);
/* The number of a row as it is known at the origin: a missing one by the rule. */
double rd_window_known(const rd_window_form *form, uint32_t column, const rd_window *at,
                       uint64_t row);
/* Brings n numbers of a target behind the origin from the scale of the model to the column's. */
rd_status rd_window_invert(const rd_window_form *form, const rd_feature *target,
                           const rd_window *at, double *values, size_t n, rd_error *err);

/* ---- datasets of HDF5 files of any size: libhdf5 works in a child process, on the mapped file ---- */

typedef struct rd_hdf5 rd_hdf5;
typedef struct rd_hdf5_set { /* strings belong to the file */
    char *name;              /* its path, without a slash in front */
    uint32_t ndim;           /* 1 or 2 */
    uint64_t rows, columns;
    bool readable;
    char *text; /* the names of its columns, a line each, or none; of what is not readable: why */
} rd_hdf5_set;
/* Lists the arrays of numbers and links of a file. [setup] Fails on what is no HDF5 file. */
rd_status rd_hdf5_open(const rd_core *core, const char *path, rd_hdf5 **out, rd_error *err);
void rd_hdf5_free(rd_hdf5 *h); /* NULL is fine */
size_t rd_hdf5_sets(const rd_hdf5 *h, const rd_hdf5_set **sets);
/* Reads a dataset into columns of a series that has as many rows: to[k] is where column k goes, or RD_ALL. */
rd_status rd_hdf5_rows(const rd_core *core, const rd_hdf5 *h, size_t set, rd_series *series,
                       const uint32_t *to, rd_error *err);
#endif
