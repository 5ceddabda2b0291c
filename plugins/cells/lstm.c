/* lstm.c - long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000):
 *
 *     i f o = sigmoid(W x_t + U h_{t-1} + b)      g = tanh(W x_t + U h_{t-1} + b)
 *     c_t = f c_{t-1} + i g                       h_t = o tanh(c_t)
 *
 * and what has been published around it, in any combination:
 *
 *     peephole     i f see p c_{t-1}, o sees p c_t          (Gers & Schmidhuber 2000; Graves 2013, eq. 7-11)
 *     coupled      i = 1 - f                                (Greff et al. 2017, section 3, CIFG)
 *     projection   h_t = W_p (o tanh(c_t)), P numbers       (Sak, Senior & Beaufays 2014, eq. 7; PyTorch)
 *     gate         hard_sigmoid(a) = clip(a / 5 + 1/2, 0, 1) (Courbariaux et al. 2015; Keras 2)
 *     layer_norm   the sums are LN(W x_t) + LN(U h_{t-1}) + b, the output reads LN(c_t); LN runs over all
 *                  gates of a sum together                  (Ba, Kiros & Hinton 2016, eq. 20-22)
 *     chrono       b_f = log u, u uniform in [1, T - 1], b_i = -b_f: memories up to T steps
 *                                                           (Tallec & Ollivier 2018, eq. 16)
 *
 * The plain cell has functions of its own; all others share a second pair, a short loop for each equation.
 * Over 400 lines: the forms share most of their rows, and would repeat them in files of their own.
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"
#include <string.h>

enum {
    OPT_FORGET_BIAS,
    OPT_PEEPHOLE,
    OPT_COUPLED,
    OPT_PROJECTION,
    OPT_GATE,
    OPT_LAYER_NORM,
    OPT_CHRONO
};
enum { SIGMOID, HARD_SIGMOID };
enum { S_H, S_C };
enum { L_I, L_F, L_G, L_O };      /* plain; without L_I where coupled */
enum { LN_X, LN_H };              /* with layer norm: all gates of a sum in one line */
enum { T_M };                     /* o tanh(c), where it is projected */
enum { K_WORK, K_X, K_C, K_STD }; /* room for dL/d(sum or c); normed x line and c; 1 / deviations */
enum { MAX_GATES = 4 };

static const char *const gates[] = {"sigmoid", "hard_sigmoid", NULL};
static const rd_option options[] = {
    {.name = "forget_bias",
     .help = "first bias of the forget gate",
     .kind = RD_REAL,
     .def = 1,
     .min = -10,
     .max = 10},
    {.name = "peephole",
     .help = "the gates see the cell state",
     .kind = RD_BOOL,
     .flags = RD_OPT_SHAPE},
    {.name = "coupled",
     .help = "the input gate is 1 - forget gate",
     .kind = RD_BOOL,
     .flags = RD_OPT_SHAPE},
    {.name = "projection",
     .help = "width of the output, a matrix times the hidden values; 0: none",
     .kind = RD_INT,
     .flags = RD_OPT_SHAPE,
     .min = 0,
     .max = 65536},
    {.name = "gate",
     .help = "function of the gates",
     .kind = RD_CHOICE,
     .flags = RD_OPT_SHAPE,
     .choices = gates},
    {.name = "layer_norm",
     .help = "normalise the sums of each source and the cell state",
     .kind = RD_BOOL,
     .flags = RD_OPT_SHAPE},
    {.name = "chrono",
     .help = "first biases for memories up to so many steps, instead of forget_bias; 0: off",
     .kind = RD_INT,
     .min = 0,
     .max = 1000000},
};

struct form { /* what the options ask for */
    bool peephole, coupled, projected, hard, norm;
    uint32_t n_gates,
        first; /* first: 1 where there is no input gate, the index of gate 0 in i f g o */
    uint32_t n_peepholes; /* vectors 0 .. n - 1, in the order [i] f o */
    uint32_t v_norm;      /* the first of gain_x, gain_h, shift of each gate, gain_c, shift_c */
    uint32_t v_shift, v_cell;
};

