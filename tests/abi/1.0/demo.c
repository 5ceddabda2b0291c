/* demo.c - a plugin with all that ABI 1.0 has: it is built against the headers beside it, and never changed.
 *
 * The cell demo.x, with each kind of option, declaration and initial value; the layer demo.mix; the backend
 * demo, whose products are those of the bit contract, one at a time.
 * SPDX-License-Identifier: MIT */
#include "rondo/layer.h"
#include "rondo/pointmath.h"
#include <stdio.h>

/* ---- the cell ------------------------------------------------------------------------------------- */

/* g = sigmoid(x, h', c'); q = g h'; c = e(x) + K c' with a constant K; m = f(x, q + w h');
 * h = (1 - g) m + gain g h' + p x_0; n counts steps. */
enum { OPT_ORDER, OPT_GAIN, OPT_PEEPHOLE, OPT_ACTIVATION };
enum { S_H, S_C, S_N };
enum { T_Q };
enum { L_G, L_E, L_K, L_M };
enum { V_P, V_W };
enum { K_G };

static const char *const activations[] = {"tanh", "identity", NULL};
static const rd_option options[] = {
    {.name = "order",
     .help = "numbers of c",
     .kind = RD_INT,
     .flags = RD_OPT_SHAPE,
     .def = 2,
     .min = 1,
     .max = 4},
    {.name = "gain", .help = "of the old state", .kind = RD_REAL, .def = 1, .min = 0, .max = 1},
    {.name = "peephole", .help = "h' feeds m by a vector", .kind = RD_BOOL, .flags = RD_OPT_SHAPE},
    {.name = "activation", .help = "of m", .kind = RD_CHOICE, .choices = activations},
};

static rd_status cell_layout(const rd_setup *u, rd_builder *b)
{
    const uint32_t h = u->hidden, order = (uint32_t)u->opt[OPT_ORDER].i;
    rd_real *table = b->table(b, (size_t)order * order);

    for (uint32_t k = 0; table && k < order * order; k++)
        table[k] = (rd_real)(k % (order + 1) == 0 ? 0.5 : 0.125);
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = h));
    b->state(b, RD_NEW(rd_state_decl, .id = S_C, .name = "c", .width = order, .first = 0.25));
    b->state(b, RD_NEW(rd_state_decl, .id = S_N, .name = "n", .width = 1,
                       .flags = RD_STATE_STOP | RD_STATE_WHOLE));
    b->temp(b, RD_NEW(rd_temp_decl, .id = T_Q, .name = "q", .width = h));
    b->line(b, RD_NEW(rd_line_decl, .id = L_G, .name = "g", .width = h,
                      .flags = RD_FROM_X | RD_BIAS_X | RD_BIAS_REC,
                      .states = RD_BIT(S_H) | RD_BIT(S_C), .init_rec = {.kind = RD_INIT_ORTHO},
                      .init_bias = {.kind = RD_INIT_CONST, .a = 1}));
    b->line(b, RD_NEW(rd_line_decl, .id = L_E, .name = "e", .width = order, .flags = RD_FROM_X,
                      .init_x = {.kind = RD_INIT_UNIFORM, .a = -0.5, .b = 0.5}));
    b->line(b, RD_NEW(rd_line_decl, .id = L_K, .name = "k", .width = order, .flags = RD_FROZEN,
                      .states = RD_BIT(S_C), .init_rec = {.kind = RD_INIT_TABLE, .table = table}));
    b->line(b, RD_NEW(rd_line_decl, .id = L_M, .name = "m", .width = h, .phase = 1,
                      .flags = RD_FROM_X | RD_BIAS_X, .temps = RD_BIT(T_Q),
                      .init_x = {.kind = RD_INIT_HE}));
    b->vec(b, RD_NEW(rd_vec_decl, .id = V_P, .name = "p", .width = h,
                     .init = {.kind = RD_INIT_NORMAL, .b = 0.1}));
    if (u->opt[OPT_PEEPHOLE].i)
        b->vec(b, RD_NEW(rd_vec_decl, .id = V_W, .name = "w", .width = h,
                         .init = {.kind = RD_INIT_TRUNCATED, .b = 0.1}));
    b->save(b, RD_NEW(rd_save_decl, .id = K_G, .width = h));
    if (u->in > 1u << 20) return (b->fail)(b, RD_E_ARG, "input_size must be at most 1048576");
    return RD_OK;
}

