/* rnn.c - the class rondo.Rnn: one recurrent layer of any cell.
 *
 * User value 1 is the list of its parameters' userdata, so that a parameter is the same Lua object
 * whenever it is asked for.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <string.h>

static rd_rnn *check_rnn(lua_State *L)
{
    return rdl_check(L, 1, RDL_RNN, "recurrent layer");
}

static int rnn_close(lua_State *L)
{
    rd_rnn **slot = luaL_checkudata(L, 1, RDL_RNN);
    rd_rnn *rnn = *slot;
    *slot = NULL;
    if (rnn) rd_rnn_release(rnn);
    return 0;
}

static void keep_parameters(lua_State *L, const rd_rnn *rnn, int at)
{
    const size_t n = rd_rnn_parameter_count(rnn);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        rdl_push_retained(L, rd_rnn_parameter(rnn, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setiuservalue(L, at, 1);
}

/* The field "zoneout": a number, or numbers by state. The names stay alive as long as their table. */
static size_t read_zoneout(lua_State *L, rd_zoneout list[RDL_MAX_STATES])
{
    size_t n = 0;
    if (rdl_field(L, 1, "zoneout") == LUA_TTABLE) {
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TNUMBER ||
                n == RDL_MAX_STATES)
                luaL_argerror(L, 1, "field 'zoneout' must have numbers by the names of states");
            list[n++] = (rd_zoneout){lua_tostring(L, -2), lua_tonumber(L, -1)};
        }
    } else if (!lua_isnil(L, -1)) {
        list[n++] = (rd_zoneout){NULL, rdl_field_number(L, 1, "zoneout", 0)};
    }
    lua_pop(L, 1);
    return n;
}

/* rnn { cell=, input_size=, hidden_size=, bias=, options=, label=, seed=, layer=, input_dropout=,
 *       recurrent_dropout=, weight_drop=, zoneout= } */
