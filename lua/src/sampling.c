/* sampling.c - drawing ids from logits, the logits as a draw sees them, and the largest of a row.
 * SPDX-License-Identifier: MIT */
#include "common.h"

/* The list of ids in a field of the table at arg, in a userdata that is pushed; NULL where there is none. */
static const int32_t *field_ids(lua_State *L, int arg, const char *name, size_t *n)
{
    *n = 0;
    const int type = rdl_field(L, arg, name);
    if (type == LUA_TNIL) return NULL;
    if (type != LUA_TTABLE)
        luaL_argerror(L, arg, lua_pushfstring(L, "%s must be a list of ids", name));
    *n = (size_t)lua_rawlen(L, -1);
    int32_t *ids = rdl_buffer(L, *n, sizeof *ids);
    lua_insert(L, -2);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        int exact;
        const lua_Integer id = lua_tointegerx(L, -1, &exact);
        if (!exact || id < 1 || id > INT32_MAX)
            luaL_argerror(L, arg,
                          lua_pushfstring(L, "%s: ids are integers from 1 on, got %s", name,
                                          exact ? lua_tostring(L, -1) : luaL_typename(L, -1)));
        ids[i] = (int32_t)id;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return ids;
}

/* Field bias, { [id] = value }, likewise. */
static const rd_bias *field_bias(lua_State *L, int arg, size_t *n)
{
    *n = 0;
    if (rdl_field(L, arg, "bias") == LUA_TNIL) return NULL;
    const int table = lua_gettop(L);
    luaL_argcheck(L, lua_istable(L, table), arg, "bias must be a table of numbers by id");
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) ++*n;
    rd_bias *bias = rdl_buffer(L, *n, sizeof *bias);
    size_t i = 0;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        int exact, number;
        const lua_Integer id = lua_tointegerx(L, -2, &exact);
        const double value = lua_tonumberx(L, -1, &number);
        luaL_argcheck(L, exact && number && id >= 1 && id <= INT32_MAX, arg,
                      "bias must be a table of numbers by id");
        bias[i++] = (rd_bias){.id = (int32_t)id, .value = value};
    }
    return bias;
}

/* The table at arg; its lists lie in userdata that are pushed. */
rd_sampling rdl_check_sampling(lua_State *L, int arg)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    rd_sampling how = {
        .temperature = rdl_field_number(L, arg, "temperature", 1),
        .top_k = (uint32_t)rdl_field_integer(L, arg, "top_k", 0, UINT32_MAX),
        .typical_p = rdl_field_number(L, arg, "typical_p", 1),
        .top_p = rdl_field_number(L, arg, "top_p", 1),
        .min_p = rdl_field_number(L, arg, "min_p", 0),
        .penalty = rdl_field_number(L, arg, "repetition_penalty", 1),
    };
    how.seen = field_ids(L, arg, "seen", &how.n_seen);
    how.allowed = field_ids(L, arg, "allowed", &how.n_allowed);
    how.bias = field_bias(L, arg, &how.n_bias);
    return how;
}

/* sample(logits, how, stream) -> ids (B) */
static int sampling_sample(lua_State *L)
{
    rd_tensor *logits = rdl_tensor(L, 1);
    const rd_stream stream = rdl_check_stream(L, 3);
    const rd_sampling how = rdl_check_sampling(L, 2);
    rd_tensor **ids = rdl_push_tensor(L);
    RDL_DO(L, rd_sample(logits, &how, &stream, ids, &err));
    rdl_pay(L);
    return 1;
}

/* adjust(logits, how) -> logits */
static int sampling_adjust(lua_State *L)
{
    rd_tensor *logits = rdl_tensor(L, 1);
    const rd_sampling how = rdl_check_sampling(L, 2);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_adjust(logits, &how, out, &err));
    rdl_pay(L);
    return 1;
}

/* top(scores, k) -> ids (B, k), values (B, k) */
static int sampling_top(lua_State *L)
{
    rd_tensor *scores = rdl_tensor(L, 1);
    const lua_Integer k = luaL_checkinteger(L, 2);
    luaL_argcheck(L, k >= 1, 2, "k must be at least 1");
    rd_tensor **ids = rdl_push_tensor(L);
    rd_tensor **values = rdl_push_tensor(L);
    RDL_DO(L, rd_top(scores, (size_t)k, ids, values, &err));
    rdl_pay(L);
    return 2;
}

void rdl_open_sampling(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"sample", sampling_sample},
        {"adjust", sampling_adjust},
        {"top", sampling_top},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
