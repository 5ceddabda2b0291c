/* rnns.c - see rnns.h. SPDX-License-Identifier: MIT */
#include "support/layers.h"

#include "engine/rnn.h"
#include "rondo/pointmath.h"

/* ---- cells ------------------------------------------------------------------------------------- */

enum { S_H, S_M };
enum { T_Q, T_P };
enum { L_A, L_B, L_K, L_C };
enum { V_U, V_G };
enum { M_WIDTH = 2 };

static rd_status odd_layout(const rd_setup *u, rd_builder *b)
{
    const uint32_t h = u->hidden, bias = RD_BIAS_X | RD_BIAS_REC;
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = h));
    b->state(b, RD_NEW(rd_state_decl, .id = S_M, .name = "m", .width = M_WIDTH, .first = 0.25));
    b->temp(b, RD_NEW(rd_temp_decl, .id = T_Q, .name = "q", .width = h, .phase = 0));
    b->temp(b, RD_NEW(rd_temp_decl, .id = T_P, .name = "p", .width = h + 1, .phase = 1));
    b->line(b, RD_NEW(rd_line_decl, .id = L_A, .name = "a", .width = h, .phase = 0,
                      .flags = RD_FROM_X | bias, .states = RD_BIT(S_H)));
    b->line(b, RD_NEW(rd_line_decl, .id = L_B, .name = "b", .width = h + 1, .phase = 1,
                      .flags = RD_FROM_X | RD_BIAS_X, .states = RD_BIT(S_M), .temps = RD_BIT(T_Q)));
    b->line(b, RD_NEW(rd_line_decl, .id = L_K, .name = "k", .width = h, .phase = 2,
                      .flags = RD_BIAS_REC, .states = RD_BIT(S_H),
                      .temps = RD_BIT(T_Q) | RD_BIT(T_P)));
    b->line(b, RD_NEW(rd_line_decl, .id = L_C, .name = "c", .width = M_WIDTH, .phase = 2,
                      .flags = RD_FROM_X | bias, .states = RD_BIT(S_M)));
    b->vec(b, RD_NEW(rd_vec_decl, .id = V_U, .name = "u", .width = h,
                     .init = {.kind = RD_INIT_UNIFORM, .a = 0.5, .b = 1.5}));
    b->vec(b, RD_NEW(rd_vec_decl, .id = V_G, .name = "g", .width = h + 1,
                     .init = {.kind = RD_INIT_CONST, .a = 0.75}));
    b->save(b, RD_NEW(rd_save_decl, .id = 0, .width = h));
    return RD_OK;
}

/* q = u tanh(a);  p = g sigmoid(b);  h' = tanh(k) + u x;  m' = tanh(c) + m / 2 */
static void odd_forward(const rd_step *s)
{
    const rd_real *u = s->vec[V_U], *g = s->vec[V_G];
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *a = rd_row(s->line[L_A], r), *b = rd_row(s->line[L_B], r);
        rd_real *k = rd_row(s->line[L_K], r), *c = rd_row(s->line[L_C], r);
        const rd_real *x = rd_crow(s->x, r), *m = rd_crow(s->prev[S_M], r);
        for (uint32_t j = 0; s->phase == 0 && j < s->hidden; j++) {
            rd_row(s->save[0], r)[j] = a[j];
            rd_row(s->temp[T_Q], r)[j] = u[j] * rd_tanh(a[j]);
        }
        for (uint32_t j = 0; s->phase == 1 && j <= s->hidden; j++) {
            b[j] = rd_sigmoid(b[j]);
            rd_row(s->temp[T_P], r)[j] = g[j] * b[j];
        }
        for (uint32_t j = 0; s->phase == 2 && j < s->hidden; j++) {
            k[j] = rd_tanh(k[j]);
            rd_row(s->next[S_H], r)[j] = k[j] + u[j] * x[j % s->in];
        }
        for (uint32_t j = 0; s->phase == 2 && j < M_WIDTH; j++) {
            c[j] = rd_tanh(c[j]);
            rd_row(s->next[S_M], r)[j] = c[j] + m[j] / 2;
        }
    }
}

