/* cell.c - template.cell, a recurrent cell for Rondo. Edit the parts 1 to 4; they are a minimal gated unit
 * (Zhou et al. 2016, eq. 7) as they stand, with h' for the state of the step before:
 *
 *     f = sigmoid(W_f x + U_f h' + b_f)              phase 0: from line f to the temp q = f h'
 *     n = tanh(W_n x + U_n q + b_n)                  phase 1: from line n to the state
 *     h = (1 - f) h' + f n
 *
 * SPDX-License-Identifier: MIT */
#include <rondo/cell.h>
#include <rondo/pointmath.h>

/* 1. Options: keys of rondo.RNN { cell = "template.cell", ... }. */
enum { FORGET_BIAS };
static const rd_option options[] = {
    /* name, help, kind, flags, default, least, most, choices */
    {"forget_bias", "first bias of f", RD_REAL, 0, 1, -10, 10, NULL},
};

/* 2. What there is, ids from 0 each: states (the first is the output), temps that later phases multiply,
 * lines (sums over x, states and temps by learned matrices, f_x, f_h, ...), saves for backward(). */
enum { H };    /* states */
enum { Q };    /* temps */
enum { F, N }; /* lines */
enum { KEPT }; /* saves */
static rd_status layout(const rd_setup *u, rd_builder *b)
{
    const uint32_t width = u->hidden, from_x = RD_FROM_X | RD_BIAS_X | RD_BIAS_REC;
    const rd_init bias = {.kind = RD_INIT_CONST, .a = u->opt[FORGET_BIAS].r};

    b->state(b, RD_NEW(rd_state_decl, .id = H, .name = "h", .width = width));
    b->temp(b, RD_NEW(rd_temp_decl, .id = Q, .name = "q", .width = width, .phase = 0));
    b->line(b, RD_NEW(rd_line_decl, .id = F, .name = "f", .width = width, .phase = 0,
                      .flags = from_x, .states = RD_BIT(H), .init_bias = bias));
    b->line(b, RD_NEW(rd_line_decl, .id = N, .name = "n", .width = width, .phase = 1,
                      .flags = from_x, .temps = RD_BIT(Q)));
    b->save(b, RD_NEW(rd_save_decl, .id = KEPT, .width = width));
    return RD_OK;
}

/* 3. A step: the phase's lines have their sums; turn them into temps or, in the last phase, into states. (A
 * cell of one phase needs neither temps nor the `if`.) With more arrays in a
 * loop than some five, `#pragma GCC ivdep` before it tells gcc that they are apart: SIMD depends on that. */
RD_CLONES static void forward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *f = rd_row(s->line[F], r), *n = rd_row(s->line[N], r), *q = rd_row(s->temp[Q], r);
        rd_real *kept = rd_row(s->save[KEPT], r), *h = rd_row(s->next[H], r);
        const rd_real *before = rd_crow(s->prev[H], r);
        if (s->phase == 0)
            for (uint32_t j = 0; j < s->hidden; j++) {
                f[j] = rd_sigmoid(f[j]); /* stays in the line until backward() */
                q[j] = f[j] * before[j];
            }
        else
            for (uint32_t j = 0; j < s->hidden; j++) {
                kept[j] = rd_tanh(n[j]);
                h[j] = (1 - f[j]) * before[j] + f[j] * kept[j];
            }
    }
}

/* 4. Its derivative, phases in reverse: OVERWRITE the phase's lines with dL/dline, ADD to all other
 * gradients. dnext and dtemp are complete; line, temp, save, prev, next are as forward() left them. */
RD_CLONES static void backward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *f = rd_row(s->line[F], r), *n = rd_row(s->line[N], r);
        rd_real *dbefore = rd_row(s->dprev[H], r);
        const rd_real *kept = rd_row(s->save[KEPT], r), *before = rd_crow(s->prev[H], r);
        const rd_real *dh = rd_crow(s->dnext[H], r), *dq = rd_row(s->dtemp[Q], r);
        if (s->phase == 1)
            for (uint32_t j = 0; j < s->hidden; j++) {
                n[j] = dh[j] * f[j] * (1 - kept[j] * kept[j]);
                dbefore[j] += dh[j] * (1 - f[j]);
            }
        else
            for (uint32_t j = 0; j < s->hidden; j++) {
                const rd_real gate = f[j];
                f[j] = (dq[j] * before[j] + dh[j] * (kept[j] - before[j])) * gate * (1 - gate);
                dbefore[j] += dq[j] * gate;
            }
    }
}

/* Raise revision when parameters change their meaning: checkpoints of another revision are then refused. */
static const rd_cell cell = {.size = sizeof(rd_cell),
                             .revision = 1,
                             .name = "template.cell",
                             .help = "minimal gated unit",
                             .options = options,
                             .n_options = sizeof options / sizeof options[0],
                             .option_size = sizeof(rd_option),
                             .layout = layout,
                             .forward = forward,
                             .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
/* What `rondo plugins` says of the file; name, version and licence are yours to choose. */
RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "template.cell",
             .version = "1.0",
             .license = "MIT",
             .origin = "my own",
             .cells = cells};
