/* layer.c - template.layer, a layer for Rondo that takes whole sequences. Edit the parts 1 to 5; they are a
 * convolution over time that looks back, as before the pooling of a QRNN (Bradbury et al. 2017, eq. 1-2):
 *
 *     y_t = tanh(b + W [x_(t-taps+1), ..., x_(t-1), x_t])
 *
 * One call is one sequence. What it needs of the steps before is its state, so that it also runs in chunks
 * and step by step. (A layer that looks ahead has flags = RD_LAYER_NOT_CAUSAL and no state.)
 * SPDX-License-Identifier: MIT */
#include <rondo/layer.h>
#include <rondo/pointmath.h>
#include <string.h>

/* 1. Options: keys of rondo.Layer { layer = "template.layer", ... }. */
enum { WIDTH, TAPS };
static const rd_option options[] = {
    /* name, help, kind, flags, default, least, most, choices */
    {"width", "numbers in a step of the output", RD_INT, RD_OPT_SHAPE, 16, 1, 65536, NULL},
    {"taps", "steps that a step of the output sees", RD_INT, RD_OPT_SHAPE, 4, 2, 256, NULL},
};

/* 2. What there is, ids from 0 each: states (vectors that go from call to call), saves (numbers of every
 * step, from forward to backward), parameters. The core forms the gradient of a parameter from saves: of
 * a = W v + ... it is the sum of da v' over the steps, of a vector the sum of da. */
enum { PAST };       /* states */
enum { WINDOW, DA }; /* saves */
enum { W, B };       /* parameters */
static rd_status setup(const rd_setup *u, rd_layer_builder *b)
{
    const uint32_t out = (uint32_t)u->opt[WIDTH].i, taps = (uint32_t)u->opt[TAPS].i;
    const uint32_t window = taps * u->in;

    b->output(b, out);
    b->state(b, RD_NEW(rd_state_decl, .id = PAST, .name = "past", .width = window - u->in));
    b->save(b, RD_NEW(rd_save_decl, .id = WINDOW, .width = window));
    b->save(b, RD_NEW(rd_save_decl, .id = DA, .width = out));
    b->param(b, RD_NEW(rd_param_decl, .id = W, .name = "w", .rows = out, .cols = window, .da = DA,
                       .v = WINDOW));
    b->param(b, RD_NEW(rd_param_decl, .id = B, .name = "b", .rows = out, .da = DA));
    return RD_OK;
}

/* 3. Memory of a call besides: here a gradient of the window of every step. */
static rd_status plan(const rd_setup *u, uint32_t steps, rd_need *need, char *why, size_t why_cap)
{
    (void)why, (void)why_cap; /* for a reason not to take so many steps */
    need->scratch_bytes = (size_t)steps * (size_t)u->opt[TAPS].i * u->in * sizeof(rd_real);
    return RD_OK;
}

/* Where step t is whose number lies before 0: in the state, the oldest first. */
static const rd_real *x_at(const rd_run *r, int64_t t)
{
    return t < 0 ? r->prev[PAST] + (size_t)(r->opt[TAPS].i - 1 + t) * r->in
                 : rd_crow(r->x, (uint32_t)t);
}
static rd_real *dx_at(const rd_run *r, int64_t t)
{
    return t < 0 ? r->dprev[PAST] + (size_t)(r->opt[TAPS].i - 1 + t) * r->in
                 : rd_row(r->dx, (uint32_t)t);
}

/* 4. A sequence: write all of y and next. */
RD_CLONES static void forward(const rd_run *r)
{
    const int64_t before = r->opt[TAPS].i - 1, steps = r->steps;
    const rd_span window = r->save[WINDOW];
    const size_t n = r->in * sizeof(rd_real);

    for (int64_t t = 0; t < steps; t++) {
        for (int64_t k = 0; k <= before; k++)
            memcpy(rd_row(window, (uint32_t)t) + k * r->in, x_at(r, t - before + k), n);
        memcpy(rd_row(r->y, (uint32_t)t), r->param[B], r->out * sizeof(rd_real));
    }
    r->gemm(RD_NEW(rd_gemm, .flags = RD_TRANS_B | RD_ACCUMULATE, .m = r->steps, .n = r->out,
                   .k = window.width, .a = window.at, .lda = window.row, .b = r->param[W],
                   .ldb = window.width, .c = r->y.at, .ldc = r->y.row));
    for (uint32_t t = 0; t < r->steps; t++)
        for (uint32_t j = 0; j < r->out; j++) rd_row(r->y, t)[j] = rd_tanh(rd_row(r->y, t)[j]);
    for (int64_t k = 0; k < before; k++)
        memcpy(r->next[PAST] + k * r->in, x_at(r, steps - before + k), n);
}

static void add(rd_real *to, const rd_real *from, uint32_t n)
{
    for (uint32_t j = 0; j < n; j++) to[j] += from[j];
}

/* 5. Its derivative: WRITE the saves that parameters name as da, add up dx and dprev, which begin at zero;
 * all else is as forward() left it. From the last step to the first, dnext before them, a sequence in chunks
 * has the same bits. */
RD_CLONES static void backward(const rd_run *r)
{
    const int64_t before = r->opt[TAPS].i - 1, steps = r->steps;
    const rd_span da = r->save[DA];
    const size_t width = r->save[WINDOW].width;
    rd_real *dwindow = r->scratch;

    for (uint32_t t = 0; t < r->steps; t++)
        for (uint32_t j = 0; j < r->out; j++) {
            const rd_real y = rd_row(r->y, t)[j];
            rd_row(da, t)[j] = rd_crow(r->dy, t)[j] * (1 - y * y);
        }
    r->gemm(RD_NEW(rd_gemm, .m = r->steps, .n = width, .k = r->out, .a = da.at, .lda = da.row,
                   .b = r->param[W], .ldb = width, .c = dwindow, .ldc = width));
    for (int64_t k = 0; k < before; k++)
        add(dx_at(r, steps - before + k), r->dnext[PAST] + k * r->in, r->in);
    for (int64_t t = steps; t-- > 0;)
        for (int64_t k = 0; k <= before; k++)
            add(dx_at(r, t - before + k), dwindow + (size_t)t * width + k * r->in, r->in);
}

/* Raise revision when parameters change their meaning: checkpoints of another revision are then refused. */
static const rd_layer layer = {.size = sizeof(rd_layer),
                               .revision = 1,
                               .name = "template.layer",
                               .help = "convolution over the last steps",
                               .options = options,
                               .n_options = sizeof options / sizeof options[0],
                               .option_size = sizeof(rd_option),
                               .setup = setup,
                               .plan = plan,
                               .forward = forward,
                               .backward = backward};
static const rd_layer *const layers[] = {&layer, NULL};
/* What `rondo plugins` says of the file; name, version and licence are yours to choose. */
RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "template.layer",
             .version = "1.0",
             .license = "MIT",
             .origin = "my own",
             .layers = layers};