RD_CLONES static void cell_forward(const rd_step *s)
{
    const bool peephole = s->opt[OPT_PEEPHOLE].i, linear = s->opt[OPT_ACTIVATION].i == 1;
    const rd_real gain = (rd_real)s->opt[OPT_GAIN].r;

    for (uint32_t r = 0; r < s->rows; r++) {
        const rd_real *before = rd_crow(s->prev[S_H], r);
        rd_real *g = rd_row(s->line[L_G], r), *kept = rd_row(s->save[K_G], r);
        if (s->phase == 0) {
            rd_real *q = rd_row(s->temp[T_Q], r), *c = rd_row(s->next[S_C], r);
            const rd_real *e = rd_row(s->line[L_E], r), *k = rd_row(s->line[L_K], r);
            for (uint32_t j = 0; j < s->hidden; j++) {
                kept[j] = rd_sigmoid(g[j]);
                q[j] = kept[j] * before[j];
            }
            for (uint32_t j = 0; j < s->next[S_C].width; j++) c[j] = e[j] + k[j];
            continue;
        }
        rd_real *m = rd_row(s->line[L_M], r), *h = rd_row(s->next[S_H], r);
        const rd_real x0 = rd_crow(s->x, r)[0];
        for (uint32_t j = 0; j < s->hidden; j++) {
            if (peephole) m[j] += s->vec[V_W][j] * before[j];
            if (!linear) m[j] = rd_tanh(m[j]);
            h[j] = (1 - kept[j]) * m[j] + gain * kept[j] * before[j] + s->vec[V_P][j] * x0;
        }
        rd_row(s->next[S_N], r)[0] = rd_crow(s->prev[S_N], r)[0] + 1;
    }
}

/* What phase 1 knows of dL/dg waits in g's line for phase 0. */
RD_CLONES static void cell_backward_1(const rd_step *s, uint32_t r)
{
    const bool peephole = s->opt[OPT_PEEPHOLE].i, linear = s->opt[OPT_ACTIVATION].i == 1;
    const rd_real gain = (rd_real)s->opt[OPT_GAIN].r, x0 = rd_crow(s->x, r)[0];
    const rd_real *before = rd_crow(s->prev[S_H], r), *dh = rd_crow(s->dnext[S_H], r);
    const rd_real *kept = rd_row(s->save[K_G], r);
    rd_real *g = rd_row(s->line[L_G], r), *m = rd_row(s->line[L_M], r);
    rd_real *dbefore = rd_row(s->dprev[S_H], r), dx0 = 0;

    for (uint32_t j = 0; j < s->hidden; j++) {
        const rd_real da = dh[j] * (1 - kept[j]) * (linear ? 1 : 1 - m[j] * m[j]);
        g[j] = dh[j] * (gain * before[j] - m[j]);
        dbefore[j] += dh[j] * gain * kept[j];
        if (peephole) {
            dbefore[j] += da * s->vec[V_W][j];
            s->dvec[V_W][j] += da * before[j];
        }
        s->dvec[V_P][j] += dh[j] * x0;
        dx0 = rd_fma(dh[j], s->vec[V_P][j], dx0);
        m[j] = da;
    }
    if (s->dx.at) rd_row(s->dx, r)[0] += dx0;
}

RD_CLONES static void cell_backward_0(const rd_step *s, uint32_t r)
{
    const rd_real *before = rd_crow(s->prev[S_H], r), *dq = rd_row(s->dtemp[T_Q], r);
    const rd_real *kept = rd_row(s->save[K_G], r), *dc = rd_crow(s->dnext[S_C], r);
    rd_real *g = rd_row(s->line[L_G], r), *dbefore = rd_row(s->dprev[S_H], r);
    rd_real *e = rd_row(s->line[L_E], r), *k = rd_row(s->line[L_K], r);

    for (uint32_t j = 0; j < s->hidden; j++) {
        dbefore[j] += dq[j] * kept[j];
        g[j] = (g[j] + dq[j] * before[j]) * kept[j] * (1 - kept[j]);
    }
    for (uint32_t j = 0; j < s->next[S_C].width; j++) e[j] = k[j] = dc[j];
}

