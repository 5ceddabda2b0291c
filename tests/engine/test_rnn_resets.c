/* test_rnn_resets.c - resets inside a sequence: what lies between two of them is a sequence of its own.
 *
 * A batch with resets, holes and padding is compared, byte by byte, with the batch whose rows are what
 * it is cut into, which has lengths and no resets (test_rnn_lengths.c: its rows are those run alone).
 * Over 400 lines: the reference written out.
 * SPDX-License-Identifier: MIT */
#include "support/rnns.h"

#include "base/tensor.h"

#include <string.h>

enum { ROWS = 8, TIME = 8, MAX_PARTS = ROWS * TIME, MAX_WIDTH = 70, STATES = 4 };
enum { PARAMETERS = 1 << 14 }; /* elements, at most */

/* a counts, R counts behind a reset, a point does not count, nor does a colon, where a reset lies. */
static const char *const pattern[ROWS] = {"aaRaaaaa", "RaaaaRRa", "a.:.aa.R", "aaaa:...",
                                          "..:.....", "........", ":.aaRa..", "aaaaaaaa"};

static const rnn_layer layers[] = {
    {"lstm", NULL, NULL, 2, 5, 7},     {"gru", "reset", "before", 1, 5, 7},
    {"vanilla", NULL, NULL, 1, 5, 70}, {"test_odd", NULL, NULL, 2, 3, 4},
    {"slstm", NULL, NULL, 1, 5, 8},    {"test_stop", NULL, NULL, 1, 5, 7},
};
enum { LAYERS = sizeof layers / sizeof layers[0] };

static rd_core *core;

static bool counts(size_t row, size_t t)
{
    return pattern[row][t] == 'a' || pattern[row][t] == 'R';
}

static bool resets(size_t row, size_t t)
{
    return pattern[row][t] == 'R' || pattern[row][t] == ':';
}

/* All that a run takes and gives: [row][time][width] and [row][width]. */
struct batch {
    size_t rows;
    bool one_hot, reverse, with_resets, with_lengths, with_given, with_first;
    double resets[ROWS * TIME], mask[ROWS * TIME], lengths[MAX_PARTS];
    rd_real x[MAX_PARTS * TIME * MAX_WIDTH], weights[MAX_PARTS * TIME * MAX_WIDTH];
    rd_real given[STATES][MAX_PARTS * MAX_WIDTH], first[STATES][MAX_WIDTH];
    rd_real dfinal[STATES][MAX_PARTS * MAX_WIDTH];
    rd_real y[MAX_PARTS * TIME * MAX_WIDTH], dx[MAX_PARTS * TIME * MAX_WIDTH];
    rd_real final[STATES][MAX_PARTS * MAX_WIDTH];
    rd_real dgiven[STATES][MAX_PARTS * MAX_WIDTH], dfirst[STATES][MAX_WIDTH];
};

static rd_tensor *made_of(uint32_t ndim, const size_t *shape, const rd_real *values, bool leaf)
{
    rd_error err;
    rd_tensor *t = NULL;
    OK(rd_tensor_new(core, ndim, shape, RD_SEQUENCE, &t, &err));
    OK(rd_tensor_write(t, values, &err));
    if (leaf) OK(rd_set_requires_grad(t, true, &err));
    return t;
}

