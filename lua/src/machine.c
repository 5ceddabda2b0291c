/* machine.c - what the machine can do right now, and what a run spends its time on.
 * SPDX-License-Identifier: MIT */
#include "common.h"

/* peak_gflops() -> number; 0 where no backend here can tell */
static int machine_peak_gflops(lua_State *L)
{
    lua_pushnumber(L, rd_peak_gflops(rdl_core(L)));
    return 1;
}

/* read_bandwidth() -> GB/s */
static int machine_read_bandwidth(lua_State *L)
{
    rd_core *core = rdl_core(L);
    double gbytes = 0;
    RDL_DO(L, rd_read_bandwidth(core, &gbytes, &err));
    lua_pushnumber(L, gbytes);
    return 1;
}

/* profile(true): starts anew; profile(false): stops; profile() -> list of { name, seconds, flops, calls } */
static int machine_profile(lua_State *L)
{
    rd_core *core = rdl_core(L);
    if (!lua_isnoneornil(L, 1)) {
        luaL_checktype(L, 1, LUA_TBOOLEAN);
        if (lua_toboolean(L, 1))
            RDL_DO(L, rd_profile_start(core, &err));
        else
            rd_profile_stop(core);
        return 0;
    }
    lua_createtable(L, RD_WORK_KINDS, 0);
    for (int kind = 0; kind < RD_WORK_KINDS; kind++) {
        const rd_work work = rd_profile_of(core, (rd_work_kind)kind);
        lua_createtable(L, 0, 4);
        lua_pushstring(L, work.name);
        lua_setfield(L, -2, "name");
        lua_pushnumber(L, work.seconds);
        lua_setfield(L, -2, "seconds");
        lua_pushnumber(L, work.flops);
        lua_setfield(L, -2, "flops");
        lua_pushinteger(L, (lua_Integer)work.calls);
        lua_setfield(L, -2, "calls");
        lua_rawseti(L, -2, kind + 1);
    }
    return 1;
}

void rdl_open_machine(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"peak_gflops", machine_peak_gflops},
        {"read_bandwidth", machine_read_bandwidth},
        {"profile", machine_profile},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
