/* series.c - the class rondo.Columns: columns of numbers, in memory or in a file without a name. Rows and
 * columns count from 1.
 * SPDX-License-Identifier: MIT */
#include "series.h"
#include "rondo/pointmath.h"

#include <math.h>

#define RDL_COLUMNS "rondo.Columns"
enum { MAX_LAG = 1 << 20 };

rd_series *rdl_check_series(lua_State *L, int arg)
{
    return rdl_check(L, arg, RDL_COLUMNS, "columns");
}

rd_series *rdl_check_open_series(lua_State *L, int at)
{
    rd_series **slot = luaL_testudata(L, at, RDL_COLUMNS);
    if (!slot || !*slot) luaL_error(L, "the columns of these windows are closed");
    return *slot;
}

static int columns_close(lua_State *L)
{
    rd_series **slot = luaL_checkudata(L, 1, RDL_COLUMNS);
    rd_series *s = *slot;
    *slot = NULL;
    rd_series_free(s);
    return 0;
}

/* The table { folder =, most_bytes = } at arg. */
static rd_series_form check_form(lua_State *L, int arg)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    return (rd_series_form){.folder = rdl_field_string(L, arg, "folder", "/tmp"),
                            .most_bytes =
                                (size_t)rdl_field_integer(L, arg, "most_bytes", 0, INT64_MAX)};
}

