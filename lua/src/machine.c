/* machine.c - what the machine can do right now, which measurements are compared with.
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

void rdl_open_machine(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"peak_gflops", machine_peak_gflops},
        {"read_bandwidth", machine_read_bandwidth},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
