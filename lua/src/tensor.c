/* tensor.c - the class rondo.Tensor: life, fields, shapes, operators and the tape.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <math.h>

rd_tensor **rdl_push_tensor(lua_State *L)
{
    return (rd_tensor **)rdl_push(L, RDL_TENSOR, 1); /* the user value: see function.c */
}

void rdl_push_retained(lua_State *L, rd_tensor *borrowed)
{
    if (!borrowed) {
        lua_pushnil(L);
        return;
    }
    rd_tensor **slot = rdl_push_tensor(L);
    *slot = rd_tensor_retain(borrowed);
}

rd_tensor *rdl_tensor(lua_State *L, int arg)
{
    return rdl_check(L, arg, RDL_TENSOR, "tensor");
}

rd_tensor *rdl_operand(lua_State *L, int arg)
{
    if (lua_type(L, arg) == LUA_TNUMBER) {
        rd_core *core = rdl_core(L);
        const double value = lua_tonumber(L, arg);
        rd_tensor **slot = rdl_push_tensor(L);
        RDL_DO(L, rd_scalar(core, value, slot, &err));
        lua_replace(L, arg);
        return *slot;
    }
    if (!luaL_testudata(L, arg, RDL_TENSOR)) luaL_typeerror(L, arg, "tensor or number");
    return rdl_tensor(L, arg);
}

static int tensor_release(lua_State *L)
{
    rd_tensor **slot = luaL_checkudata(L, 1, RDL_TENSOR);
    rd_tensor *t = *slot;
    *slot = NULL;
    rd_tensor_release(t);
    return 0;
}

/* ---- fields and indexing ---- */

enum { FIELD_GRAD = 1, FIELD_REQUIRES_GRAD, FIELD_NDIM, FIELD_ORDER };

static void push_order(lua_State *L, const rd_tensor *t)
{
    const size_t *shape = rd_tensor_shape(t);
    const size_t *stride = rd_tensor_strides(t);
    const bool sequence =
        rd_tensor_ndim(t) >= 2 && shape[0] > 1 && shape[1] > 1 && stride[1] > stride[0];
    lua_pushstring(L, sequence ? "sequence" : "dense");
}

static int select_position(lua_State *L, rd_tensor *x, lua_Integer at)
{
    if (rd_tensor_ndim(x) == 0) return luaL_error(L, "a tensor of no dimensions cannot be indexed");
    const size_t index = rdl_position(L, at, rd_tensor_shape(x)[0], 1);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_select(x, 0, index, out, &err));
    rdl_adopt(L, 0);
    return 1;
}

/* Upvalues: 1 the table of methods, 2 the table of fields' codes. */
static int tensor_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    rd_tensor *x = rdl_tensor(L, 1);
    if (lua_type(L, 2) == LUA_TTABLE) return rdl_tensor_get(L);
    if (lua_type(L, 2) == LUA_TNUMBER) return select_position(L, x, luaL_checkinteger(L, 2));
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(2));
    switch (lua_tointeger(L, -1)) {
    case FIELD_GRAD:
        rdl_push_retained(L, rd_grad(x));
        return 1;
    case FIELD_REQUIRES_GRAD:
        lua_pushboolean(L, rd_requires_grad(x));
        return 1;
    case FIELD_NDIM:
        lua_pushinteger(L, rd_tensor_ndim(x));
        return 1;
    case FIELD_ORDER:
        push_order(L, x);
        return 1;
    }
    return luaL_error(L, "a tensor has no field or method '%s'", luaL_tolstring(L, 2, NULL));
}

/* Upvalue: the table of fields' codes. */
static int tensor_newindex(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    if (lua_type(L, 2) != LUA_TSTRING) return rdl_tensor_set(L);
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (lua_tointeger(L, -1) != FIELD_REQUIRES_GRAD)
        return luaL_error(L, "a tensor has no field '%s' that can be set", lua_tostring(L, 2));
    luaL_checktype(L, 3, LUA_TBOOLEAN);
    RDL_DO(L, rd_set_requires_grad(x, lua_toboolean(L, 3), &err));
    return 0;
}

static int tensor_len(lua_State *L)
{
    const rd_tensor *x = rdl_tensor(L, 1);
    if (rd_tensor_ndim(x) == 0) return luaL_error(L, "a tensor of no dimensions has no length");
    lua_pushinteger(L, (lua_Integer)rd_tensor_shape(x)[0]);
    return 1;
}

