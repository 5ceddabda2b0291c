/* tensor_ops.c - operations that make tensors of tensors: functions of elements, reductions, products.
 * Methods of rondo.Tensor and functions of the module.
 * SPDX-License-Identifier: MIT */
#include "common.h"

/* ---- functions of elements ---- */

static int apply1(lua_State *L, rd_unary op)
{
    rd_tensor *x = rdl_tensor(L, 1);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_apply1(op, x, out, &err));
    rdl_pay(L);
    return 1;
}

static int tensor_neg(lua_State *L)
{
    return apply1(L, RD_NEG);
}

static int tensor_abs(lua_State *L)
{
    return apply1(L, RD_ABS);
}

static int tensor_sqrt(lua_State *L)
{
    return apply1(L, RD_SQRT);
}

static int tensor_exp(lua_State *L)
{
    return apply1(L, RD_EXP);
}

static int tensor_log(lua_State *L)
{
    return apply1(L, RD_LOG);
}

static int tensor_tanh(lua_State *L)
{
    return apply1(L, RD_TANH);
}

static int tensor_sigmoid(lua_State *L)
{
    return apply1(L, RD_SIGMOID);
}

static int tensor_relu(lua_State *L)
{
    return apply1(L, RD_RELU);
}

static int tensor_softplus(lua_State *L)
{
    return apply1(L, RD_SOFTPLUS);
}

/* ---- along a dimension ---- */

typedef rd_status (*reduce_fn)(rd_tensor *, uint32_t, bool, rd_tensor **, rd_error *);

static int reduce(lua_State *L, reduce_fn fn)
{
    rd_tensor *x = rdl_tensor(L, 1);
    const uint32_t dim = rdl_opt_dim(L, 2, rd_tensor_ndim(x));
    const bool keep = lua_toboolean(L, 3);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, fn(x, dim, keep, out, &err));
    rdl_pay(L);
    return 1;
}

static int tensor_sum(lua_State *L)
{
    return reduce(L, rd_sum);
}

static int tensor_mean(lua_State *L)
{
    return reduce(L, rd_mean);
}

static int tensor_max(lua_State *L)
{
    return reduce(L, rd_max);
}

static int tensor_argmax(lua_State *L)
{
    return reduce(L, rd_argmax);
}

static int softmax(lua_State *L, bool log)
{
    rd_tensor *x = rdl_tensor(L, 1);
    const uint32_t ndim = rd_tensor_ndim(x);
    if (lua_isnoneornil(L, 2)) {
        lua_settop(L, 1);
        lua_pushinteger(L, -1);
    }
    const uint32_t dim = rdl_dim(L, 2, ndim);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_softmax(x, dim, log, out, &err));
    rdl_pay(L);
    return 1;
}

static int tensor_softmax(lua_State *L)
{
    return softmax(L, false);
}

static int tensor_log_softmax(lua_State *L)
{
    return softmax(L, true);
}

/* ---- several tensors ---- */

static int module_concat(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    size_t n;
    rd_tensor **list = rdl_tensor_list(L, 1, &n);
    if (n == 0) return luaL_argerror(L, 1, "a list of at least one tensor expected");
    const uint32_t dim = rdl_dim(L, 2, rd_tensor_ndim(list[0]));
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_concat(list, n, dim, out, &err));
    rdl_pay(L);
    return 1;
}

static int module_where(lua_State *L)
{
    rd_tensor *c = rdl_operand(L, 1);
    rd_tensor *a = rdl_operand(L, 2);
    rd_tensor *b = rdl_operand(L, 3);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_where(c, a, b, out, &err));
    rdl_pay(L);
    return 1;
}

static int module_matmul(lua_State *L)
{
    rd_tensor *a = rdl_tensor(L, 1);
    rd_tensor *b = rdl_tensor(L, 2);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_matmul(a, b, out, &err));
    rdl_pay(L);
    return 1;
}

static rd_tensor *opt_tensor(lua_State *L, int arg)
{
    return lua_isnoneornil(L, arg) ? NULL : rdl_tensor(L, arg);
}

