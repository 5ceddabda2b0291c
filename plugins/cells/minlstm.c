/* minlstm.c - minimal LSTM (Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024, "Were RNNs all we needed?",
 * section 3.2): the gates do not look at the state and share one budget, so that its scale stays.
 *
 *     f i = sigmoid(W x_t + b)      n = W_n x_t + b_n      h_t = (f h_{t-1} + i n) / (f + i)
 *
 * The biases start at zero; a higher forget_bias keeps more of the state at first.
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"

enum { OPT_FORGET_BIAS };
enum { S_H };
enum { L_F, L_I, L_N };
enum { K_KEEP };

static const rd_option options[] = {
    {.name = "forget_bias",
     .help = "first bias of the forget gate",
     .kind = RD_REAL,
     .def = 0,
     .min = -10,
     .max = 10},
};

static rd_status minlstm_layout(const rd_setup *u, rd_builder *b)
{
    static const char *const name[] = {"f", "i", "n"};
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = u->hidden));
    for (uint32_t k = L_F; k <= L_N; k++)
        b->line(b, RD_NEW(rd_line_decl, .id = k, .name = name[k], .width = u->hidden,
                          .flags = RD_FROM_X | RD_BIAS_X,
                          .init_bias = {.kind = RD_INIT_CONST,
                                        .a = k == L_F ? u->opt[OPT_FORGET_BIAS].r : 0}));
    b->save(b, RD_NEW(rd_save_decl, .id = K_KEEP, .width = u->hidden));
    return RD_OK;
}

/* f / (f + i) as the sigmoid of log f - log i (appendix B of the paper), since both may be 0 where inputs are
 * huge. The lines keep sigmoid(-a), which is d log sigmoid(a) / da. */
RD_INLINE void forward_row(uint32_t width, rd_real *restrict f, rd_real *restrict i,
                           rd_real *restrict keep, rd_real *restrict h, const rd_real *restrict n,
                           const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < width; j++) {
        keep[j] = rd_sigmoid(rd_softplus(-i[j]) - rd_softplus(-f[j]));
        f[j] = rd_sigmoid(-f[j]);
        i[j] = rd_sigmoid(-i[j]);
        h[j] = keep[j] * hp[j] + (1 - keep[j]) * n[j];
    }
}

RD_CLONES static void minlstm_forward(const rd_step *s)
{
    const rd_span *l = s->line;
    for (uint32_t r = 0; r < s->rows; r++)
        forward_row(s->hidden, rd_row(l[L_F], r), rd_row(l[L_I], r), rd_row(s->save[K_KEEP], r),
                    rd_row(s->next[S_H], r), rd_row(l[L_N], r), rd_crow(s->prev[S_H], r));
}

RD_INLINE void backward_row(uint32_t width, rd_real *restrict f, rd_real *restrict i,
                            rd_real *restrict pn, rd_real *restrict dhp,
                            const rd_real *restrict pkeep, const rd_real *restrict hp,
                            const rd_real *restrict dh)
{
    for (uint32_t j = 0; j < width; j++) {
        const rd_real keep = pkeep[j];
        const rd_real dlog = dh[j] * (hp[j] - pn[j]) * keep * (1 - keep); /* of log f - log i */
        f[j] = dlog * f[j];
        i[j] = -dlog * i[j];
        pn[j] = dh[j] * (1 - keep);
        dhp[j] += dh[j] * keep;
    }
}

RD_CLONES static void minlstm_backward(const rd_step *s)
{
    const rd_span *l = s->line;
    for (uint32_t r = 0; r < s->rows; r++)
        backward_row(s->hidden, rd_row(l[L_F], r), rd_row(l[L_I], r), rd_row(l[L_N], r),
                     rd_row(s->dprev[S_H], r), rd_row(s->save[K_KEEP], r), rd_crow(s->prev[S_H], r),
                     rd_crow(s->dnext[S_H], r));
}

static const rd_cell minlstm = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = "minlstm",
    .help = "minimal LSTM without a recurrent product",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .option_size = sizeof(rd_option),
    .layout = minlstm_layout,
    .forward = minlstm_forward,
    .backward = minlstm_backward,
};
static const rd_cell *const cells[] = {&minlstm, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-minlstm",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .cells = cells};
