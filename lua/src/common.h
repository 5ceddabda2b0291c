/* common.h - what the files of the C module rondo.core share.
 *
 * Rule of every function here: check all arguments, push the results' userdata with NULL inside and
 * their metatable set, and only then call the core. Any lua_* or luaL_* call may jump; whatever was
 * acquired before it would be lost. A core function never sees a lua_State.
 *
 * Memory: Lua sees 16 bytes where a tensor holds a megabyte. rdl_pay() looks at how far the native
 * memory has grown beyond its highest so far and lets the collector work for that many bytes. What rises and
 * falls in every step of a training pays nothing: that was 8 % of a short step.
 * SPDX-License-Identifier: MIT */
#ifndef RDL_COMMON_H
#define RDL_COMMON_H
#include "rondo.h"
#include <lauxlib.h>
#include <lua.h>
#include <sys/types.h>

#define RDL_TENSOR "rondo.Tensor"
#define RDL_RNN "rondo.Rnn"
#define RDL_PLUGIN_LAYER "rondo.PluginLayer"
#define RDL_OPTIMIZER "rondo.Optimizer"
#define RDL_CHAIN "rondo.Chain"
#define RDL_AVERAGE "rondo.Average"
#define RDL_ARCHIVE "rondo.Archive"
#define RDL_TEXT "rondo.Text"
#define RDL_VOCAB "rondo.Vocab"
#define RDL_LOCK "rondo.Lock"
#define RDL_APPEND "rondo.Append"
#define RDL_PROCESS "rondo.Process"
#define RDL_MAX_STATES 32 /* the cell declarations' masks have 32 bits */

/* One per lua_State, in the registry. */
typedef struct rdl_state {
    rd_core *core;     /* NULL until core.open */
    size_t seen;       /* the most native bytes that the collector was paid for */
    size_t soft_max;   /* native bytes beyond which a full collection is tried first */
    size_t custom;     /* operations of function.c that can still be played */
    lua_State *caller; /* who called backward */
    bool raised;       /* a function that the core called failed: its error tops caller's stack */
} rdl_state;

void rdl_open_state(lua_State *L); /* makes the record above */
rdl_state *rdl_get_state(lua_State *L);
rd_core *rdl_core(lua_State *L); /* raises where core.open was not called */
/* Lets the collector work for the native bytes that have come since. Call with all results pushed. */
void rdl_pay(lua_State *L);
/* Raises err's sentence, blamed on the line that called; or what a function called by the core has
 * raised. */
int rdl_raise(lua_State *L, const rd_error *err);
/* Pushes nil, message, code: for what the outside world did. */
int rdl_outside(lua_State *L, const rd_error *err);

/* Runs a core call that uses `err`; out of memory is answered by one full collection and a second try. */
#define RDL_TRY(L, status, call) \
    do { \
        (status) = (call); \
        if ((status) == RD_E_NOMEM) { \
            lua_gc((L), LUA_GCCOLLECT, 0); \
            (status) = (call); \
        } \
    } while (0)
/* The same, raising what remains. */
#define RDL_DO(L, call) \
    do { \
        rd_error err; \
        rd_status rdl_status; \
        RDL_TRY(L, rdl_status, call); \
        if (rdl_status != RD_OK) rdl_raise((L), &err); \
    } while (0)

/* Makes a metatable with __index = methods (or the given function), __gc, __close and __name. */
typedef struct rdl_class {
    const char *name;
    const luaL_Reg *methods;
    const luaL_Reg *meta;
} rdl_class;
void rdl_new_class(lua_State *L, const rdl_class *class);
/* Pushes a userdata that holds one NULL pointer, with its metatable. */
void **rdl_push(lua_State *L, const char *name, int user_values);
/* The pointer in the userdata; raises "closed tensor" (what = "tensor") on a released one. */
void *rdl_check(lua_State *L, int arg, const char *name, const char *what);

/* Tensors. */
rd_tensor **rdl_push_tensor(lua_State *L);
void rdl_push_retained(lua_State *L, rd_tensor *borrowed); /* NULL: pushes nil */
rd_tensor *rdl_tensor(lua_State *L, int arg);
/* A number becomes a 0-d constant, which replaces it on the stack. */
rd_tensor *rdl_operand(lua_State *L, int arg);
/* Array of n tensors out of a Lua list, as a userdata pushed on the stack. */
rd_tensor **rdl_tensor_list(lua_State *L, int arg, size_t *n);

/* function.c: gives the tensors on the stack, and those of the list at `list` (0: none), what they must
 * hold if they depend on custom operations. Called with every result of an operation in place; rdl_pay does
 * it too. */
void rdl_adopt(lua_State *L, int list);
void rdl_played(lua_State *L, int arg); /* the graph of the tensor at arg was played and given up */

