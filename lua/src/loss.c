/* loss.c - losses, and the figures of classifiers.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <string.h>

static const char *const reductions[] = {"mean", "sum", "batch", NULL}; /* as rd_reduction */

/* An optional tensor, or NULL. */
static rd_tensor *optional_tensor(lua_State *L, int arg)
{
    return lua_isnoneornil(L, arg) ? NULL : rdl_tensor(L, arg);
}

static int push_totals(lua_State *L, const rd_loss_total *total)
{
    rdl_pay(L);
    lua_pushnumber(L, total->sum);
    lua_pushnumber(L, total->count);
    return 3;
}

/* cross_entropy(logits, ids, reduction, label_smoothing, class_weights) */
static int loss_cross_entropy(lua_State *L)
{
    rd_tensor *y = rdl_tensor(L, 1), *target = rdl_tensor(L, 2);
    const rd_entropy how = {
        .reduction = (rd_reduction)rdl_choice(L, 3, "mean", reductions),
        .label_smoothing = luaL_optnumber(L, 4, 0),
        .class_weights = optional_tensor(L, 5),
    };
    rd_loss_total total = {0};
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_cross_entropy_with(y, target, &how, out, &total, &err));
    return push_totals(L, &total);
}

/* f(y, target, reduction, weight, delta or pos_weight) */
static int pointwise(lua_State *L, rd_pointwise_kind kind)
{
    rd_tensor *y = rdl_tensor(L, 1), *target = rdl_tensor(L, 2);
    const rd_pointwise how = {
        .kind = kind,
        .reduction = (rd_reduction)rdl_choice(L, 3, "mean", reductions),
        .weight = optional_tensor(L, 4),
        .delta = luaL_optnumber(L, 5, 1),
        .pos_weight = luaL_optnumber(L, 5, 1),
    };
    rd_loss_total total = {0};
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_pointwise_loss(y, target, &how, out, &total, &err));
    return push_totals(L, &total);
}

static int loss_mse(lua_State *L)
{
    return pointwise(L, RD_SQUARED_ERROR);
}

static int loss_l1(lua_State *L)
{
    return pointwise(L, RD_ABSOLUTE_ERROR);
}

static int loss_huber(lua_State *L)
{
    return pointwise(L, RD_HUBER_ERROR);
}

static int loss_bce_with_logits(lua_State *L)
{
    return pointwise(L, RD_BINARY_ENTROPY);
}

/* cosine_loss(y, target, reduction, weight) */
static int loss_cosine(lua_State *L)
{
    rd_tensor *y = rdl_tensor(L, 1), *target = rdl_tensor(L, 2);
    const rd_row_loss how = {
        .reduction = (rd_reduction)rdl_choice(L, 3, "mean", reductions),
        .weight = optional_tensor(L, 4),
    };
    rd_loss_total total = {0};
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_cosine_loss(y, target, &how, out, &total, &err));
    return push_totals(L, &total);
}

/* count_hits(logits, ids, k): hits, positions. */
static int loss_count_hits(lua_State *L)
{
    rd_tensor *y = rdl_tensor(L, 1), *target = rdl_tensor(L, 2);
    const lua_Integer k = luaL_optinteger(L, 3, 1);
    luaL_argcheck(L, k >= 1, 3, "k must be at least 1");
    rd_loss_total total = {0};
    RDL_DO(L, rd_count_hits(y, target, (size_t)k, &total, &err));
    lua_pushnumber(L, total.sum);
    lua_pushnumber(L, total.count);
    return 2;
}

/* Adds a count to entry i of the list on top of the stack. */
static void add_to_entry(lua_State *L, size_t i, uint64_t count)
{
    if (count == 0) return;
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    const lua_Integer before = lua_tointeger(L, -1);
    lua_pop(L, 1);
    lua_pushinteger(L, before + (lua_Integer)count);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
}

/* count_classes(logits, ids, { right = {}, guessed = {}, wanted = {} }): adds to the lists, which count
 * what is there: an entry of nil is 0. */
static int loss_count_classes(lua_State *L)
{
    rd_tensor *y = rdl_tensor(L, 1), *target = rdl_tensor(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    const uint32_t ndim = rd_tensor_ndim(y);
    const size_t classes = ndim ? rd_tensor_shape(y)[ndim - 1] : 0;
    rd_class_count *counts = rdl_buffer(L, classes, sizeof *counts);
    memset(counts, 0, classes * sizeof *counts);
    RDL_DO(L, rd_count_classes(y, target, counts, &err));
    static const char *const names[] = {"right", "guessed", "wanted"};
    for (int k = 0; k < 3; k++) {
        if (rdl_field(L, 3, names[k]) != LUA_TTABLE)
            return luaL_argerror(L, 3, lua_pushfstring(L, "it lacks the list '%s'", names[k]));
        for (size_t i = 0; i < classes; i++) {
            const uint64_t of[] = {counts[i].right, counts[i].guessed, counts[i].wanted};
            add_to_entry(L, i, of[k]);
        }
        lua_pop(L, 1);
    }
    return 0;
}

void rdl_open_loss(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"cross_entropy", loss_cross_entropy},
        {"mse", loss_mse},
        {"l1", loss_l1},
        {"huber", loss_huber},
        {"bce_with_logits", loss_bce_with_logits},
        {"cosine_loss", loss_cosine},
        {"count_hits", loss_count_hits},
        {"count_classes", loss_count_classes},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
