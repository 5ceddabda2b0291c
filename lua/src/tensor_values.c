/* tensor_values.c - tensors from Lua values and back: tables, fills, single elements, text.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- from tables ---- */

/* Sizes of nested tables, along their first entries. */
static rdl_shape shape_of(lua_State *L, int arg)
{
    rdl_shape s = {0};
    lua_pushvalue(L, arg);
    while (lua_type(L, -1) == LUA_TTABLE) {
        if (s.ndim == RD_MAX_DIMS)
            luaL_argerror(L, arg,
                          lua_pushfstring(L, "a tensor has at most %d dimensions", RD_MAX_DIMS));
        s.size[s.ndim++] = (size_t)lua_rawlen(L, -1);
        lua_rawgeti(L, -1, 1);
        lua_replace(L, -2);
    }
    lua_pop(L, 1);
    return s;
}

static size_t numel_of(lua_State *L, const rdl_shape *s)
{
    size_t n = 1;
    for (uint32_t d = 0; d < s->ndim; d++) {
        if (s->size[d] != 0 && n > SIZE_MAX / 2 / sizeof(rd_real) / s->size[d])
            luaL_error(L, "the sizes of the tensor are too large");
        n *= s->size[d];
    }
    return n;
}

/* Reads the value on top of the stack, a table for dimensions from dim on, into values. */
static rd_real *read_nested(lua_State *L, const rdl_shape *s, uint32_t dim, rd_real *values)
{
    if (dim == s->ndim) {
        if (lua_type(L, -1) != LUA_TNUMBER)
            luaL_error(L, "the values of a tensor are numbers, got a %s", luaL_typename(L, -1));
        *values = (rd_real)lua_tonumber(L, -1);
        return values + 1;
    }
    if (lua_type(L, -1) != LUA_TTABLE)
        luaL_error(L, "the values of a tensor form a box: dimension %d needs a table, got a %s",
                   (int)dim + 1, luaL_typename(L, -1));
    if (lua_rawlen(L, -1) != s->size[dim])
        luaL_error(L,
                   "the values of a tensor form a box: dimension %d has %I in one place and %I "
                   "in another",
                   (int)dim + 1, (lua_Integer)s->size[dim], (lua_Integer)lua_rawlen(L, -1));
    for (size_t i = 1; i <= s->size[dim]; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        values = read_nested(L, s, dim + 1, values);
        lua_pop(L, 1);
    }
    return values;
}

/* tensor(number | nested [, order]) or tensor(flat, {shape} [, order]) */
static int module_tensor(lua_State *L)
{
    rd_core *core = rdl_core(L);
    const bool flat = lua_istable(L, 1) && lua_istable(L, 2);
    if (!lua_istable(L, 1) && lua_type(L, 1) != LUA_TNUMBER)
        return luaL_typeerror(L, 1, "table or number");
    const rdl_shape shape = flat ? rdl_check_shape(L, 2) : shape_of(L, 1);
    const rd_order order = rdl_opt_order(L, flat ? 3 : 2);
    lua_settop(L, 1);
    luaL_checkstack(L, 2 * RD_MAX_DIMS + LUA_MINSTACK, "nested tables");
    const size_t n = numel_of(L, &shape);
    const rdl_shape line = {.ndim = 1, .size = {n}};
    if (flat && lua_rawlen(L, 1) != n)
        return luaL_error(L, "a tensor of that shape has %I values, got %I", (lua_Integer)n,
                          (lua_Integer)lua_rawlen(L, 1));
    rd_real *values = rdl_buffer(L, n, sizeof *values);
    rd_tensor **out = rdl_push_tensor(L);
    lua_pushvalue(L, 1);
    read_nested(L, flat ? &line : &shape, 0, values);
    lua_pop(L, 1);
    RDL_DO(L, rd_tensor_new(core, shape.ndim, shape.size, order, out, &err));
    RDL_DO(L, rd_tensor_write(*out, values, &err));
    rdl_pay(L);
    return 1;
}

static int make_full(lua_State *L, double value, int order_arg)
{
    rd_core *core = rdl_core(L);
    const rdl_shape shape = rdl_check_shape(L, 1);
    const rd_order order = rdl_opt_order(L, order_arg);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_tensor_new(core, shape.ndim, shape.size, order, out, &err));
    RDL_DO(L, rd_fill(*out, value, &err));
    rdl_pay(L);
    return 1;
}

static int module_zeros(lua_State *L)
{
    return make_full(L, 0, 2);
}

static int module_full(lua_State *L)
{
    return make_full(L, luaL_checknumber(L, 2), 3);
}

/* ---- to tables ---- */