/* Arguments. */
/* 1-based dimension, negative from the end, to 0-based; `ndim` is the number of dimensions. */
uint32_t rdl_dim(lua_State *L, int arg, uint32_t ndim);
uint32_t rdl_opt_dim(lua_State *L, int arg, uint32_t ndim); /* none or nil: RD_ALL */
/* 1-based position in a dimension of `size`, negative from the end, to 0-based. dim counts from 1, for
 * the message. */
size_t rdl_position(lua_State *L, lua_Integer at, size_t size, uint32_t dim);
typedef struct rdl_shape {
    uint32_t ndim;
    size_t size[RD_MAX_DIMS];
} rdl_shape;
rdl_shape rdl_check_shape(lua_State *L, int arg);       /* a list of sizes */
rd_order rdl_opt_order(lua_State *L, int arg);          /* "dense" (none, nil) or "sequence" */
rd_stream rdl_check_stream(lua_State *L, int arg);      /* a table {seed=, purpose=, ...} */
rd_sampling rdl_check_sampling(lua_State *L, int arg);  /* its lists lie in userdata, pushed */
void *rdl_buffer(lua_State *L, size_t n, size_t width); /* collected memory, pushed */

/* Fields of a table of options, without its metamethods: those could close what a call has looked at before.
 * rdl_field pushes one and gives its type; arg may be any place of the stack. */
int rdl_field(lua_State *L, int arg, const char *name);
double rdl_field_number(lua_State *L, int arg, const char *name, double def);
lua_Integer rdl_field_integer(lua_State *L, int arg, const char *name, lua_Integer def,
                              lua_Integer max);
bool rdl_field_bool(lua_State *L, int arg, const char *name, bool def);
/* The string stays alive as long as the table holds it. */
const char *rdl_field_string(lua_State *L, int arg, const char *name, const char *def);
/* Index of a string, of the argument or of a field, in a list that ends with NULL. */
int rdl_choice(lua_State *L, int arg, const char *def, const char *const *choices);
int rdl_field_choice(lua_State *L, int arg, const char *name, const char *def,
                     const char *const *choices);
/* The table at arg as settings, in a pushed userdata; none or nil: no settings. */
const rd_setting *rdl_settings(lua_State *L, int arg, const char *what, size_t *n);
/* Pushes a list of tables {name, help, kind, def, min, max, choices, shape}. */
void rdl_push_options(lua_State *L, const rd_option *options, uint32_t n, uint32_t option_size);
void rdl_push_value(lua_State *L, const rd_option *option, rd_value value);

/* Each adds its functions to the module table on top of the stack and makes its classes. */
void rdl_open_core(lua_State *L);
void rdl_open_machine(lua_State *L);
void rdl_open_tensor(lua_State *L);
void rdl_open_tensor_functions(lua_State *L);
void rdl_open_tensor_values(lua_State *L);
void rdl_open_random(lua_State *L);
void rdl_open_sampling(lua_State *L);
void rdl_open_learn(lua_State *L);
void rdl_open_function(lua_State *L);
void rdl_open_chain(lua_State *L);
void rdl_open_loss(lua_State *L);
void rdl_open_average(lua_State *L);
void rdl_open_rnn(lua_State *L);
void rdl_open_plugin_layer(lua_State *L);
void rdl_open_optimizer(lua_State *L);
void rdl_open_archive(lua_State *L);
void rdl_open_text(lua_State *L);
void rdl_open_vocab(lua_State *L);
void rdl_open_csv(lua_State *L);
void rdl_open_parts(lua_State *L);
void rdl_open_series(lua_State *L);
void rdl_open_hdf5(lua_State *L);
void rdl_open_data(lua_State *L);
void rdl_open_windows(lua_State *L);
void rdl_open_trace(lua_State *L);
void rdl_open_forecast(lua_State *L);
void rdl_open_files(lua_State *L);
void rdl_open_system(lua_State *L);
void rdl_open_process(lua_State *L);
void rdl_open_terminal(lua_State *L);
void rdl_open_ticker(lua_State *L);
void rdl_open_spawn(lua_State *L);
/* fork() of which the child has no handlers of ours and dies with its parent (by SIGTERM). */
pid_t rdl_fork(void);
/* The list at arg as a vector that ends with NULL, in a pushed userdata; the list keeps its strings. */
char *const *rdl_check_argv(lua_State *L, int arg);
void rdl_release_signals(void);    /* puts the handlers back that catch_signals replaced */
const char *rdl_interrupted(void); /* name of a signal that was noted, or NULL */

/* tensor_*.c: methods that live in another file than the class. */
extern const luaL_Reg rdl_tensor_views[];
extern const luaL_Reg rdl_tensor_operations[];
extern const luaL_Reg rdl_tensor_writers[];
int rdl_tensor_tostring(lua_State *L);
int rdl_tensor_table(lua_State *L);
int rdl_tensor_get(lua_State *L); /* t[{i, j, k}] */
int rdl_tensor_set(lua_State *L); /* t[{i, j, k}] = number, t[i] = number or tensor */
#endif
