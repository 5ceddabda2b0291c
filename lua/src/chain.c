/* chain.c - the class rondo.Chain: layers that write a text, many symbols in one call.
 * SPDX-License-Identifier: MIT */
#include "common.h"

static rd_chain *check_chain(lua_State *L)
{
    return rdl_check(L, 1, RDL_CHAIN, "chain");
}

static int chain_close(lua_State *L)
{
    rd_chain **slot = luaL_checkudata(L, 1, RDL_CHAIN);
    rd_chain *c = *slot;
    *slot = NULL;
    rd_chain_free(c);
    return 0;
}

/* The pointer in a field of the table at arg, a userdata of that class that the table keeps; else NULL. */
static void *field_object(lua_State *L, int arg, const char *name, const char *class)
{
    void **slot = NULL;
    if (rdl_field(L, arg, name) != LUA_TNIL) slot = luaL_testudata(L, -1, class);
    lua_pop(L, 1);
    return slot ? *slot : NULL;
}

/* The field "first", a list by state, in a userdata that is pushed; what is no tensor stands for the cell's
 * own value. NULL and nil: there is none. */
static rd_tensor **field_first(lua_State *L, int arg, const rd_rnn *rnn)
{
    if (rdl_field(L, arg, "first") != LUA_TTABLE) return NULL;
    const size_t n = rd_rnn_state_count(rnn);
    rd_tensor **first = rdl_buffer(L, n, sizeof *first);
    lua_insert(L, -2);
    for (size_t k = 0; k < n; k++) {
        lua_rawgeti(L, -1, (lua_Integer)k + 1);
        rd_tensor **slot = luaL_testudata(L, -1, RDL_TENSOR);
        first[k] = slot ? *slot : NULL;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return first;
}

/* One link from the table at arg; a value is left on the stack. */
static rd_link check_link(lua_State *L, int arg)
{
    static const char *const kinds[] = {"one_hot", "embedding",  "rnn",
                                        "linear",  "layer_norm", NULL};
    luaL_checktype(L, arg, LUA_TTABLE);
    rd_link link = {
        .kind = (rd_link_kind)(rdl_field_choice(L, arg, "kind", NULL, kinds) + RD_LINK_ONE_HOT),
        .rnn = field_object(L, arg, "rnn", RDL_RNN),
        .weight = field_object(L, arg, "weight", RDL_TENSOR),
        .bias = field_object(L, arg, "bias", RDL_TENSOR),
        .classes = (size_t)rdl_field_integer(L, arg, "classes", 0, 1 << 24),
        .eps = rdl_field_number(L, arg, "eps", 0)};
    if (link.kind == RD_LINK_RNN && !link.rnn)
        luaL_argerror(L, 2, "field 'rnn' must be a recurrent layer that is open");
    if (link.rnn)
        link.first = field_first(L, arg, link.rnn);
    else
        lua_pushnil(L);
    return link;
}

/* chain(rows, { { kind =, rnn =, first =, weight =, bias =, classes =, eps = }, ... }) */
static int chain_new(lua_State *L)
{
    rd_core *core = rdl_core(L);
    const lua_Integer rows = luaL_checkinteger(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_argcheck(L, rows >= 1 && rows <= INT32_MAX, 1, "a number of rows expected");
    const size_t n = (size_t)lua_rawlen(L, 2);
    luaL_checkstack(L, (int)(n < 1000 ? 2 * n + 8 : LUAI_MAXSTACK), "too many links");
    rd_link *links = rdl_buffer(L, n, sizeof *links);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        links[i] = check_link(L, lua_gettop(L));
    }
    rd_chain **out = (rd_chain **)rdl_push(L, RDL_CHAIN, 0);
    RDL_DO(L, rd_chain_new(core, links, n, (size_t)rows, out, &err));
    rdl_pay(L);
    return 1;
}

/* chain:put(row, states, from): a row takes row `from` of the states, a list of tensors */
static int chain_put(lua_State *L)
{
    rd_chain *c = check_chain(L);
    const lua_Integer row = luaL_checkinteger(L, 2), from = luaL_checkinteger(L, 4);
    size_t n;
    luaL_argcheck(L, row >= 1, 2, "rows are counted from 1");
    luaL_argcheck(L, from >= 1, 4, "rows are counted from 1");
    rd_tensor **states = rdl_tensor_list(L, 3, &n);
    if (n != rd_chain_state_count(c))
        luaL_argerror(L, 3,
                      lua_pushfstring(L, "the chain has %I states, got a list of %I",
                                      (lua_Integer)rd_chain_state_count(c), (lua_Integer)n));
    RDL_DO(L, rd_chain_put(c, (size_t)row - 1, states, (size_t)from - 1, &err));
    return 0;
}

/* The list of ids in field "next" of the table at 2, in a userdata that is pushed. */
static int32_t *check_next(lua_State *L, size_t *rows)
{
    luaL_argcheck(L, rdl_field(L, 2, "next") == LUA_TTABLE, 2, "next must be a list of ids");
    *rows = (size_t)lua_rawlen(L, -1);
    int32_t *next = rdl_buffer(L, *rows, sizeof *next);
    for (size_t r = 0; r < *rows; r++) {
        lua_rawgeti(L, -2, (lua_Integer)r + 1);
        const lua_Integer id = lua_tointeger(L, -1);
        next[r] = id < 0 || id > INT32_MAX ? -1 : (int32_t)id;
        lua_pop(L, 1);
    }
    lua_remove(L, -2);
    return next;
}

static rd_stream *check_streams(lua_State *L, size_t rows)
{
    luaL_argcheck(L, rdl_field(L, 2, "streams") == LUA_TTABLE && lua_rawlen(L, -1) == rows, 2,
                  "streams must be a list with one for each row");
    rd_stream *streams = rdl_buffer(L, rows, sizeof *streams);
    for (size_t r = 0; r < rows; r++) {
        lua_rawgeti(L, -2, (lua_Integer)r + 1);
        streams[r] = rdl_check_stream(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    return streams;
}

/* One list of ids for each row; `next` of the table at 2 becomes what is read then. */
static void push_written(lua_State *L, const rd_writing *w, size_t rows)
{
    rdl_field(L, 2, "next");
    lua_createtable(L, (int)rows, 0);
    for (size_t r = 0; r < rows; r++) {
        lua_pushinteger(L, w->next[r]);
        lua_rawseti(L, -3, (lua_Integer)r + 1);
        lua_createtable(L, (int)w->done, 0);
        for (size_t i = 0; i < w->done; i++) {
            lua_pushinteger(L, w->ids[i * rows + r]);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_rawseti(L, -2, (lua_Integer)r + 1);
    }
}

/* chain:write({ next = ids, streams =, steps =, end_id =, end_twice =, begin = }, how) -> lists of ids, and
 * a message where the step after them failed; next is set */
static int chain_write(lua_State *L)
{
    rd_chain *c = check_chain(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t rows;
    rd_writing w = {.next = check_next(L, &rows)};
    luaL_argcheck(L, rows == rd_chain_rows(c), 2, "next must have one id for each row");
    w.stream = check_streams(L, rows);
    w.how = rdl_check_sampling(L, 3);
    w.steps = (size_t)rdl_field_integer(L, 2, "steps", 1, 1 << 16);
    w.end = (int32_t)rdl_field_integer(L, 2, "end_id", 0, INT32_MAX);
    w.begin = (int32_t)rdl_field_integer(L, 2, "begin", 0, INT32_MAX);
    w.end_twice = rdl_field_bool(L, 2, "end_twice", false);
    w.ids = rdl_buffer(L, rows * w.steps, sizeof *w.ids);
    rd_error err;
    const rd_status status = rd_chain_write(c, &w, &err);
    if (status != RD_OK && w.done == 0) return rdl_raise(L, &err);
    push_written(L, &w, rows);
    if (status == RD_OK) return 1;
    lua_pushstring(L, err.text);
    return 2;
}

void rdl_open_chain(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"put", chain_put},
        {"write", chain_write},
        {"close", chain_close},
        {NULL, NULL},
    };
    static const luaL_Reg meta[] = {
        {"__gc", chain_close},
        {"__close", chain_close},
        {NULL, NULL},
    };
    rdl_new_class(L, &(rdl_class){.name = RDL_CHAIN, .methods = methods, .meta = meta});
    lua_pushcfunction(L, chain_new);
    lua_setfield(L, -2, "chain");
}
