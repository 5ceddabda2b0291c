/* text.c - the classes rondo.Text, a mapped text file, and rondo.Vocab, its symbols.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <math.h>

static const char *const levels[] = {"byte", "char", NULL}; /* as rd_level */

static rd_text *check_text(lua_State *L)
{
    return rdl_check(L, 1, RDL_TEXT, "text");
}

static rd_vocab *check_vocab(lua_State *L, int arg)
{
    return rdl_check(L, arg, RDL_VOCAB, "vocabulary");
}

static int text_close(lua_State *L)
{
    rd_text **slot = luaL_checkudata(L, 1, RDL_TEXT);
    rd_text *t = *slot;
    *slot = NULL;
    if (t) rd_text_free(t);
    return 0;
}

static int vocab_close(lua_State *L)
{
    rd_vocab **slot = luaL_checkudata(L, 1, RDL_VOCAB);
    rd_vocab *v = *slot;
    *slot = NULL;
    if (v) rd_vocab_release(v);
    return 0;
}

/* ---- text ---- */

static int text_open(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    const rd_level level = (rd_level)luaL_checkoption(L, 2, "char", levels);
    rd_text **out = (rd_text **)rdl_push(L, RDL_TEXT, 0);
    rd_error err;
    rd_status status;
    RDL_TRY(L, status, rd_text_open(path, level, out, &err));
    if (status != RD_OK) return rdl_outside(L, &err);
    return 1;
}

static int text_len(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)rd_text_length(check_text(L)));
    return 1;
}

static int text_vocab(lua_State *L)
{
    const rd_text *t = check_text(L);
    rd_vocab **out = (rd_vocab **)rdl_push(L, RDL_VOCAB, 0);
    *out = rd_vocab_retain(rd_text_vocab(t));
    return 1;
}

/* Symbols first..first+n-1 (first from 1) must lie in the text. */
static uint64_t check_stretch(lua_State *L, const rd_text *t, lua_Integer first, lua_Integer n)
{
    const lua_Integer length = (lua_Integer)rd_text_length(t);
    if (first < 1 || n < 0 || n > length || first - 1 > length - n)
        luaL_error(L, "%I symbols from symbol %I on do not lie in the text, which has %I", n, first,
                   length);
    return (uint64_t)(first - 1);
}

