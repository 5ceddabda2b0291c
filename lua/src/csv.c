/* csv.c - the class rondo.Csv: a mapped file of rows. Rows and columns count from 1.
 * SPDX-License-Identifier: MIT */
#include "series.h"

#include <string.h>

rd_csv *rdl_check_csv(lua_State *L, int arg)
{
    return rdl_check(L, arg, RDL_CSV, "csv");
}

static int csv_close(lua_State *L)
{
    rd_csv **slot = luaL_checkudata(L, 1, RDL_CSV);
    rd_csv *c = *slot;
    *slot = NULL;
    rd_csv_free(c);
    return 0;
}

/* The one byte of a field, or 0 where it is not given. */
static char field_byte(lua_State *L, int arg, const char *name)
{
    const char *text = rdl_field_string(L, arg, name, "");
    if (strlen(text) > 1) luaL_error(L, "'%s' is one character of ASCII, got '%s'", name, text);
    return text[0];
}

/* csv(path, { separator =, quotes =, comments = }) */
static int csv_open(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    const rd_csv_form form = {.separator = field_byte(L, 2, "separator"),
                              .quotes = rdl_field_bool(L, 2, "quotes", true),
                              .comments = rdl_field_bool(L, 2, "comments", false)};
    rd_csv **out = (rd_csv **)rdl_push(L, RDL_CSV, 0);
    rd_error err;
    rd_status status;
    RDL_TRY(L, status, rd_csv_open(path, &form, out, &err));
    return status == RD_OK ? 1 : rdl_outside(L, &err);
}

static int csv_width(lua_State *L)
{
    lua_pushinteger(L, rd_csv_width(rdl_check_csv(L, 1)));
    return 1;
}

static int csv_separator(lua_State *L)
{
    const char separator = rd_csv_separator(rdl_check_csv(L, 1));
    lua_pushlstring(L, &separator, 1);
    return 1;
}

/* Strings of a list, in a pushed userdata; they stay alive as long as the list holds them. */
static const char **field_words(lua_State *L, int arg, const char *name, size_t *n)
{
    *n = 0;
    if (rdl_field(L, arg, name) == LUA_TNIL) return NULL;
    if (!lua_istable(L, -1))
        luaL_error(L, "field '%s' must be a list of strings, got a %s", name, luaL_typename(L, -1));
    *n = (size_t)lua_rawlen(L, -1);
    const char **words = rdl_buffer(L, *n, sizeof *words);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, -2, (lua_Integer)i + 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "field '%s' must be a list of strings", name);
        words[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    return words;
}

/* csv:begin { header =, skip =, decimal =, thousands =, dates =, plain_times =, missing = } ->
 * true, or nil, message */
static int csv_begin(lua_State *L)
{
    static const char *const orders[] = {"sure", "dmy", "mdy", NULL}; /* as rd_date_order */
    rd_csv *c = rdl_check_csv(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    rd_csv_rules rules = {.header = rdl_field_bool(L, 2, "header", false),
                          .skip = (uint64_t)rdl_field_integer(L, 2, "skip", 0, INT64_MAX - 1),
                          .decimal = field_byte(L, 2, "decimal"),
                          .thousands = field_byte(L, 2, "thousands"),
                          .dates = (rd_date_order)rdl_field_choice(L, 2, "dates", "sure", orders),
                          .plain_times = rdl_field_bool(L, 2, "plain_times", false)};
    rules.missing = field_words(L, 2, "missing", &rules.n_missing);
    rd_error err;
    rd_status status;
    RDL_TRY(L, status, rd_csv_begin(c, &rules, &err));
    if (status != RD_OK) return rdl_outside(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

uint32_t *rdl_check_columns(lua_State *L, int arg, const rd_csv *c, size_t *n)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    *n = (size_t)lua_rawlen(L, arg);
    uint32_t *columns = rdl_buffer(L, *n, sizeof *columns);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, arg, (lua_Integer)i + 1);
        const lua_Integer column = lua_tointeger(L, -1);
        luaL_argcheck(L, column >= 1 && column <= rd_csv_width(c), arg, "no such column");
        columns[i] = (uint32_t)column - 1;
        lua_pop(L, 1);
    }
    return columns;
}

