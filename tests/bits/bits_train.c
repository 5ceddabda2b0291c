/* bits_train.c - see bits_train.h. SPDX-License-Identifier: MIT */
#include "bits_train.h"
#include "base/error.h" /* RD_TRY */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    V = 11,
    E = 9,
    H = 37,
    ROWS = 6,
    STEPS = 7,
    UPDATES = 20,
    MAX_PARAMETERS = 64,
    MAX_STATES = 8
};

struct cell_case {
    const char *cell, *option, *choice;
    uint32_t bias;
    uint32_t n_settings; /* instead of the choice, which is then only a name */
    rd_setting setting[4];
    uint32_t hidden;       /* 0: H */
    const char *precision; /* NULL: float32 */
    struct noise {
        double input_dropout, recurrent_dropout, weight_drop, zoneout;
    } noise;
};
static const struct cell_case cell_cases[] = {
    {"vanilla", "activation", "tanh", 1},
    {"vanilla", "activation", "relu", 0},
    {"vanilla", "activation", "sigmoid", 2},
    {"vanilla", "activation", "identity", 1},
    {"lstm", NULL, "-", 2},
    {"gru", "reset", "after", 2},
    {"gru", "reset", "before", 1},
};
enum { N_CELLS = sizeof cell_cases / sizeof cell_cases[0] };
#define COUNT(option, n) \
    { \
        .name = (option), .kind = RD_INT, .value.i = (n) \
    }
#define ON(option) \
    { \
        .name = (option), .kind = RD_BOOL, .value.i = 1 \
    }
/* Each with two of the optimizers: one-hot input, and an embedding's. */
static const struct cell_case more_cells[] = {
    {"mgu", NULL, "-", 2},
    {"indrnn", "activation", "relu", 1},
    {"indrnn", "activation", "tanh", 1},
    {"mingru", "candidate", "linear", 1},
    {"mingru", "candidate", "positive", 1},
    {"minlstm", NULL, "-", 1},
    {"sru", NULL, "-", 1},
    {"mul_lstm", NULL, "-", 2},
    {"rhn", NULL, "-", 1},
    {"slstm", "forget", "sigmoid", 1},
    {"slstm", "forget", "exp", 2},
    {"lstm", NULL, "peephole", 2, 1, {ON("peephole")}},
    {"lstm", NULL, "coupled", 1, 1, {ON("coupled")}},
    {"lstm", NULL, "projection", 1, 1, {COUNT("projection", 19)}},
    {"lstm", NULL, "layer_norm", 1, 1, {ON("layer_norm")}},
    {"lstm",
     NULL,
     "hard_and_all",
     1,
     4,
     {{.name = "gate", .kind = RD_CHOICE, .text = "hard_sigmoid"},
      ON("peephole"),
      ON("layer_norm"),
      COUNT("chrono", 30)}},
    {"lmu", NULL, "-", 1, 1, {COUNT("order", 13)}},
    {"slstm", NULL, "heads", 1, 1, {COUNT("heads", 3)}, 39},
    {"lstm", NULL, "input_dropout", 2, .noise = {.input_dropout = 0.3}},
    {"lstm", NULL, "recurrent_dropout", 1, .noise = {.recurrent_dropout = 0.3}},
    {"gru", NULL, "recurrent_and_zoneout", 1, .noise = {.recurrent_dropout = 0.3, .zoneout = 0.2}},
    {"lstm", NULL, "weight_drop", 1, .noise = {.weight_drop = 0.5}},
    {"lstm", NULL, "zoneout", 1, .noise = {.zoneout = 0.2}},
    {"slstm", NULL, "regularised", 1, .noise = {0.3, 0.3, 0.5, 0.2}},
};
/* The same with products of bfloat16, each with two of the optimizers too. */
static const struct cell_case bf16_cells[] = {
    {"lstm", NULL, "bf16", 2, .precision = "bf16"},
    {"gru", NULL, "bf16", 2, .precision = "bf16"},
};
enum { N_BF16 = sizeof bf16_cells / sizeof bf16_cells[0] };
enum { N_MORE_CELLS = sizeof more_cells / sizeof more_cells[0], SGD = 0, ADAM = 3, EACH = 2 };

struct optimizer_case {
    const char *name, *kind;
    bool embedding; /* instead of one-hot input */
    uint32_t n_settings;
    rd_setting setting[3];
    bool averages;
};
#define LR(rate) \
    { \
        .name = "lr", .kind = RD_REAL, .value.r = (rate) \
    }
