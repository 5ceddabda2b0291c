/* test_rnn_bits.c - a recurrent layer gives the same bits in every form it can be run in.
 *
 * The reference is a whole sequence on one thread with the scalar kernels. Compared, byte by byte: outputs,
 * last states, and after two backward passes without clearing the gradients of all parameters, of the
 * input and of the first states (bit contract, rules 3 to 6).
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum { MAX_THINGS = 64, MAX_STEPS = 16, PASSES = 2 };

struct form {
    size_t rows, steps;
    size_t chunk; /* steps to a call of the layer; 0: all */
    uint32_t in;
    bool one_hot;
    bool dense; /* x lies in dense order */
    uint32_t threads;
    const char *kernels;
};
struct seen {
    uint32_t n;
    char name[MAX_THINGS][32];
    uint64_t hash[MAX_THINGS];
};

static void see(struct seen *s, const char *name, const rd_tensor *t)
{
    const size_t n = rd_tensor_numel(t);
    rd_real *values = test_malloc(n * sizeof *values);
    rd_tensor_read(t, values);
    snprintf(s->name[s->n], sizeof s->name[0], "%s", name);
    s->hash[s->n++] = XXH3_64bits(values, n * sizeof *values);
    test_free(values);
}

/* Ids 0 (absent) to `in`. */
static rd_tensor *made_up_ids(rd_core *core, const struct form *f)
{
    rd_error err;
    rd_tensor *ids = NULL;
    rd_real values[40 * MAX_STEPS];
    OK(rd_tensor_new(core, 2, (size_t[]){f->rows, f->steps}, RD_SEQUENCE, &ids, &err));
    for (size_t i = 0; i < f->rows * f->steps; i++)
        values[i] = (rd_real)(int)((rnn_number(11, i) + 1) / 2 * (rd_real)(f->in + 1));
    OK(rd_tensor_write(ids, values, &err));
    return ids;
}

/* Steps [from, from + n) of the input. */
static rd_tensor *piece_of(rd_tensor *x, const struct form *f, size_t from, size_t n)
{
    rd_error err;
    rd_tensor *piece = NULL, *hot = NULL;
    OK(rd_slice(x, 1, from, n, &piece, &err));
    if (!f->one_hot) return piece;
    OK(rd_one_hot(piece, f->in, &hot, &err));
    rd_tensor_release(piece);
    return hot;
}

/* Runs the layer over x in chunks; final takes over the last states. */
static rd_tensor *run_chunks(rd_rnn *rnn, rd_tensor *x, const struct form *f,
                             rd_tensor *const *first, rd_tensor **final)
{
    rd_error err;
    rd_tensor *part[MAX_STEPS], *y = NULL, *state[2] = {NULL, NULL};
    const size_t chunk = f->chunk ? f->chunk : f->steps, n_states = rd_rnn_state_count(rnn);
    size_t n = 0;
    for (size_t k = 0; k < n_states; k++) state[k] = rd_tensor_retain(first[k]);
    for (size_t t = 0; t < f->steps; t += chunk) {
        const size_t len = f->steps - t < chunk ? f->steps - t : chunk;
        rd_tensor *piece = piece_of(x, f, t, len);
        OK(rd_rnn_forward(rnn, piece, state, &part[n++], final, &err));
        rd_tensor_release(piece);
        for (size_t k = 0; k < n_states; k++) {
            rd_tensor_release(state[k]);
            state[k] = rd_tensor_retain(final[k]);
            if (t + chunk < f->steps) rd_tensor_release(final[k]);
        }
    }
    for (size_t k = 0; k < n_states; k++) rd_tensor_release(state[k]);
    if (n == 1) return part[0];
    OK(rd_concat(part, n, 1, &y, &err));
    for (size_t i = 0; i < n; i++) rd_tensor_release(part[i]);
    return y;
}