static const rd_real *push_nested(lua_State *L, const rd_tensor *t, uint32_t dim,
                                  const rd_real *values)
{
    if (dim == rd_tensor_ndim(t)) {
        lua_pushnumber(L, *values);
        return values + 1;
    }
    const size_t size = rd_tensor_shape(t)[dim];
    lua_createtable(L, size <= INT32_MAX ? (int)size : 0, 0);
    for (size_t i = 1; i <= size; i++) {
        values = push_nested(L, t, dim + 1, values);
        lua_rawseti(L, -2, (lua_Integer)i);
    }
    return values;
}

int rdl_tensor_table(lua_State *L)
{
    const rd_tensor *t = rdl_tensor(L, 1);
    luaL_checkstack(L, 2 * RD_MAX_DIMS + LUA_MINSTACK, "nested tables");
    rd_real *values = rdl_buffer(L, rd_tensor_numel(t), sizeof *values);
    rd_tensor_read(t, values);
    push_nested(L, t, 0, values);
    return 1;
}

/* ---- single elements ---- */

static void check_index(lua_State *L, const rd_tensor *t, size_t index[RD_MAX_DIMS])
{
    const uint32_t ndim = rd_tensor_ndim(t);
    if (lua_rawlen(L, 2) != ndim)
        luaL_error(L, "an element of this tensor has %d positions, got %I", (int)ndim,
                   (lua_Integer)lua_rawlen(L, 2));
    for (uint32_t d = 0; d < ndim; d++) {
        int exact;
        lua_rawgeti(L, 2, (lua_Integer)d + 1);
        const lua_Integer at = lua_tointegerx(L, -1, &exact);
        if (!exact)
            luaL_error(L, "position %d must be an integer, got %s", (int)d + 1,
                       luaL_tolstring(L, -1, NULL));
        index[d] = rdl_position(L, at, rd_tensor_shape(t)[d], d + 1);
        lua_pop(L, 1);
    }
}

int rdl_tensor_get(lua_State *L)
{
    const rd_tensor *t = rdl_tensor(L, 1);
    size_t index[RD_MAX_DIMS] = {0};
    double value = 0;
    check_index(L, t, index);
    RDL_DO(L, rd_tensor_get(t, index, &value, &err));
    lua_pushnumber(L, value);
    return 1;
}

/* Writes a number or a tensor, which is broadcast. */
static void assign(lua_State *L, rd_tensor *t, int arg)
{
    if (lua_type(L, arg) == LUA_TNUMBER) {
        const double value = lua_tonumber(L, arg);
        RDL_DO(L, rd_fill(t, value, &err));
        return;
    }
    rd_tensor *from = rdl_operand(L, arg);
    RDL_DO(L, rd_copy(t, from, &err));
}

int rdl_tensor_set(lua_State *L)
{
    rd_tensor *t = rdl_tensor(L, 1);
    if (lua_type(L, 2) == LUA_TTABLE) {
        size_t index[RD_MAX_DIMS] = {0};
        const double value = luaL_checknumber(L, 3);
        check_index(L, t, index);
        RDL_DO(L, rd_tensor_set(t, index, value, &err));
        return 0;
    }
    if (rd_tensor_ndim(t) == 0) return luaL_error(L, "a tensor of no dimensions cannot be indexed");
    const size_t at = rdl_position(L, luaL_checkinteger(L, 2), rd_tensor_shape(t)[0], 1);
    rd_tensor **part = rdl_push_tensor(L);
    RDL_DO(L, rd_select(t, 0, at, part, &err));
    assign(L, *part, 3);
    return 0;
}

/* ---- fills; each returns the tensor ---- */

static int tensor_fill(lua_State *L)
{
    rd_tensor *t = rdl_tensor(L, 1);
    const double value = luaL_checknumber(L, 2);
    RDL_DO(L, rd_fill(t, value, &err));
    lua_settop(L, 1);
    return 1;
}

static int tensor_copy(lua_State *L)
{
    rd_tensor *t = rdl_tensor(L, 1);
    assign(L, t, 2);
    lua_settop(L, 1);
    return 1;
}

static int tensor_clone(lua_State *L)
{
    rd_tensor *t = rdl_tensor(L, 1);
    const rd_order order =
        rd_tensor_ndim(t) >= 2 && rd_tensor_strides(t)[1] > rd_tensor_strides(t)[0] ? RD_SEQUENCE
                                                                                    : RD_DENSE;
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_tensor_new(rd_tensor_core(t), rd_tensor_ndim(t), rd_tensor_shape(t), order, out,
                            &err));
    RDL_DO(L, rd_copy(*out, t, &err));
    rdl_pay(L);
    return 1;
}

static int tensor_fill_uniform(lua_State *L)
{
    rd_tensor *t = rdl_tensor(L, 1);
    const double low = luaL_checknumber(L, 2);
    const double high = luaL_checknumber(L, 3);
    const rd_stream stream = rdl_check_stream(L, 4);
    RDL_DO(L, rd_fill_uniform(t, low, high, &stream, &err));
    lua_settop(L, 1);
    return 1;
}

