/* slstm.c - the scalar LSTM of xLSTM (Beck et al. 2024, eq. 8-17), an LSTM whose input gate is exponential
 * and whose cell is divided by the sum n of what its gates let in:
 *
 *     z = tanh(a_z)    o = sigmoid(a_o)    each a = W x_t + R h_{t-1} + b
 *     c_t = f c_{t-1} + i z        n_t = f n_{t-1} + i        h_t = o c_t / n_t
 *
 * Gates are kept divided by exp(m_t), which leaves h as it is: with log f = a_f (forget = "exp") or
 * log sigmoid(a_f), m_t = max(log f + m_{t-1}, a_i), i = exp(a_i - m_t), f = exp(log f + m_{t-1} - m_t). No
 * gradient flows through m, as published. m starts so low that the first step takes m_1 = a_i and n_1 = 1.
 * heads > 1: R is block-diagonal, a head's gates see the h of that head alone (section 2.2). What feeds a
 * matrix is a whole state, so the parts h1, h2 ... of h are states besides it then.
 *
 * The forget gate's first biases are the authors' power law: unit j of a head of d has 5 - 12 (j / (d-1))^p,
 * so that some units begin with long memories and some with short ones. p is 0.3 in the first block of a
 * stack and grows to 1.6 in the last. With forget = "exp" they are log sigmoid of that: the same gate.
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"
#include <string.h>

enum { OPT_FORGET, OPT_POWER_LAW, OPT_HEADS };
enum { MAX_HEADS = 8 }; /* four lines each, of the 32 that a cell may have */
enum { SIGMOID, EXP };
enum { S_H, S_C, S_N, S_M, S_PART };     /* S_PART: h of head 0, 1 ... where there are several */
enum { L_I, L_F, L_Z, L_O, N_GATES };    /* of each head */
enum { K_SLOPE, K_DH };                  /* d log f / da_f; room for dL/dh of a row of heads */
static const double nothing_yet = -1e30; /* log of the scale before the first step */

static const char *const forgets[] = {"sigmoid", "exp", NULL};
static const rd_option options[] = {
    {.name = "forget",
     .help = "function of the forget gate",
     .kind = RD_CHOICE,
     .flags = RD_OPT_SHAPE,
     .def = SIGMOID,
     .choices = forgets},
    {.name = "power_law",
     .help = "exponent of the forget gate's first biases, 5 - 12 u^p over a head; 0: all 0",
     .kind = RD_REAL,
     .def = 0.3,
     .min = 0,
     .max = 10},
    {.name = "heads",
     .help = "parts of the state that do not see each other; must divide hidden_size",
     .kind = RD_INT,
     .flags = RD_OPT_SHAPE,
     .def = 1,
     .min = 1,
     .max = MAX_HEADS},
};

/* The same for every head. */
static rd_init forget_biases(const rd_setup *u, rd_builder *b, uint32_t width)
{
    const double p = u->opt[OPT_POWER_LAW].r;
    rd_real *const table = p > 0 ? b->table(b, width) : NULL;
    if (!table) return (rd_init){.kind = RD_INIT_ZERO};
    for (uint32_t j = 0; j < width; j++) {
        const double place = width > 1 ? (double)j / (width - 1) : 0;
        const double bias = 5 - 12 * (place > 0 ? rd_exp_d(p * rd_log_d(place)) : 0);
        table[j] = (rd_real)(u->opt[OPT_FORGET].i == EXP ? -rd_softplus_d(-bias) : bias);
    }
    return (rd_init){.kind = RD_INIT_TABLE, .table = table};
}

struct head {
    uint32_t number, width;
    bool alone;
    rd_init forget;
};

static void add_head(rd_builder *b, const struct head *of)
{
    static const char gate[] = {'i', 'f', 'z', 'o'};
    for (uint32_t k = L_I; k <= L_O; k++) {
        const char name[] = {gate[k], of->alone ? 0 : (char)('1' + of->number), 0};
        b->line(b, RD_NEW(rd_line_decl, .id = of->number * N_GATES + k, .name = name,
                          .width = of->width, .flags = RD_FROM_X | RD_BIAS_X | RD_BIAS_REC,
                          .states = RD_BIT(of->alone ? S_H : S_PART + of->number),
                          .init_bias = k == L_F ? of->forget : (rd_init){.kind = RD_INIT_ZERO}));
    }
}

