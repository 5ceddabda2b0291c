/* data.c - core.data_of(text, name): what a chunk of Lua returns, that may do nothing but make data.
 *
 * It runs in a Lua of its own with an allocator that has an end: one instruction can join 250 strings, so
 * that looking at memory between instructions is too late. There are no libraries, no names, no methods of
 * strings. What comes back is copied: numbers, strings, booleans and tables of these.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DATA_STATE "rondo.DataState"

enum {
    MOST_BYTES = 16 << 20,
    MOST_STEPS = 1000000,
    LOOK_STEPS =
        100, /* between two looks at the clock: each may go through megabytes of a string */
    MOST_SECONDS = 1, /* of this thread's processor time */
    MOST_VALUES = 1000000,
    MOST_DEPTH = 100
};

typedef struct budget {
    size_t left; /* bytes */
    unsigned long looks;
    double until; /* seconds */
} budget;

typedef struct chunk {
    const char *text, *name;
    size_t n;
} chunk;

static double now(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A lua_Alloc. */
static void *allocate(void *arg, void *at, size_t before, size_t bytes)
{
    budget *b = arg;
    if (!at) before = 0; /* else it is a kind of object */
    if (bytes > before && bytes - before > b->left) return NULL;
    void *result = NULL;
    if (bytes == 0)
        free(at);
    else if (!(result = realloc(at, bytes)))
        return NULL;
    b->left = b->left + before - bytes;
    return result;
}

static void watch(lua_State *S, lua_Debug *event)
{
    (void)event;
    void *arg;
    (void)lua_getallocf(S, &arg);
    budget *b = arg;
    if (++b->looks > MOST_STEPS / LOOK_STEPS) luaL_error(S, "it takes more than a million steps");
    if (now() > b->until) luaL_error(S, "it takes more than a second");
}

/* ---- in the chunk's own state, called by lua_pcall ---- */

static int load_chunk(lua_State *S)
{
    const chunk *c = lua_touserdata(S, 1);
    if (luaL_loadbufferx(S, c->text, c->n, c->name, "t") != LUA_OK) return lua_error(S);
    lua_newtable(S);
    (void)lua_setupvalue(S, -2, 1); /* _ENV */
    return 1;
}

/* Calls what lies on the stack. */
static int call_chunk(lua_State *S)
{
    lua_sethook(S, watch, LUA_MASKCOUNT, LOOK_STEPS);
    lua_call(S, 0, 1);
    return 1;
}

/* ---- from there to the caller's ---- */

typedef struct copier {
    lua_State *from, *to;
    unsigned long left;
} copier;

static const char *copy_value(copier *c, int depth);

/* The table on top of `from`, which stays. */
static const char *copy_table(copier *c, int depth)
{
    if (depth == MOST_DEPTH) return "it has tables in tables, more than 100 deep";
    if (!lua_checkstack(c->from, 4)) return "it takes more than 16 MB of memory";
    luaL_checkstack(c->to, 4, NULL);
    lua_newtable(c->to);
    lua_pushnil(c->from);
    while (lua_next(c->from, -2)) {
        lua_pushvalue(c->from, -2);
        const char *why = copy_value(c, depth + 1);
        lua_pop(c->from, 1);
        if (!why) why = copy_value(c, depth + 1);
        if (why) return why;
        lua_pop(c->from, 1);
        lua_rawset(c->to, -3);
    }
    return NULL;
}

/* Pushes what is on top of `from`, which stays; or says why not. */
static const char *copy_value(copier *c, int depth)
{
    size_t n;
    const char *text;
    if (c->left-- == 0) return "it holds more than a million values";
    switch (lua_type(c->from, -1)) {
    case LUA_TBOOLEAN:
        lua_pushboolean(c->to, lua_toboolean(c->from, -1));
        return NULL;
    case LUA_TNUMBER:
        if (lua_isinteger(c->from, -1))
            lua_pushinteger(c->to, lua_tointeger(c->from, -1));
        else
            lua_pushnumber(c->to, lua_tonumber(c->from, -1));
        return NULL;
    case LUA_TSTRING:
        text = lua_tolstring(c->from, -1, &n);
        lua_pushlstring(c->to, text, n);
        return NULL;
    case LUA_TTABLE:
        return copy_table(c, depth);
    default:
        return "it holds a function";
    }
}

/* ---- the function ---- */

typedef struct data_state {
    lua_State *S;
    budget budget;
} data_state;

static int state_close(lua_State *L)
{
    data_state *d = luaL_checkudata(L, 1, DATA_STATE);
    lua_State *S = d->S;
    d->S = NULL;
    if (S) lua_close(S);
    return 0;
}

/* Runs f on n arguments; pushes nil and the message on L where it fails. */
static bool protected_call(lua_State *L, lua_State *S, int n)
{
    const int status = lua_pcall(S, n, 1, 0);
    if (status == LUA_OK) return true;
    const char *text = status == LUA_ERRMEM ? NULL : lua_tostring(S, -1);
    if (text && strcmp(text, "C stack overflow") == 0) /* all that Lua's parser says */
        text = "its parentheses, tables or functions lie more than 190 deep in each other";
    luaL_pushfail(L);
    lua_pushstring(L, text ? text : "it takes more than 16 MB of memory");
    return false;
}

/* data_of(text, name): the value; or nil, message where it is no chunk; or nil, message, true. */
static int data_of(lua_State *L)
{
    chunk c = {.name = luaL_checkstring(L, 2)};
    c.text = luaL_checklstring(L, 1, &c.n);
    data_state *d = lua_newuserdatauv(L, sizeof *d, 0);
    *d = (data_state){.budget = {.left = MOST_BYTES}};
    luaL_setmetatable(L, DATA_STATE);
    lua_toclose(L, -1);
    d->S = lua_newstate(allocate, &d->budget);
    if (!d->S) return luaL_error(L, "not enough memory");
    lua_State *S = d->S;
    lua_pushcfunction(S, load_chunk);
    lua_pushlightuserdata(S, &c);
    if (!protected_call(L, S, 1)) return 2;
    d->budget.until = now() + MOST_SECONDS;
    lua_pushcfunction(S, call_chunk);
    lua_insert(S, -2);
    const bool called = protected_call(L, S, 1);
    lua_pushboolean(L, 1);
    if (!called) return 3;
    lua_pop(L, 1);
    copier all = {.from = S, .to = L, .left = MOST_VALUES};
    const char *why = lua_isnil(S, -1) ? "it returns nothing" : copy_value(&all, 0);
    if (!why) return 1;
    luaL_pushfail(L);
    lua_pushstring(L, why);
    lua_pushboolean(L, 1);
    return 3;
}

void rdl_open_data(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__gc", state_close}, {"__close", state_close}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{NULL, NULL}};
    static const luaL_Reg functions[] = {{"data_of", data_of}, {NULL, NULL}};
    rdl_new_class(L, &(rdl_class){.name = DATA_STATE, .methods = methods, .meta = meta});
    luaL_setfuncs(L, functions, 0);
}