static int tensor_fill_normal(lua_State *L)
{
    rd_tensor *t = rdl_tensor(L, 1);
    const double mean = luaL_checknumber(L, 2);
    const double sd = luaL_checknumber(L, 3);
    const rd_stream stream = rdl_check_stream(L, 4);
    RDL_DO(L, rd_fill_normal(t, mean, sd, &stream, &err));
    lua_settop(L, 1);
    return 1;
}

static int tensor_fill_init(lua_State *L)
{
    /* In the order of RD_INIT_*. */
    static const char *const kinds[] = {"default", "zero",      "constant",   "uniform",
                                        "normal",  "glorot",    "orthogonal", "identity",
                                        "he",      "truncated", "chrono",     NULL};
    rd_tensor *t = rdl_tensor(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    const rd_init init = {
        .kind = rdl_field_choice(L, 2, "kind", "default", kinds),
        .a = rdl_field_number(L, 2, "a", 0),
        .b = rdl_field_number(L, 2, "b", 0),
    };
    const rd_stream stream = rdl_check_stream(L, 3);
    RDL_DO(L, rd_fill_init(t, &init, &stream, &err));
    lua_settop(L, 1);
    return 1;
}

/* ---- text ---- */

#define PRINT_CUT 6 /* a dimension longer than this is printed with "..." in its middle */

typedef struct printer {
    luaL_Buffer *to;
    const rd_tensor *t;
    int width; /* of the widest number shown; 0: still measuring */
    int widest;
} printer;

static void print_number(printer *p, const rd_real *at)
{
    char text[40];
    const int n = snprintf(text, sizeof text, "%.5g", (double)*at);
    if (!p->to) {
        if (n > p->widest) p->widest = n;
        return;
    }
    for (int i = n; i < p->width; i++) luaL_addchar(p->to, ' ');
    luaL_addlstring(p->to, text, (size_t)n);
}

static void print_text(printer *p, const char *text)
{
    if (p->to) luaL_addstring(p->to, text);
}

/* What stands between two entries of a dimension: ", " or a new line, indented to the bracket. */
static void print_between(printer *p, uint32_t dim)
{
    const uint32_t ndim = rd_tensor_ndim(p->t);
    print_text(p, dim + 1 == ndim ? ", " : ",\n");
    for (uint32_t d = 0; dim + 1 < ndim && d <= dim; d++) print_text(p, " ");
}

static void print_part(printer *p, uint32_t dim, const rd_real *at)
{
    if (dim == rd_tensor_ndim(p->t)) {
        print_number(p, at);
        return;
    }
    const size_t size = rd_tensor_shape(p->t)[dim];
    const size_t stride = rd_tensor_strides(p->t)[dim];
    const bool cut = size > PRINT_CUT;
    print_text(p, "[");
    for (size_t i = 0; i < size; i++) {
        if (i > 0) print_between(p, dim);
        if (cut && i == PRINT_CUT / 2) {
            print_text(p, "...");
            print_between(p, dim);
            i = size - PRINT_CUT / 2;
        }
        print_part(p, dim + 1, at + i * stride);
    }
    print_text(p, "]");
}

int rdl_tensor_tostring(lua_State *L)
{
    rd_tensor **slot = luaL_checkudata(L, 1, RDL_TENSOR);
    if (!*slot) {
        lua_pushliteral(L, "Tensor (closed)");
        return 1;
    }
    printer p = {.t = *slot};
    luaL_Buffer b;
    char size[32];
    print_part(&p, 0, rd_tensor_at(p.t)); /* measures */
    luaL_buffinit(L, &b);
    p.to = &b;
    p.width = p.widest;
    luaL_addstring(&b, "Tensor (");
    for (uint32_t d = 0; d < rd_tensor_ndim(p.t); d++) {
        snprintf(size, sizeof size, d > 0 ? ", %zu" : "%zu", rd_tensor_shape(p.t)[d]);
        luaL_addstring(&b, size);
    }
    luaL_addstring(&b, rd_tensor_ndim(p.t) > 1 ? ")\n" : ") ");
    print_part(&p, 0, rd_tensor_at(p.t));
    luaL_pushresult(&b);
    return 1;
}

const luaL_Reg rdl_tensor_writers[] = {
    {"fill", tensor_fill},
    {"copy", tensor_copy},
    {"clone", tensor_clone},
    {"fill_uniform", tensor_fill_uniform},
    {"fill_normal", tensor_fill_normal},
    {"fill_init", tensor_fill_init},
    {NULL, NULL},
};

void rdl_open_tensor_values(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"tensor", module_tensor},
        {"zeros", module_zeros},
        {"full", module_full},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
