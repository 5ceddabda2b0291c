/* mgu.c - minimal gated unit (Zhou, Wu, Zhang & Zhou 2016, "Minimal gated unit for recurrent neural
 * networks", eq. 7a-7c):
 *
 *     f = sigmoid(W_f x_t + U_f h_{t-1} + b_f)
 *     n = tanh(W_n x_t + U_n (f h_{t-1}) + b_n)
 *     h_t = (1 - f) h_{t-1} + f n
 *
 * f h_{t-1} is a temp that the second phase multiplies. n is saved too: dL/df needs it in the first phase,
 * when its line is dL/da already.
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"

enum { S_H };
enum { L_F, L_N };
enum { T_Q };
enum { K_N };

static rd_status mgu_layout(const rd_setup *u, rd_builder *b)
{
    const uint32_t both = RD_FROM_X | RD_BIAS_X | RD_BIAS_REC, h = u->hidden;
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = h));
    b->temp(b, RD_NEW(rd_temp_decl, .id = T_Q, .name = "q", .width = h));
    b->line(b, RD_NEW(rd_line_decl, .id = L_F, .name = "f", .width = h, .flags = both,
                      .states = RD_BIT(S_H)));
    b->line(b, RD_NEW(rd_line_decl, .id = L_N, .name = "n", .width = h, .phase = 1, .flags = both,
                      .temps = RD_BIT(T_Q)));
    b->save(b, RD_NEW(rd_save_decl, .id = K_N, .width = h));
    return RD_OK;
}

/* Rows are functions of their own, since gcc heeds restrict in parameters alone. */
RD_INLINE void gate_row(uint32_t width, rd_real *restrict f, rd_real *restrict q,
                        const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < width; j++) {
        f[j] = rd_sigmoid(f[j]);
        q[j] = f[j] * hp[j];
    }
}

RD_INLINE void state_row(uint32_t width, rd_real *restrict n, rd_real *restrict kept,
                         rd_real *restrict h, const rd_real *restrict f, const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < width; j++) {
        n[j] = rd_tanh(n[j]);
        kept[j] = n[j];
        h[j] = (1 - f[j]) * hp[j] + f[j] * n[j];
    }
}

RD_CLONES static void mgu_forward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *f = rd_row(s->line[L_F], r);
        const rd_real *hp = rd_crow(s->prev[S_H], r);
        if (s->phase == 0)
            gate_row(s->hidden, f, rd_row(s->temp[T_Q], r), hp);
        else
            state_row(s->hidden, rd_row(s->line[L_N], r), rd_row(s->save[K_N], r),
                      rd_row(s->next[S_H], r), f, hp);
    }
}

RD_INLINE void gate_back_row(uint32_t width, rd_real *restrict pf, rd_real *restrict dhp,
                             const rd_real *restrict n, const rd_real *restrict hp,
                             const rd_real *restrict dh, const rd_real *restrict dq)
{
    for (uint32_t j = 0; j < width; j++) {
        const rd_real f = pf[j];
        pf[j] = (dq[j] * hp[j] + dh[j] * (n[j] - hp[j])) * f * (1 - f);
        dhp[j] += dq[j] * f;
    }
}

RD_INLINE void state_back_row(uint32_t width, rd_real *restrict n, rd_real *restrict dhp,
                              const rd_real *restrict f, const rd_real *restrict dh)
{
    for (uint32_t j = 0; j < width; j++) {
        n[j] = dh[j] * f[j] * (1 - n[j] * n[j]);
        dhp[j] += dh[j] * (1 - f[j]);
    }
}

RD_CLONES static void mgu_backward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *f = rd_row(s->line[L_F], r), *dhp = rd_row(s->dprev[S_H], r);
        const rd_real *dh = rd_crow(s->dnext[S_H], r);
        if (s->phase == 0)
            gate_back_row(s->hidden, f, dhp, rd_row(s->save[K_N], r), rd_crow(s->prev[S_H], r), dh,
                          rd_row(s->dtemp[T_Q], r));
        else
            state_back_row(s->hidden, rd_row(s->line[L_N], r), dhp, f, dh);
    }
}

static const rd_cell mgu = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = "mgu",
    .help = "minimal gated unit",
    .option_size = sizeof(rd_option),
    .layout = mgu_layout,
    .forward = mgu_forward,
    .backward = mgu_backward,
};
static const rd_cell *const cells[] = {&mgu, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-mgu",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .cells = cells};
