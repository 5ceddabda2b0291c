/* test_rnn_lengths.c - rows of unequal length: what does not count is absent.
 *
 * A batch with padding on any side, holes, reversal and rows without a step is compared, byte by byte, with
 * each of its rows run alone; parameter gradients with the steps run one by one on the rows that take part,
 * longest row first (bit contract, rule 6). Over 400 lines: two references written out.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include "base/tensor.h"

#include <math.h>
#include <string.h>

enum { PATTERNS = 5, MAX_ROWS = 40, TIME = 6, MAX_WIDTH = 80, STATES = 4 };

/* A letter counts; rows of length 3, 0, 6, 3, 1. A batch of more rows has them again and again. */
static const char *const trailing[PATTERNS] = {"abc...", "......", "abcdef", "abc...", "a....."};
static const char *const leading[PATTERNS] = {"...abc", "......", "abcdef", "...abc", ".....a"};
static const char *const holes[PATTERNS] = {".a.bc.", "......", "abcdef", "a..b.c", "..a..."};
static const char *const nothing[PATTERNS] = {"......", "......", "......", "......", "......"};
static const char *const all[PATTERNS] = {"abcdef", "abcdef", "abcdef", "abcdef", "abcdef"};

static const rnn_layer layers[] = {
    {"lstm", NULL, NULL, 2, 5, 7},     {"gru", "reset", "before", 1, 5, 7},
    {"vanilla", NULL, NULL, 1, 5, 70}, {"test_odd", NULL, NULL, 2, 3, 4},
    {"mgu", NULL, NULL, 1, 5, 7},      {"indrnn", NULL, NULL, 1, 5, 7},
    {"mingru", NULL, NULL, 1, 5, 7},   {"minlstm", NULL, NULL, 1, 5, 7},
    {"sru", NULL, NULL, 1, 7, 7},      {"mul_lstm", NULL, NULL, 1, 5, 7},
    {"rhn", NULL, NULL, 1, 5, 7},      {"slstm", NULL, NULL, 1, 5, 8},
};
enum { LAYERS = sizeof layers / sizeof layers[0] };

struct way {
    const char *const *pattern;
    bool reverse, one_hot;
    uint32_t threads;
    size_t rows; /* 0: one for each pattern */
};

static size_t rows_of(const struct way *w)
{
    return w->rows ? w->rows : PATTERNS;
}

static bool counts(const struct way *w, size_t row, size_t t)
{
    return w->pattern[row % PATTERNS][t] != '.';
}

static size_t steps_of(const struct way *w, size_t row, size_t step[TIME])
{
    size_t n = 0;
    for (size_t k = 0; k < TIME; k++) {
        const size_t t = w->reverse ? TIME - 1 - k : k;
        if (counts(w, row, t)) step[n++] = t;
    }
    return n;
}

static rd_tensor *mask_of(rd_core *core, const struct way *w)
{
    rd_error err;
    rd_tensor *mask = NULL;
    rd_real values[MAX_ROWS * TIME];
    for (size_t i = 0; i < rows_of(w) * TIME; i++) values[i] = counts(w, i / TIME, i % TIME);
    OK(rd_tensor_new(core, 2, (size_t[]){rows_of(w), TIME}, RD_DENSE, &mask, &err));
    OK(rd_tensor_write(mask, values, &err));
    return mask;
}

/* Values of rows (and steps) of a tensor in logical order. */
static rd_tensor *made_of(rd_core *core, uint32_t ndim, const size_t *shape, const rd_real *values,
                          bool leaf)
{
    rd_error err;
    rd_tensor *t = NULL;
    OK(rd_tensor_new(core, ndim, shape, RD_SEQUENCE, &t, &err));
    OK(rd_tensor_write(t, values, &err));
    if (leaf) OK(rd_set_requires_grad(t, true, &err));
    return t;
}

/* loss += sum(t * weights); takes both */
static void weigh(rd_tensor **loss, rd_tensor *t, rd_tensor *weights)
{
    rd_error err;
    rd_tensor *product = NULL, *sum = NULL, *both = NULL;
    OK(rd_apply2(RD_MUL, t, weights, &product, &err));
    OK(rd_sum(product, RD_ALL, false, &sum, &err));
    RELEASE(t, weights, product);
    if (*loss) {
        OK(rd_apply2(RD_ADD, *loss, sum, &both, &err));
        RELEASE(*loss, sum);
        sum = both;
    }
    *loss = sum;
}

