/* test_step_memory.c - a training step asks the system for no memory from the third one on.
 *
 * The linker puts the functions below in front of the system's allocator for everything that is linked
 * into this program, the core and its worker threads among it (tests/CMakeLists.txt: --wrap); plugins
 * import no allocator at all, which the last test looks at.
 * SPDX-License-Identifier: MIT */
#include "support/layers.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_ulong calls;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *at, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
int __real_posix_memalign(void **out, size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *at, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
int __wrap_posix_memalign(void **out, size_t alignment, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    atomic_fetch_add(&calls, 1);
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
    atomic_fetch_add(&calls, 1);
    return __real_calloc(n, bytes);
}

void *__wrap_realloc(void *at, size_t bytes)
{
    atomic_fetch_add(&calls, 1);
    return __real_realloc(at, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    atomic_fetch_add(&calls, 1);
    return __real_aligned_alloc(alignment, bytes);
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t bytes)
{
    atomic_fetch_add(&calls, 1);
    return __real_posix_memalign(out, alignment, bytes);
}

enum { V = 30, E = 16, H = 48, ROWS = 12, STEPS = 9, UPDATES = 8, MAX_PARAMETERS = 32 };

struct net {
    rd_core *core;
    rd_rnn *rnn;
    rd_plugin_layer *layer; /* before it, or NULL */
    rd_tensor *embedding, *weight, *bias, *state[2], *past;
    rd_tensor *parameter[MAX_PARAMETERS];
    size_t n_parameters;
    rd_optimizer *optimizer;
};

static rd_tensor *add_parameter(struct net *n, rd_tensor *p)
{
    n->parameter[n->n_parameters++] = p;
    return p;
}

struct noise {
    double input_dropout, recurrent_dropout, weight_drop, zoneout;
};
struct model {
    const char *cell, *optimizer;
    struct noise noise;
    bool layer;
};

/* E features to E features, from a plugin. */
static void open_layer(struct net *n)
{
    rd_error err;
    const rd_setting width = {.name = "width", .kind = RD_INT, .value.i = E};
    const rd_plugin_layer_config config = {
        .name = "template.layer", .input_size = E, .settings = &width, .n_settings = 1, .seed = 1};
    rd_tensor *p;
    OK(rd_plugin_layer_new(n->core, &config, &n->layer, &err));
    for (size_t i = 0; (p = rd_plugin_layer_parameter(n->layer, i, NULL)); i++) add_parameter(n, p);
}

static void open_net(struct net *n, const struct model *m)
{
    const struct noise noise = m->noise;
    const rd_zoneout zoneout = {.share = noise.zoneout};
    const rd_rnn_config config = {.cell = m->cell,
                                  .input_size = E,
                                  .hidden_size = H,
                                  .bias = 1,
                                  .seed = 1,
                                  .layer = 1,
                                  .input_dropout = noise.input_dropout,
                                  .recurrent_dropout = noise.recurrent_dropout,
                                  .weight_drop = noise.weight_drop,
                                  .zoneout = &zoneout,
                                  .n_zoneout = 1};
    const rd_setting lr = {.name = "lr", .kind = RD_REAL, .value.r = 0.01};
    rd_error err;
    n->core = rnn_core(2, NULL);
    OK(rd_rnn_new(n->core, &config, &n->rnn, &err));
    for (size_t i = 0; i < rd_rnn_parameter_count(n->rnn); i++)
        add_parameter(n, rd_rnn_parameter(n->rnn, i));
    if (m->layer) open_layer(n);
    n->embedding = add_parameter(n, test_leaf(n->core, SHAPE(V, E), RD_DENSE, 1));
    n->weight = add_parameter(n, test_leaf(n->core, SHAPE(V, H), RD_DENSE, 2));
    n->bias = add_parameter(n, test_leaf(n->core, SHAPE(V), RD_DENSE, 3));
    OK(rd_optimizer_new(m->optimizer, &lr, 1, n->parameter, n->n_parameters, &n->optimizer, &err));
}

static void close_net(struct net *n)
{
    rd_optimizer_free(n->optimizer);
    rd_rnn_release(n->rnn);
    rd_plugin_layer_release(n->layer);
    RELEASE(n->embedding, n->weight, n->bias, n->state[0], n->state[1], n->past);
    assert_int_equal(test_close_core((void **)&n->core), 0);
}

static rd_tensor *made_up_ids(rd_core *core, unsigned update)
{
    rd_real values[ROWS * STEPS];
    rd_error err;
    rd_tensor *ids = NULL;
    for (unsigned i = 0; i < ROWS * STEPS; i++) values[i] = (rd_real)((i * 7 + update * 5) % V + 1);
    OK(rd_tensor_new(core, SHAPE(ROWS, STEPS), RD_SEQUENCE, &ids, &err));
    OK(rd_tensor_write(ids, values, &err));
    return ids;
}

/* x through the layer, with its state carried; takes x. */
static rd_tensor *run_layer(struct net *n, rd_tensor *x)
{
    rd_error err;
    rd_tensor *y = NULL, *after = NULL;
    const rd_rnn_input in = {.x = x, .states = n->past ? &n->past : NULL};
    OK(rd_plugin_layer_run(n->layer, &in, &y, &after, &err));
    RELEASE(x, n->past);
    n->past = after;
    return y;
}

/* Forward, loss, backward, clip, step, with carried state: what a Trainer's step does in the core. */
static void train_step(struct net *n, unsigned update)
{
    const rd_stream stream = {.seed = 1, .purpose = RD_FOR_DROPOUT, .update = update};
    rd_error err;
    rd_loss_total total;
    double norm;
    size_t bad;
    rd_tensor *x = NULL, *y = NULL, *dropped = NULL, *logits = NULL, *loss = NULL;
    rd_tensor *final[2] = {NULL, NULL};
    rd_tensor *ids = made_up_ids(n->core, update), *target = made_up_ids(n->core, update + 1);
    OK(rd_embedding(ids, n->embedding, &x, &err));
    if (n->layer) x = run_layer(n, x);
    const rd_rnn_input in = {
        .x = x, .states = n->state[0] ? n->state : NULL, .training = true, .update = update};
    OK(rd_rnn_run(n->rnn, &in, &y, final, &err));
    OK(rd_dropout(y, 0.25, &stream, &dropped, &err));
    OK(rd_linear(dropped, n->weight, n->bias, &logits, &err));
    OK(rd_cross_entropy(logits, target, RD_MEAN, &loss, &total, &err));
    for (size_t i = 0; i < n->n_parameters; i++) rd_zero_grad(n->parameter[i]);
    OK(rd_backward(loss, NULL, false, &err));
    OK(rd_clip_grad_norm(n->parameter, n->n_parameters, 0.5, &norm, &bad, &err));
    OK(rd_optimizer_step(n->optimizer, &err));
    RELEASE(ids, target, x, y, dropped, logits, loss, n->state[0], n->state[1]);
    n->state[0] = final[0];
    n->state[1] = final[1];
}

static void check_model(const struct model *m)
{
    struct net n = {0};
    open_net(&n, m);
    assert_true(atomic_load(&calls) > 0); /* the counters are in front of the allocator */
    unsigned long after_two = 0;
    for (unsigned update = 0; update < UPDATES; update++) {
        train_step(&n, update);
        if (update == 1) after_two = atomic_load(&calls);
    }
    const unsigned long after_all = atomic_load(&calls);
    close_net(&n);
    assert_int_equal(after_all, after_two);
}

static void check_with(const char *cell, const char *optimizer, struct noise noise)
{
    check_model(&(struct model){cell, optimizer, noise, false});
}

static void check(const char *cell, const char *optimizer)
{
    check_with(cell, optimizer, (struct noise){0});
}

static void test_lstm_with_adam(void **state)
{
    (void)state;
    check("lstm", "adam");
}

static void test_gru_with_sgd(void **state)
{
    (void)state;
    check("gru", "sgd");
}

static void test_vanilla_with_rmsprop(void **state)
{
    (void)state;
    check("vanilla", "rmsprop");
}

static void test_regularisers(void **state)
{
    (void)state;
    check_with("lstm", "adam", (struct noise){.input_dropout = 0.3});
    check_with("gru", "sgd", (struct noise){.recurrent_dropout = 0.3});
    check_with("lstm", "sgd", (struct noise){.weight_drop = 0.5});
    check_with("lstm", "sgd", (struct noise){.zoneout = 0.2});
    check_with("lstm", "adam", (struct noise){0.3, 0.3, 0.5, 0.2});
}

static void test_a_layer_of_a_plugin(void **state)
{
    (void)state;
    check_model(&(struct model){.cell = "gru", .optimizer = "adam", .layer = true});
}

/* What the plugins that took part import by name; they are linked with -z defs, so this is all. */
static void test_plugins_import_no_allocator(void **state)
{
    (void)state;
#ifdef RD_TEST_COVERAGE
    skip(); /* its counters are written by code that asks for memory */
#endif
    const char *plugins = RD_TEST_LIB_DIR "/" RD_TEST_PLUGIN_FOLDER "/" RD_TEST_REAL_DIR;
    char command[1024], line[256];
    if (system("command -v nm >/dev/null") != 0) skip();
    snprintf(command, sizeof command, "nm -D --undefined-only %s/*.so", plugins);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    size_t lines = 0, allocators = 0;
    while (fgets(line, sizeof line, f)) {
        lines++;
        if (!strstr(line, "__") && (strstr(line, "alloc") || strstr(line, "memalign")))
            allocators++;
    }
    assert_int_equal(pclose(f), 0);
    assert_true(lines > 0);
    assert_int_equal(allocators, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lstm_with_adam),
        cmocka_unit_test(test_gru_with_sgd),
        cmocka_unit_test(test_vanilla_with_rmsprop),
        cmocka_unit_test(test_regularisers),
        cmocka_unit_test(test_a_layer_of_a_plugin),
        cmocka_unit_test(test_plugins_import_no_allocator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
