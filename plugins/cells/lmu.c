/* lmu.c - Legendre memory unit (Voelker, Kajic & Eliasmith 2019): a memory m of `order` numbers holds the
 * last `theta` steps of a signal u as the coefficients of Legendre polynomials.
 *
 *     u_t = e_x x_t + e_h h_{t-1} + e_m m_{t-1}            (eq. 7)
 *     m_t = A m_{t-1} + B u_t                              (eq. 5)
 *     h_t = tanh(W_x x_t + W_h h_{t-1} + W_m m_t)          (eq. 6)
 *
 * A and B are constants: the delay's state space of eq. 2, turned into steps of length 1 with u held in
 * between (footnote 3). First values are the paper's (section 2): encoders uniform of variance 1 / width, e_m
 * zero, W Glorot; no biases. theta is to be the length that is to be remembered, in steps.
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"
#include <string.h>

enum { OPT_ORDER, OPT_THETA };
enum { S_H, S_M };
enum { L_U, L_E, L_A, L_B, L_W }; /* L_E: what u sees of m, which starts at zero */
enum { T_U, T_Q };                /* T_Q: m_t, for the last phase to multiply */
enum { MAX_ORDER = 256 };

static const rd_option options[] = {
    {.name = "order",
     .help = "numbers of the memory",
     .kind = RD_INT,
     .flags = RD_OPT_SHAPE,
     .def = 32,
     .min = 1,
     .max = MAX_ORDER},
    {.name = "theta",
     .help = "steps that the memory spans",
     .kind = RD_REAL,
     .flags = RD_OPT_SHAPE,
     .def = 100,
     .min = 1,
     .max = 1e6},
};

/* ---- constants ------------------------------------------------------------------------------------ */

/* c = a b of n x n numbers */
static void multiply(size_t n, const double *restrict a, const double *restrict b,
                     double *restrict c)
{
    memset(c, 0, n * n * sizeof *c);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j < n; j++) c[i * n + j] += a[i * n + k] * b[k * n + j];
}

/* [A B; 0 0] of eq. 2, of which the exponential is that of the held signal: [A' B'; 0 1]. */
static void state_space(size_t order, double theta, double *m)
{
    const size_t n = order + 1;
    memset(m, 0, n * n * sizeof *m);
    for (size_t i = 0; i < order; i++) {
        const double scale = (2.0 * (double)i + 1) / theta;
        for (size_t j = 0; j < order; j++)
            m[i * n + j] = i < j || (i - j) % 2 == 0 ? -scale : scale;
        m[i * n + order] = i % 2 == 0 ? scale : -scale;
    }
}

/* to = exp(m) by Taylor's series of m / 2^k, whose norm is below 1/2, and k squarings (Higham 2005). m and
 * room are overwritten. No libm: bit contract, rule 2. */
static void exponential(size_t n, double *m, double *room, double *to)
{
    enum { TERMS = 16 }; /* 0.5^17 / 17! is nothing in double */
    double norm = 0;
    uint32_t squarings = 0;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++) sum += rd_abs_d(m[i * n + j]);
        norm = sum > norm ? sum : norm;
    }
    for (; norm > 0.5; norm /= 2) squarings++;
    memset(to, 0, n * n * sizeof *to);
    for (size_t i = 0; i < n; i++) to[i * n + i] = 1;
    for (uint32_t k = 0; k < squarings; k++)
        for (size_t e = 0; e < n * n; e++) m[e] /= 2;
    for (uint32_t term = TERMS; term > 0; term--) { /* Horner: I + m (I + m (...) / 2) / 1 */
        multiply(n, m, to, room);
        for (size_t e = 0; e < n * n; e++) to[e] = room[e] / term;
        for (size_t i = 0; i < n; i++) to[i * n + i] += 1;
    }
    for (uint32_t k = 0; k < squarings; k++) {
        multiply(n, to, to, room);
        memcpy(to, room, n * n * sizeof *to);
    }
}

static void make_tables(size_t order, double theta, double *work, rd_real *const table[2])
{
    const size_t n = order + 1;
    double *m = work, *room = work + n * n, *e = work + 2 * n * n;
    state_space(order, theta, m);
    exponential(n, m, room, e);
    for (size_t i = 0; i < order; i++) {
        for (size_t j = 0; j < order; j++) table[0][i * order + j] = (rd_real)e[i * n + j];
        table[1][i] = (rd_real)e[i * n + order];
    }
}

/* ---- declaration ---------------------------------------------------------------------------------- */

