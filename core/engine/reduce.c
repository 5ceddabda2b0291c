/* reduce.c - sums in the orders that the bit contract fixes: whole tensors in double by blocks of 4,096
 * (rule 7), and gradients of broadcast operands from the last row to the first (rule 6).
 * SPDX-License-Identifier: MIT */
#include "engine/reduce.h"

#include "engine/map.h"
#include "rondo/pointmath.h"

#include <string.h>

enum { BLOCK = 4096, LANES = 16 };

/* ---- whole tensors ---------------------------------------------------------------------------------- */

RD_CLONES static double block_sum(const rd_real *x, size_t n, bool squares)
{
    double lane[LANES] = {0};
    const size_t whole = n - n % LANES;
    if (squares) {
        for (size_t e = 0; e < whole; e += LANES)
            for (size_t l = 0; l < LANES; l++) lane[l] += (double)x[e + l] * (double)x[e + l];
        for (size_t e = whole; e < n; e++) lane[e - whole] += (double)x[e] * (double)x[e];
    } else {
        for (size_t e = 0; e < whole; e += LANES)
            for (size_t l = 0; l < LANES; l++) lane[l] += (double)x[e + l];
        for (size_t e = whole; e < n; e++) lane[e - whole] += (double)x[e];
    }
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++) lane[l] += lane[l + half];
    return lane[0];
}

static double sum_flat(const rd_real *x, size_t n, bool squares)
{
    const uint64_t env = rdc_fp_enter();
    double sum = 0;
    for (size_t at = 0; at < n; at += BLOCK)
        sum += block_sum(x + at, n - at < BLOCK ? n - at : BLOCK, squares);
    rdc_fp_leave(env);
    return sum;
}

double rdc_sum_flat(const rd_real *x, size_t n)
{
    return sum_flat(x, n, false);
}

double rdc_square_sum_flat(const rd_real *x, size_t n)
{
    return sum_flat(x, n, true);
}

/* Dimensions of t from the outermost in storage order to the innermost. */
static void storage_dims(const rd_tensor *t, uint32_t dim[RD_MAX_DIMS])
{
    for (uint32_t d = 0; d < t->ndim; d++) dim[d] = d;
    if (rdc_order(t) == RD_SEQUENCE) {
        dim[0] = 1;
        dim[1] = 0;
    }
}

/* Steps an odometer over t in storage order, the last place first; false behind the last element. */
static bool next_element(const rd_tensor *t, const uint32_t *dim, size_t *index, size_t *offset)
{
    for (uint32_t i = t->ndim; i-- > 0;) {
        const uint32_t d = dim[i];
        *offset += t->stride[d];
        if (++index[d] < t->shape[d]) return true;
        *offset -= t->stride[d] * t->shape[d];
        index[d] = 0;
    }
    return false;
}

/* Strided tensors are gathered block by block. */
static double sum_all(const rd_tensor *t, bool squares)
{
    const size_t numel = rd_tensor_numel(t);
    if (numel == 0) return 0;
    if (rdc_is_packed(t)) return sum_flat(t->at, numel, squares);
    rd_real block[BLOCK];
    uint32_t dim[RD_MAX_DIMS];
    size_t index[RD_MAX_DIMS] = {0}, offset = 0, n = 0;
    double sum = 0;
    storage_dims(t, dim);
    const uint64_t env = rdc_fp_enter();
    do {
        block[n++] = t->at[offset];
        if (n == BLOCK) {
            sum += block_sum(block, n, squares);
            n = 0;
        }
    } while (next_element(t, dim, index, &offset));
    if (n > 0) sum += block_sum(block, n, squares);
    rdc_fp_leave(env);
    return sum;
}

double rdc_sum_all(const rd_tensor *t)
{
    return sum_all(t, false);
}

double rdc_square_sum_all(const rd_tensor *t)
{
    return sum_all(t, true);
}

double rd_norm(const rd_tensor *t)
{
    return rd_sqrt_d(sum_all(t, true));
}

/* x - x is 0 for a finite x, else NaN. No early exit, so that the loop is widened. */
RD_CLONES static bool flat_finite(const rd_real *x, size_t n)
{
    uint32_t bad = 0;
    for (size_t e = 0; e < n; e++) bad |= !(x[e] - x[e] == 0);
    return bad == 0;
}

bool rd_all_finite(const rd_tensor *t)
{
    const size_t numel = rd_tensor_numel(t);
    if (numel == 0) return true;
    if (rdc_is_packed(t)) return flat_finite(t->at, numel);
    uint32_t dim[RD_MAX_DIMS];
    size_t index[RD_MAX_DIMS] = {0}, offset = 0;
    storage_dims(t, dim);
    do
        if (!flat_finite(t->at + offset, 1)) return false;
    while (next_element(t, dim, index, &offset));
    return true;
}

/* ---- to a broadcast operand: rule 6 ------------------------------------------------------------------ */

RD_CLONES static void add_row(size_t n, const rd_real *from, rd_real sign, rd_real *to, size_t step)
{
    if (step == 1)
        for (size_t j = 0; j < n; j++) to[j] += sign * from[j];
    else
        for (size_t j = 0; j < n; j++) to[j * step] += sign * from[j];
}

RD_CLONES static rd_real row_sum(const rd_real *x, size_t n)
{
    return rd_sum16(x, n);
}

void rdc_reduce_to(const rd_tensor *from, rd_real sign, rd_tensor *to)
{
    /* (B, T) in sequence order has no features: each element is a row. */
    const bool rows_of_one = from->ndim == 0 || (from->ndim == 2 && rdc_order(from) == RD_SEQUENCE);
    const uint32_t outer = rows_of_one ? from->ndim : from->ndim - 1;
    const size_t width = rows_of_one ? 1 : from->shape[outer];
    uint32_t dim[RD_MAX_DIMS];
    size_t stride[RD_MAX_DIMS], index[RD_MAX_DIMS] = {0}, offset = 0;
    const size_t numel = rd_tensor_numel(from);
    if (numel == 0) return;
    storage_dims(from, dim);
    rdc_broadcast_strides(to, from->ndim, stride);
    for (uint32_t d = 0; d < outer; d++) {
        index[d] = from->shape[d] - 1;
        offset += index[d] * stride[d];
    }
    const size_t step = width == 1 ? 1 : stride[outer];
    const rd_real *row = from->at + numel;
    while (row != from->at) {
        row -= width;
        if (step > 0)
            add_row(width, row, sign, to->at + offset, step);
        else
            to->at[offset] += sign * row_sum(row, width);
        for (uint32_t i = outer; i-- > 0;) {
            const uint32_t d = dim[i];
            offset -= stride[d];
            if (index[d]-- > 0) break;
            index[d] = from->shape[d] - 1;
            offset += stride[d] * from->shape[d];
        }
    }
}
