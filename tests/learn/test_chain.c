/* test_chain.c - a chain of layers that writes: the ids of the same layers called one by one, for several
 * texts at once, beginnings and ends; what it says about links that do not fit.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include <string.h>

enum { V = 7, E = 5, H = 6, STEPS = 40, ROWS = 3 };
enum { W_EMBEDDING, W_GAIN, W_SHIFT, W_OUT, W_BIAS, N_W };
static rd_core *core;
static const rd_sampling plain = {.temperature = 1, .top_p = 1};

struct net {
    rd_rnn *rnn;
    rd_tensor *w[N_W];
    rd_link link[4];
};

static int open_core(void **state)
{
    (void)state;
    core = rnn_core(1, NULL);
    return core ? 0 : 1;
}

static int close_core(void **state)
{
    (void)state;
    return test_close_core((void **)&core);
}

/* embedding, GRU, layer norm, linear; leaves that want gradients, as in a model. */
static void open_net(struct net *n)
{
    const rnn_layer layer = {.cell = "gru", .bias = 2, .in = E, .hidden = H};
    n->rnn = rnn_make(core, &layer);
    n->w[W_EMBEDDING] = test_leaf(core, SHAPE(V, E), RD_DENSE, 1);
    n->w[W_GAIN] = test_leaf(core, SHAPE(H), RD_DENSE, 2);
    n->w[W_SHIFT] = test_leaf(core, SHAPE(H), RD_DENSE, 3);
    n->w[W_OUT] = test_leaf(core, SHAPE(V, H), RD_DENSE, 4);
    n->w[W_BIAS] = test_leaf(core, SHAPE(V), RD_DENSE, 5);
    const rd_link link[4] = {
        {.kind = RD_LINK_EMBEDDING, .weight = n->w[W_EMBEDDING]},
        {.kind = RD_LINK_RNN, .rnn = n->rnn},
        {.kind = RD_LINK_LAYER_NORM, .weight = n->w[W_GAIN], .bias = n->w[W_SHIFT], .eps = 1e-5},
        {.kind = RD_LINK_LINEAR, .weight = n->w[W_OUT], .bias = n->w[W_BIAS]}};
    memcpy(n->link, link, sizeof link);
}

static void close_net(struct net *n)
{
    rd_rnn_release(n->rnn);
    test_release(N_W, n->w);
}

/* One step of one text by the layers: the id drawn, and the state then. */
static int32_t by_layers(const struct net *n, int32_t id, rd_tensor **state, const rd_stream *s)
{
    rd_error err;
    rd_tensor *ids = test_tensor(core, SHAPE(1, 1), VALUES(id));
    rd_tensor *x = NULL, *y = NULL, *normal = NULL, *logits = NULL, *last = NULL, *drawn = NULL;
    rd_tensor *after = NULL;
    double found;
    OK(rd_embedding(ids, n->w[W_EMBEDDING], &x, &err));
    OK(rd_rnn_forward(n->rnn, x, *state ? state : NULL, &y, &after, &err));
    OK(rd_layer_norm(y, n->w[W_GAIN], n->w[W_SHIFT], 1e-5, &normal, &err));
    OK(rd_linear(normal, n->w[W_OUT], n->w[W_BIAS], &logits, &err));
    OK(rd_select(logits, 1, 0, &last, &err));
    OK(rd_sample(last, &plain, s, &drawn, &err));
    OK(rd_tensor_get(drawn, (size_t[]){0}, &found, &err));
    RELEASE(ids, x, y, normal, logits, last, drawn, *state);
    *state = after;
    return (int32_t)found;
}

static rd_stream stream_of(uint32_t text)
{
    return (rd_stream){.seed = 3, .purpose = RD_FOR_SAMPLE, .update = text};
}

/* The ids of a text that begins with `id`; after `end` it begins again, with `begin`. */
static void expect_text(const struct net *n, uint32_t text, const rd_writing *w, const int32_t *ids)
{
    rd_tensor *state = NULL;
    int32_t id = (int32_t)text + 1;
    rd_stream s = stream_of(text);
    const bool was = rd_set_grad_mode(core, false);
    for (; s.time < STEPS; s.time++) {
        const int32_t before = id;
        id = by_layers(n, id, &state, &s);
        assert_int_equal(id, ids[s.time * ROWS]);
        if (id != w->end || (w->end_twice && before != id)) continue;
        rd_tensor_release(state);
        state = NULL;
        id = w->begin ? w->begin : id;
    }
    rd_set_grad_mode(core, was);
    rd_tensor_release(state);
}

