/* gru.c - gated recurrent unit (Cho et al. 2014), with r z = sigmoid(W x_t + U h_{t-1} + b) and
 *
 *     reset = "after":   n = tanh(W_n x_t + b_n + r (U_n h_{t-1} + b'_n))      (cuDNN, PyTorch)
 *     reset = "before":  n = tanh(W_n x_t + U_n (r h_{t-1}) + b_n)             (as published)
 *     h_t = (1 - z) n + z h_{t-1}
 *
 * chrono: b_z = log u, u uniform in [1, T - 1]: memories up to T steps (Tallec & Ollivier 2018, section 2:
 * 1 - z is the leak of their gated unit, whose bias is -log u).
 *
 * Lines of reset-after stand in the order n_h r z n_x, so that those fed by h are neighbours and those
 * fed by x are too. Reset-before takes two phases: r h_{t-1} is a temp that the second one multiplies.
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"

enum { OPT_RESET, OPT_CHRONO };
enum { AFTER, BEFORE };
enum { S_H };
enum { A_NH, A_R, A_Z, A_NX }; /* lines of reset-after */
enum { B_R, B_Z, B_N };        /* lines of reset-before */
enum { T_Q };                  /* its temp: r h_{t-1} */

static const char *const resets[] = {"after", "before", NULL};
static const rd_option options[] = {
    {.name = "reset",
     .help = "is the reset gate applied after or before the recurrent product",
     .kind = RD_CHOICE,
     .flags = RD_OPT_SHAPE,
     .def = AFTER,
     .choices = resets},
    {.name = "chrono",
     .help = "first biases of the update gate for memories up to so many steps; 0: off",
     .kind = RD_INT,
     .min = 0,
     .max = 1000000},
};

/* Recurrent matrices of Cho et al. 2014, appendix A.1.2. */
static const rd_init recurrent = {.kind = RD_INIT_ORTHO};

static void add_line(rd_builder *b, const rd_setup *u, uint32_t id, const char *name,
                     uint32_t flags)
{
    const double horizon = (double)u->opt[OPT_CHRONO].i;
    const uint32_t update = u->opt[OPT_RESET].i == AFTER ? A_Z : B_Z;
    rd_init bias = {.kind = RD_INIT_ZERO};
    if (horizon > 0 && id == update) bias = (rd_init){.kind = RD_INIT_CHRONO, .a = horizon, .b = 1};
    b->line(b, RD_NEW(rd_line_decl, .id = id, .name = name, .width = u->hidden, .flags = flags,
                      .states = flags & RD_BIAS_REC ? RD_BIT(S_H) : 0, .init_rec = recurrent,
                      .init_bias = bias));
}

static rd_status gru_layout(const rd_setup *u, rd_builder *b)
{
    const uint32_t both = RD_FROM_X | RD_BIAS_X | RD_BIAS_REC, h = u->hidden;
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = h));
    if (u->opt[OPT_RESET].i == AFTER) {
        add_line(b, u, A_NH, "n_h", RD_BIAS_REC);
        add_line(b, u, A_R, "r", both);
        add_line(b, u, A_Z, "z", both);
        add_line(b, u, A_NX, "n_x", RD_FROM_X | RD_BIAS_X);
        return RD_OK;
    }
    b->temp(b, RD_NEW(rd_temp_decl, .id = T_Q, .name = "q", .width = h, .phase = 0));
    add_line(b, u, B_R, "r", both);
    add_line(b, u, B_Z, "z", both);
    b->line(b, RD_NEW(rd_line_decl, .id = B_N, .name = "n", .width = h, .phase = 1, .flags = both,
                      .temps = RD_BIT(T_Q), .init_rec = recurrent));
    return RD_OK;
}

/* Rows are functions of their own, since gcc heeds restrict in parameters alone, and without it there are
 * too many pairs of pointers for it to widen the loops. */
RD_INLINE void after_row(uint32_t width, rd_real *restrict r, rd_real *restrict z,
                         rd_real *restrict nx, rd_real *restrict h, const rd_real *restrict nh,
                         const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < width; j++) {
        r[j] = rd_sigmoid(r[j]);
        z[j] = rd_sigmoid(z[j]);
        nx[j] = rd_tanh(nx[j] + r[j] * nh[j]);
        h[j] = (1 - z[j]) * nx[j] + z[j] * hp[j];
    }
}

RD_CLONES static void forward_after(const rd_step *s)
{
    const rd_span *l = s->line;
    for (uint32_t k = 0; k < s->rows; k++)
        after_row(s->hidden, rd_row(l[A_R], k), rd_row(l[A_Z], k), rd_row(l[A_NX], k),
                  rd_row(s->next[S_H], k), rd_row(l[A_NH], k), rd_crow(s->prev[S_H], k));
}

