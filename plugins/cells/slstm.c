/* slstm.c - the scalar LSTM of xLSTM (Beck et al. 2024, eq. 8-17), an LSTM whose input gate is exponential and
 * whose cell is divided by the sum n of what its gates let in:
 *
 *     z = tanh(a_z)    o = sigmoid(a_o)    each a = W x_t + R h_{t-1} + b
 *     c_t = f c_{t-1} + i z        n_t = f n_{t-1} + i        h_t = o c_t / n_t
 *
 * Gates are kept divided by exp(m_t), which leaves h as it is: with log f = a_f (forget = "exp") or
 * log sigmoid(a_f), m_t = max(log f + m_{t-1}, a_i), i = exp(a_i - m_t), f = exp(log f + m_{t-1} - m_t). No
 * gradient flows through m, as published. m starts so low that the first step takes m_1 = a_i and n_1 = 1.
 * One head: R is a whole matrix.
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"

enum { OPT_FORGET, OPT_FORGET_BIAS };
enum { SIGMOID, EXP };
enum { S_H, S_C, S_N, S_M };
enum { L_I, L_F, L_Z, L_O };
enum { K_SLOPE };                        /* d log f / da_f */
static const double nothing_yet = -1e30; /* log of the scale before the first step */

static const char *const forgets[] = {"sigmoid", "exp", NULL};
static const rd_option options[] = {
    {.name = "forget",
     .help = "function of the forget gate",
     .kind = RD_CHOICE,
     .flags = RD_OPT_SHAPE,
     .def = SIGMOID,
     .choices = forgets},
    {.name = "forget_bias",
     .help = "first bias of the forget gate",
     .kind = RD_REAL,
     .def = 1,
     .min = -10,
     .max = 10},
};

static rd_status slstm_layout(const rd_setup *u, rd_builder *b)
{
    static const char *const gate[] = {"i", "f", "z", "o"};
    const uint32_t h = u->hidden;
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = h));
    b->state(b, RD_NEW(rd_state_decl, .id = S_C, .name = "c", .width = h));
    b->state(b, RD_NEW(rd_state_decl, .id = S_N, .name = "n", .width = h));
    b->state(b, RD_NEW(rd_state_decl, .id = S_M, .name = "m", .width = h, .flags = RD_STATE_STOP,
                       .first = nothing_yet));
    for (uint32_t k = L_I; k <= L_O; k++)
        b->line(b, RD_NEW(rd_line_decl, .id = k, .name = gate[k], .width = h,
                          .flags = RD_FROM_X | RD_BIAS_X | RD_BIAS_REC, .states = RD_BIT(S_H),
                          .init_bias = {.kind = RD_INIT_CONST,
                                        .a = k == L_F ? u->opt[OPT_FORGET_BIAS].r : 0}));
    b->save(b, RD_NEW(rd_save_decl, .id = K_SLOPE, .width = h));
    return RD_OK;
}

/* Leaves log f in f and d log f / da_f in slope. */
RD_INLINE void forget_row(bool is_exp, uint32_t n, rd_real *restrict f, rd_real *restrict slope)
{
    if (is_exp)
        for (uint32_t j = 0; j < n; j++) slope[j] = 1;
    else
        for (uint32_t j = 0; j < n; j++) {
            slope[j] = rd_sigmoid(-f[j]);
            f[j] = -rd_softplus(-f[j]);
        }
}

/* Rows are functions of their own, since gcc heeds restrict in parameters alone. */
RD_INLINE void gates_row(uint32_t n, rd_real *restrict i, rd_real *restrict f, rd_real *restrict m,
                         const rd_real *restrict mp)
{
    for (uint32_t j = 0; j < n; j++) {
        const rd_real kept = f[j] + mp[j];
        m[j] = kept > i[j] ? kept : i[j];
        i[j] = rd_exp(i[j] - m[j]);
        f[j] = rd_exp(kept - m[j]);
    }
}

RD_INLINE void cell_row(uint32_t width, rd_real *restrict z, rd_real *restrict c,
                        rd_real *restrict n, const rd_real *restrict i, const rd_real *restrict f,
                        const rd_real *restrict cp, const rd_real *restrict np)
{
    for (uint32_t j = 0; j < width; j++) {
        z[j] = rd_tanh(z[j]);
        c[j] = f[j] * cp[j] + i[j] * z[j];
        n[j] = f[j] * np[j] + i[j];
    }
}

