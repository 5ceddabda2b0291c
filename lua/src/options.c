/* options.c - options between Lua tables and the core's records.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <string.h>

/* at: where the field's value lies on the stack. */
static int bad_field(lua_State *L, int arg, const char *name, const char *expected, int at)
{
    const char *got = luaL_tolstring(L, at, NULL);
    return luaL_argerror(L, arg,
                         lua_pushfstring(L, "field '%s' must be %s, got %s", name, expected, got));
}

int rdl_field(lua_State *L, int arg, const char *name)
{
    arg = lua_absindex(L, arg);
    if (!lua_istable(L, arg))
        luaL_error(L, "a table with a field '%s' expected, got a %s", name, luaL_typename(L, arg));
    lua_pushstring(L, name);
    return lua_rawget(L, arg);
}

double rdl_field_number(lua_State *L, int arg, const char *name, double def)
{
    double value = def;
    if (rdl_field(L, arg, name) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TNUMBER) bad_field(L, arg, name, "a number", -1);
        value = lua_tonumber(L, -1);
    }
    lua_pop(L, 1);
    return value;
}

lua_Integer rdl_field_integer(lua_State *L, int arg, const char *name, lua_Integer def,
                              lua_Integer max)
{
    lua_Integer value = def;
    if (rdl_field(L, arg, name) != LUA_TNIL) {
        int exact = 0;
        if (lua_type(L, -1) == LUA_TNUMBER) value = lua_tointegerx(L, -1, &exact);
        if (!exact || value < 0 || value > max)
            bad_field(L, arg, name, lua_pushfstring(L, "an integer 0..%I", max), -2);
    }
    lua_pop(L, 1);
    return value;
}

bool rdl_field_bool(lua_State *L, int arg, const char *name, bool def)
{
    bool value = def;
    if (rdl_field(L, arg, name) != LUA_TNIL) {
        if (!lua_isboolean(L, -1)) bad_field(L, arg, name, "true or false", -1);
        value = lua_toboolean(L, -1);
    }
    lua_pop(L, 1);
    return value;
}

const char *rdl_field_string(lua_State *L, int arg, const char *name, const char *def)
{
    const char *value = def;
    if (rdl_field(L, arg, name) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TSTRING) bad_field(L, arg, name, "a string", -1);
        value = lua_tostring(L, -1);
    }
    lua_pop(L, 1);
    return value;
}

/* Place of the value in the list, or -1. */
static int place_of(const char *value, const char *const *choices)
{
    for (int i = 0; value && choices[i]; i++)
        if (strcmp(value, choices[i]) == 0) return i;
    return -1;
}

/* "a, b or c", pushed. */
static const char *push_choices(lua_State *L, const char *const *choices)
{
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (int i = 0; choices[i]; i++) {
        if (i > 0) luaL_addstring(&b, choices[i + 1] ? ", " : " or ");
        luaL_addstring(&b, choices[i]);
    }
    luaL_pushresult(&b);
    return lua_tostring(L, -1);
}

int rdl_field_choice(lua_State *L, int arg, const char *name, const char *def,
                     const char *const *choices)
{
    const char *value = rdl_field_string(L, arg, name, def);
    const int place = place_of(value, choices);
    if (place >= 0) return place;
    return luaL_argerror(L, arg,
                         lua_pushfstring(L, "field '%s' must be %s, got %s", name,
                                         push_choices(L, choices), value ? value : "nil"));
}

int rdl_choice(lua_State *L, int arg, const char *def, const char *const *choices)
{
    const bool none = def && lua_isnoneornil(L, arg);
    const char *value = none ? def : lua_type(L, arg) == LUA_TSTRING ? lua_tostring(L, arg) : NULL;
    const int place = place_of(value, choices);
    if (place >= 0) return place;
    const char *list = push_choices(L, choices);
    return luaL_argerror(L, arg,
                         value ? lua_pushfstring(L, "%s expected, got '%s'", list, value)
                               : lua_pushfstring(L, "%s expected, got %s", list,
                                                 luaL_typename(L, arg)));
}

