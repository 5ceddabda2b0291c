/* mingru.c - minimal GRU (Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024, "Were RNNs all we needed?",
 * section 3.1): neither gate nor candidate looks at the state, so that no product is left in the time loop.
 *
 *     z = sigmoid(W_z x_t + b_z)      n = W_n x_t + b_n      h_t = (1 - z) h_{t-1} + z n
 *
 * candidate = "positive" is the paper's form for logarithms (appendix B): n = g(.), where g(v) is v + 1/2
 * for v >= 0 and sigmoid(v) below.
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"

enum { OPT_CANDIDATE };
enum { LINEAR, POSITIVE };
enum { S_H };
enum { L_Z, L_N };

static const char *const candidates[] = {"linear", "positive", NULL};
static const rd_option options[] = {
    {.name = "candidate",
     .help = "new values: the sum itself, or a positive function of it",
     .kind = RD_CHOICE,
     .flags = RD_OPT_SHAPE,
     .def = LINEAR,
     .choices = candidates},
};

static rd_status mingru_layout(const rd_setup *u, rd_builder *b)
{
    static const char *const name[] = {"z", "n"};
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = u->hidden));
    for (uint32_t k = L_Z; k <= L_N; k++)
        b->line(b, RD_NEW(rd_line_decl, .id = k, .name = name[k], .width = u->hidden,
                          .flags = RD_FROM_X | RD_BIAS_X));
    return RD_OK;
}

RD_INLINE void positive_row(uint32_t width, rd_real *n)
{
    for (uint32_t j = 0; j < width; j++) {
        const rd_real low = rd_sigmoid(n[j]), high = n[j] + (rd_real)0.5;
        n[j] = n[j] < 0 ? low : high;
    }
}

/* Rows are functions of their own, since gcc heeds restrict in parameters alone. */
RD_INLINE void forward_row(uint32_t width, rd_real *restrict z, rd_real *restrict h,
                           const rd_real *restrict n, const rd_real *restrict hp)
{
    for (uint32_t j = 0; j < width; j++) {
        z[j] = rd_sigmoid(z[j]);
        h[j] = (1 - z[j]) * hp[j] + z[j] * n[j];
    }
}

RD_CLONES static void mingru_forward(const rd_step *s)
{
    const bool positive = s->opt[OPT_CANDIDATE].i == POSITIVE;
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *n = rd_row(s->line[L_N], r);
        if (positive) positive_row(s->hidden, n);
        forward_row(s->hidden, rd_row(s->line[L_Z], r), rd_row(s->next[S_H], r), n,
                    rd_crow(s->prev[S_H], r));
    }
}

/* positive: g' is 1 from g = 1/2 on and g (1 - g) below. */
RD_INLINE void backward_row(bool positive, uint32_t width, rd_real *restrict pz,
                            rd_real *restrict pn, rd_real *restrict dhp, const rd_real *restrict hp,
                            const rd_real *restrict dh)
{
    for (uint32_t j = 0; j < width; j++) {
        const rd_real z = pz[j], n = pn[j], slope = n * (1 - n);
        const rd_real dn = dh[j] * z;
        pz[j] = dh[j] * (n - hp[j]) * z * (1 - z);
        pn[j] = positive && n < (rd_real)0.5 ? dn * slope : dn;
        dhp[j] += dh[j] * (1 - z);
    }
}

RD_CLONES static void mingru_backward(const rd_step *s)
{
    const bool positive = s->opt[OPT_CANDIDATE].i == POSITIVE;
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *z = rd_row(s->line[L_Z], r), *n = rd_row(s->line[L_N], r);
        rd_real *dhp = rd_row(s->dprev[S_H], r);
        const rd_real *hp = rd_crow(s->prev[S_H], r), *dh = rd_crow(s->dnext[S_H], r);
        if (positive)
            backward_row(true, s->hidden, z, n, dhp, hp, dh);
        else
            backward_row(false, s->hidden, z, n, dhp, hp, dh);
    }
}

static const rd_cell mingru = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = "mingru",
    .help = "minimal GRU without a recurrent product",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .option_size = sizeof(rd_option),
    .layout = mingru_layout,
    .forward = mingru_forward,
    .backward = mingru_backward,
};
static const rd_cell *const cells[] = {&mingru, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-mingru",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .cells = cells};
