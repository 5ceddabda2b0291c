/* valid.h - which steps of each row count: lengths, padding, holes, resets and reversal as one list.
 *
 * The engine runs rows that start together and end one after the other, and never meet. Such a row is
 * a stretch of a row of the user's: the list of its valid steps between two resets, or of all of them.
 * Rows lie by length descending, ties by the user's index, then in the order in which they are read (bit
 * contract, rule 6). Step t then works on the first active[t] rows, and what is stored per step lies
 * packed, without a place for what is absent. With a reset before e:
 *
 *     user        a b . c e      stored   a b c        packed   a d e | b f | c
 *                 d . f . .               d f
 *                                         e
 * SPDX-License-Identifier: MIT */
#ifndef RD_VALID_H
#define RD_VALID_H
#include "base/tensor.h"

enum {               /* what a stored row is of the user's row */
       RDC_ANEW = 1, /* it begins with first values, not with the state that is given */
       RDC_ENDS = 2  /* its last state is that of the user's row */
};

typedef struct rdc_valid {
    size_t batch, time; /* the user's rows and steps */
    size_t rows;        /* stored */
    size_t steps;       /* of the longest row */
    size_t total;       /* steps of all rows together */
    uint32_t *length;   /* [rows] descending */
    uint32_t *row;      /* [rows] the user's row */
    uint8_t *kind;    /* [rows] RDC_ANEW, RDC_ENDS; every row of the user's has one that ends it */
    uint32_t *active; /* [steps] rows that take part: a prefix */
    size_t *first;    /* [steps + 1] packed rows before a step */
    size_t *slot;     /* [steps + 1] the same for states: slot 0 has all rows, t + 1 those of t */
    uint32_t *at;     /* [total] packed: the user's time */
} rdc_valid;

typedef struct rdc_reading { /* how a batch is read */
    const rd_tensor *x;
    const rd_tensor *mask; /* (B, T), 0 where a step does not count, (B) numbers of valid steps, or
                              NULL: all count */
    const rd_tensor *resets; /* (B, T), 1 where a border lies before a step, or NULL: none */
    bool reverse;
    const char *what; /* begins messages */
} rdc_reading;

/* *out is NULL where every step counts, in one stretch that goes on from what is given, and nothing is
 * reversed. Forward, a reset holds whether its step counts or not, so that a row ends with first values
 * where nothing counts behind one: a batch read step by step has the same states. In reverse it parts what
 * is read after it from what was read before: a row ends with the last step that counts. */
rd_status rdc_valid_new(const rdc_reading *how, rdc_valid **out, rd_error *err);
void rdc_valid_free(rd_core *core, rdc_valid *v); /* NULL is fine */
/* Row of step t among the user's (T, B) rows in sequence order. */
static inline size_t rdc_valid_place(const rdc_valid *v, size_t t, size_t row)
{
    return v->at[v->first[t] + row] * v->batch + v->row[row];
}
/* Packed rows from and to their places among the user's, which lie in sequence order. */
void rdc_valid_gather(const rdc_valid *v, size_t width, const rd_real *from, rd_real *packed);
void rdc_valid_scatter(const rdc_valid *v, size_t width, const rd_real *packed, rd_real *to,
                       bool add);
#endif
