/* rondo.h - the embedding interface of the core: tensors, tape, recurrent layers, optimizers, files.
 *
 * Threads: a core and everything made from it is used from one thread at a time; the core's own worker
 * threads never outlive a call. Ownership: a function that returns an object through a pointer gives the
 * caller one reference, to be released by the matching _release/_free; arguments are borrowed. Errors:
 * functions that can fail return rd_status, fill *err with one sentence for the user, and leave their
 * results untouched. Dimensions and positions count from 0 here (the Lua surface counts from 1); ids are
 * data and count from 1, 0 being "absent". Ids lie in tensors of rd_real, exact up to 2^24.
 *
 * Shapes: sequences are (batch, time, features), as in Lua; in memory they lie time-major ("sequence
 * order"), so that one step is one contiguous block.
 *
 * Over 400 lines: the whole interface in one place, in the order in which it is learnt.
 * SPDX-License-Identifier: MIT */
#ifndef RONDO_H
#define RONDO_H
#include "rondo/layer.h"

#define RD_MAX_DIMS 8
#define RD_VERSION "0.1.0"

typedef struct rd_error {
    rd_status code;
    char text[508]; /* UTF-8, one sentence, no newline */
} rd_error;

/* ---- the core ------------------------------------------------------------------------------- */

typedef struct rd_core rd_core;
typedef struct rd_core_options {
    uint32_t threads;        /* 0: one per CPU this process may run on */
    const char *kernels;     /* "avx2,scalar" limits the backends; NULL: all */
    const char *plugin_path; /* colon-separated folders, absolute, searched first; or NULL */
    const char *user_dir; /* absolute; plugins-1 in it, where it is, is searched next; NULL: none */
    const char *lib_dir;  /* where plugins-1/f32 (f64) and rondo_hdf5.so lie; NULL: no plugins */
    bool trust_plugins;   /* skip the ownership and permission checks of plugin files */
} rd_core_options;
/* Opens a core, probes the CPU, starts the workers and loads the plugins, from where the options say: the
 * environment is not asked. Plugins that are refused do not make it fail; see rd_plugin_at. */
rd_status rd_core_open(const rd_core_options *options, rd_core **out, rd_error *err);
void rd_core_release(rd_core *core); /* tensors keep their core alive */
rd_status rd_core_set_threads(rd_core *core, uint32_t threads, rd_error *err); /* 0: all CPUs */
uint32_t rd_core_threads(const rd_core *core);
const char *rd_core_kernels(const rd_core *core); /* name of the backend that makes products */
/* Numbers that enter the products of recurrent layers and rd_linear from now on: "float32" (rd_real, the
 * default) or "bf16" (bit contract, rule 10); sums and all that is not a product are rd_real either way.
 * "int8", also rule 10, is for recurrent layers alone and without gradients.
 * Fails on another name and where the backend has no such products. */
rd_status rd_core_set_precision(rd_core *core, const char *name, rd_error *err);
const char *rd_core_precision(const rd_core *core);
const rd_cpu *rd_core_cpu(const rd_core *core);

typedef struct rd_memory_use {                 /* native memory of the core's pool */
    size_t live_bytes, peak_bytes, held_bytes; /* held: live and recycled together */
    size_t asked_bytes, asked_peak; /* live and its peak without what blocks have beyond */
    size_t packed_at_peak;          /* of asked_peak: a factor packed for one product */
    uint64_t system_allocations;    /* calls to the system's allocator so far */
} rd_memory_use;
rd_memory_use rd_core_memory(const rd_core *core);
void rd_core_trim(rd_core *core); /* gives recycled blocks back to the system */

/* A plugin file that was loaded or refused, and what it brought. */
typedef struct rd_plugin_report {
    const char *path;  /* of the file; "(built in)" for what is linked */
    const char *found; /* "built in", "by name", "on the path", "of the user", "installed" */
    const char *name;  /* of the plugin; NULL if refused before it was read */
    const char *version, *license, *origin;
    const rd_plugin *plugin; /* NULL if refused */
    const char *refusal;     /* NULL if loaded: else the rule's number and a sentence, "L2: ..." */
} rd_plugin_report;
size_t rd_plugin_count(const rd_core *core);
rd_plugin_report rd_plugin_at(const rd_core *core, size_t index);
/* Loads one file, made absolute by realpath; its cells win over those found on the path. */
rd_status rd_plugin_load(rd_core *core, const char *path, rd_plugin_report *out, rd_error *err);
size_t rd_cell_count(const rd_core *core);
const rd_cell *rd_cell_at(const rd_core *core, size_t index);
rd_plugin_report rd_cell_plugin(const rd_core *core, const rd_cell *cell); /* what brought it */
/* NULL: not there. `err` (may be NULL) then names the nearest and every refusal. */
const rd_cell *rd_cell_find(const rd_core *core, const char *name, rd_error *err);
/* Layers that compute whole sequences by themselves (rondo/layer.h); they share their names with cells. */
size_t rd_layer_count(const rd_core *core);
const rd_layer *rd_layer_at(const rd_core *core, size_t index);
rd_plugin_report rd_layer_plugin(const rd_core *core, const rd_layer *layer);
const rd_layer *rd_layer_find(const rd_core *core, const char *name, rd_error *err);
/* The backends found, best first, with the reason why one is not used (NULL: it is in use). */
typedef struct rd_kernels_report {
    const rd_kernels *kernels;
    const char *why_not;
    int score; /* on this machine; 0: it was left out before it was asked */
} rd_kernels_report;
size_t rd_kernels_count(const rd_core *core);
rd_kernels_report rd_kernels_at(const rd_core *core, size_t index);

/* What this machine can do right now, to compare with. Multiply-adds, two operations each, in GFLOP/s on
 * all threads at once, by the loop of the backend in use or else of the fastest here; 0: none has one. */
double rd_peak_gflops(rd_core *core);
/* GB/s that all threads together read from memory, out of no cache. */
rd_status rd_read_bandwidth(rd_core *core, double *gbytes, rd_error *err);

/* A profile: seconds and operations by kind of work, until it is stopped. Seconds are the caller's, who waits
 * for the other threads; operations are those of products, of all threads. Pieces of a step are timed on
 * the worker that has the first row. What one kind contains of another is the other's. */