static void add_lines(const rd_setup *u, rd_builder *b, rd_real *const table[2])
{
    const uint32_t order = (uint32_t)u->opt[OPT_ORDER].i;
    const double of_x = rd_sqrt_d(3.0 / u->in), of_h = rd_sqrt_d(3.0 / u->hidden);
    b->line(b, RD_NEW(rd_line_decl, .id = L_U, .name = "u", .width = 1, .flags = RD_FROM_X,
                      .states = RD_BIT(S_H),
                      .init_x = {.kind = RD_INIT_UNIFORM, .a = -of_x, .b = of_x},
                      .init_rec = {.kind = RD_INIT_UNIFORM, .a = -of_h, .b = of_h}));
    b->line(b, RD_NEW(rd_line_decl, .id = L_E, .name = "e", .width = 1, .states = RD_BIT(S_M),
                      .init_rec = {.kind = RD_INIT_ZERO}));
    b->line(b, RD_NEW(rd_line_decl, .id = L_A, .name = "a", .width = order, .phase = 1,
                      .flags = RD_FROZEN, .states = RD_BIT(S_M),
                      .init_rec = {.kind = RD_INIT_TABLE, .table = table[0]}));
    b->line(b, RD_NEW(rd_line_decl, .id = L_B, .name = "b", .width = order, .phase = 1,
                      .flags = RD_FROZEN, .temps = RD_BIT(T_U),
                      .init_rec = {.kind = RD_INIT_TABLE, .table = table[1]}));
    b->line(b, RD_NEW(rd_line_decl, .id = L_W, .name = "w", .width = u->hidden, .phase = 2,
                      .flags = RD_FROM_X, .states = RD_BIT(S_H), .temps = RD_BIT(T_Q)));
}

static rd_status lmu_layout(const rd_setup *u, rd_builder *b)
{
    const uint32_t order = (uint32_t)u->opt[OPT_ORDER].i;
    const size_t n = (size_t)order + 1;
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = u->hidden));
    b->state(b, RD_NEW(rd_state_decl, .id = S_M, .name = "m", .width = order));
    b->temp(b, RD_NEW(rd_temp_decl, .id = T_U, .name = "u", .width = 1));
    b->temp(b, RD_NEW(rd_temp_decl, .id = T_Q, .name = "q", .width = order, .phase = 1));
    rd_real *const table[2] = {b->table(b, (size_t)order * order), b->table(b, order)};
    /* a plugin has no allocator: room for doubles, which stays with the layer */
    void *work = b->table(b, 3 * n * n * sizeof(double) / sizeof(rd_real));
    if (!table[0] || !table[1] || !work) return RD_OK; /* the builder knows why */
    make_tables(order, u->opt[OPT_THETA].r, work, table);
    add_lines(u, b, table);
    return RD_OK;
}

/* ---- steps ---------------------------------------------------------------------------------------- */

/* Rows are functions of their own, since gcc heeds restrict in parameters alone. */
RD_INLINE void sum_row(uint32_t n, rd_real *restrict to, const rd_real *restrict a,
                       const rd_real *restrict b)
{
    for (uint32_t j = 0; j < n; j++) to[j] = a[j] + b[j];
}

RD_INLINE void tanh_row(uint32_t n, rd_real *restrict h, const rd_real *restrict a)
{
    for (uint32_t j = 0; j < n; j++) h[j] = rd_tanh(a[j]);
}

RD_CLONES static void lmu_forward(const rd_step *s)
{
    const rd_span *l = s->line, *q = &s->temp[T_Q];
    for (uint32_t r = 0; r < s->rows; r++) {
        if (s->phase == 0) {
            sum_row(1, rd_row(s->temp[T_U], r), rd_row(l[L_U], r), rd_row(l[L_E], r));
        } else if (s->phase == 1) {
            sum_row(q->width, rd_row(*q, r), rd_row(l[L_A], r), rd_row(l[L_B], r));
        } else {
            memcpy(rd_row(s->next[S_M], r), rd_row(*q, r), q->width * sizeof(rd_real));
            tanh_row(s->hidden, rd_row(s->next[S_H], r), rd_row(l[L_W], r));
        }
    }
}

RD_INLINE void copy_row(uint32_t n, rd_real *restrict a, rd_real *restrict b,
                        const rd_real *restrict d)
{
    for (uint32_t j = 0; j < n; j++) {
        a[j] = d[j];
        b[j] = d[j];
    }
}

RD_INLINE void tanh_back_row(uint32_t n, rd_real *restrict da, const rd_real *restrict h,
                             const rd_real *restrict dh)
{
    for (uint32_t j = 0; j < n; j++) da[j] = dh[j] * (1 - h[j] * h[j]);
}

RD_INLINE void add_row(uint32_t n, rd_real *restrict to, const rd_real *restrict from)
{
    for (uint32_t j = 0; j < n; j++) to[j] += from[j];
}

RD_CLONES static void lmu_backward(const rd_step *s)
{
    const rd_span *l = s->line, *dq = &s->dtemp[T_Q];
    for (uint32_t r = 0; r < s->rows; r++) {
        if (s->phase == 0) {
            copy_row(1, rd_row(l[L_U], r), rd_row(l[L_E], r), rd_row(s->dtemp[T_U], r));
        } else if (s->phase == 1) {
            copy_row(dq->width, rd_row(l[L_A], r), rd_row(l[L_B], r), rd_row(*dq, r));
        } else {
            add_row(dq->width, rd_row(*dq, r), rd_crow(s->dnext[S_M], r));
            tanh_back_row(s->hidden, rd_row(l[L_W], r), rd_row(s->next[S_H], r),
                          rd_crow(s->dnext[S_H], r));
        }
    }
}

static const rd_cell lmu = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = "lmu",
    .help = "Legendre memory unit",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .option_size = sizeof(rd_option),
    .layout = lmu_layout,
    .forward = lmu_forward,
    .backward = lmu_backward,
};
static const rd_cell *const cells[] = {&lmu, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-lmu",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .cells = cells};
