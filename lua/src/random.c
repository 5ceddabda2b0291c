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

/* Entry i of the list at arg, or the integer there for all. */
static uint32_t entry(lua_State *L, int arg, lua_Integer i)
{
    if (!lua_istable(L, arg)) return check_row(L, arg);
    lua_rawgeti(L, arg, i);
    const uint32_t value = check_row(L, -1);
    lua_pop(L, 1);
    return value;
}

/* keep_mask(rows, times, width, stream, first, p, scale) -> (rows, width): 0 with probability p, else scale.
 * Row i has the numbers of row rows[i] and time times[i] (or one integer for all) from element `first` on. */
static int random_keep_mask(lua_State *L)
{
    rd_core *core = rdl_core(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    const size_t width = (size_t)luaL_checkinteger(L, 3), rows = lua_rawlen(L, 1);
    rd_stream stream = rdl_check_stream(L, 4);
    const uint64_t first = check_element(L, 5);
    const double p = luaL_checknumber(L, 6), scale = luaL_checknumber(L, 7);
    const uint32_t time = stream.time;
    luaL_argcheck(L, width >= 1 && width <= (1 << 24), 3, "a width expected");
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_tensor_new(core, 2, (size_t[]){rows, width}, RD_DENSE, out, &err));
    rd_real *values = rdl_buffer(L, rows * width, sizeof *values);
    for (size_t i = 0; i < rows; i++) {
        const uint32_t row = entry(L, 1, (lua_Integer)i + 1);
        stream.time = time + entry(L, 2, (lua_Integer)i + 1);
        for (size_t j = 0; j < width; j++)
            values[i * width + j] = rd_uniform_at(&stream, row, first + j) < p ? 0 : (rd_real)scale;
    }
    RDL_DO(L, rd_tensor_write(*out, values, &err));
    lua_pop(L, 1);
    rdl_pay(L);
    return 1;
}

void rdl_open_random(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"uniform", random_uniform},     {"bits", random_bits}, {"permuted", random_permuted},
        {"keep_mask", random_keep_mask}, {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