static void cell_backward(const rd_step *s)
{
    for (uint32_t r = s->rows; r-- > 0;) {
        if (s->phase == 1)
            cell_backward_1(s, r);
        else
            cell_backward_0(s, r);
    }
}

static const rd_cell demo_x = {.size = sizeof(rd_cell),
                               .revision = 1,
                               .name = "demo.x",
                               .help = "each part of a cell once",
                               .options = options,
                               .n_options = sizeof options / sizeof options[0],
                               .option_size = sizeof(rd_option),
                               .flags = RD_CELL_READS_X,
                               .layout = cell_layout,
                               .forward = cell_forward,
                               .backward = cell_backward};

/* ---- the layer ------------------------------------------------------------------------------------ */

/* y(t) = M x(t) + v s(t), s(t) = s(t-1) / 2 + the mean of x(t), a state. */
enum { P_M, P_V };
enum { D_Y, D_S };
static const rd_option mix_options[] = {
    {.name = "width",
     .help = "of the output",
     .kind = RD_INT,
     .flags = RD_OPT_SHAPE,
     .def = 3,
     .min = 1,
     .max = 4096},
};

static rd_status mix_setup(const rd_setup *u, rd_layer_builder *b)
{
    const uint32_t width = (uint32_t)u->opt[0].i;

    b->output(b, width);
    b->state(b, RD_NEW(rd_state_decl, .id = 0, .name = "s", .width = 1));
    b->save(b, RD_NEW(rd_save_decl, .id = D_Y, .width = width));
    b->save(b, RD_NEW(rd_save_decl, .id = D_S, .width = 1));
    b->param(b, RD_NEW(rd_param_decl, .id = P_M, .name = "m", .rows = width, .cols = u->in,
                       .da = D_Y, .v = RD_FROM_INPUT));
    b->param(b, RD_NEW(rd_param_decl, .id = P_V, .name = "v", .rows = width, .cols = 1, .da = D_Y,
                       .v = D_S));
    return RD_OK;
}

static rd_status mix_plan(const rd_setup *u, uint32_t steps, rd_need *need, char *why,
                          size_t why_cap)
{
    (void)u;
    if (steps > 1u << 20) {
        (void)snprintf(why, why_cap, "a sequence of demo.mix has at most 1048576 steps");
        return RD_E_ARG;
    }
    need->scratch_bytes = steps * sizeof(rd_real);
    return RD_OK;
}

static void mix_forward(const rd_run *r)
{
    rd_real s = r->prev[0][0];

    for (uint32_t t = 0; t < r->steps; t++) {
        const rd_real *x = rd_crow(r->x, t);
        s = s * (rd_real)0.5 + rd_sum16(x, r->in) / (rd_real)r->in;
        rd_row(r->save[D_S], t)[0] = s;
        for (uint32_t i = 0; i < r->out; i++) {
            rd_real sum = 0;
            for (uint32_t k = 0; k < r->in; k++)
                sum = rd_fma(r->param[P_M][i * r->in + k], x[k], sum);
            rd_row(r->y, t)[i] = rd_fma(r->param[P_V][i], s, sum);
        }
    }
    r->next[0][0] = s;
}

static void mix_backward(const rd_run *r)
{
    rd_real ds = r->dnext[0][0];

    for (uint32_t t = r->steps; t-- > 0;) {
        const rd_real *dy = rd_crow(r->dy, t);
        rd_real *dx = rd_row(r->dx, t), *da = rd_row(r->save[D_Y], t);
        for (uint32_t i = 0; i < r->out; i++) {
            da[i] = dy[i];
            ds = rd_fma(dy[i], r->param[P_V][i], ds);
            for (uint32_t k = 0; k < r->in; k++)
                dx[k] = rd_fma(dy[i], r->param[P_M][i * r->in + k], dx[k]);
        }
        for (uint32_t k = 0; k < r->in; k++) dx[k] += ds / (rd_real)r->in;
        ds *= (rd_real)0.5;
    }
    r->dprev[0][0] += ds;
}