RD_INLINE void output_row(uint32_t width, rd_real *restrict o, rd_real *restrict h,
                          const rd_real *restrict c, const rd_real *restrict n)
{
    for (uint32_t j = 0; j < width; j++) {
        o[j] = rd_sigmoid(o[j]);
        h[j] = o[j] * (c[j] / n[j]);
    }
}

RD_CLONES static void slstm_forward(const rd_step *s)
{
    const rd_span *l = s->line, *next = s->next;
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *i = rd_row(l[L_I], r), *f = rd_row(l[L_F], r);
        rd_real *c = rd_row(next[S_C], r), *n = rd_row(next[S_N], r);
        forget_row(s->opt[OPT_FORGET].i == EXP, s->hidden, f, rd_row(s->save[K_SLOPE], r));
        gates_row(s->hidden, i, f, rd_row(next[S_M], r), rd_crow(s->prev[S_M], r));
        cell_row(s->hidden, rd_row(l[L_Z], r), c, n, i, f, rd_crow(s->prev[S_C], r),
                 rd_crow(s->prev[S_N], r));
        output_row(s->hidden, rd_row(l[L_O], r), rd_row(next[S_H], r), c, n);
    }
}

struct row { /* values and gradients of one row */
    const rd_real *c, *n, *cp, *np, *slope, *dh, *dc, *dn;
    rd_real *dcp, *dnp;
};

RD_INLINE void backward_row(uint32_t width, rd_real *restrict pi, rd_real *restrict pf,
                            rd_real *restrict pz, rd_real *restrict po, const struct row *k)
{
    const rd_real *restrict c = k->c, *restrict n = k->n, *restrict slope = k->slope;
    const rd_real *restrict cp = k->cp, *restrict np = k->np, *restrict dh = k->dh;
    const rd_real *restrict dc0 = k->dc, *restrict dn0 = k->dn;
    rd_real *restrict dcp = k->dcp, *restrict dnp = k->dnp;
    for (uint32_t j = 0; j < width; j++) {
        const rd_real i = pi[j], f = pf[j], z = pz[j], o = po[j], q = c[j] / n[j];
        const rd_real dq = dh[j] * o / n[j];
        const rd_real dc = dc0[j] + dq, dn = dn0[j] - dq * q;
        pi[j] = (dc * z + dn) * i;
        pf[j] = (dc * cp[j] + dn * np[j]) * f * slope[j];
        pz[j] = dc * i * (1 - z * z);
        po[j] = dh[j] * q * o * (1 - o);
        dcp[j] += dc * f;
        dnp[j] += dn * f;
    }
}

RD_CLONES static void slstm_backward(const rd_step *s)
{
    const rd_span *l = s->line;
    for (uint32_t r = 0; r < s->rows; r++) {
        const struct row k = {.c = rd_row(s->next[S_C], r),
                              .n = rd_row(s->next[S_N], r),
                              .cp = rd_crow(s->prev[S_C], r),
                              .np = rd_crow(s->prev[S_N], r),
                              .slope = rd_row(s->save[K_SLOPE], r),
                              .dh = rd_crow(s->dnext[S_H], r),
                              .dc = rd_crow(s->dnext[S_C], r),
                              .dn = rd_crow(s->dnext[S_N], r),
                              .dcp = rd_row(s->dprev[S_C], r),
                              .dnp = rd_row(s->dprev[S_N], r)};
        backward_row(s->hidden, rd_row(l[L_I], r), rd_row(l[L_F], r), rd_row(l[L_Z], r),
                     rd_row(l[L_O], r), &k);
    }
}

static const rd_cell slstm = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = "slstm",
    .help = "scalar LSTM with exponential gates (xLSTM)",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .option_size = sizeof(rd_option),
    .layout = slstm_layout,
    .forward = slstm_forward,
    .backward = slstm_backward,
};
static const rd_cell *const cells[] = {&slstm, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-slstm",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .cells = cells};
