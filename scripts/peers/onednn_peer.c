/* onednn_peer.c - a case of `rondo bench` by oneDNN's recurrent primitives: the layers alone.
 *
 * usage: onednn_peer task=train shape=charnn cell=lstm threads=1 H=128 B=50 T=50 layers=2 in=65 seconds=1
 *
 * No embedding, output layer, loss or optimizer; neither the weights' way into the library's own layout nor
 * the gradients' way back, which a training step needs once. GRU is oneDNN's linear-before-reset form, as
 * Rondo's and PyTorch's is. Every task but train is inference. For oneDNN 2 (Debian's libdnnl-dev).
 * SPDX-License-Identifier: MIT */
#include <omp.h>
#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if DNNL_VERSION_MAJOR != 2
#error "this program is for oneDNN 2: the calls that describe a primitive are others in 3"
#endif

enum { MOST_LAYERS = 8, MOST_ARGS = 16, MOST_TIMES = 50, LEAST_TIMES = 3, BIASES = 4 };
/* BIASES: of LSTM its gates; of GRU one more, inside the reset */
static const double least_seconds = 0.01; /* of one measurement */

struct sizes {
    char task[16], shape[16], cell[16];
    long threads, hidden, batch, steps, layers, in;
    double seconds;
};
struct tensor {
    dnnl_memory_desc_t desc;
    dnnl_memory_t memory;
};
struct call { /* a primitive and what it is called with */
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arg[MOST_ARGS];
    int n;
};
struct layer {
    struct tensor x, wx, wh, bias, y, dx, dwx, dwh, dbias, dy; /* d: unused unless trained */
    struct call forward, backward;
};
struct net {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct layer layer[MOST_LAYERS];
    long layers;
    bool lstm, train;
};

static void check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success) return;
    fprintf(stderr, "onednn_peer: %s: status %d\n", what, (int)status);
    exit(1);
}
#define CHECK(call) check(call, #call)

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- memory ---------------------------------------------------------------------------------------- */

static struct tensor described(int ndim, const long *shape, dnnl_format_tag_t tag)
{
    struct tensor t = {.memory = NULL};
    dnnl_dims_t dims = {0};

    for (int i = 0; i < ndim; i++) dims[i] = shape[i];
    CHECK(dnnl_memory_desc_init_by_tag(&t.desc, ndim, dims, dnnl_f32, tag));
    return t;
}
/* Small numbers of both signs. */
static void allocate(const struct net *net, struct tensor *t)
{
    void *at = NULL;
    CHECK(dnnl_memory_create(&t->memory, &t->desc, net->engine, DNNL_MEMORY_ALLOCATE));
    CHECK(dnnl_memory_get_data_handle(t->memory, &at));
    const size_t n = dnnl_memory_desc_get_size(&t->desc) / sizeof(float);
    for (size_t i = 0; i < n; i++)
        ((float *)at)[i] = 1e-4f * (float)((i * 2654435761u) % 1000) - 0.05f;
}
/* The layout that the primitive has chosen where "any" was asked for. */
static void choose(struct tensor *t, const_dnnl_primitive_desc_t pd, dnnl_query_t what, int index)
{
    t->desc = *dnnl_primitive_desc_query_md(pd, what, index);
}
static void pass(struct call *c, int id, const struct tensor *t)
{
    c->arg[c->n++] = (dnnl_exec_arg_t){.arg = id, .memory = t->memory};
}

/* ---- layers ---------------------------------------------------------------------------------------- */

static dnnl_primitive_desc_t describe_forward(const struct net *net, const struct layer *l)
{
    const dnnl_prop_kind_t kind = net->train ? dnnl_forward_training : dnnl_forward_inference;
    const dnnl_rnn_direction_t way = dnnl_unidirectional_left2right;
    dnnl_rnn_desc_t d;
    dnnl_primitive_desc_t pd = NULL;

    if (net->lstm)
        CHECK(dnnl_lstm_forward_desc_init(&d, kind, way, &l->x.desc, NULL, NULL, &l->wx.desc,
                                          &l->wh.desc, &l->bias.desc, &l->y.desc, NULL, NULL, 0));
    else
        CHECK(dnnl_lbr_gru_forward_desc_init(&d, kind, way, &l->x.desc, NULL, &l->wx.desc,
                                             &l->wh.desc, &l->bias.desc, &l->y.desc, NULL, 0));
    CHECK(dnnl_primitive_desc_create(&pd, &d, NULL, net->engine, NULL));
    return pd;
}
static dnnl_primitive_desc_t describe_backward(const struct net *net, const struct layer *l,
                                               dnnl_primitive_desc_t forward)
{
    const dnnl_rnn_direction_t way = dnnl_unidirectional_left2right;
    dnnl_rnn_desc_t d;
    dnnl_primitive_desc_t pd = NULL;

    if (net->lstm)
        CHECK(dnnl_lstm_backward_desc_init(
            &d, dnnl_backward, way, &l->x.desc, NULL, NULL, &l->wx.desc, &l->wh.desc, &l->bias.desc,
            &l->y.desc, NULL, NULL, &l->dx.desc, NULL, NULL, &l->dwx.desc, &l->dwh.desc,
            &l->dbias.desc, &l->dy.desc, NULL, NULL, 0));
    else
        CHECK(dnnl_lbr_gru_backward_desc_init(&d, dnnl_backward, way, &l->x.desc, NULL, &l->wx.desc,
                                              &l->wh.desc, &l->bias.desc, &l->y.desc, NULL,
                                              &l->dx.desc, NULL, &l->dwx.desc, &l->dwh.desc,
                                              &l->dbias.desc, &l->dy.desc, NULL, 0));
    CHECK(dnnl_primitive_desc_create(&pd, &d, NULL, net->engine, forward));
    return pd;
}

