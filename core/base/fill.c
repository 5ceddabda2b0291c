/* fill.c - constants, copies and random numbers into tensors.
 *
 * Random numbers are numbered in logical order: element e is output e of row 0 of the stream (rule 8 of
 * the bit contract), so that neither the storage order nor the thread count can be seen in them. Normals
 * and orthogonal matrices are made in double with the functions of pointmath.h (rule 2).
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "base/tensor.h"
#include "rondo/pointmath.h"

#include <math.h>
#include <string.h>

rd_status rd_fill(rd_tensor *t, double value, rd_error *err)
{
    const rd_real real = (rd_real)value;
    RD_TRY(rdc_begin_write(t, err));
    if (rd_tensor_numel(t) == 0) return RD_OK;
    rdc_walk w;
    const size_t *const strides[] = {t->stride};
    rdc_walk_make(&w, t->ndim, t->shape, 1, strides);
    const size_t n = w.ndim ? w.shape[w.ndim - 1] : 1, step = w.ndim ? w.stride[0][w.ndim - 1] : 1;
    size_t index[RD_MAX_DIMS] = {0}, offset = 0;
    do
        for (size_t j = 0; j < n; j++) t->at[offset + j * step] = real;
    while (rdc_walk_next(&w, 1, index, &offset));
    return RD_OK;
}

rd_status rd_copy(rd_tensor *to, rd_tensor *from, rd_error *err)
{
    char a[128], b[128];
    bool fits = from->ndim <= to->ndim;
    const uint32_t missing = fits ? to->ndim - from->ndim : 0;
    rd_tensor spread = *to; /* `from` over the shape of `to`: never leaves this function */
    for (uint32_t d = 0; d < to->ndim && fits; d++) {
        const size_t size = d < missing ? 1 : from->shape[d - missing];
        fits = size == 1 || size == to->shape[d];
        spread.stride[d] = size == 1 ? 0 : from->stride[d - missing];
    }
    if (!fits)
        return rdc_fail(err, RD_E_ARG, "copy: shape %s does not broadcast to %s",
                        rdc_shape_text(from, a), rdc_shape_text(to, b));
    rd_tensor *apart = NULL; /* views of one block may overlap */
    if (from->block == to->block) {
        RD_TRY(rdc_tensor_like(&spread, false, &apart, err));
        spread.at = from->at;
        rdc_copy_values(&spread, apart);
    }
    const rd_status status = rdc_begin_write(to, err);
    if (status == RD_OK) {
        spread.at = from->at;
        rdc_copy_values(apart ? apart : &spread, to);
    }
    rd_tensor_release(apart);
    return status;
}

/* ---- random numbers ------------------------------------------------------------------------------- */

/* Turns four random words into four numbers. */
typedef void (*draw_fn)(const uint32_t u[4], double a, double b, double v[4]);

static void draw_uniform(const uint32_t u[4], double low, double high, double v[4])
{
    for (int i = 0; i < 4; i++) v[i] = low + (high - low) * rdc_unit(u[i]);
}

/* Box & Muller 1958: r = sqrt(-2 log u1), angles 2 pi u2; 1 - u1 keeps the logarithm finite. */
static void draw_normal(const uint32_t u[4], double mean, double sd, double v[4])
{
    for (int i = 0; i < 4; i += 2) {
        const double r = rd_sqrt_d(-2 * rd_log_d(1 - rdc_unit(u[i])));
        double sine, cosine;
        rd_sincos_d(0x1.921fb54442d18p+2 * rdc_unit(u[i + 1]), &sine, &cosine);
        v[i] = mean + sd * (r * cosine);
        v[i + 1] = mean + sd * (r * sine);
    }
}

/* Values of elements 4 * quad .. 4 * quad + 3. */
static void draw_quad(const rd_stream *s, size_t quad, uint32_t u[4])
{
    rdc_philox(s, (uint32_t)((uint64_t)quad >> 32), 0, (uint32_t)quad, u);
}

static rd_status fill_random(rd_tensor *t, draw_fn draw, double a, double b, const rd_stream *s,
                             rd_error *err)
{
    const size_t n = rd_tensor_numel(t);
    rdc_block *const block = rdc_block_new(t->core->arena, n * sizeof(rd_real));
    if (!block) return rdc_no_memory(err, n * sizeof(rd_real));
    rd_real *const to = block->at;
    const uint64_t env = rdc_fp_enter();
    for (size_t e = 0; e < n; e += 4) {
        uint32_t u[4];
        double v[4];
        draw_quad(s, e / 4, u);
        draw(u, a, b, v);
        for (size_t i = 0; i < 4 && e + i < n; i++) to[e + i] = (rd_real)v[i];
    }
    rdc_fp_leave(env);
    const rd_status status = rd_tensor_write(t, to, err);
    rdc_block_release(t->core->arena, block);
    return status;
}