static rd_tensor *input_of(const struct batch *b, uint32_t in)
{
    rd_error err;
    rd_tensor *x = NULL;
    if (!b->one_hot) return made_of(3, (size_t[]){b->rows, TIME, in}, b->x, true);
    rd_tensor *ids = made_of(2, (size_t[]){b->rows, TIME}, b->x, false);
    OK(rd_one_hot(ids, in, &x, &err));
    rd_tensor_release(ids);
    return x;
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

static void read_gradient(const rd_tensor *t, rd_real *to)
{
    if (t && rd_grad(t)) rd_tensor_read(rd_grad(t), to);
}

/* The states and first values of a run, and its mask. */
static rd_rnn_input open_input(const rd_rnn *rnn, const struct batch *b, rd_tensor **given,
                               rd_tensor **first)
{
    rd_rnn_input input = {.reverse = b->reverse};
    for (size_t k = 0; k < rd_rnn_state_count(rnn); k++) {
        const size_t width = rd_rnn_state_width(rnn, k);
        if (b->with_given) given[k] = made_of(2, (size_t[]){b->rows, width}, b->given[k], true);
        if (b->with_first) first[k] = made_of(1, (size_t[]){width}, b->first[k], true);
    }
    if (b->with_given) input.states = given;
    if (b->with_first) input.first = first;
    if (b->with_lengths) input.mask = test_tensor(core, SHAPE(b->rows), b->lengths);
    if (b->with_resets) {
        input.resets = test_tensor(core, SHAPE(b->rows, TIME), b->resets);
        input.mask = test_tensor(core, SHAPE(b->rows, TIME), b->mask);
    }
    return input;
}

static void play(rd_rnn *rnn, uint32_t in, struct batch *b)
{
    rd_error err;
    const size_t n_states = rd_rnn_state_count(rnn), out = rd_rnn_output_size(rnn);
    rd_tensor *given[STATES] = {0}, *first[STATES] = {0}, *final[STATES] = {0};
    rd_tensor *y = NULL, *loss = NULL;
    rd_rnn_input input = open_input(rnn, b, given, first);
    input.x = input_of(b, in);
    OK(rd_rnn_run(rnn, &input, &y, final, &err));
    rd_tensor_read(y, b->y);
    weigh(&loss, y, made_of(3, (size_t[]){b->rows, TIME, out}, b->weights, false));
    for (size_t k = 0; k < n_states; k++) {
        const size_t width = rd_rnn_state_width(rnn, k);
        rd_tensor_read(final[k], b->final[k]);
        weigh(&loss, final[k], made_of(2, (size_t[]){b->rows, width}, b->dfinal[k], false));
    }
    OK(rd_backward(loss, NULL, false, &err));
    read_gradient(b->one_hot ? NULL : input.x, b->dx);
    for (size_t k = 0; k < n_states; k++) {
        read_gradient(given[k], b->dgiven[k]);
        read_gradient(first[k], b->dfirst[k]);
        RELEASE(given[k], first[k]);
    }
    RELEASE(input.x, input.mask, input.resets, loss);
}

/* ---- what a batch is cut into ------------------------------------------------------------------------ */

struct part {
    size_t row, n, step[TIME];
    bool anew;
};

/* The parts of all rows that have a step; end[row]: the one that ends it, or -1 where its last state is
 * that given, -2 where it is the first values. */
static size_t cut(bool reverse, struct part *part, int *end)
{
    size_t n = 0;
    for (size_t row = 0; row < ROWS; row++) {
        bool open = false, anew = false;
        end[row] = -1;
        for (size_t k = 0; k < TIME; k++) {
            const size_t t = reverse ? TIME - 1 - k : k;
            if (reverse ? k > 0 && resets(row, t + 1) : resets(row, t)) {
                open = false;
                anew = true;
                if (!reverse) end[row] = -2;
            }
            if (!counts(row, t)) continue;
            if (!open) part[n++] = (struct part){.row = row, .anew = anew};
            open = true;
            part[n - 1].step[part[n - 1].n++] = t;
            end[row] = (int)n - 1;
        }
    }
    return n;
}

static void make_up(struct batch *b, uint32_t in)
{
    b->rows = ROWS;
    for (size_t i = 0; i < (size_t)ROWS * TIME; i++) {
        b->resets[i] = resets(i / TIME, i % TIME);
        b->mask[i] = counts(i / TIME, i % TIME);
    }
    for (size_t i = 0; i < (size_t)ROWS * TIME * MAX_WIDTH; i++) {
        b->x[i] = rnn_number(1, i);
        if (b->one_hot) b->x[i] = (rd_real)(int)((b->x[i] + 1) / 2 * (rd_real)(in + 1));
        b->weights[i] = rnn_number(2, i);
    }
    for (size_t k = 0; k < STATES; k++)
        for (size_t i = 0; i < (size_t)ROWS * MAX_WIDTH; i++) {
            b->given[k][i] = rnn_number(3 + (uint32_t)k, i);
            b->dfinal[k][i] = rnn_number(7 + (uint32_t)k, i);
            if (i < MAX_WIDTH) b->first[k][i] = rnn_number(11 + (uint32_t)k, i);
        }
}

/* The batch of the parts alone: the same numbers, moved. */
static void make_parts(const rd_rnn *rnn, uint32_t in, const struct batch *b, struct batch *alone,
                       const struct part *part, const int *end)
{
    const size_t width = b->one_hot ? 1 : in, out = rd_rnn_output_size(rnn);
    alone->one_hot = b->one_hot;
    alone->with_lengths = alone->with_given = true;
    for (size_t i = 0; i < alone->rows; i++) {
        alone->lengths[i] = (double)part[i].n;
        for (size_t t = 0; t < part[i].n; t++) {
            const size_t from = part[i].row * TIME + part[i].step[t], to = i * TIME + t;
            memcpy(alone->x + to * width, b->x + from * width, width * sizeof *b->x);
            memcpy(alone->weights + to * out, b->weights + from * out, out * sizeof *b->x);
        }
        for (size_t k = 0; k < rd_rnn_state_count(rnn); k++) {
            const size_t n = rd_rnn_state_width(rnn, k);
            const rd_real *from = part[i].anew ? b->first[k] : b->given[k] + part[i].row * n;
            memcpy(alone->given[k] + i * n, from, n * sizeof *from);
            if (end[part[i].row] == (int)i)
                memcpy(alone->dfinal[k] + i * n, b->dfinal[k] + part[i].row * n, n * sizeof *from);
        }
    }
}

/* ---- comparing ------------------------------------------------------------------------------------- */

static void same(const rd_real *a, const rd_real *b, size_t n)
{
    assert_memory_equal(a, b, n * sizeof *a);
}

static void compare_steps(const struct batch *b, const struct batch *alone, const struct part *part,
                          size_t width, size_t out)
{
    static const rd_real zeros[MAX_WIDTH] = {0};
    bool seen[ROWS * TIME] = {false};
    for (size_t i = 0; i < alone->rows; i++)
        for (size_t t = 0; t < part[i].n; t++) {
            const size_t at = part[i].row * TIME + part[i].step[t], own = i * TIME + t;
            same(b->y + at * out, alone->y + own * out, out);
            if (!b->one_hot) same(b->dx + at * width, alone->dx + own * width, width);
            seen[at] = true;
        }
    for (size_t at = 0; at < (size_t)ROWS * TIME; at++) {
        if (seen[at]) continue;
        same(b->y + at * out, zeros, out);
        if (!b->one_hot) same(b->dx + at * width, zeros, width);
    }
}

/* State k: the last values, and the gradients of what was given. */
static void compare_state(const struct batch *b, const struct batch *alone, const struct part *part,
                          const int *end, uint32_t k, size_t n)
{
    rd_real dgiven[ROWS * MAX_WIDTH] = {0};
    for (size_t row = 0; row < ROWS; row++) {
        const rd_real *last = end[row] == -1   ? b->given[k] + row * n
                              : end[row] == -2 ? b->first[k]
                                               : alone->final[k] + (size_t)end[row] * n;
        same(b->final[k] + row * n, last, n);
        if (end[row] == -1) memcpy(dgiven + row * n, b->dfinal[k] + row * n, n * sizeof *dgiven);
    }
    for (size_t i = 0; i < alone->rows; i++)
        if (!part[i].anew)
            memcpy(dgiven + part[i].row * n, alone->dgiven[k] + i * n, n * sizeof *dgiven);
    same(b->dgiven[k], dgiven, ROWS * n);
}

/* First values: a sum over the rows that began with them, from the shortest to the longest, the last of
 * equal ones first. Rows that end with them have no step: they are the shortest. */
static void compare_first(const struct batch *b, const struct batch *alone, const struct part *part,
                          const int *end, uint32_t k, size_t n)
{
    rd_real sum[MAX_WIDTH] = {0};
    for (size_t row = ROWS; row-- > 0;)
        for (size_t j = 0; end[row] == -2 && j < n; j++) sum[j] += b->dfinal[k][row * n + j];
    for (size_t length = 1; length <= TIME; length++)
        for (size_t i = alone->rows; i-- > 0;)
            for (size_t j = 0; part[i].anew && part[i].n == length && j < n; j++)
                sum[j] += alone->dgiven[k][i * n + j];
    same(b->dfirst[k], sum, n);
}

/* Gradients of all parameters, one after the other; then they are gone. */
static size_t take_gradients(rd_rnn *rnn, rd_real *to)
{
    size_t n = 0;
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++) {
        rd_tensor *p = rd_rnn_parameter(rnn, i);
        assert_true(n + rd_tensor_numel(p) <= PARAMETERS);
        rd_tensor_read(rd_grad(p), to + n);
        rd_zero_grad(p);
        n += rd_tensor_numel(p);
    }
    return n;
}

