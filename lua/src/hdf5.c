/* hdf5.c - the class rondo.Hdf5: datasets of numbers in an HDF5 file. They count from 1.
 * SPDX-License-Identifier: MIT */
#include "series.h"

#include <string.h>

#define RDL_HDF5 "rondo.Hdf5"

static rd_hdf5 *check_hdf5(lua_State *L)
{
    return rdl_check(L, 1, RDL_HDF5, "file");
}

static int hdf5_close(lua_State *L)
{
    rd_hdf5 **slot = luaL_checkudata(L, 1, RDL_HDF5);
    rd_hdf5 *h = *slot;
    *slot = NULL;
    rd_hdf5_free(h);
    return 0;
}

/* hdf5(path) -> file, or nil, message */
static int hdf5_open(lua_State *L)
{
    rd_core *core = rdl_core(L);
    const char *path = luaL_checkstring(L, 1);
    rd_hdf5 **out = (rd_hdf5 **)rdl_push(L, RDL_HDF5, 0);
    rd_error err;
    rd_status status;
    RDL_TRY(L, status, rd_hdf5_open(core, path, out, &err));
    return status == RD_OK ? 1 : rdl_outside(L, &err);
}

/* The lines of a text as a list, pushed. */
static void push_lines(lua_State *L, const char *text)
{
    lua_newtable(L);
    for (lua_Integer i = 1; *text; i++) {
        const size_t n = strcspn(text, "\n");
        lua_pushlstring(L, text, n);
        lua_rawseti(L, -2, i);
        text += text[n] ? n + 1 : n;
    }
}

/* file:sets() -> { { name =, ndim =, rows =, columns =, names =, refused = }, ... } */
static int hdf5_sets(lua_State *L)
{
    const rd_hdf5_set *sets;
    const size_t n = rd_hdf5_sets(check_hdf5(L), &sets);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_createtable(L, 0, 6);
        lua_pushstring(L, sets[i].name);
        lua_setfield(L, -2, "name");
        if (sets[i].readable) {
            lua_pushinteger(L, (lua_Integer)sets[i].ndim);
            lua_setfield(L, -2, "ndim");
            lua_pushinteger(L, (lua_Integer)sets[i].rows);
            lua_setfield(L, -2, "rows");
            lua_pushinteger(L, (lua_Integer)sets[i].columns);
            lua_setfield(L, -2, "columns");
            push_lines(L, sets[i].text);
            lua_setfield(L, -2, "names");
        } else {
            lua_pushstring(L, sets[i].text);
            lua_setfield(L, -2, "refused");
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* file:rows(set, numbers, { column of numbers, or 0, for each of the set }) -> true, or nil, message */
static int hdf5_rows(lua_State *L)
{
    rd_core *core = rdl_core(L);
    const rd_hdf5 *h = check_hdf5(L);
    const rd_hdf5_set *sets;
    const lua_Integer n = (lua_Integer)rd_hdf5_sets(h, &sets), i = luaL_checkinteger(L, 2);
    luaL_argcheck(L, i >= 1 && i <= n && sets[i - 1].readable, 2, "no such dataset");
    const rd_hdf5_set *set = &sets[i - 1];
    rd_series *s = rdl_check_series(L, 3);
    luaL_argcheck(L, rd_series_rows(s) == set->rows, 3, "has other rows");
    luaL_checktype(L, 4, LUA_TTABLE);
    luaL_argcheck(L, lua_rawlen(L, 4) == set->columns, 4, "a number for each column");
    uint32_t *to = rdl_buffer(L, (size_t)set->columns, sizeof *to);
    for (uint64_t k = 0; k < set->columns; k++) {
        lua_rawgeti(L, 4, (lua_Integer)k + 1);
        const lua_Integer column = lua_tointeger(L, -1);
        luaL_argcheck(L, column >= 0 && column <= rd_series_columns(s), 4, "no such column");
        to[k] = column == 0 ? RD_ALL : (uint32_t)column - 1;
        lua_pop(L, 1);
    }
    rd_error err;
    const rd_status status = rd_hdf5_rows(core, h, (size_t)i - 1, s, to, &err);
    if (status != RD_OK) return rdl_outside(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

void rdl_open_hdf5(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"close", hdf5_close}, {"sets", hdf5_sets}, {"rows", hdf5_rows}, {NULL, NULL}};
    static const luaL_Reg meta[] = {{"__gc", hdf5_close}, {"__close", hdf5_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"hdf5", hdf5_open}, {NULL, NULL}};
    rdl_new_class(L, &(rdl_class){.name = RDL_HDF5, .methods = methods, .meta = meta});
    luaL_setfuncs(L, functions, 0);
}