/* All that a run gives and takes, [row][step][width] and [row][width]. */
struct seen {
    size_t rows, time;
    bool stops[STATES]; /* no gradient flows through it */
    rd_real x[MAX_ROWS * TIME * MAX_WIDTH], y[MAX_ROWS * TIME * MAX_WIDTH],
        dx[MAX_ROWS * TIME * MAX_WIDTH];
    rd_real weights[MAX_ROWS * TIME * MAX_WIDTH];
    rd_real first[STATES][MAX_ROWS * MAX_WIDTH], final[STATES][MAX_ROWS * MAX_WIDTH];
    rd_real dfirst[STATES][MAX_ROWS * MAX_WIDTH], dfinal[STATES][MAX_ROWS * MAX_WIDTH];
};

static void play(rd_rnn *rnn, uint32_t in, struct seen *s, const struct way *w, rd_tensor *mask)
{
    rd_error err;
    rd_core *core = rd_tensor_core(rd_rnn_parameter(rnn, 0));
    const size_t n_states = rd_rnn_state_count(rnn), out = rd_rnn_output_size(rnn);
    rd_tensor *first[STATES] = {0}, *final[STATES] = {0}, *y = NULL, *loss = NULL, *x = NULL;
    if (w->one_hot) {
        rd_tensor *ids = made_of(core, 2, (size_t[]){s->rows, s->time}, s->x, false);
        OK(rd_one_hot(ids, in, &x, &err));
        rd_tensor_release(ids);
    } else {
        x = made_of(core, 3, (size_t[]){s->rows, s->time, in}, s->x, true);
    }
    for (size_t k = 0; k < n_states; k++)
        first[k] =
            made_of(core, 2, (size_t[]){s->rows, rd_rnn_state_width(rnn, k)}, s->first[k], true);
    const rd_rnn_input input = {
        .x = x, .states = first, .mask = mask, .reverse = mask && w->reverse};
    OK(rd_rnn_run(rnn, &input, &y, final, &err));
    rd_tensor_read(y, s->y);
    weigh(&loss, y, made_of(core, 3, (size_t[]){s->rows, s->time, out}, s->weights, false));
    for (size_t k = 0; k < n_states; k++) {
        rd_tensor_read(final[k], s->final[k]);
        weigh(&loss, final[k],
              made_of(core, 2, (size_t[]){s->rows, rd_rnn_state_width(rnn, k)}, s->dfinal[k],
                      false));
    }
    OK(rd_backward(loss, NULL, false, &err));
    if (!w->one_hot) rd_tensor_read(rd_grad(x), s->dx);
    for (size_t k = 0; k < n_states; k++) {
        s->stops[k] = !rd_grad(first[k]);
        if (!s->stops[k]) rd_tensor_read(rd_grad(first[k]), s->dfirst[k]);
        rd_tensor_release(first[k]);
    }
    RELEASE(x, loss);
}

static void make_up(struct seen *s, const struct way *w, uint32_t in)
{
    s->rows = rows_of(w);
    s->time = TIME;
    for (size_t i = 0; i < MAX_ROWS * TIME * MAX_WIDTH; i++) {
        s->x[i] = rnn_number(1, i);
        if (w->one_hot) s->x[i] = (rd_real)(int)((s->x[i] + 1) / 2 * (rd_real)(in + 1));
        s->weights[i] = rnn_number(2, i);
    }
    for (size_t k = 0; k < STATES; k++)
        for (size_t i = 0; i < MAX_ROWS * MAX_WIDTH; i++) {
            s->first[k][i] = rnn_number(3 + (uint32_t)k, i);
            s->dfinal[k][i] = rnn_number(7 + (uint32_t)k, i);
        }
}

static void same(const rd_real *a, const rd_real *b, size_t n)
{
    assert_memory_equal(a, b, n * sizeof *a);
}