static void odd_back_last(const rd_step *s, uint32_t r)
{
    const rd_real *dh = rd_crow(s->dnext[S_H], r), *dm = rd_crow(s->dnext[S_M], r);
    const rd_real *x = rd_crow(s->x, r);
    rd_real *k = rd_row(s->line[L_K], r), *c = rd_row(s->line[L_C], r);
    for (uint32_t j = 0; j < s->hidden; j++) {
        k[j] = dh[j] * (1 - k[j] * k[j]);
        s->dvec[V_U][j] += dh[j] * x[j % s->in];
        if (s->dx.at) rd_row(s->dx, r)[j % s->in] += dh[j] * s->vec[V_U][j];
    }
    for (uint32_t j = 0; j < M_WIDTH; j++) {
        c[j] = dm[j] * (1 - c[j] * c[j]);
        rd_row(s->dprev[S_M], r)[j] += dm[j] / 2;
    }
}

static void odd_backward(const rd_step *s)
{
    const rd_real *u = s->vec[V_U], *g = s->vec[V_G];
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *a = rd_row(s->line[L_A], r), *b = rd_row(s->line[L_B], r);
        if (s->phase == 2) odd_back_last(s, r);
        for (uint32_t j = 0; s->phase == 1 && j <= s->hidden; j++) {
            const rd_real dp = rd_row(s->dtemp[T_P], r)[j];
            s->dvec[V_G][j] += dp * b[j];
            b[j] = dp * g[j] * b[j] * (1 - b[j]);
        }
        for (uint32_t j = 0; s->phase == 0 && j < s->hidden; j++) {
            const rd_real dq = rd_row(s->dtemp[T_Q], r)[j];
            const rd_real t = rd_tanh(rd_row(s->save[0], r)[j]);
            s->dvec[V_U][j] += dq * t;
            a[j] = dq * u[j] * (1 - t * t);
        }
    }
}

static rd_status stop_layout(const rd_setup *u, rd_builder *b)
{
    b->state(b, RD_NEW(rd_state_decl, .id = 0, .name = "h", .width = u->hidden));
    b->state(b, RD_NEW(rd_state_decl, .id = 1, .name = "s", .width = u->hidden,
                       .flags = RD_STATE_STOP));
    b->line(b, RD_NEW(rd_line_decl, .id = 0, .name = "a", .width = u->hidden, .flags = RD_FROM_X,
                      .states = RD_BIT(0) | RD_BIT(1)));
    return RD_OK;
}

/* h' = a;  s' = a, without gradient */
static void stop_forward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t j = 0; j < s->hidden; j++)
            rd_row(s->next[0], r)[j] = rd_row(s->next[1], r)[j] = rd_row(s->line[0], r)[j];
}

static void stop_backward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t j = 0; j < s->hidden; j++)
            rd_row(s->line[0], r)[j] = rd_crow(s->dnext[0], r)[j] + rd_crow(s->dnext[1], r)[j];
}

static const rd_cell odd = {.size = sizeof(rd_cell),
                            .revision = 1,
                            .name = "test_odd",
                            .help = "all that other cells do not use",
                            .flags = RD_CELL_READS_X,
                            .option_size = sizeof(rd_option),
                            .layout = odd_layout,
                            .forward = odd_forward,
                            .backward = odd_backward};
static const rd_cell stop = {.size = sizeof(rd_cell),
                             .revision = 1,
                             .name = "test_stop",
                             .help = "a state without gradient",
                             .option_size = sizeof(rd_option),
                             .layout = stop_layout,
                             .forward = stop_forward,
                             .backward = stop_backward};
static const rd_cell forward_only = {.size = sizeof(rd_cell),
                                     .revision = 1,
                                     .name = "test_forward",
                                     .help = "cannot be trained",
                                     .option_size = sizeof(rd_option),
                                     .layout = stop_layout,
                                     .forward = stop_forward};
static const rd_cell *const cells[] = {&odd, &stop, &forward_only, NULL};
static const rd_plugin plugin = {.stamp = RD_STAMP,
                                 .size = sizeof(rd_plugin),
                                 .name = "test-cells",
                                 .version = "1.0",
                                 .license = "MIT",
                                 .origin = "tests",
                                 .cells = cells};
extern const rd_plugin *const rdc_linked_plugins[];
const rd_plugin *const rdc_linked_plugins[] = {&plugin, &test_layers_plugin, &test_template_layer,
                                               NULL};

