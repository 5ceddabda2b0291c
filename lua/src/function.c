/* function.c - operations whose gradients a Lua function computes (rondo.Function), and what keeps it alive.
 *
 * A node of the tape cannot hold Lua values: a reference in the registry would keep a cycle through it
 * (function, tensor in an upvalue, node, function) for ever. So the graph has an image in Lua: each tensor
 * that depends on a custom operation holds in its user value the table of its maker, which holds those of
 * the makers it was made from; the table of a custom operation holds its function. The collector sees all
 * of it, and whoever can still play a graph holds its functions. Images are found by the maker's number in
 * a table with weak values. They are made where results are handed out (rdl_adopt) and wiped once the
 * graph was played; without a custom operation there are none.
 *
 * The core calls back in the middle of a backward pass, over which no Lua error may jump: the call is
 * protected, and its error is raised again when the core has returned.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include "rondo_custom.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char images_key = 0; /* its address is the key in the registry */

struct context {
    rdl_state *state;
    uint64_t number; /* of the maker */
    size_t n_in, n_out;
};

static void release_context(void *context)
{
    struct context *c = context;
    c->state->custom--;
    free(c);
}

/* ---- images of graphs ---- */

static void push_image(lua_State *L, const rd_maker *maker, int images)
{
    if (lua_rawgeti(L, images, (lua_Integer)rd_maker_number(maker)) != LUA_TNIL) return;
    lua_pop(L, 1);
    luaL_checkstack(L, LUA_MINSTACK, "a graph with custom functions");
    lua_newtable(L);
    lua_Integer n = 0;
    for (size_t i = 0; i < rd_maker_input_count(maker); i++) {
        const rd_maker *from = rd_maker_input(maker, i);
        if (!from) continue;
        push_image(L, from, images);
        lua_rawseti(L, -2, ++n);
    }
    lua_pushvalue(L, -1);
    lua_rawseti(L, images, (lua_Integer)rd_maker_number(maker));
}

static void adopt_slot(lua_State *L, int at, int images)
{
    rd_tensor **slot = luaL_testudata(L, at, RDL_TENSOR);
    const rd_maker *maker = slot && *slot ? rd_maker_of(*slot) : NULL;
    if (!maker) return;
    const bool there = lua_getiuservalue(L, at, 1) != LUA_TNIL;
    lua_pop(L, 1);
    if (there) return;
    push_image(L, maker, images);
    lua_setiuservalue(L, at, 1);
}

void rdl_adopt(lua_State *L, int list)
{
    if (rdl_get_state(L)->custom == 0) return;
    luaL_checkstack(L, LUA_MINSTACK, "a graph with custom functions");
    const int top = lua_gettop(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &images_key);
    for (int at = 1; at <= top; at++) adopt_slot(L, at, top + 1);
    for (lua_Integer i = 1; list != 0 && lua_rawgeti(L, list, i) != LUA_TNIL; i++) {
        adopt_slot(L, lua_gettop(L), top + 1);
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
}

/* Empties the image of the tensor at arg and all that it holds: its graph was played and is no
 * more. A list of those to come, since a graph may be longer than a stack. */
void rdl_played(lua_State *L, int arg)
{
    const int top = lua_gettop(L);
    if (lua_getiuservalue(L, arg, 1) == LUA_TTABLE) {
        lua_Integer n = 1;
        lua_newtable(L);
        lua_insert(L, -2);
        lua_rawseti(L, top + 1, n);
        while (n > 0) {
            lua_rawgeti(L, top + 1, n--);
            lua_pushnil(L);
            lua_setfield(L, top + 2, "call");
            for (lua_Integer i = (lua_Integer)lua_rawlen(L, top + 2); i > 0; i--) {
                lua_rawgeti(L, top + 2, i);
                lua_rawseti(L, top + 1, ++n);
                lua_pushnil(L);
                lua_rawseti(L, top + 2, i);
            }
            lua_settop(L, top + 1);
        }
    }
    lua_settop(L, top);
}

/* ---- playing ---- */

struct call {
    const struct context *context;
    rd_tensor *const *dout;
    rd_tensor **din;
};

/* Calls the function of an operation; in a protected call of its own. */
static int call_function(lua_State *L)
{
    const struct call *call = lua_touserdata(L, 1);
    const struct context *c = call->context;
    luaL_checkstack(L, (int)(c->n_in + c->n_out) + LUA_MINSTACK, "backward");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &images_key);
    lua_rawgeti(L, -1, (lua_Integer)c->number);
    lua_getfield(L, -1, "call");
    for (size_t k = 0; k < c->n_out; k++) rdl_push_retained(L, call->dout[k]);
    lua_call(L, (int)c->n_out, (int)c->n_in);
    for (size_t i = 0; i < c->n_in; i++) {
        rd_tensor **slot = luaL_testudata(L, (int)i - (int)c->n_in, RDL_TENSOR);
        if (slot && *slot) call->din[i] = rd_tensor_retain(*slot);
    }
    return 0;
}

