/* rondo_custom.h - operations of the embedder's on the tape, and what it must follow to collect garbage.
 * Apart from rondo.h, which is as long as a file may be, since few need it.
 * SPDX-License-Identifier: MIT */
#ifndef RONDO_CUSTOM_H
#define RONDO_CUSTOM_H
#include "rondo.h"

/* An operation of the embedder's, of results computed without a graph. backward gets the gradients
 * of all results and puts references to those of inputs into din, all NULL at first: NULL stays
 * where there is none. Nothing is recorded meanwhile, and rd_backward fails. It is called again if
 * the graph is retained. */
typedef struct rd_custom {
    const char *name; /* in messages; copied */
    void *context;
    rd_status (*backward)(void *context, rd_tensor *const *dout, rd_tensor **din, rd_error *err);
    void (*release)(void *context); /* called once, when nothing can call backward any more */
    rd_tensor *const *in, *const *result, *const *saved;
    size_t n_in, n_out, n_saved; /* saved: at most 8, which backward checks for writes */
} rd_custom;
/* out: n_out tensors with the values of `result`, NULL on failure. On success the context is handed
 * over. */
rd_status rd_custom_apply(const rd_custom *f, rd_tensor **out, rd_error *err);
/* What made a tensor that depends on such an operation, and what that was made from, for a
 * collector that must keep contexts' referents; NULL: depends on none, or was played. Numbers are
 * never used twice. */
typedef struct rdc_node rd_maker;
const rd_maker *rd_maker_of(const rd_tensor *t);
uint64_t rd_maker_number(const rd_maker *maker);
size_t rd_maker_input_count(const rd_maker *maker);
const rd_maker *rd_maker_input(const rd_maker *maker, size_t i);

/* The tensors again, as results of one operation: what plays one of them gives up the graph of all. So a
 * layer of many operations can be carried on from chunk to chunk as one of a single node can. */
rd_status rd_join(rd_tensor *const *x, size_t n, rd_tensor **out, rd_error *err);
#endif