static bool has_vectors(const rd_rnn *rnn)
{
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++)
        if (rd_tensor_ndim(rd_rnn_parameter(rnn, i)) == 1 &&
            !strstr(rd_rnn_parameter_name(rnn, i), "_b"))
            return true;
    return false;
}

static void check_layer(const rnn_layer *layer, struct batch *b)
{
    struct part part[MAX_PARTS] = {0};
    int end[ROWS];
    struct batch *alone = test_calloc(1, sizeof *alone);
    rd_real *a = test_calloc(2 * PARAMETERS, sizeof *a), *c = a + PARAMETERS;
    rd_rnn *rnn = rnn_make(core, layer);
    make_up(b, layer->in);
    alone->rows = cut(b->reverse, part, end);
    make_parts(rnn, layer->in, b, alone, part, end);
    play(rnn, layer->in, b);
    const size_t n = take_gradients(rnn, a);
    play(rnn, layer->in, alone);
    take_gradients(rnn, c);
    /* vectors are summed in blocks of rows (rule 6b), and rows without a step are rows */
    if (!has_vectors(rnn)) same(a, c, n);
    compare_steps(b, alone, part, layer->in, rd_rnn_output_size(rnn));
    for (uint32_t k = 0; k < rd_rnn_state_count(rnn); k++) {
        if (rd_rnn_state_stops(rnn, k)) continue;
        compare_state(b, alone, part, end, k, rd_rnn_state_width(rnn, k));
        compare_first(b, alone, part, end, k, rd_rnn_state_width(rnn, k));
    }
    rd_rnn_release(rnn);
    test_free(a);
    test_free(alone);
}