static const rd_layer demo_mix = {.size = sizeof(rd_layer),
                                  .revision = 1,
                                  .name = "demo.mix",
                                  .help = "a matrix, and a mean that is carried",
                                  .options = mix_options,
                                  .n_options = 1,
                                  .option_size = sizeof(rd_option),
                                  .setup = mix_setup,
                                  .plan = mix_plan,
                                  .forward = mix_forward,
                                  .backward = mix_backward};

/* ---- the backend ---------------------------------------------------------------------------------- */

enum { PANEL = 64 };

static int score(const rd_cpu *cpu)
{
    return cpu->threads > 0; /* last by name of those that score 1: used where it is named */
}

static size_t pack_bytes(size_t k, size_t n)
{
    return (n + PANEL - 1) / PANEL * PANEL * k * sizeof(rd_real);
}

static rd_real op_b(const rd_gemm *g, size_t k, size_t j)
{
    return g->flags & RD_TRANS_B ? g->b[j * g->ldb + k] : g->b[k * g->ldb + j];
}

static void pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    rd_real *out = to;

    for (size_t j = first * PANEL; j < last * PANEL; j++)
        for (size_t k = 0; k < g->k; k++)
            out[(j / PANEL * g->k + k) * PANEL + j % PANEL] = j < g->n ? op_b(g, k, j) : 0;
}

static void gemm(const rd_gemm *g)
{
    const rd_real *packed = g->packed_b;

    for (size_t i = 0; i < g->m; i++)
        for (size_t j = 0; j < g->n; j++) {
            rd_real s = g->flags & RD_ACCUMULATE ? g->c[i * g->ldc + j] : 0;
            for (size_t n = 0; n < g->k; n++) {
                const size_t k = g->flags & RD_K_DOWN ? g->k - 1 - n : n;
                const rd_real a =
                    g->flags & RD_TRANS_A ? g->a[k * g->lda + i] : g->a[i * g->lda + k];
                s = rd_fma(
                    a, packed ? packed[(j / PANEL * g->k + k) * PANEL + j % PANEL] : op_b(g, k, j),
                    s);
            }
            g->c[i * g->ldc + j] = s;
        }
}

static double multiply_adds(size_t rounds)
{
    volatile rd_real out;
    rd_real s[8] = {0};

    for (size_t n = 0; n < rounds; n++)
        for (size_t k = 0; k < 8; k++) s[k] = rd_fma(s[k], (rd_real)0.5, 1);
    out = s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7];
    (void)out;
    return 16.0 * (double)rounds;
}

static const rd_kernels demo = {.size = sizeof(rd_kernels),
                                .name = "zz-demo",
                                .help = "one product at a time",
                                .needs = 0,
                                .score = score,
                                .gemm = gemm,
                                .pack_bytes = pack_bytes,
                                .pack = pack,
                                .multiply_adds = multiply_adds};

/* ---- the plugin ----------------------------------------------------------------------------------- */

static rd_status start(const rd_host *host, char *why, size_t why_cap)
{
    if (host->abi_major == RD_ABI_MAJOR && !host->query("rondo.nothing/1")) return RD_OK;
    (void)snprintf(why, why_cap, "this is ABI %d.%d", host->abi_major, host->abi_minor);
    return RD_E_ABI;
}

static const rd_cell *const cells[] = {&demo_x, NULL};
static const rd_kernels *const kernels[] = {&demo, NULL};
static const rd_layer *const layers[] = {&demo_mix, NULL};
RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "demo",
             .version = "1.0",
             .license = "MIT",
             .origin = "the tests of ABI 1.0",
             .cells = cells,
             .kernels = kernels,
             .layers = layers,
             .init = start};
