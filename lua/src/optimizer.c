/* optimizer.c - the class rondo.Optimizer.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <string.h>

static rd_optimizer *check_optimizer(lua_State *L)
{
    return rdl_check(L, 1, RDL_OPTIMIZER, "optimizer");
}

static int optimizer_close(lua_State *L)
{
    rd_optimizer **slot = luaL_checkudata(L, 1, RDL_OPTIMIZER);
    rd_optimizer *o = *slot;
    *slot = NULL;
    if (o) rd_optimizer_free(o);
    return 0;
}

/* optimizer(kind, {options}, {parameters}). User value 1 is the number of parameters. */
static int optimizer_new(lua_State *L)
{
    const char *kind = luaL_checkstring(L, 1);
    if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 3);
    size_t n, n_settings;
    rd_tensor **parameters = rdl_tensor_list(L, 3, &n);
    const rd_setting *settings = rdl_settings(L, 2, kind, &n_settings);
    rd_optimizer **out = (rd_optimizer **)rdl_push(L, RDL_OPTIMIZER, 1);
    lua_pushinteger(L, (lua_Integer)n);
    lua_setiuservalue(L, -2, 1);
    RDL_DO(L, rd_optimizer_new(kind, settings, n_settings, parameters, n, out, &err));
    return 1;
}

static int optimizer_step(lua_State *L)
{
    rd_optimizer *o = check_optimizer(L);
    RDL_DO(L, rd_optimizer_step(o, &err));
    return 0;
}

static int optimizer_lr(lua_State *L)
{
    rd_optimizer *o = check_optimizer(L);
    if (!lua_isnoneornil(L, 2)) {
        const double lr = luaL_checknumber(L, 2);
        RDL_DO(L, rd_optimizer_set_lr(o, lr, &err));
    }
    lua_pushnumber(L, rd_optimizer_lr(o));
    return 1;
}

/* group(parameter, lr_factor, weight_decay) */
static int optimizer_group(lua_State *L)
{
    rd_optimizer *o = check_optimizer(L);
    const lua_Integer parameter = luaL_checkinteger(L, 2);
    const double lr_factor = luaL_checknumber(L, 3), weight_decay = luaL_checknumber(L, 4);
    lua_getiuservalue(L, 1, 1);
    luaL_argcheck(L, parameter >= 1 && parameter <= lua_tointeger(L, -1), 2,
                  "there is no parameter of this number");
    RDL_DO(L, rd_optimizer_set_group(o, (size_t)parameter - 1, lr_factor, weight_decay, &err));
    return 0;
}

static int optimizer_updates(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)rd_optimizer_updates(check_optimizer(L)));
    return 1;
}

static int optimizer_slots(lua_State *L)
{
    const rd_optimizer *o = check_optimizer(L);
    const size_t n_slots = rd_optimizer_slot_count(o);
    lua_getiuservalue(L, 1, 1);
    const size_t n = (size_t)lua_tointeger(L, -1);
    lua_Integer place = 1;
    lua_newtable(L);
    for (size_t i = 0; i < n; i++) {
        for (size_t s = 0; s < n_slots; s++) {
            lua_createtable(L, 0, 3);
            lua_pushinteger(L, (lua_Integer)i + 1);
            lua_setfield(L, -2, "parameter");
            lua_pushstring(L, rd_optimizer_slot_name(o, s));
            lua_setfield(L, -2, "name");
            rdl_push_retained(L, rd_optimizer_slot(o, i, s));
            lua_setfield(L, -2, "tensor");
            lua_rawseti(L, -2, place++);
        }
    }
    return 1;
}

static int optimizer_scalars(lua_State *L)
{
    const rd_optimizer *o = check_optimizer(L);
    lua_newtable(L);
    for (size_t i = 0; i < rd_optimizer_scalar_count(o); i++) {
        lua_pushnumber(L, rd_optimizer_scalar(o, i));
        lua_setfield(L, -2, rd_optimizer_scalar_name(o, i));
    }
    return 1;
}

static int optimizer_set_scalar(lua_State *L)
{
    rd_optimizer *o = check_optimizer(L);
    const char *name = luaL_checkstring(L, 2);
    const double value = luaL_checknumber(L, 3);
    for (size_t i = 0; i < rd_optimizer_scalar_count(o); i++) {
        if (strcmp(rd_optimizer_scalar_name(o, i), name) != 0) continue;
        RDL_DO(L, rd_optimizer_set_scalar(o, i, value, &err));
        return 0;
    }
    return luaL_argerror(L, 2, lua_pushfstring(L, "this optimizer has no scalar '%s'", name));
}

static int optimizer_kinds(lua_State *L)
{
    lua_newtable(L);
    for (size_t i = 0; i < rd_optimizer_kind_count(); i++) {
        lua_pushstring(L, rd_optimizer_kind_name(i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int optimizer_options(lua_State *L)
{
    const char *kind = luaL_checkstring(L, 1);
    uint32_t n = 0;
    const rd_option *options = rd_optimizer_options(kind, &n);
    if (!options) return luaL_argerror(L, 1, lua_pushfstring(L, "no optimizer '%s'", kind));
    rdl_push_options(L, options, n, sizeof *options);
    return 1;
}

void rdl_open_optimizer(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"step", optimizer_step},
        {"lr", optimizer_lr},
        {"updates", optimizer_updates},
        {"slots", optimizer_slots},
        {"scalars", optimizer_scalars},
        {"set_scalar", optimizer_set_scalar},
        {"group", optimizer_group},
        {"close", optimizer_close},
        {NULL, NULL},
    };
    static const luaL_Reg meta[] = {
        {"__gc", optimizer_close},
        {"__close", optimizer_close},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"optimizer", optimizer_new},
        {"optimizer_kinds", optimizer_kinds},
        {"optimizer_options", optimizer_options},
        {NULL, NULL},
    };
    rdl_new_class(L, &(rdl_class){.name = RDL_OPTIMIZER, .methods = methods, .meta = meta});
    luaL_setfuncs(L, functions, 0);
}