/* ---- sizes and values ---- */

static int tensor_size(lua_State *L)
{
    const rd_tensor *x = rdl_tensor(L, 1);
    const uint32_t ndim = rd_tensor_ndim(x);
    const size_t *shape = rd_tensor_shape(x);
    if (!lua_isnoneornil(L, 2)) {
        lua_pushinteger(L, (lua_Integer)shape[rdl_dim(L, 2, ndim)]);
        return 1;
    }
    lua_createtable(L, (int)ndim, 0);
    for (uint32_t d = 0; d < ndim; d++) {
        lua_pushinteger(L, (lua_Integer)shape[d]);
        lua_rawseti(L, -2, (lua_Integer)d + 1);
    }
    return 1;
}

static int tensor_numel(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)rd_tensor_numel(rdl_tensor(L, 1)));
    return 1;
}

static int tensor_item(lua_State *L)
{
    const rd_tensor *x = rdl_tensor(L, 1);
    if (rd_tensor_numel(x) != 1)
        return luaL_error(L, "item() takes a tensor of one element, this one has %I",
                          (lua_Integer)rd_tensor_numel(x));
    lua_pushnumber(L, rd_tensor_at(x)[0]);
    return 1;
}

static int tensor_norm(lua_State *L)
{
    lua_pushnumber(L, rd_norm(rdl_tensor(L, 1)));
    return 1;
}

static int tensor_is_finite(lua_State *L)
{
    lua_pushboolean(L, rd_all_finite(rdl_tensor(L, 1)));
    return 1;
}

/* |a - b| <= atol + rtol |b| everywhere (numpy's rule); equal infinities are close, NaN never is. */
static bool close_values(const rd_real *a, const rd_real *b, size_t n, double rtol, double atol)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] == b[i]) continue;
        if (!(fabs((double)a[i] - (double)b[i]) <= atol + rtol * fabs((double)b[i])) || isinf(b[i]))
            return false;
    }
    return true;
}

static int tensor_allclose(lua_State *L)
{
    const rd_tensor *a = rdl_tensor(L, 1);
    const rd_tensor *b = rdl_tensor(L, 2);
    double rtol = 1e-5, atol = 1e-8;
    if (!lua_isnoneornil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        rtol = rdl_field_number(L, 3, "rtol", rtol);
        atol = rdl_field_number(L, 3, "atol", atol);
    }
    bool equal = rd_tensor_ndim(a) == rd_tensor_ndim(b);
    for (uint32_t d = 0; equal && d < rd_tensor_ndim(a); d++)
        equal = rd_tensor_shape(a)[d] == rd_tensor_shape(b)[d];
    if (equal) {
        const size_t n = rd_tensor_numel(a);
        rd_real *va = rdl_buffer(L, n, sizeof *va);
        rd_real *vb = rdl_buffer(L, n, sizeof *vb);
        rd_tensor_read(a, va);
        rd_tensor_read(b, vb);
        equal = close_values(va, vb, n, rtol, atol);
    }
    lua_pushboolean(L, equal);
    return 1;
}

/* ---- the tape ---- */

static int tensor_backward(lua_State *L)
{
    rd_tensor *root = rdl_tensor(L, 1);
    const int options = lua_istable(L, 2) ? 2 : 3;
    rd_tensor *seed = options == 3 && !lua_isnoneornil(L, 2) ? rdl_operand(L, 2) : NULL;
    bool retain = false;
    if (!lua_isnoneornil(L, options)) {
        luaL_checktype(L, options, LUA_TTABLE);
        retain = rdl_field_bool(L, options, "retain_graph", false);
    }
    rdl_state *s = rdl_get_state(L);
    lua_State *before = s->caller; /* a function that is played by another's backward may try */
    rd_error err;
    rd_status status;
    s->caller = L;
    RDL_TRY(L, status, rd_backward(root, seed, retain, &err));
    s->caller = before;
    if (status != RD_OK) return rdl_raise(L, &err);
    if (!retain) rdl_played(L, 1);
    rdl_pay(L);
    return 0;
}

static int tensor_zero_grad(lua_State *L)
{
    rd_zero_grad(rdl_tensor(L, 1));
    return 0;
}