/* numbers(rows, columns, { folder =, most_bytes = }) -> columns, or nil, message */
static int columns_new(lua_State *L)
{
    const lua_Integer rows = luaL_checkinteger(L, 1), columns = luaL_checkinteger(L, 2);
    luaL_argcheck(L, rows >= 0, 1, "a count must not be negative");
    luaL_argcheck(L, columns >= 0 && columns <= INT32_MAX, 2, "so many columns there cannot be");
    rd_series_form form = check_form(L, 3);
    form.rows = (uint64_t)rows;
    form.columns = (uint32_t)columns;
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

/* columns:digest(column, from, n) -> 32 digits */
static int columns_digest(lua_State *L)
{
    rd_series *s = rdl_check_series(L, 1);
    const lua_Integer n = luaL_checkinteger(L, 4);
    char digest[33];
    rd_digest(check_stretch(L, s, n), (size_t)n * sizeof(double), digest);
    lua_pushstring(L, digest);
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

/* numbers:grouped(n, { folder =, most_bytes = }) -> numbers by the group 1..n in the last column, and how
 * many rows each has; or nil, message */
static int columns_grouped(lua_State *L)
{
    rd_series *s = rdl_check_series(L, 1);
    const lua_Integer n = luaL_checkinteger(L, 2);
    luaL_argcheck(L, n >= 0, 2, "a count must not be negative");
    luaL_argcheck(L, rd_series_columns(s) > 0, 1, "there is no column of groups");
    const rd_series_form form = check_form(L, 3);
    uint64_t *counts = rdl_buffer(L, (size_t)n, sizeof *counts);
    rd_series **out = (rd_series **)rdl_push(L, RDL_COLUMNS, 0);
    rd_error err;
    rd_status status;
    RDL_TRY(L, status, rd_series_group(s, &form, counts, (size_t)n, out, &err));
    if (status != RD_OK) return rdl_outside(L, &err);
    lua_createtable(L, n <= INT32_MAX ? (int)n : 0, 0);
    for (lua_Integer g = 0; g < n; g++) {
        lua_pushinteger(L, (lua_Integer)counts[g]);
        lua_rawseti(L, -2, g + 1);
    }
    return 2;
}

/* numbers:falls(column, from, n) -> the first row that is not above the one before it, or nil */
static int columns_falls(lua_State *L)
{
    rd_series *s = rdl_check_series(L, 1);
    const lua_Integer n = luaL_checkinteger(L, 4);
    (void)check_stretch(L, s, n);
    const uint64_t from = (uint64_t)lua_tointeger(L, 3) - 1;
    const uint64_t row = rd_series_falls(s, (uint32_t)lua_tointeger(L, 2) - 1, from, (uint64_t)n);
    if (row == from + (uint64_t)n) return 0;
    lua_pushinteger(L, (lua_Integer)row + 1);
    return 1;
}

/* numbers:too_large(column) -> the first row whose number is infinite, or nil */
static int columns_too_large(lua_State *L)
{
    rd_series *s = rdl_check_series(L, 1);
    const lua_Integer column = luaL_checkinteger(L, 2);
    luaL_argcheck(L, column >= 1 && column <= rd_series_columns(s), 2, "no such column");
    const uint64_t row = rd_series_infinite(s, (uint32_t)column - 1);
    if (row == rd_series_rows(s)) return 0;
    lua_pushinteger(L, (lua_Integer)row + 1);
    return 1;
}

/* numbers:values({columns}, from, n, rule) -> tensor (n, columns) */
static int columns_values(lua_State *L)
{
    rd_core *core = rdl_core(L);
    rd_series *s = rdl_check_series(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    const size_t shape[] = {(size_t)luaL_checkinteger(L, 4), (size_t)lua_rawlen(L, 2)};
    const lua_Integer from = luaL_checkinteger(L, 3);
    luaL_argcheck(L,
                  from >= 1 && shape[0] <= rd_series_rows(s) &&
                      (uint64_t)from <= rd_series_rows(s) + 1 - shape[0],
                  3, "no such rows");
    uint32_t *columns = rdl_buffer(L, shape[1], sizeof *columns);
    for (size_t k = 0; k < shape[1]; k++) {
        lua_rawgeti(L, 2, (lua_Integer)k + 1);
        const lua_Integer column = lua_tointeger(L, -1);
        luaL_argcheck(L, column >= 1 && column <= rd_series_columns(s), 2, "no such column");
        columns[k] = (uint32_t)column - 1;
        lua_pop(L, 1);
    }
    const rd_series_part of = {.columns = columns,
                               .from = (uint64_t)from - 1,
                               .rule = rdl_check_rule(L, luaL_checkstring(L, 5))};
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_tensor_new(core, 2, shape, RD_DENSE, out, &err));
    RDL_DO(L, rd_series_values(s, &of, *out, &err));
    rdl_pay(L);
    return 1;
}

/* ---- what scalers are fitted on ---- */

const rd_stage *rdl_check_stages(lua_State *L, int arg, uint32_t *n)
{
    static const char *const kinds[] = {"affine", "log", "box_cox", "difference",
                                        NULL}; /* as rd_stage_kind */
    luaL_checktype(L, arg, LUA_TTABLE);
    const size_t count = (size_t)lua_rawlen(L, arg);
    if (count > RD_MAX_STAGES)
        luaL_error(L, "a scaler has at most %d stages, got %d", RD_MAX_STAGES, (int)count);
    rd_stage *stages = rdl_buffer(L, count, sizeof *stages);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, arg, (lua_Integer)i + 1);
        const int at = lua_gettop(L);
        luaL_checktype(L, at, LUA_TTABLE);
        stages[i] =
            (rd_stage){.kind = (rd_stage_kind)rdl_field_choice(L, at, "kind", "affine", kinds),
                       .a = rdl_field_number(L, at, "a", 0),
                       .b = rdl_field_number(L, at, "b", 1)};
        if (stages[i].kind == RD_STAGE_DIFFERENCE && !(stages[i].a >= 1 && stages[i].a <= MAX_LAG))
            luaL_error(L, "a difference has a lag of 1..%d", MAX_LAG);
        lua_pop(L, 1);
    }
    *n = (uint32_t)count;
    return stages;
}