static struct form form_of(const rd_value *opt)
{
    struct form f = {.peephole = opt[OPT_PEEPHOLE].i != 0,
                     .coupled = opt[OPT_COUPLED].i != 0,
                     .projected = opt[OPT_PROJECTION].i != 0,
                     .hard = opt[OPT_GATE].i == HARD_SIGMOID,
                     .norm = opt[OPT_LAYER_NORM].i != 0};
    f.first = f.coupled ? 1 : 0;
    f.n_gates = MAX_GATES - f.first;
    f.n_peepholes = f.peephole ? f.n_gates - 1 : 0;
    f.v_norm = f.n_peepholes;
    f.v_shift = f.v_norm + 2;
    f.v_cell = f.v_shift + f.n_gates;
    return f;
}

static bool is_plain(const rd_value *opt)
{
    const struct form f = form_of(opt);
    return !(f.peephole || f.coupled || f.projected || f.hard || f.norm);
}

static rd_init first_bias(const rd_value *opt, uint32_t gate)
{
    const double horizon = (double)opt[OPT_CHRONO].i;
    if (horizon > 0 && (gate == L_I || gate == L_F))
        return (rd_init){.kind = RD_INIT_CHRONO, .a = horizon, .b = gate == L_F ? 1 : -1};
    return (rd_init){.kind = RD_INIT_CONST, .a = gate == L_F ? opt[OPT_FORGET_BIAS].r : 0};
}

static void add_vector(rd_builder *b, uint32_t *id, const char *name, uint32_t width, rd_init init)
{
    b->vec(b, RD_NEW(rd_vec_decl, .id = *id, .name = name, .width = width, .init = init));
    ++*id;
}

static void add_vectors(const rd_setup *u, rd_builder *b, const struct form *f)
{
    static const char *const peephole[] = {"p_i", "p_f", NULL, "p_o"};
    static const char *const shift[] = {"shift_i", "shift_f", "shift_g", "shift_o"};
    const rd_init zero = {.kind = RD_INIT_ZERO}, one = {.kind = RD_INIT_CONST, .a = 1};
    const uint32_t h = u->hidden;
    uint32_t id = 0;
    for (uint32_t k = f->first; f->peephole && k < MAX_GATES; k++)
        if (k != L_G) add_vector(b, &id, peephole[k], h, zero);
    if (!f->norm) return;
    add_vector(b, &id, "gain_x", f->n_gates * h, one);
    add_vector(b, &id, "gain_h", f->n_gates * h, one);
    for (uint32_t k = f->first; k < MAX_GATES; k++)
        add_vector(b, &id, shift[k], h, first_bias(u->opt, k));
    add_vector(b, &id, "gain_c", h, one);
    add_vector(b, &id, "shift_c", h, zero);
}

static void add_saves(const rd_setup *u, rd_builder *b, const struct form *f)
{
    const uint32_t h = u->hidden, all = f->n_gates * h;
    b->save(b, RD_NEW(rd_save_decl, .id = K_WORK, .width = f->norm ? all : h));
    if (!f->norm) return;
    b->save(b, RD_NEW(rd_save_decl, .id = K_X, .width = all));
    b->save(b, RD_NEW(rd_save_decl, .id = K_C, .width = h));
    b->save(b, RD_NEW(rd_save_decl, .id = K_STD, .width = 3));
}