static void pass_forward(struct call *c, const struct layer *l, const struct tensor *wx,
                         const struct tensor *wh)
{
    pass(c, DNNL_ARG_SRC_LAYER, &l->x);
    pass(c, DNNL_ARG_WEIGHTS_LAYER, wx);
    pass(c, DNNL_ARG_WEIGHTS_ITER, wh);
    pass(c, DNNL_ARG_BIAS, &l->bias);
    pass(c, DNNL_ARG_DST_LAYER, &l->y);
}
/* The weights of backward lie in a layout of their own. */
static void make_backward(const struct net *net, struct layer *l, dnnl_primitive_desc_t forward,
                          const struct tensor *workspace)
{
    const dnnl_primitive_desc_t pd = describe_backward(net, l, forward);
    struct tensor wx, wh;

    choose(&wx, pd, dnnl_query_weights_md, 0);
    choose(&wh, pd, dnnl_query_weights_md, 1);
    choose(&l->dwx, pd, dnnl_query_diff_weights_md, 0);
    choose(&l->dwh, pd, dnnl_query_diff_weights_md, 1);
    struct tensor *const all[] = {&wx, &wh, &l->dwx, &l->dwh, &l->dbias, &l->dx, &l->dy};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] != &l->dy || !l->dy.memory) allocate(net, all[i]);
    struct call *c = &l->backward;
    pass_forward(c, l, &wx, &wh);
    pass(c, DNNL_ARG_WORKSPACE, workspace);
    pass(c, DNNL_ARG_DIFF_DST_LAYER, &l->dy);
    pass(c, DNNL_ARG_DIFF_SRC_LAYER, &l->dx);
    pass(c, DNNL_ARG_DIFF_WEIGHTS_LAYER, &l->dwx);
    pass(c, DNNL_ARG_DIFF_WEIGHTS_ITER, &l->dwh);
    pass(c, DNNL_ARG_DIFF_BIAS, &l->dbias);
    CHECK(dnnl_primitive_create(&c->primitive, pd));
}
/* below: the layer whose output this one reads, or NULL. */
static void make_layer(const struct net *net, const struct sizes *s, struct layer *l,
                       const struct layer *below)
{
    const long in = below ? s->hidden : s->in, gates = net->lstm ? 4 : 3;
    struct tensor workspace;

    l->x = below ? below->y : described(3, (long[]){s->steps, s->batch, in}, dnnl_abc);
    l->dx = described(3, (long[]){s->steps, s->batch, in}, dnnl_abc);
    l->y = described(3, (long[]){s->steps, s->batch, s->hidden}, dnnl_abc);
    l->dy = l->y;
    l->bias = l->dbias = described(4, (long[]){1, 1, BIASES, s->hidden}, dnnl_abcd);
    l->wx = l->dwx = described(5, (long[]){1, 1, in, gates, s->hidden}, dnnl_format_tag_any);
    l->wh = l->dwh = described(5, (long[]){1, 1, s->hidden, gates, s->hidden}, dnnl_format_tag_any);
    const dnnl_primitive_desc_t pd = describe_forward(net, l);
    struct tensor wx = l->wx, wh = l->wh; /* l keeps "any", for backward to choose */
    choose(&wx, pd, dnnl_query_weights_md, 0);
    choose(&wh, pd, dnnl_query_weights_md, 1);
    struct tensor *const all[] = {&wx, &wh, &l->bias, &l->y};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) allocate(net, all[i]);
    if (!below) allocate(net, &l->x);
    pass_forward(&l->forward, l, &wx, &wh);
    if (net->train) {
        choose(&workspace, pd, dnnl_query_workspace_md, 0);
        allocate(net, &workspace);
        pass(&l->forward, DNNL_ARG_WORKSPACE, &workspace);
        make_backward(net, l, pd, &workspace);
    }
    CHECK(dnnl_primitive_create(&l->forward.primitive, pd));
}