#define DECAY \
    { \
        .name = "weight_decay", .kind = RD_REAL, .value.r = 0.1 \
    }
static const struct optimizer_case optimizer_cases[] = {
    {"sgd", "sgd", false, 1, {{.name = "lr", .kind = RD_REAL, .value.r = 0.5}}},
    {"nesterov",
     "sgd",
     true,
     3,
     {{.name = "lr", .kind = RD_REAL, .value.r = 0.1},
      {.name = "momentum", .kind = RD_REAL, .value.r = 0.9},
      {.name = "nesterov", .kind = RD_BOOL, .value.i = 1}}},
    {"rmsprop", "rmsprop", false, 1, {{.name = "lr", .kind = RD_REAL, .value.r = 0.01}}},
    {"adam", "adam", true, 1, {{.name = "lr", .kind = RD_REAL, .value.r = 0.01}}},
    {"adamw",
     "adamw",
     false,
     2,
     {{.name = "lr", .kind = RD_REAL, .value.r = 0.01},
      {.name = "weight_decay", .kind = RD_REAL, .value.r = 0.1}}},
};
/* Each with the first cell alone: what a rule does to its elements does not depend on the cell. The
 * exponential and the plain average follow the parameters and are hashed with them. */
static const struct optimizer_case more_cases[] = {
    {"amsgrad",
     "adam",
     true,
     2,
     {LR(0.01), {.name = "amsgrad", .kind = RD_BOOL, .value.i = 1}},
     false},
    {"nadam", "nadam", true, 2, {LR(0.01), DECAY}, false},
    {"adagrad", "adagrad", false, 2, {LR(0.05), DECAY}, false},
    {"adadelta", "adadelta", true, 1, {LR(1)}, false},
    {"lion", "lion", false, 2, {LR(0.01), DECAY}, false},
    {"averaged", "sgd", true, 1, {LR(0.5)}, true},
};
enum { N_MORE = sizeof more_cases / sizeof more_cases[0] };
enum { N_OPTIMIZERS = sizeof optimizer_cases / sizeof optimizer_cases[0] };

struct training {
    rd_core *core;
    const struct optimizer_case *how;
    const bits_form *form;
    rd_rnn *rnn;
    rd_tensor *embedding, *weight, *bias;
    rd_tensor *state[MAX_STATES]; /* NULL before the first step */
    uint32_t update, time;        /* keys of the regularisers' masks */
    rd_optimizer *optimizer;
    rd_average *mean, *fading; /* or NULL */
    rd_tensor *parameter[MAX_PARAMETERS];
    size_t n_parameters;
};

size_t bits_count(void)
{
    return (size_t)N_CELLS * N_OPTIMIZERS + N_MORE + (size_t)(N_MORE_CELLS + N_BF16) * EACH;
}

static const struct cell_case *cell_of(size_t index)
{
    const size_t common = (size_t)N_CELLS * N_OPTIMIZERS;
    if (index >= common + N_MORE) {
        const size_t more = (index - common - N_MORE) / EACH;
        return more < N_MORE_CELLS ? &more_cells[more] : &bf16_cells[more - N_MORE_CELLS];
    }
    return &cell_cases[index < common ? index / N_OPTIMIZERS : 0];
}

static const struct optimizer_case *optimizer_of(size_t index)
{
    const size_t common = (size_t)N_CELLS * N_OPTIMIZERS;
    if (index >= common + N_MORE)
        return &optimizer_cases[(index - common - N_MORE) % EACH == 0 ? SGD : ADAM];
    return index < common ? &optimizer_cases[index % N_OPTIMIZERS] : &more_cases[index - common];
}

void bits_name(size_t index, char name[96])
{
    const struct cell_case *c = cell_of(index);
    snprintf(name, 96, "%s\t%s\t%s", c->cell, c->choice, optimizer_of(index)->name);
}

static rd_status new_parameter(struct training *t, uint32_t ndim, const size_t *shape,
                               rd_tensor **out, rd_error *err)
{
    const rd_stream stream = {
        .seed = 5, .purpose = RD_FOR_USER, .update = (uint32_t)t->n_parameters};
    RD_TRY(rd_tensor_new(t->core, ndim, shape, RD_DENSE, out, err));
    t->parameter[t->n_parameters++] = *out;
    RD_TRY(rd_fill_uniform(*out, -0.5, 0.5, &stream, err));
    return rd_set_requires_grad(*out, true, err);
}