/* ---- the rest ---------------------------------------------------------------------------------- */

rd_core *rnn_core(uint32_t threads, const char *kernels)
{
    const rd_core_options options = {
        .threads = threads, .kernels = kernels, .lib_dir = RD_TEST_LIB_DIR, .trust_plugins = true};
    rd_core *core = NULL;
    rd_error err = {0};
    const rd_status status = rd_core_open(&options, &core, &err);
    if (!kernels) test_ok(status, &err);
    return status == RD_OK ? core : NULL;
}

rd_real rnn_number(uint32_t seed, size_t index)
{
    uint32_t u = seed * 2654435761u + (uint32_t)index * 40503u + 1;
    for (int i = 0; i < 3; i++) u = (u ^ u >> 15) * 2246822519u + 1013904223u;
    return (rd_real)((double)(u >> 8) * 0x1p-23 - 1);
}

rd_tensor *rnn_tensor(rd_core *core, uint32_t seed, rd_order order, uint32_t ndim,
                      const size_t *shape)
{
    rd_tensor *t = NULL;
    rd_error err;
    test_ok(rd_tensor_new(core, ndim, shape, order, &t, &err), &err);
    const size_t n = rd_tensor_numel(t);
    rd_real *values = test_calloc(n, sizeof *values);
    for (size_t i = 0; i < n; i++) values[i] = rnn_number(seed, i);
    test_ok(rd_tensor_write(t, values, &err), &err);
    test_free(values);
    return t;
}

void rnn_set(rd_tensor *t, const rd_real *values)
{
    rd_error err;
    const bool before = rd_set_grad_mode(rd_tensor_core(t), false);
    test_ok(rd_tensor_write(t, values, &err), &err);
    rd_set_grad_mode(rd_tensor_core(t), before);
}

bool rnn_has_recurrent_matrix(const rd_rnn *rnn)
{
    const rdc_layout *l = rnn->layout;
    for (uint32_t r = 0; r < l->n_runs; r++)
        if (l->run[r].source != RDC_SOURCE_X && !l->run[r].frozen) return true;
    return false;
}

/* The same layer with its regularisers. */
static void add_noise(rd_core *core, rd_rnn_config config, const rnn_layer *layer, rd_rnn **rnn)
{
    rd_error err;
    const rd_zoneout zoneout = {.share = layer->zoneout};
    const bool recurrent = rnn_has_recurrent_matrix(*rnn);
    rd_rnn_release(*rnn);
    config.input_dropout = layer->input_dropout;
    config.recurrent_dropout = recurrent ? layer->recurrent_dropout : 0;
    config.weight_drop = recurrent ? layer->weight_drop : 0;
    config.zoneout = &zoneout;
    config.n_zoneout = 1;
    test_ok(rd_rnn_new(core, &config, rnn, &err), &err);
}

rd_rnn *rnn_make(rd_core *core, const rnn_layer *layer)
{
    rd_rnn *rnn = NULL;
    rd_error err;
    const rd_setting setting = {.name = layer->option, .kind = RD_CHOICE, .text = layer->choice};
    const rd_rnn_config config = {.cell = layer->cell,
                                  .input_size = layer->in,
                                  .hidden_size = layer->hidden,
                                  .bias = layer->bias,
                                  .settings = layer->settings ? layer->settings : &setting,
                                  .n_settings =
                                      layer->settings ? layer->n_settings : layer->option != NULL,
                                  .label = "LSTM 'layer 2'",
                                  .seed = 7,
                                  .layer = 3};
    test_ok(rd_rnn_new(core, &config, &rnn, &err), &err);
    add_noise(core, config, layer, &rnn);
    /* biases too shall be something */
    for (size_t i = 0; i < rd_rnn_parameter_count(rnn); i++) {
        rd_tensor *p = rd_rnn_parameter(rnn, i);
        if (rd_tensor_ndim(p) != 1) continue;
        rd_real *values = test_calloc(rd_tensor_numel(p), sizeof *values);
        for (size_t j = 0; j < rd_tensor_numel(p); j++)
            values[j] = rnn_number(100 + (uint32_t)i, j);
        rnn_set(p, values);
        test_free(values);
    }
    return rnn;
}
