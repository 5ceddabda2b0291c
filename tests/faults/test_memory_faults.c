/* test_memory_faults.c - whichever allocation of our own gets nothing: opening a core, training, writing.
 * SPDX-License-Identifier: MIT */
#include "faults/every_allocation.h"
#include "support/layers.h"

static const rd_core_options with_plugins = {
    .threads = 1, .lib_dir = RD_TEST_LIB_DIR, .trust_plugins = true};

/* ---- setting up ---- */

static rd_status open_core(scratch *s, rd_error *err)
{
    (void)s;
    rd_core *opened = NULL;
    rd_core_options options = with_plugins;
    options.threads = 3;
    options.plugin_path = "/nowhere:" RD_TEST_LIB_DIR;
    const rd_status status = rd_core_open(&options, &opened, err);
    rd_core_release(opened);
    return status;
}

enum { V = 12, E = 5, H = 7, ROWS = 3, STEPS = 4 };

typedef struct net {
    rd_core *numbers;
    rd_rnn *rnn;
    rd_plugin_layer *layer;
    rd_tensor *parameter[40];
    size_t n;
    rd_optimizer *optimizer;
    rd_average *average;
    rd_tensor *embedding, *weight;
} net;

static void close_net(net *n)
{
    rd_average_free(n->average);
    rd_optimizer_free(n->optimizer);
    rd_rnn_release(n->rnn);
    rd_plugin_layer_release(n->layer);
    rd_tensor_release(n->embedding);
    rd_tensor_release(n->weight);
    rd_core_release(n->numbers);
    *n = (net){0};
}

static rd_status leaf(net *n, size_t rows, size_t columns, rd_tensor **out, rd_error *err)
{
    const rd_stream stream = {.seed = 1, .purpose = RD_FOR_USER, .layer = (uint32_t)rows};
    rd_status status = RD_OK;
    DO(rd_tensor_new(n->numbers, 2, (size_t[]){rows, columns}, RD_DENSE, out, err));
    DO(rd_fill_uniform(*out, -0.5, 0.5, &stream, err));
    DO(rd_set_requires_grad(*out, true, err));
    return status;
}

static rd_status open_net(net *n, rd_error *err)
{
    const rd_setting lr = {.name = "lr", .kind = RD_REAL, .value.r = 0.01};
    const rd_rnn_config config = {.cell = "lstm",
                                  .input_size = E,
                                  .hidden_size = H,
                                  .bias = 1,
                                  .seed = 1,
                                  .layer = 1,
                                  .label = "LSTM",
                                  .recurrent_dropout = 0.2,
                                  .weight_drop = 0.2,
                                  .zoneout = &(rd_zoneout){.share = 0.1},
                                  .n_zoneout = 1};
    rd_status status = RD_OK;
    if (!n->numbers) DO(rd_core_open(&with_plugins, &n->numbers, err));
    DO(rd_rnn_new(n->numbers, &config, &n->rnn, err));
    DO(leaf(n, V, E, &n->embedding, err));
    DO(leaf(n, V, H, &n->weight, err));
    if (status != RD_OK) return status;
    n->n = 0;
    for (size_t i = 0; i < rd_rnn_parameter_count(n->rnn); i++)
        n->parameter[n->n++] = rd_rnn_parameter(n->rnn, i);
    n->parameter[n->n++] = n->embedding;
    n->parameter[n->n++] = n->weight;
    DO(rd_optimizer_new("adam", &lr, 1, n->parameter, n->n, &n->optimizer, err));
    DO(rd_average_new(n->parameter, n->n, &n->average, err));
    return status;
}

static rd_status make_ids(net *n, unsigned from, rd_tensor **out, rd_error *err)
{
    rd_real values[ROWS * STEPS];
    rd_status status = RD_OK;
    for (unsigned i = 0; i < ROWS * STEPS; i++) values[i] = (rd_real)((i * 7 + from) % V + 1);
    DO(rd_tensor_new(n->numbers, 2, (size_t[]){ROWS, STEPS}, RD_SEQUENCE, out, err));
    DO(rd_tensor_write(*out, values, err));
    return status;
}

/* A step of training. What fails in it leaves parameters and optimizer as they were. */
static rd_status train(net *n, rd_error *err)
{
    const rd_stream stream = {.seed = 1, .purpose = RD_FOR_DROPOUT};
    rd_tensor *ids = NULL, *target = NULL, *x = NULL, *y = NULL, *dropped = NULL, *logits = NULL;
    rd_tensor *loss = NULL, *final[2] = {NULL, NULL}, *mask = NULL;
    rd_loss_total total;
    double norm;
    size_t bad;
    rd_status status = RD_OK;
    for (size_t i = 0; i < n->n; i++) rd_zero_grad(n->parameter[i]);
    DO(make_ids(n, 0, &ids, err));
    DO(make_ids(n, 1, &target, err));
    DO(make_ids(n, 0, &mask, err));
    DO(rd_embedding(ids, n->embedding, &x, err));
    const rd_rnn_input in = {.x = x, .mask = mask, .training = true, .update = 1};
    DO(rd_rnn_run(n->rnn, &in, &y, final, err));
    DO(rd_dropout(y, 0.25, &stream, &dropped, err));
    DO(rd_linear(dropped, n->weight, NULL, &logits, err));
    DO(rd_cross_entropy(logits, target, RD_MEAN, &loss, &total, err));
    DO(rd_backward(loss, NULL, false, err));
    DO(rd_clip_grad_norm(n->parameter, n->n, 0.5, &norm, &bad, err));
    DO(rd_optimizer_step(n->optimizer, err));
    if (status == RD_OK) rd_average_update(n->average, 0.5);
    test_release(10, (rd_tensor *[]){ids, target, x, y, dropped, logits, loss, mask, final[0],
                                     final[1]});
    return status;
}