static int rnn_new(lua_State *L)
{
    rd_core *core = rdl_core(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    rd_zoneout zoneout[RDL_MAX_STATES];
    rd_rnn_config config = {
        .cell = rdl_field_string(L, 1, "cell", NULL),
        .input_size = (uint32_t)rdl_field_integer(L, 1, "input_size", 0, UINT32_MAX),
        .hidden_size = (uint32_t)rdl_field_integer(L, 1, "hidden_size", 0, UINT32_MAX),
        .bias = (uint32_t)rdl_field_integer(L, 1, "bias", 1, 2),
        .label = rdl_field_string(L, 1, "label", NULL),
        .seed = (uint32_t)rdl_field_integer(L, 1, "seed", 1, UINT32_MAX),
        .layer = (uint32_t)rdl_field_integer(L, 1, "layer", 0, (1 << 24) - 1),
        .input_dropout = rdl_field_number(L, 1, "input_dropout", 0),
        .recurrent_dropout = rdl_field_number(L, 1, "recurrent_dropout", 0),
        .weight_drop = rdl_field_number(L, 1, "weight_drop", 0),
        .zoneout = zoneout,
        .n_zoneout = read_zoneout(L, zoneout),
    };
    if (!config.cell)
        return luaL_argerror(L, 1, "field 'cell' must be the name of a cell, got nil");
    if (!config.label) config.label = config.cell;
    rdl_field(L, 1, "options");
    config.settings = rdl_settings(L, 2, config.label, &config.n_settings);
    rd_rnn **out = (rd_rnn **)rdl_push(L, RDL_RNN, 1);
    RDL_DO(L, rd_rnn_new(core, &config, out, &err));
    keep_parameters(L, *out, lua_gettop(L));
    rdl_pay(L);
    return 1;
}

/* What run_layers is given for a layer, and where its last states go. */
struct layer_run {
    rd_rnn *rnn;
    rd_tensor *state[RDL_MAX_STATES], *first[RDL_MAX_STATES];
};

/* A tensor of the table at the top, or NULL. */
static rd_tensor *field_tensor(lua_State *L, const char *name)
{
    rd_tensor *t = NULL;
    if (rdl_field(L, -1, name) != LUA_TNIL) {
        rd_tensor **slot = luaL_testudata(L, -1, RDL_TENSOR);
        if (!slot || !*slot)
            luaL_error(L, "field '%s' must be a tensor, got a %s", name,
                       slot ? "closed tensor" : luaL_typename(L, -1));
        t = *slot;
    }
    lua_pop(L, 1); /* the table holds it */
    return t;
}

/* The list 'first' of the table at the top; what is no tensor stands for the cell's own value. */
static bool read_first(lua_State *L, struct layer_run *run)
{
    const bool there = rdl_field(L, -1, "first") == LUA_TTABLE;
    for (size_t i = 0; there && i < rd_rnn_state_count(run->rnn); i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        rd_tensor **slot = luaL_testudata(L, -1, RDL_TENSOR);
        run->first[i] = slot ? *slot : NULL;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return there;
}

/* The states of a layer out of the list at arg 3, from place `at` on; false: there is no list. */
static bool read_states(lua_State *L, struct layer_run *run, size_t at)
{
    if (lua_isnoneornil(L, 3)) return false;
    for (size_t i = 0; i < rd_rnn_state_count(run->rnn); i++) {
        lua_rawgeti(L, 3, (lua_Integer)(at + i) + 1);
        rd_tensor **slot = luaL_testudata(L, -1, RDL_TENSOR);
        if (!slot || !*slot)
            luaL_argerror(L, 3,
                          lua_pushfstring(L, "state '%s' must be a tensor, got a %s",
                                          rd_rnn_state_name(run->rnn, i),
                                          slot ? "closed tensor" : luaL_typename(L, -1)));
        run->state[i] = *slot;
        lua_pop(L, 1);
    }
    return true;
}

/* The table { mask = mask or lengths, resets =, reverse =, first =, update =, time = } at the top; with an
 * update the layer is in training. */
static void read_how(lua_State *L, struct layer_run *run, rd_rnn_input *in)
{
    const int how = lua_gettop(L);
    in->mask = field_tensor(L, "mask");
    in->resets = field_tensor(L, "resets");
    if (read_first(L, run)) in->first = run->first;
    rdl_field(L, how, "reverse");
    in->reverse = lua_toboolean(L, -1);
    in->training = rdl_field(L, how, "update") != LUA_TNIL;
    lua_settop(L, how);
    in->update = (uint32_t)rdl_field_integer(L, how, "update", 0, UINT32_MAX);
    in->time = (uint32_t)rdl_field_integer(L, how, "time", 0, UINT32_MAX);
}

/* Scratch that the collector frees. */
static void *new_zeros(lua_State *L, size_t n, size_t size)
{
    return memset(lua_newuserdatauv(L, n * size, 0), 0, n * size);
}

/* How many states the layers of argument 1 have together, and is the list at arg 3 as long? */
static size_t count_states(lua_State *L, rd_rnn **rnn)
{
    const size_t n = lua_rawlen(L, 1);
    size_t states = 0;
    for (size_t k = 0; k < n; k++) {
        lua_rawgeti(L, 1, (lua_Integer)k + 1);
        rd_rnn **slot = luaL_testudata(L, -1, RDL_RNN);
        if (!slot || !*slot)
            luaL_argerror(L, 1,
                          lua_pushfstring(L, "entry %I must be a recurrent layer, got a %s",
                                          (lua_Integer)k + 1,
                                          slot ? "closed one" : luaL_typename(L, -1)));
        rnn[k] = *slot;
        lua_pop(L, 1); /* the table holds it */
        states += rd_rnn_state_count(rnn[k]);
    }
    if (lua_isnoneornil(L, 3)) return states;
    luaL_checktype(L, 3, LUA_TTABLE);
    if (lua_rawlen(L, 3) != states)
        luaL_argerror(L, 3,
                      lua_pushfstring(L, "%s has %I states, got a list of %I",
                                      n == 1 ? rd_rnn_cell(rnn[0])->name : "the stack",
                                      (lua_Integer)states, (lua_Integer)lua_rawlen(L, 3)));
    return states;
}

/* Reads arguments 2 to 5 of run_layers for layers that are known. */
static void read_layers(lua_State *L, struct layer_run *run, rd_rnn *const *rnn, rd_rnn_input *in)
{
    const size_t n = lua_rawlen(L, 1);
    for (size_t k = 0, at = 0; k < n; k++) {
        run[k].rnn = rnn[k];
        if (k == 0 || lua_toboolean(L, 5)) in[k].x = rdl_tensor(L, 2);
        lua_rawgeti(L, 4, (lua_Integer)k + 1);
        read_how(L, &run[k], &in[k]);
        lua_pop(L, 1); /* the table holds it */
        if (read_states(L, &run[k], at)) in[k].states = run[k].state;
        at += rd_rnn_state_count(rnn[k]);
    }
}

/* Runs layers with arguments as run_layers has them; pushes the outputs and the list of last states. */
static void run(lua_State *L)
{
    const size_t n = lua_rawlen(L, 1);
    const bool both = lua_toboolean(L, 5);
    struct layer_run *layers = new_zeros(L, n, sizeof *layers);
    rd_rnn **rnn = new_zeros(L, n, sizeof(rd_rnn *));
    rd_rnn_input *in = new_zeros(L, n, sizeof *in);
    rd_tensor **y = new_zeros(L, n, sizeof(rd_tensor *));
    const size_t states = count_states(L, rnn);
    read_layers(L, layers, rnn, in);
    rd_tensor **final = new_zeros(L, states + 1, sizeof(rd_tensor *));
    rd_tensor ***slot = new_zeros(L, states + 1, sizeof(rd_tensor **));
    rd_tensor **first = both ? rdl_push_tensor(L) : NULL, **last = rdl_push_tensor(L);
    lua_createtable(L, (int)states, 0);
    for (size_t i = 0; i < states; i++) {
        slot[i] = rdl_push_tensor(L);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    RDL_DO(L, rd_rnn_run_all(rnn, in, n, y, final, &err));
    if (both) *first = y[0];
    *last = y[n - 1];
    for (size_t i = 0; i < states; i++) *slot[i] = final[i];
    rdl_adopt(L, lua_gettop(L));
    rdl_pay(L);
}

/* run_layers(layers, x, states or nil, hows, both) -> outputs, last states: each layer reads what the one
 * before it gives, and the last one's output is returned; or, where `both`, the two of them read x and both
 * outputs are. States are those of all layers in one list; hows has a table for each. */
static int run_layers(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 4, LUA_TTABLE);
    lua_settop(L, 5);
    const size_t n = lua_rawlen(L, 1);
    luaL_argcheck(L, n > 0 && (n == 2 || !lua_toboolean(L, 5)), 1, "a list of layers");
    run(L);
    return lua_toboolean(L, 5) ? 3 : 2;
}

/* forward(x, states or nil, how or nil) -> output, last states of the one layer */
static int rnn_forward(lua_State *L)
{
    check_rnn(L);
    lua_settop(L, 4);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    lua_replace(L, 1);
    lua_createtable(L, 1, 0);
    if (lua_isnil(L, 4))
        lua_createtable(L, 0, 0);
    else
        lua_pushvalue(L, 4);
    lua_rawseti(L, -2, 1);
    lua_replace(L, 4);
    lua_pushboolean(L, false);
    run(L);
    return 2;
}

static int rnn_parameters(lua_State *L)
{
    const rd_rnn *rnn = check_rnn(L);
    const size_t n = rd_rnn_parameter_count(rnn);
    lua_getiuservalue(L, 1, 1);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_createtable(L, 2, 0);
        lua_pushstring(L, rd_rnn_parameter_name(rnn, i));
        lua_rawseti(L, -2, 1);
        lua_rawgeti(L, -3, (lua_Integer)i + 1);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int rnn_states(lua_State *L)
{
    const rd_rnn *rnn = check_rnn(L);
    const size_t n = rd_rnn_state_count(rnn);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_createtable(L, 2, 0);
        lua_pushstring(L, rd_rnn_state_name(rnn, i));
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, rd_rnn_state_width(rnn, i));
        lua_rawseti(L, -2, 2);
        if (rd_rnn_state_stops(rnn, i)) { /* what most states are is left out */
            lua_pushboolean(L, true);
            lua_setfield(L, -2, "stops");
        }
        if (rd_rnn_state_first(rnn, i) != 0) {
            lua_pushnumber(L, rd_rnn_state_first(rnn, i));
            lua_setfield(L, -2, "first");
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int rnn_output_size(lua_State *L)
{
    lua_pushinteger(L, rd_rnn_output_size(check_rnn(L)));
    return 1;
}

static int rnn_options(lua_State *L)
{
    const rd_rnn *rnn = check_rnn(L);
    const rd_cell *cell = rd_rnn_cell(rnn);
    const rd_value *values = rd_rnn_options(rnn);
    lua_createtable(L, 0, (int)cell->n_options);
    for (uint32_t i = 0; i < cell->n_options; i++) {
        const rd_option *o =
            (const rd_option *)((const char *)cell->options + (size_t)i * cell->option_size);
        rdl_push_value(L, o, values[i]);
        lua_setfield(L, -2, o->name);
    }
    return 1;
}

static int rnn_cell(lua_State *L)
{
    const rd_cell *cell = rd_rnn_cell(check_rnn(L));
    lua_pushstring(L, cell->name);
    lua_pushinteger(L, cell->revision);
    return 2;
}

static int rnn_tostring(lua_State *L)
{
    rd_rnn **slot = luaL_checkudata(L, 1, RDL_RNN);
    if (*slot)
        lua_pushfstring(L, "Rnn (%s, %d)", rd_rnn_cell(*slot)->name,
                        (int)rd_rnn_output_size(*slot));
    else
        lua_pushliteral(L, "Rnn (closed)");
    return 1;
}

void rdl_open_rnn(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"forward", rnn_forward}, {"parameters", rnn_parameters},
        {"states", rnn_states},   {"output_size", rnn_output_size},
        {"options", rnn_options}, {"cell", rnn_cell},
        {"close", rnn_close},     {NULL, NULL},
    };
    static const luaL_Reg meta[] = {
        {"__gc", rnn_close},
        {"__close", rnn_close},
        {"__tostring", rnn_tostring},
        {NULL, NULL},
    };
    rdl_new_class(L, &(rdl_class){.name = RDL_RNN, .methods = methods, .meta = meta});
    lua_pushcfunction(L, rnn_new);
    lua_setfield(L, -2, "rnn");
    lua_pushcfunction(L, run_layers);
    lua_setfield(L, -2, "run_layers");
}
