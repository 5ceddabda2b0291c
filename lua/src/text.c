/* text.c - the classes rondo.Text, a mapped text file, and rondo.Pieces, its lines or documents.
 * SPDX-License-Identifier: MIT */
#include "text.h"

static rd_text *check_text(lua_State *L)
{
    return rdl_check(L, 1, RDL_TEXT, "text");
}

static int push_count(lua_State *L, uint64_t n)
{
    lua_pushinteger(L, (lua_Integer)n);
    return 1;
}

static int text_close(lua_State *L)
{
    rd_text **slot = luaL_checkudata(L, 1, RDL_TEXT);
    rd_text *t = *slot;
    *slot = NULL;
    if (t) rd_text_free(t);
    return 0;
}

/* ---- text ---- */

/* text(path, level | { level =, punctuation = }) */
static int text_open(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    const rd_vocab_options how = rdl_check_vocab_options(L, 2);
    rd_text **out = (rd_text **)rdl_push(L, RDL_TEXT, 0);
    rd_error err;
    rd_status status;
    RDL_TRY(L, status, rd_text_open(path, &how, out, &err));
    if (status != RD_OK) return rdl_outside(L, &err);
    return 1;
}

static int text_len(lua_State *L)
{
    return push_count(L, rd_text_length(check_text(L)));
}

/* text:use(vocab): level bpe numbers its symbols by it. */
static int text_use(lua_State *L)
{
    rd_text *t = check_text(L);
    RDL_DO(L, rd_text_use(t, rdl_check_vocab(L, 2), &err));
    return 0;
}

/* An offset in bytes, counted from 0. */
static uint64_t check_offset(lua_State *L, int arg)
{
    const lua_Integer offset = luaL_checkinteger(L, arg);
    luaL_argcheck(L, offset >= 0, arg, "an offset must not be negative");
    return (uint64_t)offset;
}

static int text_bytes(lua_State *L)
{
    return push_count(L, rd_text_bytes(check_text(L)));
}

/* text:offset(symbol): bytes before it */
static int text_offset(lua_State *L)
{
    const rd_text *t = check_text(L);
    const lua_Integer symbol = luaL_checkinteger(L, 2);
    luaL_argcheck(L, symbol >= 1, 2, "symbols count from 1");
    return push_count(L, rd_text_offset(t, (uint64_t)symbol - 1));
}

/* text:count(offset): symbols before it */
static int text_count(lua_State *L)
{
    const rd_text *t = check_text(L);
    return push_count(L, rd_text_count(t, check_offset(L, 2)));
}

static int text_border(lua_State *L)
{
    const rd_text *t = check_text(L);
    return push_count(L, rd_text_border(t, check_offset(L, 2)));
}

/* text:characters(from, to) */
static int text_characters(lua_State *L)
{
    const rd_text *t = check_text(L);
    const uint64_t from = check_offset(L, 2), to = check_offset(L, 3);
    return push_count(L, rd_text_characters(t, from, to));
}

static int text_digest(lua_State *L)
{
    const rd_text *t = check_text(L);
    const uint64_t from = check_offset(L, 2), to = check_offset(L, 3);
    char digest[33];
    RDL_DO(L, rd_text_digest(t, from, to, digest, &err));
    lua_pushstring(L, digest);
    return 1;
}

