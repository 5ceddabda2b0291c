/* indrnn.c - independently recurrent network (Li, Li, Cook, Zhu & Gao 2018, eq. 2 and 3): each unit sees
 * of the state before only its own number.
 *
 *     h_t = f(W x_t + u h_{t-1} + b)        u: a number per unit
 *
 * f is relu, as in the paper. u starts uniform in [0, 1), the paper's choice (section 3.2) where no length
 * of the sequences is known.
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"

enum { OPT_ACTIVATION };
enum { RELU, TANH };
enum { S_H };
enum { L_A };
enum { V_U };

static const char *const activations[] = {"relu", "tanh", NULL};
static const rd_option options[] = {
    {.name = "activation",
     .help = "function of the sum that becomes the state",
     .kind = RD_CHOICE,
     .flags = RD_OPT_SHAPE,
     .def = RELU,
     .choices = activations},
};

static rd_status indrnn_layout(const rd_setup *u, rd_builder *b)
{
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = u->hidden));
    b->line(b, RD_NEW(rd_line_decl, .id = L_A, .name = "a", .width = u->hidden,
                      .flags = RD_FROM_X | RD_BIAS_X));
    b->vec(b, RD_NEW(rd_vec_decl, .id = V_U, .name = "u", .width = u->hidden,
                     .init = {.kind = RD_INIT_UNIFORM, .a = 0, .b = 1}));
    return RD_OK;
}

/* Rows are functions of their own, since gcc heeds restrict in parameters alone. */
RD_INLINE void relu_row(uint32_t n, rd_real *restrict h, const rd_real *restrict a,
                        const rd_real *restrict u, const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < n; j++) {
        const rd_real sum = a[j] + u[j] * hp[j];
        h[j] = sum < 0 ? 0 : sum;
    }
}

RD_INLINE void tanh_row(uint32_t n, rd_real *restrict h, const rd_real *restrict a,
                        const rd_real *restrict u, const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < n; j++) h[j] = rd_tanh(a[j] + u[j] * hp[j]);
}

RD_CLONES static void indrnn_forward(const rd_step *s)
{
    const bool relu = s->opt[OPT_ACTIVATION].i == RELU;
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *h = rd_row(s->next[S_H], r);
        const rd_real *a = rd_row(s->line[L_A], r), *hp = rd_crow(s->prev[S_H], r);
        if (relu)
            relu_row(s->hidden, h, a, s->vec[V_U], hp);
        else
            tanh_row(s->hidden, h, a, s->vec[V_U], hp);
    }
}

RD_INLINE void slope_row(bool relu, uint32_t n, rd_real *restrict da, const rd_real *restrict h,
                         const rd_real *restrict dh)
{
    if (relu)
        for (uint32_t j = 0; j < n; j++) da[j] = h[j] > 0 ? dh[j] : 0;
    else
        for (uint32_t j = 0; j < n; j++) da[j] = dh[j] * (1 - h[j] * h[j]);
}

RD_INLINE void back_row(uint32_t n, rd_real *restrict dhp, rd_real *restrict du,
                        const rd_real *restrict da, const rd_real *restrict u,
                        const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < n; j++) {
        dhp[j] += da[j] * u[j];
        du[j] += da[j] * hp[j];
    }
}

RD_CLONES static void indrnn_backward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *da = rd_row(s->line[L_A], r);
        slope_row(s->opt[OPT_ACTIVATION].i == RELU, s->hidden, da, rd_row(s->next[S_H], r),
                  rd_crow(s->dnext[S_H], r));
        back_row(s->hidden, rd_row(s->dprev[S_H], r), s->dvec[V_U], da, s->vec[V_U],
                 rd_crow(s->prev[S_H], r));
    }
}

static const rd_cell indrnn = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = "indrnn",
    .help = "independently recurrent network",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .option_size = sizeof(rd_option),
    .layout = indrnn_layout,
    .forward = indrnn_forward,
    .backward = indrnn_backward,
};
static const rd_cell *const cells[] = {&indrnn, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-indrnn",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .cells = cells};
