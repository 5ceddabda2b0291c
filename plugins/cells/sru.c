/* sru.c - simple recurrent unit (Lei, Zhang, Wang, Dai & Artzi 2018, eq. 1-4 and 6):
 *
 *     f = sigmoid(W_f x_t + v_f c_{t-1} + b_f)        c_t = f c_{t-1} + (1 - f) W x_t
 *     r = sigmoid(W_r x_t + v_r c_{t-1} + b_r)        h_t = r c_t + (1 - r) alpha x_t
 *
 * v: a number per unit. alpha = sqrt(1 + 2 exp(highway_bias)) keeps the variance of a deep stack (section
 * 3.2). Where x is not as wide as the layer, W_s x_t stands in its place, as in the authors' program.
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"
#include <string.h>

enum { OPT_HIGHWAY_BIAS };
enum { S_H, S_C };
enum { L_U, L_F, L_R, L_S }; /* L_S: only where x has another width */
enum { V_F, V_R };
enum { K_R }; /* the reset gate, for the skip line */

static const rd_option options[] = {
    {.name = "highway_bias",
     .help = "first bias of the reset gate; below 0 it lets more of x through",
     .kind = RD_REAL,
     .def = 0,
     .min = -10,
     .max = 10},
};

static rd_status sru_layout(const rd_setup *u, rd_builder *b)
{
    const uint32_t h = u->hidden, gate = RD_FROM_X | RD_BIAS_X;
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = h));
    b->state(b, RD_NEW(rd_state_decl, .id = S_C, .name = "c", .width = h));
    b->line(b, RD_NEW(rd_line_decl, .id = L_U, .name = "u", .width = h, .flags = RD_FROM_X));
    b->line(b, RD_NEW(rd_line_decl, .id = L_F, .name = "f", .width = h, .flags = gate));
    b->line(b, RD_NEW(rd_line_decl, .id = L_R, .name = "r", .width = h, .flags = gate,
                      .init_bias = {.kind = RD_INIT_CONST, .a = u->opt[OPT_HIGHWAY_BIAS].r}));
    if (u->in != h) {
        b->line(b, RD_NEW(rd_line_decl, .id = L_S, .name = "s", .width = h, .flags = RD_FROM_X));
        b->save(b, RD_NEW(rd_save_decl, .id = K_R, .width = h));
    }
    b->vec(b, RD_NEW(rd_vec_decl, .id = V_F, .name = "v_f", .width = h));
    b->vec(b, RD_NEW(rd_vec_decl, .id = V_R, .name = "v_r", .width = h));
    return RD_OK;
}

/* What of the input reaches the output past the cell: x, or its own line. */
static const rd_real *skip_row(const rd_step *s, uint32_t r)
{
    return s->in == s->hidden ? rd_crow(s->x, r) : rd_row(s->line[L_S], r);
}

static rd_real alpha_of(const rd_step *s)
{
    return (rd_real)rd_sqrt_d(1 + 2 * rd_exp_d(s->opt[OPT_HIGHWAY_BIAS].r));
}

RD_INLINE void gates_row(uint32_t n, rd_real *restrict f, rd_real *restrict r,
                         const rd_real *restrict vf, const rd_real *restrict vr,
                         const rd_real *restrict cp)
{
    for (uint32_t j = 0; j < n; j++) {
        f[j] = rd_sigmoid(f[j] + vf[j] * cp[j]);
        r[j] = rd_sigmoid(r[j] + vr[j] * cp[j]);
    }
}

struct values { /* of one row */
    const rd_real *u, *f, *r, *skip, *cp, *c;
    rd_real alpha;
};

RD_INLINE void state_row(uint32_t n, rd_real *restrict c, rd_real *restrict h,
                         const struct values *v)
{
    const rd_real *restrict u = v->u, *restrict f = v->f, *restrict r = v->r;
    const rd_real *restrict cp = v->cp, *restrict skip = v->skip;
    const rd_real alpha = v->alpha;
    for (uint32_t j = 0; j < n; j++) {
        c[j] = f[j] * cp[j] + (1 - f[j]) * u[j];
        h[j] = r[j] * c[j] + (1 - r[j]) * (alpha * skip[j]);
    }
}

