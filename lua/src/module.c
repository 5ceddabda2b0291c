/* module.c - luaopen_rondo_core: the C module behind require "rondo".
 * SPDX-License-Identifier: MIT */
#include "common.h"

RD_EXPORT int luaopen_rondo_core(lua_State *L);

int luaopen_rondo_core(lua_State *L)
{
    static void (*const parts[])(lua_State *) = {
        rdl_open_core,      rdl_open_tensor,   rdl_open_random,       rdl_open_sampling,
        rdl_open_learn,     rdl_open_rnn,      rdl_open_loss,         rdl_open_average,
        rdl_open_optimizer, rdl_open_archive,  rdl_open_text,         rdl_open_vocab,
        rdl_open_files,     rdl_open_system,   rdl_open_process,      rdl_open_machine,
        rdl_open_chain,     rdl_open_function, rdl_open_plugin_layer, rdl_open_csv,
        rdl_open_spawn,     rdl_open_parts,    rdl_open_series,       rdl_open_windows,
        rdl_open_trace,     rdl_open_forecast, rdl_open_terminal,     rdl_open_ticker,
        rdl_open_hdf5,      rdl_open_data,
    };
    luaL_checkversion(L);
    rdl_open_state(L);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) parts[i](L);
    return 1;
}
