/* ticker.c - a line on the terminal that says what a long call is doing, drawn by a thread of its own.
 *
 * So that calls of C need not ask anybody how late it is: whatever takes longer than PATIENCE_S shows. The
 * thread reads nothing but this record, under its mutex, and writes to the standard error alone; closing the
 * handle ends it and takes the line away. The handle outlives the thread, which closing (or the collector)
 * waits for.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define RDL_TICKER "rondo.Ticker"
#define PATIENCE_S 2.0
#define REDRAW_S 0.25
#define TEXT_BYTES 256

enum { DEFAULT_COLUMNS = 80, SECONDS_OF_MINUTE = 60, SECONDS_OF_HOUR = 3600 };

typedef struct ticker {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool running;         /* the thread is there, and the three above are made */
    bool stop;            /* asks it to end */
    double done, total;   /* of whatever is counted; total 0: nothing is */
    struct timespec from; /* when it began */
    char text[TEXT_BYTES];
} ticker;

static double seconds_since(const struct timespec *from)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) * 1e-9;
}

static int put_clock(char *to, size_t size, double seconds)
{
    const long s = (long)(seconds + 0.5);
    if (s >= SECONDS_OF_HOUR)
        return snprintf(to, size, "%ld:%02ld:%02ld", s / SECONDS_OF_HOUR,
                        s / SECONDS_OF_MINUTE % SECONDS_OF_MINUTE, s % SECONDS_OF_MINUTE);
    return snprintf(to, size, "%ld:%02ld", s / SECONDS_OF_MINUTE, s % SECONDS_OF_MINUTE);
}

/* "text  45 %  0:05  0:06 left", cut to the terminal, between a return and what clears the rest. */
static void draw(const ticker *t)
{
    struct winsize size = {0};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    const size_t columns = (known ? size.ws_col : DEFAULT_COLUMNS) - 1;
    const double seconds = seconds_since(&t->from);
    char spent[32], left[32] = "", share[32] = "", line[TEXT_BYTES + 128];
    put_clock(spent, sizeof spent, seconds);
    if (t->total > 0 && t->done > 0 && t->done <= t->total) {
        snprintf(share, sizeof share, "  %.0f %%", 100 * t->done / t->total);
        char rest[24];
        put_clock(rest, sizeof rest, seconds / t->done * (t->total - t->done));
        snprintf(left, sizeof left, "  %s left", rest);
    }
    int n = snprintf(line, sizeof line, "\r%s%s  %s%s", t->text, share, spent, left);
    size_t end = (size_t)n < columns + 1 ? (size_t)n : columns + 1;
    while (end < (size_t)n && ((unsigned char)line[end] & 0xC0) == 0x80)
        end--; /* no half of a character */
    n = snprintf(line + end, sizeof line - end, "\33[K");
    if (write(STDERR_FILENO, line, end + (size_t)n) < 0) return; /* nobody looks */
}

/* Waits for `seconds` or until it is asked to end; with the mutex held. */
static void wait_for(ticker *t, double seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const double at = (double)until.tv_nsec * 1e-9 + seconds;
    until.tv_sec += (time_t)at;
    until.tv_nsec = (long)((at - (double)(time_t)at) * 1e9);
    while (!t->stop && pthread_cond_timedwait(&t->wake, &t->mutex, &until) != ETIMEDOUT) {
    }
}

static void *tick(void *given)
{
    ticker *t = given;
    static const char clear[] = "\r\33[K";
    pthread_mutex_lock(&t->mutex);
    wait_for(t, PATIENCE_S);
    const bool shown = !t->stop;
    while (!t->stop) {
        draw(t);
        wait_for(t, REDRAW_S);
    }
    pthread_mutex_unlock(&t->mutex);
    if (shown && write(STDERR_FILENO, clear, sizeof clear - 1) < 0) return NULL;
    return NULL;
}

/* False: there is no line then, which harms nobody. */
static bool start(ticker *t)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool ok = pthread_cond_init(&t->wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (ok && pthread_mutex_init(&t->mutex, NULL) != 0) {
        pthread_cond_destroy(&t->wake);
        ok = false;
    }
    if (!ok) return false;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the program's */
    ok = pthread_create(&t->thread, NULL, tick, t) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!ok) {
        pthread_mutex_destroy(&t->mutex);
        pthread_cond_destroy(&t->wake);
    }
    return ok;
}

static int ticker_close(lua_State *L)
{
    ticker *t = luaL_checkudata(L, 1, RDL_TICKER);
    if (!t->running) return 0;
    pthread_mutex_lock(&t->mutex);
    t->stop = true;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->mutex);
    pthread_join(t->thread, NULL);
    pthread_mutex_destroy(&t->mutex);
    pthread_cond_destroy(&t->wake);
    t->running = false;
    return 0;
}

/* t:at(done, total): how far it is. */
static int ticker_at(lua_State *L)
{
    ticker *t = luaL_checkudata(L, 1, RDL_TICKER);
    const double done = luaL_checknumber(L, 2), total = luaL_checknumber(L, 3);
    if (!t->running) return 0;
    pthread_mutex_lock(&t->mutex);
    t->done = done;
    t->total = total;
    pthread_mutex_unlock(&t->mutex);
    return 0;
}

/* ticker(text): a handle to be closed. The text has no control characters. */
static int ticker_new(lua_State *L)
{
    const char *text = luaL_checkstring(L, 1);
    ticker *t = lua_newuserdatauv(L, sizeof *t, 0);
    *t = (ticker){.running = false};
    luaL_setmetatable(L, RDL_TICKER);
    snprintf(t->text, sizeof t->text, "%s", text);
    clock_gettime(CLOCK_MONOTONIC, &t->from);
    t->running = start(t);
    return 1;
}

void rdl_open_ticker(lua_State *L)
{
    static const luaL_Reg methods[] = {{"close", ticker_close}, {"at", ticker_at}, {NULL, NULL}};
    static const luaL_Reg meta[] = {
        {"__gc", ticker_close}, {"__close", ticker_close}, {NULL, NULL}};
    rdl_new_class(L, &(rdl_class){.name = RDL_TICKER, .methods = methods, .meta = meta});
    lua_pushcfunction(L, ticker_new);
    lua_setfield(L, -2, "ticker");
}
