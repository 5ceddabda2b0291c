/* csv_time.c - dates and times out of a cell: ISO 8601 and the other forms that CSV files have.
 * SPDX-License-Identifier: MIT */
#include "text/csv.h"

#include <strings.h>

typedef struct reader {
    const unsigned char *at, *end;
} reader;

typedef struct date {
    int year, month, day;
} date;

static const char no_date[] =
    "is not a date or time; forms are 1949-01-31, 1949-01, 1949, 1949Q1, 19490131, "
    "31.1.1949, 1/31/1949, each day also with a clock, as 12:00, 12:00:30.5Z";
static const char no_day[] = "is no day of the calendar";
static const char no_clock[] =
    "has no time of day behind its date; clocks are 12:00, 12:00:30.5, 1:00 pm, "
    "12:00Z or 12:00+01:00";
static const char two_ways[] =
    "can be read with the day or the month first; give dates = \"dmy\" or \"mdy\"";
static const char short_year[] = "has a year without four digits";

static bool is_digit(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Digits at r, at most 8: how many, and their number. */
static int digits(reader *r, int *number)
{
    int n = 0;
    for (*number = 0; r->at < r->end && n < 8 && is_digit(*r->at); r->at++, n++)
        *number = *number * 10 + (*r->at - '0');
    return n;
}

static bool take(reader *r, char byte)
{
    if (r->at == r->end || *r->at != (unsigned char)byte) return false;
    r->at++;
    return true;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Days since 1970-01-01 in the Gregorian calendar: the years of an era of 400 begin in March, so
 * that the day a leap year has more is its last. */
static double days_since_1970(date d)
{
    const int year = d.year - (d.month <= 2);
    const int era = year / 400, of_era = year % 400; /* years here are 0 and more */
    const int of_year = (153 * (d.month > 2 ? d.month - 3 : d.month + 9) + 2) / 5 + d.day - 1;
    const int of_leaps = of_era / 4 - of_era / 100;
    return era * 146097.0 + of_era * 365.0 + of_leaps + of_year - 719468.0;
}

/* "am" and "pm" behind an hour of 1..12. */
static bool half_day(reader *r, int *hour)
{
    reader q = *r;
    (void)take(&q, ' ');
    if (q.end - q.at < 2) return true;
    const bool am = strncasecmp((const char *)q.at, "am", 2) == 0;
    if (!am && strncasecmp((const char *)q.at, "pm", 2) != 0) return true;
    if (*hour < 1 || *hour > 12) return false;
    *hour = *hour % 12 + (am ? 0 : 12);
    r->at = q.at + 2;
    return true;
}

/* "Z", "+01:00", "-0530", "+01" or nothing: seconds east of Greenwich. */
static bool zone(reader *r, double *east)
{
    int hours, minutes = 0;
    *east = 0;
    if (take(r, 'Z') || take(r, 'z') || r->at == r->end) return true;
    const bool west = *r->at == '-';
    if (!take(r, '+') && !take(r, '-')) return false;
    const int n = digits(r, &hours);
    if (n == 4) {
        minutes = hours % 100;
        hours /= 100;
    } else if (n != 2 || (take(r, ':') && digits(r, &minutes) != 2)) {
        return false;
    }
    if (hours > 15 || minutes > 59) return false;
    *east = (west ? -60.0 : 60.0) * (hours * 60 + minutes);
    return true;
}

/* Nothing, or a clock behind T or a blank. Leap seconds are the next minute's first. */
static bool clock_of(reader *r, double *seconds, double *east)
{
    int hour, minute, second = 0;
    *seconds = *east = 0;
    if (r->at == r->end) return true;
    if (!take(r, 'T') && !take(r, ' ')) return false;
    const int n = digits(r, &hour);
    if (n < 1 || n > 2 || !take(r, ':') || digits(r, &minute) != 2) return false;
    double fraction = 0;
    if (take(r, ':')) {
        if (digits(r, &second) != 2) return false;
        if (take(r, '.')) {
            if (r->at == r->end || !is_digit(*r->at)) return false;
            for (double unit = 0.1; r->at < r->end && is_digit(*r->at); r->at++, unit /= 10)
                fraction += unit * (*r->at - '0');
        }
    }
    if (!half_day(r, &hour) || hour > 23 || minute > 59 || second > 60) return false;
    *seconds = hour * 3600.0 + minute * 60.0 + second + fraction;
    return zone(r, east);
}

/* What follows a year of four digits: month, day, quarter or nothing. */
static const char *year_first(reader *r, date *d, bool *day_given)
{
    reader q = *r;
    int quarter;
    if (r->at == r->end) return NULL;
    if (!take(&q, '-')) (void)take(&q, ' ');
    if (take(&q, 'Q') || take(&q, 'q')) {
        *r = q;
        if (digits(r, &quarter) != 1 || quarter < 1 || quarter > 4 || r->at < r->end)
            return no_date;
        d->month = 3 * quarter - 2;
        return NULL;
    }
    if (take(r, 'M')) return digits(r, &d->month) == 2 && r->at == r->end ? NULL : no_date;
    const char part = (char)*r->at;
    if (part != '-' && part != '/' && part != '.') return no_date;
    r->at++;
    const int n = digits(r, &d->month);
    if (n < 1 || n > 2) return no_date;
    if (r->at == r->end) return part == '.' ? no_date : NULL;
    if (!take(r, part)) return no_date;
    const int m = digits(r, &d->day);
    *day_given = true;
    return m == 1 || m == 2 ? NULL : no_date;
}

/* first, then another number and a year: 31.1.1949, 1/31/1949. */
static const char *year_last(const rd_csv *c, reader *r, int first, date *d)
{
    int second;
    if (r->at == r->end) return no_date;
    const char part = (char)*r->at++;
    if (part != '.' && part != '/' && part != '-') return no_date;
    const int n = digits(r, &second);
    if (n < 1 || n > 2 || !take(r, part)) return no_date;
    const int m = digits(r, &d->year);
    if (m == 0) return no_date;
    if (m != 4) return short_year;
    bool month_first = c->rules.dates == RD_DATES_MDY && part != '.';
    if (c->rules.dates == RD_DATES_SURE && part != '.') {
        if (first <= 12 && second <= 12 && first != second) return two_ways;
        month_first = second > 12;
    }
    d->month = month_first ? first : second;
    d->day = month_first ? second : first;
    return NULL;
}

static const char *date_of(const rd_csv *c, reader *r, date *d, bool *day_given)
{
    int first;
    *d = (date){.month = 1, .day = 1};
    *day_given = true;
    const int n = digits(r, &first);
    if (n == 4) {
        d->year = first;
        *day_given = false;
        return year_first(r, d, day_given);
    }
    if (n == 1 || n == 2) return year_last(c, r, first, d);
    if (n != 8) return no_date;
    *d = (date){.year = first / 10000, .month = first / 100 % 100, .day = first % 100};
    return NULL;
}

const char *rdc_csv_time_of(const rd_csv *c, const rdc_csv_cell *cell, rdc_csv_time *t)
{
    if (c->rules.plain_times) {
        *t = (rdc_csv_time){0};
        return rdc_csv_number(c, cell, &t->seconds) ? NULL
                                                    : "is not a number, as the first time is";
    }
    reader r = {.at = cell->at, .end = cell->at + cell->n};
    date d;
    bool day_given;
    double seconds = 0, east = 0;
    const char *wrong = date_of(c, &r, &d, &day_given);
    if (wrong) return wrong;
    if (d.year < 1 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > days_of(d.year, d.month))
        return no_day;
    if (!day_given && r.at < r.end) return no_date;
    if (!clock_of(&r, &seconds, &east) || r.at < r.end) return no_clock;
    const double day = days_since_1970(d);
    *t = (rdc_csv_time){.seconds = day * 86400 + seconds - east,
                        .month = d.year * 12 + d.month - 1,
                        .rest = (d.day - 1) * 86400.0 + seconds,
                        .last_day = d.day == days_of(d.year, d.month)};
    return NULL;
}
