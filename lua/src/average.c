/* average.c - the class rondo.Average: averages of parameters.
 * SPDX-License-Identifier: MIT */
#include "common.h"

static rd_average *check_average(lua_State *L)
{
    return rdl_check(L, 1, RDL_AVERAGE, "average");
}

static int average_close(lua_State *L)
{
    rd_average **slot = luaL_checkudata(L, 1, RDL_AVERAGE);
    rd_average *a = *slot;
    *slot = NULL;
    rd_average_free(a);
    return 0;
}

/* average({parameters}). User value 1 is the number of parameters. */
static int average_new(lua_State *L)
{
    size_t n;
    rd_tensor **parameters = rdl_tensor_list(L, 1, &n);
    rd_average **out = (rd_average **)rdl_push(L, RDL_AVERAGE, 1);
    lua_pushinteger(L, (lua_Integer)n);
    lua_setiuservalue(L, -2, 1);
    RDL_DO(L, rd_average_new(parameters, n, out, &err));
    rdl_pay(L);
    return 1;
}

static int average_update(lua_State *L)
{
    rd_average *a = check_average(L);
    const double weight = luaL_checknumber(L, 2);
    luaL_argcheck(L, weight >= 0 && weight <= 1, 2, "the weight must be 0..1");
    rd_average_update(a, weight);
    return 0;
}

static int average_exchange(lua_State *L)
{
    rd_average_exchange(check_average(L));
    return 0;
}

/* The averages, a list in the order of the parameters. */
static int average_tensors(lua_State *L)
{
    const rd_average *a = check_average(L);
    lua_getiuservalue(L, 1, 1);
    const lua_Integer n = lua_tointeger(L, -1);
    lua_createtable(L, (int)n, 0);
    for (lua_Integer i = 0; i < n; i++) {
        rdl_push_retained(L, rd_average_of(a, (size_t)i));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

void rdl_open_average(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"update", average_update},
        {"exchange", average_exchange},
        {"tensors", average_tensors},
        {"close", average_close},
        {NULL, NULL},
    };
    static const luaL_Reg meta[] = {
        {"__gc", average_close},
        {"__close", average_close},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"average", average_new}, {NULL, NULL}};
    rdl_new_class(L, &(rdl_class){.name = RDL_AVERAGE, .methods = methods, .meta = meta});
    luaL_setfuncs(L, functions, 0);
}
