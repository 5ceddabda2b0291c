/* forecast.c - losses of quantiles and distributions, and numbers drawn from these.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include "rondo_forecast.h"

static const char *const kinds[] = {"quantiles", "gaussian", "student_t", "negative_binomial",
                                    NULL}; /* as rd_likelihood_kind */

/* A list of numbers at arg, in collected memory that is pushed. */
static double *numbers(lua_State *L, int arg, size_t *n)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    *n = (size_t)lua_rawlen(L, arg);
    double *list = rdl_buffer(L, *n, sizeof *list);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, arg, (lua_Integer)i + 1);
        list[i] = luaL_checknumber(L, -1);
        lua_pop(L, 1);
    }
    return list;
}

/* likelihood_loss(y, target, kind, reduction, weight, quantiles): loss, sum, count */
static int forecast_loss(lua_State *L)
{
    static const char *const reductions[] = {"mean", "sum", "batch", NULL}; /* as rd_reduction */
    rd_tensor *y = rdl_tensor(L, 1), *target = rdl_tensor(L, 2);
    lua_settop(L, 6);
    rd_likelihood how = {
        .kind = (rd_likelihood_kind)rdl_choice(L, 3, NULL, kinds),
        .reduction = (rd_reduction)rdl_choice(L, 4, "mean", reductions),
        .weight = lua_isnil(L, 5) ? NULL : rdl_tensor(L, 5),
    };
    if (how.kind == RD_QUANTILES) how.quantiles = numbers(L, 6, &how.n_quantiles);
    rd_loss_total total = {0};
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_likelihood_loss(y, target, &how, out, &total, &err));
    rdl_pay(L);
    lua_pushnumber(L, total.sum);
    lua_pushnumber(L, total.count);
    return 3;
}

static uint32_t key_of(lua_State *L, int list, lua_Integer i)
{
    lua_rawgeti(L, list, i);
    const lua_Integer key = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    luaL_argcheck(L, key >= 0 && key <= UINT32_MAX, list, "keys must be 0..4294967295");
    return (uint32_t)key;
}

/* draw_likelihood(y, kind, stream, rows, paths, each): numbers of the rows of y. Window k has row rows[k]
 * and, for each of its `each` paths (default 1), path paths[k] + 0, 1, 2, ... */
static int forecast_draw(lua_State *L)
{
    rd_tensor *y = rdl_tensor(L, 1);
    luaL_checktype(L, 4, LUA_TTABLE);
    luaL_checktype(L, 5, LUA_TTABLE);
    const lua_Integer each = luaL_optinteger(L, 6, 1);
    const size_t n = (size_t)lua_rawlen(L, 4);
    luaL_argcheck(L, lua_rawlen(L, 5) == n, 5, "a path for each row expected");
    luaL_argcheck(L, each >= 1 && each <= 1 << 16, 6, "paths must be 1..65536");
    rd_draws how = {.kind = (rd_likelihood_kind)rdl_choice(L, 2, NULL, kinds),
                    .stream = rdl_check_stream(L, 3),
                    .n_keys = n * (size_t)each};
    rd_path_key *keys = rdl_buffer(L, how.n_keys, sizeof *keys);
    for (size_t i = 0; i < n; i++) {
        const rd_path_key key = {key_of(L, 4, (lua_Integer)i + 1),
                                 key_of(L, 5, (lua_Integer)i + 1)};
        for (size_t p = 0; p < (size_t)each; p++)
            keys[i * (size_t)each + p] = (rd_path_key){key.row, key.path + (uint32_t)p};
    }
    how.keys = keys;
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_draw_likelihood(y, &how, out, &err));
    rdl_pay(L);
    return 1;
}

/* path_quantiles(x, n, levels): of each n rows of x (windows n, targets) -> (windows, targets, levels) */
static int forecast_quantiles(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    const lua_Integer n = luaL_checkinteger(L, 2);
    luaL_argcheck(L, n >= 1, 2, "a number of paths expected");
    size_t n_levels;
    const double *levels = numbers(L, 3, &n_levels);
    for (size_t k = 0; k < n_levels; k++)
        luaL_argcheck(L, levels[k] >= 0 && levels[k] <= 1, 3, "levels lie in 0..1");
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_path_quantiles(x, (size_t)n, levels, n_levels, out, &err));
    rdl_pay(L);
    return 1;
}

void rdl_open_forecast(lua_State *L)
{
    static const luaL_Reg functions[] = {{"likelihood_loss", forecast_loss},
                                         {"draw_likelihood", forecast_draw},
                                         {"path_quantiles", forecast_quantiles},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
