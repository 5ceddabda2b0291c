/* rnn_forms.c - see rnn_forms.h. SPDX-License-Identifier: MIT */
#include "support/rnn_forms.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum { PASSES = 2 };

void rnn_see(rnn_seen *s, const char *name, const rd_tensor *t)
{
    snprintf(s->name[s->n], sizeof s->name[0], "%s", name);
    s->hash[s->n] = 0;
    if (!t) { /* the gradient of what has none */
        s->n++;
        return;
    }
    const size_t n = rd_tensor_numel(t);
    rd_real *values = test_malloc(n * sizeof *values);
    rd_tensor_read(t, values);
    s->hash[s->n++] = XXH3_64bits(values, n * sizeof *values);
    test_free(values);
}

rd_tensor *rnn_ids(rd_core *core, const rnn_form *f)
{
    rd_error err;
    rd_tensor *ids = NULL;
    rd_real values[40 * RNN_MAX_STEPS];
    OK(rd_tensor_new(core, 2, (size_t[]){f->rows, f->steps}, RD_SEQUENCE, &ids, &err));
    for (size_t i = 0; i < f->rows * f->steps; i++)
        values[i] = (rd_real)(int)((rnn_number(11, i) + 1) / 2 * (rd_real)(f->in + 1));
    OK(rd_tensor_write(ids, values, &err));
    return ids;
}

rd_tensor *rnn_piece(rd_tensor *x, const rnn_form *f, size_t from, size_t n)
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
static rd_tensor *run_chunks(rd_rnn *rnn, rd_tensor *x, const rnn_form *f, rd_tensor *const *first,
                             rd_tensor **final)
{
    rd_error err;
    rd_tensor *part[RNN_MAX_STEPS], *y = NULL, *state[RNN_MAX_STATES] = {NULL};
    const size_t chunk = f->chunk ? f->chunk : f->steps, n_states = rd_rnn_state_count(rnn);
    size_t n = 0;
    for (size_t k = 0; k < n_states; k++) state[k] = rd_tensor_retain(first[k]);
    for (size_t t = 0; t < f->steps; t += chunk) {
        const size_t len = f->steps - t < chunk ? f->steps - t : chunk;
        rd_tensor *piece = rnn_piece(x, f, t, len);
        const rd_rnn_input in = {.x = piece,
                                 .states = state,
                                 .training = f->training,
                                 .update = RNN_UPDATE,
                                 .time = (uint32_t)t};
        OK(rd_rnn_run(rnn, &in, &part[n++], final, &err));
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

static void play(rd_rnn *rnn, rd_tensor *x, const rnn_form *f, rd_tensor *const *first,
                 rnn_seen *seen)
{
    rd_error err;
    rd_tensor *final[RNN_MAX_STATES] = {NULL}, *loss = NULL;
    rd_tensor *y = run_chunks(rnn, x, f, first, final);
    if (seen) rnn_see(seen, "y", y);
    OK(test_weighted_sum(y, &loss, &err));
    for (size_t k = 0; k < rd_rnn_state_count(rnn); k++) {
        rd_tensor *part = NULL, *sum = NULL;
        if (seen) rnn_see(seen, "final", final[k]);
        OK(test_weighted_sum(final[k], &part, &err));
        OK(rd_apply2(RD_ADD, loss, part, &sum, &err));
        rd_tensor_release(part);
        rd_tensor_release(loss);
        loss = sum;
    }
    OK(rd_backward(loss, NULL, false, &err));
    rd_tensor_release(loss);
}

static rnn_seen run(const rnn_layer *layer, const rnn_form *f)
{
    rnn_seen seen = {0};
    rd_core *core = rnn_core(f->threads, f->kernels);
    rd_error err;
    if (!core) return seen;
    if (layer->precision) OK(rd_core_set_precision(core, layer->precision, &err));
    rd_rnn *rnn = rnn_make(core, layer);
    rd_tensor *first[RNN_MAX_STATES] = {NULL};
    const size_t n_states = rd_rnn_state_count(rnn);
    rd_tensor *x = f->one_hot ? rnn_ids(core, f)
                              : test_leaf(core, 3, (size_t[]){f->rows, f->steps, layer->in},
                                          f->dense ? RD_DENSE : RD_SEQUENCE, 1);
    for (uint32_t k = 0; k < n_states; k++)
        first[k] =
            test_leaf(core, 2, (size_t[]){f->rows, rd_rnn_state_width(rnn, k)}, RD_DENSE, 2 + k);
    for (int pass = 0; pass < PASSES; pass++) play(rnn, x, f, first, pass == 0 ? &seen : NULL);
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
        rnn_see(&seen, rd_rnn_parameter_name(rnn, i), rd_grad(rd_rnn_parameter(rnn, i)));
    if (!f->one_hot) rnn_see(&seen, "x", rd_grad(x));
    for (size_t k = 0; k < n_states; k++) rnn_see(&seen, "first state", rd_grad(first[k]));
    for (size_t k = 0; k < n_states; k++) rd_tensor_release(first[k]);
    rd_tensor_release(x);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
    return seen;
}

static void compare(const rnn_layer *layer, const rnn_seen *want, const rnn_form *f)
{
    const rnn_seen got = run(layer, f);
    if (got.n == 0) return; /* this processor lacks the backend */
    assert_int_equal(got.n, want->n);
    for (uint32_t i = 0; i < got.n; i++)
        if (got.hash[i] != want->hash[i])
            fail_msg("%s: %s (%u of %u) differs: %zu rows, %zu steps in chunks of %zu, %u threads, "
                     "%s, one-hot %d",
                     layer->cell, want->name[i], i, got.n, f->rows, f->steps, f->chunk, f->threads,
                     f->kernels ? f->kernels : "best kernels", f->one_hot);
}

void rnn_compare_forms(const rnn_layer *layer, size_t rows, size_t steps, bool one_hot)
{
    static const rnn_form forms[] = {
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
    const rnn_form reference = {.rows = rows,
                                .steps = steps,
                                .in = layer->in,
                                .one_hot = one_hot,
                                .training = layer->training,
                                .threads = 1,
                                .kernels = "scalar"};
    const rnn_seen want = run(layer, &reference);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        rnn_form f = forms[i];
        f.rows = rows;
        f.steps = steps;
        f.in = layer->in;
        f.one_hot = one_hot;
        f.training = layer->training;
        compare(layer, &want, &f);
    }
}