static rd_status lstm_layout(const rd_setup *u, rd_builder *b)
{
    static const char *const gate[] = {"i", "f", "g", "o"};
    const struct form f = form_of(u->opt);
    const uint32_t h = u->hidden, out = f.projected ? (uint32_t)u->opt[OPT_PROJECTION].i : h;
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = out));
    b->state(b, RD_NEW(rd_state_decl, .id = S_C, .name = "c", .width = h));
    if (f.projected) b->temp(b, RD_NEW(rd_temp_decl, .id = T_M, .name = "m", .width = h));
    for (uint32_t k = f.first; k < MAX_GATES && !f.norm; k++)
        b->line(b, RD_NEW(rd_line_decl, .id = k - f.first, .name = gate[k], .width = h,
                          .flags = RD_FROM_X | RD_BIAS_X | RD_BIAS_REC, .states = RD_BIT(S_H),
                          .init_bias = first_bias(u->opt, k)));
    if (f.norm) {
        const uint32_t all = f.n_gates * h; /* the biases come after the norm: shift */
        b->line(b,
                RD_NEW(rd_line_decl, .id = 0, .name = "gates", .width = all, .flags = RD_FROM_X));
        b->line(b,
                RD_NEW(rd_line_decl, .id = 1, .name = "back", .width = all, .states = RD_BIT(S_H)));
    }
    if (f.projected)
        b->line(b, RD_NEW(rd_line_decl, .id = f.norm ? 2 : MAX_GATES - f.first, .name = "p",
                          .width = out, .phase = 1, .temps = RD_BIT(T_M)));
    if (is_plain(u->opt)) return RD_OK;
    add_vectors(u, b, &f);
    add_saves(u, b, &f);
    return RD_OK;
}

/* ---- the plain cell ------------------------------------------------------------------------------- */

/* Rows are functions of their own, since gcc heeds restrict in parameters alone, and without it there are
 * too many pairs of pointers for it to widen the loops. */
