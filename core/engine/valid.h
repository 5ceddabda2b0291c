/* valid.h - which steps of each row count: lengths, padding on any side, holes and reversal as one list.
 *
 * The engine runs rows that start together and end one after the other: each row is the list of its valid
 * steps, rows lie by length descending, ties by the user's index (bit contract, rule 6). Step t then works on
 * the first active[t] rows, and what is stored per step lies packed, without a place for what is absent:
 *
 *     user        a . b . .      stored   c d e f      packed   c a | d b | e | f
 *                 c d . e f               a b
 * SPDX-License-Identifier: MIT */
#ifndef RD_VALID_H
#define RD_VALID_H
#include "base/tensor.h"

typedef struct rdc_valid {
    size_t rows, time; /* the user's */
    size_t steps;      /* of the longest row */
    size_t total;      /* steps of all rows together */
    uint32_t *length;  /* [rows] descending */
    uint32_t *row;     /* [rows] the user's row */
    uint32_t *active;  /* [steps] rows that take part: a prefix */
    size_t *first;     /* [steps + 1] packed rows before a step */
    uint32_t *at;      /* [total] packed: the user's time */
} rdc_valid;

/* mask: (B, T), 0 where a step does not count, (B) numbers of valid steps, or NULL: all. *out is NULL where
 * every step counts and nothing is reversed. `what` begins messages. */
rd_status rdc_valid_new(const rd_tensor *x, const rd_tensor *mask, bool reverse, const char *what,
                        rdc_valid **out, rd_error *err);
void rdc_valid_free(rd_core *core, rdc_valid *v); /* NULL is fine */
/* Row of step t among the user's (T, B) rows in sequence order. */
static inline size_t rdc_valid_place(const rdc_valid *v, size_t t, size_t row)
{
    return v->at[v->first[t] + row] * v->rows + v->row[row];
}
/* Packed rows from and to their places among the user's, which lie in sequence order. */
void rdc_valid_gather(const rdc_valid *v, size_t width, const rd_real *from, rd_real *packed);
void rdc_valid_scatter(const rdc_valid *v, size_t width, const rd_real *packed, rd_real *to,
                       bool add);
#endif
