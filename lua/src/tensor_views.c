/* tensor_views.c - methods of rondo.Tensor that look at the same values in another shape.
 * SPDX-License-Identifier: MIT */
#include "common.h"

static int tensor_select(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    const uint32_t dim = rdl_dim(L, 2, rd_tensor_ndim(x));
    const size_t at = rdl_position(L, luaL_checkinteger(L, 3), rd_tensor_shape(x)[dim], dim + 1);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_select(x, dim, at, out, &err));
    rdl_adopt(L, 0);
    return 1;
}

static int tensor_slice(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    const uint32_t dim = rdl_dim(L, 2, rd_tensor_ndim(x));
    const size_t size = rd_tensor_shape(x)[dim];
    const size_t first = rdl_position(L, luaL_checkinteger(L, 3), size, dim + 1);
    const size_t last = rdl_position(L, luaL_optinteger(L, 4, -1), size, dim + 1);
    if (last < first)
        return luaL_error(L, "slice ends at %I before it begins at %I", (lua_Integer)last + 1,
                          (lua_Integer)first + 1);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_slice(x, dim, first, last - first + 1, out, &err));
    rdl_adopt(L, 0);
    return 1;
}

static int tensor_narrow(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    const uint32_t dim = rdl_dim(L, 2, rd_tensor_ndim(x));
    const size_t size = rd_tensor_shape(x)[dim];
    const size_t first = rdl_position(L, luaL_checkinteger(L, 3), size, dim + 1);
    const lua_Integer length = luaL_checkinteger(L, 4);
    if (length < 1 || (lua_Unsigned)length > size - first)
        return luaL_error(L, "narrow takes 1..%I positions from there, got %I",
                          (lua_Integer)(size - first), length);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_slice(x, dim, first, (size_t)length, out, &err));
    rdl_adopt(L, 0);
    return 1;
}

static int tensor_transpose(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    const uint32_t ndim = rd_tensor_ndim(x);
    if (lua_gettop(L) == 1 && ndim == 2) { /* a matrix needs no dimensions named */
        lua_pushinteger(L, 1);
        lua_pushinteger(L, 2);
    }
    const uint32_t a = rdl_dim(L, 2, ndim);
    const uint32_t b = rdl_dim(L, 3, ndim);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_transpose(x, a, b, out, &err));
    rdl_adopt(L, 0);
    return 1;
}

/* Puts the missing size where -1 stands (place < ndim), so that the shape holds numel elements. */
static void infer_size(lua_State *L, size_t *shape, uint32_t ndim, uint32_t place, size_t numel)
{
    size_t known = 1;
    for (uint32_t d = 0; d < ndim; d++) {
        if (d == place) continue;
        if (shape[d] != 0 && known > SIZE_MAX / shape[d])
            luaL_error(L, "reshape: the sizes are too large");
        known *= shape[d];
    }
    if (known == 0 || numel % known != 0)
        luaL_error(L, "reshape: -1 cannot stand for a size: %I elements are not a multiple of %I",
                   (lua_Integer)numel, (lua_Integer)known);
    shape[place] = numel / known;
}

static int tensor_reshape(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    if (!lua_istable(L, 2)) { /* reshape(2, 3): as a list */
        const int n = lua_gettop(L) - 1;
        lua_createtable(L, n, 0);
        lua_insert(L, 2);
        for (int i = n; i >= 1; i--) lua_rawseti(L, 2, i);
    }
    size_t shape[RD_MAX_DIMS];
    const lua_Unsigned ndim = lua_rawlen(L, 2);
    if (ndim > RD_MAX_DIMS)
        return luaL_error(L, "a tensor has at most %d dimensions, got %I", RD_MAX_DIMS,
                          (lua_Integer)ndim);
    uint32_t place = RD_MAX_DIMS;
    for (uint32_t d = 0; d < ndim; d++) {
        int exact;
        lua_rawgeti(L, 2, (lua_Integer)d + 1);
        const lua_Integer size = lua_tointegerx(L, -1, &exact);
        if (!exact || size < -1 || (size == -1 && place < RD_MAX_DIMS))
            return luaL_error(L,
                              "reshape: sizes are integers >= 0, and one may be -1; got %s as "
                              "size %d",
                              luaL_tolstring(L, -1, NULL), (int)d + 1);
        if (size == -1) place = d;
        shape[d] = size == -1 ? 1 : (size_t)size;
        lua_pop(L, 1);
    }
    if (place < RD_MAX_DIMS) infer_size(L, shape, (uint32_t)ndim, place, rd_tensor_numel(x));
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_reshape(x, (uint32_t)ndim, shape, out, &err));
    rdl_pay(L);
    rdl_adopt(L, 0);
    return 1;
}

static int tensor_contiguous(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    const rd_order order = rdl_opt_order(L, 2);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_contiguous(x, order, out, &err));
    rdl_pay(L);
    rdl_adopt(L, 0);
    return 1;
}

static int tensor_unsqueeze(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    const uint32_t ndim = rd_tensor_ndim(x);
    if (ndim == RD_MAX_DIMS)
        return luaL_error(L, "a tensor has at most %d dimensions", RD_MAX_DIMS);
    const uint32_t dim = rdl_dim(L, 2, ndim + 1);
    size_t shape[RD_MAX_DIMS];
    for (uint32_t d = 0; d <= ndim; d++)
        shape[d] = d == dim ? 1 : rd_tensor_shape(x)[d < dim ? d : d - 1];
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_reshape(x, ndim + 1, shape, out, &err));
    rdl_pay(L);
    rdl_adopt(L, 0);
    return 1;
}

static int tensor_squeeze(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    const uint32_t ndim = rd_tensor_ndim(x);
    const size_t *old = rd_tensor_shape(x);
    const uint32_t dim = rdl_opt_dim(L, 2, ndim); /* RD_ALL: every dimension of size 1 */
    if (dim != RD_ALL && old[dim] != 1)
        return luaL_error(L, "squeeze: dimension %d has size %I, not 1", (int)dim + 1,
                          (lua_Integer)old[dim]);
    size_t shape[RD_MAX_DIMS];
    uint32_t n = 0;
    for (uint32_t d = 0; d < ndim; d++)
        if (old[d] != 1 || (dim != RD_ALL && d != dim)) shape[n++] = old[d];
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_reshape(x, n, shape, out, &err));
    rdl_pay(L);
    rdl_adopt(L, 0);
    return 1;
}

const luaL_Reg rdl_tensor_views[] = {
    {"select", tensor_select},         {"slice", tensor_slice},
    {"narrow", tensor_narrow},         {"transpose", tensor_transpose},
    {"reshape", tensor_reshape},       {"view", tensor_reshape},
    {"contiguous", tensor_contiguous}, {"unsqueeze", tensor_unsqueeze},
    {"squeeze", tensor_squeeze},       {NULL, NULL},
};