/* text:fit(fit, from, to): adds a range of bytes to the counts. */
static int text_fit(lua_State *L)
{
    const rd_text *t = check_text(L);
    rd_vocab_fit *f = rdl_check(L, 2, RDL_FIT, "fit");
    const uint64_t from = check_offset(L, 3);
    RDL_DO(L, rd_text_fit(t, from, check_offset(L, 4), f, &err));
    return 0;
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
    const rd_vocab *v = rdl_check_vocab(L, 2);
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
    const rd_vocab *v = rdl_check_vocab(L, 2);
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

/* text:lacking(vocab, from, n): how many symbols have no id, or that of <unk> */
static int text_lacking(lua_State *L)
{
    const rd_text *t = check_text(L);
    const rd_vocab *v = rdl_check_vocab(L, 2);
    const lua_Integer n = luaL_checkinteger(L, 4);
    const uint64_t from = check_stretch(L, t, luaL_checkinteger(L, 3), n);
    uint64_t lacking = 0;
    RDL_DO(L, rd_text_lacking(t, v, from, (uint64_t)n, &lacking, &err));
    return push_count(L, lacking);
}

/* ---- pieces ---- */

/* Their text may have been closed before them. */
static rd_pieces *check_pieces(lua_State *L)
{
    rd_pieces *p = rdl_check(L, 1, RDL_PIECES, "pieces");
    lua_getiuservalue(L, 1, 1);
    rd_text **text = luaL_testudata(L, -1, RDL_TEXT);
    if (!text || !*text) luaL_error(L, "the text of these pieces is closed");
    lua_pop(L, 1);
    return p;
}

static int pieces_close(lua_State *L)
{
    rd_pieces **slot = luaL_checkudata(L, 1, RDL_PIECES);
    rd_pieces *p = *slot;
    *slot = NULL;
    if (p) rd_pieces_free(p);
    return 0;
}

/* text:pieces(vocab, { unit =, from =, to =, steps = }); the text stays while its pieces do */
static int text_pieces(lua_State *L)
{
    static const char *const units[] = {"line", "document", NULL}; /* as rd_unit */
    const rd_text *t = check_text(L);
    rd_vocab *v = rdl_check_vocab(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    const rd_pieces_options how = {
        .unit = (rd_unit)rdl_field_choice(L, 3, "unit", "line", units),
        .from = (uint64_t)rdl_field_integer(L, 3, "from", 0, INT64_MAX),
        .to = (uint64_t)rdl_field_integer(L, 3, "to", (lua_Integer)rd_text_bytes(t), INT64_MAX),
        .steps = (uint32_t)rdl_field_integer(L, 3, "steps", 64, UINT32_MAX),
    };
    rd_pieces **out = (rd_pieces **)rdl_push(L, RDL_PIECES, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    RDL_DO(L, rd_pieces_new(t, v, &how, out, &err));
    return 1;
}

static int pieces_len(lua_State *L)
{
    return push_count(L, rd_pieces_count(check_pieces(L)));
}

static int pieces_units(lua_State *L)
{
    return push_count(L, rd_pieces_units(check_pieces(L)));
}

/* pieces:first(i): the first piece from i on that begins a unit, or #pieces + 1 */
static int pieces_first(lua_State *L)
{
    const rd_pieces *p = check_pieces(L);
    const lua_Integer i = luaL_checkinteger(L, 2);
    luaL_argcheck(L, i >= 1, 2, "pieces count from 1");
    lua_pushinteger(L, (lua_Integer)rd_pieces_begin(p, (uint64_t)i - 1) + 1);
    return 1;
}

/* A list of numbers of pieces, in which 0 is none, as a userdata pushed on the stack. */
static uint64_t *check_numbers(lua_State *L, const rd_pieces *p, int arg, size_t *n)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    *n = (size_t)lua_rawlen(L, arg);
    luaL_argcheck(L, *n >= 1, arg, "a list of at least one piece expected");
    uint64_t *numbers = rdl_buffer(L, *n, sizeof *numbers);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, arg, (lua_Integer)i + 1);
        int exact;
        const lua_Integer number = lua_tointegerx(L, -1, &exact);
        if (!exact || number < 0 || (uint64_t)number > rd_pieces_count(p))
            luaL_argerror(L, arg, "numbers of pieces lie in 0..#pieces");
        numbers[i] = number == 0 ? RD_NO_PIECE : (uint64_t)number - 1;
        lua_pop(L, 1);
    }
    return numbers;
}

