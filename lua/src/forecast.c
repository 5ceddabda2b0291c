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
        .kind = (rd_likelihood_kind)luaL_checkoption(L, 3, NULL, kinds),
        .reduction = (rd_reduction)luaL_checkoption(L, 4, "mean", reductions),
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

/* draw_likelihood(y, kind, stream, rows, paths): one number of each row of y; rows and paths are lists. */
static int forecast_draw(lua_State *L)
{
    rd_tensor *y = rdl_tensor(L, 1);
    const rd_likelihood_kind kind = (rd_likelihood_kind)luaL_checkoption(L, 2, NULL, kinds);
    const rd_stream stream = rdl_check_stream(L, 3);
    luaL_checktype(L, 4, LUA_TTABLE);
    luaL_checktype(L, 5, LUA_TTABLE);
    const size_t n = rd_tensor_ndim(y) ? rd_tensor_shape(y)[0] : 0;
    luaL_argcheck(L, lua_rawlen(L, 4) == n && lua_rawlen(L, 5) == n, 4,
                  "a key for each row expected");
    rd_path_key *keys = rdl_buffer(L, n, sizeof *keys);
    for (size_t i = 0; i < n; i++)
        keys[i] = (rd_path_key){.row = key_of(L, 4, (lua_Integer)i + 1),
                                .path = key_of(L, 5, (lua_Integer)i + 1)};
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_draw_likelihood(y, kind, &stream, keys, out, &err));
    rdl_pay(L);
    return 1;
}

void rdl_open_forecast(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"likelihood_loss", forecast_loss}, {"draw_likelihood", forecast_draw}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