static rd_status slstm_layout(const rd_setup *u, rd_builder *b)
{
    const uint32_t h = u->hidden, heads = (uint32_t)u->opt[OPT_HEADS].i;
    if (h % heads != 0) return b->fail(b, RD_E_ARG, "option 'heads' must divide hidden_size");
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = h));
    b->state(b, RD_NEW(rd_state_decl, .id = S_C, .name = "c", .width = h, .flags = RD_STATE_WHOLE));
    b->state(b, RD_NEW(rd_state_decl, .id = S_N, .name = "n", .width = h, .flags = RD_STATE_WHOLE));
    b->state(b, RD_NEW(rd_state_decl, .id = S_M, .name = "m", .width = h,
                       .flags = RD_STATE_STOP | RD_STATE_WHOLE, .first = nothing_yet));
    for (uint32_t k = 0; heads > 1 && k < heads; k++) {
        const char name[] = {'h', (char)('1' + k), 0};
        b->state(b, RD_NEW(rd_state_decl, .id = S_PART + k, .name = name, .width = h / heads,
                           .flags = RD_STATE_PART));
    }
    struct head of = {
        .width = h / heads, .alone = heads == 1, .forget = forget_biases(u, b, h / heads)};
    for (; of.number < heads; of.number++) add_head(b, &of);
    b->save(b, RD_NEW(rd_save_decl, .id = K_SLOPE, .width = h));
    if (heads > 1) b->save(b, RD_NEW(rd_save_decl, .id = K_DH, .width = h));
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

/* Head `head` of row r. */
RD_INLINE void forward_head(const rd_step *s, uint32_t heads, uint32_t head, uint32_t r)
{
    const uint32_t width = s->hidden / heads;
    const size_t at = (size_t)head * width;
    const rd_span *l = s->line + (size_t)head * N_GATES, *next = s->next;
    rd_real *i = rd_row(l[L_I], r), *f = rd_row(l[L_F], r), *h = rd_row(next[S_H], r) + at;
    rd_real *c = rd_row(next[S_C], r) + at, *n = rd_row(next[S_N], r) + at;
    forget_row(s->opt[OPT_FORGET].i == EXP, width, f, rd_row(s->save[K_SLOPE], r) + at);
    gates_row(width, i, f, rd_row(next[S_M], r) + at, rd_crow(s->prev[S_M], r) + at);
    cell_row(width, rd_row(l[L_Z], r), c, n, i, f, rd_crow(s->prev[S_C], r) + at,
             rd_crow(s->prev[S_N], r) + at);
    output_row(width, rd_row(l[L_O], r), h, c, n);
    if (heads > 1) memcpy(rd_row(next[S_PART + head], r), h, width * sizeof *h);
}

RD_CLONES static void slstm_forward(const rd_step *s)
{
    const uint32_t heads = (uint32_t)s->opt[OPT_HEADS].i;
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t k = 0; k < heads; k++) forward_head(s, heads, k, r);
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

RD_INLINE void sum_row(uint32_t n, rd_real *restrict to, const rd_real *restrict a,
                       const rd_real *restrict b)
{
    for (uint32_t j = 0; j < n; j++) to[j] = a[j] + b[j];
}

/* dL/dh of a head: of the output, and of the part of h that fed its matrix. */
RD_INLINE const rd_real *gradient_row(const rd_step *s, uint32_t heads, uint32_t head, uint32_t r)
{
    const uint32_t width = s->hidden / heads;
    const size_t at = (size_t)head * width;
    const rd_real *dh = rd_crow(s->dnext[S_H], r) + at;
    if (heads == 1) return dh;
    rd_real *sum = rd_row(s->save[K_DH], r) + at;
    sum_row(width, sum, dh, rd_crow(s->dnext[S_PART + head], r));
    return sum;
}

RD_INLINE void backward_head(const rd_step *s, uint32_t heads, uint32_t head, uint32_t r)
{
    const uint32_t width = s->hidden / heads;
    const size_t at = (size_t)head * width;
    const rd_span *l = s->line + (size_t)head * N_GATES;
    const struct row k = {.c = rd_row(s->next[S_C], r) + at,
                          .n = rd_row(s->next[S_N], r) + at,
                          .cp = rd_crow(s->prev[S_C], r) + at,
                          .np = rd_crow(s->prev[S_N], r) + at,
                          .slope = rd_row(s->save[K_SLOPE], r) + at,
                          .dh = gradient_row(s, heads, head, r),
                          .dc = rd_crow(s->dnext[S_C], r) + at,
                          .dn = rd_crow(s->dnext[S_N], r) + at,
                          .dcp = rd_row(s->dprev[S_C], r) + at,
                          .dnp = rd_row(s->dprev[S_N], r) + at};
    backward_row(width, rd_row(l[L_I], r), rd_row(l[L_F], r), rd_row(l[L_Z], r), rd_row(l[L_O], r),
                 &k);
}

RD_CLONES static void slstm_backward(const rd_step *s)
{
    const uint32_t heads = (uint32_t)s->opt[OPT_HEADS].i;
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t k = 0; k < heads; k++) backward_head(s, heads, k, r);
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