typedef enum rd_work_kind {
    RD_WORK_REST, /* Lua, other operations, waiting, memory */
    RD_WORK_X,
    RD_WORK_RECURRENT, /* states and temps to lines */
    RD_WORK_CELL_FORWARD,
    RD_WORK_CELL_BACKWARD,
    RD_WORK_LOOP,    /* the rest of a time loop: other threads' shares, copies */
    RD_WORK_DH,      /* lines to the gradients of states and temps */
    RD_WORK_DX,      /* lines to the gradient of x */
    RD_WORK_WEIGHTS, /* of recurrent layers; those of Linear are in LINEAR */
    RD_WORK_VECTORS,
    RD_WORK_PACKING,
    RD_WORK_IDS,
    RD_WORK_LINEAR, /* forward and backward, as LOSS */
    RD_WORK_LOSS,
    RD_WORK_CLIP,
    RD_WORK_OPTIMIZER,
    RD_WORK_LAYERS, /* of plugins, forward and backward; gradients of parameters are in WEIGHTS */
    RD_WORK_KINDS
} rd_work_kind;
typedef struct rd_work {
    const char *name; /* "recurrent product" */
    double seconds, flops;
    uint64_t calls;
} rd_work;
rd_status rd_profile_start(rd_core *core, rd_error *err);      /* from zero */
void rd_profile_stop(rd_core *core);                           /* what it has counted stays */
rd_work rd_profile_of(const rd_core *core, rd_work_kind kind); /* zeros before the first start */

/* Options by name, as they come from a Lua table. */
typedef struct rd_setting {
    const char *name;
    int32_t kind; /* RD_INT, RD_REAL, RD_BOOL or RD_CHOICE: what was given; RD_CHOICE: text */
    rd_value value;
    const char *text;
} rd_setting;
/* Fills values[n_options] from the table's defaults and the settings. An integer is taken for a real.
 * `what` ("lstm") begins the message: unknown (with the nearest name), mistyped, out of range. */
rd_status rd_options_resolve(const char *what, const rd_option *options, uint32_t n_options,
                             uint32_t option_size, const rd_setting *settings, size_t n_settings,
                             rd_value *values, rd_error *err);
/* Nearest of n names by edit distance, or NULL if none is near enough to suggest. */
const char *rd_nearest(const char *name, const char *const *names, size_t n);

/* ---- random numbers ------------------------------------------------------------------------- */

/* What a random number is for; with the element's index it names one Philox output, so that numbers
 * depend neither on call order nor on threads (bit contract, rule 8). */
enum {
    RD_FOR_INIT = 1,
    RD_FOR_DROPOUT,
    RD_FOR_SHUFFLE,
    RD_FOR_SAMPLE,
    RD_FOR_USER,
    RD_FOR_SOURCES, /* these three: rd_rnn_config */
    RD_FOR_ZONEOUT,
    RD_FOR_WEIGHTS,
    RD_FOR_PATHS /* rondo_forecast.h */
};
typedef struct rd_stream {
    uint32_t seed;
    uint32_t purpose; /* above */
    uint32_t layer;   /* < 2^24: which module, parameter or generator */
    uint32_t update;  /* optimizer updates so far, or the call number of a user's stream */
    uint32_t time;    /* index in the stream of the first step */
} rd_stream;
/* One uniform number in [0, 1) of 24 bits at (row, element). */
double rd_uniform_at(const rd_stream *stream, uint32_t row, uint64_t element);
/* Place i of a permutation of 0..n-1 (i < n), without a table: a Feistel network of Philox over the next
 * power of four, walked until it lands below n. Uses rows and elements of the stream. */
uint64_t rd_permuted(const rd_stream *stream, uint64_t n, uint64_t i);
/* 32 random bits at (row, element). */
uint32_t rd_bits_at(const rd_stream *stream, uint32_t row, uint64_t element);

/* ---- tensors -------------------------------------------------------------------------------- */

typedef struct rd_tensor rd_tensor;
typedef enum rd_order {
    RD_DENSE,
    RD_SEQUENCE
} rd_order; /* SEQUENCE: (B, T, ...) lies [T][B][...] */

rd_tensor *rd_tensor_retain(rd_tensor *t);
void rd_tensor_release(rd_tensor *t); /* NULL is fine */
/* Uninitialised. Fails on more than RD_MAX_DIMS dimensions, an overflow, or no memory. */
rd_status rd_tensor_new(rd_core *core, uint32_t ndim, const size_t *shape, rd_order order,
                        rd_tensor **out, rd_error *err);
rd_core *rd_tensor_core(const rd_tensor *t);
uint32_t rd_tensor_ndim(const rd_tensor *t);
const size_t *rd_tensor_shape(const rd_tensor *t);
const size_t *rd_tensor_strides(const rd_tensor *t); /* in elements; 0 where broadcast */
size_t rd_tensor_numel(const rd_tensor *t);
const rd_real *rd_tensor_at(const rd_tensor *t); /* first element; to be walked by the strides */
size_t rd_tensor_bytes(const rd_tensor *t);      /* native bytes of the block it lies in */
/* Logical (dense, row-major) copies out and in. `values` holds numel. write fails where in-place writes
 * are not allowed (see rd_fill). */
void rd_tensor_read(const rd_tensor *t, rd_real *values);
rd_status rd_tensor_write(rd_tensor *t, const rd_real *values, rd_error *err);
rd_status rd_tensor_get(const rd_tensor *t, const size_t *index, double *value, rd_error *err);
rd_status rd_tensor_set(rd_tensor *t, const size_t *index, double value, rd_error *err);
/* In-place writes bump the version that backward checks, and fail on a tensor that is part of a graph
 * or, outside no_grad, on a leaf that wants a gradient. */
rd_status rd_fill(rd_tensor *t, double value, rd_error *err);
rd_status rd_copy(rd_tensor *to, rd_tensor *from, rd_error *err); /* broadcasts `from` */
rd_status rd_fill_uniform(rd_tensor *t, double low, double high, const rd_stream *s, rd_error *err);
rd_status rd_fill_normal(rd_tensor *t, double mean, double sd, const rd_stream *s, rd_error *err);
/* Fills by a cell's declaration; fan_in and fan_out are those of the whole matrix (t is 2-D: rows =
 * outputs) or irrelevant. */
rd_status rd_fill_init(rd_tensor *t, const rd_init *init, const rd_stream *s, rd_error *err);

/* ---- tape ----------------------------------------------------------------------------------- */

