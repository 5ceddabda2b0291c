/* parts.c - long sequences in parts: backward from several tensors, lengths beyond an input, peaks of memory.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include "rondo_parts.h"

/* backward_all(tensors, seeds): seeds[i] is a tensor, a number, or false: 1 */
static int parts_backward_all(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t n = 0;
    lua_settop(L, 2);
    rd_tensor **tensor = rdl_tensor_list(L, 1, &n);
    rd_root *roots = rdl_buffer(L, n + 1, sizeof *roots);
    const int base = lua_gettop(L);
    luaL_checkstack(L, (int)n + LUA_MINSTACK, "backward_all");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        rd_tensor *seed = lua_toboolean(L, -1) ? rdl_operand(L, base + 1 + (int)i) : NULL;
        roots[i] = (rd_root){tensor[i], seed};
    }
    rdl_state *s = rdl_get_state(L);
    lua_State *before = s->caller;
    rd_error err;
    rd_status status;
    s->caller = L;
    RDL_TRY(L, status, rd_backward_all(roots, n, false, &err));
    s->caller = before;
    if (status != RD_OK) return rdl_raise(L, &err);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        if (luaL_testudata(L, -1, RDL_TENSOR))
            rdl_played(L, lua_gettop(L)); /* or it was replaced */
        lua_pop(L, 1);
    }
    rdl_pay(L);
    return 0;
}

/* parts(on): are inputs parts of longer sequences? Returns what was set before. */
static int parts_mode(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TBOOLEAN);
    lua_pushboolean(L, rd_set_parts(rdl_core(L), lua_toboolean(L, 1)));
    return 1;
}

/* leading_steps(mask): lengths, or nil where there are holes */
static int parts_leading_steps(lua_State *L)
{
    rd_tensor *mask = rdl_tensor(L, 1);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_leading_steps(mask, out, &err));
    if (*out) return 1;
    lua_pushnil(L);
    return 1;
}

static int parts_new_peaks(lua_State *L)
{
    rd_core_new_peaks(rdl_core(L));
    return 0;
}

void rdl_open_parts(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"backward_all", parts_backward_all},
        {"parts", parts_mode},
        {"leading_steps", parts_leading_steps},
        {"new_peaks", parts_new_peaks},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
    lua_pushinteger(L, (lua_Integer)RD_PACKED_AT_ONCE);
    lua_setfield(L, -2, "packed_at_once");
}
