/* vocab.c - the classes rondo.Vocab, symbols and their ids, and rondo.VocabFit, which counts for one.
 * SPDX-License-Identifier: MIT */
#include "text.h"
#include <math.h>

static const char *const levels[] = {"byte", "char", "word", "bpe", NULL}; /* as rd_level */

rd_vocab *rdl_check_vocab(lua_State *L, int arg)
{
    return rdl_check(L, arg, RDL_VOCAB, "vocabulary");
}

rd_vocab_options rdl_check_vocab_options(lua_State *L, int arg)
{
    if (!lua_istable(L, arg))
        return (rd_vocab_options){.level = (rd_level)rdl_choice(L, arg, "char", levels)};
    return (rd_vocab_options){
        .level = (rd_level)rdl_field_choice(L, arg, "level", "char", levels),
        .lowercase = rdl_field_bool(L, arg, "lowercase", false),
        .punctuation = rdl_field_bool(L, arg, "punctuation", false),
        .unk = rdl_field_bool(L, arg, "unk", false),
        .bos = rdl_field_bool(L, arg, "bos", false),
        .eos = rdl_field_bool(L, arg, "eos", false),
        .min_count = (uint64_t)rdl_field_integer(L, arg, "min_count", 0, INT64_MAX),
        .max_size = (uint64_t)rdl_field_integer(L, arg, "max_size", 0, INT64_MAX),
    };
}

static int vocab_close(lua_State *L)
{
    rd_vocab **slot = luaL_checkudata(L, 1, RDL_VOCAB);
    rd_vocab *v = *slot;
    *slot = NULL;
    if (v) rd_vocab_release(v);
    return 0;
}

/* ---- making one ---- */

/* The integer at place i of the list at arg, within 0..max. */
static lua_Integer list_integer(lua_State *L, int arg, size_t i, lua_Integer max, const char *what)
{
    lua_rawgeti(L, arg, (lua_Integer)i + 1);
    int exact;
    const lua_Integer value = lua_tointegerx(L, -1, &exact);
    luaL_argcheck(L, exact && value >= 0 && value <= max, arg, what);
    lua_pop(L, 1);
    return value;
}

static void new_symbols(lua_State *L, const rd_vocab_options *how, rd_vocab **out)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    const size_t n = (size_t)lua_rawlen(L, 2);
    uint32_t *symbols = rdl_buffer(L, n, sizeof *symbols);
    for (size_t i = 0; i < n; i++)
        symbols[i] =
            (uint32_t)list_integer(L, 2, i, UINT32_MAX, "symbols are code points or bytes");
    RDL_DO(L, rd_vocab_new(how, symbols, n, out, &err));
}

static void new_bpe(lua_State *L, const rd_vocab_options *how, rd_vocab **out)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    const size_t n = (size_t)lua_rawlen(L, 2);
    luaL_argcheck(L, n % 2 == 0, 2, "merges are pairs of symbols");
    int32_t *pairs = rdl_buffer(L, n, sizeof *pairs);
    for (size_t i = 0; i < n; i++)
        pairs[i] = (int32_t)list_integer(L, 2, i, INT32_MAX, "merges are pairs of symbols");
    RDL_DO(L, rd_vocab_new_bpe(how, pairs, n / 2, out, &err));
}

/* vocab(level | options, parts): code points, words each ended by a line feed, or a flat list of merges */
static int vocab_new(lua_State *L)
{
    luaL_argcheck(L, !lua_isnoneornil(L, 1), 1, "a level or a table of options expected");
    const rd_vocab_options how = rdl_check_vocab_options(L, 1);
    lua_settop(L, 2);
    size_t bytes = 0;
    const char *words = how.level == RD_WORD ? luaL_checklstring(L, 2, &bytes) : NULL;
    rd_vocab **out = (rd_vocab **)rdl_push(L, RDL_VOCAB, 0);
    if (how.level == RD_WORD)
        RDL_DO(L, rd_vocab_new_words(&how, words, bytes, out, &err));
    else if (how.level == RD_BPE)
        new_bpe(L, &how, out);
    else
        new_symbols(L, &how, out);
    lua_settop(L, 3);
    return 1;
}