static void play(rd_rnn *rnn, rd_tensor *x, const struct form *f, rd_tensor *const *first,
                 struct seen *seen)
{
    rd_error err;
    rd_tensor *final[2] = {NULL, NULL}, *loss = NULL;
    rd_tensor *y = run_chunks(rnn, x, f, first, final);
    if (seen) see(seen, "y", y);
    OK(test_weighted_sum(y, &loss, &err));
    for (size_t k = 0; k < rd_rnn_state_count(rnn); k++) {
        rd_tensor *part = NULL, *sum = NULL;
        if (seen) see(seen, "final", final[k]);
        OK(test_weighted_sum(final[k], &part, &err));
        OK(rd_apply2(RD_ADD, loss, part, &sum, &err));
        rd_tensor_release(part);
        rd_tensor_release(loss);
        loss = sum;
    }
    OK(rd_backward(loss, NULL, false, &err));
    rd_tensor_release(loss);
}

static struct seen run(const rnn_layer *layer, const struct form *f)
{
    struct seen seen = {0};
    rd_core *core = rnn_core(f->threads, f->kernels);
    if (!core) return seen;
    rd_rnn *rnn = rnn_make(core, layer);
    rd_tensor *first[2] = {NULL, NULL};
    const size_t n_states = rd_rnn_state_count(rnn);
    rd_tensor *x = f->one_hot ? made_up_ids(core, f)
                              : test_leaf(core, 3, (size_t[]){f->rows, f->steps, layer->in},
                                          f->dense ? RD_DENSE : RD_SEQUENCE, 1);
    for (uint32_t k = 0; k < n_states; k++)
        first[k] =
            test_leaf(core, 2, (size_t[]){f->rows, rd_rnn_state_width(rnn, k)}, RD_DENSE, 2 + k);
    for (int pass = 0; pass < PASSES; pass++) play(rnn, x, f, first, pass == 0 ? &seen : NULL);
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
        see(&seen, rd_rnn_parameter_name(rnn, i), rd_grad(rd_rnn_parameter(rnn, i)));
    if (!f->one_hot) see(&seen, "x", rd_grad(x));
    for (size_t k = 0; k < n_states; k++) see(&seen, "first state", rd_grad(first[k]));
    for (size_t k = 0; k < n_states; k++) rd_tensor_release(first[k]);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
    return seen;
}

static const rnn_layer layers[] = {
    {"vanilla", "activation", "tanh", 1, 19, 67},
    {"lstm", NULL, NULL, 2, 19, 67},
    {"gru", "reset", "after", 2, 19, 67},
    {"gru", "reset", "before", 1, 19, 67},
    {"test_odd", NULL, NULL, 2, 5, 7},
};
enum { N_LAYERS = sizeof layers / sizeof layers[0] };

static void compare(const rnn_layer *layer, const struct seen *want, const struct form *f)
{
    const struct seen got = run(layer, f);
    if (got.n == 0) return; /* this processor lacks the backend */
    assert_int_equal(got.n, want->n);
    for (uint32_t i = 0; i < got.n; i++)
        if (got.hash[i] != want->hash[i])
            fail_msg("%s: %s (%u of %u) differs: %zu rows, %zu steps in chunks of %zu, %u threads, "
                     "%s, one-hot %d",
                     layer->cell, want->name[i], i, got.n, f->rows, f->steps, f->chunk, f->threads,
                     f->kernels ? f->kernels : "best kernels", f->one_hot);
}

/* The forms of one shape against the reference. */
static void compare_forms(const rnn_layer *layer, size_t rows, size_t steps, bool one_hot)
{
    static const struct form forms[] = {
        {.threads = 1},
        {.threads = 1, .chunk = 1},
        {.threads = 2, .chunk = 3},
        {.threads = 3},
        {.threads = 5, .chunk = 1},
        {.threads = 1, .dense = true},
        {.threads = 1, .kernels = "scalar", .chunk = 2},
        {.threads = 1, .kernels = "avx2,scalar"},
        {.threads = 2, .kernels = "avx512,scalar"},
    };
    const struct form reference = {.rows = rows,
                                   .steps = steps,
                                   .in = layer->in,
                                   .one_hot = one_hot,
                                   .threads = 1,
                                   .kernels = "scalar"};
    const struct seen want = run(layer, &reference);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct form f = forms[i];
        f.rows = rows;
        f.steps = steps;
        f.in = layer->in;
        f.one_hot = one_hot;
        compare(layer, &want, &f);
    }
}