static rd_status open_training(struct training *t, const struct cell_case *c, rd_error *err)
{
    const rd_setting setting = {.name = c->option, .kind = RD_CHOICE, .text = c->choice};
    const rd_zoneout zoneout = {.share = c->noise.zoneout};
    const rd_rnn_config config = {.cell = c->cell,
                                  .input_size = t->how->embedding ? E : V,
                                  .hidden_size = c->hidden ? c->hidden : H,
                                  .bias = c->bias,
                                  .settings = c->n_settings ? c->setting : &setting,
                                  .n_settings = c->n_settings ? c->n_settings : c->option != NULL,
                                  .seed = 3,
                                  .layer = 1,
                                  .input_dropout = c->noise.input_dropout,
                                  .recurrent_dropout = c->noise.recurrent_dropout,
                                  .weight_drop = c->noise.weight_drop,
                                  .zoneout = &zoneout,
                                  .n_zoneout = 1};
    RD_TRY(rd_rnn_new(t->core, &config, &t->rnn, err));
    for (size_t i = 0; i < rd_rnn_parameter_count(t->rnn); i++)
        t->parameter[t->n_parameters++] = rd_rnn_parameter(t->rnn, i);
    if (t->how->embedding) RD_TRY(new_parameter(t, 2, (size_t[]){V, E}, &t->embedding, err));
    RD_TRY(new_parameter(t, 2, (size_t[]){V, rd_rnn_output_size(t->rnn)}, &t->weight, err));
    RD_TRY(new_parameter(t, 1, (size_t[]){V}, &t->bias, err));
    if (t->how->averages) {
        RD_TRY(rd_average_new(t->parameter, t->n_parameters, &t->mean, err));
        RD_TRY(rd_average_new(t->parameter, t->n_parameters, &t->fading, err));
    }
    return rd_optimizer_new(t->how->kind, t->how->setting, t->how->n_settings, t->parameter,
                            t->n_parameters, &t->optimizer, err);
}

static void close_training(struct training *t)
{
    rd_optimizer_free(t->optimizer);
    rd_average_free(t->mean);
    rd_average_free(t->fading);
    for (int k = 0; k < MAX_STATES; k++) rd_tensor_release(t->state[k]);
    rd_tensor_release(t->embedding);
    rd_tensor_release(t->weight);
    rd_tensor_release(t->bias);
    rd_rnn_release(t->rnn);
}

/* Ids 1..V, one in sixteen 0: absent as an input, not counted as a target. */
static rd_status made_up_ids(const struct training *t, uint32_t update, uint32_t what,
                             rd_tensor **out, rd_error *err)
{
    const rd_stream stream = {.seed = 9, .purpose = RD_FOR_USER, .layer = what, .update = update};
    rd_real values[ROWS * STEPS];
    for (uint32_t i = 0; i < ROWS * STEPS; i++) {
        const uint32_t bits = rd_bits_at(&stream, i / STEPS, i % STEPS);
        values[i] = bits >> 28 == 0 ? 0 : (rd_real)(bits % V + 1);
    }
    RD_TRY(rd_tensor_new(t->core, 2, (size_t[]){ROWS, STEPS}, RD_SEQUENCE, out, err));
    return rd_tensor_write(*out, values, err);
}

/* Logits of a stretch of ids; moves the carried state. */
static rd_status run_stretch(struct training *t, rd_tensor *ids, rd_tensor **logits, rd_error *err)
{
    rd_tensor *x = NULL, *y = NULL, *final[MAX_STATES] = {NULL};
    rd_status status =
        t->how->embedding ? rd_embedding(ids, t->embedding, &x, err) : rd_one_hot(ids, V, &x, err);
    const rd_rnn_input in = {.x = x,
                             .states = t->state[0] ? t->state : NULL,
                             .training = rd_grad_mode(t->core),
                             .update = t->update,
                             .time = t->time};
    if (status == RD_OK) status = rd_rnn_run(t->rnn, &in, &y, final, err);
    if (status == RD_OK) {
        for (int k = 0; k < MAX_STATES; k++) {
            rd_tensor_release(t->state[k]);
            t->state[k] = final[k];
        }
        status = rd_linear(y, t->weight, t->bias, logits, err);
    }
    rd_tensor_release(x);
    rd_tensor_release(y);
    return status;
}