bool rd_grad_mode(const rd_core *core);
bool rd_set_grad_mode(rd_core *core, bool on); /* returns the mode before */
bool rd_requires_grad(const rd_tensor *t); /* leaf that wants one, or result that depends on one */
rd_status rd_set_requires_grad(rd_tensor *t, bool on, rd_error *err); /* fails on a result */
bool rd_is_leaf(const rd_tensor *t);
rd_tensor *rd_grad(const rd_tensor *t); /* borrowed; NULL before the first backward */
void rd_zero_grad(rd_tensor *t);        /* fills an existing gradient with zeros */
rd_status rd_detach(rd_tensor *t, rd_tensor **out, rd_error *err); /* same memory, no graph */
/* Plays the graph of `root` backward, adding to the gradient of every leaf. seed NULL: root must have
 * one element. Without retain_graph the graph is consumed and every tensor in it becomes a constant.
 * Fails on a graph already consumed and on a saved tensor that was written since, by name. */
rd_status rd_backward(rd_tensor *root, rd_tensor *seed, bool retain_graph, rd_error *err);

/* ---- operations: each returns a new tensor; views share memory --------------------------------- */

typedef enum rd_unary {
    RD_NEG,
    RD_ABS,
    RD_SQRT,
    RD_EXP,
    RD_LOG,
    RD_TANH,
    RD_SIGMOID,
    RD_RELU,
    RD_SOFTPLUS
} rd_unary;
typedef enum rd_binary {
    RD_ADD,
    RD_SUB,
    RD_MUL,
    RD_DIV,
    RD_EQ,
    RD_NE,
    RD_LT,
    RD_LE,
    RD_GT,
    RD_GE /* 1 or 0, constants */
} rd_binary;
rd_status rd_apply1(rd_unary op, rd_tensor *x, rd_tensor **out, rd_error *err);
rd_status rd_apply2(rd_binary op, rd_tensor *a, rd_tensor *b, rd_tensor **out, rd_error *err);
rd_status rd_scalar(rd_core *core, double value, rd_tensor **out, rd_error *err); /* 0-d constant */
rd_status rd_where(rd_tensor *cond, rd_tensor *a, rd_tensor *b, rd_tensor **out, rd_error *err);

/* (..., m, k) x (..., k, n): leading dimensions are equal or absent on one side. */
rd_status rd_matmul(rd_tensor *a, rd_tensor *b, rd_tensor **out, rd_error *err);
/* x (..., in), weight (out, in), bias (out) or NULL -> (..., out). One-hot x is a gather. */
rd_status rd_linear(rd_tensor *x, rd_tensor *weight, rd_tensor *bias, rd_tensor **out,
                    rd_error *err);
/* ids (...) -> (..., E): id k reads row k-1, id 0 gives zeros and gets no gradient. */
rd_status rd_embedding(rd_tensor *ids, rd_tensor *weight, rd_tensor **out, rd_error *err);
/* ids (...) -> (..., n); the result remembers its ids, so that products with it are gathers. */
rd_status rd_one_hot(rd_tensor *ids, size_t n, rd_tensor **out, rd_error *err);
rd_status rd_softmax(rd_tensor *x, uint32_t dim, bool log, rd_tensor **out, rd_error *err);
/* dim < ndim, or RD_ALL for the whole tensor (0-d result). */
#define RD_ALL UINT32_MAX
rd_status rd_sum(rd_tensor *x, uint32_t dim, bool keep_dim, rd_tensor **out, rd_error *err);
rd_status rd_mean(rd_tensor *x, uint32_t dim, bool keep_dim, rd_tensor **out, rd_error *err);
/* Gradient goes to the first maximum. */
rd_status rd_max(rd_tensor *x, uint32_t dim, bool keep_dim, rd_tensor **out, rd_error *err);
/* Position of the first maximum, counted from 1 (an id), without gradient. */
rd_status rd_argmax(rd_tensor *x, uint32_t dim, bool keep_dim, rd_tensor **out, rd_error *err);
/* x (B, T, ...) -> (B, ...) over the steps that count by a mask as rd_rnn_input has one (NULL: all); a row
 * without any gives 0. The gradient of a maximum goes to the first. */
typedef enum rd_pool { RD_POOL_LAST, RD_POOL_MEAN, RD_POOL_MAX } rd_pool;
rd_status rd_pool_time(rd_tensor *x, rd_tensor *mask, rd_pool how, rd_tensor **out, rd_error *err);
/* (B, T): 1 where a step of x (B, T, ...) counts by the mask, else 0. `what` begins messages. */
rd_status rd_valid_steps(rd_tensor *x, rd_tensor *mask, const char *what, rd_tensor **out,
                         rd_error *err);
rd_status rd_concat(rd_tensor *const *x, size_t n, uint32_t dim, rd_tensor **out, rd_error *err);
rd_status rd_slice(rd_tensor *x, uint32_t dim, size_t start, size_t length, rd_tensor **out,
                   rd_error *err); /* view */
rd_status rd_select(rd_tensor *x, uint32_t dim, size_t index, rd_tensor **out,
                    rd_error *err); /* view */
rd_status rd_transpose(rd_tensor *x, uint32_t a, uint32_t b, rd_tensor **out,
                       rd_error *err); /* view */
/* Logical; a view where the strides allow it, else a copy. */
rd_status rd_reshape(rd_tensor *x, uint32_t ndim, const size_t *shape, rd_tensor **out,
                     rd_error *err);
rd_status rd_contiguous(rd_tensor *x, rd_order order, rd_tensor **out, rd_error *err);
/* out[i.., j, k..] = x[i.., ids[i.., j, k..] - 1, k..] along dim; id 0 gives 0. Shapes are equal but in
 * dim. */
rd_status rd_gather(rd_tensor *x, uint32_t dim, rd_tensor *ids, rd_tensor **out, rd_error *err);
/* Zeroes with probability p and scales the rest by 1 / (1 - p). (B, T, F): row b, time stream->time + t;
 * (B, F): row b. */
rd_status rd_dropout(rd_tensor *x, double p, const rd_stream *stream, rd_tensor **out,
                     rd_error *err);
/* The same mask at every step (Gal & Ghahramani 2016), that of time 0. */
rd_status rd_variational_dropout(rd_tensor *x, double p, const rd_stream *stream, rd_tensor **out,
                                 rd_error *err);
/* Over the last dimension; gain and bias (F) or NULL. */
rd_status rd_layer_norm(rd_tensor *x, rd_tensor *gain, rd_tensor *bias, double eps, rd_tensor **out,
                        rd_error *err);
