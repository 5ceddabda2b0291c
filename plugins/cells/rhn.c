/* rhn.c - recurrent highway network (Zilly, Srivastava, Koutnik & Schmidhuber 2017, eq. 6-9): a step passes
 * through `depth` highway layers, l = 1..L, with s^0 = h_{t-1} and h_t = s^L.
 *
 *     n = tanh(W x_t [l = 1] + R s^{l-1} + b)       transform and carry: t, c = sigmoid(the same form)
 *     s^l = n t + s^{l-1} c
 *
 * coupled: c = 1 - t, as in the paper's language models, and their depth 5 and transform bias -2 (table 2 and
 * section 5) are the defaults. A layer is a phase; s^1 .. s^{L-1} are temps.
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"

enum { OPT_DEPTH, OPT_COUPLED, OPT_TRANSFORM_BIAS };
enum { MAX_DEPTH = 10 }; /* three lines each, of the 32 that a cell may have */
enum { S_H };
enum { L_N, L_T, L_C }; /* of a layer; L_C only where not coupled */

static const rd_option options[] = {
    {.name = "depth",
     .help = "highway layers that a step passes through",
     .kind = RD_INT,
     .flags = RD_OPT_SHAPE,
     .def = 5,
     .min = 1,
     .max = MAX_DEPTH},
    {.name = "coupled",
     .help = "the carry gate is 1 - transform gate",
     .kind = RD_BOOL,
     .flags = RD_OPT_SHAPE,
     .def = 1},
    {.name = "transform_bias",
     .help = "first bias of the transform gates",
     .kind = RD_REAL,
     .def = -2,
     .min = -10,
     .max = 10},
};

static uint32_t gates_of(const rd_value *opt)
{
    return opt[OPT_COUPLED].i ? 2 : 3;
}

static rd_status rhn_layout(const rd_setup *u, rd_builder *b)
{
    static const char *const gate[] = {"n", "t", "c"};
    const uint32_t depth = (uint32_t)u->opt[OPT_DEPTH].i, n = gates_of(u->opt), h = u->hidden;
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = h));
    for (uint32_t p = 0; p < depth; p++) {
        const char temp[] = {'s', (char)('1' + p), 0}; /* s1 .. s9 */
        if (p + 1 < depth)
            b->temp(b, RD_NEW(rd_temp_decl, .id = p, .name = temp, .width = h, .phase = p));
        for (uint32_t k = L_N; k < n; k++) {
            const bool two = p + 1 >= MAX_DEPTH;
            const char line[] = {gate[k][0], two ? '1' : (char)('1' + p), two ? '0' : 0, 0};
            b->line(b,
                    RD_NEW(rd_line_decl, .id = p * n + k, .name = line, .width = h, .phase = p,
                           .flags = RD_BIAS_X | (p == 0 ? RD_FROM_X | RD_BIAS_REC : 0),
                           .states = p == 0 ? RD_BIT(S_H) : 0, .temps = p == 0 ? 0 : RD_BIT(p - 1),
                           .init_bias = {.kind = RD_INIT_CONST,
                                         .a = k == L_T ? u->opt[OPT_TRANSFORM_BIAS].r : 0}));
        }
    }
    return RD_OK;
}

/* Rows are functions of their own, since gcc heeds restrict in parameters alone. */
RD_INLINE void coupled_row(uint32_t width, rd_real *restrict n, rd_real *restrict t,
                           rd_real *restrict to, const rd_real *restrict from)
{
    for (uint32_t j = 0; j < width; j++) {
        n[j] = rd_tanh(n[j]);
        t[j] = rd_sigmoid(t[j]);
        to[j] = n[j] * t[j] + from[j] * (1 - t[j]);
    }
}

RD_INLINE void apart_row(uint32_t width, rd_real *restrict n, rd_real *restrict t,
                         rd_real *restrict c, rd_real *restrict to, const rd_real *restrict from)
{
    for (uint32_t j = 0; j < width; j++) {
        n[j] = rd_tanh(n[j]);
        t[j] = rd_sigmoid(t[j]);
        c[j] = rd_sigmoid(c[j]);
        to[j] = n[j] * t[j] + from[j] * c[j];
    }
}

static const rd_real *source_row(const rd_step *s, uint32_t r)
{
    return s->phase == 0 ? rd_crow(s->prev[S_H], r) : rd_row(s->temp[s->phase - 1], r);
}

static bool is_last(const rd_step *s)
{
    return s->phase + 1 == (uint32_t)s->opt[OPT_DEPTH].i;
}

RD_CLONES static void rhn_forward(const rd_step *s)
{
    const rd_span *l = s->line + s->phase * gates_of(s->opt);
    const bool coupled = s->opt[OPT_COUPLED].i != 0;
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *to = rd_row(is_last(s) ? s->next[S_H] : s->temp[s->phase], r);
        if (coupled)
            coupled_row(s->hidden, rd_row(l[L_N], r), rd_row(l[L_T], r), to, source_row(s, r));
        else
            apart_row(s->hidden, rd_row(l[L_N], r), rd_row(l[L_T], r), rd_row(l[L_C], r), to,
                      source_row(s, r));
    }
}

RD_INLINE void coupled_back_row(uint32_t width, rd_real *restrict pn, rd_real *restrict pt,
                                rd_real *restrict dfrom, const rd_real *restrict from,
                                const rd_real *restrict d)
{
    for (uint32_t j = 0; j < width; j++) {
        const rd_real n = pn[j], t = pt[j];
        pn[j] = d[j] * t * (1 - n * n);
        pt[j] = d[j] * (n - from[j]) * t * (1 - t);
        dfrom[j] += d[j] * (1 - t);
    }
}

RD_INLINE void apart_back_row(uint32_t width, rd_real *restrict pn, rd_real *restrict pt,
                              rd_real *restrict pc, rd_real *restrict dfrom,
                              const rd_real *restrict from, const rd_real *restrict d)
{
    for (uint32_t j = 0; j < width; j++) {
        const rd_real n = pn[j], t = pt[j], c = pc[j];
        pn[j] = d[j] * t * (1 - n * n);
        pt[j] = d[j] * n * t * (1 - t);
        pc[j] = d[j] * from[j] * c * (1 - c);
        dfrom[j] += d[j] * c;
    }
}

RD_CLONES static void rhn_backward(const rd_step *s)
{
    const rd_span *l = s->line + s->phase * gates_of(s->opt);
    const bool coupled = s->opt[OPT_COUPLED].i != 0;
    for (uint32_t r = 0; r < s->rows; r++) {
        const rd_real *d = is_last(s) ? rd_crow(s->dnext[S_H], r) : rd_row(s->dtemp[s->phase], r);
        rd_real *dfrom = rd_row(s->phase == 0 ? s->dprev[S_H] : s->dtemp[s->phase - 1], r);
        if (coupled)
            coupled_back_row(s->hidden, rd_row(l[L_N], r), rd_row(l[L_T], r), dfrom,
                             source_row(s, r), d);
        else
            apart_back_row(s->hidden, rd_row(l[L_N], r), rd_row(l[L_T], r), rd_row(l[L_C], r),
                           dfrom, source_row(s, r), d);
    }
}

static const rd_cell rhn = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = "rhn",
    .help = "recurrent highway network",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .option_size = sizeof(rd_option),
    .layout = rhn_layout,
    .forward = rhn_forward,
    .backward = rhn_backward,
};
static const rd_cell *const cells[] = {&rhn, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-rhn",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .cells = cells};