static uint64_t check_row(lua_State *L, int arg)
{
    const lua_Integer row = luaL_checkinteger(L, arg);
    luaL_argcheck(L, row >= 1, arg, "rows count from 1");
    return (uint64_t)row - 1;
}

static lua_Integer check_count(lua_State *L, int arg)
{
    const lua_Integer n = luaL_checkinteger(L, arg);
    luaL_argcheck(L, n >= 0, arg, "a count must not be negative");
    return n;
}

/* csv:cells({columns}, from, n) -> {list of strings by column}, how many rows there were; or nil,
 * message */
static int csv_cells(lua_State *L)
{
    rd_csv *c = rdl_check_csv(L, 1);
    size_t n_columns;
    const uint32_t *columns = rdl_check_columns(L, 2, c, &n_columns);
    const uint64_t from = check_row(L, 3);
    const lua_Integer n = check_count(L, 4);
    rd_error err;
    lua_createtable(L, (int)n_columns, 0);
    const int lists = lua_gettop(L);
    for (size_t k = 0; k < n_columns; k++) {
        lua_newtable(L);
        lua_rawseti(L, lists, (lua_Integer)k + 1);
    }
    if (rd_csv_seek(c, from, &err) != RD_OK) return rdl_outside(L, &err);
    lua_Integer got = 0;
    for (; got < n; got++) {
        bool more;
        if (rd_csv_next(c, &more, &err) != RD_OK) return rdl_outside(L, &err);
        if (!more) break;
        for (size_t k = 0; k < n_columns; k++) {
            const char *text;
            size_t bytes;
            if (rd_csv_text(c, columns[k], &text, &bytes, &err) != RD_OK)
                return rdl_outside(L, &err);
            lua_rawgeti(L, lists, (lua_Integer)k + 1);
            lua_pushlstring(L, text, bytes);
            lua_rawseti(L, -2, got + 1);
            lua_pop(L, 1);
        }
    }
    lua_pushinteger(L, got);
    return 2;
}

/* csv:kind(text) */
static int csv_kind(lua_State *L)
{
    static const char *const kinds[] = {"missing", "number", "time", "text"}; /* as rd_csv_kind */
    const rd_csv *c = rdl_check_csv(L, 1);
    size_t n;
    const char *text = luaL_checklstring(L, 2, &n);
    lua_pushstring(L, kinds[rd_csv_kind_of(c, text, n)]);
    return 1;
}

/* csv:time(text) -> seconds or number, or nil */
static int csv_time(lua_State *L)
{
    const rd_csv *c = rdl_check_csv(L, 1);
    size_t n;
    const char *text = luaL_checklstring(L, 2, &n);
    double time;
    if (rd_csv_time_of(c, text, n, &time))
        lua_pushnumber(L, time);
    else
        luaL_pushfail(L);
    return 1;
}

rd_missing rdl_check_rule(lua_State *L, const char *name)
{
    static const char *const rules[] = {"error", "previous", "interpolate",
                                        NULL}; /* as rd_missing */
    for (int i = 0; rules[i]; i++)
        if (strcmp(rules[i], name) == 0) return (rd_missing)i;
    luaL_error(L, "no rule for missing values is called '%s'", name);
    return RD_MISSING_ERROR;
}

