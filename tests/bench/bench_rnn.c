/* bench_rnn.c - times whole training steps and single generated steps of two recurrent layers.
 *
 * usage: bench_rnn [CELL [THREADS [BATCH [STEPS [HIDDEN]]]]]      lstm 1 50 50 128: char-rnn's shape
 *
 * One-hot ids, two layers, linear, cross-entropy, clipping, RMSprop; the best and the median of 40 steps
 * are printed. Not a test: the target bench_rnn is built on request.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "rondo.h"

enum { V = 65, LAYERS = 2, REPEATS = 40, GENERATED = 1000, MAX_PARAMETERS = 128, MAX_STATES = 2 };

struct bench {
    rd_core *core;
    size_t rows, steps;
    rd_rnn *rnn[LAYERS];
    rd_tensor *state[LAYERS][MAX_STATES];
    rd_tensor *weight, *bias, *ids, *target;
    rd_tensor *parameter[MAX_PARAMETERS];
    size_t n_parameters;
    rd_optimizer *optimizer;
};
static rd_error err;

static void check(rd_status status)
{
    if (status == RD_OK) return;
    fprintf(stderr, "bench_rnn: %s\n", err.text);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static rd_tensor *parameter(struct bench *b, uint32_t ndim, const size_t *shape)
{
    rd_tensor *t = NULL;
    const rd_stream stream = {.seed = 1, .purpose = RD_FOR_INIT, .layer = 9, .update = ndim};
    check(rd_tensor_new(b->core, ndim, shape, RD_DENSE, &t, &err));
    check(rd_fill_uniform(t, -0.08, 0.08, &stream, &err));
    check(rd_set_requires_grad(t, true, &err));
    return b->parameter[b->n_parameters++] = t;
}

static rd_tensor *made_up_ids(struct bench *b, uint32_t layer)
{
    rd_tensor *t = NULL;
    const rd_stream stream = {.seed = 1, .purpose = RD_FOR_USER, .layer = layer};
    check(rd_tensor_new(b->core, 2, (size_t[]){b->rows, b->steps}, RD_SEQUENCE, &t, &err));
    for (size_t r = 0; r < b->rows; r++)
        for (size_t s = 0; s < b->steps; s++)
            check(rd_tensor_set(t, (size_t[]){r, s}, rd_bits_at(&stream, (uint32_t)r, s) % V + 1,
                                &err));
    return t;
}

static void open_bench(struct bench *b, const char *cell, uint32_t hidden)
{
    const rd_setting lr = {.name = "lr", .kind = RD_REAL, .value.r = 2e-3};
    for (uint32_t k = 0; k < LAYERS; k++) {
        const rd_rnn_config config = {.cell = cell,
                                      .input_size = k ? hidden : V,
                                      .hidden_size = hidden,
                                      .bias = 2,
                                      .seed = 1,
                                      .layer = k};
        check(rd_rnn_new(b->core, &config, &b->rnn[k], &err));
        for (size_t i = 0; i < rd_rnn_parameter_count(b->rnn[k]); i++)
            b->parameter[b->n_parameters++] = rd_rnn_parameter(b->rnn[k], i);
    }
    b->weight = parameter(b, 2, (size_t[]){V, hidden});
    b->bias = parameter(b, 1, (size_t[]){V});
    b->ids = made_up_ids(b, 1);
    b->target = made_up_ids(b, 2);
    check(rd_optimizer_new("rmsprop", &lr, 1, b->parameter, b->n_parameters, &b->optimizer, &err));
}

static rd_tensor *run_layers(struct bench *b, rd_tensor *ids)
{
    rd_tensor *x = NULL, *logits = NULL;
    check(rd_one_hot(ids, V, &x, &err));
    for (uint32_t k = 0; k < LAYERS; k++) {
        rd_tensor *y = NULL, *final[MAX_STATES] = {NULL, NULL};
        check(rd_rnn_forward(b->rnn[k], x, b->state[k][0] ? b->state[k] : NULL, &y, final, &err));
        for (int s = 0; s < MAX_STATES; s++) {
            rd_tensor_release(b->state[k][s]);
            b->state[k][s] = final[s];
        }
        rd_tensor_release(x);
        x = y;
    }
    check(rd_linear(x, b->weight, b->bias, &logits, &err));
    rd_tensor_release(x);
    return logits;
}

static void forget_states(struct bench *b)
{
    for (uint32_t k = 0; k < LAYERS; k++) {
        for (int s = 0; s < MAX_STATES; s++) {
            rd_tensor_release(b->state[k][s]);
            b->state[k][s] = NULL;
        }
    }
}

static double train_step(struct bench *b)
{
    const double start = now();
    double norm;
    size_t bad;
    rd_loss_total total;
    rd_tensor *loss = NULL, *logits = run_layers(b, b->ids);
    check(rd_cross_entropy(logits, b->target, RD_MEAN, &loss, &total, &err));
    for (size_t i = 0; i < b->n_parameters; i++) rd_zero_grad(b->parameter[i]);
    check(rd_backward(loss, NULL, false, &err));
    check(rd_clip_grad_norm(b->parameter, b->n_parameters, 5, &norm, &bad, &err));
    check(rd_optimizer_step(b->optimizer, &err));
    rd_tensor_release(loss);
    rd_tensor_release(logits);
    return now() - start;
}

static double generate_step(struct bench *b, rd_tensor *id)
{
    const double start = now();
    rd_tensor_release(run_layers(b, id));
    return now() - start;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, double *times, size_t n)
{
    qsort(times, n, sizeof *times, by_size);
    printf("%s: best %.3f ms, median %.3f ms\n", what, 1e3 * times[0], 1e3 * times[n / 2]);
}

static uint32_t argument(int argc, char **argv, int i, uint32_t fallback)
{
    return argc > i ? (uint32_t)strtoul(argv[i], NULL, 10) : fallback;
}

int main(int argc, char **argv)
{
    const rd_core_options options = {
        .threads = argument(argc, argv, 2, 1), .lib_dir = RD_TEST_LIB_DIR, .trust_plugins = true};
    struct bench b = {.rows = argument(argc, argv, 3, 50), .steps = argument(argc, argv, 4, 50)};
    static double times[GENERATED];
    rd_tensor *id = NULL;
    check(rd_core_open(&options, &b.core, &err));
    open_bench(&b, argc > 1 ? argv[1] : "lstm", argument(argc, argv, 5, 128));
    for (int i = 0; i < REPEATS; i++) times[i] = train_step(&b);
    report("training step", times, REPEATS);
    forget_states(&b);
    rd_set_grad_mode(b.core, false);
    check(rd_slice(b.ids, 0, 0, 1, &id, &err));
    rd_tensor *one = NULL;
    check(rd_slice(id, 1, 0, 1, &one, &err));
    for (int i = 0; i < GENERATED; i++) times[i] = generate_step(&b, one);
    report("generated step", times, GENERATED);
    printf("kernels %s, %u threads, peak of the pool %.1f MB\n", rd_core_kernels(b.core),
           rd_core_threads(b.core), 1e-6 * (double)rd_core_memory(b.core).peak_bytes);
    return 0;
}