RD_INLINE void plain_row(uint32_t n, rd_real *restrict i, rd_real *restrict f, rd_real *restrict g,
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

RD_CLONES static void plain_forward(const rd_step *s)
{
    const rd_span *l = s->line;
    for (uint32_t r = 0; r < s->rows; r++)
        plain_row(s->hidden, rd_row(l[L_I], r), rd_row(l[L_F], r), rd_row(l[L_G], r),
                  rd_row(l[L_O], r), rd_row(s->next[S_C], r), rd_row(s->next[S_H], r),
                  rd_crow(s->prev[S_C], r));
}

RD_INLINE void plain_back_row(uint32_t n, rd_real *restrict pi, rd_real *restrict pf,
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

RD_CLONES static void plain_backward(const rd_step *s)
{
    const rd_span *l = s->line;
    for (uint32_t r = 0; r < s->rows; r++)
        plain_back_row(s->hidden, rd_row(l[L_I], r), rd_row(l[L_F], r), rd_row(l[L_G], r),
                       rd_row(l[L_O], r), rd_row(s->dprev[S_C], r), rd_row(s->next[S_C], r),
                       rd_crow(s->prev[S_C], r), rd_crow(s->dnext[S_H], r),
                       rd_crow(s->dnext[S_C], r));
}

/* ---- all others ----------------------------------------------------------------------------------- */

/* Rows of the gates i f g o; i is NULL where coupled. */
static void open_gates(const rd_step *s, const struct form *f, uint32_t r, rd_real *gate[MAX_GATES])
{
    gate[L_I] = NULL;
    for (uint32_t k = 0; k < f->n_gates; k++)
        gate[k + f->first] =
            f->norm ? rd_row(s->line[LN_X], r) + (size_t)k * s->hidden : rd_row(s->line[k], r);
}

static uint32_t peephole_of(const struct form *f, uint32_t gate)
{
    return gate == L_O ? f->n_peepholes - 1 : gate - f->first;
}

RD_INLINE void add_product(uint32_t n, rd_real *restrict to, const rd_real *restrict p,
                           const rd_real *restrict c)
{
    for (uint32_t j = 0; j < n; j++) to[j] += p[j] * c[j];
}

/* Mean 0 and variance 1; returns 1 / deviation. Eq. 4 of Ba et al., sums by rule 7. */
RD_INLINE rd_real norm_row(uint32_t n, rd_real *v)
{
    const rd_real mean = rd_sum16(v, n) / (rd_real)n;
    for (uint32_t j = 0; j < n; j++) v[j] -= mean;
    const rd_real over = 1 / rd_sqrt(rd_dot16(v, v, n) / (rd_real)n + (rd_real)1e-5);
    for (uint32_t j = 0; j < n; j++) v[j] *= over;
    return over;
}

RD_INLINE void add_row(uint32_t n, rd_real *restrict to, const rd_real *restrict from)
{
    for (uint32_t j = 0; j < n; j++) to[j] += from[j];
}

RD_INLINE void gate_row(bool hard, uint32_t n, rd_real *a)
{
    if (!hard) {
        for (uint32_t j = 0; j < n; j++) a[j] = rd_sigmoid(a[j]);
        return;
    }
    for (uint32_t j = 0; j < n; j++) {
        const rd_real v = a[j] * (rd_real)0.2 + (rd_real)0.5, low = v < 0 ? 0 : v;
        a[j] = low > 1 ? 1 : low;
    }
}

/* The lines of x and h become one row of sums. */
RD_INLINE void sums_row(const rd_step *s, const struct form *f, uint32_t r)
{
    const uint32_t h = s->hidden, n = f->n_gates * h;
    rd_real *a = rd_row(s->line[LN_X], r), *back = rd_row(s->line[LN_H], r);
    rd_real *kept = rd_row(s->save[K_X], r), *over = rd_row(s->save[K_STD], r);
    const rd_real *gain_x = s->vec[f->v_norm], *gain_h = s->vec[f->v_norm + 1];
    over[0] = norm_row(n, a);
    over[1] = norm_row(n, back);
    for (uint32_t j = 0; j < n; j++) kept[j] = a[j];
    for (uint32_t j = 0; j < n; j++) a[j] = kept[j] * gain_x[j] + back[j] * gain_h[j];
    for (uint32_t k = 0; k < f->n_gates; k++) add_row(h, a + (size_t)k * h, s->vec[f->v_shift + k]);
}

RD_INLINE void cell_row(uint32_t n, rd_real *restrict g, rd_real *restrict c,
                        const rd_real *restrict i, const rd_real *restrict f,
                        const rd_real *restrict cp)
{
    for (uint32_t j = 0; j < n; j++) g[j] = rd_tanh(g[j]);
    if (i)
        for (uint32_t j = 0; j < n; j++) c[j] = f[j] * cp[j] + i[j] * g[j];
    else
        for (uint32_t j = 0; j < n; j++) c[j] = f[j] * cp[j] + (1 - f[j]) * g[j];
}

/* What the output sees of c: c itself, or its norm, which lies in K_WORK. */
RD_INLINE const rd_real *seen_row(const rd_step *s, const struct form *f, uint32_t r)
{
    const rd_real *c = rd_row(s->next[S_C], r);
    if (!f->norm) return c;
    const rd_real *kept = rd_row(s->save[K_C], r);
    const rd_real *gain = s->vec[f->v_cell], *shift = s->vec[f->v_cell + 1];
    rd_real *seen = rd_row(s->save[K_WORK], r);
    for (uint32_t j = 0; j < s->hidden; j++) seen[j] = kept[j] * gain[j] + shift[j];
    return seen;
}

RD_INLINE void output_row(uint32_t n, rd_real *restrict m, const rd_real *restrict o,
                          const rd_real *restrict seen)
{
    for (uint32_t j = 0; j < n; j++) m[j] = o[j] * rd_tanh(seen[j]);
}

RD_INLINE void forward_row(const rd_step *s, const struct form *f, uint32_t r)
{
    const uint32_t n = s->hidden;
    const rd_real *cp = rd_crow(s->prev[S_C], r);
    rd_real *gate[MAX_GATES], *c = rd_row(s->next[S_C], r);
    if (f->norm) sums_row(s, f, r);
    open_gates(s, f, r, gate);
    for (uint32_t k = f->first; k < L_G; k++) {
        if (f->peephole) add_product(n, gate[k], s->vec[peephole_of(f, k)], cp);
        gate_row(f->hard, n, gate[k]);
    }
    cell_row(n, gate[L_G], c, gate[L_I], gate[L_F], cp);
    if (f->peephole) add_product(n, gate[L_O], s->vec[peephole_of(f, L_O)], c);
    gate_row(f->hard, n, gate[L_O]);
    if (f->norm) {
        rd_real *kept = rd_row(s->save[K_C], r);
        for (uint32_t j = 0; j < n; j++) kept[j] = c[j];
        rd_row(s->save[K_STD], r)[2] = norm_row(n, kept);
    }
    output_row(n, rd_row(f->projected ? s->temp[T_M] : s->next[S_H], r), gate[L_O],
               seen_row(s, f, r));
}

RD_CLONES static void full_forward(const rd_step *s)
{
    const struct form f = form_of(s->opt);
    for (uint32_t r = 0; r < s->rows; r++) {
        if (s->phase == 0)
            forward_row(s, &f, r);
        else
            memcpy(rd_row(s->next[S_H], r), rd_row(s->line[f.norm ? 2 : f.n_gates], r),
                   s->next[S_H].width * sizeof(rd_real));
    }
}

/* Derivative of a gate from its value. */
RD_INLINE rd_real slope(bool hard, rd_real gate)
{
    if (hard) return ((gate > 0) & (gate < 1)) ? (rd_real)0.2 : 0;
    return gate * (1 - gate);
}

/* dL/d(what the output sees of c) into dseen, which may be `seen` itself. */
RD_INLINE void output_back_row(bool hard, uint32_t n, rd_real *restrict po, rd_real *dseen,
                               const rd_real *seen, const rd_real *restrict dm)
{
    for (uint32_t j = 0; j < n; j++) {
        const rd_real o = po[j], t = rd_tanh(seen[j]);
        po[j] = dm[j] * t * slope(hard, o);
        dseen[j] = dm[j] * o * (1 - t * t);
    }
}

RD_INLINE void apart_back_row(bool hard, uint32_t n, rd_real *const gate[MAX_GATES],
                              rd_real *restrict dcp, const rd_real *const from[2])
{
    rd_real *restrict pi = gate[L_I], *restrict pf = gate[L_F], *restrict pg = gate[L_G];
    const rd_real *restrict dc = from[0], *restrict cp = from[1];
    for (uint32_t j = 0; j < n; j++) {
        const rd_real i = pi[j], f = pf[j], g = pg[j];
        pi[j] = dc[j] * g * slope(hard, i);
        pf[j] = dc[j] * cp[j] * slope(hard, f);
        pg[j] = dc[j] * i * (1 - g * g);
        dcp[j] += dc[j] * f;
    }
}

RD_INLINE void coupled_back_row(bool hard, uint32_t n, rd_real *const gate[MAX_GATES],
                                rd_real *restrict dcp, const rd_real *const from[2])
{
    rd_real *restrict pf = gate[L_F], *restrict pg = gate[L_G];
    const rd_real *restrict dc = from[0], *restrict cp = from[1];
    for (uint32_t j = 0; j < n; j++) {
        const rd_real f = pf[j], g = pg[j];
        pf[j] = dc[j] * (cp[j] - g) * slope(hard, f);
        pg[j] = dc[j] * (1 - f) * (1 - g * g);
        dcp[j] += dc[j] * f;
    }
}

/* From d, the gradient of normed values, to that of what was normed; `to` may be `normed`. */
RD_INLINE void norm_back_row(uint32_t n, rd_real *to, const rd_real *d, const rd_real *normed,
                             rd_real over)
{
    const rd_real mean = rd_sum16(d, n) / (rd_real)n, along = rd_dot16(d, normed, n) / (rd_real)n;
    for (uint32_t j = 0; j < n; j++) to[j] = over * (d[j] - mean - normed[j] * along);
}

/* dgain += da normed; work = da gain */
RD_INLINE void gain_back_row(uint32_t n, rd_real *restrict dgain, rd_real *restrict work,
                             const rd_real *da, const rd_real *restrict normed,
                             const rd_real *restrict gain)
{
    for (uint32_t j = 0; j < n; j++) {
        dgain[j] += da[j] * normed[j];
        work[j] = da[j] * gain[j];
    }
}

RD_INLINE void sums_back_row(const rd_step *s, const struct form *f, uint32_t r)
{
    const uint32_t h = s->hidden, n = f->n_gates * h, x = f->v_norm;
    rd_real *da = rd_row(s->line[LN_X], r), *back = rd_row(s->line[LN_H], r);
    rd_real *work = rd_row(s->save[K_WORK], r);
    const rd_real *kept = rd_row(s->save[K_X], r), *over = rd_row(s->save[K_STD], r);
    for (uint32_t k = 0; k < f->n_gates; k++)
        add_row(h, s->dvec[f->v_shift + k], da + (size_t)k * h);
    gain_back_row(n, s->dvec[x + 1], work, da, back, s->vec[x + 1]);
    norm_back_row(n, back, work, back, over[1]);
    gain_back_row(n, s->dvec[x], work, da, kept, s->vec[x]);
    norm_back_row(n, da, work, kept, over[0]);
}

/* From dL/dm to dL/dc in K_WORK, and dL/da of the output gate in its line. */
RD_INLINE void state_back_row(const rd_step *s, const struct form *f, uint32_t r, rd_real *o)
{
    const uint32_t n = s->hidden;
    const rd_real *dm = f->projected ? rd_row(s->dtemp[T_M], r) : rd_crow(s->dnext[S_H], r);
    const rd_real *seen = seen_row(s, f, r), *c = rd_row(s->next[S_C], r);
    rd_real *dc = rd_row(s->save[K_WORK], r);
    if (f->hard)
        output_back_row(true, n, o, dc, seen, dm);
    else
        output_back_row(false, n, o, dc, seen, dm);
    if (f->norm) {
        const rd_real *kept = rd_row(s->save[K_C], r), *gain = s->vec[f->v_cell];
        rd_real *dgain = s->dvec[f->v_cell];
        add_row(n, s->dvec[f->v_cell + 1], dc);
        for (uint32_t j = 0; j < n; j++) dgain[j] += dc[j] * kept[j];
        for (uint32_t j = 0; j < n; j++) dc[j] *= gain[j];
        norm_back_row(n, dc, dc, kept, rd_row(s->save[K_STD], r)[2]);
    }
    add_row(n, dc, rd_crow(s->dnext[S_C], r));
    if (f->peephole) {
        add_product(n, dc, s->vec[peephole_of(f, L_O)], o);
        add_product(n, s->dvec[peephole_of(f, L_O)], o, c);
    }
}

RD_INLINE void backward_row(const rd_step *s, const struct form *f, uint32_t r)
{
    const uint32_t n = s->hidden;
    rd_real *gate[MAX_GATES], *dcp = rd_row(s->dprev[S_C], r);
    open_gates(s, f, r, gate);
    state_back_row(s, f, r, gate[L_O]);
    const rd_real *const from[2] = {rd_row(s->save[K_WORK], r), rd_crow(s->prev[S_C], r)};
    if (f->coupled && f->hard)
        coupled_back_row(true, n, gate, dcp, from);
    else if (f->coupled)
        coupled_back_row(false, n, gate, dcp, from);
    else if (f->hard)
        apart_back_row(true, n, gate, dcp, from);
    else
        apart_back_row(false, n, gate, dcp, from);
    for (uint32_t k = f->first; f->peephole && k < L_G; k++) {
        add_product(n, dcp, s->vec[peephole_of(f, k)], gate[k]);
        add_product(n, s->dvec[peephole_of(f, k)], gate[k], from[1]);
    }
    if (f->norm) sums_back_row(s, f, r);
}

RD_CLONES static void full_backward(const rd_step *s)
{
    const struct form f = form_of(s->opt);
    for (uint32_t r = 0; r < s->rows; r++) {
        if (s->phase == 0)
            backward_row(s, &f, r);
        else
            memcpy(rd_row(s->line[f.norm ? 2 : f.n_gates], r), rd_crow(s->dnext[S_H], r),
                   s->dnext[S_H].width * sizeof(rd_real));
    }
}

static void lstm_forward(const rd_step *s)
{
    if (is_plain(s->opt))
        plain_forward(s);
    else
        full_forward(s);
}

static void lstm_backward(const rd_step *s)
{
    if (is_plain(s->opt))
        plain_backward(s);
    else
        full_backward(s);
}

static const rd_cell lstm = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = "lstm",
    .help = "long short-term memory",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .option_size = sizeof(rd_option),
    .layout = lstm_layout,
    .forward = lstm_forward,
    .backward = lstm_backward,
};
static const rd_cell *const cells[] = {&lstm, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-lstm",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .cells = cells};