double rd_norm(const rd_tensor *t); /* Euclidean, in double, in storage order (rule 7) */
bool rd_all_finite(const rd_tensor *t);

/* ---- losses ----------------------------------------------------------------------------------- */

typedef enum rd_reduction {
    RD_MEAN,      /* over what is not masked */
    RD_TOTAL,     /* sum */
    RD_PER_BATCH, /* sum, divided by the rows of the batch (the first dimension) */
} rd_reduction;
typedef struct rd_loss_total { /* for reports: exact whatever the reduction */
    double sum;                /* nats, or squared errors */
    double count;              /* positions or elements that counted */
} rd_loss_total;
/* logits (..., V), target ids (...): 0 is ignored. No counted position: loss 0, no gradient. */
rd_status rd_cross_entropy(rd_tensor *logits, rd_tensor *target, rd_reduction reduction,
                           rd_tensor **loss, rd_loss_total *total, rd_error *err);
typedef struct rd_entropy {
    rd_reduction reduction;   /* the mean is over the weights of the targets' classes */
    double label_smoothing;   /* share of the target that is spread over all classes, 0..1 */
    rd_tensor *class_weights; /* (V), at least 0; NULL: ones */
} rd_entropy;
rd_status rd_cross_entropy_with(rd_tensor *logits, rd_tensor *target, const rd_entropy *how,
                                rd_tensor **loss, rd_loss_total *total, rd_error *err);

typedef enum rd_pointwise_kind {
    RD_SQUARED_ERROR,
    RD_ABSOLUTE_ERROR,
    RD_HUBER_ERROR,
    RD_BINARY_ENTROPY /* y are logits, the target is 0..1 and a constant */
} rd_pointwise_kind;
typedef struct rd_pointwise {
    rd_pointwise_kind kind;
    rd_reduction reduction; /* the mean is over the weights */
    double delta;           /* Huber: where the square ends, > 0 */
    double pos_weight;      /* binary entropy: weight of the ones, usually 1 */
    rd_tensor *weight;      /* broadcasts to y; 0: not counted, whatever is there. NULL: ones */
} rd_pointwise;
rd_status rd_pointwise_loss(rd_tensor *y, rd_tensor *target, const rd_pointwise *how,
                            rd_tensor **loss, rd_loss_total *total, rd_error *err);
rd_status rd_mse(rd_tensor *y, rd_tensor *target, rd_reduction reduction, rd_tensor **loss,
                 rd_loss_total *total, rd_error *err);
typedef struct rd_row_loss {
    rd_reduction reduction;
    rd_tensor *weight; /* broadcasts to (...): one a row; NULL: ones */
} rd_row_loss;
/* y and target (..., F): 1 - cosine similarity of each row. */
rd_status rd_cosine_loss(rd_tensor *y, rd_tensor *target, const rd_row_loss *how, rd_tensor **loss,
                         rd_loss_total *total, rd_error *err);

/* Figures of classifiers: logits (..., V), target ids (...), 0 is not counted. */
/* sum: positions whose target is among the k most likely; count: positions. */
rd_status rd_count_hits(rd_tensor *logits, rd_tensor *target, size_t k, rd_loss_total *total,
                        rd_error *err);
typedef struct rd_class_count {
    uint64_t right, guessed, wanted;
} rd_class_count;
/* Adds to counts[V]. */
rd_status rd_count_classes(rd_tensor *logits, rd_tensor *target, rd_class_count *counts,
                           rd_error *err);

/* ---- recurrent layers -------------------------------------------------------------------------- */

typedef struct rd_rnn rd_rnn; /* one layer, one direction, of any cell */
typedef struct rd_zoneout {
    const char *state; /* NULL: all that can be held */
    double share;
} rd_zoneout;
/* Regularisers of any cell, off where 0; each is a probability, at least 0 and less than 1. In training,
 * (rd_rnn_input), with u(purpose, time, row, element) = rd_uniform_at of the layer's seed and number:
 *     dropout   a matrix that is learned sees 0 instead of unit j of a source in row b of the batch, at all
 *               steps, where u(RD_FOR_SOURCES, 0, b, (s << RD_SOURCE_BITS) + j) < p, else the unit divided by
 *               1 - p. Sources count: x is 0, then come the states, then the temps (Gal & Ghahramani 2016).
 *     zoneout   unit j of state k stays what it was at time t where
 *               u(RD_FOR_ZONEOUT, t, b, (1 + k << RD_SOURCE_BITS) + j) < p; outside of training it is p times
 *               what it was and 1 - p times what it would be (Krueger et al. 2017).
 *     weights   number (i, j) of parameter n, a matrix of states or temps that is learned, is 0 where
 *               u(RD_FOR_WEIGHTS, n, i, j) < p, else divided by 1 - p (Merity et al. 2018). */
#define RD_SOURCE_BITS 24
typedef struct rd_rnn_config {
    const char *cell;
    uint32_t input_size, hidden_size;
    uint32_t bias;              /* 0, 1 or 2 vectors */
    const rd_setting *settings; /* the cell's options */
    size_t n_settings;
    const char *label;    /* begins messages: "LSTM 'layer 2'"; copied */
    uint32_t seed, layer; /* initial values: RD_FOR_INIT, layer, parameter's index */
    double input_dropout, recurrent_dropout, weight_drop;
    const rd_zoneout *zoneout; /* a later one wins */
    size_t n_zoneout;
} rd_rnn_config;
rd_status rd_rnn_new(rd_core *core, const rd_rnn_config *config, rd_rnn **out, rd_error *err);
rd_rnn *rd_rnn_retain(rd_rnn *rnn);
void rd_rnn_release(rd_rnn *rnn);
const rd_cell *rd_rnn_cell(const rd_rnn *rnn);
const rd_value *rd_rnn_options(const rd_rnn *rnn); /* as resolved; one per option of the cell */
size_t rd_rnn_state_count(const rd_rnn *rnn);
const char *rd_rnn_state_name(const rd_rnn *rnn, size_t index);
uint32_t rd_rnn_state_width(const rd_rnn *rnn, size_t index);
double rd_rnn_state_first(const rd_rnn *rnn, size_t index); /* the value before the first step */
bool rd_rnn_state_stops(const rd_rnn *rnn, size_t index);   /* no gradient flows through it */
uint32_t rd_rnn_output_size(const rd_rnn *rnn);             /* width of state 0 */
/* Parameters in order of registration: by line its matrices "<line>_x", "<line>_<state|temp>" of shape
 * (width, source width) and biases "<line>_b" (one) or "<line>_bx", "<line>_bh" (two); then vectors. */
