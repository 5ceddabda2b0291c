/* common.c - errors, memory and arguments of the C module.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <assert.h>

#define RDL_PAY_BYTES ((size_t)256 << 10)
#define RDL_SOFT_MAX ((size_t)64 << 20)

static const char state_key = 0; /* its address is the key in the registry */

static int state_gc(lua_State *L)
{
    rdl_state *s = lua_touserdata(L, 1);
    rd_core *core = s->core;
    s->core = NULL;
    if (core) rd_core_release(core);
    rdl_release_signals(); /* the code of the handler goes with the module */
    return 0;
}

void rdl_open_state(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key) == LUA_TNIL) {
        rdl_state *s = lua_newuserdatauv(L, sizeof *s, 0);
        *s = (rdl_state){.soft_max = RDL_SOFT_MAX};
        lua_newtable(L);
        lua_pushcfunction(L, state_gc);
        lua_setfield(L, -2, "__gc");
        lua_setmetatable(L, -2);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &state_key);
    }
    lua_pop(L, 1);
    /* lua5.4 (not the library) starts in generational mode, where a tensor that two young collections
     * have seen alive is kept until a major one, which native bytes do not bring nearer. */
    lua_gc(L, LUA_GCINC, 0, 0, 0);
}

rdl_state *rdl_get_state(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key);
    rdl_state *s = lua_touserdata(L, -1);
    lua_pop(L, 1); /* the registry keeps it */
    return s;
}

rd_core *rdl_core(lua_State *L)
{
    rd_core *core = rdl_get_state(L)->core;
    if (!core) luaL_error(L, "the core is not open: call open {} first");
    return core;
}

void rdl_pay(lua_State *L)
{
    rdl_state *s = rdl_get_state(L);
    if (s->custom > 0) rdl_adopt(L, 0);
    size_t live = rd_core_memory(s->core).live_bytes;
    if (live < s->seen + RDL_PAY_BYTES) return;
    if (live > s->soft_max) {
        lua_gc(L, LUA_GCCOLLECT, 0);
        live = rd_core_memory(s->core).live_bytes;
        /* What is left is in use: the next full collection comes when half as much again is there. */
        s->soft_max = live + live / 2 > RDL_SOFT_MAX ? live + live / 2 : RDL_SOFT_MAX;
    } else {
        lua_gc(L, LUA_GCSTEP, (int)((live - s->seen) >> 10)); /* < soft_max: an int holds it */
        live = rd_core_memory(s->core).live_bytes;
    }
    s->seen = live;
}

int rdl_raise(lua_State *L, const rd_error *err)
{
    rdl_state *s = rdl_get_state(L);
    if (!s->raised) return luaL_error(L, "%s", err->text);
    s->raised = false;
    return lua_error(L);
}

int rdl_outside(lua_State *L, const rd_error *err)
{
    luaL_pushfail(L);
    lua_pushstring(L, err->text);
    lua_pushinteger(L, err->code);
    return 3;
}

void rdl_new_class(lua_State *L, const rdl_class *class)
{
    luaL_newmetatable(L, class->name);
    lua_newtable(L);
    luaL_setfuncs(L, class->methods, 0);
    lua_setfield(L, -2, "__index");
    luaL_setfuncs(L, class->meta, 0);
    lua_pop(L, 1);
}

void **rdl_push(lua_State *L, const char *name, int user_values)
{
    void **slot = lua_newuserdatauv(L, sizeof *slot, user_values);
    *slot = NULL;
    luaL_setmetatable(L, name);
    return slot;
}

void *rdl_check(lua_State *L, int arg, const char *name, const char *what)
{
    void **slot = luaL_checkudata(L, arg, name);
    if (!*slot) luaL_argerror(L, arg, lua_pushfstring(L, "closed %s", what));
    return *slot;
}

void *rdl_buffer(lua_State *L, size_t n, size_t width)
{
    assert(n <= SIZE_MAX / 2 / width); /* n is a length in Lua or of a tensor that exists */
    return lua_newuserdatauv(L, n ? n * width : 1, 0);
}