static rd_status play(void *context, rd_tensor *const *dout, rd_tensor **din, rd_error *err)
{
    const struct context *c = context;
    lua_State *L = c->state->caller;
    struct call call = {c, dout, din};
    err->code = RD_E_ARG;
    snprintf(err->text, sizeof err->text, "a custom function failed");
    if (!lua_checkstack(L, LUA_MINSTACK)) return RD_E_ARG;
    lua_pushcfunction(L, call_function);
    lua_pushlightuserdata(L, &call);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) return RD_OK;
    c->state->raised = true; /* the error stays at the top; rdl_raise finds it there */
    return RD_E_ARG;
}

/* ---- making ---- */

static rd_tensor **list_field(lua_State *L, const char *name, size_t *n)
{
    rdl_field(L, 1, name);
    return rdl_tensor_list(L, lua_gettop(L), n);
}

/* custom { name =, call =, inputs = {}, results = {}, saved = {} } -> the results as what comes of
 * the inputs. call takes the gradients of the results and returns those of the inputs, nil where
 * there is none. */
static int function_custom(lua_State *L)
{
    rdl_state *s = rdl_get_state(L);
    rdl_core(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    rd_custom f = {
        .name = rdl_field_string(L, 1, "name", NULL), .backward = play, .release = release_context};
    luaL_argcheck(L, f.name, 1, "field 'name' must be a string");
    f.in = list_field(L, "inputs", &f.n_in);
    f.result = list_field(L, "results", &f.n_out);
    f.saved = list_field(L, "saved", &f.n_saved);
    rd_tensor **out = rdl_buffer(L, f.n_out, sizeof *out);
    rd_tensor ***slot = rdl_buffer(L, f.n_out, sizeof *slot);
    luaL_checkstack(L, (int)f.n_out + LUA_MINSTACK, "custom");
    const int base = lua_gettop(L);
    for (size_t k = 0; k < f.n_out; k++) slot[k] = rdl_push_tensor(L);
    struct context *c = malloc(sizeof *c);
    if (!c) return luaL_error(L, "there is no memory for function '%s'", f.name);
    *c = (struct context){s, 0, f.n_in, f.n_out};
    f.context = c;
    s->custom++;
    rd_error err;
    rd_status status;
    RDL_TRY(L, status, rd_custom_apply(&f, out, &err));
    if (status != RD_OK) {
        release_context(c);
        return rdl_raise(L, &err);
    }
    for (size_t k = 0; k < f.n_out; k++) *slot[k] = out[k];
    const rd_maker *maker =
        rd_maker_of(out[0]); /* NULL: no gradient is wanted, the context has gone */
    if (maker) c->number = rd_maker_number(maker);
    rdl_adopt(L, 0);
    if (maker && lua_getiuservalue(L, base + 1, 1) == LUA_TTABLE) {
        rdl_field(L, 1, "call");
        lua_setfield(L, -2, "call");
    }
    lua_settop(L, base + (int)f.n_out);
    rdl_pay(L);
    return (int)f.n_out;
}

/* join {tensors} -> the same as results of one operation, a list */
static int function_join(lua_State *L)
{
    size_t n;
    lua_settop(L, 1);
    rd_tensor **x = rdl_tensor_list(L, 1, &n);
    rd_tensor **out = rdl_buffer(L, n, sizeof *out);
    rd_tensor ***slot = rdl_buffer(L, n, sizeof *slot);
    lua_createtable(L, (int)n, 0);
    for (size_t k = 0; k < n; k++) {
        slot[k] = rdl_push_tensor(L);
        lua_rawseti(L, -2, (lua_Integer)k + 1);
    }
    RDL_DO(L, rd_join(x, n, out, &err));
    for (size_t k = 0; k < n; k++) *slot[k] = out[k];
    rdl_adopt(L, lua_gettop(L));
    rdl_pay(L);
    return 1;
}

void rdl_open_function(lua_State *L)
{
    lua_newtable(L);
    lua_newtable(L);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &images_key);
    lua_pushcfunction(L, function_custom);
    lua_setfield(L, -2, "custom");
    lua_pushcfunction(L, function_join);
    lua_setfield(L, -2, "join");
}