/* Row `row` of the padded batch against the same steps alone. */
static void check_row(rd_rnn *rnn, const rnn_layer *layer, const struct seen *batch, size_t row,
                      const struct way *w)
{
    static const rd_real zeros[MAX_WIDTH] = {0};
    size_t step[TIME];
    struct seen *own = test_calloc(1, sizeof *own);
    const size_t n = steps_of(w, row, step), in = w->one_hot ? 1 : layer->in;
    const size_t out = rd_rnn_output_size(rnn), n_states = rd_rnn_state_count(rnn);
    own->rows = 1;
    own->time = n;
    for (size_t i = 0; i < n; i++) {
        const size_t at = row * TIME + step[i];
        memcpy(own->x + i * in, batch->x + at * in, in * sizeof *own->x);
        memcpy(own->weights + i * out, batch->weights + at * out, out * sizeof *own->x);
    }
    for (size_t k = 0; k < n_states; k++) {
        const size_t width = rd_rnn_state_width(rnn, k), bytes = width * sizeof *own->x;
        memcpy(own->first[k], batch->first[k] + row * width, bytes);
        memcpy(own->dfinal[k], batch->dfinal[k] + row * width, bytes);
        memcpy(own->final[k], own->first[k], bytes); /* what a row without steps has */
        memcpy(own->dfirst[k], own->dfinal[k], bytes);
    }
    if (n > 0) play(rnn, layer->in, own, w, NULL);
    for (size_t t = 0, i = 0; t < TIME; t++) {
        const size_t at = row * TIME + t;
        const bool here = counts(w, row, t);
        const size_t k = w->reverse ? n - 1 - i : i;
        same(batch->y + at * out, here ? own->y + k * out : zeros, out);
        if (!w->one_hot) same(batch->dx + at * in, here ? own->dx + k * in : zeros, in);
        if (here) i++;
    }
    for (size_t k = 0; k < n_states; k++) {
        const size_t width = rd_rnn_state_width(rnn, k);
        same(batch->final[k] + row * width, own->final[k], width);
        if (!batch->stops[k]) same(batch->dfirst[k] + row * width, own->dfirst[k], width);
    }
    test_free(own);
}

enum { PARAMETERS = 1 << 16 }; /* elements, at most */

/* Gradients of all parameters, one after the other; then they are gone. */
static size_t take_gradients(rd_rnn *rnn, rd_real *to)
{
    size_t n = 0;
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++) {
        rd_tensor *p = rd_rnn_parameter(rnn, i);
        if (rd_grad(p)) rd_tensor_read(rd_grad(p), to + n);
        n += rd_tensor_numel(p);
        rd_zero_grad(p);
    }
    return n;
}

static void check_alone(const struct way *w)
{
    for (size_t i = 0; i < LAYERS; i++) {
        struct seen *batch = test_calloc(1, sizeof *batch);
        rd_real *a = test_calloc(2 * PARAMETERS, sizeof *a), *b = a + PARAMETERS;
        rd_core *core = rnn_core(w->threads, NULL);
        rd_rnn *rnn = rnn_make(core, &layers[i]);
        rd_tensor *mask = mask_of(core, w);
        make_up(batch, w, layers[i].in);
        play(rnn, layers[i].in, batch, w, mask);
        const size_t n = take_gradients(rnn, a);
        for (size_t r = 0; r < batch->rows; r++) check_row(rnn, &layers[i], batch, r, w);
        take_gradients(rnn, b); /* the same sums in another order */
        for (size_t k = 0; k < n; k++)
            assert_true(fabs((double)(a[k] - b[k])) <= 1e-4 * fmax(1, fabs((double)a[k])));
        test_free(a);
        rd_tensor_release(mask);
        rd_rnn_release(rnn);
        assert_int_equal(test_close_core((void **)&core), 0);
        test_free(batch);
    }
}

static void test_trailing_padding(void **state)
{
    (void)state;
    check_alone(&(struct way){.pattern = trailing, .threads = 1});
    check_alone(&(struct way){.pattern = trailing, .threads = 3});
}

static void test_leading_padding(void **state)
{
    (void)state;
    check_alone(&(struct way){.pattern = leading, .threads = 1});
}

static void test_holes(void **state)
{
    (void)state;
    check_alone(&(struct way){.pattern = holes, .threads = 2});
}

static void test_no_step_at_all(void **state)
{
    (void)state;
    check_alone(&(struct way){.pattern = nothing, .threads = 2});
}

