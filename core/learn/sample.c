/* sample.c - draws ids from logits: adjusts them (adjust.c), temperature, filters (filter.c), one number.
 *
 * Probabilities are exp((x - max) / temperature) in rd_real, which no temperature overflows, their running
 * sum in double by ascending id, so that a filter which keeps everything draws what no filter draws.
 * SPDX-License-Identifier: MIT */
#include "engine/rows.h"
#include "learn/sampling.h"
#include "rondo/pointmath.h"

struct draw {
    size_t classes;
    const rd_sampling *how;
    rd_real *p;      /* [classes]: exponentials, 0 where filtered away */
    rd_real *logits; /* [classes]: adjusted; then for the filters */
    uint32_t *words; /* [classes]: for either */
};

RD_CLONES static void exponentials(const rd_real *x, size_t n, rd_real temperature, rd_real *p)
{
    const rd_real m = rd_max16(x, n);
    for (size_t j = 0; j < n; j++) p[j] = rd_exp((x[j] - m) / temperature);
}

static size_t first_largest(const rd_real *x, size_t n)
{
    size_t best = 0;
    for (size_t j = 1; j < n; j++)
        if (x[j] > x[best]) best = j;
    return best + 1;
}

/* The first id at which the running sum passes u times the whole. */
static size_t pick(const rd_real *p, size_t n, double u)
{
    double all = 0, sum = 0;
    size_t last = 0;
    for (size_t j = 0; j < n; j++) all += (double)p[j];
    for (size_t j = 0; j < n; j++) {
        if (p[j] <= 0) continue;
        sum += (double)p[j];
        last = j + 1;
        if (sum > u * all) break;
    }
    return last;
}

static rd_status draw_row(const struct draw *d, const rd_real *x, double u, size_t row, size_t *id,
                          rd_error *err)
{
    bool any = false;
    if (rdc_adjusts(d->how)) {
        rdc_adjust(d->how, x, d->classes, d->words, d->logits);
        x = d->logits;
    }
    for (size_t j = 0; j < d->classes; j++) {
        if (x[j] != x[j] || x[j] == (rd_real)__builtin_inf())
            return rdc_fail(err, RD_E_ARG,
                            "sample: the logit of id %zu in row %zu is %s; the model has diverged",
                            j + 1, row + 1, x[j] != x[j] ? "not a number" : "infinite");
        any |= x[j] != (rd_real)-__builtin_inf();
    }
    if (!any)
        return rdc_fail(err, RD_E_ARG, "sample: row %zu allows no id: every logit is -infinity",
                        row + 1);
    if ((rd_real)d->how->temperature == 0) { /* also what is too small for a rd_real */
        *id = first_largest(x, d->classes);
        return RD_OK;
    }
    exponentials(x, d->classes, (rd_real)d->how->temperature, d->p);
    rdc_filter(d->how, d->p, d->classes, d->words, d->logits);
    *id = pick(d->p, d->classes, u);
    return RD_OK;
}

static rd_status check(const rd_tensor *logits, const rd_sampling *how, rd_error *err)
{
    char text[128];
    if (logits->ndim != 2 || logits->shape[1] == 0)
        return rdc_fail(err, RD_E_ARG, "sample: expected logits (batch, classes), got %s",
                        rdc_shape_text(logits, text));
    return rdc_check_sampling(how, logits->shape[1], err);
}

/* Number of the stream for (time, row); which of the rows lies first in memory plays no part. */
static rd_status draw_all(const rdc_rows *x, const struct draw *d, const rd_stream *stream,
                          rd_tensor *ids, rd_error *err)
{
    const uint64_t before_fp = rdc_fp_enter();
    rd_status status = RD_OK;
    for (size_t r = 0; r < x->n && status == RD_OK; r++) {
        size_t id = 0;
        const double u = rd_uniform_at(stream, (uint32_t)r, 0);
        status = draw_row(d, x->x->at + r * x->row, u, r, &id, err);
        ids->at[r] = (rd_real)id;
    }
    rdc_fp_leave(before_fp);
    return status;
}

rd_status rd_sample(rd_tensor *logits, const rd_sampling *how, const rd_stream *stream,
                    rd_tensor **ids, rd_error *err)
{
    rdc_rows x = {0};
    rd_tensor *found = NULL;
    rdc_block *p = NULL, *adjusted = NULL, *words = NULL;
    RD_TRY(check(logits, how, err));
    rd_core *core = logits->core;
    const size_t classes = logits->shape[1];
    RD_TRY(rdc_rows_of(logits, "sample", &x, err));
    rd_status status = rd_tensor_new(core, 1, &x.n, RD_DENSE, &found, err);
    if (status != RD_OK) goto done;
    p = rdc_block_new(core->arena, classes * sizeof(rd_real));
    adjusted = rdc_block_new(core->arena, classes * sizeof(rd_real));
    words = rdc_block_new(core->arena, classes * sizeof(uint32_t));
    if (!p || !adjusted || !words) {
        status = rdc_no_memory(err, classes * sizeof(rd_real));
        goto done;
    }
    const struct draw d = {
        .classes = classes, .how = how, .p = p->at, .logits = adjusted->at, .words = words->at};
    status = draw_all(&x, &d, stream, found, err);
    if (status == RD_OK) *ids = rd_tensor_retain(found);
done:
    rdc_block_release(core->arena, words);
    rdc_block_release(core->arena, adjusted);
    rdc_block_release(core->arena, p);
    rd_tensor_release(found);
    rd_tensor_release(x.x);
    return status;
}