static void push_report(lua_State *L, const rd_csv_report *r, size_t n)
{
    static const char *const units[] = {NULL, "seconds", "months", "number"}; /* as rd_step_unit */
    lua_createtable(L, 0, 8);
    lua_pushinteger(L, (lua_Integer)r->rows);
    lua_setfield(L, -2, "rows");
    lua_createtable(L, (int)n, 0);
    for (size_t k = 0; k < n; k++) {
        lua_pushinteger(L, (lua_Integer)r->missing[k]);
        lua_rawseti(L, -2, (lua_Integer)k + 1);
    }
    lua_setfield(L, -2, "missing");
    lua_pushnumber(L, r->first);
    lua_setfield(L, -2, "first");
    lua_pushnumber(L, r->last);
    lua_setfield(L, -2, "last");
    if (r->unit == RD_STEP_NONE) return;
    lua_pushstring(L, units[r->unit]);
    lua_setfield(L, -2, "unit");
    lua_pushnumber(L, r->step);
    lua_setfield(L, -2, "step");
    lua_pushinteger(L, (lua_Integer)r->other_steps);
    lua_setfield(L, -2, "other_steps");
    lua_pushinteger(L, (lua_Integer)r->other_line);
    lua_setfield(L, -2, "other_line");
}

/* csv:scan({columns}, time or nil, rule, many) -> report, or nil, message */
static int csv_scan(lua_State *L)
{
    rd_csv *c = rdl_check_csv(L, 1);
    rd_csv_columns which = {0};
    which.at = rdl_check_columns(L, 2, c, &which.n);
    which.rule = rdl_check_rule(L, luaL_checkstring(L, 4));
    which.many = lua_toboolean(L, 5);
    const lua_Integer time = luaL_optinteger(L, 3, 0);
    luaL_argcheck(L, time >= 0 && time <= rd_csv_width(c), 3, "no such column");
    rd_csv_report report = {.missing = rdl_buffer(L, which.n, sizeof(uint64_t))};
    rd_error err;
    rd_status status;
    RDL_TRY(L, status,
            rd_csv_scan(c, &which, time > 0 ? (uint32_t)time - 1 : RD_ALL, &report, &err));
    if (status != RD_OK) return rdl_outside(L, &err);
    push_report(L, &report, which.n);
    return 1;
}

/* csv:values({columns}, from, n, rule) -> tensor (n, columns) */
static int csv_values(lua_State *L)
{
    rd_core *core = rdl_core(L);
    rd_csv *c = rdl_check_csv(L, 1);
    rd_csv_columns which = {0};
    which.at = rdl_check_columns(L, 2, c, &which.n);
    const uint64_t from = check_row(L, 3);
    const size_t shape[] = {(size_t)check_count(L, 4), which.n};
    which.rule = rdl_check_rule(L, luaL_checkstring(L, 5));
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_tensor_new(core, 2, shape, RD_DENSE, out, &err));
    RDL_DO(L, rd_csv_values(c, &which, from, *out, &err));
    rdl_pay(L);
    return 1;
}

/* csv:times(column, from, n) -> list of numbers */
static int csv_times(lua_State *L)
{
    rd_csv *c = rdl_check_csv(L, 1);
    const lua_Integer time = luaL_checkinteger(L, 2);
    luaL_argcheck(L, time >= 1 && time <= rd_csv_width(c), 2, "no such column");
    const uint64_t from = check_row(L, 3);
    const lua_Integer n = check_count(L, 4);
    double *times = rdl_buffer(L, (size_t)n, sizeof *times);
    RDL_DO(L, rd_csv_times(c, (uint32_t)time - 1, from, (size_t)n, times, &err));
    lua_createtable(L, n <= INT32_MAX ? (int)n : 0, 0);
    for (lua_Integer i = 0; i < n; i++) {
        lua_pushnumber(L, times[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

void rdl_open_csv(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"close", csv_close}, {"width", csv_width},   {"separator", csv_separator},
        {"begin", csv_begin}, {"cells", csv_cells},   {"kind", csv_kind},
        {"scan", csv_scan},   {"values", csv_values}, {"times", csv_times},
        {"time", csv_time},   {NULL, NULL},
    };
    static const luaL_Reg meta[] = {{"__gc", csv_close}, {"__close", csv_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"csv", csv_open}, {NULL, NULL}};
    rdl_new_class(L, &(rdl_class){.name = RDL_CSV, .methods = methods, .meta = meta});
    luaL_setfuncs(L, functions, 0);
}