/* The setting of the key at -2 and the value at -1. An integral float is an integer: 3.0 is 3. */
static rd_setting setting_of(lua_State *L, const char *what)
{
    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "%s: an option's name must be a string, got %s", what,
                   luaL_tolstring(L, -2, NULL));
    rd_setting s = {.name = lua_tostring(L, -2)};
    int exact;
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
        s.value.i = lua_tointegerx(L, -1, &exact);
        s.kind = exact ? RD_INT : RD_REAL;
        if (!exact) s.value.r = lua_tonumber(L, -1);
        break;
    case LUA_TBOOLEAN:
        s.kind = RD_BOOL;
        s.value.i = lua_toboolean(L, -1);
        break;
    case LUA_TSTRING:
        s.kind = RD_CHOICE;
        s.text = lua_tostring(L, -1);
        break;
    default:
        luaL_error(L, "%s: option '%s' must be a number, a boolean or a string, got a %s", what,
                   s.name, luaL_typename(L, -1));
    }
    return s;
}

const rd_setting *rdl_settings(lua_State *L, int arg, const char *what, size_t *n)
{
    *n = 0;
    if (lua_isnoneornil(L, arg)) {
        lua_pushnil(L); /* as many values are pushed in either case */
        return NULL;
    }
    luaL_checktype(L, arg, LUA_TTABLE);
    size_t count = 0;
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) count++;
    rd_setting *settings = rdl_buffer(L, count, sizeof *settings);
    for (lua_pushnil(L); lua_next(L, arg) && *n < count; lua_pop(L, 1))
        settings[(*n)++] = setting_of(L, what);
    return settings;
}

void rdl_push_value(lua_State *L, const rd_option *option, rd_value value)
{
    if (option->kind == RD_REAL)
        lua_pushnumber(L, value.r);
    else if (option->kind == RD_BOOL)
        lua_pushboolean(L, value.i != 0);
    else if (option->kind == RD_CHOICE)
        lua_pushstring(L, option->choices[value.i]);
    else
        lua_pushinteger(L, value.i);
}

/* A bound of an option: an integer where the option is one. */
static void push_bound(lua_State *L, const rd_option *option, double bound)
{
    lua_Integer i;
    if (option->kind == RD_INT && lua_numbertointeger(bound, &i))
        lua_pushinteger(L, i);
    else
        lua_pushnumber(L, bound);
}

static void push_option(lua_State *L, const rd_option *o)
{
    static const char *const kinds[] = {"int", "real", "bool", "choice"}; /* from RD_INT = 1 */
    rd_value def = {.i = (int64_t)o->def};
    if (o->kind == RD_REAL) def.r = o->def;
    lua_createtable(L, 0, 8);
    lua_pushstring(L, o->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, o->help ? o->help : "");
    lua_setfield(L, -2, "help");
    lua_pushstring(L, kinds[o->kind - RD_INT]);
    lua_setfield(L, -2, "kind");
    rdl_push_value(L, o, def);
    lua_setfield(L, -2, "def");
    lua_pushboolean(L, (o->flags & RD_OPT_SHAPE) != 0);
    lua_setfield(L, -2, "shape");
    if (o->kind == RD_INT || o->kind == RD_REAL) {
        push_bound(L, o, o->min);
        lua_setfield(L, -2, "min");
        push_bound(L, o, o->max);
        lua_setfield(L, -2, "max");
    }
    if (o->kind == RD_CHOICE) {
        lua_newtable(L);
        for (int i = 0; o->choices[i]; i++) {
            lua_pushstring(L, o->choices[i]);
            lua_rawseti(L, -2, i + 1);
        }
        lua_setfield(L, -2, "choices");
    }
}

void rdl_push_options(lua_State *L, const rd_option *options, uint32_t n, uint32_t option_size)
{
    lua_createtable(L, (int)n, 0);
    for (uint32_t i = 0; i < n; i++) {
        /* Records of a plugin may be longer than ours: they only grow at the end. */
        push_option(L, (const rd_option *)((const char *)options + (size_t)i * option_size));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}