size_t rd_rnn_parameter_count(const rd_rnn *rnn);
const char *rd_rnn_parameter_name(const rd_rnn *rnn, size_t index);
rd_tensor *rd_rnn_parameter(const rd_rnn *rnn, size_t index); /* borrowed */
/* x (B, T, I); states: one (B, width) each, or NULL for the cell's first values. y (B, T, H) in sequence
 * order; final: array of state_count tensors, or NULL. T may be 1. Records one node if grad mode is on. */
rd_status rd_rnn_forward(rd_rnn *rnn, rd_tensor *x, rd_tensor *const *states, rd_tensor **y,
                         rd_tensor **final, rd_error *err);

typedef struct rd_rnn_input {
    rd_tensor *x;             /* (B, T, I) */
    rd_tensor *const *states; /* as above, or NULL; an entry may be NULL */
    rd_tensor *const *first;  /* first values: one (width) each, NULL for the cell's; or NULL */
    rd_tensor *mask;   /* (B, T) of ids or 1, 0 where a step does not count; (B) lengths; or NULL */
    rd_tensor *resets; /* (B, T), 1 where one sequence ends and the step begins another; or NULL */
    bool reverse;      /* from the last step that counts to the first */
    bool training;     /* regularisers are on; else only zoneout is there, and blends */
    uint32_t update;   /* key of their masks: calls with the same one are chunks of one sequence */
    uint32_t time;     /* steps of the sequence before x; a step's index is its place in x */
} rd_rnn_input;
/* A step that does not count keeps the state, gives 0 and has no gradient; padding may lie anywhere and costs
 * no computation. Last states are those after each row's last step that counts; a row without one keeps its
 * first states. Before a step with a reset the state is put back to first values, whether the step counts or
 * not; in reverse before the step that is read next. Outputs, states and gradients of a row, or of what lies
 * between two resets, are those of its steps run alone. An observer sees the longest stretches first, and in
 * each step those that take part. */
rd_status rd_rnn_run(rd_rnn *rnn, const rd_rnn_input *in, rd_tensor **y, rd_tensor **final,
                     rd_error *err);
/* Several layers, the same numbers as one after the other by rd_rnn_run. Where x of a layer is NULL it reads
 * what the layer before it gives; that of the first is there. y: array of n, NULL for what the next layer
 * reads; final: the last states of all layers behind each other, or NULL. With few rows the layers run at the
 * same time and are one node, so that threads have something to share. On failure y is undefined and nothing
 * is left. */
rd_status rd_rnn_run_all(rd_rnn *const *rnn, const rd_rnn_input *in, size_t n, rd_tensor **y,
                         rd_tensor **final, rd_error *err);

/* What an observer is shown of one step, all rows; spans by id, valid during the call only. */
typedef struct rd_observed {
    size_t t, rows;           /* step from 0 */
    const rd_span *line;      /* forward: what the cell left (usually gates); backward: dL/da */
    const rd_span *state;     /* states after the step */
    const rd_cspan *dstate;   /* backward: dL/ds(t), complete; NULL in forward */
    rd_cspan x;               /* backward only; at is NULL for one-hot input */
    const rd_cspan *previous; /* states before the step */
    const rd_cspan *temp;
} rd_observed;
/* Called once per step on the calling thread, t ascending in forward and descending in backward: the
 * explicit contribution of step t to dL/dM is line^T times its source. NULL takes it away. */
typedef struct rd_observer {
    void (*forward)(void *user, const rd_observed *step);
    void (*backward)(void *user, const rd_observed *step);
    void *user;
} rd_observer;
void rd_rnn_observe(rd_rnn *rnn, const rd_observer *observer);

/* ---- layers of plugins ------------------------------------------------------------------------- */

typedef struct rd_plugin_layer rd_plugin_layer; /* one layer that a plugin computes as a whole */
typedef struct rd_plugin_layer_config {
    const char *name, *label;         /* label begins messages; copied */
    uint32_t input_size, seed, layer; /* initial values: RD_FOR_INIT, layer, parameter's index */
    const rd_setting *settings;       /* the layer's options */
    size_t n_settings;
} rd_plugin_layer_config;
rd_status rd_plugin_layer_new(rd_core *core, const rd_plugin_layer_config *config,
                              rd_plugin_layer **out, rd_error *err);
void rd_plugin_layer_release(rd_plugin_layer *layer); /* NULL is fine */
uint32_t rd_plugin_layer_output_size(const rd_plugin_layer *layer);
/* State and parameter (borrowed) by index, NULL behind the last; width and name may be NULL. */
const char *rd_plugin_layer_state(const rd_plugin_layer *layer, size_t index, uint32_t *width);
rd_tensor *rd_plugin_layer_parameter(const rd_plugin_layer *layer, size_t i, const char **name);
/* As rd_rnn_run with x, states, mask and resets of `in`; the rest is not read. */
rd_status rd_plugin_layer_run(rd_plugin_layer *layer, const rd_rnn_input *in, rd_tensor **y,
                              rd_tensor **final, rd_error *err);

/* ---- learning ----------------------------------------------------------------------------------- */

typedef struct rd_optimizer rd_optimizer;
size_t rd_optimizer_kind_count(void);
const char *rd_optimizer_kind_name(size_t index); /* "sgd", "rmsprop", "adam", "lion", ... */
/* The options of a kind ("lr", "momentum", ...), or NULL for an unknown one. */
const rd_option *rd_optimizer_options(const char *kind, uint32_t *n_options);
rd_status rd_optimizer_new(const char *kind, const rd_setting *settings, size_t n_settings,
                           rd_tensor *const *parameters, size_t n_parameters, rd_optimizer **out,
                           rd_error *err);
void rd_optimizer_free(rd_optimizer *o);
/* Updates every parameter that has a gradient and wants one. */
rd_status rd_optimizer_step(rd_optimizer *o, rd_error *err);
/* The group of a parameter: its rate is lr times a factor (1), its decay its own (the option's). */
rd_status rd_optimizer_set_group(rd_optimizer *o, size_t parameter, double lr_factor,
                                 double weight_decay, rd_error *err);