uint32_t rdl_dim(lua_State *L, int arg, uint32_t ndim)
{
    const lua_Integer given = luaL_checkinteger(L, arg);
    const lua_Integer dim = given < 0 ? given + (lua_Integer)ndim + 1 : given;
    if (dim < 1 || dim > (lua_Integer)ndim) {
        const char *text =
            ndim == 0 ? lua_pushfstring(L, "a tensor of no dimensions has no dimension %I", given)
                      : lua_pushfstring(L, "dimension must be 1..%d or -%d..-1, got %I", (int)ndim,
                                        (int)ndim, given);
        luaL_argerror(L, arg, text);
    }
    return (uint32_t)(dim - 1);
}

uint32_t rdl_opt_dim(lua_State *L, int arg, uint32_t ndim)
{
    return lua_isnoneornil(L, arg) ? RD_ALL : rdl_dim(L, arg, ndim);
}

size_t rdl_position(lua_State *L, lua_Integer at, size_t size, uint32_t dim)
{
    const lua_Integer n = (lua_Integer)size;
    const lua_Integer i = at < 0 ? at + n + 1 : at;
    if (i < 1 || i > n)
        luaL_error(L, "position %I is outside dimension %d, which has %I", at, (int)dim, n);
    return (size_t)(i - 1);
}

rdl_shape rdl_check_shape(lua_State *L, int arg)
{
    rdl_shape s = {0};
    luaL_checktype(L, arg, LUA_TTABLE);
    const lua_Unsigned n = lua_rawlen(L, arg);
    if (n > RD_MAX_DIMS)
        luaL_argerror(L, arg,
                      lua_pushfstring(L, "a tensor has at most %d dimensions, got %I", RD_MAX_DIMS,
                                      (lua_Integer)n));
    for (s.ndim = 0; s.ndim < n; s.ndim++) {
        lua_rawgeti(L, arg, (lua_Integer)s.ndim + 1);
        int exact;
        const lua_Integer size = lua_tointegerx(L, -1, &exact);
        if (!exact || size < 0)
            luaL_argerror(L, arg,
                          lua_pushfstring(L, "size of dimension %d must be an integer >= 0, got %s",
                                          (int)s.ndim + 1, luaL_tolstring(L, -1, NULL)));
        s.size[s.ndim] = (size_t)size;
        lua_pop(L, 1);
    }
    return s;
}

rd_order rdl_opt_order(lua_State *L, int arg)
{
    static const char *const names[] = {"dense", "sequence", NULL};
    return rdl_choice(L, arg, "dense", names) == 0 ? RD_DENSE : RD_SEQUENCE;
}

rd_tensor **rdl_tensor_list(lua_State *L, int arg, size_t *n)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    *n = (size_t)lua_rawlen(L, arg);
    rd_tensor **list = rdl_buffer(L, *n, sizeof *list);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, arg, (lua_Integer)i + 1);
        rd_tensor **slot = luaL_testudata(L, -1, RDL_TENSOR);
        if (!slot || !*slot)
            luaL_argerror(L, arg,
                          lua_pushfstring(L, "entry %I must be a tensor, got %s",
                                          (lua_Integer)i + 1,
                                          slot ? "a closed tensor" : luaL_typename(L, -1)));
        list[i] = *slot;
        lua_pop(L, 1);
    }
    return list;
}

rd_stream rdl_check_stream(lua_State *L, int arg)
{
    static const char *const purposes[] = {"init",    "dropout", "shuffle", "sample", "user",
                                           "sources", "zoneout", "weights", "paths",  NULL};
    luaL_checktype(L, arg, LUA_TTABLE);
    return (rd_stream){
        .seed = (uint32_t)rdl_field_integer(L, arg, "seed", 1, UINT32_MAX),
        .purpose = (uint32_t)rdl_field_choice(L, arg, "purpose", "user", purposes) + RD_FOR_INIT,
        .layer = (uint32_t)rdl_field_integer(L, arg, "layer", 0, (1 << 24) - 1),
        .update = (uint32_t)rdl_field_integer(L, arg, "update", 0, UINT32_MAX),
        .time = (uint32_t)rdl_field_integer(L, arg, "time", 0, UINT32_MAX),
    };
}