static int module_linear(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    rd_tensor *w = rdl_tensor(L, 2);
    rd_tensor *b = opt_tensor(L, 3);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_linear(x, w, b, out, &err));
    rdl_pay(L);
    return 1;
}

static int module_embedding(lua_State *L)
{
    rd_tensor *ids = rdl_tensor(L, 1);
    rd_tensor *w = rdl_tensor(L, 2);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_embedding(ids, w, out, &err));
    rdl_pay(L);
    return 1;
}

static int module_one_hot(lua_State *L)
{
    rd_tensor *ids = rdl_operand(L, 1);
    const lua_Integer n = luaL_checkinteger(L, 2);
    luaL_argcheck(L, n >= 1, 2, "the number of classes must be at least 1");
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_one_hot(ids, (size_t)n, out, &err));
    rdl_pay(L);
    return 1;
}

static int module_gather(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    const uint32_t dim = rdl_dim(L, 2, rd_tensor_ndim(x));
    rd_tensor *ids = rdl_tensor(L, 3);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_gather(x, dim, ids, out, &err));
    rdl_pay(L);
    return 1;
}

/* dropout(x, p, stream, variational) */
static int module_dropout(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    const double p = luaL_checknumber(L, 2);
    const rd_stream stream = rdl_check_stream(L, 3);
    const bool variational = lua_toboolean(L, 4);
    rd_tensor **out = rdl_push_tensor(L);
    if (variational)
        RDL_DO(L, rd_variational_dropout(x, p, &stream, out, &err));
    else
        RDL_DO(L, rd_dropout(x, p, &stream, out, &err));
    rdl_pay(L);
    return 1;
}

/* pool_time(x, how, mask) */
static int module_pool_time(lua_State *L)
{
    static const char *const hows[] = {"last", "mean", "max", NULL}; /* as rd_pool */
    rd_tensor *x = rdl_tensor(L, 1);
    const rd_pool how = (rd_pool)rdl_choice(L, 2, NULL, hows);
    rd_tensor *mask = opt_tensor(L, 3);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_pool_time(x, mask, how, out, &err));
    rdl_pay(L);
    return 1;
}

/* valid_steps(x, mask, what) */
static int module_valid_steps(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1), *mask = rdl_tensor(L, 2);
    const char *what = luaL_checkstring(L, 3);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_valid_steps(x, mask, what, out, &err));
    rdl_pay(L);
    return 1;
}

static int module_layer_norm(lua_State *L)
{
    rd_tensor *x = rdl_tensor(L, 1);
    rd_tensor *gain = opt_tensor(L, 2);
    rd_tensor *bias = opt_tensor(L, 3);
    const double eps = luaL_optnumber(L, 4, 1e-5);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_layer_norm(x, gain, bias, eps, out, &err));
    rdl_pay(L);
    return 1;
}

const luaL_Reg rdl_tensor_operations[] = {
    {"neg", tensor_neg},
    {"abs", tensor_abs},
    {"sqrt", tensor_sqrt},
    {"exp", tensor_exp},
    {"log", tensor_log},
    {"tanh", tensor_tanh},
    {"sigmoid", tensor_sigmoid},
    {"relu", tensor_relu},
    {"softplus", tensor_softplus},
    {"sum", tensor_sum},
    {"mean", tensor_mean},
    {"max", tensor_max},
    {"argmax", tensor_argmax},
    {"softmax", tensor_softmax},
    {"log_softmax", tensor_log_softmax},
    {"matmul", module_matmul},
    {NULL, NULL},
};

void rdl_open_tensor_functions(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"concat", module_concat},           {"where", module_where},
        {"matmul", module_matmul},           {"linear", module_linear},
        {"embedding", module_embedding},     {"one_hot", module_one_hot},
        {"gather", module_gather},           {"dropout", module_dropout},
        {"layer_norm", module_layer_norm},   {"pool_time", module_pool_time},
        {"valid_steps", module_valid_steps}, {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
