/* main.c - the program `rondo`: stock Lua that finds its own folder and runs rondo.cli.
 *
 * It is linked to Lua alone. The C module, and with it the core, is loaded when Lua code asks for it, so
 * that `rondo --version` and `rondo --help` stay quick.
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who is started with a standard file closed gets one that is empty and cannot be written. The next file
 * that opens would else take its number, and what is printed would go into a lock, a log, a checkpoint. */
static void fill_standard_files(void)
{
    int fd;
    do fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) close(fd);
}

/* <prefix> of the <prefix>/bin/rondo that runs. */
static bool find_prefix(char prefix[PATH_MAX])
{
    const ssize_t n = readlink("/proc/self/exe", prefix, PATH_MAX - 1);
    if (n <= 0) return false;
    prefix[n] = '\0';
    for (int i = 0; i < 2; i++) { /* the name, then "bin" */
        char *slash = strrchr(prefix, '/');
        if (!slash) return false;
        *slash = '\0';
    }
    return true;
}

/* Puts `front` before package[field]. */
static void put_in_front(lua_State *L, const char *field, const char *front)
{
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, field);
    lua_pushfstring(L, "%s;%s", front, lua_tostring(L, -1));
    lua_setfield(L, -3, field);
    lua_pop(L, 2);
}

static void set_paths(lua_State *L)
{
    char p[PATH_MAX];
    if (!find_prefix(p)) return; /* the paths of stock Lua and of the environment stay */
    put_in_front(L, "path",
                 lua_pushfstring(L, "%s/share/lua/5.4/?.lua;%s/share/lua/5.4/?/init.lua", p, p));
    put_in_front(L, "cpath", lua_pushfstring(L, "%s/lib/lua/5.4/?.so", p));
    lua_pop(L, 2);
}

static void set_arg(lua_State *L, int argc, char **argv)
{
    lua_createtable(L, argc - 1, 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i);
    }
    lua_setglobal(L, "arg");
}

/* A string gets a traceback; an object that can say itself is left as it is. */
static int on_error(lua_State *L)
{
    const char *text = lua_tostring(L, 1);
    if (text)
        luaL_traceback(L, L, text, 1);
    else
        luaL_tolstring(L, 1, NULL);
    return 1;
}

/* Runs rondo.cli in protected mode; its integer is the exit status. A function, or a table with
 * `main`, is what the module may return. */
static int run(lua_State *L)
{
    const int argc = (int)lua_tointeger(L, 1);
    char **argv = lua_touserdata(L, 2);
    luaL_openlibs(L);
    lua_warning(L, "@on", 0);
    set_paths(L);
    set_arg(L, argc, argv);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rondo.cli");
    lua_call(L, 1, 1);
    if (lua_istable(L, -1)) lua_getfield(L, -1, "main");
    lua_getglobal(L, "arg");
    lua_call(L, 1, 1);
    return 1;
}

int main(int argc, char **argv)
{
    fill_standard_files();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("rondo " RONDO_VERSION); /* the build tells it */
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    lua_State *L = luaL_newstate();
    if (!L) {
        fputs("rondo: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, run);
    lua_pushinteger(L, argc);
    lua_pushlightuserdata(L, argv);
    int status = EXIT_FAILURE;
    if (lua_pcall(L, 2, 1, 1) == LUA_OK)
        status = (int)lua_tointeger(L, -1); /* nil is 0 */
    else
        fprintf(stderr, "rondo: %s\n", lua_tostring(L, -1));
    lua_close(L);
    return status;
}