static void test_reversed(void **state)
{
    (void)state;
    check_alone(&(struct way){.pattern = all, .reverse = true, .threads = 1});
    check_alone(&(struct way){.pattern = holes, .reverse = true, .threads = 3});
}

static void test_many_rows(void **state)
{
    (void)state;
    check_alone(&(struct way){.pattern = holes, .threads = 3, .rows = MAX_ROWS});
    check_alone(&(struct way){.pattern = trailing, .reverse = true, .threads = 1, .rows = 21});
}

static void test_one_hot_input(void **state)
{
    (void)state;
    check_alone(&(struct way){.pattern = holes, .one_hot = true, .threads = 1});
    check_alone(&(struct way){.pattern = leading, .one_hot = true, .reverse = true, .threads = 2});
}

/* ---- parameter gradients --------------------------------------------------------------------------- */

/* One step of the rows that take part: x and weights gathered, states cut to the prefix. */
static void play_step(rd_rnn *rnn, uint32_t in, const struct seen *s, const struct way *w,
                      const size_t *order, size_t t, rd_tensor **state, rd_tensor **loss)
{
    rd_error err;
    rd_core *core = rd_tensor_core(state[0]);
    const size_t out = rd_rnn_output_size(rnn);
    rd_real x[MAX_ROWS * MAX_WIDTH], weights[MAX_ROWS * MAX_WIDTH];
    rd_tensor *y = NULL, *final[STATES] = {0}, *cut[STATES] = {0};
    size_t n = 0, step[TIME];
    for (size_t i = 0; i < s->rows; i++) {
        if (steps_of(w, order[i], step) <= t) continue;
        const size_t at = order[i] * TIME + step[t];
        memcpy(x + n * in, s->x + at * in, in * sizeof *x);
        memcpy(weights + n++ * out, s->weights + at * out, out * sizeof *x);
    }
    for (size_t k = 0; k < rd_rnn_state_count(rnn); k++) {
        OK(rd_slice(state[k], 0, 0, n, &cut[k], &err));
        rd_tensor_release(state[k]);
    }
    rd_tensor *input = made_of(core, 3, (size_t[]){n, 1, in}, x, false);
    OK(rd_rnn_forward(rnn, input, cut, &y, final, &err));
    weigh(loss, y, made_of(core, 3, (size_t[]){n, 1, out}, weights, false));
    rd_tensor_release(input);
    for (size_t k = 0; k < rd_rnn_state_count(rnn); k++) {
        rd_tensor_release(cut[k]);
        state[k] = final[k];
    }
}

static void play_steps(rd_rnn *rnn, uint32_t in, const struct seen *s, const struct way *w)
{
    rd_error err;
    size_t order[MAX_ROWS], step[TIME], n = 0;
    for (size_t length = TIME + 1; length-- > 0;)
        for (size_t i = 0; i < s->rows; i++)
            if (steps_of(w, i, step) == length) order[n++] = i;
    rd_core *core = rd_tensor_core(rd_rnn_parameter(rnn, 0));
    rd_tensor *state[STATES] = {0}, *loss = NULL;
    for (size_t k = 0; k < rd_rnn_state_count(rnn); k++) {
        const size_t width = rd_rnn_state_width(rnn, k);
        rd_real first[MAX_ROWS * MAX_WIDTH];
        for (size_t i = 0; i < s->rows; i++)
            memcpy(first + i * width, s->first[k] + order[i] * width, width * sizeof *first);
        state[k] = made_of(core, 2, (size_t[]){s->rows, width}, first, true);
    }
    for (size_t t = 0; t < TIME; t++) play_step(rnn, in, s, w, order, t, state, &loss);
    for (size_t k = 0; k < rd_rnn_state_count(rnn); k++) rd_tensor_release(state[k]);
    OK(rd_backward(loss, NULL, false, &err));
    rd_tensor_release(loss);
}

static bool has_vectors(const rd_rnn *rnn)
{
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
        if (rd_tensor_ndim(rd_rnn_parameter(rnn, i)) == 1 &&
            !strstr(rd_rnn_parameter_name(rnn, i), "_b"))
            return true;
    return false;
}

