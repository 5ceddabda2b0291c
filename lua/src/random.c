/* random.c - numbers of named random streams and permutations.
 * SPDX-License-Identifier: MIT */
#include "common.h"

static uint32_t check_row(lua_State *L, int arg)
{
    const lua_Integer row = luaL_checkinteger(L, arg);
    luaL_argcheck(L, row >= 0 && row <= UINT32_MAX, arg, "a row must be 0..4294967295");
    return (uint32_t)row;
}

static uint64_t check_element(lua_State *L, int arg)
{
    const lua_Integer element = luaL_checkinteger(L, arg);
    luaL_argcheck(L, element >= 0, arg, "an element must not be negative");
    return (uint64_t)element;
}

static int random_uniform(lua_State *L)
{
    const rd_stream stream = rdl_check_stream(L, 1);
    const uint32_t row = check_row(L, 2);
    lua_pushnumber(L, rd_uniform_at(&stream, row, check_element(L, 3)));
    return 1;
}

static int random_bits(lua_State *L)
{
    const rd_stream stream = rdl_check_stream(L, 1);
    const uint32_t row = check_row(L, 2);
    lua_pushinteger(L, rd_bits_at(&stream, row, check_element(L, 3)));
    return 1;
}

/* permuted(first, count, n, stream): places first..first+count-1 of a permutation of 1..n, without a table */
static int random_permuted(lua_State *L)
{
    const lua_Integer first = luaL_checkinteger(L, 1), count = luaL_checkinteger(L, 2);
    const lua_Integer n = luaL_checkinteger(L, 3);
    const rd_stream stream = rdl_check_stream(L, 4);
    luaL_argcheck(L, count >= 0 && count <= INT32_MAX, 2, "a number of places expected");
    luaL_argcheck(L, first >= 1 && first - 1 <= n - count, 1, "places lie in 1..n");
    lua_createtable(L, (int)count, 0);
    for (lua_Integer i = 0; i < count; i++) {
        const uint64_t place = rd_permuted(&stream, (uint64_t)n, (uint64_t)(first - 1 + i));
        lua_pushinteger(L, (lua_Integer)place + 1);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

void rdl_open_random(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"uniform", random_uniform},
        {"bits", random_bits},
        {"permuted", random_permuted},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