uint64_t rd_optimizer_updates(const rd_optimizer *o); /* steps taken */
double rd_optimizer_lr(const rd_optimizer *o);
rd_status rd_optimizer_set_lr(rd_optimizer *o, double lr, rd_error *err); /* keeps all state */
/* State for checkpoints. Slots are tensors like the parameters, named "momentum", "mean", ...; scalars
 * are doubles: "updates" and running products. */
size_t rd_optimizer_slot_count(const rd_optimizer *o); /* per parameter */
const char *rd_optimizer_slot_name(const rd_optimizer *o, size_t slot);
rd_tensor *rd_optimizer_slot(const rd_optimizer *o, size_t parameter, size_t slot); /* borrowed */
size_t rd_optimizer_scalar_count(const rd_optimizer *o);
const char *rd_optimizer_scalar_name(const rd_optimizer *o, size_t index);
double rd_optimizer_scalar(const rd_optimizer *o, size_t index);
rd_status rd_optimizer_set_scalar(rd_optimizer *o, size_t index, double value, rd_error *err);

/* Averages of parameters, zeros at first. */
typedef struct rd_average rd_average;
rd_status rd_average_new(rd_tensor *const *parameters, size_t n, rd_average **out, rd_error *err);
void rd_average_free(rd_average *a);
/* a = a + weight (p - a), the weight rounded once; from 1 on a = p. EMA: 1 - decay; mean of all: 1 / n. */
void rd_average_update(rd_average *a, double weight);
void rd_average_exchange(rd_average *a); /* parameters and averages change places */
rd_tensor *rd_average_of(const rd_average *a, size_t parameter); /* borrowed */

/* Global norm of the gradients, before clipping; with max_norm > 0 scales them by
 * min(1, max_norm / (norm + 1e-6)) (PyTorch's rule). *bad: index of the first parameter whose gradient
 * is not finite, or n; then nothing is scaled. */
rd_status rd_clip_grad_norm(rd_tensor *const *parameters, size_t n, double max_norm, double *norm,
                            size_t *bad, rd_error *err);
/* The same by another norm of all elements: Euclidean, the sum of sizes, or the largest size. */
typedef enum rd_norm_kind { RD_NORM_2, RD_NORM_1, RD_NORM_MAX } rd_norm_kind;
typedef struct rd_clip {
    rd_norm_kind kind;
    double max_norm;
} rd_clip;
rd_status rd_clip_grad_norm_by(rd_tensor *const *parameters, size_t n, const rd_clip *how,
                               double *norm, size_t *bad, rd_error *err);
/* Every element into [-limit, limit]. */
rd_status rd_clip_grad_value(rd_tensor *const *parameters, size_t n, double limit, rd_error *err);

typedef enum rd_schedule_kind {
    RD_CONSTANT,
    RD_EXPONENTIAL,
    RD_STEP,
    RD_COSINE,
    RD_ONE_CYCLE
} rd_schedule_kind;
typedef struct rd_schedule {
    rd_schedule_kind kind;
    double base_lr, min_lr; /* min_lr: floor of the cosine; one cycle: its last rate */
    double first_lr;        /* one cycle: its first rate; base_lr is the peak */
    double rise;            /* one cycle: share of total_steps to the peak, 0..1 */
    double gamma;           /* factor of exponential (each update) and step */
    uint64_t warmup_steps;  /* linear from base_lr / warmup_steps to base_lr */
    uint64_t total_steps;   /* cosine: warm-up included */
    uint64_t step_size;     /* step: updates between two factors */
    uint64_t
        decay_after; /* exponential, step: updates before the first factor, warm-up included; 0:
                             warm-up and one interval (1 or step_size), as PyTorch does */
} rd_schedule;
/* The rate for update number `update` (the first is 0). Pure: state is the update number alone. */
double rd_schedule_lr(const rd_schedule *schedule, uint64_t update);

/* ---- files -------------------------------------------------------------------------------------- */

/* A named collection of arrays and texts: what a checkpoint file holds. Names are paths, "model/1.w".
 * Entries under "history/" are left out of the state digest. */
typedef struct rd_archive rd_archive;
typedef enum rd_entry_kind {
    RD_ENTRY_F32,
    RD_ENTRY_F64,
    RD_ENTRY_I64,
    RD_ENTRY_TEXT
} rd_entry_kind;
typedef struct rd_entry { /* borrowed from the archive */
    const char *name;
    rd_entry_kind kind;
    uint32_t ndim;
    size_t shape[RD_MAX_DIMS]; /* TEXT: shape[0] is the length in bytes */
    const void *data;          /* logical order; TEXT is also NUL-terminated */
} rd_entry;
rd_status rd_archive_new(rd_archive **out, rd_error *err);
void rd_archive_free(rd_archive *a);
rd_status rd_archive_put(rd_archive *a, const rd_entry *entry, rd_error *err); /* copies */
rd_status rd_archive_put_tensor(rd_archive *a, const char *name, const rd_tensor *t, rd_error *err);
size_t rd_archive_count(const rd_archive *a);
const rd_entry *rd_archive_at(const rd_archive *a, size_t index);       /* in order of name */
const rd_entry *rd_archive_find(const rd_archive *a, const char *name); /* NULL: not there */
/* Copies an entry into a tensor of the same shape, converting f32 and f64. */
rd_status rd_archive_get_tensor(const rd_archive *a, const char *name, rd_tensor *to,
                                rd_error *err);

typedef struct rd_digests { /* lower-case hex of XXH3-128 */
    char file[33];          /* of the whole file behind the user block */
    char state[33];         /* of the entries in order of name, without "history/" */
} rd_digests;
/* Writes <path>.tmp.<pid>, fsync, rename, fsync of the folder: the old file stays whole until the new one
 * is. The HDF5 image is built in a forked child. lib_dir (of the core) holds rondo_hdf5.so. A program that
 * may have a limit of file size ignores SIGXFSZ. */
rd_status rd_archive_save(const rd_core *core, const rd_archive *a, const char *path,
                          rd_digests *digests, rd_error *err);
/* Checks the seal, then parses in a child process. */
rd_status rd_archive_load(const rd_core *core, const char *path, rd_archive **out,
                          rd_digests *digests, rd_error *err);

/* XXH3-128 as lower-case hex, as `xxhsum -H2` prints it: tells data apart, not who made it. */
void rd_digest(const void *bytes, size_t n, char digest[33]);