static void check_parameters(const struct way *w)
{
    for (size_t i = 0; i < LAYERS; i++) {
        struct seen *s = test_calloc(1, sizeof *s);
        rd_real *a = test_calloc(2 * PARAMETERS, sizeof *a), *b = a + PARAMETERS;
        rd_core *core = rnn_core(w->threads, NULL);
        rd_rnn *rnn = rnn_make(core, &layers[i]);
        rd_tensor *mask = mask_of(core, w);
        make_up(s, w, layers[i].in);
        memset(s->dfinal, 0, sizeof s->dfinal);
        play(rnn, layers[i].in, s, w, mask);
        const size_t n = take_gradients(rnn, a);
        play_steps(rnn, layers[i].in, s, w);
        take_gradients(rnn, b);
        if (w->rows <= 16 || !has_vectors(rnn)) same(a, b, n); /* other blocks of rows (6b) */
        rd_tensor_release(mask);
        rd_rnn_release(rnn);
        assert_int_equal(test_close_core((void **)&core), 0);
        test_free(a);
        test_free(s);
    }
}

static void test_parameter_gradients_leave_out_what_does_not_count(void **state)
{
    (void)state;
    check_parameters(&(struct way){.pattern = trailing, .threads = 1});
    check_parameters(&(struct way){.pattern = holes, .threads = 3});
    check_parameters(&(struct way){.pattern = leading, .reverse = true, .threads = 2});
    check_parameters(&(struct way){.pattern = holes, .threads = 2, .rows = MAX_ROWS});
}

/* ---- the rest -------------------------------------------------------------------------------------- */

static rd_core *core;

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

static void test_lengths_are_a_mask(void **state)
{
    rd_error err;
    rd_tensor *y[2] = {NULL, NULL};
    (void)state;
    rd_rnn *rnn = rnn_make(core, &layers[0]);
    const struct way w = {.pattern = trailing};
    rd_tensor *x = rnn_tensor(core, 1, RD_DENSE, SHAPE(PATTERNS, TIME, 5)),
              *mask = mask_of(core, &w);
    rd_tensor *lengths = test_tensor(core, SHAPE(PATTERNS), VALUES(3, 0, 6, 3, 1));
    OK(rd_rnn_run(rnn, &(rd_rnn_input){.x = x, .mask = mask}, &y[0], NULL, &err));
    OK(rd_rnn_run(rnn, &(rd_rnn_input){.x = x, .mask = lengths}, &y[1], NULL, &err));
    test_same(y[0], y[1]);
    RELEASE(x, mask, lengths, y[0], y[1]);
    rd_rnn_release(rnn);
}

static void test_the_same_without_gradients(void **state)
{
    rd_error err;
    rd_tensor *y[2] = {NULL, NULL}, *final[2][STATES] = {{0}};
    (void)state;
    rd_rnn *rnn = rnn_make(core, &layers[0]);
    const struct way w = {.pattern = holes};
    rd_tensor *x = rnn_tensor(core, 1, RD_DENSE, SHAPE(PATTERNS, TIME, 5)),
              *mask = mask_of(core, &w);
    const rd_rnn_input in = {.x = x, .mask = mask};
    OK(rd_rnn_run(rnn, &in, &y[0], final[0], &err));
    rd_set_grad_mode(core, false);
    OK(rd_rnn_run(rnn, &in, &y[1], final[1], &err));
    rd_set_grad_mode(core, true);
    test_same(y[0], y[1]);
    for (size_t k = 0; k < rd_rnn_state_count(rnn); k++) {
        test_same(final[0][k], final[1][k]);
        RELEASE(final[0][k], final[1][k]);
    }
    RELEASE(x, mask, y[0], y[1]);
    rd_rnn_release(rnn);
}