static void check(uint32_t threads, bool reverse, bool one_hot)
{
    for (size_t i = 0; i < LAYERS; i++) {
        struct batch *b = test_calloc(1, sizeof *b);
        core = rnn_core(threads, NULL);
        b->reverse = reverse;
        b->one_hot = one_hot;
        b->with_resets = b->with_given = b->with_first = true;
        check_layer(&layers[i], b);
        assert_int_equal(test_close_core((void **)&core), 0);
        test_free(b);
    }
}

static void test_what_lies_between_resets_is_a_sequence_alone(void **state)
{
    (void)state;
    check(1, false, false);
    check(3, false, false);
}

static void test_reversed(void **state)
{
    (void)state;
    check(2, true, false);
}

static void test_one_hot_input(void **state)
{
    (void)state;
    check(1, false, true);
    check(3, true, true);
}

/* One layer with one form of the core; the gradients of its parameters into `to`. */
static size_t play_with(uint32_t threads, const char *kernels, const rnn_layer *layer,
                        struct batch *b, rd_real *to)
{
    core = rnn_core(threads, kernels);
    rd_rnn *rnn = rnn_make(core, layer);
    b->with_resets = b->with_given = b->with_first = true;
    make_up(b, layer->in);
    play(rnn, layer->in, b);
    const size_t n = take_gradients(rnn, to);
    rd_rnn_release(rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
    return n;
}

static void test_the_same_bits_for_any_threads_and_kernels(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYERS; i++) {
        struct batch *b = test_calloc(2, sizeof *b);
        rd_real *a = test_calloc(2 * PARAMETERS, sizeof *a);
        const size_t n = play_with(1, "scalar", &layers[i], &b[0], a);
        play_with(3, NULL, &layers[i], &b[1], a + PARAMETERS);
        same(a, a + PARAMETERS, n);
        assert_memory_equal(&b[0], &b[1], sizeof *b);
        test_free(a);
        test_free(b);
    }
}