/* text:ids(vocab, from, n) */
static int text_ids(lua_State *L)
{
    const rd_text *t = check_text(L);
    const rd_vocab *v = check_vocab(L, 2);
    const lua_Integer n = luaL_checkinteger(L, 4);
    const uint64_t from = check_stretch(L, t, luaL_checkinteger(L, 3), n);
    int32_t *ids = rdl_buffer(L, (size_t)n, sizeof *ids);
    RDL_DO(L, rd_text_ids(t, v, from, (size_t)n, ids, &err));
    lua_createtable(L, n <= INT32_MAX ? (int)n : 0, 0);
    for (lua_Integer i = 0; i < n; i++) {
        lua_pushinteger(L, ids[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* text:batch(vocab, {firsts}, T) -> ids (B, T) in sequence order */
static int text_batch(lua_State *L)
{
    rd_core *core = rdl_core(L);
    const rd_text *t = check_text(L);
    const rd_vocab *v = check_vocab(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    const lua_Integer steps = luaL_checkinteger(L, 4);
    luaL_argcheck(L, steps >= 1, 4, "the number of steps must be at least 1");
    const size_t rows = (size_t)lua_rawlen(L, 3);
    luaL_argcheck(L, rows >= 1, 3, "a list of at least one position expected");
    uint64_t *firsts = rdl_buffer(L, rows, sizeof *firsts);
    for (size_t b = 0; b < rows; b++) {
        lua_rawgeti(L, 3, (lua_Integer)b + 1);
        int exact;
        const lua_Integer first = lua_tointegerx(L, -1, &exact);
        luaL_argcheck(L, exact, 3, "positions in a text are integers");
        firsts[b] = check_stretch(L, t, first, steps);
        lua_pop(L, 1);
    }
    rd_tensor **out = rdl_push_tensor(L);
    const size_t shape[] = {rows, (size_t)steps};
    RDL_DO(L, rd_tensor_new(core, 2, shape, RD_SEQUENCE, out, &err));
    RDL_DO(L, rd_text_batch(t, v, firsts, *out, &err));
    rdl_pay(L);
    return 1;
}

/* ---- vocabulary ---- */

/* vocab(level, {code points}) */
static int vocab_new(lua_State *L)
{
    const rd_level level = (rd_level)luaL_checkoption(L, 1, NULL, levels);
    luaL_checktype(L, 2, LUA_TTABLE);
    const size_t n = (size_t)lua_rawlen(L, 2);
    uint32_t *symbols = rdl_buffer(L, n, sizeof *symbols);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        int exact;
        const lua_Integer symbol = lua_tointegerx(L, -1, &exact);
        luaL_argcheck(L, exact && symbol >= 0 && symbol <= UINT32_MAX, 2,
                      "symbols are code points or bytes");
        symbols[i] = (uint32_t)symbol;
        lua_pop(L, 1);
    }
    rd_vocab **out = (rd_vocab **)rdl_push(L, RDL_VOCAB, 0);
    RDL_DO(L, rd_vocab_new(level, symbols, n, out, &err));
    return 1;
}

static int vocab_len(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)rd_vocab_size(check_vocab(L, 1)));
    return 1;
}

static int vocab_encode(lua_State *L)
{
    const rd_vocab *v = check_vocab(L, 1);
    size_t length, n = 0;
    const char *text = luaL_checklstring(L, 2, &length);
    int32_t *ids = rdl_buffer(L, length, sizeof *ids);
    rd_error err;
    if (rd_vocab_encode(v, text, length, ids, &n, &err) != RD_OK) return rdl_outside(L, &err);
    lua_createtable(L, n <= INT32_MAX ? (int)n : 0, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushinteger(L, ids[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static void add_symbol(lua_State *L, luaL_Buffer *b, const rd_vocab *v, double id)
{
    char bytes[4];
    if (!(id >= 0 && id <= (double)rd_vocab_size(v)) || id != floor(id))
        luaL_error(L, "an id of this vocabulary is an integer 0..%I, got %f",
                   (lua_Integer)rd_vocab_size(v), id);
    luaL_addlstring(b, bytes, rd_vocab_decode(v, (int32_t)id, bytes));
}

/* v:decode(id | list of ids | tensor of ids) */
static int vocab_decode(lua_State *L)
{
    const rd_vocab *v = check_vocab(L, 1);
    luaL_Buffer b;
    if (lua_type(L, 2) == LUA_TNUMBER) {
        luaL_buffinit(L, &b);
        add_symbol(L, &b, v, lua_tonumber(L, 2));
    } else if (lua_istable(L, 2)) {
        const lua_Integer n = (lua_Integer)lua_rawlen(L, 2);
        luaL_buffinit(L, &b);
        for (lua_Integer i = 1; i <= n; i++) {
            lua_rawgeti(L, 2, i);
            const double id = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : (double)NAN;
            lua_pop(L, 1);
            add_symbol(L, &b, v, id);
        }
    } else {
        if (!luaL_testudata(L, 2, RDL_TENSOR))
            return luaL_typeerror(L, 2, "id, list of ids or tensor");
        const rd_tensor *t = rdl_tensor(L, 2);
        const size_t n = rd_tensor_numel(t);
        rd_real *ids = rdl_buffer(L, n, sizeof *ids);
        rd_tensor_read(t, ids);
        luaL_buffinit(L, &b);
        for (size_t i = 0; i < n; i++) add_symbol(L, &b, v, (double)ids[i]);
    }
    luaL_pushresult(&b);
    return 1;
}

static int vocab_symbols(lua_State *L)
{
    const rd_vocab *v = check_vocab(L, 1);
    const size_t n = rd_vocab_size(v);
    lua_createtable(L, (int)n, 0);
    for (size_t id = 1; id <= n; id++) {
        lua_pushinteger(L, rd_vocab_symbol(v, id));
        lua_rawseti(L, -2, (lua_Integer)id);
    }
    return 1;
}

static int vocab_level(lua_State *L)
{
    lua_pushstring(L, levels[rd_vocab_level(check_vocab(L, 1))]);
    return 1;
}

void rdl_open_text(lua_State *L)
{
    static const luaL_Reg text_methods[] = {
        {"vocab", text_vocab}, {"ids", text_ids}, {"batch", text_batch},
        {"close", text_close}, {NULL, NULL},
    };
    static const luaL_Reg text_meta[] = {
        {"__gc", text_close},
        {"__close", text_close},
        {"__len", text_len},
        {NULL, NULL},
    };
    static const luaL_Reg vocab_methods[] = {
        {"encode", vocab_encode}, {"decode", vocab_decode}, {"symbols", vocab_symbols},
        {"level", vocab_level},   {"close", vocab_close},   {NULL, NULL},
    };
    static const luaL_Reg vocab_meta[] = {
        {"__gc", vocab_close},
        {"__close", vocab_close},
        {"__len", vocab_len},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"text", text_open},
        {"vocab", vocab_new},
        {NULL, NULL},
    };
    rdl_new_class(L, &(rdl_class){.name = RDL_TEXT, .methods = text_methods, .meta = text_meta});
    rdl_new_class(L, &(rdl_class){.name = RDL_VOCAB, .methods = vocab_methods, .meta = vocab_meta});
    luaL_setfuncs(L, functions, 0);
}
