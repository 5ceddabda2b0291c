/* mul_lstm.c - multiplicative LSTM (Krause, Lu, Murray & Renals 2016, eq. 18-23): an intermediate state,
 * whose transition depends on the input, stands where the LSTM has h_{t-1}.
 *
 *     m = (W_mx x_t) (W_mh h_{t-1})
 *     i f o = sigmoid(W x_t + V m + b)      g = tanh(W x_t + V m + b)
 *     c_t = f c_{t-1} + i g                 h_t = o tanh(c_t)
 *
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"

enum { OPT_FORGET_BIAS };
enum { S_H, S_C };
enum { L_MX, L_MH, L_I, L_F, L_G, L_O };
enum { T_M };

static const rd_option options[] = {
    {.name = "forget_bias",
     .help = "first bias of the forget gate",
     .kind = RD_REAL,
     .def = 1,
     .min = -10,
     .max = 10},
};

static rd_status mul_lstm_layout(const rd_setup *u, rd_builder *b)
{
    static const char *const name[] = {"mx", "mh", "i", "f", "g", "o"};
    const uint32_t h = u->hidden;
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = h));
    b->state(b, RD_NEW(rd_state_decl, .id = S_C, .name = "c", .width = h));
    b->temp(b, RD_NEW(rd_temp_decl, .id = T_M, .name = "m", .width = h));
    b->line(b,
            RD_NEW(rd_line_decl, .id = L_MX, .name = name[L_MX], .width = h, .flags = RD_FROM_X));
    b->line(b, RD_NEW(rd_line_decl, .id = L_MH, .name = name[L_MH], .width = h,
                      .states = RD_BIT(S_H)));
    for (uint32_t k = L_I; k <= L_O; k++)
        b->line(b, RD_NEW(rd_line_decl, .id = k, .name = name[k], .width = h, .phase = 1,
                          .flags = RD_FROM_X | RD_BIAS_X | RD_BIAS_REC, .temps = RD_BIT(T_M),
                          .init_bias = {.kind = RD_INIT_CONST,
                                        .a = k == L_F ? u->opt[OPT_FORGET_BIAS].r : 0}));
    return RD_OK;
}

/* Rows are functions of their own, since gcc heeds restrict in parameters alone. */
RD_INLINE void product_row(uint32_t n, rd_real *restrict m, const rd_real *restrict mx,
                           const rd_real *restrict mh)
{
    for (uint32_t j = 0; j < n; j++) m[j] = mx[j] * mh[j];
}

RD_INLINE void state_row(uint32_t n, rd_real *restrict i, rd_real *restrict f, rd_real *restrict g,
                         rd_real *restrict o, rd_real *restrict c, rd_real *restrict h,
                         const rd_real *restrict cp)
{
    for (uint32_t j = 0; j < n; j++) {
        i[j] = rd_sigmoid(i[j]);
        f[j] = rd_sigmoid(f[j]);
        g[j] = rd_tanh(g[j]);
        o[j] = rd_sigmoid(o[j]);
        c[j] = f[j] * cp[j] + i[j] * g[j];
        h[j] = o[j] * rd_tanh(c[j]);
    }
}

RD_CLONES static void mul_lstm_forward(const rd_step *s)
{
    const rd_span *l = s->line;
    for (uint32_t r = 0; r < s->rows; r++)
        if (s->phase == 0)
            product_row(s->hidden, rd_row(s->temp[T_M], r), rd_row(l[L_MX], r), rd_row(l[L_MH], r));
        else
            state_row(s->hidden, rd_row(l[L_I], r), rd_row(l[L_F], r), rd_row(l[L_G], r),
                      rd_row(l[L_O], r), rd_row(s->next[S_C], r), rd_row(s->next[S_H], r),
                      rd_crow(s->prev[S_C], r));
}

RD_INLINE void product_back_row(uint32_t n, rd_real *restrict pmx, rd_real *restrict pmh,
                                const rd_real *restrict dm)
{
    for (uint32_t j = 0; j < n; j++) {
        const rd_real mx = pmx[j];
        pmx[j] = dm[j] * pmh[j];
        pmh[j] = dm[j] * mx;
    }
}

RD_INLINE void state_back_row(uint32_t n, rd_real *restrict pi, rd_real *restrict pf,
                              rd_real *restrict pg, rd_real *restrict po, rd_real *restrict dcp,
                              const rd_real *restrict c, const rd_real *restrict cp,
                              const rd_real *restrict dh, const rd_real *restrict dc0)
{
    for (uint32_t j = 0; j < n; j++) {
        const rd_real i = pi[j], f = pf[j], g = pg[j], o = po[j], tc = rd_tanh(c[j]);
        const rd_real dc = dc0[j] + dh[j] * o * (1 - tc * tc);
        pi[j] = dc * g * i * (1 - i);
        pf[j] = dc * cp[j] * f * (1 - f);
        pg[j] = dc * i * (1 - g * g);
        po[j] = dh[j] * tc * o * (1 - o);
        dcp[j] += dc * f;
    }
}

RD_CLONES static void mul_lstm_backward(const rd_step *s)
{
    const rd_span *l = s->line;
    for (uint32_t r = 0; r < s->rows; r++)
        if (s->phase == 0)
            product_back_row(s->hidden, rd_row(l[L_MX], r), rd_row(l[L_MH], r),
                             rd_row(s->dtemp[T_M], r));
        else
            state_back_row(s->hidden, rd_row(l[L_I], r), rd_row(l[L_F], r), rd_row(l[L_G], r),
                           rd_row(l[L_O], r), rd_row(s->dprev[S_C], r), rd_row(s->next[S_C], r),
                           rd_crow(s->prev[S_C], r), rd_crow(s->dnext[S_H], r),
                           rd_crow(s->dnext[S_C], r));
}

static const rd_cell mul_lstm = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = "mul_lstm",
    .help = "multiplicative LSTM",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .option_size = sizeof(rd_option),
    .layout = mul_lstm_layout,
    .forward = mul_lstm_forward,
    .backward = mul_lstm_backward,
};
static const rd_cell *const cells[] = {&mul_lstm, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-mul_lstm",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .cells = cells};