/* ---- the rest -------------------------------------------------------------------------------------- */

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

static void release_states(rd_tensor **s)
{
    test_release(STATES, s);
    memset(s, 0, STATES * sizeof *s);
}

/* States after TIME steps at once, and after TIME calls with one step each. */
static void test_step_by_step_has_the_same_states(void **state)
{
    rd_error err;
    rd_tensor *y = NULL, *whole[STATES] = {0}, *before[STATES] = {0}, *after[STATES] = {0};
    struct batch *b = test_calloc(1, sizeof *b);
    (void)state;
    rd_set_grad_mode(core, false);
    rd_rnn *rnn = rnn_make(core, &layers[0]);
    make_up(b, layers[0].in);
    rd_tensor *x = made_of(3, (size_t[]){ROWS, TIME, layers[0].in}, b->x, false);
    rd_tensor *mask = test_tensor(core, SHAPE(ROWS, TIME), b->mask);
    rd_tensor *borders = test_tensor(core, SHAPE(ROWS, TIME), b->resets);
    rd_rnn_input in = {.x = x, .mask = mask, .resets = borders};
    OK(rd_rnn_run(rnn, &in, &y, whole, &err));
    for (size_t t = 0; t < TIME; t++) {
        rd_tensor *step = NULL;
        in = (rd_rnn_input){.states = t > 0 ? before : NULL};
        OK(rd_slice(x, 1, t, 1, &in.x, &err));
        OK(rd_slice(mask, 1, t, 1, &in.mask, &err));
        OK(rd_slice(borders, 1, t, 1, &in.resets, &err));
        OK(rd_rnn_run(rnn, &in, &step, after, &err));
        RELEASE(in.x, in.mask, in.resets, step);
        release_states(before);
        memcpy(before, after, sizeof before);
    }
    for (size_t k = 0; k < rd_rnn_state_count(rnn); k++) test_same(whole[k], before[k]);
    release_states(whole);
    release_states(before);
    RELEASE(x, mask, borders, y);
    rd_rnn_release(rnn);
    rd_set_grad_mode(core, true);
    test_free(b);
}

/* Without a list the output is a view of the states, which lie in sequence order. */
static void test_zeros_alone_are_no_resets(void **state)
{
    rd_error err;
    rd_tensor *y[2] = {NULL, NULL};
    (void)state;
    rd_rnn *rnn = rnn_make(core, &layers[0]);
    rd_tensor *x = rnn_tensor(core, 1, RD_DENSE, SHAPE(ROWS, TIME, 5));
    rd_tensor *borders = test_tensor(core, SHAPE(ROWS, TIME), (double[ROWS * TIME]){0});
    OK(rd_rnn_run(rnn, &(rd_rnn_input){.x = x}, &y[0], NULL, &err));
    OK(rd_rnn_run(rnn, &(rd_rnn_input){.x = x, .resets = borders}, &y[1], NULL, &err));
    test_same(y[0], y[1]);
    assert_int_equal(rd_tensor_bytes(y[0]),
                     rd_tensor_bytes(y[1])); /* with the slot before the first step */
    RELEASE(x, borders, y[0], y[1]);
    rd_rnn_release(rnn);
}

struct count {
    size_t rows;
};

static void count_rows(void *user, const rd_observed *step)
{
    ((struct count *)user)->rows += step->rows;
}

static void test_nothing_is_computed_twice(void **state)
{
    rd_error err;
    struct count count = {0};
    const rd_observer observer = {count_rows, count_rows, &count};
    rd_tensor *y = NULL, *loss = NULL;
    struct batch *b = test_calloc(1, sizeof *b);
    (void)state;
    make_up(b, layers[0].in);
    rd_rnn *rnn = rnn_make(core, &layers[0]);
    rd_tensor *x = rnn_tensor(core, 1, RD_DENSE, SHAPE(ROWS, TIME, 5));
    rd_tensor *borders = test_tensor(core, SHAPE(ROWS, TIME), b->resets);
    rd_rnn_observe(rnn, &observer);
    OK(rd_rnn_run(rnn, &(rd_rnn_input){.x = x, .resets = borders}, &y, NULL, &err));
    assert_int_equal(count.rows, ROWS * TIME);
    OK(test_weighted_sum(y, &loss, &err));
    OK(rd_backward(loss, NULL, false, &err));
    assert_int_equal(count.rows, 2 * ROWS * TIME);
    RELEASE(x, borders, loss);
    rd_rnn_release(rnn);
    test_free(b);
}