/* Arguments 2..5: column, { from, n, first row of the series, ... }, stages, name. */
static rd_stretch check_stretches(lua_State *L, rd_series *s)
{
    enum { NUMBERS = 3 };
    const lua_Integer column = luaL_checkinteger(L, 2), rows = (lua_Integer)rd_series_rows(s);
    luaL_argcheck(L, column >= 1 && column <= rd_series_columns(s), 2, "no such column");
    luaL_checktype(L, 3, LUA_TTABLE);
    rd_stretch of = {.column = (uint32_t)column - 1,
                     .n_rows = (size_t)lua_rawlen(L, 3) / NUMBERS,
                     .name = luaL_checkstring(L, 5)};
    of.stages = rdl_check_stages(L, 4, &of.n_stages);
    rd_rows *list = rdl_buffer(L, of.n_rows, sizeof *list);
    for (size_t i = 0; i < of.n_rows; i++) {
        lua_Integer v[NUMBERS];
        for (size_t k = 0; k < NUMBERS; k++) {
            lua_rawgeti(L, 3, (lua_Integer)(i * NUMBERS + k) + 1);
            v[k] = lua_tointeger(L, -1);
            lua_pop(L, 1);
        }
        luaL_argcheck(
            L, v[2] >= 1 && v[0] >= v[2] && v[0] <= rows && v[1] >= 0 && v[1] <= rows + 1 - v[0], 3,
            "no such rows");
        list[i] =
            (rd_rows){.from = (uint64_t)v[0] - 1, .n = (uint64_t)v[1], .first = (uint64_t)v[2] - 1};
    }
    of.rows = list;
    return of;
}

/* numbers:moments(column, { from, n, first, ... }, stages, name) -> { n =, mean =, deviation =, low =,
 * high =, size = } */
static int columns_moments(lua_State *L)
{
    rd_series *s = rdl_check_series(L, 1);
    const rd_stretch of = check_stretches(L, s);
    rd_moments m;
    RDL_DO(L, rd_series_moments(s, &of, &m, &err));
    const struct {
        const char *name;
        double value;
    } fields[] = {{"mean", m.mean},
                  {"deviation", m.deviation},
                  {"low", m.low},
                  {"high", m.high},
                  {"size", m.size}};
    lua_createtable(L, 0, 6);
    lua_pushinteger(L, (lua_Integer)m.n);
    lua_setfield(L, -2, "n");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        lua_pushnumber(L, fields[i].value);
        lua_setfield(L, -2, fields[i].name);
    }
    return 1;
}

/* numbers:quantile(column, { from, n, first, ... }, stages, name, q) */
static int columns_quantile(lua_State *L)
{
    rd_series *s = rdl_check_series(L, 1);
    const double q = luaL_checknumber(L, 6);
    luaL_argcheck(L, q >= 0 && q <= 1, 6, "a quantile is one of 0..1");
    const rd_stretch of = check_stretches(L, s);
    double value;
    RDL_DO(L, rd_series_quantile(s, &of, q, &value, &err));
    lua_pushnumber(L, value);
    return 1;
}

/* natural_log(x): the core's own, the same bits everywhere */
static int natural_log(lua_State *L)
{
    lua_pushnumber(L, rd_log_d(luaL_checknumber(L, 1)));
    return 1;
}

void rdl_open_series(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"close", columns_close},
        {"take_csv", columns_take_csv},
        {"numbers", columns_numbers},
        {"set", columns_set},
        {"missing", columns_missing},
        {"grouped", columns_grouped},
        {"falls", columns_falls},
        {"too_large", columns_too_large},
        {"values", columns_values},
        {"moments", columns_moments},
        {"quantile", columns_quantile},
        {"digest", columns_digest},
        {NULL, NULL},
    };
    static const luaL_Reg meta[] = {
        {"__gc", columns_close}, {"__close", columns_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"numbers", columns_new}, {"natural_log", natural_log}, {NULL, NULL}};
    rdl_new_class(L, &(rdl_class){.name = RDL_COLUMNS, .methods = methods, .meta = meta});
    luaL_setfuncs(L, functions, 0);
}
