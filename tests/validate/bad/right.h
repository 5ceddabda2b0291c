/* right.h - a cell that keeps every rule, for files that break one of them.
 *
 *     phase 0: q = tanh(a)        a = W x + U h + b
 *     phase 1: h' = tanh(n) + v h    n = M q
 *
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_RIGHT_H
#define RD_TEST_RIGHT_H
#include "bad.h"
#include "rondo/pointmath.h"

enum { S_H };
enum { T_Q };
enum { L_A, L_N };
enum { V_V };

static inline rd_status right_layout(const rd_setup *u, rd_builder *b)
{
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = u->hidden));
    b->temp(b, RD_NEW(rd_temp_decl, .id = T_Q, .name = "q", .width = u->hidden));
    b->line(b, RD_NEW(rd_line_decl, .id = L_A, .name = "a", .width = u->hidden,
                      .flags = RD_FROM_X | RD_BIAS_X, .states = RD_BIT(S_H)));
    b->line(b, RD_NEW(rd_line_decl, .id = L_N, .name = "n", .width = u->hidden, .phase = 1,
                      .temps = RD_BIT(T_Q)));
    b->vec(b, RD_NEW(rd_vec_decl, .id = V_V, .name = "v", .width = u->hidden));
    return RD_OK;
}

static inline void right_forward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *a = rd_row(s->line[L_A], r), *n = rd_row(s->line[L_N], r);
        rd_real *q = rd_row(s->temp[T_Q], r), *h = rd_row(s->next[S_H], r);
        const rd_real *before = rd_crow(s->prev[S_H], r);
        for (uint32_t j = 0; j < s->hidden && s->phase == 0; j++) a[j] = q[j] = rd_tanh(a[j]);
        for (uint32_t j = 0; j < s->hidden && s->phase == 1; j++) {
            n[j] = rd_tanh(n[j]);
            h[j] = n[j] + s->vec[V_V][j] * before[j];
        }
    }
}

static inline void right_backward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *a = rd_row(s->line[L_A], r), *n = rd_row(s->line[L_N], r);
        const rd_real *before = rd_crow(s->prev[S_H], r), *dh = rd_crow(s->dnext[S_H], r);
        const rd_real *dq = rd_row(s->dtemp[T_Q], r);
        for (uint32_t j = 0; j < s->hidden && s->phase == 1; j++) {
            rd_row(s->dprev[S_H], r)[j] += dh[j] * s->vec[V_V][j];
            s->dvec[V_V][j] += dh[j] * before[j];
            n[j] = dh[j] * (1 - n[j] * n[j]);
        }
        for (uint32_t j = 0; j < s->hidden && s->phase == 0; j++) a[j] = dq[j] * (1 - a[j] * a[j]);
    }
}

/* What a file is about comes after it and replaces a field. */
#define RIGHT_CELL(called) \
    .size = sizeof(rd_cell), .revision = 1, .name = called, .help = "for tests", \
    .option_size = sizeof(rd_option), .layout = right_layout, .forward = right_forward, \
    .backward = right_backward
#endif
