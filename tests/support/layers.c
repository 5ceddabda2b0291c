/* layers.c - see layers.h. SPDX-License-Identifier: MIT */
#include "support/layers.h"
#include "rondo/pointmath.h"
#include <stdio.h>
#include <string.h>

/* ---- test_sums -------------------------------------------------------------------------------- */

enum { SUM_S, SUM_C };        /* states */
enum { SUM_A, SUM_DU };       /* saves */
enum { SUM_M, SUM_U, SUM_F }; /* parameters */
enum { WIDTH = 3 };

static rd_status sums_setup(const rd_setup *u, rd_layer_builder *b)
{
    rd_real *f = b->table(b, WIDTH);
    for (int i = 0; f && i < WIDTH; i++) f[i] = (rd_real)(i + 1) / 4;
    const rd_init table = {.kind = RD_INIT_TABLE, .table = f};
    const rd_init uniform = {.kind = RD_INIT_UNIFORM, .a = -1, .b = 1};
    b->output(b, WIDTH + 1);
    b->state(b, RD_NEW(rd_state_decl, .id = SUM_S, .name = "s", .width = WIDTH, .first = 0.5));
    b->state(b, RD_NEW(rd_state_decl, .id = SUM_C, .name = "c", .width = 1));
    b->save(b, RD_NEW(rd_save_decl, .id = SUM_A, .width = WIDTH));
    b->save(b, RD_NEW(rd_save_decl, .id = SUM_DU, .width = WIDTH));
    b->param(b, RD_NEW(rd_param_decl, .id = SUM_M, .name = "m", .rows = WIDTH, .cols = u->in,
                       .da = SUM_A, .v = RD_FROM_INPUT));
    b->param(b, RD_NEW(rd_param_decl, .id = SUM_U, .name = "u", .rows = WIDTH, .da = SUM_DU,
                       .init = uniform));
    b->param(b, RD_NEW(rd_param_decl, .id = SUM_F, .name = "f", .rows = WIDTH, .flags = RD_FROZEN,
                       .init = table));
    return RD_OK;
}

static rd_status sums_plan(const rd_setup *u, uint32_t steps, rd_need *need, char *why, size_t cap)
{
    (void)u, (void)why, (void)cap;
    need->kept_bytes = steps * WIDTH * sizeof(rd_real);
    return RD_OK;
}

/* q = tanh(M x), kept;  s = f s' + u q;  c = c' / 2 + s[1];  y = s, c */
static void sums_forward(const rd_run *r)
{
    const rd_real *u = r->param[SUM_U], *f = r->param[SUM_F];
    rd_real *q = r->kept, *s = r->next[SUM_S], *c = r->next[SUM_C];
    memcpy(s, r->prev[SUM_S], WIDTH * sizeof *s);
    c[0] = r->prev[SUM_C][0];
    for (uint32_t t = 0; t < r->steps; t++, q += WIDTH) {
        rd_real *y = rd_row(r->y, t);
        for (uint32_t i = 0; i < WIDTH; i++) {
            rd_real a = 0;
            for (uint32_t j = 0; j < r->in; j++)
                a = rd_fma(rd_crow(r->x, t)[j], r->param[SUM_M][i * r->in + j], a);
            q[i] = rd_tanh(a);
            s[i] = f[i] * s[i] + u[i] * q[i];
            y[i] = s[i];
        }
        c[0] = c[0] / 2 + s[1];
        y[WIDTH] = c[0];
    }
}

static void sums_backward(const rd_run *r)
{
    const rd_real *u = r->param[SUM_U], *f = r->param[SUM_F];
    rd_real ds[WIDTH], dc = r->dnext[SUM_C][0];
    memcpy(ds, r->dnext[SUM_S], sizeof ds);
    for (uint32_t t = r->steps; t-- > 0;) {
        const rd_real *dy = rd_crow(r->dy, t), *q = (const rd_real *)r->kept + (size_t)t * WIDTH;
        rd_real *da = rd_row(r->save[SUM_A], t);
        dc += dy[WIDTH];
        for (uint32_t i = 0; i < WIDTH; i++) {
            ds[i] += dy[i] + (i == 1 ? dc : 0);
            rd_row(r->save[SUM_DU], t)[i] = ds[i] * q[i];
            da[i] = ds[i] * u[i] * (1 - q[i] * q[i]);
            for (uint32_t j = 0; j < r->in; j++)
                rd_row(r->dx, t)[j] += da[i] * r->param[SUM_M][i * r->in + j];
            ds[i] *= f[i];
        }
        dc /= 2;
    }
    for (uint32_t i = 0; i < WIDTH; i++) r->dprev[SUM_S][i] += ds[i];
    r->dprev[SUM_C][0] += dc;
}

/* ---- the others -------------------------------------------------------------------------------- */

static rd_status mirror_setup(const rd_setup *u, rd_layer_builder *b)
{
    const rd_init uniform = {.kind = RD_INIT_UNIFORM, .a = 0.5, .b = 1};
    b->save(b, RD_NEW(rd_save_decl, .id = 0, .width = u->in));
    b->param(b, RD_NEW(rd_param_decl, .id = 0, .name = "w", .rows = u->in, .init = uniform));
    return RD_OK;
}