rd_status rd_fill_uniform(rd_tensor *t, double low, double high, const rd_stream *s, rd_error *err)
{
    if (!(isfinite(low) && isfinite(high) && low <= high))
        return rdc_fail(err, RD_E_ARG,
                        "uniform: the lower bound must not be above the upper one, got %g and %g",
                        low, high);
    return fill_random(t, draw_uniform, low, high, s, err);
}

rd_status rd_fill_normal(rd_tensor *t, double mean, double sd, const rd_stream *s, rd_error *err)
{
    if (!(isfinite(mean) && isfinite(sd) && sd >= 0))
        return rdc_fail(
            err, RD_E_ARG,
            "normal: mean and standard deviation must be finite and the latter not negative, "
            "got %g and %g",
            mean, sd);
    return fill_random(t, draw_normal, mean, sd, s, err);
}

/* ---- initial values --------------------------------------------------------------------------------- */

RD_CLONES static double dot(const double *a, const double *b, size_t n)
{
    double lane[RD_LANES] = {0};
    const size_t whole = n - n % RD_LANES;
    for (size_t e = 0; e < whole; e += RD_LANES)
        for (size_t l = 0; l < RD_LANES; l++) lane[l] += a[e + l] * b[e + l];
    for (size_t e = whole; e < n; e++) lane[e - whole] += a[e] * b[e];
    for (size_t half = RD_LANES / 2; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++) lane[l] += lane[l + half];
    return lane[0];
}

RD_CLONES static void subtract(double *a, double factor, const double *b, size_t n)
{
    for (size_t e = 0; e < n; e++) a[e] -= factor * b[e];
}

/* n vectors of m >= n numbers, made orthonormal one after the other (modified Gram-Schmidt, Golub & Van
 * Loan 5.2.8): once vector j is done, its part is taken out of every later one. */
struct basis {
    double *v; /* [n][m] */
    size_t n, m, j;
};

static void take_out(void *job, size_t first, size_t last)
{
    const struct basis *const b = job;
    const double *const done = b->v + b->j * b->m;
    for (size_t i = b->j + 1 + first; i < b->j + 1 + last; i++) {
        double *const v = b->v + i * b->m;
        subtract(v, dot(v, done, b->m), done, b->m);
    }
}

static void orthonormalise(rdc_pool *pool, struct basis *b)
{
    enum { GRAIN = 16384 };
    for (b->j = 0; b->j < b->n; b->j++) {
        double *const v = b->v + b->j * b->m;
        const double norm = rd_sqrt_d(dot(v, v, b->m));
        if (norm > 0)
            for (size_t e = 0; e < b->m; e++) v[e] /= norm;
        else /* only where m is 1 and the number drawn is 0 */
            v[0] = 1;
        rdc_pool_range(pool, b->n - b->j - 1, GRAIN / b->m + 1, take_out, b);
    }
}

/* Orthonormal rows, or columns where there are more rows (Saxe et al. 2014); signs as drawn, so that the
 * matrix is uniform among all of its kind. */
static rd_status fill_orthogonal(rd_tensor *t, const rd_stream *s, rd_error *err)
{
    const size_t rows = t->shape[0], columns = t->shape[1], numel = rd_tensor_numel(t);
    const bool wide = rows <= columns;
    struct basis b = {.n = wide ? rows : columns, .m = wide ? columns : rows};
    rdc_arena *const arena = t->core->arena;
    rdc_block *const work = rdc_block_new(arena, numel * sizeof(double));
    rdc_block *const result = rdc_block_new(arena, numel * sizeof(rd_real));
    rd_status status = RD_OK;
    if (!work || !result) {
        status = rdc_no_memory(err, numel * sizeof(double));
        goto done;
    }
    b.v = work->at;
    for (size_t e = 0; e < numel; e += 4) {
        uint32_t u[4];
        double v[4];
        draw_quad(s, e / 4, u);
        draw_normal(u, 0, 1, v);
        for (size_t i = 0; i < 4 && e + i < numel; i++) {
            const size_t row = (e + i) / columns, column = (e + i) % columns;
            b.v[wide ? e + i : column * b.m + row] = v[i];
        }
    }
    const uint64_t env = rdc_fp_enter();
    orthonormalise(t->core->pool, &b);
    rdc_fp_leave(env);
    rd_real *const to = result->at;
    for (size_t e = 0; e < numel; e++)
        to[e] = (rd_real)b.v[wide ? e : e % columns * b.m + e / columns];
    status = rd_tensor_write(t, to, err);
done:
    rdc_block_release(arena, work);
    rdc_block_release(arena, result);
    return status;
}

static rd_status fill_identity(rd_tensor *t, double diagonal, rd_error *err)
{
    const size_t rows = t->shape[0], columns = t->shape[1], n = rd_tensor_numel(t);
    rdc_block *const block = rdc_block_new(t->core->arena, n * sizeof(rd_real));
    if (!block) return rdc_no_memory(err, n * sizeof(rd_real));
    rd_real *const to = block->at;
    memset(to, 0, n * sizeof *to);
    for (size_t i = 0; i < rows && i < columns; i++) to[i * columns + i] = (rd_real)diagonal;
    const rd_status status = rd_tensor_write(t, to, err);
    rdc_block_release(t->core->arena, block);
    return status;
}