static void test_padding_is_not_looked_at(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *loss = NULL;
    (void)state;
    rd_rnn *rnn = rnn_make(core, &layers[0]);
    rd_tensor *mask = test_tensor(core, SHAPE(2, 2), VALUES(1, 0, 0, 1));
    rd_tensor *x = NULL;
    const rd_real nan = (rd_real)NAN;
    rd_real values[2 * 2 * 5] = {0};
    for (size_t i = 5; i < 15; i++) values[i] = nan;
    OK(rd_tensor_new(core, SHAPE(2, 2, 5), RD_DENSE, &x, &err));
    OK(rd_tensor_write(x, values, &err));
    OK(rd_rnn_run(rnn, &(rd_rnn_input){.x = x, .mask = mask}, &y, NULL, &err));
    OK(test_weighted_sum(y, &loss, &err));
    OK(rd_backward(loss, NULL, false, &err));
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++) {
        rd_tensor *sum = NULL;
        rd_real value;
        rd_set_grad_mode(core, false);
        OK(rd_sum(rd_grad(rd_rnn_parameter(rnn, i)), RD_ALL, false, &sum, &err));
        rd_set_grad_mode(core, true);
        rd_tensor_read(sum, &value);
        assert_true(value == value);
        rd_tensor_release(sum);
    }
    RELEASE(x, mask, loss);
    rd_rnn_release(rnn);
}

struct count {
    size_t forward, backward;
};

static void count_forward(void *user, const rd_observed *step)
{
    ((struct count *)user)->forward += step->rows;
}

static void count_backward(void *user, const rd_observed *step)
{
    ((struct count *)user)->backward += step->rows;
}

static void test_padding_is_not_computed(void **state)
{
    rd_error err;
    struct count count = {0};
    const rd_observer observer = {count_forward, count_backward, &count};
    rd_tensor *y = NULL, *loss = NULL;
    (void)state;
    rd_rnn *rnn = rnn_make(core, &layers[0]);
    const struct way w = {.pattern = holes};
    rd_tensor *x = rnn_tensor(core, 1, RD_DENSE, SHAPE(PATTERNS, TIME, 5)),
              *mask = mask_of(core, &w);
    rd_rnn_observe(rnn, &observer);
    OK(rd_rnn_run(rnn, &(rd_rnn_input){.x = x, .mask = mask}, &y, NULL, &err));
    OK(test_weighted_sum(y, &loss, &err));
    OK(rd_backward(loss, NULL, false, &err));
    assert_int_equal(count.forward, 3 + 6 + 3 + 1);
    assert_int_equal(count.backward, 3 + 6 + 3 + 1);
    RELEASE(x, mask, loss);
    rd_rnn_release(rnn);
}

static void refuses(uint32_t ndim, const size_t *shape, const double *values, const char *text)
{
    rd_error err;
    rd_tensor *y = NULL;
    rd_rnn *rnn = rnn_make(core, &layers[0]);
    rd_tensor *x = rnn_tensor(core, 1, RD_DENSE, SHAPE(2, 3, 5));
    rd_tensor *mask = test_tensor(core, ndim, shape, values);
    test_fails(rd_rnn_run(rnn, &(rd_rnn_input){.x = x, .mask = mask}, &y, NULL, &err), &err, text);
    RELEASE(x, mask);
    rd_rnn_release(rnn);
}

static void test_masks_are_checked(void **state)
{
    (void)state;
    refuses(SHAPE(2, 2), VALUES(1, 1, 1, 1),
            "LSTM 'layer 2': expected a mask (2, 3) or lengths (2), got (2, 2)");
    refuses(SHAPE(3), VALUES(1, 1, 1),
            "LSTM 'layer 2': expected a mask (2, 3) or lengths (2), got (3)");
    refuses(SHAPE(2), VALUES(3, 4),
            "LSTM 'layer 2': lengths must be integers 0..3, got 4 in row 2");
    refuses(SHAPE(2, 3), VALUES(1, 0, 1, 1, 0.5, 0),
            "LSTM 'layer 2': a mask holds 0 and 1, or ids, got 0.5 at (2, 2)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trailing_padding),
        cmocka_unit_test(test_leading_padding),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_no_step_at_all),
        cmocka_unit_test(test_reversed),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_one_hot_input),
        cmocka_unit_test(test_parameter_gradients_leave_out_what_does_not_count),
        cmocka_unit_test(test_lengths_are_a_mask),
        cmocka_unit_test(test_the_same_without_gradients),
        cmocka_unit_test(test_padding_is_not_looked_at),
        cmocka_unit_test(test_padding_is_not_computed),
        cmocka_unit_test(test_masks_are_checked),
    };
    return cmocka_run_group_tests(tests, open_core, close_core);
}