static void mirror_forward(const rd_run *r)
{
    for (uint32_t t = 0; t < r->steps; t++)
        for (uint32_t j = 0; j < r->in; j++)
            rd_row(r->y, t)[j] = r->param[0][j] * rd_crow(r->x, r->steps - 1 - t)[j];
}

static void mirror_backward(const rd_run *r)
{
    for (uint32_t t = 0; t < r->steps; t++)
        for (uint32_t j = 0; j < r->in; j++) {
            const uint32_t from = r->steps - 1 - t;
            rd_row(r->save[0], t)[j] = rd_crow(r->dy, t)[j] * rd_crow(r->x, from)[j];
            rd_row(r->dx, from)[j] += rd_crow(r->dy, t)[j] * r->param[0][j];
        }
}

static rd_status plain_setup(const rd_setup *u, rd_layer_builder *b)
{
    (void)u, (void)b;
    return RD_OK;
}

static rd_status short_plan(const rd_setup *u, uint32_t steps, rd_need *need, char *why, size_t cap)
{
    (void)u;
    if (steps == 5) need->kept_bytes = SIZE_MAX;
    if (steps == 3) need->scratch_bytes = SIZE_MAX / 4; /* there is no such memory */
    if (steps == 7) snprintf(why, cap, "takes at most 6 steps, got %u", steps);
    return steps <= 6 ? RD_OK : RD_E_ARG;
}

static void copy_forward(const rd_run *r)
{
    for (uint32_t t = 0; t < r->steps; t++)
        memcpy(rd_row(r->y, t), rd_crow(r->x, t), r->in * sizeof(rd_real));
}

static const rd_layer sums = {.size = sizeof(rd_layer),
                              .revision = 1,
                              .name = "test_sums",
                              .help = "what the template does not use",
                              .option_size = sizeof(rd_option),
                              .setup = sums_setup,
                              .plan = sums_plan,
                              .forward = sums_forward,
                              .backward = sums_backward};
static const rd_layer mirror = {.size = sizeof(rd_layer),
                                .revision = 1,
                                .name = "test_mirror",
                                .help = "a sequence turned round",
                                .option_size = sizeof(rd_option),
                                .flags = RD_LAYER_NOT_CAUSAL,
                                .setup = mirror_setup,
                                .forward = mirror_forward,
                                .backward = mirror_backward};
static const rd_layer forward_only = {.size = sizeof(rd_layer),
                                      .revision = 1,
                                      .name = "test_copy",
                                      .help = "cannot be trained",
                                      .option_size = sizeof(rd_option),
                                      .setup = plain_setup,
                                      .plan = short_plan,
                                      .forward = copy_forward};
static const rd_layer *const list[] = {&sums, &mirror, &forward_only, NULL};
const rd_plugin test_layers_plugin = {.stamp = RD_STAMP,
                                      .size = sizeof(rd_plugin),
                                      .name = "test-layers",
                                      .version = "1.0",
                                      .license = "MIT",
                                      .origin = "tests",
                                      .layers = list};

/* ---- running one ------------------------------------------------------------------------------- */

rd_plugin_layer *layer_make(rd_core *core, const char *name, uint32_t in)
{
    rd_error err;
    rd_plugin_layer *layer = NULL;
    const rd_setting width = {.name = "width", .kind = RD_INT, .value.i = 7};
    const rd_plugin_layer_config config = {.name = name,
                                           .input_size = in,
                                           .settings = &width,
                                           .n_settings = strcmp(name, "template.layer") == 0,
                                           .label = "Layer 'layer 2'",
                                           .seed = 7,
                                           .layer = 3};
    OK(rd_plugin_layer_new(core, &config, &layer, &err));
    return layer;
}

size_t layer_states(const rd_plugin_layer *layer)
{
    size_t n = 0;
    while (rd_plugin_layer_state(layer, n, NULL)) n++;
    return n;
}

size_t layer_parameters(const rd_plugin_layer *layer)
{
    size_t n = 0;
    while (rd_plugin_layer_parameter(layer, n, NULL)) n++;
    return n;
}

uint32_t layer_state_width(const rd_plugin_layer *layer, size_t index)
{
    uint32_t width = 0;
    assert_non_null(rd_plugin_layer_state(layer, index, &width));
    return width;
}

static void add_numbers(layer_result *out, const rd_tensor *t)
{
    const size_t n = rd_tensor_numel(t);
    assert_true(out->n + n <= LAYER_MAX_NUMBERS);
    rd_tensor_read(t, out->number + out->n);
    out->n += n;
}

/* loss += sum(t * weights); takes the weights */
static void weigh(rd_tensor **loss, rd_tensor *t, rd_tensor *weights)
{
    rd_error err;
    rd_tensor *product = NULL, *sum = NULL, *both = NULL;
    OK(rd_apply2(RD_MUL, t, weights, &product, &err));
    OK(rd_sum(product, RD_ALL, false, &sum, &err));
    RELEASE(weights, product);
    if (*loss) {
        OK(rd_apply2(RD_ADD, *loss, sum, &both, &err));
        RELEASE(*loss, sum);
        sum = both;
    }
    *loss = sum;
}

