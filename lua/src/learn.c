/* learn.c - clipping, learning-rate schedules and the gradient check.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include "rondo_check.h"
#include <math.h>
#include <stdio.h>

/* ---- clipping ---- */

/* clip_grad_norm({parameters}, max_norm, norm_type): 2 (none, nil), 1 or math.huge. */
static int learn_clip_grad_norm(lua_State *L)
{
    const double type = luaL_optnumber(L, 3, 2);
    luaL_argcheck(L, type == 1 || type == 2 || type == HUGE_VAL, 3,
                  "the type of norm must be 1, 2 or math.huge");
    const rd_clip how = {.kind = type == 2   ? RD_NORM_2
                                 : type == 1 ? RD_NORM_1
                                             : RD_NORM_MAX,
                         .max_norm = luaL_checknumber(L, 2)};
    size_t n;
    rd_tensor **parameters = rdl_tensor_list(L, 1, &n);
    double norm = 0;
    size_t bad = n;
    RDL_DO(L, rd_clip_grad_norm_by(parameters, n, &how, &norm, &bad, &err));
    lua_pushnumber(L, norm);
    if (bad < n)
        lua_pushinteger(L, (lua_Integer)bad + 1);
    else
        lua_pushnil(L);
    return 2;
}

static int learn_clip_grad_value(lua_State *L)
{
    const double limit = luaL_checknumber(L, 2);
    size_t n;
    rd_tensor **parameters = rdl_tensor_list(L, 1, &n);
    RDL_DO(L, rd_clip_grad_value(parameters, n, limit, &err));
    return 0;
}

/* ---- schedules ---- */

static int learn_schedule(lua_State *L)
{
    static const char *const kinds[] = {"constant", "exponential", "step",
                                        "cosine",   "one_cycle",   NULL}; /* as rd_schedule_kind */
    luaL_checktype(L, 1, LUA_TTABLE);
    const lua_Integer update = luaL_checkinteger(L, 2);
    luaL_argcheck(L, update >= 0, 2, "the number of the update must not be negative");
    const rd_schedule s = {
        .kind = (rd_schedule_kind)rdl_field_choice(L, 1, "kind", "constant", kinds),
        .base_lr = rdl_field_number(L, 1, "base_lr", 0),
        .min_lr = rdl_field_number(L, 1, "min_lr", 0),
        .first_lr = rdl_field_number(L, 1, "first_lr", 0),
        .rise = rdl_field_number(L, 1, "pct_start", 0),
        .gamma = rdl_field_number(L, 1, "gamma", 1),
        .warmup_steps = (uint64_t)rdl_field_integer(L, 1, "warmup_steps", 0, LUA_MAXINTEGER),
        .total_steps = (uint64_t)rdl_field_integer(L, 1, "total_steps", 0, LUA_MAXINTEGER),
        .step_size = (uint64_t)rdl_field_integer(L, 1, "step_size", 1, LUA_MAXINTEGER),
        .decay_after = (uint64_t)rdl_field_integer(L, 1, "decay_after", 0, LUA_MAXINTEGER),
    };
    lua_pushnumber(L, rd_schedule_lr(&s, (uint64_t)update));
    return 1;
}

/* ---- gradient check ---- */

/* The scalar of the Lua function at the bottom of the stack; an error in it stays at the top (rdl_raise). */
static rd_status call_scalar(void *user, rd_tensor **out, rd_error *err)
{
    lua_State *L = user;
    err->code = RD_E_ARG;
    snprintf(err->text, sizeof err->text, "the function failed");
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 0, 1, 0) != LUA_OK) {
        rdl_get_state(L)->raised = true;
        return RD_E_ARG;
    }
    rdl_get_state(L)->caller = L;
    rd_tensor **slot = luaL_testudata(L, -1, RDL_TENSOR);
    if (!slot || !*slot) {
        snprintf(err->text, sizeof err->text, "f must return a tensor of one element, got a %s",
                 slot ? "closed tensor" : luaL_typename(L, -1));
        lua_pop(L, 1);
        return RD_E_ARG;
    }
    *out = rd_tensor_retain(*slot);
    lua_replace(L, 3); /* backward finds there what its graph needs */
    return RD_OK;
}

/* check_gradients(f, {parameters}, step, least) */
static int learn_check_gradients(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    rd_gradient_check check = {.f = call_scalar,
                               .user = L,
                               .step = luaL_optnumber(L, 3, 0),
                               .least = luaL_optnumber(L, 4, 0)};
    lua_settop(L, 3);
    check.parameters = rdl_tensor_list(L, 2, &check.n);
    luaL_checkstack(L, LUA_MINSTACK, "check_gradients");
    rd_gradient_report report = {0};
    rdl_state *s = rdl_get_state(L);
    lua_State *before =
        s->caller; /* of a backward that this is a part of, in a coroutine that goes */
    rd_error err;
    rd_status status;
    RDL_TRY(L, status, rd_check_gradients(&check, &report, &err));
    s->caller = before;
    if (status != RD_OK) return rdl_raise(L, &err);
    lua_createtable(L, 0, 5);
    lua_pushnumber(L, report.worst);
    lua_setfield(L, -2, "worst");
    lua_pushinteger(L, (lua_Integer)report.tensor + 1);
    lua_setfield(L, -2, "tensor");
    lua_pushinteger(L, (lua_Integer)report.element + 1);
    lua_setfield(L, -2, "element");
    lua_pushnumber(L, report.analytic);
    lua_setfield(L, -2, "analytic");
    lua_pushnumber(L, report.numeric);
    lua_setfield(L, -2, "numeric");
    return 1;
}

void rdl_open_learn(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"clip_grad_norm", learn_clip_grad_norm},
        {"clip_grad_value", learn_clip_grad_value},
        {"schedule", learn_schedule},
        {"check_gradients", learn_check_gradients},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
