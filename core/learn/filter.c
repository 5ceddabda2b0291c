/* filter.c - takes unlikely classes away: top-k, locally typical, top-p, min-p.
 *
 * Weights are in rd_real and need not add up to 1; their sums are in double by ascending id, or in the order
 * in which classes are kept. Each filter counts what the one before has left.
 * SPDX-License-Identifier: MIT */
#include "learn/rank.h"
#include "learn/sampling.h"
#include "rondo/pointmath.h"

static double sum_of(const rd_real *p, size_t n)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++) sum += (double)p[j];
    return sum;
}

/* Keeps classes in the order of r until there are `most` or their weights reach `enough`; one at least. */
static void keep(rdc_rank *r, size_t most, double enough, rd_real *p)
{
    double sum = 0;
    for (size_t kept = 0; kept < most && r->left > 0 && (kept == 0 || sum < enough); kept++)
        sum += (double)p[rdc_rank_next(r)];
    for (size_t i = 0; i < r->left; i++) p[r->heap[i]] = 0;
}

/* How far each class's surprise lies from what is expected of the distribution (Meister et al. 2022, eq. 7):
 * |-log q - H| with q = p / S. log S falls out: H - log S = -(sum of p log p) / S. Negated: the nearest is
 * the largest key. */
RD_CLONES static void nearness(const rd_real *p, size_t n, rd_real middle, rd_real *key)
{
    for (size_t j = 0; j < n; j++) {
        const rd_real d = key[j] - middle;
        key[j] = p[j] > 0 ? -(d < 0 ? -d : d) : (rd_real)-__builtin_inf();
    }
}

/* Of weights that are 0 too: those are not looked at again. */
RD_CLONES static void logarithms(const rd_real *p, size_t n, rd_real *key)
{
    for (size_t j = 0; j < n; j++) key[j] = rd_log(p[j] > 0 ? p[j] : 1);
}

static void typical(rd_real *p, size_t n, double share, uint32_t *heap, rd_real *key)
{
    const double all = sum_of(p, n);
    double middle = 0;
    logarithms(p, n, key);
    for (size_t j = 0; j < n; j++) middle += (double)p[j] * (double)key[j];
    nearness(p, n, (rd_real)(middle / all), key);
    rdc_rank r = rdc_rank_begin(key, heap, n);
    keep(&r, n, share * all, p);
}

void rdc_filter(const rd_sampling *how, rd_real *p, size_t n, uint32_t *heap, rd_real *key)
{
    if (how->top_k > 0 && how->top_k < n) {
        rdc_rank r = rdc_rank_begin(p, heap, n);
        keep(&r, how->top_k, (double)__builtin_inf(), p);
    }
    if (how->typical_p > 0 && how->typical_p < 1) typical(p, n, how->typical_p, heap, key);
    if (how->top_p < 1) {
        const double all = sum_of(p, n);
        rdc_rank r = rdc_rank_begin(p, heap, n);
        keep(&r, n, how->top_p * all, p);
    }
    if (how->min_p > 0) {
        const rd_real least = (rd_real)how->min_p * rd_max16(p, n);
        for (size_t j = 0; j < n; j++)
            if (p[j] < least) p[j] = 0;
    }
}