/* What runs in one call; states go in and come out. */
struct piece {
    rd_plugin_layer *layer;
    const layer_form *form;
    rd_tensor *x, *mask, *resets, *weights;
    rd_tensor *state[LAYER_MAX_STATES];
    bool carried; /* there are states */
};

static rd_tensor *steps_of(rd_tensor *t, size_t from, size_t n)
{
    rd_error err;
    rd_tensor *part = NULL;
    if (t) OK(rd_slice(t, 1, from, n, &part, &err));
    return part;
}

static rd_tensor *run_piece(struct piece *p, size_t from, size_t n, rd_tensor **loss)
{
    rd_error err;
    rd_tensor *y = NULL, *final[LAYER_MAX_STATES] = {NULL};
    const size_t states = layer_states(p->layer);
    rd_rnn_input in = {.x = steps_of(p->x, from, n),
                       .states = p->carried ? p->state : NULL,
                       .mask = steps_of(p->mask, from, n),
                       .resets = steps_of(p->resets, from, n)};
    OK(rd_plugin_layer_run(p->layer, &in, &y, final, &err));
    weigh(loss, y, steps_of(p->weights, from, n));
    for (size_t k = 0; k < states; k++) {
        rd_tensor_release(p->state[k]);
        p->state[k] = final[k];
    }
    p->carried = states > 0;
    RELEASE(in.x, in.mask, in.resets);
    return y;
}

static rd_tensor *numbers(rd_core *core, const layer_form *f, const double *values)
{
    return values ? test_tensor(core, SHAPE(f->rows, f->steps), values) : NULL;
}

/* Outputs of all pieces by row and step. */
static void read_outputs(rd_tensor *const *y, size_t n, layer_result *out)
{
    rd_error err;
    rd_tensor *all = NULL;
    OK(rd_concat(y, n, 1, &all, &err));
    add_numbers(out, all);
    rd_tensor_release(all);
}

static rd_tensor *run_pieces(struct piece *p, layer_result *out)
{
    rd_tensor *y[16] = {NULL}, *loss = NULL;
    const layer_form *f = p->form;
    const size_t chunk = f->chunk ? f->chunk : f->steps;
    size_t n = 0;
    for (size_t from = 0; from < f->steps; from += chunk)
        y[n++] = run_piece(p, from, f->steps - from < chunk ? f->steps - from : chunk, &loss);
    out->y = out->n;
    read_outputs(y, n, out);
    test_release(n, y);
    for (size_t k = 0; k < layer_states(p->layer); k++) {
        const size_t width = layer_state_width(p->layer, k);
        rd_core *core = rd_tensor_core(p->x);
        add_numbers(out, p->state[k]);
        weigh(&loss, p->state[k],
              rnn_tensor(core, 40 + (uint32_t)k, RD_DENSE, SHAPE(f->rows, width)));
        rd_tensor_release(p->state[k]);
    }
    return loss;
}

void layer_run(rd_core *core, const char *name, uint32_t in, const layer_form *f, layer_result *out)
{
    rd_error err;
    rd_plugin_layer *layer = layer_make(core, name, in);
    const size_t width = rd_plugin_layer_output_size(layer);
    const size_t states = layer_states(layer);
    rd_tensor *given[LAYER_MAX_STATES] = {NULL};
    struct piece p = {.layer = layer,
                      .form = f,
                      .carried = f->given,
                      .mask = numbers(core, f, f->mask),
                      .resets = numbers(core, f, f->resets)};
    out->n = 0;
    p.x = test_leaf(core, SHAPE(f->rows, f->steps, in), f->dense ? RD_DENSE : RD_SEQUENCE, 3);
    p.weights = rnn_tensor(core, 30, RD_SEQUENCE, SHAPE(f->rows, f->steps, width));
    for (size_t k = 0; k < states && f->given; k++) {
        const size_t n = layer_state_width(layer, k);
        given[k] = test_leaf(core, SHAPE(f->rows, n), RD_DENSE, 20 + (uint32_t)k);
        p.state[k] = rd_tensor_retain(given[k]);
    }
    rd_tensor *loss = run_pieces(&p, out);
    if (f->twice) OK(rd_backward(loss, NULL, true, &err));
    OK(rd_backward(loss, NULL, false, &err));
    out->dx = out->n;
    add_numbers(out, rd_grad(p.x));
    out->dstates = out->n;
    for (size_t k = 0; k < states && f->given; k++) add_numbers(out, rd_grad(given[k]));
    out->dparameters = out->n;
    for (size_t k = 0; k < layer_parameters(layer); k++) {
        rd_tensor *gradient = rd_grad(rd_plugin_layer_parameter(layer, k, NULL));
        if (gradient) add_numbers(out, gradient);
    }
    RELEASE(loss, p.x, p.weights, p.mask, p.resets, given[0], given[1]);
    rd_plugin_layer_release(layer);
}
