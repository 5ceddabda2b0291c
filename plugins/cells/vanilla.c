/* vanilla.c - the simple recurrent cell (Elman 1990): h_t = f(W x_t + U h_{t-1} + b).
 * SPDX-License-Identifier: MIT */
#include "rondo/cell.h"
#include "rondo/pointmath.h"

enum { OPT_ACTIVATION };
enum { TANH, RELU, SIGMOID, IDENTITY };
enum { S_H };
enum { L_A };

static const char *const activations[] = {"tanh", "relu", "sigmoid", "identity", NULL};
static const rd_option options[] = {
    {.name = "activation",
     .help = "function of the sum that becomes the state",
     .kind = RD_CHOICE,
     .flags = RD_OPT_SHAPE,
     .def = TANH,
     .choices = activations},
};

static rd_status vanilla_layout(const rd_setup *u, rd_builder *b)
{
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = u->hidden));
    b->line(b, RD_NEW(rd_line_decl, .id = L_A, .name = "a", .width = u->hidden,
                      .flags = RD_FROM_X | RD_BIAS_X | RD_BIAS_REC, .states = RD_BIT(S_H)));
    return RD_OK;
}

RD_CLONES static void vanilla_forward(const rd_step *s)
{
    const int64_t f = s->opt[OPT_ACTIVATION].i;
    for (uint32_t r = 0; r < s->rows; r++) {
        const rd_real *restrict a = rd_row(s->line[L_A], r);
        rd_real *restrict h = rd_row(s->next[S_H], r);
        const uint32_t n = s->hidden;
        if (f == TANH)
            for (uint32_t j = 0; j < n; j++) h[j] = rd_tanh(a[j]);
        else if (f == RELU)
            for (uint32_t j = 0; j < n; j++) h[j] = a[j] < 0 ? 0 : a[j];
        else if (f == SIGMOID)
            for (uint32_t j = 0; j < n; j++) h[j] = rd_sigmoid(a[j]);
        else
            for (uint32_t j = 0; j < n; j++) h[j] = a[j];
    }
}

RD_CLONES static void vanilla_backward(const rd_step *s)
{
    const int64_t f = s->opt[OPT_ACTIVATION].i;
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *restrict da = rd_row(s->line[L_A], r);
        const rd_real *restrict h = rd_row(s->next[S_H], r);
        const rd_real *restrict dh = rd_crow(s->dnext[S_H], r);
        const uint32_t n = s->hidden;
        if (f == TANH)
            for (uint32_t j = 0; j < n; j++) da[j] = dh[j] * (1 - h[j] * h[j]);
        else if (f == RELU)
            for (uint32_t j = 0; j < n; j++) da[j] = h[j] > 0 ? dh[j] : 0;
        else if (f == SIGMOID)
            for (uint32_t j = 0; j < n; j++) da[j] = dh[j] * (h[j] * (1 - h[j]));
        else
            for (uint32_t j = 0; j < n; j++) da[j] = dh[j];
    }
}

static const rd_cell vanilla = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = "vanilla",
    .help = "simple recurrent cell",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .option_size = sizeof(rd_option),
    .layout = vanilla_layout,
    .forward = vanilla_forward,
    .backward = vanilla_backward,
};
static const rd_cell *const cells[] = {&vanilla, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-vanilla",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .cells = cells};
