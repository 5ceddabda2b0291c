/* kann_peer.c - a case of `rondo bench` in KANN with OpenBLAS: a whole training step of a net on symbols.
 *
 * usage: kann_peer task=train shape=charnn cell=lstm threads=1 H=128 B=50 T=50 layers=2 in=65 seconds=1
 *
 * Built with KANN's kann.c and kautodiff.c, HAVE_CBLAS and HAVE_PTHREAD. One-hot input, cross-entropy at
 * every step, gradients clipped to 5, RMSprop (there is no Adam); threads share the batch. The embedding of
 * tftext is a dense layer on one-hot input.
 * SPDX-License-Identifier: MIT */
#include <kann.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SYMBOLS = 65, WIDTH = 256, MOST_TIMES = 50, LEAST_TIMES = 3 };
static const double least_seconds = 0.01; /* of one measurement */

struct bench {
    kann_t *net, *unrolled;
    float **x, **y; /* [T][B * SYMBOLS] */
    float *squares; /* of RMSprop */
    int variables;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static const char *value_of(int argc, char **argv, const char *name)
{
    const size_t n = strlen(name);

    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=') return argv[i] + n + 1;
    fprintf(stderr, "kann_peer: %s=... is missing\n", name);
    exit(2);
}
static int number(int argc, char **argv, const char *name)
{
    const long n = strtol(value_of(argc, argv, name), NULL, 10);

    if (n > 0 && n <= 1 << 24) return (int)n;
    fprintf(stderr, "kann_peer: %s must be 1..%d\n", name, 1 << 24);
    exit(2);
}
static void *zeros(size_t n, size_t bytes)
{
    void *at = calloc(n, bytes);

    if (!at) abort();
    return at;
}

static kann_t *make_net(const char *cell, int embedded, int layers, int hidden)
{
    kad_node_t *t = kann_layer_input(SYMBOLS);

    if (embedded) t = kann_layer_dense(t, WIDTH);
    for (int i = 0; i < layers; i++)
        t = strcmp(cell, "lstm") == 0 ? kann_layer_lstm(t, hidden, 0)
                                      : kann_layer_gru(t, hidden, 0);
    return kann_new(kann_layer_cost(t, SYMBOLS, KANN_C_CEM), 0);
}
/* Rows of one-hot symbols for each step. */
static float **make_steps(int steps, int rows)
{
    float **list = zeros((size_t)steps, sizeof *list);

    for (int t = 0; t < steps; t++) {
        list[t] = zeros((size_t)rows * SYMBOLS, sizeof **list);
        for (int r = 0; r < rows; r++)
            list[t][r * SYMBOLS + (int)(kann_drand() * SYMBOLS) % SYMBOLS] = 1;
    }
    return list;
}
static void once(const struct bench *b)
{
    kann_cost(b->unrolled, 0, 1);
    kann_grad_clip(5, b->variables, b->unrolled->g);
    kann_RMSprop(b->variables, 1e-3f, NULL, 0.9f, b->unrolled->g, b->unrolled->x, b->squares);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
/* Seconds of a step, sorted; returns how many. */
static int measure(const struct bench *b, double seconds, double times[MOST_TIMES])
{
    int n = 0;

    once(b);
    double start = now();
    once(b);
    const double one = now() - start;
    const int often = one < least_seconds ? (int)(least_seconds / (one + 1e-9)) + 1 : 1;
    for (const double end = now() + seconds; n < LEAST_TIMES || (n < MOST_TIMES && now() < end);
         n++) {
        start = now();
        for (int i = 0; i < often; i++) once(b);
        times[n] = (now() - start) / often;
    }
    qsort(times, (size_t)n, sizeof *times, ascending);
    return n;
}

int main(int argc, char **argv)
{
    const char *task = value_of(argc, argv, "task"), *shape = value_of(argc, argv, "shape");
    const char *cell = value_of(argc, argv, "cell");
    const int threads = number(argc, argv, "threads"), hidden = number(argc, argv, "H");
    const int rows = number(argc, argv, "B"), steps = number(argc, argv, "T");
    const int layers = number(argc, argv, "layers");
    double times[MOST_TIMES];

    if (strcmp(task, "train") != 0 || strcmp(shape, "series") == 0 ||
        (strcmp(cell, "lstm") != 0 && strcmp(cell, "gru") != 0)) {
        fprintf(stderr, "it trains lstm and gru on symbols\n");
        return 2;
    }
    struct bench b = {.net = make_net(cell, strcmp(shape, "tftext") == 0, layers, hidden)};
    b.variables = kann_size_var(b.net);
    b.squares = zeros((size_t)b.variables, sizeof *b.squares);
    b.x = make_steps(steps, rows);
    b.y = make_steps(steps, rows);
    b.unrolled = kann_unroll(b.net, steps);
    kann_set_batch_size(b.unrolled, rows);
    kann_mt(b.unrolled, threads, rows);
    kann_switch(b.unrolled, 1);
    kann_feed_bind(b.unrolled, KANN_F_IN, 0, b.x);
    kann_feed_bind(b.unrolled, KANN_F_TRUTH, 0, b.y);
    const int n = measure(&b, strtod(value_of(argc, argv, "seconds"), NULL), times);
    const double median = 0.5 * (times[(n - 1) / 2] + times[n / 2]);
    printf("{\"task\":\"%s\",\"shape\":\"%s\",\"cell\":\"%s\",\"threads\":%d,\"H\":%d,\"B\":%d,"
           "\"T\":%d,\"layers\":%d,\"ms\":%.6f,\"ms_best\":%.6f,\"tok_s\":%.1f,\"reps\":%d,"
           "\"lib\":\"kann-%s\"}\n",
           task, shape, cell, threads, hidden, rows, steps, layers, 1e3 * median, 1e3 * times[0],
           (double)rows * steps / median, n, KANN_VERSION);
    return 0;
}