RD_CLONES static void sru_forward(const rd_step *s)
{
    const rd_span *l = s->line;
    const rd_real alpha = alpha_of(s);
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *f = rd_row(l[L_F], r), *reset = rd_row(l[L_R], r);
        const rd_real *cp = rd_crow(s->prev[S_C], r);
        gates_row(s->hidden, f, reset, s->vec[V_F], s->vec[V_R], cp);
        const struct values v = {.u = rd_row(l[L_U], r),
                                 .f = f,
                                 .r = reset,
                                 .skip = skip_row(s, r),
                                 .cp = cp,
                                 .alpha = alpha};
        state_row(s->hidden, rd_row(s->next[S_C], r), rd_row(s->next[S_H], r), &v);
        if (s->in != s->hidden) memcpy(rd_row(s->save[K_R], r), reset, s->hidden * sizeof *reset);
    }
}

RD_INLINE void skip_back_row(uint32_t n, rd_real alpha, rd_real *restrict dx,
                             const rd_real *restrict r, const rd_real *restrict dh)
{
    for (uint32_t j = 0; j < n; j++) dx[j] += dh[j] * (1 - r[j]) * alpha;
}

RD_INLINE void line_back_row(uint32_t n, rd_real alpha, rd_real *restrict ds,
                             const rd_real *restrict r, const rd_real *restrict dh)
{
    for (uint32_t j = 0; j < n; j++) ds[j] = dh[j] * (1 - r[j]) * alpha;
}

RD_INLINE void gates_back_row(uint32_t n, const struct values *v, rd_real *restrict pu,
                              rd_real *restrict pf, rd_real *restrict pr,
                              const rd_real *const grad[2])
{
    const rd_real *restrict dh = grad[0], *restrict dc0 = grad[1], *restrict cp = v->cp;
    const rd_real *restrict c = v->c, *restrict skip = v->skip;
    const rd_real alpha = v->alpha;
    for (uint32_t j = 0; j < n; j++) {
        const rd_real f = pf[j], r = pr[j], dc = dc0[j] + dh[j] * r;
        pf[j] = dc * (cp[j] - pu[j]) * f * (1 - f);
        pr[j] = dh[j] * (c[j] - alpha * skip[j]) * r * (1 - r);
        pu[j] = dc * (1 - f);
    }
}

RD_INLINE void vectors_back_row(uint32_t n, rd_real *restrict dv, rd_real *restrict dcp,
                                const rd_real *restrict da, const rd_real *restrict v,
                                const rd_real *restrict cp)
{
    for (uint32_t j = 0; j < n; j++) {
        dcp[j] += da[j] * v[j];
        dv[j] += da[j] * cp[j];
    }
}

/* dc_{t-1} += dc f, with the gates still in their lines. */
RD_INLINE void carry_back_row(uint32_t n, rd_real *restrict dcp, const rd_real *restrict f,
                              const rd_real *restrict r, const rd_real *restrict dh,
                              const rd_real *restrict dc)
{
    for (uint32_t j = 0; j < n; j++) dcp[j] += (dc[j] + dh[j] * r[j]) * f[j];
}

RD_CLONES static void sru_backward(const rd_step *s)
{
    const rd_span *l = s->line;
    const uint32_t n = s->hidden;
    const rd_real alpha = alpha_of(s);
    for (uint32_t k = 0; k < s->rows; k++) {
        rd_real *u = rd_row(l[L_U], k), *f = rd_row(l[L_F], k), *r = rd_row(l[L_R], k);
        rd_real *dcp = rd_row(s->dprev[S_C], k);
        const rd_real *grad[2] = {rd_crow(s->dnext[S_H], k), rd_crow(s->dnext[S_C], k)};
        const struct values v = {.skip = skip_row(s, k),
                                 .cp = rd_crow(s->prev[S_C], k),
                                 .c = rd_row(s->next[S_C], k),
                                 .alpha = alpha};
        carry_back_row(n, dcp, f, r, grad[0], grad[1]);
        if (s->in == n && s->dx.at) skip_back_row(n, alpha, rd_row(s->dx, k), r, grad[0]);
        gates_back_row(n, &v, u, f, r, grad);
        if (s->in != n)
            line_back_row(n, alpha, rd_row(l[L_S], k), rd_row(s->save[K_R], k), grad[0]);
        vectors_back_row(n, s->dvec[V_F], dcp, f, s->vec[V_F], v.cp);
        vectors_back_row(n, s->dvec[V_R], dcp, r, s->vec[V_R], v.cp);
    }
}

static const rd_cell sru = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = "sru",
    .help = "simple recurrent unit",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .option_size = sizeof(rd_option),
    .flags = RD_CELL_READS_X,
    .layout = sru_layout,
    .forward = sru_forward,
    .backward = sru_backward,
};
static const rd_cell *const cells[] = {&sru, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-sru",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .cells = cells};