RD_INLINE void after_back_row(uint32_t width, rd_real *restrict pnh, rd_real *restrict pr,
                              rd_real *restrict pz, rd_real *restrict pnx, rd_real *restrict dhp,
                              const rd_real *restrict dh, const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < width; j++) {
        const rd_real nh = pnh[j], r = pr[j], z = pz[j], n = pnx[j];
        const rd_real da = dh[j] * (1 - z) * (1 - n * n); /* of n's argument */
        pnx[j] = da;
        pnh[j] = da * r;
        pr[j] = da * nh * r * (1 - r);
        pz[j] = dh[j] * (hp[j] - n) * z * (1 - z);
        dhp[j] += dh[j] * z;
    }
}

RD_CLONES static void backward_after(const rd_step *s)
{
    const rd_span *l = s->line;
    for (uint32_t k = 0; k < s->rows; k++)
        after_back_row(s->hidden, rd_row(l[A_NH], k), rd_row(l[A_R], k), rd_row(l[A_Z], k),
                       rd_row(l[A_NX], k), rd_row(s->dprev[S_H], k), rd_crow(s->dnext[S_H], k),
                       rd_crow(s->prev[S_H], k));
}

RD_INLINE void gates_row(uint32_t width, rd_real *restrict r, rd_real *restrict z,
                         rd_real *restrict q, const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < width; j++) {
        r[j] = rd_sigmoid(r[j]);
        z[j] = rd_sigmoid(z[j]);
        q[j] = r[j] * hp[j];
    }
}

RD_INLINE void candidate_row(uint32_t width, rd_real *restrict n, rd_real *restrict h,
                             const rd_real *restrict z, const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < width; j++) {
        n[j] = rd_tanh(n[j]);
        h[j] = (1 - z[j]) * n[j] + z[j] * hp[j];
    }
}

RD_CLONES static void forward_before(const rd_step *s)
{
    const rd_span *l = s->line;
    for (uint32_t k = 0; k < s->rows; k++) {
        const rd_real *hp = rd_crow(s->prev[S_H], k);
        if (s->phase == 0)
            gates_row(s->hidden, rd_row(l[B_R], k), rd_row(l[B_Z], k), rd_row(s->temp[T_Q], k), hp);
        else
            candidate_row(s->hidden, rd_row(l[B_N], k), rd_row(s->next[S_H], k), rd_row(l[B_Z], k),
                          hp);
    }
}

/* z has all of its gradient here, so its dL/da is written now, though its line is of the phase before. */
RD_INLINE void candidate_back_row(uint32_t width, rd_real *restrict pn, rd_real *restrict pz,
                                  rd_real *restrict dhp, const rd_real *restrict dh,
                                  const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < width; j++) {
        const rd_real n = pn[j], z = pz[j];
        pn[j] = dh[j] * (1 - z) * (1 - n * n);
        pz[j] = dh[j] * (hp[j] - n) * z * (1 - z);
        dhp[j] += dh[j] * z;
    }
}

RD_INLINE void gates_back_row(uint32_t width, rd_real *restrict pr, rd_real *restrict dhp,
                              const rd_real *restrict dq, const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < width; j++) {
        const rd_real r = pr[j];
        pr[j] = dq[j] * hp[j] * r * (1 - r);
        dhp[j] += dq[j] * r;
    }
}

RD_CLONES static void backward_before(const rd_step *s)
{
    const rd_span *l = s->line;
    for (uint32_t k = 0; k < s->rows; k++) {
        const rd_real *hp = rd_crow(s->prev[S_H], k);
        if (s->phase == 0)
            gates_back_row(s->hidden, rd_row(l[B_R], k), rd_row(s->dprev[S_H], k),
                           rd_row(s->dtemp[T_Q], k), hp);
        else
            candidate_back_row(s->hidden, rd_row(l[B_N], k), rd_row(l[B_Z], k),
                               rd_row(s->dprev[S_H], k), rd_crow(s->dnext[S_H], k), hp);
    }
}

static void gru_forward(const rd_step *s)
{
    if (s->opt[OPT_RESET].i == AFTER)
        forward_after(s);
    else
        forward_before(s);
}

static void gru_backward(const rd_step *s)
{
    if (s->opt[OPT_RESET].i == AFTER)
        backward_after(s);
    else
        backward_before(s);
}

static const rd_cell gru = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = "gru",
    .help = "gated recurrent unit",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .option_size = sizeof(rd_option),
    .layout = gru_layout,
    .forward = gru_forward,
    .backward = gru_backward,
};
static const rd_cell *const cells[] = {&gru, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-gru",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .cells = cells};
