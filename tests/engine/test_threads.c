/* test_threads.c - a training step wide enough that every operation shares its work: the same bits by any
 * number of threads and any backend.
 *
 * Of the small steps of tests/bits most operations run on the calling thread alone, since waking another
 * costs more.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include <string.h>
#include <xxhash.h>

enum { B = 48, T = 12, V = 600, E = 48, H = 64, UPDATES = 2, MAX_PARAMETERS = 40 };

struct net {
    rd_core *core;
    rd_rnn *rnn;
    rd_tensor *parameter[MAX_PARAMETERS];
    size_t n_parameters;
    uint32_t update;
};

/* Registers a fresh leaf as a parameter. */
static rd_tensor *leaf(struct net *n, uint32_t ndim, const size_t *shape)
{
    const uint32_t seed = (uint32_t)n->n_parameters + 1;
    return n->parameter[n->n_parameters++] = test_leaf(n->core, ndim, shape, RD_DENSE, seed);
}

static rd_tensor *ids(struct net *n, uint32_t what)
{
    rd_error err;
    rd_real values[B * T];
    rd_tensor *t = NULL;
    const rd_stream s = {.seed = 5, .purpose = RD_FOR_USER, .layer = what, .update = n->update};
    for (uint32_t i = 0; i < B * T; i++) values[i] = (rd_real)(rd_bits_at(&s, 0, i) % (V + 1));
    OK(rd_tensor_new(n->core, 2, (size_t[]){B, T}, RD_SEQUENCE, &t, &err));
    OK(rd_tensor_write(t, values, &err));
    return t;
}

enum { P_EMBEDDING, P_IN, P_GAIN, P_SHIFT, P_OUT, P_BIAS };

static struct net open_net(rd_core *core)
{
    const rnn_layer layer = {.cell = "lstm", .bias = 2, .in = E, .hidden = H};
    struct net n = {.core = core, .rnn = rnn_make(core, &layer)};
    leaf(&n, SHAPE(V, E));
    leaf(&n, SHAPE(E, V));
    leaf(&n, SHAPE(H));
    leaf(&n, SHAPE(H));
    leaf(&n, SHAPE(V, H));
    leaf(&n, SHAPE(V));
    for (size_t i = 0; i < rd_rnn_parameter_count(n.rnn); i++)
        n.parameter[n.n_parameters++] = rd_tensor_retain(rd_rnn_parameter(n.rnn, i));
    return n;
}

/* Rows by embedding and by one-hot gather, added: (B, T, E). */
static rd_tensor *features(struct net *n)
{
    rd_error err;
    rd_tensor *in = ids(n, 0), *hot = NULL, *a = NULL, *b = NULL, *sum = NULL;
    OK(rd_embedding(in, n->parameter[P_EMBEDDING], &a, &err));
    OK(rd_one_hot(in, V, &hot, &err));
    OK(rd_linear(hot, n->parameter[P_IN], NULL, &b, &err));
    OK(rd_apply2(RD_ADD, a, b, &sum, &err));
    RELEASE(in, hot, a, b);
    return sum;
}

/* Every step of a row looks at every other, softmax(Y Y^T) Y: batched products. */
static rd_tensor *attention(rd_tensor *y)
{
    rd_error err;
    rd_tensor *turned = NULL, *score = NULL, *share = NULL, *seen = NULL;
    OK(rd_transpose(y, 1, 2, &turned, &err));
    OK(rd_matmul(y, turned, &score, &err));
    OK(rd_softmax(score, 2, false, &share, &err));
    OK(rd_matmul(share, y, &seen, &err));
    RELEASE(turned, score, share);
    return seen;
}