/* ---- running --------------------------------------------------------------------------------------- */

static void execute(const struct net *net, const struct call *c)
{
    CHECK(dnnl_primitive_execute(c->primitive, net->stream, c->n, c->arg));
}
static void once(const struct net *net)
{
    for (long i = 0; i < net->layers; i++) execute(net, &net->layer[i].forward);
    for (long i = net->layers; net->train && i-- > 0;) execute(net, &net->layer[i].backward);
    CHECK(dnnl_stream_wait(net->stream));
}

/* Runs once and looks whether the last output was written at all: a case that is not computed has no time. */
static void prove(const struct net *net)
{
    const struct tensor *y = &net->layer[net->layers - 1].y;
    void *at = NULL;
    CHECK(dnnl_memory_get_data_handle(y->memory, &at));
    const size_t n = dnnl_memory_desc_get_size(&y->desc) / sizeof(float);
    float *number = at;
    for (size_t i = 0; i < n; i++) number[i] = NAN;
    once(net);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(number[i])) {
            fprintf(stderr, "onednn_peer: this case is not computed: output %zu is not a number\n",
                    i);
            exit(1);
        }
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static void measure(const struct net *net, const struct sizes *s)
{
    double times[MOST_TIMES], start;
    int n = 0;

    prove(net);
    start = now();
    once(net);
    const double one = now() - start;
    const long often = one < least_seconds ? (long)(least_seconds / (one + 1e-9)) + 1 : 1;
    for (const double end = now() + s->seconds; n < LEAST_TIMES || (n < MOST_TIMES && now() < end);
         n++) {
        start = now();
        for (long i = 0; i < often; i++) once(net);
        times[n] = (now() - start) / (double)often;
    }
    qsort(times, (size_t)n, sizeof *times, ascending);
    const double median = 0.5 * (times[(n - 1) / 2] + times[n / 2]);
    const dnnl_version_t *v = dnnl_version();
    printf(
        "{\"task\":\"%s\",\"shape\":\"%s\",\"cell\":\"%s\",\"threads\":%ld,\"H\":%ld,\"B\":%ld,\"T\":%ld,"
        "\"layers\":%ld,\"ms\":%.6f,\"ms_best\":%.6f,\"tok_s\":%.1f,\"reps\":%d,"
        "\"lib\":\"onednn-%d.%d.%d\"}\n",
        s->task, s->shape, s->cell, s->threads, s->hidden, s->batch, s->steps, s->layers,
        1e3 * median, 1e3 * times[0], (double)(s->batch * s->steps) / median, n, v->major, v->minor,
        v->patch);
}

static const char *value_of(int argc, char **argv, const char *name)
{
    const size_t n = strlen(name);

    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=') return argv[i] + n + 1;
    fprintf(stderr, "onednn_peer: %s=... is missing\n", name);
    exit(2);
}
static long number(int argc, char **argv, const char *name)
{
    const long n = strtol(value_of(argc, argv, name), NULL, 10);

    if (n > 0 && n <= 1 << 24) return n;
    fprintf(stderr, "onednn_peer: %s must be 1..%d\n", name, 1 << 24);
    exit(2);
}

int main(int argc, char **argv)
{
    struct sizes s = {.threads = number(argc, argv, "threads"),
                      .hidden = number(argc, argv, "H"),
                      .batch = number(argc, argv, "B"),
                      .steps = number(argc, argv, "T"),
                      .layers = number(argc, argv, "layers"),
                      .in = number(argc, argv, "in"),
                      .seconds = strtod(value_of(argc, argv, "seconds"), NULL)};
    static struct net net;

    (void)snprintf(s.task, sizeof s.task, "%s", value_of(argc, argv, "task"));
    (void)snprintf(s.shape, sizeof s.shape, "%s", value_of(argc, argv, "shape"));
    (void)snprintf(s.cell, sizeof s.cell, "%s", value_of(argc, argv, "cell"));
    net.lstm = strcmp(s.cell, "lstm") == 0;
    net.train = strcmp(s.task, "train") == 0;
    net.layers = s.layers;
    if ((!net.lstm && strcmp(s.cell, "gru") != 0) || s.layers > MOST_LAYERS) {
        fprintf(stderr, "onednn_peer: cells are lstm and gru, layers at most %d\n", MOST_LAYERS);
        return 2;
    }
    omp_set_num_threads((int)s.threads);
    CHECK(dnnl_engine_create(&net.engine, dnnl_cpu, 0));
    CHECK(dnnl_stream_create(&net.stream, net.engine, dnnl_stream_default_flags));
    for (long i = 0; i < s.layers; i++)
        make_layer(&net, &s, &net.layer[i], i ? &net.layer[i - 1] : NULL);
    measure(&net, &s);
    return 0;
}
