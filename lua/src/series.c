/* series.c - the class rondo.Columns: columns of numbers, in memory or in a file without a name. Rows and
 * columns count from 1.
 * SPDX-License-Identifier: MIT */
#include "series.h"

#include <math.h>

#define RDL_COLUMNS "rondo.Columns"

rd_series *rdl_check_series(lua_State *L, int arg)
{
    return rdl_check(L, arg, RDL_COLUMNS, "columns");
}

static int columns_close(lua_State *L)
{
    rd_series **slot = luaL_checkudata(L, 1, RDL_COLUMNS);
    rd_series *s = *slot;
    *slot = NULL;
    rd_series_free(s);
    return 0;
}

/* numbers(rows, columns, { folder =, most_bytes = }) -> columns, or nil, message */
static int columns_new(lua_State *L)
{
    const lua_Integer rows = luaL_checkinteger(L, 1), columns = luaL_checkinteger(L, 2);
    luaL_argcheck(L, rows >= 0, 1, "a count must not be negative");
    luaL_argcheck(L, columns >= 0 && columns <= INT32_MAX, 2, "so many columns there cannot be");
    luaL_checktype(L, 3, LUA_TTABLE);
    const rd_series_form form = {.rows = (uint64_t)rows,
                                 .columns = (uint32_t)columns,
                                 .folder = rdl_field_string(L, 3, "folder", "/tmp"),
                                 .most_bytes =
                                     (size_t)rdl_field_integer(L, 3, "most_bytes", 0, INT64_MAX)};
    rd_series **out = (rd_series **)rdl_push(L, RDL_COLUMNS, 0);
    rd_error err;
    rd_status status;
    RDL_TRY(L, status, rd_series_new(&form, out, &err));
    return status == RD_OK ? 1 : rdl_outside(L, &err);
}

/* columns:take_csv(csv, {columns}, time or nil, rule) -> true, or nil, message */
static int columns_take_csv(lua_State *L)
{
    rd_series *s = rdl_check_series(L, 1);
    rd_csv *c = rdl_check_csv(L, 2);
    const lua_Integer time = luaL_optinteger(L, 4, 0);
    luaL_argcheck(L, time >= 0 && time <= rd_csv_width(c), 4, "no such column");
    rd_csv_columns which = {.rule = rdl_check_rule(L, luaL_checkstring(L, 5))};
    which.at = rdl_check_columns(L, 3, c, &which.n);
    luaL_argcheck(L, which.n + (time > 0) <= rd_series_columns(s), 3, "there is no room for them");
    rd_error err;
    rd_status status;
    RDL_TRY(L, status,
            rd_series_take_csv(s, c, &which, time > 0 ? (uint32_t)time - 1 : RD_ALL, &err));
    if (status != RD_OK) return rdl_outside(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

/* Rows from.. of a column, `n` of them (argument 4). */
static double *check_stretch(lua_State *L, rd_series *s, lua_Integer n)
{
    const lua_Integer column = luaL_checkinteger(L, 2), from = luaL_checkinteger(L, 3);
    const lua_Integer rows = (lua_Integer)rd_series_rows(s);
    luaL_argcheck(L, column >= 1 && column <= rd_series_columns(s), 2, "no such column");
    luaL_argcheck(L, from >= 1 && from <= rows + 1 && n >= 0 && n <= rows + 1 - from, 3,
                  "no such rows");
    return rd_series_column(s, (uint32_t)column - 1) + (from - 1);
}

void rdl_push_numbers(lua_State *L, const double *values, size_t n)
{
    lua_createtable(L, n <= INT32_MAX ? (int)n : 0, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushnumber(L, values[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* columns:numbers(column, from, n) -> list; what is missing is NaN */
static int columns_numbers(lua_State *L)
{
    rd_series *s = rdl_check_series(L, 1);
    const lua_Integer n = luaL_checkinteger(L, 4);
    rdl_push_numbers(L, check_stretch(L, s, n), (size_t)n);
    return 1;
}

/* columns:set(column, from, list) */
static int columns_set(lua_State *L)
{
    rd_series *s = rdl_check_series(L, 1);
    luaL_checktype(L, 4, LUA_TTABLE);
    const lua_Integer n = (lua_Integer)lua_rawlen(L, 4);
    double *at = check_stretch(L, s, n);
    for (lua_Integer i = 0; i < n; i++) {
        lua_rawgeti(L, 4, i + 1);
        at[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    return 0;
}

/* columns:missing(column, from, n) -> how many, the first and the last row that is not */
static int columns_missing(lua_State *L)
{
    rd_series *s = rdl_check_series(L, 1);
    const lua_Integer n = luaL_checkinteger(L, 4);
    const double *at = check_stretch(L, s, n);
    lua_Integer missing = 0, first = -1, last = -1;
    for (lua_Integer i = 0; i < n; i++) {
        if (isnan(at[i])) {
            missing++;
            continue;
        }
        if (first < 0) first = i;
        last = i;
    }
    const lua_Integer from = lua_tointeger(L, 3);
    lua_pushinteger(L, missing);
    if (last < 0) return 1;
    lua_pushinteger(L, from + first);
    lua_pushinteger(L, from + last);
    return 3;
}

void rdl_open_series(lua_State *L)
{
    static const luaL_Reg methods[] = {{"close", columns_close},     {"take_csv", columns_take_csv},
                                       {"numbers", columns_numbers}, {"set", columns_set},
                                       {"missing", columns_missing}, {NULL, NULL}};
    static const luaL_Reg meta[] = {
        {"__gc", columns_close}, {"__close", columns_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"numbers", columns_new}, {NULL, NULL}};
    rdl_new_class(L, &(rdl_class){.name = RDL_COLUMNS, .methods = methods, .meta = meta});
    luaL_setfuncs(L, functions, 0);
}