static rd_status run_form(struct training *t, rd_tensor *ids, uint32_t chunk, rd_tensor **logits,
                          rd_error *err)
{
    rd_tensor *part[STEPS] = {NULL};
    size_t n = 0;
    rd_status status = RD_OK;
    t->time = 0;
    if (chunk == 0) return run_stretch(t, ids, logits, err);
    for (uint32_t at = 0; at < STEPS && status == RD_OK; at += chunk) {
        rd_tensor *piece = NULL;
        status = rd_slice(ids, 1, at, STEPS - at < chunk ? STEPS - at : chunk, &piece, err);
        t->time = at;
        if (status == RD_OK) status = run_stretch(t, piece, &part[n++], err);
        rd_tensor_release(piece);
    }
    if (status == RD_OK) status = rd_concat(part, n, 1, logits, err);
    for (size_t i = 0; i < n; i++) rd_tensor_release(part[i]);
    return status;
}

/* A run without gradients on other ids, from zero state; the training's state is put back. */
static rd_status validate(struct training *t, uint32_t update, rd_error *err)
{
    rd_tensor *ids = NULL, *logits = NULL, *kept[MAX_STATES];
    for (int k = 0; k < MAX_STATES; k++) {
        kept[k] = t->state[k];
        t->state[k] = NULL;
    }
    const bool mode = rd_set_grad_mode(t->core, false);
    rd_status status = made_up_ids(t, update, 2, &ids, err);
    if (status == RD_OK) status = run_form(t, ids, 0, &logits, err);
    rd_set_grad_mode(t->core, mode);
    for (int k = 0; k < MAX_STATES; k++) {
        rd_tensor_release(t->state[k]);
        t->state[k] = kept[k];
    }
    rd_tensor_release(ids);
    rd_tensor_release(logits);
    return status;
}

static rd_status train_step(struct training *t, uint32_t update, rd_error *err)
{
    rd_tensor *ids = NULL, *target = NULL, *logits = NULL, *loss = NULL;
    rd_loss_total total;
    double norm;
    size_t bad;
    t->update = update;
    rd_status status = made_up_ids(t, update, 0, &ids, err);
    if (status == RD_OK) status = made_up_ids(t, update, 1, &target, err);
    if (status == RD_OK) status = run_form(t, ids, t->form->chunk, &logits, err);
    if (status == RD_OK) status = rd_cross_entropy(logits, target, RD_MEAN, &loss, &total, err);
    for (size_t i = 0; i < t->n_parameters; i++) rd_zero_grad(t->parameter[i]);
    if (status == RD_OK) status = rd_backward(loss, NULL, false, err);
    if (status == RD_OK)
        status = rd_clip_grad_norm(t->parameter, t->n_parameters, 0.25, &norm, &bad, err);
    if (status == RD_OK) status = rd_optimizer_step(t->optimizer, err);
    if (status == RD_OK && t->how->averages) {
        rd_average_update(t->mean, 1.0 / (update + 1));
        rd_average_update(t->fading, update == 0 ? 1 : 1 - 0.9);
    }
    rd_tensor_release(ids);
    rd_tensor_release(target);
    rd_tensor_release(logits);
    rd_tensor_release(loss);
    return status;
}

static uint64_t hash_tensor(const rd_tensor *x, uint64_t seed)
{
    rd_real values[4 * H * H];
    rd_tensor_read(x, values);
    return XXH3_64bits_withSeed(values, rd_tensor_numel(x) * sizeof(rd_real), seed);
}

/* A chain: each tensor's hash has the one before as its seed. */
static uint64_t hash_parameters(const struct training *t)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < t->n_parameters; i++) {
        hash = hash_tensor(t->parameter[i], hash);
        if (!t->how->averages) continue;
        hash = hash_tensor(rd_average_of(t->mean, i), hash);
        hash = hash_tensor(rd_average_of(t->fading, i), hash);
    }
    return hash;
}

rd_status bits_train(rd_core *core, size_t index, const bits_form *form, uint64_t *hash,
                     rd_error *err)
{
    struct training t = {.core = core, .how = optimizer_of(index), .form = form};
    const char *precision = cell_of(index)->precision;
    RD_TRY(rd_core_set_precision(core, precision ? precision : "float32", err));
    rd_status status = open_training(&t, cell_of(index), err);
    for (uint32_t update = 0; update < UPDATES && status == RD_OK; update++) {
        status = train_step(&t, update, err);
        if (status == RD_OK && form->validate) status = validate(&t, update, err);
    }
    if (status == RD_OK) *hash = hash_parameters(&t);
    close_training(&t);
    return status;
}