/* A long row beside many short ones: what is kept grows with the steps, not with rows times steps. */
static void test_memory_is_that_of_the_steps(void **state)
{
    enum { LONG = 64, WIDE = 16 };
    rd_error err;
    rd_tensor *y = NULL;
    double border[WIDE * LONG];
    (void)state;
    for (size_t i = 0; i < WIDE * LONG; i++) border[i] = i >= LONG;
    rd_rnn *rnn = rnn_make(core, &layers[0]);
    rd_tensor *x = rnn_tensor(core, 1, RD_SEQUENCE, SHAPE(WIDE, LONG, 5));
    OK(rd_rnn_run(rnn, &(rd_rnn_input){.x = x}, &y, NULL, &err));
    const size_t plain = rd_core_memory(core).live_bytes;
    RELEASE(y);
    rd_tensor *borders = test_tensor(core, SHAPE(WIDE, LONG), border);
    OK(rd_rnn_run(rnn, &(rd_rnn_input){.x = x, .resets = borders}, &y, NULL, &err));
    assert_true(rd_core_memory(core).live_bytes < 2 * plain);
    RELEASE(y, x, borders);
    rd_rnn_release(rnn);
}

static void refuses(const rd_rnn_input *given, const char *text)
{
    rd_error err;
    rd_tensor *y = NULL;
    rd_rnn *rnn = rnn_make(core, &layers[0]);
    rd_rnn_input in = *given;
    in.x = rnn_tensor(core, 1, RD_DENSE, SHAPE(2, 3, 5));
    test_fails(rd_rnn_run(rnn, &in, &y, NULL, &err), &err, text);
    RELEASE(in.x, in.resets);
    rd_rnn_release(rnn);
}

static void test_resets_are_checked(void **state)
{
    (void)state;
    refuses(&(rd_rnn_input){.resets = test_tensor(core, SHAPE(2, 2), VALUES(1, 1, 1, 1))},
            "LSTM 'layer 2': expected resets (2, 3), got (2, 2)");
    refuses(&(rd_rnn_input){.resets = test_tensor(core, SHAPE(2), VALUES(1, 1))},
            "LSTM 'layer 2': expected resets (2, 3), got (2)");
    refuses(&(rd_rnn_input){.resets = test_tensor(core, SHAPE(2, 3), VALUES(0, 1, 0, 0, 2, 0))},
            "LSTM 'layer 2': resets hold 0 and 1, got 2 at (2, 2)");
}

static void test_first_values_are_checked(void **state)
{
    (void)state;
    rd_tensor *first[2] = {NULL, test_tensor(core, SHAPE(1, 7), (double[7]){0})};
    refuses(&(rd_rnn_input){.first = first},
            "LSTM 'layer 2': expected first values (7) of state 'c', got (1, 7)");
    rd_tensor_release(first[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_lies_between_resets_is_a_sequence_alone),
        cmocka_unit_test(test_reversed),
        cmocka_unit_test(test_one_hot_input),
        cmocka_unit_test(test_the_same_bits_for_any_threads_and_kernels),
        cmocka_unit_test_setup_teardown(test_step_by_step_has_the_same_states, open_core,
                                        close_core),
        cmocka_unit_test_setup_teardown(test_zeros_alone_are_no_resets, open_core, close_core),
        cmocka_unit_test_setup_teardown(test_nothing_is_computed_twice, open_core, close_core),
        cmocka_unit_test_setup_teardown(test_memory_is_that_of_the_steps, open_core, close_core),
        cmocka_unit_test_setup_teardown(test_resets_are_checked, open_core, close_core),
        cmocka_unit_test_setup_teardown(test_first_values_are_checked, open_core, close_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