static rd_vocab_fit *check_fit(lua_State *L)
{
    return rdl_check(L, 1, RDL_FIT, "fit");
}

static int fit_close(lua_State *L)
{
    rd_vocab_fit **slot = luaL_checkudata(L, 1, RDL_FIT);
    rd_vocab_fit *f = *slot;
    *slot = NULL;
    if (f) rd_vocab_fit_free(f);
    return 0;
}

/* vocab_fit(options) */
static int fit_new(lua_State *L)
{
    const rd_vocab_options how = rdl_check_vocab_options(L, 1);
    rd_vocab_fit **out = (rd_vocab_fit **)rdl_push(L, RDL_FIT, 0);
    RDL_DO(L, rd_vocab_fit_new(&how, out, &err));
    return 1;
}

static int fit_add(lua_State *L)
{
    rd_vocab_fit *f = check_fit(L);
    size_t n;
    const char *text = luaL_checklstring(L, 2, &n);
    RDL_DO(L, rd_vocab_fit_add(f, text, n, &err));
    return 0;
}

/* fit:vocab(): of what was added so far */
static int fit_vocab(lua_State *L)
{
    const rd_vocab_fit *f = check_fit(L);
    rd_vocab **out = (rd_vocab **)rdl_push(L, RDL_VOCAB, 0);
    RDL_DO(L, rd_vocab_fit_end(f, out, &err));
    return 1;
}

/* ---- what is in one ---- */

static int vocab_len(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)rd_vocab_size(rdl_check_vocab(L, 1)));
    return 1;
}

static int vocab_level(lua_State *L)
{
    lua_pushstring(L, levels[rd_vocab_how(rdl_check_vocab(L, 1))->level]);
    return 1;
}

static void set_flag(lua_State *L, const char *name, bool value)
{
    if (!value) return;
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, name);
}

/* v:how() -> { level =, lowercase =, ... }: what is on, and the sizes that were asked for */
static int vocab_how(lua_State *L)
{
    const rd_vocab_options *how = rd_vocab_how(rdl_check_vocab(L, 1));
    lua_createtable(L, 0, 8);
    lua_pushstring(L, levels[how->level]);
    lua_setfield(L, -2, "level");
    set_flag(L, "lowercase", how->lowercase);
    set_flag(L, "punctuation", how->punctuation);
    set_flag(L, "unk", how->unk);
    set_flag(L, "bos", how->bos);
    set_flag(L, "eos", how->eos);
    return 1;
}

static void set_id(lua_State *L, const char *name, int32_t id)
{
    if (id == 0) return;
    lua_pushinteger(L, id);
    lua_setfield(L, -2, name);
}

/* v:special() -> { unk =, bos =, eos = }: the ids that there are */
static int vocab_special(lua_State *L)
{
    const rd_special ids = rd_vocab_special(rdl_check_vocab(L, 1));
    lua_createtable(L, 0, 3);
    set_id(L, "unk", ids.unk);
    set_id(L, "bos", ids.bos);
    set_id(L, "eos", ids.eos);
    return 1;
}

static int push_words(lua_State *L, const rd_vocab *v)
{
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < rd_vocab_words(v); i++) {
        size_t n;
        const char *word = rd_vocab_word(v, i, &n);
        if (word[0] != '\n') luaL_addlstring(&b, word, n);
        luaL_addchar(&b, '\n');
    }
    luaL_pushresult(&b);
    return 1;
}