/* Few rows: the product with x is hoisted in a sequence and fused step by step. */
static void test_few_rows(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_LAYERS; i++) compare_forms(&layers[i], 3, 7, false);
}

static void test_one_row(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_LAYERS; i++) compare_forms(&layers[i], 1, 6, false);
}

/* Many rows: fused; 37 do not divide into 16 blocks. */
static void test_many_rows(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_LAYERS; i++) compare_forms(&layers[i], 37, 4, false);
}

static void test_one_hot_input(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_LAYERS; i++) compare_forms(&layers[i], 5, 8, true);
}

/* Rule 3: a gather is what the product with a row of zeros and one 1 would give. */
static void test_one_hot_equals_the_same_numbers_as_a_matrix(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    (void)state;
    const struct form f = {.rows = 4, .steps = 6, .in = 19, .one_hot = true};
    for (uint32_t i = 0; i + 1 < N_LAYERS; i++) {
        struct seen seen[2] = {{0}};
        rd_tensor *ids = made_up_ids(core, &f), *hot = piece_of(ids, &f, 0, 6), *same = NULL;
        OK(rd_contiguous(hot, RD_DENSE, &same, &err)); /* written to, it has no ids any more */
        OK(rd_tensor_set(same, (size_t[]){0, 0, 0}, (double)rd_tensor_at(same)[0], &err));
        for (int k = 0; k < 2; k++) {
            rd_tensor *y = NULL, *loss = NULL;
            rd_rnn *rnn = rnn_make(core, &layers[i]);
            OK(rd_rnn_forward(rnn, k == 0 ? hot : same, NULL, &y, NULL, &err));
            see(&seen[k], "y", y);
            OK(test_weighted_sum(y, &loss, &err));
            OK(rd_backward(loss, NULL, false, &err));
            for (size_t j = 0; j < rd_rnn_parameter_count(rnn); j++)
                see(&seen[k], rd_rnn_parameter_name(rnn, j), rd_grad(rd_rnn_parameter(rnn, j)));
            rd_tensor_release(loss);
            rd_rnn_release(rnn);
        }
        assert_memory_equal(seen[0].hash, seen[1].hash, seen[0].n * sizeof(uint64_t));
        rd_tensor_release(ids);
        rd_tensor_release(hot);
        rd_tensor_release(same);
    }
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_batch_of_one_equals_a_row_of_a_batch(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    (void)state;
    for (uint32_t i = 0; i < N_LAYERS; i++) {
        rd_rnn *rnn = rnn_make(core, &layers[i]);
        rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, 3, (size_t[]){50, 5, layers[i].in});
        rd_tensor *y = NULL, *row = NULL, *of_batch = NULL, *alone = NULL;
        OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
        OK(rd_slice(x, 0, 31, 1, &row, &err));
        OK(rd_slice(y, 0, 31, 1, &of_batch, &err));
        OK(rd_rnn_forward(rnn, row, NULL, &alone, NULL, &err));
        struct seen a = {0}, b = {0};
        see(&a, "row", of_batch);
        see(&b, "row", alone);
        assert_int_equal(a.hash[0], b.hash[0]);
        rd_tensor_release(x);
        rd_tensor_release(y);
        rd_tensor_release(row);
        rd_tensor_release(of_batch);
        rd_tensor_release(alone);
        rd_rnn_release(rnn);
    }
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_without_gradients_the_outputs_are_the_same(void **state)
{
    rd_core *core = rnn_core(2, NULL);
    rd_error err;
    (void)state;
    for (uint32_t i = 0; i < N_LAYERS; i++) {
        rd_rnn *rnn = rnn_make(core, &layers[i]);
        rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, 3, (size_t[]){3, 200, layers[i].in});
        rd_tensor *y[2] = {NULL}, *final[2][2] = {{NULL}};
        struct seen seen[2] = {{0}};
        for (int k = 0; k < 2; k++) {
            rd_set_grad_mode(core, k == 0);
            OK(rd_rnn_forward(rnn, x, NULL, &y[k], final[k], &err));
            see(&seen[k], "y", y[k]);
            for (size_t j = 0; j < rd_rnn_state_count(rnn); j++) {
                see(&seen[k], "final", final[k][j]);
                rd_tensor_release(final[k][j]);
            }
            rd_tensor_release(y[k]);
        }
        rd_set_grad_mode(core, true);
        assert_memory_equal(seen[0].hash, seen[1].hash, seen[0].n * sizeof(uint64_t));
        rd_tensor_release(x);
        rd_rnn_release(rnn);
    }
    assert_int_equal(test_close_core((void **)&core), 0);
}