/* tanh(norm(x)) with a quarter of it dropped; releases x. */
static rd_tensor *head(struct net *n, rd_tensor *x)
{
    rd_error err;
    const rd_stream drop = {.seed = 7, .purpose = RD_FOR_DROPOUT, .update = n->update};
    rd_tensor *norm = NULL, *bent = NULL, *dropped = NULL;
    OK(rd_layer_norm(x, n->parameter[P_GAIN], n->parameter[P_SHIFT], 1e-5, &norm, &err));
    OK(rd_apply1(RD_TANH, norm, &bent, &err));
    OK(rd_dropout(bent, 0.25, &drop, &dropped, &err));
    RELEASE(x, norm, bent);
    return dropped;
}

static rd_tensor *loss_of(struct net *n)
{
    rd_error err;
    rd_tensor *x = features(n), *target = ids(n, 1), *y = NULL, *distance = NULL, *logits = NULL;
    rd_tensor *entropy = NULL, *loss = NULL;
    OK(rd_rnn_forward(n->rnn, x, NULL, &y, NULL, &err));
    rd_tensor *top = head(n, attention(y));
    OK(rd_mse(top, y, RD_MEAN, &distance, NULL, &err));
    OK(rd_linear(top, n->parameter[P_OUT], n->parameter[P_BIAS], &logits, &err));
    OK(rd_cross_entropy(logits, target, RD_MEAN, &entropy, NULL, &err));
    OK(rd_apply2(RD_ADD, distance, entropy, &loss, &err));
    RELEASE(x, target, y, distance, logits, entropy, top);
    return loss;
}

static uint64_t hash_and_close(struct net *n)
{
    static rd_real values[V * H]; /* the largest parameter; too large for the stack */
    uint64_t hash = 0;
    for (size_t i = 0; i < n->n_parameters; i++) {
        const size_t bytes = rd_tensor_numel(n->parameter[i]) * sizeof(rd_real);
        assert_true(rd_all_finite(n->parameter[i]));
        rd_tensor_read(n->parameter[i], values);
        hash = XXH3_64bits_withSeed(values, bytes, hash);
        rd_tensor_release(n->parameter[i]);
    }
    rd_rnn_release(n->rnn);
    return hash;
}

/* 0: this processor lacks the backend. */
static uint64_t train(uint32_t threads, const char *kernels)
{
    rd_core *core = rnn_core(threads, kernels);
    rd_error err;
    rd_optimizer *adam = NULL;
    double norm;
    size_t bad;
    if (!core) return 0;
    struct net n = open_net(core);
    OK(rd_optimizer_new("adam", NULL, 0, n.parameter, n.n_parameters, &adam, &err));
    for (; n.update < UPDATES; n.update++) {
        for (size_t i = 0; i < n.n_parameters; i++) rd_zero_grad(n.parameter[i]);
        rd_tensor *const loss = loss_of(&n);
        OK(rd_backward(loss, NULL, false, &err));
        OK(rd_clip_grad_norm(n.parameter, n.n_parameters, 1e-3, &norm, &bad, &err));
        OK(rd_optimizer_step(adam, &err));
        rd_tensor_release(loss);
    }
    rd_optimizer_free(adam);
    const uint64_t hash = hash_and_close(&n);
    assert_int_equal(test_close_core((void **)&core), 0);
    return hash;
}

static uint64_t of_one_thread;

static int train_on_one_thread(void **state)
{
    (void)state;
    of_one_thread = train(1, "scalar");
    return 0;
}

static void expect_same(uint32_t threads, const char *kernels)
{
    const uint64_t hash = train(threads, kernels);
    if (hash == 0) skip();
    assert_int_equal(hash, of_one_thread);
}

static void test_two_threads(void **state)
{
    (void)state;
    expect_same(2, "scalar");
}

static void test_three_threads_by_the_best_kernels(void **state)
{
    (void)state;
    expect_same(3, NULL);
}

static void test_five_threads_by_avx2(void **state)
{
    (void)state;
    expect_same(5, "avx2,scalar");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_three_threads_by_the_best_kernels),
        cmocka_unit_test(test_five_threads_by_avx2),
    };
    return cmocka_run_group_tests(tests, train_on_one_thread, NULL);
}