static rd_status train_from_nothing(scratch *s, rd_error *err)
{
    (void)s;
    net n = {0};
    rd_status status = open_net(&n, err);
    DO(train(&n, err));
    DO(train(&n, err));
    close_net(&n);
    return status;
}

static rd_status run_a_layer_of_a_plugin(scratch *s, rd_error *err)
{
    (void)s;
    net n = {0};
    rd_tensor *x = NULL, *y = NULL, *sum = NULL;
    const rd_plugin_layer_config config = {
        .name = "template.layer", .label = "Layer", .input_size = E, .seed = 1, .layer = 1};
    rd_status status = RD_OK;
    DO(rd_core_open(&with_plugins, &n.numbers, err));
    DO(rd_plugin_layer_new(n.numbers, &config, &n.layer, err));
    DO(rd_tensor_new(n.numbers, 3, (size_t[]){ROWS, STEPS, E}, RD_SEQUENCE, &x, err));
    DO(rd_fill(x, (double)rnn_number(1, 1), err)); /* its file links the layer in */
    DO(rd_plugin_layer_run(n.layer, &(rd_rnn_input){.x = x}, &y, NULL, err));
    DO(rd_sum(y, RD_ALL, false, &sum, err));
    DO(rd_backward(sum, NULL, false, err));
    test_release(3, (rd_tensor *[]){x, y, sum});
    close_net(&n);
    return status;
}

static rd_status write_a_text(scratch *s, rd_error *err)
{
    (void)s;
    net n = {0};
    rd_chain *chain = NULL;
    int32_t next[2] = {1, 2}, ids[2 * STEPS];
    const rd_stream streams[2] = {{.seed = 1, .purpose = RD_FOR_SAMPLE},
                                  {.seed = 2, .purpose = RD_FOR_SAMPLE}};
    rd_writing writing = {.how = {.temperature = 1, .top_k = 5, .top_p = 0.9},
                          .stream = streams,
                          .steps = STEPS,
                          .next = next,
                          .ids = ids};
    rd_status status = open_net(&n, err);
    const rd_link links[] = {{.kind = RD_LINK_EMBEDDING, .weight = n.embedding},
                             {.kind = RD_LINK_RNN, .rnn = n.rnn},
                             {.kind = RD_LINK_LINEAR, .weight = n.weight}};
    DO(rd_chain_new(n.numbers, links, 3, 2, &chain, err));
    DO(rd_chain_write(chain, &writing, err));
    rd_chain_free(chain);
    close_net(&n);
    return status;
}

/* ---- every call in turn ---- */

static void test_opening_a_core(void **state)
{
    check_deed(*state, open_core);
}

static void test_training(void **state)
{
    check_deed(*state, train_from_nothing);
}

static void test_a_layer_of_a_plugin(void **state)
{
    check_deed(*state, run_a_layer_of_a_plugin);
}

static void test_writing_a_text(void **state)
{
    check_deed(*state, write_a_text);
}

/* ---- and the state before ---- */

enum { MOST = 4096 };
static size_t numbers_of(const net *n, rd_real *out)
{
    size_t used = 0;
    for (size_t i = 0; i < n->n; i++) {
        assert_true(used + rd_tensor_numel(n->parameter[i]) <= MOST);
        rd_tensor_read(n->parameter[i], out + used);
        used += rd_tensor_numel(n->parameter[i]);
    }
    return used;
}

/* A step that fails for want of memory changes nothing, and taken again it is the step that never failed. */
static void test_a_step_that_fails_changes_nothing(void **state)
{
    (void)state;
    static rd_real first[MOST], wanted[MOST], got[MOST];
    rd_error err = {0};
    net n = {0};
    test_ok(open_net(&n, &err), &err);
    const size_t count = numbers_of(&n, first);
    test_ok(train(&n, &err), &err);
    numbers_of(&n, wanted);
    close_net(&n);
    long calls = 1;
    for (long call = 1; call <= calls; call++) {
        test_ok(open_net(&n, &err), &err);
        memory_faults_begin((memory_fault){call, true});
        const rd_status status = train(&n, &err);
        const long made = memory_faults_end();
        if (call == 1) calls = 1000; /* the rest is known when one comes through */
        if (status == RD_OK) calls = 0;
        assert_true(status == RD_OK || (made >= call && status == RD_E_NOMEM));
        numbers_of(&n, got);
        assert_memory_equal(got, status == RD_OK ? wanted : first, count * sizeof(rd_real));
        if (status != RD_OK) test_ok(train(&n, &err), &err);
        numbers_of(&n, got);
        assert_memory_equal(got, wanted, count * sizeof(rd_real));
        close_net(&n);
    }
    assert_int_equal(calls, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_opening_a_core),
        TEST(test_training),
        TEST(test_a_layer_of_a_plugin),
        TEST(test_writing_a_text),
        TEST(test_a_step_that_fails_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
