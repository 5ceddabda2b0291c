/* right_layer.h - a layer that keeps every rule, for files that break one of them.
 *
 *     q_t = tanh(W x_t)        h_t = q_t + v h_(t-1)        y_t = h_t
 *
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_RIGHT_LAYER_H
#define RD_TEST_RIGHT_LAYER_H
#include "bad.h"
#include "rondo/layer.h"
#include "rondo/pointmath.h"

enum { R_H }; /* state */
enum {
    R_A,
    R_DV
}; /* saves: q, which becomes dL/da; h_(t-1), which becomes the terms of v's gradient */
enum { R_W, R_V }; /* parameters */

static inline rd_status right_setup(const rd_setup *u, rd_layer_builder *b)
{
    const rd_init half = {.kind = RD_INIT_CONST, .a = 0.5};
    b->state(b, RD_NEW(rd_state_decl, .id = R_H, .name = "h", .width = u->in));
    b->save(b, RD_NEW(rd_save_decl, .id = R_A, .width = u->in));
    b->save(b, RD_NEW(rd_save_decl, .id = R_DV, .width = u->in));
    b->param(b, RD_NEW(rd_param_decl, .id = R_W, .name = "w", .rows = u->in, .cols = u->in,
                       .da = R_A, .v = RD_FROM_INPUT));
    b->param(b, RD_NEW(rd_param_decl, .id = R_V, .name = "v", .rows = u->in, .da = R_DV,
                       .init = half));
    return RD_OK;
}

/* One number for each unit: the gradient on its way from step to step. */
static inline rd_status right_plan(const rd_setup *u, uint32_t steps, rd_need *need, char *why,
                                   size_t why_cap)
{
    (void)steps, (void)why, (void)why_cap;
    need->scratch_bytes = u->in * sizeof(rd_real);
    return RD_OK;
}

static inline void right_layer_forward(const rd_run *r)
{
    const rd_span q = r->save[R_A];
    r->gemm(RD_NEW(rd_gemm, .flags = RD_TRANS_B, .m = r->steps, .n = r->in, .k = r->in,
                   .a = r->x.at, .lda = r->x.row, .b = r->param[R_W], .ldb = r->in, .c = q.at,
                   .ldc = q.row));
    for (uint32_t j = 0; j < r->in; j++) {
        rd_real h = r->prev[R_H][j];
        for (uint32_t t = 0; t < r->steps; t++) {
            rd_row(r->save[R_DV], t)[j] = h;
            rd_row(q, t)[j] = rd_tanh(rd_row(q, t)[j]);
            h = rd_row(q, t)[j] + r->param[R_V][j] * h;
            rd_row(r->y, t)[j] = h;
        }
        r->next[R_H][j] = h;
    }
}

static inline void right_layer_backward(const rd_run *r)
{
    const rd_span a = r->save[R_A];
    rd_real *dh = r->scratch;
    for (uint32_t j = 0; j < r->in; j++) dh[j] = r->dnext[R_H][j];
    for (uint32_t t = r->steps; t-- > 0;)
        for (uint32_t j = 0; j < r->in; j++) {
            const rd_real q = rd_row(a, t)[j];
            dh[j] += rd_crow(r->dy, t)[j];
            rd_row(a, t)[j] = dh[j] * (1 - q * q);
            rd_row(r->save[R_DV], t)[j] *= dh[j];
            dh[j] *= r->param[R_V][j];
        }
    for (uint32_t j = 0; j < r->in; j++) r->dprev[R_H][j] += dh[j];
    r->gemm(RD_NEW(rd_gemm, .flags = RD_ACCUMULATE, .m = r->steps, .n = r->in, .k = r->in,
                   .a = a.at, .lda = a.row, .b = r->param[R_W], .ldb = r->in, .c = r->dx.at,
                   .ldc = r->dx.row));
}

/* What a file is about comes after it and replaces a field. */
#define RIGHT_LAYER(called) \
    .size = sizeof(rd_layer), .revision = 1, .name = called, .help = "for tests", \
    .option_size = sizeof(rd_option), .setup = right_setup, .plan = right_plan, \
    .forward = right_layer_forward, .backward = right_layer_backward
#endif
