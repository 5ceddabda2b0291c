/* stepper.h - a recurrent layer taken one step at a time, in buffers that are made once.
 *
 * What writes a text needs of a step its output alone: no tensors, no tape. A stepper owns a pass of one
 * step, whose two slots of states, ids and x take turns, and retains its layer.
 * SPDX-License-Identifier: MIT */
#ifndef RD_STEPPER_H
#define RD_STEPPER_H
#include "engine/unroll.h"

typedef struct rdc_stepper {
    rdc_forward run;
    rdc_block *first; /* rd_real: first values of all states, one after the other */
} rdc_stepper;

/* ids: its x is one-hot, given by ids. first: per state, or NULL, or NULL in it: the cell's own values. Rows
 * stand at first values. */
rd_status rdc_stepper_open(rdc_stepper *s, rd_rnn *rnn, size_t rows, bool ids,
                           rd_tensor *const *first, rd_error *err);
void rdc_stepper_close(rdc_stepper *s); /* a zeroed one is fine */
/* A row's states: those of a row of states (B, width), or with NULL first values. */
void rdc_stepper_put(rdc_stepper *s, size_t row, rd_tensor *const *states, size_t from);
/* Takes up the weights as they are now. */
rd_status rdc_stepper_ready(rdc_stepper *s, rd_error *err);
/* One step of all rows, of ids[rows] or x[rows][in]. The output, [rows][hidden], stays until the next but
 * one. [hot] */
const rd_real *rdc_stepper_step(rdc_stepper *s, const int32_t *ids, const rd_real *x);
#endif