/* Writes STEPS ids of ROWS texts in two calls and compares. */
static void write_and_compare(rd_writing w)
{
    rd_error err;
    struct net n;
    rd_chain *chain = NULL;
    int32_t ids[STEPS * ROWS], next[ROWS] = {1, 2, 3};
    rd_stream streams[ROWS];
    open_net(&n);
    for (uint32_t r = 0; r < ROWS; r++) streams[r] = stream_of(r);
    OK(rd_chain_new(core, n.link, 4, ROWS, &chain, &err));
    assert_int_equal(rd_chain_rows(chain), ROWS);
    assert_int_equal(rd_chain_state_count(chain), 1);
    w.how = plain;
    w.stream = streams;
    w.next = next;
    w.ids = ids;
    w.steps = 15;
    OK(rd_chain_write(chain, &w, &err));
    assert_int_equal(w.done, 15);
    for (uint32_t r = 0; r < ROWS; r++) streams[r].time = 15;
    w.ids += 15 * ROWS;
    w.steps = STEPS - 15;
    OK(rd_chain_write(chain, &w, &err));
    for (uint32_t r = 0; r < ROWS; r++) expect_text(&n, r, &w, ids + r);
    rd_chain_free(chain);
    close_net(&n);
}

static void test_chain_draws_what_its_layers_draw(void **state)
{
    (void)state;
    write_and_compare((rd_writing){0});
}

static void test_chain_begins_texts_again(void **state)
{
    (void)state;
    write_and_compare((rd_writing){.end = 2, .begin = 5});
    write_and_compare((rd_writing){.end = 3});
    write_and_compare((rd_writing){.end = 3, .end_twice = true});
}

static void test_chain_follows_changes_of_its_weights(void **state)
{
    (void)state;
    rd_error err;
    struct net n;
    rd_chain *chain = NULL;
    int32_t id, next = 1;
    const rd_stream stream = stream_of(0);
    open_net(&n);
    OK(rd_chain_new(core, n.link, 4, 1, &chain, &err));
    rd_writing w = {.how = {.top_p = 1}, .stream = &stream, .steps = 1, .next = &next, .ids = &id};
    for (size_t want = 1; want <= 2; want++) { /* greedy: the largest bias wins */
        const bool was = rd_set_grad_mode(core, false);
        OK(rd_tensor_set(n.w[W_BIAS], (size_t[]){want - 1}, 100 * (double)want, &err));
        rd_set_grad_mode(core, was);
        OK(rd_chain_write(chain, &w, &err));
        assert_int_equal(id, want);
    }
    rd_chain_free(chain);
    close_net(&n);
}

static void test_chain_goes_on_from_states(void **state)
{
    (void)state;
    rd_error err;
    struct net n;
    rd_chain *chain = NULL;
    rd_tensor *carried = NULL;
    int32_t id, next;
    rd_stream s = stream_of(4);
    open_net(&n);
    const bool was = rd_set_grad_mode(core, false);
    next = by_layers(&n, 3, &carried, &s);
    s.time = 1;
    OK(rd_chain_new(core, n.link, 4, 1, &chain, &err));
    OK(rd_chain_put(chain, 0, &carried, 0, &err));
    rd_writing w = {.how = plain, .stream = &s, .steps = 1, .next = &next, .ids = &id};
    const int32_t before = next;
    OK(rd_chain_write(chain, &w, &err));
    assert_int_equal(id, by_layers(&n, before, &carried, &s));
    rd_set_grad_mode(core, was);
    rd_tensor_release(carried);
    rd_chain_free(chain);
    close_net(&n);
}

static void test_chain_says_where_a_step_fails(void **state)
{
    (void)state;
    rd_error err;
    struct net n;
    rd_chain *chain = NULL;
    int32_t ids[STEPS], next = 1;
    const rd_stream stream = stream_of(0);
    open_net(&n);
    const bool was = rd_set_grad_mode(core, false);
    /* id 1 is drawn first; read, it makes logits that are not numbers */
    OK(rd_tensor_set(n.w[W_BIAS], (size_t[]){0}, 1000, &err));
    for (size_t j = 0; j < E; j++)
        OK(rd_tensor_set(n.w[W_EMBEDDING], (size_t[]){0, j}, (double)__builtin_nanf(""), &err));
    rd_set_grad_mode(core, was);
    OK(rd_chain_new(core, n.link, 4, 1, &chain, &err));
    next = 2;
    rd_writing w = {.how = plain, .stream = &stream, .steps = STEPS, .next = &next, .ids = ids};
    test_fails(rd_chain_write(chain, &w, &err), &err,
               "sample: the logit of id 1 in row 1 is not a number; the model has diverged");
    assert_int_equal(w.done, 1);
    assert_int_equal(ids[0], 1);
    rd_chain_free(chain);
    close_net(&n);
}

static void refuses(const rd_link *link, size_t n, const char *text)
{
    rd_error err;
    rd_chain *chain = NULL;
    test_fails(rd_chain_new(core, link, n, 1, &chain, &err), &err, text);
    assert_null(chain);
}

