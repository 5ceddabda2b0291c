/* layer.h - a layer of a plugin: what it declared, and one run of it: what forward leaves for backward.
 *
 * Ownership: a layer owns its parameters (views into one block); a pass owns the buffers of one run. A pass
 * that is recorded belongs to its node and retains its layer.
 *
 * Sequences are the rows of valid.h, each a call of the plugin. What has numbers for each step of each row
 * is [step][row][width]; where not every step of every row counts there are places that nothing reads, so
 * that the steps of a row are equally far apart. Without gradients a worker has one such row, which it uses
 * again for each of its sequences.
 * SPDX-License-Identifier: MIT */
#ifndef RD_ENGINE_LAYER_H
#define RD_ENGINE_LAYER_H
#include "base/tensor.h"
#include "engine/layout.h"
#include "engine/tape.h"
#include "engine/valid.h"

enum {
    RDC_LAYER_STATES = 16,
    RDC_LAYER_SAVES = 16,
    RDC_LAYER_PARAMS = 32,
    RDC_LAYER_TABLES = RDC_LAYER_PARAMS
};

typedef struct rdc_layer_decl {
    uint32_t in, out; /* widths of x and y */
    bool says_out;
    rd_state_decl state[RDC_LAYER_STATES];
    rd_save_decl save[RDC_LAYER_SAVES];
    rd_param_decl param[RDC_LAYER_PARAMS];
    char state_name[RDC_LAYER_STATES][RDC_MAX_NAME], param_name[RDC_LAYER_PARAMS][RDC_MAX_NAME];
    uint32_t n_states, n_saves, n_params, n_tables;
    uint32_t state_at[RDC_LAYER_STATES], state_row; /* all states of a sequence side by side */
    size_t param_at[RDC_LAYER_PARAMS], weights;     /* in the block of parameters, in elements */
    rdc_table table[RDC_LAYER_TABLES];
} rdc_layer_decl;

/* Runs the layer's setup() and checks rule T1. `what` begins messages. [setup] */
rd_status rdc_layer_declare(const char *what, const rd_layer *kind, const rd_setup *setup,
                            rdc_layer_decl **out, rd_error *err);
bool rdc_layer_decl_same(const rdc_layer_decl *a, const rdc_layer_decl *b);
void rdc_layer_decl_free(rdc_layer_decl *d); /* NULL is fine */

struct rd_plugin_layer {
    uint32_t refs;
    rd_core *core;
    const rd_layer *kind;
    rd_value *options;
    rd_setup setup; /* what setup() and plan() are given */
    char *label;    /* begins messages */
    rdc_layer_decl *decl;
    rdc_block *weights, *gradients; /* alike; every parameter is a view, and so is its gradient */
    rd_tensor **parameter;
};

/* Numbers of each step of each row: row i begins row * i elements from `at`, its steps are `step` apart. */
typedef struct rdc_track {
    rdc_block *block; /* NULL: another's memory */
    rd_real *at;
    size_t row, step;
    uint32_t width;
} rdc_track;

typedef struct rdc_layer_pass {
    rd_plugin_layer *layer;
    size_t batch; /* the user's rows */
    size_t rows, steps, total;
    rdc_valid *valid; /* NULL: every row takes part in every step */
    bool given[RDC_LAYER_STATES];
    bool keep;     /* saves stay for backward */
    rd_tensor *xt; /* as [T][B][I] */
    rdc_track x, y, save[RDC_LAYER_SAVES];
    rdc_block *states; /* [2][rows][state_row]: before and after */
    rdc_block *kept;
    size_t kept_row, scratch; /* bytes of a sequence, multiples of 64 */
    const rd_real *param[RDC_LAYER_PARAMS];
} rdc_layer_pass;

static inline size_t rdc_layer_length(const rdc_layer_pass *p, size_t row)
{
    return p->valid ? p->valid->length[row] : p->steps;
}
static inline size_t rdc_layer_active(const rdc_layer_pass *p, size_t t)
{
    return p->valid ? p->valid->active[t] : p->rows;
}
static inline size_t rdc_layer_user_row(const rdc_layer_pass *p, size_t row)
{
    return p->valid ? p->valid->row[row] : row;
}
/* The place of a step among the user's rows in sequence order. */
static inline size_t rdc_layer_place(const rdc_layer_pass *p, size_t t, size_t row)
{
    return p->valid ? rdc_valid_place(p->valid, t, row) : t * p->batch + row;
}
/* Does a row begin with first values, and is its last state that of the user's row? */
static inline bool rdc_layer_anew(const rdc_layer_pass *p, uint32_t state, size_t row)
{
    return !p->given[state] || (p->valid && p->valid->kind[row] & RDC_ANEW);
}
static inline bool rdc_layer_ends(const rdc_layer_pass *p, size_t row)
{
    return !p->valid || p->valid->kind[row] & RDC_ENDS;
}
static inline rd_real *rdc_layer_state(const rdc_layer_pass *p, bool after, size_t row)
{
    return (rd_real *)p->states->at + ((after ? p->rows : 0) + row) * p->layer->decl->state_row;
}

/* A track of its own memory: for every row, or one for each of `workers` (0: rows). */
rd_status rdc_track_new(const rdc_layer_pass *p, uint32_t width, uint32_t workers, rdc_track *out,
                        rd_error *err);
/* Rows of a track in the user's places and back. add: a leaf, which may hold something. */
void rdc_track_gather(const rdc_layer_pass *p, const rd_real *from, const rdc_track *to);
void rdc_track_scatter(const rdc_layer_pass *p, const rdc_track *from, rd_real *to, bool add);

/* The calls of a pass, shared among the workers: `call` gets the record of row i with what forward and
 * backward have in common. */
typedef struct rdc_layer_calls {
    const rdc_layer_pass *p;
    void (*call)(const struct rdc_layer_calls *c, rd_run *run, size_t row, uint32_t worker);
    void *user;
    rdc_block *scratch; /* of all workers */
} rdc_layer_calls;
rd_status rdc_layer_play(rdc_layer_calls *c, rd_error *err);
/* How many workers a pass is worth. */
uint32_t rdc_layer_workers(const rdc_layer_pass *p);

extern const rdc_op rdc_layer_op;
void rdc_layer_pass_free(rdc_layer_pass *p); /* NULL is fine */
/* Adds the gradients of parameters (NULL: not wanted) from the saves that backward left. */
rd_status rdc_layer_gradients(const rdc_layer_pass *p, rd_tensor *const *gradient, rd_error *err);
#endif