/* v:parts(): what core.vocab takes as its second argument */
static int vocab_parts(lua_State *L)
{
    const rd_vocab *v = rdl_check_vocab(L, 1);
    const rd_level level = rd_vocab_how(v)->level;
    if (level == RD_WORD) return push_words(L, v);
    size_t n;
    const int32_t *merges = rd_vocab_merges(v, &n);
    if (level == RD_BPE) {
        lua_createtable(L, (int)(2 * n), 0);
        for (size_t i = 0; i < 2 * n; i++) {
            lua_pushinteger(L, merges[i]);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        return 1;
    }
    const uint32_t *symbols = rd_vocab_symbols(v, &n);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushinteger(L, symbols[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* ---- ids and text ---- */

static int vocab_encode(lua_State *L)
{
    const rd_vocab *v = rdl_check_vocab(L, 1);
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

/* Adds the text of an id behind that of `left` (0: nothing before it); returns it as the next left. */
static int32_t add_symbol(lua_State *L, luaL_Buffer *b, const rd_vocab *v, int32_t left, double id)
{
    char own[4];
    size_t n;
    if (!(id >= 0 && id <= (double)rd_vocab_size(v)) || id != floor(id))
        luaL_error(L, "an id of this vocabulary is an integer 0..%I, got %f",
                   (lua_Integer)rd_vocab_size(v), id);
    const int32_t right = (int32_t)id;
    if (rd_vocab_space(v, left, right)) luaL_addchar(b, ' ');
    const char *text = rd_vocab_decode(v, right, own, &n);
    luaL_addlstring(b, text, n);
    return right ? right : left;
}

/* v:decode(id | list of ids | tensor of ids [, id before them]) */
static int vocab_decode(lua_State *L)
{
    const rd_vocab *v = rdl_check_vocab(L, 1);
    int32_t left = (int32_t)luaL_optinteger(L, 3, 0);
    luaL_Buffer b;
    if (lua_type(L, 2) == LUA_TNUMBER) {
        luaL_buffinit(L, &b);
        add_symbol(L, &b, v, left, lua_tonumber(L, 2));
    } else if (lua_istable(L, 2)) {
        const lua_Integer n = (lua_Integer)lua_rawlen(L, 2);
        luaL_buffinit(L, &b);
        for (lua_Integer i = 1; i <= n; i++) {
            lua_rawgeti(L, 2, i);
            const double id = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : (double)NAN;
            lua_pop(L, 1);
            left = add_symbol(L, &b, v, left, id);
        }
    } else {
        if (!luaL_testudata(L, 2, RDL_TENSOR))
            return luaL_typeerror(L, 2, "id, list of ids or tensor");
        const rd_tensor *t = rdl_tensor(L, 2);
        const size_t n = rd_tensor_numel(t);
        rd_real *ids = rdl_buffer(L, n, sizeof *ids);
        rd_tensor_read(t, ids);
        luaL_buffinit(L, &b);
        for (size_t i = 0; i < n; i++) left = add_symbol(L, &b, v, left, (double)ids[i]);
    }
    luaL_pushresult(&b);
    return 1;
}

void rdl_open_vocab(lua_State *L)
{
    static const luaL_Reg vocab_methods[] = {
        {"encode", vocab_encode},   {"decode", vocab_decode},
        {"parts", vocab_parts},     {"level", vocab_level},
        {"special", vocab_special}, {"how", vocab_how},
        {"close", vocab_close},     {NULL, NULL},
    };
    static const luaL_Reg vocab_meta[] = {
        {"__gc", vocab_close},
        {"__close", vocab_close},
        {"__len", vocab_len},
        {NULL, NULL},
    };
    static const luaL_Reg fit_methods[] = {
        {"add", fit_add},
        {"vocab", fit_vocab},
        {"close", fit_close},
        {NULL, NULL},
    };
    static const luaL_Reg fit_meta[] = {
        {"__gc", fit_close},
        {"__close", fit_close},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"vocab", vocab_new},
        {"vocab_fit", fit_new},
        {NULL, NULL},
    };
    rdl_new_class(L, &(rdl_class){.name = RDL_VOCAB, .methods = vocab_methods, .meta = vocab_meta});
    rdl_new_class(L, &(rdl_class){.name = RDL_FIT, .methods = fit_methods, .meta = fit_meta});
    luaL_setfuncs(L, functions, 0);
}
