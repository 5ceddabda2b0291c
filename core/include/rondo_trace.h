/* rondo_trace.h - names for what an observer of a recurrent layer is shown by number. Apart from
 * rondo.h, which is as long as a file may be.
 * SPDX-License-Identifier: MIT */
#ifndef RONDO_TRACE_H
#define RONDO_TRACE_H
#include "rondo.h"

/* Line and temp of the layer's cell by id, NULL behind the last; width may be NULL. The name is the
 * layer's. rd_observed.line and .temp have the values. */
const char *rd_rnn_line(const rd_rnn *rnn, size_t id, uint32_t *width);
const char *rd_rnn_temp(const rd_rnn *rnn, size_t id, uint32_t *width);
#endif