/* A line in the middle of a run: its neighbours no longer share one product. */
static void test_a_frozen_parameter_leaves_the_others_alone(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    (void)state;
    struct seen seen[2] = {{0}};
    for (int k = 0; k < 2; k++) {
        rd_rnn *rnn = rnn_make(core, &layers[1]);
        rd_tensor *x = rnn_tensor(core, 5, RD_SEQUENCE, SHAPE(3, 4, 19)), *y = NULL, *loss = NULL;
        assert_string_equal(rd_rnn_parameter_name(rnn, 4), "f_x");
        OK(rd_set_requires_grad(rd_rnn_parameter(rnn, 4), k == 0, &err));
        OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
        OK(test_weighted_sum(y, &loss, &err));
        OK(rd_backward(loss, NULL, false, &err));
        assert_true((rd_grad(rd_rnn_parameter(rnn, 4)) != NULL) == (k == 0));
        for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
            if (i != 4) see(&seen[k], "other", rd_grad(rd_rnn_parameter(rnn, i)));
        rd_tensor_release(loss);
        rd_tensor_release(x);
        rd_rnn_release(rnn);
    }
    assert_memory_equal(seen[0].hash, seen[1].hash, seen[0].n * sizeof(uint64_t));
    assert_int_equal(test_close_core((void **)&core), 0);
}

static void test_a_graph_can_be_played_twice(void **state)
{
    rd_core *core = rnn_core(1, NULL);
    rd_error err;
    (void)state;
    rd_rnn *rnn = rnn_make(core, &layers[1]);
    rd_tensor *x = test_leaf(core, 3, (size_t[]){3, 4, 19}, RD_SEQUENCE, 5), *y = NULL,
              *loss = NULL;
    struct seen seen[2] = {{0}};
    OK(rd_rnn_forward(rnn, x, NULL, &y, NULL, &err));
    OK(test_weighted_sum(y, &loss, &err));
    for (int k = 0; k < 2; k++) {
        rd_zero_grad(x);
        for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
            rd_zero_grad(rd_rnn_parameter(rnn, i));
        OK(rd_backward(loss, NULL, k == 0, &err));
        see(&seen[k], "x", rd_grad(x));
        for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
            see(&seen[k], rd_rnn_parameter_name(rnn, i), rd_grad(rd_rnn_parameter(rnn, i)));
    }
    assert_memory_equal(seen[0].hash, seen[1].hash, seen[0].n * sizeof(uint64_t));
    rd_tensor_release(loss);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_rows),
        cmocka_unit_test(test_one_row),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_one_hot_input),
        cmocka_unit_test(test_one_hot_equals_the_same_numbers_as_a_matrix),
        cmocka_unit_test(test_batch_of_one_equals_a_row_of_a_batch),
        cmocka_unit_test(test_without_gradients_the_outputs_are_the_same),
        cmocka_unit_test(test_a_frozen_parameter_leaves_the_others_alone),
        cmocka_unit_test(test_a_graph_can_be_played_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
