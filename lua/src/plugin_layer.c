/* plugin_layer.c - the class rondo.PluginLayer: a layer that a plugin computes as a whole.
 *
 * User value 1 is the list of its parameters' userdata, so that a parameter is the same Lua object
 * whenever it is asked for.
 * SPDX-License-Identifier: MIT */
#include "common.h"

static rd_plugin_layer *check_layer(lua_State *L)
{
    return rdl_check(L, 1, RDL_PLUGIN_LAYER, "layer");
}

static int layer_close(lua_State *L)
{
    rd_plugin_layer **slot = luaL_checkudata(L, 1, RDL_PLUGIN_LAYER);
    rd_plugin_layer *layer = *slot;
    *slot = NULL;
    rd_plugin_layer_release(layer);
    return 0;
}

static void keep_parameters(lua_State *L, const rd_plugin_layer *layer, int at)
{
    rd_tensor *parameter;
    lua_newtable(L);
    for (size_t i = 0; (parameter = rd_plugin_layer_parameter(layer, i, NULL)); i++) {
        rdl_push_retained(L, parameter);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setiuservalue(L, at, 1);
}

/* plugin_layer { name=, input_size=, options=, label=, seed=, layer= } */
static int layer_new(lua_State *L)
{
    rd_core *core = rdl_core(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    rd_plugin_layer_config config = {
        .name = rdl_field_string(L, 1, "name", NULL),
        .input_size = (uint32_t)rdl_field_integer(L, 1, "input_size", 0, UINT32_MAX),
        .label = rdl_field_string(L, 1, "label", NULL),
        .seed = (uint32_t)rdl_field_integer(L, 1, "seed", 1, UINT32_MAX),
        .layer = (uint32_t)rdl_field_integer(L, 1, "layer", 0, (1 << 24) - 1),
    };
    if (!config.name)
        return luaL_argerror(L, 1, "field 'name' must be the name of a layer, got nil");
    if (!config.label) config.label = config.name;
    rdl_field(L, 1, "options");
    config.settings = rdl_settings(L, 2, config.label, &config.n_settings);
    rd_plugin_layer **out = (rd_plugin_layer **)rdl_push(L, RDL_PLUGIN_LAYER, 1);
    RDL_DO(L, rd_plugin_layer_new(core, &config, out, &err));
    keep_parameters(L, *out, lua_gettop(L));
    rdl_pay(L);
    return 1;
}

static size_t state_count(const rd_plugin_layer *layer)
{
    size_t n = 0;
    while (rd_plugin_layer_state(layer, n, NULL)) n++;
    return n;
}

/* The list of states at arg 3, or none. */
static bool read_states(lua_State *L, const rd_plugin_layer *layer,
                        rd_tensor *state[RDL_MAX_STATES])
{
    const size_t n = state_count(layer);
    if (lua_isnoneornil(L, 3)) return false;
    luaL_checktype(L, 3, LUA_TTABLE);
    if (lua_rawlen(L, 3) != n)
        luaL_argerror(L, 3,
                      lua_pushfstring(L, "the layer has %I states, got a list of %I",
                                      (lua_Integer)n, (lua_Integer)lua_rawlen(L, 3)));
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 3, (lua_Integer)i + 1);
        rd_tensor **slot = luaL_testudata(L, -1, RDL_TENSOR);
        if (!slot || !*slot)
            luaL_argerror(L, 3,
                          lua_pushfstring(L, "state '%s' must be a tensor, got a %s",
                                          rd_plugin_layer_state(layer, i, NULL),
                                          slot ? "closed tensor" : luaL_typename(L, -1)));
        state[i] = *slot;
        lua_pop(L, 1); /* the list holds it */
    }
    return true;
}

/* forward(x, states or nil, mask or nil, resets or nil) -> output, last states */
static int layer_forward(lua_State *L)
{
    rd_plugin_layer *layer = check_layer(L);
    rd_tensor *state[RDL_MAX_STATES] = {NULL}, *final[RDL_MAX_STATES];
    rd_tensor **slot[RDL_MAX_STATES];
    lua_settop(L, 5);
    const size_t n = state_count(layer);
    rd_rnn_input in = {.x = rdl_tensor(L, 2)};
    if (read_states(L, layer, state)) in.states = state;
    if (!lua_isnil(L, 4)) in.mask = rdl_tensor(L, 4);
    if (!lua_isnil(L, 5)) in.resets = rdl_tensor(L, 5);
    rd_tensor **y = rdl_push_tensor(L);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        slot[i] = rdl_push_tensor(L);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    RDL_DO(L, rd_plugin_layer_run(layer, &in, y, final, &err));
    for (size_t i = 0; i < n; i++) *slot[i] = final[i];
    rdl_pay(L);
    return 2;
}

static int layer_parameters(lua_State *L)
{
    const rd_plugin_layer *layer = check_layer(L);
    const char *name;
    lua_getiuservalue(L, 1, 1);
    lua_newtable(L);
    for (size_t i = 0; rd_plugin_layer_parameter(layer, i, &name); i++) {
        lua_createtable(L, 2, 0);
        lua_pushstring(L, name);
        lua_rawseti(L, -2, 1);
        lua_rawgeti(L, -3, (lua_Integer)i + 1);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* The names of its states. */
static int layer_states(lua_State *L)
{
    const rd_plugin_layer *layer = check_layer(L);
    const char *name;
    lua_newtable(L);
    for (size_t i = 0; (name = rd_plugin_layer_state(layer, i, NULL)); i++) {
        lua_pushstring(L, name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int layer_output_size(lua_State *L)
{
    lua_pushinteger(L, rd_plugin_layer_output_size(check_layer(L)));
    return 1;
}

static int layer_tostring(lua_State *L)
{
    rd_plugin_layer **slot = luaL_checkudata(L, 1, RDL_PLUGIN_LAYER);
    if (*slot)
        lua_pushfstring(L, "PluginLayer (%d)", (int)rd_plugin_layer_output_size(*slot));
    else
        lua_pushliteral(L, "PluginLayer (closed)");
    return 1;
}

void rdl_open_plugin_layer(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"forward", layer_forward}, {"parameters", layer_parameters},
        {"states", layer_states},   {"output_size", layer_output_size},
        {"close", layer_close},     {NULL, NULL},
    };
    static const luaL_Reg meta[] = {
        {"__gc", layer_close},
        {"__close", layer_close},
        {"__tostring", layer_tostring},
        {NULL, NULL},
    };
    rdl_new_class(L, &(rdl_class){.name = RDL_PLUGIN_LAYER, .methods = methods, .meta = meta});
    lua_pushcfunction(L, layer_new);
    lua_setfield(L, -2, "plugin_layer");
}