/* Writes a whole file the way a checkpoint is written: the old one stays until the new one is safe. */
rd_status rd_write_file(const char *path, const void *bytes, size_t n, rd_error *err);

/* ---- text ------------------------------------------------------------------------------------------ */

/* What a symbol is: a byte, a UTF-8 code point, a word or a piece of byte-pair encoding. */
typedef enum rd_level { RD_BYTE, RD_CHAR, RD_WORD, RD_BPE } rd_level;
typedef struct rd_vocab_options { /* how text becomes symbols, and which of them get an id */
    rd_level level;
    bool lowercase;     /* letters are read as small ones */
    bool punctuation;   /* WORD: marks are words of their own */
    bool unk, bos, eos; /* the ids <unk>, <bos>, <eos>, in this order, before those of symbols */
    uint64_t min_count; /* rarer symbols get no id; BPE: rarer pairs, at least 2, are not merged */
    uint64_t max_size; /* ids in all; 0: no limit. BPE: needed, at least 256 and the special ones */
} rd_vocab_options;
typedef struct rd_vocab rd_vocab; /* counted references; ids 1..n */
/* BYTE, CHAR: symbols in ascending order. */
rd_status rd_vocab_new(const rd_vocab_options *how, const uint32_t *symbols, size_t n,
                       rd_vocab **out, rd_error *err);
/* WORD: words in order of id, each with a line feed behind it; the empty word is the line feed. */
rd_status rd_vocab_new_words(const rd_vocab_options *how, const char *words, size_t bytes,
                             rd_vocab **out, rd_error *err);
/* BPE: n pairs of symbols, which count from 0: the bytes, then what each merge has made. */
rd_status rd_vocab_new_bpe(const rd_vocab_options *how, const int32_t *pairs, size_t n,
                           rd_vocab **out, rd_error *err);
rd_vocab *rd_vocab_retain(rd_vocab *v);
void rd_vocab_release(rd_vocab *v);
size_t rd_vocab_size(const rd_vocab *v);
const rd_vocab_options *rd_vocab_how(const rd_vocab *v);
typedef struct rd_special { /* ids, or 0 */
    int32_t unk, bos, eos;
} rd_special;
rd_special rd_vocab_special(const rd_vocab *v);
/* What rd_vocab_new* took, borrowed: symbols (BYTE, CHAR) or pairs (BPE) and how many. */
const uint32_t *rd_vocab_symbols(const rd_vocab *v, size_t *n);
const int32_t *rd_vocab_merges(const rd_vocab *v, size_t *n);
/* Word i of n, from 0; "\n" is the line feed. Not ended by NUL. */
const char *rd_vocab_word(const rd_vocab *v, size_t i, size_t *bytes);
size_t rd_vocab_words(const rd_vocab *v);
/* Encodes text. What the vocabulary lacks is <unk>; without it this fails with the position and the symbol.
 * ids holds `length` places; *n is how many were used. */
rd_status rd_vocab_encode(const rd_vocab *v, const char *text, size_t length, int32_t *ids,
                          size_t *n, rd_error *err);
/* The bytes of an id, in `own` or in the vocabulary; *n = 0 for id 0 and <bos>. <eos> is a line feed. */
const char *rd_vocab_decode(const rd_vocab *v, int32_t id, char own[4], size_t *n);
/* WORD: does a space stand between the words of two ids? Not beside a line feed, nor, with punctuation,
 * before a closing mark or behind an opening one. Other levels: never. */
bool rd_vocab_space(const rd_vocab *v, int32_t left, int32_t right);

/* Counts texts and makes the vocabulary of them. BYTE, CHAR: the symbols in ascending order. WORD: the most
 * frequent first, equal ones in order of bytes. */
typedef struct rd_vocab_fit rd_vocab_fit;
rd_status rd_vocab_fit_new(const rd_vocab_options *how, rd_vocab_fit **out, rd_error *err);
rd_status rd_vocab_fit_add(rd_vocab_fit *f, const char *text, size_t n, rd_error *err);
rd_status rd_vocab_fit_end(const rd_vocab_fit *f, rd_vocab **out, rd_error *err);
void rd_vocab_fit_free(rd_vocab_fit *f);

/* A text file, mapped. Offsets count bytes from its first character on. Of `how`, level and punctuation
 * count. A text of level BPE has no symbols before rd_text_use. */
typedef struct rd_text rd_text;
rd_status rd_text_open(const char *path, const rd_vocab_options *how, rd_text **out, rd_error *err);
void rd_text_free(rd_text *t);
/* BPE: numbers the symbols that the vocabulary makes. Fails where it is of another level. */
rd_status rd_text_use(rd_text *t, rd_vocab *v, rd_error *err);
uint64_t rd_text_length(const rd_text *t); /* in symbols */
uint64_t rd_text_bytes(const rd_text *t);
/* Where a symbol begins (BPE: its chunk), or rd_text_bytes for those behind the last. */
uint64_t rd_text_offset(const rd_text *t, uint64_t symbol);
/* How many symbols begin before an offset. */
uint64_t rd_text_count(const rd_text *t, uint64_t offset);
/* First offset from `offset` on where the text may be cut: between two symbols (BPE: chunks). */
uint64_t rd_text_border(const rd_text *t, uint64_t offset);
/* Code points (level BYTE: bytes) that begin in a range of bytes. */
uint64_t rd_text_characters(const rd_text *t, uint64_t from, uint64_t to);
/* Adds a range of bytes to the counts. */
rd_status rd_text_fit(const rd_text *t, uint64_t from, uint64_t to, rd_vocab_fit *f, rd_error *err);
/* rd_digest of a range of bytes. */
rd_status rd_text_digest(const rd_text *t, uint64_t from, uint64_t to, char digest[33],
                         rd_error *err);
/* How many of the n symbols from `from` on have no id, or that of <unk>. */
rd_status rd_text_lacking(const rd_text *t, const rd_vocab *v, uint64_t from, uint64_t n,
                          uint64_t *lacking, rd_error *err);
/* Ids of symbols [from, from + n) by the vocabulary; <unk> or 0 where it lacks one. */
rd_status rd_text_ids(const rd_text *t, const rd_vocab *v, uint64_t from, size_t n, int32_t *ids,
                      rd_error *err);
/* Fills x (B, T) with symbols first[b] .. first[b]+T-1 of each row b. */
rd_status rd_text_batch(const rd_text *t, const rd_vocab *v, const uint64_t *first, rd_tensor *x,
                        rd_error *err);

