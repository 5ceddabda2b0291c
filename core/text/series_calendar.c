/* series_calendar.c - hour, weekday, month and day of the year of a time (seconds since 1970 in UTC) as
 * sine and cosine of the share of the whole that has passed.
 * SPDX-License-Identifier: MIT */
#include "rondo/pointmath.h"
#include "text/series.h"

#include <math.h>

#define SECONDS_A_DAY 86400.0
#define LAST_DAY 1e12 /* 2.7 billion years, further than any calendar; numbers are exact so far */
#define TWO_PI 0x1.921fb54442d18p+2

typedef struct date {
    int64_t year; /* that begins in March */
    int of_year;  /* days since 1 March */
} date;

/* Eras of 400 years that begin in March, as in csv_time.c, the other way. */
static date date_of(int64_t days)
{
    const int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    const int64_t of_era = z - era * 146097;
    const int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    return (date){.year = year + era * 400,
                  .of_year = (int)(of_era - (365 * year + year / 4 - year / 100))};
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The month, 0 is January, and the share of a year's days that have passed before the day. */
static int month_of(date d)
{
    const int from_march = (5 * d.of_year + 2) / 153;
    return from_march < 10 ? from_march + 2 : from_march - 10;
}

static double share_of_year(date d)
{
    const int january_february = 306; /* days from 1 March to 1 January */
    const bool next = d.of_year >= january_february;
    const int64_t year = d.year + next;
    const int before = next ? d.of_year - january_february : d.of_year + (is_leap(year) ? 60 : 59);
    return before / (is_leap(year) ? 366.0 : 365.0);
}

static bool has_date(double day)
{
    return fabs(day) <= LAST_DAY;
}

/* A time without a date has passed nothing of any unit. */
void rdc_calendar(rd_calendar unit, double time, double *sine, double *cosine)
{
    const double day = floor(time / SECONDS_A_DAY), second = time - day * SECONDS_A_DAY;
    double share = 0;
    *sine = 0;
    *cosine = 1;
    if (!has_date(day)) return;
    switch (unit) {
    case RD_HOUR:
        share = second / SECONDS_A_DAY;
        break;
    case RD_WEEKDAY:
        share = fmod(fmod(day + 3, 7) + 7, 7) / 7;
        break; /* 1970-01-01: a Thursday */
    case RD_MONTH:
        share = month_of(date_of((int64_t)day)) / 12.0;
        break;
    case RD_DAY_OF_YEAR:
        share = share_of_year(date_of((int64_t)day));
        break;
    }
    rd_sincos_d(TWO_PI * share, sine, cosine);
}

static int64_t days_before(int64_t year, int64_t month) /* of the year that begins in March */
{
    const int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 - 719468;
}

double rdc_time_ahead(double time, double step, bool months, uint64_t n)
{
    if (!months) return time + step * (double)n;
    const double day = floor(time / SECONDS_A_DAY), ahead = step * (double)n;
    if (!has_date(day) || !has_date(ahead)) return time;
    const date d = date_of((int64_t)day);
    const int64_t month = (5 * d.of_year + 2) / 153;
    const int64_t first = days_before(d.year, month), then = d.year * 12 + month + (int64_t)ahead;
    const int64_t next = days_before(then / 12, then % 12),
                  length = days_before((then + 1) / 12, (then + 1) % 12) - next;
    const int64_t of_month = (int64_t)day - first;
    return (double)(next + (of_month < length ? of_month : length - 1)) * SECONDS_A_DAY +
           (time - day * SECONDS_A_DAY);
}
