/* core.c - the running core: opening, threads, memory, plugins, cells and kernels.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char here = 0; /* an address inside core.so */

static bool has_plugins(const char *folder)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/plugins-%d", folder, RD_ABI_MAJOR);
    return access(path, F_OK) == 0;
}

/* <prefix>/lib/rondo of the <prefix>/lib/lua/5.4/rondo/core.so this code lies in, or the folder of core.so
 * itself if the plugins are there (as LuaRocks puts them); pushes it or nil. */
static int core_lib_dir(lua_State *L)
{
    /* core.so, rondo, 5.4, lua: what is cut off before "rondo" is added. */
    enum { LEVELS = 4 };
    char path[PATH_MAX];
    Dl_info where;
    if (!dladdr(&here, &where) || !realpath(where.dli_fname, path)) {
        luaL_pushfail(L);
        return 1;
    }
    for (int i = 0; i < LEVELS; i++) {
        if (i == 1 && has_plugins(path)) {
            lua_pushstring(L, path);
            return 1;
        }
        char *slash = strrchr(path, '/');
        if (!slash) {
            luaL_pushfail(L);
            return 1;
        }
        *slash = '\0';
    }
    lua_pushfstring(L, "%s/rondo", path);
    return 1;
}

static uint32_t check_threads(lua_State *L, lua_Integer n)
{
    if (n < 0 || n > UINT16_MAX)
        luaL_error(L, "threads must be 0 (one per CPU) to %d, got %I", UINT16_MAX, n);
    return (uint32_t)n;
}

static int core_open(lua_State *L)
{
    rdl_state *s = rdl_get_state(L);
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    const uint32_t threads =
        check_threads(L, rdl_field_integer(L, 1, "threads", 0, LUA_MAXINTEGER));
    if (s->core) {
        rdl_field(L, 1, "threads");
        if (!lua_isnil(L, -1)) RDL_DO(L, rd_core_set_threads(s->core, threads, &err));
        return 0;
    }
    core_lib_dir(L); /* stays on the stack while it is in use */
    const rd_core_options options = {
        .threads = threads,
        .kernels = rdl_field_string(L, 1, "kernels", NULL),
        .plugin_path = rdl_field_string(L, 1, "plugin_path", NULL),
        .user_dir = rdl_field_string(L, 1, "user_dir", NULL),
        .lib_dir = rdl_field_string(L, 1, "lib_dir", lua_tostring(L, -1)),
        .trust_plugins = rdl_field_bool(L, 1, "trust_plugins", false),
    };
    RDL_DO(L, rd_core_open(&options, &s->core, &err));
    return 0;
}

static int core_threads(lua_State *L)
{
    rd_core *core = rdl_core(L);
    if (!lua_isnoneornil(L, 1)) {
        const uint32_t n = check_threads(L, luaL_checkinteger(L, 1));
        RDL_DO(L, rd_core_set_threads(core, n, &err));
    }
    lua_pushinteger(L, rd_core_threads(core));
    return 1;
}

/* precision([name]): the one before. */
static int core_precision(lua_State *L)
{
    rd_core *core = rdl_core(L);
    lua_pushstring(L, rd_core_precision(core));
    if (!lua_isnoneornil(L, 1)) {
        const char *name = luaL_checkstring(L, 1);
        RDL_DO(L, rd_core_set_precision(core, name, &err));
    }
    return 1;
}

static int core_kernels(lua_State *L)
{
    lua_pushstring(L, rd_core_kernels(rdl_core(L)));
    return 1;
}

static void set_integer(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

/* NULL leaves the field nil. */
static void set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static int core_cpu(lua_State *L)
{
    static const struct {
        uint64_t bit;
        const char *name;
    } features[] = {
        {RD_CPU_SSE2, "sse2"},
        {RD_CPU_AVX2, "avx2"},
        {RD_CPU_FMA, "fma"},
        {RD_CPU_AVX512F, "avx512f"},
        {RD_CPU_AVX512VL, "avx512vl"},
        {RD_CPU_AVX512BW, "avx512bw"},
        {RD_CPU_AVX512DQ, "avx512dq"},
        {RD_CPU_NEON, "neon"},
        {RD_CPU_AVX512BF16, "avx512bf16"},
        {RD_CPU_AVX512VNNI, "avx512vnni"},
    };
    const rd_cpu *cpu = rd_core_cpu(rdl_core(L));
    lua_newtable(L);
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        if (!(cpu->features & features[i].bit)) continue;
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, features[i].name);
    }
    set_integer(L, "threads", cpu->threads);
    set_integer(L, "l1_bytes", cpu->l1_bytes);
    set_integer(L, "l2_bytes", cpu->l2_bytes);
    set_integer(L, "l3_bytes", cpu->l3_bytes);
    return 1;
}