static void test_chain_refuses_links_that_do_not_fit(void **state)
{
    (void)state;
    struct net n;
    open_net(&n);
    const rd_link hot = {.kind = RD_LINK_ONE_HOT, .classes = V};
    refuses(n.link, 1, "chain: expected two links or more and a row or more, got 1 and 1");
    refuses(n.link + 1, 2, "chain: link 1, the first, must read ids: one-hot or embedding");
    refuses((rd_link[]){hot, hot}, 2, "chain: link 2 reads ids; only the first one can");
    refuses((rd_link[]){hot, n.link[3]}, 2,
            "chain: a one-hot link must be before a recurrent layer");
    refuses((rd_link[]){n.link[0], n.link[3]}, 2,
            "chain: link 2 reads 6 features, the one before gives 5");
    refuses((rd_link[]){hot, n.link[1]}, 2,
            "chain: link 2 reads 5 features, the one before gives 7");
    close_net(&n);
}

static void test_chain_refuses_tensors_that_are_none_of_a_layer(void **state)
{
    (void)state;
    rd_error err;
    struct net n;
    rd_tensor *turned = NULL;
    open_net(&n);
    OK(rd_transpose(n.w[W_OUT], 0, 1, &turned, &err));
    refuses((rd_link[]){{.kind = RD_LINK_EMBEDDING}, n.link[1]}, 2,
            "chain: link 1 needs a dense matrix of 2 dimensions, got none");
    refuses((rd_link[]){n.link[0], {.kind = RD_LINK_LINEAR, .weight = turned}}, 2,
            "chain: link 2 needs a dense matrix of 2 dimensions, got (6, 7)");
    refuses((rd_link[]){n.link[0], {.kind = RD_LINK_LAYER_NORM, .weight = n.w[W_OUT]}}, 2,
            "chain: link 2 needs a dense gain of 1 dimensions, got (7, 6)");
    refuses((rd_link[]){n.link[0],
                        n.link[1],
                        {.kind = RD_LINK_LINEAR, .weight = n.w[W_OUT], .bias = n.w[W_OUT]}},
            3, "chain: link 3 needs a dense bias of 1 dimensions, got (7, 6)");
    refuses((rd_link[]){n.link[0],
                        n.link[1],
                        {.kind = RD_LINK_LINEAR, .weight = n.w[W_OUT], .bias = n.w[W_GAIN]}},
            3, "chain: link 3 gives 7 features, its bias has 6");
    refuses((rd_link[]){{.kind = RD_LINK_ONE_HOT}, n.link[1]}, 2,
            "chain: link 1 reads 0 features and gives 0");
    refuses((rd_link[]){n.link[0], {.kind = RD_LINK_RNN, .rnn = n.rnn, .first = &n.w[W_BIAS]}}, 2,
            "chain: link 2: expected first values (6) of state 'h', got (7)");
    rd_tensor_release(turned);
    close_net(&n);
}

static void test_chain_refuses_rows_and_ids_that_it_has_not(void **state)
{
    (void)state;
    rd_error err;
    struct net n;
    rd_chain *chain = NULL, *open = NULL;
    rd_tensor *wide = NULL;
    int32_t id, next = 0;
    const rd_stream stream = stream_of(0);
    open_net(&n);
    OK(rd_chain_new(core, n.link, 4, 1, &chain, &err));
    OK(rd_chain_new(core, n.link, 3, 1, &open, &err));
    wide = test_tensor(core, SHAPE(1, 2), VALUES(0, 0));
    test_fails(rd_chain_put(chain, 1, &wide, 0, &err), &err, "chain: rows are 1..1, got 2");
    test_fails(rd_chain_put(chain, 0, &wide, 0, &err), &err,
               "chain: expected state 'h' (1 or more, 6), got (1, 2)");
    rd_writing w = {.how = plain, .stream = &stream, .steps = 1, .next = &next, .ids = &id};
    test_fails(rd_chain_write(chain, &w, &err), &err, "chain: ids are 1..7, got 0 in row 1");
    next = 1;
    w.begin = 8;
    test_fails(rd_chain_write(chain, &w, &err), &err,
               "chain: a text begins with an id 1..7, got 8");
    test_fails(rd_chain_write(open, &w, &err), &err, "chain: it gives 6 logits and reads ids 1..7");
    w.how.top_p = 2;
    test_fails(rd_chain_write(chain, &w, &err), &err,
               "sample: top_p must be greater than 0 and at most 1, got 2");
    rd_chain_free(chain);
    rd_chain_free(open);
    rd_tensor_release(wide);
    close_net(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain_draws_what_its_layers_draw),
        cmocka_unit_test(test_chain_begins_texts_again),
        cmocka_unit_test(test_chain_follows_changes_of_its_weights),
        cmocka_unit_test(test_chain_goes_on_from_states),
        cmocka_unit_test(test_chain_says_where_a_step_fails),
        cmocka_unit_test(test_chain_refuses_links_that_do_not_fit),
        cmocka_unit_test(test_chain_refuses_tensors_that_are_none_of_a_layer),
        cmocka_unit_test(test_chain_refuses_rows_and_ids_that_it_has_not),
    };
    return cmocka_run_group_tests(tests, open_core, close_core);
}
