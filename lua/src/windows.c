/* windows.c - the class rondo.Windows: windows of columns as batches. A layout says what the features and
 * targets of one series are; all have as many. Rows and columns count from 1.
 *
 * The arrays that the forms point into are userdata in the list that is the object's user value, as is the
 * table that holds the names.
 * SPDX-License-Identifier: MIT */
#include "series.h"

#include <math.h>
#include <string.h>

#define RDL_WINDOWS "rondo.Windows"
enum { WINDOW_NUMBERS = 4 }; /* of a window: layout, begin, end, origin */

typedef struct windows {
    rd_window_form *layouts;
    size_t n;
} windows;

static windows *check_windows(lua_State *L)
{
    windows *w = luaL_checkudata(L, 1, RDL_WINDOWS);
    lua_getiuservalue(L, 1, 1);
    lua_rawgeti(L, -1, 1);
    rdl_check_open_series(L, -1);
    lua_pop(L, 2);
    return w;
}

/* ---- making one: the table's lists as arrays ---- */

/* The list in a field of the table on top, pushed, and its length. */
static size_t field_list(lua_State *L, const char *name)
{
    if (rdl_field(L, -1, name) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    if (!lua_istable(L, -1))
        luaL_error(L, "field '%s' must be a list, got a %s", name, luaL_typename(L, -1));
    return (size_t)lua_rawlen(L, -1);
}

/* Memory that the list at `keep` holds; nothing is pushed. */
static void *keep_buffer(lua_State *L, int keep, size_t n, size_t width)
{
    void *at = rdl_buffer(L, n, width);
    lua_rawseti(L, keep, (lua_Integer)lua_rawlen(L, keep) + 1);
    return at;
}

/* The stages in field `stages` of the table on top. */
static void read_stages(lua_State *L, int keep, rd_feature *f)
{
    if (rdl_field(L, -1, "stages") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    f->stages = rdl_check_stages(L, lua_gettop(L), &f->n_stages);
    lua_rawseti(L, keep, (lua_Integer)lua_rawlen(L, keep) + 1);
    lua_pop(L, 1);
}

/* The list in a field of the table on top as features. */
static rd_feature *read_features(lua_State *L, int keep, const char *name, uint32_t columns,
                                 size_t *n)
{
    static const char *const kinds[] = {"value", "missing",  "constant",
                                        "ahead", "calendar", NULL}; /* as rd_feature_kind */
    static const char *const units[] = {"hour", "weekday", "month", "day_of_year",
                                        NULL}; /* as rd_calendar */
    *n = field_list(L, name);
    rd_feature *features = keep_buffer(L, keep, *n, sizeof *features);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        const int at = lua_gettop(L);
        const lua_Integer column = rdl_field_integer(L, at, "column", 1, columns);
        if (column < 1) luaL_error(L, "columns count from 1");
        features[i] =
            (rd_feature){.kind = (rd_feature_kind)rdl_field_choice(L, at, "kind", "value", kinds),
                         .column = (uint32_t)column - 1,
                         .known = rdl_field_bool(L, at, "known", false),
                         .unit = (rd_calendar)rdl_field_choice(L, at, "unit", "hour", units),
                         .value = rdl_field_number(L, at, "value", 0),
                         .name = rdl_field_string(L, at, "name", "")};
        read_stages(L, keep, &features[i]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return features;
}

/* Rows of one batch may be of any layouts. */
static void check_alike(lua_State *L, const rd_window_form *a, const rd_window_form *b)
{
    if (b->n_features == 0) luaL_error(L, "a layout has at least one feature");
    if (a->n_targets != b->n_targets ||
        rd_window_width(a->features, a->n_features) != rd_window_width(b->features, b->n_features))
        luaL_error(L, "all layouts have as many features and targets as the first");
}

/* windows(columns, { rule =, input =, horizon =, steps =, step =, months =, layouts = { { features =, targets
 * = }, ... } }) */
static int windows_new(lua_State *L)
{
    rd_series *s = rdl_check_series(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    const rd_window_form common = {
        .series = s,
        .rule = rdl_check_rule(L, rdl_field_string(L, 2, "rule", "error")),
        .input = (uint32_t)rdl_field_integer(L, 2, "input", 1, 1 << 20),
        .horizon = (uint32_t)rdl_field_integer(L, 2, "horizon", 1, 1 << 20),
        .steps = (uint32_t)rdl_field_integer(L, 2, "steps", 1, 1 << 21),
        .step = rdl_field_number(L, 2, "step", 0),
        .step_months = rdl_field_bool(L, 2, "months", false)};
    windows *w = lua_newuserdatauv(L, sizeof *w, 1);
    *w = (windows){0};
    luaL_setmetatable(L, RDL_WINDOWS);
    lua_newtable(L);
    const int keep = lua_gettop(L);
    for (int arg = 1; arg <= 2; arg++) {
        lua_pushvalue(L, arg);
        lua_rawseti(L, keep, arg);
    }
    if (common.input < 1 || common.horizon < 1 ||
        (common.steps != common.input && common.steps != common.input + common.horizon - 1))
        luaL_error(L, "windows of %d and %d rows have %d steps, or %d with what is known ahead",
                   (int)common.input, (int)common.horizon, (int)common.input,
                   (int)(common.input + common.horizon) - 1);
    lua_pushvalue(L, 2);
    w->n = field_list(L, "layouts");
    w->layouts = keep_buffer(L, keep, w->n, sizeof *w->layouts);
    size_t scratch = 0;
    for (size_t i = 0; i < w->n; i++) {
        rd_window_form *form = &w->layouts[i];
        *form = common;
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        form->features =
            read_features(L, keep, "features", rd_series_columns(s), &form->n_features);
        form->targets = read_features(L, keep, "targets", rd_series_columns(s), &form->n_targets);
        lua_pop(L, 1);
        check_alike(L, &w->layouts[0], form);
        const size_t needs = rd_window_scratch(form);
        scratch = needs > scratch ? needs : scratch;
    }
    double *numbers = keep_buffer(L, keep, scratch, sizeof *numbers);
    for (size_t i = 0; i < w->n; i++) w->layouts[i].scratch = numbers;
    lua_settop(L, keep);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

/* ---- use ---- */

/* The window whose numbers are at `v`; its layout. */
static const rd_window_form *check_window(lua_State *L, const windows *w, const lua_Integer *v,
                                          rd_window *out)
{
    if (v[0] < 1 || (size_t)v[0] > w->n) luaL_error(L, "no such layout");
    const rd_window_form *form = &w->layouts[v[0] - 1];
    const lua_Integer rows = (lua_Integer)rd_series_rows(form->series);
    if (v[1] < 1 || v[3] < v[1] || v[3] > v[2] || v[2] > rows) luaL_error(L, "no such window");
    *out = (rd_window){
        .begin = (uint64_t)v[1] - 1, .end = (uint64_t)v[2], .origin = (uint64_t)v[3] - 1};
    return form;
}

static void check_reach(lua_State *L, const rd_window_form *form, const rd_window *at)
{
    uint64_t lag = 0;
    for (size_t i = 0; i < form->n_features; i++) {
        const rd_feature *f = &form->features[i];
        const uint64_t one = rd_stages_lag(f->stages, f->n_stages);
        lag = one > lag ? one : lag;
    }
    uint64_t needs = form->input + lag;
    for (size_t i = 0; i < form->n_targets; i++) {
        const uint64_t one = rd_stages_lag(form->targets[i].stages, form->targets[i].n_stages);
        needs = one > needs ? one : needs;
    }
    if (at->origin + 1 - at->begin < needs) luaL_error(L, "the window begins before its series");
}

/* (rows, steps, width) in sequence order, or (rows, steps) where width is 0. */
static rd_tensor *push_batch(lua_State *L, size_t rows, size_t steps, size_t width)
{
    rd_core *core = rdl_core(L);
    const size_t shape[] = {rows, steps, width};
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_tensor_new(core, width ? 3 : 2, shape, width ? RD_SEQUENCE : RD_DENSE, out, &err));
    return *out;
}

/* windows:batch({ layout, begin, end, origin, ... }, truth) -> x, and where truth is true y, weight or nil */
static int windows_batch(lua_State *L)
{
    const windows *w = check_windows(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    const bool truth = lua_toboolean(L, 3);
    const size_t rows = (size_t)lua_rawlen(L, 2) / WINDOW_NUMBERS;
    if (rows == 0 || w->n == 0) luaL_error(L, "a batch has at least one window");
    const rd_window_form *form = &w->layouts[0];
    const size_t targets = form->n_targets > 1 ? form->n_targets : 0;
    lua_settop(L, 3);
    rd_window_batch batch = {
        .x = push_batch(L, rows, form->steps, rd_window_width(form->features, form->n_features))};
    if (truth) {
        batch.y = push_batch(L, rows, form->horizon, targets);
        batch.weight = push_batch(L, rows, form->horizon, targets);
    }
    for (; batch.row < rows; batch.row++) {
        lua_Integer v[WINDOW_NUMBERS];
        for (size_t i = 0; i < WINDOW_NUMBERS; i++) {
            lua_rawgeti(L, 2, (lua_Integer)(batch.row * WINDOW_NUMBERS + i) + 1);
            v[i] = lua_tointeger(L, -1);
            lua_pop(L, 1);
        }
        rd_window at;
        form = check_window(L, w, v, &at);
        check_reach(L, form, &at);
        RDL_DO(L, rd_window_read(form, &at, &batch, &err));
    }
    rdl_pay(L);
    if (!truth || batch.missing) return truth ? 3 : 1;
    lua_pushnil(L);
    lua_replace(L, -2);
    return 3;
}

/* Arguments 2..5: layout, begin, end, origin. */
static const rd_window_form *check_one(lua_State *L, rd_window *at)
{
    lua_Integer v[WINDOW_NUMBERS];
    for (int i = 0; i < WINDOW_NUMBERS; i++) v[i] = luaL_checkinteger(L, i + 2);
    return check_window(L, check_windows(L), v, at);
}

/* windows:known(layout, begin, end, origin, column, row) -> the number as known at the origin */
static int windows_known(lua_State *L)
{
    rd_window at;
    const rd_window_form *form = check_one(L, &at);
    const lua_Integer column = luaL_checkinteger(L, 6), row = luaL_checkinteger(L, 7);
    luaL_argcheck(L, column >= 1 && column <= rd_series_columns(form->series), 6, "no such column");
    luaL_argcheck(L, row >= 1 && (uint64_t)row - 1 >= at.begin && (uint64_t)row - 1 <= at.origin, 7,
                  "no such row");
    lua_pushnumber(L, rd_window_known(form, (uint32_t)column - 1, &at, (uint64_t)row - 1));
    return 1;
}

/* windows:times(layout, begin, end, origin, column) -> of the horizon */
static int windows_times(lua_State *L)
{
    rd_window at;
    const rd_window_form *form = check_one(L, &at);
    const lua_Integer column = luaL_checkinteger(L, 6);
    luaL_argcheck(L, column >= 1 && column <= rd_series_columns(form->series), 6, "no such column");
    lua_createtable(L, (int)form->horizon, 0);
    for (uint32_t h = 1; h <= form->horizon; h++) {
        lua_pushnumber(L, rd_window_time(form, (uint32_t)column - 1, &at, at.origin + h));
        lua_rawseti(L, -2, h);
    }
    return 1;
}

/* windows:invert(layout, begin, end, origin, target, { values }) -> list */
static int windows_invert(lua_State *L)
{
    rd_window at;
    const rd_window_form *form = check_one(L, &at);
    const lua_Integer target = luaL_checkinteger(L, 6);
    luaL_argcheck(L, target >= 1 && (size_t)target <= form->n_targets, 6, "no such target");
    luaL_checktype(L, 7, LUA_TTABLE);
    check_reach(L, form, &at);
    const size_t n = (size_t)lua_rawlen(L, 7);
    double *values = rdl_buffer(L, n, sizeof *values);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 7, (lua_Integer)i + 1);
        values[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    RDL_DO(L, rd_window_invert(form, &form->targets[target - 1], &at, values, n, &err));
    rdl_push_numbers(L, values, n);
    return 1;
}

/* windows:width() -> numbers of a step of x */
static int windows_width(lua_State *L)
{
    const windows *w = check_windows(L);
    lua_pushinteger(L, w->n ? (lua_Integer)rd_window_width(w->layouts[0].features,
                                                           w->layouts[0].n_features)
                            : 0);
    return 1;
}

void rdl_open_windows(lua_State *L)
{
    static const luaL_Reg methods[] = {{"batch", windows_batch}, {"known", windows_known},
                                       {"times", windows_times}, {"invert", windows_invert},
                                       {"width", windows_width}, {NULL, NULL}};
    static const luaL_Reg meta[] = {{NULL, NULL}};
    static const luaL_Reg functions[] = {{"windows", windows_new}, {NULL, NULL}};
    rdl_new_class(L, &(rdl_class){.name = RDL_WINDOWS, .methods = methods, .meta = meta});
    luaL_setfuncs(L, functions, 0);
}