/* pieces:look({numbers}) -> {pairs in each}, {does each begin a unit} */
static int pieces_look(lua_State *L)
{
    const rd_pieces *p = check_pieces(L);
    size_t n;
    const uint64_t *numbers = check_numbers(L, p, 2, &n);
    uint32_t *pairs = rdl_buffer(L, n, sizeof *pairs);
    bool *begins = rdl_buffer(L, n, sizeof *begins);
    RDL_DO(L, rd_pieces_look(p, numbers, n, pairs, begins, &err));
    lua_createtable(L, (int)n, 0);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushinteger(L, pairs[i]);
        lua_rawseti(L, -3, (lua_Integer)i + 1);
        lua_pushboolean(L, begins[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 2;
}

/* pieces:batch({numbers}, T) -> ids x, y (B, T) in sequence order, zeros behind the end of a piece */
static int pieces_batch(lua_State *L)
{
    rd_core *core = rdl_core(L);
    const rd_pieces *p = check_pieces(L);
    const lua_Integer steps = luaL_checkinteger(L, 3);
    luaL_argcheck(L, steps >= 1, 3, "the number of steps must be at least 1");
    size_t n;
    const uint64_t *numbers = check_numbers(L, p, 2, &n);
    const size_t shape[] = {n, (size_t)steps};
    rd_tensor **x = rdl_push_tensor(L);
    rd_tensor **y = rdl_push_tensor(L);
    RDL_DO(L, rd_tensor_new(core, 2, shape, RD_SEQUENCE, x, &err));
    RDL_DO(L, rd_tensor_new(core, 2, shape, RD_SEQUENCE, y, &err));
    RDL_DO(L, rd_pieces_batch(p, numbers, *x, *y, &err));
    rdl_pay(L);
    return 2;
}

/* The three tensors (B, T) of a flow. */
static void push_batch(lua_State *L, rd_flow *flow, const size_t shape[2])
{
    rd_tensor **const to[] = {&flow->x, &flow->y, &flow->resets};
    for (size_t i = 0; i < 3; i++) {
        rd_tensor **slot = rdl_push_tensor(L);
        RDL_DO(L, rd_tensor_new(rdl_core(L), 2, shape, RD_SEQUENCE, slot, &err));
        *to[i] = *slot;
    }
    rdl_pay(L);
}

/* pieces:flow({first}, {last}, T) -> ids x, y (B, T), resets (B, T) or nil where no unit begins, {pairs in
 * each row} or nil where all are T. Row b reads pieces first[b]..last[b], of one step each; 0: none. */
static int pieces_flow(lua_State *L)
{
    const rd_pieces *p = check_pieces(L);
    const lua_Integer steps = luaL_checkinteger(L, 4);
    luaL_argcheck(L, steps >= 1, 4, "the number of steps must be at least 1");
    size_t n, m;
    uint64_t *first = check_numbers(L, p, 2, &n);
    uint64_t *last = check_numbers(L, p, 3, &m);
    luaL_argcheck(L, n == m, 3, "as many last pieces as first ones expected");
    for (size_t b = 0; b < n; b++) {
        const bool none = first[b] == RD_NO_PIECE || last[b] == RD_NO_PIECE;
        first[b] = none ? 0 : first[b];
        last[b] = none ? 0 : last[b] + 1;
    }
    rd_flow flow = {.first = first, .last = last, .pairs = rdl_buffer(L, n, sizeof *flow.pairs)};
    push_batch(L, &flow, (size_t[]){n, (size_t)steps});
    RDL_DO(L, rd_pieces_flow(p, &flow, &err));
    bool all = true;
    for (size_t b = 0; b < n; b++) all = all && flow.pairs[b] == (uint64_t)steps;
    if (flow.n_resets == 0) {
        lua_pushnil(L);
        lua_replace(L, -2);
    }
    if (all) {
        lua_pushnil(L);
        return 4;
    }
    lua_createtable(L, (int)n, 0);
    for (size_t b = 0; b < n; b++) {
        lua_pushinteger(L, flow.pairs[b]);
        lua_rawseti(L, -2, (lua_Integer)b + 1);
    }
    return 4;
}

void rdl_open_text(lua_State *L)
{
    static const luaL_Reg text_methods[] = {
        {"use", text_use},
        {"bytes", text_bytes},
        {"digest", text_digest},
        {"offset", text_offset},
        {"count", text_count},
        {"border", text_border},
        {"characters", text_characters},
        {"fit", text_fit},
        {"ids", text_ids},
        {"batch", text_batch},
        {"lacking", text_lacking},
        {"pieces", text_pieces},
        {"close", text_close},
        {NULL, NULL},
    };
    static const luaL_Reg text_meta[] = {
        {"__gc", text_close},
        {"__close", text_close},
        {"__len", text_len},
        {NULL, NULL},
    };
    static const luaL_Reg pieces_methods[] = {
        {"units", pieces_units},
        {"first", pieces_first},
        {"look", pieces_look},
        {"batch", pieces_batch},
        {"flow", pieces_flow},
        {"close", pieces_close},
        {NULL, NULL},
    };
    static const luaL_Reg pieces_meta[] = {
        {"__gc", pieces_close},
        {"__close", pieces_close},
        {"__len", pieces_len},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"text", text_open},
        {NULL, NULL},
    };
    rdl_new_class(L, &(rdl_class){.name = RDL_TEXT, .methods = text_methods, .meta = text_meta});
    rdl_new_class(L,
                  &(rdl_class){.name = RDL_PIECES, .methods = pieces_methods, .meta = pieces_meta});
    luaL_setfuncs(L, functions, 0);
}