/* A number beyond two deviations is drawn again from the next row of the stream, so that no element's value
 * depends on another's luck. 64 rows all fail once in 1e86 times. */
static rd_status fill_truncated(rd_tensor *t, double mean, double sd, const rd_stream *s,
                                rd_error *err)
{
    enum { TRIES = 64 };
    const size_t n = rd_tensor_numel(t);
    if (!(isfinite(mean) && isfinite(sd) && sd >= 0))
        return rdc_fail(err, RD_E_ARG,
                        "truncated: mean and standard deviation must be finite and the latter not "
                        "negative, got %g and %g",
                        mean, sd);
    rdc_block *const block = rdc_block_new(t->core->arena, n * sizeof(rd_real));
    if (!block) return rdc_no_memory(err, n * sizeof(rd_real));
    rd_real *const to = block->at;
    const uint64_t env = rdc_fp_enter();
    for (size_t e = 0; e < n; e++) {
        double v[4] = {3, 3, 3, 3};
        for (uint32_t row = 0; row < TRIES && rd_abs_d(v[e % 4]) > 2; row++) {
            uint32_t u[4];
            rdc_philox(s, row, (uint32_t)((uint64_t)(e / 4) >> 32), (uint32_t)(e / 4), u);
            draw_normal(u, 0, 1, v);
        }
        to[e] = (rd_real)(mean + sd * v[e % 4]);
    }
    rdc_fp_leave(env);
    const rd_status status = rd_tensor_write(t, to, err);
    rdc_block_release(t->core->arena, block);
    return status;
}

static void draw_chrono(const uint32_t u[4], double horizon, double sign, double v[4])
{
    draw_uniform(u, 1, horizon - 1, v);
    for (int i = 0; i < 4; i++) v[i] = sign * rd_log_d(v[i]);
}

/* The stream of a layer, whatever the parameter: the biases of two gates mirror each other. */
static rd_status fill_chrono(rd_tensor *t, const rd_init *init, const rd_stream *s, rd_error *err)
{
    rd_stream shared = *s;
    shared.update = UINT32_MAX;
    if (!(isfinite(init->a) && isfinite(init->b)))
        return rdc_fail(err, RD_E_ARG,
                        "chrono: the longest memory and its sign must be finite, got %g and %g",
                        init->a, init->b);
    return fill_random(t, draw_chrono, init->a > 2 ? init->a : 2, init->b, &shared, err);
}

static const char *const matrix_kind[] = {[RD_INIT_GLOROT] = "Glorot",
                                          [RD_INIT_ORTHO] = "orthogonal",
                                          [RD_INIT_IDENTITY] = "identity",
                                          [RD_INIT_HE] = "He"};

rd_status rd_fill_init(rd_tensor *t, const rd_init *init, const rd_stream *s, rd_error *err)
{
    char shape[128];
    int32_t kind = init->kind;
    if (kind == RD_INIT_DEFAULT) kind = t->ndim == 2 ? RD_INIT_GLOROT : RD_INIT_ZERO;
    const bool matrices = kind >= RD_INIT_GLOROT && kind <= RD_INIT_HE;
    if (matrices && t->ndim != 2)
        return rdc_fail(err, RD_E_ARG, "init: %s values are for matrices, got a tensor of shape %s",
                        matrix_kind[kind], rdc_shape_text(t, shape));
    switch (kind) {
    case RD_INIT_ZERO:
        return rd_fill(t, 0, err);
    case RD_INIT_CONST:
        return rd_fill(t, init->a, err);
    case RD_INIT_UNIFORM:
        return rd_fill_uniform(t, init->a, init->b, s, err);
    case RD_INIT_NORMAL:
        return rd_fill_normal(t, init->a, init->b, s, err);
    case RD_INIT_GLOROT: {
        const double fans = (double)t->shape[0] + (double)t->shape[1];
        const double bound = fans > 0 ? rd_sqrt_d(6 / fans) : 0;
        return rd_fill_uniform(t, -bound, bound, s, err);
    }
    case RD_INIT_ORTHO:
        return fill_orthogonal(t, s, err);
    case RD_INIT_IDENTITY:
        return fill_identity(t, init->a, err);
    case RD_INIT_HE:
        return rd_fill_normal(t, 0, rd_sqrt_d(t->shape[1] > 0 ? 2 / (double)t->shape[1] : 0), s,
                              err);
    case RD_INIT_TRUNCATED:
        return fill_truncated(t, init->a, init->b, s, err);
    case RD_INIT_CHRONO:
        return fill_chrono(t, init, s, err);
    case RD_INIT_TABLE:
        if (init->table) return rd_tensor_write(t, init->table, err);
        return rdc_fail(err, RD_E_ARG, "init: a table of numbers was asked for, but none is given");
    }
    return rdc_fail(err, RD_E_ARG, "init: there is no kind %d", init->kind);
}
