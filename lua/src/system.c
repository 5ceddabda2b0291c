/* system.c - terminal, time, memory of the process, and signals.
 *
 * Signals: the handler only notes what came; loops ask interrupted() between their steps. The handler
 * of SIGINT is gone once it has run (SA_RESETHAND), so a second one takes the default action: a program
 * that does not listen can still be stopped. What came is the one thing here that must be static.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 80

static const struct {
    int number;
    const char *name;
} caught[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}, {SIGUSR1, "SIGUSR1"}};
#define N_CAUGHT (sizeof caught / sizeof *caught)

static volatile sig_atomic_t seen[N_CAUGHT];
static struct sigaction before[N_CAUGHT]; /* valid while catching */
static bool catching;

static void on_signal(int number)
{
    for (size_t i = 0; i < N_CAUGHT; i++)
        if (caught[i].number == number) seen[i] = 1;
}

void rdl_release_signals(void)
{
    if (!catching) return;
    for (size_t i = 0; i < N_CAUGHT; i++) sigaction(caught[i].number, &before[i], NULL);
    catching = false;
}

static int system_catch_signals(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TBOOLEAN);
    rdl_release_signals();
    if (!lua_toboolean(L, 1)) return 0;
    for (size_t i = 0; i < N_CAUGHT; i++) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        if (caught[i].number == SIGINT) action.sa_flags |= SA_RESETHAND;
        sigemptyset(&action.sa_mask);
        seen[i] = 0;
        sigaction(caught[i].number, &action, &before[i]);
        if (before[i].sa_handler == SIG_IGN) /* as nohup, or a shell's background, wants it */
            sigaction(caught[i].number, &before[i], NULL);
    }
    catching = true;
    return 0;
}

const char *rdl_interrupted(void)
{
    for (size_t i = 0; i < N_CAUGHT; i++)
        if (seen[i]) return caught[i].name;
    return NULL;
}

static int system_interrupted(lua_State *L)
{
    lua_pushstring(L, rdl_interrupted()); /* NULL: nil */
    return 1;
}

/* getenv(name): nil too in a program that runs with another's rights, where the environment is not to
 * be believed. */
static int system_getenv(lua_State *L)
{
    lua_pushstring(L, secure_getenv(luaL_checkstring(L, 1))); /* NULL: nil */
    return 1;
}

static int system_isatty(lua_State *L)
{
    const lua_Integer fd = luaL_checkinteger(L, 1);
    luaL_argcheck(L, fd >= 0 && fd <= 2, 1, "0 (input), 1 (output) or 2 (errors) expected");
    lua_pushboolean(L, isatty((int)fd));
    return 1;
}

/* Width of the terminal that the messages go to. */
static int system_columns(lua_State *L)
{
    struct winsize size = {0};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    lua_pushinteger(L, known ? size.ws_col : DEFAULT_COLUMNS);
    return 1;
}

/* Seconds from a point that does not move; only differences mean anything. */
static int system_time(lua_State *L)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (double)now.tv_sec + (double)now.tv_nsec * 1e-9);
    return 1;
}

static int system_hostname(lua_State *L)
{
    char name[256] = "";
    lua_pushstring(L, gethostname(name, sizeof name - 1) == 0 ? name : "unknown");
    return 1;
}

static int system_random_seed(lua_State *L)
{
    uint32_t bits;
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        return luaL_error(L, "the system gives no random bits: %s", strerror(errno));
    lua_pushinteger(L, bits);
    return 1;
}

/* Resident bytes of the process: now, and the most there were. */
static int system_rss(lua_State *L)
{
    unsigned long now = 0, peak = 0;
    char line[256];
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f)) {
        sscanf(line, "VmRSS: %lu", &now);
        sscanf(line, "VmHWM: %lu", &peak);
    }
    if (f) fclose(f);
    lua_pushinteger(L, (lua_Integer)now * 1024);
    lua_pushinteger(L, (lua_Integer)peak * 1024);
    return 2;
}

void rdl_open_system(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"catch_signals", system_catch_signals},
        {"interrupted", system_interrupted},
        {"getenv", system_getenv},
        {"isatty", system_isatty},
        {"columns", system_columns},
        {"time", system_time},
        {"hostname", system_hostname},
        {"random_seed", system_random_seed},
        {"rss", system_rss},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
