/* sample.c - draws ids from logits: temperature, top-k, top-p, greedy.
 *
 * Probabilities are exp((x - max) / temperature) in rd_real, which no temperature overflows, their running
 * sum in double by ascending id, so that a filter which keeps everything draws what no filter draws.
 * SPDX-License-Identifier: MIT */
#include "engine/rows.h"
#include "rondo/pointmath.h"

struct draw {
    size_t classes;
    const rd_sampling *how;
    rd_real *p;     /* [classes]: exponentials, 0 where filtered away */
    uint32_t *heap; /* [classes]: for the filters */
};

/* Is class a more likely than b? Equal ones by id, so that the order is total. */
static bool before(const rd_real *p, uint32_t a, uint32_t b)
{
    return p[a] > p[b] || (a < b && p[a] == p[b]);
}

static void sift(const struct draw *d, size_t n, size_t i)
{
    const uint32_t moved = d->heap[i];
    for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && before(d->p, d->heap[child + 1], d->heap[child])) child++;
        if (!before(d->p, d->heap[child], moved)) break;
        d->heap[i] = d->heap[child];
        i = child;
    }
    d->heap[i] = moved;
}

/* Takes the most likely classes off a heap until k of them or a share top_p of their sum are taken: work
 * goes with what is kept. Zeroes the rest. top_p counts what top_k left. */
static void filter(const struct draw *d)
{
    const size_t n = d->classes;
    const size_t most = d->how->top_k > 0 && d->how->top_k < n ? d->how->top_k : n;
    size_t left = n;
    for (size_t i = 0; i < n; i++) d->heap[i] = (uint32_t)i;
    for (size_t i = n / 2; i-- > 0;) sift(d, n, i);
    double all = 0;
    for (size_t taken = 0; taken < most; taken++) { /* the taken ones gather behind the heap */
        const uint32_t top = d->heap[0];
        all += (double)d->p[top];
        d->heap[0] = d->heap[--left];
        d->heap[left] = top;
        if (left > 0) sift(d, left, 0);
    }
    double sum = 0;
    size_t kept = 0;
    while (kept < most && (kept == 0 || sum < d->how->top_p * all))
        sum += (double)d->p[d->heap[n - 1 - kept++]];
    for (size_t i = 0; i < n - kept; i++) d->p[d->heap[i]] = 0;
}

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
    if (d->how->top_k > 0 || d->how->top_p < 1) filter(d);
    *id = pick(d->p, d->classes, u);
    return RD_OK;
}

static rd_status check(const rd_tensor *logits, const rd_sampling *how, rd_error *err)
{
    char text[128];
    if (logits->ndim != 2 || logits->shape[1] == 0)
        return rdc_fail(err, RD_E_ARG, "sample: expected logits (batch, classes), got %s",
                        rdc_shape_text(logits, text));
    if (!(how->temperature >= 0 && how->temperature <= 1e6))
        return rdc_fail(err, RD_E_ARG, "sample: temperature must be 0 (greedy) or more, got %.9g",
                        how->temperature);
    if (!(how->top_p > 0 && how->top_p <= 1))
        return rdc_fail(err, RD_E_ARG,
                        "sample: top_p must be greater than 0 and at most 1, got %.9g", how->top_p);
    return RD_OK;
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
    rdc_block *p = NULL, *heap = NULL;
    RD_TRY(check(logits, how, err));
    rd_core *core = logits->core;
    const size_t classes = logits->shape[1];
    RD_TRY(rdc_rows_of(logits, "sample", &x, err));
    rd_status status = rd_tensor_new(core, 1, &x.n, RD_DENSE, &found, err);
    if (status != RD_OK) goto done;
    p = rdc_block_new(core->arena, classes * sizeof(rd_real));
    heap = rdc_block_new(core->arena, classes * sizeof(uint32_t));
    if (!p || !heap) {
        status = rdc_no_memory(err, classes * sizeof(rd_real));
        goto done;
    }
    const struct draw d = {.classes = classes, .how = how, .p = p->at, .heap = heap->at};
    status = draw_all(&x, &d, stream, found, err);
    if (status == RD_OK) *ids = rd_tensor_retain(found);
done:
    rdc_block_release(core->arena, heap);
    rdc_block_release(core->arena, p);
    rd_tensor_release(found);
    rd_tensor_release(x.x);
    return status;
}