static int tensor_is_leaf(lua_State *L)
{
    lua_pushboolean(L, rd_is_leaf(rdl_tensor(L, 1)));
    return 1;
}

static int tensor_detach(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_detach(x, out, &err));
    return 1;
}

/* ---- operators ---- */

static int apply2(lua_State *L, rd_binary op)
{
    rd_tensor *a = rdl_operand(L, 1);
    rd_tensor *b = rdl_operand(L, 2);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_apply2(op, a, b, out, &err));
    rdl_pay(L);
    return 1;
}

static int tensor_add(lua_State *L)
{
    return apply2(L, RD_ADD);
}

static int tensor_sub(lua_State *L)
{
    return apply2(L, RD_SUB);
}

static int tensor_mul(lua_State *L)
{
    return apply2(L, RD_MUL);
}

static int tensor_div(lua_State *L)
{
    return apply2(L, RD_DIV);
}

static int tensor_eq(lua_State *L)
{
    return apply2(L, RD_EQ);
}

static int tensor_ne(lua_State *L)
{
    return apply2(L, RD_NE);
}

static int tensor_lt(lua_State *L)
{
    return apply2(L, RD_LT);
}

static int tensor_le(lua_State *L)
{
    return apply2(L, RD_LE);
}

static int tensor_gt(lua_State *L)
{
    return apply2(L, RD_GT);
}

static int tensor_ge(lua_State *L)
{
    return apply2(L, RD_GE);
}

static int tensor_unm(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_apply1(RD_NEG, x, out, &err));
    rdl_pay(L);
    return 1;
}

static int tensor_pow(lua_State *L)
{
    rd_tensor *x = rdl_operand(L, 1);
    const double power = luaL_checknumber(L, 2);
    if (power != 2 && power != 0.5)
        return luaL_error(L, "a tensor can be raised to 2 or 0.5, got %f", power);
    rd_tensor **out = rdl_push_tensor(L);
    if (power == 2)
        RDL_DO(L, rd_apply2(RD_MUL, x, x, out, &err));
    else
        RDL_DO(L, rd_apply1(RD_SQRT, x, out, &err));
    rdl_pay(L);
    return 1;
}

static const luaL_Reg methods[] = {
    {"size", tensor_size},
    {"numel", tensor_numel},
    {"item", tensor_item},
    {"table", rdl_tensor_table},
    {"norm", tensor_norm},
    {"is_finite", tensor_is_finite},
    {"allclose", tensor_allclose},
    {"backward", tensor_backward},
    {"zero_grad", tensor_zero_grad},
    {"is_leaf", tensor_is_leaf},
    {"detach", tensor_detach},
    {"release", tensor_release},
    {"close", tensor_release},
    {"eq", tensor_eq},
    {"ne", tensor_ne},
    {"lt", tensor_lt},
    {"le", tensor_le},
    {"gt", tensor_gt},
    {"ge", tensor_ge},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__gc", tensor_release},
    {"__close", tensor_release},
    {"__len", tensor_len},
    {"__tostring", rdl_tensor_tostring},
    {"__add", tensor_add},
    {"__sub", tensor_sub},
    {"__mul", tensor_mul},
    {"__div", tensor_div},
    {"__unm", tensor_unm},
    {"__pow", tensor_pow},
    {NULL, NULL},
};

static void push_fields(lua_State *L)
{
    static const char *const names[] = {"grad", "requires_grad", "ndim", "order"};
    lua_newtable(L);
    for (int i = 0; i < 4; i++) {
        lua_pushinteger(L, FIELD_GRAD + i);
        lua_setfield(L, -2, names[i]);
    }
}

void rdl_open_tensor(lua_State *L)
{
    luaL_newmetatable(L, RDL_TENSOR);
    luaL_setfuncs(L, meta, 0);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    luaL_setfuncs(L, rdl_tensor_views, 0);
    luaL_setfuncs(L, rdl_tensor_operations, 0);
    luaL_setfuncs(L, rdl_tensor_writers, 0);
    push_fields(L);
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, tensor_newindex, 1);
    lua_setfield(L, -4, "__newindex");
    lua_pushcclosure(L, tensor_index, 2);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    rdl_open_tensor_functions(L);
    rdl_open_tensor_values(L);
}