/* The lines or documents of a range of a text, cut into pieces of at most `steps` pairs (x, y), where y is
 * x one symbol on. A line ends before its line feed, a document behind its last one, at a blank line;
 * blank lines hold nothing. Before a unit stands <bos>, or else a line feed; behind it <eos>, or else a
 * line feed. */
typedef enum rd_unit { RD_LINE, RD_DOCUMENT } rd_unit;
typedef struct rd_pieces_options {
    rd_unit unit;
    uint64_t from, to; /* offsets */
    uint32_t steps;    /* at least 1 */
} rd_pieces_options;
typedef struct rd_pieces rd_pieces; /* borrows the text, refers to the vocabulary */
#define RD_NO_PIECE UINT64_MAX
rd_status rd_pieces_new(const rd_text *t, rd_vocab *v, const rd_pieces_options *how,
                        rd_pieces **out, rd_error *err);
void rd_pieces_free(rd_pieces *p);
uint64_t rd_pieces_count(const rd_pieces *p);
uint64_t rd_pieces_units(const rd_pieces *p);
/* First piece from number i on that begins a unit, or rd_pieces_count. */
uint64_t rd_pieces_begin(const rd_pieces *p, uint64_t i);
/* Pairs in each of n pieces, and whether it begins a unit (may be NULL). RD_NO_PIECE: 0, true. */
rd_status rd_pieces_look(const rd_pieces *p, const uint64_t *piece, size_t n, uint32_t *pairs,
                         bool *begins, rd_error *err);
/* Fills x and y (B, T) with piece[b] in row b and zeros behind it; a longer piece is refused. */
rd_status rd_pieces_batch(const rd_pieces *p, const uint64_t *piece, rd_tensor *x, rd_tensor *y,
                          rd_error *err);
typedef struct rd_flow {          /* rows that read on from unit to unit, by pieces of one step */
    const uint64_t *first, *last; /* per row: pieces [first, last), as many as it has place for */
    rd_tensor *x, *y;             /* (B, T): filled, with zeros behind the last */
    rd_tensor *resets;            /* (B, T): filled, 1 where a unit begins */
    uint32_t *pairs;              /* per row: set, how many there are */
    size_t n_resets;              /* set */
} rd_flow;
rd_status rd_pieces_flow(const rd_pieces *p, rd_flow *flow, rd_error *err);

/* How ids are drawn from logits. In this order: penalty, bias, allowed, temperature, top_k, typical_p, top_p,
 * min_p; each filter counts what those before it have left. Temperature 0: the first largest of what is
 * allowed. Lists are the caller's, of ids 1..V, and hold for every row. */
typedef struct rd_bias {
    int32_t id;
    double value; /* added to the logit; -infinity: never */
} rd_bias;
typedef struct rd_sampling {
    double temperature;  /* > 0; 0: greedy */
    uint32_t top_k;      /* 0: off */
    double typical_p;    /* locally typical: the share that is kept; 0 or 1: off */
    double top_p;        /* 1: off */
    double min_p;        /* least weight as a share of the largest; 0: off */
    double penalty;      /* > 1: what has been seen is less likely; 0 or 1: off */
    const int32_t *seen; /* each id once */
    size_t n_seen;
    const rd_bias *bias;
    size_t n_bias;
    const int32_t *allowed; /* NULL: all */
    size_t n_allowed;
} rd_sampling;
/* logits (B, V) -> ids (B); number i of the stream for position i: stream->time, row b. */
rd_status rd_sample(rd_tensor *logits, const rd_sampling *how, const rd_stream *stream,
                    rd_tensor **ids, rd_error *err);
/* The logits (B, V) as rd_sample sees them: after penalty, bias and allowed. A constant. */
rd_status rd_adjust(rd_tensor *logits, const rd_sampling *how, rd_tensor **out, rd_error *err);
/* The k largest of each row of scores (B, V), largest first and equal ones by id: ids and values (B, k). */
rd_status rd_top(rd_tensor *scores, size_t k, rd_tensor **ids, rd_tensor **values, rd_error *err);

/* Writing a text: a chain of layers from the last id of each row to the next, without tape and tensors. The
 * bits and the draws are those of the same layers, called one by one in evaluation, and rd_sample. */
typedef enum rd_link_kind {
    RD_LINK_ONE_HOT = 1, /* classes; first in the chain, before a recurrent layer */
    RD_LINK_EMBEDDING,   /* weight (ids, features); first in the chain */
    RD_LINK_RNN,         /* rnn, first */
    RD_LINK_LINEAR,      /* weight (out, in), bias or NULL */
    RD_LINK_LAYER_NORM   /* weight and bias or NULL, eps */
} rd_link_kind;
typedef struct rd_link {
    rd_link_kind kind;
    rd_rnn *rnn;
    rd_tensor *const *first; /* per state: what a text begins with, as in rd_rnn_input; copied */
    rd_tensor *weight, *bias;
    size_t classes;
    double eps;
} rd_link;
typedef struct rd_chain
    rd_chain; /* retains layers and tensors; later changes of their numbers count */
/* All rows stand at the beginning of a text. [setup] Fails where links do not fit together. */
rd_status rd_chain_new(rd_core *core, const rd_link *links, size_t n, size_t rows, rd_chain **out,
                       rd_error *err);
void rd_chain_free(rd_chain *chain); /* NULL is fine */
size_t rd_chain_rows(const rd_chain *chain);
size_t rd_chain_state_count(const rd_chain *chain); /* of all recurrent layers together */
/* A row takes row `from` of states (B, width), those of the first recurrent layer first. */
rd_status rd_chain_put(rd_chain *chain, size_t row, rd_tensor *const *states, size_t from,
                       rd_error *err);
typedef struct rd_writing {
    rd_sampling how;
    const rd_stream *stream; /* per row: its number i draws the id of step i */
    size_t steps;
    int32_t *next;  /* per row: the last id; set, to go on with */
    int32_t *ids;   /* [steps][rows]: set to what is drawn */
    int32_t end;    /* a row that draws it is back at the beginning of a text; 0: none */
    bool end_twice; /* not before it draws it a second time, one after the other */
    int32_t begin;  /* what it reads then; 0: `end` */
    size_t done;    /* set: steps taken, fewer where one fails */
} rd_writing;
rd_status rd_chain_write(rd_chain *chain, rd_writing *writing, rd_error *err);
#endif