static int core_memory(lua_State *L)
{
    const rd_memory_use use = rd_core_memory(rdl_core(L));
    lua_createtable(L, 0, 7);
    set_integer(L, "packed_at_peak", use.packed_at_peak);
    set_integer(L, "asked_bytes", use.asked_bytes);
    set_integer(L, "asked_peak", use.asked_peak);
    set_integer(L, "live_bytes", use.live_bytes);
    set_integer(L, "peak_bytes", use.peak_bytes);
    set_integer(L, "held_bytes", use.held_bytes);
    set_integer(L, "system_allocations", use.system_allocations);
    return 1;
}

static int core_trim(lua_State *L)
{
    rd_core_trim(rdl_core(L));
    return 0;
}

static int core_grad_mode(lua_State *L)
{
    rd_core *core = rdl_core(L);
    if (lua_isnoneornil(L, 1)) {
        lua_pushboolean(L, rd_grad_mode(core));
    } else {
        luaL_checktype(L, 1, LUA_TBOOLEAN);
        lua_pushboolean(L, rd_set_grad_mode(core, lua_toboolean(L, 1)));
    }
    return 1;
}

/* ---- plugins ---- */

static void push_report(lua_State *L, const rd_plugin_report *r)
{
    lua_createtable(L, 0, 9);
    set_string(L, "path", r->path);
    set_string(L, "found", r->found);
    set_string(L, "name", r->name);
    set_string(L, "version", r->version);
    set_string(L, "license", r->license);
    set_string(L, "origin", r->origin);
    set_string(L, "refusal", r->refusal);
    lua_newtable(L);
    for (size_t i = 0; r->plugin && r->plugin->cells && r->plugin->cells[i]; i++) {
        lua_pushstring(L, r->plugin->cells[i]->name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "cells");
    lua_newtable(L);
    for (size_t i = 0; r->plugin && r->plugin->kernels && r->plugin->kernels[i]; i++) {
        lua_pushstring(L, r->plugin->kernels[i]->name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "kernels");
    lua_newtable(L);
    for (size_t i = 0; r->plugin && r->plugin->layers && r->plugin->layers[i]; i++) {
        lua_pushstring(L, r->plugin->layers[i]->name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "layers");
}

static int core_plugins(lua_State *L)
{
    const rd_core *core = rdl_core(L);
    lua_newtable(L);
    for (size_t i = 0; i < rd_plugin_count(core); i++) {
        const rd_plugin_report report = rd_plugin_at(core, i);
        push_report(L, &report);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int core_load_plugin(lua_State *L)
{
    rd_core *core = rdl_core(L);
    const char *path = luaL_checkstring(L, 1);
    rd_plugin_report report = {0};
    rd_error err;
    if (rd_plugin_load(core, path, &report, &err) != RD_OK) return rdl_outside(L, &err);
    push_report(L, &report);
    return 1;
}

static int core_cells(lua_State *L)
{
    const rd_core *core = rdl_core(L);
    lua_newtable(L);
    for (size_t i = 0; i < rd_cell_count(core); i++) {
        lua_pushstring(L, rd_cell_at(core, i)->name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int core_cell(lua_State *L)
{
    rd_core *core = rdl_core(L);
    const char *name = luaL_checkstring(L, 1);
    rd_error err;
    const rd_cell *cell = rd_cell_find(core, name, &err);
    if (!cell) return rdl_outside(L, &err);
    lua_createtable(L, 0, 6);
    set_string(L, "name", cell->name);
    set_string(L, "help", cell->help ? cell->help : "");
    set_integer(L, "revision", cell->revision);
    lua_pushboolean(L, cell->backward != NULL);
    lua_setfield(L, -2, "trainable");
    rdl_push_options(L, cell->options, cell->n_options, cell->option_size);
    lua_setfield(L, -2, "options");
    const rd_plugin_report report = rd_cell_plugin(core, cell);
    push_report(L, &report);
    lua_setfield(L, -2, "plugin");
    return 1;
}

static int core_layers(lua_State *L)
{
    const rd_core *core = rdl_core(L);
    lua_newtable(L);
    for (size_t i = 0; i < rd_layer_count(core); i++) {
        lua_pushstring(L, rd_layer_at(core, i)->name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* layer(name): a layer of a plugin, described as a cell is. */
static int core_layer(lua_State *L)
{
    rd_core *core = rdl_core(L);
    const char *name = luaL_checkstring(L, 1);
    rd_error err;
    const rd_layer *layer = rd_layer_find(core, name, &err);
    if (!layer) return rdl_outside(L, &err);
    lua_createtable(L, 0, 6);
    set_string(L, "name", layer->name);
    set_string(L, "help", layer->help);
    set_integer(L, "revision", layer->revision);
    lua_pushboolean(L, layer->backward != NULL);
    lua_setfield(L, -2, "trainable");
    lua_pushboolean(L, !(layer->flags & RD_LAYER_NOT_CAUSAL));
    lua_setfield(L, -2, "causal");
    rdl_push_options(L, layer->options, layer->n_options, layer->option_size);
    lua_setfield(L, -2, "options");
    const rd_plugin_report report = rd_layer_plugin(core, layer);
    push_report(L, &report);
    lua_setfield(L, -2, "plugin");
    return 1;
}

/* The kinds of products that a backend makes: numbers of the core's precision first. */
static void push_products(lua_State *L, const rd_kernels *kernels)
{
    static const struct {
        uint32_t needs;
        const char *name;
    } kinds[] = {{0, "float32"}, {RD_KERNELS_BF16, "bf16"}, {RD_KERNELS_INT8, "int8"}};
    lua_newtable(L);
    for (size_t i = 0; kernels->gemm && i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].needs & ~kernels->flags) continue;
        lua_pushstring(L, kinds[i].name);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
}

static int core_kernel_list(lua_State *L)
{
    const rd_core *core = rdl_core(L);
    lua_newtable(L);
    for (size_t i = 0; i < rd_kernels_count(core); i++) {
        const rd_kernels_report report = rd_kernels_at(core, i);
        lua_createtable(L, 0, 4);
        lua_pushboolean(L, report.kernels->flags & RD_KERNELS_INEXACT);
        lua_setfield(L, -2, "inexact");
        set_integer(L, "score", (uint64_t)report.score);
        push_products(L, report.kernels);
        lua_setfield(L, -2, "products");
        set_string(L, "name", report.kernels->name);
        set_string(L, "help", report.kernels->help ? report.kernels->help : "");
        set_string(L, "why_not", report.why_not);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int core_nearest(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    const size_t n = (size_t)lua_rawlen(L, 2);
    const char **names = rdl_buffer(L, n, sizeof *names);
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, 2, (lua_Integer)i + 1) != LUA_TSTRING)
            return luaL_argerror(L, 2, "a list of strings expected");
        names[i] = lua_tostring(L, -1); /* kept by the list */
        lua_pop(L, 1);
    }
    lua_pushstring(L, rd_nearest(name, names, n));
    return 1;
}

void rdl_open_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"open", core_open},
        {"lib_dir", core_lib_dir},
        {"threads", core_threads},
        {"kernels", core_kernels},
        {"precision", core_precision},
        {"cpu", core_cpu},
        {"memory", core_memory},
        {"trim", core_trim},
        {"grad_mode", core_grad_mode},
        {"plugins", core_plugins},
        {"load_plugin", core_load_plugin},
        {"cells", core_cells},
        {"cell", core_cell},
        {"layers", core_layers},
        {"layer", core_layer},
        {"kernel_list", core_kernel_list},
        {"nearest", core_nearest},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
    set_string(L, "VERSION", RD_VERSION);
    set_string(L, "real", sizeof(rd_real) == sizeof(float) ? "float" : "double");
    lua_pushfstring(L, "%d.%d", RD_ABI_MAJOR, RD_ABI_MINOR);
    lua_setfield(L, -2, "abi");
}
